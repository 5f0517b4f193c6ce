// SPDX-License-Identifier: Apache-2.0
// The brain's surface as formulas: painted into volumes, and seen by cameras.
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

/** Point: LPS mm, in the precision of samples */
typedef struct {
    float x, y, z;
} Point;

/** BgPhantomCortex: @phases: of folding, vessels and lumps: all that differs from head to head */
typedef struct {
    float phases[12];
} BgPhantomCortex;

/**
 * BgPhantomCortexAt:
 * @hull: distance of the smooth hull (mm, negative inside)
 * @pial, @white: of the folded outer surface, and of white matter
 * @vessel: of the vessels that lie on the hull; large away from it
 */
typedef struct {
    float hull, pial, white, vessel;
} BgPhantomCortexAt;

/** bg_phantom_cortex_init: the same for the same @seed */
void bg_phantom_cortex_init(BgPhantomCortex *cortex, guint64 seed);

/** bg_phantom_cortex_at: @reach_mm: Returns: %FALSE, and only hull, farther than that outside */
gboolean bg_phantom_cortex_at(const BgPhantomCortex *cortex, Point p, float reach_mm,
                              BgPhantomCortexAt *at);

static inline float
ellipsoid_mm(Point p, Point centre, Point radii)
{
    float x = (p.x - centre.x) / radii.x, y = (p.y - centre.y) / radii.y;
    float z = (p.z - centre.z) / radii.z;
    float k0 = sqrtf(x * x + y * y + z * z);
    float gx = x / radii.x, gy = y / radii.y, gz = z / radii.z;
    float k1 = sqrtf(gx * gx + gy * gy + gz * gz);

    // First-order distance: exact at the surface, which is where it counts.
    return k1 > 1e-6f ? k0 * (k0 - 1.0f) / k1 : -radii.x;
}

// The union of two shapes, rounded over @r mm where they meet (Quilez's polynomial minimum).
static inline float
join(float a, float b, float r)
{
    float h = MAX(r - fabsf(a - b), 0.0f) / r;

    return MIN(a, b) - h * h * r * 0.25f;
}

// Above the skull's base, which lies higher over the orbits than under the temporal lobes.
static inline float
base_mm(Point p)
{
    float front = CLAMP((-22.0f - p.y) * (1.0f / 20.0f), 0.0f, 1.0f);
    float base = -24.0f + 32.0f * front * front * (3.0f - 2.0f * front);

    return 0.6f * (base - p.z);
}

G_END_DECLS
