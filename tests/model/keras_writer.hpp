// Writes small Keras files for the tests of the importer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/model/hdf5.hpp>

namespace imgsim_test {

using nlohmann::json;

/// Writes .h5 files as Keras 2 lays them out.
class keras_writer {
 public:
  explicit keras_writer(const std::filesystem::path& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose) {
    group("/model_weights");
  }

  void config(const json& model) { text("/", "model_config", model.dump()); }
  void loss(const std::string& name) { text("/", "training_config", json{{"loss", name}}.dump()); }

  void text(const std::string& object, const std::string& name, const std::string& value) {
    const imgsim::hdf5::unique_handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.id(), value.size() + 1);
    const imgsim::hdf5::unique_handle space(H5Screate(H5S_SCALAR), H5Sclose);
    attribute(object, name, type.id(), space.id(), value.c_str());
  }

  /// A layer's group: weights by name, values 1, 2, 3, ...
  void layer(const std::string& name, const std::vector<std::pair<std::string, std::vector<hsize_t>>>& weights) {
    group("/model_weights/" + name);
    constexpr std::size_t kWidth = 64;
    std::vector<char> names(std::max<std::size_t>(weights.size(), 1) * kWidth);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      std::memcpy(names.data() + i * kWidth, weights[i].first.data(), weights[i].first.size());
      dataset("/model_weights/" + name + "/" + weights[i].first, weights[i].second);
    }
    const imgsim::hdf5::unique_handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.id(), kWidth);
    const hsize_t count = weights.size();
    const imgsim::hdf5::unique_handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    attribute("/model_weights/" + name, "weight_names", type.id(), space.id(), names.data());
  }

  [[nodiscard]] hid_t id() const { return file_.id(); }

 private:
  void group(const std::string& name) {
    const imgsim::hdf5::unique_handle made(H5Gcreate2(file_.id(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                           H5Gclose);
  }

  void attribute(const std::string& object, const std::string& name, hid_t type, hid_t space, const void* data) {
    const imgsim::hdf5::unique_handle made(
        H5Acreate_by_name(file_.id(), object.c_str(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    H5Awrite(made.id(), type, data);
  }

  void dataset(const std::string& path, const std::vector<hsize_t>& shape) {
    const imgsim::hdf5::unique_handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.id(), 1);
    const imgsim::hdf5::unique_handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                                            H5Sclose);
    // Without the time of writing: the same calls make the same bytes, which the fuzzers start from.
    const imgsim::hdf5::unique_handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation.id(), false);
    const imgsim::hdf5::unique_handle data(
        H5Dcreate2(file_.id(), path.c_str(), H5T_IEEE_F32LE, space.id(), links.id(), creation.id(), H5P_DEFAULT),
        H5Dclose);
    std::vector<float> values(std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>()));
    std::iota(values.begin(), values.end(), 1.0F);
    H5Dwrite(data.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }

  imgsim::hdf5::unique_handle file_;
};

}  // namespace imgsim_test
