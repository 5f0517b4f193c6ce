// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-case-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/filter/bg-gaussian.h"
#include "core/filter/bg-n4.h"
#include "core/filter/bg-normalize.h"
#include "core/filter/bg-otsu.h"
#include "core/register/bg-volume-register.h"
#include "core/volume/bg-crop.h"
#include "core/volume/bg-reorient.h"
#include "core/volume/bg-resample.h"

#include <math.h>
#include <string.h>

#define SPACING_MM 1.0
#define SPACING_SLACK_MM 0.02
#define SMOOTH_SHARE 0.4 // of the coarser voxel: what it blurs, about
#define SAME_GRID_MM 0.05
#define STRIPPED_SHARE 0.35 // of voxels that hold the background's one value
#define MARGIN_MM 2.0
#define LEAST_COVERED 0.02 // of the head, by a contrast that is to be used with the others
#define WELL_COVERED 0.8

static const char *const names[BG_N_CONTRASTS] = { "t1", "t1ce", "t2", "flair" };

// Whose frame the others are brought into: contrast-enhanced T1 is usually the sharpest.
static const BgContrast first_choice[BG_N_CONTRASTS] = { BG_CONTRAST_T1CE, BG_CONTRAST_T1,
                                                         BG_CONTRAST_FLAIR, BG_CONTRAST_T2 };

/** Preparing: one case under way; volumes on the case's grid from place() on */
typedef struct {
    const BgTumourParams *params;
    BgTumourCase *result;
    BgVolume *volumes[BG_N_CONTRASTS]; // owned
    BgGeometry own[BG_N_CONTRASTS];    // as they came
    BgLabelMap *mask;                  // owned
    GCancellable *cancellable;
} Preparing;

const char *
bg_contrast_name(BgContrast contrast)
{
    return names[contrast];
}

void
bg_tumour_case_free(BgTumourCase *tumour_case)
{
    if (tumour_case == NULL)
        return;
    bg_buffer_free(tumour_case->planes);
    g_ptr_array_unref(tumour_case->warnings);
    g_free(tumour_case);
}

static void
preparing_clear(Preparing *job)
{
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        g_clear_pointer(&job->volumes[c], bg_volume_unref);
    g_clear_pointer(&job->mask, bg_label_map_unref);
}

// The reference's own voxels, in LPS order; of the spacing that the network wants.
static gboolean
find_grid(const BgGeometry *reference, double wanted, BgGeometry *grid, GError **error)
{
    BgGeometry turned;

    if (!bg_geometry_reorient(reference, "LPS", NULL, NULL, &turned, error))
        return FALSE;
    BgVec3 spacing = bg_geometry_spacing_mm(&turned);
    if (fabs(spacing.x - wanted) < SPACING_SLACK_MM &&
        fabs(spacing.y - wanted) < SPACING_SLACK_MM &&
        fabs(spacing.z - wanted) < SPACING_SLACK_MM) {
        *grid = turned;
        return TRUE;
    }
    return bg_geometry_new_spacing(&turned, bg_vec3(wanted, wanted, wanted), grid, error);
}

// Without what a coarser grid cannot hold.
static BgVolume *
smoothed(Preparing *job, BgVolume *volume, GError **error)
{
    BgVec3 own = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));
    double wanted = bg_geometry_spacing_mm(&job->result->grid).x, sigma[3];

    for (int axis = 0; axis < 3; axis++) {
        double mm = bg_vec3_get(own, axis);
        sigma[axis] = SMOOTH_SHARE * sqrt(MAX(wanted * wanted - mm * mm, 0.0));
    }
    return bg_gaussian(volume, bg_vec3(sigma[0], sigma[1], sigma[2]), NULL, job->cancellable,
                       error);
}

static gboolean
align_one(Preparing *job, BgVolume *reference, int c, const BgProgress *progress, GError **error)
{
    BgTumourCase *result = job->result;
    BgVolumeRegisterParams params = bg_volume_register_params(BG_TRANSFORM_RIGID);

    params.seed = job->params->seed;
    g_autoptr(BgVolumeRegistration) found =
        bg_volume_register(reference, job->volumes[c], &params, progress, job->cancellable, error);
    if (found == NULL) {
        g_prefix_error(error, _("%s could not be brought onto %s: "), names[c],
                       names[result->reference]);
        return FALSE;
    }
    if (!bg_affine_invert(bg_transform_get_affine(found->transform),
                          &result->moving_from_fixed[c])) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("%s could not be brought onto %s: give them in one frame"), names[c],
                    names[result->reference]);
        return FALSE;
    }
    result->registered[c] = TRUE;
    return TRUE;
}

