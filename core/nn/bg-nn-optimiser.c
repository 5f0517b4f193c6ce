// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-optimiser.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define N_MOMENTS 2 // Adam's; SGD uses the first

struct _BgNnOptimiser {
    BgNnParams *params; // owned
    BgNnOptimiserConfig config;
    float **moments[N_MOMENTS]; // owned, one a parameter; NULL where not trained
    gint64 n_steps;
};

BgNnOptimiserConfig
bg_nn_optimiser_config(BgNnOptimiserKind kind, double rate)
{
    return (BgNnOptimiserConfig){ .kind = kind,
                                  .rate = rate,
                                  .beta1 = 0.9,
                                  .beta2 = 0.999,
                                  .eps = 1e-8,
                                  .factor = 0.5,
                                  .period = 1 };
}

static gboolean
check_config(const BgNnOptimiserConfig *c, GError **error)
{
    const char *bad = NULL;

    if (!(c->rate > 0 && c->rate < 1e6))
        bad = "rate";
    else if (!(c->momentum >= 0 && c->momentum < 1))
        bad = "momentum";
    else if (!(c->beta1 >= 0 && c->beta1 < 1 && c->beta2 >= 0 && c->beta2 < 1))
        bad = "betas";
    else if (!(c->eps >= 0 && c->weight_decay >= 0 && c->clip_norm >= 0 && c->clip_value >= 0))
        bad = "eps, weight decay or clip";
    else if (!(c->factor > 0 && c->factor <= 1 && c->period >= 1))
        bad = "factor or period";
    if (bad == NULL)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("The training cannot start: its \"%s\" is out of range. Correct it"), bad);
    return FALSE;
}

BgNnOptimiser *
bg_nn_optimiser_new(BgNnParams *params, const BgNnOptimiserConfig *config, GError **error)
{
    gsize n = (gsize) bg_nn_params_count(params);

    if (!check_config(config, error))
        return NULL;
    g_autoptr(BgNnOptimiser) optimiser = g_new0(BgNnOptimiser, 1);
    optimiser->params = bg_nn_params_ref(params);
    optimiser->config = *config;
    for (int m = 0; m < N_MOMENTS; m++)
        optimiser->moments[m] = g_new0(float *, n + 1);
    for (gsize i = 0; i < n; i++) {
        gsize count = bg_nn_tensor_count(bg_nn_params_get(params, (int) i));
        if (!bg_nn_role_is_trained(bg_nn_params_get_role(params, (int) i)))
            continue;
        for (int m = 0; m < (config->kind == BG_NN_ADAM ? 2 : 1); m++) {
            optimiser->moments[m][i] = bg_buffer_alloc_items(count, sizeof(float), error);
            if (optimiser->moments[m][i] == NULL)
                return NULL;
            memset(optimiser->moments[m][i], 0, count * sizeof(float));
        }
    }
    return g_steal_pointer(&optimiser);
}

void
bg_nn_optimiser_free(BgNnOptimiser *optimiser)
{
    if (optimiser == NULL)
        return;
    for (int m = 0; m < N_MOMENTS; m++) {
        for (int i = 0; i < bg_nn_params_count(optimiser->params); i++)
            bg_buffer_free(optimiser->moments[m][i]);
        g_free(optimiser->moments[m]);
    }
    bg_nn_params_unref(optimiser->params);
    g_free(optimiser);
}

static double
length_of(const BgNnOptimiser *o, float *const *gradients)
{
    double sum = 0;

    for (int i = 0; i < bg_nn_params_count(o->params); i++) {
        gsize count = bg_nn_tensor_count(bg_nn_params_get(o->params, i));
        for (gsize k = 0; gradients[i] != NULL && k < count; k++)
            sum += (double) gradients[i][k] * (double) gradients[i][k];
    }
    return sqrt(sum);
}

static float
cut(const BgNnOptimiserConfig *c, double gradient, double scale, float param)
{
    double value = gradient * scale;

    if (c->clip_value > 0)
        value = CLAMP(value, -c->clip_value, c->clip_value);
    return (float) (value + c->weight_decay * (double) param);
}

static void
step_sgd(const BgNnOptimiser *o, int index, const float *gradient, double scale, double rate)
{
    BgNnTensor *tensor = bg_nn_params_get(o->params, index);
    float *p = bg_nn_tensor_data(tensor), *v = o->moments[0][index];
    float momentum = (float) o->config.momentum;

    for (gsize k = 0; k < bg_nn_tensor_count(tensor); k++) {
        v[k] = momentum * v[k] + cut(&o->config, (double) gradient[k], scale, p[k]);
        p[k] -= (float) rate * v[k];
    }
}

