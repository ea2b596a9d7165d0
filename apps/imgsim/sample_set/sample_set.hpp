// The demo's own photos: pictures of twelve kinds, rendered by code, labelled by folder, with near-duplicates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/thread_pool.hpp>
#include <imgsim/image/image.hpp>

namespace imgsim::sample_set {

inline constexpr std::array<std::string_view, 12> kClassNames{"balloons", "bricks",    "city",    "fish",
                                                              "flowers",  "forest",    "fruit",   "gears",
                                                              "marble",   "mountains", "sailing", "textile"};
inline constexpr std::size_t kDefaultCount = 720;
inline constexpr std::size_t kPictureSize = 160;  // pixels a side

/// Picture `index` of class `kind` [size, size, 3]. It depends on seed, kind and index only; another size shows the
/// same scene. Throws invalid_argument where there is no such class or `size` is 0.
[[nodiscard]] rgb_image render_sample(std::uint64_t seed, std::size_t kind, std::size_t index,
                                      std::size_t size = kPictureSize);

/// The files of a set of `count`, relative to its folder, in the order of their classes.
[[nodiscard]] std::vector<std::string> sample_set_paths(std::size_t count);

/// Writes `count` JPEG files as folder/<class>/<class>-0001.jpg, spread evenly over the classes. One in six is a
/// near-duplicate of another one of its class: <class>-0001-crop.jpg, -mirror, -bright, -blur or -rough (low quality).
/// Equal seeds give equal bytes, whatever the pool. `on_written(done, count)` is called from the pool's threads.
/// Throws io_error where a file cannot be written, and what `on_written` throws (cancelled, to stop).
void write_sample_set(const std::filesystem::path& folder, std::uint64_t seed, std::size_t count, thread_pool& pool,
                      const std::function<void(std::size_t done, std::size_t total)>& on_written = {});

}  // namespace imgsim::sample_set
