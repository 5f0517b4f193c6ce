// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-calibrate.h"

#include "bg-dense-private.h"
#include "bg-pose-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/model/bg-distortion.h"

#include <math.h>
#include <string.h>

#define N_I BG_CALIBRATE_INTRINSICS
#define MAX_STEPS 200
#define STEP_TOLERANCE 1e-12 // relative change of the sum of squares that ends it
#define MAX_SD_FOCAL 0.1     // relative: beyond that the views do not tell it
#define FIRST_FOCAL 1.2      // of the longer side, where the homographies give none

typedef struct {
    const double *const *corners; // borrowed
    const BgCalibrateParams *params;
    int n, n_views; // corners a view
    double *board;  // 3 n, mm
    double p[N_I];  // fx, fy, cx, cy, k1, k2, p1, p2, k3
    BgRigid *poses; // of the views
    double *sums;   // of squares, of the views
    double *b;      // of each view: N_I x 6: J_i^T J_v
    double *d;      // of each view: 6 x 6
    double *g;      // of each view: 6
    double a[N_I * N_I], gi[N_I];
} Bundle;

static void
bundle_init(Bundle *bundle, const double *const *corners, gsize n_views,
            const BgCalibrateParams *params)
{
    int n = params->columns * params->rows;

    *bundle = (Bundle){ .corners = corners,
                        .params = params,
                        .n = n,
                        .n_views = (int) n_views,
                        .board = g_new0(double, 3 * (gsize) n),
                        .poses = g_new0(BgRigid, n_views),
                        .sums = g_new0(double, n_views),
                        .b = g_new0(double, n_views *N_I * 6),
                        .d = g_new0(double, n_views * 36),
                        .g = g_new0(double, n_views * 6) };
    for (int i = 0; i < n; i++) {
        bundle->board[3 * i] = params->square_mm * (i % params->columns);
        bundle->board[3 * i + 1] = params->square_mm * (i / params->columns);
    }
}

static void
bundle_clear(Bundle *bundle)
{
    g_free(bundle->board);
    g_free(bundle->poses);
    g_free(bundle->sums);
    g_free(bundle->b);
    g_free(bundle->d);
    g_free(bundle->g);
}

// From board to pixels, both shifted and scaled to unit spread first (Hartley 1997).
static void
fit_homography(const Bundle *bundle, const double *uv, double h[9])
{
    double mean[4] = { 0 }, spread[2] = { 0 }, m[81] = { 0 }, values[9], vectors[81];
    int n = bundle->n;

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 2; k++) {
            mean[k] += bundle->board[3 * i + k] / n;
            mean[2 + k] += uv[2 * i + k] / n;
        }
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 2; k++) {
            spread[0] += pow(bundle->board[3 * i + k] - mean[k], 2.0) / (2 * n);
            spread[1] += pow(uv[2 * i + k] - mean[2 + k], 2.0) / (2 * n);
        }
    }
    double sx = sqrt(spread[0]), su = sqrt(MAX(spread[1], 1e-12));
    for (int i = 0; i < n; i++) {
        double x = (bundle->board[3 * i] - mean[0]) / sx;
        double y = (bundle->board[3 * i + 1] - mean[1]) / sx;
        double u = (uv[2 * i] - mean[2]) / su, v = (uv[2 * i + 1] - mean[3]) / su;
        const double rows[2][9] = { { x, y, 1, 0, 0, 0, -u * x, -u * y, -u },
                                    { 0, 0, 0, x, y, 1, -v * x, -v * y, -v } };
        for (int r = 0; r < 9; r++) {
            for (int c = 0; c < 9; c++)
                m[9 * r + c] += rows[0][r] * rows[0][c] + rows[1][r] * rows[1][c];
        }
    }
    bg_dense_eigen(m, values, vectors, 9);
    const double to[9] = { su, 0, mean[2], 0, su, mean[3], 0, 0, 1 };
    const double from[9] = { 1 / sx, 0, -mean[0] / sx, 0, 1 / sx, -mean[1] / sx, 0, 0, 1 };
    double half[9];
    bg_dense_multiply3(to, vectors, half);
    bg_dense_multiply3(half, from, h);
}

