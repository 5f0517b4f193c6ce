// SPDX-License-Identifier: Apache-2.0
// DICOM: files to series, and series to volumes; the truth is in how the files were made.
#include "../support/bg-dicom-make.h"
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "media/dicom/bg-dicom-data.h"
#include "media/dicom/bg-dicom.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static GPtrArray *
scan(const char *folder)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *list = bg_dicom_scan(folder, NULL, NULL, &error);

    g_assert_no_error(error);
    return list;
}

static BgLoaded *
load(BgDicomSeries *series, int frame)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(GError) error = NULL;

    params.frame = frame;
    BgLoaded *loaded = bg_dicom_load_series(series, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    return loaded;
}

// Slices at z[], file names against the order of positions, value 100 * (index + 1).
static char *
make_stack(const double *z, int n)
{
    char *folder = bg_make_folder();

    for (int s = 0; s < n; s++) {
        g_autofree char *name = g_strdup_printf("%c.dcm", 'z' - s);
        g_autofree char *uid = g_strdup_printf("1.2.9.%d", s);
        BgMadeSlice slice = { .name = name,
                              .sop_uid = uid,
                              .position = { -1.0, 2.0, z[s] },
                              .thickness = 1.0,
                              .instance = 50 - s,
                              .value = 100 * (s + 1) };
        bg_make_slice(folder, &slice);
    }
    return folder;
}

static void
test_sorted(void)
{
    static const double z[] = { 3.0, 5.0, 7.0, 9.0 };
    char *folder = make_stack(z, 4);
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);
    const BgGeometry *g = bg_volume_get_geometry(loaded->volume);

    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpint(g->dims[0], ==, 8);
    g_assert_cmpint(g->dims[1], ==, 6);
    g_assert_cmpint(g->dims[2], ==, 4);
    BgVec3 last = bg_affine_apply(&g->patient_from_voxel, bg_vec3(7, 5, 3));
    g_assert_cmpfloat_with_epsilon(last.x, -1.0 + 7 * 0.25, 1e-9); // columns are 0.25 mm apart
    g_assert_cmpfloat_with_epsilon(last.y, 2.0 + 5 * 0.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(last.z, 9.0, 1e-9);
    for (int k = 0; k < 4; k++)
        g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 2, 3, k), ==, 100 * (k + 1) + 32);
    g_assert_cmpint(loaded->info->kind, ==, BG_KIND_VOLUME);
    g_assert_true(loaded->info->side_known);
    g_assert_cmpuint(loaded->info->warnings->len, ==, 0);
    g_assert_cmpstr(loaded->info->unit, ==, "HU");
    g_assert_cmpstr(loaded->info->patient_id, ==, "SECRET-42");
    bg_remove_folder(folder);
}

static gboolean
has_word(const GPtrArray *warnings, const char *word)
{
    for (guint i = 0; i < warnings->len; i++) {
        if (strstr(g_ptr_array_index(warnings, i), word) != NULL)
            return TRUE;
    }
    return FALSE;
}

static void
test_missing(void)
{
    static const double z[] = { 0.0, 2.0, 8.0, 10.0 }; // two are missing, at 4 and 6
    char *folder = make_stack(z, 4);
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);

    g_assert_true(series->badges & BG_DICOM_BADGE_MISSING);
    g_assert_true(has_word(loaded->info->warnings, "2 slices are missing (2.0..8.0 mm"));
    g_assert_cmpint(series->n_slices, ==, 6);
    g_assert_cmpfloat_with_epsilon(series->spacing_mm[2], 2.0, 1e-9);
    static const double values[] = { 100, 200, 233, 267, 300, 400 };
    for (int k = 0; k < 6; k++)
        g_assert_cmpfloat_with_epsilon(bg_volume_get_value(loaded->volume, 0, 0, k), values[k],
                                       0.5);
    bg_remove_folder(folder);
}

static void
test_uneven(void)
{
    static const double z[] = { 0.0, 2.0, 4.0, 7.0, 10.0 };
    char *folder = make_stack(z, 5);
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);
    double value;

    g_assert_true(series->badges & BG_DICOM_BADGE_UNEVEN);
    g_assert_true(has_word(loaded->info->warnings, "uneven distances (2.00 to 3.00 mm)"));
    // Lengths stay true: each slice's value is found where the slice lies.
    for (int s = 0; s < 5; s++) {
        g_assert_true(bg_volume_sample_linear(loaded->volume, bg_vec3(-1.0, 2.0, z[s]), &value));
        g_assert_cmpfloat_with_epsilon(value, 100 * (s + 1), s == 3 ? 20.0 : 1.0);
    }
    bg_remove_folder(folder);
}

