// The answer of choose-k as a table, JSON, CSV and a plot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/session.hpp"

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

[[nodiscard]] text_table choose_k_table(const choose_k_result& result);
[[nodiscard]] json choose_k_json(const choose_k_result& result, const std::string& metric, std::uint64_t seed);
/// Writes choose_k.csv, choose_k.json and choose_k.svg into `folder`. Throws io_error.
void write_choose_k(const std::filesystem::path& folder, const choose_k_result& result, const json& document);

}  // namespace imgsim::app
