// SPDX-License-Identifier: Apache-2.0
// What "vgg-small" learns from: to see through noise which patch of picture lies around each pixel, at four sizes, with
// as little activity as will do. Features that are silent where nothing is and speak at edges and textures come of that
// (sparse coding: Olshausen and Field 1996; its activity as a measure for fusion: Yang and Li 2010).
#include "bg-fusion-data-private.h"

#include "core/base/bg-random.h"
#include "core/learn/bg-vgg19.h"

#include <math.h>
#include <string.h>

#define GAIN 4.0f
#define MOST_NOISE 0.08
#define INVERTED 0.25
#define PATCH BG_VGG_SMALL_PATCH

static const gsize level_channels[BG_VGG19_N_LEVELS] = { 16, 32, 48, 64 };

// A crop of one plane, mirrored and turned, of another brightness and contrast.
static void
cut_out(const BgFusionData *data, const BgFusionPair *pair, BgRandom *random, gboolean augment,
        float *clean)
{
    int crop = data->crop;
    const guint8 *plane = pair->planes[bg_random_below(random, 2)];
    int u0 = (int) bg_random_below(random, (gsize) (pair->width - crop + 1));
    int v0 = (int) bg_random_below(random, (gsize) (pair->height - crop + 1));
    guint64 turn = augment ? bg_random_next(random) : 0;
    double gamma = augment ? exp(0.3 * bg_random_normal(random)) : 1.0;
    double gain = augment ? 1.0 - 0.7 * bg_random_uniform(random) : 1.0;
    gboolean inverted = augment && bg_random_uniform(random) < INVERTED;
    float shades[256];

    for (int v = 0; v < 256; v++) {
        double shade = gain * pow(v / 255.0, gamma);
        shades[v] = (float) (inverted ? 1.0 - shade : shade);
    }
    for (int v = 0; v < crop; v++) {
        for (int u = 0; u < crop; u++) {
            int x = turn & 4 ? v : u, y = turn & 4 ? u : v;
            x = turn & 1 ? crop - 1 - x : x;
            y = turn & 2 ? crop - 1 - y : y;
            clean[v * crop + u] =
                shades[plane[(gsize) (v0 + y) * (gsize) pair->width + (gsize) (u0 + x)]];
        }
    }
}

// Patches around each pixel, less their means; beyond the border the last pixel goes on.
static void
tell_patches(const float *plane, int side, float *target)
{
    gsize n = (gsize) side * (gsize) side;

    for (int v = 0; v < side; v++) {
        for (int u = 0; u < side; u++) {
            float *to = target + (gsize) v * (gsize) side + (gsize) u, sum = 0.0f;
            for (int p = 0; p < PATCH * PATCH; p++) {
                int x = CLAMP(u + p % PATCH - PATCH / 2, 0, side - 1);
                int y = CLAMP(v + p / PATCH - PATCH / 2, 0, side - 1);
                to[(gsize) p * n] = plane[y * side + x];
                sum += plane[y * side + x];
            }
            for (int p = 0; p < PATCH * PATCH; p++)
                to[(gsize) p * n] = GAIN * (to[(gsize) p * n] - sum / (PATCH * PATCH));
        }
    }
}

// In place: the mean of two by two.
static void
halve(float *plane, int side)
{
    for (int v = 0; v < side / 2; v++) {
        for (int u = 0; u < side / 2; u++) {
            const float *from = plane + 2 * v * side + 2 * u;
            plane[v * (side / 2) + u] = 0.25f * (from[0] + from[1] + from[side] + from[side + 1]);
        }
    }
}

static gboolean
make_sample(gpointer user_data, gsize index, guint64 seed, float *const *inputs,
            float *const *targets, GError **error)
{
    const BgFusionData *data = user_data;
    const BgFusionPair *pair = data->pairs->pdata[index / (gsize) data->per_pair];
    BgRandom random = bg_random(seed != 0 ? seed : data->seed, index);
    int side = data->crop;
    gsize n = (gsize) side * (gsize) side;
    g_autofree float *clean = g_new(float, n);

    cut_out(data, pair, &random, seed != 0, clean);
    double noise = MOST_NOISE * bg_random_uniform(&random);
    for (gsize i = 0; i < n; i++)
        inputs[0][i] = clean[i] + (float) (noise * bg_random_normal(&random));
    for (int level = 0; level < BG_VGG19_N_LEVELS; level++) {
        tell_patches(clean, side, targets[level]);
        memset(targets[BG_VGG19_N_LEVELS + level], 0,
               level_channels[level] * (gsize) side * (gsize) side * sizeof(float));
        halve(clean, side);
        side /= 2;
    }
    return TRUE;
}

BgNnData
bg_fusion_data_source_features(BgFusionData *data)
{
    BgNnData source = bg_fusion_data_source(data);

    source.make = make_sample;
    return source;
}
