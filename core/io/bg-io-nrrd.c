// SPDX-License-Identifier: Apache-2.0
// NRRD, attached and detached: what the header's axes mean, and where the data are.
#include "bg-io-nrrd-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_BEYOND \
    (64u << 20) // unpacked bytes before the data, where they are counted from the end

static gboolean
nrrd_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 8 && memcmp(bytes, "NRRD000", 7) == 0;
}

// Which axes are of space; the others are values of a voxel when before them, frames when behind.
static gboolean
is_spatial(const BgNrrd *n, int axis, int n_found)
{
    static const char *const spatial[] = { "domain", "space", "???", "none", "" };
    const BgNrrdAxis *a = &n->axes[axis];

    if (n_found == 3)
        return FALSE;
    if (n->has_directions)
        return a->has_vector && (n->space_dimension < 4 || a->vector[0] != 0.0 ||
                                 a->vector[1] != 0.0 || a->vector[2] != 0.0);
    for (gsize i = 0; a->kind != NULL && i < G_N_ELEMENTS(spatial); i++) {
        if (strcmp(a->kind, spatial[i]) == 0)
            return TRUE;
    }
    return a->kind == NULL;
}

static BgRawMeaning
meaning_of(const char *kind)
{
    if (kind == NULL)
        return BG_RAW_SCALAR;
    if (strcmp(kind, "complex") == 0)
        return BG_RAW_COMPLEX;
    if (g_str_has_suffix(kind, "-color"))
        return BG_RAW_COLOUR;
    if (g_str_has_suffix(kind, "vector") || strcmp(kind, "point") == 0 ||
        g_str_has_suffix(kind, "gradient") || strcmp(kind, "normal") == 0 ||
        g_str_has_suffix(kind, "normal"))
        return BG_RAW_VECTOR;
    return BG_RAW_SCALAR; // list, time, ...: values that stand side by side
}

typedef struct {
    int spatial[3]; // axis numbers, -1: there is none
    gboolean frames_interleaved;
} Arrangement;

static gboolean
too_large(gint64 size, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header's sizes, with one of %" G_GINT64_FORMAT
                  ", are too large. Get the file again"),
                size);
    return FALSE;
}

static gboolean
multiply_into(gint64 *product, gint64 size, GError **error)
{
    if (*product > G_MAXINT / size)
        return too_large(size, error);
    *product *= size;
    return TRUE;
}

static gboolean
arrange(const BgNrrd *n, BgFileInfo *info, BgRawLayout *layout, Arrangement *a, GError **error)
{
    gint64 n_fast = 1, n_slow = 1;
    const char *fast_kind = NULL, *slow_kind = NULL;
    int n_found = 0, n_slow_axes = 0;

    a->spatial[0] = a->spatial[1] = a->spatial[2] = -1;
    for (int i = 0; i < n->n_axes; i++) {
        gint64 size = n->axes[i].size;
        if (is_spatial(n, i, n_found)) {
            if (n_slow_axes > 0) {
                g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("axis %d, which is none of space, lies between those of space. "
                              "Permute the axes first"),
                            i - 1);
                return FALSE;
            }
            if (size > BG_VOLUME_MAX_DIM)
                return too_large(size, error);
            a->spatial[n_found] = i;
            info->dims[n_found++] = (int) size;
        } else if (n_found == 0) {
            fast_kind = n->axes[i].kind;
            if (!multiply_into(&n_fast, size, error))
                return FALSE;
        } else {
            slow_kind = n->axes[i].kind;
            n_slow_axes++;
            if (!multiply_into(&n_slow, size, error))
                return FALSE;
        }
    }
    if (n_found == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("none of its axes is one of space. Open another file"));
        return FALSE;
    }
    for (int i = n_found; i < 3; i++)
        info->dims[i] = 1;

    layout->n_components = (int) n_fast;
    layout->meaning = n_fast > 1 ? meaning_of(fast_kind) : BG_RAW_SCALAR;
    a->frames_interleaved = n_fast > 1 && layout->meaning == BG_RAW_SCALAR && n_slow == 1;
    if (n_fast > 1 && layout->meaning == BG_RAW_SCALAR)
        layout->meaning = BG_RAW_VECTOR;
    if (n_fast == 1 && n_slow_axes == 1 && n_slow > 1 && meaning_of(slow_kind) != BG_RAW_SCALAR) {
        layout->n_components = (int) n_slow;
        layout->meaning = meaning_of(slow_kind);
        layout->planar = TRUE;
        n_slow = 1;
    }
    info->n_frames = a->frames_interleaved ? (int) n_fast : (int) n_slow;
    info->n_components = a->frames_interleaved ? 1 : layout->n_components;
    return TRUE;
}

