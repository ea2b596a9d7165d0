#include "cli/global_options.hpp"

namespace imgsim::app {

void describe(option_set& options, global_options& target) {
  options
      .custom(
          "device", "DEVICE", [&target](const std::string& text) { target.device = parse_device(text); },
          "where to compute: auto, cpu, cuda or cuda:N")
      .offers({"auto", "cpu", "cuda"})
      .defaults_to("auto");
  options.whole("threads", "T", target.threads, {1, 4096}, "CPU threads").defaults_to("one per hardware thread");
  options.whole("seed", "S", target.seed, {}, "seed of every random choice");
  options.whole("max-pixels", "P", target.max_pixels, {1, std::uint64_t{1} << 40},
                "largest photo that is decoded, in pixels");
  options.flag("deterministic", target.deterministic,
               "equal bytes for equal input and seed, on every run; durations are written as 0");
  options.flag("json", target.json, "print one JSON document on stdout instead of text");
  options.flag("quiet", target.quiet, "no progress and no notes; errors and skipped photos are still listed");
  options.flag("help", target.help, "print this help").short_name('h');
  options.flag("version", target.version, "print the version");
}

}  // namespace imgsim::app
