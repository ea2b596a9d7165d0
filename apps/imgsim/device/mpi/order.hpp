// What rank 0 has the other ranks do: an order is one message, a kind and its arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

enum class order_kind : std::uint32_t {
  end,               // the command is done
  tell_why,          // to one rank: send the reason of its last failure
  open,              // threads
  take_gallery,      // rows, columns; its shards follow
  find_neighbours,   // metric, n, exclude_self: of each row of the gallery
  find_matches,      // metric, n, exclude_self, first row, queries, columns; the queries follow
  keep_distances,    // metric, number: of the gallery
  forget_distances,  // number
  open_encoder,      // number, model
  close_encoder,     // number
  encode_files,      // number, root, limits
  // A search for medoids: each of the others is a member of medoid_search (cluster/backend.hpp), which the ranks call
  // on their own.
  search_medoids,  // number of the distances
  leave_search,
  assign,
  add,
  remove,
  swap,
  first_improving_swap,
  best_addition,
  savings,
  count_reached,
  labels,
  nearest,
  second_nearest,
  distance_to,
  // A network in training (led_network.hpp): the ranks hold the same weights.
  open_network,  // architecture, precision
  close_network,
  write_parameter,  // which, values
  write_moments,    // which, first, second
  train_step,       // photos, whether they are bytes, whether targets are others, Adam's parameters, step
};

/// An order in the making.
class order {
 public:
  template <class... Arguments>
  explicit order(order_kind kind, const Arguments&... arguments) {
    put(kind);
    (put(arguments), ...);
  }

  [[nodiscard]] std::vector<std::byte> take() && { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t size) {
    const auto* const first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void put(T value) {
    append(&value, sizeof(value));
  }
  template <class T>
  void put(std::span<T> values) {
    put(values.size());
    if (!values.empty()) append(values.data(), values.size_bytes());
  }
  void put(std::string_view text) { put(std::span(text)); }
  void put(const std::string& text) { put(std::string_view(text)); }

  std::vector<std::byte> bytes_;
};

/// An order as it came: the arguments are read in the order in which they were given.
class received_order {
 public:
  explicit received_order(std::vector<std::byte> bytes) : bytes_(std::move(bytes)), kind_(read<order_kind>()) {}

  [[nodiscard]] order_kind kind() const noexcept { return kind_; }

  template <class T>
  [[nodiscard]] T read() {
    T value{};
    copy(&value, sizeof(value));
    return value;
  }
  template <class T>
  [[nodiscard]] std::vector<T> read_list() {
    std::vector<T> values(read<std::size_t>());
    if (!values.empty()) copy(values.data(), values.size() * sizeof(T));
    return values;
  }
  [[nodiscard]] std::string read_text() {
    const std::vector<char> letters = read_list<char>();
    return {letters.begin(), letters.end()};
  }

 private:
  void copy(void* into, std::size_t size) {
    IMGSIM_EXPECTS(size <= bytes_.size() - at_, "an order of ", bytes_.size(), " bytes ends too early");
    std::memcpy(into, bytes_.data() + at_, size);
    at_ += size;
  }

  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
  order_kind kind_;
};

}  // namespace imgsim::app
