// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-resample.h"

#include "bg-bspline-private.h"
#include "bg-resample-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <stdatomic.h>
#include <string.h>

#define ROWS_AT_A_TIME 32
#define WHOLE_WITHIN 1e-9 // matrix entries this close to a whole number are meant to be it
#define MIN_VECTOR_ROW 8

typedef struct {
    BgResampleMap map;
    BgResampleMethod method;
    BgSampleType type;
    gconstpointer samples;     // borrowed
    const float *coefficients; // cubic; owned by the caller
    gboolean is_patched;       // voxels that are not finite were taken as 0 in @coefficients
    gboolean vectors;          // the AVX2 path can be taken
    float fill;                // a sample of the result
    BgSampleFormat from, to;
    gboolean scales; // slope and intercept are applied to the result
    gpointer result; // borrowed
    float *rows;     // one scratch row a worker
    const BgProgress *progress;
    gsize n_rows;
    atomic_size_t n_done;
} Job;

BgResampleParams
bg_resample_params(const BgGeometry *target)
{
    return (BgResampleParams){
        .target = *target,
        .source_from_target = bg_affine_identity(),
        .method = BG_RESAMPLE_LINEAR,
        .output = BG_RESAMPLE_SAME_TYPE,
    };
}

static gboolean
make_map(const BgGeometry *source, const BgResampleParams *params, BgResampleMap *map,
         GError **error)
{
    if (!bg_geometry_check(&params->target, error))
        return FALSE;
    if (!bg_affine_is_finite(&params->source_from_target)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The transform holds numbers that are not finite: compute the "
                              "registration again"));
        return FALSE;
    }

    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(source);
    BgAffine patient =
        bg_affine_multiply(&params->source_from_target, &params->target.patient_from_voxel);
    BgAffine whole = bg_affine_multiply(&voxel_from_patient, &patient);
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++) {
            double entry = whole.m[row][column];
            double nearest = round(entry);
            double scale = column == 3 ? 1e3 : 1.0; // origins carry the patient's coordinates
            gboolean is_whole = fabs(entry - nearest) < WHOLE_WITHIN * scale;
            map->source_from_target[row][column] = is_whole ? nearest : entry;
        }
        map->source_dims[row] = source->dims[row];
        map->target_dims[row] = params->target.dims[row];
    }
    return TRUE;
}

float
bg_resample_fill(double value, BgSampleFormat format)
{
    double sample = (value - format.intercept) / format.slope;
    int lowest, highest;

    if (format.type == BG_SAMPLE_FLOAT32)
        return (float) sample;
    bg_resample_range(format.type, &lowest, &highest);
    return isnan(sample) ? 0.0f : (float) round(CLAMP(sample, lowest, highest));
}

gboolean
bg_resample_plan_init(BgResamplePlan *plan, BgVolume *source, const BgResampleParams *params,
                      GError **error)
{
    BgSampleFormat from = bg_volume_get_format(source);
    gboolean as_floats = params->output == BG_RESAMPLE_FLOAT32;

    plan->to = as_floats ? bg_sample_format_plain(BG_SAMPLE_FLOAT32) : from;
    plan->to.converted = from.converted;
    plan->scales = as_floats && (from.slope != 1.0 || from.intercept != 0.0);
    plan->fill = bg_resample_fill(params->outside_value, plan->to);
    return make_map(bg_volume_get_geometry(source), params, &plan->map, error);
}

static gboolean
is_inside(const BgResampleMap *map, int i, int j, int k)
{
    for (int axis = 0; axis < 3; axis++) {
        if (!bg_resample_is_inside(bg_resample_coordinate(map, axis, i, j, k),
                                   map->source_dims[axis]))
            return FALSE;
    }
    return TRUE;
}

