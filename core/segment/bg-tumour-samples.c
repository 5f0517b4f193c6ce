// SPDX-License-Identifier: Apache-2.0
// Samples of cases: slices, or blocks, each changed a little.
#include "bg-tumour-data-private.h"

#include "core/base/bg-random.h"
#include "core/learn/bg-networks.h"

#include <math.h>
#include <string.h>

#define TUMOUR_SHARE 0.75 // of samples are about a voxel of the tumour
#define DROP_SHARE 0.12   // how often a contrast is left out
#define PAIR_SHARE 0.15   // of blocks: only T1 with contrast and FLAIR
#define SOME_SHARE 0.3    // of blocks: each contrast but one left out half the time

static gsize
count_samples(gpointer user_data)
{
    const BgTumourData *data = user_data;

    return (gsize) data->cases->len * (gsize) data->params.per_case;
}

static const char *
patient_of(gpointer user_data, gsize index)
{
    const BgTumourData *data = user_data;
    const BgTumourStored *stored = data->cases->pdata[index / (gsize) data->params.per_case];

    return stored->patient;
}

/** Waves: a smooth field over a sample: two sines along each axis */
typedef struct {
    double amplitude[2], frequency[2][2], phase[2];
} Waves;

/** Change: how a sample differs from what is in the file */
typedef struct {
    double turn[2][2]; // source pixels from pixels of the sample
    double centre[2];  // in the source
    Waves bend[2];
    double gain[BG_N_CONTRASTS], offset[BG_N_CONTRASTS], gamma[BG_N_CONTRASTS];
    double middle[BG_N_CONTRASTS], slope[BG_N_CONTRASTS]; // so that the middle stays as it is
    double noise[BG_N_CONTRASTS];
    Waves shade[BG_N_CONTRASTS];
    gboolean dropped[BG_N_CONTRASTS];
} Change;

static double
between(BgRandom *random, double low, double high)
{
    return low + (high - low) * bg_random_uniform(random);
}

static Waves
random_waves(BgRandom *random, double amplitude, double shortest, double longest)
{
    Waves waves;

    for (int w = 0; w < 2; w++) {
        double angle = between(random, 0.0, 2.0 * G_PI);
        double frequency = 2.0 * G_PI / between(random, shortest, longest);
        waves.amplitude[w] = between(random, -amplitude, amplitude);
        waves.frequency[w][0] = frequency * cos(angle);
        waves.frequency[w][1] = frequency * sin(angle);
        waves.phase[w] = between(random, 0.0, 2.0 * G_PI);
    }
    return waves;
}

static inline double
waves_at(const Waves *waves, double x, double y)
{
    return waves->amplitude[0] *
               sin(waves->frequency[0][0] * x + waves->frequency[0][1] * y + waves->phase[0]) +
           waves->amplitude[1] *
               sin(waves->frequency[1][0] * x + waves->frequency[1][1] * y + waves->phase[1]);
}

// The slice, and what of it is in the middle.
static int
choose_place(const BgTumourData *data, const BgTumourStored *stored, const guint8 *classes,
             BgRandom *random, double centre[2])
{
    const int *d = stored->dims;
    gsize in_slice = (gsize) d[0] * (gsize) d[1], n = stored->slices[d[2] - 1];
    double reach = data->params.crop / 4.0;
    int k = (int) bg_random_below(random, (gsize) d[2]);

    centre[0] = between(random, 0.2, 0.8) * d[0];
    centre[1] = between(random, 0.2, 0.8) * d[1];
    if (n > 0 && bg_random_uniform(random) < TUMOUR_SHARE) {
        gsize wanted = bg_random_below(random, n), at = 0;
        for (k = 0; stored->slices[k] <= wanted;)
            k++;
        gsize left = wanted - (k > 0 ? stored->slices[k - 1] : 0);
        const guint8 *slice = classes + (gsize) k * in_slice;
        for (;; at++) {
            if (slice[at] != 0 && left-- == 0)
                break;
        }
        centre[0] = (double) (at % (gsize) d[0]) + between(random, -reach, reach);
        centre[1] = (double) (at / (gsize) d[0]) + between(random, -reach, reach);
    }
    return k;
}

