// SPDX-License-Identifier: Apache-2.0
// Registrations move what is shown, and only that; points and cameras survive saving.
#include "core/base/bg-error.h"
#include "core/case/bg-load.h"
#include "core/case/bg-project.h"

#include <glib/gstdio.h>
#include <string.h>

static void
do_command(BgCase *the_case, BgCommand *command)
{
    g_autoptr(GError) error = NULL;
    gboolean done = bg_case_do(the_case, command, &error);

    g_assert_no_error(error);
    g_assert_true(done);
}

static void
refuse_command(BgCase *the_case, BgCommand *command)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = bg_case_hash(the_case);

    g_assert_false(bg_case_do(the_case, command, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_autofree char *after = bg_case_hash(the_case);
    g_assert_cmpstr(before, ==, after);
}

static void
add_layer(BgCase *the_case, const char *id, BgKind kind, const char *frame)
{
    g_autoptr(BgLayer) layer = bg_layer_new(kind, id);
    int dims[3] = { 4, 5, 6 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(2, 1, 1));
    BgPayload payload = { 0 };
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, NULL);
    g_autoptr(GError) error = NULL;

    for (guint8 i = 0; i < 120; i++)
        voxels[i] = i;
    bg_layer_set_string(&layer->id, id);
    bg_layer_set_string(&layer->frame_of_reference, frame);
    do_command(the_case, bg_command_add_layer(layer));
    if (kind == BG_KIND_LABELS)
        payload.labels = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, voxels, &error);
    else
        payload.volume =
            bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), voxels, &error);
    g_assert_no_error(error);
    g_assert_true(bg_case_set_payload(the_case, id, &payload, &error));
    bg_payload_clear(&payload);
}

// How far it was moved towards the left.
static double
moved_mm(BgCase *the_case, const char *id)
{
    const BgPayload *payload = &bg_case_get_layer(the_case, id)->payload;
    int dims[3] = { 4, 5, 6 };
    BgGeometry plain = bg_geometry_new_regular(dims, bg_vec3(2, 1, 1));
    BgVec3 origin =
        bg_geometry_origin_mm(payload->labels != NULL ? bg_label_map_get_geometry(payload->labels)
                                                      : bg_volume_get_geometry(payload->volume));

    return origin.x - bg_geometry_origin_mm(&plain).x;
}

static BgCommand *
shift(const char *id, const char *moving, const char *fixed, double x_mm)
{
    g_autoptr(BgRegistration) item = bg_registration_new(id, moving, fixed);

    item->fixed_from_moving.m[0][3] = x_mm;
    bg_layer_set_string(&item->model, "rigid");
    bg_approval_set(&item->approval, "Dr. Nadel");
    return bg_command_set_registration(item);
}

static void
test_moves_what_is_shown(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();

    add_layer(the_case, "ct", BG_KIND_VOLUME, "1.2.3");
    add_layer(the_case, "mr", BG_KIND_VOLUME, "4.5.6");
    add_layer(the_case, "pet", BG_KIND_VOLUME, "");
    add_layer(the_case, "seg", BG_KIND_LABELS, "4.5.6");
    const guint8 *samples =
        bg_volume_get_samples(bg_case_get_layer(the_case, "mr")->payload.volume);

    do_command(the_case, shift("r1", "mr", "ct", 10.0));
    g_assert_cmpfloat(moved_mm(the_case, "mr"), ==, 10.0);
    g_assert_cmpfloat(moved_mm(the_case, "seg"), ==, 10.0); // of the same frame of reference
    g_assert_cmpfloat(moved_mm(the_case, "ct"), ==, 0.0);
    g_assert_true(bg_volume_get_samples(bg_case_get_layer(the_case, "mr")->payload.volume) ==
                  samples);
    do_command(the_case, shift("r2", "pet", "mr", 5.0)); // onto what was moved itself
    g_assert_cmpfloat(moved_mm(the_case, "pet"), ==, 15.0);
    do_command(the_case, shift("r1", "mr", "ct", -3.0));
    g_assert_cmpfloat(moved_mm(the_case, "mr"), ==, -3.0);
    g_assert_cmpfloat(moved_mm(the_case, "pet"), ==, 2.0);

    // A volume that comes later lies where it belongs at once.
    BgPayload again;
    bg_payload_copy(&bg_case_get_layer(the_case, "ct")->payload, &again);
    g_assert_true(bg_case_set_payload(the_case, "pet", &again, NULL));
    bg_payload_clear(&again);
    g_assert_cmpfloat(moved_mm(the_case, "pet"), ==, 2.0);

    for (int i = 0; i < 3; i++)
        g_assert_true(bg_case_undo(the_case));
    g_assert_cmpfloat(moved_mm(the_case, "mr"), ==, 0.0);
    g_assert_cmpfloat(moved_mm(the_case, "pet"), ==, 0.0);
    g_assert_cmpfloat(moved_mm(the_case, "seg"), ==, 0.0);
    g_assert_true(bg_case_redo(the_case));
    g_assert_cmpfloat(moved_mm(the_case, "mr"), ==, 10.0);
}

