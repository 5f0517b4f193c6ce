// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-refine.h"

#include "bg-mesh-decimate.h"
#include "bg-mesh-normals.h"
#include "bg-mesh-parts.h"
#include "bg-mesh-private.h"
#include "bg-mesh-smooth.h"

#include "core/base/bg-buffer.h"

#include <string.h>

#define PASS_BAND 0.1
#define N_STEPS 8
#define NEAR_ENOUGH 1e-5 // of the volume

// What a run of triangles encloses, once moved along its vertices' normals.
static double
run_volume_ml(const BgMeshData *data, gsize first, gsize n, double by_mm)
{
    double sum = 0.0;

    if (n == 0)
        return 0.0;
    // Near the mesh, so that large coordinates do not cancel.
    BgVec3 origin = bg_mesh_vertex(data, data->triangles[3 * first]);
    for (gsize t = first; t < first + n; t++) {
        BgVec3 corners[3];
        for (int c = 0; c < 3; c++) {
            guint32 vertex = data->triangles[3 * t + (gsize) c];
            corners[c] = bg_vec3_sub(bg_mesh_vertex(data, vertex), origin);
            if (by_mm == 0.0)
                continue;
            const float *normal = data->normals + 3 * (gsize) vertex;
            corners[c] =
                bg_vec3_along(corners[c], by_mm,
                              bg_vec3((double) normal[0], (double) normal[1], (double) normal[2]));
        }
        sum += bg_vec3_dot(corners[0], bg_vec3_cross(corners[1], corners[2]));
    }
    return sum / 6000.0;
}

// Secants: the volume is a polynomial of the third degree in the offset, and nearly a line.
static double
find_offset_mm(const BgMeshData *data, gsize first, gsize n, double wanted_ml, double most_mm)
{
    double a_mm = 0.0, a_ml = run_volume_ml(data, first, n, 0.0) - wanted_ml;
    double b_mm = a_ml < 0.0 ? 0.1 * most_mm : -0.1 * most_mm;

    for (int step = 0; step < N_STEPS && fabs(a_ml) > NEAR_ENOUGH * wanted_ml; step++) {
        double b_ml = run_volume_ml(data, first, n, b_mm) - wanted_ml;
        double next_mm = b_ml != a_ml ? b_mm - b_ml * (b_mm - a_mm) / (b_ml - a_ml) : b_mm;
        a_mm = b_mm;
        a_ml = b_ml;
        b_mm = CLAMP(next_mm, -most_mm, most_mm);
    }
    return a_mm;
}

static void
move_group(BgMeshData *data, gsize first, gsize n, double by_mm, guint8 *moved)
{
    for (gsize c = 3 * first; c < 3 * (first + n); c++) {
        guint32 vertex = data->triangles[c];
        if (moved[vertex])
            continue;
        moved[vertex] = TRUE;
        for (gsize k = 3 * (gsize) vertex; k < 3 * (gsize) vertex + 3; k++)
            data->positions[k] += (float) by_mm * data->normals[k];
    }
}

BgMesh *
bg_mesh_match_volumes(BgMesh *mesh, const double *wanted_ml, double most_mm, double *offset_mm,
                      double *volume_error, GError **error)
{
    BgMeshData data;

    g_return_val_if_fail(mesh != NULL && most_mm > 0.0, NULL);

    const BgMeshData *from = bg_mesh_get_data(mesh);
    bg_auto_buffer guint8 *moved = bg_buffer_alloc(from->n_vertices + 1, error);
    if (moved == NULL || !bg_mesh_data_copy(from, &data, error))
        return NULL;
    memset(moved, 0, from->n_vertices + 1);
    if (!bg_mesh_data_compute_normals(&data, error)) {
        bg_mesh_data_clear(&data);
        return NULL;
    }
    *offset_mm = *volume_error = 0.0;
    guint n_groups = data.groups != NULL ? data.groups->len : 1;
    for (guint g = 0; g < n_groups; g++) {
        const BgMeshGroup whole = { .n_triangles = data.n_triangles };
        const BgMeshGroup *group =
            data.groups != NULL ? &g_array_index(data.groups, BgMeshGroup, g) : &whole;
        if (!(wanted_ml[g] > 0.0) || group->n_triangles == 0)
            continue;
        double by_mm =
            find_offset_mm(&data, group->first_triangle, group->n_triangles, wanted_ml[g], most_mm);
        move_group(&data, group->first_triangle, group->n_triangles, by_mm, moved);
        double left = run_volume_ml(&data, group->first_triangle, group->n_triangles, 0.0);
        *volume_error = MAX(*volume_error, fabs(left / wanted_ml[g] - 1.0));
        if (fabs(by_mm) > fabs(*offset_mm))
            *offset_mm = by_mm;
    }
    g_clear_pointer(&data.normals, bg_buffer_free);
    return bg_mesh_new_take(&data, error);
}

