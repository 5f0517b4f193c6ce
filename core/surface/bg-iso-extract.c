// SPDX-License-Identifier: Apache-2.0
// Marching cubes in three passes over slices: voxels to bits; count what each row of cells makes;
// then write it where the sums say. The grid is padded by one layer of outside on all sides, so
// voxel i of a row is bit i + 1, and row j is row j + 1.
#include "bg-iso-plan.h"
#include "bg-iso-private.h"
#include "bg-marching-table.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ALL_ONES (~(guint64) 0)

// The passes' bodies are compiled twice, for any processor and for those with AVX2 and the bit instructions; no
// fused multiply-add, so that the results are equal.
#define BODY static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define FAST __attribute__((target("avx2,bmi,bmi2,popcnt")))
#endif

typedef double Vector __attribute__((vector_size(32)));
typedef float FloatVector __attribute__((vector_size(16)));

typedef BgIsoOpStart RowStart;

typedef struct {
    const BgIsoField *field;
    BgMarchingCase table[256];
    guint64 *bits;    // owned: n_rows * n_slices * n_words, and one more
    RowStart *starts; // owned: n_rows * n_slices + 1: counts, then running sums
    int n_words;
    int n_rows, n_slices;
    int first_cell, last_cell;   // bits: inclusive
    int first_row, last_row;     // inclusive: rows that have cells with the next row
    int first_slice, last_slice; // inclusive, likewise
    int first_voxel, last_voxel; // bits: inclusive: what counts at all
    float *positions;
    guint32 *triangles;
} Extract;

BODY const guint64 *
row_bits(const Extract *self, int j, int k)
{
    return self->bits + (gsize) self->n_words * ((gsize) j + (gsize) self->n_rows * (gsize) k);
}

BODY RowStart *
row_start(const Extract *self, int j, int k)
{
    return self->starts + (gsize) j + (gsize) self->n_rows * (gsize) k;
}

// The part of word @w that lies in first..last.
BODY guint64
range_mask(int w, int first, int last)
{
    int from = MAX(first - 64 * w, 0), to = MIN(last - 64 * w, 63);

    return from > to ? 0 : (ALL_ONES << from) & (ALL_ONES >> (63 - to));
}

static gboolean
is_padding(const Extract *self, int j, int k)
{
    return j == 0 || k == 0 || j == self->n_rows - 1 || k == self->n_slices - 1;
}

static const guint8 *
row_samples(const Extract *self, int j, int k)
{
    const BgIsoField *field = self->field;

    return field->samples +
           field->sample_size * ((gsize) (j - 1) * field->row + (gsize) (k - 1) * field->slice);
}

static void
classify_row(const Extract *self, int j, int k, guint64 *to)
{
    const BgIsoField *field = self->field;
    int n = field->dims[0], w = 0;
    guint64 carry = 0;

    if (is_padding(self, j, k)) {
        memset(to, 0, (gsize) self->n_words * sizeof *to);
        return;
    }
    const guint8 *from = row_samples(self, j, k);
    for (int i = 0; i < n; i += 64, from += 64 * field->sample_size) {
        guint64 inside = field->classify(from, MIN(n - i, 64), &field->test);
        to[w++] = inside << 1 | carry;
        carry = inside >> 63;
    }
    if (w < self->n_words)
        to[w] = carry;
}

static void
classify_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Extract *self = user_data;

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < self->n_rows; j++)
            classify_row(self, j, (int) k, (guint64 *) row_bits(self, j, (int) k));
    }
}

// Bits p and p + 1 side by side: the other end of each edge along i. A row's bit 0 is 0, so what is read
// from the next row does not matter.
BODY guint64
shifted(const guint64 *row, int w)
{
    return row[w] >> 1 | row[w + 1] << 63;
}

BODY guint64
crossed_x(const Extract *self, const guint64 *row, int w)
{
    return (row[w] ^ shifted(row, w)) & range_mask(w, self->first_cell, self->last_cell);
}

BODY guint64
crossed_yz(const Extract *self, const guint64 *row, const guint64 *next, int w)
{
    return (row[w] ^ next[w]) & range_mask(w, self->first_voxel, self->last_voxel);
}

