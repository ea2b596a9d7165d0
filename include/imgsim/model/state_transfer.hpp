// Between a backend's parameters and named tensors.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/state.hpp>

namespace imgsim::detail {

inline constexpr std::string_view kFirstMoment = ".first_moment";
inline constexpr std::string_view kSecondMoment = ".second_moment";
inline constexpr std::string_view kStep = "step";

/// Named tensors to be taken one by one; whatever is missing, left over, doubled or of another shape is refused.
class state_lookup {
 public:
  explicit state_lookup(std::span<const named_tensor> tensors) {
    for (const named_tensor& t : tensors) {
      IMGSIM_EXPECTS(by_name_.emplace(t.name, &t).second, "'", t.name, "' occurs twice");
    }
  }

  [[nodiscard]] std::span<const float> take(const std::string& name, const std::vector<std::size_t>& shape,
                                            std::size_t size) {
    const auto found = by_name_.find(name);
    IMGSIM_EXPECTS(found != by_name_.end(), "'", name, "' is missing");
    const named_tensor& t = *found->second;
    IMGSIM_EXPECTS(t.shape == shape && t.values.size() == size, "'", name, "' has shape ", list(t.shape), " and ",
                   t.values.size(), " values, the network needs ", list(shape));
    by_name_.erase(found);
    return t.values;
  }

  void finish() const { IMGSIM_EXPECTS(by_name_.empty(), "'", by_name_.begin()->first, "' is no part of the network"); }

 private:
  [[nodiscard]] static std::string list(const std::vector<std::size_t>& shape) {
    std::string text = "[";
    for (const std::size_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
  }

  std::map<std::string, const named_tensor*> by_name_;
};

template <class Backend>
[[nodiscard]] std::vector<named_tensor> read_state(const network_plan& plan, const Backend& backend) {
  std::vector<named_tensor> state;
  for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
    const planned_parameter& parameter = plan.parameters[i];
    state.push_back({parameter.name, parameter.shape, std::vector<float>(parameter.size())});
    backend.read_parameter(i, state.back().values);
  }
  return state;
}

/// The values of each parameter of the plan. Throws invalid_argument where the state is not this network's.
[[nodiscard]] inline std::vector<std::span<const float>> match_state(const network_plan& plan,
                                                                     std::span<const named_tensor> state) {
  state_lookup lookup(state);
  std::vector<std::span<const float>> values;
  for (const planned_parameter& parameter : plan.parameters) {
    values.push_back(lookup.take(parameter.name, parameter.shape, parameter.size()));
  }
  lookup.finish();
  return values;
}

template <class Backend>
void write_state(const network_plan& plan, std::span<const named_tensor> state, Backend& backend) {
  const std::vector<std::span<const float>> values = match_state(plan, state);
  for (std::size_t i = 0; i < values.size(); ++i) backend.write_parameter(i, values[i]);
}

template <class Backend>
[[nodiscard]] std::vector<named_tensor> read_optimizer_state(const network_plan& plan, std::uint64_t step,
                                                             const Backend& backend) {
  std::vector<named_tensor> state{{std::string(kStep), {1}, {static_cast<float>(step)}}};
  for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
    const planned_parameter& parameter = plan.parameters[i];
    if (!is_trained(parameter.role)) continue;
    named_tensor first{parameter.name + std::string(kFirstMoment), parameter.shape,
                       std::vector<float>(parameter.size())};
    named_tensor second{parameter.name + std::string(kSecondMoment), parameter.shape,
                        std::vector<float>(parameter.size())};
    backend.read_moments(i, first.values, second.values);
    state.push_back(std::move(first));
    state.push_back(std::move(second));
  }
  return state;
}

/// Returns the step count.
template <class Backend>
[[nodiscard]] std::uint64_t write_optimizer_state(const network_plan& plan, std::span<const named_tensor> state,
                                                  Backend& backend) {
  struct moments {
    std::size_t parameter = 0;
    std::span<const float> first, second;
  };
  state_lookup lookup(state);
  const float step = lookup.take(std::string(kStep), {1}, 1)[0];
  IMGSIM_EXPECTS(step >= 0.0f && step == std::floor(step) && step < 0x1p53f, "the optimiser's step ", step,
                 " is no count");
  std::vector<moments> all;
  for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
    const planned_parameter& parameter = plan.parameters[i];
    if (!is_trained(parameter.role)) continue;
    const auto first = lookup.take(parameter.name + std::string(kFirstMoment), parameter.shape, parameter.size());
    const auto second = lookup.take(parameter.name + std::string(kSecondMoment), parameter.shape, parameter.size());
    all.push_back({i, first, second});
  }
  lookup.finish();
  for (const moments& m : all) backend.write_moments(m.parameter, m.first, m.second);
  return static_cast<std::uint64_t>(step);
}

}  // namespace imgsim::detail
