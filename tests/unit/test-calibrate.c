// SPDX-License-Identifier: Apache-2.0
// Chessboards that are drawn through a known camera and lens.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/model/bg-distortion.h"
#include "core/register/bg-calibrate.h"
#include "core/register/bg-chessboard.h"

#include <math.h>
#include <string.h>

#define WIDTH 640
#define HEIGHT 480
#define COLUMNS 8
#define ROWS 6
#define SQUARE_MM 25.0
#define SUB 4 // samples of a pixel along each side

static BgCamera
true_camera(void)
{
    BgCamera camera = { .width = WIDTH, .height = HEIGHT };

    camera.k[0] = 820.0;
    camera.k[4] = 805.0;
    camera.k[2] = 331.0;
    camera.k[5] = 228.0;
    camera.k[8] = 1.0;
    camera.distortion[0] = -0.25;
    camera.distortion[1] = 0.08;
    camera.distortion[2] = 0.0015;
    camera.distortion[3] = -0.001;
    return camera;
}

// The board tilted about x and y (degrees), turned about z, its middle in front of the camera.
static void
place_board(BgCamera *camera, double tilt, double pan, double turn, double far_mm)
{
    double a = tilt * G_PI / 180, b = pan * G_PI / 180, c = turn * G_PI / 180;
    const double rx[9] = { 1, 0, 0, 0, cos(a), -sin(a), 0, sin(a), cos(a) };
    const double ry[9] = { cos(b), 0, sin(b), 0, 1, 0, -sin(b), 0, cos(b) };
    const double rz[9] = { cos(c), -sin(c), 0, sin(c), cos(c), 0, 0, 0, 1 };
    double half[9], r[9];

    for (int pass = 0; pass < 2; pass++) {
        const double *m = pass == 0 ? ry : half, *n = pass == 0 ? rx : rz;
        double *to = pass == 0 ? half : r;
        for (int i = 0; i < 9; i++)
            to[i] = m[i / 3 * 3] * n[i % 3] + m[i / 3 * 3 + 1] * n[3 + i % 3] +
                    m[i / 3 * 3 + 2] * n[6 + i % 3];
    }
    double mx = SQUARE_MM * (COLUMNS - 1) / 2, my = SQUARE_MM * (ROWS - 1) / 2;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            camera->camera_from_patient.m[i][j] = r[3 * i + j];
        camera->camera_from_patient.m[i][3] =
            (i == 2 ? far_mm : 0.0) - r[3 * i] * mx - r[3 * i + 1] * my;
    }
}

static double
board_at(const BgCamera *camera, double u, double v, double room)
{
    BgVec3 origin, direction;

    bg_camera_ray(camera, u, v, &origin, &direction);
    double s = -origin.z / direction.z;
    double x = (origin.x + s * direction.x) / SQUARE_MM,
           y = (origin.y + s * direction.y) / SQUARE_MM;
    if (s < 0.0 || x < -1.6 || y < -1.6 || x > COLUMNS + 0.6 || y > ROWS + 0.6)
        return room;
    if (x < -1.0 || y < -1.0 || x > COLUMNS || y > ROWS)
        return 200.0; // the paper's border
    return ((int) floor(x) + (int) floor(y)) & 1 ? 200.0 : 30.0;
}

// Lit from one side, with noise.
static BgImage *
draw_board(const BgCamera *camera, double noise)
{
    BgImageFormat format = { WIDTH, HEIGHT, 1, BG_PIXEL_UINT8 };
    guint8 *pixels = bg_buffer_alloc(WIDTH * HEIGHT, NULL);

    for (int v = 0; v < HEIGHT; v++) {
        for (int u = 0; u < WIDTH; u++) {
            double sum = 0.0, room = 90.0 + 30.0 * sin(0.05 * u) * sin(0.07 * v);
            double corner[2][2] = { { u - 0.5, v - 0.5 }, { u + 0.5, v + 0.5 } };
            bg_camera_undistort_pixel(camera, &corner[0][0], &corner[0][1]);
            bg_camera_undistort_pixel(camera, &corner[1][0], &corner[1][1]);
            for (int s = 0; s < SUB * SUB; s++) {
                double a = (s % SUB + 0.5) / SUB, b = (s / SUB + 0.5) / SUB;
                sum += board_at(camera, corner[0][0] + a * (corner[1][0] - corner[0][0]),
                                corner[0][1] + b * (corner[1][1] - corner[0][1]), room);
            }
            double light = 0.55 + 0.45 * u / WIDTH;
            double value = light * sum / (SUB * SUB) + noise * g_test_rand_double_range(-1.7, 1.7);
            pixels[v * WIDTH + u] = (guint8) CLAMP(value, 0.0, 255.0);
        }
    }
    return bg_image_new_take(&format, pixels, NULL);
}

