// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/model/bg-camera.h"

#include <string.h>

#define WIDTH 641
#define HEIGHT 480
#define RADIUS_MM 100.0

static const BgVec3 centre_mm = { 12.0, -30.0, 44.0 };

// elevation, azimuth, roll, zoom; offset from the centre; u, v, depth: printed by
// tests/reference/camera.py (OpenCV 4.6, scipy 1.10).
static const struct {
    double view[4], offset_mm[3], wanted[3];
} projections[] = {
    // clang-format off
    { { 0, 0, 0, 1 }, { 50, 0, 0 }, { 435.911099, 239.5, 386.370331 } }, // left
    { { 0, 0, 0, 1 }, { 0, -50, 0 }, { 320, 239.5, 336.370331 } }, // anterior
    { { 0, 0, 0, 1 }, { 0, 0, 50 }, { 320, 123.588901, 386.370331 } }, // superior
    { { 0, 0, 0, 1 }, { 31, -22, 17 }, { 396.203949, 197.710738, 364.370331 } }, // mixed
    { { 0, 90, 0, 1 }, { 50, 0, 0 }, { 320, 239.5, 336.370331 } }, // left
    { { 0, 90, 0, 1 }, { 0, -50, 0 }, { 204.088901, 239.5, 386.370331 } }, // anterior
    { { 0, 90, 0, 1 }, { 0, 0, 50 }, { 320, 123.588901, 386.370331 } }, // superior
    { { 0, 90, 0, 1 }, { 31, -22, 17 }, { 264.550159, 196.652396, 355.370331 } }, // mixed
    { { 90, 0, 0, 1 }, { 50, 0, 0 }, { 435.911099, 239.5, 386.370331 } }, // left
    { { 90, 0, 0, 1 }, { 0, -50, 0 }, { 320, 355.411099, 386.370331 } }, // anterior
    { { 90, 0, 0, 1 }, { 0, 0, 50 }, { 320, 239.5, 336.370331 } }, // superior
    { { 90, 0, 0, 1 }, { 31, -22, 17 }, { 395.17241, 292.848162, 369.370331 } }, // mixed
    { { 30, 40, 0, 1.5 }, { 50, 0, 0 }, { 463.529201, 299.71765, 358.536811 } }, // left
    { { 30, 40, 0, 1.5 }, { 0, -50, 0 }, { 197.74481, 312.349031, 353.199633 } }, // anterior
    { { 30, 40, 0, 1.5 }, { 0, 0, 50 }, { 320, 78.5102628, 361.370331 } }, // superior
    { { 30, 40, 0, 1.5 }, { 31, -22, 17 }, { 357.298869, 253.739446, 346.018441 } }, // mixed
    { { -20, 200, 35, 0.7 }, { 50, 0, 0 }, { 265.264627, 288.950211, 402.440021 } }, // left
    { { -20, 200, 35, 0.7 }, { 0, -50, 0 }, { 353.824198, 244.385699, 430.521442 } }, // anterior
    { { -20, 200, 35, 0.7 }, { 0, 0, 50 }, { 278.121486, 179.691284, 403.471338 } }, // superior
    { { -20, 200, 35, 0.7 }, { 31, -22, 17 }, { 289.175585, 251.50116, 421.57437 } }, // mixed
    // clang-format on
};

static void
test_views_against_opencv(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(projections); i++) {
        const double *w = projections[i].view, *o = projections[i].offset_mm;
        BgView view = {
            .elevation_deg = w[0], .azimuth_deg = w[1], .roll_deg = w[2], .zoom = w[3]
        };
        BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, WIDTH, HEIGHT);
        double u, v, depth_mm;
        BgVec3 p = bg_vec3_add(centre_mm, bg_vec3(o[0], o[1], o[2]));
        g_assert_true(bg_camera_project(&camera, p, &u, &v, &depth_mm));
        g_assert_cmpfloat_with_epsilon(u, projections[i].wanted[0], 1e-5);
        g_assert_cmpfloat_with_epsilon(v, projections[i].wanted[1], 1e-5);
        g_assert_cmpfloat_with_epsilon(depth_mm, projections[i].wanted[2], 1e-5);
    }
}

