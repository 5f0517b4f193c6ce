// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-pose.h"

#include "bg-dense-private.h"
#include "bg-pose-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/model/bg-distortion.h"

#include <math.h>
#include <string.h>

#define DEG (180.0 / G_PI)
#define MAX_STEPS 60
#define FIRST_STEPS 8        // of each start, before the best are refined
#define LOOK_STEPS 2         // after which a start has come near those that are known
#define FIRST_TOLERANCE 1e-5 // of the sum of squares: a start that gains less by a step has arrived
#define ALL_TRIPLES 14       // points up to which every triple is tried: 364
#define N_TRIPLES 600        // chosen at random above: 20 % outliers leave one clean in 3
#define PRIOR_FREEDOM 4.0    // degrees of freedom that the stated localisation error counts for
#define AGREEING 0.6
#define LINE 1e-3            // spread across over spread along: points on a line
#define MAX_SD_TURN_DEG 20.0 // beyond that the pose is not determined
#define MAX_SD_FOCAL 0.5
#define N_FOCALS 14
#define SAME_POSE_DEG 0.5
#define OTHER_POSE_FACTOR 1.5 // a pose is as good when its error is below that times the best, ...
#define OTHER_POSE_PX 0.25    // ... and this
#define MIRROR_FACTOR 0.5     // the mirrored fit must be that much better to be believed

typedef struct {
    BgRigid pose;
    double focal; // factor on K's
    double sum;   // of squares, px^2
} Fit;

typedef struct {
    double *x, *uv, *xy;
    BgPoseData data;
} Gathered;

static gboolean
refuse(GError **error, const char *text)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, text);
    return FALSE;
}

static void
gathered_init(Gathered *to, gsize n)
{
    to->x = g_new(double, 3 * MAX(n, 1));
    to->uv = g_new(double, 2 * MAX(n, 1));
    to->xy = g_new(double, 2 * MAX(n, 1));
    to->data = (BgPoseData){ .x = to->x, .uv = to->uv, .xy = to->xy };
}

static void
gathered_clear(Gathered *gathered)
{
    g_free(gathered->x);
    g_free(gathered->uv);
    g_free(gathered->xy);
}

static void
set_focal(Gathered *gathered, const BgCamera *camera, double focal)
{
    BgPoseData *data = &gathered->data;

    memcpy(data->k, camera->k, sizeof data->k);
    memcpy(data->d, camera->distortion, sizeof data->d);
    data->lens = bg_camera_has_distortion(camera);
    data->k[0] *= focal;
    data->k[1] *= focal;
    data->k[4] *= focal;
    for (int i = 0; i < data->n; i++) {
        double y = (data->uv[2 * i + 1] - data->k[5]) / data->k[4];
        double x = (data->uv[2 * i] - data->k[2] - data->k[1] * y) / data->k[0];
        bg_undistort(data->d, x, y, &gathered->xy[2 * i], &gathered->xy[2 * i + 1]);
    }
}

// The points with @used (or all), for a camera of K and lens.
static void
gather(Gathered *to, const BgPosePoint *points, gsize n, const gboolean *used,
       const BgCamera *camera)
{
    to->data.n = 0;
    for (gsize i = 0; i < n; i++) {
        if (used != NULL && !used[i])
            continue;
        int at = to->data.n++;
        to->x[3 * at] = points[i].patient_mm.x;
        to->x[3 * at + 1] = points[i].patient_mm.y;
        to->x[3 * at + 2] = points[i].patient_mm.z;
        to->uv[2 * at] = points[i].u;
        to->uv[2 * at + 1] = points[i].v;
    }
    set_focal(to, camera, 1.0);
}

static double
turn_between_deg(const BgRigid *a, const BgRigid *b)
{
    double trace = 0.0;

    for (int e = 0; e < 9; e++)
        trace += a->r[e] * b->r[e];
    return acos(CLAMP(0.5 * (trace - 1.0), -1.0, 1.0)) * DEG;
}

