// SPDX-License-Identifier: Apache-2.0
#include "bg-uphill-private.h"

#include <math.h>
#include <string.h>

#define ARMIJO 1e-4

static void
slopes_at(const BgUphill *uphill, const double *z, double *g)
{
    double moved[BG_UPHILL_MAX];

    for (int i = 0; i < uphill->n; i++) {
        memcpy(moved, z, (gsize) uphill->n * sizeof *moved);
        moved[i] = z[i] + uphill->difference;
        double ahead = uphill->function(moved, uphill->user_data);
        moved[i] = z[i] - uphill->difference;
        double behind = uphill->function(moved, uphill->user_data);
        g[i] = (ahead - behind) / (2.0 * uphill->difference);
    }
}

// The inverse Hessian of the function turned over, after a step s over which the slopes fell by y.
static void
learn(double *h, int n, const double *s, const double *y)
{
    double hy[BG_UPHILL_MAX], sy = 0.0, yhy = 0.0;

    for (int i = 0; i < n; i++) {
        hy[i] = 0.0;
        for (int j = 0; j < n; j++)
            hy[i] += h[i * n + j] * y[j];
        yhy += y[i] * hy[i];
        sy += s[i] * y[i];
    }
    if (!(sy > 1e-10))
        return;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            h[i * n + j] +=
                (1.0 + yhy / sy) * s[i] * s[j] / sy - (hy[i] * s[j] + s[i] * hy[j]) / sy;
}

// Halves the step until it is worth it. Returns: whether one was
static gboolean
step_along(const BgUphill *uphill, const double *z, const double *d, double slope, double *to,
           double *value)
{
    double length = 0.0;

    for (int i = 0; i < uphill->n; i++)
        length += d[i] * d[i];
    length = sqrt(length);
    double start = length > uphill->max_step ? uphill->max_step / length : 1.0;
    for (double s = start; s * length > uphill->end_step; s *= 0.5) {
        for (int i = 0; i < uphill->n; i++)
            to[i] = z[i] + s * d[i];
        double next = uphill->function(to, uphill->user_data);
        if (next > *value + ARMIJO * s * slope) {
            *value = next;
            return TRUE;
        }
    }
    return FALSE;
}

double
bg_uphill(const BgUphill *uphill, double *z, GCancellable *cancellable)
{
    int n = uphill->n;
    double h[BG_UPHILL_MAX * BG_UPHILL_MAX] = { 0 }, g[BG_UPHILL_MAX];
    double value = uphill->function(z, uphill->user_data);

    for (int i = 0; i < n; i++)
        h[i * (n + 1)] = uphill->trust;
    slopes_at(uphill, z, g);
    for (int round = 0; round < uphill->max_rounds && !g_cancellable_is_cancelled(cancellable);
         round++) {
        double d[BG_UPHILL_MAX], to[BG_UPHILL_MAX], next[BG_UPHILL_MAX], slope = 0.0;
        for (int i = 0; i < n; i++) {
            d[i] = 0.0;
            for (int j = 0; j < n; j++)
                d[i] += h[i * n + j] * g[j];
            slope += d[i] * g[i];
        }
        if (!step_along(uphill, z, d, slope, to, &value))
            break;
        slopes_at(uphill, to, next);
        double s[BG_UPHILL_MAX], y[BG_UPHILL_MAX];
        for (int i = 0; i < n; i++) {
            s[i] = to[i] - z[i];
            y[i] = g[i] - next[i];
        }
        learn(h, n, s, y);
        memcpy(z, to, (gsize) n * sizeof *z);
        memcpy(g, next, (gsize) n * sizeof *g);
    }
    return value;
}
