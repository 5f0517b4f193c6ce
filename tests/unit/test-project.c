// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/case/bg-journal.h"
#include "core/case/bg-load.h"
#include "core/case/bg-project.h"
#include "core/io/bg-h5.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder, *project, *source;
    BgCase *the_case;
    char *source_id, *volume_id, *labels_id, *mesh_id;
} Fixture;

static void
check(gboolean done, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(done);
}

static void
do_command(BgCase *the_case, BgCommand *command)
{
    g_autoptr(GError) error = NULL;
    gboolean done = bg_case_do(the_case, command, &error);

    check(done, error);
}

static char *
add_layer(BgCase *the_case, BgLayer *layer)
{
    g_autoptr(BgLayer) owned = layer;
    char *id = bg_case_new_id(the_case, "layer");

    bg_layer_set_string(&layer->id, id);
    do_command(the_case, bg_command_add_layer(layer));
    return id;
}

static BgGeometry
oblique(void)
{
    return (BgGeometry){
        { 5, 6, 7 },
        { { { 0.9, 0.1, 0.02, -3.1 }, { -0.1, 1.1, 0.3, 4.0 / 3.0 }, { 0, -0.3, 2.0, 0.1 } } }
    };
}

static BgVolume *
make_volume(void)
{
    BgGeometry geometry = oblique();
    BgSampleFormat format = { BG_SAMPLE_INT16, 0.1, -1024.5, TRUE };
    g_autoptr(GError) error = NULL;
    gint16 *voxels = bg_voxels_alloc(&geometry, 2, &error);

    g_assert_no_error(error);
    for (int i = 0; i < 5 * 6 * 7; i++)
        voxels[i] = (gint16) (i * i - 3000);
    BgVolume *volume = bg_volume_new_take(&geometry, format, voxels, &error);
    g_assert_no_error(error);
    return volume;
}

static BgLabelMap *
make_labels(void)
{
    BgGeometry geometry = oblique();
    g_autoptr(GError) error = NULL;
    guint32 *voxels = bg_voxels_alloc(&geometry, 4, &error);

    g_assert_no_error(error);
    for (guint32 i = 0; i < 5 * 6 * 7; i++)
        voxels[i] = i % 3 * 100000;
    BgLabelMap *labels = bg_label_map_new_take(&geometry, BG_LABEL_UINT32, voxels, &error);
    g_assert_no_error(error);
    return labels;
}

static BgMesh *
make_mesh(void)
{
    static const float positions[] = { 0, 0, 0, 1.5f, 0, 0, 0, 1, 0, 0, 0, 1 };
    static const guint32 triangles[] = { 0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3 };
    BgMeshGroup groups[] = { { 0, 1, 4, "Enhancing" }, { 1, 3, 2, "Oedema" } };
    g_autoptr(GError) error = NULL;
    BgMeshData data = { .n_vertices = 4, .n_triangles = 4 };

    data.positions = bg_buffer_alloc(sizeof positions, &error);
    data.triangles = bg_buffer_alloc(sizeof triangles, &error);
    memcpy(data.positions, positions, sizeof positions);
    memcpy(data.triangles, triangles, sizeof triangles);
    data.groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
    g_array_append_vals(data.groups, groups, 2);
    BgMesh *mesh = bg_mesh_new_take(&data, &error);
    g_assert_no_error(error);
    return mesh;
}

static void
set_payload(BgCase *the_case, const char *id, BgPayload payload)
{
    g_autoptr(GError) error = NULL;
    gboolean done = bg_case_set_payload(the_case, id, &payload, &error);

    check(done, error);
    bg_payload_clear(&payload);
}

static void
load_layer(BgCase *the_case, const char *id, GQuark domain, int code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLoad) load = bg_load_new(the_case, id);

    bg_load_run(load, NULL, NULL);
    gboolean done = bg_load_finish(load, the_case, &error);
    if (domain == 0)
        check(done, error);
    else
        g_assert_error(error, domain, code);
}

static void
save(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    gboolean done = bg_project_save(self->the_case, self->project, NULL, &error);

    check(done, error);
}

