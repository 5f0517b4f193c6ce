// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-linear.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MIN_PIVOT 1e-13 // of the row's largest element: below, the rest is rounding
#define MAX_SWEEPS 60   // Jacobi needs 6 to 10

static void
swap_rows(double *m, gsize n_columns, gsize i, gsize j)
{
    if (i == j)
        return;
    for (gsize c = 0; c < n_columns; c++) {
        double held = m[i * n_columns + c];
        m[i * n_columns + c] = m[j * n_columns + c];
        m[j * n_columns + c] = held;
    }
}

static gboolean
scale_rows(double *a, gsize n, double *b, gsize n_right)
{
    for (gsize i = 0; i < n; i++) {
        double most = 0.0;
        for (gsize j = 0; j < n; j++)
            most = fmax(most, fabs(a[i * n + j]));
        if (!(most > 0.0) || !isfinite(most))
            return FALSE;
        for (gsize j = 0; j < n; j++)
            a[i * n + j] /= most;
        for (gsize j = 0; j < n_right; j++)
            b[i * n_right + j] /= most;
    }
    return TRUE;
}

static void
eliminate(double *a, gsize n, double *b, gsize n_right, gsize k)
{
    for (gsize i = k + 1; i < n; i++) {
        double f = a[i * n + k] / a[k * n + k];
        if (f == 0.0)
            continue;
        for (gsize j = k + 1; j < n; j++)
            a[i * n + j] -= f * a[k * n + j];
        for (gsize j = 0; j < n_right; j++)
            b[i * n_right + j] -= f * b[k * n_right + j];
    }
}

gboolean
bg_linear_solve(double *a, gsize n, double *b, gsize n_right)
{
    if (!scale_rows(a, n, b, n_right))
        return FALSE;
    for (gsize k = 0; k < n; k++) {
        gsize pivot = k;
        for (gsize i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k]))
                pivot = i;
        if (!(fabs(a[pivot * n + k]) > MIN_PIVOT))
            return FALSE;
        swap_rows(a, n, k, pivot);
        swap_rows(b, n_right, k, pivot);
        eliminate(a, n, b, n_right, k);
    }
    for (gsize k = n; k-- > 0;) {
        for (gsize j = 0; j < n_right; j++) {
            double sum = b[k * n_right + j];
            for (gsize i = k + 1; i < n; i++)
                sum -= a[k * n + i] * b[i * n_right + j];
            b[k * n_right + j] = sum / a[k * n + k];
        }
    }
    return TRUE;
}

gboolean
bg_linear_invert(double *a, gsize n)
{
    g_autofree double *copy = g_memdup2(a, n * n * sizeof(double));

    memset(a, 0, n * n * sizeof(double));
    for (gsize i = 0; i < n; i++)
        a[i * n + i] = 1.0;
    return bg_linear_solve(copy, n, a, n);
}

// The rotation that makes element (p, q) zero, applied to both sides of @a and to @vectors.
static void
rotate_symmetric(double *a, double *vectors, gsize n, gsize p, gsize q)
{
    double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
    double t = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
    double c = 1.0 / sqrt(t * t + 1.0), s = t * c;

    for (gsize i = 0; i < n; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
    for (gsize i = 0; i < n; i++) {
        double x = a[p * n + i], y = a[q * n + i];
        a[p * n + i] = c * x - s * y;
        a[q * n + i] = s * x + c * y;
    }
    for (gsize i = 0; i < n; i++) {
        double x = vectors[i * n + p], y = vectors[i * n + q];
        vectors[i * n + p] = c * x - s * y;
        vectors[i * n + q] = s * x + c * y;
    }
}

static gboolean
sweep_symmetric(double *a, double *vectors, gsize n)
{
    gboolean turned = FALSE;

    for (gsize p = 0; p + 1 < n; p++) {
        for (gsize q = p + 1; q < n; q++) {
            double size = sqrt(fabs(a[p * n + p] * a[q * n + q]));
            if (fabs(a[p * n + q]) <= fmax(DBL_EPSILON * size * 0.5, DBL_MIN))
                continue;
            rotate_symmetric(a, vectors, n, p, q);
            a[p * n + q] = a[q * n + p] = 0.0;
            turned = TRUE;
        }
    }
    return turned;
}

static void
swap_columns(double *m, gsize n_rows, gsize n_columns, gsize i, gsize j)
{
    for (gsize r = 0; r < n_rows; r++) {
        double held = m[r * n_columns + i];
        m[r * n_columns + i] = m[r * n_columns + j];
        m[r * n_columns + j] = held;
    }
}

// Largest first; the columns of one or two matrices go with their value.
static void
sort_values(double *values, gsize n, double *vectors, gsize m, double *more)
{
    for (gsize i = 0; i + 1 < n; i++) {
        gsize largest = i;
        for (gsize j = i + 1; j < n; j++)
            if (values[j] > values[largest])
                largest = j;
        if (largest == i)
            continue;
        double held = values[i];
        values[i] = values[largest];
        values[largest] = held;
        swap_columns(vectors, n, n, i, largest);
        if (more != NULL)
            swap_columns(more, m, n, i, largest);
    }
}

static void
set_identity(double *m, gsize n)
{
    memset(m, 0, n * n * sizeof(double));
    for (gsize i = 0; i < n; i++)
        m[i * n + i] = 1.0;
}

void
bg_linear_eigen_symmetric(double *a, gsize n, double *values, double *vectors)
{
    set_identity(vectors, n);
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++)
        if (!sweep_symmetric(a, vectors, n))
            break;
    for (gsize i = 0; i < n; i++)
        values[i] = a[i * n + i];
    sort_values(values, n, vectors, 0, NULL);
}

// Makes columns p and q of the m x n matrix perpendicular.
static gboolean
rotate_columns(double *a, gsize m, gsize n, double *v, gsize p, gsize q)
{
    double pp = 0.0, qq = 0.0, pq = 0.0;

    for (gsize i = 0; i < m; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        pp += x * x;
        qq += y * y;
        pq += x * y;
    }
    if (fabs(pq) <= fmax(DBL_EPSILON * sqrt(pp * qq), DBL_MIN))
        return FALSE;
    double theta = (qq - pp) / (2.0 * pq);
    double t = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
    double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    for (gsize i = 0; i < m + n; i++) {
        double *row = i < m ? a + i * n : v + (i - m) * n;
        double x = row[p], y = row[q];
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    return TRUE;
}

void
bg_linear_svd(double *a, gsize m, gsize n, double *values, double *v)
{
    gboolean turned = TRUE;

    set_identity(v, n);
    for (int sweep = 0; turned && sweep < MAX_SWEEPS; sweep++) {
        turned = FALSE;
        for (gsize p = 0; p + 1 < n; p++)
            for (gsize q = p + 1; q < n; q++)
                turned |= rotate_columns(a, m, n, v, p, q);
    }
    for (gsize j = 0; j < n; j++) {
        double sum = 0.0;
        for (gsize i = 0; i < m; i++)
            sum += a[i * n + j] * a[i * n + j];
        values[j] = sqrt(sum);
        for (gsize i = 0; i < m; i++)
            a[i * n + j] = values[j] > 0.0 ? a[i * n + j] / values[j] : 0.0;
    }
    sort_values(values, n, v, m, a);
}
