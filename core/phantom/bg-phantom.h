// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-json.h"
#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_PHANTOM_MIN_SIZE 16
#define BG_PHANTOM_MAX_SIZE 1024

/**
 * BgPhantomKind:
 * @BG_PHANTOM_HEAD: four MRI contrasts of a made-up head, 240 mm across: t1, t1ce, t2, flair, and
 *   labels in the numbers of BraTS: 1 necrotic core, 2 oedema, 4 enhancing rim, and brain: 1 inside of
 *   the brain's surface. Vessels run over the cortex. The tumour lies in
 *   the patient's right hemisphere; a marker capsule, bright on MRI and CT, sits on the skin over
 *   the patient's LEFT temple, so that a picture that is the wrong way round gives itself away
 * @BG_PHANTOM_CT_HEAD: the same anatomy in Hounsfield units: ct, and labels
 * @BG_PHANTOM_SPHERES: three spheres, 1000 inside, 0 outside, whose surfaces lie exactly at 500
 * @BG_PHANTOM_SLAB: an oblique slab of water (0 HU) in air (-1000 HU), its faces exactly at -500
 */
typedef enum {
    BG_PHANTOM_HEAD,
    BG_PHANTOM_CT_HEAD,
    BG_PHANTOM_SPHERES,
    BG_PHANTOM_SLAB,
} BgPhantomKind;

/**
 * BgPhantomParams:
 * @size: voxels along each side, BG_PHANTOM_MIN_SIZE..BG_PHANTOM_MAX_SIZE
 * @seed: of noise, bias field, folding, and of small shifts of the shapes
 * @tumour: for the heads: without it their labels are empty
 * @varied: tumours differ as patients' do, up to three in a head, and some ventricles have bright
 *   seams; else every head has the same tumour, but for a few millimetres
 */
typedef struct {
    BgPhantomKind kind;
    int size;
    guint64 seed;
    gboolean tumour, varied;
} BgPhantomParams;

/**
 * BgPhantomPart:
 * @name: "t1", "labels", "spheres", ...: the stem of its file
 * @modality: "MR", "CT", "SEG", or "" for shapes
 * @volume: (nullable): set, or else @labels
 */
typedef struct {
    const char *name;     // static
    const char *modality; // static
    BgVolume *volume;     // owned
    BgLabelMap *labels;   // owned
} BgPhantomPart;

/**
 * BgPhantom:
 * @parts: @n_parts of them, on one grid: LPS, centred on 0, isotropic
 * @truth: (owned): what is known exactly. Heads: `kind size seed spacing_mm tumour{side count centre_mm
 *   volumes_ml{1,2,4} } landmarks{NAME: [3]}`; spheres: `iso_value spheres[{centre_mm radius_mm
 *   volume_ml area_cm2}]`; slab: `iso_value thickness_mm normal centre_mm`. LPS mm
 */
typedef struct {
    BgPhantomPart *parts;
    guint n_parts;
    BgJson *truth;
} BgPhantom;

/**
 * bg_phantom_new:
 *
 * The same samples for the same @params, whatever the number of threads.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID for a size out of range,
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgPhantom *bg_phantom_new(const BgPhantomParams *params, const BgProgress *progress,
                          GCancellable *cancellable, GError **error);
void bg_phantom_free(BgPhantom *phantom);

/** bg_phantom_find: (transfer none) (nullable): the part of that name */
const BgPhantomPart *bg_phantom_find(const BgPhantom *phantom, const char *name);

/** bg_phantom_kind_from_name: "head", "ct-head", "spheres", "slab"; Returns: %FALSE for others */
gboolean bg_phantom_kind_from_name(const char *name, BgPhantomKind *kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPhantom, bg_phantom_free)

G_END_DECLS
