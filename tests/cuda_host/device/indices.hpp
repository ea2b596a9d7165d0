// The built-in variables of a kernel (CUDA C++ Programming Guide, "Built-in Variables"). The scheduler sets them before
// it resumes a thread.
#pragma once

#include <vector_types.h>

extern constinit thread_local uint3 threadIdx;
extern constinit thread_local uint3 blockIdx;
extern constinit thread_local dim3 blockDim;
extern constinit thread_local dim3 gridDim;

inline constexpr int warpSize = 32;
