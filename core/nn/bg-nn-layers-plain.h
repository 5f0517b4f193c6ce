// SPDX-License-Identifier: Apache-2.0
// Layers without weights, forward and backward. Included with REAL, FN() and CALL defined.
#pragma once

#define BG_NN_PLANES(call) ((call)->g.n * (call)->g.out_channels)
#define BG_NN_IN_COUNT(call) ((call)->g.n * (call)->g.in_channels * (call)->g.in_space)
#define BG_NN_OUT_COUNT(call) ((call)->g.n * (call)->g.out_channels * (call)->g.out_space)

static REAL
FN(slope_of)(const CALL *call, gsize channel)
{
    if (call->layer->kind == BG_NN_PRELU)
        return call->param[0][call->layer->shared ? 0 : channel];
    return call->layer->kind == BG_NN_RELU ? (REAL) 0 : (REAL) call->layer->slope;
}

static void
FN(rectify)(CALL *call)
{
    gsize size = call->g.in_space;

#pragma omp parallel for schedule(static)
    for (gsize plane = 0; plane < call->g.n * call->g.in_channels; plane++) {
        REAL slope = FN(slope_of)(call, plane % call->g.in_channels);
        const REAL *in = call->in[0] + plane * size;
        REAL *out = call->out + plane * size;
#pragma omp simd
        for (gsize i = 0; i < size; i++)
            out[i] = in[i] * (in[i] > 0 ? 1 : slope);
    }
}

static void
FN(rectify_back_plane)(const REAL *in, const REAL *d_out, REAL slope, gsize size, gboolean fresh,
                       REAL *d_in)
{
    if (fresh) {
#pragma omp simd
        for (gsize i = 0; i < size; i++)
            d_in[i] = d_out[i] * (in[i] > 0 ? 1 : slope);
        return;
    }
#pragma omp simd
    for (gsize i = 0; i < size; i++)
        d_in[i] += d_out[i] * (in[i] > 0 ? 1 : slope);
}

static void
FN(rectify_back)(CALL *call)
{
    gsize size = call->g.in_space, channels = call->g.in_channels;

    // A shared slope's sum must not depend on the threads.
#pragma omp parallel for schedule(static) if (!call->layer->shared)
    for (gsize c = 0; c < channels; c++) {
        REAL slope = FN(slope_of)(call, c);
        double sum = 0;
        for (gsize n = 0; n < call->g.n; n++) {
            gsize at = (n * channels + c) * size;
            const REAL *in = call->in[0] + at, *d_out = call->d_out + at;
            if (call->d_in[0] != NULL)
                FN(rectify_back_plane)(in, d_out, slope, size, call->fresh, call->d_in[0] + at);
            if (call->d_param[0] != NULL)
                for (gsize i = 0; i < size; i++)
                    sum += in[i] > 0 ? 0 : (double) (in[i] * d_out[i]);
        }
        if (call->d_param[0] != NULL) {
            REAL *d_slope = call->d_param[0] + (call->layer->shared ? 0 : c);
            *d_slope += (REAL) sum;
        }
    }
}

static void
FN(squash)(CALL *call)
{
    gboolean sigmoid = call->layer->kind == BG_NN_SIGMOID;
    gsize count = BG_NN_IN_COUNT(call);

#pragma omp parallel for schedule(static)
    for (gsize i = 0; i < count; i++) {
        REAL x = call->in[0][i];
        call->out[i] = sigmoid ? (REAL) 1 / ((REAL) 1 + MATH(exp)(-x)) : MATH(tanh)(x);
    }
}

static void
FN(squash_back)(CALL *call)
{
    gboolean sigmoid = call->layer->kind == BG_NN_SIGMOID;
    gsize count = BG_NN_IN_COUNT(call);

    if (call->d_in[0] == NULL)
        return;
#pragma omp parallel for schedule(static)
    for (gsize i = 0; i < count; i++) {
        REAL y = call->out[i];
        call->d_in[0][i] += call->d_out[i] * (sigmoid ? y * (1 - y) : 1 - y * y);
    }
}

