// SPDX-License-Identifier: Apache-2.0
// From where a photograph was taken: read, found by points, refined; as jobs of a session.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** BgCameraTold: @words: (nullable): why the camera stays as it was, for people; @owner: still there */
typedef void (*BgCameraTold)(gpointer owner, const char *words);

/** bg_camera_job_load: the photograph @layer_id was taken by the camera of the file @path */
void bg_camera_job_load(BgSession *session, const char *layer_id, const char *path, GObject *owner,
                        BgCameraTold told);

/** bg_camera_job_save: writes the photograph's camera; a file that is there is replaced */
void bg_camera_job_save(BgSession *session, const char *layer_id, const char *path);

/**
 * BgCameraSolve:
 * @mirrored: the photograph shows left and right swapped
 * @estimate_focal: find the focal length too; also done where nothing is known of it
 * @focal_mm, @sensor_mm: focal length and width of the sensor; 0: that of the camera that is there
 */
typedef struct {
    gboolean mirrored;
    gboolean estimate_focal;
    double focal_mm, sensor_mm;
} BgCameraSolve;

/**
 * bg_camera_lens_of_file:
 * @width, @height: of the photograph
 * @focal_mm, @sensor_mm: (out): the sensor's width. Of a "35 mm equivalent" focal length the sensor has the
 *   picture's shape and the diagonal of 36 x 24 mm
 *
 * For a worker. Returns: %FALSE when the file does not say
 */
gboolean bg_camera_lens_of_file(const char *path, int width, int height, double *focal_mm,
                                double *sensor_mm, GCancellable *cancellable);

/** bg_camera_job_solve: from the points of the same names in the photograph and in a volume */
void bg_camera_job_solve(BgSession *session, const char *layer_id, const BgCameraSolve *solve,
                         GObject *owner, BgCameraTold told);

/**
 * bg_camera_job_refine: the points' camera, made better by what the photograph shows of the uppermost
 * visible mesh. It takes the old one's place only where it is trusted; undo brings the old one back
 */
void bg_camera_job_refine(BgSession *session, const char *layer_id, const BgCameraSolve *solve,
                          GObject *owner, BgCameraTold told);

G_END_DECLS
