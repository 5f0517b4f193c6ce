// SPDX-License-Identifier: Apache-2.0
#include "bg-window-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-parallel.h"

#include <math.h>

#define ROWS_A_GRAIN 32

BgField *
bg_field_new(int width, int height, GError **error)
{
    double *values = bg_buffer_alloc_items((gsize) width * (gsize) height, sizeof(double), error);

    if (values == NULL)
        return NULL;
    BgField *self = g_new0(BgField, 1);
    *self = (BgField){ .width = width, .height = height, .values = values };
    return self;
}

void
bg_field_free(BgField *field)
{
    if (field == NULL)
        return;
    bg_buffer_free(field->values);
    g_free(field);
}

BgField *
bg_field_from_channel(const BgChannel *plane, double scale, GError **error)
{
    BgField *self = bg_field_new(plane->width, plane->height, error);

    for (gsize i = 0; self != NULL && i < bg_field_count(self); i++)
        self->values[i] = scale * (double) plane->values[i];
    return self;
}

BgField *
bg_field_product(const BgField *a, const BgField *b, GError **error)
{
    BgField *self = bg_field_new(a->width, a->height, error);

    for (gsize i = 0; self != NULL && i < bg_field_count(self); i++)
        self->values[i] = a->values[i] * (b != NULL ? b->values[i] : 1.0);
    return self;
}

typedef struct {
    const BgField *from; // borrowed
    BgField *to;         // borrowed
    const double *taps;
    int n;
} Filter;

static void
filter_along_u(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Filter *job = user_data;

    for (gsize v = first; v < last; v++) {
        const double *in = job->from->values + v * (gsize) job->from->width;
        double *out = job->to->values + v * (gsize) job->to->width;
        for (int u = 0; u < job->to->width; u++) {
            double sum = 0.0;
            for (int t = 0; t < job->n; t++)
                sum += job->taps[t] * in[u + t];
            out[u] = sum;
        }
    }
}

static void
filter_along_v(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Filter *job = user_data;
    gsize width = (gsize) job->from->width;

    for (gsize v = first; v < last; v++) {
        const double *in = job->from->values + v * width;
        double *out = job->to->values + v * width;
        for (gsize u = 0; u < width; u++)
            out[u] = job->taps[0] * in[u];
        for (int t = 1; t < job->n; t++) {
            const double *row = in + (gsize) t * width;
            for (gsize u = 0; u < width; u++)
                out[u] += job->taps[t] * row[u];
        }
    }
}

BgField *
bg_field_filter(const BgField *field, const double *taps, int n, GError **error)
{
    g_autoptr(BgField) middle = bg_field_new(field->width, field->height - n + 1, error);
    g_autoptr(BgField) self =
        middle != NULL ? bg_field_new(field->width - n + 1, field->height - n + 1, error) : NULL;

    if (self == NULL)
        return NULL;
    Filter down = { .from = field, .to = middle, .taps = taps, .n = n };
    bg_parallel_for((gsize) middle->height, ROWS_A_GRAIN, filter_along_v, &down, NULL);
    Filter along = { .from = middle, .to = self, .taps = taps, .n = n };
    bg_parallel_for((gsize) self->height, ROWS_A_GRAIN, filter_along_u, &along, NULL);
    return g_steal_pointer(&self);
}

BgField *
bg_field_thin(const BgField *field, GError **error)
{
    BgField *self = bg_field_new((field->width + 1) / 2, (field->height + 1) / 2, error);

    for (int v = 0; self != NULL && v < self->height; v++) {
        const double *in = field->values + (gsize) (2 * v) * (gsize) field->width;
        double *out = self->values + (gsize) v * (gsize) self->width;
        for (int u = 0; u < self->width; u++)
            out[u] = in[2 * u];
    }
    return self;
}

void
bg_taps_gaussian(double *taps, int n, double sigma)
{
    double sum = 0.0;

    for (int t = 0; t < n; t++) {
        double x = t - 0.5 * (n - 1);
        taps[t] = exp(-0.5 * x * x / (sigma * sigma));
        sum += taps[t];
    }
    for (int t = 0; t < n; t++)
        taps[t] /= sum;
}

static BgField *
filter_product(const BgField *a, const BgField *b, const double *taps, int n, GError **error)
{
    g_autoptr(BgField) product = bg_field_product(a, b, error);

    return product != NULL ? bg_field_filter(product, taps, n, error) : NULL;
}

gboolean
bg_window_moments(const BgField *a, const BgField *b, const double *taps, int n,
                  BgWindowMoments *moments, GError **error)
{
    *moments = (BgWindowMoments){ 0 };
    if ((moments->mean_a = bg_field_filter(a, taps, n, error)) == NULL ||
        (moments->mean_b = bg_field_filter(b, taps, n, error)) == NULL ||
        (moments->var_a = filter_product(a, a, taps, n, error)) == NULL ||
        (moments->var_b = filter_product(b, b, taps, n, error)) == NULL ||
        (moments->cov = filter_product(a, b, taps, n, error)) == NULL)
        return FALSE;
    for (gsize i = 0; i < bg_field_count(moments->cov); i++) {
        double ma = moments->mean_a->values[i], mb = moments->mean_b->values[i];
        double *va = &moments->var_a->values[i], *vb = &moments->var_b->values[i];
        *va = MAX(*va - ma * ma, 0.0);
        *vb = MAX(*vb - mb * mb, 0.0);
        moments->cov->values[i] -= ma * mb;
    }
    return TRUE;
}

void
bg_window_moments_clear(BgWindowMoments *moments)
{
    g_clear_pointer(&moments->mean_a, bg_field_free);
    g_clear_pointer(&moments->mean_b, bg_field_free);
    g_clear_pointer(&moments->var_a, bg_field_free);
    g_clear_pointer(&moments->var_b, bg_field_free);
    g_clear_pointer(&moments->cov, bg_field_free);
}

gboolean
bg_field_sobel(const BgField *field, BgField **gu, BgField **gv, GError **error)
{
    g_autoptr(BgField) along_u = bg_field_new(field->width, field->height, error);
    g_autoptr(BgField) along_v =
        along_u != NULL ? bg_field_new(field->width, field->height, error) : NULL;

    if (along_v == NULL)
        return FALSE;
    for (int v = 0; v < field->height; v++) {
        gsize width = (gsize) field->width, at = (gsize) v * width;
        const double *here = field->values + at;
        const double *up = v > 0 ? here - width : here;
        const double *down = v + 1 < field->height ? here + width : here;
        for (int u = 0; u < field->width; u++) {
            int left = MAX(u - 1, 0), right = MIN(u + 1, field->width - 1);
            along_u->values[at + (gsize) u] = (up[right] + 2.0 * here[right] + down[right]) -
                                              (up[left] + 2.0 * here[left] + down[left]);
            along_v->values[at + (gsize) u] =
                (down[left] + 2.0 * down[u] + down[right]) - (up[left] + 2.0 * up[u] + up[right]);
        }
    }
    *gu = g_steal_pointer(&along_u);
    *gv = g_steal_pointer(&along_v);
    return TRUE;
}