static void
FN(softmax)(CALL *call)
{
    gsize size = call->g.in_space, channels = call->g.in_channels;

#pragma omp parallel for schedule(static)
    for (gsize item = 0; item < call->g.n * size; item++) {
        gsize at = item / size * channels * size + item % size;
        const REAL *in = call->in[0] + at;
        REAL *out = call->out + at, most = in[0], sum = 0;
        for (gsize c = 1; c < channels; c++)
            most = MAX(most, in[c * size]);
        for (gsize c = 0; c < channels; c++)
            sum += out[c * size] = MATH(exp)(in[c * size] - most);
        for (gsize c = 0; c < channels; c++)
            out[c * size] /= sum;
    }
}

static void
FN(softmax_back)(CALL *call)
{
    gsize size = call->g.in_space, channels = call->g.in_channels;

    if (call->d_in[0] == NULL)
        return;
#pragma omp parallel for schedule(static)
    for (gsize item = 0; item < call->g.n * size; item++) {
        gsize at = item / size * channels * size + item % size;
        const REAL *out = call->out + at, *d_out = call->d_out + at;
        REAL dot = 0;
        for (gsize c = 0; c < channels; c++)
            dot += out[c * size] * d_out[c * size];
        for (gsize c = 0; c < channels; c++)
            call->d_in[0][at + c * size] += out[c * size] * (d_out[c * size] - dot);
    }
}

// One output of a pool. Forward: `d_in` NULL. Backward: spreads `d_out` to `d_in`.
static REAL
FN(pool_one)(const CALL *call, const REAL *in, gsize o, REAL *d_in, REAL d_out)
{
    const BgNnGeometry *g = &call->g;
    gsize pos[3] = { o / (g->out[1] * g->out[2]), o / g->out[2] % g->out[1], o % g->out[2] };
    int first[3], last[3];
    gssize start[3];
    gsize best = 0, inside = 0;
    REAL most = -(REAL) INFINITY, sum = 0;

    for (int k = 0; k < 3; k++)
        bg_nn_window(g, k, pos[k], &first[k], &last[k], &start[k]);
    for (int pass = 0; pass < (d_in != NULL && call->layer->kind == BG_NN_AVG_POOL ? 2 : 1); pass++)
        for (int kz = first[0]; kz < last[0]; kz++)
            for (int ky = first[1]; ky < last[1]; ky++)
                for (int kx = first[2]; kx < last[2]; kx++) {
                    gsize at = ((gsize) (start[0] + (gssize) kz * g->dilation[0]) * g->in[1] +
                                (gsize) (start[1] + (gssize) ky * g->dilation[1])) *
                                   g->in[2] +
                               (gsize) (start[2] + (gssize) kx * g->dilation[2]);
                    if (pass == 1) {
                        d_in[at] += d_out / (REAL) (call->layer->count_outside ? g->taps : inside);
                        continue;
                    }
                    inside++;
                    sum += in[at];
                    if (in[at] > most) {
                        most = in[at];
                        best = at;
                    }
                }
    if (call->layer->kind == BG_NN_AVG_POOL)
        return sum / (REAL) MAX(call->layer->count_outside ? g->taps : inside, 1);
    if (d_in != NULL && inside > 0)
        d_in[best] += d_out;
    return most;
}

static void
FN(pool)(CALL *call)
{
#pragma omp parallel for schedule(static)
    for (gsize plane = 0; plane < BG_NN_PLANES(call); plane++)
        for (gsize o = 0; o < call->g.out_space; o++)
            call->out[plane * call->g.out_space + o] =
                FN(pool_one)(call, call->in[0] + plane * call->g.in_space, o, NULL, 0);
}

static void
FN(pool_back)(CALL *call)
{
    if (call->d_in[0] == NULL)
        return;
#pragma omp parallel for schedule(static)
    for (gsize plane = 0; plane < BG_NN_PLANES(call); plane++)
        for (gsize o = 0; o < call->g.out_space; o++)
            FN(pool_one)
    (call, call->in[0] + plane * call->g.in_space, o, call->d_in[0] + plane * call->g.in_space,
     call->d_out[plane * call->g.out_space + o]);
}

