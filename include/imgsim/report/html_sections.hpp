// The sections that imgsim's pages are built of: a query with its matches, groups, a training run, a sample of photos.
// `imgsim query --report`, `cluster`, `train` and `demo` combine them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/model/history.hpp>
#include <imgsim/report/contact_sheet.hpp>
#include <imgsim/report/groups.hpp>
#include <imgsim/report/html.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

/// Where a page finds its photos: rows with their paths, decoded one at a time.
struct photo_provider {
  std::function<std::string(std::size_t row)> path;
  read_photo read;  // an image without pixels where a photo cannot be read

  [[nodiscard]] photo_card card(std::size_t row, std::size_t side = 240) const {
    return {.picture = embed_photo(read(row).view(), side), .path = path(row)};
  }
};

/// The within-cluster error and the medoid silhouette against K, with the recommended K marked; where the choice is not
/// clear, with the verdict.
[[nodiscard]] inline line_plot choose_k_plot(const choose_k_result& choice) {
  line_plot plot{.title = "Within-cluster error and silhouette against K",
                 .x_label = "K (groups)",
                 .y_label = "sum of distances to the medoid",
                 .right_label = "medoid silhouette",
                 .whole_x = true};
  const bool dots = choice.curve.size() <= 40;
  plot_series cost{.name = "error (left)", .dots = dots};
  plot_series silhouette{.name = "silhouette (right)", .dots = dots, .on_right = true};
  for (const k_choice& step : choice.curve) {
    cost.x.push_back(static_cast<double>(step.k));
    cost.y.push_back(step.cost);
    silhouette.x.push_back(static_cast<double>(step.k));
    silhouette.y.push_back(step.medoid_silhouette);
  }
  plot.series.push_back(std::move(cost));
  plot.series.push_back(std::move(silhouette));
  if (choice.recommended_k > 0) {
    const std::string k = "K = " + std::to_string(choice.recommended_k);
    const bool is_told = choice.clear || choice.verdict.ends_with(k);
    plot.marks.push_back({static_cast<double>(choice.recommended_k), is_told ? k : k + ", " + choice.verdict});
  }
  return plot;
}

/// Training and, where there is one, validation loss against the epoch.
[[nodiscard]] inline line_plot loss_history_plot(std::span<const epoch_record> history) {
  line_plot plot{.title = "Loss against epoch", .x_label = "epoch", .y_label = "loss", .whole_x = true};
  plot_series training{.name = "training"}, validation{.name = "validation", .dots = history.size() <= 40};
  bool validated = false;
  for (const epoch_record& record : history) {
    training.x.push_back(static_cast<double>(record.epoch));
    training.y.push_back(record.training_loss);
    validation.x.push_back(static_cast<double>(record.epoch));
    validation.y.push_back(record.validation_loss);
    validated = validated || std::isfinite(record.validation_loss);
  }
  plot.series.push_back(std::move(training));
  if (validated) plot.series.push_back(std::move(validation));
  return plot;
}

/// A section of its own for one query: the photo large, its matches as cards with rank, score and path.
/// `metric` names the score: "cosine".
inline void add_query(html_page& page, view<const std::uint8_t, 3> query, const std::string& name,
                      std::span<const match> matches, const std::string& metric, const photo_provider& photos) {
  page.section(name + " (" + metric + ")");
  page.photo({.picture = embed_photo(query, 480), .path = name});
  page.heading("Matches", "the " + count_text(matches.size()) + " nearest by " + metric + " similarity");
  std::vector<photo_card> cards;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    photo_card card = photos.card(static_cast<std::size_t>(matches[i].row));
    card.badge = std::to_string(i + 1);
    card.caption = fixed_text(matches[i].similarity, 3);
    cards.push_back(std::move(card));
  }
  page.cards(cards);
}

struct group_section_options {
  std::size_t members = 24;      // thumbnails a group beyond its medoid, nearest and farthest member
  std::size_t max_groups = 100;  // groups beyond are counted, not shown
};

