#include "pipeline/update_index.hpp"

#include "cli/text.hpp"
#include "device/compute.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/model/model_file.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

update_summary update_index(session& session, const std::filesystem::path& images, const std::filesystem::path& model,
                            const std::filesystem::path& index) {
  const photo_folder folder = scan_folder(images);
  const std::unique_ptr<encoder> encoder = open_model(session, model);
  const std::string hash = model_hash(model);
  const auto refuse_without_photos = [&](std::size_t photos) {
    if (photos > 0) return;
    throw io_error(images, folder.photos.empty() ? "holds no photos (*.jpg, *.jpeg, *.png, *.webp), at any depth"
                                                 : "holds no photo that can be read");
  };
  refuse_without_photos(folder.photos.size());

  index_writer writer(index);
  update_plan plan = plan_update(folder, writer.previous(), hash, session.device().host_pool());
  writer.set_photos_root(folder.root);
  writer.set_model(model);
  const update_summary summary = apply_update(
      writer, std::move(plan), encoder->dimension(), [&](std::span<const std::string> paths, row_sink& rows) {
        encode_files(
            session, *encoder, folder.root, paths,
            {.store = [&](std::size_t position, std::span<const float> embedding) { rows.store(position, embedding); },
             .skip = [&](const skipped_file& file) { rows.skip(file); },
             .consequence = "the index is unchanged"});
      });
  for (const skipped_file& file : summary.skipped) session.skip(file.path, file.reason);
  refuse_without_photos(summary.unchanged + summary.changed + summary.renamed + summary.added);
  writer.commit();
  return summary;
}

}  // namespace imgsim::app
