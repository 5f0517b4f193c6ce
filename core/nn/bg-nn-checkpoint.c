// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-checkpoint.h"
#include "bg-nn-weights-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"
#include "core/io/bg-h5.h"

#include <math.h>
#include <string.h>

#define N_COLUMNS (5 + 2 * BG_NN_N_SCORES) // of an epoch

static gboolean
write_epochs(BgH5 *h5, const GArray *epochs, GError **error)
{
    g_autofree double *table = g_new(double, MAX(epochs->len, 1) * N_COLUMNS);
    BgH5Shape shape = { BG_H5_FLOAT64, 2, { epochs->len, N_COLUMNS } };

    for (guint i = 0; i < epochs->len; i++) {
        const BgNnEpoch *e = &g_array_index(epochs, BgNnEpoch, i);
        const double row[] = { e->epoch, e->loss, e->validation, e->rate, e->gradient };
        double *to = table + i * N_COLUMNS;
        memcpy(to, row, sizeof row);
        memcpy(to + G_N_ELEMENTS(row), &e->train, sizeof e->train);
        memcpy(to + G_N_ELEMENTS(row) + BG_NN_N_SCORES, &e->check, sizeof e->check);
    }
    return bg_h5_write(h5, "/training/epochs", &shape, table, NULL, NULL, error);
}

gboolean
bg_nn_checkpoint_save(const char *path, const BgNnGraph *graph, const BgNnParams *params,
                      const BgNnOptimiser *optimiser, const BgNnTrainConfig *config,
                      const BgNnTraining *training, const BgJson *card, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, error);
    const double state[] = { training->best, training->rate, training->n_resting,
                             training->n_flat };

    return h5 != NULL && bg_nn_weights_write(h5, graph, params, card, NULL, error) &&
           bg_h5_create_group(h5, "/training", error) &&
           bg_h5_set_integer(h5, "/training", "seed", (gint64) config->seed, error) &&
           bg_h5_set_integer(h5, "/training", "batch", config->batch, error) &&
           bg_h5_set_integer(h5, "/training", "at_once", config->at_once, error) &&
           bg_h5_set_doubles(h5, "/training", "validation_share", &config->validation_share, 1,
                             error) &&
           bg_h5_set_doubles(h5, "/training", "state", state, G_N_ELEMENTS(state), error) &&
           write_epochs(h5, training->epochs, error) &&
           bg_nn_optimiser_save(optimiser, h5, "/training/optimiser", error) &&
           bg_h5_commit_sealed(h5, error);
}

static gboolean
check_settings(BgH5 *h5, const BgNnTrainConfig *config, GError **error)
{
    gint64 seed, batch, at_once;
    double share;

    if (!bg_h5_get_integer(h5, "/training", "seed", &seed, error) ||
        !bg_h5_get_integer(h5, "/training", "batch", &batch, error) ||
        !bg_h5_get_integer(h5, "/training", "at_once", &at_once, error) ||
        !bg_h5_get_doubles(h5, "/training", "validation_share", &share, 1, error))
        return FALSE;
    if (seed == (gint64) config->seed && batch == config->batch && at_once == config->at_once &&
        share == config->validation_share)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("The training cannot go on: its checkpoint was made with seed %" G_GINT64_FORMAT
                  ", batch %" G_GINT64_FORMAT
                  " and %g for validation. Give the same, or start anew"),
                seed, batch, share);
    return FALSE;
}

