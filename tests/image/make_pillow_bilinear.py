#!/usr/bin/env python3
"""Writes pillow_bilinear.hpp: what Pillow's Image.BILINEAR makes of pictures given by a formula.

Usage: python3 make_pillow_bilinear.py > pillow_bilinear.hpp   (needs Pillow 11.3)

Pillow 13 takes the columns first for pictures that shrink much more in height than in width (3 x 200 and 16 x 16 to
33 x 5 here), which rounds some of their pixels to the neighbouring level.
"""
import PIL
from PIL import Image

# (width, height) in and out: recorded whole where small, as a hash where large.
CASES = [
    ((1, 1), (1, 1)), ((1, 1), (3, 2)), ((8, 1), (3, 1)), ((1, 9), (4, 4)), ((2, 2), (5, 3)), ((5, 7), (5, 7)),
    ((7, 5), (3, 2)), ((5, 7), (11, 13)), ((3, 200), (2, 7)), ((33, 17), (16, 16)), ((64, 48), (9, 7)),
    ((16, 16), (33, 5)), ((101, 3), (22, 8)), ((512, 512), (256, 256)), ((451, 300), (256, 256)),
    ((100, 75), (256, 256)), ((1000, 13), (37, 301)), ((640, 480), (224, 224)),
]
LARGEST_RECORDED = 1024  # bytes


def pixel(x, y, c):
    stripe = (x // 3 + y // 2) % 4
    if stripe == 0:
        return 255
    if stripe == 1:
        return 0
    return (y * y * 31 + x * x * 17 + x * y * 7 + c * 83 + (x ^ y) * 5) % 256


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
    return value


print(f"// What Pillow {PIL.__version__} makes of formula_picture() (resize.cpp). Written by make_pillow_bilinear.py.")
print("#pragma once\n\n#include <cstddef>\n#include <cstdint>\n#include <vector>\n\nnamespace imgsim_test {\n")
print("struct pillow_case {\n  std::size_t in_width, in_height, out_width, out_height;")
print("  std::uint64_t hash;                // FNV-1a of the output's bytes\n  std::vector<std::uint8_t> pixels;  // empty where large\n};\n")
print("// clang-format off\ninline const std::vector<pillow_case> kPillowBilinear = {")
for (width, height), out in CASES:
    data = bytes(pixel(x, y, c) for y in range(height) for x in range(width) for c in range(3))
    result = Image.frombytes("RGB", (width, height), data).resize(out, Image.BILINEAR).tobytes()
    recorded = result if len(result) <= LARGEST_RECORDED else b""
    print(f"  {{{width}, {height}, {out[0]}, {out[1]}, 0x{fnv1a(result):016x}u, {{", end="")
    for i in range(0, len(recorded), 28):
        print("\n   ", ",".join(str(b) for b in recorded[i:i + 28]) + ",", end="")
    print("}},")
print("};\n// clang-format on\n\n}  // namespace imgsim_test")
