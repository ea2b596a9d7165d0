#include <imgsim/embedding/npy.hpp>
#include <imgsim/embedding/npy_builder.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "support/reason.hpp"
#include "support/system_calls.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

using imgsim_test::reason_of;
using imgsim_test::system_fault;
using npy_types = boost::mp11::mp_list<float, std::int32_t, std::int64_t>;

namespace {

template <class T>
imgsim::tensor<T, 2> numbered(std::size_t rows, std::size_t columns) {
  imgsim::tensor<T, 2> values({rows, columns});
  for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] = static_cast<T>(i * 3) - static_cast<T>(5);
  return values;
}

template <class T>
bool equal(imgsim::matrix_view<const T> a, imgsim::matrix_view<const T> b) {
  if (a.extents() != b.extents()) return false;
  for (std::size_t i = 0; i < a.extent(0); ++i)
    if (!std::equal(a.row(i), a.row(i) + a.extent(1), b.row(i))) return false;
  return true;
}

std::string npy_file(const std::string& dictionary, std::size_t data_bytes, char major = 1) {
  std::string text = "\x93NUMPY";
  text += {major, '\0', static_cast<char>(dictionary.size() & 255), static_cast<char>(dictionary.size() >> 8)};
  if (major == 2) text += std::string(2, '\0');
  return text + dictionary + std::string(data_bytes, '\1');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(npy)

BOOST_AUTO_TEST_CASE_TEMPLATE(matrices_come_back, T, npy_types) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.npy";
  for (const auto& [rows, columns] : {std::pair{0u, 0u}, {0u, 5u}, {3u, 0u}, {1u, 1u}, {7u, 3u}, {300u, 500u}}) {
    const auto values = numbered<T>(rows, columns);
    imgsim::write_npy(path, values.view());
    BOOST_TEST(equal<T>(imgsim::read_npy<T>(path).view(), values.view()));
    const imgsim::mapped_npy<T> mapped(path);
    BOOST_TEST(equal<T>(mapped.view(), values.view()));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(mapped.view().data()) % imgsim::kAlignment == 0u);
    BOOST_TEST(std::filesystem::file_size(path) == 128 + rows * columns * sizeof(T));
  }
  imgsim::tensor<T, 1> list({5});
  list(3) = 9;
  imgsim::write_npy(path, list.view());
  const auto again = imgsim::read_npy<T, 1>(path);
  BOOST_TEST(std::equal(again.begin(), again.end(), list.begin(), list.end()));
}

BOOST_AUTO_TEST_CASE(strided_rows_are_written_dense) {
  const imgsim_test::temporary_folder folder;
  const auto values = numbered<float>(4, 10);
  const imgsim::matrix_view<const float> middle(values.data() + 2, {4, 3}, {10, 1});
  imgsim::write_npy(folder.path() / "m.npy", middle);
  BOOST_TEST(equal<float>(imgsim::read_npy<float>(folder.path() / "m.npy").view(), middle));
}

