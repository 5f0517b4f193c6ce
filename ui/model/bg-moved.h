// SPDX-License-Identifier: Apache-2.0
// Layers that were made anew where a registration puts them: photographs onto photographs, volumes by
// splines.
#pragma once

#include "core/model/bg-transform.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgMovedBy:
 * @moving_id, @fixed_id: two photographs, or two volumes
 * @model: of volumes a spline; the others move without being made anew
 * @by_values: by what photographs show; else by the points of the same names
 * @from_here: by values: from where it was put before; else searched for
 * @mirrored: one of two photographs is a mirror image, and that is meant
 */
typedef struct {
    const char *moving_id, *fixed_id;
    BgTransformModel model;
    gboolean by_values, from_here, mirrored;
} BgMovedBy;

/**
 * bg_moved_make: as a job. The new layer, a registration that puts it onto the fixed one and says what
 * came of it, and the removal of what was made before of the same two are one step of undo. A mirror
 * image is refused in words unless it is meant
 */
void bg_moved_make(BgSession *session, const BgMovedBy *by);

/** bg_moved_is: whether @layer was made so */
gboolean bg_moved_is(const BgLayer *layer);

/** bg_moved_of: (transfer none) (nullable): the newest layer that was made of @layer_id, itself when it was made so */
const BgLayer *bg_moved_of(BgSession *session, const char *layer_id);

/** bg_moved_registration: (transfer none) (nullable): the layer's own, or that of what was made of it */
const BgRegistration *bg_moved_registration(BgSession *session, const char *layer_id);

/** bg_moved_get_fixed: (transfer none) (nullable): onto what that layer was put */
const BgLayer *bg_moved_get_fixed(BgSession *session, const BgLayer *moved);

/** bg_moved_get_transform: (transfer full) (nullable): fixed_from_moving, between their files */
BgTransform *bg_moved_get_transform(const BgLayer *moved);

/** bg_moved_again: made of the points of @list_id: once more, by the points as they are now; FALSE: none was */
gboolean bg_moved_again(BgSession *session, const char *list_id);

/** bg_moved_remove: the layer and its registration, in one step of undo */
void bg_moved_remove(BgSession *session, const char *moved_id);

/**
 * bg_moved_residual:
 *
 * How far point @index of the moving layer's list is put from its partner, in px or mm. Of a spline, which
 * goes through its points: how far the spline of the others would miss it. Negative: unknown
 */
double bg_moved_residual(BgSession *session, const BgLandmarkList *list, gsize index);

G_END_DECLS
