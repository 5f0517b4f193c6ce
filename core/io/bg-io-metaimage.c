// SPDX-License-Identifier: Apache-2.0
// MetaImage (.mha, .mhd), as ITK reads it: "MetaIO/Documentation" (itk.org).
#include "bg-io-text.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_DIMS 10 // as MetaIO has it
#define MAX_FILES 100000
#define MAX_NUMBER 1000000000 // in the name of a file

typedef struct {
    int n_dims;
    gint64 size[MAX_DIMS];
    double spacing[MAX_DIMS], element_size[MAX_DIMS];
    double offset[MAX_DIMS];
    double matrix[MAX_DIMS * MAX_DIMS];
    gboolean has_size, has_spacing, has_element_size, has_matrix, has_type, has_orientation;
    gboolean ascii, packed, big_endian;
    gint64 n_channels, header_size;
    double slope, intercept;
    BgRawType type;
    char *data_file;  // owned, nullable
    GPtrArray *files; // owned: paths; empty: the data follow the header
    guint64 header_length;
} Meta;

static Meta *
meta_new(void)
{
    Meta *m = g_new0(Meta, 1);

    m->files = g_ptr_array_new_with_free_func(g_free);
    m->n_channels = 1;
    m->slope = 1.0;
    return m;
}

static void
meta_free(Meta *m)
{
    g_ptr_array_unref(m->files);
    g_free(m->data_file);
    g_free(m);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Meta, meta_free)

// The first line is one of a few fields; a picture of text that begins so is refused by the parser.
static gboolean
meta_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    static const char *const first_fields[] = { "ObjectType", "NDims", "Comment" };
    g_autofree char *text = g_strndup((const char *) bytes, n_bytes);

    for (gsize i = 0; !gzipped && i < G_N_ELEMENTS(first_fields); i++) {
        gsize length = strlen(first_fields[i]);
        if (strncmp(text, first_fields[i], length) != 0)
            continue;
        const char *rest = text + length;
        while (*rest == ' ' || *rest == '\t')
            rest++;
        if (*rest == '=' || *rest == ':')
            return i == 1 || strstr(text, "NDims") != NULL || n_bytes < 8;
    }
    return FALSE;
}

// The header ends behind the line of ElementDataFile, or with a LIST at the end of the file.
static gsize
header_end(const char *text, gsize length)
{
    for (gsize at = 0; at < length;) {
        const char *newline = memchr(text + at, '\n', length - at);
        if (newline == NULL)
            return 0;
        gsize next = (gsize) (newline - text) + 1;
        if (length - at > 15 && strncmp(text + at, "ElementDataFile", 15) == 0) {
            for (const char *c = text + at; c + 4 <= newline; c++) {
                if (strncmp(c, "LIST", 4) == 0)
                    return 0;
            }
            return next;
        }
        at = next;
    }
    return 0;
}

static gboolean
is_true(const char *value)
{
    return g_ascii_strncasecmp(value, "t", 1) == 0 || *value == '1';
}

static gboolean
parse_type(Meta *m, const char *value, GError **error)
{
    // MET_LONG has four bytes in MetaIO, on every machine.
    static const struct {
        const char *name;
        BgRawType type;
    } types[] = {
        { "MET_CHAR", BG_RAW_INT8 },       { "MET_UCHAR", BG_RAW_UINT8 },
        { "MET_SHORT", BG_RAW_INT16 },     { "MET_USHORT", BG_RAW_UINT16 },
        { "MET_INT", BG_RAW_INT32 },       { "MET_UINT", BG_RAW_UINT32 },
        { "MET_LONG", BG_RAW_INT32 },      { "MET_ULONG", BG_RAW_UINT32 },
        { "MET_LONG_LONG", BG_RAW_INT64 }, { "MET_ULONG_LONG", BG_RAW_UINT64 },
        { "MET_FLOAT", BG_RAW_FLOAT32 },   { "MET_DOUBLE", BG_RAW_FLOAT64 },
    };
    g_autofree char *name = g_strdup(value);

    if (g_str_has_suffix(name, "_ARRAY"))
        name[strlen(name) - 6] = '\0';
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(name, types[i].name) == 0) {
            m->type = types[i].type;
            m->has_type = TRUE;
            return TRUE;
        }
    }
    return bg_io_bad_field("ElementType", value, error);
}

