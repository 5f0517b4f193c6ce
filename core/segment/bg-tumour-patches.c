// SPDX-License-Identifier: Apache-2.0
// Patches whose middle is to be told, for the patch networks: as many of each class, none that is mostly empty, and
// those with most to see where that is asked for.
#include "bg-tumour-data-private.h"

#include "core/base/bg-random.h"

#include <math.h>
#include <string.h>

#define SIDE BG_TUMOUR_PATCH
#define CENTRE BG_TUMOUR_PATCH_CENTRE
#define N_OUT 5         // BraTS 2013 and 2015: necrosis, oedema, non-enhancing, enhancing
#define MOST_EMPTY 0.25 // of a patch
#define MAX_TRIES 400   // until a case is taken not to have a class
// Of the background's patches, that share lies beside the tumour, where it is hardest to tell from.
#define NEAR_SHARE 0.5
#define NEAR 6          // pixels
#define N_CANDIDATES 10 // of which the one of the greatest entropy is in the highest tenth
#define N_GREYS 32
#define GREYS_A_UNIT 4.0f // of z-scores

typedef struct {
    const BgTumourData *data;
    const BgTumourStored *stored;
    const gint16 *planes;
    const guint8 *classes;
} Case;

/** Spot: the middle of a patch */
typedef struct {
    int i, j, k;
    guint8 class;
} Spot;

static gsize
index_of(const Case *c, int i, int j, int k)
{
    const int *d = c->stored->dims;

    return ((gsize) k * (gsize) d[1] + (gsize) j) * (gsize) d[0] + (gsize) i;
}

// Where a whole patch lies within its slice. @aside: a voxel of the tumour's neighbourhood.
static Spot
draw_spot(const Case *c, gboolean tumour, gboolean aside, BgRandom *random)
{
    const int *d = c->stored->dims;
    gsize in_slice = (gsize) d[0] * (gsize) d[1], n = c->stored->slices[d[2] - 1];
    int half = SIDE / 2;
    Spot spot = { .k = (int) bg_random_below(random, (gsize) d[2]) };

    spot.i = half + (int) bg_random_below(random, (gsize) MAX(d[0] - 2 * half, 1));
    spot.j = half + (int) bg_random_below(random, (gsize) MAX(d[1] - 2 * half, 1));
    if (tumour && n > 0) {
        gsize wanted = bg_random_below(random, n), at = 0;
        for (spot.k = 0; c->stored->slices[spot.k] <= wanted;)
            spot.k++;
        gsize left = wanted - (spot.k > 0 ? c->stored->slices[spot.k - 1] : 0);
        const guint8 *slice = c->classes + (gsize) spot.k * in_slice;
        while (slice[at] == 0 || left-- != 0)
            at++;
        spot.i = (int) (at % (gsize) d[0]);
        spot.j = (int) (at / (gsize) d[0]);
        if (aside) {
            spot.i += (int) bg_random_below(random, 2 * NEAR + 1) - NEAR;
            spot.j += (int) bg_random_below(random, 2 * NEAR + 1) - NEAR;
        }
    }
    spot.i = CLAMP(spot.i, 0, d[0] - 1);
    spot.j = CLAMP(spot.j, 0, d[1] - 1);
    spot.class = c->classes[index_of(c, spot.i, spot.j, spot.k)];
    return spot;
}

static void
read_patch(const Case *c, const Spot *spot, int side, float *patch)
{
    const int *d = c->stored->dims;
    int half = side / 2;

    for (int n = 0; n < c->data->params.n_contrasts; n++) {
        const gint16 *plane = c->planes + (gsize) c->data->params.contrasts[n] * c->stored->n;
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                int i = spot->i + x - half, j = spot->j + y - half;
                gboolean inside = i >= 0 && j >= 0 && i < d[0] && j < d[1];
                *patch++ =
                    inside ? (float) plane[index_of(c, i, j, spot->k)] / BG_TUMOUR_SCALE : 0.0f;
            }
    }
}

static gboolean
is_empty(const float *patch, gsize n)
{
    gsize n_zeros = 0;

    for (gsize i = 0; i < n; i++)
        n_zeros += patch[i] == 0.0f;
    return (double) n_zeros > MOST_EMPTY * (double) n;
}

