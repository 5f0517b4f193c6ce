// SPDX-License-Identifier: Apache-2.0
// What marks a function that gcc, nvcc and the host build of a kernel all compile.
#pragma once

#ifdef __CUDACC__
#define BG_HOSTDEV static __host__ __device__ inline
#else
#define BG_HOSTDEV static inline
#endif