BODY gboolean
has_y(const Extract *self, int j, int k)
{
    return j >= self->first_row && j <= self->last_row && k >= self->first_slice &&
           k <= self->last_slice + 1;
}

BODY gboolean
has_z(const Extract *self, int j, int k)
{
    return j >= self->first_row && j <= self->last_row + 1 && k >= self->first_slice &&
           k <= self->last_slice;
}

BODY gboolean
has_x(const Extract *self, int j, int k)
{
    return j >= self->first_row && j <= self->last_row + 1 && k >= self->first_slice &&
           k <= self->last_slice + 1;
}

BODY gboolean
has_cells(const Extract *self, int j, int k)
{
    return has_y(self, j, k) && has_z(self, j, k);
}

typedef struct {
    const guint64 *row[4]; // (j, k), (j + 1, k), (j, k + 1), (j + 1, k + 1)
} CellRow;

BODY CellRow
cell_row(const Extract *self, int j, int k)
{
    const guint64 *row = row_bits(self, j, k), *above = row_bits(self, j, k + 1);

    return (CellRow){ { row, row + self->n_words, above, above + self->n_words } };
}

// The cells of word w whose corners are not all alike.
BODY guint64
active_cells(const Extract *self, const CellRow *cells, int w)
{
    guint64 any = 0, all = ALL_ONES, differ = 0;

    for (int r = 0; r < 4; r++) {
        guint64 at = cells->row[r][w], next = shifted(cells->row[r], w);
        any |= at | next;
        all &= at & next;
    }
    differ = any & ~all;
    return differ == 0 ? 0 : differ & range_mask(w, self->first_cell, self->last_cell);
}

// 64 bits of each row from half word h on: 32 cells with both of their corners.
BODY void
load_window(const CellRow *cells, int h, guint64 window[4])
{
    for (int r = 0; r < 4; r++)
        memcpy(&window[r], (const guint32 *) cells->row[r] + h, sizeof window[r]);
}

BODY guint
cell_case(const guint64 window[4], int cell)
{
    return (guint) ((window[0] >> cell & 3) | (window[1] >> cell & 3) << 2 |
                    (window[2] >> cell & 3) << 4 | (window[3] >> cell & 3) << 6);
}

BODY guint32
count_triangles(const Extract *self, int j, int k)
{
    CellRow cells = cell_row(self, j, k);
    guint32 n = 0;

    for (int h = 0; h < 2 * self->n_words; h += 2) {
        guint64 active = active_cells(self, &cells, h / 2), window[4];
        for (int half = 0; active != 0; half++, active >>= 32) {
            guint32 left = (guint32) active;
            load_window(&cells, h + half, window);
            for (; left != 0; left &= left - 1)
                n += self->table[cell_case(window, __builtin_ctz(left))].n_triangles;
        }
    }
    return n;
}

BODY void
count_row(const Extract *self, int j, int k, RowStart *count)
{
    const guint64 *row = row_bits(self, j, k);
    gboolean x = has_x(self, j, k), y = has_y(self, j, k), z = has_z(self, j, k);
    RowStart n = { 0 };

    for (int w = 0; x && w < self->n_words; w++)
        n.x += (guint32) __builtin_popcountll(crossed_x(self, row, w));
    for (int w = 0; y && w < self->n_words; w++)
        n.y += (guint32) __builtin_popcountll(crossed_yz(self, row, row + self->n_words, w));
    for (int w = 0; z && w < self->n_words; w++)
        n.z += (guint32) __builtin_popcountll(crossed_yz(self, row, row_bits(self, j, k + 1), w));
    if (has_cells(self, j, k))
        n.triangle = count_triangles(self, j, k);
    *count = n;
}

BODY void
count_all(Extract *self, gsize first, gsize last)
{
    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < self->n_rows; j++)
            count_row(self, j, (int) k, row_start(self, j, (int) k));
    }
}

static void
count_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    count_all(user_data, first, last);
}

