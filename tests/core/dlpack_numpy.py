#!/usr/bin/env python3
"""DLPack with NumPy on the other side, both ways. usage: dlpack_numpy.py LIBRARY"""

import ctypes
import gc
import sys
import weakref

try:
    import numpy
except ImportError:
    print("SKIPPED core_dlpack_numpy: python3 has no NumPy")
    sys.exit()

library = ctypes.CDLL(sys.argv[1])
python = ctypes.pythonapi
python.PyCapsule_New.restype = ctypes.py_object
python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
python.PyCapsule_GetPointer.restype = ctypes.c_void_p
python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
python.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Exported:
    def __init__(self, kind):
        make = getattr(library, "make_" + kind)
        make.restype = ctypes.c_void_p
        self.kind, self.managed = kind, make(ctypes.c_size_t(3), ctypes.c_size_t(5))

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, **_):
        return python.PyCapsule_New(self.managed, NAMES[self.kind], None)


# Kept for good: a capsule does not copy its name.
NAMES = {kind: kind.encode() for kind in ("dltensor", "dltensor_versioned")}
USED = {kind: b"used_" + name for kind, name in NAMES.items()}


def element(array, kind, row, column):
    capsule = array.__dlpack__(**({"max_version": (1, 0)} if kind == "dltensor_versioned" else {}))
    managed = python.PyCapsule_GetPointer(capsule, NAMES[kind])
    python.PyCapsule_SetName(capsule, USED[kind])
    value, reason = ctypes.c_float(), ctypes.create_string_buffer(200)
    read = getattr(library, "element_of_" + kind)
    refused = read(ctypes.c_void_p(managed), ctypes.c_size_t(row), ctypes.c_size_t(column), ctypes.byref(value), reason)
    return reason.value.decode() if refused else value.value


class Watched(numpy.ndarray):
    """An array that a weak reference may watch."""


kinds = ["dltensor"]
if tuple(int(part) for part in numpy.__version__.split(".")[:2]) >= (2, 1):
    kinds.append("dltensor_versioned")
for kind in kinds:
    array = numpy.from_dlpack(Exported(kind))
    assert array.dtype == numpy.float32 and array.shape == (3, 5), array
    assert (array == numpy.arange(15, dtype="f4").reshape(3, 5)).all(), array
    del array

    whole = numpy.arange(40, dtype="f4").reshape(5, 8).view(Watched)
    assert element(whole[1:4, 2:6], kind, 2, 3) == whole[3, 5]
    assert "apart" in element(whole.T, kind, 0, 0)
    assert "64 bits" in element(whole.astype("f8"), kind, 0, 0)
    assert "1 dimensions" in element(whole[0], kind, 0, 0)
    watch = weakref.ref(whole)
    del whole
    gc.collect()
    assert watch() is None, "an array that was handed over was not given back"
print("DLPack with NumPy", numpy.__version__, "as", *kinds)
