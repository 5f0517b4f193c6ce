// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-distortion.h"
#include "core/phantom/bg-phantom-photo.h"
#include "core/phantom/bg-phantom.h"

#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

static BgPhantom *
make(BgPhantomKind kind, int size, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    BgPhantomParams params = { .kind = kind, .size = size, .seed = seed, .tumour = TRUE };
    BgPhantom *phantom = bg_phantom_new(&params, NULL, NULL, &error);

    g_assert_no_error(error);
    return phantom;
}

static double
number(const BgJson *object, const char *name)
{
    double value = bg_json_to_double(bg_json_get(object, name), (double) NAN);

    g_assert_true(isfinite(value));
    return value;
}

static BgVec3
point(const BgJson *object, const char *name)
{
    double xyz[3];

    g_assert_true(bg_json_to_doubles(bg_json_get(object, name), xyz, 3));
    return bg_vec3(xyz[0], xyz[1], xyz[2]);
}

// Volume of what is within @reach_mm of a point, each voxel by how much of it is inside.
static double
measured_ml(BgVolume *volume, BgVec3 centre_mm, double reach_mm)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    double sum = 0.0;

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++) {
                BgVec3 at_mm = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                if (bg_vec3_distance(at_mm, centre_mm) < reach_mm)
                    sum += bg_volume_get_value(volume, i, j, k) / 1000.0;
            }
        }
    }
    return sum * bg_geometry_voxel_volume_mm3(geometry) / 1000.0;
}

static void
test_spheres_are_as_large_as_told(void)
{
    g_autoptr(BgPhantom) phantom = make(BG_PHANTOM_SPHERES, 96, 5);
    BgVolume *volume = bg_phantom_find(phantom, "spheres")->volume;
    const BgJson *spheres = bg_json_get(phantom->truth, "spheres");

    g_assert_cmpuint(bg_json_count(spheres), ==, 3);
    for (gsize s = 0; s < 3; s++) {
        const BgJson *sphere = bg_json_at(spheres, s);
        double radius_mm = number(sphere, "radius_mm"), ml = number(sphere, "volume_ml");
        BgVec3 centre_mm = point(sphere, "centre_mm");
        double surface = -1.0;

        g_assert_cmpfloat_with_epsilon(ml, 4.18879020478639e-3 * pow(radius_mm, 3), 1e-9);
        g_assert_cmpfloat_with_epsilon(number(sphere, "area_cm2"),
                                       0.125663706143592 * radius_mm * radius_mm, 1e-9);
        // The soft edge, 2.5 mm to both sides, holds more than the sphere: the mean of (r + u)^3
        // over -w < u < w is r^3 + r w^2.
        double soft_ml = ml * (1.0 + 2.5 * 2.5 / (radius_mm * radius_mm));
        g_assert_cmpfloat_with_epsilon(measured_ml(volume, centre_mm, radius_mm + 6.0), soft_ml,
                                       0.01 * ml);
        // On the surface, along a direction that is no axis.
        BgVec3 direction = bg_vec3_normalize(bg_vec3(1.0, -0.6, 0.3));
        g_assert_true(bg_volume_sample_linear(
            volume, bg_vec3_along(centre_mm, radius_mm, direction), &surface));
        g_assert_cmpfloat_with_epsilon(surface, 500.0, 40.0);
    }
}

static void
test_slab_is_as_thick_as_told(void)
{
    g_autoptr(BgPhantom) phantom = make(BG_PHANTOM_SLAB, 96, 2);
    BgVolume *volume = bg_phantom_find(phantom, "slab")->volume;
    BgVec3 normal = point(phantom->truth, "normal");
    BgVec3 centre_mm = point(phantom->truth, "centre_mm");
    double thickness_mm = number(phantom->truth, "thickness_mm"), sum_mm = 0.0;

    g_assert_cmpfloat_with_epsilon(bg_vec3_length(normal), 1.0, 1e-12);
    for (double t_mm = -40.0; t_mm < 40.0; t_mm += 0.05) {
        double value;
        g_assert_true(
            bg_volume_sample_linear(volume, bg_vec3_along(centre_mm, t_mm, normal), &value));
        sum_mm += 0.05 * (value + 1000.0) / 1000.0;
    }
    g_assert_cmpfloat_with_epsilon(sum_mm, thickness_mm, 0.1);
}

// Left is +x: the capsule on the left temple is bright, its mirror image is air; the tumour is right.
static void
test_head_shows_its_sides(void)
{
    g_autoptr(BgPhantom) phantom = make(BG_PHANTOM_HEAD, 64, 1);
    const BgJson *tumour = bg_json_get(phantom->truth, "tumour");
    const BgJson *landmarks = bg_json_get(phantom->truth, "landmarks");
    BgVec3 left = point(landmarks, "capsule-left");
    BgVec3 mirrored = bg_vec3(-left.x - 2.0, left.y, left.z);
    BgVolume *t1 = bg_phantom_find(phantom, "t1")->volume;
    double at_left, at_right;

    g_assert_cmpfloat(left.x, >, 0.0);
    g_assert_true(bg_volume_sample_linear(t1, bg_vec3(left.x + 2.0, left.y, left.z), &at_left));
    g_assert_true(bg_volume_sample_linear(t1, mirrored, &at_right));
    g_assert_cmpfloat(at_left, >, 1.5 * at_right);
    g_assert_cmpstr(bg_json_to_string(bg_json_get(tumour, "side"), NULL), ==, "right");
    g_assert_cmpfloat(point(tumour, "centre_mm").x, <, -15.0);
}

