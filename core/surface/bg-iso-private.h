// SPDX-License-Identifier: Apache-2.0
// For the files of this folder: the parts that isosurfaces and label surfaces share.
#pragma once

#include "bg-isosurface.h"
#include "core/base/bg-progress.h"
#include "core/base/bg-sample.h"
#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgIsoTest:
 * @flip: all ones to turn the outcome round, else 0
 * @bound: integers: inside is (sample > bound) != flip; labels: inside is sample == bound
 * @at_most: floats: inside is sample <= @level, else sample >= @level
 * @level: floats; NaN for never
 *
 * value >= iso, brought to what is compared with the stored samples.
 */
typedef struct {
    guint64 flip;
    gint64 bound;
    gboolean at_most;
    float level;
} BgIsoTest;

/**
 * BgIsoClassify: bit i of the result for samples[i], n of them, 1..64, the others 0
 */
typedef guint64 (*BgIsoClassify)(gconstpointer samples, int n, const BgIsoTest *test);

/**
 * BgIsoGather: for each set bit of @crossed[0..n_words-1] at place p, *a++ = from[p] and *b++ = to[p]
 */
typedef void (*BgIsoGather)(gconstpointer from, gconstpointer to, const guint64 *crossed,
                            int n_words, float *a, float *b);

/**
 * BgIsoField:
 * @samples: the first voxel of the part that is looked at; borrowed
 * @dims: of that part; @low: its first voxel in the grid of @patient_from_voxel
 * @row, @slice: the distances of rows and slices, in samples
 * @gather: %NULL for labels: crossings in the middle
 * @level: where the crossings are, in samples
 * @margin: how far crossings are kept off the ends of an edge
 */
typedef struct {
    const guint8 *samples;
    gsize sample_size;
    gsize row, slice;
    int dims[3];
    int low[3];
    BgAffine patient_from_voxel;
    gboolean open_border;
    BgIsoClassify classify;
    BgIsoTest test;
    BgIsoGather gather;
    double level;
    double margin;
} BgIsoField;

/** bg_iso_classifier: for value >= iso; AVX2 where the processor has it and @plain is %FALSE */
BgIsoClassify bg_iso_classifier(BgSampleType type, gboolean plain);

/** bg_iso_label_classifier: for label == bound */
BgIsoClassify bg_iso_label_classifier(BgLabelType type, gboolean plain);

BgIsoGather bg_iso_gather(BgSampleType type);

/** bg_iso_test_init: slope * sample + intercept >= iso, exactly as written, in double */
void bg_iso_test_init(BgIsoTest *test, BgSampleType type, double slope, double intercept,
                      double iso);

/** bg_iso_margin: 1e-3, or more where a float cannot tell that far from the origin; at most 0.25 */
double bg_iso_margin(const BgAffine *patient_from_voxel, const int low[3], const int dims[3]);

/** bg_iso_check: Returns: %FALSE with %BG_ERROR_INVALID, as bg_isosurface() */
gboolean bg_iso_check(const BgGeometry *geometry, const BgIsoParams *params, GError **error);

/** bg_iso_field_init: of a volume; borrows its samples */
void bg_iso_field_init(BgIsoField *field, BgVolume *volume, const BgIsoParams *params);

/**
 * bg_iso_extract:
 * @data: (out): positions and triangles; untouched on failure
 *
 * Returns: %FALSE with errors as bg_isosurface()
 */
gboolean bg_iso_extract(const BgIsoField *field, BgMeshData *data, const BgProgress *progress,
                        GCancellable *cancellable, GError **error);

G_END_DECLS
