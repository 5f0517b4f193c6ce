// SPDX-License-Identifier: Apache-2.0
// Thousands of damaged surfaces and pictures in one process: each gives a typed error or a sound
// object, in less than 2 s and with at most 64 MiB of memory.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-io.h"
#include "core/io/bg-mesh-io.h"
#include "tests/support/bg-malformed.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define MOST_SECONDS 2.0
#define MOST_BYTES (64u << 20)
#define RINGS 8
#define SIDES 9

typedef struct {
    gsize n_refused, n_loaded;
    double slowest;
    gsize largest;
} Tally;

static void
check_mesh(BgMesh *mesh, const char *what)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    gsize n_grouped = 0;

    for (gsize i = 0; i < 3 * data->n_triangles; i++)
        g_assert_cmpuint(data->triangles[i], <, data->n_vertices);
    for (gsize i = 0; i < 3 * data->n_vertices; i++)
        g_assert_true(isfinite(data->positions[i]));
    for (guint i = 0; data->groups != NULL && i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        n_grouped += group->n_triangles;
        if (!g_utf8_validate(group->name, -1, NULL))
            g_error("%s: a name that nobody can read", what);
    }
    g_assert_true(data->groups == NULL || n_grouped == data->n_triangles);
}

static void
check_image(BgImage *image)
{
    const guint8 *pixels = bg_image_get_pixels(image);
    guint sum = 0;

    for (gsize i = 0; i < bg_image_get_n_bytes(image); i++)
        sum += pixels[i]; // every byte is there
    g_assert_cmpuint(sum, <=, 255 * bg_image_get_n_bytes(image));
}

static void
try_file(const char *path, const char *what, gpointer user_data)
{
    Tally *tally = user_data;
    BgMalformedWatch watch;
    g_autoptr(GError) error = NULL;

    bg_malformed_watch_start(&watch);
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, NULL);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_autofree char *provenance = bg_io_read_provenance(path, NULL);
    bg_malformed_watch_stop(&watch);

    tally->slowest = MAX(tally->slowest, watch.seconds);
    if (watch.seconds > MOST_SECONDS)
        g_error("%s: %.1f s", what, watch.seconds);
    if (provenance != NULL && !g_utf8_validate(provenance, -1, NULL))
        g_error("%s: provenance that nobody can read", what);
    if (loaded != NULL) {
        g_assert_no_error(error);
        g_assert_nonnull(info);
        if (loaded->mesh != NULL)
            check_mesh(loaded->mesh, what);
        if (loaded->image != NULL)
            check_image(loaded->image);
        tally->n_loaded++;
        return;
    }
    if (error == NULL || (error->domain != BG_ERROR && error->domain != G_IO_ERROR))
        g_error("%s: no typed error", what);
    if (!g_utf8_validate(error->message, -1, NULL) || strlen(error->message) > 700)
        g_error("%s: a message that nobody can read: %s", what, error->message);
    if (watch.peak_bytes > MOST_BYTES)
        g_error("%s: %zu bytes of memory: %s", what, watch.peak_bytes, error->message);
    tally->largest = MAX(tally->largest, watch.peak_bytes);
    tally->n_refused++;
}

// A tube: enough triangles for cuts and splices in the middle.
static BgMesh *
new_tube(void)
{
    BgMeshData data = { .n_vertices = RINGS * SIDES, .n_triangles = 2 * (RINGS - 1) * SIDES };
    const BgMeshGroup group = { 0, 2 * (RINGS - 1) * SIDES, 3, "tube" };
    guint32 *t;

    data.positions = bg_buffer_alloc_items(data.n_vertices, 3 * sizeof(float), NULL);
    t = data.triangles = bg_buffer_alloc_items(data.n_triangles, 3 * sizeof(guint32), NULL);
    for (guint32 i = 0; i < RINGS * SIDES; i++) {
        double angle = 2.0 * G_PI * (i % SIDES) / SIDES;
        data.positions[3 * i] = (float) (10.0 * cos(angle));
        data.positions[3 * i + 1] = (float) (10.0 * sin(angle));
        data.positions[3 * i + 2] = (float) (i / SIDES) * 2.5f;
    }
    for (guint32 r = 0; r + 1 < RINGS; r++) {
        for (guint32 s = 0; s < SIDES; s++) {
            guint32 a = r * SIDES + s, b = r * SIDES + (s + 1) % SIDES;
            const guint32 two[6] = { a, b, a + SIDES, b, b + SIDES, a + SIDES };
            memcpy(t, two, sizeof two);
            t += 6;
        }
    }
    data.groups = g_array_new(FALSE, FALSE, sizeof group);
    g_array_append_val(data.groups, group);
    BgMesh *mesh = bg_mesh_new_take(&data, NULL);
    g_assert_nonnull(mesh);
    return mesh;
}

