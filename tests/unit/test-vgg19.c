// SPDX-License-Identifier: Apache-2.0
#include "core/learn/bg-vgg19.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/nn/bg-nn-tape.h"

#include <math.h>
#include <string.h>

#define SIDE 64

// Computed with SciPy and PyTorch from the same file: mean, greatest, first five channels at the
// first pixel and at the middle one; after the rectifier.
typedef struct {
    const char *layer;
    int size, channels;
    double mean, most, first[5], centre[5];
} Expected;

static const Expected expected[] = {
    { "block1_relu2",
      64,
      64,
      158.63,
      3139.75,
      { 0, 0, 134.673, 0, 60.471 },
      { 0, 0, 0, 10.8253, 0 } },
    { "block2_relu2",
      32,
      128,
      307.853,
      7268.63,
      { 80.8874, 122.187, 0, 0, 0 },
      { 1961.39, 0, 0, 1040.79, 772.332 } },
    { "block3_relu2",
      16,
      256,
      458.787,
      11013.1,
      { 546.095, 383.705, 118.175, 71.8339, 67.4537 },
      { 3071.85, 590.707, 0, 264.284, 0 } },
};

static char *
weights_path(void)
{
    const char *shared = g_getenv("BREGMA_TEST_SHARED");
    g_autofree char *path =
        shared == NULL ? NULL : g_build_filename(shared, "weights", "vgg19_notop_8bit_gz.h5", NULL);

    return path != NULL && g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path) : NULL;
}

// The ramp of the stored numbers: B, G, R = (7x+3y), (5x+11y), (2x+13y) mod 256; ours is R, G, B.
static BgNnTensor *
make_ramp(void)
{
    BgNnShape shape = bg_nn_shape(1, 3, 2, 1, SIDE, SIDE);
    BgNnTensor *tensor = bg_nn_tensor_new(&shape, NULL);
    float *data = bg_nn_tensor_data(tensor);

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int values[3] = { (2 * x + 13 * y) % 256, (5 * x + 11 * y) % 256,
                              (7 * x + 3 * y) % 256 };
            for (int c = 0; c < 3; c++)
                data[(c * SIDE + y) * SIDE + x] = (float) values[c] / 255.0f;
        }
    bg_vgg19_normalise(data, SIDE * SIDE, BG_VGG19_CAFFE);
    return tensor;
}

static void
check(const Expected *e, const float *values)
{
    gsize space = (gsize) e->size * (gsize) e->size, count = space * (gsize) e->channels;
    gsize centre = (gsize) (e->size / 2) * (gsize) e->size + (gsize) (e->size / 2);
    double sum = 0, most = 0;

    for (gsize i = 0; i < count; i++) {
        sum += (double) values[i];
        most = MAX(most, (double) values[i]);
    }
    g_assert_cmpfloat_with_epsilon(sum / (double) count, e->mean, 1e-5 * e->mean);
    g_assert_cmpfloat_with_epsilon(most, e->most, 1e-5 * e->most);
    for (gsize c = 0; c < 5; c++) {
        g_assert_cmpfloat_with_epsilon((double) values[c * space], e->first[c], 1e-5 * e->most);
        g_assert_cmpfloat_with_epsilon((double) values[c * space + centre], e->centre[c],
                                       1e-5 * e->most);
    }
}

static void
test_activations(void)
{
    g_autofree char *path = weights_path();
    g_autoptr(BgNnGraph) graph = bg_vgg19_graph();
    g_autoptr(GError) error = NULL;
    BgNnTensor *outputs[2 * BG_VGG19_N_LEVELS] = { NULL };
    BgNnWeightsInfo info = { 0 };

    if (path == NULL) {
        g_test_skip("no weights");
        return;
    }
    g_autoptr(BgNnParams) params = bg_vgg19_load(graph, path, &info, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(info.kind, ==, BG_NN_WEIGHTS_KERAS);
    g_assert_cmpint(info.n_used, ==, 20);
    g_assert_cmpint(info.n_unused, ==, 12);
    g_assert_cmpstr(info.sha256, ==,
                    "1f90a361b700a9790ddd21f16f52ec045f9258ee5b52126e8e6525a40fc56fcc");
    g_autoptr(BgNnTensor) ramp = make_ramp();
    g_autoptr(BgNnCpu) cpu =
        bg_nn_cpu_new(graph, params, bg_nn_tensor_get_shape(ramp), 1, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(bg_nn_cpu_run(cpu, &ramp, outputs, NULL, NULL, &error));
    g_assert_no_error(error);
    for (int level = 0; level < 3; level++)
        check(&expected[level], bg_nn_tensor_peek(outputs[bg_vgg19_output(level, TRUE)]));
    // Before the rectifier: the same, and negative numbers too.
    for (int level = 0; level < BG_VGG19_N_LEVELS; level++) {
        const float *before = bg_nn_tensor_peek(outputs[bg_vgg19_output(level, FALSE)]);
        const float *after = bg_nn_tensor_peek(outputs[bg_vgg19_output(level, TRUE)]);
        gsize n_negative = 0;
        for (gsize i = 0; i < bg_nn_tensor_count(outputs[2 * level]); i++) {
            n_negative += before[i] < 0;
            g_assert_cmpfloat(after[i], ==, MAX(before[i], 0));
        }
        g_assert_cmpuint(n_negative, >, 1000);
    }
    for (int k = 0; k < 2 * BG_VGG19_N_LEVELS; k++)
        bg_nn_tensor_unref(outputs[k]);
    bg_nn_weights_info_clear(&info);
}

static void
test_count(void)
{
    g_autoptr(BgNnGraph) graph = bg_vgg19_graph();
    g_autoptr(BgNnParams) params = bg_vgg19_params(graph, NULL);

    g_assert_cmpuint(bg_nn_params_count_values(params, FALSE), ==, 5865536);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vgg19/activations", test_activations);
    g_test_add_func("/vgg19/count", test_count);
    return g_test_run();
}
