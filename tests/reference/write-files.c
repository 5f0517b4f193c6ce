// SPDX-License-Identifier: Apache-2.0
// Writes one file of each kind into a folder, for check-files.py to read with other programs.
#include "core/base/bg-buffer.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-io.h"
#include "core/io/bg-mesh-io.h"

#include <string.h>

#define PROVENANCE "{\"command\":\"mesh\",\"note\":\"Größe\"}"

// An ellipsoid around 21, -30, 7 with half axes 10, 5, 2.5 made of rings; poles on z. The upper
// half of its triangles is label 3, the lower label 7.
#define RINGS 31
#define SIDES 48

static BgMesh *
new_ellipsoid(gboolean grouped)
{
    gsize n_vertices = 2 + RINGS * SIDES, n_triangles = 2 * SIDES + 2 * SIDES * (RINGS - 1);
    BgMeshData data = { .n_vertices = n_vertices, .n_triangles = n_triangles };
    const guint32 top = (guint32) n_vertices - 2, bottom = (guint32) n_vertices - 1;
    guint32 *t;

    data.positions = bg_buffer_alloc_items(n_vertices, 3 * sizeof(float), NULL);
    data.normals = bg_buffer_alloc_items(n_vertices, 3 * sizeof(float), NULL);
    data.distances_mm = bg_buffer_alloc_items(n_vertices, sizeof(float), NULL);
    t = data.triangles = bg_buffer_alloc_items(n_triangles, 3 * sizeof(guint32), NULL);
    for (guint32 i = 0; i < n_vertices; i++) {
        double lift = G_PI * (0.5 - (1.0 + i / SIDES) / (RINGS + 1)),
               turn = 2 * G_PI * (i % SIDES) / SIDES;
        BgVec3 n = bg_vec3(cos(lift) * cos(turn), cos(lift) * sin(turn), sin(lift));
        if (i >= top)
            n = bg_vec3(0, 0, i == top ? 1 : -1);
        const float p[3] = { (float) (21 + 10 * n.x), (float) (-30 + 5 * n.y),
                             (float) (7 + 2.5 * n.z) };
        BgVec3 out = bg_vec3_normalize(bg_vec3(n.x / 10, n.y / 5, n.z / 2.5));
        const float q[3] = { (float) out.x, (float) out.y, (float) out.z };
        memcpy(data.positions + 3 * i, p, sizeof p);
        memcpy(data.normals + 3 * i, q, sizeof q);
        data.distances_mm[i] = p[0] - 21.0f;
    }
    for (guint32 r = 0; r <= RINGS; r++) {
        for (guint32 s = 0; s < SIDES; s++) {
            guint32 a = r * SIDES + s, b = r * SIDES + (s + 1) % SIDES;
            guint32 above_a = r == 0 ? top : a - SIDES, above_b = r == 0 ? top : b - SIDES;
            const guint32 lower[3] = { above_a, a, b }, upper[3] = { above_a, b, above_b };
            const guint32 cap[3] = { above_a, bottom, above_b };
            if (r < RINGS) {
                memcpy(t, lower, sizeof lower);
                t += 3;
            }
            if (r > 0) {
                memcpy(t, r < RINGS ? upper : cap, sizeof upper);
                t += 3;
            }
        }
    }
    if (grouped) {
        gsize half = SIDES + 2 * SIDES * (RINGS / 2);
        const BgMeshGroup groups[2] = { { 0, half, 3, "upper half" },
                                        { half, n_triangles - half, 7, "lower" } };
        data.groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
        g_array_append_vals(data.groups, groups, 2);
    }
    return bg_mesh_new_take(&data, NULL);
}

