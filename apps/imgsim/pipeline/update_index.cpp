#include "pipeline/update_index.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

#include "cli/text.hpp"
#include "device/compute.hpp"
#include "pipeline/drift.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/passed_over.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/model/model_file.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

void refuse_without_photos(const photo_folder& folder, std::size_t photos) {
  if (photos > 0) return;
  if (folder.photos.empty()) refuse_no_photos(folder);
  throw io_error(folder.root, "holds no photo that can be read");
}

bool is_same_folder(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored) ||
         std::filesystem::absolute(a).lexically_normal() == std::filesystem::absolute(b).lexically_normal();
}

/// Tells what the update does to an index that was made with another folder or model.
void announce(const session& session, const index_request& request, const photo_index& previous,
              const update_plan& plan, bool other_model) {
  const std::size_t kept = plan.count(photo_change::unchanged) + plan.count(photo_change::renamed);
  if (const std::filesystem::path before = previous.photos_root(); !is_same_folder(before, plan.root)) {
    const std::string photos = count_text(previous.size(), "photo") + " of " + before.string();
    if (2 * kept < previous.size() && !request.replace) {
      const std::string missing =
          kept == 0 ? "none of which is in " : std::to_string(previous.size() - kept) + " of which are not in ";
      throw io_error(request.index, "holds " + photos + ", " + missing + plan.root.string() +
                                        "; name another --index, or replace them with --replace");
    }
    const std::string change = "the index held " + photos + ", now it is made of " + plan.root.string() + ": ";
    if (kept >= previous.size()) {
      session.note(change + "all of them are there, too");
    } else {
      session.warn(change + std::to_string(previous.size() - kept) + " of them are dropped");
    }
  }
  if (other_model)
    session.warn("this is another model than the index was made with: all " + count_text(plan.photos.size(), "photo") +
                 " are encoded again");
}

/// What goes with the rows of `previous`.
std::vector<std::string> derived_of(const photo_index& previous) {
  std::vector<std::string> derived;
  if (previous.manifest().neighbours) derived.emplace_back("neighbors");
  if (previous.manifest().graph) derived.emplace_back("graph");
  if (previous.manifest().files.contains(index_file::kGroups)) derived.emplace_back("groups");
  return derived;
}

}  // namespace

index_request complete_request(typed_index_request typed) {
  if (!typed.images || !typed.model) {
    if (!std::filesystem::exists(typed.index))
      throw usage_error(std::string(typed.images ? "--model FILE" : typed.images_option) +
                        " is missing, and there is no index " + typed.index.string() + " to take it from");
    const photo_index previous = open_index(typed.index);
    if (!typed.images) typed.images = previous.photos_root();
    if (!typed.model) typed.model = previous.model_path();
  }
  // The index's own copy, damaged, must not pass for another model.
  std::error_code ignored;
  if (std::filesystem::equivalent(*typed.model, typed.index / index_file::kModel, ignored))
    typed.model = open_index(typed.index).model_path();
  return {.images = *typed.images, .model = *typed.model, .index = typed.index, .replace = typed.replace};
}

