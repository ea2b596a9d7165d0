// images.jsonl of an index: imgsim/embedding/photo_list.hpp.
#include <filesystem>

#include <imgsim/embedding/photo_list.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_list(std::span<const std::byte> input) {
  const input_file file(input);
  return accepts([&] {
    const std::vector<imgsim::indexed_photo> photos = imgsim::read_photo_list(file.path());
    for (std::size_t i = 0; i < photos.size(); ++i) {
      must(i == 0 || photos[i - 1].path < photos[i].path, "paths ascend");
      for (const std::filesystem::path& part : std::filesystem::path(photos[i].path))
        must(part != ".." && part != "/", "no path leaves the folder");
    }
  });
}

std::vector<bytes> list_seeds() {
  return {bytes_of_text(R"({"path":"a/1.jpg","size":1200,"mtime":1700000000123456789,"hash":"00ff"}
{"path":"a/2.jpg","size":18446744073709551615,"mtime":-1,"hash":""}
{"path":"b/\u00fc\ud83d\ude00.png","size":0,"mtime":0,"hash":"x"}
)"),
          {}};
}

}  // namespace

const target photo_list_target{"photo_list", read_list, list_seeds};

}  // namespace imgsim_fuzz