// What cannot be filled in without making most of it up is said in plain words.
static void
test_too_far_apart(void)
{
    static const double z[] = { 0.0, 1.25, 2.5, 500.0 };
    char *folder = make_stack(z, 4);
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);

    g_assert_true(series->badges & BG_DICOM_BADGE_UNEVEN);
    g_assert_true(has_word(loaded->info->warnings, "too far apart to fill in"));
    g_assert_true(has_word(loaded->info->warnings, "4 slices are resampled to 4 at 166.67 mm"));
    bg_remove_folder(folder);
}

static void
test_doubled(void)
{
    static const double z[] = { 0.0, 2.0, 4.0 };
    char *folder = make_stack(z, 3);
    BgMadeSlice copy = { .name = "a-copy.dcm",
                         .sop_uid = "1.2.9.1",
                         .position = { -1.0, 2.0, 2.0 },
                         .instance = 49,
                         .value = 200 };
    BgMadeSlice other = { .name = "b-other.dcm",
                          .sop_uid = "1.2.9.77",
                          .position = { -1.0, 2.0, 4.0 },
                          .instance = 99,
                          .value = 999 };
    bg_make_slice(folder, &copy);
    bg_make_slice(folder, &other);
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);

    g_assert_true(series->badges & BG_DICOM_BADGE_DOUBLED);
    g_assert_cmpint(series->n_frames, ==, 1);
    g_assert_cmpint(series->n_slices, ==, 3);
    g_assert_true(has_word(series->warnings, "1 picture is there twice"));
    g_assert_true(has_word(series->warnings, "b-other.dcm"));
    g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 0, 0, 2), ==, 300.0);
    bg_remove_folder(folder);
}

static void
test_tilt(void)
{
    // 20 degrees: the rows' direction tilts towards the feet, the table moves along z.
    double angle = 20.0 * G_PI / 180.0, step = 4.0;
    double orientation[6] = { 1.0, 0.0, 0.0, 0.0, cos(angle), -sin(angle) };
    char *folder = bg_make_folder();
    double value;

    for (int s = 0; s < 4; s++) {
        g_autofree char *name = g_strdup_printf("%d", s);
        g_autofree char *uid = g_strdup_printf("1.2.9.%d", s);
        BgMadeSlice slice = { .name = name,
                              .sop_uid = uid,
                              .position = { 0.0, 0.0, step * s },
                              .orientation = orientation,
                              .instance = s,
                              .value = 1000 };
        bg_make_slice(folder, &slice);
    }
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);
    const BgGeometry *g = bg_volume_get_geometry(loaded->volume);

    g_assert_true(series->badges & BG_DICOM_BADGE_TILT);
    g_assert_true(has_word(loaded->info->warnings, "tilted by 20.0 degrees"));
    g_assert_cmpfloat(bg_geometry_shear_deg(g), <, 1e-6);
    g_assert_cmpfloat_with_epsilon(bg_geometry_spacing_mm(g).z, step * cos(angle), 1e-6);
    // Values are linear along rows, so moving them within rows keeps them exactly.
    for (int s = 0; s < 4; s++) {
        for (int j = 1; j < 5; j++) {
            BgVec3 p = bg_vec3(0.25 * 3, 0.5 * j * cos(angle), step * s - 0.5 * j * sin(angle));
            g_assert_true(bg_volume_sample_linear(loaded->volume, p, &value));
            g_assert_cmpfloat_with_epsilon(value, 1000 + 3 + 10 * j, 1.0);
        }
    }
    bg_remove_folder(folder);
}

static void
make_frame(const char *folder, int slice_index, int frame, int echo, int temporal)
{
    g_autofree char *name = g_strdup_printf("%d-%d", frame, slice_index);
    g_autofree char *uid = g_strdup_printf("1.2.9.%d.%d", frame, slice_index);
    BgMadeSlice slice = { .name = name,
                          .sop_uid = uid,
                          .modality = "MR",
                          .position = { 0.0, 0.0, 2.0 * slice_index },
                          .echo = echo,
                          .temporal = temporal,
                          .instance = frame * 10 + slice_index,
                          .value = 1000 * (frame + 1) + 100 * slice_index };
    bg_make_slice(folder, &slice);
}

