// SPDX-License-Identifier: Apache-2.0
// An archive is a list of series: those of its DICOM files, or, where it has none, each file that a
// reader knows.
#include "bg-archive.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-io-source.h"
#include "media/bg-media.h"
#include "media/bg-reader-dicom.h"

#include <string.h>

#define MEMBER "member:"      // before the index, in the key of a file that is no DICOM
#define TOKEN_TYPE "(a(us)s)" // members' indices and paths; the token of the series
#define UNPACKING 0.5         // of the whole work, as progress

typedef struct {
    GPtrArray *members;  // of BgArchiveMember, owned
    GPtrArray *dicom;    // of BgDicomSeries, owned, nullable
    GPtrArray *warnings; // owned
} Content;

static void
content_clear(Content *content)
{
    g_clear_pointer(&content->members, g_ptr_array_unref);
    g_clear_pointer(&content->dicom, g_ptr_array_unref);
    g_clear_pointer(&content->warnings, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return bg_archive_sniff(bytes, n_bytes, gzipped);
}

static gboolean
is_wanted(const guint8 *bytes, gsize n_bytes, gpointer user_data)
{
    if (n_bytes < 2 || (bg_archive_sniff(bytes, n_bytes, FALSE) && bytes[0] != 0))
        return FALSE; // empty, or an archive within the archive
    if (bytes[0] == 0x1f && bytes[1] == 0x8b)
        return TRUE; // .nii.gz: looked into later
    return bg_dicom_sniff(bytes, n_bytes) || bg_io_knows(bytes, n_bytes);
}

static gboolean
is_dicom(const BgArchiveMember *member)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgSource) source = bg_source_open(member->path, 0, BG_SOURCE_PLAIN, NULL, &error);
    guint8 head[4096];
    gsize n_head = 0;
    gssize n = 1;

    while (source != NULL && n > 0 && n_head < sizeof head) {
        n = bg_source_read_some(source, head + n_head, sizeof head - n_head, NULL);
        n_head += n > 0 ? (gsize) n : 0;
    }
    return bg_dicom_sniff(head, n_head);
}

static gboolean
scan_dicom(Content *content, const BgDicomScanProgress *progress, GCancellable *cancellable,
           GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_autoptr(GError) failed = NULL;

    for (guint i = 0; i < content->members->len; i++) {
        const BgArchiveMember *member = content->members->pdata[i];
        if (is_dicom(member))
            g_ptr_array_add(paths, member->path);
    }
    if (paths->len == 0)
        return TRUE;
    content->dicom = bg_dicom_scan_files((const char *const *) paths->pdata, paths->len, progress,
                                         cancellable, &failed);
    if (content->dicom != NULL || g_error_matches(failed, BG_ERROR, BG_ERROR_UNSUPPORTED))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static gboolean
open_all(Content *content, const char *path, const BgProgress *progress,
         const BgDicomScanProgress *counting, GCancellable *cancellable, GError **error)
{
    const BgArchiveWish wish = { is_wanted, NULL, NULL };

    content->warnings = g_ptr_array_new_with_free_func(g_free);
    content->members =
        bg_archive_unpack(path, &wish, content->warnings, progress, cancellable, error);
    if (content->members == NULL || !scan_dicom(content, counting, cancellable, error))
        return FALSE;
    if (content->members->len == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("the archive holds no file that bregma can show%s%s. Choose another"),
                    content->warnings->len > 0 ? ": " : "",
                    content->warnings->len > 0 ? (char *) content->warnings->pdata[0] : "");
        return FALSE;
    }
    return TRUE;
}

static const BgArchiveMember *
find_member(GPtrArray *members, const char *path)
{
    for (guint i = 0; i < members->len; i++) {
        const BgArchiveMember *member = members->pdata[i];
        if (strcmp(member->path, path) == 0)
            return member;
    }
    return NULL;
}

// Tokens: the paths of a scan are gone when a series is loaded; its members' places are not.

