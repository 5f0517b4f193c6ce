// SPDX-License-Identifier: Apache-2.0
// The inner loops of the ray caster, eight rays at a time, written once on the compiler's vectors.
// Included by bg-cast-kernel-plain.c and bg-cast-kernel-avx2.c, which define
//   KERNEL_TARGET  the attribute that lets the compiler use the processor's features, or nothing
//   KERNEL_AVX2    1 where gathers and blends of AVX2 may be called
#include "bg-cast-private.h"

#include <math.h>
#include <string.h>

#ifndef KERNEL_TARGET
#define KERNEL_TARGET
#define KERNEL_AVX2 0
#endif

#if KERNEL_AVX2
#include <immintrin.h>
#endif

#pragma GCC diagnostic ignored "-Wpsabi" // vectors are passed to inlined functions only

#define INLINE static inline __attribute__((always_inline)) KERNEL_TARGET
#define OUTLINE static __attribute__((unused)) KERNEL_TARGET

typedef float Floats __attribute__((vector_size(32)));
typedef int32_t Ints __attribute__((vector_size(32)));

// One cell: the eight voxels around a position.
typedef struct {
    const char *samples; // of the volume, or of the lowest slice in use where an index may overflow
    Ints index;          // of its first voxel, after samples
    Ints i, j, k;
    Floats u, v, w; // 0..1 inside
} Cell;

INLINE Floats
splat(float x)
{
    return (Floats){ x, x, x, x, x, x, x, x };
}

INLINE Ints
splat_int(int x)
{
    return (Ints){ x, x, x, x, x, x, x, x };
}

INLINE Floats
load(const float *p)
{
    return *(const Floats *) __builtin_assume_aligned(p, 32);
}

INLINE void
store(float *p, Floats x)
{
    *(Floats *) __builtin_assume_aligned(p, 32) = x;
}

INLINE Floats
choose(Ints mask, Floats a, Floats b)
{
#if KERNEL_AVX2
    return (Floats) _mm256_blendv_ps((__m256) b, (__m256) a, (__m256) mask);
#else
    return (Floats) ((mask & (Ints) a) | (~mask & (Ints) b));
#endif
}

// Not a number in @a comes out as @b.
INLINE Floats
smaller(Floats a, Floats b)
{
#if KERNEL_AVX2
    return (Floats) _mm256_min_ps((__m256) a, (__m256) b);
#else
    return choose(a < b, a, b);
#endif
}

INLINE Floats
larger(Floats a, Floats b)
{
#if KERNEL_AVX2
    return (Floats) _mm256_max_ps((__m256) a, (__m256) b);
#else
    return choose(a > b, a, b);
#endif
}

INLINE Ints
smaller_int(Ints a, int b)
{
#if KERNEL_AVX2
    return (Ints) _mm256_min_epi32((__m256i) a, _mm256_set1_epi32(b));
#else
    Ints bs = splat_int(b), mask = a < bs;
    return (mask & a) | (~mask & bs);
#endif
}

INLINE Floats
magnitude(Floats a)
{
    return (Floats) ((Ints) a & splat_int(0x7fffffff));
}

INLINE int
any(Ints mask)
{
#if KERNEL_AVX2
    return _mm256_movemask_ps((__m256) mask);
#else
    int bits = 0;
    for (int l = 0; l < BG_CAST_LANES; l++)
        bits |= mask[l];
    return bits;
#endif
}

INLINE Floats
to_floats(Ints a)
{
    return __builtin_convertvector(a, Floats);
}

// Towards zero; the argument is finite and small.
INLINE Ints
to_ints(Floats a)
{
    return __builtin_convertvector(a, Ints);
}

INLINE Floats
inverse_root(Floats a)
{
#if KERNEL_AVX2
    Floats y = (Floats) _mm256_rsqrt_ps((__m256) a);
    return y * (splat(1.5f) - splat(0.5f) * a * y * y); // one Newton step: 23 bits
#else
    Floats y;
    for (int l = 0; l < BG_CAST_LANES; l++)
        y[l] = 1.0f / sqrtf(a[l]);
    return y;
#endif
}

