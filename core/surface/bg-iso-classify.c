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

BgIsoClassify
bg_iso_classifier(BgSampleType type, gboolean plain)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return above_##name;

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
        return equal_##name;

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