static gboolean
parse_numbers(const char *field, const char *value, double *numbers, int n, gboolean *has,
              GError **error)
{
    if (n == 0 || bg_io_parse_doubles(value, numbers, n) != n)
        return bg_io_bad_field(field, value, error);
    for (int i = 0; i < n; i++) {
        if (!isfinite(numbers[i]))
            return bg_io_bad_field(field, value, error);
    }
    *has = TRUE;
    return TRUE;
}

static gboolean
parse_sizes(Meta *m, const char *value, GError **error)
{
    double numbers[MAX_DIMS];

    if (!parse_numbers("DimSize", value, numbers, m->n_dims, &m->has_size, error))
        return FALSE;
    for (int i = 0; i < m->n_dims; i++) {
        if (!(numbers[i] >= 1.0 && numbers[i] <= (i < 3 ? BG_VOLUME_MAX_DIM : G_MAXINT)) ||
            numbers[i] != rint(numbers[i]))
            return bg_io_bad_field("DimSize", value, error);
        m->size[i] = (gint64) numbers[i];
    }
    return TRUE;
}

static void
take_own_field(const char *field, const char *value, BgFileInfo *info)
{
    g_autofree char *text = g_utf8_make_valid(value, -1);

    if (strcmp(field, "BregmaProvenance") == 0) {
        g_free(info->provenance);
        info->provenance = g_steal_pointer(&text);
    } else if (strcmp(field, "BregmaModality") == 0) {
        g_autofree char *unit = g_strdup(info->unit);
        bg_file_info_set_modality(info, text, unit);
    } else if (strcmp(field, "BregmaUnit") == 0) {
        g_autofree char *modality = g_strdup(info->modality);
        bg_file_info_set_modality(info, modality, text);
    } else if (strcmp(field, "BregmaKind") == 0 && strcmp(text, "labels") == 0) {
        info->kind = BG_KIND_LABELS;
        info->kind_stated = TRUE;
    } else if (strcmp(field, "Comment") == 0 || strcmp(field, "Name") == 0) {
        if (info->description == NULL && *text != '\0')
            info->description = g_steal_pointer(&text);
    } else if (strcmp(field, "Modality") == 0 && info->modality[0] == '\0') {
        if (strcmp(text, "MET_MOD_CT") == 0)
            bg_file_info_set_modality(info, "CT", "HU");
        else if (strcmp(text, "MET_MOD_MR") == 0)
            bg_file_info_set_modality(info, "MR", "");
    }
}

