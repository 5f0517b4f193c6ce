// SPDX-License-Identifier: Apache-2.0
#include "bg-preset.h"

#include "core/base/bg-data.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"
#include "core/volume/bg-statistics.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

#define SUFFIX ".json"

static gboolean
is_id(const char *id)
{
    if (!*id)
        return FALSE;
    for (const char *c = id; *c; c++) {
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_')
            return FALSE;
    }
    return TRUE;
}

static BgJson *
read_preset(const char *id, char **text, GError **error)
{
    g_autofree char *folder = bg_data_folder("presets");
    g_autofree char *name = g_strconcat(id, SUFFIX, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GFile) file = g_file_new_for_path(path);
    gsize length = 0;

    if (!is_id(id) || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is no preset “%s”. Take one of those that the list of presets shows"),
                    id);
        return NULL;
    }
    if (!g_file_load_contents(file, NULL, text, &length, NULL, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    BgJson *json = bg_json_parse(*text, (gssize) length, error);
    if (!json)
        g_prefix_error(error, "%s: ", path);
    return json;
}

static void
read_info(const char *id, const BgJson *json, BgPresetInfo *info)
{
    const BgJson *background = bg_json_get(json, "background");

    memset(info, 0, sizeof *info);
    g_strlcpy(info->id, id, sizeof info->id);
    g_strlcpy(info->name, bg_json_to_string(bg_json_get(json, "name"), id), sizeof info->name);
    g_strlcpy(info->modality, bg_json_to_string(bg_json_get(json, "modality"), "any"),
              sizeof info->modality);
    bg_technique_parse(bg_json_to_string(bg_json_get(json, "technique"), "composite"),
                       &info->technique);
    info->relative = bg_json_to_boolean(bg_json_get(json, "relative"), FALSE);
    bg_json_to_doubles(background, info->background, 3);
}

static int
modality_rank(const char *modality)
{
    return strcmp(modality, "CT") == 0 ? 0 : strcmp(modality, "MR") == 0 ? 1 : 2;
}

static int
compare_infos(gconstpointer a, gconstpointer b)
{
    const BgPresetInfo *p = a, *q = b;
    int ranks = modality_rank(p->modality) - modality_rank(q->modality);

    return ranks != 0 ? ranks : strcmp(p->id, q->id);
}

GArray *
bg_preset_list(GError **error)
{
    g_autofree char *folder = bg_data_folder("presets");
    g_autoptr(GFile) file = g_file_new_for_path(folder);
    g_autoptr(GFileEnumerator) files = g_file_enumerate_children(
        file, G_FILE_ATTRIBUTE_STANDARD_NAME, G_FILE_QUERY_INFO_NONE, NULL, error);

    if (!files) {
        g_prefix_error(error, "%s: ", folder);
        return NULL;
    }
    g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(BgPresetInfo));
    for (;;) {
        GFileInfo *found;
        if (!g_file_enumerator_iterate(files, &found, NULL, NULL, error))
            return NULL;
        if (!found)
            break;
        const char *name = g_file_info_get_name(found);
        if (!g_str_has_suffix(name, SUFFIX))
            continue;
        g_autofree char *id = g_strndup(name, strlen(name) - strlen(SUFFIX));
        g_autofree char *text = NULL;
        g_autoptr(GError) broken = NULL;
        g_autoptr(BgJson) json = is_id(id) ? read_preset(id, &text, &broken) : NULL;
        BgPresetInfo info;
        if (!json) { // one spoilt file must not hide the others
            g_debug("preset %s: %s", name, broken ? broken->message : "name");
            continue;
        }
        read_info(id, json, &info);
        g_array_append_val(infos, info);
    }
    g_array_sort(infos, compare_infos);
    return g_steal_pointer(&infos);
}

gboolean
bg_preset_range(BgVolume *volume, double *low, double *high, GError **error)
{
    g_return_val_if_fail(volume && low && high, FALSE);
    const double wanted[4] = { 0.1, 99.9, 0.0, 100.0 };
    double values[4];

    if (!bg_volume_percentiles(volume, BG_PERCENTILE_OF_ALL, wanted, 4, values, NULL, error))
        return FALSE;
    int first = values[1] > values[0] ? 0 : 2;
    *low = isfinite(values[first]) ? values[first] : 0.0;
    *high = values[first + 1] > *low ? values[first + 1] : *low + 1.0;
    return TRUE;
}

// @points: GArray of items of @size bytes that begin with the value.
static void
scale_values(GArray *points, gsize size, double low, double span)
{
    for (guint p = 0; points && p < points->len; p++) {
        double *value = (double *) (gpointer) (points->data + size * p);
        *value = low + span * *value;
    }
}

static BgTransferFunction *
make_absolute(const BgTransferFunction *relative, BgVolume *volume, GError **error)
{
    BgTransferFunctionData data;
    double low, high;

    if (!bg_preset_range(volume, &low, &high, error))
        return NULL;
    bg_transfer_function_data_copy(bg_transfer_function_get_data(relative), &data);
    scale_values(data.opacity, sizeof(BgOpacityPoint), low, high - low);
    scale_values(data.colour, sizeof(BgColourPoint), low, high - low);
    scale_values(data.gradient_opacity, sizeof(BgOpacityPoint), 0.0, high - low);
    data.iso_value = low + (high - low) * data.iso_value;
    BgTransferFunction *tf = bg_transfer_function_new(&data, error);
    bg_transfer_function_data_clear(&data);
    return tf;
}

BgTransferFunction *
bg_preset_load(const char *id, BgVolume *volume, GError **error)
{
    g_return_val_if_fail(id, NULL);
    g_autofree char *text = NULL;
    g_autoptr(BgJson) json = read_preset(id, &text, error);
    BgPresetInfo info;

    if (!json)
        return NULL;
    read_info(id, json, &info);
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(text, -1, error);
    if (!tf) {
        g_prefix_error(error, "%s" SUFFIX ": ", id);
        return NULL;
    }
    if (!info.relative)
        return g_steal_pointer(&tf);
    if (!volume) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The preset “%s” counts in shares of a volume's range, so it means nothing "
                      "without a volume. Open one first"),
                    id);
        return NULL;
    }
    return make_absolute(tf, volume, error);
}

const char *
bg_preset_guess(BgVolume *volume)
{
    g_return_val_if_fail(volume, NULL);
    return bg_volume_looks_like_ct(volume) ? "ct-bone" : "mr-default";
}
