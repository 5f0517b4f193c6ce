// SPDX-License-Identifier: Apache-2.0
// Segmenting a tumour, as a job of a session.
#pragma once

#include "core/segment/bg-tumour-segment.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgSegmentChoice:
 * @contrasts: (nullable each): layers of the case with a volume
 * @brain: (nullable): a layer of labels
 * @model_path: of the weights
 * @params: its @brain, @spacing_mm and @seed are not looked at
 * @confidence, @probabilities: add them as layers, hidden
 */
typedef struct {
    const BgLayer *contrasts[BG_N_CONTRASTS];
    const BgLayer *brain;
    const char *model_path;
    BgTumourParams params;
    BgTumourOptions options;
    gboolean confidence, probabilities;
} BgSegmentChoice;

/**
 * bg_segment_check:
 *
 * Returns: %FALSE with the reason, for people, why these contrasts cannot be segmented together:
 *   none chosen, one chosen twice, not read yet, of two patients
 */
gboolean bg_segment_check(const BgSegmentChoice *choice, GError **error);

/** BgSegmentDone: @words: what came of it; %NULL after a failure, which ::failed has told, and a cancel */
typedef void (*BgSegmentDone)(gpointer owner, const char *words);

/**
 * bg_segment_job:
 * @owner: held weakly: @done is not called after it is gone
 *
 * Adds the labels as a new layer, with the others asked for, as one step of undo, and selects it. What the
 * network does not know is among the layer's warnings.
 */
void bg_segment_job(BgSession *session, const BgSegmentChoice *choice, GObject *owner,
                    BgSegmentDone done);

G_END_DECLS