static BgCase *
open_project(const char *path)
{
    g_autoptr(GError) error = NULL;
    BgCase *other = bg_case_new();
    gboolean done = bg_project_open(other, path, &error);

    check(done, error);
    return other;
}

static void
fill_settings(Fixture *self)
{
    static const char json[] = "{\"schema\":1,\"name\":\"bone\",\"unit\":\"HU\","
                               "\"opacity\":[[0.1,0],[300,0.7]],\"colour\":[[0,0.1,0.2,0.3]]}";
    const BgVec3 points[2] = { { 0.1, 1.0 / 3.0, 2 }, { 5, 6, 7 } };
    const double pan[2] = { 3.3, -1e-17 };
    g_autoptr(GError) error = NULL;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(json, -1, &error);
    g_autoptr(BgMeasurement) ruler = bg_measurement_new(BG_MEASURE_RULER, points);
    BgLabelEntry entry = { 3, "Tumour \"core\"\n", { 0.1f, 0.2f, 0.3f }, FALSE };
    BgView view = { 12.25, -77.1, 3, 1.7, 0.1, 0.2, TRUE };

    g_assert_no_error(error);
    bg_layer_set_string(&ruler->id, "measurement-9");
    do_command(self->the_case, bg_command_set_transfer_function(self->volume_id, tf));
    do_command(self->the_case, bg_command_set_label(self->labels_id, &entry));
    do_command(self->the_case, bg_command_set_window(self->volume_id, 1e-300, 1e300));
    do_command(self->the_case, bg_command_add_measurement(ruler));
    do_command(self->the_case, bg_command_set_view(&view));
    do_command(self->the_case, bg_command_set_pane(1, 2.5, pan));
    do_command(self->the_case, bg_command_set_convention(FALSE));
    do_command(self->the_case, bg_command_set_cursor(bg_vec3(0.1, 0.2, 0.3)));
    do_command(self->the_case, bg_command_set_notes("Größe 5 µm\n\t\"x\""));
}

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) volume = make_volume();

    self->folder = g_dir_make_tmp("bregma-project-XXXXXX", &error);
    g_assert_no_error(error);
    self->project = g_build_filename(self->folder, "case.bregma", NULL);
    self->source = g_build_filename(self->folder, "head.nii.gz", NULL);
    gboolean done = bg_io_save_volume(volume, self->source, NULL, NULL, NULL, &error);
    check(done, error);

    self->the_case = bg_case_new();
    g_autoptr(BgLoaded) loaded = bg_io_load(self->source, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    self->source_id =
        add_layer(self->the_case, bg_layer_new_for_loaded(loaded, self->source, NULL));
    done = bg_case_set_loaded(self->the_case, self->source_id, loaded, &error);
    check(done, error);

    const BgLayer *from = bg_case_get_layer(self->the_case, self->source_id);
    self->volume_id = add_layer(
        self->the_case, bg_layer_new_generated(BG_KIND_VOLUME, "smooth", from, "gaussian", "{}"));
    from = bg_case_get_layer(self->the_case, self->source_id);
    self->labels_id = add_layer(
        self->the_case, bg_layer_new_generated(BG_KIND_LABELS, "seg", from, "segment", "{}"));
    from = bg_case_get_layer(self->the_case, self->source_id);
    self->mesh_id = add_layer(
        self->the_case, bg_layer_new_generated(BG_KIND_MESH, "skin", from, "isosurface", "{}"));
    set_payload(self->the_case, self->volume_id, (BgPayload){ .volume = make_volume() });
    set_payload(self->the_case, self->labels_id, (BgPayload){ .labels = make_labels() });
    set_payload(self->the_case, self->mesh_id, (BgPayload){ .mesh = make_mesh() });
    fill_settings(self);
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_object_unref(self->the_case);
    remove_folder(self->folder);
    g_free(self->folder);
    g_free(self->project);
    g_free(self->source);
    g_free(self->source_id);
    g_free(self->volume_id);
    g_free(self->labels_id);
    g_free(self->mesh_id);
}

