// SPDX-License-Identifier: Apache-2.0
// How far off registrations and cameras from points are expected to be, anywhere: from a stated error of
// placing points, never from what the fit left.
#pragma once

#include "core/register/bg-pose.h"
#include "core/register/bg-target-error.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgErrorStatement:
 * @patient_mm: rms distance of a point placed in a volume from its true place; 0: not stated
 * @picture_px: the same in a photograph; 0: not stated
 * @bound_mm: beyond it pictures are veiled
 * @veil: whether they are
 *
 * What somebody who knows how the points were placed says of it. Not part of the case.
 */
typedef struct {
    double patient_mm, picture_px, bound_mm;
    gboolean veil;
} BgErrorStatement;

const BgErrorStatement *bg_expected_error_get_statement(BgSession *session);

/** bg_expected_error_state: tells BG_CHANGE_LANDMARKS */
void bg_expected_error_state(BgSession *session, const BgErrorStatement *statement);

/**
 * bg_expected_error_get_registration: (transfer none) (nullable): the one by landmarks that slices show the
 * error of: the volume's that is worked on, else that of any visible layer
 */
const BgRegistration *bg_expected_error_get_registration(BgSession *session);

/**
 * bg_expected_error_at:
 * @at_mm: where it is shown
 * @at: (out): its covariance in the space of the case; without axes
 *
 * Of that registration. Returns: %FALSE without one, or while nothing is stated
 */
gboolean bg_expected_error_at(BgSession *session, BgVec3 at_mm, BgTargetError *at);

/** bg_expected_error_rms_at: the same, the number alone; negative where there is none */
double bg_expected_error_rms_at(BgSession *session, BgVec3 at_mm);

/** bg_expected_error_of_photo_at: of the camera by points of the photograph that is worked on */
gboolean bg_expected_error_of_photo_at(BgSession *session, BgVec3 at_mm, BgPoseTargetError *at);

G_END_DECLS