static void
test_head_labels_match_the_truth(void)
{
    g_autoptr(BgPhantom) phantom = make(BG_PHANTOM_HEAD, 64, 1);
    BgLabelMap *labels = bg_phantom_find(phantom, "labels")->labels;
    g_autoptr(GArray) counts = bg_label_map_count(labels);
    const BgJson *tumour = bg_json_get(phantom->truth, "tumour");
    const BgJson *volumes = bg_json_get(tumour, "volumes_ml");
    double voxel_ml = bg_geometry_voxel_volume_mm3(bg_label_map_get_geometry(labels)) / 1000.0;

    g_assert_cmpuint(counts->len, ==, 3);
    for (guint i = 0; i < counts->len; i++) {
        BgLabelCount count = g_array_index(counts, BgLabelCount, i);
        g_autofree char *name = g_strdup_printf("%u", count.label);
        g_assert_cmpfloat_with_epsilon((double) count.n_voxels * voxel_ml, number(volumes, name),
                                       1e-9);
    }
    // Enhancing tumour is bright after contrast agent and not before.
    BgVec3 centre_mm = point(tumour, "centre_mm");
    g_assert_cmpuint(bg_label_map_sample_nearest(labels, centre_mm), ==, 1);
}

// The side that is told is the side of the labelled voxels; tumours lie on both, and differ in size and in
// what they are made of. What enhances is brighter with contrast than without.
static void
test_varied_tumours_differ(void)
{
    guint n_right = 0, n_left = 0, n_without = 0, n_several = 0;
    double least_ml = HUGE_VAL, most_ml = 0.0;

    for (guint64 seed = 1; seed <= 30; seed++) {
        g_autoptr(GError) error = NULL;
        BgPhantomParams params = {
            .kind = BG_PHANTOM_HEAD, .size = 40, .seed = seed, .tumour = TRUE, .varied = TRUE
        };
        g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, &error);
        g_assert_no_error(error);
        BgLabelMap *labels = bg_phantom_find(phantom, "labels")->labels;
        const BgGeometry *geometry = bg_label_map_get_geometry(labels);
        BgVolume *t1 = bg_phantom_find(phantom, "t1")->volume;
        BgVolume *t1ce = bg_phantom_find(phantom, "t1ce")->volume;
        const BgJson *tumour = bg_json_get(phantom->truth, "tumour");
        double x_mm = 0.0, gain[5] = { 0 };
        gsize n = 0, counts[5] = { 0 };

        for (int k = 0; k < 40; k++)
            for (int j = 0; j < 40; j++)
                for (int i = 0; i < 40; i++) {
                    BgVec3 at_mm = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                    guint label = bg_label_map_sample_nearest(labels, at_mm);
                    counts[label]++;
                    gain[label] +=
                        bg_volume_get_value(t1ce, i, j, k) - bg_volume_get_value(t1, i, j, k);
                    if (label == 1 || label == 4) {
                        x_mm += at_mm.x;
                        n++;
                    }
                }
        g_assert_cmpuint(n, >, 0);
        g_assert_cmpstr(bg_json_to_string(bg_json_get(tumour, "side"), NULL), ==,
                        x_mm < 0.0 ? "right" : "left");
        double ml = (double) n * bg_geometry_voxel_volume_mm3(geometry) / 1000.0;
        least_ml = MIN(least_ml, ml);
        most_ml = MAX(most_ml, ml);
        n_right += x_mm < 0.0;
        n_left += x_mm >= 0.0;
        n_without += counts[4] == 0;
        n_several += number(tumour, "count") > 1.0;
        if (counts[4] > 0)
            g_assert_cmpfloat(gain[4] / (double) counts[4], >, 100.0);
    }
    g_assert_cmpuint(n_right, >=, 6);
    g_assert_cmpuint(n_left, >=, 6);
    g_assert_cmpuint(n_without, >=, 1);
    g_assert_cmpuint(n_several, >=, 1);
    g_assert_cmpfloat(most_ml, >, 8.0 * least_ml);
}

static void
test_is_the_same_on_any_number_of_threads(void)
{
    bg_parallel_set_threads(1);
    g_autoptr(BgPhantom) alone = make(BG_PHANTOM_HEAD, 32, 9);
    bg_parallel_set_threads(5);
    g_autoptr(BgPhantom) together = make(BG_PHANTOM_HEAD, 32, 9);
    bg_parallel_set_threads(0);
    g_assert_cmpuint(alone->n_parts, ==, 6);
    for (guint part = 0; part < 4; part++) {
        BgVolume *a = alone->parts[part].volume, *b = together->parts[part].volume;
        g_assert_cmpmem(bg_volume_get_samples(a), bg_volume_get_n_bytes(a),
                        bg_volume_get_samples(b), bg_volume_get_n_bytes(b));
    }

    g_autoptr(BgPhantom) other = make(BG_PHANTOM_HEAD, 32, 10);
    g_assert_cmpint(memcmp(bg_volume_get_samples(other->parts[0].volume),
                           bg_volume_get_samples(alone->parts[0].volume), 32 * 32 * 32 * 2),
                    !=, 0);
}

