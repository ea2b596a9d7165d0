# cmake -P: builds a consumer of imgsim in the way `way` and runs it. Variables: way, source, build, work, generator,
# compiler; nvcc for `cuda`, keras (ON where there is that component) for `installed`. `command_alone` installs
# the command without its backends.
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result)
    message(FATAL_ERROR "failed (${result}): ${ARGN}\n${output}")
  endif()
endfunction()

if(way STREQUAL "cuda" AND NOT nvcc)
  message("SKIPPED package_cuda: there is no nvcc")
  return()
endif()

file(REMOVE_RECURSE ${work})
set(prefix ${work}/prefix)
if(way STREQUAL "command_alone")
  step(${CMAKE_COMMAND} -S ${source} -B ${work}/build -G ${generator} -DCMAKE_CXX_COMPILER=${compiler} -DIMGSIM_BUILD_TESTS=OFF)
  # As built there.
  file(COPY ${build}/bin/imgsim DESTINATION ${work}/build/bin)
  file(COPY ${build}/apps/imgsim/share DESTINATION ${work}/build/apps/imgsim)
  step(${CMAKE_COMMAND} --install ${work}/build --prefix ${prefix})
  step(${prefix}/bin/imgsim --version)
  file(GLOB_RECURSE modules ${prefix}/*/imgsim_*.so)
  if(modules)
    message(FATAL_ERROR "there are backends that nobody built: ${modules}")
  endif()
  return()
endif()
if(NOT way STREQUAL "subdirectory")
  step(${CMAKE_COMMAND} --install ${build} --prefix ${prefix})
endif()
set(configure ${CMAKE_COMMAND} -B ${work}/build -G ${generator} -DCMAKE_CXX_COMPILER=${compiler}
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH=${prefix})

if(way STREQUAL "cuda")
  # One architecture: that of the GPU that is there, or any.
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader,nounits
                  OUTPUT_VARIABLE architecture ERROR_QUIET RESULT_VARIABLE unknown)
  if(unknown OR NOT architecture MATCHES "^([0-9]+)[.]([0-9])")
    set(architecture 90)
  else()
    set(architecture ${CMAKE_MATCH_1}${CMAKE_MATCH_2})
  endif()
  step(${configure} -S ${source}/tests/package/cuda_consumer -DCMAKE_CUDA_COMPILER=${nvcc}
       -DCMAKE_CUDA_HOST_COMPILER=${compiler} -DCMAKE_CUDA_ARCHITECTURES=${architecture}
       -DIMGSIM_EXAMPLES=${source}/apps/examples)
  step(${CMAKE_COMMAND} --build ${work}/build)
  step(${work}/build/shared_stream)
elseif(way STREQUAL "pkg_config")
  # A folder that was installed may be moved.
  file(RENAME ${prefix} ${work}/elsewhere)
  file(GLOB_RECURSE packages ${work}/elsewhere/*/imgsim.pc)
  cmake_path(GET packages PARENT_PATH folder)
  set(flags "PKG_CONFIG_PATH='${folder}' pkg-config --cflags --libs")
  set(strict "-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror")
  # pkg-config escapes spaces of paths for a shell to read again.
  step(sh -c "flags=$(${flags} imgsim) && eval \"'${compiler}' ${strict} -o '${work}/consumer' '${source}/tests/package/pkg_config/consumer.cpp' $flags\"")
  step(${work}/consumer)
  step(sh -c "flags=$(${flags} imgsim-core) && eval \"'${compiler}' ${strict} -o '${work}/search_only' '${source}/tests/package/consumer/search_only.cpp' $flags\"")
  step(${work}/search_only)
else()
  if(way STREQUAL "installed")
    step(${configure} -S ${source}/tests/package/components -B ${work}/components -DKERAS=${keras})
    step(${CMAKE_COMMAND} --build ${work}/components)
  else()
    list(APPEND configure -DIMGSIM_SOURCE=${source})
  endif()
  step(${configure} -S ${source}/tests/package/consumer)
  step(${CMAKE_COMMAND} --build ${work}/build)
  step(${work}/build/search_only)
  step(${work}/build/everything)
endif()
