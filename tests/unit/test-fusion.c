// SPDX-License-Identifier: Apache-2.0
// Fused pictures against numpy (tests/reference/make-fusion-numbers.py). What needs VGG-19 is skipped
// without the folder of test data.
#include "../support/bg-fixed-numbers.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/fusion/bg-fusion.h"
#include "core/io/bg-image-io.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-tape.h"

#include "tests/reference/fusion-numbers.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4

static BgChannel *
make_channel(int width, int height, int seed)
{
    BgChannel *channel = bg_channel_new(width, height, NULL);

    for (gint64 v = 0; v < height; v++) {
        for (gint64 u = 0; u < width; u++) {
            gint64 h = (u * 7919 + v * 104729 + u * v * 31 + seed * 1299709) % 61;
            gint64 p = (u * (3 + seed)) % 64 - 32, q = (v * 5 + 11 * seed) % 80 - 40;
            gboolean inside = u >= 5 && v >= 5 && u < width - 5 && v < height - 5;
            channel->values[u + width * v] =
                inside ? (float) ((h + p * p / 8 + q * q / 16) % 256) / 255.0f : 0.0f;
        }
    }
    return channel;
}

static char *
shared_file(const char *folder, const char *name)
{
    const char *shared = g_getenv("BREGMA_TEST_SHARED");
    g_autofree char *path = shared != NULL ? g_build_filename(shared, folder, name, NULL) : NULL;

    return path != NULL && g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path) : NULL;
}

// Rows 80 to 167, columns 60 to 155 of a picture of the test data.
static BgChannel *
read_part(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".png", NULL);
    g_autofree char *path = shared_file("fusion2d", file);
    g_autoptr(BgImage) image = path != NULL ? bg_png_load(path, NULL) : NULL;

    if (image == NULL)
        return NULL;
    g_autoptr(BgChannel) whole = bg_channel_luma(image, NULL);
    BgChannel *part = bg_channel_new(96, 88, NULL);
    for (int v = 0; v < 88; v++)
        memcpy(part->values + 96 * v, whole->values + (80 + v) * whole->width + 60,
               96 * sizeof(float));
    return part;
}

static int
read_sources(const char *name, BgChannel **sources)
{
    if (strcmp(name, "made") == 0) {
        sources[0] = make_channel(61, 53, 1);
        sources[1] = make_channel(61, 53, 2);
        return 2;
    }
    if (strcmp(name, "three") == 0) {
        for (int s = 0; s < 3; s++)
            sources[s] = make_channel(40, 44, s + 1);
        return 3;
    }
    g_auto(GStrv) names = g_strsplit(name, " ", 2);
    sources[0] = read_part(names[0]);
    sources[1] = read_part(names[1]);
    return sources[0] != NULL && sources[1] != NULL ? 2 : 0;
}

// Of the first layer, and of all: read once.
static BgFusionModel *models[2];

static BgFusionModel *
load_model(BgFusionMethod method)
{
    g_autofree char *path = shared_file("weights", "vgg19_notop_8bit_gz.h5");
    BgFusionModel **model = &models[method == BG_FUSION_TWO_SCALE ? 0 : 1];
    g_autoptr(GError) error = NULL;

    if (*model == NULL && path != NULL)
        *model = bg_fusion_model_load(method, path, NULL, NULL, &error);
    g_assert_no_error(error);
    return *model != NULL ? bg_fusion_model_ref(*model) : NULL;
}

static void
check_row(gsize row, const BgFusionParams *params, BgFusionModel *model)
{
    BgChannel *sources[3] = { NULL };
    int n = read_sources(fused_numbers[row].pair, sources);
    g_auto(BgFusionResult) result = { 0 };
    g_autoptr(GError) error = NULL;
    double mean = 0.0;

    if (n == 0)
        return;
    g_assert_true(bg_fuse((const BgChannel *const *) sources, (gsize) n, params, model, &result,
                          NULL, NULL, &error));
    gsize count = bg_channel_count(result.fused);
    for (gsize i = 0; i < count; i++)
        mean += (double) result.fused->values[i] / (double) count;
    for (gsize i = 0; i < 25; i++) {
        double got = i < 24 ? (double) result.fused->values[i * 7919 % count] : mean;
        if (!(fabs(got - fused_numbers[row].numbers[i]) < TOLERANCE))
            g_error("%s of %s, number %zu: %.9g, wanted %.9g", fused_numbers[row].method,
                    fused_numbers[row].pair, i, got, fused_numbers[row].numbers[i]);
    }
    int levels = 0;
    for (int s = 0; s < n && result.levels[0] > 0; s++)
        levels = 10 * levels + result.levels[s];
    g_assert_cmpint(levels, ==, fused_numbers[row].levels);
    for (int s = 0; s < n; s++)
        bg_channel_free(sources[s]);
}

