// The pages of a collection and the answers that they ask for: what HTTP carries, without HTTP.
//
//   /  and the files of serve/assets      the pages
//   /api/index, /api/photos, /api/groups  what there is
//   /api/neighbours?row=R&n=N&metric=M&prior=P
//   /api/search?n=N&metric=M&prior=P      POST: the photo is the body
//   /api/duplicates, /api/choose-k, /api/map   how far the work is; POST begins it
//   /thumbnail/ROW?content=C, /photo/ROW?content=C
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/match_list.hpp"
#include "serve/collection.hpp"
#include "serve/connection_limits.hpp"
#include "serve/reply.hpp"
#include "serve/thumbnails.hpp"

namespace imgsim::app {

class site {
 public:
  static constexpr std::size_t kMaxUpload = std::size_t{32} << 20;  // bytes

  /// Opens the index and its model. Throws io_error.
  site(session& session, const std::filesystem::path& index, std::optional<std::filesystem::path> thumbnails);

  /// Both usable from any thread; throw refusal, and error where the server is at fault.
  [[nodiscard]] reply get(const std::string& path, const request_parameters& parameters);
  [[nodiscard]] reply post(const std::string& path, const request_parameters& parameters,
                           std::span<const std::byte> body);

  /// Photos of the index as it was opened.
  [[nodiscard]] std::size_t photos() { return current_.get()->index().size(); }

  /// Until `stop`: makes and keeps the thumbnails of each version's photos, removes those of photos that are gone from
  /// it, and old ones.
  void keep_thumbnails(const std::stop_token& stop);

 private:
  /// `kept`: the contents of the version before that have a thumbnail in the folder, then those of this one.
  void keep_thumbnails_of(const collection& shown, std::unordered_set<std::string>& kept, const std::stop_token& stop);
  [[nodiscard]] json describe(collection& shown) const;
  [[nodiscard]] json neighbours(collection& shown, const request_parameters& parameters);
  [[nodiscard]] json search(collection& shown, const request_parameters& parameters, std::span<const std::byte> photo);
  [[nodiscard]] json groups_of(const collection& shown) const;
  [[nodiscard]] reply picture(collection& shown, const std::string& path, const request_parameters& parameters);
  [[nodiscard]] json answer(const collection& shown, match_list list, const request_parameters& parameters) const;

  session& session_;
  std::mutex decoding_;  // before device_: one photo from outside at a time, which may take 200 MB of pixels
  std::mutex device_;    // one search at a time on the session's device and the model
  current_collection current_;
  thumbnail_store thumbnails_;
  byte_budget photos_{std::uint64_t{256} << 20};  // sent whole
};

}  // namespace imgsim::app
