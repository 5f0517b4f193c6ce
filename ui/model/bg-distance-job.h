// SPDX-License-Identifier: Apache-2.0
// Colouring a surface by how far it lies from another one, as jobs of a session.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_distance_job_is_map: whether @layer is a mesh that holds distances */
gboolean bg_distance_job_is_map(const BgLayer *layer);

/** bg_distance_job_range_mm: the distance at which @layer's colours end; it is half of its window */
double bg_distance_job_range_mm(const BgLayer *layer);

/** bg_distance_job_to: (transfer full) (nullable): the name of the surface that @layer's distances are to */
char *bg_distance_job_to(const BgLayer *layer);

/**
 * bg_distance_job_meshes:
 *
 * Adds a copy of @mesh that is coloured by its signed distance to @to, in its place, makes @to
 * translucent, and selects the copy. One step of undo.
 */
void bg_distance_job_meshes(BgSession *session, const BgLayer *mesh, const BgLayer *to);

/**
 * bg_distance_job_labels:
 *
 * The same with new surfaces around all visible labels of @pred, and around the same labels of @truth.
 */
void bg_distance_job_labels(BgSession *session, const BgLayer *pred, const BgLayer *truth);

G_END_DECLS