static const char *
datatype_name(const BgRawLayout *layout)
{
    if (layout->meaning == BG_RAW_COLOUR && layout->type == BG_RAW_UINT8)
        return layout->n_components == 4 ? "rgba32" : "rgb24";
    if (layout->meaning == BG_RAW_COMPLEX && layout->type == BG_RAW_FLOAT32)
        return "complex64";
    if (layout->meaning == BG_RAW_COMPLEX && layout->type == BG_RAW_FLOAT64)
        return "complex128";
    return bg_raw_type_name(layout->type);
}

// What the axes of the header's space are in the patient. Returns whether that is known.
static gboolean
space_to_lps(const char *space, double sign[3])
{
    static const struct {
        const char *name, *letters;
        double sign[3];
    } spaces[] = {
        { "left-posterior-superior", "lps", { 1, 1, 1 } },
        { "right-anterior-superior", "ras", { -1, -1, 1 } },
        { "left-anterior-superior", "las", { 1, -1, 1 } },
    };
    g_autofree char *name = g_strdup(space != NULL ? space : "");

    sign[0] = sign[1] = sign[2] = 1.0;
    if (g_str_has_suffix(name, "-time"))
        name[strlen(name) - 5] = '\0';
    else if (strlen(name) == 4 && name[3] == 't')
        name[3] = '\0';
    for (gsize i = 0; i < G_N_ELEMENTS(spaces); i++) {
        if (strcmp(name, spaces[i].name) == 0 || strcmp(name, spaces[i].letters) == 0) {
            memcpy(sign, spaces[i].sign, sizeof spaces[i].sign);
            return TRUE;
        }
    }
    return FALSE;
}

// Axes that the file has not are at right angles to those that it has.
static void
complete_axes(BgVec3 columns[3], int n_known)
{
    if (n_known == 1) {
        BgVec3 other =
            fabs(columns[0].x) <= fabs(columns[0].y) ? bg_vec3(1, 0, 0) : bg_vec3(0, 1, 0);
        columns[1] = bg_vec3_normalize(bg_vec3_cross(columns[0], other));
    }
    if (n_known <= 2)
        columns[2] = bg_vec3_normalize(bg_vec3_cross(columns[0], columns[1]));
}

static gboolean
place(const BgNrrd *n, const Arrangement *a, BgFileInfo *info, GError **error)
{
    double sign[3], at[3] = { 0, 0, 0 };
    BgVec3 columns[3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
    int n_known = 0;

    info->side_known = space_to_lps(n->space, sign) && n->has_directions;
    for (int k = 0; k < 3 && a->spatial[k] >= 0; k++) {
        const BgNrrdAxis *axis = &n->axes[a->spatial[k]];
        double step = isfinite(axis->spacing) && axis->spacing != 0.0 ? axis->spacing : 1.0;
        if (n->has_directions) {
            columns[k] = bg_vec3(axis->vector[0] * sign[0] * n->unit_mm[0],
                                 axis->vector[1] * sign[1] * n->unit_mm[1],
                                 axis->vector[2] * sign[2] * n->unit_mm[2]);
            n_known = k + 1;
        } else {
            bg_vec3_set(&columns[k], k, fabs(step));
            at[k] = isfinite(axis->min) ? axis->min + (axis->cell ? 0.5 * step : 0.0) : 0.0;
        }
    }
    if (n->has_directions)
        complete_axes(columns, n_known);
    for (int k = 0; n->space_dimension > 0 && k < MIN(n->space_dimension, 3); k++) {
        if (isfinite(n->origin[k]) && (n->has_directions || n->origin[k] != 0.0))
            at[k] = n->origin[k] * sign[k] * n->unit_mm[k];
    }
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    info->geometry.patient_from_voxel =
        bg_affine_from_columns(columns[0], columns[1], columns[2], bg_vec3(at[0], at[1], at[2]));
    info->has_geometry = TRUE;
    g_autofree char *space_shown = bg_io_show(n->space != NULL ? n->space : "");
    if (!info->side_known && n->space != NULL && n->has_directions)
        bg_file_info_warn(info,
                          _("Side unknown: the file's space “%s” does not say where left and "
                            "right are; left-posterior-superior is taken"),
                          space_shown);
    else if (!info->side_known)
        bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                                  "left-posterior-superior is taken"));
    return bg_geometry_check(&info->geometry, error);
}