// Each contrast onto the grid: moved where it must be, then sampled.
static gboolean
place(Preparing *job, const BgProgress *progress, GError **error)
{
    BgTumourCase *result = job->result;
    g_autoptr(BgVolume) reference = bg_volume_ref(job->volumes[result->reference]);
    const BgGeometry *frame = bg_volume_get_geometry(reference);
    BgProgressSpan span;

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        result->moving_from_fixed[c] = bg_affine_identity();
        if (job->volumes[c] == NULL)
            continue;
        const BgGeometry *own = bg_volume_get_geometry(job->volumes[c]);
        gboolean apart = !bg_geometry_equal(own, frame, SAME_GRID_MM);
        BgTumourAlign align = job->params->align;
        if (c != (int) result->reference &&
            (align == BG_TUMOUR_ALIGN_ALWAYS || (align == BG_TUMOUR_ALIGN_AUTO && apart)) &&
            !align_one(job, reference, c,
                       bg_progress_span_init(&span, progress, c / 4.0, (c + 1) / 4.0), error))
            return FALSE;
        if (bg_geometry_equal(own, &result->grid, 1e-6))
            continue;
        BgResampleParams resample = bg_resample_params(&result->grid);
        resample.source_from_target = result->moving_from_fixed[c];
        resample.output = BG_RESAMPLE_FLOAT32;
        g_autoptr(BgVolume) smooth = smoothed(job, job->volumes[c], error);
        BgVolume *placed =
            smooth == NULL ? NULL : bg_resample(smooth, &resample, NULL, job->cancellable, error);
        if (placed == NULL)
            return FALSE;
        bg_volume_unref(job->volumes[c]);
        job->volumes[c] = placed;
    }
    return TRUE;
}

// Whether the corners of the grid hold one value, and much else does too.
static gboolean
is_stripped(const BgVolume *volume, double *background)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    const int *d = geometry->dims;
    g_autofree float *row = g_new(float, d[0]);
    gsize n = 0;

    *background = bg_volume_get_value(volume, 0, 0, 0);
    for (int k = 0; k < d[2]; k++) {
        for (int j = 0; j < d[1]; j++) {
            bg_volume_read_row(volume, j, k, row);
            for (int i = 0; i < d[0]; i++)
                n += (gsize) ((double) row[i] == *background);
        }
    }
    return (double) n > STRIPPED_SHARE * (double) bg_geometry_count_voxels(geometry);
}

// Voxels where any of the stripped contrasts is not the background, or where the brain is said to be.
static BgLabelMap *
mask_from(Preparing *job, GError **error)
{
    const BgGeometry *grid = &job->result->grid;
    const BgVolume *reference = job->volumes[job->result->reference];
    g_autoptr(BgLabelMap) brain = NULL;
    double background = 0.0;

    if (job->params->brain != NULL) {
        BgResampleParams resample = bg_resample_params(grid);
        job->result->stripped = TRUE;
        return bg_resample_labels(job->params->brain, &resample, NULL, job->cancellable, error);
    }
    job->result->stripped = is_stripped(reference, &background);
    if (!job->result->stripped)
        return bg_otsu_mask(job->volumes[job->result->reference], job->cancellable, error);

    guint8 *mask = bg_voxels_alloc(grid, 1, error);
    if (mask == NULL)
        return NULL;
    g_autofree float *row = g_new(float, grid->dims[0]);
    for (int k = 0; k < grid->dims[2]; k++) {
        for (int j = 0; j < grid->dims[1]; j++) {
            guint8 *out =
                mask + (gsize) grid->dims[0] * ((gsize) j + (gsize) grid->dims[1] * (gsize) k);
            bg_volume_read_row(reference, j, k, row);
            for (int i = 0; i < grid->dims[0]; i++)
                out[i] = (double) row[i] != background;
        }
    }
    return bg_label_map_new_take(grid, BG_LABEL_UINT8, mask, error);
}

// What a contrast does not reach is as if it were missing there: that is said. One that reaches nothing is refused.
static gboolean
check_covered(Preparing *job, GError **error)
{
    BgTumourCase *result = job->result;
    const char *first = names[result->reference];

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        if (!result->present[c] || c == (int) result->reference)
            continue;
        double share = bg_tumour_covered(job->mask, &job->own[c], &result->moving_from_fixed[c]);
        if (share < LEAST_COVERED) {
            g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                        _("%s and %s show no place in common. Check that both are of one head, or "
                          "have them registered to each other"),
                        first, names[c]);
            return FALSE;
        }
        if (share < WELL_COVERED)
            g_ptr_array_add(result->warnings,
                            g_strdup_printf(_("%s covers %.0f %% of the head in %s: elsewhere it "
                                              "counts as missing"),
                                            names[c], 100.0 * share, first));
    }
    return TRUE;
}

