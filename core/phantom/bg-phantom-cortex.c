// SPDX-License-Identifier: Apache-2.0
#include "bg-phantom-cortex-private.h"

#include "bg-phantom-private.h"

#define VEIN_MM 1.3f // radii
#define ARTERY_MM 0.8f
#define VEIN_WAVE 0.105f  // per mm: veins 30 mm apart,
#define ARTERY_WAVE 0.19f // arteries 17
#define AWAY_MM 100.0f

void
bg_phantom_cortex_init(BgPhantomCortex *cortex, guint64 seed)
{
    for (guint i = 0; i < G_N_ELEMENTS(cortex->phases); i++)
        cortex->phases[i] = (float) (G_PI * bg_phantom_uniform(seed, i));
}

// Waves over the brain's surface whose zeros are the sulci. @q: on a sphere of 70 mm.
static float
folding(const BgPhantomCortex *cortex, Point q)
{
    const float *f = cortex->phases;
    float wx = q.x + 7.0f * sinf(0.060f * q.y + f[0]) + 5.0f * sinf(0.11f * q.z + f[1]);
    float wy = q.y + 8.0f * sinf(0.055f * q.z + f[2]) + 5.0f * sinf(0.10f * q.x + f[3]);
    float wz = q.z + 7.0f * sinf(0.065f * q.x + f[4]) + 5.0f * sinf(0.12f * q.y + f[5]);

    return sinf(0.30f * wx + 0.06f * wy + f[6]) + sinf(0.28f * wy - 0.08f * wz + f[7]) +
           sinf(0.29f * wz + 0.07f * wx + f[8]);
}

// Lines where bent waves are zero: veins one way, arteries across them.
static float
vessels_mm(const BgPhantomCortex *cortex, Point q)
{
    const float *f = cortex->phases;
    float a = q.y + 9.0f * sinf(0.05f * q.z + f[3]) + 3.0f * sinf(0.17f * q.x + f[5]);
    float b =
        0.8f * q.z + 0.6f * q.x + 7.0f * sinf(0.07f * q.y + f[1]) + 2.5f * sinf(0.21f * q.z + f[2]);
    float vein = fabsf(sinf(VEIN_WAVE * a + f[9])) / VEIN_WAVE - VEIN_MM;
    float artery = fabsf(sinf(ARTERY_WAVE * b + f[10])) / ARTERY_WAVE - ARTERY_MM;

    return MIN(vein, artery);
}

// The brain's outer surface and the one of white matter, both drawn in along the sulci, white matter
// over a wider one: what lies between is the ribbon of grey matter.
gboolean
bg_phantom_cortex_at(const BgPhantomCortex *cortex, Point p, float reach_mm, BgPhantomCortexAt *at)
{
    Point centre = { 0, 0, 26 };
    // The hemispheres are turned a little against each other: the midline bends.
    float x = p.x - 2.5f * sinf(p.y * (1.0f / 55.0f));
    float smooth = ellipsoid_mm((Point){ x, p.y, p.z }, centre, (Point){ 65, 83, 59 });
    float cistern = -ellipsoid_mm(p, (Point){ 0, 20, -34 }, (Point){ 24, 25, 34 });
    float fossa = -ellipsoid_mm(p, (Point){ 0, 44, -32 }, (Point){ 60, 40, 29 });
    float hull = MAX(MAX(smooth, base_mm(p) + 2.0f), MAX(cistern, fossa));

    at->hull = hull;
    if (hull > reach_mm)
        return FALSE;

    Point d = { x, p.y - centre.y, (p.z - centre.z) * 1.15f };
    float scale = 70.0f / MAX(sqrtf(d.x * d.x + d.y * d.y + d.z * d.z), 1.0f);
    Point q = { d.x * scale + (x > 0 ? 31.0f : 0.0f), d.y * scale, d.z * scale };
    at->pial = hull;
    at->white = hull + 2.8f;
    if (hull > -24.0f) { // deeper there are no sulci
        float wave = folding(cortex, q);
        float depth = 14.0f + 4.0f * sinf(0.05f * q.x + 0.06f * q.y + cortex->phases[9]);
        float sulcus = expf(-wave * wave * (1.0f / 0.06f));
        float wall = expf(-wave * wave * (1.0f / 0.62f));
        at->pial += depth * sulcus;
        at->white += (depth + 0.5f) * wall;
    }
    // The cleft between the hemispheres, down to the corpus callosum.
    gboolean cleft = p.z > 38.0f || p.y < -42.0f || p.y > 52.0f;
    if (cleft) {
        at->pial = MAX(at->pial, 1.1f - fabsf(x));
        at->white = MAX(at->white, 4.0f - fabsf(x));
    }
    // Vessels lie on the convexity, half sunk in, and bridge the sulci.
    at->vessel = AWAY_MM;
    if (fabsf(hull + 0.4f) < 4.0f && smooth > -6.0f && p.z > 0.0f) {
        float side = vessels_mm(cortex, q);
        float up = fabsf(hull + 0.4f) - 1.1f;
        at->vessel = cleft ? MAX(MAX(side, up), 2.0f - fabsf(x)) : MAX(side, up);
    }
    return TRUE;
}
