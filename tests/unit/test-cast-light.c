// SPDX-License-Identifier: Apache-2.0
// Light that other things stand in the way of, where its share is known by a formula.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/cast/bg-cast.h"

#include <math.h>
#include <string.h>

#define SIDE 64      // voxels of 1 mm
#define GREY 0.21404 // linear light of sRGB 0.5

typedef double (*Field)(BgVec3 patient_mm);

// Edges two voxels wide, so that there is a gradient and no steps.
static double
edge(double inside_mm)
{
    return 1000.0 * CLAMP(0.5 + 0.5 * inside_mm, 0.0, 1.0);
}

static double
ball(BgVec3 p)
{
    return edge(20.0 - bg_vec3_length(p));
}

// A floor, 24 mm below the middle, and a ball over it. Superior is up.
static double
floor_and_ball(BgVec3 p)
{
    return MAX(edge(-14.0 - p.z), edge(6.0 - bg_vec3_length(bg_vec3(p.x, p.y, p.z - 2.0))));
}

// A block with a slot along y, 8 mm wide and 12 mm deep, in its upper face at z = 10.
static double
slot(BgVec3 p)
{
    return MIN(edge(10.0 - p.z), 1000.0 - MIN(edge(4.0 - fabs(p.x)), edge(p.z + 2.0)));
}

static double
haze(BgVec3 p)
{
    return 1000.0 * CLAMP(1.0 - bg_vec3_length(p) / 28.0, 0.0, 1.0);
}

