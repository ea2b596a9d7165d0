// Galleries that are searched more than once, and answers in memory of the caller's. (That they give the same bits is
// held by the paths of search_paths.hpp.)
#include <cstddef>
#include <string>
#include <tuple>

#include <boost/test/unit_test.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;
using imgsim::cosine;

BOOST_AUTO_TEST_SUITE(prepared_gallery)

BOOST_AUTO_TEST_CASE(answers_as_the_rows_do) {
  const imgsim::cpu_context context(2);
  const float_matrix rows = random_matrix(700, 40, 1);
  const imgsim::prepared_gallery gallery(context, rows.view());
  BOOST_TEST(gallery.size() == 700u);
  BOOST_TEST(gallery.dimension() == 40u);
  for (const std::size_t queries : {1, 100, 300}) {
    const auto expected = top_n(context, rows.view(), rows.view().slice(5, queries), cosine{}, {.n = 9});
    const auto found = top_n(context, gallery, rows.view().slice(5, queries), cosine{}, {.n = 9});
    BOOST_TEST(std::ranges::equal(found.rows, expected.rows));
    BOOST_TEST(std::ranges::equal(found.similarity, expected.similarity));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_goes_where_the_caller_wants_it) {
  const imgsim::cpu_context context(1);
  const float_matrix rows = random_matrix(50, 6, 2);
  const imgsim::prepared_gallery gallery(context, rows.view());
  const auto expected = top_n(context, gallery, rows.view(), cosine{}, {.n = 4});
  imgsim::tensor<std::int64_t, 2> numbers({50, 7});
  imgsim::tensor<float, 2> similarity({50, 5});
  std::ranges::fill(numbers, -7);
  const imgsim::top_n_output<imgsim::host_space> out{{numbers.data() + 1, {50, 4}, {7, 1}},
                                                     {similarity.data(), {50, 4}, {5, 1}}};
  top_n(context, gallery, rows.view(), cosine{}, {.n = 4}, out);
  for (std::size_t q = 0; q < 50; ++q) {
    for (std::size_t rank = 0; rank < 4; ++rank) {
      BOOST_TEST(out.rows(q, rank) == expected.rows(q, rank));
      BOOST_TEST(out.similarity(q, rank) == expected.similarity(q, rank));
    }
    BOOST_TEST(numbers(q, 0) == -7);
    BOOST_TEST(numbers(q, 6) == -7);
    BOOST_TEST(similarity(q, 4) == 0);
  }
  BOOST_CHECK_THROW(top_n(context, gallery, rows.view(), cosine{}, {.n = 5}, out), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(queries_of_another_width_are_refused) {
  const imgsim::cpu_context context(1);
  const float_matrix rows = random_matrix(5, 4, 3);
  const float_matrix narrow = random_matrix(2, 3, 3);
  const imgsim::prepared_gallery gallery(context, rows.view());
  BOOST_CHECK_EXCEPTION(std::ignore = top_n(context, gallery, narrow.view(), cosine{}, {}), imgsim::invalid_argument,
                        [](const imgsim::invalid_argument& e) {
                          const std::string text = e.what();
                          return text.find("[5, 4]") != std::string::npos && text.find("[2, 3]") != std::string::npos;
                        });
}

BOOST_AUTO_TEST_CASE(no_rows_and_no_columns) {
  const imgsim::cpu_context context(2);
  const float_matrix none({0, 4});
  const float_matrix flat({3, 0});
  const imgsim::prepared_gallery empty(context, none.view());
  BOOST_TEST(top_n(context, empty, none.view(), cosine{}, {}).queries() == 0u);
  BOOST_TEST(top_n(context, empty, random_matrix(2, 4, 1).view(), cosine{}, {}).columns() == 0u);
  const imgsim::prepared_gallery narrow(context, flat.view());
  const auto found = top_n(context, narrow, flat.view(), cosine{}, {.n = 2});
  BOOST_TEST(found.rows(2, 0) == 0);
  BOOST_TEST(found.similarity(2, 1) == 0.0f);
}

BOOST_AUTO_TEST_SUITE_END()
