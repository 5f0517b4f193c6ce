// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-series-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/model/bg-slice-frame.h"

#include <math.h>
#include <string.h>

#define N_STRINGS 17

BgDicomSeries *
bg_dicom_series_ref(BgDicomSeries *series)
{
    return g_atomic_rc_box_acquire(series);
}

// The text members, so that they are packed, unpacked and freed by one list.
static void
list_strings(BgDicomSeries *s, char **list[N_STRINGS])
{
    char **all[N_STRINGS] = {
        &s->patient_name,
        &s->patient_id,
        &s->patient_birth_date,
        &s->patient_sex,
        &s->study_uid,
        &s->study_date,
        &s->study_time,
        &s->study_description,
        &s->accession_number,
        &s->series_uid,
        &s->series_description,
        &s->series_date,
        &s->modality,
        &s->body_part,
        &s->frame_of_reference,
        &s->b_values,
        &s->plane,
    };

    memcpy(list, all, sizeof all);
}

static const char *const string_names[N_STRINGS] = {
    "patient-name",       "patient-id",  "patient-birth-date", "patient-sex", "study-uid",
    "study-date",         "study-time",  "study-description",  "accession",   "series-uid",
    "series-description", "series-date", "modality",           "body-part",   "frame-of-reference",
    "b-values",           "plane",
};

static void
clear_series(gpointer data)
{
    BgDicomSeries *series = data;
    char **strings[N_STRINGS];

    list_strings(series, strings);
    for (gsize i = 0; i < N_STRINGS; i++)
        g_free(*strings[i]);
    g_free(series->key);
    g_free(series->referenced_series_uid);
    g_ptr_array_unref(series->files);
    g_ptr_array_unref(series->warnings);
}

void
bg_dicom_series_unref(BgDicomSeries *series)
{
    g_atomic_rc_box_release_full(series, clear_series);
}

static BgDicomSeries *
series_alloc(void)
{
    BgDicomSeries *series = g_atomic_rc_box_new0(BgDicomSeries);

    series->files = g_ptr_array_new_with_free_func(g_free);
    series->warnings = g_ptr_array_new_with_free_func(g_free);
    return series;
}

static void
copy_strings(BgDicomSeries *series, const BgDcmImage *image)
{
    const char *values[N_STRINGS] = {
        image->patient_name,
        image->patient_id,
        image->patient_birth_date,
        image->patient_sex,
        image->study_uid,
        image->study_date,
        image->study_time,
        image->study_description,
        image->accession_number,
        image->series_uid,
        image->series_description,
        image->series_date,
        image->modality,
        image->body_part,
        image->frame_of_reference,
        "",
        "",
    };
    char **strings[N_STRINGS];

    list_strings(series, strings);
    for (gsize i = 0; i < N_STRINGS; i++)
        *strings[i] = g_strdup(values[i]);
    series->series_number = image->series_number;
    if (image->referenced_series_uid[0] != '\0')
        series->referenced_series_uid = g_strdup(image->referenced_series_uid);
}

static void
list_files(BgDicomSeries *series, const BgDcmStack *stack)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    guint middle = (guint) (stack->n_positions / 2);

    for (guint i = 0; i < stack->places->len; i++) {
        const BgDcmPlace *place = &g_array_index(stack->places, BgDcmPlace, i);
        if (place->image < 0)
            continue;
        if (g_hash_table_add(seen, GINT_TO_POINTER(place->image + 1))) {
            const BgDcmImage *image = g_ptr_array_index(stack->images, place->image);
            g_ptr_array_add(series->files, g_strdup(image->path));
        }
        if (i <= middle)
            series->thumbnail_file = g_ptr_array_index(series->files, series->files->len - 1);
    }
}

static BgDicomContent
stack_content(const BgDcmStack *stack, const BgDcmImage *image)
{
    if (image->content != BG_DICOM_CONTENT_VOLUME)
        return image->content;
    return bg_dcm_stack_is_picture(stack) ? BG_DICOM_CONTENT_PICTURE : BG_DICOM_CONTENT_VOLUME;
}