// 2^(y log2 x) for x in 0..1 and y > 0, relative error under 2e-5: atanh's series on the
// mantissa within sqrt(2) of 1, Taylor's of 2^f for |f| <= 0.5.
INLINE Floats
power_of(Floats x, Floats y)
{
    x = larger(x, splat(1e-20f));
    Ints bits = (Ints) x;
    Ints e = ((bits - splat_int(0x3f3504f3)) >> 23);
    Floats m = (Floats) (bits - (e << 23));
    Floats s = (m - splat(1.0f)) / (m + splat(1.0f)), s2 = s * s;
    Floats log2 =
        to_floats(e) +
        s * (splat(2.8853901f) +
             s2 * (splat(0.96179669f) + s2 * (splat(0.57707802f) + s2 * splat(0.41219858f))));
    Floats p = larger(log2 * y, splat(-120.0f));
    Ints n = to_ints(p - splat(0.5f)); // p <= 0: rounds to nearest
    Floats f = p - to_floats(n);
    Floats q =
        splat(1.0f) +
        f * (splat(0.69314718f) +
             f * (splat(0.24022651f) +
                  f * (splat(0.05550411f) + f * (splat(0.00961813f) + f * splat(0.00133336f)))));
    return (Floats) ((Ints) q + (n << 23));
}

INLINE Ints
gather_bytes(const guint8 *p, Ints index)
{
#if KERNEL_AVX2
    return (Ints) _mm256_i32gather_epi32((const int *) (const void *) p, (__m256i) index, 1) &
           splat_int(0xff);
#else
    Ints x;
    for (int l = 0; l < BG_CAST_LANES; l++)
        x[l] = p[index[l]];
    return x;
#endif
}

INLINE Floats
gather_floats(const float *p, Ints index)
{
#if KERNEL_AVX2
    return (Floats) _mm256_i32gather_ps(p, (__m256i) index, 4);
#else
    Floats x;
    for (int l = 0; l < BG_CAST_LANES; l++)
        x[l] = p[index[l]];
    return x;
#endif
}

// Four floats an entry.
INLINE void
gather_fours(const float *p, Ints index, Floats *r, Floats *g, Floats *b, Floats *a)
{
#if KERNEL_AVX2
    __m256 q0 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(p + 4 * index[0])),
                                     _mm_load_ps(p + 4 * index[4]), 1);
    __m256 q1 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(p + 4 * index[1])),
                                     _mm_load_ps(p + 4 * index[5]), 1);
    __m256 q2 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(p + 4 * index[2])),
                                     _mm_load_ps(p + 4 * index[6]), 1);
    __m256 q3 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(p + 4 * index[3])),
                                     _mm_load_ps(p + 4 * index[7]), 1);
    __m256 rg01 = _mm256_unpacklo_ps(q0, q1), ba01 = _mm256_unpackhi_ps(q0, q1);
    __m256 rg23 = _mm256_unpacklo_ps(q2, q3), ba23 = _mm256_unpackhi_ps(q2, q3);
    *r = (Floats) _mm256_shuffle_ps(rg01, rg23, 0x44);
    *g = (Floats) _mm256_shuffle_ps(rg01, rg23, 0xee);
    *b = (Floats) _mm256_shuffle_ps(ba01, ba23, 0x44);
    *a = (Floats) _mm256_shuffle_ps(ba01, ba23, 0xee);
#else
    for (int l = 0; l < BG_CAST_LANES; l++) {
        const float *q = p + 4 * index[l];
        (*r)[l] = q[0];
        (*g)[l] = q[1];
        (*b)[l] = q[2];
        (*a)[l] = q[3];
    }
#endif
}

