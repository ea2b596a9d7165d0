// The three kinds of error that the library throws. Nothing in it prints, aborts or exits.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <imgsim/core/macros.hpp>

namespace imgsim {

namespace detail {

/// A piece of a message: text, a character or a number (six digits of a real one), the same in every locale. One type
/// stands for all, so that what makes messages of pieces is compiled once, and not for each of the hundreds of
/// combinations of types that messages are made of.
class message_part {
 public:
  message_part(std::string_view text) noexcept : text_(text) {}
  message_part(const std::string& text) noexcept : text_(text) {}
  message_part(const char* text) noexcept : text_(text) {}
  message_part(char character) noexcept : buffer_{character}, text_(buffer_.data(), 1) {}
  template <std::integral Integer>
  message_part(Integer value) noexcept {
    if constexpr (std::signed_integral<Integer>) {
      set(static_cast<long long>(value));
    } else {
      set(static_cast<unsigned long long>(value));
    }
  }
  template <std::floating_point Real>
  message_part(Real value) noexcept {
    set(static_cast<double>(value));
  }
  message_part(const message_part&) = delete;
  message_part& operator=(const message_part&) = delete;
  ~message_part() = default;

  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  [[gnu::cold]] void set(long long value) noexcept { end_at(std::to_chars(begin(), end(), value).ptr); }
  [[gnu::cold]] void set(unsigned long long value) noexcept { end_at(std::to_chars(begin(), end(), value).ptr); }
  [[gnu::cold]] void set(double value) noexcept {
    end_at(std::to_chars(begin(), end(), value, std::chars_format::general, 6).ptr);
  }

  [[nodiscard]] char* begin() noexcept { return buffer_.data(); }
  [[nodiscard]] char* end() noexcept { return buffer_.data() + buffer_.size(); }
  void end_at(const char* last) noexcept { text_ = {buffer_.data(), static_cast<std::size_t>(last - buffer_.data())}; }

  std::array<char, 24> buffer_{};  // of numbers, and of characters
  std::string_view text_;
};

[[nodiscard]] [[gnu::cold]] inline std::string join(std::span<const message_part> parts) {
  std::string text;
  for (const message_part& part : parts) text += part.text();
  return text;
}

template <class... Parts>
[[nodiscard]] [[gnu::cold]] std::string concat(const Parts&... parts) {
  const message_part pieces[] = {message_part(parts)...};
  return join(pieces);
}

}  // namespace detail

/// Base of every exception of the library. what() is one sentence that can be shown to a person.
class IMGSIM_SEEN_BY_ALL error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller's fault: a shape, a range or an option. The message names both sides of the mismatch.
class IMGSIM_SEEN_BY_ALL invalid_argument : public error {
 public:
  using error::error;
};

namespace detail {

[[noreturn]] [[gnu::cold]] inline void refuse(std::span<const message_part> parts) {
  throw invalid_argument(join(parts));
}

/// For IMGSIM_EXPECTS.
template <class... Parts>
[[noreturn]] [[gnu::cold]] void refuse_with(const Parts&... parts) {
  const message_part pieces[] = {message_part(parts)...};
  refuse(pieces);
}

}  // namespace detail

/// A file that cannot be read, written or understood. The message begins with its path.
class IMGSIM_SEEN_BY_ALL io_error : public error {
 public:
  io_error(std::filesystem::path path, const std::string& reason, int code = 0)
      : error(path.string() + ": " + reason), path_(std::move(path)), reason_(reason), code_(code) {}

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  /// The system's errno, where a call of it failed; 0 where not.
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  std::filesystem::path path_;
  std::string reason_;
  int code_;
};

/// A file of a format that only a later imgsim reads: it is neither sound nor damaged for all that this one can tell.
class IMGSIM_SEEN_BY_ALL newer_file : public io_error {
 public:
  using io_error::io_error;
};

/// A vendor library (oneDNN, cuDNN, ...) refused a call. The message holds library, status and place.
class IMGSIM_SEEN_BY_ALL backend_error : public error {
 public:
  backend_error(const std::string& library, const std::string& detail) : error(library + ": " + detail) {}
};

/// The caller asked for a stop (a stop_token, Ctrl-C in the command). State saved before the throw stays valid.
class IMGSIM_SEEN_BY_ALL cancelled : public error {
 public:
  using error::error;
};

}  // namespace imgsim
