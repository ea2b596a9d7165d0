#!/usr/bin/env bash
# Makes the pictures of docs/gallery.md: runs imgsim on the sample set that it renders itself, and takes pictures of
# what it writes, serves and prints, in headless Chromium (Debian's chromium-driver).
# usage: docs/gallery.sh [IMGSIM]    the command; build/bin/imgsim where it is not named
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
imgsim=$(realpath -- "${1:-$root/build/bin/imgsim}")
[ -x "$imgsim" ] || { echo "gallery.sh: $imgsim is not there; ./apps/demo.sh builds it" >&2; exit 1; }
command -v chromedriver >/dev/null || { echo "gallery.sh: there is no chromedriver (chromium-driver)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export IMGSIM_CONFIG=
cd -- "$work"
"$imgsim" demo --quiet
ln -s imgsim-demo/photos photos
ln -s imgsim-demo/index photos.idx
PYTHONPATH=$root/tests/serve python3 "$root/docs/gallery.py" "$imgsim" "$work" "$root/docs/gallery"
du -ch "$root"/docs/gallery/* | tail -1
