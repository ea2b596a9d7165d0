// The pictures of some photos of a folder, and variants of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/image/folder.hpp>
#include <imgsim/image/image.hpp>
#include <imgsim/image/photo_variants.hpp>

namespace imgsim::app {

/// The side that photos are shrunk to before they are changed: a camera's pixels would take long and tell no more.
inline constexpr std::size_t kVariedSide = 512;

/// The photos of a sample that can be read, shrunk to kVariedSide, with their positions among the candidates.
struct sampled_photos {
  std::vector<std::size_t> positions;
  std::vector<rgb_image> photos;
  std::vector<skipped_file> unread;  // a sample does without them; a command that reads them nowhere else skips them
};
/// Shows its progress. Throws cancelled, whose message ends with `consequence`.
[[nodiscard]] sampled_photos read_sample(session& session, const std::filesystem::path& root,
                                         std::span<const std::string> paths, std::size_t count,
                                         const std::string& consequence);

/// variants[i] of photos[i] for each photo: position i * kinds.size() + k holds the one of kinds[k]. Equal seeds give
/// equal variants, also of a part of the photos that begins with photo `first`. Throws cancelled likewise.
[[nodiscard]] std::vector<rgb_image> make_variants(session& session, std::span<const rgb_image> photos,
                                                   std::span<const photo_variant> kinds, const std::string& consequence,
                                                   std::size_t first = 0);

}  // namespace imgsim::app