// Where output position `o` of dimension `k` lies: between `a` and `b`, `t` of the way.
static void
FN(between)(const CALL *call, int k, gsize o, gsize *a, gsize *b, REAL *t)
{
    gsize stride = (gsize) call->g.stride[k];

    REAL x = ((REAL) o + (REAL) 0.5) / (REAL) stride - (REAL) 0.5;
    x = MAX(x, 0);
    *a = (gsize) x;
    *b = MIN(*a + 1, call->g.in[k] - 1);
    *t = x - (REAL) *a;
}

static void
FN(upsample_one)(const CALL *call, gsize plane, gsize o)
{
    const BgNnGeometry *g = &call->g;
    gsize pos[3] = { o / (g->out[1] * g->out[2]), o / g->out[2] % g->out[1], o % g->out[2] };
    gsize a[3], b[3], at = plane * g->in_space;
    REAL t[3], sum = 0;

    for (int k = 0; k < 3; k++)
        FN(between)(call, k, pos[k], &a[k], &b[k], &t[k]);
    for (int corner = 0; corner < 8; corner++) {
        gsize z = corner & 4 ? b[0] : a[0], y = corner & 2 ? b[1] : a[1];
        gsize x = corner & 1 ? b[2] : a[2], in_at = at + (z * g->in[1] + y) * g->in[2] + x;
        REAL weight = (corner & 4 ? t[0] : 1 - t[0]) * (corner & 2 ? t[1] : 1 - t[1]) *
                      (corner & 1 ? t[2] : 1 - t[2]);
        if (weight == 0)
            continue;
        if (call->d_out != NULL)
            call->d_in[0][in_at] += weight * call->d_out[plane * g->out_space + o];
        else
            sum += weight * call->in[0][in_at];
    }
    if (call->d_out == NULL)
        call->out[plane * g->out_space + o] = sum;
}

// Nearest pixels by rows.
static void
FN(upsample_row)(const CALL *call, gsize plane, gsize row)
{
    const BgNnGeometry *g = &call->g;
    gsize z = row / g->out[1] / (gsize) g->stride[0], y = row % g->out[1] / (gsize) g->stride[1];
    gsize from = plane * g->in_space + (z * g->in[1] + y) * g->in[2], n = (gsize) g->stride[2];
    gsize to = plane * g->out_space + row * g->out[2];

    if (call->d_out == NULL) {
        for (gsize x = 0; x < g->in[2]; x++)
            for (gsize k = 0; k < n; k++)
                call->out[to + x * n + k] = call->in[0][from + x];
        return;
    }
    for (gsize x = 0; x < g->in[2]; x++)
        for (gsize k = 0; k < n; k++)
            call->d_in[0][from + x] += call->d_out[to + x * n + k];
}

static void
FN(upsample)(CALL *call) // forward without `d_out`, else backward
{
#pragma omp parallel for schedule(static)
    for (gsize plane = 0; plane < BG_NN_PLANES(call); plane++) {
        for (gsize row = 0; !call->layer->bilinear && row < call->g.out[0] * call->g.out[1]; row++)
            FN(upsample_row)(call, plane, row);
        for (gsize o = 0; call->layer->bilinear && o < call->g.out_space; o++)
            FN(upsample_one)(call, plane, o);
    }
}

static void
FN(concat)(CALL *call)
{
    gsize first = 0, size = call->g.out_space;

    for (int i = 0; i < call->n_inputs; first += call->channels[i++])
        for (gsize n = 0; n < call->g.n; n++)
            memcpy(call->out + (n * call->g.out_channels + first) * size,
                   call->in[i] + n * call->channels[i] * size,
                   call->channels[i] * size * sizeof(REAL));
}

static void
FN(concat_back)(CALL *call)
{
    gsize first = 0, size = call->g.out_space;

    for (int i = 0; i < call->n_inputs; first += call->channels[i++])
        for (gsize n = 0; n < call->g.n && call->d_in[i] != NULL; n++) {
            const REAL *d_out = call->d_out + (n * call->g.out_channels + first) * size;
            REAL *d_in = call->d_in[i] + n * call->channels[i] * size;
            for (gsize k = 0; k < call->channels[i] * size; k++)
                d_in[k] += d_out[k];
        }
}

