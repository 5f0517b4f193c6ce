// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-n4.h"

#include "bg-n4-private.h"
#include "bg-otsu.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define GRID_WITHIN_MM 1e-2
#define LEAST_POINTS 16
#define LEAST_SIDE 12 // voxels that shrinking leaves along an axis
#define FIT_SHARE 0.9 // of the progress
#define UNMARKED NAN  // of a logarithm that is not looked at

// The shrunken grid. Sums are kept by slice, so that the result does not depend on who did which.
typedef struct {
    const BgN4Params *params;
    int dims[3], shrink[3], start[3];
    float *logs;  // owned: of the values; NaN outside the mask
    float *field; // owned: the field's logarithm at the same places
    gsize n_points;
    BgLattice lattice; // owned points
    BgSplineAxis axes[3];
    double *weight; // owned: omega of each control point
    double *sharp, *counts;
    double low, high, step; // of the corrected logarithms
    struct N4Slice {
        double low, high;
        double sum, squares, n; // of the change of the field, as a factor
        double *counts;         // owned
        double *delta;          // owned: side^2, contracted along i and j
    } * slices;
} N4;

BgN4Params
bg_n4_params_default(void)
{
    return (BgN4Params){ .shrink = 4,
                         .n_levels = 4,
                         .iterations = { 50, 50, 50, 50 },
                         .threshold = 0.001,
                         .fwhm = 0.15,
                         .noise = 0.01,
                         .n_bins = 200 };
}

static gboolean
check_params(BgVolume *volume, const BgN4Params *p, GError **error)
{
    gboolean ok = p->shrink >= 1 && p->shrink <= 16 && p->n_levels >= 1 &&
                  p->n_levels <= BG_N4_MAX_LEVELS && p->n_bins >= 16 && p->n_bins <= 4096 &&
                  p->fwhm > 0.0 && p->fwhm <= 10.0 && p->noise > 0.0 && p->threshold >= 0.0;

    for (int level = 0; ok && level < p->n_levels; level++)
        ok = p->iterations[level] >= 0 && p->iterations[level] <= 1000;
    if (!ok) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("The shading cannot be corrected: shrink must be 1 to 16, levels 1 to %d with "
              "0 to 1000 iterations each"),
            BG_N4_MAX_LEVELS);
        return FALSE;
    }
    if (p->mask != NULL && !bg_geometry_equal(bg_label_map_get_geometry(p->mask),
                                              bg_volume_get_geometry(volume), GRID_WITHIN_MM)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The mask's grid is not the volume's; resample it onto the volume first"));
        return FALSE;
    }
    return TRUE;
}

static void
choose_shrink(N4 *n4, const BgGeometry *geometry)
{
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double finest = MIN(spacing.x, MIN(spacing.y, spacing.z));

    for (int axis = 0; axis < 3; axis++) {
        int dim = geometry->dims[axis];
        int most = (int) MAX(n4->params->shrink * finest / bg_vec3_get(spacing, axis) + 0.5, 1.0);
        n4->shrink[axis] = MAX(MIN(most, dim / LEAST_SIDE), 1);
        n4->dims[axis] = dim / n4->shrink[axis];
        n4->start[axis] = (dim - (n4->dims[axis] - 1) * n4->shrink[axis] - 1) / 2;
    }
}

