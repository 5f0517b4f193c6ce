// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-volume-register.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/register/bg-climb-private.h"
#include "core/volume/bg-crop.h"

#include <string.h>

#define FINEST_PART 256.0 // of the fixed volume's longest side: the finest spacing that helps
#define N_LEVELS 4        // each twice as fine
#define N_TURNS 21
#define N_CANDIDATES (3 * N_TURNS)
#define N_FOLLOWED 8      // of the candidates, uphill at the coarsest level
#define N_KEPT 3          // of these, at the next
#define DIFFERENT_MM 4.0  // two ends that are further apart are two answers
#define MIRROR_GAIN 1.05  // the reflection must be better by that to be called one
#define MIRROR_DOUBT 0.97 // and worse by that to be ruled out
#define MIRROR_LOOK 0.9   // not worse than that: both are looked at more closely
#define LOW_OVERLAP 0.5

static const gsize samples_of_level[N_LEVELS] = { 16000, 32000, 64000, 100000 };

const char *
bg_register_start_name(BgRegisterStart start)
{
    static const char *const names[] = { "auto", "geometry", "centres", "moments", "given" };

    return names[start];
}

gboolean
bg_register_start_parse(const char *name, BgRegisterStart *start)
{
    for (int i = 0; i <= BG_REGISTER_START_GIVEN; i++) {
        if (g_strcmp0(name, bg_register_start_name((BgRegisterStart) i)) == 0) {
            *start = (BgRegisterStart) i;
            return TRUE;
        }
    }
    return FALSE;
}

BgVolumeRegisterParams
bg_volume_register_params(BgTransformModel model)
{
    return (BgVolumeRegisterParams){ .model = model, .fixed_from_moving = bg_affine_identity() };
}

// A place that was tried, and what it is worth.
typedef struct {
    BgAffine map; // moving_from_fixed
    double value;
    BgRegisterStart start;
} Candidate;

// One registration at work. Levels count from the coarsest.
typedef struct {
    const BgVolumeRegisterParams *params;
    BgPyramid *fixed, *moving;
    int fixed_level[N_LEVELS], moving_level[N_LEVELS];
    BgMiRegion region;
    BgMiSamples *samples;
    BgMi *mi;
    int level; // that samples and mi are of
    guint n_evaluations;
    GCancellable *cancellable;
} Work;

static void
work_clear(Work *work)
{
    g_clear_pointer(&work->mi, bg_mi_free);
    g_clear_pointer(&work->samples, bg_mi_samples_free);
    g_clear_pointer(&work->fixed, bg_pyramid_free);
    g_clear_pointer(&work->moving, bg_pyramid_free);
}

static double
longest_side_mm(const BgGeometry *geometry)
{
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);

    return fmax(spacing.x * geometry->dims[0],
                fmax(spacing.y * geometry->dims[1], spacing.z * geometry->dims[2]));
}

static gboolean
check_volume(BgVolume *volume, const char *message, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);

    for (int axis = 0; axis < 3; axis++) {
        if (geometry->dims[axis] >= 4)
            continue;
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID, "%s", message);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_contrast(const BgPyramid *pyramid, const char *message, GError **error)
{
    if (pyramid->high > pyramid->low)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID, "%s", message);
    return FALSE;
}

static int
nearest_level(const BgPyramid *pyramid, double spacing_mm)
{
    int best = 0;

    for (int i = 1; i < pyramid->n_levels; i++) {
        double a = fabs(log(bg_pyramid_level_spacing_mm(&pyramid->levels[i]) / spacing_mm));
        double b = fabs(log(bg_pyramid_level_spacing_mm(&pyramid->levels[best]) / spacing_mm));
        if (a < b)
            best = i;
    }
    return best;
}

