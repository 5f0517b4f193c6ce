// SPDX-License-Identifier: Apache-2.0
// Meshes, cuts and labels in the ray caster's pictures, where the formula is known.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/cast/bg-cast-private.h"

#include <math.h>
#include <string.h>

// 20 x 20 x 20 mm of one value, white, 10 % opaque a millimetre, seen straight from the front.
typedef struct {
    BgVolume *volume;
    BgTransferFunction *tf;
    BgCastParams params;
} Scene;

static BgVolume *
make_block(double bright_side)
{
    const int dims[3] = { 20, 20, 20 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    GError *error = NULL;

    for (int v = 0; v < 20 * 20 * 20; v++)
        samples[v] = v % 20 >= bright_side ? 500 : 0;
    BgVolume *volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, &error);
    g_assert_no_error(error);
    return volume;
}

static void
scene_init(Scene *scene, const char *technique, const BgView *view)
{
    g_autofree char *json =
        g_strdup_printf("{\"technique\":\"%s\",\"iso_value\":400,\"opacity\":[[400,0],[450,0.1]],"
                        "\"colour\":[[400,1,1,1]],\"shade\":false}",
                        technique);
    GError *error = NULL;

    scene->volume = make_block(0);
    scene->tf = bg_transfer_function_parse(json, -1, &error);
    g_assert_no_error(error);
    bg_cast_params_init(&scene->params);
    scene->params.tf = scene->tf;
    scene->params.mesh_ambient = 1.0;
    scene->params.mesh_diffuse = scene->params.mesh_specular = 0.0;
    scene->params.early_alpha = 1.0;
    scene->params.camera = bg_camera_from_view(view, bg_vec3(0, 0, 0), 20.0, 33, 33);
}

static void
scene_clear(Scene *scene)
{
    bg_volume_unref(scene->volume);
    bg_transfer_function_unref(scene->tf);
}

static const BgView front = { 0, 0, 0, 1.0, 0, 0, TRUE };

// Two triangles across the view at @y (smaller is nearer), from -@side to +@side.
static BgMesh *
make_wall(double y, double side)
{
    BgMeshData data = { .n_vertices = 4, .n_triangles = 2 };
    const float x[4] = { -1, 1, 1, -1 }, z[4] = { -1, -1, 1, 1 };
    const guint32 corners[6] = { 0, 1, 2, 0, 2, 3 };
    GError *error = NULL;

    data.positions = bg_buffer_alloc(12 * sizeof(float), NULL);
    data.triangles = bg_buffer_alloc(sizeof corners, NULL);
    for (int v = 0; v < 4; v++) {
        data.positions[3 * v] = x[v] * (float) side;
        data.positions[3 * v + 1] = (float) y;
        data.positions[3 * v + 2] = z[v] * (float) side;
    }
    memcpy(data.triangles, corners, sizeof corners);
    BgMesh *mesh = bg_mesh_new_take(&data, &error);
    g_assert_no_error(error);
    return mesh;
}

static BgCastImage *
cast(BgVolume *volume, const BgCastParams *params)
{
    GError *error = NULL;
    BgCastImage *image = bg_cast(volume, params, NULL, NULL, &error);

    g_assert_no_error(error);
    return image;
}

static const guint8 *
pixel(const BgCastImage *image, int u, int v)
{
    const guint8 *rgba = bg_image_get_pixels(image->colour);

    return rgba + 4 * (u + image->camera.width * v);
}

static double
depth(const BgCastImage *image, int u, int v)
{
    const float *mm = bg_image_get_pixels(image->depth);

    return (double) mm[u + image->camera.width * v];
}

static void
assert_colour(const guint8 *rgba, double r, double g, double b)
{
    const double want[3] = { r, g, b };

    for (int c = 0; c < 3; c++)
        g_assert_cmpfloat(fabs(rgba[c] - 255.0 * want[c]), <=, 0.6);
}

// White fog of @mm, then what is behind it.
static double
fog(double mm, double behind)
{
    double clear = pow(0.9, mm);

    return 1.0 - clear + clear * behind;
}

