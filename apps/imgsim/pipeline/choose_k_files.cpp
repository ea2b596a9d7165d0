#include "pipeline/choose_k_files.hpp"

#include <algorithm>
#include <array>

#include <imgsim/core/file.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// Where the error bends, told with its strength: a weak bend is none.
std::string strength_text(double strength, bool is_weak) {
  return "strength " + fixed_text(strength, 2) + (is_weak ? ", weak" : "");
}

json elbow_json(const std::optional<kneedle_result>& elbow) {
  if (!elbow) return nullptr;
  return {{"k", static_cast<std::size_t>(elbow->x)}, {"strength", elbow->strength}};
}

const k_stability* stability_of(const sweep_result& swept, std::size_t k) {
  const auto found = std::ranges::find(swept.stability, k, &k_stability::k);
  return found == swept.stability.end() ? nullptr : &*found;
}

/// An index of the centroids: nothing where it is not defined.
std::string index_text(const k_choice& choice, double value, int digits) {
  return choice.indices.are_defined() ? general_text(value, digits) : "";
}
json index_json(const k_choice& choice, double value) {
  return choice.indices.are_defined() ? json(value) : json(nullptr);
}

/// What a criterion that was not looked at for the whole range says of itself.
std::string up_to(std::size_t k, const choose_k_result& choice) {
  return k < choice.curve.back().k ? " up to K = " + std::to_string(k) : "";
}

}  // namespace

text_table choose_k_table(const sweep_result& swept) {
  text_table table{{{"k", alignment::right},
                    {"cost", alignment::right},
                    {"sum_of_squares", alignment::right},
                    {"medoid_silhouette", alignment::right},
                    {"calinski_harabasz", alignment::right},
                    {"davies_bouldin", alignment::right},
                    {"silhouette_dynmsc", alignment::right}},
                   {}};
  for (const k_choice& choice : swept.choice.curve) {
    const auto separated = std::ranges::find(swept.silhouettes, choice.k, &silhouette_choice::k);
    table.add_row({std::to_string(choice.k), general_text(choice.cost, 9), general_text(choice.sum_of_squares, 9),
                   fixed_text(choice.medoid_silhouette, 6), index_text(choice, choice.indices.calinski_harabasz, 7),
                   index_text(choice, choice.indices.davies_bouldin, 6),
                   separated != swept.silhouettes.end() ? fixed_text(separated->medoid_silhouette, 6) : ""});
  }
  return table;
}

text_table choose_k_screen_table(const sweep_result& swept) {
  constexpr std::array kHeadings{"K", "cost", "squares", "silhouette", "Calinski-H.", "Davies-B.", "DynMSC"};
  text_table table = choose_k_table(swept);
  for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].title = kHeadings.at(i);
  return table;
}

text_table criteria_table(const sweep_result& swept) {
  const choose_k_result& choice = swept.choice;
  text_table table{{{"criterion"}, {"K", alignment::right}, {"there"}}, {}};
  if (!swept.stability.empty()) table.columns.push_back({"stability", alignment::right});
  const auto add = [&](const std::string& name, std::size_t k, const std::string& there) {
    std::vector<std::string> cells{name, k > 0 ? std::to_string(k) : "-", there};
    if (!swept.stability.empty()) {
      const k_stability* found = stability_of(swept, k);
      cells.push_back(found != nullptr ? fixed_text(found->agreement.mean, 3) : "");
    }
    table.add_row(std::move(cells));
  };
  const auto at = [&](std::size_t k) -> const k_choice& { return *std::ranges::find(choice.curve, k, &k_choice::k); };
  const auto add_elbow = [&](const std::string& name, const std::optional<kneedle_result>& elbow, bool is_weak) {
    add(name, elbow ? static_cast<std::size_t>(elbow->x) : 0, elbow ? strength_text(elbow->strength, is_weak) : "none");
  };
  add_elbow("elbow (Kneedle)", choice.elbow, false);
  add_elbow("bend on logarithmic axes", choice.bend, choice.bend && choice.bend->strength < imgsim::detail::kClearBend);
  const std::size_t judged = largest_judged_k(swept.photos);
  add("medoid silhouette" + (choice.curve.front().k <= judged ? up_to(judged, choice) : ""), choice.best_silhouette_k,
      fixed_text(at(choice.best_silhouette_k).medoid_silhouette, 3));
  if (const std::size_t k = swept.best_separated_k(); k > 0)
    add("silhouette sought (DynMSC)" + up_to(swept.silhouettes.back().k, choice), k,
        fixed_text(std::ranges::find(swept.silhouettes, k, &silhouette_choice::k)->medoid_silhouette, 3));
  if (choice.best_calinski_harabasz_k > 0) {
    const std::size_t widest = choice.best_calinski_harabasz_k;
    const std::size_t tightest = choice.best_davies_bouldin_k;
    add("Calinski-Harabasz", widest, general_text(at(widest).indices.calinski_harabasz, 5));
    add("Davies-Bouldin", tightest, general_text(at(tightest).indices.davies_bouldin, 4));
  }
  if (swept.gap)
    add("gap statistic", swept.gap->k,
        std::string(swept.gap->has_structure() ? "structure" : "no structure") +
            ", p = " + fixed_text(swept.gap->p_value, 2));
  add("recommended", choice.recommended_k, choice.clear ? "clear" : choice.verdict);
  return table;
}