static gboolean
make_pyramids(Work *work, BgVolume *fixed, BgVolume *moving, double finest_mm,
              const BgProgress *progress, GError **error)
{
    double coarsest_mm = 1.5 * finest_mm * (1 << (N_LEVELS - 1));

    work->fixed = bg_pyramid_new(fixed, finest_mm, coarsest_mm, work->cancellable, error);
    if (work->fixed == NULL)
        return FALSE;
    bg_progress_report(progress, 0.1);
    work->moving = bg_pyramid_new(moving, finest_mm, coarsest_mm, work->cancellable, error);
    if (work->moving == NULL)
        return FALSE;
    bg_progress_report(progress, 0.2);
    for (int i = 0; i < N_LEVELS; i++) {
        double spacing = finest_mm * (1 << (N_LEVELS - 1 - i));
        work->fixed_level[i] = nearest_level(work->fixed, spacing);
        work->moving_level[i] = nearest_level(work->moving, spacing);
    }
    return check_contrast(work->fixed,
                          _("The volumes cannot be registered: the fixed one has the same value "
                            "everywhere. Choose another"),
                          error) &&
           check_contrast(work->moving,
                          _("The volumes cannot be registered: the moving one has the same value "
                            "everywhere. Choose another"),
                          error);
}

static void
grow_region(BgMiRegion *region, BgVec3 p)
{
    region->low =
        bg_vec3(fmin(region->low.x, p.x), fmin(region->low.y, p.y), fmin(region->low.z, p.z));
    region->high =
        bg_vec3(fmax(region->high.x, p.x), fmax(region->high.y, p.y), fmax(region->high.z, p.z));
}

// Around what is brighter than air, and a margin of air; around the mask where there is one.
static gboolean
find_region(Work *work, GError **error)
{
    const BgPyramidLevel *level = &work->fixed->levels[work->fixed_level[0]];
    const int *dims = level->geometry.dims;
    BgMiRegion *region = &work->region;
    float threshold = work->fixed->low + 0.1f * (work->fixed->high - work->fixed->low);
    double margin = longest_side_mm(&level->geometry) / 16.0;

    region->mask = work->params->mask;
    region->low = bg_vec3(INFINITY, INFINITY, INFINITY);
    region->high = bg_vec3(-INFINITY, -INFINITY, -INFINITY);
    if (region->mask != NULL) {
        const BgGeometry *grid = bg_label_map_get_geometry(region->mask);
        BgVoxelBox box;
        if (!bg_label_map_bounds(work->params->mask, 0, 0.0, &box, error))
            return FALSE;
        for (int corner = 0; corner < 8; corner++) {
            BgVec3 v = bg_vec3(corner & 1 ? box.last[0] + 0.5 : box.first[0] - 0.5,
                               corner & 2 ? box.last[1] + 0.5 : box.first[1] - 0.5,
                               corner & 4 ? box.last[2] + 0.5 : box.first[2] - 0.5);
            grow_region(region, bg_affine_apply(&grid->patient_from_voxel, v));
        }
        return TRUE;
    }
    const float *value = level->values;
    for (int k = 0; k < dims[2]; k++)
        for (int j = 0; j < dims[1]; j++)
            for (int i = 0; i < dims[0]; i++)
                if (*value++ > threshold)
                    grow_region(region, bg_affine_apply(&level->geometry.patient_from_voxel,
                                                        bg_vec3(i, j, k)));
    region->low = bg_vec3_sub(region->low, bg_vec3(margin, margin, margin));
    region->high = bg_vec3_add(region->high, bg_vec3(margin, margin, margin));
    return TRUE;
}

static gboolean
go_to_level(Work *work, int level, GError **error)
{
    gsize wanted = level == N_LEVELS - 1 && work->params->n_samples > 0 ? work->params->n_samples
                                                                        : samples_of_level[level];

    g_clear_pointer(&work->mi, bg_mi_free);
    g_clear_pointer(&work->samples, bg_mi_samples_free);
    work->level = level;
    work->samples = bg_mi_samples_new(work->fixed, work->fixed_level[level], &work->region, wanted,
                                      work->params->seed * N_LEVELS + (guint64) level);
    if (work->samples == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The volumes cannot be registered: the mask covers too little of the "
                              "fixed one. Make it larger"));
        return FALSE;
    }
    work->mi = bg_mi_new(work->params->normalized ? BG_MI_NORMALIZED : BG_MI_MATTES, work->samples,
                         work->moving, work->moving_level[level]);
    return TRUE;
}