static void
zhang_row(const double *h, int i, int j, double v[6])
{
    const double a[3] = { h[i], h[3 + i], h[6 + i] }, b[3] = { h[j], h[3 + j], h[6 + j] };

    v[0] = a[0] * b[0];
    v[1] = a[0] * b[1] + a[1] * b[0];
    v[2] = a[1] * b[1];
    v[3] = a[2] * b[0] + a[0] * b[2];
    v[4] = a[2] * b[1] + a[1] * b[2];
    v[5] = a[2] * b[2];
}

// Zhang's closed form without skew; pixels are taken from the picture's middle, in units of its
// longer side. FALSE when the views give no focal length.
static gboolean
start_intrinsics(Bundle *bundle)
{
    double m[25] = { 0 }, values[5], vectors[25];
    double scale = MAX(bundle->params->width, bundle->params->height);
    double cu = 0.5 * (bundle->params->width - 1), cv = 0.5 * (bundle->params->height - 1);
    const double to[9] = { 1 / scale, 0, -cu / scale, 0, 1 / scale, -cv / scale, 0, 0, 1 };
    static const int kept[5] = { 0, 2, 3, 4, 5 }; // no skew: B12 = 0

    for (int view = 0; view < bundle->n_views; view++) {
        double raw[9], h[9], v[3][6], rows[2][5];
        fit_homography(bundle, bundle->corners[view], raw);
        bg_dense_multiply3(to, raw, h);
        double size = 0.0;
        for (int i = 0; i < 9; i++)
            size += h[i] * h[i];
        for (int i = 0; i < 9; i++)
            h[i] /= sqrt(size);
        zhang_row(h, 0, 1, v[0]);
        zhang_row(h, 0, 0, v[1]);
        zhang_row(h, 1, 1, v[2]);
        double length2 = 0.0; // both equations in units of the board's scale in this view
        for (int i = 0; i < 6; i++)
            length2 += v[1][i] * v[1][i];
        for (int i = 0; i < 5; i++) {
            rows[0][i] = v[0][kept[i]] / sqrt(length2);
            rows[1][i] = (v[1][kept[i]] - v[2][kept[i]]) / sqrt(length2);
        }
        for (int r = 0; r < 5; r++) {
            for (int c = 0; c < 5; c++)
                m[5 * r + c] += rows[0][r] * rows[0][c] + rows[1][r] * rows[1][c];
        }
    }
    bg_dense_eigen(m, values, vectors, 5);
    double b11 = vectors[0], b22 = vectors[1], b13 = vectors[2], b23 = vectors[3], b33 = vectors[4];
    double x = -b13 / b11, y = -b23 / b22;
    double lambda = b33 + x * b13 + y * b23;
    double fx2 = lambda / b11, fy2 = lambda / b22;
    gboolean good =
        fx2 > 0.04 && fy2 > 0.04 && fx2 < 900.0 && fy2 < 900.0 && fabs(x) < 0.5 && fabs(y) < 0.5;
    bundle->p[0] = scale * (good ? sqrt(fx2) : FIRST_FOCAL);
    bundle->p[1] = scale * (good ? sqrt(fy2) : FIRST_FOCAL);
    bundle->p[2] = cu + (good ? scale * x : 0.0);
    bundle->p[3] = cv + (good ? scale * y : 0.0);
    return good;
}

static void
fill_camera(const double p[N_I], const BgCalibrateParams *params, BgCamera *camera)
{
    *camera = (BgCamera){ .width = params->width,
                          .height = params->height,
                          .camera_from_patient = bg_affine_identity() };
    const double k[9] = { p[0], 0, p[2], 0, p[1], p[3], 0, 0, 1 };
    memcpy(camera->k, k, sizeof k);
    memcpy(camera->distortion, p + 4, sizeof camera->distortion);
}

static gboolean
start_poses(Bundle *bundle)
{
    g_autofree double *xy = g_new(double, 2 * (gsize) bundle->n);

    for (int view = 0; view < bundle->n_views; view++) {
        const double *uv = bundle->corners[view], *p = bundle->p;
        BgRigid starts[BG_POSE_MAX_STARTS];
        BgPoseData data = { .n = bundle->n,
                            .x = bundle->board,
                            .uv = uv,
                            .xy = xy,
                            .k = { p[0], 0, p[2], 0, p[1], p[3], 0, 0, 1 } };
        for (int i = 0; i < bundle->n; i++) {
            xy[2 * i] = (uv[2 * i] - p[2]) / p[0];
            xy[2 * i + 1] = (uv[2 * i + 1] - p[3]) / p[1];
        }
        int n = bg_pose_starts(&data, starts);
        double best = HUGE_VAL;
        for (int s = 0; s < n; s++) {
            double sum = bg_pose_minimise(&data, &starts[s], NULL, 20, NULL);
            if (sum < best) {
                best = sum;
                bundle->poses[view] = starts[s];
            }
        }
        if (!(best < HUGE_VAL))
            return FALSE;
    }
    return TRUE;
}

