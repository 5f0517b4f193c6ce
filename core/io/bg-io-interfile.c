// SPDX-License-Identifier: Apache-2.0
// Interfile 3.3 and the dialect of STIR: keys in text, "!name := value", voxels in a file beside. The
// keys: Todd-Pokropek, Cradduck, Deconinck, "A file format for the exchange of nuclear medicine image
// data" (Nucl Med Commun 13, 1992). Where left and right are, the format does not say for sure.
#include "bg-io-text.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_DIMS 4
#define SECTOR 2048u // "data starting block" counts in these

typedef struct {
    double size[MAX_DIMS], spacing_mm[MAX_DIMS];
    gboolean has_spacing[MAX_DIMS];
    double n_slices, thickness_mm, n_frames, bytes, first_byte;
    gboolean is_float, is_signed, big_endian, has_format, ascii;
    double slope;
    char *data_file; // owned
    char *quantity;  // owned
} Inter;

static void
inter_clear(Inter *inter)
{
    g_free(inter->data_file);
    g_free(inter->quantity);
}

static gboolean
inter_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    g_autofree char *text = g_ascii_strdown((const char *) bytes, (gssize) MIN(n_bytes, 256));
    const char *at = text;

    while (g_ascii_isspace(*at) || *at == '!' || *at == ';')
        at++;
    if (gzipped || strncmp(at, "interfile", 9) != 0)
        return FALSE;
    at += 9;
    while (*at == ' ' || *at == '\t')
        at++;
    return strncmp(at, ":=", 2) == 0;
}

// A key without its mark, case, and blanks: "! Matrix Size [1]" is "matrixsize[1]".
static char *
plain_key(const char *start, const char *end)
{
    GString *key = g_string_new(NULL);

    for (; start < end; start++) {
        if (*start != '!' && *start != '_' && !g_ascii_isspace(*start))
            g_string_append_c(key, g_ascii_tolower(*start));
    }
    return g_string_free(key, FALSE);
}

static gboolean
take_number(Inter *inter, const char *key, const char *value, gboolean *taken, GError **error)
{
    const struct {
        const char *key;
        double *to;
    } numbers[] = {
        { "matrixsize[1]", &inter->size[0] },
        { "matrixsize[2]", &inter->size[1] },
        { "matrixsize[3]", &inter->size[2] },
        { "matrixsize[4]", &inter->size[3] },
        { "numberofslices", &inter->n_slices },
        { "totalnumberofimages", &inter->n_slices },
        { "numberofimages", &inter->n_slices },
        { "slicethickness(pixels)", &inter->thickness_mm },
        { "numberoftimeframes", &inter->n_frames },
        { "numberofbytesperpixel", &inter->bytes },
        { "dataoffsetinbytes[1]", &inter->first_byte },
        { "dataoffsetinbytes", &inter->first_byte },
        { "datastartingblock", &inter->first_byte },
        { "quantificationunits", &inter->slope },
        { "imagescalingfactor[1]", &inter->slope },
    };
    char *end;
    double number = g_ascii_strtod(value, &end);

    *taken = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (strcmp(key, numbers[i].key) != 0)
            continue;
        *taken = TRUE;
        if (*value == '\0')
            return TRUE;
        if (end == value || !(fabs(number) < 1e12))
            return bg_io_bad_field(key, value, error);
        // The first that is given counts: the total is in the general part, slices in a later one.
        if (*numbers[i].to == 0.0 || strcmp(key, "numberofslices") == 0)
            *numbers[i].to = number * (strcmp(key, "datastartingblock") == 0 ? SECTOR : 1.0);
        return TRUE;
    }
    for (int d = 0; d < MAX_DIMS; d++) {
        g_autofree char *name = g_strdup_printf("scalingfactor(mm/pixel)[%d]", d + 1);
        if (strcmp(key, name) != 0)
            continue;
        *taken = TRUE;
        if (*value != '\0' && (end == value || !(number > 0.0 && number < 1e6)))
            return bg_io_bad_field(key, value, error);
        inter->has_spacing[d] = *value != '\0';
        inter->spacing_mm[d] = number;
    }
    return TRUE;
}

