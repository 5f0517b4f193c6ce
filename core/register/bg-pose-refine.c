// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-pose-refine.h"

#include "bg-dense-private.h"
#include "bg-grey-private.h"
#include "bg-joint-private.h"
#include "bg-uphill-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/model/bg-distortion.h"

#include <math.h>
#include <string.h>

#define N_P 6
#define VIEW_PX 400 // the longer side at which the surface is drawn
#define DEFAULT_SAMPLES 6000
#define MIN_SAMPLES 200
#define MIN_FACING 0.25f // surface seen from aside moves little and shades much
#define VALUE_STEPS 7    // hats over the values' range: light is any function of the value
#define N_FEATURES (VALUE_STEPS + 5) // and linear in the normal, in relief and its square
#define RELIEF_MM 8.0 // the surface is compared with its mean over a window of that size
#define RIDGE 1e-3
#define REGION_GROWN 1.3
#define WEIGHT 0.05     // independent samples in one: neighbours show the same
#define DIFFERENCE 0.05 // step of the numerical gradient, in standard deviations of the start
#define MAX_ROUNDS 40
#define END_STEP 2e-3
#define N_STARTS 3 // other starts that must end at the same place
#define START_SIGMAS 1.0
#define MAX_SIGMAS 5.5 // farther from the landmarks than that: 6 numbers, 1 in 10^4
#define MAX_SPREAD_MM 0.35
#define MIN_GAIN 0.01 // of mutual information; with less there was nothing to see

static const double blurs_px[] = { 5.0, 2.5, 1.2 }; // of a picture of 640 pixels

typedef struct {
    double x, y, z;
    float bin; // of the light that is expected there, 0..BG_JOINT_BINS - 1
    float value, relief_mm, normal[3];
} Sample;

typedef struct {
    const BgPoseResult *start; // borrowed
    Sample *samples;
    int n;
    BgGrey grey;             // blurred
    float low, scale;        // grey to bins
    double basis[N_P * N_P]; // z to turn and shift: a square root of the covariance
    guint n_evaluations;
} Refiner;

static void
moved_camera(const Refiner *refiner, const double z[N_P], BgCamera *camera)
{
    const BgAffine *from = &refiner->start->camera.camera_from_patient;
    double step[N_P], turn[9];

    for (int i = 0; i < N_P; i++) {
        step[i] = 0.0;
        for (int j = 0; j < N_P; j++)
            step[i] += refiner->basis[i * N_P + j] * z[j];
    }
    bg_dense_rotation(step, turn);
    *camera = refiner->start->camera;
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++) {
            double sum = 0.0;
            for (int k = 0; k < 3; k++)
                sum += turn[3 * r + k] * from->m[k][c];
            camera->camera_from_patient.m[r][c] = sum;
        }
        camera->camera_from_patient.m[r][3] = from->m[r][3] + step[3 + r];
    }
}

// Pixel of the photograph as it was taken, which may be mirrored.
static gboolean
to_photograph(const Refiner *refiner, const BgCamera *camera, const Sample *s, double *u, double *v)
{
    double depth_mm;

    if (!bg_camera_project_lens(camera, bg_vec3(s->x, s->y, s->z), u, v, &depth_mm))
        return FALSE;
    if (refiner->start->mirrored)
        *u = camera->width - 1 - *u;
    return TRUE;
}

static double
metric_at(Refiner *refiner, const double z[N_P])
{
    BgCamera camera;
    BgJoint joint;

    refiner->n_evaluations++;
    moved_camera(refiner, z, &camera);
    bg_joint_clear(&joint);
    for (int n = 0; n < refiner->n; n++) {
        const Sample *s = &refiner->samples[n];
        double u, v;
        if (!to_photograph(refiner, &camera, s, &u, &v) || u < 0.0 || v < 0.0 ||
            u > camera.width - 1 || v > camera.height - 1)
            continue;
        bg_joint_add(&joint, s->bin,
                     (bg_grey_at(&refiner->grey, u, v) - refiner->low) * refiner->scale);
    }
    // What has left the photograph counts as knowing nothing.
    return bg_joint_information(&joint) * joint.sum / refiner->n;
}

// What is maximised: the samples' log-likelihood ratio and the landmarks' Gaussian.
static double
objective(const double *z, gpointer user_data)
{
    Refiner *refiner = user_data;
    double square = 0.0;

    for (int i = 0; i < N_P; i++)
        square += z[i] * z[i];
    return WEIGHT * refiner->n * metric_at(refiner, z) - 0.5 * square;
}

