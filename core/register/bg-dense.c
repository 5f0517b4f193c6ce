// SPDX-License-Identifier: Apache-2.0
#include "bg-dense-private.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAX_QL_STEPS 60

gboolean
bg_dense_cholesky(double *a, int n)
{
    for (int j = 0; j < n; j++) {
        double d = a[j * n + j];
        for (int k = 0; k < j; k++)
            d -= a[j * n + k] * a[j * n + k];
        if (!(d > 0.0) || !isfinite(d))
            return FALSE;
        d = sqrt(d);
        a[j * n + j] = d;
        for (int i = j + 1; i < n; i++) {
            double s = a[i * n + j];
            for (int k = 0; k < j; k++)
                s -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = s / d;
        }
    }
    return TRUE;
}

void
bg_dense_cholesky_apply(const double *l, double *b, int n)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

gboolean
bg_dense_invert(const double *a, double *inverse, int n)
{
    g_autofree double *l = g_memdup2(a, sizeof(double) * (gsize) n * (gsize) n);
    g_autofree double *column = g_new(double, (gsize) n);

    if (!bg_dense_cholesky(l, n))
        return FALSE;
    for (int j = 0; j < n; j++) {
        memset(column, 0, sizeof *column * (gsize) n);
        column[j] = 1.0;
        bg_dense_cholesky_apply(l, column, n);
        for (int i = 0; i < n; i++)
            inverse[i * n + j] = column[i];
    }
    return TRUE;
}

// A becomes Q T Q^T; @q: rows are the columns of Q; @d, @e: T's diagonal and what is beside it
// (e[i] couples i and i + 1).
static void
tridiagonalise(double *a, double *d, double *e, double *q, int n)
{
    for (int i = 0; i < n * n; i++)
        q[i] = i % (n + 1) == 0;
    for (int k = 0; k < n - 2; k++) {
        double v[BG_DENSE_MAX_EIGEN], p[BG_DENSE_MAX_EIGEN], length2 = 0.0;
        v[k + 1] = 0.0;
        for (int i = k + 1; i < n; i++) {
            v[i] = a[i * n + k];
            length2 += v[i] * v[i];
        }
        double alpha = v[k + 1] > 0.0 ? -sqrt(length2) : sqrt(length2);
        double h = length2 - alpha * v[k + 1]; // |v - alpha e|^2 / 2
        e[k] = alpha;
        if (!(h > DBL_MIN))
            continue;
        v[k + 1] -= alpha;

        double vp = 0.0;
        for (int i = k + 1; i < n; i++) {
            p[i] = 0.0;
            for (int j = k + 1; j < n; j++)
                p[i] += a[i * n + j] * v[j];
            p[i] /= h;
            vp += v[i] * p[i];
        }
        for (int i = k + 1; i < n; i++)
            p[i] -= vp / (2.0 * h) * v[i];
        for (int i = k + 1; i < n; i++) {
            for (int j = k + 1; j < n; j++)
                a[i * n + j] -= v[i] * p[j] + p[i] * v[j];
        }
        for (int c = 0; c < n; c++) { // Q = Q H, kept transposed
            double dot = 0.0;
            for (int i = k + 1; i < n; i++)
                dot += v[i] * q[i * n + c];
            dot /= h;
            for (int i = k + 1; i < n; i++)
                q[i * n + c] -= dot * v[i];
        }
    }
    for (int i = 0; i < n; i++)
        d[i] = a[i * n + i];
    if (n > 1)
        e[n - 2] = a[(n - 1) * n + n - 2];
    e[n - 1] = 0.0;
}

