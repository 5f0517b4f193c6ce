// SPDX-License-Identifier: Apache-2.0
// The CUDA executor of networks, layer by layer and whole: against the float64 reference. Run with the
// device in host memory, where cuDNN's part is plain loops that check their arguments, and on a real one.
#include "../support/bg-fixed-numbers.h"
#include "../support/bg-nn-rows.h"
#include "backend-main.h"
#include "core/base/bg-random.h"
#include "core/fusion/bg-fusion.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/nn/bg-nn-tape.h"
#include "core/phantom/bg-phantom.h"
#include "core/segment/bg-tumour-data.h"
#include "core/segment/bg-tumour-segment.h"

#include <string.h>

static BgBackend *backend; // NULL: there is no device

// Mean square of the differences by that of the values: of each precision, a layer and a network.
static const struct {
    const char *name;
    BgNnPrecision precision;
    double layer, network;
} bounds[] = {
    { "float32", BG_NN_FLOAT32, 1e-10, 1e-9 },
    { "tf32", BG_NN_TF32, 2e-6, 1e-4 },
    { "bfloat16", BG_NN_BFLOAT16, 4e-5, 2e-2 },
};

/** Case: a network with numbers in it */
typedef struct {
    const char *name;
    BgNnGraph *graph;
    BgNnParams *params;
    int n_inputs;
    BgNnShape shapes[BG_NN_MAX_INPUTS];
    BgNnTensor *in32[BG_NN_MAX_INPUTS];
    double *in64[BG_NN_MAX_INPUTS];
} Case;

static void
case_fill(Case *c)
{
    g_autoptr(GError) error = NULL;

    c->params = bg_nn_params_new(c->graph, c->shapes, c->n_inputs, BG_NN_INIT_HE, 0, 3, &error);
    g_assert_no_error(error);
    fill_fixed(c->params);
    for (int i = 0; i < c->n_inputs; i++) {
        c->in32[i] = fixed_input(&c->shapes[i], i);
        gsize count = bg_nn_tensor_count(c->in32[i]);
        c->in64[i] = g_new(double, count);
        for (gsize k = 0; k < count; k++)
            c->in64[i][k] = (double) bg_nn_tensor_peek(c->in32[i])[k];
    }
}

static void
case_clear(Case *c)
{
    for (int i = 0; i < c->n_inputs; i++) {
        bg_nn_tensor_unref(c->in32[i]);
        g_free(c->in64[i]);
    }
    bg_nn_params_unref(c->params);
    bg_nn_graph_unref(c->graph);
}

static void
assert_close(const Case *c, const char *what, const BgNnTensor *ours, const double *theirs,
             double bound)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < bg_nn_tensor_count(ours); i++) {
        double d = (double) bg_nn_tensor_peek(ours)[i] - theirs[i];
        error += d * d;
        power += theirs[i] * theirs[i];
    }
    if (!(error <= bound * power + 1e-24)) {
        g_autofree char *shape = bg_nn_shape_to_string(&c->shapes[0]);
        g_test_message("%s at %s: %s: NMSE %g", c->name, shape, what, error / power);
        g_test_fail();
    }
}

// Twice, so that what a run leaves behind would show.
static void
check(Case *c, BgNnPrecision precision, const char *what, double bound)
{
    g_autoptr(GError) error = NULL;
    BgBackendNetworkSpec spec = { c->shapes, c->n_inputs, precision };
    g_autoptr(BgBackendNetwork) network =
        bg_backend_network_new(backend, c->graph, c->params, &spec, &error);
    g_autoptr(BgNnTape64) tape =
        bg_nn_tape64_new(c->graph, c->params, c->shapes, c->n_inputs, NULL);
    int n_outputs = bg_nn_graph_count_outputs(c->graph);
    g_autofree BgNnTensor **outputs = g_new0(BgNnTensor *, (gsize) n_outputs);

    g_assert_no_error(error);
    g_assert_cmpstr(bg_backend_network_get_name(network), ==, "cuda");
    g_assert_true(
        bg_nn_tape64_forward(tape, (const double *const *) c->in64, FALSE, 0, NULL, NULL));
    for (int run = 0; run < 2; run++) {
        g_assert_true(bg_backend_network_run(network, c->in32, outputs, NULL, NULL, &error));
        for (int k = 0; k < n_outputs; k++) {
            int layer = bg_nn_graph_get_output(c->graph, k);
            g_assert_true(bg_nn_shape_equal(bg_nn_tensor_get_shape(outputs[k]),
                                            bg_nn_tape64_get_shape(tape, layer)));
            assert_close(c, what, outputs[k], bg_nn_tape64_get(tape, layer), bound);
            bg_nn_tensor_unref(outputs[k]);
        }
    }
}

