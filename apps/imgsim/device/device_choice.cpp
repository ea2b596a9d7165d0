#include "device/device_choice.hpp"

#include "cli/option_set.hpp"

namespace imgsim::app {

device_choice parse_device(const std::string& text) {
  const auto colon = text.find(':');
  if (colon != std::string::npos && text.substr(0, colon) == "cuda")
    return {device_kind::cuda, parse_whole(text.substr(colon + 1), {0, 1023})};
  expect_choice(text, {"auto", "cpu", "cuda", "cuda:N"});
  if (text == "cuda:N") throw usage_error("write the number of a device in place of N, e.g. cuda:0");
  if (text == "cuda") return {device_kind::cuda, 0};
  return {text == "cpu" ? device_kind::cpu : device_kind::automatic, 0};
}

}  // namespace imgsim::app