static void
step_adam(const BgNnOptimiser *o, int index, const float *gradient, double scale, double rate)
{
    BgNnTensor *tensor = bg_nn_params_get(o->params, index);
    float *p = bg_nn_tensor_data(tensor), *m = o->moments[0][index], *v = o->moments[1][index];
    const BgNnOptimiserConfig *c = &o->config;
    double bias1 = 1 - pow(c->beta1, (double) o->n_steps);
    double bias2 = sqrt(1 - pow(c->beta2, (double) o->n_steps));
    float beta1 = (float) c->beta1, beta2 = (float) c->beta2;
    float step = (float) (rate / bias1), by = (float) (1 / bias2), eps = (float) c->eps;

    for (gsize k = 0; k < bg_nn_tensor_count(tensor); k++) {
        float g = cut(c, (double) gradient[k], scale, p[k]);
        m[k] = beta1 * m[k] + (1 - beta1) * g;
        v[k] = beta2 * v[k] + (1 - beta2) * g * g;
        p[k] -= step * m[k] / (sqrtf(v[k]) * by + eps);
    }
}

double
bg_nn_optimiser_step(BgNnOptimiser *optimiser, float *const *gradients, double rate)
{
    double length = length_of(optimiser, gradients), most = optimiser->config.clip_norm;
    double scale = most > 0 && length > most ? most / length : 1;

    if (!isfinite(length))
        return length;
    optimiser->n_steps++;
    for (int i = 0; i < bg_nn_params_count(optimiser->params); i++) {
        if (gradients[i] == NULL)
            continue;
        if (optimiser->config.kind == BG_NN_ADAM)
            step_adam(optimiser, i, gradients[i], scale, rate);
        else
            step_sgd(optimiser, i, gradients[i], scale, rate);
    }
    return length;
}

double
bg_nn_optimiser_rate(const BgNnOptimiserConfig *config, int epoch)
{
    double rate = config->rate;

    switch (config->schedule) {
    case BG_NN_RATE_STEP:
        rate *= pow(config->factor, epoch / config->period);
        break;
    case BG_NN_RATE_EXPONENTIAL:
        rate *= pow(config->factor, epoch);
        break;
    case BG_NN_RATE_COSINE: {
        double t = MIN(1.0, (double) epoch / config->period);
        rate *= config->factor + (1 - config->factor) * 0.5 * (1 + cos(G_PI * t));
        break;
    }
    case BG_NN_RATE_CONSTANT:
    case BG_NN_RATE_PLATEAU:
        break;
    }
    return MAX(rate, config->least_rate);
}

gboolean
bg_nn_optimiser_save(const BgNnOptimiser *optimiser, BgH5 *h5, const char *path, GError **error)
{
    if (!bg_h5_create_group(h5, path, error) ||
        !bg_h5_set_integer(h5, path, "kind", optimiser->config.kind, error) ||
        !bg_h5_set_integer(h5, path, "steps", optimiser->n_steps, error))
        return FALSE;
    for (int m = 0; m < N_MOMENTS; m++)
        for (int i = 0; i < bg_nn_params_count(optimiser->params); i++) {
            g_autofree char *name =
                g_strdup_printf("%s/%d/%s", path, m, bg_nn_params_get_name(optimiser->params, i));
            BgH5Shape shape = { BG_H5_FLOAT32,
                                1,
                                { bg_nn_tensor_count(bg_nn_params_get(optimiser->params, i)) } };
            if (optimiser->moments[m][i] != NULL &&
                !bg_h5_write(h5, name, &shape, optimiser->moments[m][i], NULL, NULL, error))
                return FALSE;
        }
    return TRUE;
}

gboolean
bg_nn_optimiser_load(BgNnOptimiser *optimiser, BgH5 *h5, const char *path, GError **error)
{
    gint64 kind, n_steps;

    if (!bg_h5_get_integer(h5, path, "kind", &kind, error) ||
        !bg_h5_get_integer(h5, path, "steps", &n_steps, error))
        return FALSE;
    if (kind != (gint64) optimiser->config.kind || n_steps < 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_MISMATCH,
                            _("The training cannot go on: its checkpoint is of another optimiser. "
                              "Start it with the same settings"));
        return FALSE;
    }
    for (int m = 0; m < N_MOMENTS; m++)
        for (int i = 0; i < bg_nn_params_count(optimiser->params); i++) {
            g_autofree char *name =
                g_strdup_printf("%s/%d/%s", path, m, bg_nn_params_get_name(optimiser->params, i));
            gsize count = bg_nn_tensor_count(bg_nn_params_get(optimiser->params, i));
            BgH5Shape shape;
            if (optimiser->moments[m][i] == NULL)
                continue;
            if (!bg_h5_inspect(h5, name, &shape, error))
                return FALSE;
            if (bg_h5_shape_count(&shape) != count || shape.rank != 1) {
                g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The training cannot go on: \"%s\" of its checkpoint has another "
                              "size. Start it anew"),
                            name);
                return FALSE;
            }
            shape.type = BG_H5_FLOAT32;
            if (!bg_h5_read(h5, name, &shape, 0, count, optimiser->moments[m][i], NULL, NULL,
                            error))
                return FALSE;
        }
    optimiser->n_steps = n_steps;
    return TRUE;
}