// The samples at @index and @index + 1 (@index where the grid is one voxel wide).
INLINE void
load_pairs(const BgCastScene *s, BgSampleType type, const char *samples, Ints index, Floats *a,
           Floats *b)
{
#if KERNEL_AVX2
    if (type == BG_SAMPLE_INT16 || type == BG_SAMPLE_UINT16) {
        Ints pair =
            (Ints) _mm256_i32gather_epi32((const int *) (const void *) samples, (__m256i) index, 2);
        if (type == BG_SAMPLE_INT16) {
            *a = to_floats((pair << 16) >> 16);
            *b = to_floats(pair >> 16);
        } else {
            *a = to_floats(pair & splat_int(0xffff));
            *b = to_floats((Ints) _mm256_srli_epi32((__m256i) pair, 16));
        }
        return;
    }
    if (type == BG_SAMPLE_FLOAT32) {
        const float *p = (const float *) (const void *) samples;
        *a = gather_floats(p, index);
        *b = gather_floats(p + 1, index);
        return;
    }
#endif
    int next = s->dims[0] > 1;
#define CASE(TYPE, name, ctype)                                  \
    case TYPE: {                                                 \
        const ctype *p = (const ctype *) (const void *) samples; \
        for (int l = 0; l < BG_CAST_LANES; l++) {                \
            (*a)[l] = (float) p[index[l]];                       \
            (*b)[l] = (float) p[index[l] + next];                \
        }                                                        \
        break;                                                   \
    }
    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

INLINE Floats
mix(Floats a, Floats b, Floats weight)
{
    return a + weight * (b - a);
}

// The cell of a position, which is clamped to the outer voxel centres.
INLINE Cell
find_cell(const BgCastScene *s, BgSampleType type, Floats x, Floats y, Floats z)
{
    const Floats zero = splat(0.0f);
    Cell c;

    x = smaller(larger(x, zero), splat((float) (s->dims[0] - 1)));
    y = smaller(larger(y, zero), splat((float) (s->dims[1] - 1)));
    z = smaller(larger(z, zero), splat((float) (s->dims[2] - 1)));
    c.i = smaller_int(to_ints(x), MAX(s->dims[0] - 2, 0));
    c.j = smaller_int(to_ints(y), MAX(s->dims[1] - 2, 0));
    c.k = smaller_int(to_ints(z), MAX(s->dims[2] - 2, 0));
    c.u = x - to_floats(c.i);
    c.v = y - to_floats(c.j);
    c.w = z - to_floats(c.k);
    if (!s->linear) {
        const Floats half = splat(0.5f), one = splat(1.0f);
        c.u = choose(c.u >= half, one, zero);
        c.v = choose(c.v >= half, one, zero);
        c.w = choose(c.w >= half, one, zero);
    }

    Ints k = c.k;
    c.samples = s->samples;
    if (s->huge) {
        int base = k[0];
        for (int l = 1; l < BG_CAST_LANES; l++)
            base = MIN(base, k[l]);
        k -= splat_int(base);
        c.samples += (gsize) base * s->dims[0] * s->dims[1] * bg_sample_type_size(type);
    }
    c.index = c.i + splat_int(s->dims[0]) * (c.j + splat_int(s->dims[1]) * k);
    return c;
}

INLINE Ints
brick_of(const BgCastScene *s, const Cell *c)
{
    return (c->i >> BG_CAST_BRICK_SHIFT) +
           splat_int(s->n_bricks[0]) * ((c->j >> BG_CAST_BRICK_SHIFT) +
                                        splat_int(s->n_bricks[1]) * (c->k >> BG_CAST_BRICK_SHIFT));
}

// @rows: (out): interpolated along i at j k, j+1 k, j k+1, j+1 k+1
INLINE Floats
value_at(const BgCastScene *s, BgSampleType type, const Cell *c, Floats rows[4])
{
    Ints dy = splat_int((int) s->stride_y), dz = splat_int((int) s->stride_z);
    Ints index[4] = { c->index, c->index + dy, c->index + dz, c->index + dy + dz };

    for (int r = 0; r < 4; r++) {
        Floats a, b;
        load_pairs(s, type, c->samples, index[r], &a, &b);
        rows[r] = mix(a, b, c->u);
    }
    return mix(mix(rows[0], rows[1], c->v), mix(rows[2], rows[3], c->v), c->w);
}

INLINE Floats
row_at(const BgCastScene *s, BgSampleType type, const Cell *c, Ints offset)
{
    Floats a, b;

    load_pairs(s, type, c->samples, c->index + offset, &a, &b);
    return mix(a, b, c->u);
}

// Central differences per voxel of the trilinear field; beyond the edge its voxels go on.
INLINE void
gradient_at(const BgCastScene *s, BgSampleType type, const Cell *c, const Floats rows[4],
            Floats *gx, Floats *gy, Floats *gz)
{
    const Ints zero = splat_int(0), one = splat_int(1);
    Ints dy = splat_int((int) s->stride_y), dz = splat_int((int) s->stride_z);
    Ints left = (c->i > zero) & splat_int(-1), right = (c->i < splat_int(s->dims[0] - 2)) & one;
    Ints up = (c->j > zero) & -dy, down = dy + ((c->j < splat_int(s->dims[1] - 2)) & dy);
    Ints back = (c->k > zero) & -dz, front = dz + ((c->k < splat_int(s->dims[2] - 2)) & dz);
    Floats before[4], after[4];
    Ints index[4] = { zero, dy, dz, dy + dz };

    for (int r = 0; r < 4; r++) {
        Floats p0, p1, q0, q1;
        load_pairs(s, type, c->samples, c->index + index[r] + left, &p0, &p1);
        load_pairs(s, type, c->samples, c->index + index[r] + right, &q0, &q1);
        // p0 is at i - 1, q1 at i + 2. rows holds a + u (b - a); p1 and q0 are a and b only inside.
        before[r] = p0;
        after[r] = q1;
        Floats a = choose(c->i > zero, p1, p0);
        Floats b = choose(c->i < splat_int(s->dims[0] - 2), q0, q1);
        before[r] = mix(before[r], a, c->u); // the row one voxel to the left
        after[r] = mix(b, after[r], c->u);   // and to the right
    }
    Floats x0 = mix(mix(before[0], before[1], c->v), mix(before[2], before[3], c->v), c->w);
    Floats x1 = mix(mix(after[0], after[1], c->v), mix(after[2], after[3], c->v), c->w);
    *gx = (x1 - x0) * splat(0.5f);

    Floats y0 = mix(row_at(s, type, c, up), row_at(s, type, c, up + dz), c->w);
    Floats y3 = mix(row_at(s, type, c, down), row_at(s, type, c, down + dz), c->w);
    Floats y1 = mix(rows[0], rows[2], c->w), y2 = mix(rows[1], rows[3], c->w);
    *gy = (mix(y2, y3, c->v) - mix(y0, y1, c->v)) * splat(0.5f);

    Floats z0 = mix(row_at(s, type, c, back), row_at(s, type, c, back + dy), c->v);
    Floats z3 = mix(row_at(s, type, c, front), row_at(s, type, c, front + dy), c->v);
    Floats z1 = mix(rows[0], rows[1], c->v), z2 = mix(rows[2], rows[3], c->v);
    *gz = (mix(z2, z3, c->w) - mix(z0, z1, c->w)) * splat(0.5f);
}

// Value and gradient at once. Lane by lane, as four numbers that lie together are one load.
INLINE Floats
packed_at(const BgCastScene *s, const Cell *c, Floats *gx, Floats *gy, Floats *gz)
{
    gsize dy = 4 * s->stride_y, dz = 4 * s->stride_z;
    Floats value;
#if KERNEL_AVX2
    __m128 q[BG_CAST_LANES];
    for (int l = 0; l < BG_CAST_LANES; l++) {
        const gint16 *p = s->packed + 4 * (gsize) (guint32) c->index[l];
        // Two voxels of four numbers each.
        __m256 a = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const void *) p)));
        __m256 b =
            _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const void *) (p + dy))));
        __m256 d =
            _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const void *) (p + dz))));
        __m256 e = _mm256_cvtepi32_ps(
            _mm256_cvtepi16_epi32(_mm_loadu_si128((const void *) (p + dy + dz))));
        __m256 v = _mm256_set1_ps(c->v[l]), w = _mm256_set1_ps(c->w[l]);
        a = _mm256_fmadd_ps(v, _mm256_sub_ps(b, a), a);
        d = _mm256_fmadd_ps(v, _mm256_sub_ps(e, d), d);
        a = _mm256_fmadd_ps(w, _mm256_sub_ps(d, a), a);
        __m128 low = _mm256_castps256_ps128(a), high = _mm256_extractf128_ps(a, 1);
        q[l] = _mm_fmadd_ps(_mm_set1_ps(c->u[l]), _mm_sub_ps(high, low), low);
    }
    __m256 q0 = _mm256_insertf128_ps(_mm256_castps128_ps256(q[0]), q[4], 1);
    __m256 q1 = _mm256_insertf128_ps(_mm256_castps128_ps256(q[1]), q[5], 1);
    __m256 q2 = _mm256_insertf128_ps(_mm256_castps128_ps256(q[2]), q[6], 1);
    __m256 q3 = _mm256_insertf128_ps(_mm256_castps128_ps256(q[3]), q[7], 1);
    __m256 vx01 = _mm256_unpacklo_ps(q0, q1), yz01 = _mm256_unpackhi_ps(q0, q1);
    __m256 vx23 = _mm256_unpacklo_ps(q2, q3), yz23 = _mm256_unpackhi_ps(q2, q3);
    value = (Floats) _mm256_shuffle_ps(vx01, vx23, 0x44);
    *gx = (Floats) _mm256_shuffle_ps(vx01, vx23, 0xee);
    *gy = (Floats) _mm256_shuffle_ps(yz01, yz23, 0x44);
    *gz = (Floats) _mm256_shuffle_ps(yz01, yz23, 0xee);
