// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-camera.h"

G_BEGIN_DECLS

/**
 * BgGlCamera:
 * @patient_from_ray: column-major 3x3: (u, v, 1) to a direction (perspective), or to an offset from
 *   @eye_mm (parallel)
 * @eye_mm: the camera's centre, or the parallel picture's pixel (0, 0) moved back by @back_mm
 * @axis: unit length
 * @back_mm: parallel: how far rays begin behind the camera's z = 0 plane; else 0
 *
 * A camera in the form that the shaders take. Row 0 of the framebuffer is the picture's top row.
 */
typedef struct {
    float patient_from_ray[9];
    BgVec3 eye_mm;
    BgVec3 axis;
    double back_mm;
} BgGlCamera;

/** bg_gl_camera_init: @back_mm: 0 for a perspective camera */
void bg_gl_camera_init(BgGlCamera *self, const BgCamera *camera, double back_mm);

/**
 * bg_gl_camera_clip_from_patient:
 * @near_mm, @far_mm: along the camera's z axis; perspective: both above 0
 * @clip_from_patient: (out): column-major 4x4
 */
void bg_gl_camera_clip_from_patient(const BgCamera *camera, double near_mm, double far_mm,
                                    float clip_from_patient[16]);

G_END_DECLS
