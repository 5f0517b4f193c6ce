// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-segment-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/volume/bg-resample.h"

#include <math.h>
#include <string.h>

#define MULTIPLE 16 // of a slice's sides
#define LEAST_ML 0.05
#define BLOCKS "unet3-tumour"
#define USUAL_BLOCK 64

static const char *const other_networks[] = { BLOCKS, "patch-cnn", "patch-two-path", "patch-dual",
                                              NULL };

BgTumourModel *
bg_tumour_model_load(const char *path, const BgProgress *progress, GCancellable *cancellable,
                     GError **error)
{
    g_autoptr(BgNnGraph) found = bg_nn_weights_read_graph(path, cancellable, error);
    BgNnWeightsInfo info = { 0 };

    if (found == NULL)
        return NULL;
    // Another network's weights are refused by the names of their layers.
    const char *name = bg_nn_graph_get_name(found);
    gboolean known = g_strv_contains(other_networks, name);
    const BgNetwork *network = bg_network_find(known ? name : "unet-tumour", error);
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
    model->network = network;
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

int
bg_tumour_model_get_block(const BgTumourModel *model)
{
    const BgJson *card = model->info.card;
    double side = card != NULL ? bg_json_to_double(bg_json_get(card, "crop"), USUAL_BLOCK) : 0;

    if (strcmp(bg_nn_graph_get_name(model->graph), BLOCKS) != 0)
        return 0;
    return side >= 32 && side <= 512 ? (int) side / MULTIPLE * MULTIPLE : USUAL_BLOCK;
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

static void
fill_input(const BgTumourRun *job, int k, gboolean mirrored)
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
add_output(const BgTumourRun *job, const float *found, int k, gboolean mirrored, float share)
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
run_slices(BgTumourRun *job, const BgProgress *progress, GError **error)
{
    int n_slices = job->tumour_case->grid.dims[2], n_runs = job->mirror ? 2 : 1;

    for (int k = 0; k < n_slices; k++) {
        for (int r = 0; r < n_runs; r++) {
            BgNnTensor *output = NULL;
            fill_input(job, k, r == 1);
            if (!bg_backend_network_run(job->network, &job->input, &output, NULL, job->cancellable,
                                        error))
                return FALSE;
            job->flop += bg_backend_network_get_flop(job->network);
            add_output(job, bg_nn_tensor_peek(output), k, r == 1, 1.0f / (float) n_runs);
            bg_nn_tensor_unref(output);
        }
        bg_progress_report(progress, (k + 1.0) / n_slices);
    }
    return TRUE;
}

// Blocks

typedef struct {
    int at[3]; // its first voxel in the case; may lie outside
    gboolean mirrored;
} Place;

// FALSE: nothing but background lies there.
static gboolean
fill_block(const BgTumourRun *job, const Place *place)
{
    const int *d = job->tumour_case->grid.dims;
    gsize n = bg_geometry_count_voxels(&job->tumour_case->grid), side = (gsize) job->block;
    float *to = bg_nn_tensor_data(job->input);
    gboolean any = FALSE;

    for (gsize c = 0; c < BG_N_CONTRASTS; c++) {
        for (gsize v = 0; v < side * side; v++, to += side) {
            int j = place->at[1] + (int) (v % side), k = place->at[2] + (int) (v / side);
            memset(to, 0, side * sizeof(float));
            if (j < 0 || j >= d[1] || k < 0 || k >= d[2])
                continue;
            const float *row = job->tumour_case->planes + c * n +
                               (gsize) d[0] * ((gsize) j + (gsize) d[1] * (gsize) k);
            for (int i = MAX(0, -place->at[0]); i < job->block && place->at[0] + i < d[0]; i++) {
                float value = row[place->at[0] + i];
                to[place->mirrored ? job->block - 1 - i : i] = value;
                any |= value != 0.0f;
            }
        }
    }
    return any;
}

// @found: %NULL: certain background
static void
add_block(const BgTumourRun *job, const Place *place, const float *found)
{
    const int *d = job->tumour_case->grid.dims;
    gsize side = (gsize) job->block, volume = side * side * side;

    for (gsize v = 0; v < side * side; v++) {
        int j = place->at[1] + (int) (v % side), k = place->at[2] + (int) (v / side);
        if (j < 0 || j >= d[1] || k < 0 || k >= d[2])
            continue;
        gsize row = (gsize) d[0] * ((gsize) j + (gsize) d[1] * (gsize) k);
        for (int i = MAX(0, -place->at[0]); i < job->block && place->at[0] + i < d[0]; i++) {
            gsize from = v * side + (gsize) (place->mirrored ? job->block - 1 - i : i);
            gsize to = row + (gsize) (place->at[0] + i);
            float weight = job->weights[v * side + (gsize) i];
            job->sums[to] += weight;
            for (gsize c = 0; c < BG_TUMOUR_CLASSES; c++)
                job->probabilities[c][to] += weight * (found != NULL ? found[c * volume + from]
                                                       : c == 0      ? 1.0f
                                                                     : 0.0f);
        }
    }
}

static gboolean
run_block(BgTumourRun *job, const Place *place, GError **error)
{
    BgNnTensor *outputs[BG_UNET3_N_RESULTS] = { NULL };

    if (!fill_block(job, place)) {
        add_block(job, place, NULL);
        return TRUE;
    }
    if (!bg_backend_network_run(job->network, &job->input, outputs, NULL, job->cancellable, error))
        return FALSE;
    job->flop += bg_backend_network_get_flop(job->network);
    add_block(job, place, bg_nn_tensor_peek(outputs[0]));
    for (int k = 0; k < BG_UNET3_N_RESULTS; k++)
        bg_nn_tensor_unref(outputs[k]);
    return TRUE;
}

// How many blocks lie along an axis, and where block @index begins: evenly, overlapping by half at
// least; a case that is smaller lies in the middle of one.
static int
count_blocks(int size, int block)
{
    return size <= block ? 1 : (2 * size - 1) / block;
}

static int
block_start(int size, int block, int index)
{
    int n = count_blocks(size, block);

    return n == 1 ? (size - block) / 2 : (size - block) * index / (n - 1);
}

static gboolean
run_blocks(BgTumourRun *job, const BgProgress *progress, GError **error)
{
    const int *d = job->tumour_case->grid.dims;
    int counts[3], n_runs = job->mirror ? 2 : 1;

    for (int axis = 0; axis < 3; axis++)
        counts[axis] = count_blocks(d[axis], job->block);
    int n = counts[0] * counts[1] * counts[2];
    for (int b = 0; b < n; b++) {
        int index[3] = { b % counts[0], b / counts[0] % counts[1], b / (counts[0] * counts[1]) };
        for (int r = 0; r < n_runs; r++) {
            Place place = { .mirrored = r == 1 };
            for (int axis = 0; axis < 3; axis++)
                place.at[axis] = block_start(d[axis], job->block, index[axis]);
            if (!run_block(job, &place, error))
                return FALSE;
        }
        bg_progress_report(progress, (b + 1.0) / n);
    }
    gsize n_voxels = bg_geometry_count_voxels(&job->tumour_case->grid);
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++)
        for (gsize i = 0; i < n_voxels; i++)
            job->probabilities[c][i] /= job->sums[i];
    return TRUE;
}

// A Gaussian of an eighth of the side, as nnU-Net's, but never nothing.
static gboolean
start_blocks(BgTumourRun *job, GError **error)
{
    gsize side = (gsize) job->block, n = bg_geometry_count_voxels(&job->tumour_case->grid);

    job->weights = bg_buffer_alloc_items(side * side * side, sizeof(float), error);
    job->sums = bg_buffer_alloc_items(n, sizeof(float), error);
    if (job->weights == NULL || job->sums == NULL)
        return FALSE;
    memset(job->sums, 0, n * sizeof(float));
    for (gsize v = 0; v < side * side * side; v++) {
        gsize at[3] = { v % side, v / side % side, v / (side * side) };
        double sum = 0.0;
        for (int axis = 0; axis < 3; axis++) {
            double far = ((double) at[axis] + 0.5) / (double) side - 0.5;
            sum += far * far * 64.0;
        }
        job->weights[v] = (float) MAX(exp(-0.5 * sum), 1e-3);
    }
    return TRUE;
}

// Planes whose sides are multiples of the network's, or blocks.
static gboolean
start_network(BgTumourRun *job, BgTumourModel *model, const BgEngine *engine, GError **error)
{
    const int *d = job->tumour_case->grid.dims;
    gsize side = (gsize) bg_tumour_model_get_block(model);

    job->wide = (d[0] + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    job->high = (d[1] + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    job->block = (int) side;
    BgNnShape shape = bg_nn_shape(1, BG_N_CONTRASTS, 2, 1, (gsize) job->high, (gsize) job->wide);
    if (side > 0)
        shape = bg_nn_shape(1, BG_N_CONTRASTS, 3, side, side, side);
    job->input = bg_nn_tensor_new(&shape, error);
    if (job->input == NULL)
        return FALSE;
    job->network = bg_engine_network(engine, model->graph, model->params, &shape, 1, error);
    return job->network != NULL && (side == 0 || start_blocks(job, error));
}

static gboolean
start(BgTumourRun *job, BgTumourModel *model, const BgEngine *engine, GError **error)
{
    const BgGeometry *grid = &job->tumour_case->grid;

    for (int c = 0; c < BG_TUMOUR_CLASSES; c++) {
        job->probabilities[c] = bg_voxels_alloc(grid, sizeof(float), error);
        if (job->probabilities[c] == NULL)
            return FALSE;
        memset(job->probabilities[c], 0, bg_geometry_count_voxels(grid) * sizeof(float));
    }
    job->patches = g_str_has_prefix(model->network->name, "patch-");
    return job->patches ? bg_tumour_start_patches(job, model, engine, error)
                        : start_network(job, model, engine, error);
}

static void
running_clear(BgTumourRun *job)
{
    g_clear_pointer(&job->network, bg_backend_network_free);
    g_clear_pointer(&job->input, bg_nn_tensor_unref);
    g_clear_pointer(&job->centre, bg_nn_tensor_unref);
    bg_buffer_free(job->weights);
    bg_buffer_free(job->sums);
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++)
        g_clear_pointer(&job->probabilities[c], bg_voxels_free);
}

// Background is certain where the network did not look.
static BgVolume *
bring_home(BgTumourRun *job, int c, const BgGeometry *target, GError **error)
{
    g_autoptr(BgVolume) here =
        bg_volume_new_take(&job->tumour_case->grid, bg_sample_format_plain(BG_SAMPLE_FLOAT32),
                           g_steal_pointer(&job->probabilities[c]), error);
    BgResampleParams params = bg_resample_params(target);

    params.outside_value = c == 0 ? 1.0 : 0.0;
    return here == NULL ? NULL : bg_resample(here, &params, NULL, job->cancellable, error);
}

static gboolean
finish(BgTumourRun *job, const BgGeometry *target, const BgTumourOptions *options,
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
    BgTumourRun job = { .tumour_case = tumour_case,
                        .mirror = options->mirror,
                        .cancellable = cancellable };
    g_auto(BgTumourResult) found = { 0 };
    BgProgressSpan span;

    gboolean ok = start(&job, model, &options->engine, error);
    const BgProgress *running = bg_progress_span_init(&span, progress, 0.0, 0.9);
    ok = ok &&
         (job.patches     ? bg_tumour_run_patches(&job, running, error)
          : job.block > 0 ? run_blocks(&job, running, error)
                          : run_slices(&job, running, error)) &&
         finish(&job, target, options, &found, bg_progress_span_init(&span, progress, 0.9, 1.0),
                error);
    if (ok) {
        found.flop = job.flop;
        found.backend = bg_backend_network_get_name(job.network);
        *result = found;
        found = (BgTumourResult){ 0 };
    }
    running_clear(&job);
    return ok;
}
