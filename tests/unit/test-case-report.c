// SPDX-License-Identifier: Apache-2.0
// What stands in a report is read back from the page and, where pdftotext is there, from the paper:
// the numbers are those that the case was made with.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/case/bg-case-report.h"
#include "core/case/bg-plan-measure.h"
#include "core/case/bg-project.h"
#include "core/case/bg-provenance.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-weights.h"

#include <glib/gstdio.h>
#include <string.h>

#define SIZE 48

static void
do_command(BgCase *the_case, BgCommand *command)
{
    g_autoptr(GError) error = NULL;
    gboolean done = bg_case_do(the_case, command, &error);

    g_assert_no_error(error);
    g_assert_true(done);
}

static BgGeometry
grid(void)
{
    return (BgGeometry){ { SIZE, SIZE, SIZE }, bg_affine_identity() };
}

static void
add_layer(BgCase *the_case, const char *id, BgLayer *layer, BgPayload payload)
{
    g_autoptr(BgLayer) owned = layer;
    g_autoptr(GError) error = NULL;

    bg_layer_set_string(&layer->id, id);
    do_command(the_case, bg_command_add_layer(layer));
    g_assert_true(bg_case_set_payload(the_case, id, &payload, &error));
    g_assert_no_error(error);
    bg_payload_clear(&payload);
}

static void
add_volume(BgCase *the_case, const char *id, const char *name)
{
    BgGeometry geometry = grid();
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, NULL);

    for (int i = 0; i < SIZE * SIZE * SIZE; i++)
        voxels[i] = (guint8) (i % 251);
    BgPayload payload = { .volume = bg_volume_new_take(
                              &geometry, (BgSampleFormat){ BG_SAMPLE_UINT8, 1.0, 0.0, FALSE },
                              voxels, NULL) };
    add_layer(the_case, id, bg_layer_new(BG_KIND_VOLUME, name), payload);
}

// A box of one label, both ends in it.
static void
add_box(BgCase *the_case, const char *id, BgLayer *layer, const int low[3], const int high[3],
        guint32 label)
{
    BgGeometry geometry = grid();
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, NULL);
    BgLabelEntry entry = { label, "Box", { 1.0f, 0.0f, 0.0f }, TRUE };
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof entry);

    memset(voxels, 0, SIZE * SIZE * SIZE);
    for (int k = low[2]; k <= high[2]; k++) {
        for (int j = low[1]; j <= high[1]; j++)
            memset(voxels + (k * SIZE + j) * SIZE + low[0], (int) label,
                   (gsize) (high[0] - low[0] + 1));
    }
    g_array_append_val(entries, entry);
    layer->labels = bg_label_table_new(entries);
    BgPayload payload = { .labels =
                              bg_label_map_new_take(&geometry, BG_LABEL_UINT8, voxels, NULL) };
    add_layer(the_case, id, layer, payload);
}

static void
add_measurement(BgCase *the_case, const char *id, const char *name, BgMeasureKind kind,
                const BgVec3 *points_mm)
{
    g_autoptr(BgMeasurement) one = bg_measurement_new(kind, points_mm);

    bg_layer_set_string(&one->id, id);
    bg_layer_set_string(&one->name, name);
    bg_layer_set_string(&one->layer_id, "layer-1");
    do_command(the_case, bg_command_add_measurement(one));
}

static void
add_points(BgCase *the_case, const char *id, const char *layer_id, BgVec3 at)
{
    const BgLandmark marks[] = { { "nasion", at, BG_LANDMARK_FIT, TRUE, FALSE },
                                 { "waiting", at, BG_LANDMARK_FIT, FALSE, FALSE } };
    g_autoptr(BgLandmarks) points = bg_landmarks_new(BG_LANDMARK_PATIENT, marks, 2, NULL);
    g_autoptr(BgLandmarkList) list = bg_landmark_list_new(id, "Points", layer_id, points);

    do_command(the_case, bg_command_set_landmarks(list));
}

static void
add_registration(BgCase *the_case)
{
    g_autoptr(BgRegistration) one = bg_registration_new("registration-1", "layer-2", "layer-1");

    bg_layer_set_string(&one->method, "landmarks");
    bg_layer_set_string(&one->model, "rigid");
    one->fixed_from_moving.m[0][3] = 10.0;
    one->error_mm = 0.42;
    one->check_mm = 1.23;
    bg_approval_set(&one->approval, "Dr Broca");
    do_command(the_case, bg_command_set_registration(one));
}

