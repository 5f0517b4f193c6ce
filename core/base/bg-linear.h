// SPDX-License-Identifier: Apache-2.0
// Small dense linear algebra in double precision: fits of landmarks and cameras. Matrices are
// row-major arrays. Nothing here allocates more than its scratch, fails silently, or is for voxels.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_linear_solve:
 * @a: n x n; destroyed
 * @b: (inout): n x @n_right right-hand sides; the solutions on return
 *
 * A X = B by elimination with partial pivoting, rows scaled by their largest element.
 *
 * Returns: %FALSE when a pivot is below 1e-13 of its row: the system has no one solution; @b is
 *   then of no use
 */
gboolean bg_linear_solve(double *a, gsize n, double *b, gsize n_right);

/**
 * bg_linear_invert:
 * @a: (inout): n x n
 *
 * Returns: %FALSE as bg_linear_solve()
 */
gboolean bg_linear_invert(double *a, gsize n);

/**
 * bg_linear_eigen_symmetric:
 * @a: n x n, symmetric; destroyed
 * @values: (out): n, largest first
 * @vectors: (out): n x n, unit vectors in columns, in the order of @values
 *
 * By cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, section 8.5): slow for
 * large n, and accurate.
 */
void bg_linear_eigen_symmetric(double *a, gsize n, double *values, double *vectors);

/**
 * bg_linear_svd:
 * @a: (inout): m x n with m >= n; U's n columns on return
 * @values: (out): n, largest first, none negative
 * @v: (out): n x n: A = U diag(values) V^T
 *
 * By one-sided Jacobi rotations (Hestenes). Columns of U that belong to a value of 0 are zeros.
 */
void bg_linear_svd(double *a, gsize m, gsize n, double *values, double *v);

G_END_DECLS
