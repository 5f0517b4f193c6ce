// SPDX-License-Identifier: Apache-2.0
// Cases of brain tumours: prepared, learnt from, segmented. Truth is that of made-up heads.
#include "core/base/bg-error.h"
#include "core/filter/bg-mask.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-tape.h"
#include "core/phantom/bg-phantom.h"
#include "core/segment/bg-label-metrics.h"
#include "core/segment/bg-tumour-data.h"
#include "core/segment/bg-tumour-segment.h"
#include "core/volume/bg-crop.h"
#include "core/volume/bg-reorient.h"
#include "core/volume/bg-resample.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static BgPhantom *
new_head(int size, guint64 seed, BgVolume *contrasts[BG_N_CONTRASTS])
{
    BgPhantomParams params = {
        .kind = BG_PHANTOM_HEAD, .size = size, .seed = seed, .tumour = TRUE
    };
    BgPhantom *phantom = bg_phantom_new(&params, NULL, NULL, NULL);

    for (int c = 0; c < BG_N_CONTRASTS; c++)
        contrasts[c] = bg_phantom_find(phantom, bg_contrast_name((BgContrast) c))->volume;
    return phantom;
}

static void
test_prepare(void)
{
    BgVolume *contrasts[BG_N_CONTRASTS];
    g_autoptr(BgPhantom) head = new_head(64, 3, contrasts);
    BgTumourParams params = { .spacing_mm = 3.0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(BgTumourCase) made = bg_tumour_case_new(contrasts, &params, NULL, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(made->reference, ==, BG_CONTRAST_T1CE);
    g_assert_false(made->stripped);
    g_assert_cmpuint(made->warnings->len, ==, 0);
    BgVec3 spacing = bg_geometry_spacing_mm(&made->grid);
    g_assert_cmpfloat_with_epsilon(spacing.z, 3.0, 1e-9);
    gsize n = bg_geometry_count_voxels(&made->grid);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        const float *plane = made->planes + (gsize) c * n;
        double sum = 0.0, squares = 0.0, count = 0.0;
        for (gsize i = 0; i < n; i++) {
            if (plane[i] == 0.0f)
                continue;
            sum += (double) plane[i];
            squares += (double) plane[i] * (double) plane[i];
            count++;
        }
        g_assert_cmpfloat(count, >, 0.3 * (double) n);
        g_assert_cmpfloat_with_epsilon(sum / count, 0.0, 1e-3);
        g_assert_cmpfloat_with_epsilon(squares / count, 1.0, 1e-3);
    }
}

// The same head stored in another order of axes gives the same planes.
static void
test_any_order_of_axes(void)
{
    BgVolume *contrasts[BG_N_CONTRASTS], *turned[BG_N_CONTRASTS];
    g_autoptr(BgPhantom) head = new_head(48, 4, contrasts);
    BgTumourParams params = { .spacing_mm = 5.0 };

    for (int c = 0; c < BG_N_CONTRASTS; c++)
        turned[c] = bg_volume_reorient(contrasts[c], "SAR", NULL);
    g_autoptr(BgTumourCase) a = bg_tumour_case_new(contrasts, &params, NULL, NULL, NULL);
    g_autoptr(BgTumourCase) b = bg_tumour_case_new(turned, &params, NULL, NULL, NULL);
    g_assert_true(bg_geometry_equal(&a->grid, &b->grid, 1e-9));
    gsize n = bg_geometry_count_voxels(&a->grid) * BG_N_CONTRASTS;
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat(fabsf(a->planes[i] - b->planes[i]), <, 1e-4f);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        bg_volume_unref(turned[c]);
}

static void
test_order_of_contrasts(void)
{
    BgVolume *contrasts[BG_N_CONTRASTS];
    g_autoptr(BgPhantom) head = new_head(64, 5, contrasts);
    BgTumourParams params = { .spacing_mm = 2.5, .align = BG_TUMOUR_ALIGN_NEVER };

    for (int a = 0; a < BG_N_CONTRASTS; a++) {
        for (int b = a + 1; b < BG_N_CONTRASTS; b++) {
            BgVolume *given[BG_N_CONTRASTS];
            g_autoptr(GError) error = NULL;
            memcpy(given, contrasts, sizeof given);
            given[a] = contrasts[b];
            given[b] = contrasts[a];
            params.as_given = FALSE;
            g_assert_null(bg_tumour_case_new(given, &params, NULL, NULL, &error));
            g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
            g_assert_nonnull(strstr(error->message, bg_contrast_name((BgContrast) a)));
            g_assert_nonnull(strstr(error->message, bg_contrast_name((BgContrast) b)));
            params.as_given = TRUE;
            g_autoptr(BgTumourCase) forced = bg_tumour_case_new(given, &params, NULL, NULL, NULL);
            g_assert_nonnull(forced);
        }
    }
}

// Without a skull a large growth outweighs the fluid: the right order is taken, T2 and FLAIR the other way
// round are not.
static void
test_order_in_brains(void)
{
    for (guint64 seed = 501; seed <= 502; seed++) {
        BgPhantomParams wanted = {
            .kind = BG_PHANTOM_HEAD, .size = 96, .seed = seed, .tumour = TRUE, .varied = TRUE
        };
        BgTumourParams params = { .spacing_mm = 2.0, .align = BG_TUMOUR_ALIGN_NEVER };
        g_autoptr(BgPhantom) head = bg_phantom_new(&wanted, NULL, NULL, NULL);
        BgLabelMap *brain = bg_phantom_find(head, "brain")->labels;
        BgVolume *given[BG_N_CONTRASTS];
        g_autoptr(GError) error = NULL;

        for (int c = 0; c < BG_N_CONTRASTS; c++)
            given[c] =
                bg_volume_mask(bg_phantom_find(head, bg_contrast_name((BgContrast) c))->volume,
                               brain, NULL, 0, 0.0, NULL);
        g_autoptr(BgTumourCase) right = bg_tumour_case_new(given, &params, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_nonnull(right);
        BgVolume *t2 = given[BG_CONTRAST_T2];
        given[BG_CONTRAST_T2] = given[BG_CONTRAST_FLAIR];
        given[BG_CONTRAST_FLAIR] = t2;
        g_assert_null(bg_tumour_case_new(given, &params, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
        for (int c = 0; c < BG_N_CONTRASTS; c++)
            bg_volume_unref(given[c]);
    }
}

static void
test_missing(void)
{
    BgVolume *contrasts[BG_N_CONTRASTS], *none[BG_N_CONTRASTS] = { NULL };
    g_autoptr(BgPhantom) head = new_head(48, 6, contrasts);
    BgTumourParams params = { .spacing_mm = 5.0 };
    g_autoptr(GError) error = NULL;

    contrasts[BG_CONTRAST_T1] = contrasts[BG_CONTRAST_T1CE] = NULL;
    g_autoptr(BgTumourCase) made = bg_tumour_case_new(contrasts, &params, NULL, NULL, NULL);
    g_assert_cmpint(made->reference, ==, BG_CONTRAST_FLAIR);
    g_assert_cmpuint(made->warnings->len, ==, 1);
    g_assert_nonnull(strstr(made->warnings->pdata[0], "t1, t1ce"));
    gsize n = bg_geometry_count_voxels(&made->grid);
    for (gsize i = 0; i < 2 * n; i++)
        g_assert_cmpfloat(made->planes[i], ==, 0.0f);
    g_assert_null(bg_tumour_case_new(none, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// A contrast that lies elsewhere is found and brought back.
static void
test_registers(void)
{
    BgVolume *contrasts[BG_N_CONTRASTS];
    g_autoptr(BgPhantom) head = new_head(64, 7, contrasts);
    BgTumourParams params = { .spacing_mm = 3.75 };
    g_autoptr(GError) error = NULL;
    BgGeometry moved = *bg_volume_get_geometry(contrasts[BG_CONTRAST_FLAIR]);

    moved.patient_from_voxel.m[0][3] += 7.0;
    moved.patient_from_voxel.m[2][3] -= 4.0;
    g_autoptr(BgVolume) elsewhere = bg_volume_new_at(contrasts[BG_CONTRAST_FLAIR], &moved, NULL);
    contrasts[BG_CONTRAST_FLAIR] = elsewhere;
    g_autoptr(BgTumourCase) made = bg_tumour_case_new(contrasts, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(made->registered[BG_CONTRAST_FLAIR]);
    g_assert_false(made->registered[BG_CONTRAST_T2]);
    BgVec3 to = bg_affine_apply(&made->moving_from_fixed[BG_CONTRAST_FLAIR], bg_vec3(0, 0, 30));
    g_assert_cmpfloat(bg_vec3_distance(to, bg_vec3(7, 0, 26)), <, 0.5);
}

static void
test_samples(void)
{
    BgTumourDataParams params = bg_tumour_data_params();
    BgTumourParams prepare = { .spacing_mm = 4.0,
                               .align = BG_TUMOUR_ALIGN_NEVER,
                               .as_given = TRUE };
    g_autoptr(GError) error = NULL;

    params.crop = 48;
    params.per_case = 4;
    g_autoptr(BgTumourData) data = bg_tumour_data_new(&params, g_get_tmp_dir(), &error);
    static float a[4 * 48 * 48], ta[4 * 48 * 48], b[4 * 48 * 48], tb[4 * 48 * 48];
    float *in_a[1] = { a }, *out_a[1] = { ta }, *in_b[1] = { b }, *out_b[1] = { tb };
    double tumour = 0.0;

    g_assert_true(
        bg_tumour_data_add_phantoms(data, 2, 40, 64, FALSE, &prepare, NULL, NULL, &error));
    BgNnData source = bg_tumour_data_source(data);
    g_assert_cmpuint(source.count(source.data), ==, 8);
    g_assert_cmpstr(source.patient(source.data, 3), ==, "phantom-40");
    g_assert_cmpstr(source.patient(source.data, 4), ==, "phantom-41");
    for (gsize index = 0; index < 8; index++) {
        g_assert_true(source.make(source.data, index, 77, in_a, out_a, &error));
        g_assert_true(source.make(source.data, index, 77, in_b, out_b, &error));
        g_assert_cmpmem(a, sizeof a, b, sizeof b);
        for (int i = 0; i < 48 * 48; i++) {
            g_assert_cmpfloat(ta[i] + ta[2304 + i] + ta[4608 + i] + ta[6912 + i], ==, 1.0f);
            tumour += 1.0 - (double) ta[i];
        }
        for (int i = 0; i < 4 * 48 * 48; i++)
            g_assert_true(isfinite(a[i]) && fabsf(a[i]) <= 8.0f);
        g_assert_true(source.make(source.data, index, 78, in_b, out_b, &error));
        g_assert_cmpint(memcmp(a, b, sizeof a), !=, 0);
    }
    g_assert_cmpfloat(tumour, >, 200.0); // samples are about the tumour
    BgVolume *contrasts[BG_N_CONTRASTS];
    g_autoptr(BgPhantom) head = new_head(32, 3, contrasts);
    guint8 *odd = bg_voxels_alloc(bg_volume_get_geometry(contrasts[0]), 1, NULL);
    memset(odd, 7, 32 * 32 * 32);
    g_autoptr(BgLabelMap) labels =
        bg_label_map_new_take(bg_volume_get_geometry(contrasts[0]), BG_LABEL_UINT8, odd, NULL);
    g_assert_false(bg_tumour_data_add(data, "odd", contrasts, labels, &prepare, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_assert_cmpint(bg_tumour_data_count_cases(data), ==, 2);
}

// What a network of random numbers says comes back in its place: slices, margins and mirror.
static void
test_segments(void)
{
    BgVolume *contrasts[BG_N_CONTRASTS];
    g_autoptr(BgPhantom) head = new_head(32, 8, contrasts);
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "tumour.h5", NULL);
    const BgNetwork *network = bg_network_find("unet-tumour", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) weights = bg_network_params(network, 11, NULL);
    g_autoptr(BgJson) card = bg_json_new_object();
    BgTumourParams params = { .align = BG_TUMOUR_ALIGN_NEVER, .as_given = TRUE };
    BgTumourOptions options = { .mirror = FALSE };
    g_auto(BgTumourResult) found = { 0 };
    g_autoptr(GError) error = NULL;

    bg_json_set_double(card, "spacing_mm", 7.5); // the head's own
    g_assert_true(bg_nn_weights_save(path, graph, weights, card, FALSE, NULL, &error));
    g_autoptr(BgTumourModel) model = bg_tumour_model_load(path, NULL, NULL, &error);
    g_assert_no_error(error);
    params.spacing_mm = bg_tumour_model_get_spacing(model);
    g_assert_cmpfloat(params.spacing_mm, ==, 7.5);
    g_autoptr(BgTumourCase) made = bg_tumour_case_new(contrasts, &params, NULL, NULL, &error);
    g_assert_true(
        bg_tumour_segment(model, made, &made->grid, &options, &found, NULL, NULL, &error));

    // One slice by the float64 reference.
    const int *d = made->grid.dims;
    gsize wide = (gsize) ((d[0] + 15) / 16 * 16), high = (gsize) ((d[1] + 15) / 16 * 16);
    gsize n = bg_geometry_count_voxels(&made->grid);
    BgNnShape shape = bg_nn_shape(1, 4, 2, 1, high, wide);
    g_autoptr(BgNnTape64) tape = bg_nn_tape64_new(graph, weights, &shape, 1, NULL);
    g_autofree double *input = g_new0(double, 4 * wide * high);
    const double *inputs[1] = { input };
    int k = d[2] / 2;
    for (int c = 0; c < 4; c++)
        for (int j = 0; j < d[1]; j++)
            for (int i = 0; i < d[0]; i++)
                input[((gsize) c * high + (gsize) j) * wide + (gsize) i] =
                    (double) made->planes[(gsize) c * n + (gsize) (i + d[0] * (j + d[1] * k))];
    g_assert_true(bg_nn_tape64_forward(tape, inputs, FALSE, 0, NULL, NULL));
    const double *wanted = bg_nn_tape64_get(tape, bg_nn_graph_get_output(graph, 0));
    for (int j = 0; j < d[1]; j++) {
        for (int i = 0; i < d[0]; i++) {
            double sum = 0.0, most = -1.0;
            int class = 0;
            for (int c = 0; c < 4; c++) {
                double p = bg_volume_get_value(found.probabilities[c], i, j, k);
                g_assert_cmpfloat_with_epsilon(
                    p, wanted[((gsize) c * high + (gsize) j) * wide + (gsize) i], 2e-4);
                sum += p;
                if (p > most) {
                    most = p;
                    class = c;
                }
            }
            g_assert_cmpfloat_with_epsilon(sum, 1.0, 1e-4);
            g_assert_cmpuint(bg_label_map_get_label(found.labels, i, j, k), ==,
                             bg_tumour_labels[class]);
        }
    }
    // Beyond what was looked at all is background.
    g_auto(BgTumourResult) larger = { 0 };
    BgVoxelBox box = { { -3, -3, -3 }, { d[0] + 2, d[1] + 2, d[2] + 2 } };
    BgGeometry around;
    g_assert_true(bg_geometry_new_box(&made->grid, &box, &around, NULL));
    g_assert_true(bg_tumour_segment(model, made, &around, &options, &larger, NULL, NULL, &error));
    g_assert_cmpuint(bg_label_map_get_label(larger.labels, 0, 0, 0), ==, 0);
    g_assert_cmpfloat(bg_volume_get_value(larger.probabilities[0], 0, 0, 0), ==, 1.0);
    g_unlink(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tumour/prepare", test_prepare);
    g_test_add_func("/tumour/any-order-of-axes", test_any_order_of_axes);
    g_test_add_func("/tumour/order-of-contrasts", test_order_of_contrasts);
    g_test_add_func("/tumour/order-in-brains", test_order_in_brains);
    g_test_add_func("/tumour/missing", test_missing);
    g_test_add_func("/tumour/registers", test_registers);
    g_test_add_func("/tumour/samples", test_samples);
    g_test_add_func("/tumour/segments", test_segments);
    return g_test_run();
}
