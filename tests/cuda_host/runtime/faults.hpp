// Fault injection: any call of a fake library can be made to fail.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace imgsim::cuda_host {

/// Which calls of the fakes fail. Counting starts at 1, over all fakes together, from begin_faults().
struct fault_plan {
  std::size_t failing_call = 0;  // 0: none
  std::string failing_function;  // or every call of this one; empty: none
  int failing_status = 0;        // what that one returns instead of its usual failure; 0: its usual
};

/// Starts counting anew under this plan.
void begin_faults(fault_plan plan = {});

/// The calls since begin_faults(), by name.
[[nodiscard]] const std::vector<std::string>& calls_seen();

/// For a fake to ask first: 0 where the call is to go on, else the status to return. A call that frees something does
/// so all the same, then returns the status: a leak is then the caller's, not the plan's.
[[nodiscard]] int injected_fault(const char* function, int usual_status);

/// Runs `work` once without a fault, then once for each call that it made, in which that call fails. `work` creates and
/// releases all that it uses. Each failing run must throw a std::exception whose message names the function, except
/// where it is one of those that `may_be_ignored` accepts (releases in destructors); nothing may stay allocated.
/// Returns what went wrong, one sentence each: empty is success.
[[nodiscard]] std::vector<std::string> walk_faults(
    const std::function<void()>& work,
    const std::function<bool(const std::string& function)>& may_be_ignored = [](const std::string&) { return false; });

}  // namespace imgsim::cuda_host