static void
n4_clear(N4 *n4)
{
    g_clear_pointer(&n4->logs, bg_buffer_free);
    g_clear_pointer(&n4->field, bg_buffer_free);
    g_clear_pointer(&n4->lattice.points, g_free);
    g_clear_pointer(&n4->weight, g_free);
    g_clear_pointer(&n4->sharp, g_free);
    g_clear_pointer(&n4->counts, g_free);
    for (int axis = 0; axis < 3; axis++)
        bg_spline_axis_clear(&n4->axes[axis]);
    for (int k = 0; n4->slices != NULL && k < n4->dims[2]; k++) {
        g_free(n4->slices[k].counts);
        g_free(n4->slices[k].delta);
    }
    g_clear_pointer(&n4->slices, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(N4, n4_clear)

static gboolean
take_points(N4 *n4, BgVolume *volume, BgLabelMap *mask, GError **error)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    gsize n = (gsize) n4->dims[0] * (gsize) n4->dims[1] * (gsize) n4->dims[2], at = 0;
    g_autofree float *row = g_new(float, dims[0]);
    g_autofree guint32 *marks = g_new(guint32, dims[0]);

    n4->logs = bg_buffer_alloc_items(n, sizeof(float), error);
    n4->field = n4->logs != NULL ? bg_buffer_alloc_items(n, sizeof(float), error) : NULL;
    if (n4->field == NULL)
        return FALSE;
    memset(n4->field, 0, n * sizeof(float));
    for (int k = 0; k < n4->dims[2]; k++) {
        for (int j = 0; j < n4->dims[1]; j++) {
            int from_j = n4->start[1] + j * n4->shrink[1],
                from_k = n4->start[2] + k * n4->shrink[2];
            bg_volume_read_row(volume, from_j, from_k, row);
            bg_label_map_read_row(mask, from_j, from_k, marks);
            for (int i = 0; i < n4->dims[0]; i++) {
                int from_i = n4->start[0] + i * n4->shrink[0];
                gboolean taken = marks[from_i] != 0 && row[from_i] > 0.0f && isfinite(row[from_i]);
                n4->logs[at++] = taken ? logf(row[from_i]) : UNMARKED;
                n4->n_points += taken;
            }
        }
    }
    if (n4->n_points >= LEAST_POINTS)
        return TRUE;
    g_set_error(
        error, BG_ERROR, BG_ERROR_INVALID,
        _("The shading cannot be corrected: only %zu voxels of the mask have a value over 0; "
          "give another mask or a smaller shrink factor"),
        n4->n_points);
    return FALSE;
}

static float *
slice_of(const N4 *n4, float *grid, int k)
{
    return grid + (gsize) k * (gsize) n4->dims[0] * (gsize) n4->dims[1];
}

static void
find_ranges(gsize first, gsize last, guint worker, gpointer user_data)
{
    const N4 *n4 = user_data;
    gsize n = (gsize) n4->dims[0] * (gsize) n4->dims[1];

    for (gsize k = first; k < last; k++) {
        const float *logs = slice_of(n4, n4->logs, (int) k),
                    *field = slice_of(n4, n4->field, (int) k);
        float low = HUGE_VALF, high = -HUGE_VALF;
        for (gsize i = 0; i < n; i++) {
            float v = logs[i] - field[i]; // NaN compares false
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
        n4->slices[k].low = (double) low;
        n4->slices[k].high = (double) high;
    }
}

// Each value is shared between the two nearest bins.
static void
count_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const N4 *n4 = user_data;
    gsize n = (gsize) n4->dims[0] * (gsize) n4->dims[1];
    int n_bins = n4->params->n_bins;
    float low = (float) n4->low, scale = (float) (1.0 / n4->step);

    for (gsize k = first; k < last; k++) {
        const float *logs = slice_of(n4, n4->logs, (int) k),
                    *field = slice_of(n4, n4->field, (int) k);
        double *counts = n4->slices[k].counts;
        memset(counts, 0, (gsize) n_bins * sizeof(double));
        for (gsize i = 0; i < n; i++) {
            if (isnan(logs[i]))
                continue;
            float place = CLAMP((logs[i] - field[i] - low) * scale, 0.0f, (float) (n_bins - 1));
            int bin = MIN((int) place, n_bins - 2);
            counts[bin] += (double) (1.0f - (place - (float) bin));
            counts[bin + 1] += (double) (place - (float) bin);
        }
    }
}

// Expected sharp values of the corrected logarithms' histogram. FALSE: they are all one value.
static gboolean
sharpen(N4 *n4)
{
    gsize n_slices = (gsize) n4->dims[2];
    int n_bins = n4->params->n_bins;

    bg_parallel_for(n_slices, 4, find_ranges, n4, NULL);
    n4->low = HUGE_VAL;
    n4->high = -HUGE_VAL;
    for (gsize k = 0; k < n_slices; k++) {
        n4->low = MIN(n4->low, n4->slices[k].low);
        n4->high = MAX(n4->high, n4->slices[k].high);
    }
    n4->step = (n4->high - n4->low) / (n_bins - 1);
    if (!(n4->step > 1e-9))
        return FALSE;
    bg_parallel_for(n_slices, 4, count_slices, n4, NULL);
    memset(n4->counts, 0, (gsize) n_bins * sizeof(double));
    for (gsize k = 0; k < n_slices; k++) {
        for (int bin = 0; bin < n_bins; bin++)
            n4->counts[bin] += n4->slices[k].counts[bin];
    }
    bg_n4_sharpen(n4->counts, n_bins, n4->low, n4->step, n4->params, n4->sharp);
    return TRUE;
}

// in: one row of values at the places of axis i; added to out, a side of control points.
static void
contract_row(const BgSplineAxis *axis, const float (*w)[4], const float *in, float *out)
{
    for (int i = 0; i < axis->n; i++) {
        float *c = out + axis->first[i];
        float v = in[i];
        c[0] += v * w[i][0];
        c[1] += v * w[i][1];
        c[2] += v * w[i][2];
        c[3] += v * w[i][3];
    }
}

static void
contract_slice(const N4 *n4, gboolean weights, const float *row, int j, double *delta)
{
    gsize side = (gsize) bg_lattice_side(&n4->lattice);
    const BgSplineAxis *ai = &n4->axes[0], *aj = &n4->axes[1];
    float along[BG_LATTICE_MAX] = { 0 };

    contract_row(ai, weights ? (const float(*)[4]) ai->w2 : (const float(*)[4]) ai->w3, row, along);
    for (int c = 0; c < 4; c++) {
        double w = (double) (weights ? aj->w2 : aj->w3)[j][c];
        double *to = delta + (gsize) (aj->first[j] + c) * side;
        for (gsize i = 0; i < side; i++)
            to[i] += w * (double) along[i];
    }
}

// What sharpening takes away, contracted along i and j with the cubed weights.
static void
fit_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const N4 *n4 = user_data;
    gsize side = (gsize) bg_lattice_side(&n4->lattice), nx = (gsize) n4->dims[0];
    g_autofree float *row = g_new(float, nx);
    g_autofree float *sharp = g_new(float, n4->params->n_bins);
    float low = (float) n4->low, scale = (float) (1.0 / n4->step);
    float top = (float) (n4->params->n_bins - 1);

    for (int bin = 0; bin < n4->params->n_bins; bin++)
        sharp[bin] = (float) n4->sharp[bin];
    for (gsize k = first; k < last; k++) {
        double *delta = n4->slices[k].delta;
        memset(delta, 0, side * side * sizeof(double));
        for (int j = 0; j < n4->dims[1]; j++) {
            const float *logs = slice_of(n4, n4->logs, (int) k) + (gsize) j * nx;
            const float *field = slice_of(n4, n4->field, (int) k) + (gsize) j * nx;
            for (gsize i = 0; i < nx; i++) {
                float v = logs[i] - field[i];
                float place = CLAMP((v - low) * scale, 0.0f, top);
                int bin = isnan(v) ? 0 : MIN((int) place, n4->params->n_bins - 2);
                float wanted = sharp[bin] + (sharp[bin + 1] - sharp[bin]) * (place - (float) bin);
                row[i] = isnan(v) ? 0.0f : v - wanted;
            }
            contract_slice(n4, FALSE, row, j, delta);
        }
    }
}

