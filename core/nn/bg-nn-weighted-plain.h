// SPDX-License-Identifier: Apache-2.0
// Norms and convolutions with bias, border and spectral norm, forward and backward; and the choice
// of the function for each kind. Included with REAL, FN(), CALL and CONV() defined.
#pragma once

// ------------------------------------------------------------------------------------------------
// Norms. A group is what shares one mean: a channel of the batch, or of one picture.

typedef struct {
    gsize channel, first, n_planes, stride; // planes first, first + stride, ...
} FN(Group);

static gboolean
FN(by_picture)(const CALL *call)
{
    return call->layer->kind == BG_NN_INSTANCE_NORM;
}

static gboolean
FN(by_running)(const CALL *call)
{
    return call->layer->kind == BG_NN_BATCH_NORM &&
           (call->layer->norm == BG_NN_NORM_FROZEN ||
            (call->layer->norm == BG_NN_NORM_USUAL && !call->training));
}

static FN(Group) FN(group_of)(const CALL *call, gsize item)
{
    gsize channels = call->g.in_channels;

    if (FN(by_picture)(call))
        return (FN(Group)){ item % channels, item, 1, 0 };
    return (FN(Group)){ item, item, call->g.n, channels };
}

static void
FN(statistics)(const CALL *call, const FN(Group) * group, double *mean, double *variance)
{
    gsize size = call->g.in_space;
    double sum = 0, squares = 0, count = (double) (group->n_planes * size), middle;

    if (FN(by_running)(call)) {
        *mean = (double) call->param[2][group->channel];
        *variance = (double) call->param[3][group->channel];
        return;
    }
    for (gsize p = 0; p < group->n_planes; p++) {
        const REAL *in = call->in[0] + (group->first + p * group->stride) * size;
#pragma omp simd reduction(+ : sum)
        for (gsize i = 0; i < size; i++)
            sum += (double) in[i];
    }
    *mean = middle = sum / count;
    for (gsize p = 0; p < group->n_planes; p++) {
        const REAL *in = call->in[0] + (group->first + p * group->stride) * size;
#pragma omp simd reduction(+ : squares)
        for (gsize i = 0; i < size; i++)
            squares += ((double) in[i] - middle) * ((double) in[i] - middle);
    }
    *variance = squares / count;
}

static gsize
FN(n_groups)(const CALL *call)
{
    return FN(by_picture)(call) ? call->g.n * call->g.in_channels : call->g.in_channels;
}

static void
FN(norm)(CALL *call)
{
    gsize size = call->g.in_space;
    double momentum = call->layer->momentum;
    gboolean moves = call->training && call->layer->kind == BG_NN_BATCH_NORM &&
                     call->layer->norm == BG_NN_NORM_USUAL;

#pragma omp parallel for schedule(static)
    for (gsize item = 0; item < FN(n_groups)(call); item++) {
        FN(Group) group = FN(group_of)(call, item);
        double mean, variance;
        FN(statistics)(call, &group, &mean, &variance);
        if (call->kept != NULL) {
            call->kept[2 * item] = mean;
            call->kept[2 * item + 1] = variance;
        }
        double scale = (call->param[0] != NULL ? (double) call->param[0][group.channel] : 1) /
                       sqrt(variance + call->layer->eps);
        double shift =
            (call->param[1] != NULL ? (double) call->param[1][group.channel] : 0) - mean * scale;
        for (gsize p = 0; p < group.n_planes; p++) {
            gsize at = (group.first + p * group.stride) * size;
            const REAL *in = call->in[0] + at;
            REAL *out = call->out + at, a = (REAL) scale, b = (REAL) shift;
#pragma omp simd
            for (gsize i = 0; i < size; i++)
                out[i] = a * in[i] + b;
        }
        if (moves) { // the running variance is the unbiased one
            double count = (double) (group.n_planes * size);
            double unbiased = count > 1 ? variance * count / (count - 1) : variance;
            REAL *running = &call->param[2][item], *spread = &call->param[3][item];
            *running = (REAL) ((1 - momentum) * (double) *running + momentum * mean);
            *spread = (REAL) ((1 - momentum) * (double) *spread + momentum * unbiased);
        }
    }
}

