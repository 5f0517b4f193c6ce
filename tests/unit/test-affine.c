// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-affine.h"

static BgAffine
random_affine(void)
{
    BgAffine a;

    for (int i = 0; i < 12; i++)
        a.m[i / 4][i % 4] = g_test_rand_double_range(-3.0, 3.0);
    for (int i = 0; i < 3; i++)
        a.m[i][i] += 8.0; // far from singular
    return a;
}

static void
test_inverse_undoes(void)
{
    for (int trial = 0; trial < 1000; trial++) {
        BgAffine a = random_affine(), inverse, identity = bg_affine_identity();

        g_assert_true(bg_affine_invert(&a, &inverse));
        BgAffine product = bg_affine_multiply(&a, &inverse);
        g_assert_cmpfloat(bg_affine_max_difference(&product, &identity), <, 1e-12);
    }
}

static void
test_product_applies_right_first(void)
{
    BgAffine a = random_affine(), b = random_affine(), ab = bg_affine_multiply(&a, &b);
    BgVec3 p = bg_vec3(1.5, -2.0, 7.25);
    BgVec3 one = bg_affine_apply(&ab, p), two = bg_affine_apply(&a, bg_affine_apply(&b, p));

    g_assert_cmpfloat(bg_vec3_distance(one, two), <, 1e-10);
}

// Worked by hand: columns (0 2 0), (-3 0 0), (0 0 4), origin (10 20 30).
static void
test_known_map(void)
{
    BgAffine a = bg_affine_from_columns(bg_vec3(0, 2, 0), bg_vec3(-3, 0, 0), bg_vec3(0, 0, 4),
                                        bg_vec3(10, 20, 30));
    BgVec3 p = bg_affine_apply(&a, bg_vec3(1, 2, 3));
    BgVec3 v = bg_affine_apply_vector(&a, bg_vec3(1, 2, 3));

    g_assert_cmpfloat(bg_affine_determinant(&a), ==, 24.0);
    g_assert_cmpfloat(bg_vec3_distance(p, bg_vec3(4, 22, 42)), ==, 0.0);
    g_assert_cmpfloat(bg_vec3_distance(v, bg_vec3(-6, 2, 12)), ==, 0.0);
}

static void
test_refuses_singular_and_nan(void)
{
    BgAffine flat = bg_affine_from_columns(bg_vec3(1, 0, 0), bg_vec3(2, 0, 0), bg_vec3(0, 0, 1),
                                           bg_vec3(0, 0, 0));
    BgAffine hole = bg_affine_identity(), far_away = bg_affine_identity();
    BgAffine inverse = bg_affine_identity(), untouched = inverse;

    hole.m[1][1] = (double) NAN;
    far_away.m[0][3] = (double) INFINITY;
    g_assert_false(bg_affine_invert(&flat, &inverse));
    g_assert_false(bg_affine_invert(&hole, &inverse));
    g_assert_false(bg_affine_invert(&far_away, &inverse));
    g_assert_cmpfloat(bg_affine_max_difference(&inverse, &untouched), ==, 0.0);
}

static void
test_flip_turns_ras_to_lps(void)
{
    BgAffine flip = bg_affine_lps_ras_flip();
    BgVec3 right_anterior_superior = bg_affine_apply(&flip, bg_vec3(5, 6, 7));

    // RAS (5 right, 6 anterior, 7 superior) is LPS (-5, -6, 7).
    g_assert_cmpfloat(bg_vec3_distance(right_anterior_superior, bg_vec3(-5, -6, 7)), ==, 0.0);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/affine/inverse-undoes", test_inverse_undoes);
    g_test_add_func("/affine/product-applies-right-first", test_product_applies_right_first);
    g_test_add_func("/affine/known-map", test_known_map);
    g_test_add_func("/affine/refuses/singular-and-nan", test_refuses_singular_and_nan);
    g_test_add_func("/affine/flip-turns-ras-to-lps", test_flip_turns_ras_to_lps);
    return g_test_run();
}
