// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-segment.h"

#include "bg-tumour-data.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/learn/bg-networks.h"
#include "core/volume/bg-resample.h"

#include <stdatomic.h>
#include <string.h>

#define MULTIPLE 16 // of a slice's sides
#define LEAST_ML 0.05

struct _BgTumourModel {
    atomic_int n_refs;
    BgNnGraph *graph;
    BgNnParams *params;
    BgNnWeightsInfo info;
};

BgTumourModel *
bg_tumour_model_load(const char *path, const BgProgress *progress, GCancellable *cancellable,
                     GError **error)
{
    const BgNetwork *network = bg_network_find("unet-tumour", error);
    BgNnWeightsInfo info = { 0 };

    if (network == NULL)
        return NULL;
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params =
        bg_network_load(network, graph, path, &info, progress, cancellable, error);
    if (params == NULL) {
        bg_nn_weights_info_clear(&info);
        return NULL;
    }
    BgTumourModel *model = g_new0(BgTumourModel, 1);
    atomic_init(&model->n_refs, 1);
    model->graph = g_steal_pointer(&graph);
    model->params = g_steal_pointer(&params);
    model->info = info;
    return model;
}

BgTumourModel *
bg_tumour_model_ref(BgTumourModel *model)
{
    atomic_fetch_add_explicit(&model->n_refs, 1, memory_order_relaxed);
    return model;
}

void
bg_tumour_model_unref(BgTumourModel *model)
{
    if (atomic_fetch_sub_explicit(&model->n_refs, 1, memory_order_acq_rel) != 1)
        return;
    bg_nn_graph_unref(model->graph);
    bg_nn_params_unref(model->params);
    bg_nn_weights_info_clear(&model->info);
    g_free(model);
}

const char *
bg_tumour_model_get_sha256(const BgTumourModel *model)
{
    return model->info.sha256;
}

const BgJson *
bg_tumour_model_get_card(const BgTumourModel *model)
{
    return model->info.card;
}

double
bg_tumour_model_get_spacing(const BgTumourModel *model)
{
    const BgJson *card = model->info.card;
    double mm = card != NULL ? bg_json_to_double(bg_json_get(card, "spacing_mm"), 1.0) : 1.0;

    return mm >= 0.2 && mm <= 10.0 ? mm : 1.0;
}

BgTumourOptions
bg_tumour_options(void)
{
    return (BgTumourOptions){ .mirror = TRUE,
                              .cleaning = { .least_ml = LEAST_ML, .fill_holes = TRUE } };
}

void
bg_tumour_result_clear(BgTumourResult *result)
{
    g_clear_pointer(&result->labels, bg_label_map_unref);
    g_clear_pointer(&result->confidence, bg_volume_unref);
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++)
        g_clear_pointer(&result->probabilities[c], bg_volume_unref);
}

/** Running: one case; a slice lies in the upper left corner of a plane of wide x high */
typedef struct {
    const BgTumourCase *tumour_case;
    BgNnCpu *cpu;      // owned
    BgNnTensor *input; // owned
    int wide, high;
    float *probabilities[BG_TUMOUR_CLASSES]; // owned until taken, on the case's grid
    gboolean mirror;
    GCancellable *cancellable;
} Running;

static void
fill_input(const Running *job, int k, gboolean mirrored)
{
    const int *d = job->tumour_case->grid.dims;
    gsize n = bg_geometry_count_voxels(&job->tumour_case->grid);
    gsize area = (gsize) job->wide * (gsize) job->high;
    float *planes = bg_nn_tensor_data(job->input);

    memset(planes, 0, BG_N_CONTRASTS * area * sizeof(float));
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        for (int j = 0; j < d[1]; j++) {
            const float *from = job->tumour_case->planes + (gsize) c * n +
                                (gsize) d[0] * ((gsize) j + (gsize) d[1] * (gsize) k);
            float *to = planes + (gsize) c * area + (gsize) j * (gsize) job->wide;
            for (int i = 0; i < d[0]; i++)
                to[i] = from[mirrored ? d[0] - 1 - i : i];
        }
    }
}

static void
add_output(const Running *job, const float *found, int k, gboolean mirrored, float share)
{
    const int *d = job->tumour_case->grid.dims;
    gsize area = (gsize) job->wide * (gsize) job->high;

    for (int c = 0; c < BG_TUMOUR_CLASSES; c++) {
        for (int j = 0; j < d[1]; j++) {
            const float *from = found + (gsize) c * area + (gsize) j * (gsize) job->wide;
            float *to =
                job->probabilities[c] + (gsize) d[0] * ((gsize) j + (gsize) d[1] * (gsize) k);
            for (int i = 0; i < d[0]; i++)
                to[i] += share * from[mirrored ? d[0] - 1 - i : i];
        }
    }
}

