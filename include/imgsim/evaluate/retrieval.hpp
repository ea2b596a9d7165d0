// Quality of retrieval by label: how many of a photo's nearest photos carry the label that it carries.
//
//   precision@n  share of the first n matches that carry the query's label (of min(n, M - 1) where there are fewer)
//   recall@n     share of the label's other members that are among the first n matches
//   mAP          mean over the queries of average precision over the full ranking of the M - 1 other photos: the mean,
//                over the ranks at which a member of the label stands, of the precision down to that rank
//
// Every photo is a query once, and is never a match of itself. A label with one member has nothing to be found:
// its photo counts in precision (as 0) and as a match of others, and is left out of recall and mAP. Ranking, ties
// included, is that of search/top_n.hpp. (Manning, Raghavan and Schuetze, Introduction to Information Retrieval, 2008,
// section 8.4.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

/// Labels of M photos as numbers: photo i carries names[of[i]]. `names` ascends.
struct photo_labels {
  std::vector<std::string> names;
  std::vector<std::uint32_t> of;

  [[nodiscard]] std::vector<std::size_t> members() const {
    std::vector<std::size_t> count(names.size());
    for (const std::uint32_t label : of) ++count[label];
    return count;
  }
};

[[nodiscard]] inline photo_labels number_labels(std::span<const std::string> labels) {
  std::map<std::string, std::uint32_t> numbers;
  for (const std::string& label : labels) numbers.emplace(label, 0);
  photo_labels result;
  for (auto& [name, number] : numbers) {
    number = static_cast<std::uint32_t>(result.names.size());
    result.names.push_back(name);
  }
  for (const std::string& label : labels) result.of.push_back(numbers.at(label));
  return result;
}

/// Means over the queries of one label, or over all.
struct retrieval_quality {
  std::size_t queries = 0;         // photos of this label, or of all
  std::size_t ranked_queries = 0;  // of these, the ones with another member of their label: recall and mAP are theirs
  double precision = 0;            // @n
  double recall = 0;               // @n
  double average_precision = 0;    // 0 unless full rankings were given
};

/// Of one query. NaN where it has no such measure: recall and average precision of a photo alone with its label,
/// average precision without a full ranking, all of a photo that was not asked about.
struct query_quality {
  double precision = std::numeric_limits<double>::quiet_NaN();
  double recall = std::numeric_limits<double>::quiet_NaN();
  double average_precision = std::numeric_limits<double>::quiet_NaN();
};

struct retrieval_report {
  std::size_t n = 0;
  retrieval_quality all;
  std::vector<retrieval_quality> by_label;  // in the order of photo_labels::names
  std::vector<query_quality> queries;       // [M], for intervals (bootstrap.hpp)
};

/// Adds up the quality of ranked matches, handed over a block of queries at a time.
class retrieval_accumulator {
 public:
  retrieval_accumulator(photo_labels labels, std::size_t n)
      : labels_(std::move(labels)),
        members_(labels_.members()),
        n_(n),
        sums_(labels_.names.size()),
        queries_(labels_.of.size()) {}

  /// `rows` [Q, L]: the matches of photos first .. first + Q - 1, best first, self excluded. L = M - 1 (full rankings)
  /// is needed for average precision; precision and recall need L >= min(n, M - 1).
  /// Throws invalid_argument where the list is too short or names rows that have no label.
  void add(matrix_view<const std::int64_t> rows, std::size_t first) {
    const std::size_t photos = labels_.of.size();
    IMGSIM_EXPECTS(first <= photos && rows.extent(0) <= photos - first, "matches ", shape_text(rows), " from photo ",
                   first, " on, but there are labels for ", photos, " photos");
    if (rows.extent(0) == 0) return;
    const std::size_t others = photos - 1;
    IMGSIM_EXPECTS(rows.extent(1) >= std::min(n_, others), "matches ", shape_text(rows), " are too few for precision@",
                   n_);
    for (std::size_t q = 0; q < rows.extent(0); ++q) add_query({rows.row(q), rows.extent(1)}, first + q);
  }

