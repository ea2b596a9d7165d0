# The dependencies of the exported targets. Included by imgsim's own build and by its installed package file.
include(CMakeFindDependencyMacro)

find_dependency(Threads)
find_dependency(OpenMP)             # oneDNN's thread count is set through it
find_dependency(dnnl)
find_dependency(Eigen3 3.4)
find_dependency(nlohmann_json 3.11)
find_dependency(PNG)

# These ship no CMake package in Debian 12 (HDF5's module wants a C compiler in every consumer); all ship pkg-config
# files.
find_dependency(PkgConfig)
set(imgsim_pkg_config_modules libturbojpeg libwebp libexif libxxhash)
if(IMGSIM_WITH_KERAS)
  list(APPEND imgsim_pkg_config_modules hdf5)
endif()
foreach(module IN LISTS imgsim_pkg_config_modules)
  string(REGEX REPLACE "^lib" "" short ${module})
  if(NOT TARGET imgsim_dependency::${short})
    pkg_check_modules(imgsim_${short} REQUIRED IMPORTED_TARGET GLOBAL ${module})
    add_library(imgsim_dependency::${short} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(imgsim_dependency::${short} INTERFACE PkgConfig::imgsim_${short})
  endif()
endforeach()
