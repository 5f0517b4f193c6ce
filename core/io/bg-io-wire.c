// SPDX-License-Identifier: Apache-2.0
#include "bg-io-wire.h"

#include "bg-io-wire-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define MAX_TEXT (16u << 20)
#define MAX_LINE (64u << 10)
#define MAX_INSTANCES (1u << 20)
#define MAX_NAME 24u
#define MAX_NAMES 4096u
#define MAX_TEXTS 10000u

gboolean
bg_wire_refuse(const char *what, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("The answer of bregma-decode is damaged: %s"),
                what);
    return FALSE;
}

gboolean
bg_wire_get_int(const BgJson *json, const char *name, gint64 low, gint64 high, int *value)
{
    const BgJson *member = bg_json_get(json, name);

    if (member == NULL || bg_json_get_kind(member) != BG_JSON_INTEGER)
        return FALSE;
    gint64 there = bg_json_to_integer(member, low - 1);
    if (there < low || there > high)
        return FALSE;
    *value = (int) there;
    return TRUE;
}

char *
bg_wire_get_text(const BgJson *json, const char *name, gsize n_max)
{
    const char *text = bg_json_to_string(bg_json_get(json, name), "");

    if (strlen(text) <= n_max)
        return g_strdup(text);
    g_autofree char *cut = g_strndup(text, n_max);
    return g_utf8_make_valid(cut, -1);
}

// A hostile child cannot fill the table of strings: names are short, and few are kept.
const char *
bg_wire_get_name(const BgJson *json, const char *name)
{
    static GMutex lock;
    static GHashTable *names; // protected by lock
    const char *text = bg_json_to_string(bg_json_get(json, name), NULL);

    if (text == NULL || strlen(text) > MAX_NAME)
        return NULL;
    g_mutex_lock(&lock);
    if (names == NULL)
        names = g_hash_table_new(g_str_hash, g_str_equal);
    char *kept = g_hash_table_lookup(names, text);
    if (kept == NULL && g_hash_table_size(names) < MAX_NAMES) {
        kept = g_strdup(text);
        g_hash_table_add(names, kept);
    }
    g_mutex_unlock(&lock);
    return kept;
}

void
bg_wire_take_texts(const BgJson *array, GPtrArray *texts)
{
    for (gsize i = 0; i < MIN(bg_json_count(array), MAX_TEXTS); i++) {
        const char *text = bg_json_to_string(bg_json_at(array, i), NULL);
        if (text != NULL)
            g_ptr_array_add(texts, g_strdup(text));
    }
}

BgJson *
bg_wire_texts_to_json(GPtrArray *texts)
{
    BgJson *array = bg_json_new_array();

    for (guint i = 0; i < MIN(texts->len, MAX_TEXTS); i++)
        bg_json_append(array, bg_json_new_string(texts->pdata[i]));
    return array;
}

BgJson *
bg_wire_geometry_to_json(const BgGeometry *geometry)
{
    BgJson *json = bg_json_new_object(), *dims = bg_json_new_array();
    double m[12];

    for (int i = 0; i < 3; i++)
        bg_json_append(dims, bg_json_new_integer(geometry->dims[i]));
    for (int r = 0; r < 3; r++)
        memcpy(m + 4 * r, geometry->patient_from_voxel.m[r], 4 * sizeof *m);
    bg_json_set(json, "dims", dims);
    bg_json_set_doubles(json, "matrix", m, 12);
    return json;
}

gboolean
bg_wire_get_geometry(const BgJson *json, BgGeometry *geometry, GError **error)
{
    const BgJson *dims = bg_json_get(json, "dims");
    double m[12];

    if (bg_json_count(dims) != 3 || !bg_json_to_doubles(bg_json_get(json, "matrix"), m, 12))
        return bg_wire_refuse("geometry", error);
    for (gsize i = 0; i < 3; i++) {
        gint64 n = bg_json_to_integer(bg_json_at(dims, i), 0);
        geometry->dims[i] = n >= 1 && n <= BG_VOLUME_MAX_DIM ? (int) n : 0; // 0 fails below
    }
    for (int r = 0; r < 3; r++)
        memcpy(geometry->patient_from_voxel.m[r], m + 4 * r, 4 * sizeof *m);
    return bg_geometry_check(geometry, error);
}

// BgFileInfo

typedef struct {
    const char *name;
    gsize offset;
    gsize n_max;
    gboolean is_needed; // "" instead of NULL
} Text;

#define TEXT(member, n_max, is_needed)                                 \
    {                                                                  \
#member, G_STRUCT_OFFSET(BgFileInfo, member), n_max, is_needed \
    }

