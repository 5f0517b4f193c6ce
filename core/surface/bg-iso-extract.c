// SPDX-License-Identifier: Apache-2.0
// Marching cubes in three passes over slices: voxels to bits; count what each row of cells makes;
// then write it where the sums say. The grid is padded by one layer of outside on all sides, so
// voxel i of a row is bit i + 1, and row j is row j + 1.
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

// Numbers of the first things that a row makes: vertices on its edges along i, to the next row, to the
// next slice, and triangles of the cells between it and its neighbours.
typedef struct {
    guint32 x, y, z, triangle;
} RowStart;

typedef struct {
    const BgIsoField *field;
    const BgMarchingCase *table;
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

static const guint64 *
row_bits(const Extract *self, int j, int k)
{
    return self->bits + (gsize) self->n_words * ((gsize) j + (gsize) self->n_rows * (gsize) k);
}

// The part of word @w that lies in first..last.
static guint64
range_mask(int w, int first, int last)
{
    int from = MAX(first - 64 * w, 0), to = MIN(last - 64 * w, 63);

    return from > to ? 0 : (ALL_ONES << from) & (ALL_ONES >> (63 - to));
}

static void
classify_row(const Extract *self, int j, int k, guint64 *to)
{
    const BgIsoField *field = self->field;
    int n = field->dims[0], w = 0;
    guint64 carry = 0;
    const guint8 *from;

    if (j == 0 || k == 0 || j == self->n_rows - 1 || k == self->n_slices - 1) {
        memset(to, 0, (gsize) self->n_words * sizeof *to);
        return;
    }
    from = field->samples +
           field->sample_size * ((gsize) (j - 1) * field->row + (gsize) (k - 1) * field->slice);
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
static guint64
shifted(const guint64 *row, int w)
{
    return row[w] >> 1 | row[w + 1] << 63;
}

static guint64
crossed_x(const Extract *self, const guint64 *row, int w)
{
    return (row[w] ^ shifted(row, w)) & range_mask(w, self->first_cell, self->last_cell);
}

static guint64
crossed_yz(const Extract *self, const guint64 *row, const guint64 *next, int w)
{
    return (row[w] ^ next[w]) & range_mask(w, self->first_voxel, self->last_voxel);
}

static gboolean
has_x(const Extract *self, int j, int k)
{
    return j >= self->first_row && j <= self->last_row + 1 && k >= self->first_slice &&
           k <= self->last_slice + 1;
}

static gboolean
has_y(const Extract *self, int j, int k)
{
    return j >= self->first_row && j <= self->last_row && k >= self->first_slice &&
           k <= self->last_slice + 1;
}

static gboolean
has_z(const Extract *self, int j, int k)
{
    return j >= self->first_row && j <= self->last_row + 1 && k >= self->first_slice &&
           k <= self->last_slice;
}

static gboolean
has_cells(const Extract *self, int j, int k)
{
    return has_y(self, j, k) && has_z(self, j, k);
}

typedef struct {
    const guint64 *row[4]; // (j, k), (j + 1, k), (j, k + 1), (j + 1, k + 1)
} CellRow;

static CellRow
cell_row(const Extract *self, int j, int k)
{
    return (CellRow){ { row_bits(self, j, k), row_bits(self, j + 1, k), row_bits(self, j, k + 1),
                        row_bits(self, j + 1, k + 1) } };
}

// The cells of word w whose corners are not all alike.
static guint64
active_cells(const Extract *self, const CellRow *cells, int w)
{
    guint64 any = 0, all = ALL_ONES;

    for (int r = 0; r < 4; r++) {
        any |= cells->row[r][w];
        all &= cells->row[r][w];
    }
    if (any == 0 && ((cells->row[0][w + 1] | cells->row[1][w + 1] | cells->row[2][w + 1] |
                      cells->row[3][w + 1]) &
                     1) == 0)
        return 0;
    for (int r = 0; r < 4; r++) {
        any |= shifted(cells->row[r], w);
        all &= shifted(cells->row[r], w);
    }
    return any & ~all & range_mask(w, self->first_cell, self->last_cell);
}

// 64 bits of each row from half word h on: 32 cells with both of their corners.
static void
load_window(const CellRow *cells, int h, guint64 window[4])
{
    for (int r = 0; r < 4; r++)
        memcpy(&window[r], (const guint32 *) cells->row[r] + h, sizeof window[r]);
}

static guint
cell_case(const guint64 window[4], int cell)
{
    return (guint) ((window[0] >> cell & 3) | (window[1] >> cell & 3) << 2 |
                    (window[2] >> cell & 3) << 4 | (window[3] >> cell & 3) << 6);
}

static guint32
count_triangles(const Extract *self, int j, int k)
{
    CellRow cells = cell_row(self, j, k);
    guint32 n = 0;

    for (int h = 0; h < 2 * self->n_words; h += 2) {
        guint64 active = active_cells(self, &cells, h / 2), window[4];
        for (int half = 0; half < 2; half++, active >>= 32) {
            guint32 left = (guint32) active;
            if (left == 0)
                continue;
            load_window(&cells, h + half, window);
            for (; left != 0; left &= left - 1)
                n += self->table[cell_case(window, __builtin_ctz(left))].n_triangles;
        }
    }
    return n;
}

static void
count_row(const Extract *self, int j, int k, RowStart *count)
{
    const guint64 *row = row_bits(self, j, k);

    *count = (RowStart){ 0 };
    for (int w = 0; w < self->n_words; w++) {
        if (has_x(self, j, k))
            count->x += (guint32) __builtin_popcountll(crossed_x(self, row, w));
        if (has_y(self, j, k))
            count->y +=
                (guint32) __builtin_popcountll(crossed_yz(self, row, row_bits(self, j + 1, k), w));
        if (has_z(self, j, k))
            count->z +=
                (guint32) __builtin_popcountll(crossed_yz(self, row, row_bits(self, j, k + 1), w));
    }
    if (has_cells(self, j, k))
        count->triangle = count_triangles(self, j, k);
}

static void
count_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Extract *self = user_data;

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < self->n_rows; j++)
            count_row(self, j, (int) k, &self->starts[(gsize) j + (gsize) self->n_rows * k]);
    }
}

