// SPDX-License-Identifier: Apache-2.0
// Pictures of a whole scan, as jobs of a session.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

typedef enum {
    BG_SCAN_MONTAGE, // slices side by side: .png
    BG_SCAN_FILM,    // one after the other: .gif
    BG_SCAN_SHEET,   // six panels: the visible volumes, truth and prediction: .png
    BG_N_SCANS,
} BgScanKind;

/**
 * bg_montage_job_save:
 * @plane: of the slices; a sheet is axial
 *
 * Writes @path, of the volume that slices show and the outlines of the label maps that are visible: the uppermost
 * one is the prediction, the one below it the truth. Replaces a file that is there. What is wrong is told by
 * ::failed.
 */
void bg_montage_job_save(BgSession *session, BgScanKind kind, BgPlane plane, const char *path);

G_END_DECLS
