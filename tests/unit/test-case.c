// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/case/bg-case.h"

#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define N_ACTIONS 20000 // ten times slower there
#else
#define N_ACTIONS 100000
#endif

static void
do_command(BgCase *the_case, BgCommand *command)
{
    g_autoptr(GError) error = NULL;
    gboolean done = bg_case_do(the_case, command, &error);

    g_assert_no_error(error);
    g_assert_true(done);
}

static void
refuse_command(BgCase *the_case, BgCommand *command, BgError code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = bg_case_hash(the_case);
    g_autofree char *title = g_strdup(bg_case_get_undo_title(the_case));

    g_assert_false(bg_case_do(the_case, command, &error));
    g_assert_error(error, BG_ERROR, (int) code);
    g_autofree char *after = bg_case_hash(the_case);
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpstr(bg_case_get_undo_title(the_case), ==, title);
}

static char *
add_layer(BgCase *the_case, BgKind kind, const char *name)
{
    g_autoptr(BgLayer) layer = bg_layer_new(kind, name);
    char *id = bg_case_new_id(the_case, "layer");

    bg_layer_set_string(&layer->id, id);
    do_command(the_case, bg_command_add_layer(layer));
    return id;
}

static BgVolume *
make_volume(int n)
{
    int dims[3] = { n, n, n };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    g_autoptr(GError) error = NULL;
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, &error);

    g_assert_no_error(error);
    memset(voxels, 7, (gsize) n * (gsize) n * (gsize) n);
    BgVolume *volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), voxels, &error);
    g_assert_no_error(error);
    return volume;
}

static void
set_volume(BgCase *the_case, const char *id, BgVolume *volume)
{
    g_autoptr(GError) error = NULL;
    BgPayload payload = { .volume = volume };

    g_assert_true(bg_case_set_payload(the_case, id, &payload, &error));
    g_assert_no_error(error);
}

static void
test_window(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *id = add_layer(the_case, BG_KIND_VOLUME, "ch2");
    const BgLayer *layer = bg_case_get_layer(the_case, id);

    bg_case_mark_saved(the_case);
    do_command(the_case, bg_command_set_window(id, 40, 400));
    g_assert_cmpfloat(layer->window_centre, ==, 40);
    g_assert_true(bg_case_is_modified(the_case));
    g_assert_cmpstr(bg_case_get_undo_title(the_case), ==, "Window");

    g_assert_true(bg_case_undo(the_case));
    g_assert_cmpfloat(layer->window_centre, ==, 0.5);
    g_assert_cmpfloat(layer->window_width, ==, 1.0);
    g_assert_false(bg_case_is_modified(the_case));
    g_assert_cmpstr(bg_case_get_redo_title(the_case), ==, "Window");
    g_assert_true(bg_case_redo(the_case));
    g_assert_cmpfloat(layer->window_width, ==, 400);

    // What changes nothing is no step.
    do_command(the_case, bg_command_set_window(id, 40, 400));
    g_assert_true(bg_case_undo(the_case));
    g_assert_cmpfloat(layer->window_width, ==, 1.0);
}

static void
test_refuses(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *id = add_layer(the_case, BG_KIND_VOLUME, "ch2");
    const double nowhere[2] = { NAN, 0 };
    const double red[3] = { 1.5, 0, 0 };
    BgView flat = bg_view_default();
    flat.zoom = 0;

    refuse_command(the_case, bg_command_set_window(id, 40, 0), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_window(id, NAN, 1), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_window(id, 0, INFINITY), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_window("layer-99", 1, 1), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_opacity(id, 1.01), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_mesh_style(id, red, FALSE), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_frame(id, 1), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_cursor(bg_vec3(0, NAN, 0)), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_view(&flat), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_pane(3, 1, red), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_pane(0, 1, nowhere), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_layout(""), BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_set_clip(TRUE, bg_vec3(1, 0, 0), bg_vec3(0, 1, 1)),
                   BG_ERROR_INVALID);
    refuse_command(the_case, bg_command_remove_measurement("m-1"), BG_ERROR_INVALID);
}

