// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-picture-register.h"

#include "bg-grey-private.h"
#include "bg-joint-private.h"
#include "bg-uphill-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define N_LEVELS 4
#define COARSEST_PX 64     // the longer side at the coarsest level; each level has twice of it
#define MOST_SAMPLES 12000 // a level
#define BLUR_PX 1.0        // at each level
#define OPAQUE 0.99f
#define MIN_OVERLAP 0.4 // less of both pictures in common tells nothing
#define MOST_GROWN 6.0  // area, against pictures of the same extent
#define N_FOLLOWED 40   // of the candidates of one handedness, uphill at the coarsest level
#define N_KEPT 12       // of these, at the next
#define APART_PART 0.08 // of the moving diagonal: candidates that are nearer are one
#define SAME_PX 2.0     // two ends that are nearer are one
#define N_PARAMETERS 6
#define MIRROR_GAIN 1.05 // the mirrored one must be better by that to be called mirrored
#define MIRROR_DOUBT 0.9 // and worse by that to be ruled out: a wrong place agrees with both alike
#define LITTLE 0.05      // nats: pictures that agree so little may show two places

// fixed pixel (u, v) -> moving pixel; both at full size
typedef struct {
    double a[2][2], t[2];
} Map;

typedef struct {
    Map map;
    double value;
} Candidate;

// A picture at one level: its pixel (i, j) lies at (i + 0.5) * scale - 0.5 of the full size.
typedef struct {
    BgGrey grey;
    BgGrey alpha; // p is NULL where all is opaque
    double scale;
    float low, bins; // grey to bins
} Level;

typedef struct {
    double u, v; // full size
    float row;
} Sample;

typedef struct {
    const BgPictureRegisterParams *params;
    Level fixed[N_LEVELS], moving[N_LEVELS]; // coarsest first
    double centre[2], radius_px;             // of the fixed picture's pixels: rms distance
    Sample *samples;
    gsize n_samples;
    int level;
    Map base; // that parameters move
    int n_parameters;
    double overlap;
    guint n_evaluations;
    GCancellable *cancellable;
} Work;

BgPictureRegisterParams
bg_picture_register_params(BgTransformModel model)
{
    return (BgPictureRegisterParams){ .model = model, .fixed_from_moving = bg_affine_identity() };
}

static void
work_clear(Work *work)
{
    for (int i = 0; i < N_LEVELS; i++) {
        bg_grey_clear(&work->fixed[i].grey);
        bg_grey_clear(&work->fixed[i].alpha);
        bg_grey_clear(&work->moving[i].grey);
        bg_grey_clear(&work->moving[i].alpha);
    }
    g_clear_pointer(&work->samples, g_free);
}

// Whether nothing transparent has been blurred into it.
static inline gboolean
is_opaque(const Level *level, int u, int v)
{
    return level->alpha.p == NULL ||
           level->alpha.p[(gsize) v * (gsize) level->alpha.width + (gsize) u] > OPAQUE;
}

static gboolean
set_range(Level *level, GError **error)
{
    gsize n = (gsize) level->grey.width * (gsize) level->grey.height, n_opaque = 0;
    bg_auto_buffer float *sorted = bg_buffer_alloc_items(n, sizeof *sorted, error);
    float high;

    if (sorted == NULL)
        return FALSE;
    for (int v = 0; v < level->grey.height; v++)
        for (int u = 0; u < level->grey.width; u++)
            if (is_opaque(level, u, v))
                sorted[n_opaque++] =
                    level->grey.p[(gsize) v * (gsize) level->grey.width + (gsize) u];
    if (n_opaque == 0)
        return TRUE; // as of one grey
    bg_joint_range(sorted, n_opaque, &level->low, &high);
    level->bins = high > level->low ? (BG_JOINT_BINS - 1.001f) / (high - level->low) : 0.0f;
    return TRUE;
}

