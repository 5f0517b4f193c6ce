// SPDX-License-Identifier: Apache-2.0
// Named points of the layers: placing, moving, and registrations made from them.
#pragma once

#include "core/register/bg-point-fit.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_points_of_layer: (transfer none) (nullable): the layer's list */
const BgLandmarkList *bg_points_of_layer(BgSession *session, const char *layer_id);

/** bg_points_get_layer: (transfer none) (nullable): the selected photograph, else the volume worked on */
const BgLayer *bg_points_get_layer(BgSession *session);

/** bg_points_get_active: (transfer none) (nullable): that layer's list */
const BgLandmarkList *bg_points_get_active(BgSession *session);

/** bg_points_partners: (transfer none) (nullable): the list of a volume that shares most names with a photograph's */
const BgLandmarkList *bg_points_partners(BgSession *session, const BgLandmarkList *picture);

/** bg_points_shown_at: where point @index of the list is shown; FALSE while it has no place */
gboolean bg_points_shown_at(BgSession *session, const BgLandmarkList *list, gsize index,
                            BgVec3 *at_mm);

/** bg_points_shown: (transfer full): a volume's list in the space of the case */
BgLandmarks *bg_points_shown(BgSession *session, const BgLandmarkList *list, GError **error);

/**
 * bg_points_place: the next point of the active list that has no place gets it, or a new one is added; it
 * is selected. A list is made where there is none
 */
void bg_points_place(BgSession *session, BgVec3 at_mm);

/** bg_points_place_in: the same on a certain layer; @place: in its own space: LPS mm, or pixels of a picture */
void bg_points_place_in(BgSession *session, const char *layer_id, BgVec3 place);

/** bg_points_add: a name that waits for its place: (nullable): "P1", "P2", ... */
void bg_points_add(BgSession *session, const char *name);

/** bg_points_move: not a locked one; Returns: whether it moved */
gboolean bg_points_move(BgSession *session, const char *list_id, gsize index, BgVec3 at_mm);

/** bg_points_change: name, use, lock; @point: its place is kept */
void bg_points_change(BgSession *session, const char *list_id, gsize index,
                      const BgLandmark *point);
void bg_points_remove(BgSession *session, const char *list_id, gsize index);

/** bg_points_load: as a job: what a file has becomes the points of the volume that is worked on */
void bg_points_load(BgSession *session, const char *path);

/** bg_points_save: as a job; a file that is there is replaced */
void bg_points_save(BgSession *session, const char *path);

/**
 * bg_points_residual_mm: how far the registration of the list's layer puts the point from its partner;
 * negative where there is no registration or no partner
 */
double bg_points_residual_mm(BgSession *session, const BgLandmarkList *list, gsize index);

/**
 * bg_points_residual_px: of a photograph's point: how far its camera puts the partner in the volume from
 * it; negative where there is no camera or no partner. @projected: (out): u, v
 */
double bg_points_residual_px(BgSession *session, const BgLandmarkList *list, gsize index,
                             double projected[2]);

/** bg_points_new_registration: (transfer full): with the id of the moving layer's old one, so that it is replaced */
BgRegistration *bg_points_new_registration(BgSession *session, const char *moving,
                                           const char *fixed, const char *method,
                                           const BgTransform *transform);

/**
 * bg_points_set_use:
 *
 * Registrations that were made from the list are fitted again, in the same step of undo; where that
 * cannot be, they stay, and it is said. Layers that were made anew by them are made again by a job, a
 * step of its own. Returns: whether there was one
 */
gboolean bg_points_set_use(BgSession *session, const char *list_id, gsize index, BgLandmarkUse use);

/**
 * bg_points_register:
 * @moving, @fixed: lists of two volumes; pairs are found by name
 * @model: no spline
 *
 * Returns: %FALSE with the errors of bg_point_fit()
 */
gboolean bg_points_register(BgSession *session, const BgLandmarkList *moving,
                            const BgLandmarkList *fixed, BgTransformModel model, GError **error);

/**
 * BgVolumesBy:
 * @mask_id: (nullable): a label map of the fixed volume's space: only its labels count
 * @from_here: from where the moving volume lies now; else the best of several starts
 */
typedef struct {
    const char *moving_id, *fixed_id, *mask_id;
    BgTransformModel model;
    gboolean from_here;
} BgVolumesBy;

/** BgPointsTold: @words: what came of it, for people, where no registration says it; @owner: still there */
typedef void (*BgPointsTold)(gpointer owner, const char *words);

/** bg_points_own_volume: (transfer full) (nullable): a volume where its file has it, whatever moves it */
BgVolume *bg_points_own_volume(BgSession *session, const char *layer_id);

/** bg_points_register_volumes: by mutual information, as a job; rigid or affine */
void bg_points_register_volumes(BgSession *session, const BgVolumesBy *by);

/**
 * bg_points_refine: the selected point of a registered volume is put where its surroundings agree with its
 * partner's in the other one, by a job, as one step of undo
 */
void bg_points_refine(BgSession *session, GObject *owner, BgPointsTold told);

G_END_DECLS
