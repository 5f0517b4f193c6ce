// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-distance-map.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>

#define COLUMNS 8        // of one row, done together so that whole cache lines are read
#define RIGHT_WITHIN 0.5 // degrees

// Of one worker: a block of columns, and the envelope of one.
typedef struct {
    double *in, *out;     // COLUMNS columns of n, one after the other
    double *height;       // value + the parabola's own term, by place
    double *starts;       // where a parabola begins to be the lowest
    double *floors;       // its value at its own place
    int *places;          // of the parabolas of the envelope
    const double *halves; // 1 / (2 spacing^2 d), by d; shared
} Scratch;

typedef struct {
    double *doubles; // one of the two
    float *floats;
    const int *dims;
    int axis;
    double square_mm2; // of the axis' spacing
    Scratch *scratch;  // one a worker
} Pass;

// in: values of one column; out: the lower envelope at its places. FALSE: all are infinite.
static gboolean
lower_envelope(const double *in, double *out, int n, double square, const Scratch *s)
{
    int top = -1;

    for (int q = 0; q < n; q++) {
        if (!(in[q] < HUGE_VAL))
            continue;
        double height = in[q] + square * q * q, start = -HUGE_VAL;
        while (top >= 0) {
            start = (height - s->height[top]) * s->halves[q - s->places[top]];
            if (start > s->starts[top])
                break;
            top--;
        }
        top++;
        s->places[top] = q;
        s->height[top] = height;
        s->floors[top] = in[q];
        s->starts[top] = top == 0 ? -HUGE_VAL : start;
    }
    if (top < 0)
        return FALSE;
    int q = 0;
    for (int k = 0; k <= top; k++) {
        int end = k == top ? n - 1 : (int) floor(MIN(s->starts[k + 1], n - 1.0));
        int place = s->places[k];
        double value = s->floors[k];
        for (; q <= end; q++) {
            double d = q - place;
            out[q] = square * d * d + value;
        }
    }
    return TRUE;
}

#define LOAD(i) (pass->doubles != NULL ? pass->doubles[i] : (double) pass->floats[i])
#define STORE(i, value)                        \
    do {                                       \
        if (pass->doubles != NULL)             \
            pass->doubles[i] = (value);        \
        else                                   \
            pass->floats[i] = (float) (value); \
    } while (0)

static void
pass_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Pass *pass = user_data;
    const Scratch *s = &pass->scratch[worker];
    gsize nx = (gsize) pass->dims[0];

    for (gsize row = first; row < last; row++) {
        for (gsize x = 0; x < nx; x++)
            s->in[x] = LOAD(row * nx + x);
        if (!lower_envelope(s->in, s->out, (int) nx, pass->square_mm2, s))
            continue;
        for (gsize x = 0; x < nx; x++)
            STORE(row * nx + x, s->out[x]);
    }
}

// @first..@last: of the lines of columns: along y one a slice, along z one a row of the first slice.
static void
pass_columns(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Pass *pass = user_data;
    const Scratch *s = &pass->scratch[worker];
    gsize nx = (gsize) pass->dims[0], ny = (gsize) pass->dims[1],
          n = (gsize) pass->dims[pass->axis];
    gsize step = pass->axis == 1 ? nx : nx * ny;

    for (gsize line = first; line < last; line++) {
        gsize base = line * (pass->axis == 1 ? nx * ny : nx);
        for (gsize x = 0; x < nx; x += COLUMNS) {
            gsize width = MIN(nx - x, COLUMNS);
            for (gsize q = 0; q < n; q++) {
                for (gsize c = 0; c < width; c++)
                    s->in[c * n + q] = LOAD(base + q * step + x + c);
            }
            for (gsize c = 0; c < width; c++) {
                if (!lower_envelope(s->in + c * n, s->out + c * n, (int) n, pass->square_mm2, s)) {
                    for (gsize q = 0; q < n; q++)
                        s->out[c * n + q] = INFINITY;
                }
            }
            for (gsize q = 0; q < n; q++) {
                for (gsize c = 0; c < width; c++)
                    STORE(base + q * step + x + c, s->out[c * n + q]);
            }
        }
    }
}

static void
set_halves(double *halves, int n, double square)
{
    for (int d = 1; d < n; d++)
        halves[d] = 1.0 / (2.0 * square * d);
}

