// SPDX-License-Identifier: Apache-2.0
// What the 3D pane shows, taken out of the case, so that a worker can draw it.
#pragma once

#include "core/annotate/bg-annotations.h"
#include "core/cast/bg-cast.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgVolumeScene:
 * @volume: (nullable): owned
 * @params: what is borrowed in it is kept alive by the scene
 * @engine: "auto", "cpu" or "gl": what the user asked for
 *
 * Made on the main thread, drawn and freed on any.
 */
typedef struct {
    BgVolume *volume;
    BgCastParams params;
    BgVec3 centre_mm;
    double radius_mm;
    GArray *meshes; // of BgCastMesh
    char *engine;
} BgVolumeScene;

/** bg_volume_scene_new: Returns: (transfer full) (nullable): %NULL when there is nothing to see */
BgVolumeScene *bg_volume_scene_new(BgSession *session, int width, int height);
void bg_volume_scene_free(BgVolumeScene *scene);

/** bg_volume_scene_set_tf: another transfer function, for a thumbnail */
void bg_volume_scene_set_tf(BgVolumeScene *scene, BgTransferFunction *tf);

/**
 * BgVolumePicture:
 * @engine: "CPU" or "GL": what drew it
 */
typedef struct {
    BgCastImage *image;
    const char *engine;
    double seconds;
    BgVec3 centre_mm;
} BgVolumePicture;

/**
 * bg_volume_scene_draw:
 *
 * By the graphics card where it is asked for or fast, else, and when that fails, by the CPU. For a
 * worker. Errors as bg_cast()
 */
BgVolumePicture *bg_volume_scene_draw(const BgVolumeScene *scene, GCancellable *cancellable,
                                      GError **error);
void bg_volume_picture_free(BgVolumePicture *picture);

/** bg_volume_marks: (transfer full): what is written over the picture; for the main thread */
GArray *bg_volume_marks(BgSession *session, const BgCamera *camera, BgVec3 centre_mm,
                        const char *engine, double scale, gboolean with_handles);

/** bg_clip_box: (out): the clip box, or the volume's own bounds when none was set; FALSE: no volume */
gboolean bg_clip_box(BgSession *session, BgVec3 *low_mm, BgVec3 *high_mm);

/** bg_clip_handle: the middle of @face: 0..5: low x, high x, low y, ... */
BgVec3 bg_clip_handle(BgVec3 low_mm, BgVec3 high_mm, int face);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgVolumeScene, bg_volume_scene_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgVolumePicture, bg_volume_picture_free)

G_END_DECLS
