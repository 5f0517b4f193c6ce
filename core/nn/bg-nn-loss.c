// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-loss.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define WINDOW 11 // of SSIM, pixels
#define SIGMA 1.5
#define C1 (0.01 * 0.01)
#define C2 (0.03 * 0.03)

static const char *const names[BG_NN_N_LOSSES] = {
    "cross-entropy", "cross-entropy-logits", "bce", "bce-logits",
    "dice",          "generalised-dice",     "l1",  "l2",
    "ssim",
};

const char *
bg_nn_loss_name(BgNnLossKind kind)
{
    g_return_val_if_fail((int) kind >= 0 && kind < BG_NN_N_LOSSES, NULL);

    return names[kind];
}

gboolean
bg_nn_loss_check(BgNnLossKind kind, const BgNnShape *shape, GError **error)
{
    gboolean ok = bg_nn_shape_count(shape) > 0 && shape->rank >= 2;

    if (kind == BG_NN_LOSS_SSIM)
        ok = ok && shape->rank == 4 && shape->dims[2] >= WINDOW && shape->dims[3] >= WINDOW;
    if (ok)
        return TRUE;
    g_autofree char *text = bg_nn_shape_to_string(shape);
    g_set_error(
        error, BG_ERROR, BG_ERROR_MISMATCH,
        _("The loss \"%s\" cannot be computed of %s values. Use larger pictures, or another "
          "loss"),
        bg_nn_loss_name(kind), text);
    return FALSE;
}

// ------------------------------------------------------------------------------------------------
// Element by element

typedef struct {
    double loss, slope;
} Element;

static Element
element_of(BgNnLossKind kind, double p, double t)
{
    double least = kind == BG_NN_LOSS_CROSS_ENTROPY ? 1e-7 : 0, most;

    switch (kind) {
    case BG_NN_LOSS_CROSS_ENTROPY:
        if (p < least)
            return (Element){ -t * log(least), 0 };
        return (Element){ -t * log(p), -t / p };
    case BG_NN_LOSS_BCE: {
        double a = MAX(log(p), -100), b = MAX(log(1 - p), -100);
        most = MAX(p * (1 - p), 1e-12);
        return (Element){ -(t * a + (1 - t) * b), (p - t) / most };
    }
    case BG_NN_LOSS_BCE_LOGITS: {
        double s = 1 / (1 + exp(-p));
        return (Element){ MAX(p, 0) - p * t + log1p(exp(-fabs(p))), s - t };
    }
    case BG_NN_LOSS_L1:
        return (Element){ fabs(p - t), p > t ? 1 : p < t ? -1 : 0 };
    default:
        return (Element){ (p - t) * (p - t), 2 * (p - t) };
    }
}

static double
by_element(BgNnLossKind kind, const BgNnShape *shape, const float *p, const float *t, double weight,
           float *gradient)
{
    gsize count = bg_nn_shape_count(shape);
    gsize by = kind == BG_NN_LOSS_CROSS_ENTROPY ? count / shape->dims[1] : count;
    double sum = 0;

    for (gsize i = 0; i < count; i++) {
        Element element = element_of(kind, (double) p[i], (double) t[i]);
        sum += element.loss;
        if (gradient != NULL)
            gradient[i] += (float) (weight * element.slope / (double) by);
    }
    return weight * sum / (double) by;
}

static double
cross_entropy_logits(const BgNnShape *shape, const float *p, const float *t, double weight,
                     float *gradient)
{
    gsize channels = shape->dims[1], items = bg_nn_shape_count(shape) / channels;
    gsize size = items / shape->dims[0];
    double loss = 0;

    for (gsize item = 0; item < items; item++) {
        gsize at = item / size * channels * size + item % size;
        double most = -INFINITY, sum = 0, truth = 0;
        for (gsize c = 0; c < channels; c++)
            most = MAX(most, (double) p[at + c * size]);
        for (gsize c = 0; c < channels; c++)
            sum += exp((double) p[at + c * size] - most);
        for (gsize c = 0; c < channels; c++) {
            truth += (double) t[at + c * size];
            loss += (double) t[at + c * size] * (most + log(sum) - (double) p[at + c * size]);
        }
        for (gsize c = 0; gradient != NULL && c < channels; c++) {
            double share = exp((double) p[at + c * size] - most) / sum;
            gradient[at + c * size] +=
                (float) (weight * (share * truth - (double) t[at + c * size]) / (double) items);
        }
    }
    return weight * loss / (double) items;
}

// ------------------------------------------------------------------------------------------------
// Overlaps

typedef struct {
    double both, sum, truth; // sums over the batch: tp, t + p, t
} Overlap;