static gboolean
transform(double *doubles, float *floats, const int dims[3], const double spacing_mm[3],
          const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    guint n_workers = bg_parallel_count_threads();
    gsize n = (gsize) MAX(dims[0], MAX(dims[1], dims[2]));
    gsize each = n * (2 * COLUMNS + 4); // doubles, the places in the room of one
    bg_auto_buffer double *memory =
        bg_buffer_alloc_items(each * n_workers + n, sizeof(double), error);

    if (memory == NULL)
        return FALSE;
    g_autofree Scratch *scratch = g_new(Scratch, n_workers);
    double *halves = memory + each * n_workers;
    for (guint w = 0; w < n_workers; w++) {
        double *own = memory + w * each;
        scratch[w] = (Scratch){ .in = own,
                                .out = own + COLUMNS * n,
                                .height = own + 2 * COLUMNS * n,
                                .starts = own + (2 * COLUMNS + 1) * n,
                                .floors = own + (2 * COLUMNS + 2) * n,
                                .places = (int *) (gpointer) (own + (2 * COLUMNS + 3) * n),
                                .halves = halves };
    }
    for (int axis = 0; axis < 3; axis++) {
        Pass pass = { .doubles = doubles,
                      .floats = floats,
                      .dims = dims,
                      .axis = axis,
                      .square_mm2 = spacing_mm[axis] * spacing_mm[axis],
                      .scratch = scratch };
        gsize ny = (gsize) dims[1], nz = (gsize) dims[2];
        if (dims[axis] == 1)
            continue;
        set_halves(halves, dims[axis], pass.square_mm2);
        gboolean done =
            axis == 0 ? bg_parallel_for(ny * nz, MAX(ny / 2, 1), pass_rows, &pass, cancellable)
                      : bg_parallel_for(axis == 1 ? nz : ny, 2, pass_columns, &pass, cancellable);
        if (!done) {
            g_cancellable_set_error_if_cancelled(cancellable, error);
            return FALSE;
        }
        bg_progress_report(progress, (axis + 1) / 3.0);
    }
    return TRUE;
}

gboolean
bg_squared_distances(double *values, const int dims[3], const double spacing_mm[3],
                     const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return transform(values, NULL, dims, spacing_mm, progress, cancellable, error);
}

gboolean
bg_squared_distances_float(float *values, const int dims[3], const double spacing_mm[3],
                           const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return transform(NULL, values, dims, spacing_mm, progress, cancellable, error);
}

gboolean
bg_geometry_check_right_angles(const BgGeometry *geometry, GError **error)
{
    double shear_deg = bg_geometry_shear_deg(geometry);

    if (shear_deg <= RIGHT_WITHIN)
        return TRUE;
    g_set_error(
        error, BG_ERROR, BG_ERROR_UNSUPPORTED,
        _("Distances cannot be measured on a grid whose axes are %.2f degrees off the right "
          "angle; resample it first"),
        shear_deg);
    return FALSE;
}

typedef struct {
    BgLabelMap *labels;
    guint32 label;
    gboolean inside; // the set is what is outside
    float *values;
    gsize *counts; // of the set, by slice
} Start;

static void
start_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Start *job = user_data;
    const int *dims = bg_label_map_get_geometry(job->labels)->dims;
    g_autofree guint32 *row = g_new(guint32, dims[0]);

    for (gsize k = first; k < last; k++) {
        job->counts[k] = 0;
        for (int j = 0; j < dims[1]; j++) {
            float *out = job->values + ((gsize) dims[1] * k + (gsize) j) * (gsize) dims[0];
            bg_label_map_read_row(job->labels, j, (int) k, row);
            for (int i = 0; i < dims[0]; i++) {
                gboolean in = job->label == 0 ? row[i] != 0 : row[i] == job->label;
                out[i] = in != job->inside ? 0.0f : INFINITY;
                job->counts[k] += in != job->inside;
            }
        }
    }
}

// The square roots of the distances to the set, which must not be empty.
static float *
distances_to(BgLabelMap *labels, guint32 label, gboolean inside, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double spacing_mm[3] = { spacing.x, spacing.y, spacing.z };
    g_autofree gsize *counts = g_new0(gsize, geometry->dims[2]);
    float *values = bg_voxels_alloc(geometry, sizeof(float), error);
    gsize total = 0, n = bg_geometry_count_voxels(geometry);

    if (values == NULL)
        return NULL;
    Start start = { labels, label, inside, values, counts };
    bg_parallel_for((gsize) geometry->dims[2], 2, start_slices, &start, NULL);
    for (int k = 0; k < geometry->dims[2]; k++)
        total += counts[k];
    if (total == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    inside ? _("There is no distance to what is outside: every voxel has the label")
                           : _("There is no distance to label %u: no voxel has it"),
                    label);
        bg_voxels_free(values);
        return NULL;
    }
    if (!bg_squared_distances_float(values, geometry->dims, spacing_mm, progress, cancellable,
                                    error)) {
        bg_voxels_free(values);
        return NULL;
    }
    for (gsize i = 0; i < n; i++)
        values[i] = sqrtf(values[i]);
    return values;
}

BgVolume *
bg_distance_map(BgLabelMap *labels, guint32 label, BgDistanceKind kind, const BgProgress *progress,
                GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(labels != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    gsize n = bg_geometry_count_voxels(geometry);
    BgProgressSpan span;

    if (!bg_geometry_check_right_angles(geometry, error))
        return NULL;
    const BgProgress *part =
        bg_progress_span_init(&span, progress, 0.0, kind == BG_DISTANCE_SIGNED ? 0.5 : 1.0);
    float *values = distances_to(labels, label, FALSE, part, cancellable, error);
    if (values == NULL)
        return NULL;
    if (kind == BG_DISTANCE_SIGNED) {
        part = bg_progress_span_init(&span, progress, 0.5, 1.0);
        float *inner = distances_to(labels, label, TRUE, part, cancellable, error);
        if (inner == NULL) {
            bg_voxels_free(values);
            return NULL;
        }
        for (gsize i = 0; i < n; i++)
            values[i] -= inner[i];
        bg_voxels_free(inner);
    }
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), values, error);
}
