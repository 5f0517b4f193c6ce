// SPDX-License-Identifier: Apache-2.0
// Changes of a transfer function as a user makes them: each gives the next function.
#pragma once

#include "core/model/bg-transfer-function.h"

G_BEGIN_DECLS

typedef enum {
    BG_TF_NOTHING,
    BG_TF_OPACITY_POINT,
    BG_TF_COLOUR_STOP,
} BgTfPart;

/**
 * BgTfHandle:
 *
 * One point of a transfer function: part and index. A plain value.
 */
typedef struct {
    BgTfPart part;
    guint index;
} BgTfHandle;

static inline BgTfHandle
bg_tf_handle_none(void)
{
    return (BgTfHandle){ BG_TF_NOTHING, 0 };
}

/** bg_tf_handle_exists: whether @tf has that point */
gboolean bg_tf_handle_exists(const BgTransferFunction *tf, BgTfHandle handle);

/** bg_tf_handle_value: in the volume's unit; 0 for none */
double bg_tf_handle_value(const BgTransferFunction *tf, BgTfHandle handle);

/** bg_tf_handle_alpha: of an opacity point; 0 for the rest */
double bg_tf_handle_alpha(const BgTransferFunction *tf, BgTfHandle handle);

/**
 * bg_tf_add:
 * @part: an opacity point at @value, @alpha; or a colour stop at @value that takes the colour that
 *   is there now
 * @added: (out): its handle
 *
 * Returns: (transfer full)
 */
BgTransferFunction *bg_tf_add(const BgTransferFunction *tf, BgTfPart part, double value,
                              double alpha, BgTfHandle *added);

/**
 * bg_tf_move:
 * @value: stays between the neighbours
 * @alpha: 0..1, of opacity points
 *
 * Returns: (transfer full)
 */
BgTransferFunction *bg_tf_move(const BgTransferFunction *tf, BgTfHandle handle, double value,
                               double alpha);

/** bg_tf_set_colour: (transfer full): of a colour stop */
BgTransferFunction *bg_tf_set_colour(const BgTransferFunction *tf, BgTfHandle handle,
                                     const double rgb[3]);

/** bg_tf_remove: (transfer full) (nullable): %NULL when it is the last of its part, which stays */
BgTransferFunction *bg_tf_remove(const BgTransferFunction *tf, BgTfHandle handle);

/**
 * bg_tf_shift_stretch:
 *
 * All values moved by @shift and spread by the factor @stretch (above 0) about their middle: what a
 * drag on the 3D picture does.
 *
 * Returns: (transfer full)
 */
BgTransferFunction *bg_tf_shift_stretch(const BgTransferFunction *tf, double shift, double stretch);

/** bg_tf_scale_opacity: (transfer full): all opacities times @factor, at most 1 */
BgTransferFunction *bg_tf_scale_opacity(const BgTransferFunction *tf, double factor);

G_END_DECLS