static void
test_ct_head_is_told_from_mr(void)
{
    g_autoptr(BgPhantom) ct = make(BG_PHANTOM_CT_HEAD, 48, 1);
    g_autoptr(BgPhantom) mr = make(BG_PHANTOM_HEAD, 48, 1);
    BgWindow window;

    g_assert_true(bg_volume_looks_like_ct(bg_phantom_find(ct, "ct")->volume));
    for (guint i = 0; i < 4; i++)
        g_assert_false(bg_volume_looks_like_ct(mr->parts[i].volume));
    g_assert_true(bg_volume_default_window(bg_phantom_find(ct, "ct")->volume, &window, NULL, NULL));
    g_assert_cmpfloat(window.centre, ==, 40.0);
    g_assert_cmpfloat(window.width, ==, 400.0);
}

static void
test_refuses_sizes(void)
{
    static const int sizes[] = { 0, -1, 15, 1025 };

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;
        BgPhantomParams params = { .kind = BG_PHANTOM_SLAB, .size = sizes[i] };
        g_assert_null(bg_phantom_new(&params, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
}

static void
test_stops_when_cancelled(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    BgPhantomParams params = { .kind = BG_PHANTOM_HEAD, .size = 64 };

    g_cancellable_cancel(cancellable);
    g_assert_null(bg_phantom_new(&params, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

// Landmarks are where the camera shows them; the mirrored photograph is the other one's mirror image.
static void
test_photographs(void)
{
    g_autoptr(GError) error = NULL;
    BgPhantomPhotoParams params = bg_phantom_photo_params(3);

    params.width = 240;
    params.height = 180;
    params.landmark_noise_px = 0.0;
    g_autoptr(BgPhantomPhoto) photo = bg_phantom_photo_new(&params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_landmarks_count(photo->in_volume), ==, 8 + 6 + 1);
    for (gsize i = 0; i < bg_landmarks_count(photo->in_optical); i++) {
        const BgLandmark *seen = bg_landmarks_get(photo->in_optical, i);
        const BgLandmark *point = bg_landmarks_find(photo->in_volume, seen->name);
        double u, v, depth_mm;
        g_assert_true(bg_camera_project_lens(&photo->camera, point->position, &u, &v, &depth_mm));
        g_assert_cmpfloat(hypot(u - seen->position.x, v - seen->position.y), <, 1e-9);
        g_assert_cmpint(point->use, ==,
                        point->name[0] == 'L' ? BG_LANDMARK_FIT : BG_LANDMARK_CHECK);
        g_assert_cmpfloat(point->position.x, <, 0.0); // the patient's right
    }

    params.mirror_optical = params.mirror_thermal = TRUE;
    g_autoptr(BgPhantomPhoto) flipped = bg_phantom_photo_new(&params, NULL, NULL, &error);
    const guint8 *a = bg_image_get_pixels(photo->optical),
                 *b = bg_image_get_pixels(flipped->optical);
    const guint16 *c = bg_image_get_pixels(photo->thermal),
                  *d = bg_image_get_pixels(flipped->thermal);
    for (int v = 0; v < 180; v++) {
        for (int u = 0; u < 240; u++)
            g_assert_cmpint(a[3 * (240 * v + u)], ==, b[3 * (240 * v + 239 - u)]);
    }
    g_assert_cmpint(c[120 * 45 + 50], ==, d[120 * 45 + 69]);
    const BgLandmark *one = bg_landmarks_find(photo->in_thermal, "T1");
    const BgLandmark *other = bg_landmarks_find(flipped->in_thermal, "T1");
    g_assert_cmpfloat_with_epsilon(one->position.x, 119.0 - other->position.x, 1e-9);

    params.n_landmarks = 3;
    g_assert_null(bg_phantom_photo_new(&params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/phantom/spheres/are-as-large-as-told", test_spheres_are_as_large_as_told);
    g_test_add_func("/phantom/slab/is-as-thick-as-told", test_slab_is_as_thick_as_told);
    g_test_add_func("/phantom/head/shows-its-sides", test_head_shows_its_sides);
    g_test_add_func("/phantom/head/labels-match-the-truth", test_head_labels_match_the_truth);
    g_test_add_func("/phantom/head/varied-tumours-differ", test_varied_tumours_differ);
    g_test_add_func("/phantom/head/same-on-any-threads", test_is_the_same_on_any_number_of_threads);
    g_test_add_func("/phantom/ct-head/is-told-from-mr", test_ct_head_is_told_from_mr);
    g_test_add_func("/phantom/refuses/sizes", test_refuses_sizes);
    g_test_add_func("/phantom/cancelled", test_stops_when_cancelled);

    g_test_add_func("/phantom/photographs", test_photographs);
    return g_test_run();
}
