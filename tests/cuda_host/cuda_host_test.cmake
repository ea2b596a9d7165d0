# The runner in its builds, and imgsim_add_cuda_host_test().

# DWARF 4, since the addr2line of Debian 12 takes the lines of a .cu file's headers for its own in GCC's DWARF 5.
#
# Each test is built in these ways. For each: what its kernels are compiled with, its host code, what the linker is told,
# and the definition that tells the runner which build it is in.
set(imgsim_cuda_host_builds optimized address thread)

set(imgsim_cuda_host_kernels_optimized -O2)
set(imgsim_cuda_host_tests_optimized -O1)
set(imgsim_cuda_host_link_optimized "")
set(imgsim_cuda_host_define_optimized "")

set(address_flags -gdwarf-4 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)
set(imgsim_cuda_host_kernels_address -O1 ${address_flags})
# AddressSanitizer alone tells of null pointers and of objects that are too small; less to check compiles faster.
set(imgsim_cuda_host_tests_address -O0 ${address_flags} -fno-sanitize=null,object-size,vptr)
set(imgsim_cuda_host_link_address -fsanitize=address,undefined)
set(imgsim_cuda_host_define_address IMGSIM_CUDA_HOST_ASAN)

set(imgsim_cuda_host_kernels_thread -O1 -gdwarf-4 -fno-omit-frame-pointer -fsanitize=thread)
set(imgsim_cuda_host_tests_thread -O0 -gdwarf-4 -fno-omit-frame-pointer -fsanitize=thread)
set(imgsim_cuda_host_link_thread -fsanitize=thread)
set(imgsim_cuda_host_define_thread IMGSIM_CUDA_HOST_TSAN)

set(imgsim_cuda_host_sources
  runner/block.cpp runner/fiber.cpp runner/fiber_pool.cpp runner/grid.cpp runner/options.cpp runner/report.cpp runner/shared_memory.cpp
  runner/thread.cpp runner/warp.cpp runner/watchdog.cpp
  runtime/copies.cpp runtime/device.cpp runtime/errors.cpp runtime/events.cpp runtime/faults.cpp runtime/graphs.cpp
  runtime/launches.cpp runtime/library_fakes.cpp runtime/library_objects.cpp runtime/memory.cpp runtime/streams.cpp)
list(TRANSFORM imgsim_cuda_host_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)

foreach(build IN LISTS imgsim_cuda_host_builds)
  add_library(imgsim_cuda_host_${build} STATIC EXCLUDE_FROM_ALL ${imgsim_cuda_host_sources})
  # Most of each file is the standard library's headers: together they compile four times as fast.
  set_target_properties(imgsim_cuda_host_${build} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0
    POSITION_INDEPENDENT_CODE ON)  # a module is made of it, too (command/)
  # The sanitizers watch the kernels, not the runner: they would only slow it down, and see races in its bookkeeping.
  target_compile_options(imgsim_cuda_host_${build} PRIVATE -O2)
  target_compile_definitions(imgsim_cuda_host_${build}
    PRIVATE ${imgsim_cuda_host_define_${build}} PUBLIC IMGSIM_CUDA_HOST)
  target_include_directories(imgsim_cuda_host_${build} PUBLIC ${PROJECT_SOURCE_DIR}/tests)
  target_include_directories(imgsim_cuda_host_${build} SYSTEM PUBLIC ${IMGSIM_CUDA_INCLUDE_DIR})
  target_link_libraries(imgsim_cuda_host_${build} PRIVATE imgsim_build_options PUBLIC imgsim::core Boost::context)
endforeach()

