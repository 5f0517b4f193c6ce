// SPDX-License-Identifier: Apache-2.0
// Sizes and places of the varied ones are those of gliomas in the public collections of labelled
// scans; how bright their parts are in each contrast goes as far as descriptions of them go: cores from
// fluid to protein, which FLAIR shows dark to brightest of all; rims from faint to glaring; growths that
// take up no contrast; oedema from a seam to half of a hemisphere.
#include "bg-phantom-tumour-private.h"

#include "bg-phantom-private.h"

// clang-format off
//                                t1    t1ce    t2   flair    HU
static const float necrosis[]  = { 220,   235,   850,   500,    16 };
static const float enhancing[] = { 440,   960,   620,   650,    46 };
static const float oedema[]    = { 520,   530,   830,   880,    21 };
// clang-format on

/** Dice: numbers of a seed, one after the other */
typedef struct {
    guint64 seed, n;
} Dice;

static float
between(Dice *dice, float low, float high)
{
    double unit = 0.5 * (1.0 + bg_phantom_uniform(dice->seed, dice->n++));

    return low + (high - low) * (float) unit;
}

static gboolean
happens(Dice *dice, float share)
{
    return between(dice, 0.0f, 1.0f) < share;
}

static void
set_values(BgPhantomShape *part, const float *values)
{
    for (int c = 0; c < BG_PHANTOM_N_CHANNELS; c++)
        part->value[c] = values[c];
}

static void
make_usual(const BgPhantomCortex *cortex, guint64 seed, BgPhantomTumour *tumour)
{
    static const int phases[6] = { 1, 4, 7, 2, 5, 8 };
    Point centre = { -31.0f + 3.0f * (float) bg_phantom_uniform(seed, 100),
                     -16.0f + 5.0f * (float) bg_phantom_uniform(seed, 101),
                     42.0f + 3.0f * (float) bg_phantom_uniform(seed, 102) };

    *tumour = (BgPhantomTumour){
        .oedema = { centre, 29.0f, 5.0f, 0.0f, { 0 }, 0.0f },
        .rim = { centre, 17.0f, 2.6f, 0.0f, { 0 }, 0.0f },
        .core = { centre, 12.0f, 3.0f, 0.0f, { 0 }, 0.0f },
        .stretch = { 1.0f, 1.15f, 0.95f },
        .pitch = 1.0f,
        .wall_mm = 2.5f,
        .clear_mm = 7.0f,
        .least_t1 = 630.0f,
        .enhances = TRUE,
    };
    for (int i = 0; i < 6; i++)
        tumour->phases[i] = cortex->phases[phases[i]];
    set_values(&tumour->oedema, oedema);
    set_values(&tumour->rim, enhancing);
    set_values(&tumour->core, necrosis);
}

// White matter is 710, 720, 400, 410 in the four contrasts, grey 500, 510, 570, 530, fluid 160, 165, 960, 90.
static void
draw_values(Dice *dice, BgPhantomTumour *tumour)
{
    float *o = tumour->oedema.value, *r = tumour->rim.value, *n = tumour->core.value;

    o[0] = between(dice, 440.0f, 640.0f);
    o[1] = o[0] + between(dice, 0.0f, 25.0f);
    o[2] = between(dice, 640.0f, 950.0f);
    o[3] = between(dice, 640.0f, 1000.0f);
    r[0] = between(dice, 380.0f, 640.0f);
    r[1] = tumour->enhances ? between(dice, 800.0f, 1250.0f) : r[0] + between(dice, 0.0f, 30.0f);
    r[2] = between(dice, 450.0f, 900.0f);
    r[3] = between(dice, 430.0f, 980.0f);
    n[0] = between(dice, 170.0f, 480.0f);
    n[1] = n[0] + between(dice, 5.0f, 120.0f);
    n[2] = between(dice, 600.0f, 1000.0f);
    n[3] = between(dice, 120.0f, 1050.0f);
    for (int c = 4; c < BG_PHANTOM_N_CHANNELS; c++) {
        o[c] = oedema[c];
        r[c] = enhancing[c];
        n[c] = necrosis[c];
    }
}

