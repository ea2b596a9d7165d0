#include "cuda_host/runtime/faults.hpp"

#include <exception>
#include <utility>

#include "cuda_host/runtime/device_state.hpp"

namespace imgsim::cuda_host {
namespace {

struct fault_state {
  fault_plan plan;
  std::vector<std::string> calls;
};

fault_state& state() {
  static fault_state instance;
  return instance;
}

}  // namespace

void begin_faults(fault_plan plan) {
  state().plan = std::move(plan);
  state().calls.clear();
}

const std::vector<std::string>& calls_seen() {
  return state().calls;
}

int injected_fault(const char* function, int usual_status) {
  state().calls.emplace_back(function);
  const fault_plan& plan = state().plan;
  if (state().calls.size() == plan.failing_call) return usual_status;
  if (plan.failing_function == function) return plan.failing_status != 0 ? plan.failing_status : usual_status;
  return 0;
}

std::vector<std::string> walk_faults(const std::function<void()>& work,
                                     const std::function<bool(const std::string&)>& may_be_ignored) {
  std::vector<std::string> wrong;
  const auto expect_nothing_left = [&](const std::string& when) {
    for (const std::string& leak : what_is_left()) wrong.push_back(when + ": " + leak);
    reset_device();
  };

  begin_faults();
  work();
  const std::vector<std::string> calls = calls_seen();
  expect_nothing_left("without a fault");

  for (std::size_t call = 1; call <= calls.size(); ++call) {
    const std::string& function = calls[call - 1];
    const std::string when = "call " + std::to_string(call) + ", " + function + ", failing";
    begin_faults({call, {}, 0});
    try {
      work();
      if (!may_be_ignored(function)) wrong.push_back(when + ": nobody noticed");
    } catch (const std::exception& fault) {
      if (std::string(fault.what()).find(function) == std::string::npos) {
        wrong.push_back(when + ": the message does not say so: " + fault.what());
      }
    }
    begin_faults();
    expect_nothing_left(when);
  }
  return wrong;
}

}  // namespace imgsim::cuda_host
