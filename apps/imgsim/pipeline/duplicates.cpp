#include "pipeline/duplicates.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <span>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/sampled_pictures.hpp"

#include <imgsim/core/thread_pool.hpp>
#include <imgsim/embedding/photo_list.hpp>
#include <imgsim/evaluate/duplicate_threshold.hpp>
#include <imgsim/image/aligned_difference.hpp>
#include <imgsim/image/photo_loader.hpp>
#include <imgsim/metric/cosine.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kNearest = 8;         // photos that each photo, and its mirror image, is compared with
constexpr std::size_t kMostNearest = 512;   // where nearer ones are all as near as duplicates,
constexpr std::size_t kMostCrowded = 32;    // and so many a photo of the folder at most
constexpr std::size_t kVariedPhotos = 128;  // that variants are made of
constexpr std::size_t kDecodedSide = 96;    // at least: twice that of the thumbnails
/// Of variants: differences that this part of them stays below are taken for what duplicates stay below.
constexpr std::array kDuplicateShares{0.98, 0.9, 0.75};
constexpr std::size_t kThumbnailBytes = kAlignedSide * kAlignedSide * 3;

/// The different files of an index that can be read.
struct distinct_photos {
  std::vector<std::size_t> rows;         // of the index
  std::vector<std::uint8_t> thumbnails;  // [R, 48, 48, 3]
  tensor<float, 2> embeddings;           // [R, D]
  tensor<float, 2> mirrored;             // [R, D], of the mirror images

  [[nodiscard]] view<const std::uint8_t, 3> thumbnail(std::size_t i) const {
    return {thumbnails.data() + i * kThumbnailBytes, {kAlignedSide, kAlignedSide, 3}};
  }
};

/// Two of them by position, a < b.
struct compared_pair {
  std::size_t a = 0, b = 0;
  float similarity = 0;
  photo_alignment found;
};

rgb_image thumbnail_of(view<const std::uint8_t, 3> photo) {
  rgb_image image{.width = kAlignedSide, .height = kAlignedSide, .pixels = std::vector<std::uint8_t>(kThumbnailBytes)};
  resize_bilinear(photo, image.view());
  return image;
}

distinct_photos read_photos(session& session, const photo_index& index, encoder& encoder,
                            std::span<const std::size_t> rows) {
  const std::vector<std::string> paths = paths_of(index, rows);
  const std::size_t height = std::max(encoder.height(), kDecodedSide), width = std::max(encoder.width(), kDecodedSide);
  photo_loader loader(index.photos_root(), paths,
                      {.height = height,
                       .width = width,
                       .batch = kEncodeBatch,
                       .threads = session.threads(),
                       .limits = session.limits()});
  distinct_photos result;
  std::vector<float> mirrored;
  progress bar(session.options(), "read", "photos", paths.size());
  std::size_t done = 0;
  while (std::optional<photo_batch> batch = loader.next()) {
    session.check_stop("there is no result");
    const view<const std::uint8_t, 4> pixels = std::as_const(batch->pixels).view();
    std::vector<rgb_image> flipped;
    for (std::size_t i = 0; i < batch->rows.size(); ++i) {
      const rgb_image thumbnail = thumbnail_of(photo_at(pixels, i));
      result.thumbnails.insert(result.thumbnails.end(), thumbnail.pixels.begin(), thumbnail.pixels.end());
      result.rows.push_back(rows[batch->rows[i]]);
      flipped.push_back(imgsim::mirrored(photo_at(pixels, i)));
    }
    const tensor<float, 2> encoded = encode_images(encoder, flipped);
    mirrored.insert(mirrored.end(), encoded.begin(), encoded.end());
    for (const skipped_file& file : batch->skipped) session.skip(file.path, file.reason);
    done += batch->rows.size() + batch->skipped.size();
    bar.update(done);
    loader.recycle(std::move(*batch));
  }
  bar.finish();
  result.embeddings = gather_rows(index.embeddings(), result.rows);
  result.mirrored = tensor<float, 2>({result.rows.size(), encoder.dimension()});
  std::ranges::copy(mirrored, result.mirrored.data());
  return result;
}

using place = std::pair<std::size_t, std::size_t>;

place place_of(const compared_pair& pair) {
  return {pair.a, pair.b};
}