static void
add_plan(BgCase *the_case, BgCasePlanKind kind, const char *id, const char *name)
{
    g_autoptr(BgCasePlan) plan = bg_case_plan_new(kind, id, name);

    bg_layer_set_string(&plan->structure_id, "layer-4");
    plan->structure_label = 7;
    if (kind == BG_CASE_PLAN_PATH)
        bg_layer_set_string(&plan->measurement_id, "measurement-1");
    else
        bg_layer_set_string(&plan->layer_id, "layer-3");
    do_command(the_case, bg_command_set_plan(plan));
}

static void
add_cut(BgCase *the_case, const char *id, const char *name, BgPrismShape shape)
{
    const BgVec3 corners[] = { { 10, 10, 30 }, { 30, 10, 30 }, { 30, 30, 30 }, { 10, 30, 30 } };
    BgLandmarkPlane plane;

    g_assert_true(bg_landmark_plane_fit(corners, 4, &plane, NULL));
    bg_landmark_plane_turn(&plane, bg_vec3(20, 20, 0));
    g_autoptr(BgPrism) prism = bg_prism_new(&plane, plane.centroid_mm, corners, 4, shape, 25.0,
                                            shape == BG_PRISM_POLYGON ? 5.0 : 0.0, NULL);
    g_autoptr(BgCasePlan) plan = bg_case_plan_new_cut(id, name, prism);
    bg_layer_set_string(&plan->layer_id, "layer-1");
    plan->margin_mm = shape == BG_PRISM_POLYGON ? 5.0 : 0.0;
    do_command(the_case, bg_command_set_plan(plan));
}

// A small network of ours with a card, and the layer's parameters that name it.
static char *
save_network(const char *folder)
{
    const BgNetwork *network = bg_network_find("funfuse", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, 1, NULL);
    g_autoptr(BgJson) card = bg_json_new_object();
    g_autofree char *path = g_build_filename(folder, "net.h5", NULL);
    g_autoptr(BgProvenance) provenance = bg_provenance_new("segment");

    bg_json_set_string(card, "trained on", "16 phantoms & none else");
    bg_json_set_double(card, "dice", 0.875);
    g_assert_true(bg_nn_weights_save(path, graph, params, card, FALSE, NULL, NULL));
    bg_provenance_add_input(provenance, path, NULL);
    return bg_provenance_print(provenance);
}

static BgCase *
make_case(const char *folder)
{
    const int core_low[3] = { 8, 10, 10 }, core_high[3] = { 11, 19, 19 };
    const int wall_low[3] = { 20, 0, 0 }, wall_high[3] = { 24, SIZE - 1, SIZE - 1 };
    const BgVec3 path[2] = { { 5.22, 12, 14 }, { 35.5, 12, 14 } };
    const BgVec3 corner[3] = { { 1, 0, 0 }, { 0, 0, 0 }, { 0, 2, 0 } };
    BgCase *the_case = bg_case_new();
    g_autofree char *parameters = save_network(folder);

    add_volume(the_case, "layer-1", "T1");
    add_volume(the_case, "layer-2", "Moved");
    add_box(the_case, "layer-4", bg_layer_new(BG_KIND_LABELS, "Vessels"), wall_low, wall_high, 7);
    add_box(the_case, "layer-3",
            bg_layer_new_generated(BG_KIND_LABELS, "Tumour", NULL, "segment", parameters), core_low,
            core_high, 1);
    add_measurement(the_case, "measurement-1", "Approach <1>", BG_MEASURE_RULER, path);
    add_measurement(the_case, "measurement-2", "Corner", BG_MEASURE_ANGLE, corner);
    add_points(the_case, "points-1", "layer-1", bg_vec3(-12.34, 5, -7));
    add_points(the_case, "points-2", "layer-2", bg_vec3(1, 2, 3));
    add_registration(the_case);
    add_plan(the_case, BG_CASE_PLAN_PATH, "plan-1", "Path 1");
    add_plan(the_case, BG_CASE_PLAN_DISTANCE, "plan-2", "Distance 1");
    add_cut(the_case, "plan-3", "Cut 1", BG_PRISM_POLYGON);
    add_cut(the_case, "plan-4", "Cut 2", BG_PRISM_CYLINDER);
    return the_case;
}