static gboolean
cut(Preparing *job, GError **error)
{
    BgVoxelBox box;

    if (!bg_label_map_bounds(job->mask, 0, MARGIN_MM, &box, error)) {
        g_prefix_error(error, _("There is no head in %s: "), names[job->result->reference]);
        return FALSE;
    }
    BgLabelMap *mask = bg_label_map_cut(job->mask, &box, error);
    if (mask == NULL)
        return FALSE;
    bg_label_map_unref(job->mask);
    job->mask = mask;
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        BgVolume *part = NULL;
        if (job->volumes[c] == NULL)
            continue;
        part = bg_volume_crop(job->volumes[c], &box, error);
        if (part == NULL)
            return FALSE;
        bg_volume_unref(job->volumes[c]);
        job->volumes[c] = part;
    }
    job->result->grid = *bg_label_map_get_geometry(job->mask);
    return TRUE;
}

static BgVolume *
without_shading(Preparing *job, int c, const BgProgress *progress, GError **error)
{
    BgN4Params params = bg_n4_params_default();

    params.mask = job->mask;
    return bg_n4(job->volumes[c], &params, NULL, NULL, progress, job->cancellable, error);
}

static gboolean
normalise(Preparing *job, const BgProgress *progress, GError **error)
{
    BgTumourCase *result = job->result;
    gsize n = bg_geometry_count_voxels(&result->grid);
    BgNormalizeParams params = bg_normalize_params(BG_NORMALIZE_PERCENTILE);
    BgProgressSpan span;

    params.mask = job->mask;
    result->planes = bg_buffer_alloc_items(n * BG_N_CONTRASTS, sizeof(float), error);
    if (result->planes == NULL)
        return FALSE;
    memset(result->planes, 0, n * BG_N_CONTRASTS * sizeof(float));
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        g_autoptr(BgVolume) volume = NULL;
        if (job->volumes[c] == NULL)
            continue;
        bg_progress_span_init(&span, progress, c / 4.0, (c + 1) / 4.0);
        volume = job->params->n4 ? without_shading(job, c, &span.progress, error)
                                 : bg_volume_ref(job->volumes[c]);
        if (volume == NULL)
            return FALSE;
        g_autoptr(BgVolume) scores = bg_normalize(volume, &params, NULL, job->cancellable, error);
        if (scores == NULL) {
            g_prefix_error(error, "%s: ", names[c]);
            return FALSE;
        }
        memcpy(result->planes + (gsize) c * n, bg_volume_get_samples(scores), n * sizeof(float));
    }
    return TRUE;
}

static gboolean
check_order(const BgTumourCase *result, GError **error)
{
    BgContrast order[BG_N_CONTRASTS];
    g_autoptr(GString) words = g_string_new(NULL);

    if (bg_tumour_guess_order(result, order) <= BG_TUMOUR_ORDER_SURE)
        return TRUE;
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        if (result->present[c] && (int) order[c] != c)
            g_string_append_printf(words, _("%sthe one given as %s looks like %s"),
                                   words->len > 0 ? "; " : "", names[c], names[order[c]]);
    }
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("The contrasts seem to be in another order than said: %s. Give them in the "
                  "right order, or say that they are right as given"),
                words->str);
    return FALSE;
}

static gboolean
prepare(Preparing *job, const BgProgress *progress, GError **error)
{
    BgTumourCase *result = job->result;
    double wanted = job->params->spacing_mm > 0 ? job->params->spacing_mm : SPACING_MM;
    BgProgressSpan span;

    if (!find_grid(bg_volume_get_geometry(job->volumes[result->reference]), wanted, &result->grid,
                   error) ||
        !place(job, bg_progress_span_init(&span, progress, 0.0, 0.6), error))
        return FALSE;
    job->mask = mask_from(job, error);
    if (job->mask == NULL || !check_covered(job, error) || !cut(job, error) ||
        !normalise(job, bg_progress_span_init(&span, progress, 0.6, 1.0), error))
        return FALSE;
    return job->params->as_given || check_order(result, error);
}