static const Text info_texts[] = {
    TEXT(modality, MAX_LINE, TRUE),
    TEXT(unit, MAX_LINE, TRUE),
    TEXT(description, MAX_LINE, FALSE),
    TEXT(provenance, MAX_TEXT, FALSE),
    TEXT(patient_name, MAX_LINE, FALSE),
    TEXT(patient_id, MAX_LINE, FALSE),
    TEXT(patient_birth_date, MAX_LINE, FALSE),
    TEXT(patient_sex, MAX_LINE, FALSE),
    TEXT(study_uid, MAX_LINE, FALSE),
    TEXT(study_date, MAX_LINE, FALSE),
    TEXT(study_time, MAX_LINE, FALSE),
    TEXT(study_description, MAX_LINE, FALSE),
    TEXT(accession_number, MAX_LINE, FALSE),
    TEXT(series_uid, MAX_LINE, FALSE),
    TEXT(frame_of_reference, MAX_LINE, FALSE),
    TEXT(b_values, MAX_LINE, FALSE),
    TEXT(source_class, MAX_LINE, FALSE),
    TEXT(source_instances, MAX_INSTANCES, FALSE),
    TEXT(camera, MAX_LINE, FALSE),
};

BgJson *
bg_file_info_to_json(const BgFileInfo *info)
{
    BgJson *json = bg_json_new_object(), *dims = bg_json_new_array();

    for (gsize i = 0; i < G_N_ELEMENTS(info_texts); i++) {
        const char *text = G_STRUCT_MEMBER(char *, info, info_texts[i].offset);
        // Files can hold bytes that are no text.
        g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;
        if (valid != NULL)
            bg_json_set_string(json, info_texts[i].name, valid);
    }
    for (int i = 0; i < 3; i++)
        bg_json_append(dims, bg_json_new_integer(info->dims[i]));
    bg_json_set(json, "dims", dims);
    bg_json_set_string(json, "format", bg_format_name(info->format));
    bg_json_set_integer(json, "kind", info->kind);
    bg_json_set_boolean(json, "kind_stated", info->kind_stated);
    bg_json_set_integer(json, "n_frames", info->n_frames);
    bg_json_set_integer(json, "n_components", info->n_components);
    bg_json_set_string(json, "datatype", info->datatype);
    bg_json_set_boolean(json, "side_known", info->side_known);
    if (info->has_geometry)
        bg_json_set(json, "geometry", bg_wire_geometry_to_json(&info->geometry));
    if (info->has_alternative_geometry)
        bg_json_set(json, "alternative", bg_wire_geometry_to_json(&info->alternative_geometry));
    bg_json_set_string(json, "geometry_name", info->geometry_name);
    bg_json_set_string(json, "alternative_name", info->alternative_name);
    bg_json_set_double(json, "frame_spacing", info->frame_spacing);
    bg_json_set_string(json, "frame_unit", info->frame_unit);
    bg_json_set_boolean(json, "spacing_unknown", info->spacing_unknown);
    const double lens[] = { info->focal_length_mm, info->focal_length_35mm, info->sensor_mm[0],
                            info->sensor_mm[1] };
    bg_json_set_doubles(json, "lens", lens, G_N_ELEMENTS(lens));
    bg_json_set_doubles(json, "window", info->window, G_N_ELEMENTS(info->window));
    bg_json_set_boolean(json, "low_is_bright", info->low_is_bright);
    bg_json_set(json, "warnings", bg_wire_texts_to_json(info->warnings));
    return json;
}

static BgFormat
get_format(const BgJson *json)
{
    const char *name = bg_json_to_string(bg_json_get(json, "format"), "");

    for (int format = BG_FORMAT_UNKNOWN + 1; *bg_format_name((BgFormat) format) != '\0'; format++) {
        if (strcmp(bg_format_name((BgFormat) format), name) == 0)
            return (BgFormat) format;
    }
    return BG_FORMAT_UNKNOWN;
}

// What is no length in mm is left at 0: unknown.
static void
read_window(const BgJson *json, BgFileInfo *info)
{
    double window[2];

    if (bg_json_to_doubles(bg_json_get(json, "window"), window, 2) && isfinite(window[0]) &&
        isfinite(window[1]) && window[1] > 0.0)
        memcpy(info->window, window, sizeof window);
}

static void
read_lens(const BgJson *json, BgFileInfo *info)
{
    double lens[4] = { 0 };

    if (!bg_json_to_doubles(bg_json_get(json, "lens"), lens, G_N_ELEMENTS(lens)))
        return;
    double *to[] = { &info->focal_length_mm, &info->focal_length_35mm, &info->sensor_mm[0],
                     &info->sensor_mm[1] };
    for (gsize i = 0; i < G_N_ELEMENTS(lens); i++)
        *to[i] = lens[i] > 0.0 && lens[i] < 1e6 ? lens[i] : 0.0;
}

