// One version of an index with what its pages need: groups, the model, work in the background. Replaced as a whole when
// the index is.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "device/compute.hpp"
#include "serve/background_task.hpp"

#include <imgsim/cluster/groups.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/evaluate/score_calibration.hpp>

namespace imgsim::app {

/// What addresses of a photo call its content: enough of the hash to tell whether a row is still that photo.
[[nodiscard]] std::string content_name(const indexed_photo& photo);

class collection {
 public:
  /// Throws io_error where there is no index that can be read. What a damaged model or damaged groups rule out is told
  /// by faults(), not thrown.
  collection(session& session, const std::filesystem::path& folder);

  [[nodiscard]] const photo_index& index() const noexcept { return index_; }
  /// Names this version.
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  /// Of the last clustering, if it is of these photos.
  [[nodiscard]] const std::optional<groups>& grouping() const noexcept { return groups_; }
  /// Null where the index has no model that can be used. Not to be used by two threads at once.
  [[nodiscard]] encoder* model() const noexcept { return encoder_.get(); }
  [[nodiscard]] const std::optional<score_calibration>& calibration() const noexcept { return calibration_; }
  /// Sentences for the reader of the page.
  [[nodiscard]] const std::vector<std::string>& faults() const noexcept { return faults_; }

  /// The paths, contents and groups of all photos, as JSON text.
  [[nodiscard]] const std::string& photo_list() const noexcept { return photo_list_; }

  /// Work on this version; what it runs may refer to this object.
  struct background_tasks {
    background_task duplicates, choose_k, map;
  };
  [[nodiscard]] background_tasks& tasks() noexcept { return tasks_; }

 private:
  void open_groups();
  void open_model(session& session);
  [[nodiscard]] std::string list_photos() const;

  photo_index index_;
  std::string version_;
  std::vector<std::string> faults_;
  std::optional<groups> groups_;
  std::unique_ptr<encoder> encoder_;
  std::optional<score_calibration> calibration_;
  std::string photo_list_;
  background_tasks tasks_;  // last: the first that is destroyed, since it reads the others
};

/// The newest version of an index. Usable from any thread.
class current_collection {
 public:
  /// `device` is held while the session's device is in use. Throws io_error where there is no index.
  current_collection(session& session, std::filesystem::path folder, std::mutex& device);

  /// Looks, now and then, whether the index was replaced. One that can no longer be read is shown as it was.
  [[nodiscard]] std::shared_ptr<collection> get();
  /// Why the index on disk is not the one shown; empty where it is.
  [[nodiscard]] std::string fault() const;

 private:
  /// The newest version; the one before, where there is another now, in `replaced`.
  [[nodiscard]] std::shared_ptr<collection> renew(std::shared_ptr<collection>& replaced);

  session& session_;
  std::filesystem::path folder_;
  std::mutex& device_;
  mutable std::mutex mutex_;
  std::string seen_;  // which manifest files are there
  std::chrono::steady_clock::time_point looked_;
  std::shared_ptr<collection> current_;
  std::string fault_;
};

}  // namespace imgsim::app
