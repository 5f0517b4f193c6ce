// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion-outline.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-parallel.h"
#include "core/model/bg-distortion.h"

#include <math.h>
#include <string.h>

struct _BgFusionLabels {
    guint8 *slots;       // owned, nullable: of the box's voxels: 1 + which of the entries, 0: none
    int low[3], dims[3]; // of the box, in the map's voxels
    BgAffine box_from_patient; // voxel (0, 0, 0) of the box fills 0..1
    BgLabelEntry entries[BG_FUSION_MAX_OUTLINES];
    guint n_entries, n_left_out;
};

void
bg_fusion_outline_free(BgFusionOutline *outline)
{
    bg_contours_free(outline->lines);
    g_free(outline);
}

void
bg_fusion_labels_free(BgFusionLabels *labels)
{
    bg_buffer_free(labels->slots);
    g_free(labels);
}

guint
bg_fusion_labels_count_left_out(const BgFusionLabels *labels)
{
    return labels->n_left_out;
}

// 1 + the slot of each label that occurs and is visible.
static GHashTable *
choose_entries(BgFusionLabels *self, const BgLabelMap *map, const BgLabelTable *table)
{
    g_autoptr(GArray) counts = bg_label_map_count(map);
    GHashTable *slots = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < counts->len; i++) {
        guint32 label = g_array_index(counts, BgLabelCount, i).label;
        const BgLabelEntry *entry = bg_label_table_find(table, label);
        if (entry == NULL || !entry->visible)
            continue;
        if (self->n_entries == BG_FUSION_MAX_OUTLINES) {
            self->n_left_out++;
            continue;
        }
        self->entries[self->n_entries++] = *entry;
        g_hash_table_insert(slots, GUINT_TO_POINTER(label), GUINT_TO_POINTER(self->n_entries));
    }
    return slots;
}

typedef struct {
    const BgLabelMap *map;
    GHashTable *slots;
    guint32 last; // a label, and its slot: neighbours are alike
    guint8 slot;
} Lookup;

static guint8
slot_of(Lookup *lookup, guint32 label)
{
    if (label == 0)
        return 0;
    if (label != lookup->last) {
        lookup->last = label;
        lookup->slot =
            (guint8) GPOINTER_TO_UINT(g_hash_table_lookup(lookup->slots, GUINT_TO_POINTER(label)));
    }
    return lookup->slot;
}

// The box round all voxels with a slot; empty: dims of 0.
static gboolean
find_box(BgFusionLabels *self, Lookup *lookup, guint32 *row, GCancellable *cancellable,
         GError **error)
{
    const int *dims = bg_label_map_get_geometry(lookup->map)->dims;
    int low[3] = { dims[0], dims[1], dims[2] }, high[3] = { -1, -1, -1 };

    for (int k = 0; k < dims[2]; k++) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(lookup->map, j, k, row);
            for (int i = 0; i < dims[0]; i++) {
                const int at[3] = { i, j, k };
                for (int a = 0; slot_of(lookup, row[i]) != 0 && a < 3; a++) {
                    low[a] = MIN(low[a], at[a]);
                    high[a] = MAX(high[a], at[a]);
                }
            }
        }
    }
    for (int a = 0; a < 3; a++) {
        self->low[a] = low[a];
        self->dims[a] = high[0] < 0 ? 0 : high[a] - low[a] + 1;
    }
    return TRUE;
}

static gboolean
fill_box(BgFusionLabels *self, Lookup *lookup, guint32 *row, GError **error)
{
    gsize n = (gsize) self->dims[0] * (gsize) self->dims[1] * (gsize) self->dims[2];
    guint8 *to = n > 0 ? bg_buffer_alloc_items(n, 1, error) : NULL;

    self->slots = to;
    for (int k = 0; to != NULL && k < self->dims[2]; k++)
        for (int j = 0; j < self->dims[1]; j++) {
            bg_label_map_read_row(lookup->map, self->low[1] + j, self->low[2] + k, row);
            for (int i = 0; i < self->dims[0]; i++)
                *to++ = slot_of(lookup, row[self->low[0] + i]);
        }
    return n == 0 || self->slots != NULL;
}

