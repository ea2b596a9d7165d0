#include <imgsim/core/dlpack.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

namespace dlpack = imgsim::dlpack;
using imgsim::device_space;
using imgsim::dlpack_import;
using versioned = dlpack::managed_tensor_versioned;

// The documented layout, on a 64-bit machine.
static_assert(sizeof(dlpack::tensor) == 48 && offsetof(dlpack::tensor, dtype) == 20 &&
              offsetof(dlpack::tensor, byte_offset) == 40);
static_assert(sizeof(dlpack::managed_tensor) == 64 && offsetof(dlpack::managed_tensor, deleter) == 56);
static_assert(sizeof(versioned) == 80 && offsetof(versioned, flags) == 24 && offsetof(versioned, dl_tensor) == 32);

/// What another library hands over: a [2, 3] array of floats, and how often it was given back.
struct producer {
  std::vector<float> numbers{0, 1, 2, 3, 4, 5, 6, 7};
  std::array<std::int64_t, 2> shape{2, 3};
  std::array<std::int64_t, 2> strides{4, 1};
  int given_back = 0;
  versioned managed{{1, 3},
                    this,
                    [](versioned* done) { ++static_cast<producer*>(done->manager_ctx)->given_back; },
                    0,
                    {numbers.data(), {dlpack::kCpu, 0}, 2, {dlpack::kFloat, 32, 1}, shape.data(), strides.data(), 0}};

  /// That import throws what says `reason`, and gives back.
  template <class T = float, std::size_t Rank = 2, class Space = imgsim::host_space>
  void refuses(const char* reason) {
    const int before = given_back;
    BOOST_CHECK_EXCEPTION((dlpack_import<T, Rank, Space>(&managed)), imgsim::invalid_argument,
                          [&](const auto& e) { return std::string(e.what()).find(reason) != std::string::npos; });
    BOOST_TEST(given_back == before + 1);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(dlpack_tensors)

BOOST_FIXTURE_TEST_CASE(another_library_s_array_is_seen_in_place_and_given_back, producer) {
  {
    dlpack_import<float> imported(&managed);
    BOOST_TEST(imported.view()(1, 2) == 6.0F);
    BOOST_TEST(imported.view().data() == numbers.data());
    const dlpack_import<float> moved = std::move(imported);
    BOOST_TEST(given_back == 0);
  }
  BOOST_TEST(given_back == 1);
  managed.dl_tensor.strides = nullptr;
  managed.dl_tensor.byte_offset = 8;
  BOOST_TEST(dlpack_import<const float>(&managed).view()(1, 0) == 5.0F);
  managed.dl_tensor.device.device_type = dlpack::kCuda;
  const dlpack_import<float, 2, device_space> on_device(&managed);
  BOOST_TEST(on_device.view().data() == numbers.data() + 2);
}

BOOST_FIXTURE_TEST_CASE(what_does_not_fit_is_refused_by_name, producer) {
  refuses<float, 3>("2 dimensions, not 3");
  refuses<std::int32_t>("elements of code 2 with 32 bits in 1 lanes, not 0 with 32 bits");
  refuses<imgsim::float16>("not 2 with 16 bits");
  refuses<imgsim::bfloat16>("not 4 with 16 bits");
  refuses<float, 2, device_space>("device of type 1, not on a CUDA device");
  managed.flags = dlpack::kReadOnly;
  refuses("read-only");
  BOOST_TEST(dlpack_import<const float>(&managed).view()(0, 1) == 1.0F);
  managed.flags = 0;
  strides = {1, 2};
  refuses("2 apart");
  strides = {-4, 1};
  refuses("runs backwards along dimension 0");
  strides = {4, 1};
  managed.dl_tensor.byte_offset = 2;
  refuses("aligned");
  managed.dl_tensor.byte_offset = 0;
  shape = {2, -3};
  refuses("extent -3");
  shape = {std::int64_t{1} << 40, std::int64_t{1} << 40};
  refuses("does not fit in memory");
  shape = {2, 3};
  managed.version.major = 2;
  refuses("version 2");
  managed.version.major = 1;
  managed.dl_tensor.device.device_type = dlpack::kCuda;
  refuses("device of type 2, not on the host");
  managed.dl_tensor.device.device_type = dlpack::kCudaManaged;
  BOOST_TEST((dlpack_import<float, 2>(&managed).view()(0, 1)) == 1.0F);
}

BOOST_AUTO_TEST_CASE(a_tensor_goes_out_and_comes_back_as_it_is) {
  imgsim::tensor<std::int64_t, 2> numbers({2, 3});
  numbers(1, 2) = 42;
  const std::int64_t* data = numbers.data();
  dlpack::managed_tensor* old = imgsim::to_dlpack<dlpack::managed_tensor>(std::move(numbers));
  const dlpack_import<std::int64_t, 2, imgsim::host_space, dlpack::managed_tensor> back(old);
  BOOST_TEST(back.view().data() == data);
  BOOST_TEST(back.view()(1, 2) == 42);
}

BOOST_AUTO_TEST_CASE(a_view_keeps_its_owner_until_the_other_side_is_done) {
  const auto owner = std::make_shared<std::vector<float>>(12, 1.0F);
  const imgsim::matrix_view<const float, device_space> shown(owner->data(), {3, 2}, {4, 1});
  versioned* managed = imgsim::to_dlpack(shown, owner, 3);
  BOOST_TEST(owner.use_count() == 2);
  BOOST_TEST(managed->version.major == 1U);
  BOOST_TEST(managed->flags == dlpack::kReadOnly);
  BOOST_TEST(managed->dl_tensor.device.device_type == dlpack::kCuda);
  BOOST_TEST(managed->dl_tensor.device.device_id == 3);
  BOOST_TEST(managed->dl_tensor.strides[0] == 4);
  managed->deleter(managed);
  BOOST_TEST(owner.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