static gboolean
read_numbers(const BgJson *json, BgFileInfo *info, GError **error)
{
    const BgJson *dims = bg_json_get(json, "dims");
    int kind;

    if (!bg_wire_get_int(json, "kind", 0, BG_KIND_WEIGHTS, &kind) ||
        !bg_wire_get_int(json, "n_frames", 1, G_MAXINT, &info->n_frames) ||
        !bg_wire_get_int(json, "n_components", 1, G_MAXINT, &info->n_components) ||
        bg_json_count(dims) != 3)
        return bg_wire_refuse("info", error);
    for (gsize i = 0; i < 3; i++) {
        gint64 n = bg_json_to_integer(bg_json_at(dims, i), -1);
        if (n < 0 || n > G_MAXINT)
            return bg_wire_refuse("dims", error);
        info->dims[i] = (int) n;
    }
    info->format = get_format(json);
    info->kind = (BgKind) kind;
    info->kind_stated = bg_json_to_boolean(bg_json_get(json, "kind_stated"), FALSE);
    info->side_known = bg_json_to_boolean(bg_json_get(json, "side_known"), FALSE);
    info->spacing_unknown = bg_json_to_boolean(bg_json_get(json, "spacing_unknown"), FALSE);
    read_lens(json, info);
    read_window(json, info);
    info->low_is_bright = bg_json_to_boolean(bg_json_get(json, "low_is_bright"), FALSE);
    info->frame_spacing = bg_json_to_double(bg_json_get(json, "frame_spacing"), 0.0);
    return TRUE;
}

static gboolean
read_places(const BgJson *json, BgFileInfo *info, GError **error)
{
    const BgJson *geometry = bg_json_get(json, "geometry"),
                 *other = bg_json_get(json, "alternative");

    info->has_geometry = geometry != NULL;
    info->has_alternative_geometry = other != NULL;
    info->geometry_name = bg_wire_get_name(json, "geometry_name");
    info->alternative_name = bg_wire_get_name(json, "alternative_name");
    info->frame_unit = bg_wire_get_name(json, "frame_unit");
    return (geometry == NULL || bg_wire_get_geometry(geometry, &info->geometry, error)) &&
           (other == NULL || bg_wire_get_geometry(other, &info->alternative_geometry, error));
}

BgFileInfo *
bg_file_info_from_json(const BgJson *json, const char *path, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    const char *datatype = bg_wire_get_name(json, "datatype");

    if (!read_numbers(json, info, error) || !read_places(json, info, error))
        return NULL;
    info->datatype = datatype != NULL ? datatype : "";
    for (gsize i = 0; i < G_N_ELEMENTS(info_texts); i++) {
        char **text = &G_STRUCT_MEMBER(char *, info, info_texts[i].offset);
        if (!info_texts[i].is_needed && bg_json_get(json, info_texts[i].name) == NULL)
            continue;
        g_free(*text);
        *text = bg_wire_get_text(json, info_texts[i].name, info_texts[i].n_max);
    }
    bg_wire_take_texts(bg_json_get(json, "warnings"), info->warnings);
    return g_steal_pointer(&info);
}

// BgLoadParams

BgJson *
bg_load_params_to_json(const BgLoadParams *params)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_integer(json, "frame", params->frame);
    bg_json_set_integer(json, "component", params->component);
    bg_json_set_integer(json, "as", params->as);
    if (params->series != NULL)
        bg_json_set_string(json, "series", params->series);
    if (params->token != NULL)
        bg_json_set_string(json, "token", params->token);
    if (params->part.step[0] != 0) {
        BgJson *part = bg_json_new_array();
        for (int axis = 0; axis < 3; axis++) {
            bg_json_append(part, bg_json_new_integer(params->part.first[axis]));
            bg_json_append(part, bg_json_new_integer(params->part.last[axis]));
            bg_json_append(part, bg_json_new_integer(params->part.step[axis]));
        }
        bg_json_set(json, "part", part);
    }
    return json;
}

static void
part_from_json(const BgJson *json, BgLoadPart *part)
{
    for (int axis = 0; axis < 3; axis++) {
        int *to[] = { &part->first[axis], &part->last[axis], &part->step[axis] };
        for (gsize i = 0; i < G_N_ELEMENTS(to); i++)
            *to[i] = (int) CLAMP(bg_json_to_integer(bg_json_at(json, (gsize) (3 * axis) + i), 0), 0,
                                 1 << 20);
    }
}

BgLoadParams
bg_load_params_from_json(const BgJson *json)
{
    BgLoadParams params = bg_load_params_default();
    int as = BG_LOAD_AUTO;

    bg_wire_get_int(json, "frame", G_MININT, G_MAXINT, &params.frame);
    bg_wire_get_int(json, "component", G_MININT, G_MAXINT, &params.component);
    bg_wire_get_int(json, "as", BG_LOAD_AUTO, BG_LOAD_LABELS, &as);
    params.as = (BgLoadAs) as;
    params.series = bg_json_to_string(bg_json_get(json, "series"), NULL);
    params.token = bg_json_to_string(bg_json_get(json, "token"), NULL);
    if (bg_json_get(json, "part") != NULL)
        part_from_json(bg_json_get(json, "part"), &params.part);
    return params;
}
