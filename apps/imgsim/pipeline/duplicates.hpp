// Photos of an index that are one photo: the same file, or the same picture after some editing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/image/photo_variants.hpp>

namespace imgsim::app {

/// Two rows found to be one photo.
struct duplicate_link {
  std::size_t a = 0, b = 0;  // a < b
  bool exact = false;        // the files are the same, byte for byte (by their content hash)
  // Of the others:
  double similarity = 0;  // cosine of the embeddings, of the mirrored photo where that is what agreed
  double difference = 0;  // photo_alignment::difference()
  bool mirrored = false;
  double precision = 0;  // least precision of the best list of pairs that this one is still in
};

/// Photos joined by links, directly or over others.
struct duplicate_group {
  std::vector<std::size_t> rows;  // ascending
  std::vector<duplicate_link> links;

  /// Of the weakest link; 1 where the files are the same.
  [[nodiscard]] double precision() const;
  [[nodiscard]] bool exact() const;
};

/// How many variants made of the folder's own photos would have been found, by kind.
struct variant_recall {
  photo_variant kind;
  std::size_t made = 0, found = 0;
};

struct duplicate_report {
  double precision = 0;                         // asked for, of the pairs that are no exact duplicates
  std::vector<duplicate_group> groups;          // largest first, then by their first row
  std::size_t photos = 0;                       // of the index
  std::size_t compared = 0;                     // different files that could be read
  std::size_t pairs = 0;                        // whose pictures were laid over each other
  std::size_t near_pairs = 0;                   // of these, reported
  double threshold = 0;                         // the difference up to which pairs are; 0 where none are
  double expected_false = 0;                    // pairs among them that are no duplicates, at most
  std::optional<std::string> no_estimate = {};  // why near-duplicates could not be told
  std::vector<variant_recall> recall = {};      // empty where no near-duplicates are reported
};

/// Skipped, and listed, are photos that can no longer be read and, of those with one content hash, those that are gone
/// or have changed since they were indexed. Throws io_error, cancelled.
[[nodiscard]] duplicate_report find_duplicates(session& session, const photo_index& index, double precision);

}  // namespace imgsim::app
