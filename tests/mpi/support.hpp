// What the tests of the MPI backend share: rows that every rank makes alike, and its own part of them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/search/top_n.hpp>

/// Rows [M, D] with ties, rows whose similarities differ in float64 only, a zero row and, where `damaged`, one NaN.
inline imgsim::tensor<float, 2> hard_rows(std::size_t rows, std::size_t width, bool damaged) {
  imgsim::tensor<float, 2> numbers({rows, width});
  imgsim::random_stream random(rows * 1000 + width);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t d = 0; d < width; ++d) {
      const float coarse = static_cast<float>(static_cast<int>(random.below(5)) - 2);
      numbers(r, d) = r % 3 == 0 ? coarse : static_cast<float>(random.normal());
      if (r % 7 == 3 && r >= 2) numbers(r, d) = numbers(r - 2, d);                                   // equal rows
      if (r % 7 == 5 && r >= 2) numbers(r, d) = numbers(r - 2, d) * (d == 0 ? 1 + 0x1p-23F : 1.0F);  // all but
    }
  if (rows > 4)
    for (std::size_t d = 0; d < width; ++d) numbers(4, d) = 0;
  if (damaged && rows > 9) numbers(9, width / 2) = std::numeric_limits<float>::quiet_NaN();
  return numbers;
}

/// The rows of this rank, uneven, and of a padded matrix: rank 1 of more than two holds none.
class part_of {
 public:
  part_of(const imgsim::mpi_context& context, const imgsim::tensor<float, 2>& all) {
    const std::size_t ranks = context.ranks().size(), rank = context.ranks().rank();
    const auto begin_of = [&](std::size_t r) {
      if (r == ranks) return all.extent(0);
      if (r == 2) r = 1;  // of more than two ranks, rank 1 ends where it begins
      return r * r * all.extent(0) / (ranks * ranks);
    };
    first_ = begin_of(rank);
    count_ = begin_of(rank + 1) - first_;
    width_ = all.extent(1);
    padded_ = imgsim::tensor<float, 2>({count_, width_ + 3});
    for (float& number : padded_) number = std::nanf("padding");
    for (std::size_t r = 0; r < count_; ++r)
      for (std::size_t d = 0; d < width_; ++d) padded_(r, d) = all(first_ + r, d);
  }

  [[nodiscard]] std::size_t first() const { return first_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] imgsim::matrix_view<const float> rows() const {
    return {padded_.data(), {count_, width_}, {width_ + 3, 1}};
  }

 private:
  std::size_t first_ = 0, count_ = 0, width_ = 0;
  imgsim::tensor<float, 2> padded_;
};

/// That rows [first, first + found.queries()) of `expected` are `found`, bit for bit. Ends no case: the other ranks
/// wait.
inline void check_equal(const imgsim::top_n_result& found, const imgsim::top_n_result& expected, std::size_t first) {
  BOOST_TEST(found.columns() == expected.columns());
  std::size_t wrong = found.columns() == expected.columns() ? 0 : 1;
  for (std::size_t q = 0; q < found.queries() && wrong == 0; ++q)
    for (std::size_t c = 0; c < found.columns(); ++c) {
      const imgsim::match mine = found.at(q, c), wanted = expected.at(first + q, c);
      const bool is_equal =
          mine.similarity == wanted.similarity || (std::isnan(mine.similarity) && std::isnan(wanted.similarity));
      if (mine.row == wanted.row && is_equal) continue;
      ++wrong;
      BOOST_TEST_MESSAGE("query " << first + q << ", match " << c << ": row " << mine.row << " at " << mine.similarity
                                  << " instead of row " << wanted.row << " at " << wanted.similarity);
    }
  BOOST_TEST(wrong == 0U);
}
