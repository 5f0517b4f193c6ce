// SPDX-License-Identifier: Apache-2.0
// What errors of placing do to where a photograph shows a place.
#include "bg-dense-private.h"
#include "bg-pose-private.h"

#include "core/base/bg-linear.h"

#include <string.h>

#define CHI_95 5.991464547107979 // 95 % of a chi-square of 2 degrees of freedom

// The slopes of u and v at a place, over turn, shift and the focal length's relative change.
static gboolean
slopes_at(const BgPoseResult *result, BgVec3 patient_mm, double j[2][BG_POSE_MAX_PARAMETERS])
{
    const BgCamera *camera = &result->camera;
    BgVec3 a = bg_affine_apply_vector(&camera->camera_from_patient, patient_mm);
    BgVec3 c = bg_affine_apply(&camera->camera_from_patient, patient_mm);

    if (!(c.z > 0.0))
        return FALSE;
    for (int row = 0; row < 2; row++) {
        double f = camera->k[4 * row] / c.z, x = (row == 0 ? c.x : c.y) / c.z;
        double g[3] = { row == 0 ? f : 0.0, row == 1 ? f : 0.0, -f * x };
        const double slopes[BG_POSE_MAX_PARAMETERS] = { g[2] * a.y - g[1] * a.z,
                                                        g[0] * a.z - g[2] * a.x,
                                                        g[1] * a.x - g[0] * a.y,
                                                        g[0],
                                                        g[1],
                                                        g[2],
                                                        camera->k[4 * row] * x };
        memcpy(j[row], slopes, sizeof slopes);
    }
    return TRUE;
}

gboolean
bg_pose_target_error(const BgPoseResult *result, BgVec3 at_mm, BgPoseTargetError *error)
{
    int n = result->n_parameters;
    double j[2][BG_POSE_MAX_PARAMETERS], flat[4], values[2], vectors[4];

    if (!slopes_at(result, at_mm, j))
        return FALSE;
    memset(error, 0, sizeof *error);
    for (int i = 0; i < 4; i++) {
        double sum = 0.0;
        for (int p = 0; p < n; p++)
            for (int q = 0; q < n; q++)
                sum += j[i / 2][p] * result->covariance[p * n + q] * j[i % 2][q];
        // A mirrored photograph's u runs the other way.
        double side = result->mirrored && i / 2 != i % 2 ? -1.0 : 1.0;
        flat[i] = error->covariance_px[i / 2][i % 2] = side * sum;
    }
    error->rms_px = sqrt(flat[0] + flat[3]);
    error->rms_mm = error->rms_px * bg_camera_mm_per_pixel(&result->camera, at_mm);
    bg_linear_eigen_symmetric(flat, 2, values, vectors);
    error->major_px = sqrt(CHI_95 * fmax(values[0], 0.0));
    error->minor_px = sqrt(CHI_95 * fmax(values[1], 0.0));
    error->angle_rad = atan2(vectors[2], vectors[0]);
    return TRUE;
}

BgLandmarkUse
bg_pose_stricter(BgLandmarkUse a, BgLandmarkUse b)
{
    if (a == BG_LANDMARK_SKIP || b == BG_LANDMARK_SKIP)
        return BG_LANDMARK_SKIP;
    return a == BG_LANDMARK_CHECK || b == BG_LANDMARK_CHECK ? BG_LANDMARK_CHECK : BG_LANDMARK_FIT;
}

static gboolean
is_outlier(const BgPoseResult *result, BgVec3 patient_mm, BgVec3 pixel)
{
    double noise_px = fmax(2.0, MAX(result->camera.width, result->camera.height) / 500.0);
    BgPosePoint point = { patient_mm, pixel.x, pixel.y };
    BgPoseResidual residual;

    bg_pose_residual(result, &point, &residual);
    return !(residual.error_px <= BG_POSE_OUTLIER_SIGMAS * noise_px);
}

// (J^T J)^-1 J^T S J (J^T J)^-1, in units in which it is well conditioned; S: what each point's place is off by.
static gboolean
set_sandwich(const double information[36], const double middle[36], double covariance[36])
{
    double h[36], inverse[36], half[36], scale[6];

    for (int i = 0; i < 6; i++)
        scale[i] = information[7 * i] > 0.0 ? 1.0 / sqrt(information[7 * i]) : 1.0;
    for (int i = 0; i < 36; i++)
        h[i] = information[i] * scale[i / 6] * scale[i % 6];
    if (!bg_dense_invert(h, inverse, 6))
        return FALSE;
    for (int i = 0; i < 36; i++)
        inverse[i] *= scale[i / 6] * scale[i % 6];
    for (int i = 0; i < 36; i++) {
        half[i] = 0.0;
        for (int k = 0; k < 6; k++)
            half[i] += inverse[6 * (i / 6) + k] * middle[6 * k + i % 6];
    }
    for (int i = 0; i < 36; i++) {
        covariance[i] = 0.0;
        for (int k = 0; k < 6; k++)
            covariance[i] += half[6 * (i / 6) + k] * inverse[6 * k + i % 6];
    }
    return TRUE;
}

gboolean
bg_pose_expect(BgLandmarks *in_patient, BgLandmarks *in_picture, const BgPoseStated *stated,
               BgPoseResult *result)
{
    double information[36] = { 0.0 }, middle[36] = { 0.0 }, j[2][BG_POSE_MAX_PARAMETERS];

    *result = (BgPoseResult){
        .camera = stated->camera, .mirrored = stated->mirrored, .n_parameters = 6, .sigma_px = 1.0
    };
    for (gsize i = 0; i < bg_landmarks_count(in_patient); i++) {
        const BgLandmark *a = bg_landmarks_get(in_patient, i);
        const BgLandmark *b = bg_landmarks_find(in_picture, a->name);
        if (b == NULL || !a->placed || !b->placed ||
            bg_pose_stricter(a->use, b->use) != BG_LANDMARK_FIT ||
            is_outlier(result, a->position, b->position) || !slopes_at(result, a->position, j))
            continue;
        // Along one axis: half of the square in the photograph, a third of that in the volume.
        double across_px =
            stated->patient_mm / bg_camera_mm_per_pixel(&stated->camera, a->position);
        double variance =
            0.5 * stated->picture_px * stated->picture_px + across_px * across_px / 3.0;
        for (int k = 0; k < 36; k++) {
            double square = j[0][k / 6] * j[0][k % 6] + j[1][k / 6] * j[1][k % 6];
            information[k] += square;
            middle[k] += variance * square;
        }
        result->n_used++;
    }
    return result->n_used >= BG_POSE_MIN_POINTS && middle[0] > 0.0 &&
           set_sandwich(information, middle, result->covariance);
}
