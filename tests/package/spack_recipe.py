#!/usr/bin/env python3
"""Reads the Spack recipe without Spack: over stand-ins that keep what its directives were given, which are then held
to CMakeLists.txt and to the version header. usage: spack_recipe.py SOURCE_FOLDER"""

import contextlib
import importlib.util
import pathlib
import re
import sys
import types

sys.dont_write_bytecode = True
source = pathlib.Path(sys.argv[1])
variants, dependencies, versions = {}, [], []

spack, package = types.ModuleType("spack"), types.ModuleType("spack.package")


class CMakePackage:
    def define(self, name, value):
        return name

    def define_from_variant(self, name, variant):
        assert variant in variants, f"{name} follows the variant {variant}, which there is none of"
        return name


def variant(name, **kinds):
    variants[name] = kinds


package.CMakePackage = CMakePackage
package.variant = variant
package.version = versions.append
package.license = lambda name: None
package.depends_on = lambda spec, **kinds: dependencies.append((spec, kinds))
package.default_args = lambda **kinds: contextlib.nullcontext()
sys.modules.update({"spack": spack, "spack.package": package})

file = source / "third_party/packaging/spack/packages/imgsim/package.py"
spec = importlib.util.spec_from_file_location("recipe", file)
recipe = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recipe)

options = set(re.findall(r"^option\((IMGSIM_\w+)", (source / "CMakeLists.txt").read_text(), re.M))
given = set(recipe.Imgsim().cmake_args())
assert given <= options, f"the recipe sets {given - options}, which CMakeLists.txt does not have"
assert options - given <= {"IMGSIM_WARNINGS_AS_ERRORS", "IMGSIM_UNITY"}, f"the recipe leaves {options - given} to chance"

header = (source / "include/imgsim/core/version.hpp").read_text()
version = re.search(r'version = "([\d.]+)"', header).group(1)
assert versions == [version], f"the recipe is of {versions}, imgsim is {version}"
for _, kinds in dependencies:
    for name in re.findall(r"\+(\w+)", kinds.get("when", "")):
        assert name in variants, f"a dependency is for the variant {name}, which there is none of"
assert any(spec.startswith("onednn") for spec, _ in dependencies)