static char *
make_token(GPtrArray *members, BgDicomSeries *series, const char *inner)
{
    GVariantBuilder places;

    g_variant_builder_init(&places, G_VARIANT_TYPE("a(us)"));
    for (guint i = 0; i < series->files->len; i++) {
        const char *path = series->files->pdata[i];
        const BgArchiveMember *member = find_member(members, path);
        if (member != NULL)
            g_variant_builder_add(&places, "(us)", member->index, path);
    }
    g_autoptr(GVariant) variant = g_variant_ref_sink(g_variant_new("(a(us)s)", &places, inner));
    return g_base64_encode(g_variant_get_data(variant), g_variant_get_size(variant));
}

// Old path -> index.
static GHashTable *
read_token(const char *token, char **inner, GError **error)
{
    gsize n_bytes;
    guint8 *data = g_base64_decode(token, &n_bytes);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, n_bytes);
    g_autoptr(GVariant) variant =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(TOKEN_TYPE), bytes, FALSE));
    g_autoptr(GVariantIter) places = NULL;
    guint32 index;
    const char *path;

    if (!g_variant_is_normal_form(variant)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the description of a series has another form"));
        return NULL;
    }
    GHashTable *indices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_variant_get(variant, TOKEN_TYPE, &places, inner);
    while (g_variant_iter_next(places, "(u&s)", &index, &path))
        g_hash_table_insert(indices, g_strdup(path), GUINT_TO_POINTER(index));
    return indices;
}

static const char *
find_by_index(GPtrArray *members, guint index)
{
    for (guint i = 0; i < members->len; i++) {
        const BgArchiveMember *member = members->pdata[i];
        if (member->index == index)
            return member->path;
    }
    return NULL;
}

// The series' files become those that were unpacked now.
static gboolean
rename_files(BgDicomSeries *series, GHashTable *old, GPtrArray *members, GError **error)
{
    const char *shown = series->thumbnail_file;

    for (guint i = 0; i < series->files->len; i++) {
        char *from = series->files->pdata[i];
        gpointer index;
        const char *to = g_hash_table_lookup_extended(old, from, NULL, &index)
                             ? find_by_index(members, GPOINTER_TO_UINT(index))
                             : NULL;
        if (to == NULL) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the archive has changed since it was looked at. Open it again"));
            return FALSE;
        }
        series->files->pdata[i] = g_strdup(to);
        if (shown == from)
            series->thumbnail_file = series->files->pdata[i];
        g_free(from);
    }
    return TRUE;
}

static GPtrArray *
unpack_only(const char *path, GHashTable *old, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new(NULL, NULL);
    const BgArchiveWish wish = { NULL, NULL, wanted };
    GHashTableIter iter;
    gpointer index;

    g_hash_table_iter_init(&iter, old);
    while (g_hash_table_iter_next(&iter, NULL, &index))
        g_hash_table_add(wanted, index);
    return bg_archive_unpack(path, &wish, NULL, progress, cancellable, error);
}

static BgDicomSeries *
open_token(Content *content, const char *path, const char *token, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    g_autofree char *inner = NULL;
    g_autoptr(GHashTable) old = read_token(token, &inner, error);
    g_autoptr(BgDicomSeries) series = old != NULL ? bg_dicom_series_from_token(inner, error) : NULL;

    if (series == NULL)
        return NULL;
    content->members = unpack_only(path, old, progress, cancellable, error);
    if (content->members == NULL || !rename_files(series, old, content->members, error))
        return NULL;
    return g_steal_pointer(&series);
}

// Series that are no DICOM

static guint
index_of_key(const char *key)
{
    guint64 index = G_MAXUINT;

    if (key != NULL && g_str_has_prefix(key, MEMBER))
        g_ascii_string_to_unsigned(key + strlen(MEMBER), 10, 0, G_MAXUINT - 1, &index, NULL);
    return (guint) index;
}

static void
replace(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value != NULL ? value : "");
}