// 0..1; p stays NULL for a picture without alpha.
static gboolean
alpha_from_image(BgImage *image, BgGrey *alpha, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n = (gsize) format->width * (gsize) format->height, step = (gsize) format->n_channels;
    gconstpointer pixels = bg_image_get_pixels(image);

    *alpha = (BgGrey){ format->width, format->height, NULL };
    if (format->n_channels % 2 == 1)
        return TRUE;
    alpha->p = bg_buffer_alloc_items(n, sizeof(float), error);
    if (alpha->p == NULL)
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        gsize at = i * step + step - 1;
        alpha->p[i] = format->type == BG_PIXEL_UINT8    ? ((const guint8 *) pixels)[at] / 255.0f
                      : format->type == BG_PIXEL_UINT16 ? ((const guint16 *) pixels)[at] / 65535.0f
                                                        : ((const float *) pixels)[at];
    }
    return TRUE;
}

static gboolean
halve(BgGrey *grey, GError **error)
{
    BgGrey half;

    if (grey->p == NULL)
        return TRUE;
    if (!bg_grey_halved(grey, &half, error))
        return FALSE;
    bg_grey_clear(grey);
    *grey = half;
    return TRUE;
}

static gboolean
fill_levels(BgGrey *grey, BgGrey *alpha, Level levels[N_LEVELS], GError **error)
{
    double scale = 1.0;

    for (int i = N_LEVELS - 1; i >= 0; i--) {
        while (MAX(grey->width, grey->height) > COARSEST_PX << i &&
               MIN(grey->width, grey->height) >= BG_PICTURE_MIN_SIDE) {
            if (!halve(grey, error) || !halve(alpha, error))
                return FALSE;
            scale *= 2.0;
        }
        levels[i].scale = scale;
        if (!bg_grey_blurred(grey, BLUR_PX, &levels[i].grey, error) ||
            (alpha->p != NULL && !bg_grey_blurred(alpha, BLUR_PX, &levels[i].alpha, error)) ||
            !set_range(&levels[i], error))
            return FALSE;
    }
    return TRUE;
}

// Halved until the longer side is no more than each level's; small pictures have the same at several.
static gboolean
make_levels(BgImage *image, Level levels[N_LEVELS], GError **error)
{
    BgGrey grey = { 0 }, alpha = { 0 };
    gboolean ok = bg_grey_from_image(image, &grey, error) &&
                  alpha_from_image(image, &alpha, error) &&
                  fill_levels(&grey, &alpha, levels, error);

    bg_grey_clear(&grey);
    bg_grey_clear(&alpha);
    return ok;
}

static void
go_to_level(Work *work, int level)
{
    const Level *from = &work->fixed[level];
    int w = from->grey.width, h = from->grey.height;
    int step = (int) ceil(sqrt((double) w * h / MOST_SAMPLES));

    work->level = level;
    work->n_samples = 0;
    g_free(work->samples);
    work->samples = g_new(Sample, (gsize) (w / step + 1) * (gsize) (h / step + 1));
    for (int v = 0; v < h; v += step) {
        for (int u = (v / step) % 2 * step / 2; u < w; u += step) {
            if (!is_opaque(from, u, v))
                continue;
            float row = (from->grey.p[(gsize) v * (gsize) w + (gsize) u] - from->low) * from->bins;
            work->samples[work->n_samples++] =
                (Sample){ (u + 0.5) * from->scale - 0.5, (v + 0.5) * from->scale - 0.5,
                          CLAMP(row, 0.0f, BG_JOINT_BINS - 1.001f) };
        }
    }
}

