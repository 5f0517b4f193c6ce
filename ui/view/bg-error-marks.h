// SPDX-License-Identifier: Apache-2.0
// The expected error of registrations and cameras, drawn: an ellipse at the cursor, a veil where it is
// beyond the stated bound.
#pragma once

#include "core/model/bg-slice-frame.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_error_marks_of_slice: of the registration by points; @scale: as of the annotations */
void bg_error_marks_of_slice(BgSession *session, const BgSliceFrame *frame, double scale,
                             GArray *marks);

/** BgErrorPlace: Returns: whether something is shown at pane pixel (x, y); @at_mm: (out): where it lies */
typedef gboolean (*BgErrorPlace)(gpointer user_data, double x, double y, BgVec3 *at_mm);

/**
 * BgErrorPhoto:
 * @left, @top, @scale: pixel (u, v) of the photograph is at (left + (u + 0.5) scale, ...) of the pane
 * @width, @height: of the pane
 * @place: what the picture of the volume shows
 */
typedef struct {
    double left, top, scale;
    double width, height;
    BgErrorPlace place;
    gpointer user_data;
} BgErrorPhoto;

/** bg_error_marks_of_photo: of the camera by points; @veiled: the volume is seen in this pane */
void bg_error_marks_of_photo(BgSession *session, const BgErrorPhoto *photo, gboolean veiled,
                             double scale, GArray *marks);

G_END_DECLS
