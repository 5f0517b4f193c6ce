// SPDX-License-Identifier: Apache-2.0
// Transforms in files: our JSON, and ITK's text files, which 3D Slicer reads and writes too.
#pragma once

#include "core/model/bg-transform.h"

G_BEGIN_DECLS

/**
 * BgTransformSaveParams:
 * @force: replace a file that is there
 * @made: (nullable): how it was made, between what, and its errors: a member of the JSON
 * @provenance: (nullable): JSON text: a member of the JSON; a comment line of ITK's
 */
typedef struct {
    gboolean force;
    const BgJson *made;
    const char *provenance;
} BgTransformSaveParams;

/**
 * bg_transform_save:
 * @path: .json; .tfm and .txt for ITK. Such a file maps points of the fixed frame to the moving one
 *   (moving_from_fixed, LPS mm), as ITK resamples; Slicer turns it round on reading
 * @params: (nullable)
 *
 * Returns: %FALSE with %G_IO_ERROR; %BG_ERROR_UNSUPPORTED: another suffix, or for ITK a spline or
 *   a transform of pictures
 */
gboolean bg_transform_save(const BgTransform *transform, const char *path,
                           const BgTransformSaveParams *params, GError **error);

/**
 * bg_transform_load:
 *
 * Either of the two, told by its content. Of ITK's one transform of the classes Translation,
 * Euler3D, VersorRigid3D, Similarity3D, Affine and MatrixOffsetTransformBase.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR; %BG_ERROR_CORRUPT: not one of them, or
 *   contradicts itself; %BG_ERROR_UNSUPPORTED: several transforms, or another class
 */
BgTransform *bg_transform_load(const char *path, GError **error);

/** bg_transform_parse: as bg_transform_load(), of a text of @length bytes (-1: NUL-terminated) */
BgTransform *bg_transform_parse(const char *text, gssize length, GError **error);

G_END_DECLS
