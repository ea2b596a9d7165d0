#include <imgsim/model/safetensors.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <support/reason.hpp>
#include <support/temporary_folder.hpp>

BOOST_AUTO_TEST_SUITE(safetensors)

namespace {

using imgsim::from_safetensors;
using imgsim::named_tensor;
using imgsim::tensor_file;

/// A file of `header` and `data` bytes, its length field as given.
std::vector<std::byte> file_of(const std::string& header, std::size_t data, std::uint64_t length) {
  std::vector<std::byte> bytes(sizeof length + header.size() + data);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, header.data(), header.size());
  return bytes;
}

std::vector<std::byte> file_of(const std::string& header, std::size_t data) {
  return file_of(header, data, header.size());
}

tensor_file sample() {
  return {.tensors = {{"b", {2, 3}, {1, 2, 3, 4, 5, -0.0F}},
                      {"a", {}, {std::numeric_limits<float>::denorm_min()}},
                      {"empty", {0, 7}, {}},
                      {"c", {1}, {std::numeric_limits<float>::infinity()}}},
          .metadata = {{"key", "va\"lue\n\xc3\xa9"}, {"", ""}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_back_what_was_written) {
  const tensor_file file = sample();
  const auto bytes = imgsim::to_safetensors(file);
  const tensor_file back = from_safetensors(bytes);
  BOOST_TEST((back.metadata == file.metadata));
  BOOST_REQUIRE(back.tensors.size() == file.tensors.size());
  for (const named_tensor& tensor : file.tensors) {
    const auto found = std::ranges::find(back.tensors, tensor.name, &named_tensor::name);
    BOOST_REQUIRE((found != back.tensors.end()));
    BOOST_TEST(found->shape == tensor.shape, boost::test_tools::per_element());
    BOOST_REQUIRE(found->values.size() == tensor.values.size());
    if (!tensor.values.empty())
      BOOST_TEST(std::memcmp(found->values.data(), tensor.values.data(), tensor.values.size() * sizeof(float)) == 0);
  }
  BOOST_TEST((imgsim::to_safetensors(file) == bytes));
}

BOOST_AUTO_TEST_CASE(the_layout_is_the_published_one) {
  const auto bytes = imgsim::to_safetensors({.tensors = {{"x", {2}, {1.0F, 2.0F}}}, .metadata = {}});
  const std::string header = R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  BOOST_TEST(length % 8 == 0u);
  BOOST_REQUIRE(length >= header.size());
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + 8, length);
  BOOST_TEST(text.substr(0, header.size()) == header);
  BOOST_TEST(text.find_first_not_of(' ', header.size()) == std::string::npos);
  float values[2];
  BOOST_REQUIRE(bytes.size() == 8 + length + sizeof values);
  std::memcpy(values, bytes.data() + 8 + length, sizeof values);
  BOOST_TEST(values[0] == 1.0F);
  BOOST_TEST(values[1] == 2.0F);
}

BOOST_AUTO_TEST_CASE(an_empty_file_of_tensors_is_valid) {
  const tensor_file back = from_safetensors(imgsim::to_safetensors({}));
  BOOST_TEST(back.tensors.empty());
  BOOST_TEST(back.metadata.empty());
}

BOOST_AUTO_TEST_CASE(hostile_files_are_refused_with_a_reason) {
  const auto entry = [](const std::string& shape, const std::string& offsets, const std::string& dtype = "F32") {
    return R"({"x":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  const struct {
    const char* what;
    std::vector<std::byte> bytes;
    const char* reason;
  } table[] = {
      {"nothing", {}, "too short"},
      {"seven bytes", std::vector<std::byte>(7), "too short"},
      {"an empty header", file_of("", 0), "JSON"},
      {"a header of no bytes before data", file_of("", 4), "JSON"},
      {"a picture", file_of("\x89PNG and much more", 100), "not a safetensors file"},
      {"a header longer than the file", file_of("{}", 0, 3), "truncated"},
      {"a header of 2^64 - 1 bytes", file_of("{}", 0, ~std::uint64_t{0}), "limit"},
      {"no JSON", file_of("hello", 0), "JSON"},
      {"JSON with more behind it", file_of("{} {}", 0), "JSON"},
      {"a list", file_of("[]", 0), "JSON"},
      {"deep nesting in a tensor", file_of(R"({"x":)" + deep + "}", 0), "nested"},
      {"text that is not UTF-8", file_of("{\"\xff\":1}", 0), "JSON"},
      {"metadata that is a list", file_of(R"({"__metadata__":[]})", 0), "metadata"},
      {"metadata that is a number", file_of(R"({"__metadata__":{"a":1}})", 0), "'a'"},
      {"a tensor that is a number", file_of(R"({"x":1})", 0), "'x'"},
      {"no dtype", file_of(R"({"x":{"shape":[],"data_offsets":[0,4]}})", 4), "dtype"},
      {"another dtype", file_of(entry("[1]", "[0,2]", "F16"), 2), "F16"},
      {"no shape", file_of(R"({"x":{"dtype":"F32","data_offsets":[0,4]}})", 4), "shape"},
      {"a negative extent", file_of(entry("[-1]", "[0,4]"), 4), "shape"},
      {"a fraction as extent", file_of(entry("[1.0]", "[0,4]"), 4), "shape"},
      {"an extent over 2^64", file_of(entry("[36893488147419103232]", "[0,4]"), 4), "shape"},
      {"a shape of too many extents", file_of(entry("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "shape"},
      {"a shape whose product overflows", file_of(entry("[4294967296,4294967296]", "[0,0]"), 0), "fit its shape"},
      {"a shape whose size in bytes overflows", file_of(entry("[4611686018427387904]", "[0,0]"), 0), "fit its shape"},
      {"offsets that fall", file_of(entry("[1]", "[4,0]"), 4), "data_offsets"},
      {"one offset", file_of(entry("[1]", "[0]"), 4), "data_offsets"},
      {"offsets that do not fit the shape", file_of(entry("[2]", "[0,4]"), 4), "fit its shape"},
      {"data beyond the end", file_of(entry("[2]", "[0,8]"), 4), "truncated"},
      {"offsets near 2^64", file_of(entry("[1]", "[18446744073709551608,18446744073709551612]"), 4), "begins"},
      {"data that nobody owns", file_of(entry("[1]", "[0,4]"), 8), "belong to no tensor"},
      {"a gap before the first tensor", file_of(entry("[1]", "[4,8]"), 8), "begins"},
      {"overlapping tensors",
       file_of(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
               R"("y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
               8),
       "begins"},
      {"the same bytes twice",
       file_of(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
               R"("y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
               4),
       "begins"},
      {"the same name twice",
       file_of(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
               R"("x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
               8),
       "twice"},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.what) {
      const std::string text = imgsim_test::complaint_of([&] { std::ignore = from_safetensors(row.bytes); });
      BOOST_TEST(text.find(row.reason) != std::string::npos, text);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_truncation_and_every_changed_byte_of_the_header_is_survived) {
  const auto bytes = imgsim::to_safetensors(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_CHECK_THROW(std::ignore = from_safetensors(std::span(bytes).first(size)), imgsim::invalid_argument);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  for (std::size_t at = 0; at < 8 + length; ++at) {
    for (const std::byte flip : {std::byte{0x01}, std::byte{0x10}, std::byte{0x80}, std::byte{0xff}}) {
      auto changed = bytes;
      changed[at] ^= flip;
      try {
        std::ignore = from_safetensors(changed);
      } catch (const imgsim::invalid_argument&) {
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(limits_hold) {
  const auto bytes = imgsim::to_safetensors(sample());
  BOOST_CHECK_THROW(std::ignore = from_safetensors(bytes, {.max_header_bytes = 16}), imgsim::invalid_argument);
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "x.safetensors";
  imgsim::write_safetensors(path, sample());
  BOOST_CHECK_THROW(std::ignore = imgsim::read_safetensors(path, {.max_file_bytes = 16}), imgsim::io_error);
  BOOST_TEST(imgsim::read_safetensors(path).tensors.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_refused) {
  const auto refuses = [](tensor_file file) {
    BOOST_CHECK_THROW(std::ignore = imgsim::to_safetensors(file), imgsim::invalid_argument);
  };
  refuses({.tensors = {{"x", {2}, {1.0F}}}, .metadata = {}});
  refuses({.tensors = {{"x", {1}, {1.0F}}, {"x", {1}, {2.0F}}}, .metadata = {}});
  refuses({.tensors = {{"__metadata__", {1}, {1.0F}}}, .metadata = {}});
  refuses({.tensors = {{"\xff", {1}, {1.0F}}}, .metadata = {}});
  refuses({.tensors = {{"x", {std::size_t{1} << 33, std::size_t{1} << 33}, {}}}, .metadata = {}});
}

BOOST_AUTO_TEST_SUITE_END()