static void
test_row(gconstpointer data)
{
    const Row *row = data;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    for (int size = 0; size < 3 && row->sizes[size][2] != 0; size++) {
        Case c = { .name = row->name, .n_inputs = MAX(row->n_inputs, 1) };
        BgNnLayer layer = row->layer;
        c.graph = bg_nn_graph_new(row->name);
        layer.name = "it";
        layer.n_inputs = c.n_inputs;
        for (int i = 0; i < c.n_inputs; i++) {
            gsize channels = row->channels + (layer.kind == BG_NN_CONCAT ? (gsize) i : 0);
            g_autofree char *name = g_strdup_printf("in%d", i);
            c.shapes[i] = bg_nn_shape(row->n, channels, row->n_space, row->sizes[size][0],
                                      row->sizes[size][1], row->sizes[size][2]);
            layer.inputs[i] = bg_nn_graph_input(c.graph, name, (int) channels, row->n_space);
        }
        bg_nn_graph_add_output(c.graph, bg_nn_graph_add(c.graph, &layer));
        case_fill(&c);
        for (gsize p = 0; p < (size == 0 ? G_N_ELEMENTS(bounds) : 1); p++)
            check(&c, bounds[p].precision, bounds[p].name, bounds[p].layer);
        case_clear(&c);
    }
}

// ------------------------------------------------------------------------------------------------

static BgNnGraph *
small_unet(void)
{
    return bg_unet_graph(&(BgUnet){ .n_in = 2, .n_out = 3, .width = 8, .n_levels = 3 });
}

static BgNnGraph *
small_transposed_unet(void)
{
    return bg_unet_graph(
        &(BgUnet){ .n_in = 1, .n_out = 2, .width = 6, .n_levels = 2, .transposed = TRUE });
}

static const struct {
    const char *name;
    BgNnGraph *(*graph)(void);
    int n_inputs;
    gsize channels, y, x;
} networks[] = {
    { "unet", small_unet, 1, 2, 16, 24 },
    { "unet-transposed", small_transposed_unet, 1, 1, 20, 12 },
    { "funfuse", bg_funfuse_graph, 2, 1, 9, 11 },
    { "scatter", bg_scatter_graph, 1, 1, 16, 16 },
};

static void
test_network(gconstpointer data)
{
    gsize index = GPOINTER_TO_SIZE(data);

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    Case c = { .name = networks[index].name,
               .graph = networks[index].graph(),
               .n_inputs = networks[index].n_inputs };
    for (int i = 0; i < c.n_inputs; i++)
        c.shapes[i] =
            bg_nn_shape(1, networks[index].channels, 2, 1, networks[index].y, networks[index].x);
    case_fill(&c);
    for (gsize p = 0; p < G_N_ELEMENTS(bounds); p++)
        check(&c, bounds[p].precision, bounds[p].name, bounds[p].network);
    case_clear(&c);
}

// The shipped model's labels in bfloat16 are those in float32 on 99.9 % of the pixels of the slice
// with most of a tumour.
#define COARSE_MM 16.0 // a head in a few slices
#define FUSED_SIDE 24
#define STEP 4 // of the slices among which the fullest is taken

static BgTumourCase *
make_head(double spacing_mm, GError **error)
{
    BgPhantomParams wanted = { .kind = BG_PHANTOM_HEAD, .size = 100, .seed = 3, .tumour = TRUE };
    g_autoptr(BgPhantom) head = bg_phantom_new(&wanted, NULL, NULL, error);
    BgTumourParams params = { .spacing_mm = spacing_mm,
                              .align = BG_TUMOUR_ALIGN_NEVER,
                              .as_given = TRUE };
    BgVolume *contrasts[BG_N_CONTRASTS];

    g_assert_nonnull(head);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        contrasts[c] = bg_phantom_find(head, bg_contrast_name((BgContrast) c))->volume;
    return bg_tumour_case_new(contrasts, &params, NULL, NULL, error);
}

static gsize
count_tumour(const BgNnTensor *probabilities, guint8 *labels)
{
    const float *p = bg_nn_tensor_peek(probabilities);
    gsize n = bg_nn_tensor_count(probabilities) / BG_TUMOUR_CLASSES, n_tumour = 0;

    for (gsize i = 0; i < n; i++) {
        labels[i] = 0;
        for (gsize c = 1; c < BG_TUMOUR_CLASSES; c++)
            labels[i] = p[c * n + i] > p[labels[i] * n + i] ? (guint8) c : labels[i];
        n_tumour += labels[i] != 0;
    }
    return n_tumour;
}