static REAL
FN(scale_of)(const CALL *call)
{
    return call->layer->scale == 0 ? (REAL) 1 : (REAL) call->layer->scale;
}

static REAL
FN(join_one)(const CALL *call, gsize i)
{
    REAL value = call->in[0][i];

    for (int k = 1; k < call->n_inputs; k++) {
        REAL other = call->in[k][i];
        if (call->layer->kind == BG_NN_ADD)
            value += other;
        else if (call->layer->kind == BG_NN_MULTIPLY)
            value *= other;
        else if (call->layer->kind == BG_NN_MAXIMUM)
            value = MAX(value, other);
        else
            value /= other + (REAL) call->layer->eps;
    }
    return call->layer->kind == BG_NN_ADD ? value * FN(scale_of)(call) : value;
}

static void
FN(join)(CALL *call)
{
    gsize count = BG_NN_OUT_COUNT(call);

#pragma omp parallel for schedule(static)
    for (gsize i = 0; i < count; i++)
        call->out[i] = FN(join_one)(call, i);
}

// d result / d input k, at element i.
static REAL
FN(join_slope)(const CALL *call, int k, gsize i)
{
    REAL slope = 1;

    switch (call->layer->kind) {
    case BG_NN_ADD:
        return FN(scale_of)(call);
    case BG_NN_MULTIPLY:
        for (int j = 0; j < call->n_inputs; j++)
            slope *= j == k ? 1 : call->in[j][i];
        return slope;
    case BG_NN_MAXIMUM: // the first of equals
        for (int j = 0; j < call->n_inputs; j++)
            if (j < k ? call->in[j][i] >= call->in[k][i] : call->in[j][i] > call->in[k][i])
                slope = 0;
        return slope;
    default:
        slope = call->in[1][i] + (REAL) call->layer->eps;
        return k == 0 ? 1 / slope : -call->in[0][i] / (slope * slope);
    }
}

// The larger of two: to the first of equals.
static void
FN(maximum_back)(CALL *call)
{
    gsize count = BG_NN_OUT_COUNT(call);
    const REAL *a = call->in[0], *b = call->in[1], *d_out = call->d_out;
    REAL *d_a = call->d_in[0], *d_b = call->d_in[1];

    if (d_a != NULL) {
#pragma omp parallel for simd schedule(static)
        for (gsize i = 0; i < count; i++)
            d_a[i] += d_out[i] * (REAL) !(b[i] > a[i]);
    }
    if (d_b != NULL) {
#pragma omp parallel for simd schedule(static)
        for (gsize i = 0; i < count; i++)
            d_b[i] += d_out[i] * (REAL) !(a[i] >= b[i]);
    }
}

static void
FN(join_back)(CALL *call)
{
    gsize count = BG_NN_OUT_COUNT(call);

    if (call->layer->kind == BG_NN_MAXIMUM && call->n_inputs == 2) {
        FN(maximum_back)(call);
        return;
    }
    for (int k = 0; k < call->n_inputs; k++) {
        if (call->d_in[k] == NULL)
            continue;
#pragma omp parallel for schedule(static)
        for (gsize i = 0; i < count; i++)
            call->d_in[k][i] += FN(join_slope)(call, k, i) * call->d_out[i];
    }
}

// Tile, crop and pad: where the element at `o` along axis `k` comes from, or -1.
static gssize
FN(source_at)(const CALL *call, int k, gssize o)
{
    gssize size = (gssize) call->g.in[k];

    if (call->layer->kind == BG_NN_TILE)
        return o % size;
    if (call->layer->kind == BG_NN_CROP)
        return o + call->g.before[k];
    return bg_nn_pad_index(o - call->g.before[k], size, call->layer->pad_mode);
}

/** Row: a row of results, and the row of elements where it comes from, or -1; from @first to before @last they
 * follow each other, from element @from on */
typedef struct {
    gssize at, source, first, last, from;
} FN(Row);