static gboolean
read_epochs(BgH5 *h5, GArray *epochs, GError **error)
{
    BgH5Shape shape;

    if (!bg_h5_inspect(h5, "/training/epochs", &shape, error))
        return FALSE;
    if (shape.rank != 2 || shape.dims[1] != N_COLUMNS || shape.dims[0] > 1u << 20) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The training cannot go on: its checkpoint's log is damaged. Start "
                              "it anew"));
        return FALSE;
    }
    g_autofree double *table = g_new(double, shape.dims[0] * N_COLUMNS);
    shape.type = BG_H5_FLOAT64;
    if (!bg_h5_read(h5, "/training/epochs", &shape, 0, shape.dims[0], table, NULL, NULL, error))
        return FALSE;
    for (gsize i = 0; i < shape.dims[0]; i++) {
        const double *row = table + i * N_COLUMNS;
        BgNnEpoch e = { .epoch = (int) row[0],
                        .loss = row[1],
                        .validation = row[2],
                        .rate = row[3],
                        .gradient = row[4] };
        memcpy(&e.train, row + 5, sizeof e.train);
        memcpy(&e.check, row + 5 + BG_NN_N_SCORES, sizeof e.check);
        g_array_append_val(epochs, e);
    }
    return TRUE;
}

gboolean
bg_nn_checkpoint_load(const char *path, const BgNnGraph *graph, BgNnParams *params,
                      BgNnOptimiser *optimiser, const BgNnTrainConfig *config,
                      BgNnTraining *training, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgNnParams) loaded =
        bg_nn_weights_load(path, graph, params, NULL, NULL, NULL, cancellable, error);
    g_autoptr(BgH5) h5 = loaded == NULL ? NULL : bg_h5_open_sealed(path, cancellable, error);
    g_autoptr(GArray) epochs = g_array_new(FALSE, FALSE, sizeof(BgNnEpoch));
    double state[4];

    if (h5 == NULL || !check_settings(h5, config, error) || !read_epochs(h5, epochs, error) ||
        !bg_h5_get_doubles(h5, "/training", "state", state, G_N_ELEMENTS(state), error) ||
        !bg_nn_optimiser_load(optimiser, h5, "/training/optimiser", error))
        return FALSE;
    for (int i = 0; i < bg_nn_params_count(params); i++) {
        BgNnTensor *to = bg_nn_params_get(params, i);
        memcpy(bg_nn_tensor_data(to), bg_nn_tensor_peek(bg_nn_params_get(loaded, i)),
               bg_nn_tensor_count(to) * sizeof(float));
    }
    g_array_set_size(training->epochs, 0);
    g_array_append_vals(training->epochs, epochs->data, epochs->len);
    training->best = state[0];
    training->rate = state[1];
    training->n_resting = (int) state[2];
    training->n_flat = (int) state[3];
    return TRUE;
}

// Those of the BraTS 2020 U-Net's log, in its order, and the gradient's.
static const char columns[] = "epoch,accuracy,dice_coef,loss,lr,mean_io_u,precision,sensitivity,"
                              "specificity,val_accuracy,val_dice_coef,val_loss,val_mean_io_u,"
                              "val_precision,val_sensitivity,val_specificity,gradient_norm\n";

gboolean
bg_nn_training_write_log(const BgNnTraining *training, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(columns);

    for (guint i = 0; i < training->epochs->len; i++) {
        const BgNnEpoch *e = &g_array_index(training->epochs, BgNnEpoch, i);
        const BgNnScores *a = &e->train, *b = &e->check;
        const double numbers[] = { a->accuracy,  a->dice,        e->loss,        e->rate,
                                   a->mean_iou,  a->precision,   a->sensitivity, a->specificity,
                                   b->accuracy,  b->dice,        e->validation,  b->mean_iou,
                                   b->precision, b->sensitivity, b->specificity, e->gradient };
        g_string_append_printf(text, "%d", e->epoch);
        for (gsize k = 0; k < G_N_ELEMENTS(numbers); k++) {
            char number[G_ASCII_DTOSTR_BUF_SIZE];
            g_string_append_printf(
                text, ",%s",
                isnan(numbers[k]) ? "" : g_ascii_dtostr(number, sizeof number, numbers[k]));
        }
        g_string_append_c(text, '\n');
    }
    return bg_output_replace(path, TRUE, text->str, text->len, error);
}