gboolean
bg_iso_sum_counts(BgIsoOpStart *starts, gsize n_rows, gsize *n_vertices, gsize *n_triangles,
                  GError **error)
{
    guint64 vertex = 0, triangle = 0;

    for (gsize r = 0; r < n_rows; r++) {
        RowStart count = starts[r];
        starts[r] = (RowStart){ .x = (guint32) vertex,
                                .y = (guint32) (vertex + count.x),
                                .z = (guint32) (vertex + count.x + count.y),
                                .triangle = (guint32) triangle };
        vertex += (guint64) count.x + count.y + count.z;
        triangle += count.triangle;
    }
    starts[n_rows] = (RowStart){ .x = (guint32) vertex, .triangle = (guint32) triangle };
    if (vertex >= G_MAXUINT32 || triangle >= G_MAXUINT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The surface would have %" G_GUINT64_FORMAT
                      " triangles, more than a mesh can number. Choose another value, smooth the "
                      "image, or crop it"),
                    triangle);
        return FALSE;
    }
    *n_vertices = (gsize) vertex;
    *n_triangles = (gsize) triangle;
    return TRUE;
}

typedef struct {
    guint64 *crossed; // of one row
    guint32 *place;   // the bits that are set
    float *a, *b;     // samples at the two ends
    double *t;        // where between them
} Scratch;

// The samples at the ends of the n crossed edges of a row along @axis. Beyond the border there is none:
// NaN, which puts the crossing in the middle.
static void
gather_ends(const Extract *self, Scratch *scratch, int j, int k, int axis, gsize n)
{
    const BgIsoField *field = self->field;
    int j_to = axis == 1 ? j + 1 : j, k_to = axis == 2 ? k + 1 : k;
    guint last = (guint) field->dims[0];
    gsize skip = 0;

    if (field->gather == NULL || is_padding(self, j, k) || is_padding(self, j_to, k_to)) {
        for (gsize v = 0; v < n; v++)
            scratch->a[v] = NAN;
        return;
    }
    const guint8 *from = row_samples(self, j, k), *to = row_samples(self, j_to, k_to);
    if (axis == 0) {
        to += field->sample_size;
        if (scratch->place[n - 1] == last) {
            scratch->crossed[last / 64] &= ~((guint64) 1 << last % 64);
            scratch->a[n - 1] = NAN;
        }
        if (scratch->place[0] == 0) {
            scratch->crossed[0] &= ~(guint64) 1;
            scratch->a[0] = NAN;
            skip = 1;
        }
    }
    // Bit p is voxel p - 1; bit 0 is never asked for.
    field->gather(from - field->sample_size, to - field->sample_size, scratch->crossed,
                  self->n_words, scratch->a + skip, scratch->b + skip);
}

// Where the crossings are between samples a and b, off the ends; in the middle next to infinities and NaN.
BODY void
find_crossings(const BgIsoField *field, const float *a, const float *b, double *to, gsize n)
{
    double level = field->level, low = field->margin, high = 1.0 - low;

    for (gsize v = 0; v < n; v++) {
        double step = (double) b[v] - (double) a[v], t = (level - (double) a[v]) / step;
        t = t > low ? t : low;
        t = t < high ? t : high;
        to[v] = fabs(step) <= DBL_MAX ? t : 0.5;
    }
}

BODY void
write_vertices(const Extract *self, Scratch *scratch, int j, int k, int axis, guint32 start)
{
    const BgIsoField *field = self->field;
    const BgAffine *m = &field->patient_from_voxel;
    float *position = self->positions + 3 * (gsize) start;
    BgVec3 b = bg_affine_apply(
        m, bg_vec3(field->low[0] - 1, field->low[1] + j - 1, field->low[2] + k - 1));
    BgVec3 a = bg_affine_column(m, 0), s = bg_affine_column(m, axis);
    Vector base = { b.x, b.y, b.z }, along = { a.x, a.y, a.z }, step = { s.x, s.y, s.z };
    gsize n = 0;

    for (int w = 0; w < self->n_words; w++) {
        for (guint64 bits = scratch->crossed[w]; bits != 0; bits &= bits - 1)
            scratch->place[n++] = (guint32) (64 * w + __builtin_ctzll(bits));
    }
    if (n == 0)
        return;
    gather_ends(self, scratch, j, k, axis, n);
    find_crossings(field, scratch->a, scratch->b, scratch->t, n);

    for (gsize v = 0; v < n; v++, position += 3) {
        Vector at = base + (double) scratch->place[v] * along + scratch->t[v] * step;
        FloatVector rounded = __builtin_convertvector(at, FloatVector);
        // Four at once but for the last: what comes after it may be another thread's.
        memcpy(position, &rounded, v + 1 < n ? sizeof rounded : 3 * sizeof(float));
    }
}