// What the user knows: from the front the patient's right is on the picture's left.
static void
test_sides(gconstpointer user_data)
{
    gboolean parallel = GPOINTER_TO_INT(user_data);
    static const struct {
        double azimuth_deg, elevation_deg;
        BgVec3 right, up, near; // which patient directions are there in the picture
    } sides[] = {
        { 0, 0, { 1, 0, 0 }, { 0, 0, 1 }, { 0, -1, 0 } },    // from the front
        { 180, 0, { -1, 0, 0 }, { 0, 0, 1 }, { 0, 1, 0 } },  // from behind
        { 90, 0, { 0, 1, 0 }, { 0, 0, 1 }, { 1, 0, 0 } },    // from the left
        { -90, 0, { 0, -1, 0 }, { 0, 0, 1 }, { -1, 0, 0 } }, // from the right
        { 0, 90, { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },    // from above
        { 0, -90, { 1, 0, 0 }, { 0, -1, 0 }, { 0, 0, -1 } }, // from the feet
    };

    for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
        BgView view = { .azimuth_deg = sides[i].azimuth_deg,
                        .elevation_deg = sides[i].elevation_deg,
                        .zoom = 1.0,
                        .parallel = parallel };
        BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, WIDTH, HEIGHT);
        double u, v, depth_mm, middle_mm;
        g_assert_true(bg_camera_project(&camera, centre_mm, &u, &v, &middle_mm));
        g_assert_cmpfloat_with_epsilon(u, 320.0, 1e-9);
        g_assert_cmpfloat_with_epsilon(v, 239.5, 1e-9);
        bg_camera_project(&camera, bg_vec3_along(centre_mm, 50, sides[i].right), &u, &v, &depth_mm);
        g_assert_cmpfloat(u, >, 400.0);
        g_assert_cmpfloat_with_epsilon(v, 239.5, 1e-6);
        bg_camera_project(&camera, bg_vec3_along(centre_mm, 50, sides[i].up), &u, &v, &depth_mm);
        g_assert_cmpfloat_with_epsilon(u, 320.0, 1e-6);
        g_assert_cmpfloat(v, <, 150.0);
        bg_camera_project(&camera, bg_vec3_along(centre_mm, 50, sides[i].near), &u, &v, &depth_mm);
        g_assert_cmpfloat_with_epsilon(depth_mm, middle_mm - 50.0, 1e-9);
    }
}

// The sphere touches the shorter sides: rays there pass the centre at the radius.
static void
test_fits_the_sphere(gconstpointer user_data)
{
    gboolean parallel = GPOINTER_TO_INT(user_data);
    static const int sizes[][2] = { { 641, 480 }, { 480, 641 }, { 1, 1 }, { 512, 512 } };

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        int w = sizes[i][0], h = sizes[i][1];
        BgView view = { .zoom = 1.0, .azimuth_deg = 33.0, .parallel = parallel };
        BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, w, h);
        BgVec3 origin_mm, direction;
        double u = w < h ? -0.5 : 0.5 * (w - 1), v = w < h ? 0.5 * (h - 1) : -0.5;
        bg_camera_ray(&camera, u, v, &origin_mm, &direction);
        BgVec3 to = bg_vec3_sub(centre_mm, origin_mm);
        g_assert_cmpfloat_with_epsilon(bg_vec3_length(bg_vec3_cross(to, direction)), RADIUS_MM,
                                       1e-9);
        g_assert_cmpfloat_with_epsilon(bg_vec3_length(direction), 1.0, 1e-12);
    }
}

static void
test_pan(void)
{
    BgView view = { .zoom = 1.0, .pan_x = 0.5, .pan_y = 0.25 };
    BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, WIDTH, HEIGHT);
    double u, v, depth_mm;

    bg_camera_project(&camera, bg_vec3_add(centre_mm, bg_vec3(50, 0, 25)), &u, &v, &depth_mm);
    g_assert_cmpfloat_with_epsilon(u, 320.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(v, 239.5, 1e-9);
}

static void
test_rays_hit_what_is_projected(gconstpointer user_data)
{
    gboolean parallel = GPOINTER_TO_INT(user_data);

    for (int i = 0; i < 200; i++) {
        BgView view = { .elevation_deg = g_test_rand_double_range(-90, 90),
                        .azimuth_deg = g_test_rand_double_range(-180, 180),
                        .roll_deg = g_test_rand_double_range(-180, 180),
                        .zoom = g_test_rand_double_range(0.3, 4),
                        .pan_x = g_test_rand_double_range(-1, 1),
                        .parallel = parallel };
        BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, WIDTH, HEIGHT);
        camera.k[1] = parallel ? 0.0 : 3.0; // skew
        BgVec3 p = bg_vec3(g_test_rand_double_range(-50, 50), g_test_rand_double_range(-50, 50),
                           g_test_rand_double_range(-50, 50));
        BgVec3 origin_mm, direction;
        double u, v, depth_mm;
        p = bg_vec3_add(p, centre_mm);
        g_assert_true(bg_camera_project(&camera, p, &u, &v, &depth_mm));
        bg_camera_ray(&camera, u, v, &origin_mm, &direction);
        BgVec3 miss = bg_vec3_cross(bg_vec3_sub(p, origin_mm), direction);
        g_assert_cmpfloat(bg_vec3_length(miss), <, 1e-9);

        // A pixel further is that many millimetres further.
        double mm = bg_camera_mm_per_pixel(&camera, p), u2, v2;
        const double *right = camera.camera_from_patient.m[0];
        bg_camera_project(&camera, bg_vec3_along(p, mm, bg_vec3(right[0], right[1], right[2])), &u2,
                          &v2, &depth_mm);
        g_assert_cmpfloat_with_epsilon(u2 - u, 1.0, 1e-9);
    }
}

