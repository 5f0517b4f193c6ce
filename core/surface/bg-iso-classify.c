// SPDX-License-Identifier: Apache-2.0
#include "bg-iso-private.h"

#include <math.h>
#include <string.h>

// Integers: one compare, turned round where the slope is negative.
#define DEFINE_INTEGER(name, ctype)                                                  \
    static guint64 above_##name(gconstpointer samples, int n, const BgIsoTest *test) \
    {                                                                                \
        const ctype *from = samples;                                                 \
        guint64 inside = 0;                                                          \
        for (int i = 0; i < n; i++)                                                  \
            inside |= (guint64) (from[i] > test->bound) << i;                        \
        return (inside ^ test->flip) & (~(guint64) 0 >> (64 - n));                   \
    }

DEFINE_INTEGER(uint8, uint8_t)
DEFINE_INTEGER(int8, int8_t)
DEFINE_INTEGER(int16, int16_t)
DEFINE_INTEGER(uint16, uint16_t)

static guint64
above_float32(gconstpointer samples, int n, const BgIsoTest *test)
{
    const float *from = samples;
    guint64 inside = 0;

    for (int i = 0; i < n; i++)
        inside |= (guint64) (test->at_most ? from[i] <= test->level : from[i] >= test->level) << i;
    return inside;
}

#define DEFINE_EQUAL(TYPE, name, ctype)                                              \
    static guint64 equal_##name(gconstpointer samples, int n, const BgIsoTest *test) \
    {                                                                                \
        const ctype *from = samples;                                                 \
        guint64 inside = 0;                                                          \
        for (int i = 0; i < n; i++)                                                  \
            inside |= (guint64) (from[i] == (ctype) test->bound) << i;               \
        return inside;                                                               \
    }

BG_FOR_LABEL_TYPES(DEFINE_EQUAL)

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

// The signs of 64 bytes.
AVX2 static inline guint64
signs(__m256i low, __m256i high)
{
    return (guint64) (guint32) _mm256_movemask_epi8(low) |
           (guint64) (guint32) _mm256_movemask_epi8(high) << 32;
}

// 32 words to bytes: packing goes by 128-bit lanes, so the quarters are put in order after it.
AVX2 static inline __m256i
pack_words(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8);
}

AVX2 static inline __m256i
pack_doubles(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
}

#define LOAD(from, bytes) _mm256_loadu_si256((const __m256i *) (gconstpointer) ((from) + (bytes)))

// Bytes and words are compared as signed; unsigned ones are moved down by half their range first.
AVX2 static guint64
compare_bytes(const guint8 *from, gint8 bound, gint8 move, gboolean equal)
{
    __m256i b = _mm256_set1_epi8(bound), m = _mm256_set1_epi8(move);
    __m256i low = _mm256_xor_si256(LOAD(from, 0), m), high = _mm256_xor_si256(LOAD(from, 32), m);

    return equal ? signs(_mm256_cmpeq_epi8(low, b), _mm256_cmpeq_epi8(high, b))
                 : signs(_mm256_cmpgt_epi8(low, b), _mm256_cmpgt_epi8(high, b));
}

AVX2 static inline guint64
compare_words(const guint8 *from, gint16 bound, gint16 move, gboolean equal)
{
    __m256i b = _mm256_set1_epi16(bound), m = _mm256_set1_epi16(move), v[4];

    for (int n = 0; n < 4; n++) {
        v[n] = _mm256_xor_si256(LOAD(from, 32 * n), m);
        v[n] = equal ? _mm256_cmpeq_epi16(v[n], b) : _mm256_cmpgt_epi16(v[n], b);
    }
    return signs(pack_words(v[0], v[1]), pack_words(v[2], v[3]));
}

AVX2 static guint64
above_uint8_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return above_uint8(samples, n, test);
    return compare_bytes(samples, (gint8) (test->bound - 128), -128, FALSE) ^ test->flip;
}

AVX2 static guint64
above_int8_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return above_int8(samples, n, test);
    return compare_bytes(samples, (gint8) test->bound, 0, FALSE) ^ test->flip;
}

AVX2 static guint64
above_int16_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return above_int16(samples, n, test);
    return compare_words(samples, (gint16) test->bound, 0, FALSE) ^ test->flip;
}

AVX2 static guint64
above_uint16_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return above_uint16(samples, n, test);
    return compare_words(samples, (gint16) (test->bound - 32768), -32768, FALSE) ^ test->flip;
}

// 8 results of 32 bits each, from 8 floats.
#define FLOATS(from, n, compare) \
    _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps((from) + 8 * (n)), level, compare))

#define DEFINE_FLOATS(name, compare)                                                          \
    AVX2 static guint64 name(const float *from, float bound)                                  \
    {                                                                                         \
        __m256 level = _mm256_set1_ps(bound);                                                 \
        __m256i words[4];                                                                     \
        for (int n = 0; n < 4; n++)                                                           \
            words[n] =                                                                        \
                pack_doubles(FLOATS(from, 2 * n, compare), FLOATS(from, 2 * n + 1, compare)); \
        return signs(pack_words(words[0], words[1]), pack_words(words[2], words[3]));         \
    }

DEFINE_FLOATS(at_least, _CMP_GE_OQ)
DEFINE_FLOATS(at_most, _CMP_LE_OQ)

AVX2 static guint64
above_float32_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return above_float32(samples, n, test);
    return test->at_most ? at_most(samples, test->level) : at_least(samples, test->level);
}

AVX2 static guint64
equal_uint8_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return equal_uint8(samples, n, test);
    return compare_bytes(samples, (gint8) test->bound, 0, TRUE);
}