json choose_k_json(const sweep_result& swept, const std::string& metric, std::uint64_t seed) {
  const choose_k_result& result = swept.choice;
  json curve = json::array();
  for (const k_choice& choice : result.curve)
    curve.push_back({{"k", choice.k},
                     {"cost", choice.cost},
                     {"sum_of_squares", choice.sum_of_squares},
                     {"medoid_silhouette", choice.medoid_silhouette},
                     {"calinski_harabasz", index_json(choice, choice.indices.calinski_harabasz)},
                     {"davies_bouldin", index_json(choice, choice.indices.davies_bouldin)},
                     {"medoids", choice.medoids}});
  const auto known = [](std::size_t k) { return k > 0 ? json(k) : json(nullptr); };
  json document{{"metric", metric},
                {"seed", seed},
                {"photos", swept.photos},
                {"recommended_k", result.recommended_k},
                {"clear", result.clear},
                {"verdict", result.verdict},
                {"reason", result.reason},
                {"elbow_k", result.elbow ? json(static_cast<std::size_t>(result.elbow->x)) : json(nullptr)},
                {"best_silhouette_k", result.best_silhouette_k},
                {"elbow", elbow_json(result.elbow)},
                {"bend", elbow_json(result.bend)},
                {"best_calinski_harabasz_k", known(result.best_calinski_harabasz_k)},
                {"best_davies_bouldin_k", known(result.best_davies_bouldin_k)},
                {"gap", nullptr},
                {"stability", json::array()},
                {"silhouettes", nullptr},
                {"curve", std::move(curve)}};
  if (swept.gap) {
    json gaps = json::array();
    for (const gap_choice& step : swept.gap->curve)
      gaps.push_back({{"k", step.k}, {"gap", step.gap}, {"error", step.error}});
    document["gap"] = {{"k", swept.gap->k},
                       {"p_value", swept.gap->p_value},
                       {"has_structure", swept.gap->has_structure()},
                       {"curve", std::move(gaps)}};
  }
  if (!swept.silhouettes.empty()) {
    json separated = json::array();
    for (const silhouette_choice& choice : swept.silhouettes)
      separated.push_back(
          {{"k", choice.k}, {"medoid_silhouette", choice.medoid_silhouette}, {"medoids", choice.medoids}});
    document["silhouettes"] = {{"best_k", swept.best_separated_k()}, {"curve", std::move(separated)}};
  }
  for (const k_stability& one : swept.stability)
    document["stability"].push_back(
        {{"k", one.k}, {"adjusted_rand_index", one.agreement.mean}, {"least", one.agreement.least}});
  return document;
}

void write_choose_k(const std::filesystem::path& folder, const sweep_result& swept, const json& document) {
  std::filesystem::create_directories(folder);
  write_file(folder / "choose_k.csv", to_csv(choose_k_table(swept)));
  write_file(folder / "choose_k.json", json_text(document) + "\n");
  write_file(folder / "choose_k.svg", render_svg(choose_k_plot(swept.choice)));
}

void add_sweep(html_page& page, const sweep_result& swept) {
  page.paragraph(swept.choice.verdict + ": " + swept.choice.reason);
  page.plot(choose_k_plot(swept.choice));
  page.table(criteria_table(swept));
}

}  // namespace imgsim::app
