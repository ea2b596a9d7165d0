// The answer of choose-k as tables, JSON, CSV, a plot and a section of a page.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/session.hpp"
#include "pipeline/sweep.hpp"

#include <imgsim/report/html.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

/// A row for each K.
[[nodiscard]] text_table choose_k_table(const sweep_result& swept);
/// The same under headings that 80 columns of a terminal have room for.
[[nodiscard]] text_table choose_k_screen_table(const sweep_result& swept);
/// A row for each criterion: the K it finds best, what it says there, and how stable the groups are.
[[nodiscard]] text_table criteria_table(const sweep_result& swept);
[[nodiscard]] json choose_k_json(const sweep_result& swept, const std::string& metric, std::uint64_t seed);
/// Writes choose_k.csv, choose_k.json and choose_k.svg into `folder`. Throws io_error.
void write_choose_k(const std::filesystem::path& folder, const sweep_result& swept, const json& document);
/// The verdict, the curve with the chosen K and the criteria, in the section begun last.
void add_sweep(html_page& page, const sweep_result& swept);

}  // namespace imgsim::app