static gboolean
take_format(Inter *inter, const char *value, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(value, -1);

    inter->has_format = TRUE;
    if (strstr(lower, "unsigned") != NULL)
        inter->is_signed = FALSE;
    else if (strstr(lower, "signed") != NULL)
        inter->is_signed = TRUE;
    else if (strstr(lower, "float") != NULL)
        inter->is_float = TRUE;
    else
        return bg_io_bad_field("number format", value, error);
    if (strstr(lower, "short") != NULL && inter->bytes == 0.0)
        inter->bytes = strstr(lower, "float") != NULL ? 4 : 2;
    if (strstr(lower, "long") != NULL && inter->bytes == 0.0)
        inter->bytes = strstr(lower, "float") != NULL ? 8 : 4;
    return TRUE;
}

static gboolean
take_line(Inter *inter, const char *line, BgFileInfo *info, GError **error)
{
    const char *assign = strstr(line, ":=");
    gboolean taken;

    if (assign == NULL || *line == ';')
        return TRUE;
    g_autofree char *key = plain_key(line, assign);
    g_autofree char *value = g_strstrip(g_strdup(assign + 2));
    if (!take_number(inter, key, value, &taken, error))
        return FALSE;
    if (taken)
        return TRUE;
    if (strcmp(key, "numberformat") == 0) {
        return take_format(inter, value, error);
    } else if (strcmp(key, "imagedatabyteorder") == 0) {
        inter->big_endian = g_ascii_strncasecmp(value, "big", 3) == 0;
    } else if (strcmp(key, "nameofdatafile") == 0) {
        g_free(inter->data_file);
        inter->data_file = g_steal_pointer(&value);
    } else if (strcmp(key, "patientname") == 0 && *value != '\0') {
        g_free(info->patient_name);
        info->patient_name = g_utf8_make_valid(value, -1);
    } else if (strcmp(key, "patientid") == 0 && *value != '\0') {
        g_free(info->patient_id);
        info->patient_id = g_utf8_make_valid(value, -1);
    } else if (strcmp(key, "imagingmodality") == 0 || strcmp(key, "typeofdata") == 0) {
        if (g_ascii_strcasecmp(value, "PET") == 0)
            bg_file_info_set_modality(info, "PT", "");
        else if (g_ascii_strcasecmp(value, "nucmed") == 0 ||
                 g_ascii_strcasecmp(value, "Tomographic") == 0)
            bg_file_info_set_modality(info, info->modality[0] != '\0' ? info->modality : "NM", "");
    }
    return TRUE;
}

static gsize
no_end(const char *text, gsize length)
{
    return 0;
}