AVX2 static guint64
equal_uint16_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    if (n < 64)
        return equal_uint16(samples, n, test);
    return compare_words(samples, (gint16) test->bound, 0, TRUE);
}

AVX2 static guint64
equal_uint32_avx2(gconstpointer samples, int n, const BgIsoTest *test)
{
    const guint8 *from = samples;
    __m256i b = _mm256_set1_epi32((gint32) test->bound), words[4];

    if (n < 64)
        return equal_uint32(samples, n, test);
    for (int w = 0; w < 4; w++)
        words[w] = pack_doubles(_mm256_cmpeq_epi32(LOAD(from, 64 * w), b),
                                _mm256_cmpeq_epi32(LOAD(from, 64 * w + 32), b));
    return signs(pack_words(words[0], words[1]), pack_words(words[2], words[3]));
}

#define FASTER(name) (!plain && __builtin_cpu_supports("avx2") ? name##_avx2 : name)
#else
#define FASTER(name) (name)
#endif

BgIsoClassify
bg_iso_classifier(BgSampleType type, gboolean plain)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return FASTER(above_##name);

    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    g_assert_not_reached();
}

BgIsoClassify
bg_iso_label_classifier(BgLabelType type, gboolean plain)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return FASTER(equal_##name);

    switch (type) {
        BG_FOR_LABEL_TYPES(CASE)
    }
#undef CASE
    g_assert_not_reached();
}

#define DEFINE_GATHER(TYPE, name, ctype)                                                    \
    static void gather_##name(gconstpointer from, gconstpointer to, const guint64 *crossed, \
                              int n_words, float *a, float *b)                              \
    {                                                                                       \
        const ctype *f = from, *t = to;                                                     \
        for (int w = 0; w < n_words; w++) {                                                 \
            for (guint64 bits = crossed[w]; bits != 0; bits &= bits - 1) {                  \
                gssize at = 64 * (gssize) w + __builtin_ctzll(bits);                        \
                *a++ = (float) f[at];                                                       \
                *b++ = (float) t[at];                                                       \
            }                                                                               \
        }                                                                                   \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_GATHER)

BgIsoGather
bg_iso_gather(BgSampleType type)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return gather_##name;

    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    g_assert_not_reached();
}

// The samples of a type in ascending order, as whole numbers: themselves, and a float's bits.
static void
key_range(BgSampleType type, gint64 *lowest, gint64 *highest)
{
    static const gint64 ranges[][2] = {
        [BG_SAMPLE_UINT8] = { 0, UINT8_MAX },
        [BG_SAMPLE_INT8] = { INT8_MIN, INT8_MAX },
        [BG_SAMPLE_INT16] = { INT16_MIN, INT16_MAX },
        [BG_SAMPLE_UINT16] = { 0, UINT16_MAX },
        [BG_SAMPLE_FLOAT32] = { -0x7f800000ll, 0x7f800000ll }, // both infinities
    };

    *lowest = ranges[type][0];
    *highest = ranges[type][1];
}

static float
float_of_key(gint64 key)
{
    guint32 bits = (guint32) ABS(key);
    float value;

    memcpy(&value, &bits, sizeof value);
    return key < 0 ? -value : value;
}

static gboolean
is_inside(BgSampleType type, gint64 key, double slope, double intercept, double iso)
{
    double sample = type == BG_SAMPLE_FLOAT32 ? (double) float_of_key(key) : (double) key;

    return slope * sample + intercept >= iso;
}

void
bg_iso_test_init(BgIsoTest *test, BgSampleType type, double slope, double intercept, double iso)
{
    gint64 lowest, highest, low, high;

    // Rounding keeps the order, so bisection finds the one place where the outcome turns.
    key_range(type, &lowest, &highest);
    low = lowest - 1;
    high = highest + 1;
    while (high - low > 1) {
        gint64 middle = (low + high) >> 1; // floor: the sum may be negative
        if (is_inside(type, middle, slope, intercept, iso) == (slope > 0.0))
            high = middle;
        else
            low = middle;
    }

    // slope > 0: high is the first inside; slope < 0: low is the last inside.
    *test = (BgIsoTest){ .at_most = slope < 0.0 };
    if (type == BG_SAMPLE_FLOAT32) {
        gint64 key = slope > 0.0 ? high : low;
        test->level = key < lowest || key > highest ? NAN : float_of_key(key);
    } else if (low <
               lowest) { // as the bound must be a number of the type: sample > highest is never
        test->bound = highest;
        test->flip = slope > 0.0 ? ~(guint64) 0 : 0;
    } else {
        test->bound = low;
        test->flip = slope > 0.0 ? 0 : ~(guint64) 0;
    }
}

double
bg_iso_margin(const BgAffine *patient_from_voxel, const int low[3], const int dims[3])
{
    double largest = 0.0, step = INFINITY;

    for (int corner = 0; corner < 8; corner++) {
        BgVec3 at =
            bg_affine_apply(patient_from_voxel, bg_vec3(low[0] + (corner & 1 ? dims[0] : -1),
                                                        low[1] + (corner >> 1 & 1 ? dims[1] : -1),
                                                        low[2] + (corner >> 2 & 1 ? dims[2] : -1)));
        largest = MAX(largest, MAX(fabs(at.x), MAX(fabs(at.y), fabs(at.z))));
    }
    for (int axis = 0; axis < 3; axis++)
        step = MIN(step, bg_vec3_length(bg_affine_column(patient_from_voxel, axis)));

    // 2^-24: half of a float's last bit, relative. Sixteen of them leave a triangle its area.
    return CLAMP(16.0 * ldexp(largest, -24) / step, 1e-3, 0.25);
}