add_library(imgsim_cuda_host_leftovers OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/support/leftovers.cpp)
target_compile_definitions(imgsim_cuda_host_leftovers PRIVATE BOOST_TEST_DYN_LINK)
target_include_directories(imgsim_cuda_host_leftovers PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(imgsim_cuda_host_leftovers PRIVATE imgsim_build_options Boost::unit_test_framework)

set(imgsim_cuda_architectures 90)
if(IMGSIM_CUDA_ALL_ARCHITECTURES)
  set(imgsim_cuda_architectures 75 80 86 89 90 100 120)
endif()

add_library(imgsim_cuda_traffic STATIC EXCLUDE_FROM_ALL
  ${CMAKE_CURRENT_LIST_DIR}/meter/entry_points.cpp ${CMAKE_CURRENT_LIST_DIR}/meter/source_lines.cpp
  ${CMAKE_CURRENT_LIST_DIR}/meter/traffic.cpp)
target_compile_options(imgsim_cuda_traffic PRIVATE -O2)
target_link_libraries(imgsim_cuda_traffic PRIVATE imgsim_build_options PUBLIC imgsim_cuda_host_optimized)

# imgsim_add_cuda_device_object(NAME SOURCE)
# Compiles SOURCE with nvcc for the GPU, warnings as errors, and nothing more: target NAME.
function(imgsim_add_cuda_device_object name source)
  set(flags -std=c++20 -Werror all-warnings -Xcompiler=-Wall,-Wextra -I${PROJECT_SOURCE_DIR}/include
      -I${PROJECT_SOURCE_DIR}/kernels -I${PROJECT_SOURCE_DIR}/tests)
  foreach(architecture IN LISTS imgsim_cuda_architectures)
    list(APPEND flags -gencode arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${IMGSIM_NVCC} ${flags} -ccbin ${CMAKE_CXX_COMPILER} -MD -MF ${object}.d -x cu -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d COMMENT "Compiling ${name} with nvcc" VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${object})
endfunction()

# The same for each of the sources of a test, once: targets cuda_device_TEST_STEM. Nothing where there is no nvcc.
function(imgsim_add_cuda_device_objects test)
  if(NOT IMGSIM_NVCC)
    return()
  endif()
  foreach(source IN LISTS ARGN)
    cmake_path(GET source STEM stem)
    cmake_path(ABSOLUTE_PATH source)
    if(NOT TARGET cuda_device_${test}_${stem})
      imgsim_add_cuda_device_object(cuda_device_${test}_${stem} ${source})
    endif()
  endforeach()
endfunction()

# Sets `skipped` where one of the fakes is missing, and says why in a test of that name.
function(imgsim_skip_without_fakes test fakes skipped)
  set(${skipped} FALSE PARENT_SCOPE)
  foreach(fake IN LISTS fakes)
    if(IMGSIM_CUDA_FAKE_${fake}_MISSING)
      message(STATUS "The test ${test} is skipped: ${IMGSIM_CUDA_FAKE_${fake}_MISSING}")
      add_test(NAME ${test} COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED ${test}: ${IMGSIM_CUDA_FAKE_${fake}_MISSING}")
      set_tests_properties(${test} PROPERTIES LABELS cuda_host SKIP_REGULAR_EXPRESSION "^SKIPPED")
      set(${skipped} TRUE PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# imgsim_add_cuda_host_test(NAME SOURCES file.cpp... [DEVICE_SOURCES file.cu...] [LINK targets...] [FAKES names...]
#                           [BUILDS names...] [SLOW] [WITHOUT_NVCC])
#
# Three Boost.Test programs from the same sources, test_cuda_host_NAME_{optimized,address,thread}: at -O2, run once for
# each seed; with AddressSanitizer and UndefinedBehaviorSanitizer; with ThreadSanitizer. DEVICE_SOURCES hold the kernels
# and what launches them: they are compiled into each program as C++ over the host runner, and once more by nvcc, where
# there is one. SOURCES call them, and are compiled with little optimisation under the sanitizers. FAKES are libraries of
# library_fakes.cmake; where one is missing, the test is skipped. WITHOUT_NVCC: DEVICE_SOURCES are another test's, too.
# ctest: cuda_host.NAME.{seed1,seed2,...,address,thread}, label cuda_host.
function(imgsim_add_cuda_host_test name)
  cmake_parse_arguments(ARG "SLOW;WITHOUT_NVCC" "" "SOURCES;DEVICE_SOURCES;LINK;FAKES;BUILDS" ${ARGN})
  imgsim_skip_without_fakes(cuda_host.${name} "${ARG_FAKES}" skipped)
  if(skipped)
    return()
  endif()
  if(NOT ARG_BUILDS)
    set(ARG_BUILDS ${imgsim_cuda_host_builds})
  endif()
  set_source_files_properties(${ARG_DEVICE_SOURCES} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  set(labels cuda_host "$<IF:$<BOOL:${ARG_SLOW}>,slow,fast>")
  foreach(build IN LISTS ARG_BUILDS)
    set(program test_cuda_host_${name}_${build})
    set(libraries imgsim_cuda_host_${build} ${ARG_LINK} imgsim_build_options)
    foreach(fake IN LISTS ARG_FAKES)
      list(PREPEND libraries imgsim_cuda_host_${fake}_${build})
    endforeach()
    add_executable(${program} ${ARG_SOURCES}
      $<TARGET_OBJECTS:imgsim_test_main> $<TARGET_OBJECTS:imgsim_cuda_host_leftovers>)
    target_compile_options(${program} PRIVATE ${imgsim_cuda_host_tests_${build}})
    target_compile_definitions(${program} PRIVATE BOOST_TEST_DYN_LINK IMGSIM_CUDA_HOST_BUILD="${build}"
      IMGSIM_TEST_DATA="${IMGSIM_TEST_DATA}" IMGSIM_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}/tests")
    target_link_options(${program} PRIVATE ${imgsim_cuda_host_link_${build}})
    target_link_libraries(${program} PRIVATE ${libraries} Boost::unit_test_framework)
    if(ARG_DEVICE_SOURCES)
      add_library(${program}_kernels OBJECT EXCLUDE_FROM_ALL ${ARG_DEVICE_SOURCES})
      target_compile_options(${program}_kernels PRIVATE ${imgsim_cuda_host_kernels_${build}})
      target_link_libraries(${program}_kernels PRIVATE ${libraries})
      target_sources(${program} PRIVATE $<TARGET_OBJECTS:${program}_kernels>)
    endif()
    if(build STREQUAL "optimized")
      foreach(seed RANGE 1 ${IMGSIM_CUDA_HOST_SEEDS})
        add_test(NAME cuda_host.${name}.seed${seed} COMMAND ${program} --report_level=short)
        set_tests_properties(cuda_host.${name}.seed${seed} PROPERTIES LABELS "${labels}" TIMEOUT 600
          ENVIRONMENT IMGSIM_CUDA_HOST_SEED=${seed})
      endforeach()
    else()
      add_test(NAME cuda_host.${name}.${build} COMMAND ${program} --report_level=short)
      # ThreadSanitizer sleeps a second at the end of a process that has found something, in case more comes.
      set_tests_properties(cuda_host.${name}.${build} PROPERTIES LABELS "${labels}" TIMEOUT 600
        COST 40 ENVIRONMENT TSAN_OPTIONS=atexit_sleep_ms=0)
    endif()
  endforeach()
  if(NOT ARG_WITHOUT_NVCC)
    imgsim_add_cuda_device_objects(${name} ${ARG_DEVICE_SOURCES})
  endif()
endfunction()

# imgsim_add_cuda_traffic_test(NAME SOURCES file.cpp... DEVICE_SOURCES file.cu... [LINK targets...] [FAKES names...]
#                              [SLOW])
#
# One Boost.Test program, test_cuda_traffic_NAME, in which a traffic_meter (meter/traffic.hpp) sees the accesses of the
# kernels in DEVICE_SOURCES. Nothing is vectorised or merged, so that each access in the source is one in the program.
# ctest: cuda_host.NAME.traffic.
function(imgsim_add_cuda_traffic_test name)
  cmake_parse_arguments(ARG "SLOW" "" "SOURCES;DEVICE_SOURCES;LINK;FAKES" ${ARGN})
  imgsim_skip_without_fakes(cuda_host.${name}.traffic "${ARG_FAKES}" skipped)
  if(skipped)
    return()
  endif()
  set_source_files_properties(${ARG_DEVICE_SOURCES} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  set(program test_cuda_traffic_${name})
  set(libraries imgsim_cuda_traffic ${ARG_LINK} imgsim_build_options)
  foreach(fake IN LISTS ARG_FAKES)
    list(PREPEND libraries imgsim_cuda_host_${fake}_optimized)
  endforeach()
  add_library(${program}_kernels OBJECT EXCLUDE_FROM_ALL ${ARG_DEVICE_SOURCES})
  target_compile_options(${program}_kernels PRIVATE -O2 -fno-tree-vectorize -fno-store-merging -gdwarf-4
    -fsanitize=thread)
  target_link_libraries(${program}_kernels PRIVATE ${libraries})
  add_executable(${program} ${ARG_SOURCES} $<TARGET_OBJECTS:${program}_kernels>
    $<TARGET_OBJECTS:imgsim_test_main> $<TARGET_OBJECTS:imgsim_cuda_host_leftovers>)
  target_compile_definitions(${program} PRIVATE BOOST_TEST_DYN_LINK IMGSIM_CUDA_HOST_BUILD="traffic"
    IMGSIM_TEST_DATA="${IMGSIM_TEST_DATA}" IMGSIM_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}/tests")
  target_compile_options(${program} PRIVATE -O1)
  target_link_libraries(${program} PRIVATE ${libraries} Boost::unit_test_framework)
  add_test(NAME cuda_host.${name}.traffic COMMAND ${program} --report_level=short)
  set_tests_properties(cuda_host.${name}.traffic PROPERTIES
    LABELS "cuda_host;$<IF:$<BOOL:${ARG_SLOW}>,slow,fast>" TIMEOUT 600)
  imgsim_add_cuda_device_objects(${name} ${ARG_DEVICE_SOURCES})
endfunction()