// A corner's residual, and its rows of derivatives by intrinsics and by the view's turn and shift.
static gboolean
corner_residual(const Bundle *bundle, const double p[N_I], const BgRigid *pose, int view, int i,
                double e[2], double ji[2 * N_I], double jv[12])
{
    double a[3], c[3], q[2], m[4], by_d[10];

    bg_dense_apply3(pose->r, bundle->board + 3 * i, a);
    for (int k = 0; k < 3; k++)
        c[k] = a[k] + pose->t[k];
    if (!(c[2] > 1e-6))
        return FALSE;
    double iz = 1.0 / c[2], x = c[0] * iz, y = c[1] * iz;
    bg_distort_with_derivatives(p + 4, x, y, q, m, by_d);
    for (int row = 0; row < 2; row++) {
        double f = p[row];
        e[row] = f * q[row] + p[2 + row] - bundle->corners[view][2 * i + row];
        if (ji == NULL)
            continue;
        double *to = ji + row * N_I, gx = f * m[2 * row] * iz, gy = f * m[2 * row + 1] * iz;
        to[row] = q[row];
        to[1 - row] = 0.0;
        to[2 + row] = 1.0;
        to[3 - row] = 0.0;
        for (int k = 0; k < 5; k++)
            to[4 + k] = f * by_d[5 * row + k];
        double gz = -(gx * x + gy * y);
        const double turn_and_shift[6] = {
            gz * a[1] - gy * a[2], gx * a[2] - gz * a[0], gy * a[0] - gx * a[1], gx, gy, gz
        };
        memcpy(jv + 6 * row, turn_and_shift, sizeof turn_and_shift);
    }
    return TRUE;
}

static double
sum_squares(Bundle *bundle, const double p[N_I], const BgRigid *poses)
{
    double sum = 0.0, e[2];

    for (int view = 0; view < bundle->n_views; view++) {
        for (int i = 0; i < bundle->n; i++) {
            if (!corner_residual(bundle, p, &poses[view], view, i, e, NULL, NULL))
                return HUGE_VAL;
            sum += e[0] * e[0] + e[1] * e[1];
        }
    }
    return isfinite(sum) ? sum : HUGE_VAL;
}

static double
build_equations(Bundle *bundle)
{
    double sum = 0.0;

    memset(bundle->a, 0, sizeof bundle->a);
    memset(bundle->gi, 0, sizeof bundle->gi);
    for (int view = 0; view < bundle->n_views; view++) {
        double *b = bundle->b + view * N_I * 6, *d = bundle->d + view * 36;
        double *g = bundle->g + view * 6;
        memset(b, 0, sizeof *b * N_I * 6);
        memset(d, 0, sizeof *d * 36);
        memset(g, 0, sizeof *g * 6);
        bundle->sums[view] = 0.0;
        for (int i = 0; i < bundle->n; i++) {
            double e[2], ji[2 * N_I], jv[12];
            if (!corner_residual(bundle, bundle->p, &bundle->poses[view], view, i, e, ji, jv))
                return HUGE_VAL;
            bundle->sums[view] += e[0] * e[0] + e[1] * e[1];
            for (int row = 0; row < 2; row++) {
                const double *ii = ji + row * N_I, *vv = jv + row * 6;
                for (int r = 0; r < N_I; r++) {
                    bundle->gi[r] += ii[r] * e[row];
                    for (int c = 0; c < N_I; c++)
                        bundle->a[r * N_I + c] += ii[r] * ii[c];
                    for (int c = 0; c < 6; c++)
                        b[r * 6 + c] += ii[r] * vv[c];
                }
                for (int r = 0; r < 6; r++) {
                    g[r] += vv[r] * e[row];
                    for (int c = 0; c < 6; c++)
                        d[r * 6 + c] += vv[r] * vv[c];
                }
            }
        }
        sum += bundle->sums[view];
    }
    return sum;
}

