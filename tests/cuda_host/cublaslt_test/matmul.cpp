// The fake cuBLASLt against loops, and what it refuses.
#include <cublasLt.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "cuda_host/library_test/support.hpp"

namespace {

using namespace imgsim_test;

/// A product whose descriptors are right until a test spoils them: D [m, n] = op(A) op(B), columns first.
struct matmul_case {
  matmul_case(std::size_t m_, std::size_t n_, std::size_t k_, bool a_transposed = false, bool b_transposed = false,
              cublasComputeType_t compute = CUBLAS_COMPUTE_32F)
      : m(m_), n(n_), k(k_), transposes_a(a_transposed), transposes_b(b_transposed) {
    const auto make = [](cublasLtMatrixLayout_t* layout, std::size_t rows, std::size_t columns) {
      cublasLtMatrixLayoutCreate(layout, CUDA_R_32F, rows, columns, static_cast<std::int64_t>(rows));
    };
    cublasLtCreate(&handle);
    cublasLtMatmulDescCreate(&operation, compute, CUDA_R_32F);
    cublasLtMatmulPreferenceCreate(&preference);
    make(&a, a_transposed ? k : m, a_transposed ? m : k);
    make(&b, b_transposed ? n : k, b_transposed ? k : n);
    make(&d, m, n);
    set(CUBLASLT_MATMUL_DESC_TRANSA, a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  }
  ~matmul_case() {
    for (cublasLtMatrixLayout_t each : {a, b, d}) cublasLtMatrixLayoutDestroy(each);
    cublasLtMatmulPreferenceDestroy(preference);
    cublasLtMatmulDescDestroy(operation);
    cublasLtDestroy(handle);
  }
  matmul_case(const matmul_case&) = delete;
  matmul_case& operator=(const matmul_case&) = delete;

  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, Value value) const {
    BOOST_TEST(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof(value)) == CUBLAS_STATUS_SUCCESS);
  }

  /// The algorithms within `workspace`.
  [[nodiscard]] std::vector<cublasLtMatmulHeuristicResult_t> algorithms(std::size_t most) const {
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof(most));
    std::vector<cublasLtMatmulHeuristicResult_t> found(4);
    int count = 0;
    BOOST_TEST(cublasLtMatmulAlgoGetHeuristic(handle, operation, a, b, d, d, preference, 4, found.data(), &count) ==
               CUBLAS_STATUS_SUCCESS);
    found.resize(static_cast<std::size_t>(count));
    return found;
  }

  [[nodiscard]] cublasStatus_t run(const float* left, const float* right, float* to,
                                   const cublasLtMatmulAlgo_t* algorithm, std::size_t bytes, float beta = 0) const {
    const float one = 1;
    return cublasLtMatmul(handle, operation, &one, left, a, right, b, &beta, to, d, to, d, algorithm, workspace.get(),
                          bytes, stream);
  }

  [[nodiscard]] std::vector<double> expected(const std::vector<float>& left, const std::vector<float>& right) const {
    std::vector<double> sums(m * n);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j)
        for (std::size_t l = 0; l < k; ++l)
          sums[i + j * m] += static_cast<double>(transposes_a ? left[l + i * k] : left[i + l * m]) *
                             static_cast<double>(transposes_b ? right[j + l * n] : right[l + j * k]);
    return sums;
  }

  std::size_t m, n, k;
  bool transposes_a, transposes_b;
  test_stream stream;
  device_array<char> workspace{1 << 10};
  cublasLtHandle_t handle{};
  cublasLtMatmulDesc_t operation{};
  cublasLtMatmulPreference_t preference{};
  cublasLtMatrixLayout_t a{}, b{}, d{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(products_equal_loops) {
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true}) {
      const matmul_case c(5, 3, 4, a_transposed, b_transposed);
      const auto left = random_floats(20, 1), right = random_floats(12, 2);
      const device_array<float> a(left), b(right), d(15);
      const auto found = c.algorithms(c.workspace.size());
      BOOST_TEST_REQUIRE(found.size() == 2u);
      for (const auto& each : found) {
        BOOST_TEST(c.run(a.get(), b.get(), d.get(), &each.algo, each.workspaceSize) == CUBLAS_STATUS_SUCCESS);
        check_equal(d.read(c.stream), c.expected(left, right));
      }
    }
}

