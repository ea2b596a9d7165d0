#include "serve/site.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <string_view>

#include "pipeline/choose_k_files.hpp"
#include "pipeline/collection_map.hpp"
#include "pipeline/duplicates.hpp"
#include "pipeline/duplicates_report.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/predict_groups.hpp"
#include "pipeline/probability_options.hpp"
#include "pipeline/sweep.hpp"
#include "serve/assets.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/core/version.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr double kDuplicatePrecision = 0.99;  // as of imgsim duplicates
constexpr std::size_t kMatches = 24;          // where the page does not say
constexpr std::chrono::seconds kNewVersionInterval{1};
constexpr std::chrono::seconds kPhotoPatience{5};

// Bytes of a file that are read and made a thumbnail of about as fast as one is read: none is kept. The file is not
// sent in its place all the same: it has what its camera wrote into it, and may lie on its side where a browser does
// not understand that.
constexpr std::uintmax_t kSmallPhoto = std::uintmax_t{16} << 10;

reply json_reply(const json& document) {
  return {.body = json_text(document, -1)};
}

std::string_view type_of_asset(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

const asset* find_asset(std::string_view path) {
  if (!path.starts_with('/')) return nullptr;
  const std::string_view name = path == "/" ? "index.html" : path.substr(1);
  const auto found = std::ranges::find(assets(), name, &asset::name);
  return found == assets().end() ? nullptr : &*found;
}

/// The only types that are ever served from the folder of photos, by content.
std::string_view type_of_picture(std::string_view file) {
  using namespace std::string_view_literals;
  if (file.starts_with("\xff\xd8\xff"sv)) return "image/jpeg";
  if (file.starts_with("\x89PNG\r\n\x1a\n"sv)) return "image/png";
  if (file.starts_with("RIFF"sv) && file.substr(0, 12).ends_with("WEBP"sv)) return "image/webp";
  return {};
}

std::string metric_of(const request_parameters& parameters) {
  std::string metric = parameters.text("metric", std::string(metric_names.front()));
  if (std::ranges::find(metric_names, metric) == metric_names.end())
    throw refusal(400, "there is no metric " + printable_utf8(metric));
  return metric;
}

/// Of what is searched for, in rising order of trouble.
std::size_t matches_wanted(const request_parameters& parameters) {
  return parameters.whole("n", kMatches, {1, std::size_t{1} << 20});
}

/// {"background": how far it is} of what the page asks for by `path`; nullptr for another path.
background_task* task_at(collection& shown, std::string_view path) {
  if (path == "/api/duplicates") return &shown.tasks().duplicates;
  if (path == "/api/choose-k") return &shown.tasks().choose_k;
  if (path == "/api/map") return &shown.tasks().map;
  return nullptr;
}

json find_duplicates_of(session& background, const photo_index& index) {
  json document = to_json(find_duplicates(background, index, kDuplicatePrecision), index);
  document["skipped"] = background.skipped();
  return document;
}

json choose_k_of(session& background, const photo_index& index) {
  sweep_request request;
  request.explains = true;
  return choose_k_json(sweep_groups(background, index, request), request.metric, background.options().seed);
}

json map_of(session& background, const photo_index& index) {
  const tensor<float, 2> places = map_of_photos(background, index);
  json x = json::array(), y = json::array();
  const auto rounded = [](float value) { return std::round(static_cast<double>(value) * 1e4) / 1e4; };
  for (std::size_t row = 0; row < places.extent(0); ++row) {
    x.push_back(rounded(places(row, 0)));
    y.push_back(rounded(places(row, 1)));
  }
  return {{"x", std::move(x)}, {"y", std::move(y)}};
}

}  // namespace

site::site(session& session, const std::filesystem::path& index, std::optional<std::filesystem::path> thumbnails)
    : session_(session), current_(session, index, device_), thumbnails_(session.limits(), std::move(thumbnails)) {}