// Cuts first..last (half open) to where low <= start + i * step <= high, to one voxel too many.
static void
cut_range(double start, double step, double low, double high, int *first, int *last)
{
    if (step == 0.0) {
        if (!(start >= low && start <= high))
            *last = *first;
        return;
    }

    double at_low = (low - start) / step, at_high = (high - start) / step;
    double from = floor(MIN(at_low, at_high)), to = ceil(MAX(at_low, at_high)) + 1.0;
    if (from > *first)
        *first = from < *last ? (int) from : *last;
    if (to < *last)
        *last = to > *first ? (int) to : *first;
}

// The voxels of a target row that lie inside of the source: the same that is_inside() says.
static void
inside_range(const BgResampleMap *map, int j, int k, int *first, int *last)
{
    *first = 0;
    *last = map->target_dims[0];
    for (int axis = 0; axis < 3; axis++) {
        cut_range(bg_resample_coordinate(map, axis, 0, j, k), map->source_from_target[axis][0],
                  -0.5 - BG_RESAMPLE_TOLERANCE,
                  map->source_dims[axis] - 0.5 + BG_RESAMPLE_TOLERANCE, first, last);
    }
    while (*first < *last && !is_inside(map, *first, j, k))
        (*first)++;
    while (*first < *last && !is_inside(map, *last - 1, j, k))
        (*last)--;
}

// Whether all samples that a vector load touches exist. Convex, as is_inside().
static gboolean
is_in_core(const Job *job, int i, int j, int k)
{
    int beyond_x = bg_sample_type_size(job->type) == 1 ? 4 : 2; // 8-bit: four are loaded at once

    for (int axis = 0; axis < 3; axis++) {
        double coordinate = bg_resample_coordinate(&job->map, axis, i, j, k);
        int beyond = axis == 0 ? beyond_x : 2;
        // A little inside: the vectors' coordinates may differ by rounding.
        if (!(coordinate >= 1e-9 || coordinate == 0.0) ||
            !(coordinate < job->map.source_dims[axis] - beyond + 1 - 1e-9))
            return FALSE;
    }
    return TRUE;
}

static inline __attribute__((always_inline)) float
linear_at(const Job *job, BgSampleType type, int i, int j, int k)
{
    const BgResampleMap *map = &job->map;
    double x = bg_resample_coordinate(map, 0, i, j, k);
    double y = bg_resample_coordinate(map, 1, i, j, k);
    double z = bg_resample_coordinate(map, 2, i, j, k);

#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return bg_resample_linear_##name(job->samples, map->source_dims, x, y, z);
    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    return 0.0f;
}

static void
linear_plain(const Job *job, int j, int k, int first, int last, float *row)
{
    for (int i = first; i < last; i++)
        row[i] = linear_at(job, job->type, i, j, k);
}

static void
linear_row(const Job *job, int j, int k, int first, int last, float *row)
{
    int core_first = first, core_last = last;

    if (job->vectors) {
        while (core_first < last && !is_in_core(job, core_first, j, k))
            core_first++;
        while (core_last > core_first && !is_in_core(job, core_last - 1, j, k))
            core_last--;
    }
    if (!job->vectors || core_last - core_first < MIN_VECTOR_ROW) {
        linear_plain(job, j, k, first, last, row);
        return;
    }
    linear_plain(job, j, k, first, core_first, row);
    bg_resample_linear_row_avx2(&job->map, job->type, job->samples, j, k, core_first, core_last,
                                row);
    linear_plain(job, j, k, core_last, last, row);
}

static gsize
nearest_index(const BgResampleMap *map, int i, int j, int k)
{
    const int *dims = map->source_dims;
    gsize x = (gsize) bg_resample_nearest_index(bg_resample_coordinate(map, 0, i, j, k), dims[0]);
    gsize y = (gsize) bg_resample_nearest_index(bg_resample_coordinate(map, 1, i, j, k), dims[1]);
    gsize z = (gsize) bg_resample_nearest_index(bg_resample_coordinate(map, 2, i, j, k), dims[2]);

    return x + (gsize) dims[0] * (y + (gsize) dims[1] * z);
}

