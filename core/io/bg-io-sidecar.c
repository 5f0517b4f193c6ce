// SPDX-License-Identifier: Apache-2.0
#include "bg-io-sidecar.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"

#include <string.h>

#define MAX_SIDECAR (1u << 20)

BgJson *
bg_sidecar_new(const BgGrid *grid)
{
    BgJson *json = bg_json_new_object(), *own = bg_json_new_object(), *dims = bg_json_new_array();
    const BgSaveParams *params = grid->params;
    double m[16] = { [15] = 1.0 };

    for (int r = 0; r < 3; r++)
        memcpy(m + 4 * r, grid->geometry.patient_from_voxel.m[r], 4 * sizeof *m);
    for (int i = 0; i < 3; i++)
        bg_json_append(dims, bg_json_new_integer(grid->geometry.dims[i]));
    bg_json_set(json, "bregma", own);
    bg_json_set_integer(own, "schema", 1);
    bg_json_set(own, "dims", dims);
    bg_json_set_integer(own, "n_frames", (gint64) grid->n_frames);
    bg_json_set_string(own, "datatype", bg_raw_type_name(grid->type));
    bg_json_set_string(own, "byte_order", G_BYTE_ORDER == G_BIG_ENDIAN ? "big" : "little");
    bg_json_set_integer(own, "header_bytes", 0);
    bg_json_set_doubles(own, "patient_from_voxel", m, 16);
    bg_json_set_double(own, "slope", grid->slope);
    bg_json_set_double(own, "intercept", grid->intercept);
    bg_json_set_string(own, "kind", params->labels ? "labels" : "volume");
    if (params->modality != NULL)
        bg_json_set_string(own, "modality", params->modality);
    if (params->unit != NULL)
        bg_json_set_string(own, "unit", params->unit);
    if (params->frame_spacing_s > 0.0)
        bg_json_set_double(own, "frame_spacing_s", params->frame_spacing_s);
    if (params->provenance != NULL)
        bg_json_set_string(own, "provenance", params->provenance);
    return json;
}

gboolean
bg_sidecar_take(const BgJson *own, BgFileInfo *info, BgRawLayout *layout)
{
    double m[16];

    layout->slope = bg_json_to_double(bg_json_get(own, "slope"), 1.0);
    layout->intercept = bg_json_to_double(bg_json_get(own, "intercept"), 0.0);
    if (!isfinite(layout->slope) || layout->slope == 0.0 || !isfinite(layout->intercept)) {
        layout->slope = 1.0;
        layout->intercept = 0.0;
    }
    bg_file_info_set_modality(info, bg_json_to_string(bg_json_get(own, "modality"), ""),
                              bg_json_to_string(bg_json_get(own, "unit"), ""));
    g_free(info->provenance);
    info->provenance = g_strdup(bg_json_to_string(bg_json_get(own, "provenance"), NULL));
    const char *kind = bg_json_to_string(bg_json_get(own, "kind"), "");
    info->kind_stated = *kind != '\0';
    if (strcmp(kind, "labels") == 0)
        info->kind = BG_KIND_LABELS;
    info->frame_spacing = bg_json_to_double(bg_json_get(own, "frame_spacing_s"), 0.0);
    info->frame_unit = info->frame_spacing > 0.0 ? "s" : NULL;
    if (!bg_json_to_doubles(bg_json_get(own, "patient_from_voxel"), m, 16))
        return FALSE;
    BgGeometry geometry = info->geometry;
    memcpy(geometry.dims, info->dims, sizeof info->dims);
    for (int row = 0; row < 3; row++)
        memcpy(geometry.patient_from_voxel.m[row], m + 4 * row, 4 * sizeof *m);
    if (!bg_geometry_check(&geometry, NULL))
        return FALSE;
    info->geometry = geometry;
    info->has_geometry = TRUE;
    info->side_known = TRUE;
    return TRUE;
}

// X.raw and X.raw.json

static gboolean
raw_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    g_autofree char *text = g_strndup((const char *) bytes, n_bytes);
    const char *at = text;

    while (g_ascii_isspace(*at))
        at++;
    return !gzipped && *at == '{' && strstr(at, "\"bregma\"") != NULL &&
           strstr(at, "\"datatype\"") != NULL;
}

static gboolean
set_missing(const char *field, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the field “%s” of the description is missing or makes no sense. Get the file "
                  "again"),
                field);
    return FALSE;
}

