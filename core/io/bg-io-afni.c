// SPDX-License-Identifier: Apache-2.0
// AFNI's pairs of .HEAD (attributes in text) and .BRIK: "README.attributes" of the program.
#include "bg-io-scaled.h"
#include "bg-io-text.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_FRAMES 100000

typedef struct {
    GHashTable *attributes; // name to values as text, both owned
} Head;

// "type = integer-attribute", "name = X", "count = 3", and the values up to the next "type"
static void
parse_head(char *text, GHashTable *attributes)
{
    static const char mark[] = "type";

    for (char *at = text; at != NULL && *at != '\0';) {
        char *next = strstr(at, "\ntype");
        if (next != NULL)
            *next++ = '\0';
        char *name = strstr(at, "\nname"), *count = strstr(at, "\ncount");
        if (strncmp(at, mark, 4) == 0 && name != NULL && count != NULL && name < count) {
            char *values = strchr(count + 1, '\n');
            *count = '\0';
            name = strchr(name, '=');
            if (values != NULL && name != NULL)
                g_hash_table_replace(attributes, g_strstrip(g_strdup(name + 1)),
                                     g_strdup(values + 1));
        }
        at = next;
    }
}

static int
get_numbers(const Head *head, const char *name, double *values, int most)
{
    const char *text = g_hash_table_lookup(head->attributes, name);

    return text != NULL ? bg_io_parse_doubles(text, values, most) : 0;
}

static gboolean
afni_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    g_autofree char *text = g_strndup((const char *) bytes, n_bytes);
    const char *at = text;

    while (g_ascii_isspace(*at))
        at++;
    return !gzipped && strncmp(at, "type", 4) == 0 && strstr(at, "-attribute") != NULL &&
           strstr(at, "\nname") != NULL;
}

static gboolean
set_bad(const char *name, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header's field “%s” is missing or makes no sense. Get the file again"),
                name);
    return FALSE;
}

static gboolean
choose_dims(const Head *head, BgFileInfo *info, GError **error)
{
    double size[5], rank[8];

    if (get_numbers(head, "DATASET_DIMENSIONS", size, 5) < 3)
        return set_bad("DATASET_DIMENSIONS", error);
    for (int i = 0; i < 3; i++) {
        if (!(size[i] >= 1 && size[i] <= BG_VOLUME_MAX_DIM))
            return set_bad("DATASET_DIMENSIONS", error);
        info->dims[i] = (int) size[i];
    }
    if (get_numbers(head, "DATASET_RANK", rank, 8) < 2 || !(rank[1] >= 1 && rank[1] <= MAX_FRAMES))
        return set_bad("DATASET_RANK", error);
    info->n_frames = (int) rank[1];
    return TRUE;
}

static gboolean
choose_type(const Head *head, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    static const struct {
        int code;
        const char *name;
        BgRawType type;
        int n_components;
        BgRawMeaning meaning;
    } types[] = {
        { 0, "uint8", BG_RAW_UINT8, 1, BG_RAW_SCALAR },
        { 1, "int16", BG_RAW_INT16, 1, BG_RAW_SCALAR },
        { 3, "float32", BG_RAW_FLOAT32, 1, BG_RAW_SCALAR },
        { 5, "complex64", BG_RAW_FLOAT32, 2, BG_RAW_COMPLEX },
        { 6, "rgb24", BG_RAW_UINT8, 3, BG_RAW_COLOUR },
    };
    g_autofree double *codes = g_new(double, info->n_frames);
    const char *order = g_hash_table_lookup(head->attributes, "BYTEORDER_STRING");
    int n = get_numbers(head, "BRICK_TYPES", codes, info->n_frames);

    if (n != info->n_frames)
        return set_bad("BRICK_TYPES", error);
    for (int i = 1; i < n; i++) {
        if (codes[i] != codes[0]) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                                _("its sub-bricks are of several types. Make them one with "
                                  "3dcalc"));
            return FALSE;
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (types[i].code != (int) codes[0])
            continue;
        *layout = (BgRawLayout){ .type = types[i].type,
                                 .big_endian = order != NULL && strstr(order, "MSB") != NULL,
                                 .n_components = types[i].n_components,
                                 .meaning = types[i].meaning,
                                 .slope = 1.0 };
        info->datatype = types[i].name;
        info->n_components = types[i].n_components;
        return TRUE;
    }
    return set_bad("BRICK_TYPES", error);
}