BOOST_AUTO_TEST_CASE(blocks_make_the_bytes_of_the_whole) {
  const imgsim_test::temporary_folder folder;
  const auto values = numbered<float>(100, 1000);
  imgsim::write_npy(folder.path() / "whole.npy", values.view());
  imgsim::npy_writer<float> writer(folder.path() / "blocks.npy", 100, 1000);
  for (std::size_t begin = 0; begin < 100; begin += 30)
    writer.append(values.view().slice(begin, std::min<std::size_t>(30, 100 - begin)));
  BOOST_CHECK_THROW(writer.append(values.view().slice(0, 1)), imgsim::invalid_argument);
  writer.commit();
  imgsim::npy_builder<float> builder(folder.path() / "built.npy", 120, 1000);
  for (std::size_t i = 100; i-- > 0;) std::copy_n(values.view().row(i), 1000, builder.values().row(i));
  builder.commit(100);
  BOOST_TEST(imgsim::hash_file(folder.path() / "blocks.npy") == imgsim::hash_file(folder.path() / "whole.npy"));
  BOOST_TEST(imgsim::hash_file(folder.path() / "built.npy") == imgsim::hash_file(folder.path() / "whole.npy"));

  imgsim::npy_writer<float> unfinished(folder.path() / "unfinished.npy", 2, 1000);
  unfinished.append(values.view().slice(0, 1));
  BOOST_CHECK_THROW(unfinished.commit(), imgsim::invalid_argument);
  BOOST_CHECK_THROW(imgsim::npy_builder<float>(folder.path() / "huge.npy", std::size_t{1} << 62, 8),
                    imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(headers_that_numpy_may_write_are_read) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.npy";
  for (const char* dictionary : {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
                                 "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}\n",
                                 " { 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , 'descr' : '<f4' } "}) {
    for (const char major : {char{1}, char{2}}) {
      imgsim::write_file(path, npy_file(dictionary, 24, major));
      BOOST_TEST(imgsim::read_npy<float>(path).extent(1) == 3u);
    }
  }
  // A list has one order.
  imgsim::write_file(path, npy_file("{'descr': '<i8', 'fortran_order': True, 'shape': (3,)}", 24));
  BOOST_TEST((imgsim::read_npy<std::int64_t, 1>(path).size()) == 3u);
}

BOOST_AUTO_TEST_CASE(hostile_files_are_refused) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const auto with_shape = [](const std::string& shape) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}";
  };
  const std::string magic = "\x93NUMPY";
  const std::string damaged = "is a damaged .npy file: ";
  const std::pair<std::string, std::string> files[] = {
      {"", "is not a .npy file"},
      {"\x93NUMP", "is not a .npy file"},
      {"PK\3\4 a zip archive", "is not a .npy file"},
      {magic, damaged + "it ends within its header"},
      {magic + std::string("\1\0\xff", 3), damaged + "it ends within its header"},
      {magic + std::string("\1\0\xff\0{", 5), damaged + "it ends within its header"},
      {magic + std::string("\2\0\xff\xff\xff\xff{}", 8), damaged + "its header claims 4294967295 bytes"},
      {magic + std::string("\3\0\2\0{}", 6), "is a .npy file of version 3.0; 1.0 and 2.0 can be read"},
      {magic + std::string("\1\1\2\0{}", 6), "is a .npy file of version 1.1; 1.0 and 2.0 can be read"},
      {npy_file("", 24), damaged + "its header lacks '{'"},
      {npy_file("{}", 24), damaged + "its header lacks 'descr', 'fortran_order' or 'shape'"},
      {npy_file("{'descr': '<f4'", 24), damaged + "its header lacks '}'"},
      {npy_file("{'descr': '<f4", 24), damaged + "its header lacks a string"},
      {npy_file("{'descr': 3}", 24), damaged + "its header lacks a string"},
      {npy_file("{'descr': '<f4', 'descr': '<f4'}", 24), damaged + "its header names 'descr' twice"},
      {npy_file("{'evil': __import__('os')}", 24), damaged + "its header has the unknown key 'evil'"},
      {npy_file("{'fortran_order': 1}", 24), damaged + "its header lacks True or False"},
      {npy_file(good + " x", 24), damaged + "its header goes on after the dictionary"},
      {npy_file(with_shape("(6)"), 24), damaged + "its header lacks ',' in its shape"},
      {npy_file(with_shape("(-2, 3)"), 24), damaged + "its header lacks a number"},
      {npy_file(with_shape("(2, 99999999999999999999)"), 24), damaged + "its header has a number that is too large"},
      {npy_file(with_shape("()"), 4), "has 0 dimensions, not 2"},
      {npy_file(with_shape("(6,)"), 24), "has 1 dimensions, not 2"},
      {npy_file(with_shape("(1, 2, 3)"), 24), "has 3 dimensions, not 2"},
      {npy_file(good, 23), "is cut short: it holds 23 bytes of data, its shape needs more"},
      {npy_file(good, 25), "holds 25 bytes of data, its shape needs 24"},
      {npy_file(with_shape("(4294967296, 4294967296)"), 0),
       "is cut short: it holds 0 bytes of data, its shape needs more"},
      {npy_file(with_shape("(4611686018427387905, 4)"), 16),
       "is cut short: it holds 16 bytes of data, its shape needs more"},
      {npy_file(with_shape("(0, 18446744073709551615)"), 4), "holds 4 bytes of data, its shape needs 0"},
      {npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", 48),
       "holds elements of type '<f8', not '<f4'"},
      {npy_file("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}", 24),
       "holds elements of type '>f4', not '<f4'"},
      {npy_file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", 24), "is in Fortran order, not in C order"},
  };
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.npy";
  for (const auto& [bytes, reason] : files) {
    imgsim::write_file(path, bytes);
    BOOST_TEST(reason_of([&] { (void)imgsim::read_npy<float>(path); }) == reason);
    BOOST_TEST(reason_of([&] { imgsim::mapped_npy<float>{path}; }) == reason);
  }
  imgsim::write_file(path, npy_file(good + std::string(3, ' '), 24));  // data at byte 72: fine; one more: not
  BOOST_TEST(imgsim::mapped_npy<float>(path).view().extent(0) == 2u);
  imgsim::write_file(path, npy_file(good + std::string(4, ' '), 24));
  BOOST_TEST(imgsim::read_npy<float>(path).extent(0) == 2u);
  BOOST_TEST(reason_of([&] { imgsim::mapped_npy<float>{path}; }) == "has data that is not aligned; save it again");
}

BOOST_AUTO_TEST_CASE(every_prefix_of_a_file_is_refused) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.npy";
  imgsim::write_npy(path, numbered<float>(2, 3).view());
  const auto bytes = imgsim::read_file(path, 1000);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    imgsim::write_file(path, std::span(bytes).first(size));
    BOOST_CHECK_THROW((void)imgsim::read_npy<float>(path), imgsim::io_error);
    BOOST_CHECK_THROW(imgsim::mapped_npy<float>{path}, imgsim::io_error);
  }
}

BOOST_AUTO_TEST_CASE(short_reads_are_resumed) {
  const imgsim_test::temporary_folder folder;
  const auto values = numbered<float>(11, 13);
  imgsim::write_npy(folder.path() / "m.npy", values.view());
  const system_fault fault(system_fault::kind::short_calls);
  BOOST_TEST(equal<float>(imgsim::read_npy<float>(folder.path() / "m.npy").view(), values.view()));
}

BOOST_AUTO_TEST_CASE(numpy_s_own_files_are_read, *imgsim_test::needs_data("keras_seed")) {
  const auto path = imgsim_test::data_folder() / "keras_seed" / "encodings_first64.npy";
  const auto values = imgsim::read_npy<float>(path);
  BOOST_TEST(values.extent(0) == 64u);
  BOOST_TEST(values.extent(1) == 4096u);
  BOOST_TEST(equal<float>(imgsim::mapped_npy<float>(path).view(), values.view()));
}

BOOST_AUTO_TEST_SUITE_END()
