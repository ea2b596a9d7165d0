#include "device/library_versions.hpp"

#include <png.h>
#include <webp/decode.h>
#include <xxhash.h>
#include <Eigen/Core>
#include <boost/version.hpp>
#include <dnnl.hpp>
#include <nlohmann/json.hpp>

#ifdef IMGSIM_WITH_KERAS
#include <hdf5.h>
#endif
#ifdef IMGSIM_WITH_URL
#include <curl/curl.h>
#endif

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

template <class... Numbers>
std::string dotted(Numbers... numbers) {
  std::string text;
  ((text += (text.empty() ? "" : ".") + std::to_string(numbers)), ...);
  return text;
}

}  // namespace

std::vector<library_version> library_versions() {
  const dnnl_version_t* dnnl = dnnl_version();
  const int webp = WebPGetDecoderVersion();
  const unsigned hash = XXH_versionNumber();
  const png_uint_32 png = png_access_version_number();
  std::vector<library_version> versions{
      {"oneDNN", dotted(dnnl->major, dnnl->minor, dnnl->patch)},
      {"libpng", dotted(png / 10000, png / 100 % 100, png % 100)},
      {"libwebp", dotted(webp >> 16, webp >> 8 & 0xff, webp & 0xff)},
      {"xxHash", dotted(hash / 10000, hash / 100 % 100, hash % 100)},
      {"Eigen", dotted(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
      {"nlohmann-json", dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
      {"Boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)}};
#ifdef IMGSIM_WITH_KERAS
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  if (H5get_libversion(&major, &minor, &patch) >= 0) versions.push_back({"HDF5", dotted(major, minor, patch)});
#endif
#ifdef IMGSIM_WITH_URL
  versions.push_back({"libcurl", curl_version_info(CURLVERSION_NOW)->version});
#endif
  return versions;
}

}  // namespace imgsim::app
