// SPDX-License-Identifier: Apache-2.0
// Pictures of skin through networks whose weights are made so that the result is known.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/learn/bg-networks.h"
#include "core/segment/bg-lesion.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct {
    char *folder, *path;
    const BgNetwork *network;
    BgNnGraph *graph;
    BgNnParams *params;
} Fixture;

static void
fixture_init(Fixture *f, const char *network)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("bregma-lesion-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->folder, "weights.h5", NULL);
    f->network = bg_network_find(network, &error);
    f->graph = f->network->graph();
    f->params = bg_network_params(f->network, 1, &error);
    g_assert_no_error(error);
    for (int i = 0; i < bg_nn_params_count(f->params); i++) {
        BgNnTensor *tensor = bg_nn_params_get(f->params, i);
        memset(bg_nn_tensor_data(tensor), 0, bg_nn_tensor_count(tensor) * sizeof(float));
    }
}

static void
fixture_clear(Fixture *f)
{
    g_remove(f->path);
    g_rmdir(f->folder);
    bg_nn_params_unref(f->params);
    bg_nn_graph_unref(f->graph);
    g_free(f->path);
    g_free(f->folder);
}

static float *
values(Fixture *f, const char *layer, BgNnRole role)
{
    int index = bg_nn_params_find_role(f->params, layer, role);

    g_assert_cmpint(index, >=, 0);
    return bg_nn_tensor_data(bg_nn_params_get(f->params, index));
}

// The middle tap from channel `from` of `n` to channel 0 of a kernel of 3 x 3.
static void
pass(Fixture *f, const char *layer, gsize from)
{
    values(f, layer, BG_NN_ROLE_WEIGHT)[from * 9 + 4] = 1.0f;
}

static void
save(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    bg_nn_weights_save(f->path, f->graph, f->params, NULL, TRUE, NULL, &error);
    g_assert_no_error(error);
}

// A rectangle of `inside` on `outside`, u0 <= u <= u1, v0 <= v <= v1, in each channel.
static BgImage *
rectangle(int width, int height, int n_channels, const int *box, guint8 inside, guint8 outside)
{
    BgImageFormat format = { width, height, n_channels, BG_PIXEL_UINT8 };
    gsize count = (gsize) width * (gsize) height * (gsize) n_channels;
    guint8 *pixels = bg_buffer_alloc(count, NULL);

    for (int v = 0; v < height; v++)
        for (int u = 0; u < width; u++)
            memset(pixels + (gsize) (v * width + u) * (gsize) n_channels,
                   u >= box[0] && v >= box[1] && u <= box[2] && v <= box[3] ? inside : outside,
                   (gsize) n_channels);
    BgImage *image = bg_image_new_take(&format, pixels, NULL);
    g_assert_nonnull(image);
    return image;
}

// What is above the mean by a deviation is the lesion: through the first level, across, and out.
static void
make_bright(Fixture *f)
{
    fixture_init(f, "lesion-unet");
    pass(f, "down0_conv1", 0);
    pass(f, "down0_conv2", 0);
    pass(f, "up0_conv1", 64); // behind what came up
    pass(f, "up0_conv2", 0);
    values(f, "lesion", BG_NN_ROLE_WEIGHT)[0] = 20.0f;
    values(f, "lesion", BG_NN_ROLE_BIAS)[0] = -20.0f;
    save(f);
}

