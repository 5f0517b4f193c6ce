// SPDX-License-Identifier: Apache-2.0
#include "bg-median-private.h"

#ifdef __x86_64__

#include <immintrin.h>

#define INLINE_AVX2 static inline __attribute__((always_inline, target("avx2")))
#define AVX2 __attribute__((target("avx2")))

INLINE_AVX2 __m256i
load(const gint32 *keys)
{
    return _mm256_loadu_si256((const __m256i *) keys);
}

INLINE_AVX2 void
sort_two(__m256i *a, __m256i *b)
{
    __m256i low = _mm256_min_epi32(*a, *b), high = _mm256_max_epi32(*a, *b);

    *a = low;
    *b = high;
}

// As the plain one, unrolled: what is kept stays in registers.
INLINE_AVX2 __m256i
median27(const gint32 *const *rows, int x)
{
    __m256i kept[BG_MEDIAN_KEPT3];

#pragma GCC unroll 15
    for (int i = 0; i < BG_MEDIAN_KEPT3; i++)
        kept[i] = load(rows[i / 3] + x + i % 3);
#pragma GCC unroll 12
    for (int n = BG_MEDIAN_KEPT3; n > 3; n--) {
        int next = BG_MEDIAN_CUBE3 - (n - 3);
#pragma GCC unroll 7
        for (int i = 0; i < n / 2; i++)
            sort_two(&kept[i], &kept[n - 1 - i]);
#pragma GCC unroll 7
        for (int i = 1; i < (n + 1) / 2; i++)
            sort_two(&kept[0], &kept[i]);
#pragma GCC unroll 7
        for (int i = n / 2; i < n - 1; i++)
            sort_two(&kept[i], &kept[n - 1]);
        kept[0] = load(rows[next / 3] + x + next % 3);
    }
    sort_two(&kept[0], &kept[1]);
    sort_two(&kept[1], &kept[2]);
    sort_two(&kept[0], &kept[1]);
    return kept[1];
}

// Of 16 at once, by bisection of the keys.
AVX2 static void
median_any(const gint32 *const *rows, int width, int x, gint32 low, gint32 high, gint32 *medians)
{
    __m256i from[2], to[2];
    int n_rows = width * width;
    __m256i half = _mm256_set1_epi32(n_rows * width / 2);

    from[0] = from[1] = _mm256_set1_epi32(low);
    to[0] = to[1] = _mm256_set1_epi32(high);
    for (gint64 range = (gint64) high - low; range > 0; range /= 2) {
        __m256i middle[2], n_above[2];
        for (int v = 0; v < 2; v++) {
            // floor of the mean without overflow
            middle[v] = _mm256_add_epi32(_mm256_and_si256(from[v], to[v]),
                                         _mm256_srai_epi32(_mm256_xor_si256(from[v], to[v]), 1));
            n_above[v] = _mm256_setzero_si256();
        }
        for (int row = 0; row < n_rows; row++) {
            const gint32 *keys = rows[row] + x;
            for (int shift = 0; shift < width; shift++) {
                __m256i a = _mm256_cmpgt_epi32(load(keys + shift), middle[0]);
                __m256i b = _mm256_cmpgt_epi32(load(keys + shift + 8), middle[1]);
                n_above[0] = _mm256_sub_epi32(n_above[0], a); // true is -1
                n_above[1] = _mm256_sub_epi32(n_above[1], b);
            }
        }
        for (int v = 0; v < 2; v++) {
            // The median is above the middle when more than half are.
            __m256i above = _mm256_cmpgt_epi32(n_above[v], half);
            __m256i next = _mm256_sub_epi32(middle[v], _mm256_set1_epi32(-1));
            from[v] = _mm256_blendv_epi8(from[v], next, above);
            to[v] = _mm256_blendv_epi8(middle[v], to[v], above);
        }
    }
    _mm256_storeu_si256((__m256i *) medians, from[0]);
    _mm256_storeu_si256((__m256i *) (medians + 8), from[1]);
}

AVX2 void
bg_median_row_avx2(const gint32 *const *rows, int radius, int n, gint32 low, gint32 high,
                   gint32 *medians)
{
    if (radius != 1) {
        for (int x = 0; x < n; x += BG_MEDIAN_LANES)
            median_any(rows, 2 * radius + 1, x, low, high, medians + x);
        return;
    }
    for (int x = 0; x < n; x += 8)
        _mm256_storeu_si256((__m256i *) (medians + x), median27(rows, x));
}

#else

void
bg_median_row_avx2(const gint32 *const *rows, int radius, int n, gint32 low, gint32 high,
                   gint32 *medians)
{
    g_assert_not_reached(); // chosen by the processor's features alone
}

#endif