static double
metric_at(Work *work, const Map *map)
{
    const Level *to = &work->moving[work->level];
    double right = to->grey.width - 1, bottom = to->grey.height - 1, shift = 0.5 / to->scale - 0.5;
    BgJoint joint;

    work->n_evaluations++;
    bg_joint_clear(&joint);
    for (gsize i = 0; i < work->n_samples; i++) {
        const Sample *s = &work->samples[i];
        double u = (map->a[0][0] * s->u + map->a[0][1] * s->v + map->t[0]) / to->scale + shift;
        double v = (map->a[1][0] * s->u + map->a[1][1] * s->v + map->t[1]) / to->scale + shift;
        if (u < 0.0 || v < 0.0 || u > right || v > bottom ||
            !is_opaque(to, (int) (u + 0.5), (int) (v + 0.5)))
            continue;
        bg_joint_add(&joint, s->row, (bg_grey_at(&to->grey, u, v) - to->low) * to->bins);
    }
    // What each of the two shows of the other: one may see much less than the other.
    double areas[2] = { (double) work->fixed[0].grey.width * work->fixed[0].grey.height,
                        (double) work->moving[0].grey.width * work->moving[0].grey.height };
    double scales[2] = { work->fixed[0].scale, work->moving[0].scale };
    double grown = fabs(map->a[0][0] * map->a[1][1] - map->a[0][1] * map->a[1][0]) * areas[0] *
                   scales[0] * scales[0] / (areas[1] * scales[1] * scales[1]);
    work->overlap = joint.sum / (double) work->n_samples;
    double seen = MIN(MAX(work->overlap, work->overlap * grown), 1.0);
    if (seen < MIN_OVERLAP || grown < 1.0 / MOST_GROWN || grown > MOST_GROWN)
        return 0.0;
    return bg_joint_information(&joint) * sqrt(seen);
}

// p: shift, turn, growth, and two stretches, all in fixed pixels (at the rms radius), before @base.
static Map
moved_map(const Work *work, const double p[N_PARAMETERS])
{
    double r = work->radius_px, angle = p[2] / r, grown = exp(p[3] / r);
    double d[2][2] = { { grown * (cos(angle) + p[4] / r), grown * (-sin(angle) + p[5] / r) },
                       { grown * (sin(angle) + p[5] / r), grown * (cos(angle) - p[4] / r) } };
    const double *c = work->centre;
    Map to;

    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++)
            to.a[i][j] = work->base.a[i][0] * d[0][j] + work->base.a[i][1] * d[1][j];
        to.t[i] = work->base.t[i] + work->base.a[i][0] * (c[0] + p[0]) +
                  work->base.a[i][1] * (c[1] + p[1]) - to.a[i][0] * c[0] - to.a[i][1] * c[1];
    }
    return to;
}

// Parameters that the model has: shift and turn, growth, stretches.
static int
count_parameters(BgTransformModel model)
{
    return model == BG_TRANSFORM_RIGID ? 3 : model == BG_TRANSFORM_SIMILARITY ? 4 : 6;
}

static double
value_of(const double *z, gpointer user_data)
{
    Work *work = user_data;
    double p[N_PARAMETERS] = { 0 };

    memcpy(p, z, (gsize) work->n_parameters * sizeof *p);
    Map map = moved_map(work, p);
    return (double) work->n_samples * metric_at(work, &map);
}

static void
follow(Work *work, Candidate *candidate, BgTransformModel model, int max_rounds)
{
    double z[N_PARAMETERS] = { 0 }, px = work->fixed[work->level].scale;
    BgUphill uphill = { .function = value_of,
                        .user_data = work,
                        .n = count_parameters(model),
                        .difference = 0.25 * px,
                        .max_step = 4.0 * px,
                        .end_step = 0.01 * px,
                        .trust = px * px / (double) work->n_samples,
                        .max_rounds = max_rounds };

    work->base = candidate->map;
    work->n_parameters = uphill.n;
    candidate->value = bg_uphill(&uphill, z, work->cancellable) / (double) work->n_samples;
    candidate->map = moved_map(work, z);
}

static double
distance_of(const Work *work, const Map *a, const Map *b)
{
    double worst = 0.0;

    for (int k = 0; k < 4; k++) {
        double u = work->centre[0] + (k & 1 ? 1 : -1) * work->radius_px;
        double v = work->centre[1] + (k & 2 ? 1 : -1) * work->radius_px, d[2];
        for (int i = 0; i < 2; i++)
            d[i] =
                (a->a[i][0] - b->a[i][0]) * u + (a->a[i][1] - b->a[i][1]) * v + a->t[i] - b->t[i];
        worst = MAX(worst, hypot(d[0], d[1]));
    }
    return worst;
}

