// NumPy's .npy files (https://numpy.org/neps/nep-0001-npy-format.html): little-endian, C order, versions 1.0 and 2.0.
// What is written has its data at a multiple of 64 bytes, so that a mapped file is as well aligned as a tensor.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

static_assert(std::endian::native == std::endian::little, "imgsim's files are little-endian and read without a swap");

/// NumPy's name of an element type; a type without one cannot be stored.
template <class T>
inline constexpr std::string_view npy_type;
template <>
inline constexpr std::string_view npy_type<float> = "<f4";
template <>
inline constexpr std::string_view npy_type<std::int32_t> = "<i4";
template <>
inline constexpr std::string_view npy_type<std::int64_t> = "<i8";

template <class T>
concept npy_element = !npy_type<T>.empty();

/// What the first bytes of a .npy file say.
struct npy_header {
  std::string type;  // "<f4"
  bool fortran_order = false;
  std::vector<std::size_t> shape;  // outermost first; empty for a scalar
  std::size_t data_offset = 0;     // bytes before the first element
};

namespace detail {

inline constexpr std::string_view kNpyMagic{"\x93NUMPY", 6};
inline constexpr std::size_t kNpyMaxHeader = 1 << 16;
/// Of the files written here. Two 20-digit extents fit, so that a file may be given its shape after its data.
inline constexpr std::size_t kNpyHeaderSize = 128;

/// Reads the one Python dictionary that a header is. Knows strings, True, False and tuples of whole numbers.
class npy_dictionary_reader {
 public:
  npy_dictionary_reader(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  [[nodiscard]] npy_header read() {
    npy_header header;
    bool has_type = false, has_order = false, has_shape = false;
    const auto once = [&](bool& seen, std::string_view key) {
      if (std::exchange(seen, true)) fail(concat("names '", key, "' twice"));
    };
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        once(has_type, key);
        header.type = string();
      } else if (key == "fortran_order") {
        once(has_order, key);
        header.fortran_order = boolean();
      } else if (key == "shape") {
        once(has_shape, key);
        header.shape = tuple();
      } else {
        fail("has the unknown key '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty()) fail("goes on after the dictionary");
    if (!has_type || !has_order || !has_shape) fail("lacks 'descr', 'fortran_order' or 'shape'");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw io_error(path_, "is a damaged .npy file: its header " + reason);
  }

  void skip_space() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n' || text_.front() == '\t'))
      text_.remove_prefix(1);
  }
  [[nodiscard]] bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(concat("lacks '", c, "'"));
  }

  [[nodiscard]] std::string string() {
    skip_space();
    const char quote = text_.empty() ? '\0' : text_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail("lacks a string");
    std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }

  [[nodiscard]] bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    fail("lacks True or False");
  }

  [[nodiscard]] std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(whole_number());
      if (!accept(',')) {
        if (values.size() == 1) fail("lacks ',' in its shape");  // Python's (3) is a number, not a tuple
        expect(')');
        break;
      }
    }
    return values;
  }

  [[nodiscard]] std::size_t whole_number() {
    skip_space();
    std::size_t value = 0, digits = 0;
    for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
      const auto digit = static_cast<std::size_t>(text_[digits] - '0');
      if (value > (std::numeric_limits<std::size_t>::max() - digit) / 10) fail("has a number that is too large");
      value = 10 * value + digit;
    }
    if (digits == 0) fail("lacks a number");
    text_.remove_prefix(digits);
    return value;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
};

/// Parses the header that `bytes`, the beginning of a file or all of it, starts with. Throws io_error.
[[nodiscard]] inline npy_header parse_npy_header(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  const std::string_view text = text_of(bytes);
  if (!text.starts_with(kNpyMagic)) throw io_error(path, "is not a .npy file");
  const auto byte = [&](std::size_t i) {
    if (i >= text.size()) throw io_error(path, "is a damaged .npy file: it ends within its header");
    return static_cast<std::size_t>(static_cast<unsigned char>(text[i]));
  };
  const std::size_t major = byte(6), minor = byte(7);
  if ((major != 1 && major != 2) || minor != 0)
    throw io_error(path, concat("is a .npy file of version ", major, ".", minor, "; 1.0 and 2.0 can be read"));
  std::size_t length = byte(8) | byte(9) << 8;
  if (major == 2) length |= byte(10) << 16 | byte(11) << 24;
  const std::size_t begin = major == 1 ? 10 : 12;
  if (length > kNpyMaxHeader)
    throw io_error(path, concat("is a damaged .npy file: its header claims ", length, " bytes"));
  if (length > text.size() - begin) throw io_error(path, "is a damaged .npy file: it ends within its header");
  npy_header header = npy_dictionary_reader(text.substr(begin, length), path).read();
  header.data_offset = begin + length;
  return header;
}

/// Checks a header against what the caller wants and against the size of the file. The product of the shape cannot
/// overflow: it is bounded by the bytes that are there.
template <npy_element T, std::size_t Rank>
[[nodiscard]] std::array<std::size_t, Rank> npy_extents(const npy_header& header, std::uint64_t file_size,
                                                        const std::filesystem::path& path) {
  if (header.type != npy_type<T>)
    throw io_error(path, concat("holds elements of type '", header.type, "', not '", npy_type<T>, "'"));
  if (header.fortran_order && Rank > 1) throw io_error(path, "is in Fortran order, not in C order");
  if (header.shape.size() != Rank) throw io_error(path, concat("has ", header.shape.size(), " dimensions, not ", Rank));
  std::array<std::size_t, Rank> extents{};
  std::ranges::copy(header.shape, extents.begin());
  const std::uint64_t data = file_size - header.data_offset;
  const std::uint64_t elements = data / sizeof(T);
  std::uint64_t product = std::ranges::find(extents, 0u) == extents.end() ? 1 : 0;
  for (const std::size_t extent : extents) {
    if (product != 0 && extent > elements / product)
      throw io_error(path, concat("is cut short: it holds ", data, " bytes of data, its shape needs more"));
    product *= extent;
  }
  if (product * sizeof(T) != data)
    throw io_error(path, concat("holds ", data, " bytes of data, its shape needs ", product * sizeof(T)));
  return extents;
}