// Codes of an axis: right to left 0, left to right 1, posterior to anterior 2, anterior to posterior
// 3, inferior to superior 4, superior to inferior 5. ORIGIN is that of the axes in RAI order.
static gboolean
place_by_codes(const Head *head, BgAffine *lps, gboolean *agree, GError **error)
{
    double codes[3], origin[3], delta[3];
    BgVec3 columns[3], at = bg_vec3(0, 0, 0);

    if (get_numbers(head, "ORIENT_SPECIFIC", codes, 3) != 3 ||
        get_numbers(head, "ORIGIN", origin, 3) != 3 || get_numbers(head, "DELTA", delta, 3) != 3)
        return set_bad("ORIGIN", error);
    for (int i = 0; i < 3; i++) {
        int axis = (int) codes[i] / 2;
        gboolean grows = codes[i] == 0.0 || codes[i] == 3.0 || codes[i] == 4.0;
        if (!(codes[i] >= 0 && codes[i] <= 5))
            return set_bad("ORIENT_SPECIFIC", error);
        columns[i] = bg_vec3(0, 0, 0);
        *agree = *agree && grows == (delta[i] > 0.0);
        bg_vec3_set(&columns[i], axis, delta[i]);
        bg_vec3_set(&at, axis, origin[i]);
    }
    *lps = bg_affine_from_columns(columns[0], columns[1], columns[2], at);
    return TRUE;
}

// AFNI's "DICOM" coordinates are LPS mm.
static gboolean
place(const Head *head, BgFileInfo *info, GError **error)
{
    gboolean agree = TRUE;
    double m[12];

    if (get_numbers(head, "IJK_TO_DICOM_REAL", m, 12) == 12)
        memcpy(info->geometry.patient_from_voxel.m, m, sizeof m);
    else if (!place_by_codes(head, &info->geometry.patient_from_voxel, &agree, error))
        return FALSE;
    if (!agree)
        bg_file_info_warn(info, _("Side unknown: the header's ORIENT_SPECIFIC and DELTA contradict "
                                  "each other"));
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    info->has_geometry = TRUE;
    info->side_known = agree;
    return bg_geometry_check(&info->geometry, error);
}

static gboolean
parse(const char *path, Head *head, BgFileInfo *info, BgRawLayout *layout,
      GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    double times[8];

    if (source == NULL)
        return FALSE;
    gsize n = (gsize) MIN(bg_source_get_limit(source), 4u << 20);
    g_autofree char *text = g_malloc0(n + 1);
    if (!bg_source_read(source, text, n, error))
        return FALSE;
    parse_head(g_strchug(text), head->attributes);
    info->format = BG_FORMAT_AFNI;
    if (!choose_dims(head, info, error) || !choose_type(head, info, layout, error) ||
        !place(head, info, error))
        return FALSE;
    if (get_numbers(head, "TAXIS_FLOATS", times, 8) >= 2 && times[1] > 0.0 && info->n_frames > 1) {
        info->frame_spacing = times[1];
        info->frame_unit = "s";
    }
    bg_io_guess_kind(info);
    return TRUE;
}

static char *
find_brik(const char *path, GError **error)
{
    g_autofree char *stem = g_strdup(path);

    if (g_str_has_suffix(stem, ".HEAD"))
        stem[strlen(stem) - 5] = '\0';
    g_autofree char *plain = g_strconcat(stem, ".BRIK", NULL);
    g_autofree char *packed = g_strconcat(stem, ".BRIK.gz", NULL);
    if (g_file_test(plain, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&plain);
    if (g_file_test(packed, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&packed);
    g_autofree char *shown = g_filename_display_name(plain);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                _("this is the header of a pair, and the file with the voxels, “%s”, is not "
                  "beside it. Copy it there"),
                shown);
    return NULL;
}

// A factor of 0 is none. Each frame may have its own.
static void
choose_scale(const Head *head, const BgFileInfo *info, int frame, BgRawLayout *layout)
{
    g_autofree double *factors = g_new0(double, info->n_frames);
    int n = get_numbers(head, "BRICK_FLOAT_FACS", factors, info->n_frames);

    if (n > frame && frame >= 0 && factors[frame] != 0.0 && isfinite(factors[frame]))
        layout->slope = factors[frame];
}

static BgFileInfo *
afni_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    Head head = { g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    BgRawLayout layout;
    gboolean ok = parse(path, &head, info, &layout, cancellable, error);

    g_hash_table_unref(head.attributes);
    return ok ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
afni_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    Head head = { g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    BgRawLayout layout;
    gboolean ok = parse(path, &head, info, &layout, cancellable, error);

    if (ok)
        choose_scale(&head, info, params->frame, &layout);
    g_hash_table_unref(head.attributes);
    g_autofree char *brik = ok ? find_brik(path, error) : NULL;
    g_autoptr(BgSource) source =
        brik != NULL ? bg_source_open(brik, 0, BG_SOURCE_AUTO, cancellable, error) : NULL;
    return source != NULL
               ? bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error)
               : NULL;
}

const BgReader bg_reader_afni = { "AFNI", afni_sniff, afni_probe, afni_load };
