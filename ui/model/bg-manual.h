// SPDX-License-Identifier: Apache-2.0
// A volume registered by hand: moved and turned where it is shown.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgManual:
 * @shift_mm: of the moving volume's middle: to the left, posterior and superior, from where its file has it
 * @turn_deg: about these axes, through its middle: first about the last
 *
 * Where a registration puts the moving volume, as six numbers. What it also stretches is kept.
 */
typedef struct {
    double shift_mm[3];
    double turn_deg[3];
} BgManual;

/** bg_manual_get: of the volume that is worked on; zeros without a registration; FALSE without a volume */
gboolean bg_manual_get(BgSession *session, BgManual *manual);

/**
 * bg_manual_set:
 * @fixed_id: (nullable): to what, where nothing has been registered yet; else any other volume
 *
 * Returns: %FALSE: there is no other volume; it is said why
 */
gboolean bg_manual_set(BgSession *session, const char *fixed_id, const BgManual *manual);

/** bg_manual_shift: by so much where it is shown, in mm */
gboolean bg_manual_shift(BgSession *session, BgVec3 by_mm);

/** bg_manual_turn: about @axis through @centre_mm, both where it is shown */
gboolean bg_manual_turn(BgSession *session, BgVec3 centre_mm, BgVec3 axis, double angle_deg);

G_END_DECLS