static double
level_spacing_mm(const Work *work)
{
    return fmax(
        bg_pyramid_level_spacing_mm(&work->fixed->levels[work->fixed_level[work->level]]),
        bg_pyramid_level_spacing_mm(&work->moving->levels[work->moving_level[work->level]]));
}

static void
follow(Work *work, Candidate *candidate, int n_params, int max_steps)
{
    double spacing = level_spacing_mm(work);
    BgClimb climb = { .n_params = n_params,
                      .max_step_mm = 2.0 * spacing,
                      .tolerance_mm =
                          work->level == N_LEVELS - 1 ? 0.002 * spacing : 0.02 * spacing,
                      .max_steps = max_steps };
    BgMiResult result;

    work->n_evaluations +=
        bg_climb(work->mi, work->samples, &climb, &candidate->map, &result, work->cancellable);
    candidate->value = result.value;
}

// The mean of the voxels' places, weighted by value above the least.
static BgVec3
centre_of_mass(const BgPyramid *pyramid, int level)
{
    const BgPyramidLevel *grid = &pyramid->levels[level];
    const int *dims = grid->geometry.dims;
    const float *value = grid->values;
    double sum = 0.0;
    BgVec3 centre = { 0, 0, 0 };

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, value++) {
                double w = (double) (CLAMP(*value, pyramid->low, pyramid->high) - pyramid->low);
                sum += w;
                centre = bg_vec3_along(centre, w, bg_vec3(i, j, k));
            }
        }
    }
    centre = bg_vec3_scale(centre, sum > 0.0 ? 1.0 / sum : 0.0);
    return bg_affine_apply(&grid->geometry.patient_from_voxel, centre);
}

static BgVec3
centre_of_grid(const BgPyramidLevel *level)
{
    const int *dims = level->geometry.dims;

    return bg_affine_apply(&level->geometry.patient_from_voxel,
                           bg_vec3(0.5 * (dims[0] - 1), 0.5 * (dims[1] - 1), 0.5 * (dims[2] - 1)));
}

static BgAffine
shift_to(BgVec3 from, BgVec3 to)
{
    BgAffine a = bg_affine_identity();

    a.m[0][3] = to.x - from.x;
    a.m[1][3] = to.y - from.y;
    a.m[2][3] = to.z - from.z;
    return a;
}

// None, 15 and 30 degrees about each axis either way, and 20 about the eight diagonals.
static BgVec3
turn_at(int n)
{
    double degree = G_PI / 180.0;

    if (n == 0)
        return bg_vec3(0, 0, 0);
    if (n <= 12) {
        double angle = ((n - 1) / 6 + 1) * 15.0 * degree * ((n - 1) % 2 == 0 ? 1.0 : -1.0);
        int axis = (n - 1) / 2 % 3;
        return bg_vec3(axis == 0 ? angle : 0.0, axis == 1 ? angle : 0.0, axis == 2 ? angle : 0.0);
    }
    double part = 20.0 * degree / sqrt(3.0);
    int bits = n - 13;
    return bg_vec3(bits & 1 ? part : -part, bits & 2 ? part : -part, bits & 4 ? part : -part);
}

static int
compare_candidates(gconstpointer a, gconstpointer b)
{
    double x = ((const Candidate *) a)->value, y = ((const Candidate *) b)->value;

    return x > y ? -1 : x < y;
}

