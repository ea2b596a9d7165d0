// Every way in which the CPU can answer one search: each must give the same answer, to the last bit.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/search/top_n.hpp>

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

/// What a search test is run over: a metric and the type of the elements.
template <class Metric, class T>
struct search_case {
  using metric = Metric;
  using element = T;
};

/// The product of both lists; a backend's own tests join through search_paths().
template <class... Metric>
using cases_of = std::tuple<search_case<Metric, float>..., search_case<Metric, imgsim::bfloat16>...,
                            search_case<Metric, imgsim::float16>...>;

/// For what has nothing to do with the elements.
using float_cases = std::tuple<search_case<imgsim::cosine, float>, search_case<imgsim::euclidean, float>,
                               search_case<manhattan, float>>;

#ifdef IMGSIM_TEST_SANITIZED
// A sanitizer looks at memory, ten times as slowly: each metric and each type of elements, not each pair of them, on
// two numbers of threads; what differs in the values of rows alone, with one type.
using cases_under_test =
    std::tuple<search_case<imgsim::cosine, float>, search_case<imgsim::euclidean, float>, search_case<manhattan, float>,
               search_case<imgsim::cosine, imgsim::bfloat16>, search_case<imgsim::euclidean, imgsim::float16>>;
using value_cases = float_cases;
inline constexpr std::size_t kThreadCounts[] = {2, 5};
#else
using cases_under_test = cases_of<imgsim::cosine, imgsim::euclidean, manhattan>;
using value_cases = cases_under_test;
inline constexpr std::size_t kThreadCounts[] = {1, 2, 5};
#endif

struct search_path {
  std::string name;
  imgsim::cpu_context context;
  imgsim::cpu::search_policy policy;
  bool prepared = false;  // the gallery, in a step of its own
};