static void
check_method(const char *name, BgFusionMethod method)
{
    g_autoptr(BgFusionModel) model =
        bg_fusion_method_wants_model(method) ? load_model(method) : NULL;
    int n_done = 0;

    if (model == NULL && bg_fusion_method_wants_model(method)) {
        g_test_skip("BREGMA_TEST_SHARED has no VGG-19");
        return;
    }
    for (gsize row = 0; row < G_N_ELEMENTS(fused_numbers); row++) {
        const char *kind = fused_numbers[row].method + strlen(name);
        BgFusionParams params = bg_fusion_params(method);
        if (!g_str_has_prefix(fused_numbers[row].method, name))
            continue;
        if (strcmp(kind, " raw") == 0)
            params.renormalise = FALSE;
        if (strcmp(kind, " pairs") == 0)
            params.combinations = TRUE;
        if (strcmp(kind, " imagenet") == 0) {
            params.after_relu = FALSE;
            params.input = BG_VGG19_IMAGENET;
        }
        check_row(row, &params, model);
        n_done++;
    }
    g_assert_cmpint(n_done, >=, 3);
}

// From the least to the greatest of the sources, and between as before.
static void
test_full_range(void)
{
    BgFusionParams params = bg_fusion_params(BG_FUSION_AVERAGE);
    g_autoptr(GError) error = NULL;
    g_auto(BgFusionResult) plain = { 0 }, wide = { 0 };
    BgChannel *sources[2] = { bg_channel_new(41, 43, NULL), bg_channel_new(41, 43, NULL) };
    const BgChannel *const *read_only = (const BgChannel *const *) sources;

    for (gsize i = 0; i < bg_channel_count(sources[0]); i++) {
        sources[0]->values[i] = 0.1f + 0.8f * (float) (i % 41) / 40.0f;
        sources[1]->values[i] = 0.3f + 0.2f * (float) (i / 41) / 42.0f;
    }
    bg_fuse(read_only, 2, &params, NULL, &plain, NULL, NULL, &error);
    g_assert_no_error(error);
    params.full_range = TRUE;
    bg_fuse(read_only, 2, &params, NULL, &wide, NULL, NULL, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < bg_channel_count(sources[0]); i++) // 0.2..0.7 to 0.1..0.9
        g_assert_cmpfloat_with_epsilon(wide.fused->values[i],
                                       0.1 + ((double) plain.fused->values[i] - 0.2) * 1.6, 1e-5);
    bg_channel_free(sources[0]);
    bg_channel_free(sources[1]);
}

static void
test_average(void)
{
    check_method("average", BG_FUSION_AVERAGE);
}

static void
test_two_scale(void)
{
    check_method("two-scale", BG_FUSION_TWO_SCALE);
}

static void
test_vgg_ssim(void)
{
    check_method("vgg19-ssim", BG_FUSION_VGG19_SSIM);
}

static void
test_vgg_max(void)
{
    check_method("vgg19-max", BG_FUSION_VGG19_MAX);
}

static void
test_papcnn(void)
{
    check_method("nsst-papcnn", BG_FUSION_NSST_PAPCNN);
}

// The small stack with numbers that the script knows, too, in a file as training writes it.
static char *
write_small(void)
{
    const BgNetwork *network = bg_network_find("vgg-small", NULL);
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    char *path = g_build_filename(folder, "any-name.h5", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, 5, NULL);

    fill_fixed(params);
    g_assert_true(bg_nn_weights_save(path, graph, params, NULL, FALSE, NULL, NULL));
    return path;
}