  [[nodiscard]] retrieval_report report() const {
    retrieval_report result{.n = n_, .all = {}, .by_label = sums_, .queries = queries_};
    for (const retrieval_quality& sum : sums_) {
      result.all.queries += sum.queries;
      result.all.ranked_queries += sum.ranked_queries;
      result.all.precision += sum.precision;
      result.all.recall += sum.recall;
      result.all.average_precision += sum.average_precision;
    }
    to_means(result.all);
    std::ranges::for_each(result.by_label, to_means);
    return result;
  }

 private:
  void add_query(std::span<const std::int64_t> matches, std::size_t photo) {
    const std::uint32_t label = labels_.of[photo];
    const std::size_t others = labels_.of.size() - 1;
    const std::size_t wanted = std::min(n_, others);
    std::size_t hits = 0;
    std::size_t hits_in_n = 0;
    double precision_at_hits = 0;
    for (std::size_t rank = 0; rank < matches.size(); ++rank) {
      IMGSIM_EXPECTS(matches[rank] >= 0 && static_cast<std::size_t>(matches[rank]) < labels_.of.size(), "match ",
                     matches[rank], " has no label");
      if (labels_.of[static_cast<std::size_t>(matches[rank])] == label) {
        ++hits;
        if (rank < wanted) ++hits_in_n;
        precision_at_hits += static_cast<double>(hits) / static_cast<double>(rank + 1);
      }
    }
    retrieval_quality& sum = sums_[label];
    query_quality& query = queries_[photo];
    ++sum.queries;
    query.precision = wanted > 0 ? static_cast<double>(hits_in_n) / static_cast<double>(wanted) : 0.0;
    sum.precision += query.precision;
    const std::size_t relevant = members_[label] - 1;
    if (relevant == 0) return;
    ++sum.ranked_queries;
    query.recall = static_cast<double>(hits_in_n) / static_cast<double>(relevant);
    sum.recall += query.recall;
    if (matches.size() < others) return;
    query.average_precision = precision_at_hits / static_cast<double>(relevant);
    sum.average_precision += query.average_precision;
  }

  static void to_means(retrieval_quality& quality) {
    if (quality.queries > 0) quality.precision /= static_cast<double>(quality.queries);
    if (quality.ranked_queries == 0) return;
    quality.recall /= static_cast<double>(quality.ranked_queries);
    quality.average_precision /= static_cast<double>(quality.ranked_queries);
  }

  photo_labels labels_;
  std::vector<std::size_t> members_;
  std::size_t n_;
  std::vector<retrieval_quality> sums_;
  std::vector<query_quality> queries_;
};

/// Quality of the nearest neighbours of every row of `embeddings` [M, D], all measures. The full rankings are made for
/// a block of queries at a time, so that memory grows with M and not with its square.
/// Throws invalid_argument where there are not M labels.
template <execution_context Context, metric Metric>
[[nodiscard]] retrieval_report evaluate_retrieval(const Context& context, matrix_view<const float> embeddings,
                                                  Metric metric, const photo_labels& labels, std::size_t n) {
  const std::size_t photos = embeddings.extent(0);
  IMGSIM_EXPECTS(labels.of.size() == photos, "embeddings ", shape_text(embeddings), " but ", labels.of.size(),
                 " labels");
  constexpr std::size_t kBlockBytes = std::size_t{64} << 20;
  const std::size_t block = std::clamp<std::size_t>(kBlockBytes / (sizeof(match) * (photos + 1)), 1, 4096);
  retrieval_accumulator accumulator(labels, n);
  for (std::size_t first = 0; first < photos; first += block) {
    const auto queries = embeddings.slice(first, std::min(block, photos - first));
    const top_n_result found =
        top_n(context, embeddings, queries, metric, {.n = photos, .exclude_self = true, .first_row = first});
    accumulator.add(found.rows.view(), first);
  }
  return accumulator.report();
}

}  // namespace imgsim
