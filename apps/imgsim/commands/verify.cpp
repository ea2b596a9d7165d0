#include "commands/verify.hpp"

#include <algorithm>
#include <iostream>

#include "pipeline/model_files.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/embedding/verify.hpp>
#include <imgsim/report/escape.hpp>

namespace imgsim::app {

namespace {

const char* name_of(severity of) {
  return of == severity::damage ? "damage" : of == severity::newer ? "newer" : "note";
}

/// "is sound", by the worst of what was found.
const char* verdict_of(severity worst) {
  return worst == severity::damage  ? "is damaged"
         : worst == severity::newer ? "cannot be checked by this imgsim"
                                    : "is sound";
}

}  // namespace

command_help verify_command::help() const {
  return {.usage = "IDX | MODEL",
          .about =
              "Reads every byte of an index and checks it: checksums, shapes, the order of its lists, neighbours and "
              "groups against its rows, its copy of the model, and whether its photos are still as they were. Of a "
              "model it checks that the weights are whole and fit the architecture. Nothing is changed.",
          .examples = {"imgsim verify photos.idx", "imgsim verify photos.safetensors --json"},
          .exit_codes = {"0  all holds; notes may be printed", "1  damaged, made by a newer imgsim, or cannot be read",
                         "2  wrong usage"}};
}

void verify_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "the index, in place of the argument");
  options.positional({.metavar = "IDX or MODEL", .target = &paths_, .least = 0, .most = 1, .kind = value_kind::file});
}

void verify_command::validate(const option_set&) {
  if (index_.has_value() == !paths_.empty()) throw usage_error("name one index or model to verify");
}

exit_code verify_command::run(session& session) {
  const std::filesystem::path path = index_ ? *index_ : std::filesystem::path(paths_.front());
  expect_index_or_model(path);
  std::vector<finding> findings;
  if (std::filesystem::is_directory(path)) {
    findings = verify_index(
        path, {.check_model = [](const std::filesystem::path& model) { static_cast<void>(load_model(model)); }});
  } else {
    try {
      static_cast<void>(load_model(path));
    } catch (const newer_file& newer) {
      findings.push_back(newer_finding(newer.path().string()));
    } catch (const io_error& failure) {
      findings.push_back({severity::damage, failure.path().string(), failure.reason(),
                          "restore it from a copy, or train anew with imgsim train"});
    }
  }
  severity worst = severity::note;
  for (const finding& found : findings) worst = std::max(worst, found.severity);
  const bool sound = worst == severity::note;
  if (session.wants_json()) {
    json list = json::array();
    for (const finding& found : findings)
      list.push_back({{"severity", name_of(found.severity)},
                      {"file", path_to_text(found.file)},
                      {"what", found.what},
                      {"advice", found.advice}});
    session.print({{"path", path_to_text(path.string())}, {"sound", sound}, {"findings", std::move(list)}});
  } else {
    for (const finding& found : findings)
      std::cout << name_of(found.severity) << ": "
                << printable_utf8(found.file + ": " + found.what + "; " + found.advice) << '\n';
    std::cout << printable_utf8(path.string()) << ' ' << verdict_of(worst) << '\n';
  }
  return sound ? exit_code::done : exit_code::failed;
}

}  // namespace imgsim::app