static void
test_small(void)
{
    static const BgFusionMethod methods[] = { BG_FUSION_TWO_SCALE, BG_FUSION_VGG19_SSIM,
                                              BG_FUSION_VGG19_MAX };
    g_autofree char *path = write_small(), *folder = g_path_get_dirname(path);
    g_autoptr(BgChannel) one = make_channel(40, 40, 1);
    const BgChannel *sources[2] = { one, one };

    for (gsize m = 0; m < G_N_ELEMENTS(methods); m++) {
        g_autoptr(GError) error = NULL;
        g_auto(BgFusionResult) none = { 0 };
        g_autofree char *name = g_strconcat("small ", bg_fusion_method_name(methods[m]), NULL);
        BgFusionParams params = bg_fusion_params(methods[m]);
        g_autoptr(BgFusionModel) model = bg_fusion_model_load(methods[m], path, NULL, NULL, &error);
        int n_done = 0;
        g_assert_no_error(error);
        g_assert_cmpstr(bg_fusion_model_get_name(model), ==, "vgg-small");
        g_assert_cmpint(strlen(bg_fusion_model_get_sha256(model)), ==, 64);
        for (gsize row = 0; row < G_N_ELEMENTS(fused_numbers); row++) {
            if (!g_str_equal(fused_numbers[row].method, name))
                continue;
            check_row(row, &params, model);
            n_done++;
        }
        g_assert_cmpint(n_done, ==, 3);
        // Another network's scaling of the input is refused.
        params.input = BG_VGG19_CAFFE;
        g_assert_false(bg_fuse(sources, 2, &params, model, &none, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
    g_unlink(path);
    g_rmdir(folder);
}

// The model that ships is the small stack, and prefers what is to be seen to what is not.
static void
test_small_shipped(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "data", "models", "vgg-small.h5", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgFusionModel) model =
        bg_fusion_model_load(BG_FUSION_VGG19_MAX, path, NULL, NULL, &error);
    BgFusionParams params = bg_fusion_params(BG_FUSION_VGG19_SSIM);
    g_autoptr(BgChannel) textured = bg_channel_new(64, 64, NULL);
    g_autoptr(BgChannel) flat = bg_channel_new(64, 64, NULL);
    const BgChannel *sources[2] = { textured, flat };
    g_auto(BgFusionResult) result = { 0 };

    g_assert_no_error(error);
    g_assert_cmpstr(bg_fusion_model_get_name(model), ==, "vgg-small");
    for (gsize i = 0; i < 64 * 64; i++) {
        textured->values[i] = (i % 8 < 4) != (i / 64 % 8 < 4) ? 0.7f : 0.3f;
        flat->values[i] = 0.5f;
    }
    g_assert_true(bg_fuse(sources, 2, &params, model, &result, NULL, NULL, &error));
    g_assert_no_error(error);
    double share = 0.0;
    const BgChannel *map = result.maps->pdata[result.levels[0] - 1];
    for (gsize v = 16; v < 48; v++)
        for (gsize u = 16; u < 48; u++)
            share += (double) map->values[64 * v + u] / (32 * 32);
    g_test_message("the textured picture's share is %.3f", share);
    g_assert_cmpfloat(share, >, 0.7);
}

// A network of random numbers in a file, as training writes it.
static char *
write_learned(BgNnGraph **graph, BgNnParams **params)
{
    const BgNetwork *network = bg_network_find("funfuse", NULL);
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    char *path = g_build_filename(folder, "fusion.h5", NULL);

    *graph = network->graph();
    *params = bg_network_params(network, 5, NULL);
    g_assert_true(bg_nn_weights_save(path, *graph, *params, NULL, FALSE, NULL, NULL));
    return path;
}

static void
test_learned(void)
{
    g_autoptr(BgNnGraph) graph = NULL;
    g_autoptr(BgNnParams) params = NULL;
    g_autofree char *path = write_learned(&graph, &params);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgFusionModel) model =
        bg_fusion_model_load(BG_FUSION_LEARNED, path, NULL, NULL, &error);
    BgFusionParams learned = bg_fusion_params(BG_FUSION_LEARNED);
    g_autoptr(BgChannel) a = make_channel(33, 21, 1);
    g_autoptr(BgChannel) b = make_channel(33, 21, 2);
    const BgChannel *sources[3] = { a, b, a };
    g_auto(BgFusionResult) two = { 0 }, three = { 0 }, again = { 0 };

    g_assert_no_error(error);
    g_assert_true(bg_fuse(sources, 2, &learned, model, &two, NULL, NULL, &error));
    // The float64 reference of the same network.
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, 21, 33), shapes[2] = { shape, shape };
    g_autoptr(BgNnTape64) tape = bg_nn_tape64_new(graph, params, shapes, 2, NULL);
    double wide[2][33 * 21];
    for (int i = 0; i < 33 * 21; i++) {
        wide[0][i] = (double) a->values[i];
        wide[1][i] = (double) b->values[i];
    }
    const double *inputs[2] = { wide[0], wide[1] };
    g_assert_true(bg_nn_tape64_forward(tape, inputs, FALSE, 0, NULL, NULL));
    const double *wanted = bg_nn_tape64_get(tape, bg_nn_graph_get_output(graph, 0));
    for (int i = 0; i < 33 * 21; i++)
        g_assert_cmpfloat_with_epsilon((double) two.fused->values[i], CLAMP(wanted[i], 0.0, 1.0),
                                       1e-5);
    // A third source is fused with what the first two gave.
    g_assert_true(bg_fuse(sources, 3, &learned, model, &three, NULL, NULL, &error));
    const BgChannel *last[2] = { two.fused, a };
    g_assert_true(bg_fuse(last, 2, &learned, model, &again, NULL, NULL, &error));
    for (int i = 0; i < 33 * 21; i++)
        g_assert_cmpfloat((double) three.fused->values[i], ==, (double) again.fused->values[i]);
    remove(path);
    remove(folder);
}