BgTumourCase *
bg_tumour_case_new(BgVolume *const contrasts[BG_N_CONTRASTS], const BgTumourParams *params,
                   const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgTumourCase *result = g_new0(BgTumourCase, 1);
    Preparing job = { .params = params, .result = result, .cancellable = cancellable };
    g_autoptr(GString) missing = g_string_new(NULL);
    int n = 0;

    result->warnings = g_ptr_array_new_with_free_func(g_free);
    for (int c = BG_N_CONTRASTS - 1; c >= 0; c--) {
        if (contrasts[first_choice[c]] != NULL)
            result->reference = first_choice[c];
    }
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        result->present[c] = contrasts[c] != NULL;
        n += result->present[c];
        if (contrasts[c] != NULL) {
            job.volumes[c] = bg_volume_ref(contrasts[c]);
            job.own[c] = *bg_volume_get_geometry(contrasts[c]);
        } else {
            g_string_append_printf(missing, "%s%s", missing->len > 0 ? ", " : "", names[c]);
        }
    }
    if (n > 0 && n < BG_N_CONTRASTS)
        g_ptr_array_add(result->warnings,
                        g_strdup_printf(_("%s missing: the network was taught to do without, but "
                                          "finds less"),
                                        missing->str));
    if (n == 0)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("There is nothing to segment: give at least one contrast"));
    if (n == 0 || !prepare(&job, progress, error))
        g_clear_pointer(&result, bg_tumour_case_free);
    preparing_clear(&job);
    return result;
}

/** Relations: sums over the sampled foreground */
typedef struct {
    double correlation[BG_N_CONTRASTS][BG_N_CONTRASTS];
    double dark[BG_N_CONTRASTS][BG_N_CONTRASTS];   // of contrast b where a is darkest
    double bright[BG_N_CONTRASTS][BG_N_CONTRASTS]; // of contrast b where a is brightest
    double added[BG_N_CONTRASTS][BG_N_CONTRASTS];  // see asymmetry(): of a over b
} Relations;

#define DARK_SHARE 0.06
#define BRIGHT_SHARE 0.015
#define TAIL_SHARE 0.004
#define MOST_SAMPLES 200000

static int
compare_floats(gconstpointer a, gconstpointer b)
{
    float x = *(const float *) a, y = *(const float *) b;

    return x < y ? -1 : x > y;
}

static float
quantile(const float *sorted, gsize n, double share)
{
    return sorted[(gsize) (share * (double) (n - 1))];
}

static float *
sort_copy(const float *values, gsize n)
{
    float *sorted = g_memdup2(values, n * sizeof(float));

    qsort(sorted, n, sizeof(float), compare_floats);
    return sorted;
}

// Whether a has more that b has not than the other way round, -1..1: b is brought to the scale of a
// by their middle values; then how far the tails of the difference reach up and down.
static double
asymmetry(const float *a, const float *sorted_a, const float *b, const float *sorted_b, gsize n)
{
    g_autofree float *rest = g_new(float, n);
    float range = quantile(sorted_b, n, 0.7) - quantile(sorted_b, n, 0.2);
    float slope =
        range > 1e-3f ? (quantile(sorted_a, n, 0.7) - quantile(sorted_a, n, 0.2)) / range : 1.0f;

    for (gsize i = 0; i < n; i++)
        rest[i] = a[i] - slope * b[i];
    qsort(rest, n, sizeof(float), compare_floats);
    gsize tail = MAX((gsize) (TAIL_SHARE * (double) n), 1);
    double middle = (double) quantile(rest, n, 0.5), up = 0.0, down = 0.0;
    for (gsize i = 0; i < tail; i++) {
        down += (middle - (double) rest[i]) / (double) tail;
        up += ((double) rest[n - 1 - i] - middle) / (double) tail;
    }
    return up + down > 1e-6 ? (up - down) / (up + down) : 0.0;
}

static void
relate(const float *a, const float *b, gsize n, double limit, double upper, double *r, double *dark,
       double *bright)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, sum = 0, below = 0, high = 0, above = 0;

    for (gsize i = 0; i < n; i++) {
        double x = (double) a[i], y = (double) b[i];
        sa += x, sb += y, saa += x * x, sbb += y * y, sab += x * y;
        if (x <= limit) {
            sum += y;
            below++;
        }
        if (x >= upper) {
            high += y;
            above++;
        }
    }
    double count = (double) n, va = saa - sa * sa / count, vb = sbb - sb * sb / count;
    *r = va > 0 && vb > 0 ? (sab - sa * sb / count) / sqrt(va * vb) : 0.0;
    *dark = below > 0 ? sum / below : 0.0;
    *bright = above > 0 ? high / above : 0.0;
}

