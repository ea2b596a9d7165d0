// usage: render_photos DIR COUNT
// Renders COUNT photos of the sample set, each with a seed of its own, into DIR/<class>/.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>

#include <imgsim/core/thread_pool.hpp>
#include <sample_set/sample_set.hpp>

int main(int argc, char** argv) {
  std::size_t count = 0;
  if (argc != 3 || std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), count).ec != std::errc{}) {
    std::fputs("usage: render_photos DIR COUNT\n", stderr);
    return 2;
  }
  try {
    imgsim::thread_pool pool;
    imgsim::sample_set::write_sample_set(argv[1], 1, count, pool);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "render_photos: %s\n", failure.what());
    return 1;
  }
  return 0;
}