static void
weigh_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const N4 *n4 = user_data;
    gsize side = (gsize) bg_lattice_side(&n4->lattice), nx = (gsize) n4->dims[0];
    g_autofree float *row = g_new(float, nx);

    for (gsize k = first; k < last; k++) {
        double *delta = n4->slices[k].delta;
        memset(delta, 0, side * side * sizeof(double));
        for (int j = 0; j < n4->dims[1]; j++) {
            const float *logs = slice_of(n4, n4->logs, (int) k) + (gsize) j * nx;
            for (gsize i = 0; i < nx; i++)
                row[i] = isnan(logs[i]) ? 0.0f : 1.0f;
            contract_slice(n4, TRUE, row, j, delta);
        }
    }
}

// The slices' contractions, along k too: into out, of side^3.
static void
contract_slices(const N4 *n4, gboolean weights, double *out)
{
    gsize side = (gsize) bg_lattice_side(&n4->lattice), n2 = side * side;
    const BgSplineAxis *axis = &n4->axes[2];

    memset(out, 0, n2 * side * sizeof(double));
    for (int k = 0; k < n4->dims[2]; k++) {
        for (int c = 0; c < 4; c++) {
            double w = (double) (weights ? axis->w2 : axis->w3)[k][c];
            double *to = out + (gsize) (axis->first[k] + c) * n2;
            for (gsize i = 0; i < n2; i++)
                to[i] += w * n4->slices[k].delta[i];
        }
    }
}