BgFusionLabels *
bg_fusion_labels_new(const BgLabelMap *map, const BgLabelTable *table, GCancellable *cancellable,
                     GError **error)
{
    g_autoptr(BgFusionLabels) self = g_new0(BgFusionLabels, 1);
    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    g_autoptr(GHashTable) slots = choose_entries(self, map, table);
    g_autofree guint32 *row = g_new(guint32, geometry->dims[0]);
    Lookup lookup = { .map = map, .slots = slots };

    if (!find_box(self, &lookup, row, cancellable, error) || !fill_box(self, &lookup, row, error))
        return NULL;
    // Voxel centres are at integers: voxel (i, j, k) begins half a voxel before.
    self->box_from_patient = bg_geometry_voxel_from_patient(geometry);
    for (int a = 0; a < 3; a++)
        self->box_from_patient.m[a][3] += 0.5 - self->low[a];
    return g_steal_pointer(&self);
}

// Where a ray is inside of the box; FALSE: nowhere before the camera.
static gboolean
clip_ray(const int dims[3], const double from[3], const double step[3], double *t_in, double *t_out)
{
    *t_in = 0.0;
    *t_out = INFINITY;
    for (int a = 0; a < 3; a++) {
        if (step[a] == 0.0) {
            if (from[a] < 0.0 || from[a] >= dims[a])
                return FALSE;
            continue;
        }
        double t0 = -from[a] / step[a], t1 = (dims[a] - from[a]) / step[a];
        *t_in = fmax(*t_in, fmin(t0, t1));
        *t_out = fmin(*t_out, fmax(t0, t1));
    }
    return *t_in < *t_out;
}

// Which labels a ray meets, a bit each: from voxel to voxel (Amanatides and Woo 1987).
static guint64
trace(const BgFusionLabels *self, BgVec3 origin_mm, BgVec3 direction)
{
    const BgVec3 o = bg_affine_apply(&self->box_from_patient, origin_mm);
    const BgVec3 d = bg_affine_apply_vector(&self->box_from_patient, direction);
    const double from[3] = { o.x, o.y, o.z }, step[3] = { d.x, d.y, d.z };
    guint64 all = self->n_entries == 64 ? ~(guint64) 0 : ((guint64) 1 << self->n_entries) - 1;
    guint64 met = 0;
    double t_in, t_out, next[3], delta[3];
    int at[3], turn[3];

    if (!clip_ray(self->dims, from, step, &t_in, &t_out))
        return 0;
    for (int a = 0; a < 3; a++) {
        at[a] = CLAMP((int) floor(from[a] + t_in * step[a]), 0, self->dims[a] - 1);
        turn[a] = step[a] > 0.0 ? 1 : -1;
        delta[a] = step[a] != 0.0 ? fabs(1.0 / step[a]) : (double) INFINITY;
        next[a] = step[a] != 0.0 ? (at[a] + (step[a] > 0.0 ? 1 : 0) - from[a]) / step[a]
                                 : (double) INFINITY;
    }
    while (met != all) {
        gsize index = (gsize) at[0] + (gsize) self->dims[0] *
                                          ((gsize) at[1] + (gsize) self->dims[1] * (gsize) at[2]);
        guint8 slot = self->slots[index];
        if (slot != 0)
            met |= (guint64) 1 << (slot - 1);
        int a = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : (next[1] < next[2] ? 1 : 2);
        at[a] += turn[a];
        if (at[a] < 0 || at[a] >= self->dims[a])
            break;
        next[a] += delta[a];
    }
    return met;
}

typedef struct {
    const BgFusionLabels *labels;
    const BgFusionGrid *grid;
    guint64 *met;
} Shadows;

static void
trace_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Shadows *s = user_data;
    const BgFusionGrid *grid = s->grid;

    for (gsize y = first; y < last; y++)
        for (int x = 0; x < grid->width; x++) {
            double u = grid->rect.left + (x + 0.5) * grid->rect.width / grid->width;
            double v = grid->rect.top + ((double) y + 0.5) * grid->rect.height / grid->height;
            BgVec3 origin_mm, direction;
            if (grid->mirrored)
                u = grid->camera.width - 1 - u;
            s->met[y * (gsize) grid->width + (gsize) x] =
                bg_camera_ray_lens(&grid->camera, u, v, &origin_mm, &direction)
                    ? trace(s->labels, origin_mm, direction)
                    : 0;
        }
}

