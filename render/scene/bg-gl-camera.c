// SPDX-License-Identifier: Apache-2.0
#include "render/scene/bg-gl-camera.h"

#include <string.h>

static BgVec3
camera_axis(const BgCamera *camera, int row)
{
    const double(*m)[4] = camera->camera_from_patient.m;

    return bg_vec3(m[row][0], m[row][1], m[row][2]);
}

static void
set_column(float columns[9], int column, BgVec3 v)
{
    columns[3 * column] = (float) v.x;
    columns[3 * column + 1] = (float) v.y;
    columns[3 * column + 2] = (float) v.z;
}

void
bg_gl_camera_init(BgGlCamera *self, const BgCamera *camera, double back_mm)
{
    BgVec3 x = camera_axis(camera, 0), y = camera_axis(camera, 1), z = camera_axis(camera, 2);
    BgVec3 unused;

    self->axis = bg_vec3_normalize(z);
    self->back_mm = camera->parallel ? back_mm : 0.0;

    if (camera->parallel) {
        BgVec3 corner, right, down;
        bg_camera_ray(camera, 0, 0, &corner, &unused);
        bg_camera_ray(camera, 1, 0, &right, &unused);
        bg_camera_ray(camera, 0, 1, &down, &unused);
        self->eye_mm = bg_vec3_along(corner, -self->back_mm, self->axis);
        set_column(self->patient_from_ray, 0, bg_vec3_sub(right, corner));
        set_column(self->patient_from_ray, 1, bg_vec3_sub(down, corner));
        set_column(self->patient_from_ray, 2, bg_vec3(0, 0, 0));
        return;
    }

    // The inverse of an upper triangular K, after the inverse of the rotation.
    const double *k = camera->k;
    bg_camera_ray(camera, 0, 0, &self->eye_mm, &unused);
    BgVec3 du = bg_vec3_scale(x, 1.0 / k[0]);
    BgVec3 dv = bg_vec3_along(bg_vec3_scale(y, 1.0 / k[4]), -k[1] / (k[0] * k[4]), x);
    BgVec3 one = bg_vec3_along(bg_vec3_along(z, -k[2], du), -k[5], dv);
    set_column(self->patient_from_ray, 0, du);
    set_column(self->patient_from_ray, 1, dv);
    set_column(self->patient_from_ray, 2, one);
}

// Rows of clip space over homogeneous camera coordinates (x, y, z, 1).
static void
fill_clip_from_camera(const BgCamera *camera, double near_mm, double far_mm, double rows[4][4])
{
    double w = camera->width, h = camera->height, depth = far_mm - near_mm;

    if (camera->parallel) {
        double mm = camera->height_mm / h;
        const double parallel[4][4] = { { 2.0 / (mm * w), 0, 0, 0 },
                                        { 0, 2.0 / (mm * h), 0, 0 },
                                        { 0, 0, 2.0 / depth, -(far_mm + near_mm) / depth },
                                        { 0, 0, 0, 1 } };
        memcpy(rows, parallel, sizeof parallel);
        return;
    }

    const double *k = camera->k;
    const double perspective[4][4] = {
        { 2.0 * k[0] / w, 2.0 * k[1] / w, (2.0 * k[2] + 1.0) / w - 1.0, 0 },
        { 0, 2.0 * k[4] / h, (2.0 * k[5] + 1.0) / h - 1.0, 0 },
        { 0, 0, (far_mm + near_mm) / depth, -2.0 * far_mm * near_mm / depth },
        { 0, 0, 1, 0 }
    };
    memcpy(rows, perspective, sizeof perspective);
}

void
bg_gl_camera_clip_from_patient(const BgCamera *camera, double near_mm, double far_mm,
                               float clip_from_patient[16])
{
    double rows[4][4];

    fill_clip_from_camera(camera, near_mm, far_mm, rows);
    for (int row = 0; row < 4; row++) {
        for (int column = 0; column < 4; column++) {
            double sum = column == 3 ? rows[row][3] : 0.0;
            for (int i = 0; i < 3; i++)
                sum += rows[row][i] * camera->camera_from_patient.m[i][column];
            clip_from_patient[4 * column + row] = (float) sum;
        }
    }
}