static double
climb(Refiner *refiner, double z[N_P], GCancellable *cancellable)
{
    BgUphill uphill = { .function = objective,
                        .user_data = refiner,
                        .n = N_P,
                        .difference = DIFFERENCE,
                        .max_step = 1.0, // one standard deviation
                        .end_step = END_STEP,
                        .trust = 1e-2,
                        .max_rounds = MAX_ROUNDS };

    return bg_uphill(&uphill, z, cancellable);
}

static gboolean
set_basis(Refiner *refiner)
{
    int n = refiner->start->n_parameters;

    for (int i = 0; i < N_P; i++) {
        for (int j = 0; j < N_P; j++)
            refiner->basis[i * N_P + j] = refiner->start->covariance[i * n + j];
    }
    if (!bg_dense_cholesky(refiner->basis, N_P))
        return FALSE;
    for (int i = 0; i < N_P; i++) {
        for (int j = i + 1; j < N_P; j++)
            refiner->basis[i * N_P + j] = 0.0;
    }
    return TRUE;
}

typedef struct {
    double u, v;
} Corner;

static int
compare_corners(gconstpointer a, gconstpointer b)
{
    const Corner *p = a, *q = b;

    return p->u < q->u ? -1 : p->u > q->u ? 1 : p->v < q->v ? -1 : p->v > q->v;
}

// Andrew's monotone chain, then grown about its middle. Returns: Corner, counter-clockwise with v up
static GArray *
region_hull(const double *region, gsize n)
{
    GArray *hull = g_array_new(FALSE, FALSE, sizeof(Corner));
    g_autofree Corner *sorted = g_memdup2(region, n * sizeof *sorted);
    double cu = 0.0, cv = 0.0;

    qsort(sorted, n, sizeof *sorted, (int (*)(const void *, const void *)) compare_corners);
    for (int pass = 0; pass < 2; pass++) {
        guint first = hull->len;
        for (gsize i = 0; i < n; i++) {
            Corner c = sorted[pass == 0 ? i : n - 1 - i];
            while (hull->len >= first + 2) {
                const Corner *a = &g_array_index(hull, Corner, hull->len - 2), *b = a + 1;
                if ((b->u - a->u) * (c.v - a->v) - (b->v - a->v) * (c.u - a->u) > 0.0)
                    break;
                g_array_set_size(hull, hull->len - 1);
            }
            g_array_append_val(hull, c);
        }
        g_array_set_size(hull, hull->len - 1); // the other chain's first
    }
    for (guint i = 0; i < hull->len; i++) {
        cu += g_array_index(hull, Corner, i).u / hull->len;
        cv += g_array_index(hull, Corner, i).v / hull->len;
    }
    for (guint i = 0; i < hull->len; i++) {
        Corner *c = &g_array_index(hull, Corner, i);
        c->u = cu + REGION_GROWN * (c->u - cu);
        c->v = cv + REGION_GROWN * (c->v - cv);
    }
    return hull;
}

static gboolean
is_inside(const GArray *hull, double u, double v)
{
    for (guint i = 0; hull != NULL && i < hull->len; i++) {
        const Corner *a = &g_array_index(hull, Corner, i);
        const Corner *b = &g_array_index(hull, Corner, (i + 1) % hull->len);
        if ((b->u - a->u) * (v - a->v) - (b->v - a->v) * (u - a->u) < 0.0)
            return FALSE;
    }
    return TRUE;
}

static void
fill_features(const Sample *s, float low, float high, double f[N_FEATURES])
{
    float at = high > low ? (s->value - low) / (high - low) * (VALUE_STEPS - 1) : 0.0f;
    double relief = CLAMP((double) s->relief_mm / 5.0, -1.5, 1.5);

    at = CLAMP(at, 0.0f, VALUE_STEPS - 1.001f);
    memset(f, 0, N_FEATURES * sizeof *f);
    f[(int) at] = (double) (1.0f - (at - (float) (int) at));
    f[(int) at + 1] = 1.0 - f[(int) at];
    for (int k = 0; k < 3; k++)
        f[VALUE_STEPS + k] = (double) s->normal[k];
    f[VALUE_STEPS + 3] = relief;
    f[VALUE_STEPS + 4] = relief * relief;
}

