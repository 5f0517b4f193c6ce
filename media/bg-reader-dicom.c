// SPDX-License-Identifier: Apache-2.0
#include "bg-reader-dicom.h"

#include "bg-media.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

static const struct {
    BgDicomBadge badge;
    const char *word;
} badge_words[] = {
    { BG_DICOM_BADGE_MISSING, N_("missing slices") },
    { BG_DICOM_BADGE_DOUBLED, N_("doubled slices") },
    { BG_DICOM_BADGE_UNEVEN, N_("uneven slices") },
    { BG_DICOM_BADGE_TILT, N_("tilted gantry") },
    { BG_DICOM_BADGE_LOSSY, N_("lossy") },
    { BG_DICOM_BADGE_NO_GEOMETRY, N_("side unknown") },
    { BG_DICOM_BADGE_UNCALIBRATED, N_("uncalibrated") },
    { BG_DICOM_BADGE_BURNED_IN, N_("burned-in text") },
    { BG_DICOM_BADGE_PREAMBLE, N_("odd preamble") },
    { BG_DICOM_BADGE_UNREADABLE, N_("unreadable") },
};

static BgKind
kind_of(const BgDicomSeries *series)
{
    switch (series->content) {
    case BG_DICOM_CONTENT_PICTURE:
        return BG_KIND_IMAGE;
    case BG_DICOM_CONTENT_SEG:
    case BG_DICOM_CONTENT_RTSTRUCT:
        return BG_KIND_LABELS;
    case BG_DICOM_CONTENT_MESH:
        return BG_KIND_MESH;
    case BG_DICOM_CONTENT_VOLUME:
    case BG_DICOM_CONTENT_NO_PIXELS:
        break;
    }
    return BG_KIND_VOLUME;
}

static gboolean
is_loadable(const BgDicomSeries *series)
{
    return series->content != BG_DICOM_CONTENT_NO_PIXELS &&
           (series->badges & BG_DICOM_BADGE_UNREADABLE) == 0;
}

static char *
make_token(BgDicomSeries *series)
{
    g_autoptr(GVariant) variant = g_variant_ref_sink(bg_dicom_series_to_variant(series));

    return g_base64_encode(g_variant_get_data(variant), g_variant_get_size(variant));
}

BgDicomSeries *
bg_dicom_series_from_token(const char *token, GError **error)
{
    gsize n_bytes;
    guint8 *data = g_base64_decode(token, &n_bytes);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, n_bytes);
    g_autoptr(GVariant) variant = g_variant_ref_sink(
        g_variant_new_from_bytes(G_VARIANT_TYPE(BG_DICOM_SERIES_TYPE), bytes, FALSE));

    return bg_dicom_series_from_variant(variant, error);
}

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value != NULL ? value : "");
}

static void
copy_texts(BgSeries *to, const BgDicomSeries *from)
{
    set_text(&to->key, from->key);
    set_text(&to->uid, from->series_uid);
    set_text(&to->description, from->series_description);
    set_text(&to->modality, from->modality);
    set_text(&to->date, *from->series_date != '\0' ? from->series_date : from->study_date);
    set_text(&to->body_part, from->body_part);
    set_text(&to->patient_name, from->patient_name);
    set_text(&to->patient_id, from->patient_id);
    set_text(&to->patient_birth_date, from->patient_birth_date);
    set_text(&to->patient_sex, from->patient_sex);
    set_text(&to->study_uid, from->study_uid);
    set_text(&to->study_date, from->study_date);
    set_text(&to->study_time, from->study_time);
    set_text(&to->study_description, from->study_description);
    set_text(&to->accession_number, from->accession_number);
    set_text(&to->frame_of_reference, from->frame_of_reference);
    set_text(&to->b_values, from->b_values);
    set_text(&to->plane, from->plane);
    to->frame_kind = g_strdup(from->frame_kind);
    to->referenced_uid = g_strdup(from->referenced_series_uid);
}

BgSeries *
bg_series_new_for_dicom(BgDicomSeries *from)
{
    BgSeries *to = bg_series_new();

    copy_texts(to, from);
    to->number = from->series_number;
    to->kind = kind_of(from);
    to->loadable = is_loadable(from);
    memcpy(to->dims, from->dims, sizeof to->dims);
    memcpy(to->spacing_mm, from->spacing_mm, sizeof to->spacing_mm);
    to->n_slices = from->n_slices;
    to->n_frames = from->n_frames;
    to->n_files = (int) from->files->len;
    to->n_bytes = from->n_bytes;
    for (gsize i = 0; i < G_N_ELEMENTS(badge_words); i++) {
        if ((from->badges & badge_words[i].badge) != 0)
            g_ptr_array_add(to->badges, g_strdup(_(badge_words[i].word)));
    }
    for (guint i = 0; i < from->warnings->len; i++)
        g_ptr_array_add(to->warnings, g_strdup(from->warnings->pdata[i]));
    to->token = make_token(from);
    return to;
}

static GPtrArray *
convert_list(GPtrArray *list)
{
    GPtrArray *series = g_ptr_array_new_with_free_func((GDestroyNotify) bg_series_unref);

    for (guint i = 0; i < list->len; i++)
        g_ptr_array_add(series, bg_series_new_for_dicom(list->pdata[i]));
    return series;
}

