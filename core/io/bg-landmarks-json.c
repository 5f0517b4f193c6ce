// SPDX-License-Identifier: Apache-2.0
// Slicer's .mrk.json: the schema "markups-schema-v1.0.3" (raw.githubusercontent.com/slicer).
#include "bg-io-text.h"
#include "bg-landmarks-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <string.h>

static gboolean
set_missing(const char *field, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the field “%s” is missing, or is not what it should be. Write the file again "
                  "from Slicer"),
                field);
    return FALSE;
}

static gboolean
read_space(const BgJson *markup, gboolean *ras, GError **error)
{
    const BgJson *json = bg_json_get(markup, "coordinateSystem");
    const char *name = bg_json_to_string(json, json == NULL ? "LPS" : "");
    const char *unit = bg_json_to_string(bg_json_get(markup, "coordinateUnits"), "mm");
    gint64 number = bg_json_to_integer(json, -1);

    *ras = strcmp(name, "RAS") == 0 || number == 0;
    if (!*ras && strcmp(name, "LPS") != 0 && number != 1) {
        g_autofree char *shown = bg_io_show(name);
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("its points are in “%s”, not in LPS or RAS. Save them in one of these"),
                    shown);
        return FALSE;
    }
    if (strcmp(unit, "mm") != 0) {
        g_autofree char *shown = bg_io_show(unit);
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("its points are in “%s”, not in mm. Save them in mm"), shown);
        return FALSE;
    }
    return TRUE;
}

static gboolean
read_point(BgPointList *list, const BgJson *json, gboolean ras, GError **error)
{
    BgLandmark point = { .use = BG_LANDMARK_FIT };
    const char *status = bg_json_to_string(bg_json_get(json, "positionStatus"), "defined");
    double p[3] = { 0 };

    point.placed = strcmp(status, "defined") == 0;
    if (point.placed && !bg_json_to_doubles(bg_json_get(json, "position"), p, 3))
        return set_missing("position", error);
    for (int i = 0; i < 3; i++) {
        if (!(fabs(p[i]) < 1e9))
            return set_missing("position", error);
    }
    point.position = bg_vec3(p[0], p[1], p[2]);
    if (ras) {
        BgAffine flip = bg_affine_lps_ras_flip();
        point.position = bg_affine_apply(&flip, point.position);
    }
    if (!bg_json_to_boolean(bg_json_get(json, "selected"), TRUE))
        point.use = BG_LANDMARK_SKIP;
    bg_landmark_use_parse(bg_json_to_string(bg_json_get(json, "description"), ""), &point.use);
    point.locked = bg_json_to_boolean(bg_json_get(json, "locked"), FALSE);
    const char *name = bg_json_to_string(bg_json_get(json, "label"), "");
    return bg_point_list_add(
        list, *name != '\0' ? name : bg_json_to_string(bg_json_get(json, "id"), ""), &point, error);
}

gboolean
bg_point_list_parse_json(BgPointList *list, const char *text, gsize length, GError **error)
{
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, error);

    if (json == NULL)
        return FALSE;
    const BgJson *markups = bg_json_get(json, "markups");
    if (markups == NULL || bg_json_get_kind(markups) != BG_JSON_ARRAY)
        return set_missing("markups", error);
    list->space = BG_LANDMARK_PATIENT;
    for (gsize m = 0; m < bg_json_count(markups); m++) {
        const BgJson *points = bg_json_get(bg_json_at(markups, m), "controlPoints");
        gboolean ras;
        if (!read_space(bg_json_at(markups, m), &ras, error))
            return FALSE;
        for (gsize i = 0; i < bg_json_count(points); i++) {
            if (!read_point(list, bg_json_at(points, i), ras, error))
                return FALSE;
        }
    }
    return TRUE;
}
