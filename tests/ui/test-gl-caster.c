// SPDX-License-Identifier: Apache-2.0
// The graphics card's pictures against the CPU's. Any OpenGL 3.3 will do, a software one too.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/cast/bg-cast.h"
#include "core/cast/bg-preset.h"
#include "core/phantom/bg-phantom.h"
#include "core/surface/bg-isosurface.h"
#include "render/scene/bg-gl-caster.h"

#include <string.h>

#define SIZE_PX 256
#define LEAST_PSNR_DB 40.0

static BgGlCaster *caster; // NULL where there is no OpenGL 3.3
static BgVolume *head_mr, *head_ct;

static BgVolume *
make_head(BgPhantomKind kind, const char *name)
{
    BgPhantomParams params = { .kind = kind, .size = 96, .seed = 1, .tumour = TRUE };
    g_autoptr(GError) error = NULL;

    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, &error);
    g_assert_no_error(error);
    const BgPhantomPart *part = bg_phantom_find(phantom, name);
    g_assert_nonnull(part);
    return bg_volume_ref(part->volume);
}

static double
psnr(BgImage *a, BgImage *b)
{
    const guint8 *p = bg_image_get_pixels(a), *q = bg_image_get_pixels(b);
    gsize n = bg_image_get_n_bytes(a);
    double sum = 0.0;

    g_assert_cmpuint(n, ==, bg_image_get_n_bytes(b));
    for (gsize i = 0; i < n; i++)
        sum += ((double) p[i] - q[i]) * ((double) p[i] - q[i]);
    return sum > 0.0 ? 10.0 * log10(255.0 * 255.0 * (double) n / sum) : (double) INFINITY;
}

static gsize
count_seen(BgImage *depth)
{
    const float *p = bg_image_get_pixels(depth);
    gsize n_seen = 0;

    for (gsize i = 0; i < bg_image_get_n_bytes(depth) / sizeof(float); i++)
        n_seen += isfinite(p[i]) != 0;
    return n_seen;
}

static void
init_params(BgCastParams *params, BgVolume *volume, const BgView *view, BgTransferFunction *tf)
{
    BgVec3 centre_mm;
    double radius_mm;

    bg_cast_params_init(params);
    bg_cast_fit(volume, params->meshes, params->n_meshes, &centre_mm, &radius_mm);
    params->camera = bg_camera_from_view(view, centre_mm, radius_mm, SIZE_PX, SIZE_PX);
    params->tf = tf;
    params->background_top[2] = 0.2;
}

static void
assert_alike(BgVolume *volume, const BgCastParams *params, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgCastImage) ours = bg_cast(volume, params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgCastImage) theirs = bg_gl_caster_cast(caster, volume, params, NULL, &error);
    g_assert_no_error(error);

    double db = psnr(ours->colour, theirs->colour);
    gsize seen = count_seen(ours->depth), seen_by_gl = count_seen(theirs->depth);
    g_test_message("%s: %.1f dB, %zu and %zu pixels", what, db, seen, seen_by_gl);
    g_assert_cmpfloat(db, >=, LEAST_PSNR_DB);
    g_assert_cmpuint(seen, >, SIZE_PX * SIZE_PX / 20); // two black pictures are alike too
    g_assert_cmpuint(seen > seen_by_gl ? seen - seen_by_gl : seen_by_gl - seen, <=, seen / 50);
}

static const BgView views[] = {
    { 0, 0, 0, 1.2, 0, 0, FALSE },     { 0, 90, 0, 1.2, 0, 0, FALSE },
    { 20, 200, 10, 1.0, 0, 0, FALSE }, { 80, 30, 0, 1.5, 0.1, -0.1, FALSE },
    { -30, 300, 45, 1.3, 0, 0, TRUE }, { 10, 135, 0, 2.0, 0, 0.2, TRUE },
};

static const char *const presets[] = { "ct-bone", "ct-skin", "ct-mip", "mr-default" };

static void
test_equals_cpu(void)
{
    if (caster == NULL) {
        g_test_skip("no OpenGL 3.3");
        return;
    }
    for (guint p = 0; p < G_N_ELEMENTS(presets); p++) {
        BgVolume *volume = g_str_has_prefix(presets[p], "mr") ? head_mr : head_ct;
        g_autoptr(GError) error = NULL;
        g_autoptr(BgTransferFunction) tf = bg_preset_load(presets[p], volume, &error);
        g_assert_no_error(error);
        for (guint v = 0; v < G_N_ELEMENTS(views); v++) {
            g_autofree char *what = g_strdup_printf("%s, view %u", presets[p], v);
            BgCastParams params;
            init_params(&params, volume, &views[v], tf);
            assert_alike(volume, &params, what);
        }
    }
}