reply site::get(const std::string& path, const request_parameters& parameters) {
  if (const asset* file = find_asset(path))
    return {.type = std::string(type_of_asset(file->name)), .body = std::string(file->bytes)};
  const std::shared_ptr<collection> shown = current_.get();
  if (path == "/api/index") return json_reply(describe(*shown));
  if (path == "/api/photos") return {.body = shown->photo_list()};
  if (path == "/api/groups") return json_reply(groups_of(*shown));
  if (path == "/api/neighbours") return json_reply(neighbours(*shown, parameters));
  if (const background_task* task = task_at(*shown, path)) return {.body = task->state(shown->version())};
  if (path.starts_with("/thumbnail/") || path.starts_with("/photo/")) return picture(*shown, path, parameters);
  throw refusal(404, "there is no such page");
}

reply site::post(const std::string& path, const request_parameters& parameters, std::span<const std::byte> body) {
  const std::shared_ptr<collection> shown = current_.get();
  if (path == "/api/search") return json_reply(search(*shown, parameters, body));
  background_task* const task = task_at(*shown, path);
  if (task == nullptr) throw refusal(404, "there is no such page");
  const auto make = task == &shown->tasks().duplicates ? find_duplicates_of
                    : task == &shown->tasks().choose_k ? choose_k_of
                                                       : map_of;
  task->start(session_, [&index = shown->index(), make](session& background) { return make(background, index); });
  return {.body = task->state(shown->version())};
}

json site::describe(collection& shown) const {
  const photo_index& index = shown.index();
  json faults = json::array();
  for (const std::string& fault : shown.faults()) faults.push_back(fault);
  if (const std::string fault = current_.fault(); !fault.empty()) faults.push_back(fault);
  return {{"version", shown.version()},
          {"imgsim", version},
          {"name", path_to_text(index.photos_root().filename().string())},
          {"index", path_to_text(index.folder().string())},
          {"photos", index.size()},
          {"dimension", index.dimension()},
          {"metrics", metric_names},
          {"searches_new_photos", shown.model() != nullptr},
          {"calibrated", shown.calibration().has_value()},
          {"groups", shown.grouping() ? json(shown.grouping()->k()) : json(nullptr)},
          {"max_upload", kMaxUpload},
          {"faults", std::move(faults)}};
}

json site::answer(const collection& shown, match_list list, const request_parameters& parameters) const {
  const double prior = parameters.real("prior", 0.5, {1e-9, 1 - 1e-9});
  if (shown.calibration() && list.metric == cosine::name) add_probabilities(list, *shown.calibration(), prior);
  json document = to_json(list, shown.index());
  for (std::size_t i = 0; i < list.probabilities.size(); ++i)
    if (json& match = document["matches"][i]; !match["probability"].is_null())
      match["percent"] = percent_text(list.probabilities[i]);
  document["version"] = shown.version();
  return document;
}

json site::neighbours(collection& shown, const request_parameters& parameters) {
  const std::size_t row = parameters.whole("row", 0, {0, shown.index().size() - 1});
  const std::string metric = metric_of(parameters);
  match_list list{.query = shown.index().photos()[row].path, .metric = metric, .matches = {}};
  {
    const std::lock_guard use(device_);
    list.matches = neighbours_of_row(shown.index(), row, metric, matches_wanted(parameters),
                                     exact_search(session_, shown.index(), metric));
  }
  return answer(shown, std::move(list), parameters);
}

json site::search(collection& shown, const request_parameters& parameters, std::span<const std::byte> photo) {
  const std::string metric = metric_of(parameters);
  const std::size_t wanted = matches_wanted(parameters);
  if (shown.model() == nullptr)
    throw refusal(409, "the index has no model that can be used; imgsim index --model FILE gives it one");
  match_list list{.query = "", .metric = metric, .matches = {}};
  std::optional<group_choice> group;
  const std::lock_guard one_at_a_time(decoding_);
  rgb_image image;
  try {
    decode_image(photo, session_.limits(), image);
  } catch (const image_error& reason) {
    throw refusal(415, reason.what());
  }
  {
    const std::lock_guard use(device_);
    const tensor<float, 2> embedding = encode_images(*shown.model(), std::span(&image, 1));
    list.matches = matches_of(session_.device().top_n(shown.index().embeddings(), embedding.view(), metric,
                                                      {.n = wanted, .exclude_self = false, .first_row = 0}),
                              0);
    if (shown.grouping()) group = predict_groups(session_, shown.index(), embedding.view()).choices.front();
  }
  json document = answer(shown, std::move(list), parameters);
  document["group"] = group ? json{{"group", group->group}, {"outlier", group->is_outlier}} : json(nullptr);
  return document;
}