static void
FN(norm_back_group)(CALL *call, gsize item, const FN(Group) * group)
{
    gsize size = call->g.in_space;
    double mean, variance, sum = 0, dot = 0, count = (double) (group->n_planes * size);

    if (call->kept != NULL) {
        mean = call->kept[2 * item];
        variance = call->kept[2 * item + 1];
    } else {
        FN(statistics)(call, group, &mean, &variance);
    }
    double inverse = 1 / sqrt(variance + call->layer->eps);
    double weight = call->param[0] != NULL ? (double) call->param[0][group->channel] : 1;
    for (gsize p = 0; p < group->n_planes; p++) {
        gsize at = (group->first + p * group->stride) * size;
        const REAL *in = call->in[0] + at, *d_out = call->d_out + at;
#pragma omp simd reduction(+ : sum, dot)
        for (gsize i = 0; i < size; i++) {
            sum += (double) d_out[i];
            dot += (double) d_out[i] * ((double) in[i] - mean);
        }
    }
    dot *= inverse;
    if (call->d_param[0] != NULL) {
        REAL *d_weight = call->d_param[0] + group->channel;
        *d_weight += (REAL) dot;
    }
    if (call->d_param[1] != NULL) {
        REAL *d_bias = call->d_param[1] + group->channel;
        *d_bias += (REAL) sum;
    }
    if (call->d_in[0] == NULL)
        return;
    // weight inverse (d - (sum + x dot) / count), x = (in - mean) inverse
    gboolean running = FN(by_running)(call);
    REAL by_d = (REAL) (weight * inverse), middle = (REAL) mean;
    REAL by_in = running ? 0 : (REAL) (-weight * inverse * inverse * dot / count);
    REAL shift = running ? 0 : (REAL) (-weight * inverse * sum / count);
    for (gsize p = 0; p < group->n_planes; p++) {
        gsize at = (group->first + p * group->stride) * size;
        const REAL *in = call->in[0] + at, *d_out = call->d_out + at;
        REAL *d_in = call->d_in[0] + at;
        if (call->fresh) {
#pragma omp simd
            for (gsize i = 0; i < size; i++)
                d_in[i] = by_d * d_out[i] + (by_in * (in[i] - middle) + shift);
        } else {
#pragma omp simd
            for (gsize i = 0; i < size; i++)
                d_in[i] += by_d * d_out[i] + (by_in * (in[i] - middle) + shift);
        }
    }
}

static void
FN(norm_back)(CALL *call)
{
    // Groups of one channel one after the other, so that sums do not depend on the threads.
    gsize channels = call->g.in_channels;

#pragma omp parallel for schedule(static)
    for (gsize c = 0; c < channels; c++)
        for (gsize item = c; item < FN(n_groups)(call); item += channels) {
            FN(Group) group = FN(group_of)(call, item);
            FN(norm_back_group)(call, item, &group);
        }
}

// ------------------------------------------------------------------------------------------------
// Convolutions

// As the convolution sees it: a deconvolution's output is the big side, a linear layer has no space.
static BgNnGeometry
FN(conv_geometry)(const CALL *call)
{
    BgNnGeometry g = call->g;

    if (call->layer->kind == BG_NN_DECONV) {
        g.in_channels = call->g.out_channels;
        g.out_channels = call->g.in_channels;
        memcpy(g.in, call->g.out, sizeof g.in);
        memcpy(g.out, call->g.in, sizeof g.out);
        g.in_space = call->g.out_space;
        g.out_space = call->g.in_space;
    }
    return g;
}

static gboolean
FN(has_border)(const CALL *call)
{
    if (call->layer->kind != BG_NN_CONV || call->layer->pad_mode == BG_NN_PAD_ZERO)
        return FALSE;
    for (int k = 0; k < 3; k++)
        if (call->g.before[k] != 0 || call->g.after[k] != 0)
            return TRUE;
    return FALSE;
}

// A call of BG_NN_PAD that makes the border of `call`'s input; `geometry` becomes that of the rest.
static CALL
FN(border_call)(const CALL *call, BgNnGeometry *geometry)
{
    CALL border = *call;

    border.g.out_channels = call->g.in_channels;
    for (int k = 0; k < 3; k++) {
        gsize size = call->g.in[k] + (gsize) call->g.before[k] + (gsize) call->g.after[k];
        border.g.out[k] = geometry->in[k] = size;
        geometry->before[k] = geometry->after[k] = 0;
    }
    border.g.out_space = geometry->in_space = geometry->in[0] * geometry->in[1] * geometry->in[2];
    return border;
}

