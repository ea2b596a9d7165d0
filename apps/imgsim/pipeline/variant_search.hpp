// How often a photo is found from a variant of it: cropped, mirrored, brightened, blurred, compressed, resized.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/baselines.hpp"

#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/evaluate/bootstrap.hpp>

namespace imgsim::app {

/// Shares of variants whose nearest photo is the one that they were made of, or a copy of its file.
struct found_first {
  std::string name;
  double all = 0;
  interval sure;                // 95 %, over the photos
  std::vector<double> by_kind;  // in the order of kDuplicateVariants
};

struct variant_search {
  std::string metric;
  std::uint64_t seed = 0;
  std::size_t photos = 0;   // that variants were made of, one of each kind
  std::size_t gallery = 0;  // photos that they were sought among
  found_first model;
  std::vector<found_first> baselines;  // cosine similarity throughout
};

/// Seeks variants of a sample of the photos among all of the index that can be read. Photos that cannot are listed,
/// skipped. Throws io_error, cancelled.
[[nodiscard]] variant_search search_variants(session& session, const photo_index& index, const std::string& metric,
                                             baseline_choice choice);

/// {"found_first", "found_first_interval", "by_variant": {kind: share}, ..., "baselines": {name: {the same three}}}
[[nodiscard]] json to_json(const variant_search& result);
/// A row for each method, a column for each kind.
[[nodiscard]] std::string to_text(const session& session, const variant_search& result);
/// A page with that table.
[[nodiscard]] std::string to_page(const variant_search& result, const photo_index& index);

}  // namespace imgsim::app
