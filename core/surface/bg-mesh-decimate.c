// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-decimate.h"

#include "bg-mesh-normals.h"
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <meshoptimizer.h>
#include <string.h>

static gboolean
run(const BgMeshData *data, const BgDecimateParams *params, guint32 *triangles, GArray *groups,
    gsize *n_triangles, double *error_mm)
{
    double scale = (double) meshopt_simplifyScale(data->positions, data->n_vertices, 12);
    double bound = params->max_error_mm > 0.0 ? params->max_error_mm / scale : 1.0;

    for (guint i = 0; i < groups->len; i++) {
        BgMeshGroup *group = &g_array_index(groups, BgMeshGroup, i);
        gsize target = (gsize) ((double) group->n_triangles * params->ratio);
        float error = 0.0f;
        gsize n = meshopt_simplify(triangles + 3 * *n_triangles,
                                   data->triangles + 3 * group->first_triangle,
                                   3 * group->n_triangles, data->positions, data->n_vertices, 12,
                                   3 * target, (float) bound, meshopt_SimplifyLockBorder, &error);
        group->first_triangle = *n_triangles;
        group->n_triangles = n / 3;
        *n_triangles += n / 3;
        *error_mm = MAX(*error_mm, (double) error * scale);
    }
    return TRUE;
}

BgMesh *
bg_mesh_decimate(BgMesh *mesh, const BgDecimateParams *params, BgDecimateResult *result,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgMeshData made, work;
    double error_mm = 0.0;

    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    if (!(params->ratio > 0.0 && params->ratio <= 1.0)) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("The mesh cannot be reduced to %g of its triangles. Choose a share above 0 and "
              "up to 1"),
            params->ratio);
        return NULL;
    }
    const BgMeshData *data = bg_mesh_get_data(mesh);
    bg_auto_buffer guint32 *triangles =
        bg_buffer_alloc_items(3 * data->n_triangles, sizeof(guint32), error);
    if (triangles == NULL)
        return NULL;
    g_autoptr(GArray) groups = data->groups != NULL ? g_array_copy(data->groups)
                                                    : g_array_new(FALSE, TRUE, sizeof(BgMeshGroup));
    if (data->groups == NULL) {
        BgMeshGroup all = { .n_triangles = data->n_triangles };
        g_array_append_val(groups, all);
    }
    work = *data;
    work.triangles = triangles;
    work.normals = NULL;
    work.n_triangles = 0;
    run(data, params, triangles, groups, &work.n_triangles, &error_mm);
    work.groups = data->groups != NULL ? groups : NULL;

    bg_auto_buffer guint8 *chosen = bg_buffer_alloc(work.n_triangles + 1, error);
    if (chosen == NULL)
        return NULL;
    memset(chosen, 1, work.n_triangles + 1);
    if (!bg_mesh_data_select(&work, chosen, &made, error))
        return NULL;
    if (data->normals != NULL && !bg_mesh_data_compute_normals(&made, error)) {
        bg_mesh_data_clear(&made);
        return NULL;
    }
    if (result != NULL)
        result->error_mm = error_mm;
    return bg_mesh_new_take(&made, error);
}