/// The groups, in the section begun last: of each the medoid, its nearest and its farthest member, then the others by
/// distance. What is not shown is counted.
inline void add_groups(html_page& page, std::span<const group_summary> groups, const photo_provider& photos,
                       const group_section_options& options = {}) {
  const auto shown_groups = groups.first(std::min(groups.size(), options.max_groups));
  for (const group_summary& group : shown_groups) {
    page.heading("Group " + std::to_string(group.group),
                 count_text(group.size(), "photo") + ", mean distance " + fixed_text(group.mean_distance, 3));
    const auto card_of = [&](const grouped_photo& member, const char* badge, std::size_t side) {
      photo_card card = photos.card(member.row, side);
      card.badge = badge;
      card.caption = fixed_text(member.distance, 3);
      return card;
    };
    std::vector<photo_card> leading;
    leading.push_back(card_of(group.members.front(), "medoid", 240));
    leading.back().framed = true;
    if (group.size() > 1) leading.push_back(card_of(group.nearest(), group.size() > 2 ? "nearest" : "only other", 240));
    if (group.size() > 2) leading.push_back(card_of(group.farthest(), "farthest", 240));
    page.cards(leading);
    if (group.size() <= 3) continue;
    const auto between = std::span(group.members).subspan(2, group.size() - 3);
    std::vector<photo_card> others;
    for (const grouped_photo& member : between.first(std::min(between.size(), options.members)))
      others.push_back(card_of(member, "", 120));
    page.cards(others, card_size::small);
    if (others.size() < between.size())
      page.remark("and " + count_text(between.size() - others.size()) + " more between these and the farthest");
  }
  if (shown_groups.size() < groups.size())
    page.remark("and " + count_text(groups.size() - shown_groups.size(), "more group") + ", not shown");
}

/// Photos that are in no group, in the section begun last: the first `members` of them in their order, with their
/// distances to the nearest medoid. What is not shown is counted.
inline void add_outliers(html_page& page, std::span<const grouped_photo> outliers, const photo_provider& photos,
                         const group_section_options& options = {}) {
  std::vector<photo_card> cards;
  for (const grouped_photo& one : outliers.first(std::min(outliers.size(), options.members))) {
    photo_card card = photos.card(one.row, 120);
    card.caption = fixed_text(one.distance, 3);
    cards.push_back(std::move(card));
  }
  page.cards(cards, card_size::small);
  if (cards.size() < outliers.size()) page.remark("and " + count_text(outliers.size() - cards.size()) + " more");
}

/// The loss of a training run, as a plot and a table, in the section begun last.
inline void add_training(html_page& page, std::span<const epoch_record> history) {
  page.plot(loss_history_plot(history));
  text_table epochs{{{"epoch", alignment::right},
                     {"training loss", alignment::right},
                     {"validation loss", alignment::right},
                     {"learning rate", alignment::right},
                     {"seconds", alignment::right}},
                    {}};
  for (const epoch_record& record : history)
    epochs.add_row({std::to_string(record.epoch), fixed_text(record.training_loss, 5),
                    std::isnan(record.validation_loss) ? "" : fixed_text(record.validation_loss, 5),
                    general_text(record.learning_rate, 4), fixed_text(record.seconds, 1)});
  page.table(epochs);
}

/// A photo as the network saw it and as it gave it back.
struct reconstruction {
  view<const std::uint8_t, 3> before, after;
  std::string path;
};

/// Photos beside their reconstructions, in the section begun last.
inline void add_reconstructions(html_page& page, std::span<const reconstruction> pairs) {
  std::vector<photo_card> cards;
  for (const reconstruction& pair : pairs) {
    cards.push_back({.picture = embed_photo(pair.before), .path = pair.path, .badge = "photo"});
    cards.push_back({.picture = embed_photo(pair.after), .path = pair.path, .badge = "reconstruction"});
  }
  page.cards(cards);
}

/// Photos side by side as small thumbnails, in the section begun last.
inline void add_sample(html_page& page, std::span<const std::size_t> rows, const photo_provider& photos) {
  std::vector<photo_card> cards;
  for (const std::size_t row : rows) cards.push_back(photos.card(row, 120));
  page.cards(cards, card_size::small);
}

}  // namespace imgsim