static gboolean
sum_counts(Extract *self, gsize *n_vertices, gsize *n_triangles, GError **error)
{
    guint64 vertex = 0, triangle = 0;
    gsize n = (gsize) self->n_rows * (gsize) self->n_slices;

    for (gsize r = 0; r < n; r++) {
        RowStart count = self->starts[r];
        self->starts[r] = (RowStart){ .x = (guint32) vertex,
                                      .y = (guint32) (vertex + count.x),
                                      .z = (guint32) (vertex + count.x + count.y),
                                      .triangle = (guint32) triangle };
        vertex += (guint64) count.x + count.y + count.z;
        triangle += count.triangle;
    }
    if (vertex >= G_MAXUINT32 || triangle >= G_MAXUINT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The surface would have %" G_GUINT64_FORMAT
                      " triangles, more than a mesh can number. Choose another value, smooth the "
                      "image, or crop it"),
                    triangle);
        return FALSE;
    }
    self->starts[n].triangle = (guint32) triangle;
    *n_vertices = (gsize) vertex;
    *n_triangles = (gsize) triangle;
    return TRUE;
}

// Where the crossing is between samples a and b, off the ends; in the middle next to infinities and NaN.
static double
crossing(const BgIsoField *field, float a, float b)
{
    double step = (double) b - (double) a;
    double t = (field->level - (double) a) / step;

    t = t > field->margin ? t : field->margin;
    t = t < 1.0 - field->margin ? t : 1.0 - field->margin;
    return fabs(step) <= DBL_MAX ? t : 0.5;
}

typedef struct {
    guint64 *crossed; // of one row
    guint32 *place;   // the bits that are set
    float *a, *b;     // samples at the two ends
} Scratch;

static const guint8 *
row_samples(const Extract *self, int j, int k)
{
    const BgIsoField *field = self->field;

    if (field->gather == NULL || j == 0 || k == 0 || j == self->n_rows - 1 ||
        k == self->n_slices - 1)
        return NULL;
    return field->samples +
           field->sample_size * ((gsize) (j - 1) * field->row + (gsize) (k - 1) * field->slice);
}

