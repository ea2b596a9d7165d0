# The dependencies of the exported targets, by component: sets imgsim_COMPONENT_missing to what is not there, or to "",
# for each of imgsim_components (core cpu keras cuda mpi). Included by imgsim's own build and by its installed package
# file; core's own dependency, threads, is every component's.

# imgsim_need(COMPONENT WHAT find_package arguments...): WHAT is for the message.
macro(imgsim_need component what package)
  if(NOT imgsim_${component}_missing)
    find_package(${package} ${ARGN} QUIET)
    if(NOT ${package}_FOUND)
      set(imgsim_${component}_missing "${what}")
    endif()
  endif()
endmacro()

# imgsim_need_module(COMPONENT MODULE): by pkg-config, for those that ship no CMake package in Debian 12 (HDF5's wants a
# C compiler in every consumer). As the target imgsim_dependency::MODULE without a leading "lib".
macro(imgsim_need_module component module)
  imgsim_need(${component} "pkg-config" PkgConfig)
  if(NOT imgsim_${component}_missing)
    string(REGEX REPLACE "^lib" "" imgsim_short ${module})
    if(NOT TARGET imgsim_dependency::${imgsim_short})
      pkg_check_modules(imgsim_${imgsim_short} QUIET IMPORTED_TARGET GLOBAL ${module})
      if(imgsim_${imgsim_short}_FOUND)
        add_library(imgsim_dependency::${imgsim_short} INTERFACE IMPORTED GLOBAL)
        target_link_libraries(imgsim_dependency::${imgsim_short} INTERFACE PkgConfig::imgsim_${imgsim_short})
      else()
        set(imgsim_${component}_missing "${module} (by pkg-config)")
      endif()
    endif()
  endif()
endmacro()

foreach(component IN ITEMS cpu ${imgsim_components})
  set(imgsim_${component}_missing "")
  imgsim_need(${component} "threads" Threads)
endforeach()
if("cpu" IN_LIST imgsim_components OR "keras" IN_LIST imgsim_components)
  imgsim_need(cpu "OpenMP for C++" OpenMP COMPONENTS CXX)  # oneDNN's thread count is set through it
  imgsim_need(cpu "oneDNN" dnnl)
  imgsim_need(cpu "Eigen 3.4" Eigen3 3.4)
  imgsim_need(cpu "nlohmann-json 3.11" nlohmann_json 3.11)
  imgsim_need(cpu "libpng" PNG)
  foreach(module IN ITEMS libturbojpeg libwebp libexif libxxhash)
    imgsim_need_module(cpu ${module})
  endforeach()
endif()
if("keras" IN_LIST imgsim_components)
  set(imgsim_keras_missing "${imgsim_cpu_missing}")
  imgsim_need_module(keras hdf5)
endif()
if("cuda" IN_LIST imgsim_components)
  imgsim_need(cuda "a CUDA toolkit of version 13 or later (CUDAToolkit_ROOT)" CUDAToolkit 13)
endif()
if("mpi" IN_LIST imgsim_components)
  set(MPI_CXX_SKIP_MPICXX TRUE)  # MPI's C++ bindings are gone since MPI 3, and not used
  imgsim_need(mpi "MPI for C++" MPI COMPONENTS CXX)
endif()
