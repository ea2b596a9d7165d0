#!/usr/bin/env bash
# Installs what is missing, builds imgsim into build/, and runs the main job: train, index, query, group, evaluate,
# and a page to open.
#
#   ./apps/demo.sh              on a sample set that imgsim renders itself
#   ./apps/demo.sh FOLDER       on a folder of photos
#   ./apps/demo.sh --photos     on Debian's tuxpaint-stamps-default: real photo cut-outs (installs that package)
#
# What follows the first argument goes to `imgsim demo` (see build/bin/imgsim demo --help).
set -euo pipefail

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }

folder=""
extra=()
case "${1-}" in
  -h | --help) usage; exit 0 ;;
  --photos)
    extra=(tuxpaint-stamps-default)
    folder=/usr/share/tuxpaint/stamps
    shift ;;
  "" | -*) ;;
  *)
    [ -d "$1" ] || { echo "demo.sh: $1: no such folder" >&2; exit 2; }
    folder=$(cd -- "$1" && pwd)
    shift ;;
esac

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
"$root/third_party/install.sh" ${extra[@]+"${extra[@]}"}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Keeps what a build prints in $log and shows how far it is: on a terminal one line that changes, else a line a quarter.
show_progress() {
  local line built total quarter told=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    [[ $line =~ ^\[([1-9][0-9]*)/([0-9]+)\] ]] || continue
    built=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]} quarter=$((4 * built / total))
    if [ -t 1 ]; then
      printf '\r  %d of %d steps' "$built" "$total"
      [ "$built" -lt "$total" ] || echo
    elif [ "$quarter" -gt "$told" ]; then
      printf '  %d of %d steps\n' "$built" "$total"
      told=$quarter
    fi
  done
}

echo "Building imgsim into $root/build (two to four minutes the first time) ..."
made=()
[ -f "$root/build/CMakeCache.txt" ] || made=(-DIMGSIM_UNITY=ON) # nothing is built yet: as in tests/run.sh
{ cmake -S "$root" -B "$root/build" -G Ninja ${made[@]+"${made[@]}"} && cmake --build "$root/build" --target imgsim_command; } 2>&1 | show_progress ||
  { echo; tail -40 "$log" >&2; echo "demo.sh: the build failed" >&2; exit 1; }

options=(demo)
[ -n "$folder" ] && options+=(--photos "$folder")
"$root/build/bin/imgsim" "${options[@]}" "$@"
