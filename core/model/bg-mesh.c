// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-mesh.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <stdatomic.h>
#include <string.h>

struct _BgMesh {
    gatomicrefcount ref_count;
    guint64 serial;
    BgMeshData data; // owned
    BgVec3 low_mm, high_mm;
};

G_DEFINE_BOXED_TYPE(BgMesh, bg_mesh, bg_mesh_ref, bg_mesh_unref)

void
bg_mesh_data_clear(BgMeshData *data)
{
    g_clear_pointer(&data->positions, bg_buffer_free);
    g_clear_pointer(&data->normals, bg_buffer_free);
    g_clear_pointer(&data->distances_mm, bg_buffer_free);
    g_clear_pointer(&data->triangles, bg_buffer_free);
    g_clear_pointer(&data->groups, g_array_unref);
    data->n_vertices = data->n_triangles = 0;
}

static gboolean
check_triangles(const BgMeshData *data, GError **error)
{
    guint32 largest = 0;

    // Without a way out, so that it is done many at a time: millions of them, once for each mesh.
    for (gsize i = 0; i < 3 * data->n_triangles; i++)
        largest = MAX(largest, data->triangles[i]);
    for (gsize i = 0; largest >= data->n_vertices && i < 3 * data->n_triangles; i++) {
        if (data->triangles[i] >= data->n_vertices) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("Triangle %zu names vertex %u of %zu"),
                        i / 3, data->triangles[i], data->n_vertices);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
check_groups(const BgMeshData *data, GError **error)
{
    gsize next = 0;

    for (guint i = 0; data->groups != NULL && i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        if (group->first_triangle != next || group->n_triangles > data->n_triangles - next)
            break;
        next += group->n_triangles;
    }
    if (data->groups != NULL && next != data->n_triangles) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The mesh's groups cover %zu of %zu triangles"), next, data->n_triangles);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_positions(const BgMeshData *data, GError **error)
{
    for (gsize i = 0; i < 3 * data->n_vertices; i++) {
        if (!isfinite(data->positions[i])) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("Vertex %zu of the mesh is nowhere: its position is not a number"),
                        i / 3);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
check_distances(const BgMeshData *data, GError **error)
{
    for (gsize i = 0; data->distances_mm != NULL && i < data->n_vertices; i++) {
        if (!isfinite(data->distances_mm[i])) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("The distance at vertex %zu of the mesh is not a number"), i);
            return FALSE;
        }
    }
    return TRUE;
}

// Four vertices at a time: twelve numbers, of which each third belongs to one axis.
static gboolean
find_bounds(BgMesh *self, GError **error)
{
    const float *p = self->data.positions;
    gsize n = 3 * self->data.n_vertices, done = 0;
    float low[12], high[12], nothing[12] = { 0 };

    if (n == 0)
        return TRUE;

    for (gsize lane = 0; lane < 12; lane++)
        low[lane] = high[lane] = p[lane % 3];
    for (; done + 12 <= n; done += 12) {
        for (gsize lane = 0; lane < 12; lane++) {
            float at = p[done + lane];
            low[lane] = at < low[lane] ? at : low[lane];
            high[lane] = at > high[lane] ? at : high[lane];
            nothing[lane] += at * 0.0f; // NaN for what is not finite
        }
    }
    for (gsize lane = 0; done < n; done++, lane++) {
        low[lane] = MIN(low[lane], p[done]);
        high[lane] = MAX(high[lane], p[done]);
        nothing[lane] += p[done] * 0.0f;
    }

    float finite = 0.0f;
    for (gsize lane = 0; lane < 12; lane++) {
        finite += nothing[lane];
        low[lane % 3] = MIN(low[lane % 3], low[lane]);
        high[lane % 3] = MAX(high[lane % 3], high[lane]);
    }
    if (finite != 0.0f || !isfinite(p[0]) || !isfinite(p[1]) || !isfinite(p[2]))
        return check_positions(&self->data, error);
    self->low_mm = bg_vec3((double) low[0], (double) low[1], (double) low[2]);
    self->high_mm = bg_vec3((double) high[0], (double) high[1], (double) high[2]);
    return TRUE;
}

BgMesh *
bg_mesh_new_take(const BgMeshData *data, GError **error)
{
    static _Atomic guint64 last_serial;

    g_return_val_if_fail(data != NULL, NULL);

    BgMesh *self = g_new0(BgMesh, 1);
    g_atomic_ref_count_init(&self->ref_count);
    self->serial = atomic_fetch_add(&last_serial, 1) + 1;
    self->data = *data;

    if (!check_triangles(data, error) || !check_groups(data, error) ||
        !check_distances(data, error) || !find_bounds(self, error)) {
        bg_mesh_unref(self);
        return NULL;
    }
    return self;
}

BgMesh *
bg_mesh_ref(BgMesh *mesh)
{
    g_return_val_if_fail(mesh != NULL, NULL);

    g_atomic_ref_count_inc(&mesh->ref_count);
    return mesh;
}

void
bg_mesh_unref(BgMesh *mesh)
{
    g_return_if_fail(mesh != NULL);

    if (!g_atomic_ref_count_dec(&mesh->ref_count))
        return;
    bg_mesh_data_clear(&mesh->data);
    g_free(mesh);
}

const BgMeshData *
bg_mesh_get_data(const BgMesh *mesh)
{
    return &mesh->data;
}

guint64
bg_mesh_get_serial(const BgMesh *mesh)
{
    return mesh->serial;
}

void
bg_mesh_get_bounds_mm(const BgMesh *mesh, BgVec3 *low, BgVec3 *high)
{
    *low = mesh->low_mm;
    *high = mesh->high_mm;
}

static gboolean
copy_arrays(const BgMeshData *from, BgMeshData *to, GError **error)
{
    gsize n_floats = 3 * from->n_vertices, n_indices = 3 * from->n_triangles;

    *to = (BgMeshData){ .n_vertices = from->n_vertices, .n_triangles = from->n_triangles };
    to->positions = bg_buffer_alloc_items(n_floats, sizeof(float), error);
    if (to->positions == NULL)
        return FALSE;
    if (n_floats > 0)
        memcpy(to->positions, from->positions, n_floats * sizeof(float));

    to->triangles = bg_buffer_alloc_items(n_indices, sizeof(guint32), error);
    if (to->triangles == NULL)
        return FALSE;
    if (n_indices > 0)
        memcpy(to->triangles, from->triangles, n_indices * sizeof(guint32));

    if (from->normals != NULL) {
        to->normals = bg_buffer_alloc_items(n_floats, sizeof(float), error);
        if (to->normals == NULL)
            return FALSE;
        memcpy(to->normals, from->normals, n_floats * sizeof(float));
    }
    if (from->distances_mm != NULL) {
        to->distances_mm = bg_buffer_alloc_items(from->n_vertices, sizeof(float), error);
        if (to->distances_mm == NULL)
            return FALSE;
        memcpy(to->distances_mm, from->distances_mm, from->n_vertices * sizeof(float));
    }
    if (from->groups != NULL)
        to->groups = g_array_copy(from->groups);
    return TRUE;
}

static void
map_positions(float *positions, gsize n, const BgAffine *a)
{
    for (float *p = positions; p < positions + 3 * n; p += 3) {
        BgVec3 to = bg_affine_apply(a, bg_vec3(p[0], p[1], p[2]));
        p[0] = (float) to.x;
        p[1] = (float) to.y;
        p[2] = (float) to.z;
    }
}

// Normals go by the inverse transpose.
static void
map_normals(float *normals, gsize n, const BgAffine *inverse)
{
    for (float *p = normals; normals != NULL && p < normals + 3 * n; p += 3) {
        BgVec3 from = bg_vec3(p[0], p[1], p[2]);
        BgVec3 to = bg_vec3_normalize(bg_vec3(bg_vec3_dot(bg_affine_column(inverse, 0), from),
                                              bg_vec3_dot(bg_affine_column(inverse, 1), from),
                                              bg_vec3_dot(bg_affine_column(inverse, 2), from)));
        p[0] = (float) to.x;
        p[1] = (float) to.y;
        p[2] = (float) to.z;
    }
}

BgMesh *
bg_mesh_transform(BgMesh *mesh, const BgAffine *a, GError **error)
{
    BgMeshData data;
    BgAffine inverse;

    g_return_val_if_fail(mesh != NULL, NULL);

    if (!bg_affine_invert(a, &inverse)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The mesh cannot be moved by a transform that flattens it"));
        return NULL;
    }
    if (!copy_arrays(&mesh->data, &data, error)) {
        bg_mesh_data_clear(&data);
        return NULL;
    }

    map_positions(data.positions, data.n_vertices, a);
    map_normals(data.normals, data.n_vertices, &inverse);
    if (bg_affine_determinant(a) < 0.0) {
        for (gsize i = 0; i < data.n_triangles; i++) {
            guint32 second = data.triangles[3 * i + 1];
            data.triangles[3 * i + 1] = data.triangles[3 * i + 2];
            data.triangles[3 * i + 2] = second;
        }
    }
    return bg_mesh_new_take(&data, error);
}

BgMesh *
bg_mesh_with_distances(BgMesh *mesh, float *distances_mm, GError **error)
{
    BgMeshData data;

    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(distances_mm != NULL, NULL);

    if (!copy_arrays(&mesh->data, &data, error)) {
        bg_mesh_data_clear(&data);
        bg_buffer_free(distances_mm);
        return NULL;
    }
    g_clear_pointer(&data.distances_mm, bg_buffer_free);
    data.distances_mm = distances_mm;
    return bg_mesh_new_take(&data, error);
}