#else
    for (int l = 0; l < BG_CAST_LANES; l++) {
        const gint16 *p = s->packed + 4 * (gsize) c->index[l];
        float q[4];
        for (int n = 0; n < 4; n++, p++) {
            float half[2];
            for (int i = 0; i < 2; i++) {
                float a = p[4 * i], b = p[dy + 4 * i], d = p[dz + 4 * i], e = p[dy + dz + 4 * i];
                a += c->v[l] * (b - a);
                d += c->v[l] * (e - d);
                half[i] = a + c->w[l] * (d - a);
            }
            q[n] = half[0] + c->u[l] * (half[1] - half[0]);
        }
        value[l] = q[0];
        (*gx)[l] = q[1];
        (*gy)[l] = q[2];
        (*gz)[l] = q[3];
    }
#endif
    *gx *= splat(0.5f);
    *gy *= splat(0.5f);
    *gz *= splat(0.5f);
    return value + splat(s->packed_offset);
}

// Squared length of a gradient in patient space.
INLINE Floats
metric(const BgCastScene *s, Floats x, Floats y, Floats z)
{
    const float *m = s->metric;

    return x * (splat(m[0]) * x + splat(m[3]) * y + splat(m[4]) * z) +
           y * (splat(m[1]) * y + splat(m[5]) * z) + splat(m[2]) * z * z;
}