static gboolean
run_slices(Running *job, const BgProgress *progress, GError **error)
{
    int n_slices = job->tumour_case->grid.dims[2], n_runs = job->mirror ? 2 : 1;

    for (int k = 0; k < n_slices; k++) {
        for (int r = 0; r < n_runs; r++) {
            BgNnTensor *output = NULL;
            fill_input(job, k, r == 1);
            if (!bg_nn_cpu_run(job->cpu, &job->input, &output, NULL, job->cancellable, error))
                return FALSE;
            add_output(job, bg_nn_tensor_peek(output), k, r == 1, 1.0f / (float) n_runs);
            bg_nn_tensor_unref(output);
        }
        bg_progress_report(progress, (k + 1.0) / n_slices);
    }
    return TRUE;
}

static gboolean
start(Running *job, BgTumourModel *model, BgNnPrecision precision, GError **error)
{
    const BgGeometry *grid = &job->tumour_case->grid;
    BgNnCpuOptions options = { .precision = precision };

    job->wide = (grid->dims[0] + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    job->high = (grid->dims[1] + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    BgNnShape shape = bg_nn_shape(1, BG_N_CONTRASTS, 2, 1, (gsize) job->high, (gsize) job->wide);
    job->input = bg_nn_tensor_new(&shape, error);
    if (job->input == NULL)
        return FALSE;
    job->cpu = bg_nn_cpu_new(model->graph, model->params, &shape, 1, &options, error);
    for (int c = 0; job->cpu != NULL && c < BG_TUMOUR_CLASSES; c++) {
        job->probabilities[c] = bg_voxels_alloc(grid, sizeof(float), error);
        if (job->probabilities[c] == NULL)
            return FALSE;
        memset(job->probabilities[c], 0, bg_geometry_count_voxels(grid) * sizeof(float));
    }
    return job->cpu != NULL;
}

static void
running_clear(Running *job)
{
    g_clear_pointer(&job->cpu, bg_nn_cpu_free);
    g_clear_pointer(&job->input, bg_nn_tensor_unref);
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++)
        g_clear_pointer(&job->probabilities[c], bg_voxels_free);
}

// Background is certain where the network did not look.
static BgVolume *
bring_home(Running *job, int c, const BgGeometry *target, GError **error)
{
    g_autoptr(BgVolume) here =
        bg_volume_new_take(&job->tumour_case->grid, bg_sample_format_plain(BG_SAMPLE_FLOAT32),
                           g_steal_pointer(&job->probabilities[c]), error);
    BgResampleParams params = bg_resample_params(target);

    params.outside_value = c == 0 ? 1.0 : 0.0;
    return here == NULL ? NULL : bg_resample(here, &params, NULL, job->cancellable, error);
}

static gboolean
finish(Running *job, const BgGeometry *target, const BgTumourOptions *options,
       BgTumourResult *result, const BgProgress *progress, GError **error)
{
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++) {
        result->probabilities[c] = bring_home(job, c, target, error);
        if (result->probabilities[c] == NULL)
            return FALSE;
    }
    g_autoptr(BgLabelMap) raw = bg_labels_from_probabilities(
        result->probabilities, BG_TUMOUR_CLASSES, bg_tumour_labels, &result->confidence, error);
    if (raw == NULL)
        return FALSE;
    const BgLabelCleaning *cleaning = &options->cleaning;
    gboolean wanted = cleaning->n_largest > 0 || cleaning->least_ml > 0 || cleaning->fill_holes;
    result->labels = wanted ? bg_label_map_clean(raw, cleaning, &result->cleaned, progress,
                                                 job->cancellable, error)
                            : bg_label_map_ref(raw);
    return result->labels != NULL;
}

gboolean
bg_tumour_segment(BgTumourModel *model, const BgTumourCase *tumour_case, const BgGeometry *target,
                  const BgTumourOptions *options, BgTumourResult *result,
                  const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Running job = { .tumour_case = tumour_case,
                    .mirror = options->mirror,
                    .cancellable = cancellable };
    g_auto(BgTumourResult) found = { 0 };
    BgProgressSpan span;

    gboolean ok = start(&job, model, options->precision, error) &&
                  run_slices(&job, bg_progress_span_init(&span, progress, 0.0, 0.9), error) &&
                  finish(&job, target, options, &found,
                         bg_progress_span_init(&span, progress, 0.9, 1.0), error);
    if (ok) {
        found.flop =
            bg_nn_cpu_get_flop(job.cpu) * tumour_case->grid.dims[2] * (options->mirror ? 2 : 1);
        *result = found;
        found = (BgTumourResult){ 0 };
    }
    running_clear(&job);
    return ok;
}
