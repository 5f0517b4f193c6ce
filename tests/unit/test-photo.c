// SPDX-License-Identifier: Apache-2.0
// A ball in front of a bent and maybe mirrored lens: where it is seen is known.
#include "core/base/bg-buffer.h"
#include "core/model/bg-distortion.h"
#include "core/register/bg-landmark-plane.h"
#include "core/register/bg-photo.h"

#include <math.h>
#include <string.h>

#define RADIUS 20.0
#define RINGS 48

static const BgVec3 centre = { 5.0, -8.0, 12.0 };

static BgVec3
ball_point(double latitude, double longitude)
{
    return bg_vec3(centre.x + RADIUS * cos(latitude) * cos(longitude),
                   centre.y + RADIUS * cos(latitude) * sin(longitude),
                   centre.z + RADIUS * sin(latitude));
}

static BgCortex *
make_ball(void)
{
    gsize n_around = 2 * RINGS, n_vertices = (RINGS + 1) * n_around;
    gsize n_triangles = 2 * RINGS * n_around;
    BgMeshData data = { .n_vertices = n_vertices, .n_triangles = n_triangles };
    g_autoptr(GError) error = NULL;

    data.positions = bg_buffer_alloc_items(n_vertices, 3 * sizeof(float), NULL);
    data.triangles = bg_buffer_alloc_items(n_triangles, 3 * sizeof(guint32), NULL);
    for (gsize i = 0; i < n_vertices; i++) {
        BgVec3 p = ball_point(G_PI * ((double) (i / n_around) / RINGS - 0.5),
                              2.0 * G_PI * (double) (i % n_around) / (double) n_around);
        for (int axis = 0; axis < 3; axis++)
            data.positions[3 * i + (gsize) axis] = (float) bg_vec3_get(p, axis);
    }
    guint32 *t = data.triangles;
    for (guint32 ring = 0; ring < RINGS; ring++) {
        for (guint32 i = 0; i < n_around; i++) {
            guint32 a = ring * (guint32) n_around + i;
            guint32 b = ring * (guint32) n_around + (i + 1) % (guint32) n_around;
            guint32 c = a + (guint32) n_around, d = b + (guint32) n_around;
            const guint32 both[6] = { a, b, d, a, d, c };
            memcpy(t, both, sizeof both);
            t += 6;
        }
    }
    g_autoptr(BgMesh) mesh = bg_mesh_new_take(&data, &error);
    g_assert_no_error(error);
    BgCortex *cortex = bg_cortex_new(mesh, NULL, 0.0, 0.0, NULL, &error);
    g_assert_no_error(error);
    return cortex;
}

// Looks along +y from the front of the ball.
static BgCamera
make_camera(void)
{
    BgCamera camera = { .width = 320,
                        .height = 240,
                        .distortion = { -0.3, 0.1, 0.002, -0.001, 0 } };

    camera.k[0] = 900.0;
    camera.k[4] = 880.0;
    camera.k[2] = 170.0;
    camera.k[5] = 115.0;
    camera.k[8] = 1.0;
    camera.camera_from_patient.m[0][0] = 1.0;
    camera.camera_from_patient.m[1][2] = -1.0;
    camera.camera_from_patient.m[2][1] = 1.0;
    camera.camera_from_patient.m[0][3] = -3.0;
    camera.camera_from_patient.m[1][3] = 14.0;
    camera.camera_from_patient.m[2][3] = 250.0;
    return camera;
}

static void
test_project(void)
{
    BgCamera camera = make_camera();
    double u, v, x, y, depth, other;
    BgVec3 origin, direction, p = ball_point(0.3, -1.2);

    g_assert_true(bg_photo_project(&camera, FALSE, p, &u, &v, &depth));
    g_assert_true(bg_photo_project(&camera, TRUE, p, &x, &y, &other));
    g_assert_cmpfloat_with_epsilon(u + x, camera.width - 1, 1e-12);
    g_assert_cmpfloat(v, ==, y);
    g_assert_cmpfloat(depth, ==, other);
    g_assert_true(bg_photo_ray(&camera, TRUE, x, y, &origin, &direction));
    BgVec3 from = bg_vec3_sub(p, origin);
    g_assert_cmpfloat(bg_vec3_length(bg_vec3_cross(from, direction)), <, 1e-6);
    g_assert_false(bg_photo_project(&camera, FALSE, bg_vec3(0, -400, 0), &u, &v, &depth));
}

