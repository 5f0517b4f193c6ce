// SPDX-License-Identifier: Apache-2.0
// Frames of one series that form one grid: sorted along the normal, frames (time points, echoes)
// apart, with what is missing, doubled, uneven or tilted.
#pragma once

#include "bg-dicom-image.h"

G_BEGIN_DECLS

/** BgDcmPlace: a frame of an image, both by index; image -1 where a slice is missing */
typedef struct {
    int image;
    int frame;
} BgDcmPlace;

/**
 * BgDcmStack:
 * @images: of BgDcmImage, borrowed, sorted by path
 * @places: n_frames * n_positions: of frame f and position s at f * n_positions + s
 * @position_mm: along the normal, relative to the first, ascending, n_positions
 * @offset: n_positions: where the first pixel of a slice lies, in pixels along columns and rows,
 *   against the line through the first slice along the normal
 * @geometry: of the loaded volume
 * @resample_along: slices are interpolated along the normal
 * @resample_within: slices are moved within their plane (tilt)
 * @row_shift: the row of the volume's first row in the first slice (<= 0)
 * @column_shift: alike
 */
typedef struct {
    char *key;
    GPtrArray *images; // borrowed elements
    int n_positions;
    int n_frames;
    GArray *places;      // BgDcmPlace
    GArray *position_mm; // double
    GArray *offset;      // double[2]
    BgGeometry geometry;
    gboolean has_place;
    gboolean side_known;
    gboolean resample_along;
    gboolean resample_within;
    int row_shift, column_shift;
    const char *frame_kind; // static, nullable
    char *b_values;         // nullable: s/mm^2, one a frame, with blanks between
    char *instances;        // nullable: SOP instance UIDs, one a slice of the geometry, of frame 0
    double frame_spacing_s;
    guint badges;
    GPtrArray *warnings;
} BgDcmStack;

/**
 * bg_dcm_stacks_new:
 * @images: (element-type BgDcmImage): of one series, any order
 *
 * Returns: (transfer full) (element-type BgDcmStack): of those with a grid; what is unreadable makes
 *   a stack without places
 */
GPtrArray *bg_dcm_stacks_new(GPtrArray *images);
void bg_dcm_stack_free(BgDcmStack *stack);

/** bg_dcm_stack_place: of frame and position */
const BgDcmPlace *bg_dcm_stack_place(const BgDcmStack *stack, int frame, int position);

/** bg_dcm_stack_image: Returns: (nullable): the image of a place, and its @frame: (out) */
const BgDcmImage *bg_dcm_stack_image(const BgDcmStack *stack, const BgDcmPlace *place,
                                     const BgDcmFrame **frame);

/** bg_dcm_stack_warn: adds a sentence, once */
void bg_dcm_stack_warn(BgDcmStack *stack, guint badge, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** bg_dcm_stack_is_picture: colour that is no stack of slices: shown as a picture */
gboolean bg_dcm_stack_is_picture(const BgDcmStack *stack);

// bg-dicom-geometry.c: fills geometry, offsets, and the warnings about them
void bg_dcm_stack_lay_out(BgDcmStack *stack);

G_END_DECLS
