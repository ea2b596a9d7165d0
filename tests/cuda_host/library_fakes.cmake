# The fake libraries, and imgsim_add_cuda_library_fake().

# Arithmetic between loading and storing operands: no sanitizer needs to watch it.
add_library(imgsim_cuda_host_loops OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/library/plain_loops.cpp)
target_compile_options(imgsim_cuda_host_loops PRIVATE -O2)
set_target_properties(imgsim_cuda_host_loops PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(imgsim_cuda_host_loops PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(imgsim_cuda_host_loops PRIVATE imgsim_build_options)

# imgsim_add_cuda_library_fake(NAME HEADER file.h SOURCES file.cpp...)
#
# A fake for FAKES of imgsim_add_cuda_host_test(), in each build with the flags of its kernels. Without HEADER among the
# toolkit's, IMGSIM_CUDA_FAKE_NAME_MISSING says so, and there is none.
function(imgsim_add_cuda_library_fake name)
  cmake_parse_arguments(ARG "" "HEADER" "SOURCES" ${ARGN})
  if(NOT EXISTS ${IMGSIM_CUDA_INCLUDE_DIR}/${ARG_HEADER})
    set(IMGSIM_CUDA_FAKE_${name}_MISSING "no ${ARG_HEADER} in ${IMGSIM_CUDA_INCLUDE_DIR}" PARENT_SCOPE)
    return()
  endif()
  foreach(build IN LISTS imgsim_cuda_host_builds)
    set(library imgsim_cuda_host_${name}_${build})
    add_library(${library} STATIC EXCLUDE_FROM_ALL ${ARG_SOURCES})
    set_target_properties(${library} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${library} PRIVATE ${imgsim_cuda_host_kernels_${build}})
    target_compile_definitions(${library} PRIVATE ${imgsim_cuda_host_define_${build}})
    target_sources(${library} PRIVATE $<TARGET_OBJECTS:imgsim_cuda_host_loops>)
    target_link_libraries(${library} PRIVATE imgsim_build_options PUBLIC imgsim_cuda_host_${build})
  endforeach()
endfunction()
