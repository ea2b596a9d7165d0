#include "cli/suggest.hpp"

#include <algorithm>
#include <iterator>

#include <imgsim/embedding/index_folder.hpp>

namespace imgsim::app {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::optional<std::string> closest(std::string_view typed, const std::vector<std::string>& candidates) {
  if (typed.size() < 2) return std::nullopt;
  for (const std::string& candidate : candidates) {
    if (candidate.starts_with(typed)) return candidate;
  }
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, typed.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // A replacement of every letter of a short word is no typing mistake.
    const std::size_t distance = edit_distance(typed, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

namespace fs = std::filesystem;

namespace {

bool is_of_kind(const fs::path& path, input_kind kind) {
  std::error_code failure;
  const bool is_index = fs::exists(path / index_file::kManifest, failure);
  const bool is_model = path.extension() == ".safetensors" && fs::is_regular_file(path, failure);
  switch (kind) {
    case input_kind::photo_folder:
      return !is_index && fs::is_directory(path, failure);
    case input_kind::index:
      return is_index;
    case input_kind::model:
      return is_model;
    case input_kind::index_or_model:
      return is_index || is_model;
    case input_kind::file:
      break;
  }
  return fs::is_regular_file(path, failure);
}

}  // namespace

std::optional<fs::path> near_file(const fs::path& missing, input_kind kind) {
  constexpr std::size_t kMost = 10'000;  // names of a folder that are looked at
  std::error_code failure;
  if (missing.empty() || fs::exists(missing, failure) || failure) return std::nullopt;
  fs::path there;
  auto part = missing.begin();
  while (part != missing.end() && fs::exists(there / *part, failure)) there /= *part++;
  if (part == missing.end() || (!there.empty() && !fs::is_directory(there, failure))) return std::nullopt;
  fs::path rest;
  for (auto below = std::next(part); below != missing.end(); ++below) rest /= *below;
  const auto meant = [&](const fs::path& name) { return rest.empty() ? there / name : there / name / rest; };
  std::vector<std::string> names;
  for (fs::directory_iterator entry(there.empty() ? "." : there, failure), end; !failure && entry != end;) {
    const fs::path name = entry->path().filename();
    if (is_of_kind(meant(name), kind)) names.push_back(name.string());
    if (names.size() == kMost) break;
    entry.increment(failure);
  }
  std::ranges::sort(names);
  const std::optional<std::string> near = closest(part->string(), names);
  return near ? std::optional(meant(*near)) : std::nullopt;
}

}  // namespace imgsim::app