// The maps are the gradients of the float64 reference, by differences of its sums.
static void
test_contributions(void)
{
    g_autoptr(BgNnGraph) graph = NULL;
    g_autoptr(BgNnParams) params = NULL;
    g_autofree char *path = write_learned(&graph, &params);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(BgFusionModel) model =
        bg_fusion_model_load(BG_FUSION_LEARNED, path, NULL, NULL, NULL);
    g_autoptr(BgChannel) a = make_channel(20, 16, 1);
    g_autoptr(BgChannel) b = make_channel(20, 16, 2);
    g_autoptr(BgChannel) small = make_channel(16, 16, 2);
    g_autoptr(GError) error = NULL;

    // Without any share of the second one: grey, black where the first brought least.
    g_autoptr(BgImage) grey = bg_fusion_contributions(a, b, 0.0, model, NULL, &error);
    const guint8 *p = bg_image_get_pixels(grey);
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, 16, 20), shapes[2] = { shape, shape };
    g_autoptr(BgNnTape64) tape = bg_nn_tape64_new(graph, params, shapes, 2, NULL);
    double wide[2][320], ones[320], low = HUGE_VAL, high = -HUGE_VAL;
    const double *inputs[2] = { wide[0], wide[1] }, *factors[1] = { ones };
    for (int i = 0; i < 320; i++) {
        wide[0][i] = (double) a->values[i];
        wide[1][i] = (double) b->values[i];
        ones[i] = 1.0;
    }
    g_assert_true(bg_nn_tape64_forward(tape, inputs, FALSE, 0, NULL, NULL));
    g_assert_true(bg_nn_tape64_backward(tape, factors, NULL, NULL));
    const double *gradient = bg_nn_tape64_get_input_gradient(tape, 0);
    for (int i = 0; i < 320; i++) {
        low = MIN(low, gradient[i]);
        high = MAX(high, gradient[i]);
    }
    for (int i = 0; i < 320; i++) {
        double map = 255.0 * (gradient[i] - low) / (high - low);
        g_assert_cmpfloat(fabs(p[3 * i] - map), <, 2.0);
        g_assert_true(p[3 * i] == p[3 * i + 1] && p[3 * i] == p[3 * i + 2]);
    }
    g_assert_null(bg_fusion_contributions(a, small, 0.6, model, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    remove(path);
    remove(folder);
}

// Equal sources come out as they went in, whatever the method; also where all is black.
static void
test_equal_sources(void)
{
    for (int m = 0; m < BG_FUSION_N_METHODS; m++) {
        BgFusionMethod method;
        const char *name = bg_fusion_method_name((BgFusionMethod) m);
        if (name == NULL || !bg_fusion_method_find(name, &method) || method == BG_FUSION_LEARNED)
            continue;
        g_autoptr(BgFusionModel) model =
            bg_fusion_method_wants_model(method) ? load_model(method) : NULL;
        if (model == NULL && bg_fusion_method_wants_model(method))
            continue;
        g_autoptr(BgChannel) one = make_channel(48, 40, 3);
        const BgChannel *sources[2] = { one, one };
        BgFusionParams params = bg_fusion_params(method);
        for (int turn = 0; turn < 2; turn++) {
            g_auto(BgFusionResult) result = { 0 };
            g_assert_true(bg_fuse(sources, 2, &params, model, &result, NULL, NULL, NULL));
            for (gsize i = 0; i < bg_channel_count(one); i++)
                g_assert_cmpfloat_with_epsilon((double) result.fused->values[i],
                                               (double) one->values[i], 2e-5);
            memset(one->values, 0, bg_channel_count(one) * sizeof(float));
        }
    }
}

static BgImage *
new_image(int n_channels, const guint8 *pixels, int width, int height)
{
    BgImageFormat format = { width, height, n_channels, BG_PIXEL_UINT8 };
    gsize n = (gsize) (width * height * n_channels);
    guint8 *copy = bg_buffer_alloc(n, NULL);

    memcpy(copy, pixels, n);
    return bg_image_new_take(&format, copy, NULL);
}

static void
test_colours(void)
{
    // Two pixels: one coloured, one transparent.
    static const guint8 grey_pixels[2] = { 200, 100 };
    static const guint8 colour_pixels[8] = { 100, 50, 0, 255, 10, 20, 30, 0 };
    g_autoptr(BgImage) grey = new_image(1, grey_pixels, 2, 1);
    g_autoptr(BgImage) colour = new_image(4, colour_pixels, 2, 1);
    BgImage *images[2] = { grey, colour };
    BgFusionParams params = bg_fusion_params(BG_FUSION_AVERAGE);

    g_autoptr(BgImage) yuv =
        bg_fuse_images(images, 2, &params, BG_FUSION_YUV, NULL, NULL, NULL, NULL, NULL, NULL);
    const guint8 *p = bg_image_get_pixels(yuv);
    double y = 0.299 * 100 + 0.587 * 50, moved = (200 - y) / 2;
    g_assert_cmpint(bg_image_get_format(yuv)->n_channels, ==, 3);
    g_assert_cmpint(p[0], ==, (int) floor(100 + moved + 0.5));
    g_assert_cmpint(p[1], ==, (int) floor(50 + moved + 0.5));
    g_assert_cmpint(p[2], ==, (int) floor(0 + moved + 0.5));
    g_assert_cmpint(ABS(2 * p[3] - 355), ==, 1); // (100 + 255) / 2: white where it was transparent
    g_assert_cmpint(p[4], ==, p[3]);

    g_autoptr(BgImage) hsv =
        bg_fuse_images(images, 2, &params, BG_FUSION_HSV, NULL, NULL, NULL, NULL, NULL, NULL);
    p = bg_image_get_pixels(hsv);
    g_assert_cmpint(p[0], ==, 150);
    g_assert_cmpint(p[1], ==, 75);
    g_assert_cmpint(p[2], ==, 0);

    g_autoptr(BgImage) plain =
        bg_fuse_images(images, 2, &params, BG_FUSION_GREY, NULL, NULL, NULL, NULL, NULL, NULL);
    g_assert_cmpint(bg_image_get_format(plain)->n_channels, ==, 1);
}

static BgVolume *
new_volume(int nz, float low, float high)
{
    BgGeometry geometry = bg_geometry_new_regular((const int[3]){ 4, 3, nz }, bg_vec3(1, 1, 1));
    float *v = bg_voxels_alloc(&geometry, sizeof(float), NULL);

    for (int n = 0; n < 12 * nz; n++)
        v[n] = low + (high - low) * (float) (n * 5 % (12 * nz)) / (float) (12 * nz - 1);
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), v, NULL);
}

