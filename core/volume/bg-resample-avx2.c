// SPDX-License-Identifier: Apache-2.0
#include "bg-resample-private.h"

#ifdef __x86_64__

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define INLINE_AVX2 static inline __attribute__((always_inline, target("avx2,fma")))

// The two samples at index and index + 1 of eight rows.
#define LOAD_WORDS(name, ctype, LOW, HIGH)                                                      \
    INLINE_AVX2 void load_##name(const ctype *samples, __m256i index, __m256 *a, __m256 *b)     \
    {                                                                                           \
        __m256i pair =                                                                          \
            _mm256_i32gather_epi32((const int *) (const void *) samples, index, sizeof(ctype)); \
        *a = _mm256_cvtepi32_ps(LOW(pair));                                                     \
        *b = _mm256_cvtepi32_ps(HIGH(pair));                                                    \
    }

#define LOW_INT16(pair) _mm256_srai_epi32(_mm256_slli_epi32(pair, 16), 16)
#define HIGH_INT16(pair) _mm256_srai_epi32(pair, 16)
#define LOW_UINT16(pair) _mm256_and_si256(pair, _mm256_set1_epi32(0xffff))
#define HIGH_UINT16(pair) _mm256_srli_epi32(pair, 16)
#define LOW_INT8(four) _mm256_srai_epi32(_mm256_slli_epi32(four, 24), 24)
#define HIGH_INT8(four) _mm256_srai_epi32(_mm256_slli_epi32(four, 16), 24)
#define LOW_UINT8(four) _mm256_and_si256(four, _mm256_set1_epi32(0xff))
#define HIGH_UINT8(four) _mm256_and_si256(_mm256_srli_epi32(four, 8), _mm256_set1_epi32(0xff))

LOAD_WORDS(int16, int16_t, LOW_INT16, HIGH_INT16)
LOAD_WORDS(uint16, uint16_t, LOW_UINT16, HIGH_UINT16)
LOAD_WORDS(int8, int8_t, LOW_INT8, HIGH_INT8)
LOAD_WORDS(uint8, uint8_t, LOW_UINT8, HIGH_UINT8)

// By hand, two at a time: many processors gather 64-bit pairs slower than that.
INLINE_AVX2 __m128
load_pairs(const float *samples, const int *index)
{
    __m128 first = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *) (samples + index[0])));

    return _mm_loadh_pi(first, (const __m64 *) (samples + index[1]));
}

INLINE_AVX2 void
load_float32(const float *samples, __m256i index, __m256 *a, __m256 *b)
{
    int at[8] __attribute__((aligned(32)));
    _mm256_store_si256((__m256i *) at, index);

    // a0 b0 a1 b1 | a4 b4 a5 b5 and 2 3 | 6 7: a shuffle within halves puts each in order
    __m256 even = _mm256_set_m128(load_pairs(samples, at + 4), load_pairs(samples, at));
    __m256 odd = _mm256_set_m128(load_pairs(samples, at + 6), load_pairs(samples, at + 2));
    *a = _mm256_shuffle_ps(even, odd, _MM_SHUFFLE(2, 0, 2, 0));
    *b = _mm256_shuffle_ps(even, odd, _MM_SHUFFLE(3, 1, 3, 1));
}

// Whole and fractional part of eight coordinates that are not negative.
INLINE_AVX2 void
split(__m256d low, __m256d high, __m256i *index, __m256 *fraction)
{
    __m128i low_index = _mm256_cvttpd_epi32(low), high_index = _mm256_cvttpd_epi32(high);
    __m128 low_fraction = _mm256_cvtpd_ps(_mm256_sub_pd(low, _mm256_cvtepi32_pd(low_index)));
    __m128 high_fraction = _mm256_cvtpd_ps(_mm256_sub_pd(high, _mm256_cvtepi32_pd(high_index)));

    *index = _mm256_set_m128i(high_index, low_index);
    *fraction = _mm256_set_m128(high_fraction, low_fraction);
}

// bg_resample_mix(), of integers: no sample that is not a number to be kept out.
INLINE_AVX2 __m256
mix(__m256 a, __m256 b, __m256 fraction)
{
    return _mm256_fmadd_ps(fraction, _mm256_sub_ps(b, a), a);
}