/// The kNpyHeaderSize bytes before the data of a file that holds `extents`.
template <npy_element T, std::size_t Rank>
[[nodiscard]] std::string npy_header_bytes(const std::array<std::size_t, Rank>& extents) {
  std::string shape;
  for (const std::size_t extent : extents) shape += concat(extent, Rank == 1 ? "," : ", ");
  if (Rank > 1) shape.resize(shape.size() - 2);
  std::string text = concat("{'descr': '", npy_type<T>, "', 'fortran_order': False, 'shape': (", shape, "), }");
  static_assert(Rank == 1 || Rank == 2);
  constexpr std::size_t kBegin = 10;  // magic, version, length
  text.resize(kNpyHeaderSize - kBegin - 1, ' ');
  const std::string length{static_cast<char>(kNpyHeaderSize - kBegin), '\0'};
  return std::string(kNpyMagic) + std::string{1, 0} + length + text + '\n';
}

}  // namespace detail

/// Reads a whole file into memory. Throws io_error where it is no .npy file of T in C order with `Rank` dimensions, or
/// its size is not exactly what its shape says.
template <npy_element T, std::size_t Rank = 2>
[[nodiscard]] tensor<T, Rank> read_npy(const std::filesystem::path& path) {
  const unique_descriptor file = detail::open_for_reading(path);
  const std::uint64_t size = detail::size_of_open_file(file, path);
  std::vector<std::byte> start(static_cast<std::size_t>(std::min<std::uint64_t>(size, detail::kNpyMaxHeader + 12)));
  start.resize(detail::read_some(file, start, path));
  const npy_header header = detail::parse_npy_header(start, path);
  tensor<T, Rank> values(detail::npy_extents<T, Rank>(header, size, path));
  const std::span<std::byte> data = std::as_writable_bytes(std::span(values.data(), values.size()));
  const auto known = std::span(std::as_const(start)).subspan(header.data_offset);
  const std::size_t first = std::min(known.size(), data.size());
  std::ranges::copy(known.first(first), data.begin());
  if (detail::read_some(file, data.subspan(first), path) != data.size() - first)
    throw io_error(path, "became shorter while it was read");
  return values;
}

/// A .npy file as a read-only view, loaded page by page as it is touched; see mapped_file.
template <npy_element T, std::size_t Rank = 2>
class mapped_npy {
 public:
  mapped_npy() = default;
  /// Throws io_error as read_npy does, and where the data is not aligned for T (no writer known makes such files).
  explicit mapped_npy(const std::filesystem::path& path) : file_(path) {
    const npy_header header = detail::parse_npy_header(file_.bytes(), path);
    extents_ = detail::npy_extents<T, Rank>(header, file_.bytes().size(), path);
    if (header.data_offset % alignof(T) != 0) throw io_error(path, "has data that is not aligned; save it again");
    offset_ = header.data_offset;
  }

  [[nodiscard]] imgsim::view<const T, Rank> view() const noexcept {
    return {reinterpret_cast<const T*>(file_.bytes().data() + offset_), extents_};
  }

 private:
  mapped_file file_;
  std::array<std::size_t, Rank> extents_{};
  std::size_t offset_ = 0;
};

/// Writes a matrix of known shape block by block, for one too large to be held. The file appears on commit().
template <npy_element T>
class npy_writer {
 public:
  /// [rows, columns]. Throws io_error.
  npy_writer(const std::filesystem::path& path, std::size_t rows, std::size_t columns)
      : file_(path), rows_left_(rows), columns_(columns) {
    file_.write(detail::npy_header_bytes<T, 2>({rows, columns}));
  }

  /// Appends rows [n, columns].
  void append(matrix_view<const T> rows) {
    IMGSIM_EXPECTS(rows.extent(1) == columns_ && rows.extent(0) <= rows_left_, "rows of shape ", shape_text(rows),
                   " do not fit a file with room for ", rows_left_, " rows of ", columns_);
    rows_left_ -= rows.extent(0);
    if (rows.is_contiguous()) {
      file_.write(std::as_bytes(std::span(rows.data(), rows.size())));
      return;
    }
    for (std::size_t i = 0; i < rows.extent(0); ++i) file_.write(std::as_bytes(std::span(rows.row(i), rows.extent(1))));
  }

  void commit() {
    IMGSIM_EXPECTS(rows_left_ == 0, "a .npy file still lacks ", rows_left_, " rows");
    file_.commit();
  }

 private:
  atomic_file file_;
  std::size_t rows_left_;
  std::size_t columns_;
};

/// Writes a matrix in one step, see atomic_file.
template <class T>
  requires npy_element<std::remove_const_t<T>>
void write_npy(const std::filesystem::path& path, matrix_view<T> values) {
  npy_writer<std::remove_const_t<T>> file(path, values.extent(0), values.extent(1));
  file.append(values);
  file.commit();
}

/// Writes a list in one step.
template <class T>
  requires npy_element<std::remove_const_t<T>>
void write_npy(const std::filesystem::path& path, view<T, 1> values) {
  atomic_file file(path);
  file.write(detail::npy_header_bytes<std::remove_const_t<T>, 1>({values.extent(0)}));
  file.write(std::as_bytes(std::span(values.data(), values.size())));
  file.commit();
}

}  // namespace imgsim