// Phong's factors: colour * diffuse + specular. @q: the gradient's squared length.
INLINE void
shade(const BgCastScene *s, const BgCastPacket *p, Floats gx, Floats gy, Floats gz, Floats q,
      Floats *diffuse, Floats *specular)
{
    const Floats zero = splat(0.0f), one = splat(1.0f);
    Ints flat = q <= splat(s->flat);
    Floats inverse = inverse_root(choose(flat, one, q));
    Floats nl =
        (gx * splat(s->light[0]) + gy * splat(s->light[1]) + gz * splat(s->light[2])) * inverse;
    // The gradient in patient space times the ray is the gradient in voxels times the ray in voxels.
    Floats nv = -(gx * load(p->dx) + gy * load(p->dy) + gz * load(p->dz)) * inverse;
    Floats rv = smaller(splat(2.0f) * nl * nv - load(p->light_view), one);

    *diffuse =
        splat(s->ambient) + splat(s->diffuse) * choose(flat, one, smaller(magnitude(nl), one));
    *specular =
        choose((rv > zero) & ~flat, splat(s->specular) * power_of(rv, splat(s->power)), zero);
}

INLINE void
tint(const BgCastScene *s, const Cell *c, Ints mask, Floats *r, Floats *g, Floats *b)
{
    const Floats half = splat(0.5f);
    const Ints one = splat_int(1);
    Ints i = c->i + ((c->u >= half) & one), j = c->j + ((c->v >= half) & one),
         k = c->k + ((c->w >= half) & one);
    gint64 index[BG_CAST_LANES];
    int which[BG_CAST_LANES];
    float rgb[3][BG_CAST_LANES] __attribute__((aligned(32)));

    for (int l = 0; l < BG_CAST_LANES; l++) {
        index[l] = i[l] + (gint64) s->dims[0] * (j[l] + (gint64) s->dims[1] * k[l]);
        which[l] = mask[l];
    }
    store(rgb[0], *r);
    store(rgb[1], *g);
    store(rgb[2], *b);
    bg_cast_scene_tint(s, index, which, rgb[0], rgb[1], rgb[2]);
    *r = load(rgb[0]);
    *g = load(rgb[1]);
    *b = load(rgb[2]);
}

// How many samples all rays may go on without meeting a brick that counts. @distance: in bricks.
INLINE int
leap(const BgCastPacket *p, Ints distance)
{
    int least = 255;

    for (int l = 0; l < BG_CAST_LANES; l++)
        least = MIN(least, distance[l]);
    return MAX(1, (int) ((float) (least - 1) * p->leap));
}

INLINE Ints
lut_entry(const BgCastScene *s, Floats v)
{
    Floats e = (v - splat(s->lut_low)) * splat(s->lut_scale) + splat(0.5f);

    return to_ints(smaller(larger(e, splat(0.0f)), splat((float) s->lut_last)));
}

// The open share of the sky, trilinear between the coarse cells' centres.
INLINE Floats
openness_at(const BgCastScene *s, const Cell *c)
{
    Floats at[3] = { to_floats(c->i) + c->u, to_floats(c->j) + c->v, to_floats(c->k) + c->w };
    Ints low[3], next[3];
    Floats share[3];
    int stride = 1;

    for (int axis = 0; axis < 3; axis++) {
        int last = s->n_openness[axis] - 1;
        Floats x = (at[axis] + splat(0.5f)) * splat(s->openness_scale[axis]) - splat(0.5f);
        x = smaller(larger(x, splat(0.0f)), splat((float) last));
        low[axis] = smaller_int(to_ints(x), MAX(last - 1, 0));
        share[axis] = x - to_floats(low[axis]);
        next[axis] = splat_int(last > 0 ? stride : 0);
        low[axis] *= splat_int(stride);
        stride *= s->n_openness[axis];
    }
    Ints index = low[0] + low[1] + low[2];
    Floats planes[2];
    for (int p = 0; p < 2; p++) {
        Ints below = p == 0 ? index : index + next[2];
        Floats front = mix(gather_floats(s->openness, below),
                           gather_floats(s->openness, below + next[0]), share[0]);
        Floats back = mix(gather_floats(s->openness, below + next[1]),
                          gather_floats(s->openness, below + next[1] + next[0]), share[0]);
        planes[p] = mix(front, back, share[1]);
    }
    return mix(planes[0], planes[1], share[2]);
}