static void
FN(start_with_bias)(CALL *call)
{
    gsize size = call->g.out_space;
    const REAL *bias = call->param[1];

#pragma omp parallel for schedule(static)
    for (gsize plane = 0; plane < BG_NN_PLANES(call); plane++) {
        REAL value = bias[plane % call->g.out_channels];
        for (gsize i = 0; i < size; i++)
            call->out[plane * size + i] = value;
    }
}

static gboolean
FN(weighted)(CALL *call, const REAL *weight, GError **error)
{
    BgNnGeometry g = FN(conv_geometry)(call);
    const REAL *bias = call->layer->no_bias ? NULL : call->param[1];

    if (call->layer->kind == BG_NN_DECONV) {
        if (bias != NULL)
            FN(start_with_bias)(call);
        CONV(bg_nn_conv_data)(&g, call->in[0], weight, bias != NULL, call->out);
        return TRUE;
    }
    if (!FN(has_border)(call)) {
        CONV(bg_nn_conv)(&g, call->in[0], weight, bias, FALSE, call->out);
        return TRUE;
    }
    CALL border = FN(border_call)(call, &g);
    bg_auto_buffer REAL *padded =
        bg_buffer_alloc_items(g.n * g.in_channels, g.in_space * sizeof(REAL), error);
    if (padded == NULL)
        return FALSE;
    BgNnLayer pad = *call->layer;
    pad.kind = BG_NN_PAD;
    border.layer = &pad;
    border.out = padded;
    FN(move)(&border);
    CONV(bg_nn_conv)(&g, padded, weight, bias, FALSE, call->out);
    return TRUE;
}

static void
FN(bias_back)(CALL *call)
{
    gsize size = call->g.out_space, channels = call->g.out_channels;
    REAL *d_bias = call->layer->no_bias ? NULL : call->d_param[1];

    if (d_bias == NULL)
        return;
#pragma omp parallel for schedule(static)
    for (gsize c = 0; c < channels; c++) {
        double sum = 0;
        for (gsize n = 0; n < call->g.n; n++) {
            const REAL *d_out = call->d_out + (n * channels + c) * size;
#pragma omp simd reduction(+ : sum)
            for (gsize i = 0; i < size; i++)
                sum += (double) d_out[i];
        }
        d_bias[c] += (REAL) sum;
    }
}

static gboolean
FN(border_back)(CALL *call, const REAL *weight, REAL *d_weight, GError **error)
{
    BgNnGeometry g = FN(conv_geometry)(call);
    CALL border = FN(border_call)(call, &g);
    BgNnLayer pad = *call->layer;
    bg_auto_buffer REAL *padded =
        bg_buffer_alloc_items(g.n * g.in_channels, g.in_space * sizeof(REAL), error);

    if (padded == NULL)
        return FALSE;
    pad.kind = BG_NN_PAD;
    border.layer = &pad;
    border.out = padded;
    if (d_weight != NULL) {
        FN(move)(&border);
        CONV(bg_nn_conv_weight)(&g, padded, call->d_out, d_weight);
    }
    if (call->d_in[0] != NULL) {
        CONV(bg_nn_conv_data)(&g, call->d_out, weight, FALSE, padded);
        border.d_out = padded;
        FN(move_back)(&border);
    }
    return TRUE;
}

static gboolean
FN(weighted_back)(CALL *call, const REAL *weight, REAL *d_weight, GError **error)
{
    BgNnGeometry g = FN(conv_geometry)(call);

    FN(bias_back)(call);
    if (FN(has_border)(call))
        return FN(border_back)(call, weight, d_weight, error);
    if (call->layer->kind == BG_NN_DECONV) {
        if (d_weight != NULL)
            CONV(bg_nn_conv_weight)(&g, call->d_out, call->in[0], d_weight);
        if (call->d_in[0] != NULL)
            CONV(bg_nn_conv)(&g, call->d_out, weight, NULL, !call->fresh, call->d_in[0]);
        return TRUE;
    }
    if (d_weight != NULL)
        CONV(bg_nn_conv_weight)(&g, call->in[0], call->d_out, d_weight);
    if (call->d_in[0] != NULL)
        CONV(bg_nn_conv_data)(&g, call->d_out, weight, !call->fresh, call->d_in[0]);
    return TRUE;
}