// Keeps the best fit and the best of those that are turned against it.
static void
rank(const Fit *fit, Fit *best, Fit *second)
{
    if (fit->sum < best->sum) {
        if (best->sum < HUGE_VAL && turn_between_deg(&fit->pose, &best->pose) > SAME_POSE_DEG)
            *second = *best;
        *best = *fit;
    } else if (fit->sum < second->sum && turn_between_deg(&fit->pose, &best->pose) > SAME_POSE_DEG)
        *second = *fit;
    if (second->sum < HUGE_VAL && turn_between_deg(&second->pose, &best->pose) <= SAME_POSE_DEG)
        second->sum = HUGE_VAL;
}

// Whether a start that has come near one of the two goes where they are.
static gboolean
is_known(const Fit *fit, const Fit *best, const Fit *second)
{
    return (best->sum < HUGE_VAL && turn_between_deg(&fit->pose, &best->pose) < SAME_POSE_DEG) ||
           (second->sum < HUGE_VAL && turn_between_deg(&fit->pose, &second->pose) < SAME_POSE_DEG);
}

// @enough_px: a best fit that is worse is not worth its last digits
static void
fit_starts(const BgPoseData *data, double enough_px, Fit *best, Fit *second)
{
    BgRigid starts[BG_POSE_MAX_STARTS];
    int n = bg_pose_starts(data, starts);

    best->sum = second->sum = HUGE_VAL;
    for (int i = 0; i < n; i++) {
        Fit fit = { starts[i], 1.0, HUGE_VAL };
        if (i > 0) {
            bg_pose_minimise_to(data, &fit.pose, NULL, LOOK_STEPS, FIRST_TOLERANCE, NULL);
            if (is_known(&fit, best, second))
                continue;
        }
        fit.sum = bg_pose_minimise_to(data, &fit.pose, NULL, FIRST_STEPS, FIRST_TOLERANCE, NULL);
        rank(&fit, best, second);
    }
    if (best->sum > enough_px * enough_px * data->n)
        return;
    if (best->sum < HUGE_VAL)
        best->sum = bg_pose_minimise(data, &best->pose, NULL, MAX_STEPS, NULL);
    if (second->sum < HUGE_VAL) {
        Fit first = *best, other = *second;
        other.sum = bg_pose_minimise(data, &other.pose, NULL, MAX_STEPS, NULL);
        second->sum = HUGE_VAL;
        rank(&other, best, second);
        if (best->sum < first.sum)
            rank(&first, best, second);
    }
}

// Any focal length from a wide angle to a long lens, then all seven parameters.
static void
fit_focal(Gathered *gathered, const BgCamera *camera, Fit *best, Fit *second)
{
    double longer = MAX(camera->width, camera->height);

    best->sum = second->sum = HUGE_VAL;
    for (int i = 0; i < N_FOCALS; i++) {
        double focal = 0.4 * longer * pow(1.4, i) / camera->k[0];
        Fit fit, other;
        set_focal(gathered, camera, focal);
        fit_starts(&gathered->data, HUGE_VAL, &fit, &other);
        if (!(fit.sum < HUGE_VAL))
            continue;
        set_focal(gathered, camera, 1.0);
        fit.focal = focal;
        fit.sum = bg_pose_minimise(&gathered->data, &fit.pose, &fit.focal, MAX_STEPS, NULL);
        rank(&fit, best, second);
    }
    set_focal(gathered, camera, 1.0);
}

static void
fit_all(Gathered *gathered, const BgCamera *camera, gboolean estimate_focal, double enough_px,
        Fit *best, Fit *second)
{
    if (estimate_focal)
        fit_focal(gathered, camera, best, second);
    else
        fit_starts(&gathered->data, enough_px, best, second);
}

static gsize
select_near(const BgPoseData *data, const Fit *fit, double limit_px, gboolean *used)
{
    gsize n = 0;

    for (int i = 0; i < data->n; i++) {
        used[i] = bg_pose_error2(data, &fit->pose, fit->focal, i) <= limit_px * limit_px;
        n += used[i] ? 1 : 0;
    }
    return n;
}

// Truncated squares (Torr and Zisserman 2000).
static double
score(const BgPoseData *data, const BgRigid *pose, double limit_px)
{
    double sum = 0.0, most = limit_px * limit_px;

    for (int i = 0; i < data->n; i++)
        sum += MIN(bg_pose_error2(data, pose, 1.0, i), most);
    return sum;
}