INLINE void
composite(const BgCastScene *s, BgCastPacket *p, BgSampleType type, gboolean shaded,
          gboolean by_gradient, gboolean packed)
{
    const Floats zero = splat(0.0f), one = splat(1.0f);
    const float step = (float) s->step_mm;
    const Floats from = load(p->from), to = load(p->to), before = load(p->before);
    const Floats enough = splat(1.0f - s->early_alpha), deep = splat(1.0f - s->depth_alpha);
    Floats r = zero, g = zero, b = zero, clear = one - before; // what is not covered yet, in all
    Floats seen = splat(INFINITY);
    int n = p->first;

    while (n < p->last) {
        Floats t0 = splat((float) n * step), t1 = splat((float) (n + 1) * step);
        Floats start = larger(t0, from), end = smaller(t1, to);
        Ints open = (clear > enough) & (to > t0);
        if (!any(open))
            break;
        Ints live = open & (end > start);
        Floats t = (start + end) * splat(0.5f);
        Cell c = find_cell(s, type, load(p->x) + t * load(p->dx), load(p->y) + t * load(p->dy),
                           load(p->z) + t * load(p->dz));
        Ints distance = gather_bytes(s->distance, brick_of(s, &c));
        Ints active = live & (distance == splat_int(0));
        if (!any(active)) {
            // Rays that are done do not hold the others up; those that wait for their part do.
            distance = (live & distance) | (~live & open & splat_int(1)) | (~open & splat_int(255));
            n += leap(p, distance);
            continue;
        }
        n++;

        Floats rows[4], red, green, blue, alpha, gx, gy, gz;
        Floats value = packed ? packed_at(s, &c, &gx, &gy, &gz) : value_at(s, type, &c, rows);
        gather_fours(s->lut, lut_entry(s, value), &red, &green, &blue, &alpha);
        active &= (alpha > zero) & (value == value);
        if (!any(active))
            continue;

        Floats diffuse, specular;
        if (shaded || by_gradient) {
            if (!packed)
                gradient_at(s, type, &c, rows, &gx, &gy, &gz);
            Floats q = metric(s, gx, gy, gz);
            if (shaded)
                shade(s, p, gx, gy, gz, q, &diffuse, &specular);
            if (by_gradient) {
                Floats e = q * inverse_root(larger(q, splat(1e-30f))) * splat(s->gradient_scale);
                e = smaller(e + splat(0.5f), splat((float) s->gradient_last));
                alpha *= gather_floats(s->gradient_lut, to_ints(larger(e, zero)));
                alpha = one - power_of(one - alpha, splat(s->exponent));
            }
        }
        Floats part = (end - start) * splat(1.0f / step);
        if (any(active & (part < splat(0.9995f))))
            alpha = one - power_of(one - alpha, larger(part, zero));
        if (s->labels)
            tint(s, &c, active, &red, &green, &blue);
        if (s->openness) {
            Floats sky = openness_at(s, &c);
            red *= sky;
            green *= sky;
            blue *= sky;
            if (shaded)
                specular *= sky;
        }

        alpha = choose(active, smaller(alpha, one), zero);
        Floats weight = alpha * clear;
        if (shaded) {
            Floats shine = specular * weight;
            weight *= diffuse;
            r += red * weight + shine;
            g += green * weight + shine;
            b += blue * weight + shine;
        } else {
            r += red * weight;
            g += green * weight;
            b += blue * weight;
        }
        Floats after = clear * (one - alpha);
        Ints reached = (clear > deep) & (after <= deep) & active;
        if (any(reached)) // the place inside the step is where the covering comes through
            seen = choose(reached, start + (end - start) * (clear - deep) / (clear - after), seen);
        clear = after;
    }

    store(p->r, r);
    store(p->g, g);
    store(p->b, b);
    store(p->a, one - before - clear);
    store(p->seen, seen);
}