/** Walk: round the pixels with a bit; @walked: edges above pixels that a line goes along already */
typedef struct {
    const guint64 *met;
    int width, height;
    guint64 bit;
    guint8 *walked;
} Walk;

static gboolean
has(const Walk *w, int x, int y)
{
    return x >= 0 && y >= 0 && x < w->width && y < w->height &&
           (w->met[(gsize) y * (gsize) w->width + (gsize) x] & w->bit) != 0;
}

// Along edges of pixels, the label on the right hand: corner (x, y) is the left upper one of pixel (x, y).
// Where two pixels only touch it turns round its own. Told are the middles of edges, which rounds the
// steps off.
static void
walk_round(Walk *w, int x, int y, BgContours *lines)
{
    static const int steps[4][2] = { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } };
    const int start_x = x, start_y = y;
    gsize start = lines->points->len;
    int way = 0; // to the right, above pixel (x, y)

    g_array_append_val(lines->starts, start);
    do {
        BgContourPoint middle = { x + 0.5 * steps[way][0] - 0.5, y + 0.5 * steps[way][1] - 0.5 };
        g_array_append_val(lines->points, middle);
        if (way == 0)
            w->walked[(gsize) y * (gsize) w->width + (gsize) x] = 1;
        x += steps[way][0];
        y += steps[way][1];
        // Ahead on the right and on the left of this corner.
        static const int right[4][2] = { { 0, 0 }, { -1, 0 }, { -1, -1 }, { 0, -1 } };
        static const int left[4][2] = { { 0, -1 }, { 0, 0 }, { -1, 0 }, { -1, -1 } };
        if (!has(w, x + right[way][0], y + right[way][1]))
            way = (way + 1) % 4;
        else if (has(w, x + left[way][0], y + left[way][1]))
            way = (way + 3) % 4;
    } while (x != start_x || y != start_y || way != 0);
    BgContourPoint first = g_array_index(lines->points, BgContourPoint, start);
    g_array_append_val(lines->points, first);
}

static void
add_outline(Walk *w, const BgLabelEntry *entry, GPtrArray *outlines)
{
    BgContours *lines = bg_contours_new();

    memset(w->walked, 0, (gsize) w->width * (gsize) w->height);
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++)
            if (has(w, x, y) && !has(w, x, y - 1) &&
                !w->walked[(gsize) y * (gsize) w->width + (gsize) x])
                walk_round(w, x, y, lines);
    if (lines->starts->len == 0) {
        bg_contours_free(lines);
        return;
    }
    BgFusionOutline *outline = g_new0(BgFusionOutline, 1);
    outline->label = entry->label;
    g_strlcpy(outline->name, entry->name, sizeof outline->name);
    for (int c = 0; c < 3; c++)
        outline->rgb[c] = (double) entry->rgb[c];
    outline->lines = lines;
    g_ptr_array_add(outlines, outline);
}

gboolean
bg_fusion_labels_outline(const BgFusionLabels *labels, const BgFusionGrid *grid,
                         GPtrArray *outlines, GCancellable *cancellable, GError **error)
{
    gsize n = (gsize) grid->width * (gsize) grid->height;

    g_return_val_if_fail(grid->width > 0 && grid->height > 0, FALSE);

    if (labels->slots == NULL)
        return TRUE;
    bg_auto_buffer guint64 *met = bg_buffer_alloc_items(n, sizeof *met, error);
    bg_auto_buffer guint8 *walked = met != NULL ? bg_buffer_alloc_items(n, 1, error) : NULL;
    if (walked == NULL)
        return FALSE;
    Shadows shadows = { labels, grid, met };
    if (!bg_parallel_for((gsize) grid->height, 8, trace_rows, &shadows, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    Walk walk = { met, grid->width, grid->height, 0, walked };
    for (guint e = 0; e < labels->n_entries; e++) {
        walk.bit = (guint64) 1 << e;
        add_outline(&walk, &labels->entries[e], outlines);
    }
    return TRUE;
}
