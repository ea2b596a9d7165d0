#include "commands/import_keras.hpp"

#include <iostream>

#include "pipeline/model_files.hpp"
#include "pipeline/output_path.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/path_text.hpp>

#ifdef IMGSIM_WITH_KERAS
#include <imgsim/model/keras_import.hpp>
#include <imgsim/report/escape.hpp>
#endif

namespace imgsim::app {

command_help import_keras_command::help() const {
  return {.usage = "FILE.h5 --model FILE",
          .about =
              "Reads the architecture and the weights that Keras saved in an HDF5 file (a Sequential or linear "
              "model of layers that imgsim has) and writes them as a model. The encodings are those of Keras.",
          .examples = {"imgsim import-keras trained_autoencoder.h5 --model photos.safetensors"},
          .exit_codes = {}};
}

void import_keras_command::describe(option_set& options) {
  options.path("model", "FILE", model_, "the model to write").required();
  options.positional({.metavar = "FILE.h5", .target = &files_, .least = 1, .most = 1, .kind = value_kind::file});
}

exit_code import_keras_command::run([[maybe_unused]] session& session) {
#ifdef IMGSIM_WITH_KERAS
  prepare_output_file(session, model_, output_kind::model);
  const model_file model = import_untrusted_keras(files_.front());
  if (session.is_dry_run()) return session.finish_dry_run(0);
  save_model(model_, model);
  if (session.wants_json()) {
    session.print({{"model", path_to_text(model_.string())},
                   {"architecture", model.description.name},
                   {"dimension", model.embedding.dimension()}});
  } else {
    std::cout << printable_utf8(model_.string() + ": " + model.description.name) << ", " << model.embedding.dimension()
              << " numbers a photo\n";
  }
  return session.finish();
#else
  throw error("this imgsim was built without HDF5 and cannot read Keras files");
#endif
}

}  // namespace imgsim::app
