// SPDX-License-Identifier: Apache-2.0
// NRRD, attached, gzip, space left-posterior-superior.
#include "bg-io-grid.h"

#include <string.h>

static const char *
type_name(BgRawType type)
{
    return type == BG_RAW_FLOAT32   ? "float"
           : type == BG_RAW_FLOAT64 ? "double"
                                    : bg_raw_type_name(type);
}

static void
append_vector(GString *text, BgVec3 v)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int axis = 0; axis < 3; axis++) {
        g_string_append_c(text, axis == 0 ? '(' : ',');
        g_string_append(text, g_ascii_dtostr(number, sizeof number, bg_vec3_get(v, axis)));
    }
    g_string_append_c(text, ')');
}

static void
append_key(GString *text, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    g_string_append_printf(text, "%s:=", key);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            g_string_append(text, "\\n");
        else if (*value == '\\')
            g_string_append(text, "\\\\");
        else
            g_string_append_c(text, *value);
    }
    g_string_append_c(text, '\n');
}

static char *
make_header(const BgGrid *grid)
{
    const BgAffine *a = &grid->geometry.patient_from_voxel;
    const BgSaveParams *params = grid->params;
    gboolean frames = grid->n_frames > 1;
    GString *text = g_string_new("NRRD0005\n");

    g_string_append_printf(text, "# written by bregma %s\n", BG_VERSION);
    g_string_append_printf(text, "type: %s\ndimension: %d\nspace: left-posterior-superior\n",
                           type_name(grid->type), frames ? 4 : 3);
    g_string_append_printf(text, "sizes: %d %d %d", grid->geometry.dims[0], grid->geometry.dims[1],
                           grid->geometry.dims[2]);
    if (frames)
        g_string_append_printf(text, " %zu", grid->n_frames);
    g_string_append(text, "\nspace directions: ");
    for (int axis = 0; axis < 3; axis++) {
        append_vector(text, bg_affine_column(a, axis));
        g_string_append(text, axis < 2 ? " " : frames ? " none\n" : "\n");
    }
    g_string_append_printf(text, "kinds: domain domain domain%s\n", frames ? " list" : "");
    g_string_append_printf(text, "endian: %s\nencoding: gzip\nspace units: \"mm\" \"mm\" \"mm\"\n",
                           G_BYTE_ORDER == G_BIG_ENDIAN ? "big" : "little");
    g_string_append(text, "space origin: ");
    append_vector(text, bg_affine_column(a, 3));
    g_string_append_c(text, '\n');
    if (params->description != NULL && strpbrk(params->description, "\r\n") == NULL)
        g_string_append_printf(text, "content: %s\n", params->description);
    append_key(text, "bregma_modality", params->modality);
    append_key(text, "bregma_unit", params->unit);
    append_key(text, "bregma_kind", params->labels ? "labels" : NULL);
    append_key(text, "bregma_provenance", params->provenance);
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

gboolean
bg_grid_write_nrrd(const BgGrid *grid, const char *path, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    g_autofree char *header = make_header(grid);
    g_autoptr(BgSink) sink = bg_sink_new(path, grid->params->force, BG_SINK_PLAIN, error);

    if (sink == NULL || !bg_sink_write_text(sink, header, error))
        return FALSE;
    bg_sink_start_packing(sink, BG_SINK_GZIP);
    return bg_grid_write_frames(grid, sink, progress, cancellable, error) &&
           bg_sink_finish(sink, error);
}