static BgNrrd *
parse(const char *path, BgFileInfo *info, BgRawLayout *layout, Arrangement *a,
      GCancellable *cancellable, GError **error)
{
    g_autoptr(BgNrrd) n = bg_nrrd_parse_header(path, info, cancellable, error);

    if (n == NULL)
        return NULL;
    memset(layout, 0, sizeof *layout);
    layout->type = n->type;
    layout->slope = 1.0;
    layout->big_endian =
        n->encoding == BG_NRRD_ASCII ? G_BYTE_ORDER == G_BIG_ENDIAN : n->big_endian;
    info->format = BG_FORMAT_NRRD;
    if (!arrange(n, info, layout, a, error) || !place(n, a, info, error))
        return NULL;
    info->datatype = datatype_name(layout);
    if (info->kind != BG_KIND_LABELS && info->n_components == 1 && bg_io_has_label_name(path))
        info->kind = BG_KIND_LABELS;
    if (info->kind == BG_KIND_LABELS)
        bg_file_info_set_modality(info, "SEG", "");
    return g_steal_pointer(&n);
}

// Where in a file the data begin, behind the lines to skip.
static gboolean
skip_lines(const char *path, gint64 n_lines, guint64 *offset, GCancellable *cancellable,
           GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, *offset, BG_SOURCE_PLAIN, cancellable, error);
    char block[4096];

    if (source == NULL)
        return FALSE;
    while (n_lines > 0) {
        gssize got = bg_source_read_some(source, block, sizeof block, error);
        if (got <= 0)
            return got == 0 ? bg_io_set_cut_short(*offset + 1, *offset, error) : FALSE;
        for (gssize i = 0; i < got && n_lines > 0; i++) {
            n_lines -= block[i] == '\n';
            (*offset)++;
        }
    }
    return TRUE;
}

// "byte skip: -1": the data are the last bytes of the file, unpacked if it is packed.
static gboolean
skip_to_last(const char *path, guint64 offset, BgSourceCoding coding, guint64 n_bytes,
             guint64 *skip, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, offset, coding, cancellable, error);
    g_autofree guint8 *block = g_malloc(1u << 20);
    guint64 total = 0;

    if (source == NULL)
        return FALSE;
    if (coding == BG_SOURCE_PLAIN) {
        total = bg_source_get_limit(source);
    } else {
        gssize got;
        while ((got = bg_source_read_some(source, block, 1u << 20, error)) > 0) {
            total += (guint64) got;
            if (total > n_bytes && total - n_bytes > MAX_BEYOND)
                return bg_io_bad_field("byte skip", "-1", error);
        }
        if (got < 0)
            return FALSE;
    }
    if (total < n_bytes)
        return bg_io_set_cut_short(n_bytes, total, error);
    *skip = total - n_bytes;
    return TRUE;
}