static gboolean
next_triple(GRand *random, int n, int which[3])
{
    if (random != NULL) {
        which[0] = g_rand_int_range(random, 0, n);
        which[1] = g_rand_int_range(random, 0, n);
        which[2] = g_rand_int_range(random, 0, n);
        return TRUE;
    }
    if (++which[2] < n)
        return TRUE;
    if (++which[1] >= n - 1) {
        which[0]++;
        which[1] = which[0] + 1;
    }
    which[2] = which[1] + 1;
    return which[0] < n - 2;
}

// The pose most points agree with, over triples of them. Twice the limit: three points with their
// own errors point others wrong.
static Fit
search_consensus(const BgPoseData *data, double limit_px, guint64 seed)
{
    Fit best = { .focal = 1.0, .sum = HUGE_VAL };
    gboolean all = data->n <= ALL_TRIPLES;
    int which[3] = { 0, 1, 1 };
    g_autoptr(GRand) random =
        all ? NULL
            : g_rand_new_with_seed_array(
                  (const guint32[]){ (guint32) seed, (guint32) (seed >> 32) }, 2);

    for (int tried = 0; all || tried < N_TRIPLES; tried++) {
        BgRigid poses[4];
        if (!next_triple(random, data->n, which))
            break;
        if (which[0] == which[1] || which[1] == which[2] || which[0] == which[2])
            continue;
        int n = bg_pose_p3p(data, which, poses);
        for (int i = 0; i < n; i++) {
            double sum = score(data, &poses[i], 2.0 * limit_px);
            if (sum < best.sum)
                best = (Fit){ poses[i], 1.0, sum };
        }
    }
    return best;
}

static gsize
count_used(const gboolean *used, gsize n)
{
    gsize count = 0;

    for (gsize i = 0; i < n; i++)
        count += used[i] ? 1 : 0;
    return count;
}

static gboolean is_line(const BgPoseData *data);

// Fits what agrees, and asks again who agrees, until that stays.
static gsize
settle(Gathered *all, Gathered *some, const BgPosePoint *points, gsize n, const BgCamera *camera,
       gboolean estimate_focal, double limit_px, Fit *fit, Fit *second, gboolean *used)
{
    g_autofree gboolean *before = g_new0(gboolean, n);
    gsize n_used = count_used(used, n);

    for (int round = 0; round < 8; round++) {
        if (n_used < BG_POSE_MIN_POINTS)
            return n_used;
        gather(some, points, n, used, camera);
        if (is_line(&some->data))
            return 0;
        fit_all(some, camera, estimate_focal, HUGE_VAL, fit, second);
        if (!(fit->sum < HUGE_VAL))
            return 0;
        memcpy(before, used, sizeof *used * n);
        n_used = select_near(&all->data, fit, limit_px, used);
        if (memcmp(before, used, sizeof *used * n) == 0)
            break;
    }
    return n_used;
}

// Any three points have a pose, and of many others a fourth agrees by chance: the most must agree.
static gsize
least_agreeing(gsize n)
{
    gsize most = (gsize) ceil(AGREEING * (double) n);

    return n > 5 ? MAX(most, BG_POSE_MIN_POINTS + 1) : BG_POSE_MIN_POINTS;
}

static gsize
fit_consensus(Gathered *all, const BgPosePoint *points, gsize n, const BgPoseParams *params,
              const BgCamera *camera, double limit_px, Fit *fit, Fit *second, gboolean *used)
{
    Gathered some;
    Fit best = { .sum = HUGE_VAL };

    if (params->estimate_focal) { // of each focal length, then all parameters of who agrees
        double longer = MAX(camera->width, camera->height);
        for (int i = 0; i < N_FOCALS; i++) {
            double focal = 0.4 * longer * pow(1.4, i) / camera->k[0];
            set_focal(all, camera, focal);
            Fit found = search_consensus(&all->data, limit_px, params->seed);
            found.focal = focal;
            if (found.sum < best.sum)
                best = found;
        }
        set_focal(all, camera, 1.0);
    } else
        best = search_consensus(&all->data, limit_px, params->seed);
    if (!(best.sum < HUGE_VAL))
        return 0;

    gathered_init(&some, n);
    select_near(&all->data, &best, 2.0 * limit_px, used);
    gsize n_used =
        settle(all, &some, points, n, camera, params->estimate_focal, limit_px, fit, second, used);
    gathered_clear(&some);
    return n_used >= least_agreeing(n) ? n_used : 0;
}