// The largest (as @sign counts) value; or, @mean, the mean by length.
INLINE void
project(const BgCastScene *s, BgCastPacket *p, BgSampleType type, gboolean mean, float sign)
{
    const float step = (float) s->step_mm;
    const Floats from = load(p->from), to = load(p->to);
    Floats best = splat(mean ? 0.0f : -INFINITY), seen = splat(INFINITY), length = splat(0.0f);
    int n = p->first;

    while (n < p->last) {
        Floats start = larger(splat((float) n * step), from),
               end = smaller(splat((float) (n + 1) * step), to);
        Ints live = end > start;
        n++;
        if (!any(live))
            continue;
        Floats t = (start + end) * splat(0.5f);
        Cell c = find_cell(s, type, load(p->x) + t * load(p->dx), load(p->y) + t * load(p->dy),
                           load(p->z) + t * load(p->dz));
        if (!mean) {
            Floats bound = gather_floats(sign > 0.0f ? s->high : s->low, brick_of(s, &c));
            if (!any(live & (bound * splat(sign) > best)))
                continue;
        }
        Floats rows[4];
        Floats value = value_at(s, type, &c, rows);
        if (mean) {
            live &= value == value;
            Floats part = choose(live, end - start, splat(0.0f));
            best += choose(live, value, splat(0.0f)) * part;
            length += part;
        } else {
            value *= splat(sign);
            Ints better = live & (value > best);
            best = choose(better, value, best);
            seen = choose(better, t, seen);
        }
    }

    if (mean)
        best = choose(length > splat(0.0f), best / length, splat(NAN));
    else
        best = choose(best > splat(-INFINITY), best * splat(sign), splat(NAN));
    store(p->value, best);
    store(p->seen, seen);
}

// Narrows low..high, whose end is inside the surface, to a root.
INLINE Floats
bisect(const BgCastScene *s, const BgCastPacket *p, BgSampleType type, Floats low, Floats high)
{
    const Floats iso = splat(s->iso), sign = splat(s->sign);

    for (int round = 0; round < 18; round++) {
        Floats middle = (low + high) * splat(0.5f), rows[4];
        Cell c = find_cell(s, type, load(p->x) + middle * load(p->dx),
                           load(p->y) + middle * load(p->dy), load(p->z) + middle * load(p->dz));
        Ints inside = value_at(s, type, &c, rows) * sign >= iso;
        high = choose(inside, middle, high);
        low = choose(inside, low, middle);
    }
    return high;
}

INLINE void
find_iso(const BgCastScene *s, BgCastPacket *p, BgSampleType type)
{
    const Floats zero = splat(0.0f), one = splat(1.0f);
    const float step = (float) s->step_mm;
    const Floats from = load(p->from), to = load(p->to), iso = splat(s->iso);
    Floats low = zero, high = splat(INFINITY);
    int n = p->first;

    while (n < p->last) {
        Floats t0 = splat((float) n * step), t1 = splat((float) (n + 1) * step);
        Floats start = larger(t0, from), end = smaller(t1, to);
        Ints open = (high > splat(3e38f)) & (to > t0);
        if (!any(open))
            break;
        Ints live = open & (end > start);
        Floats t = (start + end) * splat(0.5f);
        Cell c = find_cell(s, type, load(p->x) + t * load(p->dx), load(p->y) + t * load(p->dy),
                           load(p->z) + t * load(p->dz));
        Ints distance = gather_bytes(s->distance, brick_of(s, &c));
        Ints active = live & (distance == splat_int(0));
        if (!any(active)) {
            distance = (live & distance) | (~live & open & splat_int(1)) | (~open & splat_int(255));
            n += leap(p, distance);
            continue;
        }
        n++;
        Floats rows[4];
        Ints hit = active & (value_at(s, type, &c, rows) * splat(s->sign) >= iso);
        low = choose(hit, larger(t - splat(step), from), low);
        high = choose(hit, t, high);
    }

    Ints found = high < splat(3e38f);
    Floats r = zero, g = zero, b = zero, a;
    if (any(found)) {
        Floats diffuse = one, specular = zero, gx, gy, gz, rows[4];
        high = choose(found, high, zero);
        high = bisect(s, p, type, low, high);
        Cell c = find_cell(s, type, load(p->x) + high * load(p->dx),
                           load(p->y) + high * load(p->dy), load(p->z) + high * load(p->dz));
        value_at(s, type, &c, rows);
        if (s->shade) {
            gradient_at(s, type, &c, rows, &gx, &gy, &gz);
            shade(s, p, gx, gy, gz, metric(s, gx, gy, gz), &diffuse, &specular);
        }
        gather_fours(s->lut, lut_entry(s, splat(s->iso * s->sign)), &r, &g, &b, &a);
        if (s->labels)
            tint(s, &c, found, &r, &g, &b);
        r = choose(found, r * diffuse + specular, zero);
        g = choose(found, g * diffuse + specular, zero);
        b = choose(found, b * diffuse + specular, zero);
        high = choose(found, high, splat(INFINITY));
    }
    a = choose(found, one - load(p->before), zero);
    store(p->r, r * a);
    store(p->g, g * a);
    store(p->b, b * a);
    store(p->a, a);
    store(p->seen, high);
}