BODY void
write_row_vertices(const Extract *self, Scratch *scratch, int j, int k)
{
    const RowStart *start = row_start(self, j, k);
    const guint64 *row = row_bits(self, j, k);

    if (start->x != start->y) {
        for (int w = 0; w < self->n_words; w++)
            scratch->crossed[w] = crossed_x(self, row, w);
        write_vertices(self, scratch, j, k, 0, start->x);
    }
    if (start->y != start->z) {
        for (int w = 0; w < self->n_words; w++)
            scratch->crossed[w] = crossed_yz(self, row, row + self->n_words, w);
        write_vertices(self, scratch, j, k, 1, start->y);
    }
    if (start->z != start[1].x) {
        for (int w = 0; w < self->n_words; w++)
            scratch->crossed[w] = crossed_yz(self, row, row_bits(self, j, k + 1), w);
        write_vertices(self, scratch, j, k, 2, start->z);
    }
}

// The next vertex on each of the eight rows of edges round a row of cells: along i by (j, k), along j by
// k, along k by j.
typedef struct {
    guint32 x[4], y[2], z[2];
} Cursor;

// The vertices on the cell's edges, in the table's order; steps to the next cell.
BODY void
step_cursor(Cursor *at, guint crossed, guint32 vertex[12])
{
    for (guint e = 0; e < 4; e++) {
        vertex[e] = at->x[e];
        at->x[e] += crossed >> e & 1;
    }
    for (guint e = 0; e < 2; e++) {
        vertex[4 + 2 * e] = at->y[e];
        at->y[e] += crossed >> (4 + 2 * e) & 1;
        vertex[5 + 2 * e] = at->y[e];
        vertex[8 + 2 * e] = at->z[e];
        at->z[e] += crossed >> (8 + 2 * e) & 1;
        vertex[9 + 2 * e] = at->z[e];
    }
}

BODY guint32 *
write_cells(const Extract *self, const CellRow *cells, int h, guint32 active, Cursor *cursor,
            guint32 *to)
{
    guint64 window[4];
    guint32 vertex[12];
    Cursor at = *cursor;

    load_window(cells, h, window);
    for (; active != 0; active &= active - 1) {
        const BgMarchingCase *entry = &self->table[cell_case(window, __builtin_ctz(active))];
        const guint8 *edge = entry->edges, *end = edge + 3 * entry->n_triangles;
        step_cursor(&at, entry->crossed, vertex);
        for (; edge < end; edge += 3, to += 3) {
            to[0] = vertex[edge[0]];
            to[1] = vertex[edge[1]];
            to[2] = vertex[edge[2]];
        }
    }
    *cursor = at;
    return to;
}

BODY void
write_row_triangles(const Extract *self, int j, int k)
{
    CellRow cells = cell_row(self, j, k);
    const RowStart *start = row_start(self, j, k), *above = start + self->n_rows;
    Cursor at = { .x = { start[0].x, start[1].x, above[0].x, above[1].x },
                  .y = { start[0].y, above[0].y },
                  .z = { start[0].z, start[1].z } };
    guint32 *to = self->triangles + 3 * (gsize) start->triangle;

    for (int w = 0; w < self->n_words; w++) {
        guint64 active = active_cells(self, &cells, w);
        if ((guint32) active != 0)
            to = write_cells(self, &cells, 2 * w, (guint32) active, &at, to);
        if (active >> 32 != 0)
            to = write_cells(self, &cells, 2 * w + 1, (guint32) (active >> 32), &at, to);
    }
}