// S = A - sum B D^-1 B^T, and the right side that belongs to it.
static gboolean
reduce(const Bundle *bundle, double lambda, double *s, double *rhs, double *d_factors)
{
    memcpy(s, bundle->a, sizeof bundle->a);
    for (int i = 0; i < N_I; i++) {
        s[i * N_I + i] *= 1.0 + lambda;
        rhs[i] = -bundle->gi[i];
    }
    for (int view = 0; view < bundle->n_views; view++) {
        const double *b = bundle->b + view * N_I * 6, *g = bundle->g + view * 6;
        double *l = d_factors + view * 36;
        memcpy(l, bundle->d + view * 36, 36 * sizeof *l);
        for (int i = 0; i < 6; i++)
            l[7 * i] *= 1.0 + lambda;
        if (!bg_dense_cholesky(l, 6))
            return FALSE;
        double y[6];
        memcpy(y, g, sizeof y);
        bg_dense_cholesky_apply(l, y, 6);
        for (int r = 0; r < N_I; r++) {
            double x[6];
            memcpy(x, b + 6 * r, sizeof x);
            bg_dense_cholesky_apply(l, x, 6);
            for (int k = 0; k < 6; k++)
                rhs[r] += b[6 * r + k] * y[k];
            for (int c = 0; c < N_I; c++) {
                for (int k = 0; k < 6; k++)
                    s[r * N_I + c] -= x[k] * b[6 * c + k];
            }
        }
    }
    return TRUE;
}

static gboolean
scaled_cholesky(double *s, double *scale)
{
    for (int i = 0; i < N_I; i++) {
        if (!(s[i * N_I + i] > 0.0))
            return FALSE;
        scale[i] = 1.0 / sqrt(s[i * N_I + i]);
    }
    for (int i = 0; i < N_I; i++) {
        for (int j = 0; j < N_I; j++)
            s[i * N_I + j] *= scale[i] * scale[j];
    }
    return bg_dense_cholesky(s, N_I);
}

// The step of all parameters for one damping; FALSE when the equations have no solution.
static gboolean
try_step(const Bundle *bundle, double lambda, double *d_factors, double p[N_I], BgRigid *poses)
{
    double s[N_I * N_I], step[N_I], scale[N_I];

    if (!reduce(bundle, lambda, s, step, d_factors) || !scaled_cholesky(s, scale))
        return FALSE;
    for (int i = 0; i < N_I; i++)
        step[i] *= scale[i];
    bg_dense_cholesky_apply(s, step, N_I);
    for (int i = 0; i < N_I; i++) {
        step[i] *= scale[i];
        p[i] = bundle->p[i] + step[i];
    }
    for (int view = 0; view < bundle->n_views; view++) {
        const double *b = bundle->b + view * N_I * 6, *g = bundle->g + view * 6;
        const BgRigid *from = &bundle->poses[view];
        double x[6], turn[9];
        for (int k = 0; k < 6; k++) {
            x[k] = -g[k];
            for (int r = 0; r < N_I; r++)
                x[k] -= b[6 * r + k] * step[r];
        }
        bg_dense_cholesky_apply(d_factors + view * 36, x, 6);
        bg_dense_rotation(x, turn);
        bg_dense_multiply3(turn, from->r, poses[view].r);
        for (int k = 0; k < 3; k++)
            poses[view].t[k] = from->t[k] + x[3 + k];
    }
    return p[0] > 0.0 && p[1] > 0.0;
}

static double
bundle_minimise(Bundle *bundle, GCancellable *cancellable)
{
    gsize n_views = (gsize) bundle->n_views;
    g_autofree double *factors = g_new(double, n_views * 36);
    g_autofree BgRigid *poses = g_new(BgRigid, n_views);
    double lambda = 1e-3, sum = build_equations(bundle);

    for (int step = 0; step < MAX_STEPS && sum < HUGE_VAL; step++) {
        double p[N_I];
        if (g_cancellable_is_cancelled(cancellable))
            break;
        double next =
            try_step(bundle, lambda, factors, p, poses) ? sum_squares(bundle, p, poses) : HUGE_VAL;
        if (next <= sum) {
            gboolean done = sum - next <= STEP_TOLERANCE * sum;
            memcpy(bundle->p, p, sizeof p);
            memcpy(bundle->poses, poses, sizeof *poses * n_views);
            sum = build_equations(bundle);
            lambda *= 0.1;
            if (done)
                break;
        } else {
            lambda = MAX(lambda, 1e-9) * 10.0;
            if (lambda > 1e9)
                break;
        }
    }
    return sum;
}