#if KERNEL_AVX2
// One version a type and feature: what is constant here leaves the loops.
#define MAKE_COMPOSITE(name, type, packed)                                        \
    OUTLINE void composite_shaded_##name(const BgCastScene *s, BgCastPacket *p)   \
    {                                                                             \
        composite(s, p, type, TRUE, FALSE, packed);                               \
    }                                                                             \
    OUTLINE void composite_gradient_##name(const BgCastScene *s, BgCastPacket *p) \
    {                                                                             \
        composite(s, p, type, FALSE, TRUE, packed);                               \
    }                                                                             \
    OUTLINE void composite_both_##name(const BgCastScene *s, BgCastPacket *p)     \
    {                                                                             \
        composite(s, p, type, TRUE, TRUE, packed);                                \
    }
MAKE_COMPOSITE(packed, BG_SAMPLE_INT16, TRUE)

#define MAKE(TYPE, name, ctype)                                                \
    MAKE_COMPOSITE(name, TYPE, FALSE)                                          \
    OUTLINE void composite_plain_##name(const BgCastScene *s, BgCastPacket *p) \
    {                                                                          \
        composite(s, p, TYPE, FALSE, FALSE, FALSE);                            \
    }                                                                          \
    OUTLINE void largest_##name(const BgCastScene *s, BgCastPacket *p)         \
    {                                                                          \
        project(s, p, TYPE, FALSE, 1.0f);                                      \
    }                                                                          \
    OUTLINE void smallest_##name(const BgCastScene *s, BgCastPacket *p)        \
    {                                                                          \
        project(s, p, TYPE, FALSE, -1.0f);                                     \
    }                                                                          \
    OUTLINE void mean_##name(const BgCastScene *s, BgCastPacket *p)            \
    {                                                                          \
        project(s, p, TYPE, TRUE, 1.0f);                                       \
    }                                                                          \
    OUTLINE void iso_##name(const BgCastScene *s, BgCastPacket *p)             \
    {                                                                          \
        find_iso(s, p, TYPE);                                                  \
    }
BG_FOR_SAMPLE_TYPES(MAKE)
#undef MAKE
#undef MAKE_COMPOSITE

OUTLINE void
run_composite(const BgCastScene *s, BgCastPacket *p)
{
    gboolean by_gradient = s->gradient_lut != NULL;

    if (s->packed) {
        if (by_gradient)
            s->shade ? composite_both_packed(s, p) : composite_gradient_packed(s, p);
        else
            composite_shaded_packed(s, p);
        return;
    }
#define CASE(TYPE, name, ctype)                                                       \
    case TYPE:                                                                        \
        if (by_gradient)                                                              \
            s->shade ? composite_both_##name(s, p) : composite_gradient_##name(s, p); \
        else                                                                          \
            s->shade ? composite_shaded_##name(s, p) : composite_plain_##name(s, p);  \
        break;
    switch (s->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

OUTLINE void
run_project(const BgCastScene *s, BgCastPacket *p)
{
    gboolean largest = (s->technique == BG_TECHNIQUE_MIP) == (s->sign > 0.0f);

#define CASE(TYPE, name, ctype)                                     \
    case TYPE:                                                      \
        if (s->technique == BG_TECHNIQUE_MEAN)                      \
            mean_##name(s, p);                                      \
        else                                                        \
            largest ? largest_##name(s, p) : smallest_##name(s, p); \
        break;
    switch (s->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

OUTLINE void
run_iso(const BgCastScene *s, BgCastPacket *p)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        iso_##name(s, p);       \
        break;
    switch (s->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}
#else
OUTLINE void
run_composite(const BgCastScene *s, BgCastPacket *p)
{
    composite(s, p, s->type, s->shade, s->gradient_lut != NULL, s->packed != NULL);
}

OUTLINE void
run_project(const BgCastScene *s, BgCastPacket *p)
{
    gboolean largest = (s->technique == BG_TECHNIQUE_MIP) == (s->sign > 0.0f);

    project(s, p, s->type, s->technique == BG_TECHNIQUE_MEAN, largest ? 1.0f : -1.0f);
}

OUTLINE void
run_iso(const BgCastScene *s, BgCastPacket *p)
{
    find_iso(s, p, s->type);
}
#endif
