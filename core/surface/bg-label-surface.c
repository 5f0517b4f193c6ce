// SPDX-License-Identifier: Apache-2.0
#include "bg-label-surface.h"

#include "bg-iso-private.h"
#include "bg-mesh-normals.h"
#include "bg-mesh-smooth.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define PASS_BAND 0.1

typedef struct {
    guint32 label;
    guint slot; // in the order of the params
} Wanted;

typedef struct {
    int low[3], high[3];
} Box;

typedef struct {
    BgLabelMap *labels; // borrowed
    gsize n_labels;
    Wanted *wanted; // owned: ascending by label
    Box *boxes;     // owned: n_labels for each worker
} BoxSearch;

static int
compare_wanted(gconstpointer a, gconstpointer b)
{
    guint32 x = ((const Wanted *) a)->label, y = ((const Wanted *) b)->label;

    return x < y ? -1 : x > y;
}

// Returns: the slot, or -1.
static gssize
find_slot(const BoxSearch *search, guint32 label)
{
    gsize low = 0, high = search->n_labels;

    while (low < high) {
        gsize middle = (low + high) / 2;
        if (search->wanted[middle].label < label)
            low = middle + 1;
        else
            high = middle;
    }
    return low < search->n_labels && search->wanted[low].label == label
               ? (gssize) search->wanted[low].slot
               : -1;
}

static void
grow_box(Box *box, int i_low, int i_high, int j, int k)
{
    box->low[0] = MIN(box->low[0], i_low);
    box->low[1] = MIN(box->low[1], j);
    box->low[2] = MIN(box->low[2], k);
    box->high[0] = MAX(box->high[0], i_high);
    box->high[1] = MAX(box->high[1], j);
    box->high[2] = MAX(box->high[2], k);
}

static void
search_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    BoxSearch *search = user_data;
    const int *dims = bg_label_map_get_geometry(search->labels)->dims;
    Box *boxes = search->boxes + worker * search->n_labels;
    g_autofree guint32 *row = g_new(guint32, (gsize) dims[0]);

    for (int k = (int) first; k < (int) last; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(search->labels, j, k, row);
            for (int i = 0, end; i < dims[0]; i = end) {
                for (end = i + 1; end < dims[0] && row[end] == row[i];)
                    end++;
                gssize slot = row[i] == 0 ? -1 : find_slot(search, row[i]);
                if (slot >= 0)
                    grow_box(&boxes[slot], i, end - 1, j, k);
            }
        }
    }
}

// The box of each label, in the order of @numbers.
static Box *
find_boxes(BgLabelMap *labels, const guint32 *numbers, gsize n, GCancellable *cancellable)
{
    gsize n_boxes = n * bg_parallel_count_threads();
    g_autofree Wanted *wanted = g_new(Wanted, n);
    Box *boxes = g_new(Box, n_boxes);
    BoxSearch search = { .labels = labels, .n_labels = n, .wanted = wanted, .boxes = boxes };

    for (gsize i = 0; i < n; i++)
        wanted[i] = (Wanted){ .label = numbers[i], .slot = (guint) i };
    qsort(wanted, n, sizeof *wanted, compare_wanted);
    for (gsize i = 0; i < n_boxes; i++)
        boxes[i] = (Box){ .low = { G_MAXINT, G_MAXINT, G_MAXINT }, .high = { -1, -1, -1 } };

    bg_parallel_for((gsize) bg_label_map_get_geometry(labels)->dims[2], 1, search_slices, &search,
                    cancellable);
    for (gsize i = n; i < n_boxes; i++) {
        const Box *from = &boxes[i];
        if (from->high[0] < 0) // that worker met no voxel of it
            continue;
        grow_box(&boxes[i % n], from->low[0], from->high[0], from->low[1], from->low[2]);
        grow_box(&boxes[i % n], from->low[0], from->high[0], from->high[1], from->high[2]);
    }
    return boxes;
}

static gboolean
check_labels(const guint32 *numbers, gsize n, const Box *boxes, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        gboolean again = FALSE;
        for (gsize other = 0; other < i; other++)
            again = again || numbers[other] == numbers[i];
        if (numbers[i] == 0 || again) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        numbers[i] == 0
                            ? _("Label %u is the background and has no surface. Leave it out")
                            : _("Label %u is named twice. Name it once"),
                        numbers[i]);
            return FALSE;
        }
        if (boxes[i].high[0] < 0) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("There is no voxel of label %u to make a surface of. Choose a label that "
                          "occurs"),
                        numbers[i]);
            return FALSE;
        }
    }
    return TRUE;
}

static void
init_field(BgIsoField *field, BgLabelMap *labels, guint32 label, const Box *box)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgLabelType type = bg_label_map_get_label_type(labels);

    *field = (BgIsoField){
        .samples = bg_label_map_get_labels(labels),
        .sample_size = bg_label_type_size(type),
        .row = (gsize) geometry->dims[0],
        .slice = (gsize) geometry->dims[0] * (gsize) geometry->dims[1],
        .patient_from_voxel = geometry->patient_from_voxel,
        .classify = bg_iso_label_classifier(type, FALSE),
        .test = { .bound = label },
        .margin = 0.25,
    };
    for (int axis = 0; axis < 3; axis++) {
        field->low[axis] = box->low[axis];
        field->dims[axis] = box->high[axis] - box->low[axis] + 1;
    }
    field->samples +=
        field->sample_size * ((gsize) field->low[0] + field->row * (gsize) field->low[1] +
                              field->slice * (gsize) field->low[2]);
}

