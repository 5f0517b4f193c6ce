// SPDX-License-Identifier: Apache-2.0
#include "bg-landmarks-io.h"

#include "bg-io-private.h"
#include "bg-io-source.h"
#include "bg-landmarks-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"
#include "core/base/bg-output.h"

#include <string.h>

#define MAX_TEXT (16u << 20) // 10,000 points with long names and descriptions have room

void
bg_point_list_init(BgPointList *list, GPtrArray *warnings)
{
    *list = (BgPointList){ .points = g_array_new(FALSE, TRUE, sizeof(BgLandmark)),
                           .names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                           .numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                           .warnings = warnings };
}

void
bg_point_list_clear(BgPointList *list)
{
    g_array_unref(list->points);
    g_hash_table_unref(list->names);
    g_hash_table_unref(list->numbers);
}

void
bg_point_list_warn(BgPointList *list, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (list->warnings != NULL &&
        !g_ptr_array_find_with_equal_func(list->warnings, text, g_str_equal, NULL))
        g_ptr_array_add(list->warnings, g_steal_pointer(&text));
}

// At most @room bytes with the NUL, never through the middle of a character.
static void
cut(char *text, gsize room)
{
    if (strlen(text) < room)
        return;
    char *end = text + room - 1;
    while (end > text && (*end & 0xC0) == 0x80)
        end--;
    *end = '\0';
}

static char *
make_unique(BgPointList *list, const char *name)
{
    g_autofree char *base = g_utf8_make_valid(name, -1);
    gsize room = sizeof((BgLandmark *) NULL)->name;

    if (*base == '\0') {
        g_free(base);
        base = g_strdup_printf("P%u", list->points->len + 1);
    }
    if (strlen(base) >= room) {
        cut(base, room);
        bg_point_list_warn(list, _("Names of points are cut to %zu bytes"), room - 1);
    }
    if (!g_hash_table_contains(list->names, base))
        return g_steal_pointer(&base);
    bg_point_list_warn(list,
                       _("Several points have the name “%s”; all but the first were given "
                         "another"),
                       base);
    cut(base, room - 10);
    for (guint n = MAX(GPOINTER_TO_UINT(g_hash_table_lookup(list->numbers, base)), 1) + 1;; n++) {
        char *other = g_strdup_printf("%s (%u)", base, n);
        if (!g_hash_table_contains(list->names, other)) {
            g_hash_table_insert(list->numbers, g_steal_pointer(&base), GUINT_TO_POINTER(n));
            return other;
        }
        g_free(other);
    }
}

gboolean
bg_point_list_add(BgPointList *list, const char *name, const BgLandmark *point, GError **error)
{
    BgLandmark added = *point;

    if (list->points->len >= BG_LANDMARKS_MAX) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("there are more than %d points. Leave some out"), BG_LANDMARKS_MAX);
        return FALSE;
    }
    char *unique = make_unique(list, name);
    g_strlcpy(added.name, unique, sizeof added.name);
    g_hash_table_add(list->names, unique);
    g_array_append_val(list->points, added);
    return TRUE;
}

static BgLandmarks *
parse(const char *text, gsize length, BgLandmarksSpaceOfFile space, GPtrArray *warnings,
      BgFormat *format, GError **error)
{
    BgPointList list;
    gboolean ok = FALSE;

    *format = bg_points_sniff(text, MIN(length, BG_SNIFF_BYTES));
    bg_point_list_init(&list, warnings);
    if (*format == BG_FORMAT_UNKNOWN)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("this is no list of points: neither Slicer's .fcsv or .mrk.json, nor "
                              "a CSV whose first line is name,x,y,z or name,u,v. Open another "
                              "file"));
    else if (memchr(text, '\0', length) != NULL)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("there are zeros in the text: the file is damaged. Get it again"));
    else if (*format == BG_FORMAT_MRK_JSON)
        ok = bg_point_list_parse_json(&list, text, length, error);
    else
        ok = bg_point_list_parse_table(&list, text, length, space, error);

    BgLandmarks *landmarks =
        ok ? bg_landmarks_new(list.space, (const BgLandmark *) list.points->data, list.points->len,
                              error)
           : NULL;
    bg_point_list_clear(&list);
    return landmarks;
}

BgLandmarks *
bg_landmarks_parse(const char *text, gssize length, BgLandmarksSpaceOfFile space,
                   GPtrArray *warnings, GError **error)
{
    BgFormat format;

    g_return_val_if_fail(text != NULL, NULL);

    return parse(text, length < 0 ? strlen(text) : (gsize) length, space, warnings, &format, error);
}

