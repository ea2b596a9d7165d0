#include "cuda_host/runner/report.hpp"

#include <cstdio>
#include <mutex>
#include <utility>

namespace imgsim::cuda_host {
namespace {

struct report_list {
  std::mutex guard;
  std::vector<std::string> sentences;
};

report_list& reports() {
  static report_list list;
  return list;
}

}  // namespace

void add_report(const std::string& sentence) {
  const std::lock_guard lock(reports().guard);
  std::fprintf(stderr, "cuda_host: %s\n", sentence.c_str());
  reports().sentences.push_back(sentence);
}

std::vector<std::string> take_reports() {
  const std::lock_guard lock(reports().guard);
  return std::exchange(reports().sentences, {});
}

bool any_reports() {
  const std::lock_guard lock(reports().guard);
  return !reports().sentences.empty();
}

}  // namespace imgsim::cuda_host
