// SPDX-License-Identifier: Apache-2.0
// The inner loops as any processor runs them: the reference for the faster ones.
#define KERNEL_TARGET
#define KERNEL_AVX2 0
#include "bg-cast-kernel.h"

const BgCastKernel bg_cast_kernel_plain = {
    .name = "plain",
    .composite = run_composite,
    .project = run_project,
    .iso = run_iso,
};
