// SPDX-License-Identifier: Apache-2.0
// Plain convolutions. Included with REAL and FN() defined.
#pragma once

typedef struct {
    gsize first, last; // output positions whose input is inside
} BgNnSpan;

// Output positions o with 0 <= o * stride - before + tap * dilation < in.
static BgNnSpan
span_of(const BgNnGeometry *g, int k, int tap)
{
    gssize stride = g->stride[k], shift = (gssize) tap * g->dilation[k] - g->before[k];
    gssize first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    gssize last = (gssize) g->in[k] - 1 - shift;

    last = last < 0 ? 0 : last / stride + 1;
    last = MIN(last, (gssize) g->out[k]);
    return (BgNnSpan){ (gsize) first, (gsize) MAX(last, first) };
}

// Calls ROW for each row of outputs whose inputs are inside, for one tap.
#define BG_NN_FOR_ROWS(g, kz, ky, kx, ROW)                                                    \
    do {                                                                                      \
        BgNnSpan sz_ = span_of(g, 0, kz), sy_ = span_of(g, 1, ky), sx_ = span_of(g, 2, kx);   \
        for (gsize z_ = sz_.first; z_ < sz_.last; z_++) {                                     \
            gsize iz_ = z_ * (gsize) (g)->stride[0] + (gsize) ((kz) * (g)->dilation[0]) -     \
                        (gsize) (g)->before[0];                                               \
            for (gsize y_ = sy_.first; y_ < sy_.last; y_++) {                                 \
                gsize iy_ = y_ * (gsize) (g)->stride[1] + (gsize) ((ky) * (g)->dilation[1]) - \
                            (gsize) (g)->before[1];                                           \
                gsize out_at = (z_ * (g)->out[1] + y_) * (g)->out[2] + sx_.first;             \
                gsize in_at = (iz_ * (g)->in[1] + iy_) * (g)->in[2] +                         \
                              sx_.first * (gsize) (g)->stride[2] +                            \
                              (gsize) ((kx) * (g)->dilation[2]) - (gsize) (g)->before[2];     \
                gsize length = sx_.last - sx_.first;                                          \
                ROW;                                                                          \
            }                                                                                 \
        }                                                                                     \
    } while (0)

// Before the first addend.
static void
FN(fill)(REAL *plane, gsize count, REAL value)
{
    for (gsize i = 0; i < count; i++)
        plane[i] = value;
}

void
FN(bg_nn_conv)(const BgNnGeometry *g, const REAL *big, const REAL *weight, const REAL *bias,
               gboolean add, REAL *small)
{
    gsize in_g = g->in_channels / g->groups, out_g = g->out_channels / g->groups;
    gsize step = (gsize) g->stride[2];

#pragma omp parallel for schedule(static)
    for (gsize item = 0; item < g->n * g->out_channels; item++) {
        gsize n = item / g->out_channels, co = item % g->out_channels;
        REAL *out = small + item * g->out_space;
        if (!add)
            FN(fill)(out, g->out_space, bias != NULL ? bias[co] : 0);
        for (gsize c = 0; c < in_g; c++) {
            const REAL *in = big + (n * g->in_channels + co / out_g * in_g + c) * g->in_space;
            const REAL *w = weight + (co * in_g + c) * g->taps;
            for (int kz = 0; kz < g->kernel[0]; kz++)
                for (int ky = 0; ky < g->kernel[1]; ky++)
                    for (int kx = 0; kx < g->kernel[2]; kx++) {
                        REAL factor = *w++;
                        BG_NN_FOR_ROWS(g, kz, ky, kx, {
                            for (gsize x = 0; x < length; x++)
                                out[out_at + x] += factor * in[in_at + x * step];
                        });
                    }
        }
    }
}

void
FN(bg_nn_conv_data)(const BgNnGeometry *g, const REAL *small, const REAL *weight, gboolean add,
                    REAL *big)
{
    gsize in_g = g->in_channels / g->groups, out_g = g->out_channels / g->groups;
    gsize step = (gsize) g->stride[2];

#pragma omp parallel for schedule(static)
    for (gsize item = 0; item < g->n * g->in_channels; item++) {
        gsize n = item / g->in_channels, ci = item % g->in_channels;
        REAL *in = big + item * g->in_space;
        if (!add)
            FN(fill)(in, g->in_space, 0);
        for (gsize c = 0; c < out_g; c++) {
            gsize co = ci / in_g * out_g + c;
            const REAL *out = small + (n * g->out_channels + co) * g->out_space;
            const REAL *w = weight + (co * in_g + ci % in_g) * g->taps;
            for (int kz = 0; kz < g->kernel[0]; kz++)
                for (int ky = 0; ky < g->kernel[1]; ky++)
                    for (int kx = 0; kx < g->kernel[2]; kx++) {
                        REAL factor = *w++;
                        BG_NN_FOR_ROWS(g, kz, ky, kx, {
                            for (gsize x = 0; x < length; x++)
                                in[in_at + x * step] += factor * out[out_at + x];
                        });
                    }
        }
    }
}

void
FN(bg_nn_conv_weight)(const BgNnGeometry *g, const REAL *big, const REAL *small, REAL *weight)
{
    gsize in_g = g->in_channels / g->groups, out_g = g->out_channels / g->groups;
    gsize step = (gsize) g->stride[2];

#pragma omp parallel for schedule(static)
    for (gsize item = 0; item < g->out_channels * in_g; item++) {
        gsize co = item / in_g, ci = co / out_g * in_g + item % in_g;
        REAL *w = weight + item * g->taps;
        for (int kz = 0; kz < g->kernel[0]; kz++)
            for (int ky = 0; ky < g->kernel[1]; ky++)
                for (int kx = 0; kx < g->kernel[2]; kx++) {
                    double sum = 0;
                    for (gsize n = 0; n < g->n; n++) {
                        const REAL *in = big + (n * g->in_channels + ci) * g->in_space;
                        const REAL *out = small + (n * g->out_channels + co) * g->out_space;
                        BG_NN_FOR_ROWS(g, kz, ky, kx, {
                            for (gsize x = 0; x < length; x++)
                                sum += (double) (in[in_at + x * step] * out[out_at + x]);
                        });
                    }
                    *w++ += (REAL) sum;
                }
    }
}