typedef struct {
    double tilt, pan, turn, far_mm;
} View;

static const View views[] = {
    { 30, 0, 5, 420 },   { -30, 10, -20, 450 }, { 5, 35, 90, 430 }, { 0, -35, 180, 440 },
    { 25, 25, 40, 480 }, { -25, 25, -60, 420 }, { 10, -5, 0, 380 }, { -35, -20, 130, 460 },
};

static double *
find(const View *view, double noise, BgCamera *camera)
{
    g_autoptr(GError) error = NULL;
    double *corners = g_new(double, 2 * COLUMNS * ROWS);

    *camera = true_camera();
    place_board(camera, view->tilt, view->pan, view->turn, view->far_mm);
    g_autoptr(BgImage) image = draw_board(camera, noise);
    g_assert_true(bg_chessboard_find(image, COLUMNS, ROWS, corners, NULL, &error));
    g_assert_no_error(error);
    return corners;
}

// Each corner is where the camera puts one of the board's; the order is the board's or its half turn.
static void
test_corners(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(views); i++) {
        BgCamera camera;
        g_autofree double *corners = find(&views[i], 2.0, &camera);
        double worst[2] = { 0.0, 0.0 };
        int n = COLUMNS * ROWS;
        for (int k = 0; k < n; k++) {
            for (int turn = 0; turn < 2; turn++) {
                int at = turn == 0 ? k : n - 1 - k;
                BgVec3 p = bg_vec3(SQUARE_MM * (at % COLUMNS), SQUARE_MM * (at / COLUMNS), 0.0);
                double u, v, depth;
                g_assert_true(bg_camera_project_lens(&camera, p, &u, &v, &depth));
                double off = hypot(u - corners[2 * k], v - corners[2 * k + 1]);
                worst[turn] = MAX(worst[turn], off);
            }
        }
        g_test_message("view %zu: %.3f px", i, MIN(worst[0], worst[1]));
        g_assert_cmpfloat(MIN(worst[0], worst[1]), <, 0.4);
    }
}

