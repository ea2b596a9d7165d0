#include "sample_set/sample_set.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/image/resize.hpp>

#include "scenes.hpp"

namespace imgsim::sample_set {

namespace {

using painter = void (*)(picture&, chance&);

constexpr std::array<painter, kClassNames.size()> kPainters{
    paint_balloons, paint_bricks, paint_city,   paint_fish,      paint_flowers, paint_forest,
    paint_fruit,    paint_gears,  paint_marble, paint_mountains, paint_sailing, paint_textile};

enum class change { none, crop, mirror, bright, blur, rough };
constexpr std::array<std::string_view, 6> kChangeNames{"", "crop", "mirror", "bright", "blur", "rough"};

/// One file of the set.
struct sample_file {
  std::size_t kind = 0;
  std::size_t index = 0;  // of the picture that is rendered
  change made = change::none;
};

constexpr std::size_t kOnePerDuplicates = 6;

std::vector<sample_file> plan(std::size_t count) {
  std::vector<sample_file> files;
  for (std::size_t kind = 0; kind < kClassNames.size(); ++kind) {
    const std::size_t share = count / kClassNames.size() + (kind < count % kClassNames.size() ? 1 : 0);
    const std::size_t duplicates = share / kOnePerDuplicates, originals = share - duplicates;
    for (std::size_t i = 0; i < originals; ++i) files.push_back({kind, i, change::none});
    for (std::size_t i = 0; i < duplicates; ++i)
      files.push_back({kind, i * originals / duplicates, static_cast<change>(1 + i % (kChangeNames.size() - 1))});
  }
  return files;
}

std::uint64_t stream_of(std::size_t kind, std::size_t index) {
  return static_cast<std::uint64_t>(kind) << 32 | static_cast<std::uint64_t>(index);
}

rgb_image blank(std::size_t width, std::size_t height) {
  rgb_image image;
  image.width = width;
  image.height = height;
  image.pixels.resize(width * height * 3);
  return image;
}

rgb_image resized(view<const std::uint8_t, 3> from, std::size_t width, std::size_t height) {
  rgb_image image = blank(width, height);
  resize_bilinear(from, image.view());
  return image;
}

rgb_image changed(const rgb_image& from, change made, chance& random) {
  rgb_image image = from;
  switch (made) {
    case change::crop: {
      const float keep = random.in(0.78f, 0.9f);
      const auto side = static_cast<std::size_t>(keep * static_cast<float>(from.width));
      const std::size_t x = random.below(from.width - side + 1), y = random.below(from.height - side + 1);
      const view<const std::uint8_t, 3> part(from.pixels.data() + 3 * (y * from.width + x), {side, side, 3},
                                             {3 * from.width, 3, 1});
      image = resized(part, from.width, from.height);
      break;
    }
    case change::mirror:
      for (std::size_t y = 0; y < from.height; ++y)
        for (std::size_t x = 0; x < from.width; ++x)
          std::copy_n(&from.pixels[3 * (y * from.width + x)], 3,
                      &image.pixels[3 * (y * from.width + from.width - 1 - x)]);
      break;
    case change::bright: {
      const float factor = random.happens(0.5f) ? random.in(1.2f, 1.4f) : random.in(0.65f, 0.8f);
      for (std::uint8_t& level : image.pixels)
        level = static_cast<std::uint8_t>(std::min(255.0f, factor * static_cast<float>(level)));
      break;
    }
    case change::blur: {
      const std::size_t side = std::max<std::size_t>(from.width / 3, 1);
      const rgb_image small = resized(from.view(), side, side);
      image = resized(small.view(), from.width, from.height);
      break;
    }
    case change::none:
    case change::rough:
      break;
  }
  return image;
}

std::string path_of(const sample_file& file) {
  const std::string number = std::to_string(file.index + 1);
  std::string name(kClassNames[file.kind]);
  name.append("-").append(4 - std::min<std::size_t>(number.size(), 4), '0').append(number);
  if (file.made != change::none) name.append("-").append(kChangeNames[static_cast<std::size_t>(file.made)]);
  return std::string(kClassNames[file.kind]) + "/" + name + ".jpg";
}

}  // namespace

rgb_image render_sample(std::uint64_t seed, std::size_t kind, std::size_t index, std::size_t size) {
  IMGSIM_EXPECTS(kind < kPainters.size(), "there is no class ", kind, " among ", kPainters.size());
  IMGSIM_EXPECTS(size > 0, "a picture must be at least one pixel wide");
  chance random(seed, stream_of(kind, index));
  picture scene(size);
  kPainters[kind](scene, random);
  return scene.develop(random);
}

std::vector<std::string> sample_set_paths(std::size_t count) {
  std::vector<std::string> paths;
  for (const sample_file& file : plan(count)) paths.push_back(path_of(file));
  return paths;
}

void write_sample_set(const std::filesystem::path& folder, std::uint64_t seed, std::size_t count, thread_pool& pool,
                      const std::function<void(std::size_t, std::size_t)>& on_written) {
  const std::vector<sample_file> files = plan(count);
  for (const std::string_view name : kClassNames) {
    std::error_code failure;
    std::filesystem::create_directories(folder / name, failure);
    if (failure) throw io_error(folder / name, "cannot be made: " + failure.message());
  }
  constexpr std::uint64_t kChangeStreams = std::uint64_t{1} << 60;  // apart from those that scenes are drawn from
  std::atomic<std::size_t> written{0};
  pool.for_each(files.size(), [&](std::size_t i) {
    const sample_file& file = files[i];
    chance random(seed,
                  kChangeStreams + stream_of(file.kind, file.index) + (static_cast<std::uint64_t>(file.made) << 56));
    const rgb_image picture = changed(render_sample(seed, file.kind, file.index), file.made, random);
    const int quality = file.made == change::rough ? random.in(8, 16) : random.in(70, 95);
    write_file(folder / path_of(file), encode_jpeg(picture.view(), quality));
    const std::size_t done = ++written;
    if (on_written) on_written(done, files.size());
  });
}

}  // namespace imgsim::sample_set
