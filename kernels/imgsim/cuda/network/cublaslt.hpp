// cuBLASLt as the network uses it: products of float32 matrices with the algorithm and descriptors kept.
#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

#include <imgsim/core/error.hpp>
#include <imgsim/cuda/network/cudnn.hpp>

namespace imgsim::cuda {

/// Throws backend_error where `status` is no success: what was called, the status by name, and the line.
inline void check_cublaslt(cublasStatus_t status, const char* call,
                           const std::source_location& where = std::source_location::current()) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw backend_error("cuBLASLt", std::string(call) + " gave " + cublasLtGetStatusName(status) + " at " +
                                      where.file_name() + ":" + std::to_string(where.line()));
}

/// The call's own text is what the message names.
#define IMGSIM_CUBLASLT_CHECK(call) ::imgsim::cuda::check_cublaslt((call), #call)

using cublaslt_handle = library_object<cublasLtHandle_t, cublasLtDestroy>;
using cublaslt_operation = library_object<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using cublaslt_layout = library_object<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using cublaslt_preference = library_object<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

[[nodiscard]] inline cublaslt_handle make_cublaslt_handle() {
  cublasLtHandle_t made = nullptr;
  IMGSIM_CUBLASLT_CHECK(cublasLtCreate(&made));
  return cublaslt_handle(made);
}

enum class transposed { no, yes };

/// What is done to a product as it is written.
struct product_epilogue {
  const float* bias = nullptr;  ///< [columns of the result]; null: none
  bool relu = false;            ///< with a bias only
};

/// result [rows, columns] = left [rows, depth] right [depth, columns], all in C order; a transposed operand lies in
/// memory as its transpose. cuBLASLt knows columns first, in which a matrix of C order is its own transpose: it is
/// asked for result^T = right^T left^T.
class matrix_product {
 public:
  matrix_product(cublasLtHandle_t handle, std::size_t rows, std::size_t columns, std::size_t depth, transposed left,
                 transposed right, const product_epilogue& epilogue, std::size_t workspace, bool allow_tf32)
      : left_(make_layout(left == transposed::no ? depth : rows, left == transposed::no ? rows : depth)),
        right_(make_layout(right == transposed::no ? columns : depth, right == transposed::no ? depth : columns)),
        result_(make_layout(columns, rows)) {
    cublasLtMatmulDesc_t made = nullptr;
    IMGSIM_CUBLASLT_CHECK(
        cublasLtMatmulDescCreate(&made, allow_tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F));
    operation_.reset(made);
    set(CUBLASLT_MATMUL_DESC_TRANSA, right == transposed::no ? CUBLAS_OP_N : CUBLAS_OP_T);
    set(CUBLASLT_MATMUL_DESC_TRANSB, left == transposed::no ? CUBLAS_OP_N : CUBLAS_OP_T);
    if (epilogue.bias != nullptr) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(epilogue.bias));
    }
    choose(handle, workspace);
  }

  [[nodiscard]] std::size_t workspace() const noexcept { return chosen_.workspaceSize; }

  void queue(cublasLtHandle_t handle, cudaStream_t stream, const float* left, const float* right, float* result,
             void* workspace) const {
    const float one = 1;
    const float zero = 0;
    IMGSIM_CUBLASLT_CHECK(cublasLtMatmul(handle, operation_.get(), &one, right, right_.get(), left, left_.get(), &zero,
                                         result, result_.get(), result, result_.get(), &chosen_.algo, workspace,
                                         chosen_.workspaceSize, stream));
  }

 private:
  [[nodiscard]] static cublaslt_layout make_layout(std::size_t rows, std::size_t columns) {
    cublasLtMatrixLayout_t made = nullptr;
    IMGSIM_CUBLASLT_CHECK(
        cublasLtMatrixLayoutCreate(&made, CUDA_R_32F, rows, columns, static_cast<std::int64_t>(rows)));
    return cublaslt_layout(made);
  }

  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, Value value) {
    IMGSIM_CUBLASLT_CHECK(cublasLtMatmulDescSetAttribute(operation_.get(), attribute, &value, sizeof(value)));
  }

  void choose(cublasLtHandle_t handle, std::size_t workspace) {
    cublasLtMatmulPreference_t made = nullptr;
    IMGSIM_CUBLASLT_CHECK(cublasLtMatmulPreferenceCreate(&made));
    const cublaslt_preference preference(made);
    IMGSIM_CUBLASLT_CHECK(cublasLtMatmulPreferenceSetAttribute(
        preference.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof(workspace)));
    int found = 0;
    IMGSIM_CUBLASLT_CHECK(cublasLtMatmulAlgoGetHeuristic(handle, operation_.get(), right_.get(), left_.get(),
                                                         result_.get(), result_.get(), preference.get(), 1, &chosen_,
                                                         &found));
    if (found == 0 || chosen_.state != CUBLAS_STATUS_SUCCESS) {
      throw backend_error(
          "cuBLASLt", imgsim::detail::concat("no algorithm of a product fits a workspace of ", workspace, " bytes"));
    }
  }

  cublaslt_operation operation_;
  cublaslt_layout left_;  // of the transposes
  cublaslt_layout right_;
  cublaslt_layout result_;
  cublasLtMatmulHeuristicResult_t chosen_{};
};

}  // namespace imgsim::cuda
