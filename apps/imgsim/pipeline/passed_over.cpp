#include "pipeline/passed_over.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// Of pictures that are not read.
constexpr std::string_view kOtherPictures[] = {"heic", "heif", "avif", "jxl", "gif", "bmp", "tif", "tiff", "jp2", "dng",
                                               "cr2",  "cr3",  "nef",  "arw", "orf", "rw2", "raf", "pef",  "srw"};

using counted_extension = std::pair<std::string, std::size_t>;

/// "12 .heic, 2 .gif": the most frequent first, a few at the most.
std::string list_text(std::vector<counted_extension> counts) {
  constexpr std::size_t kListed = 5;
  std::ranges::stable_sort(counts, std::ranges::greater{}, &counted_extension::second);
  std::string text;
  for (std::size_t i = 0; i < std::min(counts.size(), kListed); ++i) {
    const auto& [extension, count] = counts[i];
    text += (i == 0 ? "" : ", ") + count_text(count) +
            (extension.empty() ? " without an extension" : " ." + printable_utf8(extension));
  }
  return counts.size() > kListed ? text + " and others" : text;
}

std::string hidden_text(const photo_folder& folder) {
  return count_text(folder.hidden, "photo") + " with a hidden name (a leading dot)";
}

}  // namespace

std::optional<std::string> passed_over_text(const photo_folder& folder) {
  std::vector<std::string> parts;
  if (folder.hidden > 0) parts.push_back(hidden_text(folder));
  std::vector<counted_extension> pictures;
  std::size_t count = 0;
  for (const auto& [extension, files] : folder.others) {
    if (std::ranges::find(kOtherPictures, extension) == std::end(kOtherPictures)) continue;
    pictures.emplace_back(extension, files);
    count += files;
  }
  if (count > 0)
    parts.push_back(count_text(count, "picture") + " that " + (count == 1 ? "is" : "are") + " no JPEG, PNG or WebP (" +
                    list_text(std::move(pictures)) + ")");
  if (parts.empty()) return std::nullopt;
  return "left out: " + all_of_text(parts);
}

photo_folder scan_photos(const std::filesystem::path& folder) {
  std::error_code unknown;
  if (!std::filesystem::exists(folder, unknown) && !unknown)
    throw missing_input(folder, input_kind::photo_folder, "there is no such folder");
  return scan_folder(folder);
}

void refuse_no_photos(const photo_folder& folder) {
  std::string reason = "holds no photos (*.jpg, *.jpeg, *.png, *.webp), at any depth";
  if (!folder.others.empty())
    reason += "; other files there: " + list_text({folder.others.begin(), folder.others.end()});
  if (folder.hidden > 0) reason += "; " + hidden_text(folder) + (folder.hidden == 1 ? " does" : " do") + " not count";
  throw io_error(folder.root, reason);
}

}  // namespace imgsim::app