static gboolean
refuse(GError **error, const char *text)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, text);
    return FALSE;
}

static gboolean
set_covariance(const Bundle *bundle, double sum, BgCalibration *to)
{
    g_autofree double *factors = g_new(double, (gsize) bundle->n_views * 36);
    double s[N_I * N_I], rhs[N_I], scale[N_I];
    double freedom = MAX(2.0 * bundle->n * bundle->n_views - N_I - 6.0 * bundle->n_views, 1.0);

    if (!reduce(bundle, 0.0, s, rhs, factors) || !scaled_cholesky(s, scale))
        return FALSE;
    for (int j = 0; j < N_I; j++) {
        double column[N_I] = { 0 };
        column[j] = 1.0;
        bg_dense_cholesky_apply(s, column, N_I);
        for (int i = 0; i < N_I; i++)
            to->covariance[i * N_I + j] = column[i] * scale[i] * scale[j] * sum / freedom;
    }
    for (int i = 0; i < N_I; i++)
        to->sd[i] = sqrt(to->covariance[i * N_I + i]);
    return TRUE;
}

static void
fill_views(const Bundle *bundle, double sum, BgCalibration *to)
{
    gsize n_views = (gsize) bundle->n_views;

    fill_camera(bundle->p, bundle->params, &to->camera);
    to->n_views = n_views;
    to->views = g_new(BgAffine, n_views);
    to->view_rms_px = g_new(double, n_views);
    to->rms_px = sqrt(sum / (double) (bundle->n * bundle->n_views));
    for (gsize view = 0; view < n_views; view++) {
        to->view_rms_px[view] = sqrt(bundle->sums[view] / bundle->n);
        for (int row = 0; row < 3; row++) {
            memcpy(to->views[view].m[row], bundle->poses[view].r + 3 * row, 3 * sizeof(double));
            to->views[view].m[row][3] = bundle->poses[view].t[row];
        }
    }
}

static gboolean
check_params(gsize n_views, const BgCalibrateParams *params, GError **error)
{
    if (n_views < BG_CALIBRATE_MIN_VIEWS) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: a number of photographs
                    _("The camera cannot be calibrated: the board was found in %zu photographs. "
                      "Give at least 3, tilted differently"),
                    n_views);
        return FALSE;
    }
    if (!(params->square_mm > 0.0) || !isfinite(params->square_mm))
        return refuse(error, _("The camera cannot be calibrated: the side of the board's squares "
                               "must be above 0 mm"));
    return TRUE;
}

BgCalibration *
bg_calibrate(const double *const *corners, gsize n_views, const BgCalibrateParams *params,
             GCancellable *cancellable, GError **error)
{
    g_autoptr(BgCalibration) result = NULL;
    Bundle bundle;

    if (!check_params(n_views, params, error))
        return NULL;
    bundle_init(&bundle, corners, n_views, params);
    start_intrinsics(&bundle);
    double sum = start_poses(&bundle) ? bundle_minimise(&bundle, cancellable) : HUGE_VAL;
    if (!g_cancellable_set_error_if_cancelled(cancellable, error)) {
        if (!(sum < HUGE_VAL))
            refuse(error, _("The camera cannot be calibrated: the corners are no pictures of one "
                            "board. Are its numbers of corners right?"));
        else {
            result = g_new0(BgCalibration, 1);
            fill_views(&bundle, sum, result);
            if (!set_covariance(&bundle, sum, result) ||
                !(result->sd[0] < MAX_SD_FOCAL * bundle.p[0]) ||
                !(result->sd[1] < MAX_SD_FOCAL * bundle.p[1])) {
                refuse(error, _("The camera cannot be calibrated: the photographs are too alike to "
                                "tell the focal length. Tilt the board by 30 degrees and more, in "
                                "several directions"));
                g_clear_pointer(&result, bg_calibration_free);
            }
        }
    }
    bundle_clear(&bundle);
    return g_steal_pointer(&result);
}

void
bg_calibration_free(BgCalibration *calibration)
{
    if (calibration == NULL)
        return;
    g_free(calibration->views);
    g_free(calibration->view_rms_px);
    g_free(calibration);
}
