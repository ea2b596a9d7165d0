# cmake -Dimgsim=COMMAND -D out=FOLDER -P make_share.cmake: manual pages and completion scripts, where an installation
# has them.
set(ENV{IMGSIM_CONFIG} "") # not that of whoever builds
file(REMOVE_RECURSE ${out})
function(run)
  execute_process(COMMAND ${imgsim} ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
run(manual --quiet --out ${out}/man/man1)
foreach(shell_file IN ITEMS bash:bash-completion/completions/imgsim zsh:zsh/site-functions/_imgsim
                            fish:fish/vendor_completions.d/imgsim.fish)
  string(REGEX MATCH "^[a-z]+" shell ${shell_file})
  string(REGEX REPLACE "^[a-z]+:" "${out}/completions/" file ${shell_file})
  get_filename_component(folder ${file} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  run(completion ${shell} OUTPUT_FILE ${file})
endforeach()
