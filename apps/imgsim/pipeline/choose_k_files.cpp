#include "pipeline/choose_k_files.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

text_table choose_k_table(const choose_k_result& result) {
  text_table table{{{"k", alignment::right},
                    {"cost", alignment::right},
                    {"sum_of_squares", alignment::right},
                    {"medoid_silhouette", alignment::right}},
                   {}};
  for (const k_choice& choice : result.curve)
    table.add_row({std::to_string(choice.k), general_text(choice.cost, 9), general_text(choice.sum_of_squares, 9),
                   fixed_text(choice.medoid_silhouette, 6)});
  return table;
}

json choose_k_json(const choose_k_result& result, const std::string& metric, std::uint64_t seed) {
  json curve = json::array();
  for (const k_choice& choice : result.curve)
    curve.push_back({{"k", choice.k},
                     {"cost", choice.cost},
                     {"sum_of_squares", choice.sum_of_squares},
                     {"medoid_silhouette", choice.medoid_silhouette},
                     {"medoids", choice.medoids}});
  return {{"metric", metric},
          {"seed", seed},
          {"recommended_k", result.recommended_k},
          {"clear", result.clear},
          {"verdict", result.verdict},
          {"reason", result.reason},
          {"elbow_k", result.elbow ? json(static_cast<std::size_t>(result.elbow->x)) : json(nullptr)},
          {"best_silhouette_k", result.best_silhouette_k},
          {"curve", std::move(curve)}};
}

void write_choose_k(const std::filesystem::path& folder, const choose_k_result& result, const json& document) {
  std::filesystem::create_directories(folder);
  write_file(folder / "choose_k.csv", to_csv(choose_k_table(result)));
  write_file(folder / "choose_k.json", json_text(document) + "\n");
  write_file(folder / "choose_k.svg", render_svg(choose_k_plot(result)));
}

}  // namespace imgsim::app
