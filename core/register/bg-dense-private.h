// SPDX-License-Identifier: Apache-2.0
// Small dense linear algebra for sisters in this folder: row-major, in place, no allocation.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BG_DENSE_MAX_EIGEN 12

/** bg_dense_cholesky: @a: n x n, symmetric; its lower triangle becomes L; %FALSE when not positive definite */
gboolean bg_dense_cholesky(double *a, int n);

/** bg_dense_cholesky_apply: @l: from bg_dense_cholesky(); @b becomes the solution of A x = b */
void bg_dense_cholesky_apply(const double *l, double *b, int n);

/** bg_dense_invert: @a: symmetric, positive definite; @inverse: (out): full; %FALSE else */
gboolean bg_dense_invert(const double *a, double *inverse, int n);

/**
 * bg_dense_eigen:
 * @a: symmetric, destroyed; @n at most BG_DENSE_MAX_EIGEN
 * @values: (out): rising
 * @vectors: (out): row i belongs to values[i], unit length
 *
 * Householder's reduction to three diagonals, then implicit QL steps (Golub and Van Loan, Matrix
 * Computations, section 8.3).
 */
void bg_dense_eigen(double *a, double *values, double *vectors, int n);

/** bg_dense_nearest_rotation: the rotation R that makes trace(R^T M) largest, for any M (Horn 1987) */
void bg_dense_nearest_rotation(const double m[9], double r[9]);

/** bg_dense_rotation: exp([w]x), Rodrigues */
void bg_dense_rotation(const double w[3], double r[9]);

/** bg_dense_multiply3: c = a b; @c is neither of them */
void bg_dense_multiply3(const double a[9], const double b[9], double c[9]);

static inline void
bg_dense_apply3(const double a[9], const double x[3], double y[3])
{
    for (int i = 0; i < 3; i++)
        y[i] = a[3 * i] * x[0] + a[3 * i + 1] * x[1] + a[3 * i + 2] * x[2];
}

G_END_DECLS