static int
compare_candidates(gconstpointer a, gconstpointer b)
{
    double x = ((const Candidate *) a)->value, y = ((const Candidate *) b)->value;

    return x > y ? -1 : x < y;
}

// Uphill from the best, ends that are one counted once. Returns: how many are left
static int
follow_best(Work *work, Candidate *candidates, int n, BgTransformModel model, int max_rounds)
{
    int n_ends = 0;

    for (int i = 0; i < n; i++)
        follow(work, &candidates[i], model, max_rounds);
    qsort(candidates, (gsize) n, sizeof *candidates, compare_candidates);
    for (int i = 0; i < n; i++) {
        gboolean known = FALSE;
        for (int j = 0; j < n_ends && !known; j++)
            known = distance_of(work, &candidates[i].map, &candidates[j].map) <
                    SAME_PX * work->moving[work->level].scale;
        if (!known)
            candidates[n_ends++] = candidates[i];
    }
    return n_ends;
}

// Middles and diagonals on each other, turned, grown and shifted (in parts of the diagonal).
static Map
start_map(const Work *work, double degrees, double grown, double right, double down,
          gboolean mirrored)
{
    const Level *f = &work->fixed[0], *m = &work->moving[0];
    double diagonals[2] = { f->scale * hypot(f->grey.width, f->grey.height),
                            m->scale * hypot(m->grey.width, m->grey.height) };
    double s = grown * diagonals[1] / diagonals[0], angle = degrees * G_PI / 180.0;
    double sign = mirrored ? -1.0 : 1.0, middle[2] = { 0.5 * (m->grey.width * m->scale - 1.0),
                                                       0.5 * (m->grey.height * m->scale - 1.0) };
    Map map = { .a = { { sign * s * cos(angle), sign * -s * sin(angle) },
                       { s * sin(angle), s * cos(angle) } } };

    middle[0] += right * diagonals[1];
    middle[1] += down * diagonals[1];
    for (int i = 0; i < 2; i++)
        map.t[i] = middle[i] - map.a[i][0] * work->centre[0] - map.a[i][1] * work->centre[1];
    return map;
}

// All turns, sizes and shifts at the coarsest level. Returns: the best, uphill, in @best
static int
search(Work *work, gboolean mirrored, Candidate best[N_FOLLOWED])
{
    static const double sizes[] = { 1.0, 0.77, 1.3, 0.6, 1.7 };
    static const double shifts[] = { -0.2, -0.1, 0.0, 0.1, 0.2 };
    gboolean is_rigid = work->params->model == BG_TRANSFORM_RIGID;
    int n_sizes = is_rigid ? 1 : (int) G_N_ELEMENTS(sizes), n = 0, n_best = 0;
    double natural =
        hypot(work->fixed[0].grey.width, work->fixed[0].grey.height) * work->fixed[0].scale /
        (hypot(work->moving[0].grey.width, work->moving[0].grey.height) * work->moving[0].scale);
    g_autofree Candidate *all = g_new(Candidate, 24 * G_N_ELEMENTS(sizes) * 25);

    go_to_level(work, 0);
    for (int turn = 0; turn < 24; turn++) {
        for (int size = 0; size < n_sizes; size++) {
            for (int k = 0; k < 25; k++) {
                // Rigid pixels stay as large as they are.
                double grown = is_rigid ? natural : sizes[size];
                Candidate c = { .map = start_map(work, 15.0 * turn, grown, shifts[k % 5],
                                                 shifts[k / 5], mirrored) };
                c.value = metric_at(work, &c.map);
                all[n++] = c;
            }
        }
        if (g_cancellable_is_cancelled(work->cancellable))
            break;
    }
    qsort(all, (gsize) n, sizeof *all, compare_candidates);
    double apart = APART_PART * work->moving[0].scale *
                   hypot(work->moving[0].grey.width, work->moving[0].grey.height);
    for (int i = 0; i < n && n_best < N_FOLLOWED; i++) {
        gboolean known = FALSE;
        for (int j = 0; j < n_best && !known; j++)
            known = distance_of(work, &all[i].map, &best[j].map) < apart;
        if (!known)
            best[n_best++] = all[i];
    }
    BgTransformModel model = is_rigid ? BG_TRANSFORM_RIGID : BG_TRANSFORM_SIMILARITY;
    return follow_best(work, best, n_best, model, 25);
}

