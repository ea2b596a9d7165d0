// A fake of cuBLASLt: D = epilogue(alpha * op(A) op(B) + beta * C) in float32, columns first (NVIDIA cuBLAS 13
// documentation, "Using the cuBLASLt API"; what each function returns is from the comments of cublasLt.h).
//
// Modelled: CUDA_R_32F throughout; CUBLAS_COMPUTE_32F and CUBLAS_COMPUTE_32F_FAST_TF32; op N and T; the epilogues
// DEFAULT, BIAS and RELU_BIAS; packed matrices (leading dimension = rows). Anything else is
// CUBLAS_STATUS_NOT_SUPPORTED.
#include <cublasLt.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "cuda_host/library/library_call.hpp"
#include "cuda_host/library/operands.hpp"
#include "cuda_host/library/plain_loops.hpp"
#include "cuda_host/runtime/library_objects.hpp"

struct cublasLtContext {};

using namespace imgsim::cuda_host;

namespace {

struct matmul_description {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType scale = CUDA_R_32F;
  cublasOperation_t op_a = CUBLAS_OP_N;
  cublasOperation_t op_b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct matrix_layout {
  cudaDataType type = CUDA_R_32F;
  std::size_t rows = 0, columns = 0;
  std::size_t leading = 0;
};
struct matmul_preference {
  std::size_t workspace = 0;  // "default: 0"
};

template <class Object, class Handle, class Fill>
cublasStatus_t create(const char* function, const char* kind, Handle* handle, Fill&& fill) {
  return library_call(function, CUBLAS_STATUS_ALLOC_FAILED, [&] {
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    void* const made = create_object<Object>(kind);
    fill(*static_cast<Object*>(made));
    *handle = static_cast<Handle>(made);
    return CUBLAS_STATUS_SUCCESS;
  });
}

template <class Object>
cublasStatus_t destroy(const char* function, const void* handle) {
  return releasing_library_call(function, CUBLAS_STATUS_INTERNAL_ERROR, [&] {
    return destroy_object<Object>(handle) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
  });
}

template <class Value>
cublasStatus_t set_value(Value& to, const void* from, std::size_t bytes) {
  if (from == nullptr || bytes != sizeof(Value)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&to, from, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

/// A product whose descriptors fit together.
struct described_matmul {
  cublasStatus_t status = CUBLAS_STATUS_INVALID_VALUE;
  matmul_description description = {};
  std::size_t m = 0, n = 0, k = 0;

  /// Of the algorithm that the heuristic proposes first; the second needs none.
  [[nodiscard]] std::size_t workspace() const { return 4 * (m + n); }
};

described_matmul describe_matmul(cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                 cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  const auto* const o = find_object<matmul_description>(operation);
  const auto* const of_a = find_object<matrix_layout>(a);
  const auto* const of_b = find_object<matrix_layout>(b);
  const auto* const of_c = find_object<matrix_layout>(c);
  const auto* const of_d = find_object<matrix_layout>(d);
  described_matmul described;
  if (o == nullptr || of_a == nullptr || of_b == nullptr || of_c == nullptr || of_d == nullptr) return described;
  described.description = *o;
  described.m = of_d->rows;
  described.n = of_d->columns;
  described.k = o->op_a == CUBLAS_OP_N ? of_a->columns : of_a->rows;
  const auto fits = [](const matrix_layout& layout, cublasOperation_t op, std::size_t rows, std::size_t columns) {
    return op == CUBLAS_OP_N ? layout.rows == rows && layout.columns == columns
                             : layout.rows == columns && layout.columns == rows;
  };
  if (!fits(*of_a, o->op_a, described.m, described.k) || !fits(*of_b, o->op_b, described.k, described.n) ||
      !fits(*of_c, CUBLAS_OP_N, described.m, described.n))
    return described;
  described.status = CUBLAS_STATUS_NOT_SUPPORTED;
  for (const matrix_layout* layout : {of_a, of_b, of_c, of_d})
    if (layout->type != CUDA_R_32F || layout->leading != layout->rows) return described;
  if (o->scale != CUDA_R_32F || (o->compute != CUBLAS_COMPUTE_32F && o->compute != CUBLAS_COMPUTE_32F_FAST_TF32) ||
      (o->op_a != CUBLAS_OP_N && o->op_a != CUBLAS_OP_T) || (o->op_b != CUBLAS_OP_N && o->op_b != CUBLAS_OP_T) ||
      (o->epilogue != CUBLASLT_EPILOGUE_DEFAULT && o->epilogue != CUBLASLT_EPILOGUE_BIAS &&
       o->epilogue != CUBLASLT_EPILOGUE_RELU_BIAS))
    return described;
  described.status = CUBLAS_STATUS_SUCCESS;
  return described;
}

/// What the fake keeps in cublasLtMatmulAlgo_t: a mark, and the workspace that the algorithm needs.
constexpr std::uint64_t kMark = 0x696d6773696d4c74;

bool is_device_floats(const void* address, std::size_t count) {
  return is_device_memory(address, count * sizeof(float));
}

}  // namespace

extern "C" {

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "unknown cuBLAS status";
  }
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  return create<cublasLtContext>("cublasLtCreate", "cuBLASLt handle", handle, [](cublasLtContext&) {});
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  return destroy<cublasLtContext>("cublasLtDestroy", handle);
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  return create<matmul_description>("cublasLtMatmulDescCreate", "cuBLASLt matmul descriptor", operation,
                                    [&](matmul_description& made) {
                                      made.compute = compute;
                                      made.scale = scale;
                                    });
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  return destroy<matmul_description>("cublasLtMatmulDescDestroy", operation);
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  return library_call("cublasLtMatmulDescSetAttribute", CUBLAS_STATUS_INVALID_VALUE, [&] {
    auto* const o = find_object<matmul_description>(operation);
    if (o == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    switch (attribute) {
      case CUBLASLT_MATMUL_DESC_TRANSA:
        return set_value(o->op_a, value, bytes);
      case CUBLASLT_MATMUL_DESC_TRANSB:
        return set_value(o->op_b, value, bytes);
      case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return set_value(o->epilogue, value, bytes);
      case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return set_value(o->bias, value, bytes);
      default:
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
  });
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading) {
  return create<matrix_layout>(
      "cublasLtMatrixLayoutCreate", "cuBLASLt matrix layout", layout,
      [&](matrix_layout& made) { made = {type, rows, columns, static_cast<std::size_t>(leading)}; });
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroy<matrix_layout>("cublasLtMatrixLayoutDestroy", layout);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  return create<matmul_preference>("cublasLtMatmulPreferenceCreate", "cuBLASLt matmul preference", preference,
                                   [](matmul_preference&) {});
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroy<matmul_preference>("cublasLtMatmulPreferenceDestroy", preference);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    std::size_t bytes) {
  return library_call("cublasLtMatmulPreferenceSetAttribute", CUBLAS_STATUS_INVALID_VALUE, [&] {
    auto* const p = find_object<matmul_preference>(preference);
    if (p == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (attribute != CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return CUBLAS_STATUS_NOT_SUPPORTED;
    return set_value(p->workspace, value, bytes);
  });
}

/// Of two algorithms, one that needs a workspace and one that needs none, those that the preference allows.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results, int* count) {
  return library_call("cublasLtMatmulAlgoGetHeuristic", CUBLAS_STATUS_NOT_SUPPORTED, [&] {
    const auto* const allowed = find_object<matmul_preference>(preference);
    if (find_object<cublasLtContext>(handle) == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (allowed == nullptr || wanted < 1 || results == nullptr || count == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    const described_matmul described = describe_matmul(operation, a, b, c, d);
    if (described.status != CUBLAS_STATUS_SUCCESS) return described.status;
    *count = 0;
    for (const std::size_t workspace : {described.workspace(), std::size_t{0}}) {
      if (workspace > allowed->workspace || *count == wanted) continue;
      cublasLtMatmulHeuristicResult_t& result = results[(*count)++];
      result = {};
      result.algo.data[0] = kMark;
      result.algo.data[1] = workspace;
      result.workspaceSize = workspace;
    }
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  return library_call("cublasLtMatmul", CUBLAS_STATUS_EXECUTION_FAILED, [&] {
    if (find_object<cublasLtContext>(handle) == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    const described_matmul described = describe_matmul(operation, a_layout, b_layout, c_layout, d_layout);
    if (described.status != CUBLAS_STATUS_SUCCESS) return described.status;
    if (alpha == nullptr || beta == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    // "When NULL, an implicit heuristics query ... will be performed": not modelled.
    if (algorithm == nullptr || algorithm->data[0] != kMark) return CUBLAS_STATUS_NOT_SUPPORTED;
    const std::size_t used = algorithm->data[1];
    if (workspace_bytes < used) return CUBLAS_STATUS_INVALID_VALUE;
    const matmul_description o = described.description;
    const std::size_t m = described.m, n = described.n, k = described.k;
    const bool has_bias = o.epilogue != CUBLASLT_EPILOGUE_DEFAULT;
    if (!is_device_floats(a, m * k) || !is_device_floats(b, k * n) || !is_device_floats(c, m * n) ||
        !is_device_floats(d, m * n) || (has_bias && !is_device_floats(o.bias, m)) ||
        (used > 0 && !is_device_memory(workspace, used)))
      return CUBLAS_STATUS_EXECUTION_FAILED;
    const auto scale = static_cast<double>(*static_cast<const float*>(alpha));
    const auto c_scale = static_cast<double>(*static_cast<const float*>(beta));
    const cudaError_t queued = enqueue(stream, [=] {
      const bool as_tf32 = o.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
      const auto left = loaded(static_cast<const float*>(a), m * k, as_tf32);
      const auto right = loaded(static_cast<const float*>(b), k * n, as_tf32);
      spoil_workspace(workspace, used);
      std::vector<double> values = multiply_columns(left, o.op_a == CUBLAS_OP_T, right, o.op_b == CUBLAS_OP_T, m, n, k);
      // "Bias vector is broadcasted to all columns and added before applying final postprocessing."
      const auto bias = has_bias ? loaded(static_cast<const float*>(o.bias), m) : std::vector<double>(m);
      for (std::size_t i = 0; i < values.size(); ++i) {
        double value = scale * values[i] + bias[i % m];
        if (c_scale != 0.0) value += c_scale * static_cast<double>(static_cast<const float*>(c)[i]);
        values[i] = o.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS ? std::max(value, 0.0) : value;
      }
      store_scaled(values, 1.0, 0.0, static_cast<float*>(d));
    });
    return queued == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
  });
}

}  // extern "C"