// Turns about @map, each with its value, appended.
static void
try_turns(Work *work, const BgAffine *map, BgRegisterStart start, Candidate *candidates, int *n)
{
    BgVec3 centre = bg_affine_apply(map, work->samples->centre);

    for (int turn = 0; turn < N_TURNS; turn++) {
        BgAffine rotation = bg_affine_rotation(turn_at(turn));
        Candidate c = { .start = start };
        BgMiResult result;
        c.map = bg_affine_about(map, &rotation, centre, bg_vec3(0, 0, 0));
        bg_mi_evaluate(work->mi, &c.map, FALSE, &result);
        work->n_evaluations++;
        c.value = result.value;
        candidates[(*n)++] = c;
    }
}

static double
distance_of(const Work *work, const BgAffine *a, const BgAffine *b)
{
    double worst = 0.0, r = work->samples->radius_mm;

    for (int axis = -1; axis < 3; axis++) {
        BgVec3 p = work->samples->centre;
        if (axis >= 0)
            bg_vec3_set(&p, axis, bg_vec3_get(p, axis) + r);
        worst = fmax(worst, bg_vec3_distance(bg_affine_apply(a, p), bg_affine_apply(b, p)));
    }
    return worst;
}

// Uphill from the best, the best ends first, ends that are one counted once. Returns: how many
static int
follow_best(Work *work, Candidate *candidates, int n, int n_followed, int max_steps)
{
    int n_ends = 0;

    qsort(candidates, (gsize) n, sizeof(Candidate), compare_candidates);
    for (int i = 0; i < MIN(n, n_followed); i++)
        if (candidates[i].value >= 0.0)
            follow(work, &candidates[i], 6, max_steps);
    qsort(candidates, (gsize) MIN(n, n_followed), sizeof(Candidate), compare_candidates);
    for (int i = 0; i < MIN(n, n_followed); i++) {
        gboolean known = candidates[i].value < 0.0;
        for (int j = 0; j < n_ends && !known; j++)
            known = distance_of(work, &candidates[i].map, &candidates[j].map) <
                    0.5 * level_spacing_mm(work);
        if (!known)
            candidates[n_ends++] = candidates[i];
    }
    return n_ends;
}

static int
make_candidates(Work *work, Candidate *candidates)
{
    BgRegisterStart start = work->params->start;
    const BgPyramidLevel *f = &work->fixed->levels[work->fixed_level[0]];
    const BgPyramidLevel *m = &work->moving->levels[work->moving_level[0]];
    int n = 0;

    if (start == BG_REGISTER_START_AUTO || start == BG_REGISTER_START_GEOMETRY) {
        BgAffine map = bg_affine_identity();
        try_turns(work, &map, BG_REGISTER_START_GEOMETRY, candidates, &n);
    }
    if (start == BG_REGISTER_START_AUTO || start == BG_REGISTER_START_CENTRES) {
        BgAffine map = shift_to(centre_of_grid(f), centre_of_grid(m));
        try_turns(work, &map, BG_REGISTER_START_CENTRES, candidates, &n);
    }
    if (start == BG_REGISTER_START_AUTO || start == BG_REGISTER_START_MOMENTS) {
        BgAffine map = shift_to(centre_of_mass(work->fixed, work->fixed_level[0]),
                                centre_of_mass(work->moving, work->moving_level[0]));
        try_turns(work, &map, BG_REGISTER_START_MOMENTS, candidates, &n);
    }
    return n;
}

// The same with left and right of the moving patient exchanged.
static BgAffine
reflected(const Work *work, const BgAffine *map)
{
    BgAffine flip = bg_affine_identity();

    flip.m[0][0] = -1.0;
    return bg_affine_about(map, &flip, bg_affine_apply(map, work->samples->centre),
                           bg_vec3(0, 0, 0));
}

typedef struct {
    Candidate proper, mirror;
    double second; // best of the ends that are elsewhere, over the best of all; -1: none
} Search;

