// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-normals.h"

#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"

#include <string.h>

gboolean
bg_mesh_data_compute_normals(BgMeshData *data, GError **error)
{
    gsize n_floats = 3 * data->n_vertices;
    float *normals = bg_buffer_alloc_items(n_floats, sizeof(float), error);

    if (normals == NULL)
        return FALSE;
    memset(normals, 0, n_floats * sizeof(float));

    for (const guint32 *t = data->triangles; t < data->triangles + 3 * data->n_triangles; t += 3) {
        const float *a = data->positions + 3 * (gsize) t[0];
        const float *b = data->positions + 3 * (gsize) t[1];
        const float *c = data->positions + 3 * (gsize) t[2];
        float u[3] = { b[0] - a[0], b[1] - a[1], b[2] - a[2] };
        float v[3] = { c[0] - a[0], c[1] - a[1], c[2] - a[2] };
        float n[3] = { u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2],
                       u[0] * v[1] - u[1] * v[0] };
        for (int corner = 0; corner < 3; corner++) {
            float *to = normals + 3 * (gsize) t[corner];
            to[0] += n[0];
            to[1] += n[1];
            to[2] += n[2];
        }
    }
    for (float *n = normals; n < normals + n_floats; n += 3) {
        double x = (double) n[0], y = (double) n[1], z = (double) n[2];
        double length = sqrt(x * x + y * y + z * z);
        n[0] = length > 0.0 ? (float) (x / length) : 0.0f;
        n[1] = length > 0.0 ? (float) (y / length) : 0.0f;
        n[2] = length > 0.0 ? (float) (z / length) : 1.0f;
    }
    bg_buffer_free(data->normals);
    data->normals = normals;
    return TRUE;
}

BgMesh *
bg_mesh_compute_normals(BgMesh *mesh, GError **error)
{
    BgMeshData data;

    g_return_val_if_fail(mesh != NULL, NULL);

    if (!bg_mesh_data_copy(bg_mesh_get_data(mesh), &data, error))
        return NULL;
    if (!bg_mesh_data_compute_normals(&data, error)) {
        bg_mesh_data_clear(&data);
        return NULL;
    }
    return bg_mesh_new_take(&data, error);
}