BgDicomSeries *
bg_dicom_choose(GPtrArray *list, const char *name, GError **error)
{
    g_autoptr(GPtrArray) series = convert_list(list);
    guint place = 0;

    if (name != NULL) {
        BgSeries *found = bg_series_find(series, name, error);
        return found != NULL && g_ptr_array_find(series, found, &place) ? list->pdata[place] : NULL;
    }
    for (guint i = 0; i < list->len; i++) {
        if (is_loadable(list->pdata[i]))
            return list->pdata[i];
    }
    const BgDicomSeries *first = list->len > 0 ? list->pdata[0] : NULL;
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("there is no series in it that can be shown: %s"),
                first != NULL && first->warnings->len > 0 ? (char *) first->warnings->pdata[0]
                                                          : _("it holds no pixels"));
    return NULL;
}

// Contours lie on the slices of the series that they were drawn on.
static BgLoaded *
load_contours(GPtrArray *list, BgDicomSeries *series, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    for (guint i = 0; list != NULL && series->referenced_series_uid != NULL && i < list->len; i++) {
        BgDicomSeries *other = list->pdata[i];
        if (other == series || other->content != BG_DICOM_CONTENT_VOLUME ||
            strcmp(other->series_uid, series->referenced_series_uid) != 0)
            continue;
        g_autoptr(BgFileInfo) info = bg_dicom_probe_series(other, cancellable, error);
        return info != NULL
                   ? bg_dicom_load_labels_on(series, &info->geometry, progress, cancellable, error)
                   : NULL;
    }
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("these contours belong to the series %s, which is not beside them. Put both "
                  "into one folder and open that"),
                series->referenced_series_uid != NULL ? series->referenced_series_uid : "?");
    return NULL;
}

BgLoaded *
bg_dicom_load_of(GPtrArray *list, BgDicomSeries *series, const BgLoadParams *params,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    if (series->content == BG_DICOM_CONTENT_RTSTRUCT)
        return load_contours(list, series, progress, cancellable, error);
    return bg_dicom_load_series(series, params, progress, cancellable, error);
}

// The reader

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && bg_dicom_sniff(bytes, n_bytes);
}

// What is asked for, and what lies beside it; @list stays NULL where the token says all.
static BgDicomSeries *
find_series(const char *path, const BgLoadParams *params, GPtrArray **list,
            GCancellable *cancellable, GError **error)
{
    if (params->token != NULL) {
        g_autoptr(BgDicomSeries) series = bg_dicom_series_from_token(params->token, error);
        if (series == NULL || series->content != BG_DICOM_CONTENT_RTSTRUCT)
            return g_steal_pointer(&series);
    }
    *list = bg_dicom_scan(path, NULL, cancellable, error);
    BgDicomSeries *chosen = *list != NULL ? bg_dicom_choose(*list, params->series, error) : NULL;
    return chosen != NULL ? bg_dicom_series_ref(chosen) : NULL;
}

static BgFileInfo *
probe_series(const char *path, const BgLoadParams *params, GCancellable *cancellable,
             GError **error)
{
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(BgDicomSeries) series = find_series(path, params, &list, cancellable, error);

    return series != NULL ? bg_dicom_probe_series(series, cancellable, error) : NULL;
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    BgLoadParams params = bg_load_params_default();

    return probe_series(path, &params, cancellable, error);
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(BgDicomSeries) series = find_series(path, params, &list, cancellable, error);

    return series != NULL ? bg_dicom_load_of(list, series, params, progress, cancellable, error)
                          : NULL;
}

static BgImage *
thumbnail(const char *path, const BgLoadParams *params, int max_size, GCancellable *cancellable,
          GError **error)
{
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(BgDicomSeries) series = find_series(path, params, &list, cancellable, error);

    return series != NULL ? bg_dicom_load_picture(series, 0, series->n_slices / 2, max_size,
                                                  cancellable, error)
                          : NULL;
}

static void
on_counted(gsize n_done, gsize n_known, gpointer user_data)
{
    const BgScanWatch *watch = user_data;

    if (watch->counted != NULL)
        watch->counted(n_done, n_known, watch->user_data);
}

static void
on_found(BgDicomSeries *series, gpointer user_data)
{
    const BgScanWatch *watch = user_data;

    if (watch->found == NULL)
        return;
    g_autoptr(BgSeries) entry = bg_series_new_for_dicom(series);
    watch->found(entry, watch->user_data);
}

static GPtrArray *
scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable, GError **error)
{
    BgDicomScanProgress progress = { on_counted, on_found, (gpointer) watch };
    g_autoptr(GPtrArray) list =
        bg_dicom_scan(path, watch != NULL ? &progress : NULL, cancellable, error);

    return list != NULL ? convert_list(list) : NULL;
}

const BgReader bg_reader_dicom = {
    .name = "DICOM",
    .sniff = sniff,
    .probe = probe,
    .load = load,
    .is_foreign = TRUE,
    .reads_folders = TRUE,
    .probe_series = probe_series,
    .scan = scan,
    .thumbnail = thumbnail,
};
