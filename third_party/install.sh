#!/usr/bin/env bash
# Installs what imgsim is built with, where it is missing (Debian's packages; asks for sudo where needed).
# usage: third_party/install.sh [extra package...]
set -euo pipefail

# Why each is here, and its licence: third_party/README.md.
packages=(
  g++ cmake ninja-build pkg-config
  libdnnl-dev ocl-icd-opencl-dev   # Debian's oneDNN asks for OpenCL's headers when it is found by CMake
  libboost-program-options-dev libboost-test-dev libboost-context-dev
  libturbojpeg0-dev libpng-dev libwebp-dev libexif-dev
  libeigen3-dev nlohmann-json3-dev libhdf5-dev libcurl4-openssl-dev libxxhash-dev
  libcpp-httplib-dev libtomlplusplus-dev libhnswlib-dev
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Run this as root, or install these packages: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq -y --no-install-recommends
         install "${missing[@]}")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A fresh machine has no package lists, an old one has stale ones: both need the update, a current one does not.
if ! "${install[@]}" >"$log" 2>&1; then
  "${as_root[@]}" apt-get -qq update
  "${install[@]}" >"$log" 2>&1 || { tail -20 "$log" >&2; exit 1; }
fi
