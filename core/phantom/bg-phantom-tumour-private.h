// SPDX-License-Identifier: Apache-2.0
// The tumours of made-up heads.
#pragma once

#include "bg-phantom-cortex-private.h"

G_BEGIN_DECLS

#define BG_PHANTOM_N_CHANNELS 5 // t1, t1ce, t2, flair, and Hounsfield units
#define BG_PHANTOM_MAX_TUMOURS 3

/** BgPhantomShape: of one part: its size, how lumpy it is, what is drawn there, and how patchy that is */
typedef struct {
    Point centre;
    float radius_mm, lumps_mm;
    float soft_mm; // width of its edge, where that is more than a voxel
    float value[BG_PHANTOM_N_CHANNELS];
    float patches; // share of the values
} BgPhantomShape;

/**
 * BgPhantomTumour:
 * @core: within @rim, at least @wall_mm from its edge; none where its radius is negative
 * @stretch: of all parts along the patient's axes
 * @phases, @pitch: of the lumps
 * @clear_mm: distance of everything to the skull
 * @least_t1: what oedema goes into: darker than that it spares
 * @enhances: else the rim is a solid core without contrast
 */
typedef struct {
    BgPhantomShape oedema, rim, core;
    Point stretch;
    float phases[6], pitch, wall_mm, clear_mm, least_t1;
    gboolean enhances;
} BgPhantomTumour;

/**
 * bg_phantom_tumours_init:
 * @varied: %FALSE: the one that every head has, but for a few millimetres. %TRUE: where, how large, how
 *   bright, of what parts, and how many, as @seed has it
 * @tumours: (out caller-allocates)
 *
 * Returns: how many
 */
int bg_phantom_tumours_init(const BgPhantomCortex *cortex, guint64 seed, gboolean varied,
                            BgPhantomTumour tumours[BG_PHANTOM_MAX_TUMOURS]);

/** bg_phantom_caps_mm: width of the seam around the ventricles that is no tumour, but bright in FLAIR, as in older people; 0: none */
float bg_phantom_caps_mm(guint64 seed);

/** bg_phantom_tumour_mm: distance of a part's surface, negative inside */
float bg_phantom_tumour_mm(const BgPhantomTumour *tumour, const BgPhantomShape *part, Point p);

/** bg_phantom_tumour_patch: what a part's values are multiplied by */
float bg_phantom_tumour_patch(const BgPhantomTumour *tumour, const BgPhantomShape *part, Point p);

G_END_DECLS
