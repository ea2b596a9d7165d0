// How times grow, for the programs that hold growth against theory: sizes along an axis, a line fitted to the
// logarithms, a table and plots. `Size` is a program's own struct of sizes, the defaults where an axis does not vary
// them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/svg_plot.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim_bench {

/// Seconds that work() takes.
template <class Work>
[[nodiscard]] double seconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Of one unit of work; what it found cost, where it looks for something cheap.
struct outcome {
  double seconds, cost;

  outcome(double took, double costs = std::numeric_limits<double>::quiet_NaN()) : seconds(took), cost(costs) {}
};

/// One kind of work along an axis.
template <class Size>
struct measured {
  std::string name;
  std::function<outcome(const imgsim::cpu_context&, const Size&)> work;
  double theory = 0;  // the exponent
  std::vector<std::size_t> values;
  std::vector<double> x = {}, seconds = {}, costs = {};

  /// The slope of the straight line fitted to the logarithms of the last four sizes: theory is for large ones.
  [[nodiscard]] double exponent() const {
    double mean_x = 0, mean_y = 0, both = 0, square = 0;
    const std::size_t first = x.size() - std::min<std::size_t>(4, x.size());
    const auto count = static_cast<double>(x.size() - first);
    for (std::size_t i = first; i < x.size(); ++i) {
      mean_x += std::log(x[i]) / count;
      mean_y += std::log(seconds[i]) / count;
    }
    for (std::size_t i = first; i < x.size(); ++i) {
      both += (std::log(x[i]) - mean_x) * (std::log(seconds[i]) - mean_y);
      square += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
    }
    return both / square;
  }
};

template <class Size>
struct axis {
  const char* letter;
  std::string label;
  std::size_t Size::* member;
  std::vector<measured<Size>> lines;
};

/// The least of `runs` times for each size; prints the exponents.
template <class Size>
void measure(const imgsim::cpu_context& context, axis<Size>& along, std::size_t runs) {
  for (measured<Size>& line : along.lines) {
    for (const std::size_t value : line.values) {
      Size size;
      size.*along.member = value;
      outcome least = std::numeric_limits<double>::infinity();
      for (std::size_t run = 0; run < runs; ++run)
        least = std::min(least, line.work(context, size), [](auto& a, auto& b) { return a.seconds < b.seconds; });
      line.x.push_back(static_cast<double>(value));
      line.seconds.push_back(least.seconds);
      line.costs.push_back(least.cost);
    }
    std::printf("%s: time grows as %s^%.2f, theory %s^%g\n", line.name.c_str(), along.letter, line.exponent(),
                along.letter, line.theory);
    std::fflush(stdout);
  }
}

/// Writes <name>_<letter>.svg and adds the axis to the table.
template <class Size>
void write(const std::filesystem::path& folder, const std::string& name, const axis<Size>& along,
           imgsim::text_table& table) {
  imgsim::line_plot plot{.title = "Time against " + along.label,
                         .x_label = along.label,
                         .y_label = "seconds",
                         .log_x = true,
                         .log_y = true};
  for (const measured<Size>& line : along.lines) {
    const std::string fitted = std::string(along.letter) + "^" + imgsim::fixed_text(line.exponent(), 2);
    plot.series.push_back({.name = line.name + ": " + fitted, .x = line.x, .y = line.seconds, .dots = true});
    for (std::size_t i = 0; i < line.x.size(); ++i)
      table.add_row({line.name, along.letter, imgsim::general_text(line.x[i], 8),
                     imgsim::general_text(line.seconds[i], 4),
                     std::isnan(line.costs[i]) ? std::string() : imgsim::general_text(line.costs[i], 8),
                     imgsim::fixed_text(line.exponent(), 2), imgsim::general_text(line.theory, 3)});
  }
  imgsim::write_file(folder / (name + "_" + along.letter + ".svg"), imgsim::render_svg(plot));
}

[[nodiscard]] inline std::vector<std::size_t> doubled(std::size_t first, std::size_t last) {
  std::vector<std::size_t> values;
  for (; first <= last; first *= 2) values.push_back(first);
  return values;
}

/// Measures and writes every axis: <name>_<letter>.svg, and <name>.csv with the times.
template <class Size>
void measure_growth(const imgsim::cpu_context& context, const std::filesystem::path& folder, const std::string& name,
                    std::vector<axis<Size>> axes, std::size_t runs) {
  std::filesystem::create_directories(folder);
  imgsim::text_table table{{{"work"}, {"axis"}, {"value"}, {"seconds"}, {"cost"}, {"exponent"}, {"theory"}}, {}};
  for (axis<Size>& along : axes) {
    measure(context, along, runs);
    write(folder, name, along, table);
  }
  imgsim::write_file(folder / (name + ".csv"), imgsim::to_csv(table));
}

}  // namespace imgsim_bench