static Overlap
overlap_of(const BgNnShape *shape, const float *p, const float *t, gsize channel)
{
    gsize channels = shape->dims[1], size = bg_nn_shape_count(shape) / channels / shape->dims[0];
    Overlap o = { 0, 0, 0 };

    for (gsize n = 0; n < shape->dims[0]; n++) {
        gsize at = (n * channels + channel) * size;
        for (gsize i = at; i < at + size; i++) {
            o.both += (double) p[i] * (double) t[i];
            o.sum += (double) p[i] + (double) t[i];
            o.truth += (double) t[i];
        }
    }
    return o;
}

// Adds a * t + b to the channel's gradient.
static void
add_linear(const BgNnShape *shape, const float *t, gsize channel, double a, double b,
           float *gradient)
{
    gsize channels = shape->dims[1], size = bg_nn_shape_count(shape) / channels / shape->dims[0];

    for (gsize n = 0; n < shape->dims[0]; n++) {
        gsize at = (n * channels + channel) * size;
        for (gsize i = at; i < at + size; i++)
            gradient[i] += (float) (a * (double) t[i] + b);
    }
}

static double
dice(const BgNnShape *shape, const float *p, const float *t, double weight, float *gradient)
{
    gsize channels = shape->dims[1];
    double mean = 0;

    for (gsize c = 0; c < channels; c++) {
        Overlap o = overlap_of(shape, p, t, c);
        double above = 2 * o.both + 1, below = o.sum + 1;
        double share = -weight / (double) channels;
        mean += above / below / (double) channels;
        if (gradient != NULL)
            add_linear(shape, t, c, share * 2 / below, -share * above / (below * below), gradient);
    }
    return weight * (1 - mean);
}

static double
generalised_dice(const BgNnShape *shape, const float *p, const float *t, double weight,
                 float *gradient)
{
    gsize channels = shape->dims[1];
    g_autofree double *weights = g_new(double, channels);
    double above = 0, below = 0;

    for (gsize c = 0; c < channels; c++) {
        Overlap o = overlap_of(shape, p, t, c);
        weights[c] = 1 / ((o.truth + 1) * (o.truth + 1));
        above += 2 * weights[c] * o.both;
        below += weights[c] * o.sum;
    }
    below = MAX(below, 1e-12);
    for (gsize c = 0; gradient != NULL && c < channels; c++)
        add_linear(shape, t, c, -weight * 2 * weights[c] / below,
                   weight * above * weights[c] / (below * below), gradient);
    return weight * (1 - above / below);
}

// ------------------------------------------------------------------------------------------------
// SSIM

typedef struct {
    int height, width;             // of the picture
    int inner_height, inner_width; // of the windows that lie inside
    double taps[WINDOW];
    double *scratch; // owned
} Filter;

static void
filter_init(Filter *f, int height, int width)
{
    double sum = 0;

    *f = (Filter){ height, width, height - WINDOW + 1, width - WINDOW + 1 };
    for (int i = 0; i < WINDOW; i++) {
        double x = i - (WINDOW - 1) / 2.0;
        sum += f->taps[i] = exp(-x * x / (2 * SIGMA * SIGMA));
    }
    for (int i = 0; i < WINDOW; i++)
        f->taps[i] /= sum;
    f->scratch = g_new(double, (gsize) height *(gsize) width);
}

// Windows that lie inside: to[inner] = G * from[picture].
static void
filter_down(const Filter *f, const double *from, double *to)
{
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->inner_width; x++) {
            double sum = 0;
            for (int k = 0; k < WINDOW; k++)
                sum += f->taps[k] * from[y * f->width + x + k];
            f->scratch[y * f->inner_width + x] = sum;
        }
    for (int y = 0; y < f->inner_height; y++)
        for (int x = 0; x < f->inner_width; x++) {
            double sum = 0;
            for (int k = 0; k < WINDOW; k++)
                sum += f->taps[k] * f->scratch[(y + k) * f->inner_width + x];
            to[y * f->inner_width + x] = sum;
        }
}

// The transposed of filter_down(): to[picture].
static void
filter_up(const Filter *f, const double *from, double *to)
{
    memset(f->scratch, 0, (gsize) f->height * (gsize) f->width * sizeof *f->scratch);
    memset(to, 0, (gsize) f->height * (gsize) f->width * sizeof *to);
    for (int y = 0; y < f->inner_height; y++)
        for (int k = 0; k < WINDOW; k++)
            for (int x = 0; x < f->inner_width; x++)
                f->scratch[(y + k) * f->inner_width + x] +=
                    f->taps[k] * from[y * f->inner_width + x];
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->inner_width; x++)
            for (int k = 0; k < WINDOW; k++)
                to[y * f->width + x + k] += f->taps[k] * f->scratch[y * f->inner_width + x];
}

