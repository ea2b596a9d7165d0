// The whole library, stage by stage in the order of its dataflow. These are contracts that any C++20 compiler takes;
// add the backend that implements them: <imgsim/cpu.hpp>. Each header also stands alone, and imgsim::core users
// (search and clustering without photos) include only those they call. Two that need Eigen, and as much compile time
// as all the rest, are left out: <imgsim/embedding/fit_embedding.hpp> and <imgsim/evaluate/principal_components.hpp>.
#pragma once

#include <imgsim/core/context.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/version.hpp>

// photos -> pixels
#include <imgsim/image/aligned_difference.hpp>
#include <imgsim/image/augment.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/image/photo_loader.hpp>
#include <imgsim/image/photo_variants.hpp>
#include <imgsim/image/resize.hpp>

// pixels -> features
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/encoder.hpp>
#include <imgsim/model/model_file.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/model/sample_features.hpp>
#include <imgsim/model/trainer.hpp>

// features -> embeddings, kept in an index
#include <imgsim/embedding/index_update.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/embedding/transform.hpp>
#include <imgsim/embedding/verify.hpp>

// embeddings -> matches
#include <imgsim/metric/registry.hpp>
#include <imgsim/search/gallery.hpp>
#include <imgsim/search/neighbour_graph.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

// embeddings -> groups
#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/condensed_distances.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/cover_bound.hpp>
#include <imgsim/cluster/covering_medoids.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/gap_statistic.hpp>
#include <imgsim/cluster/groups.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/outliers.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cluster/stability.hpp>
#include <imgsim/cluster/weak_places.hpp>

// how good, and how it looks
#include <imgsim/evaluate/baselines.hpp>
#include <imgsim/evaluate/duplicate_threshold.hpp>
#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/evaluate/score_calibration.hpp>
#include <imgsim/report/contact_sheet.hpp>
#include <imgsim/report/grid.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/neighbour_map.hpp>
#include <imgsim/report/svg_plot.hpp>
#include <imgsim/report/table.hpp>
