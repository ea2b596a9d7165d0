#!/usr/bin/env bash
# Compiler launcher for nvcc with -Xptxas=-v: writes what ptxas says of each kernel into a folder, and lets everything
# else through.
# usage: keep_report.sh FOLDER nvcc...
set -uo pipefail
folder=$1
shift
object=report
previous=""
for argument in "$@"; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
mkdir -p "$folder"
report=$folder/$(basename "$object").ptxas
"$@" 2>"$report.all"
status=$?
grep -E '^ptxas info|bytes stack frame' "$report.all" >"$report"
grep -vE '^ptxas info|bytes stack frame' "$report.all" >&2
rm -f "$report.all"
exit $status