static void
test_refuses(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(BgRegistration) mirror = bg_registration_new("r9", "pet", "ct");

    add_layer(the_case, "ct", BG_KIND_VOLUME, "");
    add_layer(the_case, "mr", BG_KIND_VOLUME, "");
    add_layer(the_case, "pet", BG_KIND_VOLUME, "");
    do_command(the_case, shift("r1", "mr", "ct", 1.0));
    do_command(the_case, shift("r2", "pet", "mr", 1.0));
    refuse_command(the_case, shift("r3", "ct", "pet", 1.0));
    refuse_command(the_case, shift("r3", "mr", "pet", 1.0));
    refuse_command(the_case, shift("r3", "ct", "ct", 1.0));
    mirror->fixed_from_moving.m[0][0] = -1.0;
    refuse_command(the_case, bg_command_set_registration(mirror));
}

static void
test_is_saved(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(BgCase) other = bg_case_new();
    BgLandmark marks[] = {
        { "nasion", bg_vec3(1.5, -80.25, 3), BG_LANDMARK_FIT, TRUE, TRUE },
        { "left tragus", bg_vec3(70, 0, -20), BG_LANDMARK_CHECK, FALSE, FALSE },
    };
    g_autoptr(BgLandmarks) points = bg_landmarks_new(BG_LANDMARK_PICTURE, marks, 2, NULL);
    g_autoptr(BgLandmarkList) list = bg_landmark_list_new("points-1", "head", "mr", points);
    BgView view = { .azimuth_deg = 30, .elevation_deg = 10, .zoom = 1.0 };
    BgCamera lens = bg_camera_from_view(&view, bg_vec3(1, 2, 3), 90.0, 640, 480);
    g_autoptr(BgPhotoCamera) camera = bg_photo_camera_new("camera-1", "photo", &lens);

    add_layer(the_case, "ct", BG_KIND_VOLUME, "");
    add_layer(the_case, "mr", BG_KIND_VOLUME, "");
    do_command(the_case, shift("registration-1", "mr", "ct", 7.0));
    do_command(the_case, bg_command_set_landmarks(list));
    camera->error_px = 1.25;
    camera->mirrored = TRUE;
    bg_layer_set_string(&camera->words, "Residual 1.3 px at 8 fitted points.");
    do_command(the_case, bg_command_set_camera(camera));

    g_autoptr(GVariant) state = bg_case_to_variant(the_case);
    g_autoptr(GError) error = NULL;
    g_assert_true(bg_case_set_from_variant(other, state, &error));
    g_assert_no_error(error);
    g_autofree char *before = bg_case_hash(the_case), *after = bg_case_hash(other);
    g_assert_cmpstr(before, ==, after);

    const BgLandmarkList *read = bg_case_get_landmarks(other, "points-1");
    g_assert_cmpint(bg_landmarks_get_space(read->points), ==, BG_LANDMARK_PICTURE);
    const BgLandmark *mark = bg_landmarks_find(read->points, "nasion");
    g_assert_cmpfloat(mark->position.y, ==, -80.25);
    g_assert_true(mark->locked && mark->placed);
    g_assert_cmpint(bg_landmarks_find(read->points, "left tragus")->use, ==, BG_LANDMARK_CHECK);
    const BgPhotoCamera *seen = bg_case_get_camera(other, "photo");
    g_assert_true(seen->mirrored);
    g_assert_cmpstr(seen->words, ==, "Residual 1.3 px at 8 fitted points.");
    g_assert_cmpfloat(
        bg_affine_max_difference(&seen->camera.camera_from_patient, &lens.camera_from_patient), <,
        1e-9);
    const BgRegistration *registration = bg_case_get_registration(other, "mr");
    g_assert_cmpstr(registration->approval.by, ==, "Dr. Nadel");
    g_assert_cmpint(strlen(registration->approval.at), ==, 20);
    g_assert_cmpfloat(bg_case_get_placement(other, "mr").m[0][3], ==, 7.0);
}

