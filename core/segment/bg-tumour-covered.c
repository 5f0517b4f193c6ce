// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-case-private.h"

double
bg_tumour_covered(const BgLabelMap *mask, const BgGeometry *own, const BgAffine *moving_from_fixed)
{
    const BgGeometry *grid = bg_label_map_get_geometry(mask);
    const int *d = grid->dims;
    g_autofree guint32 *row = g_new(guint32, d[0]);
    BgAffine voxel_from_patient;
    gsize n = 0, n_inside = 0;

    if (!bg_affine_invert(&own->patient_from_voxel, &voxel_from_patient))
        return 0.0;
    BgAffine there = bg_affine_multiply(moving_from_fixed, &grid->patient_from_voxel);
    there = bg_affine_multiply(&voxel_from_patient, &there);
    for (int k = 0; k < d[2]; k++) {
        for (int j = 0; j < d[1]; j++) {
            bg_label_map_read_row(mask, j, k, row);
            for (int i = 0; i < d[0]; i++) {
                if (row[i] == 0)
                    continue;
                BgVec3 p = bg_affine_apply(&there, bg_vec3(i, j, k));
                n++;
                n_inside += p.x >= -0.5 && p.x <= own->dims[0] - 0.5 && p.y >= -0.5 &&
                            p.y <= own->dims[1] - 0.5 && p.z >= -0.5 && p.z <= own->dims[2] - 0.5;
            }
        }
    }
    return n > 0 ? (double) n_inside / (double) n : 1.0;
}
