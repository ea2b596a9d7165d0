// top_n against the reference: shapes, views, options.
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/search.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;
using imgsim::matrix_view;
using imgsim::top_n_options;

BOOST_AUTO_TEST_SUITE(top_n_shapes)

BOOST_AUTO_TEST_CASE_TEMPLATE(edges_of_tiles_and_lanes, Case, cases_under_test) {
  const std::size_t rows[] = {0, 1, 3, 47, 48, 49, 191, 192, 193};
  const std::size_t depths[] = {0, 1, 7, 8, 9, 31, 127, 128, 129, 257};
  std::size_t turn = 0;
  for (const std::size_t m : rows)
    for (const std::size_t q : rows) {
      const std::size_t depth = depths[turn % std::size(depths)];
      const std::size_t wanted[] = {0, 1, 5, m, m + 3};
      const float_matrix gallery = random_matrix(m, depth, turn);
      const float_matrix queries = random_matrix(q, depth, turn + 1000);
      check_top_n<Case>(gallery.view(), queries.view(), {.n = wanted[turn % std::size(wanted)]}, turn % 5, 5);
      ++turn;
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_depth, Case, cases_under_test) {
  for (const std::size_t depth : {0, 1, 7, 8, 9, 15, 16, 17, 127, 128, 129, 1000}) {
    const float_matrix gallery = random_matrix(201, depth, depth);
    check_top_n<Case>(gallery.view(), gallery.view().slice(3, 60), {.n = 9}, depth % 3, 3);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_queries_are_the_gallery, Case, cases_under_test) {
  const float_matrix photos = random_matrix(500, 20, 5);
  check_top_n<Case>(photos.view(), photos.view(), {.n = 6});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 6, .exclude_self = true});
  check_top_n<Case>(photos.view(), photos.view().slice(100, 250), {.n = 6, .exclude_self = true, .first_row = 100});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(strided_rows, Case, cases_under_test) {
  const float_matrix wide = random_matrix(300, 41, 6);
  const matrix_view<const float> gallery(wide.data() + 3, {300, 33}, {41, 1});
  const matrix_view<const float> queries(wide.data() + 5, {100, 33}, {82, 1});
  check_top_n<Case>(gallery, queries, {.n = 12});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(batches_of_queries, Case, cases_under_test) {
  const float_matrix gallery = random_matrix(400, 24, 7);
  const float_matrix queries = random_matrix(97, 24, 8);
  for (const std::size_t batch : {1, 2, 8, 9, 50})
    for (std::size_t first = 0; first < 97; first += batch)
      check_top_n<Case>(gallery.view(), queries.view().slice(first, std::min<std::size_t>(batch, 97 - first)), {.n = 5},
                        first % 11, 11);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(more_rows_than_16_bits_count, Case, cases_under_test) {
  const float_matrix gallery = random_matrix(66000, 3, 9);
  check_top_n<Case>(gallery.view(), gallery.view().slice(65900, 20),
                    {.n = 30, .exclude_self = true, .first_row = 65900}, 0, 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_row_is_wanted, Case, cases_under_test) {
  const float_matrix photos = random_matrix(310, 11, 10);
  check_top_n<Case>(photos.view(), photos.view(), {.n = 310});
  check_top_n<Case>(photos.view(), photos.view(), {.n = std::numeric_limits<std::size_t>::max(), .exclude_self = true});
}

BOOST_AUTO_TEST_CASE(a_gallery_of_the_query_alone_has_no_match) {
  const float_matrix photo = random_matrix(1, 4, 11);
  const imgsim::top_n_result found = top_n(imgsim::cpu_context(1), photo.view(), photo.view(), imgsim::cosine{},
                                           top_n_options{.n = 3, .exclude_self = true});
  BOOST_TEST(found.queries() == 1u);
  BOOST_TEST(found.columns() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(top_n_options_)

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused) {
  const imgsim::cpu_context context(1);
  const float_matrix gallery = random_matrix(5, 4, 1);
  const float_matrix narrow = random_matrix(2, 3, 1);
  const auto names_both_shapes = [](const imgsim::invalid_argument& e) {
    const std::string text = e.what();
    return text.find("[5, 4]") != std::string::npos && text.find("[2, 3]") != std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(std::ignore = top_n(context, gallery.view(), narrow.view(), imgsim::cosine{}, {}),
                        imgsim::invalid_argument, names_both_shapes);
  BOOST_CHECK_THROW(std::ignore = top_n(context, gallery.view(), gallery.view(), imgsim::cosine{},
                                        {.exclude_self = true, .first_row = 1}),
                    imgsim::invalid_argument);
  BOOST_CHECK_THROW(std::ignore = top_n(context, gallery.view(), gallery.view(), imgsim::cosine{},
                                        {.exclude_self = true, .first_row = SIZE_MAX}),
                    imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(progress_rises_to_the_total, Case, float_cases) {
  const float_matrix photos = random_matrix(700, 5, 12);
  for (const search_path& path : search_paths())
    for (const std::size_t queries : {3, 450, 700}) {
      std::size_t last = 0;
      std::size_t last_total = 0;
      bool rises = true;
      const top_n_options options{.n = 4, .on_progress = [&](std::size_t done, std::size_t total) {
                                    rises = rises && done > last && done <= total;
                                    last = done;
                                    last_total = total;
                                  }};
      std::ignore = search_along<Case>(path, photos.view(), photos.view().slice(0, queries), options);
      BOOST_TEST_CONTEXT(path.name << ", " << queries << " queries") {
        BOOST_TEST(rises);
        BOOST_TEST(last > 0u);
        BOOST_TEST(last == last_total);
      }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_progress_throws_arrives, Case, float_cases) {
  const float_matrix photos = random_matrix(400, 5, 13);
  const top_n_options options{.n = 4,
                              .on_progress = [](std::size_t, std::size_t) { throw std::runtime_error("stop"); }};
  for (const search_path& path : search_paths())
    BOOST_CHECK_THROW(std::ignore = search_along<Case>(path, photos.view(), photos.view(), options),
                      std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