static void
nearest_row(const Job *job, int j, int k, int first, int last, float *row)
{
#define CASE(TYPE, name, ctype)                                                                 \
    case TYPE:                                                                                  \
        for (int i = first; i < last; i++)                                                      \
            row[i] = (float) ((const ctype *) job->samples)[nearest_index(&job->map, i, j, k)]; \
        break;
    switch (job->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

// Sum over 4 x 4 x 4 coefficients around.
static float
cubic(const Job *job, const double at[3])
{
    const int *dims = job->map.source_dims;
    gsize offsets[3][4];
    float weights[3][4];
    gsize stride = 1;
    float sum = 0.0f;

    for (int axis = 0; axis < 3; axis++) {
        double below = floor(at[axis]);
        bg_bspline_weights((float) (at[axis] - below), weights[axis]);
        for (int tap = 0; tap < 4; tap++) {
            int index = bg_bspline_mirror((int) below - 1 + tap, dims[axis]);
            offsets[axis][tap] = (gsize) index * stride;
        }
        stride *= (gsize) dims[axis];
    }
    for (int c = 0; c < 4; c++) {
        for (int b = 0; b < 4; b++) {
            const float *line = job->coefficients + offsets[2][c] + offsets[1][b];
            float part = weights[0][0] * line[offsets[0][0]] + weights[0][1] * line[offsets[0][1]] +
                         weights[0][2] * line[offsets[0][2]] + weights[0][3] * line[offsets[0][3]];
            sum += weights[2][c] * weights[1][b] * part;
        }
    }
    return sum;
}

static void
cubic_row(const Job *job, int j, int k, int first, int last, float *row)
{
    const BgResampleMap *map = &job->map;

    for (int i = first; i < last; i++) {
        double at[3];
        for (int axis = 0; axis < 3; axis++)
            at[axis] = bg_resample_coordinate(map, axis, i, j, k);
        row[i] = cubic(job, at);
    }
    if (!job->is_patched)
        return;

    // What was taken as 0 must show: not a number wherever the linear value would be none.
    for (int i = first; i < last; i++) {
        if (!isfinite(linear_at(job, job->type, i, j, k)))
            row[i] = NAN;
    }
}

// Twice: for any processor, and with wider vectors. Unfused, so that both round alike.
#define DEFINE_STORE(TYPE, name, ctype)                                                            \
    static inline __attribute__((always_inline)) void store_##name##_range(                        \
        const float *row, int first, int last, ctype *result)                                      \
    {                                                                                              \
        int lowest, highest;                                                                       \
        bg_resample_range(TYPE, &lowest, &highest);                                                \
        for (int i = first; i < last; i++)                                                         \
            result[i] = (ctype) bg_resample_round(row[i], lowest, highest);                        \
    }                                                                                              \
                                                                                                   \
    BG_TARGET_AVX2_UNFUSED static void store_##name##_avx2(const float *row, int first, int last,  \
                                                           ctype *result)                          \
    {                                                                                              \
        store_##name##_range(row, first, last, result);                                            \
    }                                                                                              \
                                                                                                   \
    static void store_##name(const Job *job, const float *row, int first, int last, ctype *result) \
    {                                                                                              \
        if (job->vectors)                                                                          \
            store_##name##_avx2(row, first, last, result);                                         \
        else                                                                                       \
            store_##name##_range(row, first, last, result);                                        \
    }                                                                                              \
                                                                                                   \
    static void fill_##name(float fill, int first, int last, ctype *result)                        \
    {                                                                                              \
        for (int i = first; i < last; i++)                                                         \
            result[i] = (ctype) fill;                                                              \
    }

static void
store_float32(const Job *job, const float *row, int first, int last, float *result)
{
    memcpy(result + first, row + first, (gsize) (last - first) * sizeof *row);
}

static void
fill_float32(float fill, int first, int last, float *result)
{
    for (int i = first; i < last; i++)
        result[i] = fill;
}

