#include "pipeline/sampled_pictures.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/thread_pool.hpp>
#include <imgsim/image/decode.hpp>

namespace imgsim::app {

sampled_photos read_sample(session& session, const std::filesystem::path& root, std::span<const std::string> paths,
                           std::size_t count, const std::string& consequence) {
  const std::vector<std::size_t> chosen = draw_rows(paths.size(), count, session.options().seed);
  std::vector<rgb_image> read(chosen.size());
  std::vector<std::string> reasons(chosen.size());
  progress bar(session.options(), "read sample", "photos", chosen.size());
  std::atomic<std::size_t> done{0};
  session.device().host_pool().for_each(chosen.size(), [&](std::size_t i) {
    session.check_stop(consequence);
    try {
      const rgb_image photo = read_image(root / paths[chosen[i]], session.limits());
      read[i] = shrunk_to(photo.view(), kVariedSide);
    } catch (const io_error& fault) {
      reasons[i] = fault.reason();
    }
    bar.update(++done);
  });
  bar.finish();
  sampled_photos sample;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (read[i].pixels.empty()) {
      sample.unread.push_back({paths[chosen[i]], reasons[i]});
      continue;
    }
    sample.positions.push_back(chosen[i]);
    sample.photos.push_back(std::move(read[i]));
  }
  return sample;
}

std::vector<rgb_image> make_variants(session& session, std::span<const rgb_image> photos,
                                     std::span<const photo_variant> kinds, const std::string& consequence,
                                     std::size_t first) {
  constexpr std::uint64_t kVariantStreams = std::uint64_t{0xca1} << 48;
  std::vector<rgb_image> variants(photos.size() * kinds.size());
  session.device().host_pool().for_each(variants.size(), [&](std::size_t v) {
    session.check_stop(consequence);
    random_stream random(session.options().seed, kVariantStreams + first * kinds.size() + v);
    const rgb_image& photo = photos[v / kinds.size()];
    variants[v] = make_variant(photo.view(), kinds[v % kinds.size()], random);
  });
  return variants;
}

}  // namespace imgsim::app