/// The pairs of which one is of `these` and the other among the `n` nearest of it or of its mirror image, by a and b.
std::vector<compared_pair> nearest_pairs(session& session, const distinct_photos& photos,
                                         std::span<const std::size_t> these, std::size_t n) {
  std::vector<compared_pair> pairs;
  for (const tensor<float, 2>* all : {&photos.embeddings, &photos.mirrored}) {
    session.check_stop("there is no result");
    const tensor<float, 2> queries = gather_rows(all->view(), these);
    // One more, for the photo itself.
    const top_n_result found =
        session.device().top_n(photos.embeddings.view(), queries.view(), cosine::name,
                               {.n = n + 1, .exclude_self = false, .first_row = 0, .on_progress = {}});
    for (std::size_t q = 0; q < found.queries(); ++q) {
      std::size_t taken = 0;
      for (std::size_t rank = 0; rank < found.columns() && taken < n; ++rank) {
        const auto [row, similarity] = found.at(q, rank);
        const auto other = static_cast<std::size_t>(row);
        if (other == these[q]) continue;
        ++taken;
        pairs.push_back(
            {.a = std::min(these[q], other), .b = std::max(these[q], other), .similarity = similarity, .found = {}});
      }
    }
  }
  std::ranges::sort(pairs, [&](const compared_pair& x, const compared_pair& y) {
    return place_of(x) != place_of(y) ? place_of(x) < place_of(y) : x.similarity > y.similarity;
  });
  const auto repeated = std::ranges::unique(pairs, {}, place_of);
  pairs.erase(repeated.begin(), repeated.end());
  return pairs;
}

/// Lays the pictures of each pair over each other.
void align_pairs(session& session, const distinct_photos& photos, std::vector<compared_pair>& pairs) {
  std::vector<std::size_t> begins;  // of the runs of one a
  for (std::size_t p = 0; p < pairs.size(); ++p)
    if (p == 0 || pairs[p].a != pairs[p - 1].a) begins.push_back(p);
  begins.push_back(pairs.size());
  progress bar(session.options(), "compare", "pairs", pairs.size());
  std::atomic<std::size_t> done{0};
  session.device().host_pool().for_each(begins.size() - 1, [&](std::size_t run) {
    session.check_stop("there is no result");
    const alignable_photo a(photos.thumbnail(pairs[begins[run]].a));
    for (std::size_t p = begins[run]; p < begins[run + 1]; ++p)
      pairs[p].found = photo_alignment::of(a, alignable_photo(photos.thumbnail(pairs[p].b)));
    bar.update(done += begins[run + 1] - begins[run]);
  });
  bar.finish();
}

/// Variants of some of the photos, sought as any photo is.
struct sought_variants {
  std::size_t photos = 0;
  std::vector<double> differences;  // [photos * kinds]
  std::vector<bool> is_nominated;   // the original is among the nearest
};

sought_variants seek_variants(session& session, const photo_index& index, encoder& encoder,
                              const distinct_photos& photos) {
  const sampled_photos sample =
      read_sample(session, index.photos_root(), paths_of(index, photos.rows), kVariedPhotos, "there is no result");
  const std::vector<rgb_image> variants =
      make_variants(session, sample.photos, kDuplicateVariants, "there is no result");
  sought_variants sought{.photos = sample.photos.size(),
                         .differences = std::vector<double>(variants.size()),
                         .is_nominated = std::vector<bool>(variants.size())};
  session.device().host_pool().for_each(sample.photos.size(), [&](std::size_t i) {
    const alignable_photo original(photos.thumbnail(sample.positions[i]));
    for (std::size_t v = i * kDuplicateVariants.size(); v < (i + 1) * kDuplicateVariants.size(); ++v) {
      const rgb_image thumbnail = thumbnail_of(variants[v].view());
      sought.differences[v] = photo_alignment::of(original, alignable_photo(thumbnail.view())).difference();
    }
  });
  for (const bool is_mirrored : {false, true}) {
    session.check_stop("there is no result");
    std::vector<rgb_image> turned;
    if (is_mirrored)
      for (const rgb_image& variant : variants) turned.push_back(mirrored(variant.view()));
    const tensor<float, 2> encoded = encode_images(encoder, is_mirrored ? turned : variants);
    const top_n_result found =
        session.device().top_n(photos.embeddings.view(), encoded.view(), cosine::name,
                               {.n = kNearest, .exclude_self = false, .first_row = 0, .on_progress = {}});
    for (std::size_t v = 0; v < found.queries(); ++v) {
      const auto original = static_cast<std::int64_t>(sample.positions[v / kDuplicateVariants.size()]);
      const std::span<const std::int64_t> nearest(found.rows.view().row(v), found.columns());
      if (std::ranges::find(nearest, original) != nearest.end()) sought.is_nominated[v] = true;
    }
  }
  return sought;
}