static void
test_gesture(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *id = add_layer(the_case, BG_KIND_VOLUME, "ch2");
    g_autofree char *before = bg_case_hash(the_case);

    bg_case_begin_gesture(the_case, NULL);
    for (int i = 1; i <= 100; i++)
        do_command(the_case, bg_command_set_window(id, i, 10 * i));
    do_command(the_case, bg_command_set_opacity(id, 0.5));
    bg_case_end_gesture(the_case);
    g_autofree char *after = bg_case_hash(the_case);

    g_assert_true(bg_case_undo(the_case));
    g_autofree char *undone = bg_case_hash(the_case);
    g_assert_cmpstr(undone, ==, before);
    g_assert_true(bg_case_redo(the_case));
    g_autofree char *redone = bg_case_hash(the_case);
    g_assert_cmpstr(redone, ==, after);

    bg_case_begin_gesture(the_case, "Drag");
    do_command(the_case, bg_command_set_window(id, 5, 5));
    bg_case_cancel_gesture(the_case);
    g_autofree char *cancelled = bg_case_hash(the_case);
    g_assert_cmpstr(cancelled, ==, after);
    g_assert_null(bg_case_get_redo_title(the_case));
}

static void
test_views_apart(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *id = add_layer(the_case, BG_KIND_VOLUME, "ch2");
    const BgCaseState *state = bg_case_get_state(the_case);

    bg_case_mark_saved(the_case);
    for (int i = 1; i <= 50; i++)
        do_command(the_case, bg_command_set_cursor(bg_vec3(i, 0, 0)));
    g_assert_false(bg_case_is_modified(the_case));
    g_assert_cmpstr(bg_case_get_undo_title(the_case), ==, "Add Layer");
    g_assert_true(bg_case_undo_view(the_case));
    g_assert_cmpfloat(state->cursor_mm.x, ==, 0);
    g_assert_false(bg_case_can_undo_view(the_case));
    g_assert_true(bg_case_redo_view(the_case));
    g_assert_cmpfloat(state->cursor_mm.x, ==, 50);
}

