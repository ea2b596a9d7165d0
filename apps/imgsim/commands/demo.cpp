#include "commands/demo.hpp"

#include <algorithm>

#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "device/compute.hpp"
#include "pipeline/demo.hpp"
#include "pipeline/output_path.hpp"
#include "sample_set/sample_set.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// Begins a demo's folder, and so tells it from one whose files are somebody's own.
constexpr const char* kMark = ".imgsim-demo";

/// Throws io_error where the folder holds what no demo made: names such as groups.png may be anybody's.
void refuse_other_files(const std::filesystem::path& out) {
  std::error_code failure;
  if (std::filesystem::exists(out / kMark, failure)) return;
  const std::filesystem::directory_iterator entries(out, failure);
  if (failure || entries == std::filesystem::directory_iterator()) return;
  throw io_error(out, "holds files that no demo made (" + entries->path().filename().string() +
                          "); name a new or an empty folder as --out");
}

}  // namespace

command_help demo_command::help() const {
  return {.usage = "[--out DIR] [--photos DIR] [options]",
          .about =
              "Renders a sample set of pictures in twelve kinds, trains a model on them, indexes them, answers "
              "queries, chooses a number of groups, groups them, measures the quality and writes a page to open. "
              "With --photos the same on a folder of photos; folders in it count as labels. The sample set takes less "
              "than half a minute on two cores, a folder of photos the longer the more it holds.",
          .examples = {"imgsim demo", "imgsim demo --photos ~/Pictures --out /tmp/demo"},
          .exit_codes = {}};
}

void demo_command::describe(option_set& options) {
  options.path("out", "DIR", out_,
               "folder for everything that is made: a new or an empty one, or that of a demo before");
  options.path("photos", "DIR", photos_, "folder of photos to work on").defaults_to("a rendered sample set");
  options.whole("count", "N", count_, {24, 100'000}, "pictures to render");
  options.whole("epochs", "E", epochs_, {1, 10'000}, "passes of training")
      .defaults_to("2 to 20, the fewer the more photos there are");
}

void demo_command::refuse_other_pictures(const std::filesystem::path& folder) const {
  if (!std::filesystem::exists(folder)) return;
  std::vector<std::string> expected = sample_set::sample_set_paths(count_);
  std::ranges::sort(expected);
  const std::vector<photo_file> found = scan_folder(folder).photos;
  const auto others = std::ranges::count_if(
      found, [&](const photo_file& photo) { return !std::ranges::binary_search(expected, photo.path); });
  if (others > 0)
    throw io_error(folder, "holds " + count_text(static_cast<std::size_t>(others), "picture") +
                               " that a set of --count " + std::to_string(count_) +
                               " has not; name another --out folder, or remove this one");
}

exit_code demo_command::dry_run(session& session) const {
  std::size_t count = count_;
  if (photos_) {
    count = plan_demo(session, {.photos = *photos_, .out = out_, .epochs = epochs_});
  } else {
    const std::filesystem::path pictures = out_ / "photos";
    refuse_other_pictures(pictures);
    for (const std::string& picture : sample_set::sample_set_paths(count_)) session.plan(pictures / picture);
    plan_demo_files(session, out_, count_);
  }
  return session.finish_dry_run(count);
}

exit_code demo_command::run(session& session) {
  if (photos_) refuse_output_among_photos(out_, *photos_);
  refuse_other_files(out_);
  prepare_output_folder(session, out_, {kMark}, kMark);
  if (session.is_dry_run()) return dry_run(session);
  session.lock(out_);
  write_file(out_ / kMark, std::string_view());
  if (!photos_) {
    photos_ = out_ / "photos";
    refuse_other_pictures(*photos_);
    progress bar(session.options(), "render", "pictures", count_);
    sample_set::write_sample_set(*photos_, session.options().seed, count_, session.device().host_pool(),
                                 [&](std::size_t done, std::size_t) {
                                   bar.update(done);
                                   session.check_stop("the pictures so far are in " + photos_->string());
                                 });
    bar.finish();
  }
  const demo_summary summary = run_demo(session, {.photos = *photos_, .out = out_, .epochs = epochs_});
  if (session.wants_json()) {
    json document{{"page", path_to_text(summary.page.string())},
                  {"photos", summary.photos},
                  {"groups", summary.groups},
                  {"seconds", summary.seconds}};
    if (summary.precision) {
      document["precision_at_n"] = *summary.precision;
      document["best_baseline_precision_at_n"] = *summary.best_baseline;
    }
    session.print(document);
  } else {
    std::cout << count_text(summary.photos, "photo") << " in " << count_text(summary.groups, "group") << ", "
              << duration_text(summary.seconds) << '\n';
    if (summary.precision)
      std::cout << "of the 10 nearest photos, " << fixed_text(100 * *summary.precision, 1)
                << "% lie in the same folder (best simple baseline: " << fixed_text(100 * *summary.best_baseline, 1)
                << "%)\n";
    std::cout << "open " << shell_word(std::filesystem::absolute(summary.page).lexically_normal().string()) << '\n';
  }
  return session.finish();
}

}  // namespace imgsim::app
