// SPDX-License-Identifier: Apache-2.0
// What the processor can do, asked by feature, never by model. A function for better ones is
// marked BG_TARGET_AVX2 and called only after bg_cpu_has_avx2(); on other architectures the mark
// is empty and the answer no.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#ifdef __x86_64__

#define BG_TARGET_AVX2 __attribute__((target("avx2,fma")))

// AVX2 without fused multiply-add: gives the same bits as the plain path.
#define BG_TARGET_AVX2_UNFUSED __attribute__((target("avx2")))

/** bg_cpu_has_avx2: with FMA; Returns: %FALSE too when BREGMA_PLAIN_CPU is set: to compare paths */
static inline gboolean
bg_cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           g_getenv("BREGMA_PLAIN_CPU") == NULL;
}

#else

#define BG_TARGET_AVX2
#define BG_TARGET_AVX2_UNFUSED

static inline gboolean
bg_cpu_has_avx2(void)
{
    return FALSE;
}

#endif

G_END_DECLS