static void
test_payload_survives(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *id = add_layer(the_case, BG_KIND_VOLUME, "ch2");
    g_autoptr(BgVolume) volume = make_volume(16);

    set_volume(the_case, id, volume);
    do_command(the_case, bg_command_remove_layer(id));
    g_assert_null(bg_case_get_layer(the_case, id));
    g_assert_cmpuint(bg_case_get_undo_bytes(the_case), ==, 4096);

    // Removed, brought back, removed again: what redo forgets must not take the content along.
    bg_case_undo(the_case);
    g_assert_cmpuint(bg_case_get_undo_bytes(the_case), ==, 0);
    do_command(the_case, bg_command_remove_layer(id));
    bg_case_undo(the_case);
    const BgLayer *layer = bg_case_get_layer(the_case, id);
    g_assert_true(layer->payload.volume == volume);
    g_assert_cmpint(layer->status, ==, BG_LAYER_OK);

    // Beyond the budget it has to be read again.
    bg_case_set_undo_budget(the_case, 4000);
    do_command(the_case, bg_command_remove_layer(id));
    g_assert_cmpuint(bg_case_get_undo_bytes(the_case), ==, 0);
    bg_case_undo(the_case);
    layer = bg_case_get_layer(the_case, id);
    g_assert_null(layer->payload.volume);
    g_assert_cmpint(layer->status, ==, BG_LAYER_LOADING);

    g_autoptr(GError) error = NULL;
    BgPayload empty = { 0 };
    g_assert_false(bg_case_set_payload(the_case, id, &empty, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static BgLayer *
patient_layer(BgCase *the_case, const char *name, const char *id, const char *birth_date)
{
    BgLayer *layer = bg_layer_new(BG_KIND_VOLUME, "mr");
    g_autofree char *layer_id = bg_case_new_id(the_case, "layer");

    bg_layer_set_string(&layer->id, layer_id);
    bg_layer_set_string(&layer->patient.name, name);
    bg_layer_set_string(&layer->patient.id, id);
    bg_layer_set_string(&layer->patient.birth_date, birth_date);
    return layer;
}

static void
test_second_patient(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *empty = bg_case_hash(the_case);
    g_autoptr(BgLayer) unknown = patient_layer(the_case, "", "", "");
    g_autoptr(BgLayer) jane = patient_layer(the_case, "DOE^JANE", "4711", "1961-03-02");
    g_autoptr(BgLayer) jane_too = patient_layer(the_case, "Doe, Jane", "4711", "19610302");
    g_autoptr(BgLayer) john = patient_layer(the_case, "DOE^JOHN", "4712", "1960-01-01");
    g_autoptr(BgLayer) unknown_too = patient_layer(the_case, "", "", "");

    do_command(the_case, bg_command_add_layer(unknown));
    do_command(the_case, bg_command_add_layer(jane));
    g_assert_cmpstr(bg_case_get_state(the_case)->patient.id, ==, "4711");
    do_command(the_case, bg_command_add_layer(jane_too));
    do_command(the_case, bg_command_add_layer(unknown_too));
    const BgLayer *shown = bg_case_get_layer(the_case, unknown_too->id);
    g_assert_true(bg_case_layer_lacks_identity(the_case, shown));

    refuse_command(the_case, bg_command_add_layer(john), BG_ERROR_MISMATCH);
    refuse_command(the_case, bg_command_set_patient(&john->patient), BG_ERROR_MISMATCH);
    refuse_command(the_case, bg_command_override_patient(&john->patient, "  .-"), BG_ERROR_INVALID);
    // A reason that the record brings along does not count: it has to be typed for this case.
    bg_layer_set_string(&john->override_reason, "because");
    refuse_command(the_case, bg_command_add_layer(john), BG_ERROR_MISMATCH);

    do_command(the_case, bg_command_override_patient(&john->patient, "father of the patient"));
    do_command(the_case, bg_command_add_layer(john));
    shown = bg_case_get_layer(the_case, john->id);
    g_assert_cmpstr(shown->override_reason, ==, "father of the patient");
    g_assert_cmpstr(bg_case_get_state(the_case)->patient.id, ==, "4711");

    while (bg_case_undo(the_case))
        ;
    g_autofree char *undone = bg_case_hash(the_case);
    g_assert_cmpstr(undone, ==, empty);
    refuse_command(the_case, bg_command_set_window("layer-1", 1, 1), BG_ERROR_INVALID);
    do_command(the_case, bg_command_add_layer(john));
}

static void
test_patients(void)
{
    static const struct {
        BgPatient a, b;
        gboolean same;
    } cases[] = {
        { { "A", "1", "", "", "" }, { "A", "1", "", "", "" }, TRUE },
        { { "A", "1", "", "", "" }, { "A", "2", "", "", "" }, FALSE },
        { { "A", "1", "X", "", "" }, { "A", "1", "Y", "", "" }, FALSE },
        { { "A", "1", "X", "", "" }, { "A", "1", "", "", "" }, TRUE },
        { { "A", "1", "", "", "" }, { "B", "1", "", "", "" }, FALSE },
        { { "A", "1", "", "2000-01-01", "" }, { "A", "1", "", "2000-01-02", "" }, FALSE },
        { { "A", "1", "", "", "" }, { "A", "", "", "", "" }, FALSE },
        { { "A", "", "", "", "" }, { "a", "", "", "", "" }, TRUE },
        { { "", "1", "", "", "" }, { "A", "", "", "", "" }, FALSE },
        { { "A", "1", "", "2000-01-01", "" }, { "A", "", "", "20000101", "" }, TRUE },
        { { "", "", "", "", "" }, { "A", "1", "", "", "" }, TRUE },
        { { "Müller^Jörg", "", "", "", "" }, { "MÜLLER JÖRG", "", "", "", "" }, TRUE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %zu", i);
        g_assert_cmpint(bg_patient_same(&cases[i].a, &cases[i].b), ==, cases[i].same);
        g_assert_cmpint(bg_patient_same(&cases[i].b, &cases[i].a), ==, cases[i].same);
    }
}

static void
test_measurements(void)
{
    const BgVec3 line[2] = { { 0, 0, 0 }, { 3, 4, 12 } };
    const BgVec3 corner[3] = { { 1, 0, 0 }, { 0, 0, 0 }, { -1, 1e-9, 0 } };
    g_autoptr(BgMeasurement) ruler = bg_measurement_new(BG_MEASURE_RULER, line);
    g_autoptr(BgMeasurement) angle = bg_measurement_new(BG_MEASURE_ANGLE, corner);
    g_autoptr(BgCase) the_case = bg_case_new();

    g_assert_cmpfloat_with_epsilon(bg_measurement_length_mm(ruler), 13, 1e-12);
    g_assert_cmpfloat_with_epsilon(bg_measurement_angle_deg(angle), 180 - 1e-9 * 180 / G_PI, 1e-13);
    bg_layer_set_string(&ruler->id, "measurement-1");
    bg_layer_set_string(&angle->id, "measurement-2");
    do_command(the_case, bg_command_add_measurement(ruler));
    do_command(the_case, bg_command_add_measurement(angle));
    g_autofree char *before = bg_case_hash(the_case);
    ruler->points_mm[1].x = 30;
    do_command(the_case, bg_command_change_measurement(ruler));
    do_command(the_case, bg_command_remove_measurement("measurement-1"));
    g_assert_null(bg_case_get_measurement(the_case, "measurement-1"));
    bg_case_undo(the_case);
    g_assert_cmpfloat(bg_case_get_measurement(the_case, "measurement-1")->points_mm[1].x, ==, 30);
    bg_case_undo(the_case);
    g_autofree char *after = bg_case_hash(the_case);
    g_assert_cmpstr(after, ==, before);
}

static BgCommand *
random_layer_command(BgCase *the_case, const BgLayer *layer)
{
    const double rgb[3] = { g_test_rand_double(), 0.5, g_test_rand_double() };
    BgLabelEntry entry = { .label = (guint32) g_test_rand_int_range(1, 5),
                           .name = "tumour",
                           .rgb = { (float) rgb[0], 0, 1 },
                           .visible = g_test_rand_bit() };
    const char *id = layer->id;

    switch (g_test_rand_int_range(0, 14)) {
    case 0:
        return bg_command_remove_layer(id);
    case 1:
        return bg_command_rename_layer(id, g_test_rand_bit() ? "a" : "b");
    case 2:
        return bg_command_move_layer(id, (guint) g_test_rand_int_range(0, 6));
    case 3:
        return bg_command_set_visible(id, g_test_rand_bit());
    case 4:
        return bg_command_set_opacity(id, g_test_rand_double_range(-0.1, 1.1));
    case 5:
        return bg_command_set_window(id, g_test_rand_double(), g_test_rand_double_range(-1, 9));
    case 6:
        return bg_command_set_colour_map(id, g_test_rand_bit() ? "hot" : "grey");
    case 7:
        return bg_command_set_label(id, &entry);
    case 8:
        return bg_command_set_label_style(id, g_test_rand_double(), g_test_rand_int_range(0, 5));
    case 9:
        return bg_command_set_mesh_style(id, rgb, g_test_rand_bit());
    case 10:
        return bg_command_set_interpolation(id, g_test_rand_bit());
    case 11:
        return bg_command_set_frame(id, g_test_rand_int_range(0, 3));
    case 12:
        return bg_command_set_labels(id, NULL);
    default:
        return bg_command_locate_layer(id, g_test_rand_bit() ? "/a" : "/b", NULL);
    }
}

static BgCommand *
random_add_layer(BgCase *the_case)
{
    static const char *const names[] = { "", "", "DOE^JANE", "DOE^JOHN" };
    const char *name = names[g_test_rand_int_range(0, 4)];
    g_autoptr(BgLayer) layer = patient_layer(the_case, name, "", "");

    layer->kind = g_test_rand_bit() ? BG_KIND_VOLUME : BG_KIND_LABELS;
    layer->n_frames = 3;
    return bg_command_add_layer(layer);
}

static BgCommand *
random_measurement_command(BgCase *the_case)
{
    const GPtrArray *items = bg_case_get_state(the_case)->measurements;
    const BgVec3 points[3] = { { g_test_rand_double(), 0, 0 }, { 1, 1, 1 }, { 0, 3, 0 } };
    BgMeasureKind kind = g_test_rand_bit() ? BG_MEASURE_RULER : BG_MEASURE_ANGLE;
    g_autoptr(BgMeasurement) item = bg_measurement_new(kind, points);

    if (items->len == 0 || (items->len < 6 && g_test_rand_bit())) {
        g_autofree char *id = bg_case_new_id(the_case, "measurement");
        bg_layer_set_string(&item->id, id);
        return bg_command_add_measurement(item);
    }
    const BgMeasurement *old =
        g_ptr_array_index(items, g_test_rand_int_range(0, (gint32) items->len));
    bg_layer_set_string(&item->id, old->id);
    return g_test_rand_bit() ? bg_command_change_measurement(item)
                             : bg_command_remove_measurement(old->id);
}

static BgCommand *
random_list_command(void)
{
    g_autofree char *id = g_strdup_printf("list-%d", g_test_rand_int_range(0, 4));
    BgLandmark mark = { "nasion", bg_vec3(g_test_rand_double(), 0, 0), BG_LANDMARK_CHECK, TRUE,
                        FALSE };
    g_autoptr(BgLandmarks) points = bg_landmarks_new(BG_LANDMARK_PATIENT, &mark, 1, NULL);
    g_autoptr(BgLandmarkList) list = bg_landmark_list_new(id, "points", "layer-1", points);
    // Each id moves a layer of its own, so that none is refused.
    g_autofree char *moving = g_strdup_printf("layer-%s", id);
    g_autoptr(BgRegistration) item = bg_registration_new(id, moving, "layer-2");
    BgView view = bg_view_default();
    BgCamera lens = bg_camera_from_view(&view, bg_vec3(0, 0, 0), 100.0, 64, 48);
    g_autoptr(BgPhotoCamera) camera = bg_photo_camera_new(id, moving, &lens);

    g_autoptr(BgCasePlan) plan = bg_case_plan_new(BG_CASE_PLAN_PATH, id, "path");

    item->error_mm = camera->error_px = g_test_rand_double();
    bg_layer_set_string(&plan->measurement_id, g_test_rand_bit() ? "measurement-1" : "");
    bg_layer_set_string(&plan->structure_id, "layer-2");
    switch (g_test_rand_int_range(0, 8)) {
    case 6:
        return bg_command_set_plan(plan); // refused without a ruler
    case 7:
        return bg_command_remove_plan(id);
    case 4:
        return bg_command_set_camera(camera);
    case 5:
        return bg_command_remove_camera(id);
    case 0:
        return bg_command_set_landmarks(list);
    case 1:
        return bg_command_remove_landmarks(id);
    case 2:
        return bg_command_set_registration(item);
    default:
        return bg_command_remove_registration(id);
    }
}

static BgCommand *
random_state_command(BgCase *the_case)
{
    BgPatient john = { (char *) "DOE^JOHN", (char *) "", (char *) "", (char *) "", (char *) "" };
    BgPatient jane = { (char *) "DOE^JANE", (char *) "", (char *) "", (char *) "", (char *) "" };
    BgView view = bg_view_default();
    const double pan[2] = { g_test_rand_double(), 1 };
    BgVec3 p = bg_vec3(g_test_rand_double(), 0, 0);
    view.azimuth_deg = g_test_rand_double_range(-180, 180);

    switch (g_test_rand_int_range(0, 10)) {
    case 0:
        return bg_command_set_cursor(p);
    case 1:
        return bg_command_set_view(&view);
    case 2:
        return bg_command_set_pane((guint) g_test_rand_int_range(0, 4), 2, pan);
    case 3:
        return bg_command_set_layout(g_test_rand_bit() ? "fusion" : "planning");
    case 4:
        return bg_command_set_convention(g_test_rand_bit());
    case 5:
        return bg_command_set_clip(g_test_rand_bit(), bg_vec3(0, 0, 0), p);
    case 6:
        if (bg_case_get_state(the_case)->overrides->len > 3)
            return bg_command_set_notes("enough");
        return bg_command_override_patient(&john, g_test_rand_bit() ? "" : "the father");
    case 7:
        return bg_command_set_patient(g_test_rand_bit() ? &john : &jane);
    case 8:
        return bg_command_set_study("20260101", g_test_rand_bit() ? "head" : "knee");
    default:
        return bg_command_set_notes(g_test_rand_bit() ? "seen" : "");
    }
}

static BgCommand *
random_command(BgCase *the_case)
{
    const GPtrArray *layers = bg_case_get_state(the_case)->layers;
    int dice = g_test_rand_int_range(0, 10);

    if (layers->len == 0 || (dice == 0 && layers->len < 8))
        return random_add_layer(the_case);
    if (dice < 6)
        return random_layer_command(
            the_case, g_ptr_array_index(layers, g_test_rand_int_range(0, (gint32) layers->len)));
    if (dice < 7)
        return random_measurement_command(the_case);
    return dice < 8 ? random_list_command() : random_state_command(the_case);
}

// One random thing that a user could do; FALSE when it was refused, which must change nothing.
static void
random_action(BgCase *the_case)
{
    switch (g_test_rand_int_range(0, 12)) {
    case 0:
    case 1:
        bg_case_undo(the_case);
        break;
    case 2:
        bg_case_redo(the_case);
        break;
    case 3:
        if (g_test_rand_bit())
            bg_case_undo_view(the_case);
        else
            bg_case_redo_view(the_case);
        break;
    case 4:
        bg_case_begin_gesture(the_case, NULL);
        for (int i = g_test_rand_int_range(0, 6); i > 0; i--)
            bg_case_do(the_case, random_command(the_case), NULL);
        if (g_test_rand_int_range(0, 4) == 0)
            bg_case_cancel_gesture(the_case);
        else
            bg_case_end_gesture(the_case);
        break;
    default:
        bg_case_do(the_case, random_command(the_case), NULL);
    }
}

// Of all but the view, which has a pile of its own.
static char *
hash_edits(BgCase *the_case)
{
    g_autoptr(GVariant) state = bg_case_to_variant(the_case);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (gsize i = 0; i < g_variant_n_children(state); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(state, i);
        const char *key;
        g_variant_get_child(child, 0, "&s", &key);
        if (!g_str_equal(key, "cursor") && !g_str_equal(key, "view") && !g_str_equal(key, "panes"))
            g_checksum_update(sum, g_variant_get_data(child), (gssize) g_variant_get_size(child));
    }
    return g_strdup(g_checksum_get_string(sum));
}

// One action, and at once back and forth again: each step by itself is whole.
static void
checked_action(BgCase *the_case)
{
    g_autofree char *before = hash_edits(the_case);
    int n = g_test_rand_bit() ? 1 : g_test_rand_int_range(2, 9);
    gboolean cancel = n > 1 && g_test_rand_int_range(0, 4) == 0;

    if (n > 1)
        bg_case_begin_gesture(the_case, NULL);
    for (int i = 0; i < n; i++)
        bg_case_do(the_case, random_command(the_case), NULL);
    if (cancel)
        bg_case_cancel_gesture(the_case);
    else if (n > 1)
        bg_case_end_gesture(the_case);

    g_autofree char *after = hash_edits(the_case);
    if (cancel)
        g_assert_cmpstr(after, ==, before);
    if (g_str_equal(after, before))
        return;
    g_assert_true(bg_case_undo(the_case));
    g_autofree char *undone = hash_edits(the_case);
    g_assert_cmpstr(undone, ==, before);
    g_assert_true(bg_case_redo(the_case));
    g_autofree char *redone = hash_edits(the_case);
    g_assert_cmpstr(redone, ==, after);
}

static void
check_round_trip(BgCase *the_case)
{
    g_autoptr(GVariant) state = bg_case_to_variant(the_case);
    g_autofree char *text = g_variant_print(state, TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) parsed = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
    g_autoptr(BgCase) other = bg_case_new();

    g_assert_no_error(error);
    g_assert_true(bg_case_set_from_variant(other, parsed, &error));
    g_assert_no_error(error);
    g_autofree char *first = bg_case_hash(the_case);
    g_autofree char *second = bg_case_hash(other);
    g_assert_cmpstr(second, ==, first);
}

static void
test_random_model(void)
{
    const char *wanted = g_getenv("BREGMA_TEST_ACTIONS");
    int n = wanted != NULL                         ? atoi(wanted)
            : g_getenv("BREGMA_TEST_LONG") != NULL ? 1000000
                                                   : N_ACTIONS;
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autofree char *first = bg_case_hash(the_case);
    g_autoptr(BgVolume) volume = make_volume(4);

    bg_case_set_undo_budget(the_case, 640);
    for (int i = 0; i < n; i++) {
        const GPtrArray *layers = bg_case_get_state(the_case)->layers;
        if (i % 100 == 0)
            checked_action(the_case);
        else
            random_action(the_case);
        if (layers->len > 0) {
            const BgLayer *layer = g_ptr_array_index(layers, 0);
            if (layer->status == BG_LAYER_LOADING && layer->kind == BG_KIND_VOLUME)
                set_volume(the_case, layer->id, volume);
        }
        g_assert_cmpuint(bg_case_get_undo_bytes(the_case), <=, 640);
        if (i % 10000 == 0)
            check_round_trip(the_case);
    }

    while (bg_case_redo(the_case))
        ;
    while (bg_case_redo_view(the_case))
        ;
    g_autofree char *last = bg_case_hash(the_case);
    while (bg_case_undo(the_case))
        ;
    while (bg_case_undo_view(the_case))
        ;
    g_autofree char *undone = bg_case_hash(the_case);
    g_assert_cmpstr(undone, ==, first);
    while (bg_case_redo(the_case))
        ;
    while (bg_case_redo_view(the_case))
        ;
    g_autofree char *redone = bg_case_hash(the_case);
    g_assert_cmpstr(redone, ==, last);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/case/window", test_window);
    g_test_add_func("/case/refuses", test_refuses);
    g_test_add_func("/case/gesture", test_gesture);
    g_test_add_func("/case/views-apart", test_views_apart);
    g_test_add_func("/case/payload-survives", test_payload_survives);
    g_test_add_func("/case/second-patient", test_second_patient);
    g_test_add_func("/case/patients", test_patients);
    g_test_add_func("/case/measurements", test_measurements);
    g_test_add_func("/case/random-model", test_random_model);
    return g_test_run();
}
