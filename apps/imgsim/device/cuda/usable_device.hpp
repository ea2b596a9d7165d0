// Whether the module can compute on a device.
#pragma once

namespace imgsim::app {

/// Throws error, with the reason, where the module cannot compute on the current device: it has no code for it, or the
/// device has no stream-ordered memory.
void expect_usable_device();

}  // namespace imgsim::app