static gboolean
is_line(const BgPoseData *data)
{
    double mean[3], axes[9], spread[3];

    bg_pose_axes(data->x, data->n, mean, axes, spread);
    return !(spread[1] > LINE * spread[2]) || !(spread[2] > 0.0);
}

static gboolean
check_points(const BgPosePoint *points, gsize n, const BgPoseParams *params, const BgPoseData *data,
             GError **error)
{
    double low[2] = { HUGE_VAL, HUGE_VAL }, high[2] = { -HUGE_VAL, -HUGE_VAL };

    if (n < BG_POSE_MIN_POINTS) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: a number of points
                    _("The camera's pose cannot be found: %zu points in both volume and "
                      "photograph. Place at least 4"),
                    n);
        return FALSE;
    }
    for (gsize i = 0; i < n; i++) {
        if (!bg_vec3_is_finite(points[i].patient_mm) || !isfinite(points[i].u) ||
            !isfinite(points[i].v))
            return refuse(error, _("The camera's pose cannot be found: a point's place is not a "
                                   "number. Place it again"));
        low[0] = MIN(low[0], points[i].u);
        low[1] = MIN(low[1], points[i].v);
        high[0] = MAX(high[0], points[i].u);
        high[1] = MAX(high[1], points[i].v);
    }
    if (!(params->camera.k[0] > 0.0) || !(params->camera.k[4] > 0.0) || params->camera.width < 1 ||
        params->camera.height < 1 || params->camera.parallel)
        return refuse(error, _("The camera's pose cannot be found: its focal lengths and picture "
                               "size are wanted. Calibrate it, or give focal length and sensor"));
    if (is_line(data))
        return refuse(error, _("The camera's pose cannot be found: the points of the volume lie on "
                               "one line or in one place. Place one well beside it"));
    if (hypot(high[0] - low[0], high[1] - low[1]) < 4.0)
        return refuse(error, _("The camera's pose cannot be found: the points of the photograph "
                               "lie in one place. Place them apart"));
    return TRUE;
}

static double
get_noise(const BgPoseParams *params)
{
    double longer = MAX(params->camera.width, params->camera.height);

    return params->noise_px > 0.0 ? params->noise_px : MAX(2.0, longer / 500.0);
}

static void
to_camera(const BgCamera *intrinsics, const Fit *fit, BgCamera *camera)
{
    *camera = *intrinsics;
    camera->k[0] *= fit->focal;
    camera->k[1] *= fit->focal;
    camera->k[4] *= fit->focal;
    for (int row = 0; row < 3; row++) {
        memcpy(camera->camera_from_patient.m[row], fit->pose.r + 3 * row, 3 * sizeof *fit->pose.r);
        camera->camera_from_patient.m[row][3] = fit->pose.t[row];
    }
}

// The camera looks at the points from their outer side.
static gboolean
is_outside(const BgPoseParams *params, const BgPoseData *data, const Fit *fit)
{
    double mean[3], axes[9], spread[3];
    BgCamera camera;
    BgVec3 centre, direction;

    if (!params->has_inside)
        return TRUE;
    bg_pose_axes(data->x, data->n, mean, axes, spread);
    to_camera(&params->camera, fit, &camera);
    bg_camera_ray(&camera, 0.0, 0.0, &centre, &direction);
    BgVec3 middle = bg_vec3(mean[0], mean[1], mean[2]);
    return bg_vec3_dot(bg_vec3_sub(centre, middle), bg_vec3_sub(middle, params->inside_mm)) > 0.0;
}