static gboolean
take_field(Meta *m, const char *field, const char *value, BgFileInfo *info, GError **error)
{
    gboolean seen = FALSE;
    gint64 number;

    if (strcmp(field, "NDims") == 0) {
        if (!bg_io_parse_int(value, &number) || number < 1 || number > MAX_DIMS)
            return bg_io_bad_field(field, value, error);
        m->n_dims = (int) number;
    } else if (strcmp(field, "DimSize") == 0) {
        return parse_sizes(m, value, error);
    } else if (strcmp(field, "ElementSpacing") == 0) {
        return parse_numbers(field, value, m->spacing, m->n_dims, &m->has_spacing, error);
    } else if (strcmp(field, "ElementSize") == 0) {
        return parse_numbers(field, value, m->element_size, m->n_dims, &m->has_element_size, error);
    } else if (strcmp(field, "Offset") == 0 || strcmp(field, "Position") == 0 ||
               strcmp(field, "Origin") == 0) {
        return parse_numbers(field, value, m->offset, m->n_dims, &seen, error);
    } else if (strcmp(field, "TransformMatrix") == 0 || strcmp(field, "Rotation") == 0 ||
               strcmp(field, "Orientation") == 0) {
        return parse_numbers(field, value, m->matrix, m->n_dims * m->n_dims, &m->has_matrix, error);
    } else if (strcmp(field, "AnatomicalOrientation") == 0) {
        m->has_orientation = strchr(value, '?') == NULL;
    } else if (strcmp(field, "ElementType") == 0) {
        return parse_type(m, value, error);
    } else if (strcmp(field, "ElementNumberOfChannels") == 0) {
        if (!bg_io_parse_int(value, &m->n_channels) || m->n_channels < 1 ||
            m->n_channels > G_MAXINT16)
            return bg_io_bad_field(field, value, error);
    } else if (strcmp(field, "BinaryData") == 0) {
        m->ascii = !is_true(value);
    } else if (strcmp(field, "BinaryDataByteOrderMSB") == 0 ||
               strcmp(field, "ElementByteOrderMSB") == 0) {
        m->big_endian = is_true(value);
    } else if (strcmp(field, "CompressedData") == 0) {
        m->packed = is_true(value);
    } else if (strcmp(field, "HeaderSize") == 0) {
        if (!bg_io_parse_int(value, &m->header_size) || m->header_size < -1)
            return bg_io_bad_field(field, value, error);
    } else if (strcmp(field, "ElementToIntensityFunctionSlope") == 0) {
        return parse_numbers(field, value, &m->slope, 1, &seen, error);
    } else if (strcmp(field, "ElementToIntensityFunctionOffset") == 0) {
        return parse_numbers(field, value, &m->intercept, 1, &seen, error);
    } else if (strcmp(field, "ObjectType") == 0 && g_ascii_strcasecmp(value, "image") != 0) {
        g_autofree char *shown = bg_io_show(value);
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("it is a MetaIO file of a “%s”, not of an image. Open another file"), shown);
        return FALSE;
    } else {
        take_own_field(field, value, info);
    }
    return TRUE;
}

// "LOCAL", "NAME", "PATTERN MIN MAX STEP" or "LIST [DIMS]" with the names in the lines behind
static gboolean
take_data_file(Meta *m, char *rest, const char *header_path, GError **error)
{
    g_auto(GStrv) words = g_strsplit(m->data_file, " ", -1);
    gint64 low, high, step;

    if (words[0] == NULL)
        return bg_io_bad_field("ElementDataFile", "", error);
    if (g_ascii_strcasecmp(words[0], "LOCAL") == 0)
        return TRUE;
    if (strcmp(words[0], "LIST") == 0) {
        g_auto(GStrv) lines = g_strsplit(rest, "\n", MAX_FILES);
        for (char **line = lines; *line != NULL; line++) {
            if (*g_strstrip(*line) != '\0')
                g_ptr_array_add(m->files, bg_io_resolve(header_path, *line));
        }
        return m->files->len > 0 || bg_io_bad_field("ElementDataFile", m->data_file, error);
    }
    if (g_strv_length(words) < 4 || strchr(words[0], '%') == NULL) {
        g_ptr_array_add(m->files, bg_io_resolve(header_path, m->data_file));
        return TRUE;
    }
    if (!bg_io_parse_int(words[1], &low) || !bg_io_parse_int(words[2], &high) ||
        !bg_io_parse_int(words[3], &step) || step < 1 || step > MAX_FILES || low < 0 ||
        high > MAX_NUMBER || high < low || high - low > MAX_FILES)
        return bg_io_bad_field("ElementDataFile", m->data_file, error);
    for (gint64 i = low; i <= high; i += step) {
        g_autofree char *name = bg_io_expand_pattern(words[0], i);
        if (name == NULL)
            return bg_io_bad_field("ElementDataFile", m->data_file, error);
        g_ptr_array_add(m->files, bg_io_resolve(header_path, name));
    }
    return TRUE;
}

static gboolean
check_header(const Meta *m, GError **error)
{
    const char *missing = m->n_dims == 0         ? "NDims"
                          : !m->has_size         ? "DimSize"
                          : !m->has_type         ? "ElementType"
                          : m->data_file == NULL ? "ElementDataFile"
                                                 : NULL;

    if (missing != NULL)
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header has no field “%s”. Get the file again"), missing);
    return missing == NULL;
}