static void
relate_all(Relations *relations, const gboolean *present, const float *samples, gsize room, gsize n)
{
    float *sorted[BG_N_CONTRASTS] = { NULL };

    for (int c = 0; c < BG_N_CONTRASTS; c++)
        sorted[c] = sort_copy(samples + (gsize) c * room, n);
    for (int a = 0; a < BG_N_CONTRASTS; a++) {
        const float *values = samples + (gsize) a * room;
        double limit = (double) quantile(sorted[a], n, DARK_SHARE);
        double upper = (double) quantile(sorted[a], n, 1.0 - BRIGHT_SHARE);
        for (int b = 0; b < BG_N_CONTRASTS; b++) {
            const float *other = samples + (gsize) b * room;
            if (a == b || !present[a] || !present[b])
                continue;
            relate(values, other, n, limit, upper, &relations->correlation[a][b],
                   &relations->dark[a][b], &relations->bright[a][b]);
            relations->added[a][b] = asymmetry(values, sorted[a], other, sorted[b], n);
        }
    }
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        g_free(sorted[c]);
}

// How well it fits that the given contrast g is of kind order[g].
static double
score(const Relations *r, const gboolean *present, const BgContrast *order)
{
    int at[BG_N_CONTRASTS];
    double s = 0.0;

    for (int kind = 0; kind < BG_N_CONTRASTS; kind++)
        at[kind] = -1;
    for (int g = 0; g < BG_N_CONTRASTS; g++) {
        if (present[g])
            at[order[g]] = g;
    }
    int t1 = at[BG_CONTRAST_T1], ce = at[BG_CONTRAST_T1CE], t2 = at[BG_CONTRAST_T2];
    int flair = at[BG_CONTRAST_FLAIR], any1 = t1 >= 0 ? t1 : ce;
    if (t1 >= 0 && ce >= 0)
        s += 2.0 * r->correlation[t1][ce] + r->added[ce][t1];
    if (t2 >= 0 && any1 >= 0)
        s += r->dark[any1][t2] - r->correlation[any1][t2];
    if (flair >= 0 && any1 >= 0)
        s += 0.5 * (r->correlation[any1][flair] < 0.8 ? 1.0 : 0.0) - 0.5 * r->dark[any1][flair];
    // Nothing is as bright in T2 as fluid; what is brightest in FLAIR, oedema, is bright in T2, too.
    if (t2 >= 0 && flair >= 0)
        s += 0.5 * (r->bright[flair][t2] - r->bright[t2][flair]);
    return s;
}

double
bg_tumour_guess_order(const BgTumourCase *tumour_case, BgContrast order[BG_N_CONTRASTS])
{
    gsize n = bg_geometry_count_voxels(&tumour_case->grid), step = MAX(n / MOST_SAMPLES, 1);
    g_autofree float *samples = g_new(float, BG_N_CONTRASTS *(n / step + 1));
    Relations relations = { 0 };
    gsize n_samples = 0, room = n / step + 1;
    BgContrast given[BG_N_CONTRASTS] = { BG_CONTRAST_T1, BG_CONTRAST_T1CE, BG_CONTRAST_T2,
                                         BG_CONTRAST_FLAIR };

    memcpy(order, given, sizeof given);
    for (gsize i = 0; i < n; i += step) {
        gboolean inside = FALSE;
        for (int c = 0; c < BG_N_CONTRASTS; c++) {
            samples[(gsize) c * room + n_samples] = tumour_case->planes[(gsize) c * n + i];
            inside = inside || tumour_case->planes[(gsize) c * n + i] != 0.0f;
        }
        n_samples += inside;
    }
    if (n_samples < 1000)
        return 0.0;
    relate_all(&relations, tumour_case->present, samples, room, n_samples);
    double as_given = score(&relations, tumour_case->present, given), best = as_given;
    for (int p = 0; p < 256; p++) {
        BgContrast guess[BG_N_CONTRASTS];
        int used = 0;
        for (int g = 0; g < BG_N_CONTRASTS; g++) {
            guess[g] = (BgContrast) (p >> (2 * g) & 3);
            used |= 1 << guess[g];
        }
        // Missing contrasts stay missing: only those that are there change places.
        gboolean fits = used == 15;
        for (int g = 0; g < BG_N_CONTRASTS; g++)
            fits = fits && (tumour_case->present[g] || guess[g] == (BgContrast) g);
        if (!fits)
            continue;
        double s = score(&relations, tumour_case->present, guess);
        if (s > best) {
            best = s;
            memcpy(order, guess, sizeof guess);
        }
    }
    return best - as_given;
}