static void
remove_folder(char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

static char *
write_report(BgCase *the_case, const char *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgCaseReport) report = bg_case_report_new(the_case, &error);
    char *path = g_build_filename(folder, name, NULL);

    g_assert_no_error(error);
    gboolean done = bg_case_report_write(report, path, TRUE, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    return path;
}

static char *
read_page(BgCase *the_case, const char *folder)
{
    g_autofree char *path = write_report(the_case, folder, "report.html");
    char *page = NULL;

    g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
    return page;
}

// All that the case was made with: cells of rows.
static const char *const rows[][5] = {
    { "Approach <1>", "30.3 mm", "T1", "L 5.2  P 12.0  S 14.0 mm" },
    { "Corner", "90.0°", "T1", "L 1.0  P 0.0  S 0.0 mm" },
    { "nasion", "Points", "T1", "R 12.3  P 5.0  I 7.0 mm" },
    { "nasion", "Points", "Moved", "L 11.0  P 2.0  S 3.0 mm" }, // where it is shown
    { "Moved onto T1", "landmarks, rigid",
      "0.42 mm at the points of the fit, which is no accuracy; 1.23 mm at points left out of it" },
    { "Path 1: Approach <1> to Box in Vessels", "Value" },
    { "Length of the path", "30.3 mm" },
    { "Nearest to it", "inside by 3.0 mm, after 16.8" },
    { "Enters it", "after 14.3 mm" },
    { "Runs inside it", "5.0 mm" },
    { "Distance 1: Tumour to Box in Vessels", "Value" },
    { "Box", "9.0 mm" }, // from voxel 11 to voxel 20
    { "Cut 1: cut of T1", "Value" },
    { "Middle of its top", "L 20.0  P 20.0  S 30.0 mm" },
    { "Middle of its bottom", "L 20.0  P 20.0  S 5.0 mm" },
    { "Depth", "25.0 mm" },
    { "Wider than the points by", "5.0 mm" },
    { "Shape", "prism of 4 corners" },
    { "Holds", "22.50 ml" }, // 30 x 30 x 25 mm
    { "Cut 2: cut of T1", "Value" },
    { "Shape", "cylinder of radius 14.1 mm" },
    { "Holds", "15.71 ml" }, // pi x 200 x 25 mm
    { "trained on", "16 phantoms & none else" },
    { "dice", "0.875" },
};

static void
assert_row(const char *page, const char *const *cells)
{
    g_autoptr(GString) row = g_string_new(NULL);

    for (; *cells != NULL; cells++) {
        g_autofree char *safe = g_markup_escape_text(*cells, -1);
        g_autofree char *plain = g_regex_escape_string(safe, -1);
        g_string_append_printf(row, "%s%s<", row->len > 0 ? "[^\n]*\n<t[dh]>" : "<t[dh]>", plain);
    }
    if (!g_regex_match_simple(row->str, page, 0, 0))
        g_error("no row like %s", row->str);
}

static void
test_page(void)
{
    char *folder = g_dir_make_tmp("bregma-report-XXXXXX", NULL);
    g_autoptr(BgCase) the_case = make_case(folder);
    g_autofree char *page = read_page(the_case, folder);

    for (gsize r = 0; r < G_N_ELEMENTS(rows); r++)
        assert_row(page, rows[r]);
    g_assert_nonnull(strstr(page, "The network: net.h5"));
    g_assert_nonnull(strstr(page, "approved by Dr Broca, "));
    g_assert_null(strstr(page, "waiting")); // a point that is not placed
    g_assert_null(strstr(page, "Approach <1>"));
    remove_folder(folder);
}

// Lines are broken on paper: words and numbers without their blanks.
static char *
squeeze(const char *text)
{
    GString *all = g_string_new(NULL);

    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (!g_unichar_isspace(c))
            g_string_append_unichar(all, c);
    }
    return g_string_free(all, FALSE);
}

static void
test_paper(void)
{
    g_autofree char *program = g_find_program_in_path("pdftotext");
    g_autofree char *text = NULL;

    if (program == NULL) {
        g_test_skip("pdftotext is missing");
        return;
    }
    char *folder = g_dir_make_tmp("bregma-report-XXXXXX", NULL);
    g_autoptr(BgCase) the_case = make_case(folder);
    g_autofree char *path = write_report(the_case, folder, "report.pdf");
    const char *const command[] = { program, "-raw", path, "-", NULL };
    g_assert_true(
        g_spawn_sync(NULL, (char **) command, NULL, 0, NULL, NULL, &text, NULL, NULL, NULL));
    g_autofree char *words = squeeze(text);
    for (gsize r = 0; r < G_N_ELEMENTS(rows); r++) {
        for (int c = 0; rows[r][c] != NULL; c++) {
            g_autofree char *cell = squeeze(rows[r][c]);
            if (strlen(cell) < 40 &&
                strstr(words, cell) == NULL) // longer ones are broken in columns
                g_error("%s is not on paper", cell);
        }
    }
    remove_folder(folder);
}