// The field at the places of the new lattice, and how it changed.
static void
update_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const N4 *n4 = user_data;
    gsize side = (gsize) bg_lattice_side(&n4->lattice), nx = (gsize) n4->dims[0];
    g_autofree double *plane = g_new(double, side *side);
    float row[BG_LATTICE_MAX];

    for (gsize k = first; k < last; k++) {
        struct N4Slice *slice = &n4->slices[k];
        slice->sum = slice->squares = slice->n = 0.0;
        bg_lattice_slice(&n4->lattice, &n4->axes[2], (int) k, plane);
        for (int j = 0; j < n4->dims[1]; j++) {
            const float *logs = slice_of(n4, n4->logs, (int) k) + (gsize) j * nx;
            float *field = slice_of(n4, n4->field, (int) k) + (gsize) j * nx;
            bg_lattice_row(&n4->lattice, &n4->axes[1], j, plane, row);
            for (gsize i = 0; i < nx; i++) {
                float value = bg_lattice_value(&n4->axes[0], (int) i, row);
                if (!isnan(logs[i])) {
                    // exp(x) - 1 of a small change: the coefficient of variation keeps its digits
                    double change = expm1((double) (field[i] - value));
                    slice->sum += change;
                    slice->squares += change * change;
                    slice->n += 1.0;
                }
                field[i] = value;
            }
        }
    }
}

static double
change_of_field(const N4 *n4)
{
    double sum = 0.0, squares = 0.0, n = 0.0;

    for (int k = 0; k < n4->dims[2]; k++) {
        sum += n4->slices[k].sum;
        squares += n4->slices[k].squares;
        n += n4->slices[k].n;
    }
    double mean = sum / n, variance = MAX(squares - n * mean * mean, 0.0) / (n - 1.0);
    return sqrt(variance) / (1.0 + mean);
}

static void
start_level(N4 *n4, const BgGeometry *geometry)
{
    gsize side = (gsize) bg_lattice_side(&n4->lattice);

    for (int axis = 0; axis < 3; axis++) {
        double whole = MAX(geometry->dims[axis] - 1, 1);
        bg_spline_axis_clear(&n4->axes[axis]);
        bg_spline_axis_init(&n4->axes[axis], n4->dims[axis], n4->start[axis] / whole,
                            n4->shrink[axis] / whole, n4->lattice.cells);
    }
    for (int k = 0; k < n4->dims[2]; k++) {
        g_free(n4->slices[k].delta);
        n4->slices[k].delta = g_new(double, side *side);
    }
    g_free(n4->weight);
    n4->weight = g_new(double, side *side *side);
    bg_parallel_for((gsize) n4->dims[2], 4, weigh_slices, n4, NULL);
    contract_slices(n4, TRUE, n4->weight);
}

// One turn: sharpen, fit what that took away, add it to the field. FALSE: nothing left to sharpen.
static gboolean
turn(N4 *n4, double *change)
{
    gsize side = (gsize) bg_lattice_side(&n4->lattice), n = side * side * side;
    g_autofree double *delta = g_new(double, n);

    if (!sharpen(n4))
        return FALSE;
    bg_parallel_for((gsize) n4->dims[2], 2, fit_slices, n4, NULL);
    contract_slices(n4, FALSE, delta);
    for (gsize c = 0; c < n; c++) {
        if (n4->weight[c] > 0.0)
            n4->lattice.points[c] += delta[c] / n4->weight[c];
    }
    bg_parallel_for((gsize) n4->dims[2], 2, update_slices, n4, NULL);
    *change = change_of_field(n4);
    return TRUE;
}

static gboolean
fit(N4 *n4, const BgGeometry *geometry, BgN4Report *report, const BgProgress *progress,
    GCancellable *cancellable, GError **error)
{
    double done = 0.0, all = 0.0;

    for (int level = 0; level < n4->params->n_levels; level++)
        all += n4->params->iterations[level];
    for (int level = 0; level < n4->params->n_levels; level++) {
        double change = HUGE_VAL;
        int n = 0;
        if (level > 0)
            bg_lattice_refine(&n4->lattice);
        start_level(n4, geometry);
        for (; n < n4->params->iterations[level] && change > n4->params->threshold; n++) {
            if (g_cancellable_set_error_if_cancelled(cancellable, error))
                return FALSE;
            if (!turn(n4, &change))
                break;
            bg_progress_report(progress, FIT_SHARE * (done + n) / MAX(all, 1.0));
        }
        done += n4->params->iterations[level];
        if (report != NULL) {
            report->iterations[level] = n;
            report->change[level] = change;
        }
    }
    return TRUE;
}