BOOST_AUTO_TEST_CASE(a_bias_is_one_value_a_row) {
  const matmul_case c(5, 3, 4);
  const auto left = random_floats(20, 1), right = random_floats(12, 2), shift = random_floats(5, 3);
  const device_array<float> a(left), b(right), d(15), bias(shift);
  c.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias.get()));
  std::vector<double> expected = c.expected(left, right);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += static_cast<double>(shift[i % 5]);
  const auto found = c.algorithms(0);
  BOOST_TEST_REQUIRE(found.size() == 1u);
  c.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), &found[0].algo, 0) == CUBLAS_STATUS_SUCCESS);
  check_equal(d.read(c.stream), expected);
  c.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_BIAS);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), &found[0].algo, 0) == CUBLAS_STATUS_SUCCESS);
  for (double& value : expected) value = std::max(value, 0.0);
  check_equal(d.read(c.stream), expected);
}

BOOST_AUTO_TEST_CASE(what_was_there_is_added) {
  const matmul_case c(5, 3, 4);
  const auto left = random_floats(20, 1), right = random_floats(12, 2), before = random_floats(15, 3);
  const device_array<float> a(left), b(right), d(before);
  const auto found = c.algorithms(0);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), &found.at(0).algo, 0, 0.5f) == CUBLAS_STATUS_SUCCESS);
  std::vector<double> expected = c.expected(left, right);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += 0.5 * static_cast<double>(before[i]);
  check_equal(d.read(c.stream), expected);
}

BOOST_AUTO_TEST_CASE(tf32_loses_digits) {
  const auto left = random_floats(20, 1), right = random_floats(12, 2);
  const device_array<float> a(left), b(right), exact(15), rounded(15);
  const matmul_case full(5, 3, 4), fast(5, 3, 4, false, false, CUBLAS_COMPUTE_32F_FAST_TF32);
  BOOST_TEST(full.run(a.get(), b.get(), exact.get(), &full.algorithms(0).at(0).algo, 0) == CUBLAS_STATUS_SUCCESS);
  BOOST_TEST(fast.run(a.get(), b.get(), rounded.get(), &fast.algorithms(0).at(0).algo, 0) == CUBLAS_STATUS_SUCCESS);
  BOOST_TEST(exact.read(full.stream) != rounded.read(fast.stream));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_refused) {
  const matmul_case c(5, 3, 4);
  const auto found = c.algorithms(c.workspace.size());
  const device_array<float> a(random_floats(20, 1)), b(random_floats(12, 2)), d(15);
  std::vector<float> here(15);
  const cublasLtMatmulAlgo_t* const algorithm = &found.at(0).algo;
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), algorithm, 1) == CUBLAS_STATUS_INVALID_VALUE);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), nullptr, 1024) == CUBLAS_STATUS_NOT_SUPPORTED);
  BOOST_TEST(c.run(a.get(), b.get(), here.data(), algorithm, 1024) == CUBLAS_STATUS_EXECUTION_FAILED);
  BOOST_TEST(c.run(a.get(), b.get() + 1, d.get(), algorithm, 1024) == CUBLAS_STATUS_EXECUTION_FAILED);
  c.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), algorithm, 1024) == CUBLAS_STATUS_EXECUTION_FAILED);  // no bias is set
  c.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_GELU);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), algorithm, 1024) == CUBLAS_STATUS_NOT_SUPPORTED);
  c.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
  c.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), algorithm, 1024) == CUBLAS_STATUS_INVALID_VALUE);
  const float narrow = 1;
  BOOST_TEST(cublasLtMatmulDescSetAttribute(c.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &narrow, sizeof(narrow)) ==
             CUBLAS_STATUS_INVALID_VALUE);
  cublasLtMatrixLayout_t gone = nullptr;
  cublasLtMatrixLayoutCreate(&gone, CUDA_R_32F, 5, 3, 5);
  BOOST_TEST(cublasLtMatrixLayoutDestroy(gone) == CUBLAS_STATUS_SUCCESS);
  BOOST_TEST(cublasLtMatrixLayoutDestroy(gone) == CUBLAS_STATUS_INVALID_VALUE);
}

BOOST_AUTO_TEST_CASE(faults_are_injected) {
  const matmul_case c(5, 3, 4);
  const auto found = c.algorithms(0);
  const device_array<float> a(random_floats(20, 1)), b(random_floats(12, 2)), d(15);
  imgsim::cuda_host::begin_faults({.failing_function = "cublasLtMatmul"});
  BOOST_TEST(c.run(a.get(), b.get(), d.get(), &found.at(0).algo, 0) == CUBLAS_STATUS_EXECUTION_FAILED);
  imgsim::cuda_host::begin_faults();
}