// The whole text of a file, with a NUL behind; a byte order mark is left out.
static char *
read_text(const char *path, gsize *length, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);

    if (source == NULL)
        return NULL;
    if (bg_source_get_limit(source) > MAX_TEXT) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("it is larger than %u MiB, which no list of points is. Open another file"),
                    MAX_TEXT >> 20);
        return NULL;
    }
    *length = (gsize) bg_source_get_limit(source);
    g_autofree char *text = g_malloc0(*length + 1);
    if (!bg_source_read(source, text, *length, error))
        return NULL;
    if (*length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        *length -= 3;
        memmove(text, text + 3, *length + 1);
    }
    return g_steal_pointer(&text);
}

static BgLandmarks *
load_from(const char *path, BgLandmarksSpaceOfFile space, GPtrArray *warnings, BgFormat *format,
          GCancellable *cancellable, GError **error)
{
    gsize length;
    g_autofree char *text = read_text(path, &length, cancellable, error);

    return text != NULL ? parse(text, length, space, warnings, format, error) : NULL;
}

BgLandmarks *
bg_landmarks_load(const char *path, BgLandmarksSpaceOfFile space, GPtrArray *warnings,
                  GError **error)
{
    BgFormat format;

    g_return_val_if_fail(path != NULL, NULL);

    BgLandmarks *landmarks = load_from(path, space, warnings, &format, NULL, error);
    if (landmarks == NULL) {
        g_autofree char *name = g_filename_display_name(path);
        // Translators: a file name; what is wrong with it follows
        g_prefix_error(error, _("“%s” cannot be read: "), name);
    }
    return landmarks;
}

// The reader in the table

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    gsize skip = n_bytes >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    return !gzipped && memchr(bytes, '\0', n_bytes) == NULL &&
           bg_points_sniff((const char *) bytes + skip, n_bytes - skip) != BG_FORMAT_UNKNOWN;
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_loaded_new(bg_file_info_new(path));
    BgFileInfo *info = loaded->info;

    loaded->landmarks =
        load_from(path, BG_LANDMARKS_LPS, info->warnings, &info->format, cancellable, error);
    info->kind = BG_KIND_LANDMARKS;
    info->kind_stated = TRUE;
    info->datatype = "float64";
    return loaded->landmarks != NULL ? g_steal_pointer(&loaded) : NULL;
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(BgLoaded) loaded = load(path, &params, NULL, cancellable, error);

    return loaded != NULL ? g_steal_pointer(&loaded->info) : NULL;
}

const BgReader bg_reader_landmarks = { "Points", sniff, probe, load };

// Out

// The fewest digits that read back equal.
static void
append_number(GString *text, double value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    for (int n = 15; n <= 17; n++) {
        char format[8];
        g_snprintf(format, sizeof format, "%%.%dg", n);
        g_ascii_formatd(digits, sizeof digits, format, value);
        if (g_ascii_strtod(digits, NULL) == value)
            break;
    }
    g_string_append(text, digits);
}

static void
append_field(GString *text, const char *field)
{
    if (strpbrk(field, ",\"\r\n;#") == NULL) {
        g_string_append(text, field);
        return;
    }
    g_string_append_c(text, '"');
    for (const char *c = field; *c != '\0'; c++) {
        if (*c == '"')
            g_string_append_c(text, '"');
        g_string_append_c(text, *c == '\r' || *c == '\n' ? ' ' : *c);
    }
    g_string_append_c(text, '"');
}

static char *
print_csv(const BgLandmarks *landmarks, const BgLandmarksSaveParams *params)
{
    gboolean picture = bg_landmarks_get_space(landmarks) == BG_LANDMARK_PICTURE;
    GString *text = g_string_new(picture ? "name,u,v,state\n" : "name,x,y,z,state\n");
    BgAffine flip = bg_affine_lps_ras_flip();

    for (gsize i = 0; i < bg_landmarks_count(landmarks); i++) {
        const BgLandmark *point = bg_landmarks_get(landmarks, i);
        BgVec3 p = params->space == BG_LANDMARKS_RAS && !picture
                       ? bg_affine_apply(&flip, point->position)
                       : point->position;
        append_field(text, point->name);
        for (int axis = 0; axis < (picture ? 2 : 3); axis++) {
            g_string_append_c(text, ',');
            if (point->placed)
                append_number(text, bg_vec3_get(p, axis));
        }
        g_string_append_printf(text, ",%s\n", bg_landmark_use_name(point->use));
    }
    return g_string_free(text, FALSE);
}