static void
test_techniques(void)
{
    g_autoptr(GError) error = NULL;

    if (caster == NULL) {
        g_test_skip("no OpenGL 3.3");
        return;
    }
    g_autoptr(BgTransferFunction) tf = bg_preset_load("ct-bone", head_ct, &error);
    g_assert_no_error(error);
    for (int technique = BG_TECHNIQUE_MIP; technique <= BG_TECHNIQUE_ISO; technique++) {
        BgTransferFunctionData data;
        BgCastParams params;
        bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
        data.technique = (BgTechnique) technique;
        data.iso_value = 200.0;
        if (technique != BG_TECHNIQUE_ISO) { // all values show: two black pictures are alike too
            BgOpacityPoint all = { 0.0, 1.0 };
            BgColourPoint ends[] = { { -1100.0, { 0, 0, 0 } }, { 1500.0, { 1, 0.9, 0.8 } } };
            g_array_set_size(data.opacity, 0);
            g_array_append_val(data.opacity, all);
            g_array_set_size(data.colour, 0);
            g_array_append_vals(data.colour, ends, 2);
        }
        g_autoptr(BgTransferFunction) next = bg_transfer_function_new(&data, &error);
        bg_transfer_function_data_clear(&data);
        g_assert_no_error(error);
        init_params(&params, head_ct, &views[0], next);
        g_autoptr(BgCastImage) ours = bg_cast(head_ct, &params, NULL, NULL, &error);
        g_autoptr(BgCastImage) theirs = bg_gl_caster_cast(caster, head_ct, &params, NULL, &error);
        g_assert_no_error(error);
        g_test_message("%s: %.1f dB", bg_technique_name((BgTechnique) technique),
                       psnr(ours->colour, theirs->colour));
        g_assert_cmpfloat(psnr(ours->colour, theirs->colour), >=, LEAST_PSNR_DB);
    }
}

static void
test_clips(void)
{
    g_autoptr(GError) error = NULL;
    BgCastParams params;

    if (caster == NULL) {
        g_test_skip("no OpenGL 3.3");
        return;
    }
    g_autoptr(BgTransferFunction) tf = bg_preset_load("ct-skin", head_ct, &error);
    g_assert_no_error(error);
    init_params(&params, head_ct, &views[2], tf);
    params.clip_box = TRUE;
    bg_geometry_bounds_mm(bg_volume_get_geometry(head_ct), &params.clip_low, &params.clip_high);
    params.clip_high.x = 0.5 * (params.clip_low.x + params.clip_high.x);
    params.n_planes = 1;
    params.planes[0].normal = bg_vec3(0.2, 0.5, -1.0);
    params.planes[0].point_mm = bg_geometry_centre_mm(bg_volume_get_geometry(head_ct));
    assert_alike(head_ct, &params, "clipped");
}

// Two surfaces, one translucent, one inside the other and both inside the volume.
static void
test_meshes_inside_the_volume(void)
{
    g_autoptr(GError) error = NULL;
    BgIsoParams skin = { .iso = -300.0, .normals = TRUE }, bone = { .iso = 300.0, .normals = TRUE };
    BgCastParams params;

    if (caster == NULL) {
        g_test_skip("no OpenGL 3.3");
        return;
    }
    g_autoptr(BgMesh) outer = bg_isosurface(head_ct, &skin, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgMesh) inner = bg_isosurface(head_ct, &bone, NULL, NULL, &error);
    g_assert_no_error(error);
    const BgCastMesh meshes[] = {
        { .mesh = outer, .rgb = { 0.8, 0.6, 0.5 }, .opacity = 0.3, .visible = TRUE, .clip = TRUE },
        { .mesh = inner, .rgb = { 0.9, 0.9, 0.8 }, .opacity = 1.0, .visible = TRUE },
    };
    g_autoptr(BgTransferFunction) tf = bg_preset_load("ct-skin", head_ct, &error);
    g_assert_no_error(error);
    init_params(&params, head_ct, &views[1], tf);
    params.meshes = meshes;
    params.n_meshes = G_N_ELEMENTS(meshes);

    // Edges have four samples a pixel on the CPU and one here: fewer dB are expected.
    g_autoptr(BgCastImage) ours = bg_cast(head_ct, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgCastImage) theirs = bg_gl_caster_cast(caster, head_ct, &params, NULL, &error);
    g_assert_no_error(error);
    g_test_message("volume and meshes: %.1f dB", psnr(ours->colour, theirs->colour));
    g_assert_cmpfloat(psnr(ours->colour, theirs->colour), >=, 25.0);

    g_autoptr(BgCastImage) without = bg_cast(NULL, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgCastImage) without_gl = bg_gl_caster_cast(caster, NULL, &params, NULL, &error);
    g_assert_no_error(error);
    g_test_message("meshes alone: %.1f dB", psnr(without->colour, without_gl->colour));
    g_assert_cmpfloat(psnr(without->colour, without_gl->colour), >=, 25.0);
}

