// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy, versions 1 to 3: "numpy.lib.format" (numpy.org). An array [k, j, i] as numpy has it is a
// volume whose i is fastest; one in Fortran's order [i, j, k].
#include "bg-io-bytes.h"
#include "bg-io-grid.h"
#include "bg-io-raw.h"
#include "bg-io-text.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAX_HEADER 65536
#define MAX_RANK 8
#define ALIGNMENT 64

typedef struct {
    BgRawType type;
    gboolean big_endian, is_complex, fortran;
    int rank;
    gint64 shape[MAX_RANK];
    guint64 first_byte;
} Npy;

static gboolean
npy_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return n_bytes >= 8 && memcmp(bytes, MAGIC, 6) == 0 && bytes[6] >= 1 && bytes[6] <= 3;
}

static gboolean
set_bad(const char *what, GError **error)
{
    g_autofree char *shown = bg_io_show(what);

    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header says “%s”, which makes no sense there. Get the file again"), shown);
    return FALSE;
}

// The text behind 'key': in a Python literal. NULL when the key is missing.
static const char *
find_value(const char *header, const char *key)
{
    g_autofree char *quoted = g_strdup_printf("'%s'", key);
    const char *at = strstr(header, quoted);

    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    while (*at == ' ' || *at == ':')
        at++;
    return at;
}

static gboolean
read_type(const char *header, Npy *npy, GError **error)
{
    static const struct {
        const char *code;
        BgRawType type;
    } types[] = {
        { "b1", BG_RAW_UINT8 },    { "u1", BG_RAW_UINT8 },   { "i1", BG_RAW_INT8 },
        { "u2", BG_RAW_UINT16 },   { "i2", BG_RAW_INT16 },   { "u4", BG_RAW_UINT32 },
        { "i4", BG_RAW_INT32 },    { "u8", BG_RAW_UINT64 },  { "i8", BG_RAW_INT64 },
        { "f4", BG_RAW_FLOAT32 },  { "f8", BG_RAW_FLOAT64 }, { "c8", BG_RAW_FLOAT32 },
        { "c16", BG_RAW_FLOAT64 },
    };
    const char *at = find_value(header, "descr");

    if (at == NULL || at[0] != '\'' || at[1] == '\0' || strchr("<>|=", at[1]) == NULL)
        return set_bad(at != NULL ? at : "descr", error);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        gsize n = strlen(types[i].code);
        if (strncmp(at + 2, types[i].code, n) != 0 || at[2 + n] != '\'')
            continue;
        npy->type = types[i].type;
        npy->big_endian = at[1] == '>';
        npy->is_complex = types[i].code[0] == 'c';
        return TRUE;
    }
    g_autofree char *shown = bg_io_show(at);
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("its elements are of type %s, which bregma does not read. Save them as float32"),
                shown);
    return FALSE;
}

static gboolean
read_shape(const char *header, Npy *npy, GError **error)
{
    const char *order = find_value(header, "fortran_order");
    const char *at = find_value(header, "shape");

    if (order == NULL || at == NULL || *at != '(')
        return set_bad("shape", error);
    npy->fortran = strncmp(order, "True", 4) == 0;
    for (at++; *at != ')';) {
        char *end;
        while (*at == ' ' || *at == ',')
            at++;
        if (*at == ')')
            break;
        gint64 n = g_ascii_strtoll(at, &end, 10);
        if (end == at || n < 1 || npy->rank == MAX_RANK)
            return set_bad(at, error);
        npy->shape[npy->rank++] = n;
        at = *end == 'L' ? end + 1 : end;
    }
    return TRUE;
}