static void
test_resized_keeps_the_height(gconstpointer user_data)
{
    gboolean parallel = GPOINTER_TO_INT(user_data);
    BgView view = { .zoom = 1.2, .azimuth_deg = 20.0, .parallel = parallel };
    BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, WIDTH, HEIGHT);
    BgCamera small = bg_camera_resized(&camera, 200, 160);
    double u, v, u2, v2, depth_mm;
    BgVec3 p = bg_vec3_add(centre_mm, bg_vec3(20, 5, 30));

    g_assert_true(bg_camera_project(&camera, p, &u, &v, &depth_mm));
    g_assert_true(bg_camera_project(&small, p, &u2, &v2, &depth_mm));
    // Measured from the picture's centre, in heights.
    g_assert_cmpfloat_with_epsilon((u2 - 99.5) / 160, (u - 320.0) / 480, 1e-12);
    g_assert_cmpfloat_with_epsilon((v2 + 0.5) / 160, (v + 0.5) / 480, 1e-12);
}

static void
test_behind(void)
{
    BgView view = bg_view_default();
    BgCamera camera = bg_camera_from_view(&view, centre_mm, RADIUS_MM, WIDTH, HEIGHT);
    double u = 7, v = 7, depth_mm = 7;

    g_assert_false(bg_camera_project(&camera, bg_vec3(12, -30 - 400, 44), &u, &v, &depth_mm));
    g_assert_cmpfloat(u, ==, 7.0);
}

static void
assert_same_camera(const BgCamera *a, const BgCamera *b)
{
    g_assert_cmpint(a->width, ==, b->width);
    g_assert_cmpint(a->height, ==, b->height);
    g_assert_cmpint(a->parallel, ==, b->parallel);
    g_assert_cmpfloat(bg_affine_max_difference(&a->camera_from_patient, &b->camera_from_patient), <,
                      1e-12);
    if (a->parallel) {
        g_assert_cmpfloat(a->height_mm, ==, b->height_mm);
        return;
    }
    g_assert_cmpmem(a->k, sizeof a->k, b->k, sizeof b->k);
    g_assert_cmpmem(a->distortion, sizeof a->distortion, b->distortion, sizeof b->distortion);
}

static void
test_json(gconstpointer user_data)
{
    BgView view = { .elevation_deg = 12.3,
                    .azimuth_deg = -45.6,
                    .roll_deg = 7.8,
                    .zoom = 0.9,
                    .parallel = GPOINTER_TO_INT(user_data) };
    BgCamera camera = bg_camera_from_view(&view, bg_vec3(0, 0, 0), RADIUS_MM, WIDTH, HEIGHT), back;
    g_autoptr(GError) error = NULL;

    camera.distortion[0] = camera.parallel ? 0.0 : -0.125;
    g_autofree char *text = bg_camera_print(&camera);
    g_assert_true(bg_camera_parse(text, -1, &back, &error));
    g_assert_no_error(error);
    assert_same_camera(&camera, &back);
}

#define K "\"K\":[500,0,320,0,500,240,0,0,1],"
#define R "\"R\":[1,0,0,0,1,0,0,0,1],"
#define T "\"t\":[0,0,500],"
#define S "\"size\":[640,480]"
#define PARALLEL "{\"parallel\":true,\"centre_mm\":[0,0,0],"