/// The difference that a share of the variants stays below.
double difference_within(const sought_variants& sought, double share) {
  std::vector<double> made = sought.differences;
  std::ranges::sort(made);
  return made[static_cast<std::size_t>(share * static_cast<double>(made.size() - 1))];
}

/// Photos that nothing but photos as near as duplicates (up to `reach`) was compared with.
std::vector<std::size_t> crowded_photos(std::span<const compared_pair> pairs, std::size_t photos, double reach) {
  std::vector<bool> has_other(photos);
  for (const compared_pair& pair : pairs)
    if (pair.found.difference() > reach) has_other[pair.a] = has_other[pair.b] = true;
  std::vector<std::size_t> crowded;
  for (std::size_t i = 0; i < photos; ++i)
    if (!has_other[i]) crowded.push_back(i);
  return crowded;
}

/// The pairs to choose from. Where a photo has more near-copies than it is compared with, the nearest photos that
/// differ would be missing, which say how close such photos come: it is compared with more.
std::vector<compared_pair> compare_pairs(session& session, const distinct_photos& photos,
                                         const sought_variants& sought) {
  std::vector<std::size_t> these(photos.rows.size());
  std::iota(these.begin(), these.end(), std::size_t{0});
  std::vector<compared_pair> pairs;
  for (std::size_t n = kNearest; !these.empty() && n <= kMostNearest; n *= 4) {
    std::vector<compared_pair> more = nearest_pairs(session, photos, these, n);
    std::vector<compared_pair> others;
    std::ranges::set_difference(more, pairs, std::back_inserter(others), {}, place_of, place_of);
    align_pairs(session, photos, others);
    const auto middle = pairs.insert(pairs.end(), others.begin(), others.end());
    std::ranges::inplace_merge(pairs, middle, {}, place_of);
    if (sought.photos == 0 || n + 1 >= photos.rows.size()) break;
    these = crowded_photos(pairs, photos.rows.size(), difference_within(sought, kDuplicateShares.front()));
    // Where all photos are alike, comparing all with all would take hours and tell nothing.
    if (these.size() * n > kMostCrowded * photos.rows.size()) break;
  }
  std::ranges::stable_sort(pairs, {}, [](const compared_pair& pair) { return pair.found.difference(); });
  return pairs;
}

/// The longest list that is right often enough, over a few differences that duplicates may be taken to stay below.
std::optional<duplicate_selection> choose_pairs(std::span<const double> differences, const sought_variants& sought,
                                                double precision) {
  std::optional<duplicate_selection> best;
  for (const double share : kDuplicateShares) {
    const double from = difference_within(sought, share);
    if (!(from > 0)) continue;
    const std::optional<false_match_tail> tail = fit_false_match_tail(differences, from);
    if (!tail) continue;
    duplicate_selection chosen = select_duplicates(differences, *tail, precision);
    if (!best || chosen.pairs > best->pairs) best = std::move(chosen);
  }
  return best;
}

/// Why choose_pairs() has no answer.
std::string reason_for_none(std::span<const double> differences, const sought_variants& sought) {
  if (sought.photos == 0)
    return differences.empty() ? "no two different photos can be read"
                               : "no photo can be read in full, to tell how far its variants differ from it";
  const double reach = difference_within(sought, kDuplicateShares.back());
  const auto others = differences.end() - std::ranges::upper_bound(differences, reach);
  if (static_cast<std::size_t>(others) <= kLeastTailWindow)
    return "too few of the photos differ by more than variants of one photo do to tell how close photos that differ "
           "come (about twelve are needed)";
  return "the photos that differ come as close to each other as variants of one photo do";
}

/// Links joined to groups.
std::vector<duplicate_group> join(std::vector<duplicate_link> links, std::size_t photos) {
  std::vector<std::size_t> parent(photos);
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  const auto root = [&](std::size_t row) {
    while (parent[row] != row) row = parent[row] = parent[parent[row]];
    return row;
  };
  for (const duplicate_link& link : links)
    parent[std::max(root(link.a), root(link.b))] = std::min(root(link.a), root(link.b));
  std::map<std::size_t, duplicate_group> by_root;
  for (const duplicate_link& link : links) {
    duplicate_group& group = by_root[root(link.a)];
    group.rows.push_back(link.a);
    group.rows.push_back(link.b);
    group.links.push_back(link);
  }
  std::vector<duplicate_group> groups;
  for (auto& [first, group] : by_root) {
    std::ranges::sort(group.rows);
    const auto repeated = std::ranges::unique(group.rows);
    group.rows.erase(repeated.begin(), repeated.end());
    std::ranges::sort(group.links, {}, [](const duplicate_link& link) { return std::pair(link.a, link.b); });
    groups.push_back(std::move(group));
  }
  std::ranges::stable_sort(groups, std::ranges::greater{},
                           [](const duplicate_group& group) { return group.rows.size(); });
  return groups;
}