// Every point of the silhouette is on a line that touches the ball.
static void
test_outline(void)
{
    BgCamera camera = make_camera();
    g_autoptr(BgCortex) ball = make_ball();
    g_autoptr(GError) error = NULL;

    for (int mirrored = 0; mirrored < 2; mirrored++) {
        g_autoptr(BgContours) lines = bg_photo_outline(&camera, mirrored, ball, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(lines->starts->len, ==, 1);
        g_assert_cmpuint(lines->points->len, >, 300);
        double worst = 0.0;
        for (guint i = 0; i < lines->points->len; i++) {
            const BgContourPoint *p = &g_array_index(lines->points, BgContourPoint, i);
            BgVec3 origin, direction;
            g_assert_true(bg_photo_ray(&camera, mirrored, p->x, p->y, &origin, &direction));
            BgVec3 to = bg_vec3_sub(centre, origin);
            double mm = bg_vec3_length(bg_vec3_cross(to, direction)) - RADIUS;
            worst = MAX(worst, fabs(mm));
        }
        g_test_message("%u points, at most %.3f mm off", lines->points->len, worst);
        g_assert_cmpfloat(worst, <, 0.3); // a pixel has 0.27 mm
        const BgContourPoint *first = &g_array_index(lines->points, BgContourPoint, 0);
        const BgContourPoint *last =
            &g_array_index(lines->points, BgContourPoint, lines->points->len - 1);
        g_assert_cmpfloat(first->x, ==, last->x);
        g_assert_cmpfloat(first->y, ==, last->y);
    }
    // Cut off by the picture's edge, and out of it.
    camera.k[2] = 0.0;
    g_autoptr(BgContours) cut = bg_photo_outline(&camera, FALSE, ball, NULL, &error);
    g_assert_cmpuint(cut->starts->len, ==, 1);
    camera.k[2] = -900.0;
    g_autoptr(BgContours) none = bg_photo_outline(&camera, FALSE, ball, NULL, &error);
    g_assert_cmpuint(none->starts->len, ==, 0);
}

// A circle of latitude: its front half is seen, the back one lies behind the ball.
static void
test_contours(void)
{
    BgCamera camera = make_camera();
    g_autoptr(BgCortex) ball = make_ball();
    g_autoptr(BgCortexView) view = bg_cortex_view_new(ball, &camera, NULL, NULL);
    g_autoptr(GPtrArray) lines = g_ptr_array_new();
    BgPlaneContour line = { .points = g_array_new(FALSE, FALSE, sizeof(BgVec3)) };

    for (int i = 0; i <= 360; i++) {
        BgVec3 p = ball_point(0.2, i * G_PI / 180.0);
        g_array_append_val(line.points, p);
    }
    g_ptr_array_add(lines, &line);
    g_autoptr(BgContours) all = bg_photo_contours(&camera, FALSE, lines, NULL, 0.0);
    g_assert_cmpuint(all->starts->len, ==, 1);
    g_assert_cmpuint(all->points->len, ==, 361);
    g_autoptr(BgContours) seen = bg_photo_contours(&camera, TRUE, lines, view, 1.0);
    g_assert_cmpuint(seen->starts->len, <=, 3); // at the limb it comes and goes
    g_assert_cmpuint(seen->points->len, >, 140);
    g_assert_cmpuint(seen->points->len, <, 200);
    for (guint i = 0; i < seen->points->len; i++) {
        const BgContourPoint *p = &g_array_index(seen->points, BgContourPoint, i);
        gboolean found = FALSE;
        for (int k = 162; k <= 378 && !found; k++) { // the front half, and the slack at the limb
            double u, v, depth;
            bg_photo_project(&camera, TRUE, ball_point(0.2, k * G_PI / 180.0), &u, &v, &depth);
            found = hypot(u - p->x, v - p->y) < 1e-9;
        }
        g_assert_true(found);
    }
    g_array_unref(line.points);
}

static void
test_pictures(void)
{
    BgCamera camera = make_camera();
    g_autoptr(BgCortex) ball = make_ball();
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) bent = bg_photo_render(&camera, FALSE, ball, NULL, &error);
    g_autoptr(BgImage) swapped = bg_photo_render(&camera, TRUE, ball, NULL, &error);
    g_autoptr(BgImage) straight = bg_photo_straighten(swapped, &camera, TRUE, NULL, &error);
    g_autoptr(BgCortexView) view = bg_cortex_view_new(ball, &camera, NULL, &error);
    g_assert_no_error(error);
    const guint8 *a = bg_image_get_pixels(bent), *b = bg_image_get_pixels(swapped);
    const guint8 *c = bg_image_get_pixels(straight);
    gsize n_differ = 0, n_seen = 0;

    for (gsize v = 0; v < 240; v++) {
        for (gsize u = 0; u < 320; u++) {
            gsize at = 2 * (320 * v + u), there = 2 * (320 * v + 319 - u);
            g_assert_cmpint(a[at], ==, b[there]);
            g_assert_cmpint(a[at + 1], ==, b[there + 1]);
            gboolean seen = isfinite(view->depth_mm[320 * v + u]);
            n_seen += seen ? 1 : 0;
            n_differ += seen != (c[at + 1] > 127) ? 1 : 0;
        }
    }
    g_assert_cmpuint(n_seen, >, 10000);
    g_assert_cmpuint(100 * n_differ, <, n_seen); // of the rim
}

static void
test_exif(void)
{
    const double none[2] = { 0, 0 }, sensor[2] = { 22.3, 14.9 };
    BgLens lens;
    BgCamera camera;

    g_assert_false(bg_lens_from_exif(50, 0, none, 600, 400, &lens));
    g_assert_true(bg_lens_from_exif(50, 80, sensor, 6000, 4000, &lens));
    g_assert_true(bg_camera_from_lens(&lens, &camera, NULL));
    g_assert_cmpfloat_with_epsilon(camera.k[0], 50 * 6000 / 22.3, 1e-9);
    g_assert_true(bg_lens_from_exif(50, 80, sensor, 4000, 6000, &lens)); // upright
    g_assert_cmpfloat(lens.sensor_mm[0], ==, 14.9);
    g_assert_true(bg_lens_from_exif(0, 28, none, 3600, 2400, &lens));
    g_assert_true(bg_camera_from_lens(&lens, &camera, NULL));
    g_assert_cmpfloat_with_epsilon(camera.k[0], 2800.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(camera.k[4], 2800.0, 1e-9);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/photo/project", test_project);
    g_test_add_func("/photo/outline", test_outline);
    g_test_add_func("/photo/contours", test_contours);
    g_test_add_func("/photo/pictures", test_pictures);
    g_test_add_func("/photo/exif", test_exif);
    return g_test_run();
}