static void
test_volumes(void)
{
    g_autoptr(BgVolume) a = new_volume(3, -50.0f, 100.0f);
    g_autoptr(BgVolume) b = new_volume(3, 0.0f, 7.0f);
    g_autoptr(BgVolume) other = new_volume(4, 0.0f, 7.0f);
    g_autoptr(BgVolume) constant = new_volume(3, 1.0f, 1.0f);
    BgVolume *pair[2] = { a, b }, *unlike[2] = { a, other }, *flat[2] = { a, constant };
    BgFusionParams params = bg_fusion_params(BG_FUSION_AVERAGE);
    g_autoptr(GError) grids = NULL;
    g_autoptr(GError) equal = NULL;

    g_autoptr(BgVolume) fused = bg_fuse_volumes(pair, 2, &params, NULL, NULL, NULL, NULL);
    for (int n = 0; n < 36; n++) {
        double wanted = (double) (n * 5 % 36) / 35.0;
        g_assert_cmpfloat_with_epsilon(bg_volume_get_value(fused, n % 4, n / 4 % 3, n / 12), wanted,
                                       1e-6);
    }
    g_assert_null(bg_fuse_volumes(unlike, 2, &params, NULL, NULL, NULL, &grids));
    g_assert_error(grids, BG_ERROR, BG_ERROR_MISMATCH);
    g_assert_null(bg_fuse_volumes(flat, 2, &params, NULL, NULL, NULL, &equal));
    g_assert_error(equal, BG_ERROR, BG_ERROR_INVALID);

    // ((s0 + s1) / 2 + s2) / 2
    g_autoptr(BgChannel) one = bg_fuse_slices(a, &params, NULL, NULL, NULL, NULL);
    for (int n = 0; n < 12; n++) {
        double s0 = n * 5 % 36 / 35.0, s1 = (n + 12) * 5 % 36 / 35.0, s2 = (n + 24) * 5 % 36 / 35.0;
        g_assert_cmpfloat_with_epsilon((double) one->values[n], ((s0 + s1) / 2 + s2) / 2, 1e-6);
    }
}

