#include "commands/graph.hpp"

#include <iostream>

#include "cli/text.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

command_help graph_command::help() const {
  return {.usage = "--index IDX [options]",
          .about =
              "Links each photo of the index to photos near it (HNSW, by hnswlib) and keeps the links in the index. "
              "imgsim query --approximate walks along them: it looks at some hundreds of photos, however many there "
              "are, and may miss some of the nearest. How many it finds is measured here, on up to " +
              count_text(kTriedPhotos) + " photos of the index, beside exact answers: the recall is the part of the " +
              std::to_string(kRecalledNeighbours) +
              " nearest that is found. The least breadth that reaches --recall is kept for the queries. It pays for "
              "many queries in one command among a hundred thousand photos and more: exact searches of fewer are fast, "
              "and each command reads the list of all photos. The graph goes when the photos change.",
          .examples = {"imgsim graph --index photos.idx", "imgsim graph --index photos.idx --links 32 --recall 0.999",
                       "imgsim query --index photos.idx cat.jpg --approximate"},
          .exit_codes = {}};
}

void graph_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options
      .custom(
          "metric", "NAME", [this](const std::string& text) { request_.metric = parse_metric(text); }, metric_choices())
      .offers(known_metrics())
      .defaults_to(request_.metric);
  options.whole("links", "L", request_.links, {2, 256},
                "photos that each is linked to, twice as many in the lowest layer; more find more and take longer");
  options.whole("candidates", "C", request_.candidates, {2, 100'000},
                "photos among which the links of each are chosen; more make a better graph and take longer");
  options.real("recall", "R", request_.recall, {0, 1}, "the recall that queries are to reach");
}

exit_code graph_command::run(session& session) {
  if (session.is_dry_run()) {
    const photo_index index = open_index(index_);
    static_cast<void>(index.embeddings());
    plan_index_files(session, index, {index_file::kGraphLinks, index_file::kGraphLayers}, nullptr);
    return session.finish_dry_run(index.size());
  }
  index_writer writer = edit_index(index_);
  const photo_index index = open_index(index_);
  graph_result made = make_graph(session, index, request_);
  const graph_trial& kept = made.trials.back();
  if (kept.recall < request_.recall)
    session.warn("the recall of " + fixed_text(request_.recall, 3) + " is not reached with a breadth of " +
                 std::to_string(kept.breadth) + ": give more --links or more --candidates");
  if (session.options().deterministic) {
    made.exact_seconds = 0;
    for (graph_trial& trial : made.trials) trial.seconds = 0;
  }
  writer.set_graph({.metric = request_.metric, .breadth = kept.breadth, .recall = kept.recall}, made.graph.links.view(),
                   made.graph.layers.view());
  writer.commit();

  if (session.wants_json()) {
    json trials = json::array();
    for (const graph_trial& trial : made.trials)
      trials.push_back({{"breadth", trial.breadth},
                        {"recall", trial.recall},
                        {"compared", trial.compared},
                        {"seconds", trial.seconds}});
    session.print({{"index", path_to_text(index_.string())},
                   {"photos", index.size()},
                   {"metric", request_.metric},
                   {"tried", made.tried},
                   {"exact_seconds", made.exact_seconds},
                   {"trials", std::move(trials)},
                   {"breadth", kept.breadth},
                   {"recall", kept.recall}});
  } else {
    print(made);
  }
  return session.finish();
}

void graph_command::print(const graph_result& made) const {
  const auto milliseconds = [](double seconds) { return fixed_text(1000 * seconds, 3); };
  text_table table{{{"breadth", alignment::right},
                    {"recall", alignment::right},
                    {"photos compared", alignment::right},
                    {"ms a query", alignment::right}},
                   {}};
  for (const graph_trial& trial : made.trials)
    table.add_row({std::to_string(trial.breadth), fixed_text(trial.recall, 4), fixed_text(trial.compared, 0),
                   milliseconds(trial.seconds)});
  table.add_row({"exact", "1", count_text(made.graph.links.extent(0)), milliseconds(made.exact_seconds)});
  std::cout << to_text(table) << "Kept the graph (" << request_.metric << ") in " << printable_utf8(index_.string())
            << "; queries walk it with a breadth of " << made.trials.back().breadth << " (recall of the "
            << kRecalledNeighbours << " nearest of " << count_text(made.tried, "photo") << " tried)\n";
}

}  // namespace imgsim::app