static void
make_varied(Dice *dice, float largest_mm, BgPhantomTumour *tumour)
{
    float angle = between(dice, 0.0f, 2.0f * (float) G_PI), up = between(dice, -0.35f, 1.0f);
    float far = between(dice, 0.25f, 0.8f), across = sqrtf(1.0f - up * up);
    Point centre = { 62.0f * far * across * cosf(angle), 78.0f * far * across * sinf(angle),
                     26.0f + 55.0f * far * up };
    float rim_mm = between(dice, 6.0f, largest_mm), lean = 0.25f * rim_mm;
    gboolean solid = happens(dice, 0.2f);

    *tumour = (BgPhantomTumour){
        .stretch = { between(dice, 0.75f, 1.35f), between(dice, 0.75f, 1.35f),
                     between(dice, 0.75f, 1.35f) },
        .pitch = between(dice, 0.8f, 1.9f),
        .wall_mm = between(dice, 1.0f, 5.0f),
        .clear_mm = between(dice, 1.0f, 6.0f),
        .least_t1 = happens(dice, 0.5f) ? 430.0f : 630.0f,
        .enhances = happens(dice, 0.75f),
    };
    for (int i = 0; i < 6; i++)
        tumour->phases[i] = between(dice, 0.0f, 2.0f * (float) G_PI);
    tumour->rim = (BgPhantomShape){ .centre = centre,
                                    .radius_mm = rim_mm,
                                    .lumps_mm = rim_mm * between(dice, 0.08f, 0.3f),
                                    .soft_mm = between(dice, 0.0f, 2.5f),
                                    .patches = between(dice, 0.0f, 0.22f) };
    tumour->core = (BgPhantomShape){ .centre = { centre.x + between(dice, -lean, lean),
                                                 centre.y + between(dice, -lean, lean),
                                                 centre.z + between(dice, -lean, lean) },
                                     .radius_mm = rim_mm * between(dice, 0.45f, 1.0f),
                                     .lumps_mm = rim_mm * between(dice, 0.08f, 0.35f),
                                     .soft_mm = between(dice, 0.0f, 2.0f),
                                     .patches = between(dice, 0.0f, 0.3f) };
    if (solid || !tumour->enhances)
        tumour->core.radius_mm = -1.0f;
    tumour->oedema = (BgPhantomShape){ .centre = centre,
                                       .radius_mm = rim_mm + between(dice, 1.0f, 22.0f),
                                       .lumps_mm = between(dice, 2.0f, 8.0f),
                                       .soft_mm = between(dice, 0.0f, 6.0f),
                                       .patches = between(dice, 0.0f, 0.12f) };
    draw_values(dice, tumour);
}

int
bg_phantom_tumours_init(const BgPhantomCortex *cortex, guint64 seed, gboolean varied,
                        BgPhantomTumour tumours[BG_PHANTOM_MAX_TUMOURS])
{
    Dice dice = { seed, 200 };
    int n = 1;

    if (!varied) {
        make_usual(cortex, seed, &tumours[0]);
        return 1;
    }
    make_varied(&dice, 30.0f, &tumours[0]);
    while (n < BG_PHANTOM_MAX_TUMOURS && happens(&dice, 0.25f))
        make_varied(&dice, 14.0f, &tumours[n++]);
    return n;
}

float
bg_phantom_caps_mm(guint64 seed)
{
    Dice dice = { seed, 400 };

    return happens(&dice, 0.4f) ? between(&dice, 1.0f, 6.0f) : 0.0f;
}

// Lumpy: the distance of an ellipsoid changed by waves of a few centimetres.
float
bg_phantom_tumour_mm(const BgPhantomTumour *tumour, const BgPhantomShape *part, Point p)
{
    const float *f = tumour->phases, k = tumour->pitch;
    Point radii = { part->radius_mm * tumour->stretch.x, part->radius_mm * tumour->stretch.y,
                    part->radius_mm * tumour->stretch.z };

    if (part->radius_mm <= 0.0f)
        return G_MAXFLOAT;
    float lumps = sinf(k * 0.19f * p.x + f[0]) * sinf(k * 0.17f * p.y + f[1]) +
                  sinf(k * 0.15f * p.z + f[2]) * sinf(k * 0.21f * p.x + f[3]) +
                  0.6f * sinf(k * 0.33f * p.y + f[4]) * sinf(k * 0.29f * p.z + f[5]);

    return ellipsoid_mm(p, part->centre, radii) + part->lumps_mm * lumps;
}

float
bg_phantom_tumour_patch(const BgPhantomTumour *tumour, const BgPhantomShape *part, Point p)
{
    const float *f = tumour->phases;

    if (part->patches <= 0.0f)
        return 1.0f;
    return 1.0f + part->patches * (0.6f * sinf(0.41f * p.x + 0.27f * p.y + 0.13f * p.z + f[5]) +
                                   0.6f * sinf(0.49f * p.y - 0.31f * p.x + 0.22f * p.z + f[0]) +
                                   0.6f * sinf(0.53f * p.z - 0.19f * p.y + 0.24f * p.x + f[3]));
}
