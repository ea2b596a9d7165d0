# cmake -P: builds tests/package/consumer against imgsim and runs it. Variables: way, source, build, work, generator,
# compiler.
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result)
    message(FATAL_ERROR "failed (${result}): ${ARGN}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${work})
if(way STREQUAL "installed")
  step(${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix)
  set(where -DCMAKE_PREFIX_PATH=${work}/prefix)
else()
  set(where -DIMGSIM_SOURCE=${source})
endif()
step(${CMAKE_COMMAND} -S ${source}/tests/package/consumer -B ${work}/build -G ${generator}
     -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_BUILD_TYPE=Debug ${where})
step(${CMAKE_COMMAND} --build ${work}/build)
step(${work}/build/search_only)
step(${work}/build/everything)