static void
draw_change(BgRandom *random, gboolean augment, Change *change)
{
    double angle = 0.0, scale = 1.0, stretch = 1.0;
    gboolean flip = FALSE;

    if (augment) {
        angle = 0.35 * bg_random_normal(random);
        scale = exp(0.22 * bg_random_normal(random));
        stretch = exp(0.08 * bg_random_normal(random));
        flip = bg_random_uniform(random) < 0.5;
        angle = CLAMP(angle, -1.0, 1.0);
        scale = CLAMP(scale, 0.6, 1.7);
    }
    change->turn[0][0] = (flip ? -1.0 : 1.0) * scale * stretch * cos(angle);
    change->turn[0][1] = -scale / stretch * sin(angle);
    change->turn[1][0] = (flip ? -1.0 : 1.0) * scale * stretch * sin(angle);
    change->turn[1][1] = scale / stretch * cos(angle);
    for (int a = 0; a < 2; a++)
        change->bend[a] = random_waves(random, augment ? 2.5 : 0.0, 30.0, 120.0);
    int kept = (int) bg_random_below(random, BG_N_CONTRASTS);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        double much = augment ? 1.0 : 0.0;
        change->gain[c] = exp(much * 0.15 * bg_random_normal(random));
        change->offset[c] = much * 0.2 * bg_random_normal(random);
        change->gamma[c] = exp(much * 0.25 * bg_random_normal(random));
        change->middle[c] = pow(0.5, change->gamma[c]);
        change->slope[c] = 8.0 * 0.5 / (change->gamma[c] * change->middle[c]);
        change->noise[c] = much * MAX(between(random, -0.1, 0.25), 0.0);
        change->shade[c] = random_waves(random, much * 0.12, 120.0, 400.0);
        change->dropped[c] = augment && c != kept && bg_random_uniform(random) < DROP_SHARE;
    }
}

// Of blocks more is left out than of slices, of which there are many more: one in seven has only the two contrasts
// that BraTS' small networks take, one in three any of them.
static void
leave_out(BgRandom *random, Change *change)
{
    double which = bg_random_uniform(random);
    int kept = (int) bg_random_below(random, BG_N_CONTRASTS);

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        gboolean half = bg_random_uniform(random) < 0.5;
        if (which < PAIR_SHARE)
            change->dropped[c] = c != BG_CONTRAST_T1CE && c != BG_CONTRAST_FLAIR;
        else if (which < PAIR_SHARE + SOME_SHARE)
            change->dropped[c] = c != kept && half;
    }
}

static inline float
sample_plane(const gint16 *plane, const int *d, double x, double y)
{
    double fx = floor(x), fy = floor(y);
    int i = (int) fx, j = (int) fy;
    float u = (float) (x - fx), v = (float) (y - fy);

    if (i < 0 || j < 0 || i + 1 >= d[0] || j + 1 >= d[1])
        return 0.0f;
    const gint16 *p = plane + (gsize) j * (gsize) d[0] + i;
    float top = (float) p[0] + u * (float) (p[1] - p[0]);
    float low = (float) p[d[0]] + u * (float) (p[d[0] + 1] - p[d[0]]);
    return (top + v * (low - top)) * (1.0f / BG_TUMOUR_SCALE);
}

// A z-score by another scanner: the middle range bent, stretched and moved.
static inline float
change_value(float z, const Change *change, int c, double x, double y, BgRandom *random)
{
    double unit = CLAMP((double) z / 8.0 + 0.5, 0.0, 1.0);
    double bent = (pow(unit, change->gamma[c]) - change->middle[c]) * change->slope[c];
    double value =
        bent * change->gain[c] + change->offset[c] + 2.0 * waves_at(&change->shade[c], x, y);

    if (change->noise[c] > 0.0)
        value += change->noise[c] * bg_random_normal(random);
    return (float) CLAMP(value, -8.0, 8.0);
}