static gboolean
search(Work *work, Search *found, const BgProgress *progress, GError **error)
{
    Candidate candidates[N_CANDIDATES], mirrors[N_TURNS];
    int n = 0, n_mirrors = 0;
    gboolean is_given = work->params->start == BG_REGISTER_START_GIVEN;

    if (!go_to_level(work, 0, error))
        return FALSE;
    if (is_given) {
        candidates[0] = (Candidate){ .start = BG_REGISTER_START_GIVEN };
        bg_affine_invert(&work->params->fixed_from_moving, &candidates[0].map);
        n = follow_best(work, candidates, 1, 1, 30);
    } else {
        n = make_candidates(work, candidates);
        n = follow_best(work, candidates, n, N_FOLLOWED, 30);
    }
    bg_progress_report(progress, 0.35);
    if (n == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The volumes cannot be registered: they do not overlap from where it "
                              "starts. Place a few landmarks, or start from the centres"));
        return FALSE;
    }
    BgAffine flipped = reflected(work, &candidates[0].map);
    try_turns(work, &flipped, candidates[0].start, mirrors, &n_mirrors);
    n_mirrors = follow_best(work, mirrors, n_mirrors, 4, 30);
    bg_progress_report(progress, 0.45);

    n = MIN(n, N_KEPT);
    if (!go_to_level(work, 1, error))
        return FALSE;
    n = follow_best(work, candidates, n, n, 30);
    n_mirrors = follow_best(work, mirrors, MIN(n_mirrors, 2), 2, 30);
    found->proper = candidates[0];
    found->mirror = mirrors[0];
    if (n_mirrors == 0)
        found->mirror.value = -1.0;
    found->second = -1.0;
    for (int i = 1; i < n; i++)
        if (distance_of(work, &candidates[0].map, &candidates[i].map) >
            DIFFERENT_MM * level_spacing_mm(work))
            found->second = fmax(found->second, candidates[i].value / candidates[0].value);
    if (found->mirror.value > MIRROR_LOOK * found->proper.value) {
        // Fine asymmetries show at finer levels only.
        if (!go_to_level(work, 2, error))
            return FALSE;
        follow(work, &found->proper, 6, 30);
        follow(work, &found->mirror, 6, 30);
    }
    bg_progress_report(progress, 0.6);
    return n > 0 && !g_cancellable_set_error_if_cancelled(work->cancellable, error);
}

static BgMirror
judge_mirror(const Search *found, gboolean allow, GError **error)
{
    // A normalised value starts from 1.
    double gain = found->mirror.value / found->proper.value;

    if (gain < MIRROR_GAIN)
        return gain < MIRROR_DOUBT ? BG_MIRROR_NO : BG_MIRROR_UNKNOWN;
    if (!allow)
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    // Translators: two values of the agreement
                    _("The volumes cannot be registered: the moving one is the mirror image of the "
                      "fixed one (its reflection agrees by %.3f, itself by %.3f). Check left and "
                      "right of both files; allow the mirror only if it is meant"),
                    found->mirror.value, found->proper.value);
    return BG_MIRROR_YES;
}

static void
warn(BgVolumeRegistration *out, const char *text)
{
    g_ptr_array_add(out->warnings, g_strdup(text));
}

static void
add_warnings(BgVolumeRegistration *out, const Search *found)
{
    if (out->mirror == BG_MIRROR_YES)
        warn(out, _("The moving volume is the mirror image of the fixed one: registered by a "
                    "reflection, as was allowed."));
    else if (out->mirror == BG_MIRROR_UNKNOWN)
        warn(out, _("The mirror image of the moving volume agrees almost as well: the side cannot "
                    "be told from the pictures. Check left and right."));
    if (out->overlap < LOW_OVERLAP)
        warn(out, _("Less than half of the fixed volume is covered by the moving one. Check the "
                    "result with care."));
    if (found->second > 0.98)
        warn(out, _("Another position agrees almost as well. Check the result, or start from "
                    "landmarks."));
    if (out->metric_after < 0.05)
        warn(out, _("The volumes hardly agree anywhere. Check that they show the same patient and "
                    "place."));
}