static gboolean
judge_mirror(BgPictureRegistration *out, gboolean allow, GError **error)
{
    double gain = out->metric_mirror / out->metric_proper;

    out->mirror = gain >= MIRROR_GAIN   ? BG_MIRROR_YES
                  : gain < MIRROR_DOUBT ? BG_MIRROR_NO
                                        : BG_MIRROR_UNKNOWN;
    if (out->mirror != BG_MIRROR_YES || allow)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                // Translators: two values of the agreement
                _("The photographs cannot be registered: the moving one shows left and right "
                  "swapped (mirrored it agrees by %.3f, itself by %.3f). Check how it was taken; "
                  "allow the mirror only if it is meant"),
                out->metric_mirror, out->metric_proper);
    return FALSE;
}

static void
warn(BgPictureRegistration *out, const char *text)
{
    g_ptr_array_add(out->warnings, g_strdup(text));
}

static void
add_warnings(BgPictureRegistration *out)
{
    if (out->mirror == BG_MIRROR_YES)
        warn(out, _("The moving photograph shows left and right swapped: registered by a "
                    "reflection, as was allowed."));
    else if (out->mirror == BG_MIRROR_UNKNOWN)
        warn(out, _("Mirrored, the moving photograph agrees almost as well: the side cannot be "
                    "told from the pictures, and the place may be wrong. Check both, or register "
                    "by points."));
    if (out->metric_after < LITTLE)
        warn(out, _("The photographs hardly agree anywhere. Check that they show the same place, "
                    "or register by points."));
}

// The best of both kinds at the third level, where fine asymmetries show. @best: (out)
static gboolean
find_start(Work *work, BgPictureRegistration *out, Candidate *best, const BgProgress *progress,
           GError **error)
{
    Candidate ends[2][N_FOLLOWED];
    BgTransformModel model = MIN(work->params->model, BG_TRANSFORM_SIMILARITY);

    for (int way = 0; way < 2; way++) {
        int n = MIN(search(work, way == 1, ends[way]), N_KEPT);
        for (int level = 1; level < 3; level++) {
            go_to_level(work, level);
            n = MIN(follow_best(work, ends[way], n, model, 30), level == 1 ? 3 : 1);
        }
        bg_progress_report(progress, 0.4 * (way + 1));
        if (g_cancellable_set_error_if_cancelled(work->cancellable, error))
            return FALSE;
    }
    out->metric_proper = ends[0][0].value;
    out->metric_mirror = ends[1][0].value;
    if (!judge_mirror(out, work->params->allow_mirror, error))
        return FALSE;
    *best = ends[out->mirror == BG_MIRROR_YES ? 1 : 0][0];
    return TRUE;
}

static gboolean
given_start(Work *work, BgPictureRegistration *out, Candidate *best, GError **error)
{
    BgAffine from = work->params->fixed_from_moving, inverse;

    if (!bg_affine_is_finite(&from) || !bg_affine_invert(&from, &inverse)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The photographs cannot be registered: the transform to start from "
                              "flattens the picture. Give another"));
        return FALSE;
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++)
            best->map.a[i][j] = inverse.m[i][j];
        best->map.t[i] = inverse.m[i][3];
    }
    out->mirror = bg_affine_determinant(&from) < 0.0 ? BG_MIRROR_YES : BG_MIRROR_NO;
    out->metric_proper = out->metric_mirror = (double) NAN;
    return TRUE;
}