static void
test_reads_by_hand(void)
{
    static const char parallel[] =
        PARALLEL "\"direction\":[0,2,0],\"up\":[0.3,1,3]," // as from a head
                 "\"height_mm\":250," S "}";
    g_autoptr(GError) error = NULL;
    BgCamera camera;
    double u, v, depth_mm;

    g_assert_true(bg_camera_parse("{" K R T S "}", -1, &camera, &error));
    g_assert_true(bg_camera_project(&camera, bg_vec3(10, 20, 0), &u, &v, &depth_mm));
    g_assert_cmpfloat_with_epsilon(u, 330.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(v, 260.0, 1e-12);

    g_assert_true(bg_camera_parse(parallel, -1, &camera, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(bg_affine_determinant(&camera.camera_from_patient), 1.0, 1e-12);
    bg_camera_project(&camera, bg_vec3(0, 77, 0), &u, &v, &depth_mm);
    g_assert_cmpfloat_with_epsilon(u, 319.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(v, 239.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(depth_mm, 77.0, 1e-9);
}

static const struct {
    const char *text;
    BgError code;
} bad[] = {
    { "", BG_ERROR_CORRUPT },
    { "7", BG_ERROR_CORRUPT },
    { "{}", BG_ERROR_INVALID },
    { "{\"schema\":2," K R T S "}", BG_ERROR_INVALID },
    { "{" K S "}", BG_ERROR_INVALID },
    { "{" K R S "}", BG_ERROR_INVALID },
    { "{" K T S "}", BG_ERROR_INVALID },
    { "{" R T S "}", BG_ERROR_INVALID },
    { "{" K R T "\"size\":[640]}", BG_ERROR_INVALID },
    { "{" K R T "\"size\":[0,480]}", BG_ERROR_INVALID },
    { "{" K R T "\"size\":[640.5,480]}", BG_ERROR_INVALID },
    { "{" K R T "\"size\":[1e9,480]}", BG_ERROR_INVALID },
    { "{" K R T "\"size\":[-1e300,480]}", BG_ERROR_INVALID },
    { "{" K T "\"R\":[-1,0,0,0,1,0,0,0,1]," S "}", BG_ERROR_INVALID }, // a mirror
    { "{" K T "\"R\":[2,0,0,0,2,0,0,0,2]," S "}", BG_ERROR_INVALID },
    { "{" K T "\"R\":[1,0,0,0,1,0,0,0]," S "}", BG_ERROR_INVALID },
    { "{" R T "\"K\":[-500,0,320,0,500,240,0,0,1]," S "}", BG_ERROR_INVALID },
    { "{" R T "\"K\":[500,0,320,0,500,240,0,0,2]," S "}", BG_ERROR_INVALID },
    { "{" K R T "\"distortion\":[1]," S "}", BG_ERROR_INVALID },
    { "{\"parallel\":1," K R T S "}", BG_ERROR_INVALID },
    { PARALLEL "\"direction\":[0,1,0],\"up\":[0,5,0],\"height_mm\":1," S "}", BG_ERROR_INVALID },
    { PARALLEL "\"direction\":[0,0,0],\"up\":[0,0,1],\"height_mm\":1," S "}", BG_ERROR_INVALID },
    { PARALLEL "\"direction\":[0,1,0],\"up\":[0,0,1],\"height_mm\":0," S "}", BG_ERROR_INVALID },
    { PARALLEL "\"direction\":[0,1,0],\"up\":[0,0,1]," S "}", BG_ERROR_INVALID },
};

static void
test_refuses(gconstpointer user_data)
{
    gsize i = GPOINTER_TO_SIZE(user_data);
    g_autoptr(GError) error = NULL;
    BgCamera camera = { .width = 5 };

    g_assert_false(bg_camera_parse(bad[i].text, -1, &camera, &error));
    g_assert_error(error, BG_ERROR, (int) bad[i].code);
    g_assert_cmpint(camera.width, ==, 5);
}

static void
add_both(const char *path, GTestDataFunc func)
{
    g_autofree char *perspective = g_strconcat(path, "/perspective", NULL);
    g_autofree char *parallel = g_strconcat(path, "/parallel", NULL);

    g_test_add_data_func(perspective, GINT_TO_POINTER(FALSE), func);
    g_test_add_data_func(parallel, GINT_TO_POINTER(TRUE), func);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/camera/views-against-opencv", test_views_against_opencv);
    add_both("/camera/sides", test_sides);
    add_both("/camera/fits-the-sphere", test_fits_the_sphere);
    add_both("/camera/rays-hit-what-is-projected", test_rays_hit_what_is_projected);
    add_both("/camera/resized-keeps-the-height", test_resized_keeps_the_height);
    add_both("/camera/json", test_json);
    g_test_add_func("/camera/pan", test_pan);
    g_test_add_func("/camera/behind", test_behind);
    g_test_add_func("/camera/reads-by-hand", test_reads_by_hand);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *name = g_strdup_printf("/camera/refuses/%zu", i);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_refuses);
    }
    return g_test_run();
}