// Slicer has no place for points without a position in .fcsv: they are left out.
static char *
print_fcsv(const BgLandmarks *landmarks, const BgLandmarksSaveParams *params)
{
    GString *text = g_string_new("# Markups fiducial file version = 5.0\n"
                                 "# CoordinateSystem = LPS\n");

    if (params->provenance != NULL)
        g_string_append_printf(text, "# bregma_provenance = %s\n", params->provenance);
    g_string_append(text, "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,"
                          "associatedNodeID\n");
    for (gsize i = 0; i < bg_landmarks_count(landmarks); i++) {
        const BgLandmark *point = bg_landmarks_get(landmarks, i);
        if (!point->placed)
            continue;
        g_string_append_printf(text, "%zu", i + 1);
        for (int axis = 0; axis < 3; axis++) {
            g_string_append_c(text, ',');
            append_number(text, bg_vec3_get(point->position, axis));
        }
        g_string_append_printf(text, ",0,0,0,1,1,%d,%d,", point->use != BG_LANDMARK_SKIP,
                               point->locked);
        append_field(text, point->name);
        g_string_append_printf(text, ",%s,\n", bg_landmark_use_name(point->use));
    }
    return g_string_free(text, FALSE);
}

static char *
print_json(const BgLandmarks *landmarks, const BgLandmarksSaveParams *params)
{
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *markups = bg_json_new_array(), *markup = bg_json_new_object();
    BgJson *points = bg_json_new_array();

    bg_json_set_string(json, "@schema",
                       "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/"
                       "Markups/Resources/Schema/markups-schema-v1.0.3.json#");
    if (params->provenance != NULL)
        bg_json_set_string(json, "bregma_provenance", params->provenance);
    bg_json_set(json, "markups", markups);
    bg_json_append(markups, markup);
    bg_json_set_string(markup, "type", "Fiducial");
    bg_json_set_string(markup, "coordinateSystem", "LPS");
    bg_json_set_string(markup, "coordinateUnits", "mm");
    bg_json_set(markup, "controlPoints", points);
    for (gsize i = 0; i < bg_landmarks_count(landmarks); i++) {
        const BgLandmark *point = bg_landmarks_get(landmarks, i);
        double p[3] = { point->position.x, point->position.y, point->position.z };
        g_autofree char *id = g_strdup_printf("%zu", i + 1);
        BgJson *item = bg_json_new_object();
        bg_json_set_string(item, "id", id);
        bg_json_set_string(item, "label", point->name);
        bg_json_set_string(item, "description", bg_landmark_use_name(point->use));
        bg_json_set_doubles(item, "position", p, 3);
        bg_json_set_boolean(item, "selected", point->use != BG_LANDMARK_SKIP);
        bg_json_set_boolean(item, "locked", point->locked);
        bg_json_set_boolean(item, "visibility", TRUE);
        bg_json_set_string(item, "positionStatus", point->placed ? "defined" : "undefined");
        bg_json_append(points, item);
    }
    return bg_json_print(json, TRUE);
}

gboolean
bg_landmarks_save(BgLandmarks *landmarks, const char *path, const BgLandmarksSaveParams *params,
                  GError **error)
{
    static const BgLandmarksSaveParams defaults;

    g_return_val_if_fail(landmarks != NULL && path != NULL, FALSE);

    params = params != NULL ? params : &defaults;
    g_autofree char *lower = g_ascii_strdown(path, -1);
    gboolean json = g_str_has_suffix(lower, ".mrk.json"), csv = g_str_has_suffix(lower, ".csv");
    gboolean picture = bg_landmarks_get_space(landmarks) == BG_LANDMARK_PICTURE;
    if (!csv && (picture || (!json && !g_str_has_suffix(lower, ".fcsv")))) {
        g_autofree char *name = g_filename_display_name(path);
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    picture ? _("“%s” cannot be written: points of a picture have a place in CSV "
                                "only. End the name in .csv")
                            : _("“%s” cannot be written: its ending names no format of points. End "
                                "it in .fcsv, .mrk.json or .csv"),
                    name);
        return FALSE;
    }
    g_autofree char *text = csv    ? print_csv(landmarks, params)
                            : json ? print_json(landmarks, params)
                                   : print_fcsv(landmarks, params);
    if (!bg_output_replace(path, params->force, text, strlen(text), error))
        return FALSE;
    if (!csv || params->provenance == NULL)
        return TRUE;
    g_autofree char *beside = g_strconcat(path, ".json", NULL);
    return bg_output_replace(beside, TRUE, params->provenance, strlen(params->provenance), error);
}
