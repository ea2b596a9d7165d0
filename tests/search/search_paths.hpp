// Every way in which the CPU can answer one search: each must give the same answer, to the last bit.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/registry.hpp>

#include "reference/top_n_reference.hpp"

namespace imgsim_test {

/// A metric of a user's own, unknown to the registry.
struct manhattan {
  static constexpr std::string_view name = "manhattan";
  template <class T>
  static constexpr void accumulate(T& sum, const T& a, const T& b) {
    const T difference = a - b;
    sum += difference < 0 ? -difference : difference;
  }
  static double finish(double sum, double, double) { return 0 - sum; }
  static double similarity(double key) { return key; }
  static double distance(double key) { return 0 - key; }
};

using metrics_under_test = std::tuple<imgsim::cosine, imgsim::euclidean, manhattan>;

struct search_path {
  std::string name;
  imgsim::cpu_context context;
  imgsim::cpu::search_policy policy;
};

/// Instruction sets that this machine has x threads x (packed, packed with blocks of one tile, canonical).
inline const std::vector<search_path>& search_paths() {
  static const std::vector<search_path> paths = [] {
    std::vector<search_path> all;
    for (const std::size_t threads : {1, 2, 5}) {
      const imgsim::cpu_context context(threads);
      for (const auto level : imgsim::cpu::kSimdLevels) {
        if (!imgsim::cpu::is_supported(level)) continue;
        const std::string suffix = " " + std::string(name_of(level)) + " x" + std::to_string(threads);
        imgsim::cpu::search_policy policy{.level = level, .unpacked_queries = 0, .wanted_share = 0};
        all.push_back({"packed" + suffix, context, policy});
        policy.packed_bytes = policy.candidate_bytes = policy.task_products = 1;
        policy.refined_queries = 7;
        all.push_back({"packed in small blocks" + suffix, context, policy});
        policy.unpacked_queries = SIZE_MAX;
        all.push_back({"canonical in small blocks" + suffix, context, policy});
        all.push_back({"canonical" + suffix, context, {.level = level, .unpacked_queries = SIZE_MAX}});
      }
    }
    return all;
  }();
  return paths;
}

using float_matrix = imgsim::tensor<float, 2>;

inline float_matrix random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  float_matrix matrix({rows, columns});
  imgsim::random_stream random(seed);
  for (float& value : matrix) value = static_cast<float>(random.uniform(-1, 1));
  return matrix;
}

/// The same bits: NaN equals NaN.
inline bool same_bits(const float* a, const float* b, std::size_t count) {
  return count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0;
}

/// top_n along one path. Compiled once for each metric, in search_paths.cpp: every path for every instruction set takes
/// a compiler a while.
template <class Metric>
imgsim::top_n_result search_along(const search_path& path, imgsim::matrix_view<const float> gallery,
                                  imgsim::matrix_view<const float> queries, const imgsim::top_n_options& options);

/// Searches along `path` and compares with the reference, rows and bits.
template <class Metric>
void check_path(const search_path& path, imgsim::matrix_view<const float> gallery,
                imgsim::matrix_view<const float> queries, const imgsim::top_n_options& options,
                const std::vector<std::vector<std::pair<std::int64_t, float>>>& expected) {
  const imgsim::top_n_result found = imgsim::search_backend<imgsim::cpu_context>::top_n(path.context, gallery, queries,
                                                                                        Metric{}, options, path.policy);
  BOOST_TEST_CONTEXT(path.name << " gallery " << shape_text(gallery) << " queries " << shape_text(queries) << " n "
                               << options.n) {
    BOOST_TEST_REQUIRE(found.queries() == queries.extent(0));
    BOOST_TEST_REQUIRE(found.columns() == top_n_columns(gallery.extent(0), options));
    for (std::size_t q = 0; q < found.queries(); ++q)
      for (std::size_t rank = 0; rank < found.columns(); ++rank) {
        const imgsim::match match = found.at(q, rank);
        const auto& [row, similarity] = expected[q][rank];
        if (match.row == row && same_bits(&match.similarity, &similarity, 1)) continue;
        BOOST_ERROR("query " << q << " rank " << rank << ": row " << match.row << " (" << match.similarity
                             << "), expected " << row << " (" << similarity << ")");
        return;
      }
  }
}

/// Checks the paths number `first`, first + step, ...
template <class Metric>
void check_top_n(imgsim::matrix_view<const float> gallery, imgsim::matrix_view<const float> queries,
                 const imgsim::top_n_options& options, std::size_t first = 0, std::size_t step = 1) {
  std::vector<std::vector<std::pair<std::int64_t, float>>> expected;
  for (std::size_t q = 0; q < queries.extent(0); ++q)
    expected.push_back(top_n_reference(Metric::name, gallery, {queries.row(q), queries.extent(1)}, options.n,
                                       options.exclude_self ? options.first_row + q : SIZE_MAX));
  for (std::size_t p = first; p < search_paths().size(); p += step)
    check_path<Metric>(search_paths()[p], gallery, queries, options, expected);
}

}  // namespace imgsim_test