static gboolean
set_transform(const Work *work, const Map *map, BgPictureRegistration *out, GError **error)
{
    BgAffine moving_from_fixed = bg_affine_identity(), inverse, flat = bg_affine_identity();

    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++)
            moving_from_fixed.m[i][j] = map->a[i][j];
        moving_from_fixed.m[i][3] = map->t[i];
    }
    bg_affine_invert(&moving_from_fixed, &inverse);
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 4; j++)
            flat.m[i][j] = j == 2 ? 0.0 : inverse.m[i][j];
    }
    out->transform = bg_transform_new(work->params->model, 2, &flat, error);
    return out->transform != NULL;
}

static gboolean
run(Work *work, BgPictureRegistration *out, const BgProgress *progress, GError **error)
{
    Candidate best = { .value = 0.0 };

    if (!(work->params->has_start ? given_start(work, out, &best, error)
                                  : find_start(work, out, &best, progress, error)))
        return FALSE;
    Map before = work->params->has_start ? best.map : start_map(work, 0.0, 1.0, 0.0, 0.0, FALSE);
    for (int level = work->params->has_start ? 1 : 2; level < N_LEVELS; level++) {
        go_to_level(work, level);
        follow(work, &best, work->params->model, 60);
        bg_progress_report(progress, 0.8 + 0.1 * (level - 1));
        if (g_cancellable_set_error_if_cancelled(work->cancellable, error))
            return FALSE;
    }
    out->metric_before = metric_at(work, &before);
    out->metric_after = metric_at(work, &best.map);
    out->overlap = work->overlap;
    out->n_evaluations = work->n_evaluations;
    add_warnings(out);
    return set_transform(work, &best.map, out, error);
}

static gboolean
check(BgImage *fixed, BgImage *moving, const BgPictureRegisterParams *params, GError **error)
{
    const BgImageFormat *formats[2] = { bg_image_get_format(fixed), bg_image_get_format(moving) };

    if (params->model == BG_TRANSFORM_TPS) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The photographs cannot be registered by what they show with a "
                              "spline. Choose rigid, similarity or affine, or place points"));
        return FALSE;
    }
    for (int i = 0; i < 2; i++) {
        if (MIN(formats[i]->width, formats[i]->height) >= BG_PICTURE_MIN_SIDE)
            continue;
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The photographs cannot be registered: one has only %d x %d pixels. Choose "
                      "one of at least %d x %d"),
                    formats[i]->width, formats[i]->height, BG_PICTURE_MIN_SIDE,
                    BG_PICTURE_MIN_SIDE);
        return FALSE;
    }
    return TRUE;
}

static gboolean
make_work(Work *work, BgImage *fixed, BgImage *moving, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(fixed);

    work->centre[0] = 0.5 * (format->width - 1);
    work->centre[1] = 0.5 * (format->height - 1);
    work->radius_px = hypot(format->width, format->height) / sqrt(12.0);
    if (!make_levels(fixed, work->fixed, error) || !make_levels(moving, work->moving, error))
        return FALSE;
    if (work->fixed[0].bins > 0.0f && work->moving[0].bins > 0.0f)
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                        _("The photographs cannot be registered: one has the same grey "
                          "everywhere. Choose another"));
    return FALSE;
}

BgPictureRegistration *
bg_picture_register(BgImage *fixed, BgImage *moving, const BgPictureRegisterParams *params,
                    const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Work work = { .params = params, .cancellable = cancellable };

    if (!check(fixed, moving, params, error))
        return NULL;
    g_autoptr(BgPictureRegistration) out = g_new0(BgPictureRegistration, 1);
    out->warnings = g_ptr_array_new_with_free_func(g_free);
    gboolean ok = make_work(&work, fixed, moving, error) && run(&work, out, progress, error);
    work_clear(&work);
    bg_progress_report(progress, 1.0);
    return ok ? g_steal_pointer(&out) : NULL;
}

void
bg_picture_registration_free(BgPictureRegistration *registration)
{
    g_clear_pointer(&registration->transform, bg_transform_unref);
    g_ptr_array_unref(registration->warnings);
    g_free(registration);
}