// How the surface is lit and what its values look like is not known: the photograph at the pose so far
// tells it, by least squares. Bins are of the light expected from that.
static void
set_bins(Refiner *refiner, const float *greys)
{
    double h[N_FEATURES * N_FEATURES] = { 0 }, g[N_FEATURES] = { 0 }, f[N_FEATURES];
    g_autofree float *values = g_new(float, (gsize) refiner->n);
    float low, high;

    for (int i = 0; i < refiner->n; i++)
        values[i] = refiner->samples[i].value;
    bg_joint_range(values, (gsize) refiner->n, &low, &high);
    for (int i = 0; i < refiner->n; i++) {
        fill_features(&refiner->samples[i], low, high, f);
        for (int r = 0; r < N_FEATURES; r++) {
            g[r] += f[r] * (double) greys[i];
            for (int c = 0; c < N_FEATURES; c++)
                h[r * N_FEATURES + c] += f[r] * f[c];
        }
    }
    for (int r = 0; r < N_FEATURES; r++)
        h[r * (N_FEATURES + 1)] += RIDGE * refiner->n;
    if (bg_dense_cholesky(h, N_FEATURES))
        bg_dense_cholesky_apply(h, g, N_FEATURES);
    for (int i = 0; i < refiner->n; i++) {
        double light = 0.0;
        fill_features(&refiner->samples[i], low, high, f);
        for (int r = 0; r < N_FEATURES; r++)
            light += g[r] * f[r];
        refiner->samples[i].bin = values[i] = (float) light;
    }
    bg_joint_range(values, (gsize) refiner->n, &low, &high);
    float scale = high > low ? (BG_JOINT_BINS - 1.0f) / (high - low) : 0.0f;
    for (int i = 0; i < refiner->n; i++)
        refiner->samples[i].bin =
            CLAMP((refiner->samples[i].bin - low) * scale, 0.0f, BG_JOINT_BINS - 1.001f);
}

// Half the window of the relief in pixels of the view.
static int
get_window_px(const BgCortexView *view)
{
    const BgCamera *camera = &view->camera;
    gsize n = (gsize) camera->width * (gsize) camera->height;
    double sum = 0.0, count = 0.0;

    for (gsize i = 0; i < n; i += 17) {
        if (isfinite(view->depth_mm[i])) {
            sum += (double) view->depth_mm[i];
            count += 1.0;
        }
    }
    double mm = count > 0.0 ? sum / count / sqrt(camera->k[0] * camera->k[4]) : 1.0;
    return CLAMP((int) (0.5 * RELIEF_MM / mm), 2, 40);
}

// How far the surface stands out before its surroundings, towards the camera.
static float
relief_at(const BgCortexView *view, int u, int v, int window_px)
{
    int w = view->camera.width, h = view->camera.height, step = MAX(window_px / 4, 1), n = 0;
    float here = view->depth_mm[(gsize) v * (gsize) w + (gsize) u], sum = 0.0f;

    for (int j = -window_px; j <= window_px; j += step) {
        for (int i = -window_px; i <= window_px; i += step) {
            int x = u + i, y = v + j;
            if (x < 0 || y < 0 || x >= w || y >= h)
                continue;
            float there = view->depth_mm[(gsize) y * (gsize) w + (gsize) x];
            if (isfinite(there)) {
                sum += there;
                n++;
            }
        }
    }
    return n > 0 ? sum / (float) n - here : 0.0f;
}