// ------------------------------------------------------------------------------------------------
// Spectral norm (Miyato et al. 2018): the weight as a matrix of dims[0] rows, divided by sigma =
// |W' u|, with u from one step of power iteration per training step.

typedef struct {
    gsize n_rows, n_columns;
    double sigma;
    double *u, *v; // owned
} FN(Spectral);

static void
FN(spectral_clear)(FN(Spectral) * s)
{
    g_free(s->u);
    g_free(s->v);
}

static double
FN(normalise)(double *x, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += x[i] * x[i];
    double length = sqrt(sum);
    for (gsize i = 0; i < n; i++)
        x[i] /= MAX(length, 1e-12);
    return length;
}

static double
FN(times_transposed)(const FN(Spectral) * s, const REAL *weight)
{
    memset(s->v, 0, s->n_columns * sizeof *s->v);
    for (gsize r = 0; r < s->n_rows; r++)
        for (gsize c = 0; c < s->n_columns; c++)
            s->v[c] += (double) weight[r * s->n_columns + c] * s->u[r];
    return FN(normalise)(s->v, s->n_columns);
}

static FN(Spectral) FN(spectral)(CALL *call, gboolean step)
{
    BgNnGeometry g = FN(conv_geometry)(call);
    FN(Spectral) s = { .n_rows = g.out_channels, .n_columns = g.in_channels / g.groups * g.taps };
    const REAL *weight = call->param[0];
    REAL *stored = call->param[call->layer->no_bias ? 1 : 2];

    s.u = g_new(double, s.n_rows);
    s.v = g_new(double, s.n_columns);
    for (gsize r = 0; r < s.n_rows; r++)
        s.u[r] = (double) stored[r];
    FN(normalise)(s.u, s.n_rows);
    s.sigma = FN(times_transposed)(&s, weight);
    if (step) {
        for (gsize r = 0; r < s.n_rows; r++) {
            s.u[r] = 0;
            for (gsize c = 0; c < s.n_columns; c++)
                s.u[r] += (double) weight[r * s.n_columns + c] * s.v[c];
        }
        FN(normalise)(s.u, s.n_rows);
        for (gsize r = 0; r < s.n_rows; r++)
            stored[r] = (REAL) s.u[r];
        s.sigma = FN(times_transposed)(&s, weight);
    }
    s.sigma = MAX(s.sigma, 1e-12);
    return s;
}

static REAL *
FN(spectral_weight)(const CALL *call, const FN(Spectral) * s, GError **error)
{
    gsize count = s->n_rows * s->n_columns;
    REAL *weight = bg_buffer_alloc_items(count, sizeof *weight, error);

    for (gsize i = 0; weight != NULL && i < count; i++)
        weight[i] = (REAL) ((double) call->param[0][i] / s->sigma);
    return weight;
}

static gboolean
FN(weighted_spectral)(CALL *call, GError **error)
{
    FN(Spectral) s = FN(spectral)(call, call->training);
    bg_auto_buffer REAL *weight = FN(spectral_weight)(call, &s, error);
    gboolean ok = weight != NULL && FN(weighted)(call, weight, error);

    FN(spectral_clear)(&s);
    return ok;
}

static gboolean
FN(weighted_spectral_back)(CALL *call, GError **error)
{
    FN(Spectral) s = FN(spectral)(call, FALSE);
    gsize count = s.n_rows * s.n_columns;
    bg_auto_buffer REAL *weight = FN(spectral_weight)(call, &s, error);
    bg_auto_buffer REAL *d_weight = bg_buffer_alloc_items(count, sizeof *d_weight, error);
    double dot = 0;

    gboolean ok = weight != NULL && d_weight != NULL;
    if (ok) {
        memset(d_weight, 0, count * sizeof *d_weight);
        ok = FN(weighted_back)(call, weight, d_weight, error);
    }
    if (ok && call->d_param[0] != NULL) {
        for (gsize i = 0; i < count; i++)
            dot += (double) d_weight[i] * (double) weight[i];
        for (gsize i = 0; i < count; i++) {
            double along = dot * s.u[i / s.n_columns] * s.v[i % s.n_columns];
            call->d_param[0][i] += (REAL) (((double) d_weight[i] - along) / s.sigma);
        }
    }
    FN(spectral_clear)(&s);
    return ok;
}