// Covariance = sigma^2 (J^T J)^-1, in units in which it is well conditioned.
static gboolean
set_covariance(const BgPoseData *data, const Fit *fit, double noise_px, gboolean focal,
               BgPoseResult *result)
{
    int n = focal ? 7 : 6;
    double h[49], inverse[49], scale[7];
    Fit at = *fit;

    bg_pose_minimise(data, &at.pose, focal ? &at.focal : NULL, 0, h);
    for (int i = 0; i < n; i++)
        scale[i] = h[i * n + i] > 0.0 ? 1.0 / sqrt(h[i * n + i]) : 1.0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            h[i * n + j] *= scale[i] * scale[j];
    }
    if (!bg_dense_invert(h, inverse, n))
        return FALSE;

    double freedom = MAX(2.0 * data->n - n, 0.0);
    double sigma2 = (fit->sum + PRIOR_FREEDOM * noise_px * noise_px) / (freedom + PRIOR_FREEDOM);
    result->n_parameters = n;
    result->sigma_px = sqrt(sigma2);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            result->covariance[i * n + j] = sigma2 * inverse[i * n + j] * scale[i] * scale[j];
    }
    for (int i = 0; i < 3; i++) {
        result->sd_rotation_deg[i] = sqrt(result->covariance[i * n + i]) * DEG;
        result->sd_t_mm[i] = sqrt(result->covariance[(3 + i) * n + 3 + i]);
    }
    result->sd_focal = focal ? sqrt(result->covariance[48]) : 0.0;
    return TRUE;
}

static gboolean
check_determined(const BgPoseResult *result, gboolean has_covariance, GError **error)
{
    const double *turn = result->sd_rotation_deg;

    if (!has_covariance || !(MAX(turn[0], MAX(turn[1], turn[2])) < MAX_SD_TURN_DEG))
        return refuse(error, _("The camera's pose cannot be found: these points leave it open. "
                               "Place more of them, farther apart and not all in one plane"));
    if (!(result->sd_focal < MAX_SD_FOCAL))
        return refuse(error, _("The focal length cannot be found: these points leave it open. Give "
                               "it, or place points at more different depths"));
    return TRUE;
}

typedef struct {
    Fit fit, second;
    gsize n_used;
    gboolean *used; // owned
    double rms_px;
    gboolean outside;
} Attempt;

// @enough_px: as fit_starts()
static void
attempt(const BgPosePoint *points, gsize n, const BgPoseParams *params, const BgCamera *camera,
        double enough_px, Attempt *to)
{
    double limit_px = BG_POSE_OUTLIER_SIGMAS * get_noise(params);
    Gathered all;

    *to = (Attempt){ .used = g_new0(gboolean, n) };
    gathered_init(&all, n);
    gather(&all, points, n, NULL, camera);
    fit_all(&all, camera, params->estimate_focal, enough_px, &to->fit, &to->second);
    if (to->fit.sum < HUGE_VAL && (!params->robust || n == BG_POSE_MIN_POINTS)) {
        for (gsize i = 0; i < n; i++)
            to->used[i] = TRUE;
        to->n_used = n;
    } else if (params->robust) {
        to->n_used =
            to->fit.sum < HUGE_VAL ? select_near(&all.data, &to->fit, limit_px, to->used) : 0;
        if (to->n_used < n)
            to->n_used = fit_consensus(&all, points, n, params, camera, limit_px, &to->fit,
                                       &to->second, to->used);
    }
    double sum = 0.0;
    for (gsize i = 0; i < n && to->n_used > 0; i++) {
        if (to->used[i])
            sum += bg_pose_error2(&all.data, &to->fit.pose, to->fit.focal, (int) i);
    }
    to->rms_px = to->n_used > 0 ? sqrt(sum / (double) to->n_used) : HUGE_VAL;
    to->outside = to->n_used > 0 && is_outside(params, &all.data, &to->fit);
    // Of two tilts that explain the points alike, only the one from outside is possible.
    if (to->n_used > 0 && !to->outside && to->second.sum < HUGE_VAL &&
        to->second.sum <=
            pow(OTHER_POSE_FACTOR * to->rms_px + OTHER_POSE_PX, 2.0) * (double) to->n_used &&
        is_outside(params, &all.data, &to->second)) {
        Fit swap = to->fit;
        to->fit = to->second;
        to->second = swap;
        to->outside = TRUE;
        to->rms_px = sqrt(to->fit.sum / (double) to->n_used);
    }
    gathered_clear(&all);
}

BgCamera
bg_pose_mirror_camera(const BgCamera *camera)
{
    BgCamera mirror = *camera;

    mirror.k[2] = camera->width - 1 - camera->k[2];
    mirror.k[1] = -camera->k[1];
    mirror.distortion[3] = -camera->distortion[3]; // p2 is the one that is odd in x
    return mirror;
}

static BgPosePoint *
mirror_points(const BgPosePoint *points, gsize n, int width)
{
    BgPosePoint *to = g_memdup2(points, sizeof *points * MAX(n, 1));

    for (gsize i = 0; i < n; i++)
        to[i].u = width - 1 - points[i].u;
    return to;
}

