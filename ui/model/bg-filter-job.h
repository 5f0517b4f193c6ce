// SPDX-License-Identifier: Apache-2.0
// Preparing a volume: bias, noise, range of values, brain; as jobs of a session.
#pragma once

#include "core/filter/bg-n4.h"
#include "core/filter/bg-nlm.h"
#include "core/filter/bg-normalize.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

typedef enum {
    BG_FILTER_N4,
    BG_FILTER_NLM,
    BG_FILTER_NORMALIZE,
    BG_FILTER_BRAIN,
} BgFilterKind;

/**
 * BgFilterChoice:
 * @mask: (nullable): a layer of labels on the volume's grid: what N4 and the normalisation look at
 * @n4, @nlm, @normalize: their masks are not looked at
 * @field: N4: what the values were divided by becomes a layer, too
 * @brain_mm: as bg_brain_mask()
 */
typedef struct {
    BgFilterKind kind;
    const BgLayer *mask;
    BgN4Params n4;
    BgNlmParams nlm;
    BgNormalizeParams normalize;
    gboolean field;
    double brain_mm;
} BgFilterChoice;

/** bg_filter_job: adds what comes of @volume's layer as a new one, as one step of undo, and selects it */
void bg_filter_job(BgSession *session, const BgLayer *volume, const BgFilterChoice *choice);

G_END_DECLS