// What the camera sees of the surface now, on a lattice of its picture.
static gboolean
take_samples(Refiner *refiner, const BgPoseRefineParams *params, const BgCamera *camera,
             const GArray *hull, GCancellable *cancellable, GError **error)
{
    double scale = MIN((double) VIEW_PX / MAX(camera->width, camera->height), 1.0);
    BgCamera small = bg_camera_resized(camera, MAX((int) (camera->width * scale), 1),
                                       MAX((int) (camera->height * scale), 1));
    g_autoptr(BgCortexView) view = bg_cortex_view_new(params->cortex, &small, cancellable, error);
    if (view == NULL)
        return FALSE;

    int w = small.width, h = small.height, n_seen = 0;
    g_autofree Sample *all = g_new(Sample, (gsize) w * (gsize) h);
    int window_px = get_window_px(view);
    for (int v = 0; v < h; v++) {
        for (int u = 0; u < w; u++) {
            gsize at = (gsize) v * (gsize) w + (gsize) u;
            double pu, pv;
            BgVec3 p;
            if (!(view->facing[at] > MIN_FACING) || !bg_cortex_view_point(view, u, v, &p))
                continue;
            const float *n = view->normal + 3 * at;
            all[n_seen] = (Sample){ .x = p.x,
                                    .y = p.y,
                                    .z = p.z,
                                    .value = view->value[at],
                                    .relief_mm = relief_at(view, u, v, window_px),
                                    .normal = { n[0], n[1], n[2] } };
            if (!to_photograph(refiner, camera, &all[n_seen], &pu, &pv) || !is_inside(hull, pu, pv))
                continue;
            n_seen++;
        }
    }
    if (n_seen < MIN_SAMPLES) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The pose cannot be refined: the camera sees too little of the "
                              "surface. Look at the landmarks and at the surface's place"));
        return FALSE;
    }
    int wanted = params->n_samples > 0 ? (int) params->n_samples : DEFAULT_SAMPLES;
    refiner->n = MIN(wanted, n_seen);
    g_free(refiner->samples);
    refiner->samples = g_new(Sample, (gsize) refiner->n);
    for (int i = 0; i < refiner->n; i++) { // evenly among them
        int from = (int) ((gint64) i * n_seen / refiner->n);
        refiner->samples[i] = all[from];
    }
    return TRUE;
}

// What the photograph shows where the samples are: the range of its greys, and the light expected.
static void
set_greys(Refiner *refiner, const BgCamera *camera)
{
    g_autofree float *greys = g_new0(float, (gsize) refiner->n);
    float high;

    for (int i = 0; i < refiner->n; i++) {
        double u, v;
        if (to_photograph(refiner, camera, &refiner->samples[i], &u, &v))
            greys[i] = bg_grey_at(&refiner->grey, u, v);
    }
    set_bins(refiner, greys);
    bg_joint_range(greys, (gsize) refiner->n, &refiner->low, &high);
    refiner->scale = high > refiner->low ? (BG_JOINT_BINS - 1.0f) / (high - refiner->low) : 0.0f;
}

// Root mean square distance of where two poses show the samples.
static void
distance_between(const Refiner *refiner, const double a[N_P], const double b[N_P], double *px,
                 double *mm)
{
    double px2 = 0.0, mm2 = 0.0;
    BgCamera one, other;
    int n = 0;

    moved_camera(refiner, a, &one);
    moved_camera(refiner, b, &other);
    for (int i = 0; i < refiner->n; i += 7) {
        const Sample *s = &refiner->samples[i];
        double u, v, x, y;
        if (!to_photograph(refiner, &one, s, &u, &v) || !to_photograph(refiner, &other, s, &x, &y))
            continue;
        double square = (u - x) * (u - x) + (v - y) * (v - y);
        double per_px = bg_camera_mm_per_pixel(&one, bg_vec3(s->x, s->y, s->z));
        px2 += square;
        mm2 += square * per_px * per_px;
        n++;
    }
    *px = n > 0 ? sqrt(px2 / n) : 0.0;
    *mm = n > 0 ? sqrt(mm2 / n) : 0.0;
}