// One mesh of n, a group each.
static gboolean
join(const BgMeshData *parts, const guint32 *numbers, gsize n, BgMeshData *data, GError **error)
{
    gsize n_vertices = 0, n_triangles = 0;

    for (gsize i = 0; i < n; i++) {
        n_vertices += parts[i].n_vertices;
        n_triangles += parts[i].n_triangles;
    }
    if (n_vertices >= G_MAXUINT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The labels' surfaces would have %zu vertices, more than a mesh can number. "
                      "Choose fewer labels"),
                    n_vertices);
        return FALSE;
    }
    data->positions = bg_buffer_alloc_items(3 * n_vertices, sizeof(float), error);
    if (data->positions != NULL)
        data->triangles = bg_buffer_alloc_items(3 * n_triangles, sizeof(guint32), error);
    if (data->triangles == NULL)
        return FALSE;

    data->groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
    for (gsize i = 0; i < n; i++) {
        const BgMeshData *part = &parts[i];
        BgMeshGroup group = { .first_triangle = data->n_triangles,
                              .n_triangles = part->n_triangles,
                              .label = numbers[i] };
        g_snprintf(group.name, sizeof group.name, "%u", numbers[i]);
        g_array_append_val(data->groups, group);
        memcpy(data->positions + 3 * data->n_vertices, part->positions,
               3 * part->n_vertices * sizeof(float));
        for (gsize c = 0; c < 3 * part->n_triangles; c++)
            data->triangles[3 * data->n_triangles + c] =
                part->triangles[c] + (guint32) data->n_vertices;
        data->n_vertices += part->n_vertices;
        data->n_triangles += part->n_triangles;
    }
    return TRUE;
}

static BgMesh *
make_steps(BgLabelMap *labels, const guint32 *numbers, gsize n, const Box *boxes,
           const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_autofree BgMeshData *parts = g_new0(BgMeshData, n);
    BgMeshData data = { 0 };
    BgMesh *mesh = NULL;
    gsize done = 0;

    for (; done < n; done++) {
        BgIsoField field;
        BgProgressSpan span;
        init_field(&field, labels, numbers[done], &boxes[done]);
        if (!bg_iso_extract(&field, &parts[done],
                            bg_progress_span_init(&span, progress, (double) done / (double) n,
                                                  (double) (done + 1) / (double) n),
                            cancellable, error))
            break;
    }
    if (done == n && n == 1) {
        BgMeshGroup group = { .n_triangles = parts[0].n_triangles, .label = numbers[0] };
        g_snprintf(group.name, sizeof group.name, "%u", numbers[0]);
        data = parts[0];
        parts[0] = (BgMeshData){ 0 };
        data.groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
        g_array_append_val(data.groups, group);
        mesh = bg_mesh_new_take(&data, error);
    } else if (done == n && join(parts, numbers, n, &data, error)) {
        mesh = bg_mesh_new_take(&data, error);
    } else {
        bg_mesh_data_clear(&data);
    }
    for (gsize i = 0; i < n; i++)
        bg_mesh_data_clear(&parts[i]);
    return mesh;
}

static BgMesh *
finish(BgMesh *mesh, const BgLabelSurfaceParams *params, const BgProgress *progress,
       GCancellable *cancellable, GError **error)
{
    BgSincParams sinc = { .n_passes = params->n_smooth_passes, .pass_band = PASS_BAND };
    g_autoptr(BgMesh) steps = mesh;

    if (steps != NULL && params->n_smooth_passes > 0) {
        BgMesh *smooth = bg_mesh_smooth_sinc(steps, &sinc, progress, cancellable, error);
        bg_mesh_unref(steps);
        steps = smooth;
    }
    if (steps != NULL && params->normals)
        return bg_mesh_compute_normals(steps, error);
    return g_steal_pointer(&steps);
}

BgMesh *
bg_label_surface(BgLabelMap *labels, const BgLabelSurfaceParams *params, const BgProgress *progress,
                 GCancellable *cancellable, GError **error)
{
    BgProgressSpan marching, smoothing;

    g_return_val_if_fail(labels != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(guint32));
    if (params->labels != NULL) {
        g_array_append_vals(all, params->labels, (guint) params->n_labels);
    } else {
        g_autoptr(GArray) counts = bg_label_map_count(labels);
        for (guint i = 0; i < counts->len; i++)
            g_array_append_val(all, g_array_index(counts, BgLabelCount, i).label);
    }
    const guint32 *numbers = (const guint32 *) (gpointer) all->data;

    g_autofree Box *boxes =
        all->len == 0 ? NULL : find_boxes(labels, numbers, all->len, cancellable);
    if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
        !check_labels(numbers, all->len, boxes, error))
        return NULL;
    BgMesh *mesh =
        make_steps(labels, numbers, all->len, boxes,
                   bg_progress_span_init(&marching, progress, 0.0, 0.5), cancellable, error);
    return finish(mesh, params, bg_progress_span_init(&smoothing, progress, 0.5, 1.0), cancellable,
                  error);
}