static void
copy_grid(BgDicomSeries *series, const BgDcmStack *stack, const BgDcmImage *image)
{
    BgVec3 spacing;
    gboolean is_label;

    for (int a = 0; a < 3; a++)
        series->dims[a] = stack->geometry.dims[a];
    series->n_slices = series->dims[2];
    spacing = bg_geometry_spacing_mm(&stack->geometry);
    if (image->spacing_source != BG_DCM_SPACING_NONE) {
        series->spacing_mm[0] = spacing.x;
        series->spacing_mm[1] = spacing.y;
    }
    if (stack->has_place)
        series->spacing_mm[2] = spacing.z;
    if (stack->side_known) {
        g_free(series->plane);
        series->plane = g_strdup(bg_geometry_plane_name(&stack->geometry));
    }
    gsize sample = series->content == BG_DICOM_CONTENT_PICTURE
                       ? (gsize) 3
                       : bg_sample_type_size(bg_dcm_sample_format(stack, &is_label).type);
    series->n_bytes =
        (guint64) series->dims[0] * (guint64) series->dims[1] * (guint64) series->dims[2] * sample;
}

BgDicomSeries *
bg_dicom_series_new(const BgDcmStack *stack)
{
    BgDicomSeries *series = series_alloc();
    const BgDcmPlace *place = &g_array_index(stack->places, BgDcmPlace, 0);

    for (guint i = 0; place->image < 0; i++)
        place = &g_array_index(stack->places, BgDcmPlace, i);
    const BgDcmImage *image = g_ptr_array_index(stack->images, place->image);
    series->key = g_strdup(stack->key);
    series->content = stack_content(stack, image);
    copy_strings(series, image);
    list_files(series, stack);
    series->n_frames = stack->n_frames;
    series->frame_kind = stack->frame_kind;
    if (stack->b_values != NULL) {
        g_free(series->b_values);
        series->b_values = g_strdup(stack->b_values);
    }
    series->badges = stack->badges | image->badges;
    for (guint i = 0; i < stack->warnings->len; i++)
        g_ptr_array_add(series->warnings, g_strdup(g_ptr_array_index(stack->warnings, i)));
    if (stack->geometry.dims[0] > 0) {
        copy_grid(series, stack, image);
    } else {
        series->dims[0] = image->pixels.columns;
        series->dims[1] = image->pixels.rows;
        series->dims[2] = series->n_slices = image->content == BG_DICOM_CONTENT_SEG ? 0 : 1;
        series->n_slices = MAX(series->n_slices, 1);
        series->dims[2] = series->n_slices;
    }
    return series;
}

static const char *
known_kind(const char *kind)
{
    static const char *const kinds[] = { "time", "echo", "b-value", "frame" };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i], kind) == 0)
            return kinds[i];
    }
    return NULL;
}

// Damaged files hold bytes that are no text.
static void
add_text(GVariantBuilder *strings, const char *name, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_variant_builder_add(strings, "{ss}", name, valid);
}

GVariant *
bg_dicom_series_to_variant(BgDicomSeries *series)
{
    GVariantBuilder strings, dims, spacing, files, warnings;
    char **list[N_STRINGS];
    g_autofree char *key = g_utf8_make_valid(series->key, -1);

    g_variant_builder_init(&strings, G_VARIANT_TYPE("a{ss}"));
    list_strings(series, list);
    for (gsize i = 0; i < N_STRINGS; i++)
        add_text(&strings, string_names[i], *list[i]);
    if (series->referenced_series_uid != NULL)
        add_text(&strings, "referenced", series->referenced_series_uid);
    if (series->frame_kind != NULL)
        g_variant_builder_add(&strings, "{ss}", "frame-kind", series->frame_kind);
    if (series->thumbnail_file != NULL)
        add_text(&strings, "thumbnail", series->thumbnail_file);
    g_variant_builder_init(&dims, G_VARIANT_TYPE("ai"));
    g_variant_builder_init(&spacing, G_VARIANT_TYPE("ad"));
    for (int a = 0; a < 3; a++) {
        g_variant_builder_add(&dims, "i", series->dims[a]);
        g_variant_builder_add(&spacing, "d", series->spacing_mm[a]);
    }
    g_variant_builder_init(&files, G_VARIANT_TYPE("as"));
    for (guint i = 0; i < series->files->len; i++) {
        // Names of files are bytes; a variant's strings are UTF-8.
        g_autofree char *escaped = g_strescape(g_ptr_array_index(series->files, i), NULL);
        g_variant_builder_add(&files, "s", escaped);
    }
    g_variant_builder_init(&warnings, G_VARIANT_TYPE("as"));
    for (guint i = 0; i < series->warnings->len; i++) {
        g_autofree char *valid = g_utf8_make_valid(g_ptr_array_index(series->warnings, i), -1);
        g_variant_builder_add(&warnings, "s", valid);
    }
    return g_variant_new(BG_DICOM_SERIES_TYPE, key, (guint32) series->content, &strings,
                         series->series_number, series->n_slices, series->n_frames, &dims, &spacing,
                         series->n_bytes, &files, (guint32) series->badges, &warnings);
}