// What is computed is saved as it is, not where a registration puts it: else it would move twice.
static void
test_computed_moves_once(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-alignment-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.bregma", NULL);
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(BgLayer) layer =
        bg_layer_new_generated(BG_KIND_VOLUME, "made", NULL, "resample", NULL);
    g_autoptr(GError) error = NULL;

    add_layer(the_case, "ct", BG_KIND_VOLUME, "");
    bg_layer_set_string(&layer->id, "made");
    do_command(the_case, bg_command_add_layer(layer));
    BgPayload payload;
    bg_payload_copy(&bg_case_get_layer(the_case, "ct")->payload, &payload);
    g_assert_true(bg_case_set_payload(the_case, "made", &payload, &error));
    bg_payload_clear(&payload);
    do_command(the_case, shift("r1", "made", "ct", 4.0));
    do_command(the_case, bg_command_remove_layer("ct"));

    g_assert_true(bg_project_save(the_case, path, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgCase) opened = bg_case_new();
    g_assert_true(bg_project_open(opened, path, &error));
    g_autoptr(BgLoad) load = bg_load_new(opened, "made");
    bg_load_run(load, NULL, NULL);
    g_assert_true(bg_load_finish(load, opened, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(moved_mm(opened, "made"), ==, 4.0);
    g_unlink(path);
    g_rmdir(folder);
}

// Every item of the list without its last member.
static GVariant *
without_last(GVariant *list, const char *type)
{
    GVariantBuilder items;

    g_variant_builder_init(&items, G_VARIANT_TYPE(type));
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        g_variant_builder_open(&items, g_variant_type_element(G_VARIANT_TYPE(type)));
        for (gsize j = 0; j + 1 < g_variant_n_children(item); j++) {
            g_autoptr(GVariant) member = g_variant_get_child_value(item, j);
            g_variant_builder_add_value(&items, member);
        }
        g_variant_builder_close(&items);
    }
    return g_variant_builder_end(&items);
}

// Cases and journals from before registrations and cameras said something.
static void
test_older_is_read(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(BgCase) other = bg_case_new();
    g_autoptr(GError) error = NULL;
    BgView view = { .zoom = 1.0 };
    BgCamera lens = bg_camera_from_view(&view, bg_vec3(1, 2, 3), 90.0, 640, 480);
    g_autoptr(BgPhotoCamera) camera = bg_photo_camera_new("camera-1", "photo", &lens);

    add_layer(the_case, "ct", BG_KIND_VOLUME, "");
    add_layer(the_case, "mr", BG_KIND_VOLUME, "");
    do_command(the_case, shift("registration-1", "mr", "ct", 7.0));
    do_command(the_case, bg_command_set_camera(camera));
    g_autoptr(GVariant) state = bg_case_to_variant(the_case);
    g_autoptr(GVariant) cameras = g_variant_lookup_value(state, "cameras", NULL);
    g_autoptr(GVariant) alignments = g_variant_lookup_value(state, "alignments", NULL);
    g_autoptr(GVariantDict) dict = g_variant_dict_new(state);
    g_variant_dict_insert_value(dict, "cameras", without_last(cameras, "a(ssssssssdb)"));
    g_variant_dict_insert_value(dict, "alignments", without_last(alignments, "a(sssssssssaddd)"));
    g_autoptr(GVariant) older = g_variant_ref_sink(g_variant_dict_end(dict));
    g_assert_true(bg_case_set_from_variant(other, older, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(bg_case_get_camera(other, "photo")->words, ==, "");
    g_assert_cmpfloat(bg_case_get_placement(other, "mr").m[0][3], ==, 7.0);

    g_autoptr(GVariant) list = g_variant_ref_sink(without_last(cameras, "a(ssssssssdb)"));
    g_autoptr(GVariant) item = g_variant_get_child_value(list, 0);
    g_autoptr(GVariant) record = g_variant_ref_sink(
        g_variant_new("(sv)", "set-camera", g_variant_new("(sm@(ssssssssdb))", "camera-1", item)));
    do_command(other, bg_command_remove_camera("camera-1"));
    BgCommand *command = bg_command_from_variant(record, &error);
    g_assert_no_error(error);
    do_command(other, command);
    g_assert_nonnull(bg_case_get_camera(other, "photo"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/alignment/moves-what-is-shown", test_moves_what_is_shown);
    g_test_add_func("/alignment/refuses", test_refuses);
    g_test_add_func("/alignment/is-saved", test_is_saved);
    g_test_add_func("/alignment/older-is-read", test_older_is_read);
    g_test_add_func("/alignment/computed-moves-once", test_computed_moves_once);
    return g_test_run();
}
