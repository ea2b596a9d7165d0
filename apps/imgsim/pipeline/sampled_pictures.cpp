#include "pipeline/sampled_pictures.hpp"

#include <cstdint>
#include <utility>

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
  session.device().host_pool().for_each(chosen.size(), [&](std::size_t i) {
    session.check_stop(consequence);
    try {
      const rgb_image photo = read_image(root / paths[chosen[i]], session.limits());
      read[i] = shrunk_to(photo.view(), kVariedSide);
    } catch (const io_error& fault) {
      reasons[i] = fault.reason();
    }
  });
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

std::vector<rgb_image> make_variants(session& session, const sampled_photos& sample,
                                     std::span<const photo_variant> kinds, const std::string& consequence) {
  constexpr std::uint64_t kVariantStreams = std::uint64_t{0xca1} << 48;
  std::vector<rgb_image> variants(sample.photos.size() * kinds.size());
  session.device().host_pool().for_each(variants.size(), [&](std::size_t v) {
    session.check_stop(consequence);
    random_stream random(session.options().seed, kVariantStreams + v);
    const rgb_image& photo = sample.photos[v / kinds.size()];
    variants[v] = make_variant(photo.view(), kinds[v % kinds.size()], random);
  });
  return variants;
}

}  // namespace imgsim::app