static gboolean
read_keys(Inter *inter, const char *path, BgFileInfo *info, GCancellable *cancellable,
          GError **error)
{
    gsize length;
    g_autofree char *text = bg_io_read_header(path, no_end, &length, cancellable, error);

    *inter = (Inter){ .big_endian = TRUE };
    if (text == NULL)
        return FALSE;
    for (char *line = text, *next; line != NULL; line = next) {
        next = strpbrk(line, "\r\n");
        if (next != NULL)
            *next++ = '\0';
        if (!take_line(inter, line, info, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
find_type(const Inter *inter, BgRawLayout *layout, GError **error)
{
    int bytes = (int) inter->bytes;

    *layout = (BgRawLayout){ .big_endian = inter->big_endian, .n_components = 1, .slope = 1.0 };
    if (inter->is_float && (bytes == 4 || bytes == 8))
        layout->type = bytes == 4 ? BG_RAW_FLOAT32 : BG_RAW_FLOAT64;
    else if (!inter->is_float && bytes == 1)
        layout->type = inter->is_signed ? BG_RAW_INT8 : BG_RAW_UINT8;
    else if (!inter->is_float && bytes == 2)
        layout->type = inter->is_signed ? BG_RAW_INT16 : BG_RAW_UINT16;
    else if (!inter->is_float && bytes == 4)
        layout->type = inter->is_signed ? BG_RAW_INT32 : BG_RAW_UINT32;
    else
        return bg_io_bad_field("number of bytes per pixel", "", error);
    return TRUE;
}

static gboolean
describe(const Inter *inter, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    double sizes[4] = { inter->size[0], inter->size[1],
                        inter->size[2] > 0.0 ? inter->size[2] : MAX(inter->n_slices, 1.0),
                        MAX(inter->n_frames, 1.0) };
    double steps[3];

    for (int i = 0; i < 4; i++) {
        if (!(sizes[i] >= 1.0 && sizes[i] <= BG_VOLUME_MAX_DIM) || sizes[i] != rint(sizes[i]))
            return bg_io_bad_field("matrix size", "", error);
        if (i < 3)
            info->dims[i] = (int) sizes[i];
    }
    info->n_frames = (int) sizes[3];
    info->format = BG_FORMAT_INTERFILE;
    if (!find_type(inter, layout, error))
        return FALSE;
    info->datatype = bg_raw_type_name(layout->type);
    if (!(inter->first_byte >= 0.0 && inter->first_byte < 0x1p53))
        return bg_io_bad_field("data offset in bytes", "", error);
    layout->first_byte = (guint64) inter->first_byte;
    if (inter->slope > 0.0)
        layout->slope = inter->slope;
    for (int i = 0; i < 3; i++)
        steps[i] = inter->spacing_mm[i];
    // The older way: a slice is so many pixels thick.
    if (!inter->has_spacing[2] && inter->thickness_mm > 0.0)
        steps[2] = inter->thickness_mm * steps[0];
    info->spacing_unknown = !(steps[0] > 0.0 && steps[1] > 0.0 && steps[2] > 0.0);
    if (info->spacing_unknown)
        steps[0] = steps[1] = steps[2] = 1.0;
    info->geometry = bg_geometry_new_regular(info->dims, bg_vec3(steps[0], steps[1], steps[2]));
    info->has_geometry = TRUE;
    bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                              "left-posterior-superior is taken"));
    if (info->spacing_unknown)
        bg_file_info_warn(info, _("The file does not say how large a voxel is: lengths are in px "
                                  "until you give it"));
    bg_io_guess_kind(info);
    return bg_geometry_check(&info->geometry, error);
}

static gboolean
parse(Inter *inter, const char *path, BgFileInfo *info, BgRawLayout *layout,
      GCancellable *cancellable, GError **error)
{
    return read_keys(inter, path, info, cancellable, error) && describe(inter, info, layout, error);
}

static BgFileInfo *
inter_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    Inter inter;
    gboolean ok = parse(&inter, path, info, &layout, cancellable, error);

    inter_clear(&inter);
    return ok ? g_steal_pointer(&info) : NULL;
}

// Only a file beside the header: a name with folders in it could be any file of the user's.
static BgSource *
open_data(const Inter *inter, const char *path, GCancellable *cancellable, GError **error)
{
    if (inter->data_file == NULL || *inter->data_file == '\0') {
        bg_io_bad_field("name of data file", "", error);
        return NULL;
    }
    g_autofree char *base = g_path_get_basename(inter->data_file);
    g_autofree char *file = bg_io_resolve(path, base);
    BgSource *source = bg_source_open(file, 0, BG_SOURCE_AUTO, cancellable, error);
    if (source == NULL) {
        g_autofree char *shown = g_filename_display_basename(file);
        g_prefix_error(error, "“%s”: ", shown);
    }
    return source;
}

static BgLoaded *
inter_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    g_autoptr(BgSource) source = NULL;
    BgRawLayout layout;
    Inter inter;

    if (parse(&inter, path, info, &layout, cancellable, error))
        source = open_data(&inter, path, cancellable, error);
    inter_clear(&inter);
    return source != NULL
               ? bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error)
               : NULL;
}

const BgReader bg_reader_interfile = {
    .name = "Interfile",
    .sniff = inter_sniff,
    .probe = inter_probe,
    .load = inter_load,
};
