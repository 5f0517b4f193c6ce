// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-linear.h"

#include <math.h>
#include <string.h>

static void
fill_random(double *a, gsize n)
{
    for (gsize i = 0; i < n; i++)
        a[i] = g_test_rand_double_range(-1.0, 1.0);
}

static double
difference(const double *a, const double *b, gsize n)
{
    double worst = 0.0;

    for (gsize i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    return worst;
}

// c = a b, of n x k and k x m
static void
multiply(const double *a, const double *b, gsize n, gsize k, gsize m, double *c)
{
    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < m; j++) {
            c[i * m + j] = 0.0;
            for (gsize l = 0; l < k; l++)
                c[i * m + j] += a[i * k + l] * b[l * m + j];
        }
    }
}

static void
test_solves(void)
{
    for (gsize n = 1; n <= 20; n++) {
        double a[400], copy[400], x[40], b[40];
        fill_random(a, n * n);
        for (gsize i = 0; i < n; i++)
            a[i * n + i] += 3.0;
        a[0] = n > 1 ? 0.0 : 1.0; // so that rows must change places
        fill_random(x, 2 * n);
        memcpy(copy, a, sizeof a);
        multiply(a, x, n, n, 2, b);
        g_assert_true(bg_linear_solve(copy, n, b, 2));
        g_assert_cmpfloat(difference(b, x, 2 * n), <, 1e-10);
    }
}

static void
test_refuses_singular(void)
{
    double a[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, b[3] = { 1, 1, 1 };
    double zeros[4] = { 0 }, nan_matrix[1] = { NAN };

    g_assert_false(bg_linear_solve(a, 3, b, 1));
    g_assert_false(bg_linear_invert(zeros, 2));
    g_assert_false(bg_linear_invert(nan_matrix, 1));
}

static void
test_eigen(void)
{
    for (gsize n = 1; n <= 12; n++) {
        double a[144], copy[144], values[12], v[144], left[144];
        fill_random(a, n * n);
        for (gsize i = 0; i < n; i++)
            for (gsize j = 0; j < i; j++)
                a[i * n + j] = a[j * n + i];
        memcpy(copy, a, sizeof a);
        bg_linear_eigen_symmetric(copy, n, values, v);
        multiply(a, v, n, n, n, left);
        for (gsize j = 0; j < n; j++) {
            if (j > 0)
                g_assert_cmpfloat(values[j - 1], >=, values[j]);
            for (gsize i = 0; i < n; i++)
                g_assert_cmpfloat(fabs(left[i * n + j] - values[j] * v[i * n + j]), <, 1e-12);
        }
    }
}

// numpy.linalg.svd([[2, 0, 1], [1, 3, -1], [0, 1, 4], [2, 2, 2]]).S
static void
test_svd_of_numpy(void)
{
    double a[12] = { 2, 0, 1, 1, 3, -1, 0, 1, 4, 2, 2, 2 }, copy[12], s[3], v[9];
    const double expected[3] = { 5.25720438, 3.65968957, 1.99210299 };

    memcpy(copy, a, sizeof a);
    bg_linear_svd(a, 4, 3, s, v);
    g_assert_cmpfloat(difference(s, expected, 3), <, 1e-8);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 3; j++) {
            double sum = 0.0;
            for (int k = 0; k < 3; k++)
                sum += a[3 * i + k] * s[k] * v[3 * j + k];
            g_assert_cmpfloat(fabs(sum - copy[3 * i + j]), <, 1e-13);
        }
    }
}

static void
test_svd_of_rank_one(void)
{
    double a[6] = { 1, 2, 2, 4, 3, 6 }, s[2], v[4];

    bg_linear_svd(a, 3, 2, s, v);
    g_assert_cmpfloat(fabs(s[0] - sqrt(70.0)), <, 1e-13);
    g_assert_cmpfloat(s[1], <, 1e-14);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/linear/solves", test_solves);
    g_test_add_func("/linear/refuses/singular", test_refuses_singular);
    g_test_add_func("/linear/eigen", test_eigen);
    g_test_add_func("/linear/svd/numpy", test_svd_of_numpy);
    g_test_add_func("/linear/svd/rank-one", test_svd_of_rank_one);
    return g_test_run();
}
