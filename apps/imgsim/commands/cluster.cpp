#include "commands/cluster.hpp"

#include <iostream>

#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/query_pictures.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/report/contact_sheet.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

command_help cluster_command::help() const {
  return {.usage = "--index IDX -k K|auto [--out DIR] [options]",
          .about =
              "Splits the photos of an index into K groups, each around a medoid: the photo that stands for it. With "
              "--out, writes k_groups.json, contact_sheet.png and report.html there; with --partition also one "
              "folder a group, DIR/groups/group_00, group_01, ... The groups are kept in the index for imgsim "
              "predict. A partition never overwrites a file; one that was interrupted is continued by the same "
              "command, and a folder that holds another partition is refused before anything is written.",
          .examples = {"imgsim cluster --index photos.idx -k 20 --out groups",
                       "imgsim cluster --index photos.idx -k auto --out groups --partition symlink",
                       "imgsim cluster --index photos.idx -k 20 --method k-means --json"},
          .exit_codes = {}};
}

void cluster_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options
      .custom(
          "groups", "K",
          [this](const std::string& text) {
            if (text == "auto") {
              request_.k.reset();
              return;
            }
            try {
              request_.k = parse_whole(text, {.low = 1});
            } catch (const usage_error& reason) {
              throw usage_error(std::string(reason.what()) + " (or auto)");
            }
          },
          "number of groups, or auto")
      .short_name('k')
      .required();
  options.choice("method", "NAME", method_, {"k-medoids", "k-means"}, "k-medoids or k-means");
  options
      .custom(
          "metric", "NAME", [this](const std::string& text) { request_.metric = parse_metric(text); }, metric_choices())
      .defaults_to(request_.metric);
  options.whole("restarts", "R", request_.restarts, {1, 10'000}, "starts from other seeds; the best is kept");
  options.path("out", "DIR", out_, "folder for k_groups.json, contact_sheet.png and report.html");
  options.custom(
      "partition", "KIND",
      [this](const std::string& text) {
        if (text.find(',') != std::string::npos)
          throw usage_error("takes one of " + any_of_text(partition_kind_names()) + ", got " + in_quotes(text));
        expect_choice(text, partition_kind_names());
        partition_ = parse_partition_kind(text);
      },
      "also make one folder a group in DIR/groups, by one of " + any_of_text(partition_kind_names()));
}

void cluster_command::validate(const option_set&) {
  request_.k_means = method_ == "k-means";
  if (partition_ && !out_) throw usage_error("--partition needs --out DIR");
}

void cluster_command::write_results(session& session, const photo_index& index, const grouping_result& result) const {
  write_file(*out_ / "k_groups.json", to_json(result.groups).dump() + "\n");
  const std::vector<group_summary> summaries = summarise(result);
  const rgb_image sheet =
      draw_contact_sheet(summaries, [&](std::size_t row) { return read_indexed_photo(session, index, row); });
  write_file(*out_ / "contact_sheet.png", encode_png(sheet.view()));
  const groups& made = result.groups;
  html_page page("Groups of photos", std::to_string(made.k()) + " groups of " + count_text(index.size(), "photo") +
                                         " by " + made.method + " (" + made.metric + ", cost " +
                                         general_text(made.cost, 6) + ", seed " + std::to_string(made.seed) + ")");
  add_groups(page, summaries, photos_of(session, index));
  write_file(*out_ / "report.html", page.html());
  session.note("wrote k_groups.json, contact_sheet.png and report.html in " + out_->string());
}

void cluster_command::partition(session& session, const photo_index& index, const grouping_result& result) const {
  progress bar(session.options(), "partition", "photos", index.size());
  const partition_result made = partition_photos(
      result.groups, index.photos_root(), *out_ / "groups",
      {.kind = *partition_,
       .on_progress = [&](std::size_t done) { bar.update(done); },
       .on_skip = [&](const std::string& path, const std::string& reason) { session.skip(path, reason); },
       .stop = session.stop()});
  if (made.stopped) throw cancelled("stopped; the same command continues the partition");
  bar.finish();
  if (made.taken > 0)
    session.skip(count_text(made.taken, "photo"), "something else is in the place of each, the first at " +
                                                      (*out_ / "groups" / made.first_taken).string() +
                                                      "; it was left alone");
  session.note(count_text(made.made, "photo") + " placed in " + (*out_ / "groups").string() +
               (made.already_there > 0 ? ", " + std::to_string(made.already_there) + " were there already" : ""));
}

exit_code cluster_command::run(session& session) {
  index_writer writer = edit_index(index_);
  const photo_index index = open_index(index_);
  if (out_) {
    refuse_output_within(*out_, index.photos_root(), "the folder of the photos");
    refuse_output_within(*out_, index_, "the index");
    prepare_output_folder(*out_);
  }
  const grouping_result result = make_groups(session, index, request_);
  if (partition_) check_partition_folder(result.groups, *partition_, *out_ / "groups");
  if (!result.verdict.empty()) session.note(result.verdict + ": taking K = " + std::to_string(result.groups.k()));
  if (request_.k && result.groups.k() < *request_.k)
    session.note(count_text(result.groups.k(), "group") + " in place of " + std::to_string(*request_.k) +
                 ": there are no more different photos than that");
  store_groups(writer, result);
  if (out_) write_results(session, index, result);
  if (partition_) partition(session, index, result);

  if (session.wants_json()) {
    session.print(json(to_json(result.groups)));
  } else {
    text_table table{
        {{"group", alignment::right}, {"size", alignment::right}, {"mean distance", alignment::right}, {"medoid"}}, {}};
    for (const group_summary& group : summarise(result))
      table.add_row({std::to_string(group.group), std::to_string(group.size()), fixed_text(group.mean_distance, 4),
                     result.groups.paths[group.medoid()]});
    std::cout << to_text(table) << "\nK = " << result.groups.k() << ", " << result.groups.method << ", cost "
              << general_text(result.groups.cost, 8) << ", seed " << result.groups.seed << '\n';
  }
  return session.finish();
}

}  // namespace imgsim::app