static void
fill_slice(const BgTumourCase *head, int k, BgNnTensor *input)
{
    const int *d = head->grid.dims;
    const BgNnShape *shape = bg_nn_tensor_get_shape(input);
    float *to = bg_nn_tensor_data(input);

    memset(to, 0, bg_nn_tensor_count(input) * sizeof(float));
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        for (int j = 0; j < d[1]; j++)
            memcpy(to + ((gsize) c * shape->dims[2] + (gsize) j) * shape->dims[3],
                   head->planes +
                       (((gsize) c * (gsize) d[2] + (gsize) k) * (gsize) d[1] + (gsize) j) *
                           (gsize) d[0],
                   (gsize) d[0] * sizeof(float));
}

static char *
model_path(const char *name)
{
    return g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "data", "models", name, NULL);
}

static void
test_labels(void)
{
    g_autofree char *path = model_path("tumour.h5");
    const BgNetwork *network = bg_network_find("unet-tumour", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(GError) error = NULL;
    gsize n_tumour = 0;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    g_autoptr(BgNnParams) params = bg_network_load(network, graph, path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgTumourCase) head = make_head(2.0, &error);
    g_assert_no_error(error);
    const int *d = head->grid.dims;
    BgNnShape shape = bg_nn_shape(1, BG_N_CONTRASTS, 2, 1, (gsize) (d[1] + 15) / 16 * 16,
                                  (gsize) (d[0] + 15) / 16 * 16);
    g_autoptr(BgNnTensor) input = bg_nn_tensor_new(&shape, &error);
    gsize n = shape.dims[2] * shape.dims[3];
    g_autofree guint8 *exact = g_malloc(n), *rounded = g_malloc(n);
    g_autoptr(BgNnCpu) cpu = bg_nn_cpu_new(graph, params, &shape, 1, NULL, &error);
    g_autoptr(BgNnTensor) a = NULL;
    int fullest = 0;
    for (int k = 0; k < d[2]; k += STEP) {
        g_autoptr(BgNnTensor) found = NULL;
        fill_slice(head, k, input);
        g_assert_true(bg_nn_cpu_run(cpu, &input, &found, NULL, NULL, &error));
        gsize n_here = count_tumour(found, rounded);
        if (n_here > n_tumour) {
            n_tumour = n_here;
            fullest = k;
            g_clear_pointer(&a, bg_nn_tensor_unref);
            a = g_steal_pointer(&found);
        }
    }
    g_assert_nonnull(a);
    fill_slice(head, fullest, input);
    count_tumour(a, exact);
    g_assert_cmpuint(n_tumour, >, n / 100);
    BgBackend *const backends[] = { backend, bg_backend_get_cpu() };
    for (gsize k = 0; k < G_N_ELEMENTS(backends); k++) {
        BgEngine engine = { backends[k], BG_NN_BFLOAT16 };
        g_autoptr(BgBackendNetwork) device =
            bg_engine_network(&engine, graph, params, &shape, 1, &error);
        g_autoptr(BgNnTensor) b = NULL;
        gsize n_other = 0;
        g_assert_no_error(error);
        g_assert_true(bg_backend_network_run(device, &input, &b, NULL, NULL, &error));
        count_tumour(b, rounded);
        for (gsize i = 0; i < n; i++)
            n_other += exact[i] != rounded[i];
        g_test_message("%s: %zu pixels, %zu of the tumour, %zu with another label",
                       bg_backend_network_get_name(device), n, n_tumour, n_other);
        g_assert_cmpuint(n_other, <=, n / 1000);
        g_assert_true(memcmp(bg_nn_tensor_peek(a), bg_nn_tensor_peek(b), n * sizeof(float)) != 0);
    }
}

static float *
values_of(BgVolume *volume)
{
    const int *d = bg_volume_get_geometry(volume)->dims;
    float *values = g_new(float, bg_geometry_count_voxels(bg_volume_get_geometry(volume))),
          *to = values;

    for (int k = 0; k < d[2]; k++)
        for (int j = 0; j < d[1]; j++)
            for (int i = 0; i < d[0]; i++)
                *to++ = (float) bg_volume_get_value(volume, i, j, k);
    return values;
}

// What the programs call: the whole of it on the device is that on the processor.
static void
test_tumour(void)
{
    g_autofree char *path = model_path("tumour.h5");
    g_autoptr(GError) error = NULL;
    g_auto(BgTumourResult) there = { 0 }, here = { 0 };
    BgTumourOptions options = bg_tumour_options();

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    options.mirror = FALSE;
    g_autoptr(BgTumourModel) model = bg_tumour_model_load(path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgTumourCase) head = make_head(COARSE_MM, &error);
    g_assert_no_error(error);
    g_assert_true(bg_tumour_segment(model, head, &head->grid, &options, &here, NULL, NULL, &error));
    options.engine.backend = backend;
    g_assert_true(
        bg_tumour_segment(model, head, &head->grid, &options, &there, NULL, NULL, &error));
    gsize n = bg_geometry_count_voxels(&head->grid), n_changing = 0;
    g_assert_cmpstr(here.backend, ==, "cpu");
    g_assert_cmpstr(there.backend, ==, "cuda");
    g_assert_cmpfloat(there.flop, ==, here.flop);
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++) {
        g_autofree float *a = values_of(here.probabilities[c]);
        g_autofree float *b = values_of(there.probabilities[c]);
        for (gsize i = 0; i < n; i++) {
            g_assert_cmpfloat_with_epsilon((double) a[i], (double) b[i], 1e-3);
            n_changing += a[i] > 0.01f && a[i] < 0.99f;
        }
    }
    g_assert_cmpuint(n_changing, >, n / 100);
}