// Of the first contrast's greys, in bits.
static double
entropy_of(const float *patch)
{
    gsize counts[N_GREYS] = { 0 }, n = SIDE * SIDE;
    double sum = 0.0;

    for (gsize i = 0; i < n; i++) {
        int grey = (int) floorf(patch[i] * GREYS_A_UNIT) + N_GREYS / 2;
        counts[CLAMP(grey, 0, N_GREYS - 1)]++;
    }
    for (gsize g = 0; g < N_GREYS; g++) {
        double p = (double) counts[g] / (double) n;
        sum -= p > 0.0 ? p * log2(p) : 0.0;
    }
    return sum;
}

// A spot of @class, or of another where the case has none, whose patch is not mostly empty.
static Spot
find_spot(const Case *c, guint8 class, BgRandom *random, float *patch)
{
    gsize n = (gsize) c->data->params.n_contrasts * SIDE * SIDE;
    Spot spot = { 0 };
    gboolean aside = class == 0 && bg_random_uniform(random) < NEAR_SHARE;

    for (int t = 0; t < MAX_TRIES; t++) {
        spot = draw_spot(c, class != 0 || aside, aside, random);
        if (spot.class != class)
            continue;
        read_patch(c, &spot, SIDE, patch);
        if (!is_empty(patch, n))
            return spot;
    }
    read_patch(c, &spot, SIDE, patch);
    return spot;
}

// Each contrast by its largest size in the slice: what is known when a slice is looked at as a whole.
static void
scale_patch(const Case *c, int k, float *patch, int side)
{
    gsize in_slice = (gsize) c->stored->dims[0] * (gsize) c->stored->dims[1];

    for (int n = 0; n < c->data->params.n_contrasts; n++, patch += side * side) {
        const gint16 *slice =
            c->planes + (gsize) c->data->params.contrasts[n] * c->stored->n + (gsize) k * in_slice;
        int most = 0;
        for (gsize i = 0; i < in_slice; i++)
            most = MAX(most, ABS((int) slice[i]));
        for (int i = 0; most > 0 && i < side * side; i++)
            patch[i] /= (float) most / BG_TUMOUR_SCALE;
    }
}

static void
make(BgTumourData *data, const guint8 *bytes, gsize index, guint64 seed, float *const *inputs,
     float *target)
{
    Case c = { data, data->cases->pdata[index / (gsize) data->params.per_case] };
    BgRandom random = bg_random(seed != 0 ? seed : data->params.seed, index);
    guint8 class = (guint8) (index % BG_TUMOUR_CLASSES);
    int n_contrasts = data->params.n_contrasts;
    gsize n = (gsize) n_contrasts * SIDE * SIDE;
    g_autofree float *patch = g_new(float, n);
    Spot best = { 0 };
    double most = -1.0;

    c.planes = (const gint16 *) (const void *) (bytes + c.stored->offset);
    c.classes = (const guint8 *) (c.planes + BG_N_CONTRASTS * c.stored->n);
    for (int k = 0; k < (data->params.entropy ? N_CANDIDATES : 1); k++) {
        Spot spot = find_spot(&c, class, &random, patch);
        double entropy = entropy_of(patch);
        if (entropy <= most)
            continue;
        most = entropy;
        best = spot;
        memcpy(inputs[0], patch, n * sizeof(float));
    }
    scale_patch(&c, best.k, inputs[0], SIDE);
    if (data->params.centres) {
        read_patch(&c, &best, CENTRE, inputs[1]);
        scale_patch(&c, best.k, inputs[1], CENTRE);
    }
    memset(target, 0, N_OUT * sizeof(float));
    target[bg_tumour_labels[best.class]] = 1.0f;
}

static gboolean
make_patch(gpointer user_data, gsize index, guint64 seed, float *const *inputs,
           float *const *targets, GError **error)
{
    const guint8 *bytes = bg_tumour_data_map(user_data, error);

    if (bytes != NULL)
        make(user_data, bytes, index, seed, inputs, targets[0]);
    return bytes != NULL;
}

BgNnData
bg_tumour_data_source_patches(BgTumourData *data)
{
    BgNnData source = bg_tumour_data_source(data);

    source.make = make_patch;
    return source;
}
