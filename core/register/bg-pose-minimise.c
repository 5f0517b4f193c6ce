// SPDX-License-Identifier: Apache-2.0
// The pose's last digits: squared distances in the photograph, by Levenberg-Marquardt.
#include "bg-dense-private.h"
#include "bg-pose-private.h"

#include "core/model/bg-distortion.h"

#include <math.h>
#include <string.h>

#define MIN_DEPTH_MM 1e-6
#define STEP_TOLERANCE 1e-10 // relative change of the sum of squares that ends it
#define EXACT_PX2 1e-18      // a point, squared: nothing is left to lower
#define MAX_P 7

// One point's residual (px), and, with @j, its two rows of derivatives.
static inline __attribute__((always_inline)) gboolean
residual(const BgPoseData *data, const BgRigid *pose, double focal, int i, double e[2], double *j)
{
    const double *k = data->k;
    double a[3], c[3];

    bg_dense_apply3(pose->r, data->x + 3 * i, a);
    for (int axis = 0; axis < 3; axis++)
        c[axis] = a[axis] + pose->t[axis];
    if (!(c[2] > MIN_DEPTH_MM))
        return FALSE;

    double iz = 1.0 / c[2], x = c[0] * iz, y = c[1] * iz;
    double p[2] = { x, y }, m[4] = { 1.0, 0.0, 0.0, 1.0 };
    if (data->lens)
        bg_distort_with_derivatives(data->d, x, y, p, m, NULL);
    double u = focal * (k[0] * p[0] + k[1] * p[1]), v = focal * k[4] * p[1];
    e[0] = u + k[2] - data->uv[2 * i];
    e[1] = v + k[5] - data->uv[2 * i + 1];
    if (j == NULL)
        return TRUE;

    // d(u, v)/d(x, y), then by the camera's coordinates, then by turn (c' = w x a) and shift.
    double ux = focal * (k[0] * m[0] + k[1] * m[2]), uy = focal * (k[0] * m[1] + k[1] * m[3]);
    double vx = focal * k[4] * m[2], vy = focal * k[4] * m[3];
    const double g[2][3] = {
        { ux * iz, uy * iz, -(ux * x + uy * y) * iz },
        { vx * iz, vy * iz, -(vx * x + vy * y) * iz },
    };
    const double by_focal[2] = { u, v };
    for (int row = 0; row < 2; row++) {
        double *to = j + row * MAX_P;
        to[0] = g[row][2] * a[1] - g[row][1] * a[2];
        to[1] = g[row][0] * a[2] - g[row][2] * a[0];
        to[2] = g[row][1] * a[0] - g[row][0] * a[1];
        memcpy(to + 3, g[row], sizeof g[row]);
        to[6] = by_focal[row]; // by the logarithm of the focal length
    }
    return TRUE;
}

double
bg_pose_error2(const BgPoseData *data, const BgRigid *pose, double focal, int i)
{
    double e[2];

    return residual(data, pose, focal, i, e, NULL) ? e[0] * e[0] + e[1] * e[1] : HUGE_VAL;
}

// @n_p is a constant where this is inlined: the loops unroll.
static inline __attribute__((always_inline)) double
gather_equations(const BgPoseData *data, const BgRigid *pose, double focal, const int n_p,
                 double *h, double *g)
{
    double sum = 0.0;

    memset(h, 0, sizeof *h * (gsize) (n_p * n_p));
    memset(g, 0, sizeof *g * (gsize) n_p);
    for (int i = 0; i < data->n; i++) {
        double e[2], j[2 * MAX_P];
        if (!residual(data, pose, focal, i, e, j))
            return HUGE_VAL;
        sum += e[0] * e[0] + e[1] * e[1];
        for (int r = 0; r < n_p; r++) {
            g[r] += j[r] * e[0] + j[MAX_P + r] * e[1];
            for (int c = 0; c <= r; c++)
                h[r * n_p + c] += j[r] * j[c] + j[MAX_P + r] * j[MAX_P + c];
        }
    }
    for (int r = 0; r < n_p; r++) {
        for (int c = r + 1; c < n_p; c++)
            h[r * n_p + c] = h[c * n_p + r];
    }
    return sum;
}

static double
normal_equations(const BgPoseData *data, const BgRigid *pose, double focal, int n_p, double *h,
                 double *g)
{
    return n_p == 6 ? gather_equations(data, pose, focal, 6, h, g)
                    : gather_equations(data, pose, focal, 7, h, g);
}

static void
moved(const BgRigid *pose, const double *step, BgRigid *to)
{
    double turn[9];

    bg_dense_rotation(step, turn);
    bg_dense_multiply3(turn, pose->r, to->r);
    for (int i = 0; i < 3; i++)
        to->t[i] = pose->t[i] + step[3 + i];
}

double
bg_pose_minimise(const BgPoseData *data, BgRigid *pose, double *focal, int max_steps,
                 double *information)
{
    return bg_pose_minimise_to(data, pose, focal, max_steps, STEP_TOLERANCE, information);
}

double
bg_pose_minimise_to(const BgPoseData *data, BgRigid *pose, double *focal, int max_steps,
                    double tolerance, double *information)
{
    int n_p = focal != NULL ? 7 : 6;
    double f = focal != NULL ? *focal : 1.0, h[MAX_P * MAX_P], g[MAX_P], lambda = 1e-6;
    double next_h[MAX_P * MAX_P], next_g[MAX_P];
    double sum = normal_equations(data, pose, f, n_p, h, g);

    for (int step = 0; step < max_steps && isfinite(sum); step++) {
        double a[MAX_P * MAX_P], b[MAX_P];
        memcpy(a, h, sizeof *a * (gsize) (n_p * n_p));
        for (int i = 0; i < n_p; i++) {
            a[i * n_p + i] += lambda * h[i * n_p + i] + 1e-300;
            b[i] = -g[i];
        }
        double next = HUGE_VAL, next_f = f;
        BgRigid to;
        if (bg_dense_cholesky(a, n_p)) {
            bg_dense_cholesky_apply(a, b, n_p);
            moved(pose, b, &to);
            next_f = n_p == 7 ? f * exp(CLAMP(b[6], -1.0, 1.0)) : f;
            next = normal_equations(data, &to, next_f, n_p, next_h, next_g);
        }
        if (next <= sum) {
            gboolean done = sum - next <= tolerance * sum || next <= EXACT_PX2 * data->n;
            *pose = to;
            f = next_f;
            sum = next;
            memcpy(h, next_h, sizeof *h * (gsize) (n_p * n_p));
            memcpy(g, next_g, sizeof *g * (gsize) n_p);
            lambda = lambda * 0.02;
            if (done)
                break;
        } else {
            lambda = MAX(lambda, 1e-9) * 10.0;
            if (lambda > 1e10)
                break;
        }
    }
    if (focal != NULL)
        *focal = f;
    if (information != NULL)
        memcpy(information, h, sizeof *h * (gsize) (n_p * n_p));
    return sum;
}
