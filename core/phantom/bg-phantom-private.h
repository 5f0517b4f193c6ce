// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/phantom/bg-phantom.h"

G_BEGIN_DECLS

// Random numbers without a state: of a key, so that voxels need no order. Steele, Lea, Flood 2014
// (the finaliser of SplitMix64).
static inline guint64
bg_phantom_hash(guint64 key)
{
    key += 0x9e3779b97f4a7c15u;
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9u;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebu;
    return key ^ (key >> 31);
}

/** bg_phantom_uniform: Returns: in [-1, 1), of the @n-th number of @seed */
static inline double
bg_phantom_uniform(guint64 seed, guint64 n)
{
    return (double) (bg_phantom_hash(bg_phantom_hash(seed) + n) >> 11) * 0x1p-52 - 1.0;
}

/**
 * bg_phantom_normal: Returns: about normal, mean 0, deviation 1, within 3.5: the sum of four
 * uniform 16-bit numbers
 */
static inline float
bg_phantom_normal(guint64 key)
{
    guint64 bits = bg_phantom_hash(key);
    gint32 sum = (gint32) (bits & 0xffffu) + (gint32) ((bits >> 16) & 0xffffu) +
                 (gint32) ((bits >> 32) & 0xffffu) + (gint32) (bits >> 48);

    return (float) (sum - 131070) * (1.0f / 37837.2f); // sqrt(4 / 12) * 65536
}

/** bg_phantom_add: @phantom has room; takes whichever of @volume and @labels is given */
void bg_phantom_add(BgPhantom *phantom, const char *name, const char *modality, BgVolume *volume,
                    BgLabelMap *labels);

/** bg_phantom_vec3: (transfer full): a JSON array of three */
BgJson *bg_phantom_vec3(BgVec3 vector);

/** bg_phantom_fill_head: adds the parts and the truth of a head */
gboolean bg_phantom_fill_head(BgPhantom *phantom, const BgPhantomParams *params,
                              const BgGeometry *geometry, const BgProgress *progress,
                              GCancellable *cancellable, GError **error);

G_END_DECLS