static Meta *
parse_header(const char *path, BgFileInfo *info, GCancellable *cancellable, GError **error)
{
    gsize length;
    g_autofree char *text = bg_io_read_header(path, header_end, &length, cancellable, error);
    g_autoptr(Meta) m = meta_new();

    if (text == NULL)
        return NULL;
    m->header_length = length;
    char *line = text, *next = NULL;
    for (; line != NULL && m->data_file == NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *separator = strpbrk(line, "=:");
        if (separator == NULL) {
            if (*g_strstrip(line) == '\0')
                continue;
            g_autofree char *shown = bg_io_show(line);
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the header has the line “%s”, which is no field. Get the file again"),
                        shown);
            return NULL;
        }
        *separator = '\0';
        char *field = g_strstrip(line), *value = g_strstrip(separator + 1);
        if (strcmp(field, "ElementDataFile") == 0)
            m->data_file = g_strdup(value);
        else if (!take_field(m, field, value, info, error))
            return NULL;
    }
    if (!check_header(m, error) ||
        !take_data_file(m, line != NULL ? line : (char *) "", path, error))
        return NULL;
    return g_steal_pointer(&m);
}

// The matrix holds, in ITK's way, first the direction of the i axis, then of j, then of k.
static gboolean
place(const Meta *m, BgFileInfo *info, GError **error)
{
    BgVec3 columns[4] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 0, 0, 0 } };
    int n = MIN(m->n_dims, 3);
    BgGeometry *geometry = &info->geometry;

    for (int axis = 0; axis < n; axis++) {
        double step = m->has_spacing        ? m->spacing[axis]
                      : m->has_element_size ? m->element_size[axis]
                                            : 1.0;
        for (int k = 0; m->has_matrix && k < n; k++)
            bg_vec3_set(&columns[axis], k, m->matrix[axis * m->n_dims + k]);
        columns[axis] = bg_vec3_scale(columns[axis], step);
        bg_vec3_set(&columns[3], axis, m->offset[axis]);
    }
    memcpy(geometry->dims, info->dims, sizeof info->dims);
    geometry->patient_from_voxel =
        bg_affine_from_columns(columns[0], columns[1], columns[2], columns[3]);
    info->has_geometry = TRUE;
    info->side_known = (m->has_matrix || m->has_orientation) && m->n_dims >= 3;
    if (!info->side_known)
        bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                                  "left-posterior-superior is taken"));
    if (!m->has_spacing && !m->has_element_size)
        bg_file_info_warn(info, _("The file does not say how large a voxel is; 1 mm is taken"));
    return bg_geometry_check(geometry, error);
}

static gboolean
arrange(const Meta *m, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    gint64 n_frames = 1;

    for (int i = 0; i < MAX(m->n_dims, 3); i++) {
        gint64 size = i < m->n_dims ? m->size[i] : 1;
        if (i < 3)
            info->dims[i] = (int) size;
        else if (n_frames > G_MAXINT / size)
            return bg_io_bad_field("DimSize", "", error);
        else
            n_frames *= size;
    }
    info->n_frames = (int) n_frames;
    info->n_components = (int) m->n_channels;

    memset(layout, 0, sizeof *layout);
    layout->type = m->type;
    layout->big_endian = m->ascii ? G_BYTE_ORDER == G_BIG_ENDIAN : m->big_endian;
    layout->n_components = (int) m->n_channels;
    layout->slope = 1.0;
    // Without a word about their meaning, three or four bytes are a colour, as ITK's viewers have it.
    gboolean colour = m->type == BG_RAW_UINT8 && (m->n_channels == 3 || m->n_channels == 4);
    layout->meaning = m->n_channels == 1 ? BG_RAW_SCALAR : colour ? BG_RAW_COLOUR : BG_RAW_VECTOR;
    info->datatype = !colour ? bg_raw_type_name(m->type) : m->n_channels == 3 ? "rgb24" : "rgba32";
    if (!colour && m->slope != 0.0 && (m->slope != 1.0 || m->intercept != 0.0)) {
        layout->slope = m->slope;
        layout->intercept = m->intercept;
        bg_file_info_warn(info,
                          _("The header scales the values by %g and adds %g; some programs "
                            "leave that out"),
                          m->slope, m->intercept);
    }
    return TRUE;
}