// Distances that grow with x: every colour of the range, and both ends beyond it.
static void
test_colours_of_distances(void)
{
    g_autoptr(GError) error = NULL;
    BgIsoParams bone = { .iso = 300.0, .normals = TRUE };
    BgCastParams params;

    if (caster == NULL) {
        g_test_skip("no OpenGL 3.3");
        return;
    }
    g_autoptr(BgMesh) mesh = bg_isosurface(head_ct, &bone, NULL, NULL, &error);
    g_assert_no_error(error);
    gsize n = bg_mesh_get_data(mesh)->n_vertices;
    float *distances_mm = bg_buffer_alloc_items(n, sizeof(float), &error);
    g_assert_no_error(error);
    for (gsize v = 0; v < n; v++)
        distances_mm[v] = bg_mesh_get_data(mesh)->positions[3 * v];
    g_autoptr(BgMesh) map = bg_mesh_with_distances(mesh, distances_mm, &error);
    g_assert_no_error(error);
    BgCastMesh shown = {
        .mesh = map, .rgb = { 0.1, 0.9, 0.1 }, .opacity = 1.0, .visible = TRUE, .range_mm = 50.0
    };
    init_params(&params, head_ct, &views[1], NULL);
    params.meshes = &shown;
    params.n_meshes = 1;

    g_autoptr(BgCastImage) ours = bg_cast(NULL, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgCastImage) theirs = bg_gl_caster_cast(caster, NULL, &params, NULL, &error);
    g_assert_no_error(error);
    g_test_message("distances: %.1f dB", psnr(ours->colour, theirs->colour));
    g_assert_cmpfloat(psnr(ours->colour, theirs->colour), >=, 25.0);
    shown.range_mm = 0.0; // plain: another picture altogether
    g_autoptr(BgCastImage) plain = bg_cast(NULL, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(psnr(ours->colour, plain->colour), <, 22.0);
}

static void
test_refuses_labels(void)
{
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = *bg_volume_get_geometry(head_mr);
    BgCastParams params;

    if (caster == NULL) {
        g_test_skip("no OpenGL 3.3");
        return;
    }
    gpointer zeros = bg_voxels_alloc(&geometry, 1, NULL);
    memset(zeros, 0, bg_geometry_count_voxels(&geometry));
    g_autoptr(BgLabelMap) labels = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, zeros, NULL);
    g_autoptr(BgTransferFunction) tf = bg_preset_load("mr-default", head_mr, NULL);
    init_params(&params, head_mr, &views[0], tf);
    params.labels = labels;
    g_assert_null(bg_gl_caster_cast(caster, head_mr, &params, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

int
main(int argc, char *argv[])
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    caster = bg_gl_caster_new(&error);
    if (caster == NULL)
        g_test_message("%s", error->message);
    head_mr = make_head(BG_PHANTOM_HEAD, "t1");
    head_ct = make_head(BG_PHANTOM_CT_HEAD, "ct");
    g_test_add_func("/gl-caster/equals-cpu", test_equals_cpu);
    g_test_add_func("/gl-caster/techniques", test_techniques);
    g_test_add_func("/gl-caster/clips", test_clips);
    g_test_add_func("/gl-caster/meshes-inside-the-volume", test_meshes_inside_the_volume);
    g_test_add_func("/gl-caster/colours-of-distances", test_colours_of_distances);
    g_test_add_func("/gl-caster/refuses/labels", test_refuses_labels);
    int status = g_test_run();
    bg_volume_unref(head_mr);
    bg_volume_unref(head_ct);
    bg_gl_caster_free(caster);
    return status;
}