typedef struct {
    const BgTransform *transform;
    BgAffine moving_from_fixed; // unless it is a spline
    gboolean is_spline;
    BgImageFormat from, to;
    gconstpointer pixels;
    gpointer out;
} Move;

static double
channel_at(const Move *move, int u, int v, int c)
{
    gsize at = ((gsize) v * (gsize) move->from.width + (gsize) u) * (gsize) move->from.n_channels +
               (gsize) c;

    switch (move->from.type) {
    case BG_PIXEL_UINT8:
        return ((const guint8 *) move->pixels)[at];
    case BG_PIXEL_UINT16:
        return ((const guint16 *) move->pixels)[at];
    default:
        return (double) ((const float *) move->pixels)[at];
    }
}

static void
put_channel(const Move *move, gsize at, double value)
{
    switch (move->to.type) {
    case BG_PIXEL_UINT8:
        ((guint8 *) move->out)[at] = (guint8) lrint(value);
        break;
    case BG_PIXEL_UINT16:
        ((guint16 *) move->out)[at] = (guint16) lrint(value);
        break;
    default:
        ((float *) move->out)[at] = (float) value;
    }
}

static void
move_pixel(const Move *move, BgVec3 from, gsize at)
{
    int w = move->from.width, h = move->from.height, n = move->from.n_channels;

    if (!(from.x >= -0.5) || !(from.y >= -0.5) || from.x > w - 0.5 || from.y > h - 0.5)
        return; // 0, as it was set
    double x = CLAMP(from.x, 0.0, w - 1.0), y = CLAMP(from.y, 0.0, h - 1.0);
    int u = MIN((int) x, MAX(w - 2, 0)), v = MIN((int) y, MAX(h - 2, 0));
    int right = MIN(u + 1, w - 1), down = MIN(v + 1, h - 1);
    x -= u;
    y -= v;
    for (int c = 0; c < n; c++) {
        double top = (1.0 - x) * channel_at(move, u, v, c) + x * channel_at(move, right, v, c);
        double bottom =
            (1.0 - x) * channel_at(move, u, down, c) + x * channel_at(move, right, down, c);
        put_channel(move, at * (gsize) n + (gsize) c, (1.0 - y) * top + y * bottom);
    }
}

static void
move_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Move *move = user_data;

    for (gsize v = first; v < last; v++) {
        for (int u = 0; u < move->to.width; u++) {
            BgVec3 to = { u, (double) v, 0.0 }, from;
            if (!move->is_spline)
                from = bg_affine_apply(&move->moving_from_fixed, to);
            else if (!bg_transform_apply_inverse(move->transform, to, &from))
                continue;
            move_pixel(move, from, v * (gsize) move->to.width + (gsize) u);
        }
    }
}

BgImage *
bg_picture_move(BgImage *moving, const BgTransform *fixed_from_moving, int width, int height,
                GCancellable *cancellable, GError **error)
{
    Move move = { .transform = fixed_from_moving,
                  .is_spline = bg_transform_get_model(fixed_from_moving) == BG_TRANSFORM_TPS,
                  .from = *bg_image_get_format(moving),
                  .pixels = bg_image_get_pixels(moving) };

    if (bg_transform_count_axes(fixed_from_moving) != 2) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The photograph cannot be moved: the transform is of patients, not "
                              "of pictures. Choose one of pictures"));
        return NULL;
    }
    bg_affine_invert(bg_transform_get_affine(fixed_from_moving), &move.moving_from_fixed);
    move.to = move.from;
    move.to.width = width;
    move.to.height = height;
    gsize n = (gsize) width * (gsize) height * (gsize) move.to.n_channels;
    move.out = bg_buffer_alloc_items(n, bg_pixel_type_size(move.to.type), error);
    if (move.out == NULL)
        return NULL;
    memset(move.out, 0, n * bg_pixel_type_size(move.to.type));
    if (!bg_parallel_for((gsize) height, 8, move_rows, &move, cancellable)) {
        bg_buffer_free(move.out);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    return bg_image_new_take(&move.to, move.out, error);
}
