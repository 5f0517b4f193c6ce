// SPDX-License-Identifier: Apache-2.0
// Pairs of pictures out of nothing: discs and bars laid over each other until all is covered ("dead leaves",
// Matheron 1968; their edges and contrasts are distributed like those of natural pictures: Lee, Mumford and
// Huang 2001), inside of an oval on black. Some leaves are in both pictures, with two shades; some in one.
#include "bg-fusion-leaves.h"

#include "core/base/bg-random.h"

#include <math.h>
#include <string.h>

#define N_LEAVES 400
#define LEAST 1.5 // pixels: the smallest leaf
#define GRAIN 0.05
#define MAX_BLUR 4

/** Leaf: an ellipse, or a bar where @square */
typedef struct {
    double x, y, a, b, cosine, sine;
    gboolean square;
    float shades[2], slopes[2][2]; // negative shade: not in that picture
} Leaf;

static Leaf
draw_leaf(BgRandom *random, int size)
{
    Leaf leaf = { .x = bg_random_uniform(random) * size, .y = bg_random_uniform(random) * size };
    double angle = bg_random_uniform(random) * G_PI, which = bg_random_uniform(random);
    // Radii as 1 / r^3 between the smallest leaf and a third of the picture: the same at every scale.
    double low = 1 / (LEAST * LEAST), high = 9.0 / ((double) size * size);
    double radius = 1 / sqrt(low + (high - low) * bg_random_uniform(random));

    leaf.a = radius;
    leaf.b = radius * (0.25 + 0.75 * bg_random_uniform(random));
    leaf.cosine = cos(angle);
    leaf.sine = sin(angle);
    leaf.square = bg_random_uniform(random) < 0.3;
    for (int s = 0; s < 2; s++) {
        leaf.shades[s] = (float) bg_random_uniform(random);
        for (int axis = 0; axis < 2; axis++)
            leaf.slopes[s][axis] = (float) (0.3 * (bg_random_uniform(random) - 0.5) / radius);
    }
    if (which < 0.5) // half of them are in both
        leaf.shades[which < 0.25 ? 0 : 1] = -1.0f;
    return leaf;
}

static void
lay(const Leaf *leaf, int size, float *const planes[2])
{
    int reach = (int) ceil(hypot(leaf->a, leaf->b));
    int x0 = MAX((int) leaf->x - reach, 0), x1 = MIN((int) leaf->x + reach + 1, size);
    int y0 = MAX((int) leaf->y - reach, 0), y1 = MIN((int) leaf->y + reach + 1, size);

    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            double dx = x - leaf->x, dy = y - leaf->y;
            double u = (dx * leaf->cosine + dy * leaf->sine) / leaf->a;
            double v = (dy * leaf->cosine - dx * leaf->sine) / leaf->b;
            gboolean inside = leaf->square ? fabs(u) <= 0.8 && fabs(v) <= 0.8 : u * u + v * v <= 1;
            for (int s = 0; inside && s < 2; s++) {
                if (leaf->shades[s] >= 0.0f)
                    planes[s][y * size + x] = leaf->shades[s] + leaf->slopes[s][0] * (float) dx +
                                              leaf->slopes[s][1] * (float) dy;
            }
        }
    }
}

// The mean of 2 r + 1 neighbours, along each axis once; what is outside is black.
static void
blur(float *plane, float *row, int size, int r)
{
    for (int axis = 0; axis < 2; axis++) {
        int step = axis == 0 ? 1 : size, line = axis == 0 ? size : 1;
        for (int k = 0; k < size; k++) {
            float *first = plane + k * line, sum = 0.0f;
            for (int i = 0; i < size; i++)
                row[i] = first[i * step];
            for (int i = 0; i < r && i < size; i++)
                sum += row[i];
            for (int i = 0; i < size; i++) {
                sum += i + r < size ? row[i + r] : 0.0f;
                sum -= i - r - 1 >= 0 ? row[i - r - 1] : 0.0f;
                first[i * step] = sum / (float) (2 * r + 1);
            }
        }
    }
}

void
bg_fusion_leaves(guint64 seed, int size, guint8 *const planes[2])
{
    BgRandom random = bg_random(seed, G_GUINT64_CONSTANT(0x6c6561766573));
    gsize n = (gsize) size * (gsize) size;
    g_autofree float *both = g_new(float, 2 * n);
    g_autofree float *row = g_new(float, (gsize) size);
    float *const grounds[2] = { both, both + n };
    double wide = (0.3 + 0.25 * bg_random_uniform(&random)) * size;
    double high = (0.3 + 0.25 * bg_random_uniform(&random)) * size;
    int softness = (int) bg_random_below(&random, MAX_BLUR + 1);

    for (gsize i = 0; i < 2 * n; i++)
        both[i] = 0.4f;
    for (int l = 0; l < N_LEAVES; l++) {
        Leaf leaf = draw_leaf(&random, size);
        lay(&leaf, size, grounds);
    }
    for (int s = 0; s < 2; s++) {
        double grain = GRAIN * bg_random_uniform(&random);
        for (gsize i = 0; i < n; i++) {
            double x = ((double) (i % (gsize) size) - size / 2.0) / wide;
            double y = ((double) (i / (gsize) size) - size / 2.0) / high;
            float value = grounds[s][i] + (float) (grain * bg_random_normal(&random));
            grounds[s][i] = x * x + y * y <= 1 ? CLAMP(value, 0.0f, 1.0f) : 0.0f;
        }
    }
    if (softness > 0) { // the second is the one that shows function
        blur(grounds[1], row, size, softness);
        blur(grounds[1], row, size, softness);
    }
    for (int s = 0; s < 2; s++)
        for (gsize i = 0; i < n; i++)
            planes[s][i] = (guint8) (CLAMP(grounds[s][i], 0.0f, 1.0f) * 255.0f + 0.5f);
}