// One implicit QL step with Wilkinson's shift on the block low..high.
static void
ql_step(double *d, double *e, double *q, int low, int high, int n)
{
    double g = (d[low + 1] - d[low]) / (2.0 * e[low]), r = sqrt(g * g + 1.0);
    double s = 1.0, c = 1.0, p = 0.0;

    g = d[high] - d[low] + e[low] / (g + copysign(r, g));
    for (int i = high - 1; i >= low; i--) {
        double f = s * e[i], b = c * e[i];
        r = sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r == 0.0) {
            d[i + 1] -= p;
            e[high] = 0.0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2.0 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        for (int k = 0; k < n; k++) {
            double upper = q[(i + 1) * n + k], lower = q[i * n + k];
            q[(i + 1) * n + k] = s * lower + c * upper;
            q[i * n + k] = c * lower - s * upper;
        }
    }
    d[low] -= p;
    e[low] = g;
    e[high] = 0.0;
}

void
bg_dense_eigen(double *a, double *values, double *vectors, int n)
{
    double e[BG_DENSE_MAX_EIGEN];

    g_assert(n >= 1 && n <= BG_DENSE_MAX_EIGEN);
    tridiagonalise(a, values, e, vectors, n);
    for (int low = 0; low < n; low++) {
        for (int step = 0; step < MAX_QL_STEPS; step++) {
            int high = low;
            for (; high < n - 1; high++) {
                double size = fabs(values[high]) + fabs(values[high + 1]);
                if (fabs(e[high]) <= DBL_EPSILON * size)
                    break;
            }
            if (high == low)
                break;
            ql_step(values, e, vectors, low, high, n);
        }
    }
    for (int i = 0; i < n - 1; i++) { // rising
        int least = i;
        for (int j = i + 1; j < n; j++)
            least = values[j] < values[least] ? j : least;
        if (least == i)
            continue;
        double swap = values[i];
        values[i] = values[least];
        values[least] = swap;
        for (int k = 0; k < n; k++) {
            swap = vectors[i * n + k];
            vectors[i * n + k] = vectors[least * n + k];
            vectors[least * n + k] = swap;
        }
    }
}

void
bg_dense_nearest_rotation(const double m[9], double r[9])
{
    // Horn 1987, "Closed-form solution of absolute orientation using unit quaternions", section 4,
    // with S = M^T.
    double n[16] = {
        m[0] + m[4] + m[8], m[7] - m[5],        m[2] - m[6],        m[3] - m[1],
        m[7] - m[5],        m[0] - m[4] - m[8], m[1] + m[3],        m[2] + m[6],
        m[2] - m[6],        m[1] + m[3],        m[4] - m[0] - m[8], m[5] + m[7],
        m[3] - m[1],        m[2] + m[6],        m[5] + m[7],        m[8] - m[0] - m[4],
    };
    double values[4], vectors[16];

    bg_dense_eigen(n, values, vectors, 4);
    double w = vectors[12], x = vectors[13], y = vectors[14], z = vectors[15];
    const double rotation[9] = {
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z),     2 * (x * z + w * y),
        2 * (x * y + w * z),     1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y),     2 * (y * z + w * x),     1 - 2 * (x * x + y * y),
    };
    memcpy(r, rotation, sizeof rotation);
}

void
bg_dense_rotation(const double w[3], double r[9])
{
    double angle2 = w[0] * w[0] + w[1] * w[1] + w[2] * w[2], angle = sqrt(angle2);
    double c = cos(angle);
    // sin(a) / a and (1 - cos(a)) / a^2; their series where the quotients would lose digits.
    double s = angle > 1e-4 ? sin(angle) / angle : 1.0 - angle2 / 6.0;
    double k = angle > 1e-4 ? (1.0 - c) / angle2 : 0.5 - angle2 / 24.0;

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            r[3 * i + j] = k * w[i] * w[j] + (i == j ? 1.0 - k * angle2 : 0.0);
    }
    r[1] -= s * w[2];
    r[2] += s * w[1];
    r[3] += s * w[2];
    r[5] -= s * w[0];
    r[6] -= s * w[1];
    r[7] += s * w[0];
}

void
bg_dense_multiply3(const double a[9], const double b[9], double c[9])
{
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            c[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
    }
}
