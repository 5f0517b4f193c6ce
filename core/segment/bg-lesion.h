// SPDX-License-Identifier: Apache-2.0
// Pictures of skin: where a lesion is, and how likely it is malignant, by the two networks for them.
#pragma once

#include "core/base/bg-progress.h"
#include "core/compute/bg-backend.h"
#include "core/image/bg-channel.h"

G_BEGIN_DECLS

/**
 * BgLesionParams:
 * @mean, @deviation: of the greys (0..255) of the pictures that the weights were trained with; a
 *   deviation of 0: the picture's own
 * @threshold: from which likelihood on a pixel is of the lesion, 0..1
 * @engine: what runs the network
 */
typedef struct {
    double mean, deviation, threshold;
    BgEngine engine;
} BgLesionParams;

/** BgLesionRun: @sha256: owned: of the weights; @backend: which one really ran the network */
typedef struct {
    char *sha256;
    const char *backend;
} BgLesionRun;

void bg_lesion_run_clear(BgLesionRun *run);

/**
 * BgLesionOutline:
 * @likelihood: owned: of each pixel of the picture
 * @mask: owned: uint8: 255 in the lesion
 * @share: of the picture's pixels
 * @box: u0, v0, u1, v1 of the mask's pixels, inclusive; nothing where @share is 0
 * @mean, @deviation: what it was scored by
 */
typedef struct {
    BgChannel *likelihood;
    BgImage *mask;
    double share, mean, deviation;
    int box[4];
    BgLesionRun run;
} BgLesionOutline;

void bg_lesion_outline_clear(BgLesionOutline *outline);

/**
 * bg_lesion_find_outline:
 * @weights: of the network "lesion-unet"
 *
 * The picture's luma by means over areas to 240 x 192, scored, through the network, and back
 * bilinearly to the picture's size.
 *
 * Returns: %FALSE with the errors of bg_network_load() and bg_nn_cpu_run()
 */
gboolean bg_lesion_find_outline(BgImage *picture, const char *weights, const BgLesionParams *params,
                                BgLesionOutline *outline, const BgProgress *progress,
                                GCancellable *cancellable, GError **error);

/**
 * bg_lesion_classify:
 * @weights: of the network "lesion-classifier"
 * @engine: what runs the network
 * @malignant: (out): how likely, 0..1
 * @run: (out): to be cleared, whatever is returned
 *
 * The picture's colours, 0..1, by means over areas to 224 x 224 whatever its shape, as in training.
 * Errors as bg_lesion_find_outline(); %BG_ERROR_UNSUPPORTED: a grey picture.
 */
gboolean bg_lesion_classify(BgImage *picture, const char *weights, const BgEngine *engine,
                            double *malignant, BgLesionRun *run, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgLesionRun, bg_lesion_run_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgLesionOutline, bg_lesion_outline_clear)

G_END_DECLS