static void
test_frames(gconstpointer data)
{
    gboolean echoes = GPOINTER_TO_INT(data);
    char *folder = bg_make_folder();

    for (int f = 0; f < 3; f++) {
        for (int s = 0; s < 4; s++)
            make_frame(folder, s, f, echoes ? f + 1 : 0, echoes ? 0 : f + 1);
    }
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpint(series->n_frames, ==, 3);
    g_assert_cmpint(series->n_slices, ==, 4);
    g_assert_cmpstr(series->frame_kind, ==, echoes ? "echo" : "time");
    for (int f = 0; f < 3; f++) {
        g_autoptr(BgLoaded) loaded = load(series, f);
        g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 0, 0, 2), ==, 1000 * (f + 1) + 200);
    }
    bg_remove_folder(folder);
}

static void
test_missing_in_frame(void)
{
    char *folder = bg_make_folder();

    for (int f = 0; f < 2; f++) {
        for (int s = 0; s < 4; s++) {
            if (f != 0 || s != 1)
                make_frame(folder, s, f, 0, f + 1);
        }
    }
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_assert_cmpint(series->n_frames, ==, 2);
    g_assert_true(series->badges & BG_DICOM_BADGE_MISSING);
    g_autoptr(BgLoaded) first = load(series, 0);
    g_autoptr(BgLoaded) second = load(series, 1);
    g_assert_cmpfloat(bg_volume_get_value(first->volume, 0, 0, 1), ==, 1100.0); // in between
    g_assert_cmpfloat(bg_volume_get_value(second->volume, 0, 0, 1), ==, 2100.0);
    bg_remove_folder(folder);
}

static void
test_no_place(void)
{
    char *folder = bg_make_folder();

    for (int s = 0; s < 3; s++) {
        g_autofree char *name = g_strdup_printf("%d", 9 - s);
        g_autofree char *uid = g_strdup_printf("1.2.9.%d", s);
        BgMadeSlice slice = { .name = name,
                              .sop_uid = uid,
                              .no_place = TRUE,
                              .thickness = 3.0,
                              .instance = s,
                              .value = 100 * s };
        bg_make_slice(folder, &slice);
    }
    g_autoptr(GPtrArray) list = scan(folder);
    BgDicomSeries *series = g_ptr_array_index(list, 0);
    g_autoptr(BgLoaded) loaded = load(series, 0);
    g_assert_false(loaded->info->side_known);
    g_assert_true(series->badges & BG_DICOM_BADGE_NO_GEOMETRY);
    g_assert_true(has_word(loaded->info->warnings, "side is unknown"));
    g_assert_cmpint(series->n_slices, ==, 3);
    g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 0, 0, 2), ==, 200.0);
    bg_remove_folder(folder);
}

static void
test_varied_scale(void)
{
    char *folder = bg_make_folder();

    for (int s = 0; s < 2; s++) {
        g_autofree char *name = g_strdup_printf("%d", s);
        g_autofree char *uid = g_strdup_printf("1.2.9.%d", s);
        BgMadeSlice slice = { .name = name,
                              .sop_uid = uid,
                              .position = { 0.0, 0.0, 2.0 * s },
                              .slope = 0.5 * (s + 1),
                              .intercept = -3.0,
                              .value = 100 };
        bg_make_slice(folder, &slice);
    }
    g_autoptr(GPtrArray) list = scan(folder);
    g_autoptr(BgLoaded) loaded = load(g_ptr_array_index(list, 0), 0);
    g_assert_cmpint(bg_volume_get_format(loaded->volume).type, ==, BG_SAMPLE_FLOAT32);
    g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 1, 0, 0), ==, 47.5);
    g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 1, 0, 1), ==, 98.0);
    bg_remove_folder(folder);
}

