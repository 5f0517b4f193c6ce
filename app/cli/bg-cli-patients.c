// SPDX-License-Identifier: Apache-2.0
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/case/bg-layer.h"

#include <string.h>

void
bg_cli_add_warning(BgCli *cli, const char *text)
{
    const BgJson *there = bg_json_get(cli->result, "warnings");
    BgJson *array = there != NULL ? bg_json_copy(there) : bg_json_new_array();

    bg_json_append(array, bg_json_new_string(text));
    bg_json_set(cli->result, "warnings", array);
}

void
bg_cli_doubt(BgCli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_ptr_array_find_with_equal_func(cli->doubts, text, g_str_equal, NULL)) {
        g_free(text);
        return;
    }
    bg_cli_add_warning(cli, text);
    g_ptr_array_add(cli->doubts, text);
}

gboolean
bg_cli_check_overlap(BgCli *cli, const BgGeometry *to, const BgGeometry *from, const char *what,
                     const char *where, GError **error)
{
    double share = bg_geometry_share_within(to, from);

    if (share <= 0.0) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "nothing in common: %s: it lies outside of %s. Give another place, or align "
                    "the two first",
                    what, where);
        return FALSE;
    }
    if (share < 0.1)
        bg_cli_doubt(cli, "only %.2g %% of %s lies within %s: the rest is empty", 100.0 * share,
                     what, where);
    return TRUE;
}

static gboolean
is_reason(const char *text)
{
    int n = 0;

    for (; text != NULL && *text != '\0'; text = g_utf8_next_char(text))
        n += g_unichar_isalnum(g_utf8_get_char(text)) ? 1 : 0;
    return n >= 3;
}

// Borrows from @info.
static BgPatient
patient_of(const BgFileInfo *info)
{
    char *none = (char *) "";

    return (BgPatient){ .name = info->patient_name != NULL ? info->patient_name : none,
                        .id = info->patient_id != NULL ? info->patient_id : none,
                        .issuer = none,
                        .birth_date =
                            info->patient_birth_date != NULL ? info->patient_birth_date : none,
                        .sex = none };
}

gboolean
bg_cli_knows_patient(const BgFileInfo *info)
{
    BgPatient patient = patient_of(info);

    return bg_patient_is_known(&patient);
}

gboolean
bg_cli_check_patients(BgCli *cli, const BgFileInfo *fixed, const BgFileInfo *moving, GError **error)
{
    const char *reason = bg_cli_option(cli, "override-patient");
    BgPatient a = patient_of(fixed), b = patient_of(moving);

    if (!bg_patient_same(&a, &b)) {
        if (!is_reason(reason)) {
            g_set_error(
                error, BG_ERROR, BG_ERROR_MISMATCH,
                "not put together: %s is of another patient (%s, %s) than %s (%s, %s): type "
                "the reason why both belong together with --override-patient=REASON",
                moving->path, b.name, b.id, fixed->path, a.name, a.id);
            return FALSE;
        }
        g_autofree char *text = g_strdup_printf("two patients, together because: %s", reason);
        bg_cli_add_warning(cli, text);
    }
    if (!fixed->side_known || !moving->side_known)
        bg_cli_add_warning(cli, "side unknown: a file does not say where left and right are: "
                                "check them by hand");
    const char *one = fixed->frame_of_reference, *other = moving->frame_of_reference;
    bg_json_set_string(cli->result, "frames",
                       one == NULL || other == NULL ? "unknown"
                       : strcmp(one, other) == 0    ? "same"
                                                    : "different");
    return TRUE;
}
