#include "commands/watch.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <new>
#include <utility>

#include "cli/text.hpp"
#include "pipeline/folder_watch.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

// Photos that never cease to come are indexed all the same.
constexpr std::chrono::milliseconds kLongestSettling{60'000};  // or ten times --settle
constexpr std::chrono::milliseconds kFirstRetry{1'000}, kLastRetry{60'000};
constexpr std::chrono::milliseconds kNoLimit = std::chrono::hours(24 * 365);

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

command_help watch_command::help() const {
  return {.usage = "[DIR] --index IDX [--model FILE] [options]",
          .about =
              "Brings the index up to date with the folder DIR as imgsim index does, and again whenever photos below "
              "it come, go, change or are renamed, until Ctrl-C. It waits until nothing has changed for --settle "
              "seconds, so that photos being copied are whole. Readers see the old index or the new one, at any "
              "moment; while another imgsim changes the index, or the folder is away, it keeps what is there and "
              "tries again. Stored neighbours and groups go when the photos change. DIR and --model default to those "
              "of the index.",
          .examples = {"imgsim watch photos --index photos.idx", "imgsim watch --index photos.idx --settle 10 --quiet"},
          .exit_codes = {}};
}

void watch_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder of the index, made where it is missing").required();
  options.path("model", "FILE", model_, "model made by imgsim train or import-keras").defaults_to("the index's own");
  options.real("settle", "SECONDS", settle_, {0, 3600},
               "how long nothing may have changed before the index is updated");
  options
      .real("every", "SECONDS", every_, {1, 1e7},
            "also look at least every so many seconds: the system tells of no changes that another machine makes to a "
            "network folder, nor of changed photos behind links")
      .defaults_to("only when the system tells of a change");
  options.positional({.metavar = "DIR", .target = &folder_, .least = 0, .most = 1, .kind = value_kind::folder});
}

void watch_command::count(session& session, const index_outcome& outcome, const json& skipped, totals& so_far) const {
  const update_summary& summary = outcome.summary;
  const bool is_first = so_far.updates++ == 0;
  so_far.photos = summary.photos();
  so_far.added += summary.added;
  so_far.changed += summary.changed;
  so_far.renamed += summary.renamed;
  so_far.removed += summary.removed;
  std::set<std::pair<std::string, std::string>> now;
  for (const json& one : skipped) now.emplace(one.at("path"), one.at("reason"));
  for (const auto& [path, reason] : now) {
    if (!so_far.skipped.contains({path, reason})) session.warn("skipped " + path + ": " + reason);
  }
  so_far.skipped = std::move(now);
  if (!outcome.dropped.empty())
    session.note("the stored " + all_of_text(outcome.dropped) + " were of the photos before and are dropped");
  const std::size_t changes = summary.added + summary.changed + summary.renamed + summary.removed + summary.reencoded;
  if (session.wants_json() || (changes == 0 && !is_first)) return;
  std::cout << printable_utf8(index_.string()) << ": " << count_text(summary.photos(), "photo") << "; added "
            << summary.added << ", changed " << summary.changed << ", renamed " << summary.renamed << ", removed "
            << summary.removed << ", skipped " << so_far.skipped.size() << '\n';
  std::cout.flush();  // whoever follows it reads it through a pipe
}

exit_code watch_command::run(session& session) {
  const std::stop_token stop = session.stop();
  const auto given = folder_.empty() ? std::nullopt : std::optional<std::filesystem::path>(folder_.front());
  const index_request request =
      complete_request({.images = given, .model = model_, .index = index_, .images_option = "DIR"});
  if (session.is_dry_run()) return session.finish_dry_run(update_index(session, request).summary.photos());
  folder_watch watch(request.images, index_);
  const std::chrono::milliseconds settle = milliseconds_of(settle_);
  totals so_far;
  std::chrono::milliseconds retry = kFirstRetry;
  // To be called where it is caught. What is wrong at the first update is for the user to mend, unless it will pass.
  const auto try_again = [&](const char* reason, bool passes = false) {
    if (so_far.updates == 0 && !passes) throw;
    session.warn(std::string(reason) + "; tried again in " + duration_text(static_cast<double>(retry.count()) / 1000));
    return std::exchange(retry, std::min(2 * retry, kLastRetry));
  };
  while (!stop.stop_requested()) {
    std::chrono::milliseconds patience = every_ ? milliseconds_of(*every_) : kNoLimit;
    const std::unique_ptr<app::session> update = session.in_background(stop);
    try {
      watch.renew();
      const index_outcome outcome = update_index(*update, request);
      count(session, outcome, update->skipped(), so_far);
      retry = kFirstRetry;
    } catch (const cancelled&) {
      break;  // the index is as it was
    } catch (const io_error& failure) {
      patience = try_again(failure.what(), failure.code() == index_lock::kBusy);
    } catch (const std::bad_alloc&) {
      patience = try_again("there is not enough memory to update the index");
    }
    if (!watch.wait(patience, stop)) continue;  // nothing changed: what failed is tried again
    const auto latest = std::chrono::steady_clock::now() + std::max(kLongestSettling, 10 * settle);
    while (watch.wait(settle, stop) && std::chrono::steady_clock::now() < latest) {
    }
  }
  if (session.wants_json()) {
    json skipped = json::array();
    for (const auto& [path, reason] : so_far.skipped) skipped.push_back({{"path", path}, {"reason", reason}});
    session.print({{"index", path_to_text(index_.string())},
                   {"photos", so_far.photos},
                   {"updates", so_far.updates},
                   {"added", so_far.added},
                   {"changed", so_far.changed},
                   {"renamed", so_far.renamed},
                   {"removed", so_far.removed},
                   {"skipped", std::move(skipped)}});
  }
  session.note("ended");
  return exit_code::done;
}

}  // namespace imgsim::app
