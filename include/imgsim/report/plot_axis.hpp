// An axis of a plot: its range, its ticks at round numbers, and where a value stands on it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <imgsim/report/number.hpp>

namespace imgsim {

struct axis_tick {
  double value = 0;
  std::string label;
};

class plot_axis {
 public:
  /// An axis over the values that can be shown: finite ones and, on a logarithmic axis, positive ones. `wanted_ticks`
  /// is a hint, at least 2; `whole` allows ticks at whole numbers only. Without values it spans [0, 1] ([1, 10]).
  plot_axis(std::span<const double> values, bool logarithmic, std::size_t wanted_ticks, bool whole = false)
      : logarithmic_(logarithmic),
        low_(std::numeric_limits<double>::infinity()),
        high_(-std::numeric_limits<double>::infinity()) {
    for (const double value : values) {
      if (!shows(value)) continue;
      low_ = std::min(low_, value);
      high_ = std::max(high_, value);
    }
    if (low_ > high_) {
      low_ = logarithmic ? 1 : 0;
      high_ = logarithmic ? 10 : 1;
    }
    wanted_ticks = std::max<std::size_t>(wanted_ticks, 2);
    if (logarithmic)
      make_logarithmic(wanted_ticks);
    else
      make_linear(wanted_ticks, whole);
  }

  [[nodiscard]] bool shows(double value) const noexcept {
    return std::isfinite(value) && std::abs(value) < 1e300 && (!logarithmic_ || value > 1e-300);
  }
  [[nodiscard]] double low() const noexcept { return low_; }
  [[nodiscard]] double high() const noexcept { return high_; }
  [[nodiscard]] const std::vector<axis_tick>& ticks() const noexcept { return ticks_; }

  /// 0 at the low end of the axis, 1 at its high end.
  [[nodiscard]] double place(double value) const noexcept {
    if (logarithmic_) return std::log(value / low_) / std::log(high_ / low_);
    return (value - low_) / (high_ - low_);
  }

 private:
  void make_linear(std::size_t wanted_ticks, bool whole) {
    if (low_ == high_) {
      const double room = whole ? 1 : low_ == 0 ? 1 : std::abs(low_) / 10;
      if (low_ != 0) low_ -= room;  // of nothing but 0, no negative values
      high_ += room;
    }
    const double rough = (high_ - low_) / static_cast<double>(wanted_ticks);
    const double decade = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10 * decade;
    for (const double factor : {5.0, 2.0, 1.0})
      if (factor * decade >= rough * 0.999) step = factor * decade;
    if (whole) step = std::max(step, 1.0);
    // A range narrower than the numbers around it can tell apart has no ticks between.
    const double finest = 8 * std::numeric_limits<double>::epsilon() * std::max(std::abs(low_), std::abs(high_));
    step = std::max(step, finest);
    const double first = std::floor(low_ / step + 1e-9), last = std::ceil(high_ / step - 1e-9);
    const int digits = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 12);
    const bool plain = std::max(std::abs(low_), std::abs(high_)) < 1e6 && step >= 1e-5;
    low_ = first * step;
    high_ = last * step;
    for (int i = 0; first + i <= last; ++i) {
      const double value = (first + i) * step;
      ticks_.push_back({value, plain ? fixed_text(value, digits) : general_text(value, 6)});
    }
  }

  void make_logarithmic(std::size_t wanted_ticks) {
    if (low_ == high_) {
      low_ /= 2;
      high_ *= 2;
    }
    const double decades = std::log10(high_ / low_);
    const int first = static_cast<int>(std::floor(std::log10(low_))),
              last = static_cast<int>(std::ceil(std::log10(high_)));
    const int stride = std::max(1, static_cast<int>(std::ceil(decades / static_cast<double>(wanted_ticks))));
    for (int exponent = first; exponent <= last; exponent += stride) {
      for (int factor = 1; factor < 10; ++factor) {
        const bool shown = factor == 1 || decades < 1 || (decades <= 3 && (factor == 2 || factor == 5));
        if (!shown) continue;
        const double value = factor * std::pow(10.0, exponent);
        if (value >= low_ * 0.999 && value <= high_ * 1.001) ticks_.push_back({value, general_text(value, 6)});
      }
    }
    if (ticks_.size() >= 2) return;
    ticks_ = {{low_, general_text(low_, 3)}, {high_, general_text(high_, 3)}};
  }

  bool logarithmic_;
  double low_ = 0, high_ = 1;
  std::vector<axis_tick> ticks_;
};

}  // namespace imgsim