namespace {

/// What both a run and a dry run begin with.
struct opened_request {
  photo_folder folder;
  std::unique_ptr<encoder> model;
  std::string hash;
  std::optional<std::string> kept_for_drift;
};

opened_request open_request(session& session, const index_request& request) {
  opened_request opened{.folder = scan_photos(request.images), .model = {}, .hash = {}, .kept_for_drift = {}};
  const model_file model = read_model(request.model);
  opened.model = session.device().open_encoder(model);
  opened.kept_for_drift = kept_for_drift(model);
  opened.hash = model_hash(request.model);
  refuse_without_photos(opened.folder, opened.folder.photos.size());
  return opened;
}

/// Plans the files of the index that the update changes.
void plan_files(session& session, const index_request& request, const photo_index* previous, const update_plan& plan,
                const index_outcome& outcome, bool other_model) {
  const auto file = [&](const char* name) { session.plan(request.index / name); };
  plan_index_lock(session, request.index);
  const std::vector<planned_photo>& photos = plan.photos;
  const bool same_list =
      previous != nullptr && std::ranges::equal(photos, previous->photos(), {}, &planned_photo::photo);
  if (outcome.summary.same_rows && same_list && !other_model) return;
  file(index_file::kManifest);
  if (!same_list) file(index_file::kPhotos);
  if (other_model) file(index_file::kModel);
  if (outcome.summary.same_rows) return;
  file(index_file::kEmbeddings);
  for (const char* name : {index_file::kNeighbourRows, index_file::kNeighbourSimilarity, index_file::kGraphLinks,
                           index_file::kGraphLayers, index_file::kGroups, index_file::kCentroids})
    session.plan_removal(request.index / name);
}

/// A dry run: photos that would be encoded are decoded, and no more.
index_outcome plan_index(session& session, const index_request& request) {
  const opened_request opened = open_request(session, request);
  prepare_output_folder(session, request.index, {});
  std::optional<photo_index> previous;
  if (std::filesystem::exists(request.index)) {
    index_writer::expect_place(request.index);
    if (detail::find_version(request.index)) previous = open_index(request.index, 0);
  }
  const photo_index* const before = previous ? &*previous : nullptr;
  update_plan plan = plan_update(opened.folder, before, opened.hash, session.device().host_pool());
  const bool other_model = before == nullptr || before->model_hash() != opened.hash;
  if (before != nullptr) announce(session, request, *before, plan, other_model);
  std::vector<std::string> to_read;
  for (const planned_photo& photo : plan.photos)
    if (!photo.previous_row) to_read.push_back(photo.photo.path);
  std::vector<skipped_file> skipped = plan.skipped;
  check_files(session, *opened.model, opened.folder.root, to_read,
              {.store = {},
               .skip = [&](const skipped_file& file) { skipped.push_back(file); },
               .consequence = "the index is unchanged"});
  imgsim::detail::sort_by_path(skipped);
  std::erase_if(plan.photos, [&](const planned_photo& photo) {
    return std::ranges::binary_search(skipped, photo.photo.path, {}, &skipped_file::path);
  });
  for (const skipped_file& file : skipped) session.skip(file.path, file.reason);
  refuse_without_photos(opened.folder, plan.photos.size());
  index_outcome outcome{.left_out = passed_over_text(opened.folder)};
  update_summary& summary = outcome.summary;
  summary.skipped = skipped;
  summary.encoded = plan.to_encode();
  imgsim::detail::count_changes(plan, summary);
  summary.removed = plan.removed.size();
  summary.same_rows = before != nullptr && summary.unchanged == before->size() && summary.photos() == before->size();
  plan_files(session, request, before, plan, outcome, other_model);
  return outcome;
}

}  // namespace

index_outcome update_index(session& session, const index_request& request) {
  if (session.is_dry_run()) return plan_index(session, request);
  const opened_request opened = open_request(session, request);
  const auto& [folder, encoder, hash, kept] = opened;

  prepare_output_folder(session, request.index, {}, index_lock::kName);
  index_writer writer(request.index);
  const photo_index* const previous = writer.previous();
  update_plan plan = plan_update(folder, previous, hash, session.device().host_pool());
  if (previous != nullptr) announce(session, request, *previous, plan, previous->model_hash() != hash);
  writer.set_photos_root(folder.root);
  writer.set_model(request.model);
  if (writer.model_hash() != hash)
    throw io_error(request.model, "changed while the index was being made; index the folder again");
  index_outcome outcome{.left_out = passed_over_text(folder), .kept_for_drift = kept};
  outcome.summary = apply_update(
      writer, std::move(plan), encoder->dimension(), [&](std::span<const std::string> paths, row_sink& rows) {
        encode_files(
            session, *opened.model, opened.folder.root, paths,
            {.store = [&](std::size_t position, std::span<const float> embedding) { rows.store(position, embedding); },
             .skip = [&](const skipped_file& file) { rows.skip(file); },
             .consequence = "the index is unchanged"});
      });
  const update_summary& summary = outcome.summary;
  for (const skipped_file& file : summary.skipped) session.skip(file.path, file.reason);
  refuse_without_photos(folder, summary.photos());
  writer.commit();
  if (previous != nullptr && !summary.same_rows) outcome.dropped = derived_of(*previous);
  if (!outcome.dropped.empty()) {
    std::string how;
    for (const std::string& what : outcome.dropped)
      how += (how.empty() ? " imgsim " : ", imgsim ") + (what == "groups" ? "cluster" : what) + " --index " +
             request.index.string() + (what == "groups" ? " -k K" : "");
    session.note("the stored " + all_of_text(outcome.dropped) +
                 " were of the photos before and are dropped; make them " + "again with:" + how);
  }
  return outcome;
}

}  // namespace imgsim::app