static gboolean
find_type(const char *name, BgRawType *type)
{
    for (int t = BG_RAW_UINT8; t <= BG_RAW_FLOAT64; t++) {
        if (strcmp(bg_raw_type_name((BgRawType) t), name) == 0) {
            *type = (BgRawType) t;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
read_numbers(const BgJson *own, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    double dims[3];
    gint64 n_frames = bg_json_to_integer(bg_json_get(own, "n_frames"), 1);
    gint64 first = bg_json_to_integer(bg_json_get(own, "header_bytes"), 0);

    *layout = (BgRawLayout){ .n_components = 1, .slope = 1.0 };
    if (!bg_json_to_doubles(bg_json_get(own, "dims"), dims, 3))
        return set_missing("dims", error);
    for (int i = 0; i < 3; i++) {
        if (!(dims[i] >= 1 && dims[i] <= BG_VOLUME_MAX_DIM))
            return set_missing("dims", error);
        info->dims[i] = (int) dims[i];
    }
    if (n_frames < 1 || n_frames > G_MAXINT)
        return set_missing("n_frames", error);
    if (first < 0)
        return set_missing("header_bytes", error);
    if (!find_type(bg_json_to_string(bg_json_get(own, "datatype"), ""), &layout->type))
        return set_missing("datatype", error);
    info->n_frames = (int) n_frames;
    layout->first_byte = (guint64) first;
    layout->big_endian =
        strcmp(bg_json_to_string(bg_json_get(own, "byte_order"), "little"), "big") == 0;
    return TRUE;
}

gboolean
bg_sidecar_parse(const char *text, gsize length, BgFileInfo *info, BgRawLayout *layout,
                 GError **error)
{
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, error);

    if (json == NULL)
        return FALSE;
    const BgJson *own = bg_json_get(json, "bregma");
    if (!read_numbers(own, info, layout, error))
        return FALSE;
    info->format = BG_FORMAT_RAW;
    info->datatype = bg_raw_type_name(layout->type);
    info->geometry = bg_geometry_new_regular(info->dims, bg_vec3(1, 1, 1));
    info->has_geometry = TRUE;
    if (!bg_sidecar_take(own, info, layout)) {
        info->spacing_unknown = TRUE;
        bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                                  "left-posterior-superior is taken"));
        bg_file_info_warn(info, _("The file does not say how large a voxel is: lengths are in px "
                                  "until you give it"));
    }
    if (!info->kind_stated)
        bg_io_guess_kind(info);
    return bg_geometry_check(&info->geometry, error);
}

static gboolean
parse(const char *path, BgFileInfo *info, BgRawLayout *layout, GCancellable *cancellable,
      GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);

    if (source == NULL)
        return FALSE;
    if (bg_source_get_limit(source) > MAX_SIDECAR)
        return set_missing("bregma", error);
    gsize n = (gsize) bg_source_get_limit(source);
    g_autofree char *text = g_malloc0(n + 1);
    return bg_source_read(source, text, n, error) && bg_sidecar_parse(text, n, info, layout, error);
}

static BgFileInfo *
raw_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;

    return parse(path, info, &layout, cancellable, error) ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
raw_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;

    if (!parse(path, info, &layout, cancellable, error))
        return NULL;
    g_autofree char *file = g_strdup(path);
    if (g_str_has_suffix(file, ".json"))
        file[strlen(file) - 5] = '\0';
    g_autoptr(BgSource) source = bg_source_open(file, 0, BG_SOURCE_PLAIN, cancellable, error);
    if (source == NULL) {
        g_autofree char *shown = g_filename_display_basename(file);
        g_prefix_error(error, "“%s”: ", shown);
        return NULL;
    }
    return bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error);
}

const BgReader bg_reader_raw = {
    .name = "RAW with a description",
    .sniff = raw_sniff,
    .probe = raw_probe,
    .load = raw_load,
};

// The description is put in place last: voxels without one are not taken for anything.
gboolean
bg_grid_write_raw(const BgGrid *grid, const char *path, const BgProgress *progress,
                  GCancellable *cancellable, GError **error)
{
    g_autofree char *beside = g_strconcat(path, ".json", NULL);
    g_autoptr(BgJson) json = bg_sidecar_new(grid);
    g_autofree char *text = bg_json_print(json, TRUE);

    if (!grid->params->force && g_file_test(beside, G_FILE_TEST_EXISTS)) {
        g_autofree char *shown = g_filename_display_name(beside);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    _("“%s” is there already. Give another name, or allow to replace it"), shown);
        return FALSE;
    }
    g_autoptr(BgSink) sink = bg_sink_new(path, grid->params->force, BG_SINK_PLAIN, error);
    return sink != NULL && bg_grid_write_frames(grid, sink, progress, cancellable, error) &&
           bg_sink_finish(sink, error) &&
           bg_output_replace(beside, TRUE, text, strlen(text), error);
}
