#include "pipeline/evaluation.hpp"

#include <algorithm>
#include <utility>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "pipeline/gather_rows.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

namespace {

judged_method judge(std::string name, retrieval_report report, std::uint64_t seed) {
  judged_method method{
      .name = std::move(name), .report = std::move(report), .precision = {}, .average_precision = {}, .recall = {}};
  const auto of = [&](double query_quality::* measure) {
    std::vector<double> values;
    for (const query_quality& query : method.report.queries) values.push_back(query.*measure);
    return bootstrap_mean(values, {.seed = seed});
  };
  method.precision = of(&query_quality::precision);
  method.average_precision = of(&query_quality::average_precision);
  method.recall = of(&query_quality::recall);
  return method;
}

json quality_json(const retrieval_quality& quality) {
  return {{"precision_at_n", quality.precision}, {"map", quality.average_precision}, {"recall_at_n", quality.recall}};
}

json method_json(const judged_method& method) {
  json document = quality_json(method.report.all);
  document["precision_at_n_interval"] = {method.precision.low, method.precision.high};
  document["map_interval"] = {method.average_precision.low, method.average_precision.high};
  document["recall_at_n_interval"] = {method.recall.low, method.recall.high};
  return document;
}

}  // namespace

evaluation evaluate_index(session& session, const photo_index& index, const labelled_rows& labels,
                          const std::string& metric, std::size_t n, baseline_choice choice) {
  labelled_rows used = labels;
  evaluation result{.metric = metric, .seed = session.options().seed, .labels = {}, .model = {}, .baselines = {}};
  baseline_rows beside;
  if (choice != baseline_choice::none) {
    beside = make_baselines(session, index, labels.rows, {}, choice);
    result.pixel_side = beside.pixel_side;
    used = {};
    for (const std::size_t position : beside.kept) {
      used.rows.push_back(labels.rows[position]);
      used.labels.push_back(labels.labels[position]);
    }
  }
  result.labels = number_labels(used.labels);
  const std::size_t photos = used.rows.size();
  for (const std::size_t members : result.labels.members())
    result.chance += static_cast<double>(members) * static_cast<double>(members - 1);
  result.chance /= static_cast<double>(photos) * static_cast<double>(photos - 1);

  const tensor<float, 2> embeddings = gather_rows(index.embeddings(), used.rows);
  const compute& device = session.device();
  progress bar(session.options(), "judge", "methods", 1 + beside.methods.size());
  result.model = judge("imgsim", device.evaluate_retrieval(embeddings.view(), metric, result.labels, n), result.seed);
  for (const method_rows& method : beside.methods) {
    session.check_stop("there is no result");
    bar.update(1 + result.baselines.size());
    result.baselines.push_back(judge(
        method.name, device.evaluate_retrieval(method.gallery.view(), cosine::name, result.labels, n), result.seed));
  }
  bar.finish();
  return result;
}

json to_json(const evaluation& result) {
  json document{{"n", result.model.report.n}};
  document.update(method_json(result.model));
  document["metric"] = result.metric;
  document["photos"] = result.model.report.all.queries;
  document["chance"] = result.chance;
  document["baselines"] = json::object();
  for (const judged_method& method : result.baselines) document["baselines"][method.name] = method_json(method);
  const bootstrap_options bootstrap;
  document["bootstrap"] = {
      {"resamples", bootstrap.resamples}, {"confidence", bootstrap.confidence}, {"seed", result.seed}};
  if (result.pixel_side > 0) document["raw_pixel_side"] = result.pixel_side;
  document["by_label"] = json::object();
  for (std::size_t i = 0; i < result.labels.names.size(); ++i) {
    json entry = quality_json(result.model.report.by_label[i]);
    entry["photos"] = result.model.report.by_label[i].queries;
    document["by_label"][path_to_text(result.labels.names[i])] = std::move(entry);
  }
  return document;
}

namespace {

std::vector<table_column> quality_columns(const evaluation& result, const std::string& first, bool with_intervals) {
  const std::string n = std::to_string(result.model.report.n);
  std::vector<table_column> columns{{first}, {"photos", alignment::right}};
  for (const std::string& measure : {"precision@" + n, std::string("mAP"), "recall@" + n}) {
    columns.push_back({measure, alignment::right});
    if (with_intervals) columns.push_back({"95 %", alignment::right});
  }
  return columns;
}

std::vector<std::string> method_cells(const std::string& name, const judged_method& method) {
  const auto text = [](const interval& range) { return fixed_text(range.low, 3) + " - " + fixed_text(range.high, 3); };
  const retrieval_quality& all = method.report.all;
  return {name,
          std::to_string(all.queries),
          fixed_text(all.precision, 4),
          text(method.precision),
          fixed_text(all.average_precision, 4),
          text(method.average_precision),
          fixed_text(all.recall, 4),
          text(method.recall)};
}

/// A row for the index, each baseline and chance.
text_table method_table(const evaluation& result) {
  text_table methods{quality_columns(result, "method", true), {}};
  methods.add_row(method_cells("imgsim (" + result.metric + ")", result.model));
  for (const judged_method& method : result.baselines) {
    std::string title = method.name;
    std::ranges::replace(title, '_', ' ');
    methods.add_row(method_cells(title, method));
  }
  methods.add_row(
      {"chance", std::to_string(result.model.report.all.queries), fixed_text(result.chance, 4), "", "", "", "", ""});
  return methods;
}

text_table label_table(const evaluation& result) {
  text_table labels{quality_columns(result, "label", false), {}};
  for (std::size_t i = 0; i < result.labels.names.size(); ++i) {
    const retrieval_quality& quality = result.model.report.by_label[i];
    labels.add_row({result.labels.names[i], std::to_string(quality.queries), fixed_text(quality.precision, 4),
                    fixed_text(quality.average_precision, 4), fixed_text(quality.recall, 4)});
  }
  return labels;
}

}  // namespace

std::string to_text(const session& session, const evaluation& result) {
  return session.text_of(method_table(result)) + "\n" + session.text_of(label_table(result));
}

void add_evaluation(html_page& page, const evaluation& result) {
  page.section("How good are the neighbours?");
  page.paragraph(
      "The share of the " + std::to_string(result.model.report.n) +
      " nearest photos that carry the label of the query, mean average precision over the whole ranking, and "
      "the share of the label's photos that are among the nearest, beside simpler methods. None of them saw a label.");
  page.table(method_table(result));
}

std::string to_page(const evaluation& result, const photo_index& index) {
  html_page page("Quality of the neighbours", count_text(result.model.report.all.queries, "labelled photo") + " of " +
                                                  count_text(index.size(), "photo") + " in " + index.folder().string() +
                                                  ", each sought among the others");
  add_evaluation(page, result);
  page.remark("95 %: the interval that as many resamples of the queries fall into (bootstrap, seed " +
              std::to_string(result.seed) + "). Chance: the precision of an answer at random.");
  page.section("By label");
  page.table(label_table(result));
  return page.html();
}

}  // namespace imgsim::app