static void
test_fusion(void)
{
    g_autofree char *path = model_path("fusion.h5");
    g_autoptr(GError) error = NULL;
    g_autoptr(BgFusionModel) model = NULL;
    BgRandom random = bg_random(5, 0);

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    BgChannel *pair[2];
    for (int k = 0; k < 2; k++) {
        pair[k] = bg_channel_new(FUSED_SIDE, FUSED_SIDE, &error);
        for (gsize i = 0; i < bg_channel_count(pair[k]); i++)
            pair[k]->values[i] = (float) bg_random_uniform(&random);
    }
    BgFusionParams params = bg_fusion_params(BG_FUSION_LEARNED);
    BgFusionResult results[2] = { { 0 }, { 0 } };
    model = bg_fusion_model_load(BG_FUSION_LEARNED, path, NULL, NULL, &error);
    g_assert_no_error(error);
    for (int k = 0; k < 2; k++) {
        bg_fusion_model_set_engine(model, &(BgEngine){ k == 0 ? NULL : backend, BG_NN_FLOAT32 });
        g_assert_true(bg_fuse((const BgChannel *const *) pair, 2, &params, model, &results[k], NULL,
                              NULL, &error));
        g_assert_cmpstr(bg_fusion_model_get_backend(model), ==, k == 0 ? "cpu" : "cuda");
    }
    for (gsize i = 0; i < bg_channel_count(pair[0]); i++)
        g_assert_cmpfloat_with_epsilon((double) results[0].fused->values[i],
                                       (double) results[1].fused->values[i], 1e-4);
    for (int k = 0; k < 2; k++) {
        bg_fusion_result_clear(&results[k]);
        bg_channel_free(pair[k]);
    }
}

static void
test_refuses(void)
{
    g_autoptr(BgNnGraph) graph = small_unet();
    BgNnShape shape = bg_nn_shape(1, 2, 2, 1, 16, 16), other = bg_nn_shape(1, 2, 2, 1, 24, 16);
    BgNnShape wrong = bg_nn_shape(1, 3, 2, 1, 16, 16);
    g_autoptr(BgNnParams) params = bg_nn_params_new(graph, &shape, 1, BG_NN_INIT_HE, 0, 1, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    BgNnTensor *out = NULL;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    g_assert_null(bg_backend_network_new(
        backend, graph, params, &(BgBackendNetworkSpec){ &wrong, 1, BG_NN_FLOAT32 }, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_clear_error(&error);
    g_autoptr(BgBackendNetwork) network = bg_backend_network_new(
        backend, graph, params, &(BgBackendNetworkSpec){ &shape, 1, BG_NN_FLOAT32 }, &error);
    g_assert_no_error(error);
    g_autoptr(BgNnTensor) larger = fixed_input(&other, 0), right = fixed_input(&shape, 0);
    g_assert_false(bg_backend_network_run(network, &larger, &out, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_clear_error(&error);
    g_cancellable_cancel(cancellable);
    g_assert_false(bg_backend_network_run(network, &right, &out, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_null(out);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    backend = open_backend();

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strdup_printf("/backend/network/%s", rows[i].name);
        g_test_add_data_func(name, &rows[i], test_row);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autofree char *name = g_strdup_printf("/backend/network/whole-%s", networks[i].name);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_network);
    }
    g_test_add_func("/backend/network/labels", test_labels);
    g_test_add_func("/backend/network/tumour", test_tumour);
    g_test_add_func("/backend/network/fusion", test_fusion);
    g_test_add_func("/backend/network/refuses", test_refuses);

    int status = g_test_run();
    bg_backend_free(backend);
    return status;
}
