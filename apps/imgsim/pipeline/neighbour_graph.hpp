// The graph of neighbours of an index: built and tried out by imgsim graph, walked by imgsim query --approximate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/match_list.hpp"

#include <imgsim/core/view.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/search/neighbour_graph.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::app {

/// The neighbours of a photo that the recall counts.
inline constexpr std::size_t kRecalledNeighbours = 10;
/// Photos that a graph is tried out with.
inline constexpr std::size_t kTriedPhotos = 1000;

struct graph_request {
  std::string metric = "cosine";
  std::size_t links = 16;
  std::size_t candidates = 200;
  double recall = 0.99;  // wanted
};

/// Walks of one breadth from each of the photos tried.
struct graph_trial {
  std::size_t breadth = 0;
  double recall = 0;    // part of the kRecalledNeighbours nearest others that was found
  double compared = 0;  // photos, for each of those tried
  double seconds = 0;   // for each
};

struct graph_result {
  neighbour_graph graph;
  std::size_t tried = 0;            // photos
  double exact_seconds = 0;         // of an exact search, for each of them, all at once
  std::vector<graph_trial> trials;  // of rising breadth, up to the first that reaches the recall wanted
};

/// Builds the graph of an index and compares what it finds with exact answers. With --deterministic one thread builds
/// it, so that it is the same every time. Throws error where this build makes none, cancelled on a stop.
[[nodiscard]] graph_result make_graph(session& session, const photo_index& index, const graph_request& request);

/// Walks over the graph of the index, on the host; by default with the breadth that imgsim graph found good. The index
/// has to outlive it. Throws usage_error where there is no graph, or one of another metric; called, io_error where the
/// graph is damaged.
[[nodiscard]] nearest_search approximate_search(const session& session, const photo_index& index,
                                                const std::string& metric, std::optional<std::size_t> breadth);

}  // namespace imgsim::app