// Fastest first: i, j, k, and what is left are frames.
static gboolean
describe(const Npy *npy, BgFileInfo *info, GError **error)
{
    gint64 n_frames = 1;

    for (int d = 0; d < MAX(npy->rank, 3); d++) {
        gint64 n = d >= npy->rank ? 1 : npy->shape[npy->fortran ? d : npy->rank - 1 - d];
        if (d < 3 && n > BG_VOLUME_MAX_DIM)
            return set_bad("shape", error);
        if (d < 3)
            info->dims[d] = (int) n;
        else if (n_frames > G_MAXINT / n)
            return set_bad("shape", error);
        else
            n_frames *= n;
    }
    info->n_frames = (int) n_frames;
    info->n_components = npy->is_complex ? 2 : 1;
    info->format = BG_FORMAT_NPY;
    info->datatype = !npy->is_complex              ? bg_raw_type_name(npy->type)
                     : npy->type == BG_RAW_FLOAT32 ? "complex64"
                                                   : "complex128";
    info->geometry = bg_geometry_new_regular(info->dims, bg_vec3(1, 1, 1));
    info->has_geometry = TRUE;
    info->side_known = FALSE;
    info->spacing_unknown = TRUE;
    bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                              "left-posterior-superior is taken"));
    bg_file_info_warn(info, _("The file does not say how large a voxel is: lengths are in px until "
                              "you give it"));
    bg_io_guess_kind(info);
    return bg_geometry_check(&info->geometry, error);
}

static BgSource *
open_and_parse(const char *path, Npy *npy, BgFileInfo *info, GCancellable *cancellable,
               GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    guint8 start[12];

    *npy = (Npy){ 0 };
    if (source == NULL || !bg_source_read(source, start, 8, error))
        return NULL;
    gsize n_length = start[6] == 1 ? 2 : 4;
    if (!bg_source_read(source, start + 8, n_length, error))
        return NULL;
    gsize n = n_length == 2 ? bg_bytes_get16(start + 8, FALSE) : bg_bytes_get32(start + 8, FALSE);
    if (n > MAX_HEADER) {
        set_bad("header length", error);
        return NULL;
    }
    g_autofree char *header = g_malloc0(n + 1);
    if (!bg_source_read(source, header, n, error) || !read_type(header, npy, error) ||
        !read_shape(header, npy, error) || !describe(npy, info, error))
        return NULL;
    npy->first_byte = bg_source_get_position(source);
    return g_steal_pointer(&source);
}

static BgFileInfo *
npy_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    Npy npy;
    g_autoptr(BgSource) source = open_and_parse(path, &npy, info, cancellable, error);

    return source != NULL ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
npy_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    Npy npy;
    g_autoptr(BgSource) source = open_and_parse(path, &npy, info, cancellable, error);

    if (source == NULL)
        return NULL;
    BgRawLayout layout = { .type = npy.type,
                           .big_endian = npy.big_endian,
                           .n_components = npy.is_complex ? 2 : 1,
                           .meaning = npy.is_complex ? BG_RAW_COMPLEX : BG_RAW_SCALAR,
                           .slope = 1.0,
                           .first_byte = npy.first_byte };
    return bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error);
}

const BgReader bg_reader_npy = {
    .name = "NPY", .sniff = npy_sniff, .probe = npy_probe, .load = npy_load
};

// Out

static const char *
get_code(BgRawType type)
{
    static const char *const codes[] = { "|u1", "|i1", "<i2", "<u2", "<i4",
                                         "<u4", "<i8", "<u8", "<f4", "<f8" };

    return codes[type];
}

// Version 1, in C's order: [frame, k, j, i]. The place has none in the format.
gboolean
bg_grid_write_npy(const BgGrid *grid, const char *path, const BgProgress *progress,
                  GCancellable *cancellable, GError **error)
{
    const int *dims = grid->geometry.dims;
    g_autoptr(GString) header = g_string_new(NULL);

    g_string_append_printf(header, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                           get_code(grid->type));
    if (grid->n_frames > 1)
        g_string_append_printf(header, "%zu, ", grid->n_frames);
    g_string_append_printf(header, "%d, %d, %d), }", dims[2], dims[1], dims[0]);
    while ((10 + header->len + 1) % ALIGNMENT != 0)
        g_string_append_c(header, ' ');
    g_string_append_c(header, '\n');

    const guint8 start[] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, header->len & 0xff, (guint8) (header->len >> 8)
    };
    g_autoptr(BgSink) sink = bg_sink_new(path, grid->params->force, BG_SINK_PLAIN, error);
    return sink != NULL && bg_sink_write(sink, start, sizeof start, NULL, NULL, error) &&
           bg_sink_write_text(sink, header->str, error) &&
           bg_grid_write_frames(grid, sink, progress, cancellable, error) &&
           bg_sink_finish(sink, error);
}
