// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-affine.h"

#define MIN_DETERMINANT 1e-12 // mm^3; the smallest voxel that is not degenerate

BgAffine
bg_affine_identity(void)
{
    return (BgAffine){ { { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 0, 1, 0 } } };
}

BgAffine
bg_affine_from_columns(BgVec3 i, BgVec3 j, BgVec3 k, BgVec3 origin)
{
    return (BgAffine){ {
        { i.x, j.x, k.x, origin.x },
        { i.y, j.y, k.y, origin.y },
        { i.z, j.z, k.z, origin.z },
    } };
}

BgAffine
bg_affine_multiply(const BgAffine *a, const BgAffine *b)
{
    BgAffine c;

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++) {
            c.m[row][column] = column == 3 ? a->m[row][3] : 0.0;
            for (int i = 0; i < 3; i++)
                c.m[row][column] += a->m[row][i] * b->m[i][column];
        }
    }
    return c;
}

double
bg_affine_determinant(const BgAffine *a)
{
    return bg_vec3_dot(bg_affine_column(a, 0),
                       bg_vec3_cross(bg_affine_column(a, 1), bg_affine_column(a, 2)));
}

gboolean
bg_affine_invert(const BgAffine *a, BgAffine *inverse)
{
    double determinant = bg_affine_determinant(a);

    // Written so that a NaN fails too.
    if (!(fabs(determinant) > MIN_DETERMINANT) || !bg_affine_is_finite(a))
        return FALSE;

    BgVec3 i = bg_affine_column(a, 0), j = bg_affine_column(a, 1), k = bg_affine_column(a, 2);
    BgVec3 rows[3] = { bg_vec3_cross(j, k), bg_vec3_cross(k, i), bg_vec3_cross(i, j) };
    BgVec3 origin = bg_affine_column(a, 3);

    for (int row = 0; row < 3; row++) {
        BgVec3 r = bg_vec3_scale(rows[row], 1.0 / determinant);
        inverse->m[row][0] = r.x;
        inverse->m[row][1] = r.y;
        inverse->m[row][2] = r.z;
        inverse->m[row][3] = -bg_vec3_dot(r, origin);
    }
    return TRUE;
}

gboolean
bg_affine_is_finite(const BgAffine *a)
{
    for (int i = 0; i < 12; i++)
        if (!isfinite(a->m[i / 4][i % 4]))
            return FALSE;
    return TRUE;
}

double
bg_affine_max_difference(const BgAffine *a, const BgAffine *b)
{
    double most = 0.0;

    for (int i = 0; i < 12; i++)
        most = fmax(most, fabs(a->m[i / 4][i % 4] - b->m[i / 4][i % 4]));
    return most;
}

BgAffine
bg_affine_lps_ras_flip(void)
{
    return (BgAffine){ { { -1, 0, 0, 0 }, { 0, -1, 0, 0 }, { 0, 0, 1, 0 } } };
}