// Returns: (transfer full): what each group of @raw is to enclose in the end
static double *
find_wanted_ml(BgMesh *raw, BgMesh *kept, BgLabelMap *labels)
{
    const BgMeshData *all = bg_mesh_get_data(raw), *left = bg_mesh_get_data(kept);
    g_autoptr(GArray) counts = bg_label_map_count(labels);
    double voxel_ml = bg_geometry_voxel_volume_mm3(bg_label_map_get_geometry(labels)) / 1000.0;
    double *wanted = g_new0(double, all->groups->len);

    for (guint g = 0; g < all->groups->len && g < left->groups->len; g++) {
        const BgMeshGroup *whole = &g_array_index(all->groups, BgMeshGroup, g);
        const BgMeshGroup *part = &g_array_index(left->groups, BgMeshGroup, g);
        double before = run_volume_ml(all, whole->first_triangle, whole->n_triangles, 0.0);
        double now = run_volume_ml(left, part->first_triangle, part->n_triangles, 0.0);
        for (guint i = 0; i < counts->len; i++) {
            const BgLabelCount *count = &g_array_index(counts, BgLabelCount, i);
            if (count->label == whole->label && before > 0.0)
                wanted[g] = (double) count->n_voxels * voxel_ml * now / before;
        }
    }
    return wanted;
}

// A quarter of the smallest voxel's side: more would be another surface.
static double
most_mm(BgLabelMap *labels)
{
    BgVec3 spacing_mm = bg_geometry_spacing_mm(bg_label_map_get_geometry(labels));

    return 0.25 * MIN(spacing_mm.x, MIN(spacing_mm.y, spacing_mm.z));
}

// Puts what a step made in the place of what it was made of.
static gboolean
step(BgMesh **mesh, BgMesh *made)
{
    bg_mesh_unref(*mesh);
    *mesh = made;
    return made != NULL;
}

BgMesh *
bg_mesh_refine(BgMesh *raw, const BgMeshRefineParams *params, BgMeshRefined *refined,
               const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgSincParams sinc = { .n_passes = params->n_smooth, .pass_band = PASS_BAND };
    BgDecimateParams thin = { .ratio = params->keep };
    BgDecimateResult thinned = { 0 };
    BgProgressSpan smoothing, thinning, measuring;
    gboolean changes = params->n_smooth > 0 || params->keep < 1.0;
    g_autoptr(BgMesh) now = bg_mesh_ref(raw);

    *refined = (BgMeshRefined){ 0 };
    if (params->largest && !step(&now, bg_mesh_keep_largest(now, error)))
        return NULL;
    g_autoptr(BgMesh) kept = bg_mesh_ref(now);
    if (params->n_smooth > 0 &&
        !step(&now,
              bg_mesh_smooth_sinc(now, &sinc, bg_progress_span_init(&smoothing, progress, 0.0, 0.4),
                                  cancellable, error)))
        return NULL;
    if (params->keep != 1.0 &&
        !step(&now, bg_mesh_decimate(now, &thin, &thinned,
                                     bg_progress_span_init(&thinning, progress, 0.4, 0.8),
                                     cancellable, error)))
        return NULL;
    refined->error_mm = thinned.error_mm;
    if (changes && params->labels != NULL && bg_mesh_get_data(raw)->groups != NULL) {
        g_autofree double *wanted_ml = find_wanted_ml(raw, kept, params->labels);
        if (!step(&now, bg_mesh_match_volumes(now, wanted_ml, most_mm(params->labels),
                                              &refined->offset_mm, &refined->volume_error, error)))
            return NULL;
    }
    if (changes && params->measure) {
        refined->measured = bg_mesh_distance(
            now, kept, BG_MESH_DISTANCE_SAMPLES, &refined->distance,
            bg_progress_span_init(&measuring, progress, 0.8, 1.0), cancellable, error);
        if (!refined->measured)
            return NULL;
    }
    return g_steal_pointer(&now);
}

BgJson *
bg_mesh_refined_to_json(const BgMeshRefined *refined)
{
    if (!refined->measured)
        return NULL;
    BgJson *json = bg_json_new_object();
    bg_json_set_double(json, "mean_mm", refined->distance.mean_mm);
    bg_json_set_double(json, "p95_mm", refined->distance.p95_mm);
    bg_json_set_double(json, "max_mm", refined->distance.max_mm);
    bg_json_set_double(json, "offset_mm", refined->offset_mm);
    return json;
}