static gboolean
make_sample(gpointer user_data, gsize index, guint64 seed, float *const *inputs,
            float *const *targets, GError **error)
{
    BgTumourData *data = user_data;
    const BgTumourStored *stored = data->cases->pdata[index / (gsize) data->params.per_case];
    const guint8 *bytes = bg_tumour_data_map(data, error);
    gboolean augment = seed != 0;
    BgRandom random = bg_random(augment ? seed : data->params.seed, index);
    Change change;

    if (bytes == NULL)
        return FALSE;
    const gint16 *planes = (const gint16 *) (const void *) (bytes + stored->offset);
    const guint8 *classes = bytes + stored->offset + BG_N_CONTRASTS * stored->n * sizeof(gint16);
    const int *d = stored->dims, crop = data->params.crop;
    gsize in_slice = (gsize) d[0] * (gsize) d[1], area = (gsize) crop * (gsize) crop;
    int k = choose_place(data, stored, classes, &random, change.centre);

    draw_change(&random, augment, &change);
    memset(targets[0], 0, BG_TUMOUR_CLASSES * area * sizeof(float));
    for (int y = 0; y < crop; y++) {
        for (int x = 0; x < crop; x++) {
            double u = x - crop / 2, v = y - crop / 2;
            double sx = change.centre[0] + change.turn[0][0] * u + change.turn[0][1] * v +
                        waves_at(&change.bend[0], u, v);
            double sy = change.centre[1] + change.turn[1][0] * u + change.turn[1][1] * v +
                        waves_at(&change.bend[1], u, v);
            gsize at = (gsize) y * (gsize) crop + (gsize) x;
            int i = (int) floor(sx + 0.5), j = (int) floor(sy + 0.5);
            gboolean inside = i >= 0 && j >= 0 && i < d[0] && j < d[1];
            guint8 class =
                inside ? classes[(gsize) k * in_slice + (gsize) j * (gsize) d[0] + (gsize) i] : 0;
            targets[0][(gsize) class * area + at] = 1.0f;
            for (int n = 0; n < data->params.n_contrasts; n++) {
                int c = (int) data->params.contrasts[n];
                float *in = inputs[0] + (gsize) n * area + at;
                float z =
                    sample_plane(planes + (gsize) c * stored->n + (gsize) k * in_slice, d, sx, sy);
                // The background stays what it is: exactly 0.
                if (change.dropped[c])
                    *in = 0.0f;
                else
                    *in = augment && z != 0.0f ? change_value(z, &change, c, u, v, &random) : z;
            }
        }
    }
    return TRUE;
}

static inline float
sample_block(const gint16 *plane, const int *d, const double at[3])
{
    double fz = floor(at[2]);
    int k = (int) fz;
    gsize in_slice = (gsize) d[0] * (gsize) d[1];

    if (k < 0 || k + 1 >= d[2])
        return 0.0f;
    float low = sample_plane(plane + (gsize) k * in_slice, d, at[0], at[1]);
    float high = sample_plane(plane + (gsize) (k + 1) * in_slice, d, at[0], at[1]);
    return low + (float) (at[2] - fz) * (high - low);
}

// Every second, fourth, ... voxel: where a strided convolution's results lie.
static void
thin_out(const float *whole, gsize crop, gsize step, float *target)
{
    gsize side = crop / step, n = side * side * side;

    for (gsize c = 0; c < BG_TUMOUR_CLASSES; c++)
        for (gsize at = 0; at < n; at++) {
            gsize x = at % side, y = at / side % side, z = at / (side * side);
            target[c * n + at] = whole[((c * crop + z * step) * crop + y * step) * crop + x * step];
        }
}

