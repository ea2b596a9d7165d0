// Weights of Keras: imgsim/model/keras_import.hpp, the file and the description of the layers in it. HDF5 is Debian's:
// what damaged files make it do, it does in a child process, and only what imgsim itself does wrong there is a finding.
#include <model/keras_writer.hpp>
#include <support/temporary_folder.hpp>

#include <imgsim/core/child_process.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/model/keras_import.hpp>

#include "../target.hpp"

/// The sanitizers ask for these. HDF5 allocates what a file says, petabytes too, reads beyond its memory, and loses
/// some.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" const char* __asan_default_suppressions();
extern "C" const char* __asan_default_suppressions() {
  return "interceptor_via_lib:libhdf5";
}
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

namespace imgsim_fuzz {

namespace {

constexpr const char* kLayers = R"({"class_name": "Sequential", "config": {"name": "model", "layers": [
  {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [null, 8, 8, 3]}},
  {"class_name": "Conv2D", "config": {"name": "down", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
                                      "padding": "same", "activation": "relu"}},
  {"class_name": "BatchNormalization", "config": {"name": "norm", "axis": [3], "momentum": 0.9, "epsilon": 0.01}},
  {"class_name": "MaxPooling2D", "config": {"name": "encoder", "pool_size": [2, 2], "strides": [2, 2],
                                            "padding": "same"}},
  {"class_name": "UpSampling2D", "config": {"name": "up", "size": [2, 2], "interpolation": "bilinear"}},
  {"class_name": "Conv2DTranspose", "config": {"name": "out", "filters": 3, "kernel_size": [3, 3], "strides": [2, 2],
                                               "padding": "same", "activation": "sigmoid"}}]}})";

bool read_file(std::span<const std::byte> input) {
  const input_file file(input);
  return accepts([&] {
    try {
      static_cast<void>(imgsim::import_untrusted_keras(file.path(), {.cpu_seconds = 2, .memory_bytes = 1u << 28}));
    } catch (const imgsim::child_ended& end) {
      must(false, end.what());
    }
  });
}

std::vector<bytes> file_seeds() {
  const imgsim_test::temporary_folder folder;
  const std::filesystem::path path = folder.path() / "model.h5";
  {
    imgsim_test::keras_writer file(path);
    file.config(nlohmann::json::parse(kLayers));
    file.loss("binary_crossentropy");
    file.layer("down", {{"down/kernel:0", {3, 3, 3, 4}}, {"down/bias:0", {4}}});
    file.layer(
        "norm",
        {{"norm/gamma:0", {4}}, {"norm/beta:0", {4}}, {"norm/moving_mean:0", {4}}, {"norm/moving_variance:0", {4}}});
    file.layer("out", {{"out/kernel:0", {3, 3, 3, 4}}, {"out/bias:0", {3}}});
  }
  return {imgsim::read_file(path, 1u << 20)};
}

bool read_layers(std::span<const std::byte> input) {
  return accepts(
      [&] { static_cast<void>(imgsim::keras::import_chain(imgsim::parse_json(imgsim::text_of(input), "layers"))); });
}

std::vector<bytes> layers_seeds() {
  return {bytes_of_text(kLayers)};
}

}  // namespace

const target keras_target{"keras", read_file, file_seeds};
const target keras_layers_target{"keras_layers", read_layers, layers_seeds};

}  // namespace imgsim_fuzz