// How much worse than @n_used points at @rms_px: an attempt that needs to drop points loses.
static gboolean
is_clearly_better(const Attempt *a, const Attempt *b, double noise_px)
{
    if (a->n_used < BG_POSE_MIN_POINTS || !a->outside)
        return FALSE;
    if (b->n_used < BG_POSE_MIN_POINTS || !b->outside)
        return a->rms_px < BG_POSE_OUTLIER_SIGMAS * noise_px;
    if (a->n_used != b->n_used)
        return a->n_used >= b->n_used + 2 && a->rms_px < BG_POSE_OUTLIER_SIGMAS * noise_px;
    return a->rms_px < MIRROR_FACTOR * b->rms_px && b->rms_px > 2.0 * noise_px;
}

static gboolean
tell_mirrored(gboolean mirrored, GError **error)
{
    g_set_error_literal(
        error, BG_ERROR, BG_ERROR_MISMATCH,
        mirrored
            ? _("The camera's pose cannot be found: the photograph is said to be mirrored, "
                "but its points fit as they are. Take it as it is")
            : _("The camera's pose cannot be found: the photograph is mirrored: its points fit "
                "with left and right swapped. Say that it is mirrored, or take the original"));
    return FALSE;
}

static gboolean
check_attempt(const Attempt *one, const Attempt *mirror, const BgPoseParams *params, GError **error)
{
    if (is_clearly_better(mirror, one, get_noise(params)))
        return tell_mirrored(params->mirrored, error);
    if (one->n_used < BG_POSE_MIN_POINTS)
        return refuse(error,
                      _("The camera's pose cannot be found: too few of the points agree with "
                        "one. Look for points that were taken for each other"));
    if (!one->outside)
        return refuse(error, _("The camera's pose cannot be found: the points are seen from inside "
                               "of the head. Is the photograph mirrored, or are two points "
                               "swapped?"));
    return TRUE;
}

static gboolean
finish(const BgPosePoint *points, gsize n, const BgPoseParams *params, const BgCamera *camera,
       const Attempt *one, BgPoseResult *result, GError **error)
{
    Gathered some;

    gathered_init(&some, n);
    gather(&some, points, n, one->used, camera);
    Fit fit = one->fit;
    *result = (BgPoseResult){ .n_used = one->n_used,
                              .mirrored = params->mirrored,
                              .rms_px = one->rms_px };
    fit.sum = one->rms_px * one->rms_px * (double) one->n_used;
    to_camera(camera, &fit, &result->camera);
    gboolean has =
        set_covariance(&some.data, &fit, get_noise(params), params->estimate_focal, result);
    if (one->second.sum < HUGE_VAL) {
        result->second_rms_px = sqrt(one->second.sum / (double) one->n_used);
        result->second_angle_deg = turn_between_deg(&one->fit.pose, &one->second.pose);
        result->has_second =
            result->second_rms_px < OTHER_POSE_FACTOR * one->rms_px + OTHER_POSE_PX &&
            is_outside(params, &some.data, &one->second);
    }
    gathered_clear(&some);
    return check_determined(result, has, error);
}

gboolean
bg_pose_estimate(const BgPosePoint *points, gsize n_points, const BgPoseParams *params,
                 gboolean *used, BgPoseResult *result, GError **error)
{
    BgCamera camera = params->mirrored ? bg_pose_mirror_camera(&params->camera) : params->camera;
    BgCamera other = bg_pose_mirror_camera(&camera);
    g_autofree BgPosePoint *flipped = mirror_points(points, n_points, camera.width);
    const BgPosePoint *direct = params->mirrored ? flipped : points;
    const BgPosePoint *swapped = params->mirrored ? points : flipped;
    Attempt one, mirror;
    BgPoseResult found;
    Gathered all;

    gathered_init(&all, n_points);
    gather(&all, direct, n_points, NULL, &camera);
    gboolean ok = check_points(points, n_points, params, &all.data, error);
    gathered_clear(&all);
    if (!ok)
        return FALSE;

    attempt(direct, n_points, params, &camera, HUGE_VAL, &one);
    // Whether the mirror image is far behind is all that is asked of it.
    double behind_px =
        2.0 * (OTHER_POSE_FACTOR * MIN(one.rms_px, 1e6) + OTHER_POSE_PX + get_noise(params));
    attempt(swapped, n_points, params, &other, behind_px, &mirror);
    ok = check_attempt(&one, &mirror, params, error) &&
         finish(direct, n_points, params, &camera, &one, &found, error);
    if (ok) {
        found.mirror_unclear = !params->has_inside && mirror.n_used >= one.n_used &&
                               mirror.rms_px < OTHER_POSE_FACTOR * one.rms_px + OTHER_POSE_PX;
        *result = found;
        if (used != NULL)
            memcpy(used, one.used, sizeof *used * n_points);
    }
    g_free(one.used);
    g_free(mirror.used);
    return ok;
}

