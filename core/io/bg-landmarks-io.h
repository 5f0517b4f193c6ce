// SPDX-License-Identifier: Apache-2.0
// Lists of points in files: Slicer's .fcsv and .mrk.json, and CSV, as docs/formats.md has them.
#pragma once

#include "core/model/bg-landmarks.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgLandmarksSpaceOfFile:
 * @BG_LANDMARKS_LPS: a CSV's x, y, z are LPS mm: the default
 * @BG_LANDMARKS_RAS: they are RAS mm
 *
 * Slicer's files say their own space, and that alone counts for them.
 */
typedef enum {
    BG_LANDMARKS_LPS,
    BG_LANDMARKS_RAS,
} BgLandmarksSpaceOfFile;

/**
 * bg_landmarks_load:
 * @warnings: (nullable): of char *, with g_free(): sentences for people are added: names that were
 *   cut or made unique, a space that was taken for granted
 *
 * Any of the formats, told by its content. A file with the columns u and v gives points in a
 * picture, any other one patient points in LPS mm. Points that Slicer has not selected, and those
 * whose state is "skip", are %BG_LANDMARK_SKIP; those with the state (Slicer: description)
 * "check" are %BG_LANDMARK_CHECK. A place that is empty or undefined is not placed.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR as the system says; %BG_ERROR_CORRUPT: no
 *   number where one must be, with the line; %BG_ERROR_UNSUPPORTED: none of the formats, voxel
 *   coordinates (IJK), another unit than mm; %BG_ERROR_INVALID: more than BG_LANDMARKS_MAX
 */
BgLandmarks *bg_landmarks_load(const char *path, BgLandmarksSpaceOfFile space, GPtrArray *warnings,
                               GError **error);

/** bg_landmarks_parse: as bg_landmarks_load(), of a text of @length bytes (-1: NUL-terminated) */
BgLandmarks *bg_landmarks_parse(const char *text, gssize length, BgLandmarksSpaceOfFile space,
                                GPtrArray *warnings, GError **error);

/**
 * BgLandmarksSaveParams:
 * @force: replace a file that is there
 * @space: of a CSV; Slicer's files are written in LPS, and say so
 * @provenance: (nullable): JSON text: kept in a comment (.fcsv), the member "bregma_provenance"
 *   (.mrk.json), or FILE.json beside a CSV
 */
typedef struct {
    gboolean force;
    BgLandmarksSpaceOfFile space;
    const char *provenance;
} BgLandmarksSaveParams;

/**
 * bg_landmarks_save:
 * @path: the format goes by its suffix: .fcsv, .mrk.json, .csv
 * @params: (nullable)
 *
 * Returns: %FALSE with %G_IO_ERROR; %BG_ERROR_UNSUPPORTED: another suffix, or points in a picture
 *   for one of Slicer's files
 */
gboolean bg_landmarks_save(BgLandmarks *landmarks, const char *path,
                           const BgLandmarksSaveParams *params, GError **error);

G_END_DECLS