/** Block: what a block of a case is made of */
typedef struct {
    const BgTumourData *data;
    const BgTumourStored *stored;
    const gint16 *planes;
    const guint8 *classes;
    const Change *change;
    double middle, along; // of the slices: the block's, and how many of them a voxel of it takes
    gboolean augment;
} Block;

static void
fill_voxel(const Block *b, const double place[3], gsize to, BgRandom *random, float *input,
           float *target)
{
    const Change *change = b->change;
    const int *d = b->stored->dims;
    gsize crop = (gsize) b->data->params.crop, volume = crop * crop * crop;
    double u = place[0], v = place[1];
    double at[3] = { change->centre[0] + change->turn[0][0] * u + change->turn[0][1] * v +
                         waves_at(&change->bend[0], u, v),
                     change->centre[1] + change->turn[1][0] * u + change->turn[1][1] * v +
                         waves_at(&change->bend[1], u, v),
                     b->middle + b->along * place[2] };
    int i = (int) floor(at[0] + 0.5), j = (int) floor(at[1] + 0.5), k = (int) floor(at[2] + 0.5);
    guint8 class = 0;

    if (i >= 0 && j >= 0 && k >= 0 && i < d[0] && j < d[1] && k < d[2])
        class = b->classes[((gsize) k * (gsize) d[1] + (gsize) j) * (gsize) d[0] + (gsize) i];
    target[(gsize) class * volume + to] = 1.0f;
    for (int n = 0; n < b->data->params.n_contrasts; n++) {
        int c = (int) b->data->params.contrasts[n];
        float z = sample_block(b->planes + (gsize) c * b->stored->n, d, at);
        if (change->dropped[c])
            z = 0.0f;
        else if (b->augment && z != 0.0f)
            z = change_value(z, change, c, u, v, random);
        input[(gsize) n * volume + to] = z;
    }
}

static gboolean
make_block(gpointer user_data, gsize index, guint64 seed, float *const *inputs,
           float *const *targets, GError **error)
{
    BgTumourData *data = user_data;
    const BgTumourStored *stored = data->cases->pdata[index / (gsize) data->params.per_case];
    const guint8 *bytes = bg_tumour_data_map(data, error);
    BgRandom random = bg_random(seed != 0 ? seed : data->params.seed, index);
    gsize crop = (gsize) data->params.crop, volume = crop * crop * crop;
    double half = (double) (crop / 2);
    Change change;

    if (bytes == NULL)
        return FALSE;
    Block block = { .data = data,
                    .stored = stored,
                    .planes = (const gint16 *) (const void *) (bytes + stored->offset),
                    .change = &change,
                    .augment = seed != 0 };
    block.classes = (const guint8 *) (block.planes + BG_N_CONTRASTS * stored->n);
    block.middle = choose_place(data, stored, block.classes, &random, change.centre);
    block.middle += between(&random, -half / 2.0, half / 2.0);
    draw_change(&random, block.augment, &change);
    if (block.augment)
        leave_out(&random, &change);
    // As much longer or shorter as the slices are on the whole.
    block.along =
        sqrt(fabs(change.turn[0][0] * change.turn[1][1] - change.turn[0][1] * change.turn[1][0]));
    memset(targets[0], 0, BG_TUMOUR_CLASSES * volume * sizeof(float));
    for (gsize to = 0; to < volume; to++) {
        double place[3] = { (double) (to % crop) - half, (double) (to / crop % crop) - half,
                            (double) (to / (crop * crop)) - half };
        fill_voxel(&block, place, to, &random, inputs[0], targets[0]);
    }
    for (int k = 1; k < BG_UNET3_N_RESULTS; k++)
        thin_out(targets[0], crop, (gsize) 1 << k, targets[k]);
    return TRUE;
}

BgNnData
bg_tumour_data_source_blocks(BgTumourData *data)
{
    return (BgNnData){ count_samples, patient_of, make_block, data };
}

BgNnData
bg_tumour_data_source(BgTumourData *data)
{
    return (BgNnData){ count_samples, patient_of, make_sample, data };
}