void
bg_pose_residual(const BgPoseResult *result, const BgPosePoint *point, BgPoseResidual *residual)
{
    const BgCamera *camera = &result->camera;
    double depth_mm;

    residual->u = residual->v = (double) NAN;
    residual->error_px = residual->error_mm = residual->expected_px = (double) NAN;
    if (!bg_camera_project(camera, point->patient_mm, &residual->u, &residual->v, &depth_mm))
        return;
    bg_camera_distort_pixel(camera, &residual->u, &residual->v);
    if (result->mirrored)
        residual->u = camera->width - 1 - residual->u;
    residual->error_px = hypot(residual->u - point->u, residual->v - point->v);
    residual->error_mm = residual->error_px * bg_camera_mm_per_pixel(camera, point->patient_mm);
    BgPoseTargetError expected;
    if (bg_pose_target_error(result, point->patient_mm, &expected))
        residual->expected_px = expected.rms_px;
}

void
bg_pose_take_camera(BgPoseResult *result, const BgCamera *camera, GArray *residuals)
{
    double sum = 0.0;
    guint n = 0;

    result->camera = *camera;
    for (guint i = 0; i < residuals->len; i++) {
        BgPoseResidual *row = &g_array_index(residuals, BgPoseResidual, i);
        bg_pose_residual(result, &row->point, row);
        if (row->used) {
            sum += row->error_px * row->error_px;
            n++;
        }
    }
    result->rms_px = n > 0 ? sqrt(sum / n) : (double) NAN;
}

gboolean
bg_pose_from_landmarks(BgLandmarks *in_patient, BgLandmarks *in_picture, const BgPoseParams *params,
                       BgPoseResult *result, GArray **residuals, GError **error)
{
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(BgPosePoint));
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(BgPosePoint));
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(BgPoseResidual));

    if (bg_landmarks_get_space(in_patient) != BG_LANDMARK_PATIENT ||
        bg_landmarks_get_space(in_picture) != BG_LANDMARK_PICTURE)
        return refuse(error, _("The camera's pose cannot be found: one list of points in the "
                               "volume (x, y, z) and one in the photograph (u, v) are wanted"));
    for (gsize i = 0; i < bg_landmarks_count(in_patient); i++) {
        const BgLandmark *a = bg_landmarks_get(in_patient, i);
        const BgLandmark *b = bg_landmarks_find(in_picture, a->name);
        if (b == NULL || !a->placed || !b->placed ||
            bg_pose_stricter(a->use, b->use) == BG_LANDMARK_SKIP)
            continue;
        BgPosePoint point = { a->position, b->position.x, b->position.y };
        BgPoseResidual row = { .name = a->name,
                               .point = point,
                               .use = bg_pose_stricter(a->use, b->use) };
        g_array_append_val(all, point);
        g_array_append_val(list, row);
        if (row.use == BG_LANDMARK_FIT)
            g_array_append_val(points, point);
    }
    g_autofree gboolean *used = g_new0(gboolean, MAX(points->len, 1));
    if (!bg_pose_estimate((const BgPosePoint *) (gpointer) points->data, points->len, params, used,
                          result, error))
        return FALSE;
    for (guint i = 0, fit = 0; i < list->len; i++) {
        BgPoseResidual *row = &g_array_index(list, BgPoseResidual, i);
        bg_pose_residual(result, &g_array_index(all, BgPosePoint, i), row);
        row->used = row->use == BG_LANDMARK_FIT && used[fit++];
    }
    *residuals = g_steal_pointer(&list);
    return TRUE;
}