BODY void
write_all(const Extract *self, gsize first, gsize last)
{
    gsize width = 64 * (gsize) self->n_words;
    g_autofree guint64 *crossed = g_new(guint64, (gsize) self->n_words);
    g_autofree guint32 *place = g_new(guint32, width);
    g_autofree float *a = g_new(float, width);
    g_autofree float *b = g_new0(float, width); // not read where a is NaN, but computed with
    g_autofree double *t = g_new(double, width);
    Scratch scratch = { .crossed = crossed, .place = place, .a = a, .b = b, .t = t };

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < self->n_rows; j++) {
            const RowStart *start = row_start(self, j, (int) k);
            write_row_vertices(self, &scratch, j, (int) k);
            if (start[0].triangle != start[1].triangle)
                write_row_triangles(self, j, (int) k);
        }
    }
}

static void
write_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    write_all(user_data, first, last);
}

#if defined(__x86_64__)
FAST static void
count_slices_avx2(gsize first, gsize last, guint worker, gpointer user_data)
{
    count_all(user_data, first, last);
}

FAST static void
write_slices_avx2(gsize first, gsize last, guint worker, gpointer user_data)
{
    write_all(user_data, first, last);
}
#endif

static void
choose_passes(BgParallelFunc *count, BgParallelFunc *write)
{
    *count = count_slices;
    *write = write_slices;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        *count = count_slices_avx2;
        *write = write_slices_avx2;
    }
#endif
}

static void
init_ranges(Extract *self)
{
    const BgIsoField *field = self->field;
    int edge = field->open_border ? 1 : 0;

    self->n_words = (field->dims[0] + 2 + 63) / 64;
    self->n_rows = field->dims[1] + 2;
    self->n_slices = field->dims[2] + 2;
    self->first_cell = self->first_row = self->first_slice = edge;
    self->last_cell = field->dims[0] - edge;
    self->last_row = field->dims[1] - edge;
    self->last_slice = field->dims[2] - edge;
    self->first_voxel = edge;
    self->last_voxel = field->dims[0] + 1 - edge;
}

static gboolean
run(Extract *self, BgMeshData *data, const BgProgress *progress, GCancellable *cancellable,
    GError **error)
{
    gsize n_slices = (gsize) self->n_slices;
    BgParallelFunc count, write;

    choose_passes(&count, &write);
    bg_marching_table_init(self->table, &self->field->patient_from_voxel);
    bg_parallel_for(n_slices, 1, classify_slices, self, cancellable);
    bg_progress_report(progress, 0.4);
    bg_parallel_for(n_slices, 1, count, self, cancellable);
    bg_progress_report(progress, 0.5);
    if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
        !bg_iso_sum_counts(self->starts, (gsize) self->n_rows * n_slices, &data->n_vertices,
                           &data->n_triangles, error))
        return FALSE;

    self->positions = data->positions =
        bg_buffer_alloc_items(3 * data->n_vertices, sizeof(float), error);
    if (self->positions == NULL)
        return FALSE;
    self->triangles = data->triangles =
        bg_buffer_alloc_items(3 * data->n_triangles, sizeof(guint32), error);
    if (self->triangles == NULL)
        return FALSE;
    bg_parallel_for(n_slices, 1, write, self, cancellable);
    bg_progress_report(progress, 1.0);
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

gboolean
bg_iso_extract(const BgIsoField *field, BgMeshData *data, const BgProgress *progress,
               GCancellable *cancellable, GError **error)
{
    Extract self = { .field = field };
    BgMeshData made = { 0 };

    init_ranges(&self);
    gsize n_rows = (gsize) self.n_rows * (gsize) self.n_slices;
    bg_auto_buffer guint64 *bits =
        bg_buffer_alloc_items(n_rows * (gsize) self.n_words + 1, sizeof *bits, error);
    if (bits == NULL)
        return FALSE;
    bg_auto_buffer RowStart *starts = bg_buffer_alloc_items(n_rows + 1, sizeof *starts, error);
    if (starts == NULL)
        return FALSE;
    bits[n_rows * (gsize) self.n_words] = 0;
    self.bits = bits;
    self.starts = starts;

    if (!run(&self, &made, progress, cancellable, error)) {
        bg_mesh_data_clear(&made);
        return FALSE;
    }
    *data = made;
    return TRUE;
}
