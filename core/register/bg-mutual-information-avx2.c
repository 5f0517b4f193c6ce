// SPDX-License-Identifier: Apache-2.0
// As the plain kernels, eight samples at a time.
#include "core/register/bg-mutual-information-private.h"

#include "core/base/bg-cpu.h"

#ifdef __x86_64__

#include <immintrin.h>

typedef struct {
    __m256 f[3];   // place between voxels
    __m256i index; // of the lowest corner
    __m256 inside;
} Place;

BG_TARGET_AVX2 static inline Place
find_place(const BgMiView *view, gsize i)
{
    __m256 x = _mm256_loadu_ps(view->x + i), y = _mm256_loadu_ps(view->y + i);
    __m256 z = _mm256_loadu_ps(view->z + i), zero = _mm256_setzero_ps();
    __m256i bin = _mm256_loadu_si256((const __m256i *) (const void *) (view->bin + i));
    int stride = 1;
    Place place;

    place.index = _mm256_setzero_si256();
    place.inside = _mm256_castsi256_ps(_mm256_cmpgt_epi32(bin, _mm256_set1_epi32(-1)));
    for (int axis = 0; axis < 3; axis++) {
        const float *m = view->map[axis];
        __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(m[2]), z, _mm256_set1_ps(m[3]));
        p = _mm256_fmadd_ps(_mm256_set1_ps(m[1]), y, p);
        p = _mm256_fmadd_ps(_mm256_set1_ps(m[0]), x, p);
        __m256 top = _mm256_set1_ps((float) (view->dims[axis] - 1));
        __m256 ok =
            _mm256_and_ps(_mm256_cmp_ps(p, zero, _CMP_GE_OQ), _mm256_cmp_ps(p, top, _CMP_LT_OQ));
        place.inside = _mm256_and_ps(place.inside, ok);
        p = _mm256_and_ps(p, ok); // lanes outside read voxel 0
        __m256 whole = _mm256_floor_ps(p);
        place.f[axis] = _mm256_sub_ps(p, whole);
        place.index = _mm256_add_epi32(
            place.index, _mm256_mullo_epi32(_mm256_cvttps_epi32(whole), _mm256_set1_epi32(stride)));
        stride *= view->dims[axis];
    }
    return place;
}

#define LERP(a, b, f) _mm256_fmadd_ps(f, _mm256_sub_ps(b, a), a)

// Value and slopes; corners of lanes outside are read where an axis lets them be.
BG_TARGET_AVX2 static inline __m256
interpolate(const BgMiView *view, const Place *place, gsize i)
{
    int row = view->dims[0], slice = row * view->dims[1];
    const int offsets[8] = { 0, 1, row, row + 1, slice, slice + 1, slice + row, slice + row + 1 };
    __m256 v[8];

    for (int c = 0; c < 8; c++)
        v[c] = _mm256_mask_i32gather_ps(
            _mm256_setzero_ps(), view->values,
            _mm256_add_epi32(place->index, _mm256_set1_epi32(offsets[c])), place->inside, 4);
    __m256 dx00 = _mm256_sub_ps(v[1], v[0]), dx10 = _mm256_sub_ps(v[3], v[2]);
    __m256 dx01 = _mm256_sub_ps(v[5], v[4]), dx11 = _mm256_sub_ps(v[7], v[6]);
    __m256 x00 = _mm256_fmadd_ps(place->f[0], dx00, v[0]);
    __m256 x10 = _mm256_fmadd_ps(place->f[0], dx10, v[2]);
    __m256 x01 = _mm256_fmadd_ps(place->f[0], dx01, v[4]);
    __m256 x11 = _mm256_fmadd_ps(place->f[0], dx11, v[6]);
    __m256 d0 = LERP(dx00, dx10, place->f[1]), d1 = LERP(dx01, dx11, place->f[1]);
    __m256 dy0 = _mm256_sub_ps(x10, x00), dy1 = _mm256_sub_ps(x11, x01);
    __m256 y0 = _mm256_fmadd_ps(place->f[1], dy0, x00);
    __m256 y1 = _mm256_fmadd_ps(place->f[1], dy1, x01), dz = _mm256_sub_ps(y1, y0);

    _mm256_storeu_ps(view->slope[0] + i, LERP(d0, d1, place->f[2]));
    _mm256_storeu_ps(view->slope[1] + i, LERP(dy0, dy1, place->f[2]));
    _mm256_storeu_ps(view->slope[2] + i, dz);
    return _mm256_fmadd_ps(place->f[2], dz, y0);
}