static Meta *
parse(const char *path, BgFileInfo *info, BgRawLayout *layout, GCancellable *cancellable,
      GError **error)
{
    g_autoptr(Meta) m = parse_header(path, info, cancellable, error);

    if (m == NULL)
        return NULL;
    info->format = BG_FORMAT_METAIMAGE;
    if (!arrange(m, info, layout, error) || !place(m, info, error))
        return NULL;
    if (info->kind != BG_KIND_LABELS && info->n_components == 1 && bg_io_has_label_name(path))
        info->kind = BG_KIND_LABELS;
    if (info->kind == BG_KIND_LABELS)
        bg_file_info_set_modality(info, "SEG", "");
    return g_steal_pointer(&m);
}

static gboolean
count_bytes(const Meta *m, gsize *n_bytes, GError **error)
{
    *n_bytes = bg_raw_type_size(m->type) * (gsize) m->n_channels;
    for (int i = 0; i < m->n_dims; i++) {
        if (!g_size_checked_mul(n_bytes, *n_bytes, (gsize) m->size[i]))
            return bg_io_set_cut_short(G_MAXUINT64, 0, error);
    }
    return TRUE;
}

// Packed data are a zlib stream, or a gzip one.
static BgSource *
open_packed(const char *path, guint64 offset, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, offset, BG_SOURCE_AUTO, cancellable, error);

    if (source == NULL || bg_source_is_gzipped(source))
        return g_steal_pointer(&source);
    return bg_source_open(path, offset, BG_SOURCE_ZLIB, cancellable, error);
}

static BgSource *
open_data(const Meta *m, const char *path, gsize n_bytes, GCancellable *cancellable, GError **error)
{
    const char *file = m->files->len > 0 ? g_ptr_array_index(m->files, 0) : path;
    guint64 offset = m->files->len > 0 ? 0 : m->header_length;
    gsize each = m->files->len > 1 ? n_bytes / m->files->len : n_bytes;

    if (m->header_size > 0) {
        offset += (guint64) m->header_size;
    } else if (m->header_size == -1 && !m->packed) {
        g_autoptr(BgSource) whole = bg_source_open(file, 0, BG_SOURCE_PLAIN, cancellable, error);
        if (whole == NULL)
            return NULL;
        guint64 there = bg_source_get_limit(whole);
        if (there < each) {
            bg_io_set_cut_short(each, there, error);
            return NULL;
        }
        offset = there - each;
    }
    if (m->files->len > 1) {
        if (n_bytes % m->files->len != 0 || m->ascii) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("its voxels cannot be shared out to %u files. Get the files again"),
                        m->files->len);
            return NULL;
        }
        return bg_source_new_chain(m->files, offset, each,
                                   m->packed ? BG_SOURCE_ZLIB : BG_SOURCE_PLAIN, cancellable,
                                   error);
    }
    BgSource *source = m->packed
                           ? open_packed(file, offset, cancellable, error)
                           : bg_source_open(file, offset, BG_SOURCE_PLAIN, cancellable, error);
    if (source == NULL) {
        g_autofree char *shown = g_filename_display_basename(file);
        g_prefix_error(error, "“%s”: ", shown);
        return NULL;
    }
    return m->ascii ? bg_source_new_ascii(source, m->type) : source;
}

static BgFileInfo *
meta_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    g_autoptr(Meta) m = parse(path, info, &layout, cancellable, error);

    return m != NULL ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
meta_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    gsize n_bytes = 0;
    g_autoptr(Meta) m = parse(path, info, &layout, cancellable, error);

    if (m == NULL || !count_bytes(m, &n_bytes, error))
        return NULL;
    g_autoptr(BgSource) source = open_data(m, path, n_bytes, cancellable, error);
    if (source == NULL)
        return NULL;
    return bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error);
}

const BgReader bg_reader_metaimage = {
    .name = "MetaImage",
    .sniff = meta_sniff,
    .probe = meta_probe,
    .load = meta_load,
};
