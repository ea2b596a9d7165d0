# cmake -D out=FILE.cpp -D "files=a;b" -P embed_assets.cmake: the bytes of files as arrays in a source file, and beside
# them the colours that all pages share.
set(text "#include \"serve/assets.hpp\"\n\n#include <array>\n\n#include <imgsim/report/html_style.hpp>\n\nnamespace imgsim::app {\n\nnamespace {\n\n")
set(table "  asset{\"colours.css\", imgsim::detail::kPageColours},\n")
set(number 0)
foreach(file IN LISTS files)
  cmake_path(GET file FILENAME name)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(................................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND text "constexpr char kFile${number}[] = {\n${bytes}};\n")
  string(APPEND table "  asset{\"${name}\", {kFile${number}, sizeof kFile${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND text "\nconstexpr std::array kAssets{\n${table}};\n\n}  // namespace\n\n"
                   "std::span<const asset> assets() {\n  return kAssets;\n}\n\n}  // namespace imgsim::app\n")
file(WRITE ${out} "${text}")