static FN(Row) FN(row_of)(const CALL *call, gsize plane, gsize number)
{
    const BgNnGeometry *g = &call->g;
    gsize n = plane / g->out_channels, c = plane % g->out_channels % g->in_channels;
    gssize z = FN(source_at)(call, 0, (gssize) (number / g->out[1]));
    gssize y = FN(source_at)(call, 1, (gssize) (number % g->out[1]));
    gssize out = (gssize) g->out[2], shift = 0;
    FN(Row) row = { .at = (gssize) (plane * g->out_space + number * g->out[2]), .source = -1 };

    if (z < 0 || y < 0)
        return row;
    row.source = (gssize) ((n * g->in_channels + c) * g->in_space) +
                 (z * (gssize) g->in[1] + y) * (gssize) g->in[2];
    if (call->layer->kind != BG_NN_TILE)
        shift = call->layer->kind == BG_NN_CROP ? g->before[2] : -g->before[2];
    row.first = CLAMP(-shift, 0, out);
    row.last = CLAMP((gssize) g->in[2] - shift, row.first, out);
    row.from = row.first + shift;
    return row;
}

static void
FN(move)(CALL *call)
{
    gsize n_rows = call->g.out[0] * call->g.out[1];
    gssize n_x = (gssize) call->g.out[2];

#pragma omp parallel for schedule(static)
    for (gsize r = 0; r < BG_NN_PLANES(call) * n_rows; r++) {
        FN(Row) row = FN(row_of)(call, r / n_rows, r % n_rows);
        REAL *out = call->out + row.at;
        if (row.source < 0) {
            memset(out, 0, (gsize) n_x * sizeof *out);
            continue;
        }
        const REAL *in = call->in[0] + row.source;
        memcpy(out + row.first, in + row.from, (gsize) (row.last - row.first) * sizeof *out);
        for (gssize x = row.first > 0 ? 0 : row.last; x < n_x;
             x = x + 1 == row.first ? row.last : x + 1) {
            gssize from = FN(source_at)(call, 2, x);
            out[x] = from < 0 ? 0 : in[from];
        }
    }
}

// Adds the gradients of a row of results to those of where it came from.
static void
FN(add_row)(const CALL *call, const FN(Row) * row)
{
    gssize n_x = (gssize) call->g.out[2];
    const REAL *out = call->d_out + row->at;
    REAL *in = call->d_in[0] + row->source;

    for (gssize x = row->first; x < row->last; x++)
        in[row->from + x - row->first] += out[x];
    for (gssize x = 0; x < n_x; x++) {
        gssize from = x >= row->first && x < row->last ? -1 : FN(source_at)(call, 2, x);
        if (from >= 0)
            in[from] += out[x];
    }
}

static void
FN(move_back)(CALL *call)
{
    gsize n_rows = call->g.out[0] * call->g.out[1];

    if (call->d_in[0] == NULL)
        return;
        // One input plane gets from several output planes when channels are tiled: by pictures only.
#pragma omp parallel for schedule(static)
    for (gsize n = 0; n < call->g.n; n++)
        for (gsize r = 0; r < call->g.out_channels * n_rows; r++) {
            FN(Row) row = FN(row_of)(call, n * call->g.out_channels + r / n_rows, r % n_rows);
            if (row.source >= 0)
                FN(add_row)(call, &row);
        }
}

static REAL
FN(keep)(const CALL *call, gsize i)
{
    gsize item = call->layer->shared ? i / call->g.in_space : i;
    BgRandom random = bg_random(call->seed, item);
    double rate = call->layer->rate;

    return bg_random_uniform(&random) < rate ? (REAL) 0 : (REAL) (1 / (1 - rate));
}

static void
FN(drop)(CALL *call)
{
    gsize count = BG_NN_IN_COUNT(call);

    if (!call->training || call->layer->rate == 0) {
        memcpy(call->out, call->in[0], count * sizeof(REAL));
        return;
    }
#pragma omp parallel for schedule(static)
    for (gsize i = 0; i < count; i++)
        call->out[i] = call->in[0][i] * FN(keep)(call, i);
}

static void
FN(drop_back)(CALL *call)
{
    gsize count = BG_NN_IN_COUNT(call);
    gboolean all = !call->training || call->layer->rate == 0;

    if (call->d_in[0] == NULL)
        return;
#pragma omp parallel for schedule(static)
    for (gsize i = 0; i < count; i++)
        call->d_in[0][i] += call->d_out[i] * (all ? 1 : FN(keep)(call, i));
}