// One resolution: what is seen from the pose so far, then uphill from there.
static gboolean
refine_level(Refiner *refiner, const BgPoseRefineParams *params, const BgGrey *photograph,
             double blur_px, const GArray *hull, double z[N_P], GCancellable *cancellable,
             GError **error)
{
    BgCamera camera;

    moved_camera(refiner, z, &camera);
    bg_grey_clear(&refiner->grey);
    if (!bg_grey_blurred(photograph, blur_px, &refiner->grey, error) ||
        !take_samples(refiner, params, &camera, hull, cancellable, error))
        return FALSE;
    set_greys(refiner, &camera);
    climb(refiner, z, cancellable);
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

// Other starts at the last resolution: the best is kept, and how far the others ended away.
static void
try_others(Refiner *refiner, double z[N_P], BgPoseRefined *refined, GCancellable *cancellable)
{
    static const double ways[N_STARTS][N_P] = { { 1, -1, 1, -1, 1, -1 },
                                                { -1, 1, 1, 1, -1, -1 },
                                                { 1, 1, -1, -1, -1, 1 } };
    double ends[N_STARTS + 1][N_P], values[N_STARTS + 1];
    int best = 0;

    memcpy(ends[0], z, sizeof ends[0]);
    values[0] = objective(z, refiner);
    for (int k = 1; k <= N_STARTS; k++) {
        for (int i = 0; i < N_P; i++)
            ends[k][i] = z[i] + START_SIGMAS * ways[k - 1][i] / sqrt(N_P) * 2.0;
        values[k] = climb(refiner, ends[k], cancellable);
        if (values[k] > values[best])
            best = k;
    }
    memcpy(z, ends[best], sizeof ends[best]);
    refined->spread_mm = 0.0;
    for (int k = 0; k <= N_STARTS; k++) {
        double px, mm;
        distance_between(refiner, z, ends[k], &px, &mm);
        if (values[best] - values[k] < 3.0) // as likely as the best, within a factor of 20
            refined->spread_mm = MAX(refined->spread_mm, mm);
    }
}

static void
judge(BgPoseRefined *refined)
{
    const char *doubt = "";

    if (refined->metric_after - refined->metric_before < MIN_GAIN && refined->moved_px > 0.5)
        doubt = _("The photograph hardly fits better than before. Look at both");
    if (refined->spread_mm > MAX_SPREAD_MM)
        doubt = _("Several poses fit the photograph alike. Look at both, and keep the landmarks' "
                  "when in doubt");
    if (refined->moved_sigmas > MAX_SIGMAS)
        doubt = _("It went farther than the landmarks' errors explain. Look at both, and keep the "
                  "landmarks' when in doubt");
    g_strlcpy(refined->doubt, doubt, sizeof refined->doubt);
    refined->trusted = doubt[0] == '\0';
}

static gboolean
refine(Refiner *refiner, const BgPoseRefineParams *params, const BgGrey *photograph,
       const GArray *hull, BgPoseRefined *refined, const BgProgress *progress,
       GCancellable *cancellable, GError **error)
{
    double z[N_P] = { 0 }, zero[N_P] = { 0 }, square = 0.0;
    double unit = MAX(photograph->width, photograph->height) / 640.0;

    for (guint level = 0; level < G_N_ELEMENTS(blurs_px); level++) {
        if (!refine_level(refiner, params, photograph, blurs_px[level] * unit, hull, z, cancellable,
                          error))
            return FALSE;
        bg_progress_report(progress, (level + 1.0) / 4.0);
    }
    try_others(refiner, z, refined, cancellable);
    if (g_cancellable_set_error_if_cancelled(cancellable, error))
        return FALSE;
    refined->metric_before = metric_at(refiner, zero);
    refined->metric_after = metric_at(refiner, z);
    for (int i = 0; i < N_P; i++)
        square += z[i] * z[i];
    refined->moved_sigmas = sqrt(square);
    distance_between(refiner, zero, z, &refined->moved_px, &refined->moved_mm);
    refined->n_evaluations = refiner->n_evaluations;
    moved_camera(refiner, z, &refined->camera);
    judge(refined);
    bg_progress_report(progress, 1.0);
    return TRUE;
}

gboolean
bg_pose_refine(const BgPoseRefineParams *params, BgPoseRefined *refined, const BgProgress *progress,
               GCancellable *cancellable, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(params->photograph);
    const BgCamera *camera = &params->start->camera;
    Refiner refiner = { .start = params->start };
    BgGrey photograph;
    BgPoseRefined found = { 0 };

    if (format->width != camera->width || format->height != camera->height) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The picture of %d x %d pixels does not belong to a camera of %d x %d. "
                      "Calibrate the camera with pictures of that size"),
                    format->width, format->height, camera->width, camera->height);
        return FALSE;
    }
    if (!set_basis(&refiner)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The pose cannot be refined: the landmarks leave it open. Place more "
                              "of them"));
        return FALSE;
    }
    if (!bg_grey_from_image(params->photograph, &photograph, error))
        return FALSE;
    g_autoptr(GArray) hull =
        params->n_region >= 3 ? region_hull(params->region, params->n_region) : NULL;
    gboolean ok = refine(&refiner, params, &photograph, hull, &found, progress, cancellable, error);
    bg_grey_clear(&photograph);
    bg_grey_clear(&refiner.grey);
    g_free(refiner.samples);
    if (ok)
        *refined = found;
    return ok;
}