INLINE_AVX2 __m256
mix_float32(__m256 a, __m256 b, __m256 fraction)
{
    __m256 none = _mm256_cmp_ps(fraction, _mm256_setzero_ps(), _CMP_EQ_OQ);

    return _mm256_blendv_ps(mix(a, b, fraction), a, none);
}

#define MIX_uint8 mix
#define MIX_int8 mix
#define MIX_int16 mix
#define MIX_uint16 mix
#define MIX_float32 mix_float32

// Coordinates along one axis of eight voxels from i.
#define COORDINATES(axis, low, high)                               \
    __m256d low = _mm256_fmadd_pd(i_low, step[axis], start[axis]); \
    __m256d high = _mm256_fmadd_pd(i_high, step[axis], start[axis])

#define DEFINE_ROW(TYPE, name, ctype)                                                         \
    AVX2 static void row_##name(const BgResampleMap *map, const ctype *samples, int j, int k, \
                                int first, int last, float *row)                              \
    {                                                                                         \
        int nx = map->source_dims[0];                                                         \
        gsize slice = (gsize) nx * (gsize) map->source_dims[1];                               \
        __m256i row_length = _mm256_set1_epi32(nx);                                           \
        __m256i slice_length = _mm256_set1_epi32((int) slice);                                \
        __m256d start[3], step[3];                                                            \
        for (int axis = 0; axis < 3; axis++) {                                                \
            start[axis] = _mm256_set1_pd(bg_resample_coordinate(map, axis, 0, j, k));         \
            step[axis] = _mm256_set1_pd(map->source_from_target[axis][0]);                    \
        }                                                                                     \
        for (int i = first; i < last; i += 8) {                                               \
            i = MIN(i, last - 8); /* the last eight once more in part */                      \
            __m256d i_low = _mm256_add_pd(_mm256_set1_pd(i), _mm256_setr_pd(0, 1, 2, 3));     \
            __m256d i_high = _mm256_add_pd(i_low, _mm256_set1_pd(4.0));                       \
            COORDINATES(0, x_low, x_high);                                                    \
            COORDINATES(1, y_low, y_high);                                                    \
            COORDINATES(2, z_low, z_high);                                                    \
            __m256i x, y, z;                                                                  \
            __m256 fx, fy, fz, p, q;                                                          \
            split(x_low, x_high, &x, &fx);                                                    \
            split(y_low, y_high, &y, &fy);                                                    \
            split(z_low, z_high, &z, &fz);                                                    \
            __m256i index =                                                                   \
                _mm256_add_epi32(x, _mm256_add_epi32(_mm256_mullo_epi32(y, row_length),       \
                                                     _mm256_mullo_epi32(z, slice_length)));   \
            load_##name(samples, index, &p, &q);                                              \
            __m256 a = MIX_##name(p, q, fx);                                                  \
            load_##name(samples + nx, index, &p, &q);                                         \
            __m256 b = MIX_##name(p, q, fx);                                                  \
            load_##name(samples + slice, index, &p, &q);                                      \
            __m256 c = MIX_##name(p, q, fx);                                                  \
            load_##name(samples + slice + nx, index, &p, &q);                                 \
            __m256 d = MIX_##name(p, q, fx);                                                  \
            a = MIX_##name(a, b, fy);                                                         \
            c = MIX_##name(c, d, fy);                                                         \
            _mm256_storeu_ps(row + i, MIX_##name(a, c, fz));                                  \
        }                                                                                     \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_ROW)

void
bg_resample_linear_row_avx2(const BgResampleMap *map, BgSampleType type, gconstpointer samples,
                            int j, int k, int first, int last, float *row)
{
    g_assert(last - first >= 8);

#define CASE(TYPE, name, ctype)                           \
    case TYPE:                                            \
        row_##name(map, samples, j, k, first, last, row); \
        break;
    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

#else

void
bg_resample_linear_row_avx2(const BgResampleMap *map, BgSampleType type, gconstpointer samples,
                            int j, int k, int first, int last, float *row)
{
    g_assert_not_reached(); // chosen by the processor's features alone
}

#endif
