// SPDX-License-Identifier: Apache-2.0
// MetaImage in one file, packed by zlib.
#include "bg-io-grid.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_LINE 30000 // what other readers take as one line of the header

static const char *
type_name(BgRawType type)
{
    switch (type) {
    case BG_RAW_UINT8:
        return "MET_UCHAR";
    case BG_RAW_INT8:
        return "MET_CHAR";
    case BG_RAW_INT16:
        return "MET_SHORT";
    case BG_RAW_UINT16:
        return "MET_USHORT";
    case BG_RAW_INT32:
        return "MET_INT";
    case BG_RAW_UINT32:
        return "MET_UINT";
    case BG_RAW_INT64:
        return "MET_LONG_LONG";
    case BG_RAW_UINT64:
        return "MET_ULONG_LONG";
    case BG_RAW_FLOAT32:
        return "MET_FLOAT";
    case BG_RAW_FLOAT64:
        break;
    }
    return "MET_DOUBLE";
}

static void
append_double(GString *text, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_c(text, ' ');
    g_string_append(text, g_ascii_dtostr(number, sizeof number, value));
}

// A value is one line; JSON is the same with blanks for its line breaks.
static void
append_line(GString *text, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    g_string_append_printf(text, "%s = ", key);
    for (; *value != '\0'; value++)
        g_string_append_c(text, *value == '\n' || *value == '\r' ? ' ' : *value);
    g_string_append_c(text, '\n');
}

// Directions in the order of ITK: first the three numbers of the i axis.
static void
append_geometry(GString *text, const BgGrid *grid, int n_dims)
{
    BgVec3 spacing = bg_geometry_spacing_mm(&grid->geometry);
    BgVec3 origin = bg_geometry_origin_mm(&grid->geometry);

    g_string_append(text, "TransformMatrix =");
    for (int axis = 0; axis < n_dims; axis++) {
        BgVec3 direction =
            axis < 3 ? bg_geometry_direction(&grid->geometry, axis) : bg_vec3(0, 0, 0);
        for (int k = 0; k < n_dims; k++)
            append_double(text, k < 3 ? bg_vec3_get(direction, k) : axis == 3 ? 1.0 : 0.0);
    }
    g_string_append(text, "\nOffset =");
    for (int axis = 0; axis < n_dims; axis++)
        append_double(text, axis < 3 ? bg_vec3_get(origin, axis) : 0.0);
    g_string_append(text, "\nCenterOfRotation =");
    for (int axis = 0; axis < n_dims; axis++)
        append_double(text, 0.0);
    g_string_append(text, "\nElementSpacing =");
    for (int axis = 0; axis < n_dims; axis++)
        append_double(text, axis < 3                              ? bg_vec3_get(spacing, axis)
                            : grid->params->frame_spacing_s > 0.0 ? grid->params->frame_spacing_s
                                                                  : 1.0);
    g_string_append(text, "\nDimSize =");
    for (int axis = 0; axis < n_dims; axis++)
        g_string_append_printf(text, " %zu",
                               axis < 3 ? (gsize) grid->geometry.dims[axis] : grid->n_frames);
    g_string_append_c(text, '\n');
}

static char *
make_header(const BgGrid *grid, gsize n_packed)
{
    const BgSaveParams *params = grid->params;
    int n_dims = grid->n_frames > 1 ? 4 : 3;
    GString *text = g_string_new("ObjectType = Image\n");

    g_string_append_printf(text,
                           "NDims = %d\nBinaryData = True\nBinaryDataByteOrderMSB = %s\n"
                           "CompressedData = True\nCompressedDataSize = %zu\n",
                           n_dims, G_BYTE_ORDER == G_BIG_ENDIAN ? "True" : "False", n_packed);
    append_geometry(text, grid, n_dims);
    if (g_strcmp0(params->modality, "CT") == 0)
        g_string_append(text, "Modality = MET_MOD_CT\n");
    else if (g_strcmp0(params->modality, "MR") == 0)
        g_string_append(text, "Modality = MET_MOD_MR\n");
    append_line(text, "BregmaModality", params->modality);
    append_line(text, "BregmaUnit", params->unit);
    append_line(text, "BregmaKind", params->labels ? "labels" : NULL);
    append_line(text, "BregmaProvenance", params->provenance);
    g_string_append_printf(text, "ElementType = %s\nElementDataFile = LOCAL\n",
                           type_name(grid->type));
    return g_string_free(text, FALSE);
}

gboolean
bg_grid_write_metaimage(const BgGrid *grid, const char *path, const BgProgress *progress,
                        GCancellable *cancellable, GError **error)
{
    gsize n_packed;

    if (grid->params->provenance != NULL && strlen(grid->params->provenance) > MAX_LINE) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The provenance is longer than %d characters, which a MetaImage header "
                      "cannot hold. Save as .nrrd"),
                    MAX_LINE);
        return FALSE;
    }
    // The header says how long the packed data are, so they are packed first.
    g_autoptr(BgSink) packed = bg_sink_new_memory(BG_SINK_ZLIB);
    g_autoptr(BgSink) sink = bg_sink_new(path, grid->params->force, BG_SINK_PLAIN, error);
    if (sink == NULL || !bg_grid_write_frames(grid, packed, progress, cancellable, error) ||
        !bg_sink_finish(packed, error))
        return FALSE;

    GPtrArray *blocks = bg_sink_get_memory(packed, &n_packed);
    g_autofree char *header = make_header(grid, n_packed);
    if (!bg_sink_write_text(sink, header, error))
        return FALSE;
    for (guint i = 0; i < blocks->len; i++) {
        gsize n;
        gconstpointer data = g_bytes_get_data(g_ptr_array_index(blocks, i), &n);
        if (!bg_sink_write(sink, data, n, NULL, cancellable, error))
            return FALSE;
    }
    return bg_sink_finish(sink, error);
}