static BgSeries *
new_for_file(const BgArchiveMember *member, GCancellable *cancellable)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(BgFileInfo) info = bg_io_probe(member->path, cancellable, &failed);
    g_autofree char *key = g_strdup_printf(MEMBER "%u", member->index);
    BgSeries *series = bg_series_new();

    replace(&series->key, key);
    replace(&series->description, member->name);
    series->n_files = 1;
    series->loadable = info != NULL;
    if (info == NULL) {
        g_ptr_array_add(series->warnings, g_strdup(failed->message));
        return series;
    }
    replace(&series->modality, info->modality);
    series->kind = info->kind;
    series->n_frames = info->n_frames;
    series->n_slices = MAX(info->dims[2], 0);
    memcpy(series->dims, info->dims, sizeof series->dims);
    if (info->has_geometry) {
        BgVec3 spacing = bg_geometry_spacing_mm(&info->geometry);
        for (int axis = 0; axis < 3; axis++)
            series->spacing_mm[axis] = bg_vec3_get(spacing, axis);
    }
    for (guint i = 0; i < info->warnings->len; i++)
        g_ptr_array_add(series->warnings, g_strdup(info->warnings->pdata[i]));
    return series;
}

static GPtrArray *
list_series(Content *content, GCancellable *cancellable)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) bg_series_unref);

    for (guint i = 0; content->dicom != NULL && i < content->dicom->len; i++) {
        BgSeries *series = bg_series_new_for_dicom(content->dicom->pdata[i]);
        char *inner = series->token;
        series->token = make_token(content->members, content->dicom->pdata[i], inner);
        g_free(inner);
        g_ptr_array_add(list, series);
    }
    for (guint i = 0; content->dicom == NULL && i < content->members->len; i++)
        g_ptr_array_add(list, new_for_file(content->members->pdata[i], cancellable));
    for (guint i = 0; i < list->len; i++) {
        BgSeries *series = list->pdata[i];
        for (guint w = 0; w < content->warnings->len; w++)
            g_ptr_array_add(series->warnings, g_strdup(content->warnings->pdata[w]));
    }
    return list;
}

static void
on_counted(gsize n_done, gsize n_known, gpointer user_data)
{
    const BgScanWatch *watch = user_data;

    if (watch->counted != NULL)
        watch->counted(n_done, n_known, watch->user_data);
}

static GPtrArray *
scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable, GError **error)
{
    BgDicomScanProgress counting = { on_counted, NULL, (gpointer) watch };
    g_auto(Content) content = { 0 };

    if (!open_all(&content, path, NULL, watch != NULL ? &counting : NULL, cancellable, error))
        return NULL;
    GPtrArray *list = list_series(&content, cancellable);
    for (guint i = 0; watch != NULL && watch->found != NULL && i < list->len; i++)
        watch->found(list->pdata[i], watch->user_data);
    return list;
}

// What is chosen of an archive: a series of DICOM, or the path of a file.
typedef struct {
    BgDicomSeries *series; // owned, nullable
    const char *path;      // borrowed of content, nullable
} Choice;

static gboolean
choose(Content *content, const BgLoadParams *params, Choice *choice, GCancellable *cancellable,
       GError **error)
{
    if (content->dicom != NULL) {
        BgDicomSeries *found = bg_dicom_choose(content->dicom, params->series, error);
        choice->series = found != NULL ? bg_dicom_series_ref(found) : NULL;
        return found != NULL;
    }
    g_autoptr(GPtrArray) list = list_series(content, cancellable);
    BgSeries *found = NULL;
    guint place = 0;
    if (params->series != NULL) {
        found = bg_series_find(list, params->series, error);
        if (found == NULL)
            return FALSE;
    }
    for (guint i = 0; found == NULL && i < list->len; i++) {
        if (((BgSeries *) list->pdata[i])->loadable)
            found = list->pdata[i];
    }
    if (!g_ptr_array_find(list, found, &place)) {
        const BgSeries *first = list->pdata[0];
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("no file in the archive can be read: %s"),
                    first->warnings->len > 0 ? (char *) first->warnings->pdata[0] : "?");
        return FALSE;
    }
    choice->path = ((BgArchiveMember *) content->members->pdata[place])->path;
    return TRUE;
}