/** Planes: what SSIM needs of one picture and channel */
typedef struct {
    double *x, *y, *product;                // of the picture
    double *mean_x, *mean_y, *xx, *yy, *xy; // of the windows
    double *by_mean, *by_xx, *by_xy, *up;   // slopes
} Planes;

static void
multiply(const double *a, const double *b, gsize n, double *to)
{
    for (gsize i = 0; i < n; i++)
        to[i] = a[i] * b[i];
}

// Sums SSIM over the windows; leaves its slopes by E[x], E[xx], E[xy].
static double
ssim_of_windows(const Planes *s, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++) {
        double mx = s->mean_x[i], my = s->mean_y[i];
        double vx = s->xx[i] - mx * mx, vy = s->yy[i] - my * my, cov = s->xy[i] - mx * my;
        double a1 = 2 * mx * my + C1, a2 = 2 * cov + C2;
        double b1 = mx * mx + my * my + C1, b2 = vx + vy + C2;
        double value = a1 * a2 / (b1 * b2);
        sum += value;
        double by_mx = 2 * my * a2 / (b1 * b2) - value * 2 * mx / b1;
        s->by_xx[i] = -value / b2;
        s->by_xy[i] = 2 * a1 / (b1 * b2);
        s->by_mean[i] = by_mx - 2 * mx * s->by_xx[i] - my * s->by_xy[i];
    }
    return sum;
}

static double
ssim_of_plane(const Filter *f, Planes *s, double factor, float *gradient)
{
    gsize n = (gsize) f->height * (gsize) f->width;
    gsize inner = (gsize) f->inner_height * (gsize) f->inner_width;

    filter_down(f, s->x, s->mean_x);
    filter_down(f, s->y, s->mean_y);
    multiply(s->x, s->x, n, s->product);
    filter_down(f, s->product, s->xx);
    multiply(s->y, s->y, n, s->product);
    filter_down(f, s->product, s->yy);
    multiply(s->x, s->y, n, s->product);
    filter_down(f, s->product, s->xy);
    double sum = ssim_of_windows(s, inner);
    if (gradient == NULL)
        return sum;
    filter_up(f, s->by_mean, s->up);
    for (gsize i = 0; i < n; i++)
        gradient[i] += (float) (factor * s->up[i]);
    filter_up(f, s->by_xx, s->up);
    for (gsize i = 0; i < n; i++)
        gradient[i] += (float) (factor * 2 * s->x[i] * s->up[i]);
    filter_up(f, s->by_xy, s->up);
    for (gsize i = 0; i < n; i++)
        gradient[i] += (float) (factor * s->y[i] * s->up[i]);
    return sum;
}

static double
ssim(const BgNnShape *shape, const float *p, const float *t, double weight, float *gradient)
{
    gsize planes = shape->dims[0] * shape->dims[1], n = shape->dims[2] * shape->dims[3];
    g_autofree double *memory = g_new(double, 12 * n);
    Planes s = { memory,         memory + n,     memory + 2 * n,  memory + 3 * n,
                 memory + 4 * n, memory + 5 * n, memory + 6 * n,  memory + 7 * n,
                 memory + 8 * n, memory + 9 * n, memory + 10 * n, memory + 11 * n };
    Filter f;
    double sum = 0;

    filter_init(&f, (int) shape->dims[2], (int) shape->dims[3]);
    double windows = (double) f.inner_height * (double) f.inner_width * (double) planes;
    for (gsize plane = 0; plane < planes; plane++) {
        for (gsize i = 0; i < n; i++) {
            s.x[i] = (double) p[plane * n + i];
            s.y[i] = (double) t[plane * n + i];
        }
        sum += ssim_of_plane(&f, &s, -weight / windows,
                             gradient == NULL ? NULL : gradient + plane * n);
    }
    g_free(f.scratch);
    return weight * (1 - sum / windows);
}

double
bg_nn_loss(BgNnLossKind kind, const BgNnShape *shape, const float *p, const float *t, double weight,
           float *gradient)
{
    switch (kind) {
    case BG_NN_LOSS_CROSS_ENTROPY_LOGITS:
        return cross_entropy_logits(shape, p, t, weight, gradient);
    case BG_NN_LOSS_DICE:
        return dice(shape, p, t, weight, gradient);
    case BG_NN_LOSS_GENERALISED_DICE:
        return generalised_dice(shape, p, t, weight, gradient);
    case BG_NN_LOSS_SSIM:
        return ssim(shape, p, t, weight, gradient);
    default:
        return by_element(kind, shape, p, t, weight, gradient);
    }
}