// Red walls before, in and behind the fog, opaque and translucent; any step.
static void
test_wall(void)
{
    const double places[] = { -15.0, -10.0 + 1e-3, -6.3, -0.5, 0.0, 4.77, 9.999, 15.0 };
    const double opacities[] = { 1.0, 0.5, 0.2 }, steps[] = { 0.3, 1.0, 5.0 };

    for (gsize i = 0; i < G_N_ELEMENTS(places) * G_N_ELEMENTS(opacities) * G_N_ELEMENTS(steps);
         i++) {
        double y = places[i % G_N_ELEMENTS(places)];
        double opacity = opacities[i / G_N_ELEMENTS(places) % G_N_ELEMENTS(opacities)];
        g_autoptr(BgMesh) wall = make_wall(y, 5.0);
        BgCastMesh meshes[] = { { wall, { 1, 0, 0.5 }, opacity, TRUE, FALSE } };
        Scene scene;
        scene_init(&scene, "composite", &front);
        scene.params.step_mm = steps[i / G_N_ELEMENTS(places) / G_N_ELEMENTS(opacities)];
        scene.params.meshes = meshes;
        scene.params.n_meshes = 1;
        g_autoptr(BgCastImage) image = cast(scene.volume, &scene.params);
        double before = CLAMP(y + 10.0, 0.0, 20.0), behind = fog(20.0 - before, 0.0);
        double rgb[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = fog(before, opacity * meshes[0].rgb[c] + (1.0 - opacity) * behind);
        assert_colour(pixel(image, 16, 16), rgb[0], rgb[1], rgb[2]);
        // Beside the wall there is only fog, and outside of that nothing.
        assert_colour(pixel(image, 16, 23), fog(20, 0), fog(20, 0), fog(20, 0));
        assert_colour(pixel(image, 0, 16), 0, 0, 0);
        scene_clear(&scene);
    }
}

// Three translucent walls given in no order, one of them hidden.
static void
test_walls_by_depth(void)
{
    g_autoptr(BgMesh) near = make_wall(-5.0, 30.0);
    g_autoptr(BgMesh) middle = make_wall(0.0, 30.0);
    g_autoptr(BgMesh) far = make_wall(5.0, 30.0);
    BgCastMesh meshes[] = {
        { middle, { 0, 1, 0 }, 0.5, TRUE, FALSE },
        { far, { 0, 0, 1 }, 1.0, TRUE, FALSE },
        { near, { 1, 0, 0 }, 0.25, TRUE, FALSE },
        { near, { 1, 1, 1 }, 1.0, FALSE, FALSE },
    };

    for (int with_volume = 0; with_volume < 2; with_volume++) {
        Scene scene;
        scene_init(&scene, "composite", &front);
        scene.params.meshes = meshes;
        scene.params.n_meshes = G_N_ELEMENTS(meshes);
        g_autoptr(BgCastImage) image = cast(with_volume ? scene.volume : NULL, &scene.params);
        double mm = with_volume ? 5.0 : 0.0;
        double r = fog(mm, 0.25 + 0.75 * fog(mm, 0.5 * fog(mm, 0)));
        double g = fog(mm, 0.75 * fog(mm, 0.5 + 0.5 * fog(mm, 0)));
        double b = fog(mm, 0.75 * fog(mm, 0.5 * fog(mm, 1)));
        assert_colour(pixel(image, 16, 16), r, g, b);
        // Along the diagonal two triangles meet: no seam, no place counted twice.
        for (int d = 12; d < 20; d++) {
            assert_colour(pixel(image, d, d), r, g, b);
            assert_colour(pixel(image, d, 32 - d), r, g, b);
        }
        scene_clear(&scene);
    }
}

// Half of a pixel's four places covered: half of the colour.
static void
test_smooth_edges(void)
{
    Scene scene;
    scene_init(&scene, "composite", &front);
    double mm = scene.params.camera.height_mm / 33.0;
    g_autoptr(BgMesh) wall = make_wall(0.0, 5.0 * mm); // the edge is in the middle of pixel 21
    BgCastMesh meshes[] = { { wall, { 1, 1, 1 }, 1.0, TRUE, FALSE } };

    scene.params.meshes = meshes;
    scene.params.n_meshes = 1;
    g_autoptr(BgCastImage) image = cast(NULL, &scene.params);
    assert_colour(pixel(image, 20, 16), 1, 1, 1);
    assert_colour(pixel(image, 21, 16), 0.5, 0.5, 0.5);
    assert_colour(pixel(image, 22, 16), 0, 0, 0);
    assert_colour(pixel(image, 16, 11), 0.5, 0.5, 0.5);
    scene_clear(&scene);
}

// Depth and picking: on the wall, in the fog, nowhere; in perspective too.
static void
test_depth(void)
{
    for (int parallel = 0; parallel < 2; parallel++) {
        BgView view = { 20, 30, 10, 1.0, 0, 0, parallel };
        g_autoptr(BgMesh) wall = make_wall(3.0, 4.0);
        BgCastMesh meshes[] = { { wall, { 1, 0, 0 }, 1.0, TRUE, FALSE } };
        Scene scene;
        BgVec3 picked;
        double u, v, along;
        scene_init(&scene, "composite", &view);
        scene.params.meshes = meshes;
        scene.params.n_meshes = 1;
        bg_camera_project(&scene.params.camera, bg_vec3(0.5, 3.0, -1.0), &u, &v, &along);
        g_autoptr(BgCastImage) alone = cast(NULL, &scene.params);
        g_assert_true(bg_cast_image_pick(alone, u, v, &picked));
        g_assert_cmpfloat(fabs(picked.y - 3.0), <, 1e-4);
        g_assert_true(isinf(depth(alone, 0, 0)));
        g_assert_false(bg_cast_image_pick(alone, 0, 0, &picked));

        // In the fog: 30 % are covered after log(0.7) / log(0.9) mm.
        scene.params.n_meshes = 0;
        scene.params.step_mm = 0.25;
        g_autoptr(BgCastImage) foggy = cast(scene.volume, &scene.params);
        BgVec3 origin, direction;
        bg_camera_ray(&scene.params.camera, 16, 16, &origin, &direction);
        double enters = -1e9;
        for (int axis = 0; axis < 3; axis++) {
            double o = bg_vec3_get(origin, axis), d = bg_vec3_get(direction, axis);
            enters = MAX(enters, MIN((-10 - o) / d, (10 - o) / d));
        }
        double want = enters + log(0.7) / log(0.9);
        g_assert_cmpfloat(fabs(depth(foggy, 16, 16) - want), <, 0.02);
        scene_clear(&scene);
    }
}

// An opaque wall in front hides, one behind is hidden, whatever the technique.
static void
test_projections(void)
{
    const char *const techniques[] = { "mip", "minip", "mean", "iso" };

    for (gsize t = 0; t < G_N_ELEMENTS(techniques); t++) {
        for (int behind = 0; behind < 2; behind++) {
            g_autoptr(BgMesh) wall = make_wall(behind ? 15.0 : -15.0, 30.0);
            BgCastMesh meshes[] = { { wall, { 1, 0, 0 }, 1.0, TRUE, FALSE } };
            gboolean iso = strcmp(techniques[t], "iso") == 0;
            Scene scene;
            scene_init(&scene, techniques[t], &front);
            scene.params.meshes = meshes;
            scene.params.n_meshes = 1;
            g_autoptr(BgCastImage) image = cast(scene.volume, &scene.params);
            double white = !behind ? 0.0 : iso ? 1.0 : 0.1;
            assert_colour(pixel(image, 16, 16), 1, white, white);
            scene_clear(&scene);
        }
    }
}

// A wall that reaches through the camera's plane must not fold over.
static void
test_through_the_camera(void)
{
    BgView view = bg_view_default();
    g_autoptr(BgMesh) wall = make_wall(0.0, 500.0);
    const BgAffine lay = {
        { { 1, 0, 0, 0 }, { 0, 0, 1, 0 }, { 0, -1, 0, -5 } }
    }; // a floor at z = -5
    GError *error = NULL;
    g_autoptr(BgMesh) floor_mesh = bg_mesh_transform(wall, &lay, &error);
    BgCastMesh meshes[] = { { floor_mesh, { 0, 1, 0 }, 1.0, TRUE, FALSE } };
    Scene scene;

    g_assert_no_error(error);
    scene_init(&scene, "composite", &view);
    scene.params.meshes = meshes;
    scene.params.n_meshes = 1;
    g_autoptr(BgCastImage) image = cast(NULL, &scene.params);
    for (int u = 0; u < 33; u++) {
        assert_colour(pixel(image, u, 32), 0, 1, 0);
        assert_colour(pixel(image, u, 15), 0, 0, 0);
    }
    BgVec3 picked;
    g_assert_true(bg_cast_image_pick(image, 16, 30, &picked));
    g_assert_cmpfloat(fabs(picked.z + 5.0), <, 1e-3);
    scene_clear(&scene);
}

// Cuts take away exactly what they say, from the volume and from meshes that ask for it.
static void
test_cuts(void)
{
    g_autoptr(BgMesh) wall = make_wall(-2.0, 30.0);
    BgCastMesh meshes[] = { { wall, { 1, 0, 0 }, 1.0, TRUE, TRUE } };
    Scene scene;

    scene_init(&scene, "composite", &front);
    scene.params.step_mm = 0.8;
    scene.params.clip_box = TRUE;
    scene.params.clip_low = bg_vec3(-50, -3.3, -50);
    scene.params.clip_high = bg_vec3(50, 5.2, 50);
    g_autoptr(BgCastImage) box = cast(scene.volume, &scene.params);
    assert_colour(pixel(box, 16, 16), fog(8.5, 0), fog(8.5, 0), fog(8.5, 0));

    scene.params.n_planes = 1;
    scene.params.planes[0] = (BgCastPlane){ bg_vec3(0, -3, 0), bg_vec3(7, 1.1, 3) };
    g_autoptr(BgCastImage) plane = cast(scene.volume, &scene.params);
    assert_colour(pixel(plane, 16, 16), fog(4.4, 0), fog(4.4, 0), fog(4.4, 0));

    scene.params.planes[0].normal = bg_vec3(0, 1, 0);
    scene.params.meshes = meshes;
    scene.params.n_meshes = 1;
    g_autoptr(BgCastImage) cut = cast(scene.volume, &scene.params);
    assert_colour(pixel(cut, 16, 16), fog(4.1, 0), fog(4.1, 0), fog(4.1, 0));
    meshes[0].clip = FALSE;
    g_autoptr(BgCastImage) kept = cast(scene.volume, &scene.params);
    assert_colour(pixel(kept, 16, 16), 1, 0, 0);
    scene_clear(&scene);
}

static void
test_labels(void)
{
    Scene scene;
    GError *error = NULL;

    scene_init(&scene, "iso", &front);
    const BgGeometry *geometry = bg_volume_get_geometry(scene.volume);
    guint16 *numbers = bg_voxels_alloc(geometry, sizeof *numbers, NULL);
    for (int v = 0; v < 20 * 20 * 20; v++) // the patient's right 7, left 300, behind nothing
        numbers[v] = v / 20 % 20 >= 10 ? 0 : v % 20 < 10 ? 7 : 300;
    g_autoptr(BgLabelMap) labels =
        bg_label_map_new_take(geometry, BG_LABEL_UINT16, numbers, &error);
    g_assert_no_error(error);
    const BgLabelEntry entries[] = { { 7, "right", { 0, 0, 1 }, TRUE },
                                     { 300, "left", { 1, 0, 0 }, FALSE } };
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(BgLabelEntry));
    g_array_append_vals(list, entries, 2);
    g_autoptr(BgLabelTable) table = bg_label_table_new(list);
    scene.params.labels = labels;
    scene.params.label_table = table;
    scene.params.label_weight = 0.75;
    g_autoptr(BgCastImage) image = cast(scene.volume, &scene.params);
    assert_colour(pixel(image, 12, 16), 0.25, 0.25, 1);
    assert_colour(pixel(image, 20, 16), 1, 1, 1); // not visible

    const int dims[3] = { 20, 20, 20 };
    BgGeometry moved = bg_geometry_new_regular(dims, bg_vec3(1.1, 1, 1));
    numbers = bg_voxels_alloc(&moved, sizeof *numbers, NULL);
    memset(numbers, 0, sizeof *numbers * 8000);
    g_autoptr(BgLabelMap) elsewhere =
        bg_label_map_new_take(&moved, BG_LABEL_UINT16, numbers, &error);
    scene.params.labels = elsewhere;
    g_assert_null(bg_cast(scene.volume, &scene.params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    scene_clear(&scene);
}

static void
test_background(void)
{
    Scene scene;

    scene_init(&scene, "composite", &front);
    scene.params.background_top[0] = 1.0;
    scene.params.background_bottom[2] = 1.0;
    g_autoptr(BgCastImage) image = cast(NULL, &scene.params);
    assert_colour(pixel(image, 5, 0), 1, 0, 0);
    assert_colour(pixel(image, 5, 16), 0.5, 0, 0.5);
    assert_colour(pixel(image, 5, 32), 0, 0, 1);
    g_assert_cmpint(pixel(image, 5, 5)[3], ==, 255);
    scene.params.transparent = TRUE;
    g_autoptr(BgCastImage) clear = cast(NULL, &scene.params);
    g_assert_cmpint(pixel(clear, 5, 5)[3], ==, 0);
    scene_clear(&scene);
}

static void
test_threads(void)
{
    BgView view = { 20, 30, 10, 1.0, 0, 0, FALSE };
    g_autoptr(BgMesh) one = make_wall(-2.0, 8.0);
    g_autoptr(BgMesh) two =
        make_wall(-2.0, 9.0); // in the same place: the order of the list decides
    BgCastMesh meshes[] = { { one, { 1, 0, 0 }, 0.5, TRUE, FALSE },
                            { two, { 0, 1, 0 }, 0.5, TRUE, FALSE } };
    Scene scene;

    scene_init(&scene, "composite", &view);
    scene.params.meshes = meshes;
    scene.params.n_meshes = 2;
    bg_parallel_set_threads(1);
    g_autoptr(BgCastImage) a = cast(scene.volume, &scene.params);
    bg_parallel_set_threads(4);
    g_autoptr(BgCastImage) b = cast(scene.volume, &scene.params);
    bg_parallel_set_threads(0);
    g_assert_cmpmem(bg_image_get_pixels(a->colour), bg_image_get_n_bytes(a->colour),
                    bg_image_get_pixels(b->colour), bg_image_get_n_bytes(b->colour));
    scene_clear(&scene);
}

// Half of the block is clear, its values far below, at or just under where the curve begins. Those bricks
// are skipped; the ones with the smallest value above it are not.
static void
test_skips_the_clear(void)
{
    static const double begins[] = { 400.0, 1.0, 0.0 };

    for (gsize b = 0; b < G_N_ELEMENTS(begins); b++) {
        for (int above = 0; above < 2; above++) {
            g_autofree char *json =
                g_strdup_printf("{\"technique\":\"composite\",\"opacity\":[[%g,0],[2000,0.1]],"
                                "\"colour\":[[-3000,1,1,1],[3000,1,1,1]],\"shade\":false}",
                                begins[b] - (above ? 3.0 : 0.0));
            GError *error = NULL;
            Scene scene;
            scene_init(&scene, "composite", &front);
            bg_volume_unref(scene.volume);
            scene.volume = make_block(12);
            bg_transfer_function_unref(scene.tf);
            scene.tf = bg_transfer_function_parse(json, -1, &error);
            g_assert_no_error(error);
            scene.params.tf = scene.tf;

            BgCastScene made;
            g_assert_true(bg_cast_scene_init(&made, scene.volume, &scene.params, NULL, &error));
            // Five bricks a row: three below 12, of 0 alone but for the third, which has the next one's first.
            gboolean clear = begins[b] - (above ? 3.0 : 0.0) >= 0.0;
            g_assert_cmpint(made.distance[0], ==, clear ? 2 : 0);
            g_assert_cmpint(made.distance[1], ==, clear ? 1 : 0);
            g_assert_cmpint(made.distance[2], ==, 0);
            g_assert_cmpint(made.distance[4], ==, 0);
            bg_cast_scene_clear(&made);
            scene_clear(&scene);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cast-scene/mixes/wall-and-fog", test_wall);
    g_test_add_func("/cast-scene/mixes/walls-by-depth", test_walls_by_depth);
    g_test_add_func("/cast-scene/mixes/projections-and-walls", test_projections);
    g_test_add_func("/cast-scene/draws/smooth-edges", test_smooth_edges);
    g_test_add_func("/cast-scene/draws/through-the-camera", test_through_the_camera);
    g_test_add_func("/cast-scene/draws/background", test_background);
    g_test_add_func("/cast-scene/finds/depth", test_depth);
    g_test_add_func("/cast-scene/cuts/volume-and-meshes", test_cuts);
    g_test_add_func("/cast-scene/colours/labels", test_labels);
    g_test_add_func("/cast-scene/same-for/threads", test_threads);
    g_test_add_func("/cast-scene/skips/the-clear", test_skips_the_clear);
    return g_test_run();
}
