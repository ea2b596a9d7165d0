// How the learning rate changes during training. A new schedule is one struct here with its members, and one entry in
// learning_rate_schedule.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <variant>

#include <imgsim/core/error.hpp>
#include <imgsim/core/number_fields.hpp>

namespace imgsim {

/// Always the rate given.
struct constant_schedule {
  static constexpr std::string_view name = "constant";
  static constexpr std::array<number_field<constant_schedule>, 0> fields{};

  bool operator==(const constant_schedule&) const = default;
};

/// Rises linearly for `warm_up` epochs, then falls along half a cosine to `final` times the rate given, step by step
/// (Loshchilov and Hutter, 2017, arXiv:1608.03983).
struct cosine_schedule {
  double warm_up = 0.0;
  double final = 0.0;

  static constexpr std::string_view name = "cosine";
  static constexpr std::array<number_field<cosine_schedule>, 2> fields{
      {{"warm_up", &cosine_schedule::warm_up}, {"final", &cosine_schedule::final}}};
  bool operator==(const cosine_schedule&) const = default;
};

/// Times `factor` after each `every` epochs.
struct step_schedule {
  double every = 10.0;
  double factor = 0.1;

  static constexpr std::string_view name = "step";
  static constexpr std::array<number_field<step_schedule>, 2> fields{
      {{"every", &step_schedule::every}, {"factor", &step_schedule::factor}}};
  bool operator==(const step_schedule&) const = default;
};

/// Times `factor` after each epoch.
struct exponential_schedule {
  double factor = 0.95;

  static constexpr std::string_view name = "exponential";
  static constexpr std::array<number_field<exponential_schedule>, 1> fields{
      {{"factor", &exponential_schedule::factor}}};
  bool operator==(const exponential_schedule&) const = default;
};

/// Times `factor` when the loss (of validation, else of training) has not fallen by `improvement` of its best value
/// for `patience` epochs; never below `minimum` times the rate given.
struct plateau_schedule {
  double patience = 5.0;
  double factor = 0.5;
  double improvement = 1e-4;
  double minimum = 1e-3;

  static constexpr std::string_view name = "plateau";
  static constexpr std::array<number_field<plateau_schedule>, 4> fields{
      {{"patience", &plateau_schedule::patience},
       {"factor", &plateau_schedule::factor},
       {"improvement", &plateau_schedule::improvement},
       {"minimum", &plateau_schedule::minimum}}};
  bool operator==(const plateau_schedule&) const = default;
};

using learning_rate_schedule =
    std::variant<constant_schedule, cosine_schedule, step_schedule, exponential_schedule, plateau_schedule>;

/// "constant", "cosine,warm_up=2,final=0.01": every field written out.
[[nodiscard]] inline std::string to_text(const learning_rate_schedule& schedule) {
  return std::visit(
      [](const auto& s) {
        std::string text(s.name);
        if (!s.fields.empty()) text += "," + number_fields_text(s);
        return text;
      },
      schedule);
}

namespace detail {

template <std::size_t Index = 0>
[[nodiscard]] learning_rate_schedule parse_schedule_from(std::string_view name, std::string_view fields) {
  if constexpr (Index == std::variant_size_v<learning_rate_schedule>) {
    throw invalid_argument(
        concat("there is no schedule '", name, "'; known are constant, cosine, step, exponential, plateau"));
  } else {
    using schedule = std::variant_alternative_t<Index, learning_rate_schedule>;
    if (name == schedule::name)
      return parse_number_fields<schedule>(fields, concat("schedule '", name, "'"), to_text(schedule{}));
    return parse_schedule_from<Index + 1>(name, fields);
  }
}

}  // namespace detail

/// Reads what to_text writes; fields may be left out. Throws invalid_argument.
[[nodiscard]] inline learning_rate_schedule parse_schedule(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(','));
  return detail::parse_schedule_from(name, text.substr(std::min(text.size(), name.size() + 1)));
}

/// A schedule under way. Its state follows from the losses of the epochs so far, so that a resumed run rebuilds it by
/// telling it them again.
class learning_rate {
 public:
  /// Throws invalid_argument for a rate or a field out of range.
  learning_rate(double base, const learning_rate_schedule& schedule, std::size_t epochs)
      : base_(base), schedule_(schedule), epochs_(static_cast<double>(epochs)) {
    IMGSIM_EXPECTS(std::isfinite(base) && base > 0.0, "the learning rate must be above 0, not ", base);
    std::visit([](const auto& s) { check(s); }, schedule_);
  }

  /// For a step that begins `progress` epochs into the run: epoch 2 of 10, half done, is 1.5.
  [[nodiscard]] double at(double progress) const {
    return base_ * std::visit([&](const auto& s) { return factor(s, progress); }, schedule_);
  }

  /// After each epoch, with the loss to be judged by.
  void end_epoch(double loss) {
    const auto* plateau = std::get_if<plateau_schedule>(&schedule_);
    if (plateau == nullptr) return;
    if (loss < best_ - std::abs(best_) * plateau->improvement || std::isinf(best_)) {
      best_ = loss;
      waited_ = 0;
    } else if (static_cast<double>(++waited_) >= plateau->patience) {
      plateau_factor_ = std::max(plateau->minimum, plateau_factor_ * plateau->factor);
      waited_ = 0;
    }
  }

 private:
  static void check(const constant_schedule&) {}
  static void check(const cosine_schedule& s) {
    IMGSIM_EXPECTS(s.final >= 0.0 && s.final <= 1.0 && s.warm_up >= 0.0,
                   "a cosine schedule needs 0 <= final <= 1 and warm_up >= 0");
  }
  static void check(const step_schedule& s) {
    IMGSIM_EXPECTS(s.every >= 1.0 && s.factor > 0.0, "a step schedule needs every >= 1 and factor > 0");
  }
  static void check(const exponential_schedule& s) {
    IMGSIM_EXPECTS(s.factor > 0.0, "an exponential schedule needs factor > 0");
  }
  static void check(const plateau_schedule& s) {
    IMGSIM_EXPECTS(s.patience >= 1.0 && s.factor > 0.0 && s.factor < 1.0 && s.improvement >= 0.0 && s.minimum >= 0.0,
                   "a plateau schedule needs patience >= 1, 0 < factor < 1, improvement >= 0 and minimum >= 0");
  }

  [[nodiscard]] double factor(const constant_schedule&, double) const { return 1.0; }
  [[nodiscard]] double factor(const cosine_schedule& s, double progress) const {
    if (progress < s.warm_up) return (progress + kWarmUpStart) / (s.warm_up + kWarmUpStart);
    const double rest = std::max(epochs_ - s.warm_up, std::numeric_limits<double>::min());
    const double done = std::min(1.0, (progress - s.warm_up) / rest);
    return s.final + (1.0 - s.final) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  }
  [[nodiscard]] double factor(const step_schedule& s, double progress) const {
    return std::pow(s.factor, std::floor(std::floor(progress) / s.every));
  }
  [[nodiscard]] double factor(const exponential_schedule& s, double progress) const {
    return std::pow(s.factor, std::floor(progress));
  }
  [[nodiscard]] double factor(const plateau_schedule&, double) const { return plateau_factor_; }

  /// The first step of a warm-up is small, not none.
  static constexpr double kWarmUpStart = 0.01;

  double base_;
  learning_rate_schedule schedule_;
  double epochs_;
  double best_ = std::numeric_limits<double>::infinity();
  double plateau_factor_ = 1.0;
  std::size_t waited_ = 0;
};

}  // namespace imgsim
