#!/usr/bin/env bash
# Checks that need no compiler: format, file length, direction of includes, spelling.
# usage: tests/lint.sh          (clang-format and codespell come from PyPI, pinned, into build/lint)
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# Debian 12's clang-format 14 mangles C++20 requires clauses, so a later one is used, always the same.
tools=build/lint
if [ ! -x "$tools/bin/clang-format" ]; then
  python3 -m venv "$tools" 2>/dev/null || { third_party/install.sh python3-venv && python3 -m venv "$tools"; } || exit 1
  "$tools/bin/pip" install --quiet clang-format==19.1.7 codespell==2.4.1 || exit 1
fi

mapfile -t sources < <(git ls-files '*.hpp' '*.cpp' '*.cuh' '*.cu')
failed=0
complain() { printf '%s\n' "$*" >&2; failed=1; }

"$tools/bin/clang-format" --dry-run --Werror "${sources[@]}" || complain "lint: format: run $tools/bin/clang-format -i on the files above"

for file in "${sources[@]}"; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 400 ] || complain "$file: $lines lines; a file over 400 is two concepts"
  case $file in *.hpp | *.cuh) grep -q '^#pragma once$' "$file" || complain "$file: no #pragma once" ;; esac
done

# The dataflow: a stage may include those before it. metric is for search, cluster and what follows them.
declare -A may_include=(
  [core]="core"
  [image]="core image"
  [model]="core image embedding model"  # a network ends in an embedding; embedding knows no network
  [embedding]="core image embedding"
  [metric]="core metric"
  [search]="core metric search"
  [cluster]="core metric cluster"
  [evaluate]="core image embedding metric search evaluate"
  [report]="core image model embedding metric search cluster evaluate report"
)
for stage in "${!may_include[@]}"; do
  while IFS=: read -r file line text; do
    included=$(sed -E 's|.*<imgsim/([a-z_]+)/.*|\1|' <<<"$text")
    [[ " ${may_include[$stage]} " == *" $included "* ]] || complain "$file:$line: $stage must not include $included"
  done < <(grep -rnE '#include <imgsim/[a-z_]+/' "include/imgsim/$stage")
done
while IFS= read -r hit; do complain "$hit: a contract must not include a backend"; done \
  < <(grep -rnE '#include <imgsim/(cpu|cuda)[/.]' include/)

# Nothing strays to the top level (as what a shell writes for `awk 1 > 2`).
while IFS= read -r entry; do
  case $entry in
    .ci/ | .clang-format | .clang-tidy | .gitignore | *.md | LICENSE | CMakeLists.txt | CMakePresets.json) ;;
    apps/ | bench/ | docs/ | include/ | kernels/ | tests/ | third_party/) ;;
    *) complain "$entry: does not belong to the top level" ;;
  esac
done < <(git ls-files | sed 's|/.*|/|' | sort -u)

git ls-files '*.hpp' '*.cpp' '*.cuh' '*.cu' '*.md' '*.sh' '*.txt' '*.cmake' |
  xargs -d '\n' "$tools/bin/codespell" --ignore-words-list caf,kinf,qury,defalt,fo || complain "lint: spelling"

[ $failed -eq 0 ] && echo "lint: ${#sources[@]} source files, clean"
exit $failed