static void
unpack_strings(BgDicomSeries *series, GVariant *dictionary, char **thumbnail)
{
    char **list[N_STRINGS];
    const char *value;

    list_strings(series, list);
    for (gsize i = 0; i < N_STRINGS; i++) {
        if (g_variant_lookup(dictionary, string_names[i], "&s", &value))
            *list[i] = g_strdup(value);
        else
            *list[i] = g_strdup("");
    }
    g_variant_lookup(dictionary, "referenced", "s", &series->referenced_series_uid);
    if (g_variant_lookup(dictionary, "frame-kind", "&s", &value))
        series->frame_kind = known_kind(value);
    g_variant_lookup(dictionary, "thumbnail", "s", thumbnail);
}

static void
unpack_lists(BgDicomSeries *series, GVariantIter *dims, GVariantIter *spacing, GVariantIter *files,
             GVariantIter *warnings, const char *thumbnail)
{
    const char *text;

    for (int a = 0; a < 3; a++) {
        g_variant_iter_next(dims, "i", &series->dims[a]);
        g_variant_iter_next(spacing, "d", &series->spacing_mm[a]);
    }
    while (g_variant_iter_next(files, "&s", &text)) {
        char *path = g_strcompress(text);
        g_ptr_array_add(series->files, path);
        if (thumbnail != NULL && series->thumbnail_file == NULL && strcmp(path, thumbnail) == 0)
            series->thumbnail_file = path;
    }
    while (g_variant_iter_next(warnings, "&s", &text))
        g_ptr_array_add(series->warnings, g_strdup(text));
}

static gboolean
is_sound(const BgDicomSeries *s)
{
    gboolean sound = s->files->len > 0 && s->n_frames >= 1 && s->n_frames <= 1000000 &&
                     s->n_slices >= 1 && s->n_slices <= BG_VOLUME_MAX_DIM &&
                     (guint) s->content <= BG_DICOM_CONTENT_NO_PIXELS;

    for (int a = 0; a < 3; a++)
        sound = sound && s->dims[a] >= 0 && s->dims[a] <= BG_VOLUME_MAX_DIM &&
                isfinite(s->spacing_mm[a]) && s->spacing_mm[a] >= 0.0;
    return sound;
}

BgDicomSeries *
bg_dicom_series_from_variant(GVariant *variant, GError **error)
{
    g_autoptr(GVariantIter) dims = NULL, spacing = NULL, files = NULL, warnings = NULL;
    g_autoptr(GVariant) strings = NULL;
    g_autofree char *thumbnail = NULL;
    guint32 content, badges;

    if (!g_variant_is_of_type(variant, G_VARIANT_TYPE(BG_DICOM_SERIES_TYPE)) ||
        !g_variant_is_normal_form(variant)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the description of a series has another form"));
        return NULL;
    }
    g_autoptr(BgDicomSeries) series = series_alloc();
    g_variant_get(variant, "(su@a{ss}iiiaiadtasuas)", &series->key, &content, &strings,
                  &series->series_number, &series->n_slices, &series->n_frames, &dims, &spacing,
                  &series->n_bytes, &files, &badges, &warnings);
    series->content = (BgDicomContent) content;
    series->badges = badges;
    unpack_strings(series, strings, &thumbnail);
    unpack_lists(series, dims, spacing, files, warnings, thumbnail);
    if (series->thumbnail_file == NULL && series->files->len > 0)
        series->thumbnail_file = g_ptr_array_index(series->files, 0);
    if (!is_sound(series)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the description of a series has values out of their range"));
        return NULL;
    }
    return g_steal_pointer(&series);
}