static gboolean
count_bytes(const BgNrrd *n, const BgFileInfo *info, const BgRawLayout *layout, guint64 *n_bytes,
            GError **error)
{
    gsize count = bg_raw_type_size(n->type);

    for (int i = 0; i < n->n_axes; i++) {
        if (!g_size_checked_mul(&count, count, (gsize) n->axes[i].size))
            return bg_io_set_cut_short(G_MAXUINT64, 0, error);
    }
    *n_bytes = count;
    return TRUE;
}

static BgSource *
open_data(const BgNrrd *n, const char *path, guint64 n_bytes, GCancellable *cancellable,
          GError **error)
{
    const char *file = n->files->len > 0 ? g_ptr_array_index(n->files, 0) : path;
    guint64 offset = n->files->len > 0 ? 0 : n->header_length, skip = 0;
    guint64 each = n->files->len > 1 ? n_bytes / n->files->len : n_bytes;
    BgSourceCoding coding = n->encoding == BG_NRRD_GZIP ? BG_SOURCE_GZIP : BG_SOURCE_PLAIN;
    g_autoptr(BgSource) source = NULL;

    if (n->line_skip > 0 && !skip_lines(file, n->line_skip, &offset, cancellable, error))
        return NULL;
    if (n->byte_skip == -1 && n->encoding <= BG_NRRD_GZIP) {
        if (!skip_to_last(file, offset, coding, each, &skip, cancellable, error))
            return NULL;
    } else if (n->byte_skip > 0) {
        skip = (guint64) n->byte_skip;
    }

    if (n->files->len > 1) {
        if (n_bytes % n->files->len != 0 || n->encoding > BG_NRRD_GZIP ||
            (coding == BG_SOURCE_GZIP && skip > 0)) {
            g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("its data lie in %u files in a way that bregma does not read. Join them "
                          "first"),
                        n->files->len);
            return NULL;
        }
        return bg_source_new_chain(n->files, offset + skip, each, coding, cancellable, error);
    }
    source = bg_source_open(file, offset, coding, cancellable, error);
    if (source == NULL) {
        g_autofree char *shown = g_filename_display_basename(file);
        g_prefix_error(error, "“%s”: ", shown);
        return NULL;
    }
    if (skip > 0 && !bg_source_skip(source, skip, error))
        return NULL;
    if (n->encoding == BG_NRRD_ASCII)
        return bg_source_new_ascii(g_steal_pointer(&source), n->type);
    if (n->encoding == BG_NRRD_HEX)
        return bg_source_new_hex(g_steal_pointer(&source));
    return g_steal_pointer(&source);
}

static BgFileInfo *
nrrd_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    Arrangement a;
    g_autoptr(BgNrrd) n = parse(path, info, &layout, &a, cancellable, error);

    return n != NULL ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
nrrd_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgLoadParams chosen = *params;
    BgRawLayout layout;
    Arrangement a;
    guint64 n_bytes = 0;
    g_autoptr(BgNrrd) n = parse(path, info, &layout, &a, cancellable, error);

    if (n == NULL || !count_bytes(n, info, &layout, &n_bytes, error))
        return NULL;
    g_autoptr(BgSource) source = open_data(n, path, n_bytes, cancellable, error);
    if (source == NULL)
        return NULL;
    layout.first_byte = bg_source_get_position(source);

    // Frames that lie voxel by voxel side by side are read as the values of a voxel are.
    int n_frames = info->n_frames;
    if (a.frames_interleaved) {
        if (params->component > 0 || params->frame < 0 || params->frame >= n_frames) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("There is no frame %d, component %d: the file has frames 0 to %d. "
                          "Choose one of them"),
                        params->frame, params->component, n_frames - 1);
            return NULL;
        }
        chosen.component = params->frame;
        chosen.frame = 0;
        info->n_frames = 1;
    }
    BgLoaded *loaded =
        bg_raw_load(source, &layout, g_steal_pointer(&info), &chosen, progress, error);
    if (loaded != NULL)
        loaded->info->n_frames = n_frames;
    return loaded;
}

const BgReader bg_reader_nrrd = {
    .name = "NRRD",
    .sniff = nrrd_sniff,
    .probe = nrrd_probe,
    .load = nrrd_load,
};