static void
test_calibrate(void)
{
    static const double truth[9] = { 820, 805, 331, 228, -0.25, 0.08, 0.0015, -0.001, 0.0 };
    g_autoptr(GError) error = NULL;
    BgCalibrateParams params = { COLUMNS, ROWS, SQUARE_MM, WIDTH, HEIGHT };
    double *corners[G_N_ELEMENTS(views)];
    BgCamera camera;

    for (gsize i = 0; i < G_N_ELEMENTS(views); i++)
        corners[i] = find(&views[i], 2.0, &camera);
    g_autoptr(BgCalibration) found =
        bg_calibrate((const double *const *) corners, G_N_ELEMENTS(views), &params, NULL, &error);
    g_assert_no_error(error);
    g_test_message("rms %.4f px, fx %.3f +- %.3f, k1 %.4f +- %.4f", found->rms_px,
                   found->camera.k[0], found->sd[0], found->camera.distortion[0], found->sd[4]);
    g_assert_cmpfloat(found->rms_px, <, 0.08);
    const double *k = found->camera.k, *d = found->camera.distortion;
    const double ours[9] = { k[0], k[4], k[2], k[5], d[0], d[1], d[2], d[3], d[4] };
    for (int i = 0; i < 9; i++)
        g_assert_cmpfloat(fabs(ours[i] - truth[i]), <, 5.0 * found->sd[i] + 1e-9);
    g_assert_cmpfloat(fabs(k[0] / 820.0 - 1.0), <, 0.005);
    // The first view's distance: its middle is 420 mm away.
    BgVec3 middle = bg_affine_apply(&found->views[0], bg_vec3(SQUARE_MM * (COLUMNS - 1) / 2.0,
                                                              SQUARE_MM * (ROWS - 1) / 2.0, 0.0));
    g_assert_cmpfloat_with_epsilon(middle.z, 420.0, 2.0);

    g_assert_null(bg_calibrate((const double *const *) corners, 2, &params, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    // Straight from the front, focal length and distance look alike.
    const View flat = { 0, 0, 10, 400 };
    g_autofree double *front = find(&flat, 2.0, &camera);
    const double *same[3] = { front, front, front };
    g_assert_null(bg_calibrate(same, 3, &params, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    for (gsize i = 0; i < G_N_ELEMENTS(views); i++)
        g_free(corners[i]);
}

static void
assert_not_found(BgImage *image, int columns, int rows, const char *word)
{
    g_autoptr(GError) error = NULL;
    double corners[2 * 81] = { 7.0 };

    g_assert_false(bg_chessboard_find(image, columns, rows, corners, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, word));
    g_assert_cmpfloat(corners[0], ==, 7.0);
}

static void
test_refuses(void)
{
    BgCamera camera = true_camera();

    place_board(&camera, 20, 10, 10, 420);
    g_autoptr(BgImage) image = draw_board(&camera, 2.0);
    assert_not_found(image, 7, 6, "larger one: 8 x 6");
    assert_not_found(image, 9, 6, "8 x 6");
    assert_not_found(image, 2, 6, "3 to 64");
    place_board(&camera, 0, 0, 0, -400.0); // behind: the room is all there is
    g_autoptr(BgImage) room = draw_board(&camera, 2.0);
    assert_not_found(room, COLUMNS, ROWS, "no chessboard");
}

// A picture bent and straightened again is nearly the same in its middle.
static void
test_picture(void)
{
    BgCamera camera = true_camera();
    g_autoptr(GError) error = NULL;

    place_board(&camera, 20, 10, 10, 420);
    g_autoptr(BgImage) taken = draw_board(&camera, 0.0);
    g_autoptr(BgImage) straight = bg_image_undistort(taken, &camera, NULL, &error);
    g_assert_no_error(error);
    double corners[2 * COLUMNS * ROWS];
    g_assert_true(bg_chessboard_find(straight, COLUMNS, ROWS, corners, NULL, &error));
    double best = HUGE_VAL;
    for (int turn = 0; turn < 2; turn++) {
        double worst = 0.0;
        for (int k = 0; k < COLUMNS * ROWS; k++) {
            int at = turn == 0 ? k : COLUMNS * ROWS - 1 - k;
            BgVec3 p = bg_vec3(SQUARE_MM * (at % COLUMNS), SQUARE_MM * (at / COLUMNS), 0.0);
            double u, v, depth; // a pinhole
            g_assert_true(bg_camera_project(&camera, p, &u, &v, &depth));
            worst = MAX(worst, hypot(u - corners[2 * k], v - corners[2 * k + 1]));
        }
        best = MIN(best, worst);
    }
    g_assert_cmpfloat(best, <, 0.25);

    g_autoptr(BgImage) again = bg_image_distort(straight, &camera, NULL, &error);
    const guint8 *a = bg_image_get_pixels(taken), *b = bg_image_get_pixels(again);
    double sum = 0.0;
    for (int v = 100; v < HEIGHT - 100; v++) {
        for (int u = 100; u < WIDTH - 100; u++)
            sum += abs(a[v * WIDTH + u] - b[v * WIDTH + u]);
    }
    g_assert_cmpfloat(sum / ((HEIGHT - 200) * (WIDTH - 200)), <, 4.0);
    g_autoptr(BgImage) mirrored = bg_image_mirrored(taken, NULL);
    const guint8 *m = bg_image_get_pixels(mirrored);
    g_assert_cmpint(m[5 * WIDTH + 7], ==, a[5 * WIDTH + WIDTH - 1 - 7]);
    camera.width = 320;
    g_assert_null(bg_image_undistort(taken, &camera, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/calibrate/corners", test_corners);
    g_test_add_func("/calibrate/camera", test_calibrate);
    g_test_add_func("/calibrate/refuses", test_refuses);
    g_test_add_func("/calibrate/picture", test_picture);
    return g_test_run();
}
