// SPDX-License-Identifier: Apache-2.0
// What a slice pane shows, taken out of the case, so that a worker can draw it.
#pragma once

#include "core/annotate/bg-annotations.h"
#include "core/cast/bg-slice.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgSliceScene:
 *
 * Holds references of its own on all that the picture is made of; made on the main thread,
 * drawn and freed on any.
 */
typedef struct _BgSliceScene BgSliceScene;

/** bg_slice_scene_new: Returns: (transfer full) (nullable): %NULL when there is nothing to see */
BgSliceScene *bg_slice_scene_new(BgSession *session, BgPlane plane, int width, int height);

/** bg_slice_scene_new_at: the same on any plane */
BgSliceScene *bg_slice_scene_new_at(BgSession *session, const BgSliceFrame *frame);
void bg_slice_scene_free(BgSliceScene *scene);

const BgSliceFrame *bg_slice_scene_get_frame(const BgSliceScene *scene);

/** BgSlicePicture: @pixels: as bg_slice_compose(), from bg_buffer_alloc(); @contours: of BgMeshLines */
typedef struct {
    BgSliceFrame frame;
    guint32 *pixels;
    GPtrArray *contours;
} BgSlicePicture;

/** BgMeshLines: where a mesh goes through the plane */
typedef struct {
    BgContours *contours;
    double rgb[3];
} BgMeshLines;

/** bg_slice_scene_draw: for a worker; errors as bg_slice_compose() */
BgSlicePicture *bg_slice_scene_draw(const BgSliceScene *scene, GCancellable *cancellable,
                                    GError **error);
void bg_slice_picture_free(BgSlicePicture *picture);

/** bg_slice_sides_known, bg_slice_lengths_known: of all that is shown; else no sides, and px for mm */
gboolean bg_slice_sides_known(BgSession *session);
gboolean bg_slice_lengths_known(BgSession *session);

/** bg_slice_pane_of: the session's state as a pane of that size */
gboolean bg_slice_pane_of(BgSession *session, BgPlane plane, int width, int height,
                          BgSlicePane *pane);

/**
 * bg_slice_marks:
 * @frame: of the pane, in its pixels
 * @scale: 1.0 for 100 %
 * @on_screen: what is selected is marked; not in a picture that is kept
 *
 * All that is written over the slice: (transfer full): GArray of BgMark. For the main thread.
 */
GArray *bg_slice_marks(BgSession *session, BgPlane plane, const BgSliceFrame *frame, double scale,
                       gboolean on_screen);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgSliceScene, bg_slice_scene_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgSlicePicture, bg_slice_picture_free)

G_END_DECLS
