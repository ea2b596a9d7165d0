// "Did you mean ...?" for names of photos.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <vector>

namespace imgsim {

/// Levenshtein's distance: the least number of bytes to insert, delete or replace. Gives up, with a number above
/// `limit`, once it must exceed it.
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  std::vector<std::size_t> row(a.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t j = 1; j <= b.size(); ++j) {
    std::size_t diagonal = row[0];
    row[0] = j;
    std::size_t best = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[i];
      row[i] = std::min({replaced, row[i] + 1, row[i - 1] + 1});
      best = std::min(best, row[i]);
    }
    if (best > limit) return limit + 1;
  }
  return row.back();
}

/// Position of the name most like `wanted`: first of those whose last part ("1.jpg" of "cat/1.jpg") is the same, then
/// of all within a third of its length in edits, ties to the first; names.size() where none is near. `path_of(i)`
/// gives name i of `count`.
template <class PathOf>
[[nodiscard]] std::size_t closest_name(std::string_view wanted, std::size_t count, PathOf&& path_of) {
  const auto last_part = [](std::string_view path) { return path.substr(path.rfind('/') + 1); };
  std::size_t best = count;
  std::size_t limit = wanted.size() + 1;  // of edits; any is better than none where the last part is the same
  bool best_shares_last_part = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view path = path_of(i);
    const bool shares = last_part(path) == last_part(wanted);
    if (best_shares_last_part && !shares) continue;
    if (shares && !best_shares_last_part) limit = path.size() + wanted.size();
    const std::size_t bound = shares ? limit : std::min(limit, wanted.size() / 3 + 1);
    const std::size_t edits = edit_distance(path, wanted, bound);
    if (edits > bound || (edits == limit && best < count && shares == best_shares_last_part)) continue;
    best = i;
    limit = edits;
    best_shares_last_part = shares;
  }
  return best;
}

}  // namespace imgsim