static void
test_round_trip(Fixture *self, gconstpointer data)
{
    g_assert_true(bg_case_is_modified(self->the_case));
    save(self);
    g_assert_false(bg_case_is_modified(self->the_case));
    g_autofree char *before = bg_case_hash(self->the_case);

    g_autoptr(BgCase) other = open_project(self->project);
    g_autofree char *after = bg_case_hash(other);
    g_assert_cmpstr(after, ==, before);
    g_assert_false(bg_case_is_modified(other));

    const GPtrArray *layers = bg_case_get_state(other)->layers;
    g_assert_cmpuint(layers->len, ==, 4);
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        g_assert_cmpint(layer->status, ==, BG_LAYER_LOADING);
        load_layer(other, layer->id, 0, 0);
        g_assert_cmpint(layer->status, ==, BG_LAYER_OK);
    }
    // Ids go on where they were.
    g_autofree char *id = bg_case_new_id(other, "layer");
    g_assert_null(bg_case_get_layer(other, id));

    BgVolume *volume = bg_case_get_layer(other, self->volume_id)->payload.volume;
    g_autoptr(BgVolume) expected = make_volume();
    BgSampleFormat a = bg_volume_get_format(volume), b = bg_volume_get_format(expected);
    g_assert_cmpmem(bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume),
                    bg_volume_get_samples(expected), bg_volume_get_n_bytes(expected));
    g_assert_true(a.type == b.type && a.slope == b.slope && a.intercept == b.intercept &&
                  a.converted == b.converted);
    g_assert_true(
        bg_geometry_equal(bg_volume_get_geometry(volume), bg_volume_get_geometry(expected), 0.0));

    BgLabelMap *labels = bg_case_get_layer(other, self->labels_id)->payload.labels;
    g_autoptr(BgLabelMap) expected_labels = make_labels();
    g_assert_cmpmem(bg_label_map_get_labels(labels), bg_label_map_get_n_bytes(labels),
                    bg_label_map_get_labels(expected_labels),
                    bg_label_map_get_n_bytes(expected_labels));

    const BgMeshData *mesh =
        bg_mesh_get_data(bg_case_get_layer(other, self->mesh_id)->payload.mesh);
    g_autoptr(BgMesh) expected_mesh = make_mesh();
    const BgMeshData *wanted = bg_mesh_get_data(expected_mesh);
    g_assert_cmpmem(mesh->positions, mesh->n_vertices * 12, wanted->positions, 4 * 12);
    g_assert_cmpmem(mesh->triangles, mesh->n_triangles * 12, wanted->triangles, 4 * 12);
    g_assert_cmpuint(mesh->groups->len, ==, 2);
    g_assert_cmpstr(g_array_index(mesh->groups, BgMeshGroup, 1).name, ==, "Oedema");
    g_assert_cmpuint(g_array_index(mesh->groups, BgMeshGroup, 1).n_triangles, ==, 3);
}

// The results that are in the old file only are carried over to the new one.
static void
test_save_unloaded(Fixture *self, gconstpointer data)
{
    save(self);
    g_autoptr(BgCase) other = open_project(self->project);
    g_autoptr(GError) error = NULL;
    gboolean done = bg_project_save(other, self->project, NULL, &error);
    check(done, error);
    g_autoptr(BgCase) third = open_project(self->project);
    load_layer(third, self->mesh_id, 0, 0);
    load_layer(third, self->volume_id, 0, 0);
}

static void
test_moved(Fixture *self, gconstpointer data)
{
    g_autofree char *folder = g_strconcat(self->folder, "-moved", NULL);
    g_autofree char *project = g_build_filename(folder, "case.bregma", NULL);
    g_autofree char *source = g_build_filename(folder, "head.nii.gz", NULL);

    save(self);
    g_assert_cmpint(g_rename(self->folder, folder), ==, 0);
    g_autoptr(BgCase) other = open_project(project);
    load_layer(other, self->source_id, 0, 0);
    g_assert_cmpstr(bg_case_get_layer(other, self->source_id)->source.path, ==, source);
    g_assert_cmpint(g_rename(folder, self->folder), ==, 0);
}