BG_TARGET_AVX2 static inline void
add_to_cells(float *histogram, const gint32 *cell, __m128 a, __m128 b, __m128 c, __m128 d,
             int inside)
{
    _MM_TRANSPOSE4_PS(a, b, c, d);
    const __m128 rows[4] = { a, b, c, d };
    for (int lane = 0; lane < 4; lane++) {
        if (inside & 1 << lane) {
            float *at = histogram + cell[lane];
            _mm_storeu_ps(at, _mm_add_ps(_mm_loadu_ps(at), rows[lane]));
        }
    }
}

BG_TARGET_AVX2 void
bg_mi_histogram_avx2(const BgMiView *view, gsize first, gsize last, float *histogram)
{
    const __m256 one = _mm256_set1_ps(1.0f), four = _mm256_set1_ps(4.0f);
    const __m256 three = _mm256_set1_ps(3.0f), two = _mm256_set1_ps(2.0f);
    const __m256 sixth = _mm256_set1_ps(1.0f / 6.0f);

    for (gsize i = first; i < last; i += 8) {
        Place place = find_place(view, i);
        int inside = _mm256_movemask_ps(place.inside);
        if (inside == 0) {
            _mm256_storeu_ps(view->column + i, _mm256_set1_ps(-1.0f));
            continue;
        }
        __m256 t = _mm256_fmadd_ps(interpolate(view, &place, i), _mm256_set1_ps(view->bin_scale),
                                   _mm256_set1_ps(view->bin_offset));
        t = _mm256_min_ps(_mm256_max_ps(t, one), _mm256_set1_ps((float) BG_MI_COLUMNS - 2.001f));
        __m256 whole = _mm256_floor_ps(t), f = _mm256_sub_ps(t, whole), g = _mm256_sub_ps(one, f);
        __m256 ff = _mm256_mul_ps(f, f), gg = _mm256_mul_ps(g, g);
        _mm256_storeu_ps(view->column + i,
                         _mm256_blendv_ps(_mm256_set1_ps(-1.0f), t, place.inside));
        __m256 w0 = _mm256_mul_ps(_mm256_mul_ps(gg, g), sixth);
        __m256 w3 = _mm256_mul_ps(_mm256_mul_ps(ff, f), sixth);
        __m256 w1 = _mm256_mul_ps(
            sixth, _mm256_fnmadd_ps(_mm256_mul_ps(three, ff), _mm256_sub_ps(two, f), four));
        __m256 w2 = _mm256_mul_ps(
            sixth, _mm256_fnmadd_ps(_mm256_mul_ps(three, gg), _mm256_sub_ps(two, g), four));
        __m256i bin = _mm256_loadu_si256((const __m256i *) (const void *) (view->bin + i));
        __m256i at =
            _mm256_add_epi32(_mm256_mullo_epi32(bin, _mm256_set1_epi32(BG_MI_COLUMNS)),
                             _mm256_sub_epi32(_mm256_cvttps_epi32(whole), _mm256_set1_epi32(1)));
        gint32 cells[8];
        _mm256_storeu_si256((__m256i *) (void *) cells, at);
        add_to_cells(histogram, cells, _mm256_castps256_ps128(w0), _mm256_castps256_ps128(w1),
                     _mm256_castps256_ps128(w2), _mm256_castps256_ps128(w3), inside);
        add_to_cells(histogram, cells + 4, _mm256_extractf128_ps(w0, 1),
                     _mm256_extractf128_ps(w1, 1), _mm256_extractf128_ps(w2, 1),
                     _mm256_extractf128_ps(w3, 1), inside >> 4);
    }
}