static BgVolume *
new_volume(Field field)
{
    const int dims[3] = { SIDE, SIDE, SIDE };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    gsize at = 0;

    for (int k = 0; k < SIDE; k++) {
        for (int j = 0; j < SIDE; j++) {
            for (int i = 0; i < SIDE; i++, at++)
                samples[at] =
                    (gint16) field(bg_affine_apply(&geometry.patient_from_voxel, bg_vec3(i, j, k)));
        }
    }
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

typedef struct {
    BgVolume *volume;
    BgTransferFunction *tf;
    BgCastParams params;
} Scene;

#define HARD "\"opacity\":[[400,0],[600,1]],\"unit_distance_mm\":0.5,\"shade\":true"
#define SOFT "\"opacity\":[[0,0],[1000,0.08]],\"unit_distance_mm\":1,\"shade\":false"

// Grey things, seen from superior (anterior up), their right on the left.
static void
scene_init(Scene *scene, Field field, const char *opacity, BgLighting lighting)
{
    g_autofree char *json = g_strdup_printf("{\"technique\":\"composite\",%s,\"ambient\":1,"
                                            "\"diffuse\":0,\"specular\":0,"
                                            "\"colour\":[[0,0.5,0.5,0.5]]}",
                                            opacity);
    BgView view = { .elevation_deg = 90.0, .zoom = 1.0, .parallel = TRUE };

    scene->volume = new_volume(field);
    scene->tf = bg_transfer_function_parse(json, -1, NULL);
    g_assert_nonnull(scene->tf);
    bg_cast_params_init(&scene->params);
    scene->params.tf = scene->tf;
    scene->params.transparent = TRUE;
    scene->params.lighting = lighting;
    scene->params.camera = bg_camera_from_view(&view, bg_vec3(0, 0, 0), 32.0, 65, 65);
}

static BgCastImage *
scene_cast(const Scene *scene)
{
    GError *error = NULL;
    BgCastImage *image = bg_cast(scene->volume, &scene->params, NULL, NULL, &error);

    g_assert_no_error(error);
    return image;
}

static void
scene_clear(Scene *scene)
{
    bg_volume_unref(scene->volume);
    bg_transfer_function_unref(scene->tf);
}

static double
linear(guint8 code)
{
    double x = code / 255.0;

    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

// The mean linear light, or alpha, of the pixels within @around of the place of a patient's point.
static double
mean_at(const BgCastImage *image, BgVec3 patient_mm, int around, gboolean alpha)
{
    const guint8 *pixels = bg_image_get_pixels(image->colour);
    double u, v, depth, sum = 0.0;
    int n = 0;

    g_assert_true(bg_camera_project(&image->camera, patient_mm, &u, &v, &depth));
    for (int y = (int) rint(v) - around; y <= (int) rint(v) + around; y++) {
        for (int x = (int) rint(u) - around; x <= (int) rint(u) + around; x++, n++) {
            const guint8 *pixel = pixels + 4 * (y * 65 + x);
            sum += alpha ? pixel[3] / 255.0 : linear(pixel[1]);
        }
    }
    return sum / n;
}

// As much is seen of a cloud by paths as by rays: the same opacity of the same steps.
static void
test_coverage(void)
{
    Scene scene;

    scene_init(&scene, haze, SOFT, BG_LIGHTING_LOCAL);
    g_autoptr(BgCastImage) rays = scene_cast(&scene);
    scene.params.lighting = BG_LIGHTING_PATH;
    g_autoptr(BgCastImage) paths = scene_cast(&scene);
    for (int x = -20; x <= 20; x += 10) {
        double expected = mean_at(rays, bg_vec3(x, 5, 0), 3, TRUE);
        double got = mean_at(paths, bg_vec3(x, 5, 0), 3, TRUE);
        g_test_message("x %d: rays %.3f, paths %.3f", x, expected, got);
        g_assert_cmpfloat(expected, >, 0.1);
        g_assert_cmpfloat(fabs(got - expected), <, 0.04); // 4 sigma of 49 pixels of 64 paths: 0.036
    }
    scene_clear(&scene);
}

// A ball hides nothing of its own sky: grey (sky + key cos), and the sky alone in the key's shadow.
static void
test_ball(void)
{
    Scene scene;

    scene_init(&scene, ball, HARD, BG_LIGHTING_PATH);
    scene.params.light_right = -1e6; // from the picture's left: the patient's right, -x
    scene.params.n_paths = 256;
    g_autoptr(BgCastImage) image = scene_cast(&scene);
    for (int x = -15; x <= 15; x += 5) {
        double cosine = -x / 20.0, key = MAX(0.0, cosine) * BG_CAST_KEY;
        double expected = GREY * (BG_CAST_SKY + key);
        double got = mean_at(image, bg_vec3(x, 0, 0), 1, FALSE);
        g_test_message("x %d: expected %.4f, got %.4f", x, expected, got);
        g_assert_cmpfloat(fabs(got - expected), <, 0.06 * expected);
    }
    scene_clear(&scene);
}

// The key light from the patient's left throws the ball's shadow to the right, and the other way round.
static void
test_shadow_side(void)
{
    Scene scene;

    scene_init(&scene, floor_and_ball, HARD, BG_LIGHTING_PATH);
    for (int side = -1; side <= 1; side += 2) {
        scene.params.light_right = side; // 45 degrees; the picture's right is the patient's left
        g_autoptr(BgCastImage) image = scene_cast(&scene);
        double shadow = mean_at(image, bg_vec3(-16.0 * side, 0, -14), 1, FALSE);
        double light = mean_at(image, bg_vec3(16.0 * side, 0, -14), 1, FALSE);
        g_test_message("light at %+d: shadow %.4f, light %.4f", side, shadow, light);
        g_assert_cmpfloat(shadow, <, GREY * BG_CAST_SKY * 1.1);
        g_assert_cmpfloat(light, >, GREY * (BG_CAST_SKY * 0.8 + BG_CAST_KEY * M_SQRT1_2 * 0.9));
    }
    scene_clear(&scene);
}

static void
test_repeats(void)
{
    Scene scene;

    scene_init(&scene, floor_and_ball, HARD, BG_LIGHTING_PATH);
    scene.params.n_paths = 4;
    scene.params.seed = 7;
    g_autoptr(BgCastImage) one = scene_cast(&scene);
    bg_parallel_set_threads(1);
    g_autoptr(BgCastImage) alone = scene_cast(&scene);
    bg_parallel_set_threads(0);
    scene.params.seed = 8;
    g_autoptr(BgCastImage) other = scene_cast(&scene);
    const guint8 *pixels = bg_image_get_pixels(one->colour);
    gsize n = 65 * 65 * 4;
    g_assert_cmpmem(pixels, n, bg_image_get_pixels(alone->colour), n);
    g_assert_cmpint(memcmp(pixels, bg_image_get_pixels(other->colour), n), !=, 0);
    scene_clear(&scene);
}

// The open share of the sky over a long slot's floor, weighed by the cosine, when what is further than the
// reach, an eighth of the diagonal, does not hide it: by summing over directions.
static double
slot_openness(double half_width, double height)
{
    const double reach = sqrt(3.0) * SIDE / 8.0;
    const int n = 400;
    int n_open = 0;

    for (int a = 0; a < n * n; a++) {
        double z = sqrt((a / n + 0.5) / n), turn = 2.0 * G_PI * (a % n + 0.5) / n;
        double t = half_width / fabs(sqrt(1.0 - z * z) * cos(turn));
        n_open += t > reach || t * z > height;
    }
    return n_open / (double) (n * n);
}

static void
test_openness(void)
{
    Scene scene;

    scene_init(&scene, slot, HARD, BG_LIGHTING_AO);
    g_autoptr(BgCastImage) image = scene_cast(&scene);
    scene.params.lighting = BG_LIGHTING_LOCAL;
    g_autoptr(BgCastImage) local = scene_cast(&scene);
    // The picture is coded: as the caster mixes.
    double bare = 0.5, flat = 0.0, deep = 0.0;
    const guint8 *pixels = bg_image_get_pixels(image->colour);
    const guint8 *locals = bg_image_get_pixels(local->colour);
    for (int n = 0; n < 2; n++) {
        double u, v, depth;
        BgVec3 p = n == 0 ? bg_vec3(-18, 0, 10) : bg_vec3(0, 0, -2);
        g_assert_true(bg_camera_project(&image->camera, p, &u, &v, &depth));
        gsize at = 4 * ((gsize) rint(v) * 65 + (gsize) rint(u)) + 1;
        g_assert_cmpfloat(fabs(locals[at] / 255.0 - bare), <, 0.01);
        *(n == 0 ? &flat : &deep) = pixels[at] / 255.0 / bare;
    }
    double expected = slot_openness(4.0, 12.0);
    g_test_message("flat %.3f (1), slot %.3f (%.3f)", flat, deep, expected);
    g_assert_cmpfloat(flat, >, 0.9);
    g_assert_cmpfloat(fabs(deep - expected), <, 0.15);
    scene_clear(&scene);
}

static void
test_refuses(void)
{
    Scene scene;
    GError *error = NULL;

    scene_init(&scene, ball, HARD, BG_LIGHTING_PATH);
    scene.params.n_paths = 0;
    g_assert_null(bg_cast(scene.volume, &scene.params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    bg_transfer_function_unref(scene.tf);
    scene.tf =
        bg_transfer_function_parse("{\"technique\":\"mip\",\"opacity\":[[0,0],[1,1]]}", -1, NULL);
    scene.params.tf = scene.tf;
    scene.params.n_paths = 1;
    for (int l = BG_LIGHTING_AO; l <= BG_LIGHTING_PATH; l++) {
        scene.params.lighting = (BgLighting) l;
        g_assert_null(bg_cast(scene.volume, &scene.params, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, bg_lighting_name((BgLighting) l)));
        g_clear_error(&error);
    }
    scene_clear(&scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cast-light/coverage", test_coverage);
    g_test_add_func("/cast-light/ball", test_ball);
    g_test_add_func("/cast-light/shadow-side", test_shadow_side);
    g_test_add_func("/cast-light/repeats", test_repeats);
    g_test_add_func("/cast-light/openness", test_openness);
    g_test_add_func("/cast-light/refuses", test_refuses);
    return g_test_run();
}
