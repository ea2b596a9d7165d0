#include "pipeline/duplicates_report.hpp"

#include <algorithm>
#include <vector>

#include "pipeline/query_pictures.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kShownGroups = 500;  // of a page
constexpr std::size_t kDrawnPhotos = 21;   // of a group in a terminal: the first, and four rows of others

std::string kind_text(const duplicate_group& group) {
  if (group.exact()) return "the same file";
  return "near-identical, precision " + fixed_text(group.precision(), 4);
}

/// The link of a row to the photo nearest to it.
const duplicate_link& closest_link(const duplicate_group& group, std::size_t row) {
  const duplicate_link* closest = nullptr;
  for (const duplicate_link& link : group.links) {
    if (link.a != row && link.b != row) continue;
    if (link.exact) return link;
    if (closest == nullptr || link.difference < closest->difference) closest = &link;
  }
  return *closest;  // rows are in a group by a link
}

/// How a row is tied to its group: "exact", "mirrored, difference 0.0040".
std::string tie_text(const duplicate_group& group, std::size_t row) {
  const duplicate_link& link = closest_link(group, row);
  if (link.exact) return "exact";
  return std::string(link.mirrored ? "mirrored, " : "") + "difference " + fixed_text(link.difference, 4);
}

/// "at most 0.35"; nobody needs to know how far below a thousandth of a pair.
std::string at_most_text(double pairs) {
  return pairs < 0.001 ? "fewer than 0.001" : "at most " + general_text(pairs, 2);
}

std::string summary(const duplicate_report& report) {
  std::size_t in_groups = 0, exact_links = 0;
  for (const duplicate_group& group : report.groups) {
    in_groups += group.rows.size();
    exact_links += static_cast<std::size_t>(std::ranges::count_if(group.links, &duplicate_link::exact));
  }
  std::string text = count_text(report.groups.size(), "group") + " of duplicates, " + count_text(in_groups, "photo") +
                     " of " + count_text(report.photos) + "; " + count_text(exact_links) +
                     (exact_links == 1 ? " exact copy, " : " exact copies, ") +
                     count_text(report.near_pairs, "near-identical pair");
  if (report.near_pairs > 0)
    text += " at precision " + general_text(report.precision, 6) + " (" + at_most_text(report.expected_false) +
            " expected to be wrong)";
  return text;
}

std::string recall_text(const duplicate_report& report) {
  std::string text;
  for (const variant_recall& recall : report.recall)
    text += (text.empty() ? "" : ", ") + std::string(name_of(recall.kind)) + " " + std::to_string(recall.found) + "/" +
            std::to_string(recall.made);
  std::ranges::replace(text, '_', ' ');
  return text;
}

}  // namespace

json to_json(const duplicate_report& report, const photo_index& index) {
  const auto path = [&](std::size_t row) { return path_to_text(index.photos()[row].path); };
  json groups = json::array();
  for (const duplicate_group& group : report.groups) {
    json photos = json::array(), links = json::array();
    for (const std::size_t row : group.rows) photos.push_back({{"row", row}, {"path", path(row)}});
    for (const duplicate_link& link : group.links) {
      json entry{{"a", link.a}, {"b", link.b}, {"exact", link.exact}};
      if (!link.exact) {
        entry["similarity"] = link.similarity;
        entry["difference"] = link.difference;
        entry["mirrored"] = link.mirrored;
        entry["precision"] = link.precision;
      }
      links.push_back(std::move(entry));
    }
    groups.push_back({{"photos", std::move(photos)},
                      {"exact", group.exact()},
                      {"precision", group.precision()},
                      {"links", std::move(links)}});
  }
  json document{{"precision", report.precision},
                {"photos", report.photos},
                {"compared", report.compared},
                {"pairs", report.pairs},
                {"near_pairs", report.near_pairs},
                {"expected_false", report.expected_false},
                {"max_difference", report.threshold},
                {"no_estimate", report.no_estimate ? json(*report.no_estimate) : json(nullptr)},
                {"verified", kDuplicatesVerified},
                {"variants_found", json::object()},
                {"groups", std::move(groups)}};
  for (const variant_recall& recall : report.recall)
    document["variants_found"][std::string(name_of(recall.kind))] = {{"found", recall.found}, {"made", recall.made}};
  return document;
}

std::string to_text(const duplicate_report& report) {
  std::string text = summary(report) + "\n";
  if (report.no_estimate) text += "near-identical photos are not told: " + *report.no_estimate + "\n";
  if (!report.recall.empty()) text += "variants of the photos that would be found: " + recall_text(report) + "\n";
  return text;
}

std::string to_text(const duplicate_group& group, std::size_t number, const photo_index& index) {
  std::string text = "group " + std::to_string(number) + " (" + kind_text(group) + ")\n";
  for (const std::size_t row : group.rows)
    text += "  " + printable_utf8(index.photos()[row].path) + "  (" + tie_text(group, row) + ")\n";
  return text;
}

rgb_image draw_duplicates(const photo_provider& photos, const duplicate_group& group) {
  const std::span<const std::size_t> rows = std::span(group.rows).first(std::min(group.rows.size(), kDrawnPhotos));
  std::vector<rgb_image> shown;
  for (const std::size_t row : rows) shown.push_back(shrunk_to(photos.read(row).view(), kTerminalGrid.query));
  std::vector<grid_match> matches;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const duplicate_link& link = closest_link(group, rows[i]);
    matches.push_back({std::as_const(shown[i]).view(), link.exact ? 0 : link.difference, photos.path(rows[i])});
  }
  grid_options options = kTerminalGrid;
  options.score_name = "difference";
  if (rows.size() < group.rows.size())
    options.score_name += ", " + count_text(group.rows.size() - rows.size(), "more photo") + " not shown";
  return draw_grid(std::as_const(shown.front()).view(), photos.path(rows.front()), matches, options);
}

std::string to_page(const session& session, const duplicate_report& report, const photo_index& index) {
  html_page page("Duplicates", summary(report));
  page.section("Groups");
  page.remark(std::string("Verified: ") + kDuplicatesVerified + ".");
  if (report.no_estimate) page.remark("Near-identical photos are not told: " + *report.no_estimate + ".");
  if (!report.recall.empty()) page.remark("Variants of the photos that would be found: " + recall_text(report) + ".");
  const shown_photos photos = photos_of(session, index);
  for (std::size_t g = 0; g < std::min(report.groups.size(), kShownGroups); ++g) {
    const duplicate_group& group = report.groups[g];
    page.heading("Group " + std::to_string(g + 1), kind_text(group));
    std::vector<photo_card> cards;
    for (const std::size_t row : group.rows) {
      cards.push_back(photos.card(row));
      cards.back().caption = tie_text(group, row);
    }
    page.cards(cards);
  }
  if (report.groups.size() > kShownGroups)
    page.remark("and " + count_text(report.groups.size() - kShownGroups, "more group") + ", not shown");
  remark_missing(page, photos);
  return page.html();
}

}  // namespace imgsim::app