DEFINE_STORE(BG_SAMPLE_UINT8, uint8, uint8_t)
DEFINE_STORE(BG_SAMPLE_INT8, int8, int8_t)
DEFINE_STORE(BG_SAMPLE_INT16, int16, int16_t)
DEFINE_STORE(BG_SAMPLE_UINT16, uint16, uint16_t)

// Samples first..last-1 of the source to samples of the result, the rest filled. @at: where the
// row begins in the result.
static void
store_row(const Job *job, float *row, int first, int last, gsize at)
{
    if (job->scales) {
        for (int i = first; i < last; i++)
            row[i] = (float) ((double) row[i] * job->from.slope + job->from.intercept);
    }

#define CASE(TYPE, name, ctype)                                                            \
    case TYPE:                                                                             \
        store_##name(job, row, first, last, (ctype *) job->result + at);                   \
        fill_##name(job->fill, 0, first, (ctype *) job->result + at);                      \
        fill_##name(job->fill, last, job->map.target_dims[0], (ctype *) job->result + at); \
        break;
    switch (job->to.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

static void
resample_rows(gsize first_row, gsize last_row, guint worker, gpointer user_data)
{
    Job *job = user_data;
    gsize nx = (gsize) job->map.target_dims[0], ny = (gsize) job->map.target_dims[1];
    float *row = job->rows + worker * nx;

    for (gsize r = first_row; r < last_row; r++) {
        int j = (int) (r % ny), k = (int) (r / ny);
        int first, last;

        inside_range(&job->map, j, k, &first, &last);
        switch (job->method) {
        case BG_RESAMPLE_NEAREST:
            nearest_row(job, j, k, first, last, row);
            break;
        case BG_RESAMPLE_LINEAR:
            linear_row(job, j, k, first, last, row);
            break;
        case BG_RESAMPLE_CUBIC:
            cubic_row(job, j, k, first, last, row);
            break;
        }
        store_row(job, row, first, last, r * nx);
    }

    gsize n_done = atomic_fetch_add(&job->n_done, last_row - first_row) + last_row - first_row;
    bg_progress_report(job->progress, (double) n_done / (double) job->n_rows);
}

// The prefilter's coefficients, for cubic alone. @coefficients: (out): to be freed
static gboolean
prepare_cubic(Job *job, BgVolume *source, float **coefficients, GCancellable *cancellable,
              GError **error)
{
    if (job->method != BG_RESAMPLE_CUBIC)
        return TRUE;

    *coefficients = bg_bspline_coefficients(source, &job->is_patched, NULL, cancellable, error);
    job->coefficients = *coefficients;
    return *coefficients != NULL;
}

static gboolean
run(Job *job, GCancellable *cancellable, GError **error)
{
    gsize nx = (gsize) job->map.target_dims[0];
    gsize n_workers = bg_parallel_count_threads();
    bg_auto_buffer float *rows = bg_buffer_alloc_items(n_workers * nx, sizeof *rows, error);

    if (rows == NULL)
        return FALSE;

    job->rows = rows;
    job->n_rows = (gsize) job->map.target_dims[1] * (gsize) job->map.target_dims[2];
    if (!bg_parallel_for(job->n_rows, ROWS_AT_A_TIME, resample_rows, job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    return TRUE;
}

BgVolume *
bg_resample(BgVolume *source, const BgResampleParams *params, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    bg_auto_buffer float *coefficients = NULL;

    g_return_val_if_fail(source != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    BgResamplePlan plan;
    if (!bg_resample_plan_init(&plan, source, params, error))
        return NULL;

    const BgGeometry *geometry = bg_volume_get_geometry(source);
    Job job = {
        .map = plan.map,
        .method = params->method,
        .type = bg_volume_get_format(source).type,
        .samples = bg_volume_get_samples(source),
        .from = bg_volume_get_format(source),
        .to = plan.to,
        .scales = plan.scales,
        .fill = plan.fill,
        .progress = progress,
        .vectors = bg_cpu_has_avx2() && bg_geometry_count_voxels(geometry) < G_MAXINT32,
    };
    if (!prepare_cubic(&job, source, &coefficients, cancellable, error))
        return NULL;

    job.result = bg_voxels_alloc(&params->target, bg_sample_type_size(job.to.type), error);
    if (job.result == NULL)
        return NULL;
    if (!run(&job, cancellable, error)) {
        bg_voxels_free(job.result);
        return NULL;
    }
    return bg_volume_new_take(&params->target, job.to, job.result, error);
}

typedef struct {
    BgResampleMap map;
    BgLabelType type;
    gconstpointer labels; // borrowed
    gpointer result;      // borrowed
} LabelJob;

static void
resample_label_rows(gsize first_row, gsize last_row, guint worker, gpointer user_data)
{
    const LabelJob *job = user_data;
    gsize nx = (gsize) job->map.target_dims[0], ny = (gsize) job->map.target_dims[1];

    for (gsize r = first_row; r < last_row; r++) {
        int j = (int) (r % ny), k = (int) (r / ny);
        int first, last;

        inside_range(&job->map, j, k, &first, &last);
#define CASE(TYPE, name, ctype)                                                        \
    case TYPE: {                                                                       \
        ctype *row = (ctype *) job->result + r * nx;                                   \
        memset(row, 0, nx * sizeof *row);                                              \
        for (int i = first; i < last; i++)                                             \
            row[i] = ((const ctype *) job->labels)[nearest_index(&job->map, i, j, k)]; \
        break;                                                                         \
    }
        switch (job->type) {
            BG_FOR_LABEL_TYPES(CASE)
        }
#undef CASE
    }
}

BgLabelMap *
bg_resample_labels(BgLabelMap *source, const BgResampleParams *params, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(source != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    LabelJob job = {
        .type = bg_label_map_get_label_type(source),
        .labels = bg_label_map_get_labels(source),
    };
    if (!make_map(bg_label_map_get_geometry(source), params, &job.map, error))
        return NULL;

    job.result = bg_voxels_alloc(&params->target, bg_label_type_size(job.type), error);
    if (job.result == NULL)
        return NULL;

    gsize n_rows = (gsize) job.map.target_dims[1] * (gsize) job.map.target_dims[2];
    if (!bg_parallel_for(n_rows, ROWS_AT_A_TIME, resample_label_rows, &job, cancellable)) {
        bg_voxels_free(job.result);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    bg_progress_report(progress, 1.0);
    return bg_label_map_new_take(&params->target, job.type, job.result, error);
}

gboolean
bg_geometry_new_spacing(const BgGeometry *source, BgVec3 spacing_mm, BgGeometry *geometry,
                        GError **error)
{
    BgVec3 old_mm = bg_geometry_spacing_mm(source);
    BgGeometry new = *source;
    BgVec3 columns[3], first_mm = bg_geometry_centre_mm(source);

    for (int axis = 0; axis < 3; axis++) {
        double new_axis_mm = bg_vec3_get(spacing_mm, axis), old_axis_mm = bg_vec3_get(old_mm, axis);
        double n = round(source->dims[axis] * old_axis_mm / new_axis_mm);
        if (!(new_axis_mm > 0.0 && isfinite(new_axis_mm) && n <= BG_VOLUME_MAX_DIM)) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("A voxel spacing of %g mm cannot be used for this volume: give a "
                          "larger one above 0"),
                        new_axis_mm);
            return FALSE;
        }
        new.dims[axis] = MAX((int) n, 1);
        columns[axis] = bg_vec3_scale(bg_affine_column(&source->patient_from_voxel, axis),
                                      new_axis_mm / old_axis_mm);
        first_mm = bg_vec3_along(first_mm, -0.5 * (new.dims[axis] - 1), columns[axis]);
    }
    new.patient_from_voxel = bg_affine_from_columns(columns[0], columns[1], columns[2], first_mm);
    *geometry = new;
    return TRUE;
}