// The samples at the ends of the n crossed edges of a row along @axis. Beyond the border there is none:
// NaN, which puts the crossing in the middle.
static void
gather_ends(const Extract *self, Scratch *scratch, int j, int k, int axis, gsize n)
{
    const BgIsoField *field = self->field;
    const guint8 *from = row_samples(self, j, k);
    const guint8 *to = row_samples(self, axis == 1 ? j + 1 : j, axis == 2 ? k + 1 : k);
    guint last = (guint) field->dims[0];
    gsize skip = 0;

    if (from == NULL || to == NULL) {
        for (gsize v = 0; v < n; v++)
            scratch->a[v] = NAN;
        return;
    }
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

static void
write_vertices(const Extract *self, Scratch *scratch, int j, int k, int axis, guint32 start)
{
    const BgIsoField *field = self->field;
    const BgAffine *m = &field->patient_from_voxel;
    float *position = self->positions + 3 * (gsize) start;
    BgVec3 base = bg_affine_apply(
        m, bg_vec3(field->low[0] - 1, field->low[1] + j - 1, field->low[2] + k - 1));
    BgVec3 along = bg_affine_column(m, 0), step = bg_affine_column(m, axis);
    gsize n = 0;

    for (int w = 0; w < self->n_words; w++) {
        for (guint64 bits = scratch->crossed[w]; bits != 0; bits &= bits - 1)
            scratch->place[n++] = (guint32) (64 * w + __builtin_ctzll(bits));
    }
    if (n == 0)
        return;
    gather_ends(self, scratch, j, k, axis, n);

    for (gsize v = 0; v < n; v++, position += 3) {
        double t = crossing(field, scratch->a[v], scratch->b[v]);
        double p = scratch->place[v];
        position[0] = (float) (base.x + p * along.x + t * step.x);
        position[1] = (float) (base.y + p * along.y + t * step.y);
        position[2] = (float) (base.z + p * along.z + t * step.z);
    }
}

static void
write_row_vertices(const Extract *self, Scratch *scratch, int j, int k)
{
    const RowStart *start = &self->starts[(gsize) j + (gsize) self->n_rows * (gsize) k];
    const guint64 *row = row_bits(self, j, k);

    if (has_x(self, j, k) && start->x != start->y) {
        for (int w = 0; w < self->n_words; w++)
            scratch->crossed[w] = crossed_x(self, row, w);
        write_vertices(self, scratch, j, k, 0, start->x);
    }
    if (has_y(self, j, k) && start->y != start->z) {
        for (int w = 0; w < self->n_words; w++)
            scratch->crossed[w] = crossed_yz(self, row, row_bits(self, j + 1, k), w);
        write_vertices(self, scratch, j, k, 1, start->y);
    }
    if (has_z(self, j, k)) {
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
static inline void
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

static guint32 *
write_cells(const Extract *self, const CellRow *cells, int h, guint32 active, Cursor *at,
            guint32 *to)
{
    guint64 window[4];
    guint32 vertex[12];

    load_window(cells, h, window);
    for (; active != 0; active &= active - 1) {
        const BgMarchingCase *entry = &self->table[cell_case(window, __builtin_ctz(active))];
        step_cursor(at, entry->crossed, vertex);
        for (guint n = 0; n < 3u * entry->n_triangles; n++)
            *to++ = vertex[entry->edges[n]];
    }
    return to;
}

static void
write_row_triangles(const Extract *self, int j, int k)
{
    CellRow cells = cell_row(self, j, k);
    const RowStart *start = &self->starts[(gsize) j + (gsize) self->n_rows * (gsize) k];
    const RowStart *above = start + self->n_rows;
    Cursor at = { .x = { start[0].x, start[1].x, above[0].x, above[1].x },
                  .y = { start[0].y, above[0].y },
                  .z = { start[0].z, start[1].z } };
    guint32 *to = self->triangles + 3 * (gsize) start->triangle;

    if (start[1].triangle == start[0].triangle)
        return;
    for (int w = 0; w < self->n_words; w++) {
        guint64 active = active_cells(self, &cells, w);
        if ((guint32) active != 0)
            to = write_cells(self, &cells, 2 * w, (guint32) active, &at, to);
        if (active >> 32 != 0)
            to = write_cells(self, &cells, 2 * w + 1, (guint32) (active >> 32), &at, to);
    }
}

static void
write_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Extract *self = user_data;
    gsize width = 64 * (gsize) self->n_words;
    g_autofree guint64 *crossed = g_new(guint64, (gsize) self->n_words);
    g_autofree guint32 *place = g_new(guint32, width);
    g_autofree float *a = g_new(float, width);
    g_autofree float *b = g_new0(float, width); // not read where a is NaN, but computed with
    Scratch scratch = { .crossed = crossed, .place = place, .a = a, .b = b };

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < self->n_rows; j++) {
            write_row_vertices(self, &scratch, j, (int) k);
            if (has_cells(self, j, (int) k))
                write_row_triangles(self, j, (int) k);
        }
    }
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

    self->table = bg_marching_table(bg_affine_determinant(&self->field->patient_from_voxel) < 0.0);
    bg_parallel_for(n_slices, 1, classify_slices, self, cancellable);
    bg_progress_report(progress, 0.4);
    bg_parallel_for(n_slices, 1, count_slices, self, cancellable);
    bg_progress_report(progress, 0.5);
    if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
        !sum_counts(self, &data->n_vertices, &data->n_triangles, error))
        return FALSE;

    self->positions = data->positions =
        bg_buffer_alloc_items(3 * data->n_vertices, sizeof(float), error);
    if (self->positions == NULL)
        return FALSE;
    self->triangles = data->triangles =
        bg_buffer_alloc_items(3 * data->n_triangles, sizeof(guint32), error);
    if (self->triangles == NULL)
        return FALSE;
    bg_parallel_for(n_slices, 1, write_slices, self, cancellable);
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
