#include "commands/index.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <string>

#include "cli/text.hpp"
#include "pipeline/drift.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/update_index.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

command_help index_command::help() const {
  return {
      .usage = "--images DIR --model FILE --index IDX [options]",
      .about =
          "Encodes every photo under DIR (JPEG, PNG, WebP) with the model and keeps the embeddings, with a copy "
          "of the model, in the folder IDX. On an existing index only what changed is encoded: new and changed "
          "photos are added, those that are gone are dropped; --images and --model then default to those of "
          "the index. Another model encodes all photos again; another folder that lacks more than "
          "half of them needs --replace. Stored neighbours and groups go when the photos change. Photos that cannot be "
          "read are listed and skipped; hidden files and folders (with a leading dot) and files of other kinds are "
          "left out, and it is said how many pictures are among them. Where the photos are of another kind than those "
          "that the model was trained on, it says so, with how often they are told apart; chance alone passes for that "
          "in fewer than one folder of 1000, if photos are independent of one another, as bursts and copies are not.",
      .examples = {"imgsim index --images photos --model photos.safetensors --index photos.idx",
                   "imgsim index --index photos.idx"},
      .exit_codes = {}};
}

void index_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder of the index, made where it is missing").required();
  options.path("images", "DIR", images_, "folder of photos, searched at any depth").defaults_to("the index's own");
  options.path("model", "FILE", model_, "model made by imgsim train or import-keras").defaults_to("the index's own");
  options.flag("replace", replace_, "let the photos of another folder take the place of those that the index holds");
}

namespace {

json counts_of(const update_summary& summary) {
  return {{"added", summary.added},     {"changed", summary.changed},     {"renamed", summary.renamed},
          {"removed", summary.removed}, {"unchanged", summary.unchanged}, {"reencoded", summary.reencoded},
          {"encoded", summary.encoded}};
}

}  // namespace

exit_code index_command::run(session& session) {
  const auto begin = std::chrono::steady_clock::now();
  const index_outcome outcome = update_index(
      session, complete_request({.images = images_, .model = model_, .index = index_, .replace = replace_}));
  const update_summary& summary = outcome.summary;
  if (outcome.left_out) session.note(*outcome.left_out);
  if (session.is_dry_run()) return session.finish_dry_run(summary.photos(), counts_of(summary));
  const photo_index index = open_index(index_, 0);
  static_cast<void>(index.embeddings());  // damage in rows that were kept is not passed on in silence
  std::optional<drift_report> drift;
  try {
    drift = drift_of(index, outcome.kept_for_drift);
  } catch (const io_error& fault) {
    session.warn(std::string(fault.what()) + "; whether the photos are of the kind trained on is not told");
  }
  if (drift && drift->drifted())
    session.warn("these photos are of another kind than those that the model was trained on: " + drift_text(*drift) +
                 "; imgsim train on this folder makes a model for them");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  if (session.wants_json()) {
    json document{{"index", path_to_text(index_.string())}, {"photos", index.size()}, {"dimension", index.dimension()}};
    document.update(counts_of(summary));
    document["dropped"] = outcome.dropped;
    document["drift"] = to_json(drift);
    document["skipped"] = session.skipped();
    document["seconds"] = seconds;
    session.print(document);
  } else {
    std::cout << printable_utf8(index_.string()) << ": " << count_text(index.size(), "photo") << ", "
              << index.dimension() << " numbers each\n"
              << "added " << summary.added << ", changed " << summary.changed << ", renamed " << summary.renamed
              << ", removed " << summary.removed << ", unchanged " << summary.unchanged;
    if (summary.reencoded > 0) std::cout << ", encoded again " << summary.reencoded;
    std::cout << ", skipped " << summary.skipped.size() << " in " << duration_text(seconds) << '\n';
    const std::string of_index = " --index " + shell_word(index_.string());
    if (summary.unchanged == 0)
      session.note("next: imgsim query" + of_index + " PHOTO, imgsim cluster" + of_index +
                   " -k auto --out DIR, or imgsim serve" + of_index);
    if (drift) std::cout << "drift: " << (drift->drifted() ? "" : "none; ") << drift_text(*drift) << '\n';
  }
  return session.finish();
}

}  // namespace imgsim::app