/// Instruction sets that this machine has x threads x (packed, packed with blocks of one tile, canonical), and some of
/// them with a prepared gallery; packed in float32 and in bytes, with each of their products.
inline const std::vector<search_path>& search_paths() {
  static const std::vector<search_path> paths = [] {
    using imgsim::cpu::byte_use;
    std::vector<search_path> all;
    for (const std::size_t threads : kThreadCounts) {
      const imgsim::cpu_context context(threads);
      for (const auto level : imgsim::cpu::kSimdLevels) {
        if (!imgsim::cpu::is_supported(level)) continue;
        const std::string suffix = " " + std::string(name_of(level)) + " x" + std::to_string(threads);
        imgsim::cpu::search_policy policy{
            .level = level, .bytes = byte_use::never, .unpacked_queries = 0, .wanted_share = 0};
        all.push_back({"packed" + suffix, context, policy});
        all.push_back({"prepared and packed" + suffix, context, policy, true});
        policy.packed_bytes = policy.candidate_bytes = policy.task_products = 1;
        policy.refined_queries = 7;
        all.push_back({"packed in small blocks" + suffix, context, policy});
        if (threads == 2) all.push_back({"prepared, packed in small blocks" + suffix, context, policy, true});
        policy.unpacked_queries = SIZE_MAX;
        all.push_back({"canonical in small blocks" + suffix, context, policy});
        all.push_back(
            {"canonical" + suffix, context, {.level = level, .bytes = byte_use::never, .unpacked_queries = SIZE_MAX}});
        all.push_back({"prepared and canonical" + suffix, context, all.back().policy, true});
        for (const bool vnni : {false, true}) {
          imgsim::cpu::search_policy bytes{.level = level, .bytes = byte_use::always, .vnni = vnni, .wanted_share = 0};
          if (vnni && (!imgsim::cpu::has_vnni() || !bytes.uses_vnni())) continue;
          const std::string product = vnni ? "bytes by VNNI" : "bytes";
          all.push_back({product + suffix, context, bytes});
          all.push_back({"prepared " + product + suffix, context, bytes, true});
          bytes.few_queries = 0;
          all.push_back({"many queries, prepared " + product + suffix, context, bytes, true});
          bytes.byte_row_bytes = bytes.candidate_bytes = bytes.task_products = 1;
          bytes.refined_queries = 7;
          all.push_back({product + " in small blocks" + suffix, context, bytes});
        }
        all.push_back(
            {"as it pays" + suffix, context, {.level = level, .unpacked_queries = 20, .few_queries = 5}, threads != 2});
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

/// Rows as elements of another type, with the strides they had, and the same numbers as floats again.
template <class T>
class typed_rows {
 public:
  explicit typed_rows(imgsim::matrix_view<const float> rows)
      : origin_(rows.data()), values_({span_of(rows)}), floats_({span_of(rows)}) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_(i) = static_cast<T>(rows.data()[i]);
      floats_(i) = static_cast<float>(values_(i));
    }
  }

  [[nodiscard]] bool holds(imgsim::matrix_view<const float> rows) const {
    return rows.data() >= origin_ && rows.data() + span_of(rows) <= origin_ + values_.size();
  }
  [[nodiscard]] imgsim::matrix_view<const T> typed(imgsim::matrix_view<const float> rows) const {
    return {values_.data() + (rows.data() - origin_), rows.extents(), rows.strides()};
  }
  [[nodiscard]] imgsim::matrix_view<const float> rounded(imgsim::matrix_view<const float> rows) const {
    return {floats_.data() + (rows.data() - origin_), rows.extents(), rows.strides()};
  }

 private:
  static std::size_t span_of(imgsim::matrix_view<const float> rows) {
    return rows.empty() ? 0 : (rows.extent(0) - 1) * rows.stride(0) + rows.extent(1);
  }

  const float* origin_;
  imgsim::tensor<T, 1> values_;
  imgsim::tensor<float, 1> floats_;
};

/// Operations along one path. Compiled once for each case, in search_paths_*.cpp: every path for every instruction set
/// takes a compiler a while.
template <class Case>
imgsim::top_n_result search_along(const search_path& path, imgsim::matrix_view<const typename Case::element> gallery,
                                  imgsim::matrix_view<const typename Case::element> queries,
                                  const imgsim::top_n_options& options);
template <class Case>
void similarity_along(const search_path& path, imgsim::matrix_view<const typename Case::element> a,
                      imgsim::matrix_view<const typename Case::element> b, imgsim::matrix_view<float> out);
template <class Case>
void distances_along(const search_path& path, imgsim::matrix_view<const typename Case::element> points,
                     imgsim::matrix_view<float> out);

using expected_matches = std::vector<std::vector<std::pair<std::int64_t, float>>>;

/// Compares with the reference, rows and bits.
inline void check_matches(const imgsim::top_n_result& found, const expected_matches& expected) {
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

/// Checks the paths number `first`, first + step, ...: for elements of 16 bits every fifth of those.
template <class Case>
void check_top_n(imgsim::matrix_view<const float> gallery, imgsim::matrix_view<const float> queries,
                 const imgsim::top_n_options& options, std::size_t first = 0, std::size_t step = 1) {
  using element = typename Case::element;
  const typed_rows<element> rows(gallery);
  const typed_rows<element> own_queries(queries);
  const typed_rows<element>& query_rows = rows.holds(queries) ? rows : own_queries;
  const auto rounded_queries = query_rows.rounded(queries);
  expected_matches expected;
  for (std::size_t q = 0; q < queries.extent(0); ++q)
    expected.push_back(top_n_reference(Case::metric::name, rows.rounded(gallery),
                                       {rounded_queries.row(q), queries.extent(1)}, options.n,
                                       options.exclude_self ? options.first_row + q : SIZE_MAX));
  if (!std::same_as<element, float>) step *= 5;
  for (std::size_t p = first; p < search_paths().size(); p += step) {
    const search_path& path = search_paths()[p];
    BOOST_TEST_CONTEXT(path.name << " gallery " << shape_text(gallery) << " queries " << shape_text(queries) << " n "
                                 << options.n) {
      const imgsim::top_n_result found =
          search_along<Case>(path, rows.typed(gallery), query_rows.typed(queries), options);
      BOOST_TEST_REQUIRE(found.queries() == queries.extent(0));
      BOOST_TEST_REQUIRE(found.columns() == top_n_columns(gallery.extent(0), options));
      check_matches(found, expected);
    }
  }
}

}  // namespace imgsim_test