static void
test_outline(void)
{
    static const int box[4] = { 96, 40, 191, 119 }; // of 480 x 384: 48..95, 20..59 of 240 x 192
    g_autoptr(GError) error = NULL;
    Fixture f;

    make_bright(&f);
    for (int n_channels = 1; n_channels <= 3; n_channels += 2) {
        g_autoptr(BgImage) picture = rectangle(480, 384, n_channels, box, 200, 50);
        BgLesionParams params = { .threshold = 0.5 };
        g_auto(BgLesionOutline) found = { 0 };
        bg_lesion_find_outline(picture, f.path, &params, &found, NULL, NULL, &error);
        g_assert_no_error(error);
        double part = 96.0 * 80.0 / (480.0 * 384.0);
        g_assert_cmpfloat_with_epsilon(found.mean, 50.0 + 150.0 * part, 1e-3);
        g_assert_cmpfloat_with_epsilon(found.deviation, 150.0 * sqrt(part * (1.0 - part)), 1e-3);
        for (int i = 0; i < 4; i++)
            g_assert_cmpint(abs(found.box[i] - box[i]), <=, 1);
        g_assert_cmpfloat_with_epsilon(found.share, part, 0.002);
        const guint8 *mask = bg_image_get_pixels(found.mask);
        g_assert_cmpint(mask[80 * 480 + 140], ==, 255);
        g_assert_cmpint(mask[80 * 480 + 80], ==, 0);
        g_assert_cmpint(mask[140 * 480 + 140], ==, 0);
        g_assert_cmpfloat(found.likelihood->values[80 * 480 + 140], >, 0.99f);
        g_assert_cmpfloat(found.likelihood->values[10], <, 0.01f);
        g_assert_cmpint(strlen(found.run.sha256), ==, 64);
    }
    // Scored by others' mean and deviation nothing of it is bright.
    g_autoptr(BgImage) picture = rectangle(300, 200, 1, box, 200, 50);
    BgLesionParams others = { .mean = 190.0, .deviation = 40.0, .threshold = 0.5 };
    g_auto(BgLesionOutline) none = { 0 };
    bg_lesion_find_outline(picture, f.path, &others, &none, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(none.share, ==, 0.0);
    g_assert_cmpfloat(none.mean, ==, 190.0);
    fixture_clear(&f);
}

static void
test_refused(void)
{
    static const int box[4] = { 0 };
    g_autoptr(BgImage) flat = rectangle(64, 48, 1, box, 90, 90);
    BgLesionParams params = { .threshold = 0.5 };
    g_autoptr(GError) error = NULL, grey = NULL, other = NULL;
    g_auto(BgLesionRun) run = { 0 };
    double malignant;
    Fixture f;

    make_bright(&f);
    g_auto(BgLesionOutline) found = { 0 };
    g_assert_false(bg_lesion_find_outline(flat, f.path, &params, &found, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_assert_false(
        bg_lesion_classify(flat, f.path, &(BgEngine){ 0 }, &malignant, &run, NULL, NULL, &grey));
    g_assert_error(grey, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_autoptr(BgImage) colours = rectangle(64, 48, 3, box, 90, 80);
    g_assert_false(bg_lesion_classify(colours, f.path, &(BgEngine){ 0 }, &malignant, &run, NULL,
                                      NULL, &other));
    g_assert_error(other, BG_ERROR, BG_ERROR_MISMATCH);
    fixture_clear(&f);
}

// The greatest red of each seventh, over all of them.
static void
test_classify(void)
{
    static const int half[4] = { 0, 0, 223, 447 }; // of 448 x 448: exact in 224 and its halves
    g_autoptr(BgImage) picture = rectangle(448, 448, 3, half, 204, 51);
    g_auto(BgLesionRun) run = { 0 };
    g_autoptr(GError) error = NULL;
    double malignant = -1.0;
    Fixture f;

    fixture_init(&f, "lesion-classifier");
    for (int block = 1; block <= 5; block++)
        for (int i = 1; i <= (block < 3 ? 2 : 3); i++) {
            g_autofree char *conv = g_strdup_printf("block%d_conv%d", block, i);
            pass(&f, conv, 0);
        }
    for (int i = 0; i < 49; i++)
        values(&f, "dense_1", BG_NN_ROLE_WEIGHT)[i] = 1.0f / 49.0f; // channel 0 lies first
    values(&f, "dense_2", BG_NN_ROLE_WEIGHT)[0] = 4.0f;
    values(&f, "dense_2", BG_NN_ROLE_BIAS)[0] = -1.0f;
    save(&f);
    bg_lesion_classify(picture, f.path, &(BgEngine){ 0 }, &malignant, &run, NULL, NULL, &error);
    g_assert_no_error(error);
    double mean = (4.0 * 0.8 + 3.0 * 0.2) / 7.0; // the border of 112 lies in the fourth column
    g_assert_cmpfloat_with_epsilon(malignant, 1.0 / (1.0 + exp(1.0 - 4.0 * mean)), 1e-5);
    g_assert_cmpint(strlen(run.sha256), ==, 64);
    fixture_clear(&f);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lesion/outline", test_outline);
    g_test_add_func("/lesion/refused", test_refused);
    g_test_add_func("/lesion/classify", test_classify);
    return g_test_run();
}