static void
check_sources(BgCase *the_case)
{
    g_autoptr(GPtrArray) checks = bg_case_list_source_checks(the_case);

    g_assert_cmpuint(checks->len, ==, 1);
    for (guint i = 0; i < checks->len; i++) {
        g_autoptr(GError) error = NULL;
        BgSourceCheck *item = g_ptr_array_index(checks, i);
        gboolean done = bg_source_check_run(item, NULL, NULL, &error);
        check(done, error);
        bg_source_check_finish(item, the_case);
    }
}

static void
test_sources(Fixture *self, gconstpointer data)
{
    const BgLayer *layer = bg_case_get_layer(self->the_case, self->source_id);
    g_autofree char *elsewhere = g_build_filename(self->folder, "elsewhere.nii.gz", NULL);
    g_autoptr(GError) error = NULL;

    check_sources(self->the_case);
    g_autofree char *sha256 = g_strdup(layer->source.sha256);
    g_assert_cmpuint(strlen(sha256), ==, 64);
    g_assert_cmpint(layer->status, ==, BG_LAYER_OK);
    save(self);

    g_autoptr(BgCase) other = open_project(self->project);
    layer = bg_case_get_layer(other, self->source_id);
    g_assert_cmpint(g_rename(self->source, elsewhere), ==, 0);
    load_layer(other, self->source_id, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_cmpint(layer->status, ==, BG_LAYER_MISSING);
    g_assert_cmpstr(layer->status_text, !=, "");

    // Another file is not taken for it, unless the user says so.
    g_assert_false(
        bg_case_do(other, bg_command_locate_layer(self->source_id, elsewhere, "00ff"), &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    do_command(other, bg_command_locate_layer(self->source_id, elsewhere, sha256));
    g_assert_cmpint(layer->status, ==, BG_LAYER_LOADING);
    load_layer(other, self->source_id, 0, 0);
    g_assert_cmpint(layer->status, ==, BG_LAYER_OK);

    gboolean done = g_file_set_contents(elsewhere, "other", -1, NULL);
    g_assert_true(done);
    check_sources(other);
    g_assert_cmpint(layer->status, ==, BG_LAYER_CHANGED);
}

static void
test_thumbnail(Fixture *self, gconstpointer data)
{
    BgImageFormat format = { 3, 2, 3, BG_PIXEL_UINT8 };
    g_autoptr(GError) error = NULL;
    guint8 *pixels = bg_buffer_alloc(18, &error);
    for (guint8 i = 0; i < 18; i++)
        pixels[i] = i;
    g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, &error);
    gboolean done = bg_project_save(self->the_case, self->project, image, &error);
    check(done, error);

    g_autoptr(BgImage) read = bg_project_read_thumbnail(self->project, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(bg_image_get_pixels(read), 18, bg_image_get_pixels(image), 18);
    save(self);
    g_assert_null(bg_project_read_thumbnail(self->project, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
write_project(const char *path, gint64 schema, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, &error);
    gboolean done = h5 != NULL && bg_h5_set_string(h5, "/", "format", "bregma-case", &error) &&
                    bg_h5_set_integer(h5, "/", "schema", schema, &error) &&
                    bg_h5_write_text(h5, "/state", state, &error) && bg_h5_commit(h5, &error);
    check(done, error);
}

static void
refuse_project(Fixture *self, const char *path, BgError code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = bg_case_hash(self->the_case);

    g_assert_false(bg_project_open(self->the_case, path, &error));
    g_assert_error(error, BG_ERROR, (int) code);
    g_autofree char *after = bg_case_hash(self->the_case);
    g_assert_cmpstr(after, ==, before);
}

static void
test_refuses(Fixture *self, gconstpointer data)
{
    static const char *const states[] = {
        "",
        "{",
        "{'layout': 5}",
        "{'layout': <5>}",
        "{'layout': <''>}",
        "{'cursor': <(nan, 0.0, 0.0)>}",
        "{'view': <(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, false)>}",
        "{'panes': <[(1.0, 0.0, 0.0)]>}",
        "{'clip': <(true, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)>}",
        "{'layers': <[{'kind': <'volume'>}]>}",
        "{'layers': <[{'kind': <'case'>, 'id': <'a'>}]>}",
        "{'layers': <[{'kind': <'mesh'>, 'id': <'a'>, 'opacity': <2.0>}]>}",
        "{'layers': <[{'kind': <'mesh'>, 'id': <'a'>, 'frame': <1>}]>}",
        "{'layers': <[{'kind': <'mesh'>, 'id': <'a'>, 'transfer-function': <'{'>}]>}",
        "{'layers': <[{'kind': <'mesh'>, 'id': <'a'>}, {'kind': <'mesh'>, 'id': <'a'>}]>}",
        "{'measurements': <[('a', uint32 7, '', '', @a(ddd) [], '')]>}",
        "{'measurements': <[('a', uint32 0, '', '', [(0.0, 0.0, 0.0)], '')]>}",
        "{'plans': <[('a', uint32 7, '', 'b', '', 'c', uint32 0, false, @ad [], @a(dd) [])]>}",
        "{'plans': <[('a', uint32 0, '', '', '', 'c', uint32 0, false, @ad [], @a(dd) [])]>}",
        "{'plans': <[('a', uint32 1, '', '', '', 'c', uint32 0, false, @ad [], @a(dd) [])]>}",
        "{'plans': <[('a', uint32 2, '', 'b', '', '', uint32 0, true, @ad [], @a(dd) [])]>}",
        "{'plans': <[('a', uint32 2, '', 'b', '', '', uint32 0, true, [0.0, 0, 0, 0, 0, 2, 1, 0, "
        "0, 5, 5, 0, 0], @a(dd) [])]>}", // the normal is no unit
        "{'plans': <[('a', uint32 2, '', 'b', '', '', uint32 0, false, [0.0, 0, 0, 0, 0, 1, 1, 0, "
        "0, 5, 5, 0, 0], @a(dd) [])]>}", // no corners
    };
    g_autofree char *path = g_build_filename(self->folder, "bad.bregma", NULL);

    write_project(path, 2, "{}");
    refuse_project(self, path, BG_ERROR_UNSUPPORTED);
    write_project(path, 0, "{}");
    refuse_project(self, path, BG_ERROR_CORRUPT);
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        g_test_message("%s", states[i]);
        write_project(path, 1, states[i]);
        refuse_project(self, path, BG_ERROR_CORRUPT);
    }
    write_project(path, 1, "{}");
    g_autoptr(BgCase) other = open_project(path);
}

static void
test_is_one(Fixture *self, gconstpointer data)
{
    g_autofree char *renamed = g_build_filename(self->folder, "renamed.dat", NULL);

    save(self);
    g_assert_true(bg_project_is_one(self->project));
    g_assert_false(bg_project_is_one(self->source));
    g_assert_false(bg_project_is_one(self->folder));
    g_assert_cmpint(g_rename(self->project, renamed), ==, 0);
    g_assert_true(bg_project_is_one(renamed));
}

// A computed layer that was removed, and let go because of the budget, comes back from the disk.
static void
test_spilled(Fixture *self, gconstpointer data)
{
    bg_case_set_undo_budget(self->the_case, 0);
    do_command(self->the_case, bg_command_remove_layer(self->volume_id));
    g_assert_cmpuint(bg_case_get_undo_bytes(self->the_case), ==, 0);
    g_assert_true(bg_case_undo(self->the_case));
    const BgLayer *layer = bg_case_get_layer(self->the_case, self->volume_id);
    g_assert_cmpint(layer->status, ==, BG_LAYER_LOADING);
    g_assert_null(layer->payload.volume);
    bg_case_flush_journal(self->the_case); // waits for the file
    load_layer(self->the_case, self->volume_id, 0, 0);

    g_autoptr(BgVolume) expected = make_volume();
    g_assert_cmpmem(bg_volume_get_samples(layer->payload.volume),
                    bg_volume_get_n_bytes(layer->payload.volume), bg_volume_get_samples(expected),
                    bg_volume_get_n_bytes(expected));
}

// Damage of a real file: some bytes turned, cut, or exchanged.
static void
damage(char *bytes, gsize *length)
{
    int n = g_test_rand_int_range(1, 20);

    for (int i = 0; i < n; i++)
        bytes[g_test_rand_int_range(0, (gint32) *length)] = (char) g_test_rand_int_range(0, 256);
    if (g_test_rand_int_range(0, 4) == 0)
        *length = (gsize) g_test_rand_int_range(0, (gint32) *length);
}

static void
try_to_use(const char *path, int *n_refused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgCase) other = bg_case_new();
    g_autoptr(BgImage) thumbnail = bg_project_read_thumbnail(path, NULL);

    if (!bg_project_open(other, path, &error)) {
        g_assert_true(error->domain == BG_ERROR || error->domain == G_IO_ERROR);
        g_assert_cmpstr(error->message, !=, "");
        (*n_refused)++;
        return;
    }
    const GPtrArray *layers = bg_case_get_state(other)->layers;
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        g_autoptr(GError) reason = NULL;
        g_autoptr(BgLoad) load = bg_load_new(other, layer->id);
        bg_load_run(load, NULL, NULL);
        if (!bg_load_finish(load, other, &reason))
            g_assert_true(reason->domain == BG_ERROR || reason->domain == G_IO_ERROR);
    }
}

static void
test_malformed(Fixture *self, gconstpointer data)
{
    g_autofree char *path = g_build_filename(self->folder, "bad.bregma", NULL);
    g_autofree char *whole = NULL;
    gsize whole_length;
    int n_refused = 0, n_damaged = 0;

    save(self);
    gboolean done = g_file_get_contents(self->project, &whole, &whole_length, NULL);
    g_assert_true(done);
    for (int i = 0; i < 1500; i++) {
        g_autofree char *bytes = g_memdup2(whole, whole_length);
        gsize length = whole_length;
        damage(bytes, &length);
        if (length == whole_length && memcmp(bytes, whole, length) == 0)
            continue; // each byte was turned into itself
        n_damaged++;
        g_unlink(path); // GLib writes over a longer file without cutting it
        done = g_file_set_contents_full(path, bytes, (gssize) length, G_FILE_SET_CONTENTS_NONE,
                                        0600, NULL);
        g_assert_true(done);
        try_to_use(path, &n_refused);
    }
    g_assert_cmpint(n_refused, ==, n_damaged);
}

// Whole HDF5 files whose text is damaged: what the library cannot notice.
static void
test_malformed_text(Fixture *self, gconstpointer data)
{
    g_autofree char *path = g_build_filename(self->folder, "bad.bregma", NULL);
    g_autoptr(GVariant) state = bg_case_to_variant(self->the_case);
    g_autofree char *whole = g_variant_print(state, TRUE);
    gsize whole_length = strlen(whole);
    int n_refused = 0;

    for (int i = 0; i < 700; i++) {
        g_autofree char *bytes = g_strdup(whole);
        gsize length = whole_length;
        damage(bytes, &length);
        bytes[length] = '\0';
        g_autofree char *text = g_utf8_make_valid(bytes, -1);
        write_project(path, 1, text);
        try_to_use(path, &n_refused);
    }
    g_test_message("%d of 700 damaged texts refused", n_refused);
    g_assert_cmpint(n_refused, >, 300);
}

#define ADD(name, func) g_test_add("/project/" name, Fixture, NULL, set_up, func, tear_down)

// What GLib leaks of isolated folders is told by a frame that only the slow way of walking the
// stack finds. Without a sanitizer nobody calls this.
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0:malloc_context_size=12";
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    ADD("round-trip", test_round_trip);
    ADD("save-unloaded", test_save_unloaded);
    ADD("moved", test_moved);
    ADD("sources", test_sources);
    ADD("thumbnail", test_thumbnail);
    ADD("refuses", test_refuses);
    ADD("is-one", test_is_one);
    ADD("spilled", test_spilled);
    ADD("malformed", test_malformed);
    ADD("malformed-text", test_malformed_text);
    return g_test_run();
}