static gboolean
refine(Work *work, Search *found, BgVolumeRegistration *out, const BgProgress *progress,
       GError **error)
{
    Candidate best = out->mirror == BG_MIRROR_YES ? found->mirror : found->proper;
    int n_params = work->params->model == BG_TRANSFORM_AFFINE ? 12 : 6;
    BgAffine before = bg_affine_identity(), inverse;
    BgMiResult result;

    for (int level = 2; level < N_LEVELS; level++) {
        if (!go_to_level(work, level, error))
            return FALSE;
        if (level == 2 && n_params == 12)
            follow(work, &best, 6, 30);
        follow(work, &best, n_params, 60);
        bg_progress_report(progress, 0.6 + 0.2 * (level - 1));
        if (g_cancellable_set_error_if_cancelled(work->cancellable, error))
            return FALSE;
    }
    if (work->params->start == BG_REGISTER_START_GIVEN)
        bg_affine_invert(&work->params->fixed_from_moving, &before);
    bg_mi_evaluate(work->mi, &before, FALSE, &result);
    out->metric_before = result.value >= 0.0 ? result.value : (double) NAN;
    bg_mi_evaluate(work->mi, &best.map, FALSE, &result);
    out->metric_after = result.value;
    out->overlap = result.overlap;
    out->start = best.start;
    out->n_evaluations = work->n_evaluations;
    if (!bg_affine_invert(&best.map, &inverse))
        inverse = bg_affine_identity();
    out->transform = bg_transform_new(work->params->model, 3, &inverse, error);
    return out->transform != NULL;
}

static gboolean
run(Work *work, BgVolume *fixed, BgVolume *moving, BgVolumeRegistration *out,
    const BgProgress *progress, GError **error)
{
    double finest_mm = longest_side_mm(bg_volume_get_geometry(fixed)) / FINEST_PART;
    GError *failure = NULL;
    Search found;

    if (!make_pyramids(work, fixed, moving, finest_mm, progress, error) ||
        !find_region(work, error) || !search(work, &found, progress, error))
        return FALSE;
    out->metric_mirror = found.mirror.value;
    out->metric_proper = found.proper.value;
    out->mirror = judge_mirror(&found, work->params->allow_mirror, &failure);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (!refine(work, &found, out, progress, error))
        return FALSE;
    add_warnings(out, &found);
    return TRUE;
}

static gboolean
check_params(BgVolume *fixed, BgVolume *moving, const BgVolumeRegisterParams *params,
             GError **error)
{
    BgAffine inverse;

    if (params->model != BG_TRANSFORM_RIGID && params->model != BG_TRANSFORM_AFFINE) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The volumes cannot be registered: “%s” is not for volumes. Choose rigid or "
                      "affine"),
                    bg_transform_model_name(params->model));
        return FALSE;
    }
    if (params->start == BG_REGISTER_START_GIVEN &&
        !bg_affine_invert(&params->fixed_from_moving, &inverse)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The volumes cannot be registered: the transform to start from "
                              "flattens space. Give another"));
        return FALSE;
    }
    return check_volume(fixed,
                        _("The volumes cannot be registered: the fixed one has less than 4 voxels "
                          "along an axis. Choose another"),
                        error) &&
           check_volume(moving,
                        _("The volumes cannot be registered: the moving one has less than 4 voxels "
                          "along an axis. Choose another"),
                        error);
}

BgVolumeRegistration *
bg_volume_register(BgVolume *fixed, BgVolume *moving, const BgVolumeRegisterParams *params,
                   const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Work work = { .params = params, .cancellable = cancellable };

    if (!check_params(fixed, moving, params, error))
        return NULL;
    g_autoptr(BgVolumeRegistration) out = g_new0(BgVolumeRegistration, 1);
    out->warnings = g_ptr_array_new_with_free_func(g_free);
    gboolean ok = run(&work, fixed, moving, out, progress, error);
    work_clear(&work);
    return ok ? g_steal_pointer(&out) : NULL;
}

void
bg_volume_registration_free(BgVolumeRegistration *registration)
{
    g_clear_pointer(&registration->transform, bg_transform_unref);
    g_ptr_array_unref(registration->warnings);
    g_free(registration);
}
