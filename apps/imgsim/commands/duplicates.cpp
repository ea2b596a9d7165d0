#include "commands/duplicates.hpp"

#include <iostream>

#include "pipeline/duplicates_report.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/query_pictures.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim::app {

command_help duplicates_command::help() const {
  return {.usage = "--index IDX [options]",
          .about =
              "Lists groups of photos that are one photo: the same file, or the same picture re-encoded, resized, "
              "brightened, blurred, mirrored or cropped a little. Files with the same content hash are always listed, "
              "marked as exact. For the others each photo and its mirror image are compared with their nearest of the "
              "index: the pictures are read again and laid over each other. How close is close enough is told from "
              "the folder itself: variants made of its photos say how far duplicates differ, the closest pairs beyond "
              "that how many pairs that are no duplicates come closer by chance. --precision holds for the whole list "
              "of near-identical pairs, not for each pair; a folder without duplicates gets (nearly) none. Photos "
              "taken a moment apart may be told from duplicates by nobody: they count as duplicates where hardly any "
              "other pair comes as close.",
          .examples = {"imgsim duplicates --index photos.idx",
                       "imgsim duplicates --index photos.idx --precision 0.999 --report duplicates.html --json"},
          .exit_codes = {}};
}

void duplicates_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options.real("precision", "P", precision_, {0.5, 0.9999},
               "share of the reported near-identical pairs that are to be duplicates");
  options.path("report", "FILE.html", report_, "also write a page with the photos of each group side by side");
  describe_thumbnails(options, thumbnails_);
}

exit_code duplicates_command::run(session& session) {
  const photo_index index = open_index(index_);
  expect_photo_folder(index);
  if (report_) {
    refuse_output_among_photos(*report_, index.photos_root());
    prepare_output_file(session, *report_, output_kind::page);
  }
  const duplicate_report report = find_duplicates(session, index, precision_);
  if (session.is_dry_run()) return session.finish_dry_run(index.size());
  if (session.wants_json()) {
    json document{{"index", path_to_text(index_.string())}};
    document.update(to_json(report, index));
    document["seed"] = session.options().seed;
    document["skipped"] = session.skipped();
    session.print(document);
  } else {
    print(session, index, report);
  }
  if (report_) {
    write_file(*report_, to_page(session, report, index));
    session.note("wrote " + report_->string());
  }
  return session.finish();
}

void duplicates_command::print(const session& session, const photo_index& index, const duplicate_report& report) const {
  std::cout << to_text(report);
  std::optional<shown_photos> shown;
  if (thumbnails_ && !report.groups.empty()) shown = photos_of(session, index);
  for (std::size_t g = 0; g < report.groups.size(); ++g) {
    std::cout << '\n' << to_text(report.groups[g], g + 1, index);
    if (shown) std::cout << picture_text(*thumbnails_, draw_duplicates(*shown, report.groups[g]).view());
  }
}

}  // namespace imgsim::app