static gboolean
open_choice(Content *content, const char *path, const BgLoadParams *params,
            const BgProgress *progress, Choice *choice, GCancellable *cancellable, GError **error)
{
    guint index = index_of_key(params->series);

    if (params->token != NULL) {
        choice->series = open_token(content, path, params->token, progress, cancellable, error);
        if (choice->series == NULL)
            return FALSE;
        if (choice->series->content != BG_DICOM_CONTENT_RTSTRUCT)
            return TRUE;
        g_clear_pointer(&choice->series, bg_dicom_series_unref); // needs what lies beside it
        g_clear_pointer(&content->members, g_ptr_array_unref);
    } else if (index != G_MAXUINT) {
        g_autoptr(GHashTable) only = g_hash_table_new(NULL, NULL);
        const BgArchiveWish wish = { NULL, NULL, only };
        g_hash_table_add(only, GUINT_TO_POINTER(index));
        content->members = bg_archive_unpack(path, &wish, NULL, progress, cancellable, error);
        if (content->members == NULL)
            return FALSE;
        choice->path = find_by_index(content->members, index);
        if (choice->path == NULL)
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("there is no series “%s” in the archive"), params->series);
        return choice->path != NULL;
    }
    return open_all(content, path, progress, NULL, cancellable, error) &&
           choose(content, params, choice, cancellable, error);
}

// A member is read by another reader of this process; not as an archive again.
static gboolean
check_depth(const char *path, GError **error)
{
    if (!g_str_has_prefix(path, "/proc/self/fd/"))
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("this is an archive within an archive. Unpack it first"));
    return FALSE;
}

static BgFileInfo *
probe_series(const char *path, const BgLoadParams *params, GCancellable *cancellable,
             GError **error)
{
    g_auto(Content) content = { 0 };
    Choice choice = { 0 };
    BgFileInfo *info = NULL;

    if (!check_depth(path, error) ||
        !open_choice(&content, path, params, NULL, &choice, cancellable, error))
        return NULL;
    if (choice.series != NULL)
        info = bg_dicom_probe_series(choice.series, cancellable, error);
    else
        info = bg_io_probe(choice.path, cancellable, error);
    g_clear_pointer(&choice.series, bg_dicom_series_unref);
    return info;
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
    g_auto(Content) content = { 0 };
    Choice choice = { 0 };
    BgProgressSpan first, second;
    const BgProgress *unpacking = bg_progress_span_init(&first, progress, 0.0, UNPACKING);
    const BgProgress *reading = bg_progress_span_init(&second, progress, UNPACKING, 1.0);
    BgLoaded *loaded = NULL;

    if (!check_depth(path, error) ||
        !open_choice(&content, path, params, unpacking, &choice, cancellable, error))
        return NULL;
    if (choice.series != NULL) {
        loaded =
            bg_dicom_load_of(content.dicom, choice.series, params, reading, cancellable, error);
    } else {
        BgLoadParams plain = *params;
        plain.series = plain.token = NULL;
        loaded = bg_io_load(choice.path, &plain, reading, cancellable, error);
    }
    for (guint i = 0; loaded != NULL && content.warnings != NULL && i < content.warnings->len; i++)
        bg_file_info_warn(loaded->info, "%s", (char *) content.warnings->pdata[i]);
    g_clear_pointer(&choice.series, bg_dicom_series_unref);
    return loaded;
}

static BgImage *
thumbnail(const char *path, const BgLoadParams *params, int max_size, GCancellable *cancellable,
          GError **error)
{
    g_auto(Content) content = { 0 };
    Choice choice = { 0 };
    BgImage *image = NULL;

    if (!open_choice(&content, path, params, NULL, &choice, cancellable, error))
        return NULL;
    if (choice.series != NULL)
        image = bg_dicom_load_picture(choice.series, 0, choice.series->n_slices / 2, max_size,
                                      cancellable, error);
    else
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("there is no small picture of it. Open it as it is"));
    g_clear_pointer(&choice.series, bg_dicom_series_unref);
    return image;
}

const BgReader bg_reader_archive = {
    .name = "ZIP, tar, gzip, ISO",
    .sniff = sniff,
    .probe = probe,
    .load = load,
    .is_foreign = TRUE,
    .probe_series = probe_series,
    .scan = scan,
    .thumbnail = thumbnail,
};
