// Precision, recall and average precision: worked examples, and a reference on random data.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/metric/cosine.hpp>

#include "reference/top_n_reference.hpp"

using imgsim::number_labels;
using imgsim::photo_labels;
using imgsim::retrieval_accumulator;
using imgsim::retrieval_report;
using imgsim::tensor;

namespace {

tensor<std::int64_t, 2> lists(std::vector<std::vector<std::int64_t>> rows) {
  tensor<std::int64_t, 2> result({rows.size(), rows.front().size()});
  for (std::size_t q = 0; q < rows.size(); ++q) std::ranges::copy(rows[q], result.view().row(q));
  return result;
}

photo_labels labels_of(std::vector<std::string> labels) {
  return number_labels(labels);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(retrieval)

BOOST_AUTO_TEST_CASE(labels_are_numbered_in_order) {
  const photo_labels labels = labels_of({"shoe", "apple", "shoe", "hat"});
  BOOST_TEST(labels.names == (std::vector<std::string>{"apple", "hat", "shoe"}), boost::test_tools::per_element());
  BOOST_TEST(labels.of == (std::vector<std::uint32_t>{2, 0, 2, 1}), boost::test_tools::per_element());
  BOOST_TEST(labels.members() == (std::vector<std::size_t>{1, 1, 2}), boost::test_tools::per_element());
}

/// Photos 0 1 2 are "a", 3 4 are "b", 5 is "c".
BOOST_AUTO_TEST_CASE(a_worked_example) {
  retrieval_accumulator accumulator(labels_of({"a", "a", "a", "b", "b", "c"}), 2);
  const auto rankings = lists({{1, 3, 2, 4, 5},    // hits at 1 and 3: (1 + 2/3) / 2
                               {3, 4, 5, 0, 2},    // hits at 4 and 5: (1/4 + 2/5) / 2
                               {0, 1, 3, 4, 5},    // hits at 1 and 2: 1
                               {0, 4, 1, 2, 5},    // hit at 2: 1/2
                               {0, 1, 2, 5, 3},    // hit at 5: 1/5
                               {0, 1, 2, 3, 4}});  // nothing to find
  const imgsim::matrix_view<const std::int64_t> all = rankings.view();
  accumulator.add(all.slice(0, 4), 0);
  accumulator.add(all.slice(4, 2), 4);
  const retrieval_report report = accumulator.report();
  const auto close = boost::test_tools::tolerance(1e-14);
  BOOST_TEST(report.n == 2u);
  BOOST_TEST_REQUIRE(report.by_label.size() == 3u);
  BOOST_TEST(report.by_label[0].queries == 3u);
  BOOST_TEST(report.by_label[0].precision == (0.5 + 0 + 1) / 3, close);
  BOOST_TEST(report.by_label[0].recall == (0.5 + 0 + 1) / 3, close);
  BOOST_TEST(report.by_label[0].average_precision == ((1 + 2.0 / 3) / 2 + (0.25 + 0.4) / 2 + 1) / 3, close);
  BOOST_TEST(report.by_label[1].precision == 0.25, close);
  BOOST_TEST(report.by_label[1].recall == 0.5, close);
  BOOST_TEST(report.by_label[1].average_precision == 0.35, close);
  BOOST_TEST(report.by_label[2].queries == 1u);
  BOOST_TEST(report.by_label[2].ranked_queries == 0u);
  BOOST_TEST(report.by_label[2].precision == 0);
  BOOST_TEST(report.by_label[2].average_precision == 0);
  BOOST_TEST_REQUIRE(report.queries.size() == 6u);
  BOOST_TEST(report.queries[0].precision == 0.5, close);
  BOOST_TEST(report.queries[0].average_precision == (1 + 2.0 / 3) / 2, close);
  BOOST_TEST(report.queries[4].average_precision == 0.2, close);
  BOOST_TEST(report.queries[5].precision == 0);
  BOOST_TEST((std::isnan(report.queries[5].recall) && std::isnan(report.queries[5].average_precision)));
  BOOST_TEST(report.all.queries == 6u);
  BOOST_TEST(report.all.ranked_queries == 5u);
  BOOST_TEST(report.all.precision == (1.5 + 0.5) / 6, close);
  BOOST_TEST(report.all.recall == (1.5 + 1) / 5, close);
  BOOST_TEST(report.all.average_precision == (3 * report.by_label[0].average_precision + 0.7) / 5, close);
}

BOOST_AUTO_TEST_CASE(short_lists_give_no_average_precision) {
  retrieval_accumulator accumulator(labels_of({"a", "a", "b", "b"}), 2);
  accumulator.add(lists({{1, 2}, {2, 3}, {3, 0}, {2, 1}}).view(), 0);
  const retrieval_report report = accumulator.report();
  BOOST_TEST(report.all.precision == 0.375);
  BOOST_TEST(report.all.average_precision == 0);
}

BOOST_AUTO_TEST_CASE(fewer_photos_than_n) {
  retrieval_accumulator accumulator(labels_of({"a", "a", "b"}), 10);
  accumulator.add(lists({{1, 2}, {2, 0}, {0, 1}}).view(), 0);
  const retrieval_report report = accumulator.report();
  BOOST_TEST(report.by_label[0].precision == 0.5);  // of the two others, one
  BOOST_TEST(report.by_label[0].recall == 1);
  BOOST_TEST(report.by_label[0].average_precision == 0.75);
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused) {
  retrieval_accumulator accumulator(labels_of({"a", "a", "b", "b"}), 2);
  BOOST_CHECK_THROW(accumulator.add(lists({{1, 2}}).view(), 4), imgsim::invalid_argument);
  BOOST_CHECK_THROW(accumulator.add(lists({{1}}).view(), 0), imgsim::invalid_argument);
  BOOST_CHECK_THROW(accumulator.add(lists({{1, 4}}).view(), 0), imgsim::invalid_argument);
  BOOST_CHECK_THROW(accumulator.add(lists({{-1, 1}}).view(), 0), imgsim::invalid_argument);
  const tensor<float, 2> three({3, 2});
  BOOST_CHECK_THROW(std::ignore = evaluate_retrieval(imgsim::cpu_context(1), three.view(), imgsim::cosine{},
                                                     labels_of({"a", "b"}), 1),
                    imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(no_photos_and_one_photo) {
  const imgsim::cpu_context context(1);
  const tensor<float, 2> none({0, 4});
  BOOST_TEST(evaluate_retrieval(context, none.view(), imgsim::cosine{}, photo_labels{}, 5).all.queries == 0u);
  const tensor<float, 2> one({1, 4});
  const retrieval_report report = evaluate_retrieval(context, one.view(), imgsim::cosine{}, labels_of({"a"}), 5);
  BOOST_TEST(report.all.queries == 1u);
  BOOST_TEST(report.all.ranked_queries == 0u);
  BOOST_TEST(report.all.precision == 0);
}

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_on_random_embeddings) {
  const std::size_t photos = 300, depth = 6, n = 7;
  imgsim::random_stream random(1);
  tensor<float, 2> embeddings({photos, depth});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < photos; ++i) {
    const std::size_t label = random.below(9);
    names.push_back(i == 17 ? "alone" : std::to_string(label));
    for (std::size_t j = 0; j < depth; ++j)
      embeddings(i, j) = static_cast<float>(random.uniform(-1, 1)) + (j == label % depth ? 0.5f : 0.0f);
  }
  const retrieval_report report =
      evaluate_retrieval(imgsim::cpu_context(2), embeddings.view(), imgsim::cosine{}, number_labels(names), n);

  double precision = 0, recall = 0, average_precision = 0;
  for (std::size_t q = 0; q < photos; ++q) {
    const auto ranking =
        imgsim_test::top_n_reference("cosine", embeddings.view(), {embeddings.view().row(q), depth}, photos, q);
    const auto relevant = static_cast<double>(std::ranges::count(names, names[q])) - 1;
    double hits = 0, hits_in_n = 0, sum = 0;
    for (std::size_t rank = 0; rank < ranking.size(); ++rank) {
      if (names[static_cast<std::size_t>(ranking[rank].first)] != names[q]) continue;
      sum += ++hits / static_cast<double>(rank + 1);
      if (rank < n) ++hits_in_n;
    }
    precision += hits_in_n / static_cast<double>(n);
    if (relevant > 0) {
      recall += hits_in_n / relevant;
      average_precision += sum / relevant;
    }
  }
  const auto close = boost::test_tools::tolerance(1e-12);
  BOOST_TEST(report.all.precision == precision / 300, close);
  BOOST_TEST(report.all.recall == recall / 299, close);
  BOOST_TEST(report.all.average_precision == average_precision / 299, close);
  BOOST_TEST(report.all.ranked_queries == 299u);
}

BOOST_AUTO_TEST_SUITE_END()
