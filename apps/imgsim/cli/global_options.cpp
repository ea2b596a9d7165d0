#include "cli/global_options.hpp"

namespace imgsim::app {

void describe(option_set& options, global_options& target) {
  options
      .custom(
          "device", "DEVICE", [&target](const std::string& text) { target.device = parse_device(text); },
          "where to compute: auto, cpu, cuda or cuda:N")
      .offers({"auto", "cpu", "cuda"})
      .defaults_to("auto");
  options.whole("threads", "T", target.threads, {1, 4096}, "CPU threads, of each rank under mpirun")
      .defaults_to("one per hardware thread");
  options.whole("seed", "S", target.seed, {}, "seed of every random choice");
  options.whole("max-pixels", "P", target.max_pixels, {1, std::uint64_t{1} << 40},
                "largest photo that is decoded, in pixels");
  options.flag("deterministic", target.deterministic,
               "equal bytes for equal input and seed, on every run; durations are written as 0");
  options.path("config", "FILE.toml", target.config, "options that are used where the command line gives none")
      .defaults_to("IMGSIM_CONFIG, or imgsim/config.toml in XDG_CONFIG_HOME or ~/.config");
  options
      .custom(
          "color", "WHEN",
          [&target](const std::string& text) {
            expect_choice(text, {"auto", "always", "never"});
            target.colour = text == "auto"     ? colour_choice::automatic
                            : text == "always" ? colour_choice::always
                                               : colour_choice::never;
          },
          "colour: always, never, or auto: on a terminal, unless NO_COLOR is set")
      .offers({"auto", "always", "never"})
      .defaults_to("auto");
  options.flag("json", target.json, "print one JSON document on stdout instead of text");
  options.flag("quiet", target.quiet, "no progress and no notes; errors and skipped photos are still listed");
  options.flag("help", target.help, "print this help").short_name('h');
  options.flag("version", target.version, "print the version");
}

}  // namespace imgsim::app
