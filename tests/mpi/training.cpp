#include <imgsim/mpi/training.hpp>

#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/context.hpp>

namespace {

using imgsim::autoencoder;
using imgsim::cpu_context;

constexpr std::size_t kPhotos = 26, kSide = 12;

/// Convolutions, whose gradients come in groups, and dense layers, whose do not.
imgsim::architecture description(bool normalises) {
  imgsim::architecture made{
      .name = "small",
      .height = kSide,
      .width = kSide,
      .encoder = {{imgsim::convolution{.filters = 4, .stride = {2, 2}}}},
      .decoder = {{imgsim::dense{.units = 6 * 6 * 4}},
                  {imgsim::reshape{6, 6, 4}},
                  {imgsim::transposed_convolution{.filters = 3, .stride = {2, 2}}}},
      .kernel_l2 = 1e-4,
      .embedding = {.taps = {{.layer = "code", .pool = imgsim::pool_kind::flat}}, .statistics = {}}};
  if (normalises) made.encoder.push_back({imgsim::batch_normalization{}});
  made.encoder.push_back({imgsim::leaky_relu{}});
  made.encoder.push_back({imgsim::flatten{}});
  made.encoder.push_back({imgsim::dense{.units = 5}});
  return made;
}

struct some_photos {
  imgsim::mpi_context context{MPI_COMM_WORLD, cpu_context(2)};
  imgsim::tensor<float, 4> photos{{kPhotos, kSide, kSide, 3}};
  std::size_t first = 0, count = 0;  // this rank's, fewer on the first ranks than on the last

  some_photos() {
    imgsim::random_stream random(3);
    for (float& value : photos) value = static_cast<float>(random.uniform());
    const std::size_t ranks = context.ranks().size(), rank = context.ranks().rank();
    const auto begin_of = [&](std::size_t r) { return r * (r + 2) * kPhotos / (ranks * (ranks + 2)); };
    first = begin_of(rank);
    count = begin_of(rank + 1) - first;
  }

  [[nodiscard]] imgsim::view<const float, 4> all() const { return photos.view(); }
};

/// The largest difference between weights, and the largest weight.
std::pair<float, float> difference(const std::vector<imgsim::named_tensor>& a,
                                   const std::vector<imgsim::named_tensor>& b) {
  float apart = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].values.size(); ++j) {
      apart = std::max(apart, std::abs(a[i].values[j] - b[i].values[j]));
      largest = std::max(largest, std::abs(a[i].values[j]));
    }
  return {apart, largest};
}

/// Whether all ranks hold the same bytes.
bool is_same_everywhere(const imgsim::mpi_context& context, const std::vector<imgsim::named_tensor>& state) {
  bool same = true;
  for (const auto& parameter : state) {
    const std::span<const float> mine(parameter.values);
    const std::vector<float> everyones = context.ranks().gather(mine);
    for (std::size_t i = 0; i < everyones.size(); ++i) same &= everyones[i] == mine[i % mine.size()];
  }
  return same;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mpi_training, some_photos)

BOOST_AUTO_TEST_CASE(ranks_learn_from_their_parts_what_one_learns_from_the_whole) {
  constexpr imgsim::adam_step kStep{.learning_rate = 1e-2, .epsilon = 1e-3};
  for (const bool normalises : {false, true}) {
    BOOST_TEST_CONTEXT((normalises ? "with batch normalisation" : "without batch normalisation")) {
      autoencoder alone(context.local(), description(normalises), imgsim::precision::float32, 1);
      const auto begin = alone.state();
      imgsim::mpi::gradient_average average(context);
      autoencoder together(context.local(), description(normalises), imgsim::precision::float32, 1, average.policy());
      for (int step = 0; step < 5; ++step) {
        (void)alone.train_step(all(), kStep);
        (void)together.train_step(all().slice(first, count), kStep);
      }
      const auto [moved, largest_moved] = difference(begin, alone.state());
      const auto [apart, largest] = difference(alone.state(), together.state());
      BOOST_TEST(moved > 0.02F);  // far more than they may differ
      // Gradients are sums of some thousand float32 terms in another order; five steps of Adam pass them on at less
      // than 1.
      BOOST_TEST(apart <= 1e-4F * largest);
      BOOST_TEST(is_same_everywhere(context, together.state()));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_rank_that_leaves_training_ends_it_for_all) {
  const bool leaves = context.ranks().rank() + 1 == context.ranks().size();
  const auto train = [&](bool normalises) {
    imgsim::mpi::gradient_average average(context);
    autoencoder network(context.local(), description(normalises), imgsim::precision::float32, 1, average.policy());
    for (int step = 0; step < 3; ++step) {
      if (leaves && step == 2) throw std::runtime_error("the disk is full");
      (void)network.train_step(all().slice(first, count), {});
    }
  };
  if (leaves) {
    for (const bool normalises : {false, true}) BOOST_CHECK_THROW(train(normalises), std::runtime_error);
  } else {
    for (const bool normalises : {false, true}) BOOST_CHECK_THROW(train(normalises), imgsim::mpi::remote_error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