// What a plan names may go: the report says so, and nothing else stands there.
static void
test_plans_of_what_is_gone(void)
{
    char *folder = g_dir_make_tmp("bregma-report-XXXXXX", NULL);
    g_autoptr(BgCase) the_case = make_case(folder);

    do_command(the_case, bg_command_remove_measurement("measurement-1"));
    g_autofree char *page = read_page(the_case, folder);
    assert_row(page, (const char *const[]){ "Not measured", "its ruler was removed", NULL });
    g_assert_null(strstr(page, "Runs inside it"));
    g_assert_true(bg_case_undo(the_case));
    do_command(the_case, bg_command_remove_layer("layer-4"));
    g_autofree char *other = read_page(the_case, folder);
    assert_row(other, (const char *const[]){ "Not measured",
                                             "the label map that it is measured to is not in the "
                                             "case",
                                             NULL });
    g_assert_null(strstr(other, "9.0 mm"));
    remove_folder(folder);
}

// A path that has no length, or lies elsewhere, has words and no number.
static void
test_path_elsewhere(void)
{
    static const struct {
        BgVec3 to;
        const char *words;
    } cases[] = { { { 5.22, 12, 14 }, "cannot be measured" }, { { 5.22, 12, 900 }, "left out" } };
    char *folder = g_dir_make_tmp("bregma-report-XXXXXX", NULL);
    g_autoptr(BgCase) the_case = make_case(folder);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const BgVec3 path[2] = { { 5.22, 12, 14 }, cases[i].to };
        g_autoptr(BgMeasurement) one = bg_measurement_new(BG_MEASURE_RULER, path);
        bg_layer_set_string(&one->id, "measurement-1");
        do_command(the_case, bg_command_change_measurement(one));
        g_autofree char *page = read_page(the_case, folder);
        g_assert_nonnull(strstr(page, cases[i].words));
    }
    remove_folder(folder);
}

// Saved, opened again, undone: the plans are the same, and so is what stands in the report.
static void
test_plans_are_kept(void)
{
    char *folder = g_dir_make_tmp("bregma-report-XXXXXX", NULL);
    g_autoptr(BgCase) the_case = make_case(folder);
    g_autofree char *path = g_build_filename(folder, "case.bregma", NULL);
    g_autofree char *before = bg_case_hash(the_case);
    g_autoptr(BgCase) other = bg_case_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_project_save(the_case, path, NULL, &error));
    g_assert_true(bg_project_open(other, path, &error));
    g_autofree char *after = bg_case_hash(other);
    g_assert_cmpstr(after, ==, before);
    const BgCasePlan *cut = bg_case_get_plan(other, "plan-3");
    g_assert_cmpfloat_with_epsilon(bg_case_plan_volume_ml(cut), 22.5, 1e-9);
    g_assert_true(bg_prism_contains(cut->prism, bg_vec3(20, 34.9, 5.1)));
    g_assert_false(bg_prism_contains(cut->prism, bg_vec3(20, 35.1, 5.1)));
    do_command(other, bg_command_remove_plan("plan-3"));
    g_assert_null(bg_case_get_plan(other, "plan-3"));
    g_assert_true(bg_case_undo(other));
    g_autofree char *back = bg_case_hash(other);
    g_assert_cmpstr(back, ==, before);
    g_autofree char *id = bg_case_new_id(other, "plan");
    g_assert_null(bg_case_get_plan(other, id)); // ids go on
    remove_folder(folder);
}

// Of a file that does not say how far voxels are apart: no millimetres.
static void
test_unknown_spacing(void)
{
    char *folder = g_dir_make_tmp("bregma-report-XXXXXX", NULL);
    g_autoptr(BgCase) the_case = make_case(folder);
    BgGeometryAnswer answer = { .side_unknown = TRUE, .spacing_unknown = TRUE };

    do_command(the_case, bg_command_answer_geometry("layer-1", &answer));
    do_command(the_case, bg_command_answer_geometry("layer-4", &answer));
    g_autofree char *page = read_page(the_case, folder);
    assert_row(page, (const char *const[]){ "Approach <1>", "30.3 px", NULL });
    assert_row(page, (const char *const[]){ "Length of the path", "30.3 px", NULL });
    assert_row(page, (const char *const[]){ "Depth", "25.0 px", NULL });
    g_assert_null(strstr(page, "22.50 ml"));
    g_assert_null(strstr(page, "right on the left"));
    remove_folder(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/case-report/page", test_page);
    g_test_add_func("/case-report/paper", test_paper);
    g_test_add_func("/case-report/plans-of-what-is-gone", test_plans_of_what_is_gone);
    g_test_add_func("/case-report/path-elsewhere", test_path_elsewhere);
    g_test_add_func("/case-report/plans-are-kept", test_plans_are_kept);
    g_test_add_func("/case-report/unknown-spacing", test_unknown_spacing);
    return g_test_run();
}
