// SPDX-License-Identifier: Apache-2.0
// The inner loops with AVX2 and FMA; called where the processor has both.
#if defined(__x86_64__)
#define KERNEL_TARGET __attribute__((target("avx2,fma")))
#define KERNEL_AVX2 1
#include "bg-cast-kernel.h"

const BgCastKernel bg_cast_kernel_avx2 = {
    .name = "avx2",
    .composite = run_composite,
    .project = run_project,
    .iso = run_iso,
};
#endif