json site::groups_of(const collection& shown) const {
  if (!shown.grouping()) return {{"version", shown.version()}, {"k", 0}};
  const groups& grouping = *shown.grouping();
  json document{{"version", shown.version()},    {"k", grouping.k()},
                {"method", grouping.method},     {"metric", grouping.metric},
                {"cost", grouping.cost},         {"medoids", grouping.medoids},
                {"clusters", grouping.clusters}, {"outliers", grouping.outliers}};
  if (grouping.max_distance) document["reach_text"] = general_text(*grouping.max_distance);
  if (grouping.outlier_distance) document["outlier_text"] = general_text(*grouping.outlier_distance);
  return document;
}

reply site::picture(collection& shown, const std::string& path, const request_parameters& parameters) {
  const photo_index& index = shown.index();
  const std::string_view digits = std::string_view(path).substr(path.rfind('/') + 1);
  std::size_t row = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), row);
  const bool is_number = !digits.empty() && failure == std::errc{} && end == digits.data() + digits.size();
  const bool is_thumbnail = path.starts_with("/thumbnail/");
  const std::size_t prefix = std::string_view(is_thumbnail ? "/thumbnail/" : "/photo/").size();
  if (!is_number || path.size() != prefix + digits.size() || row >= index.size() ||
      parameters.text("content", "") != content_name(index.photos()[row]))
    throw refusal(404, "the index has no such photo, or no longer");
  try {
    if (is_thumbnail) return {.type = "image/jpeg", .body = *thumbnails_.of(index, row), .keep = keep_answer::checked};
    std::shared_ptr<void> held = photos_.hold(index.photos()[row].size, kPhotoPatience);
    if (!held) throw refusal(503, "other photos are being sent; try again");
    std::string file(text_of(read_indexed_file(index, row, session_.limits())));
    const std::string_view type = type_of_picture(file);
    if (type.empty()) throw refusal(404, "the file is no JPEG, PNG or WebP");
    return {.type = std::string(type), .body = std::move(file), .keep = keep_answer::checked, .held = std::move(held)};
  } catch (const io_error& reason) {
    throw refusal(404, reason.reason());
  }
}

void site::keep_thumbnails(const std::stop_token& stop) {
  if (!thumbnails_.has_folder()) return;
  std::unordered_set<std::string> kept;
  std::string version;
  std::mutex asleep;
  std::condition_variable_any never;
  for (std::unique_lock lock(asleep); !stop.stop_requested();
       never.wait_for(lock, stop, kNewVersionInterval, [] { return false; })) {
    try {
      const std::shared_ptr<collection> shown = current_.get();
      if (shown->version() == version) continue;
      version = shown->version();
      keep_thumbnails_of(*shown, kept, stop);
    } catch (const std::exception&) {
      // They are a cache: what cannot be kept is made when it is looked at.
    }
  }
}

void site::keep_thumbnails_of(const collection& shown, std::unordered_set<std::string>& kept,
                              const std::stop_token& stop) {
  const photo_index& index = shown.index();
  const bool is_first = kept.empty();  // later versions, which may come every second, cost what is new in them
  std::unordered_set<std::string_view> contents;
  for (const indexed_photo& photo : index.photos())
    if (photo.size > kSmallPhoto) contents.insert(photo.content_hash);
  std::erase_if(kept, [&](const std::string& content) {
    if (contents.contains(content)) return false;
    thumbnails_.forget(content);
    return true;
  });
  for (const std::string_view content : contents)
    if (std::string one(content); !kept.contains(one) && thumbnails_.is_kept(one)) kept.insert(std::move(one));
  if (is_first) thumbnails_.remove_old();
  for (std::size_t row = 0; row < index.size(); ++row) {
    // An index that was replaced begins anew, and the old one is not kept for this.
    if (stop.stop_requested() || current_.get().get() != &shown) return;
    const indexed_photo& photo = index.photos()[row];
    if (!contents.contains(photo.content_hash) || kept.contains(photo.content_hash)) continue;
    try {
      if (thumbnails_.keep(index, row)) kept.insert(photo.content_hash);
    } catch (const std::exception&) {
      // Gone or damaged, too large for the memory, no room in the folder: told where the photo is looked at.
    }
  }
}

}  // namespace imgsim::app