// Another orientation in one series is another stack; what is handed over as a variant loads alike.
static void
test_stacks_and_variant(void)
{
    static const double sagittal[6] = { 0.0, 1.0, 0.0, 0.0, 0.0, -1.0 };
    static const double z[] = { 0.0, 2.0 };
    char *folder = make_stack(z, 2);
    BgMadeSlice slice = {
        .name = "localizer", .sop_uid = "1.2.9.50", .orientation = sagittal, .value = 7
    };
    g_autoptr(GError) error = NULL;

    bg_make_slice(folder, &slice);
    g_autoptr(GPtrArray) list = scan(folder);
    g_assert_cmpuint(list->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        BgDicomSeries *series = g_ptr_array_index(list, i);
        g_autoptr(GVariant) variant = g_variant_ref_sink(bg_dicom_series_to_variant(series));
        g_autoptr(BgDicomSeries) copy = bg_dicom_series_from_variant(variant, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(copy->key, ==, series->key);
        g_assert_cmpuint(copy->files->len, ==, series->files->len);
        g_autoptr(BgLoaded) a = load(series, 0);
        g_autoptr(BgLoaded) b = load(copy, 0);
        g_assert_cmpmem(bg_volume_get_samples(a->volume), bg_volume_get_n_bytes(a->volume),
                        bg_volume_get_samples(b->volume), bg_volume_get_n_bytes(b->volume));
    }
    bg_remove_folder(folder);
}

static void
test_bad_variant(void)
{
    g_autoptr(GVariant) other = g_variant_ref_sink(g_variant_new("(ss)", "a", "b"));
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_dicom_series_from_variant(other, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_cancel_and_links(void)
{
    static const double z[] = { 0.0, 2.0 };
    char *folder = make_stack(z, 2);
    g_autofree char *link = g_build_filename(folder, "round", NULL);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink(folder, link), ==, 0);
    g_autoptr(GPtrArray) list = scan(folder);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpuint(((BgDicomSeries *) g_ptr_array_index(list, 0))->files->len, ==, 2);
    g_cancellable_cancel(cancellable);
    g_assert_null(bg_dicom_scan(folder, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_clear_error(&error);
    g_assert_null(
        bg_dicom_load_series(g_ptr_array_index(list, 0), NULL, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    bg_remove_folder(folder);
}

// PS3.5 annexes H and I give these bytes and what they are.
static void
test_charsets(void)
{
    static const struct {
        const char *charset, *bytes, *text;
    } cases[] = {
        { "ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme" },
        { "ISO_IR 144", "\xbb\xee\xda\x63\x65\xdc\xd1\x79\x70\xd3", "Люкceмбypг" },
        { "ISO_IR 192",
          "Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "Wang^XiaoDong=王^小東=" },
        { "GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=" },
        { "\\ISO 2022 IR 87",
          "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
          "Yamada^Tarou=山田^太郎=やまだ^たろう" },
        { "ISO 2022 IR 13\\ISO 2022 IR 87",
          "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎" },
        { "\\ISO 2022 IR 149", "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7",
          "Hong^Gildong=洪^吉洞" },
        { NULL, "M\xfcller", "Müller" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) sets =
            cases[i].charset != NULL ? g_strsplit(cases[i].charset, "\\", 8) : NULL;
        g_autofree char *text = bg_dcm_text_to_utf8(cases[i].bytes, strlen(cases[i].bytes), sets);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

typedef struct {
    guint n_found;
    gsize done, known;
} Told;

static void
on_counted(gsize done, gsize known, gpointer user_data)
{
    Told *told = user_data;

    told->done = done;
    told->known = known;
}

static void
on_found(BgDicomSeries *series, gpointer user_data)
{
    ((Told *) user_data)->n_found++;
}

static void
test_progress(void)
{
    static const double z[] = { 0.0, 2.0, 4.0 };
    char *folder = make_stack(z, 3);
    Told told = { 0 };
    BgDicomScanProgress progress = { on_counted, on_found, &told };

    g_autoptr(GPtrArray) list = bg_dicom_scan(folder, &progress, NULL, NULL);
    g_assert_nonnull(list);
    g_assert_cmpuint(told.n_found, >=, 1);
    g_assert_cmpuint(told.done, ==, 3);
    g_assert_cmpuint(told.known, ==, 3);
    bg_remove_folder(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dicom-series/sorted-by-position", test_sorted);
    g_test_add_func("/dicom-series/missing-slices", test_missing);
    g_test_add_func("/dicom-series/uneven-slices", test_uneven);
    g_test_add_func("/dicom-series/too-far-apart", test_too_far_apart);
    g_test_add_func("/dicom-series/doubled-slices", test_doubled);
    g_test_add_func("/dicom-series/gantry-tilt", test_tilt);
    g_test_add_data_func("/dicom-series/time-points", GINT_TO_POINTER(0), test_frames);
    g_test_add_data_func("/dicom-series/echoes", GINT_TO_POINTER(1), test_frames);
    g_test_add_func("/dicom-series/missing-in-a-frame", test_missing_in_frame);
    g_test_add_func("/dicom-series/no-place", test_no_place);
    g_test_add_func("/dicom-series/varied-scale", test_varied_scale);
    g_test_add_func("/dicom-series/stacks-and-variant", test_stacks_and_variant);
    g_test_add_func("/dicom-series/bad-variant", test_bad_variant);
    g_test_add_func("/dicom-series/cancel-and-links", test_cancel_and_links);
    g_test_add_func("/dicom-series/charsets", test_charsets);
    g_test_add_func("/dicom-series/progress", test_progress);
    return g_test_run();
}