// ------------------------------------------------------------------------------------------------

gboolean
FN(bg_nn_forward)(CALL *call, GError **error)
{
    switch (call->layer->kind) {
    case BG_NN_CONV:
    case BG_NN_DECONV:
    case BG_NN_LINEAR:
        return call->layer->spectral_norm ? FN(weighted_spectral)(call, error)
                                          : FN(weighted)(call, call->param[0], error);
    case BG_NN_BATCH_NORM:
    case BG_NN_INSTANCE_NORM:
        FN(norm)(call);
        break;
    case BG_NN_RELU:
    case BG_NN_LEAKY_RELU:
    case BG_NN_PRELU:
        FN(rectify)(call);
        break;
    case BG_NN_SIGMOID:
    case BG_NN_TANH:
        FN(squash)(call);
        break;
    case BG_NN_SOFTMAX:
        FN(softmax)(call);
        break;
    case BG_NN_MAX_POOL:
    case BG_NN_AVG_POOL:
        FN(pool)(call);
        break;
    case BG_NN_UPSAMPLE:
        FN(upsample)(call);
        break;
    case BG_NN_CONCAT:
        FN(concat)(call);
        break;
    case BG_NN_ADD:
    case BG_NN_MULTIPLY:
    case BG_NN_MAXIMUM:
    case BG_NN_DIVIDE:
        FN(join)(call);
        break;
    case BG_NN_TILE:
    case BG_NN_CROP:
    case BG_NN_PAD:
        FN(move)(call);
        break;
    case BG_NN_DROPOUT:
        FN(drop)(call);
        break;
    case BG_NN_RESHAPE:
        memcpy(call->out, call->in[0], BG_NN_IN_COUNT(call) * sizeof(REAL));
        break;
    case BG_NN_INPUT:
    case BG_NN_N_KINDS:
        g_assert_not_reached();
    }
    return TRUE;
}

gboolean
FN(bg_nn_backward)(CALL *call, GError **error)
{
    switch (call->layer->kind) {
    case BG_NN_CONV:
    case BG_NN_DECONV:
    case BG_NN_LINEAR:
        return call->layer->spectral_norm
                   ? FN(weighted_spectral_back)(call, error)
                   : FN(weighted_back)(call, call->param[0], call->d_param[0], error);
    case BG_NN_BATCH_NORM:
    case BG_NN_INSTANCE_NORM:
        FN(norm_back)(call);
        break;
    case BG_NN_RELU:
    case BG_NN_LEAKY_RELU:
    case BG_NN_PRELU:
        FN(rectify_back)(call);
        break;
    case BG_NN_SIGMOID:
    case BG_NN_TANH:
        FN(squash_back)(call);
        break;
    case BG_NN_SOFTMAX:
        FN(softmax_back)(call);
        break;
    case BG_NN_MAX_POOL:
    case BG_NN_AVG_POOL:
        FN(pool_back)(call);
        break;
    case BG_NN_UPSAMPLE:
        if (call->d_in[0] != NULL)
            FN(upsample)(call);
        break;
    case BG_NN_CONCAT:
        FN(concat_back)(call);
        break;
    case BG_NN_ADD:
    case BG_NN_MULTIPLY:
    case BG_NN_MAXIMUM:
    case BG_NN_DIVIDE:
        FN(join_back)(call);
        break;
    case BG_NN_TILE:
    case BG_NN_CROP:
    case BG_NN_PAD:
        FN(move_back)(call);
        break;
    case BG_NN_DROPOUT:
        FN(drop_back)(call);
        break;
    case BG_NN_RESHAPE:
        for (gsize i = 0; call->d_in[0] != NULL && i < BG_NN_IN_COUNT(call); i++)
            call->d_in[0][i] += call->d_out[i];
        break;
    case BG_NN_INPUT:
    case BG_NN_N_KINDS:
        g_assert_not_reached();
    }
    return TRUE;
}
