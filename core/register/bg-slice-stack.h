// SPDX-License-Identifier: Apache-2.0
// Parallel slices along a normal as one HDF5 data set.
#pragma once

#include "core/base/bg-progress.h"
#include "core/cast/bg-slice.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * BgSliceStack:
 * @volume, @labels: borrowed; one of them: what is sampled. Labels by nearest voxel
 * @frame: of the first slice; the n-th lies n * @step_mm further along its normal
 * @source, @source_sha256, @modality, @unit: (nullable): attributes
 * @provenance: (nullable): JSON
 */
typedef struct {
    BgVolume *volume;
    BgLabelMap *labels;
    BgSliceFrame frame;
    BgSliceSampling sampling;
    int count;
    double step_mm;
    const char *source, *source_sha256, *modality, *unit;
    const char *provenance;
} BgSliceStack;

/** bg_slice_stack_frame: of slice @n */
BgSliceFrame bg_slice_stack_frame(const BgSliceStack *stack, int n);

/**
 * bg_slice_stack_save:
 *
 * Writes "/slices", float32 [count, height, width], with attributes origin_mm, normal, u, v,
 * spacing_mm (LPS), source, source_sha256, modality and unit; "/" has provenance.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_EXISTS without @force, errors of writing,
 *   %G_IO_ERROR_CANCELLED
 */
gboolean bg_slice_stack_save(const BgSliceStack *stack, const char *path, gboolean force,
                             const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