BG_TARGET_AVX2 static inline double
sum_of(__m256 a)
{
    float lanes[8];
    double sum = 0.0;

    _mm256_storeu_ps(lanes, a);
    for (int lane = 0; lane < 8; lane++)
        sum += (double) lanes[lane];
    return sum;
}

// d value / d column of eight samples; 0 outside and at clamped ends
BG_TARGET_AVX2 static inline __m256
pull_at(const BgMiView *view, gsize i)
{
    const __m256 one = _mm256_set1_ps(1.0f), half = _mm256_set1_ps(0.5f);
    const __m256 three_halves = _mm256_set1_ps(1.5f), two = _mm256_set1_ps(2.0f);
    __m256 t = _mm256_loadu_ps(view->column + i), whole = _mm256_floor_ps(t);
    __m256 used =
        _mm256_and_ps(_mm256_cmp_ps(t, one, _CMP_GT_OQ),
                      _mm256_cmp_ps(t, _mm256_set1_ps((float) BG_MI_COLUMNS - 2.001f), _CMP_LT_OQ));
    __m256 f = _mm256_sub_ps(t, whole), g = _mm256_sub_ps(one, f);
    __m256i bin = _mm256_loadu_si256((const __m256i *) (const void *) (view->bin + i));
    __m256i at =
        _mm256_add_epi32(_mm256_mullo_epi32(bin, _mm256_set1_epi32(BG_MI_COLUMNS)),
                         _mm256_sub_epi32(_mm256_cvttps_epi32(whole), _mm256_set1_epi32(1)));
    __m256 cell[4];

    for (int c = 0; c < 4; c++)
        cell[c] = _mm256_mask_i32gather_ps(_mm256_setzero_ps(), view->table,
                                           _mm256_add_epi32(at, _mm256_set1_epi32(c)), used, 4);
    __m256 s = _mm256_mul_ps(cell[3], _mm256_mul_ps(half, _mm256_mul_ps(f, f)));
    s = _mm256_fnmadd_ps(cell[0], _mm256_mul_ps(half, _mm256_mul_ps(g, g)), s);
    s = _mm256_fmadd_ps(cell[1], _mm256_mul_ps(f, _mm256_fmsub_ps(three_halves, f, two)), s);
    s = _mm256_fnmadd_ps(cell[2], _mm256_mul_ps(g, _mm256_fmsub_ps(three_halves, g, two)), s);
    return _mm256_and_ps(s, used);
}

BG_TARGET_AVX2 void
bg_mi_gradient_avx2(const BgMiView *view, gsize first, gsize last, double sums[12])
{
    __m256 total[12];

    for (int c = 0; c < 12; c++)
        total[c] = _mm256_setzero_ps();
    for (gsize i = first; i < last; i += 8) {
        __m256 s = pull_at(view, i), zero = _mm256_setzero_ps();
        __m256 x = _mm256_loadu_ps(view->x + i), y = _mm256_loadu_ps(view->y + i);
        __m256 z = _mm256_loadu_ps(view->z + i), used = _mm256_cmp_ps(s, zero, _CMP_NEQ_OQ);
        for (int axis = 0; axis < 3; axis++) {
            // Slopes of samples outside were not written in this round.
            __m256 slope = _mm256_and_ps(_mm256_loadu_ps(view->slope[axis] + i), used);
            __m256 w = _mm256_mul_ps(s, slope);
            total[axis] = _mm256_add_ps(total[axis], w);
            total[3 + 3 * axis] = _mm256_fmadd_ps(w, x, total[3 + 3 * axis]);
            total[4 + 3 * axis] = _mm256_fmadd_ps(w, y, total[4 + 3 * axis]);
            total[5 + 3 * axis] = _mm256_fmadd_ps(w, z, total[5 + 3 * axis]);
        }
    }
    for (int c = 0; c < 12; c++)
        sums[c] += sum_of(total[c]);
}

#else

void
bg_mi_histogram_avx2(const BgMiView *view, gsize first, gsize last, float *histogram)
{
    bg_mi_histogram_plain(view, first, last, histogram);
}

void
bg_mi_gradient_avx2(const BgMiView *view, gsize first, gsize last, double sums[12])
{
    bg_mi_gradient_plain(view, first, last, sums);
}

#endif