static void
test_refuses(void)
{
    g_autoptr(BgChannel) a = make_channel(40, 44, 1);
    g_autoptr(BgChannel) b = make_channel(44, 40, 1);
    const BgChannel *unlike[2] = { a, b }, *alike[2] = { a, a };
    BgFusionParams average = bg_fusion_params(BG_FUSION_AVERAGE);
    BgFusionParams chosen = bg_fusion_params(BG_FUSION_VGG19_SSIM);
    g_autoptr(GError) sizes = NULL;
    g_autoptr(GError) model = NULL;
    g_autoptr(GError) levels = NULL;
    g_autoptr(GError) cancelled = NULL;
    g_autoptr(GError) missing = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    BgFusionResult result;

    g_assert_false(bg_fuse(unlike, 2, &average, NULL, &result, NULL, NULL, &sizes));
    g_assert_error(sizes, BG_ERROR, BG_ERROR_INVALID);
    g_assert_false(bg_fuse(alike, 2, &chosen, NULL, &result, NULL, NULL, &model));
    g_assert_error(model, BG_ERROR, BG_ERROR_INVALID);
    average.levels[1] = 5;
    g_assert_false(bg_fuse(alike, 2, &average, NULL, &result, NULL, NULL, &levels));
    g_assert_error(levels, BG_ERROR, BG_ERROR_INVALID);
    average.levels[1] = 0;
    g_cancellable_cancel(cancellable);
    g_assert_false(bg_fuse(alike, 2, &average, NULL, &result, NULL, cancellable, &cancelled));
    g_assert_error(cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_null(
        bg_fusion_model_load(BG_FUSION_VGG19_MAX, "/nowhere/vgg.h5", NULL, NULL, &missing));
    g_assert_nonnull(missing);
}

// Weights that were imported are a file of the whole network: its first layer is taken out of it.
static void
test_imported(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "vgg19.h5", NULL);
    g_autoptr(BgNnGraph) graph = bg_vgg19_graph();
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnParams) params = bg_vgg19_params(graph, &error);

    g_assert_true(bg_nn_weights_save(path, graph, params, NULL, FALSE, NULL, &error));
    BgFusionModel *first = bg_fusion_model_load(BG_FUSION_TWO_SCALE, path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(first);
    bg_fusion_model_unref(first);
    g_unlink(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fusion/average", test_average);
    g_test_add_func("/fusion/full-range", test_full_range);
    g_test_add_func("/fusion/two-scale", test_two_scale);
    g_test_add_func("/fusion/imported", test_imported);
    g_test_add_func("/fusion/nsst-papcnn", test_papcnn);
    g_test_add_func("/fusion/learned", test_learned);
    g_test_add_func("/fusion/contributions", test_contributions);
    g_test_add_func("/fusion/small", test_small);
    g_test_add_func("/fusion/small/shipped", test_small_shipped);
    g_test_add_func("/fusion/vgg19-ssim", test_vgg_ssim);
    g_test_add_func("/fusion/vgg19-max", test_vgg_max);
    g_test_add_func("/fusion/equal-sources", test_equal_sources);
    g_test_add_func("/fusion/colours", test_colours);
    g_test_add_func("/fusion/volumes", test_volumes);
    g_test_add_func("/fusion/refuses", test_refuses);
    int status = g_test_run();
    g_clear_pointer(&models[0], bg_fusion_model_unref);
    g_clear_pointer(&models[1], bg_fusion_model_unref);
    return status;
}