static GBytes *
make_mesh_file(const char *suffix, gboolean ascii)
{
    g_autofree char *path =
        g_strdup_printf("%s/bregma-good-%d%s", g_get_tmp_dir(), (int) getpid(), suffix);
    g_autofree char *beside = g_strconcat(path, ".json", NULL);
    g_autoptr(BgMesh) mesh = new_tube();
    BgMeshSaveParams params = { .force = TRUE, .ascii = ascii, .provenance = "{\"bregma\":1}" };
    char *contents;
    gsize n_bytes;

    g_assert_true(bg_mesh_save(mesh, path, &params, NULL, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &contents, &n_bytes, NULL));
    g_unlink(path);
    g_unlink(beside);
    return g_bytes_new_take(contents, n_bytes);
}

static GBytes *
make_png_file(BgPixelType type, int n_channels)
{
    BgImageFormat format = { 33, 21, n_channels, type };
    gsize n = 33 * 21 * (gsize) n_channels * bg_pixel_type_size(type);
    guint8 *pixels = bg_buffer_alloc(n, NULL);

    for (gsize i = 0; i < n; i++)
        pixels[i] = (guint8) (i * i / 7);
    g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, NULL);
    return bg_png_encode(image, &(BgPngParams){ .provenance = "{\"bregma\":1}", .dpi = 300 }, NULL);
}

static void
run(const char *name, GBytes *bytes, gsize header_bytes, gboolean text, const char *suffix,
    gsize n_random)
{
    gsize n_bytes;
    const guint8 *data = g_bytes_get_data(bytes, &n_bytes);
    BgMalformedSeed seed = { name, data, n_bytes, MIN(header_bytes, n_bytes), text, suffix };
    Tally tally = { 0 };

    gsize n = bg_malformed_run(&seed, NULL, n_random, try_file, &tally);
    g_test_message("%s: %zu files: %zu refused, %zu loaded; slowest %.0f ms, most memory %.1f MiB",
                   name, n, tally.n_refused, tally.n_loaded, tally.slowest * 1e3,
                   (double) tally.largest / (1u << 20));
    g_assert_cmpuint(n, >=, 800);
    g_assert_cmpuint(tally.n_refused, >, n / 20);
    g_assert_cmpuint(tally.n_loaded, >, 0);
}

// The rest takes half a minute.
static gboolean
is_long(void)
{
    return g_getenv("BREGMA_TEST_LONG") != NULL;
}

static void
test_stl(void)
{
    g_autoptr(GBytes) binary = make_mesh_file(".stl", FALSE), text = make_mesh_file(".stl", TRUE);

    run("binary STL", binary, 84, FALSE, ".stl", is_long() ? 700 : 150);
    run("text STL", text, 400, TRUE, ".stl", is_long() ? 700 : 150);
}

static void
test_ply(void)
{
    g_autoptr(GBytes) binary = make_mesh_file(".ply", FALSE), text = make_mesh_file(".ply", TRUE);

    run("binary PLY", binary, 320, TRUE, ".ply", is_long() ? 500 : 50);
    if (is_long())
        run("text PLY", text, 320, TRUE, ".ply", is_long() ? 500 : 50);
}

static void
test_obj(void)
{
    g_autoptr(GBytes) text = make_mesh_file(".obj", FALSE);

    run("OBJ", text, 400, TRUE, ".obj", is_long() ? 500 : 50);
}

static void
test_glb_and_vtk(void)
{
    g_autoptr(GBytes) glb = make_mesh_file(".glb", FALSE), vtk = make_mesh_file(".vtk", FALSE);
    static const char *const suffixes[] = { ".glb", ".vtk" };
    GBytes *const files[] = { glb, vtk };

    // Not read as surfaces, but asked for their provenance: an error each, and sound.
    for (gsize i = 0; i < (is_long() ? 2 : 1); i++) {
        Tally tally = { 0 };
        gsize n_bytes;
        const guint8 *data = g_bytes_get_data(files[i], &n_bytes);
        BgMalformedSeed seed = { suffixes[i], data, n_bytes, 300, TRUE, suffixes[i] };
        bg_malformed_run(&seed, NULL, 300, try_file, &tally);
        g_assert_cmpuint(tally.n_refused, >, 500);
    }
}

static void
test_png(void)
{
    g_autoptr(GBytes) rgb = make_png_file(BG_PIXEL_UINT8, 3),
                      deep = make_png_file(BG_PIXEL_UINT16, 4);

    run("PNG, 8 bit", rgb, 120, FALSE, ".png", is_long() ? 500 : 50);
    if (is_long())
        run("PNG, 16 bit", deep, 120, FALSE, ".png", is_long() ? 500 : 50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh-hostile/stl", test_stl);
    g_test_add_func("/mesh-hostile/ply", test_ply);
    g_test_add_func("/mesh-hostile/obj", test_obj);
    g_test_add_func("/mesh-hostile/glb-and-vtk", test_glb_and_vtk);
    g_test_add_func("/mesh-hostile/png", test_png);
    return g_test_run();
}