static gboolean
write_meshes(const char *folder, GError **error)
{
    static const struct {
        const char *name;
        gboolean grouped, ras, ascii;
    } files[] = {
        { "binary.stl", FALSE, FALSE, FALSE }, { "text.stl", FALSE, FALSE, TRUE },
        { "ras.stl", FALSE, TRUE, FALSE },     { "split.stl", TRUE, FALSE, FALSE },
        { "binary.ply", TRUE, FALSE, FALSE },  { "text.ply", TRUE, FALSE, TRUE },
        { "plain.ply", FALSE, TRUE, FALSE },   { "groups.obj", TRUE, FALSE, FALSE },
        { "ras.obj", FALSE, TRUE, FALSE },     { "groups.glb", TRUE, FALSE, FALSE },
        { "ras.glb", FALSE, TRUE, FALSE },     { "groups.vtk", TRUE, FALSE, FALSE },
        { "ras.vtk", FALSE, TRUE, FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(BgMesh) mesh = new_ellipsoid(files[i].grouped);
        g_autofree char *path = g_build_filename(folder, files[i].name, NULL);
        BgMeshSaveParams params = { .force = TRUE,
                                    .provenance = PROVENANCE,
                                    .ras = files[i].ras,
                                    .ascii = files[i].ascii,
                                    .name = "ellipsoid" };
        if (!bg_mesh_save(mesh, path, &params, NULL, NULL, error))
            return FALSE;
    }
    return TRUE;
}

// Channel c of pixel (u, v) is (7 u + 13 v + 50 c) modulo 256, times 257 for 16 bits, plus u.
static gboolean
write_pictures(const char *folder, GError **error)
{
    static const char *const texts[] = { "Software", "bregma", "note", "Größe", NULL };

    for (int channels = 1; channels <= 4; channels++) {
        for (int deep = 0; deep < 2; deep++) {
            BgImageFormat format = { 37, 23, channels, deep ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8 };
            gsize n = 37 * 23 * (gsize) channels;
            guint8 *pixels = bg_buffer_alloc(2 * n, NULL);
            for (gsize i = 0; i < n; i++) {
                gsize c = i % (gsize) channels, u = i / (gsize) channels % 37;
                gsize v = i / (gsize) channels / 37;
                guint8 value = (guint8) (7 * u + 13 * v + 50 * c);
                if (deep)
                    ((guint16 *) (gpointer) pixels)[i] = (guint16) ((value * 257u + u) & 0xFFFF);
                else
                    pixels[i] = value;
            }
            g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, error);
            g_autofree char *name = g_strdup_printf("%d-%d.png", channels, deep ? 16 : 8);
            g_autofree char *path = g_build_filename(folder, name, NULL);
            BgPngParams params = { TRUE, PROVENANCE, texts, 300.0 };
            if (image == NULL || !bg_png_save(image, path, &params, error))
                return FALSE;
        }
    }
    return TRUE;
}

// Voxel (i, j, k) is i + 100 j + 3000 k; large enough for several chunks.
static gboolean
write_volume(const char *folder, GError **error)
{
    BgGeometry geometry = { .dims = { 97, 101, 103 } };
    geometry.patient_from_voxel =
        bg_affine_from_columns(bg_vec3(-0.9, 0.1, 0.2), bg_vec3(0.3, 1.4, -0.2),
                               bg_vec3(0.25, 0.1, 3.1), bg_vec3(10.5, -20.25, 1e-3));
    float *samples = bg_voxels_alloc(&geometry, sizeof *samples, error);

    for (gsize n = 0; n < 97 * 101 * 103; n++)
        samples[n] = (float) (n % 97 + 100 * (n / 97 % 101) + 3000 * (n / 97 / 101));
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, error);
    g_autofree char *path = g_build_filename(folder, "volume.h5", NULL);
    BgSaveParams params = { .force = TRUE, .provenance = PROVENANCE, .modality = "MR" };
    return volume != NULL && bg_io_save_volume(volume, path, &params, NULL, NULL, error);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc != 2)
        return 2;
    if (write_meshes(argv[1], &error) && write_pictures(argv[1], &error) &&
        write_volume(argv[1], &error))
        return 0;
    g_printerr("%s\n", error->message);
    return 1;
}