/// False, and skipped, where the photo of a row is gone or has changed since it was indexed.
bool is_as_indexed(session& session, const photo_index& index, std::size_t row) {
  struct stat status{};
  const indexed_photo& photo = index.photos()[row];
  if (::stat(index.photo_path(row).c_str(), &status) != 0) {
    session.skip(photo.path, "it is gone since it was indexed; run imgsim index again");
  } else if (!imgsim::detail::is_listed_file(status, photo)) {
    session.skip(photo.path, "it has changed since it was indexed; run imgsim index again");
  } else {
    return true;
  }
  return false;
}

}  // namespace

double duplicate_group::precision() const {
  double least = 1;
  for (const duplicate_link& link : links) least = std::min(least, link.exact ? 1.0 : link.precision);
  return least;
}

bool duplicate_group::exact() const {
  return std::ranges::all_of(links, &duplicate_link::exact);
}

duplicate_report find_duplicates(session& session, const photo_index& index, double precision) {
  duplicate_report report{.precision = precision, .groups = {}, .photos = index.size()};
  std::vector<duplicate_link> links;
  std::map<std::string, std::vector<std::size_t>> rows_of;  // by content hash
  for (std::size_t row = 0; row < index.size(); ++row) rows_of[index.photos()[row].content_hash].push_back(row);
  std::vector<std::size_t> different;
  for (auto& [hash, rows] : rows_of) {
    // Of files that are called the same, one may be thrown away: they have to be what the index read, now.
    if (rows.size() > 1) std::erase_if(rows, [&](std::size_t row) { return !is_as_indexed(session, index, row); });
    if (rows.empty()) continue;
    different.push_back(rows.front());
    for (std::size_t i = 1; i < rows.size(); ++i) links.push_back({.a = rows.front(), .b = rows[i], .exact = true});
  }
  std::ranges::sort(different);
  if (different.size() < 2) {
    report.no_estimate = "the index holds no two files that differ";
    report.groups = join(std::move(links), index.size());
    return report;
  }
  const std::unique_ptr<encoder> encoder = open_model_of(session, index);
  const distinct_photos photos = read_photos(session, index, *encoder, different);
  report.compared = photos.rows.size();
  sought_variants sought;
  std::vector<compared_pair> pairs;
  if (photos.rows.size() >= 2) {
    sought = seek_variants(session, index, *encoder, photos);
    pairs = compare_pairs(session, photos, sought);
    report.pairs = pairs.size();
  }
  std::vector<double> differences;
  for (const compared_pair& pair : pairs) differences.push_back(std::max(pair.found.difference(), 0.0));
  std::optional<duplicate_selection> chosen;
  if (sought.photos > 0) chosen = choose_pairs(differences, sought, precision);
  if (!chosen) {
    report.no_estimate = reason_for_none(differences, sought);
  } else {
    report.near_pairs = chosen->pairs;
    report.expected_false = chosen->expected_false;
    report.threshold = chosen->limit;
    for (std::size_t k = 0; k < kDuplicateVariants.size() && chosen->pairs > 0; ++k) {
      variant_recall recall{.kind = kDuplicateVariants[k], .made = sought.photos, .found = 0};
      for (std::size_t v = k; v < sought.differences.size(); v += kDuplicateVariants.size())
        if (sought.is_nominated[v] && sought.differences[v] <= chosen->limit) ++recall.found;
      report.recall.push_back(recall);
    }
    for (std::size_t p = 0; p < chosen->pairs; ++p)
      links.push_back({.a = photos.rows[pairs[p].a],
                       .b = photos.rows[pairs[p].b],
                       .exact = false,
                       .similarity = pairs[p].similarity,
                       .difference = differences[p],
                       .mirrored = pairs[p].found.mirrored,
                       .precision = chosen->precisions[p]});
  }
  report.groups = join(std::move(links), index.size());
  return report;
}

}  // namespace imgsim::app