typedef struct {
    BgVolume *volume;
    const BgLattice *lattice;
    const BgSplineAxis *axes;
    float *corrected, *field; // field: nullable
} Apply;

static void
apply_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Apply *job = user_data;
    const int *dims = bg_volume_get_geometry(job->volume)->dims;
    gsize side = (gsize) bg_lattice_side(job->lattice), nx = (gsize) dims[0];
    g_autofree double *plane = g_new(double, side *side);
    float row[BG_LATTICE_MAX];

    for (gsize k = first; k < last; k++) {
        bg_lattice_slice(job->lattice, &job->axes[2], (int) k, plane);
        for (int j = 0; j < dims[1]; j++) {
            gsize at = nx * ((gsize) j + (gsize) dims[1] * k);
            float *out = job->corrected + at;
            bg_volume_read_row(job->volume, j, (int) k, out);
            bg_lattice_row(job->lattice, &job->axes[1], j, plane, row);
            for (gsize i = 0; i < nx; i++) {
                float field = expf(bg_lattice_value(&job->axes[0], (int) i, row));
                out[i] /= field;
                if (job->field != NULL)
                    job->field[at + i] = field;
            }
        }
    }
}

// Divides the volume by the field of the lattice.
static BgVolume *
apply(BgVolume *volume, const BgLattice *lattice, BgVolume **field, GCancellable *cancellable,
      GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
    BgSplineAxis axes[3];
    Apply job = { .volume = volume, .lattice = lattice, .axes = axes };

    job.corrected = bg_voxels_alloc(geometry, sizeof(float), error);
    if (job.corrected != NULL && field != NULL)
        job.field = bg_voxels_alloc(geometry, sizeof(float), error);
    if (job.corrected == NULL || (field != NULL && job.field == NULL)) {
        bg_voxels_free(job.corrected);
        return NULL;
    }
    for (int axis = 0; axis < 3; axis++)
        bg_spline_axis_init(&axes[axis], geometry->dims[axis], 0.0,
                            1.0 / MAX(geometry->dims[axis] - 1, 1), lattice->cells);
    gboolean done = bg_parallel_for((gsize) geometry->dims[2], 2, apply_slices, &job, cancellable);
    for (int axis = 0; axis < 3; axis++)
        bg_spline_axis_clear(&axes[axis]);
    if (!done) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        bg_voxels_free(job.corrected);
        bg_voxels_free(job.field);
        return NULL;
    }
    g_autoptr(BgVolume) corrected = bg_volume_new_take(geometry, format, job.corrected, error);
    if (field != NULL)
        *field = bg_volume_new_take(geometry, format, job.field, error);
    return g_steal_pointer(&corrected);
}

BgVolume *
bg_n4(BgVolume *volume, const BgN4Params *params, BgVolume **field, BgN4Report *report,
      const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL && params != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    g_auto(N4) n4 = { .params = params };

    if (report != NULL)
        memset(report, 0, sizeof *report);
    if (!check_params(volume, params, error))
        return NULL;
    g_autoptr(BgLabelMap) mask = params->mask != NULL ? bg_label_map_ref(params->mask)
                                                      : bg_otsu_mask(volume, cancellable, error);
    if (mask == NULL)
        return NULL;
    choose_shrink(&n4, geometry);
    n4.slices = g_new0(struct N4Slice, n4.dims[2]);
    for (int k = 0; k < n4.dims[2]; k++)
        n4.slices[k].counts = g_new(double, params->n_bins);
    n4.sharp = g_new(double, params->n_bins);
    n4.counts = g_new(double, params->n_bins);
    n4.lattice = (BgLattice){ .cells = 1, .points = g_new0(double, 4 * 4 * 4) };
    if (!take_points(&n4, volume, mask, error) ||
        !fit(&n4, geometry, report, progress, cancellable, error))
        return NULL;
    if (report != NULL)
        report->n_points = n4.n_points;
    BgVolume *corrected = apply(volume, &n4.lattice, field, cancellable, error);
    bg_progress_report(progress, 1.0);
    return corrected;
}
