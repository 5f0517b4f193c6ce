// SPDX-License-Identifier: Apache-2.0
// MINC 1 in netCDF-3 classic files, and those with 64-bit offsets. The format: "The NetCDF Classic
// Format Specification" (docs.unidata.ucar.edu). Only what a MINC file needs is kept.
#include "bg-io-bytes.h"
#include "bg-minc-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_HEADER (4u << 20) // a MINC header with a long history has some 100 KiB
#define MAX_ITEMS 4096        // dimensions, variables, attributes: each

enum { NC_DIMENSION = 10, NC_VARIABLE = 11, NC_ATTRIBUTE = 12 };

typedef struct {
    guint8 *bytes; // owned
    gsize n_bytes, at;
    gboolean wide; // offsets of 64 bits
    gboolean bad;  // read beyond the end, or something impossible
} Header;

typedef struct {
    char name[32];
    guint32 length; // 0: the record dimension
} Dimension;

// What is known of a variable that MINC gives a meaning.
typedef struct {
    gboolean there;
    int n_dims;
    int dims[BG_MINC_MAX_DIMS + 1];
    gboolean too_many;
    int type; // netCDF's
    guint64 begin;
    double step, start, cosines[3], range[2];
    gboolean has_step, has_cosines, has_range, is_signed, has_sign, irregular;
} Variable;

enum { IMAGE, IMAGE_MIN, IMAGE_MAX, XSPACE, YSPACE, ZSPACE, TIME, N_KNOWN };
static const char *const known[] = { "image",  "image-min", "image-max", "xspace",
                                     "yspace", "zspace",    "time" };

typedef struct {
    Header header;
    GArray *dims; // of Dimension
    Variable variables[N_KNOWN];
    guint32 n_records;
} NetCdf;

static guint32
next32(Header *h)
{
    if (h->n_bytes - h->at < 4) {
        h->bad = TRUE;
        return 0;
    }
    guint32 value = bg_bytes_get32(h->bytes + h->at, TRUE);
    h->at += 4;
    return value;
}

// Padded to four bytes. NULL at the end of what is there.
static const guint8 *
next_bytes(Header *h, gsize n)
{
    gsize padded = (n + 3) & ~(gsize) 3;

    if (padded < n || padded > h->n_bytes - h->at) {
        h->bad = TRUE;
        return NULL;
    }
    const guint8 *bytes = h->bytes + h->at;
    h->at += padded;
    return bytes;
}

static void
next_name(Header *h, char *name, gsize room)
{
    gsize n = next32(h);
    const guint8 *bytes = next_bytes(h, n);

    name[0] = '\0';
    if (bytes != NULL && n < room) {
        memcpy(name, bytes, n);
        name[n] = '\0';
    }
}

static gsize
type_size(int type)
{
    static const gsize sizes[] = { 0, 1, 1, 2, 4, 4, 8 };

    return type >= 1 && type <= 6 ? sizes[type] : 0;
}

static double
get_number(const guint8 *bytes, int type)
{
    switch (type) {
    case 1:
        return (gint8) bytes[0];
    case 3:
        return (gint16) bg_bytes_get16(bytes, TRUE);
    case 4:
        return (gint32) bg_bytes_get32(bytes, TRUE);
    case 5:
        return bg_bytes_get_float(bytes, TRUE);
    case 6:
        return bg_bytes_get_double(bytes, TRUE);
    default:
        return NAN;
    }
}

// A list's tag and length; an absent list is two zeros.
static guint32
next_list(Header *h, guint32 tag)
{
    guint32 found = next32(h), n = next32(h);

    if ((found != tag && (found != 0 || n != 0)) || n > MAX_ITEMS) {
        h->bad = TRUE;
        return 0;
    }
    return n;
}

static void
take_attribute(Variable *v, const char *name, const guint8 *bytes, int type, gsize n)
{
    double numbers[3] = { 0 };

    if (type == 2) {
        g_autofree char *text = g_strndup((const char *) bytes, n);
        if (strcmp(name, "signtype") == 0) {
            v->has_sign = TRUE;
            v->is_signed = strncmp(text, "signed", 6) == 0;
        } else if (strcmp(name, "spacing") == 0) {
            v->irregular = strncmp(text, "irregular", 9) == 0;
        }
        return;
    }
    for (gsize i = 0; i < MIN(n, 3); i++)
        numbers[i] = get_number(bytes + i * type_size(type), type);
    if (strcmp(name, "step") == 0 && n == 1) {
        v->step = numbers[0];
        v->has_step = TRUE;
    } else if (strcmp(name, "start") == 0 && n == 1) {
        v->start = numbers[0];
    } else if (strcmp(name, "direction_cosines") == 0 && n == 3) {
        memcpy(v->cosines, numbers, sizeof numbers);
        v->has_cosines = TRUE;
    } else if (strcmp(name, "valid_range") == 0 && n == 2) {
        v->range[0] = numbers[0];
        v->range[1] = numbers[1];
        v->has_range = TRUE;
    }
}

static void
read_attributes(Header *h, Variable *v)
{
    guint32 n_attributes = next_list(h, NC_ATTRIBUTE);

    for (guint32 i = 0; i < n_attributes && !h->bad; i++) {
        char name[32];
        next_name(h, name, sizeof name);
        int type = (int) next32(h);
        gsize n = next32(h), size = type_size(type), n_bytes;
        if (size == 0 || !g_size_checked_mul(&n_bytes, n, size))
            h->bad = TRUE;
        const guint8 *bytes = h->bad ? NULL : next_bytes(h, n_bytes);
        if (bytes != NULL && v != NULL)
            take_attribute(v, name, bytes, type, n);
    }
}

static void
read_variable(NetCdf *nc)
{
    Header *h = &nc->header;
    Variable v = { .there = TRUE };
    char name[32];

    next_name(h, name, sizeof name);
    guint32 n_dims = next32(h);
    for (guint32 i = 0; i < n_dims && !h->bad; i++) {
        guint32 dim = next32(h);
        if (dim >= nc->dims->len)
            h->bad = TRUE;
        else if (i <= BG_MINC_MAX_DIMS)
            v.dims[i] = (int) dim;
    }
    v.too_many = n_dims > BG_MINC_MAX_DIMS;
    v.n_dims = (int) MIN(n_dims, BG_MINC_MAX_DIMS);
    read_attributes(h, &v);
    v.type = (int) next32(h);
    next32(h); // the size, which follows from the dimensions
    v.begin = next32(h);
    if (h->wide)
        v.begin = v.begin << 32 | next32(h);
    for (int k = 0; !h->bad && k < N_KNOWN; k++) {
        if (strcmp(name, known[k]) == 0)
            nc->variables[k] = v;
    }
}

static gboolean
read_header(NetCdf *nc, BgSource *source, GError **error)
{
    Header *h = &nc->header;
    gsize room = (gsize) MIN(bg_source_get_limit(source), MAX_HEADER);

    h->bytes = g_malloc(MAX(room, 8));
    gssize n = bg_source_read_some(source, h->bytes, room, error);
    if (n < 0)
        return FALSE;
    h->n_bytes = (gsize) n;
    h->bad = n < 8;
    if (!h->bad) {
        h->wide = h->bytes[3] == 2;
        h->at = 4;
        nc->n_records = next32(h);
        guint32 n_dims = next_list(h, NC_DIMENSION);
        for (guint32 i = 0; i < n_dims && !h->bad; i++) {
            Dimension dim = { 0 };
            next_name(h, dim.name, sizeof dim.name);
            dim.length = next32(h);
            g_array_append_val(nc->dims, dim);
        }
        read_attributes(h, NULL);
        guint32 n_variables = h->bad ? 0 : next_list(h, NC_VARIABLE);
        for (guint32 i = 0; i < n_variables && !h->bad; i++)
            read_variable(nc);
    }
    if (!h->bad)
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the netCDF header is cut short or damaged. Get the file again"));
    return FALSE;
}

static gboolean
take_dims(const NetCdf *nc, BgMinc *minc, GError **error)
{
    const Variable *image = &nc->variables[IMAGE];

    minc->n_dims = image->n_dims;
    for (int i = 0; i < image->n_dims; i++) {
        const Dimension *dim = &g_array_index(nc->dims, Dimension, image->dims[i]);
        if (dim->length == 0) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                                _("one of its dimensions has no fixed length. Convert it with "
                                  "mincconvert -2"));
            return FALSE;
        }
        bg_minc_dim_init(&minc->dims[i], dim->name, dim->length);
        for (int k = XSPACE; k <= TIME; k++) {
            const Variable *v = &nc->variables[k];
            if (!v->there || strcmp(known[k], dim->name) != 0)
                continue;
            minc->dims[i].has_step = v->has_step;
            minc->dims[i].step = v->has_step ? v->step : 1.0;
            minc->dims[i].start = v->start;
            minc->dims[i].irregular = v->irregular;
            if (v->has_cosines)
                memcpy(minc->dims[i].cosines, v->cosines, sizeof v->cosines);
        }
    }
    return TRUE;
}

static gboolean
take_type(const Variable *image, BgMinc *minc, GError **error)
{
    // byte is unsigned where nothing is said, the others are signed
    gboolean is_signed = image->has_sign ? image->is_signed : image->type != 1;

    switch (image->type) {
    case 1:
        minc->type = is_signed ? BG_RAW_INT8 : BG_RAW_UINT8;
        break;
    case 3:
        minc->type = is_signed ? BG_RAW_INT16 : BG_RAW_UINT16;
        break;
    case 4:
        minc->type = is_signed ? BG_RAW_INT32 : BG_RAW_UINT32;
        break;
    case 5:
        minc->type = BG_RAW_FLOAT32;
        break;
    case 6:
        minc->type = BG_RAW_FLOAT64;
        break;
    default:
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("its type of voxel is %d, which netCDF does not know. Get the file again"),
                    image->type);
        return FALSE;
    }
    minc->big_endian = TRUE;
    bg_minc_set_default_range(minc);
    if (image->has_range) {
        minc->low = MIN(image->range[0], image->range[1]);
        minc->high = MAX(image->range[0], image->range[1]);
    }
    return TRUE;
}

static gboolean
set_range_error(GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("image-min and image-max do not fit the dimensions of the image. Get "
                          "the file again"));
    return FALSE;
}

// Numbers of a variable, wherever it lies.
static double *
read_numbers(const char *path, const Variable *v, gsize n, GCancellable *cancellable,
             GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    gsize size = type_size(v->type);

    if (source == NULL || size == 0)
        return source == NULL ? NULL : (set_range_error(error), NULL);
    if (v->begin > bg_source_get_limit(source) ||
        n * size > bg_source_get_limit(source) - v->begin) {
        bg_io_set_cut_short(v->begin + n * size, bg_source_get_limit(source), error);
        return NULL;
    }
    g_autofree guint8 *bytes = g_malloc(n * size);
    if (!bg_source_skip(source, v->begin, error) || !bg_source_read(source, bytes, n * size, error))
        return NULL;
    double *numbers = g_new(double, n);
    for (gsize i = 0; i < n; i++)
        numbers[i] = get_number(bytes + i * size, v->type);
    return numbers;
}

static gboolean
take_scales(const char *path, const NetCdf *nc, BgMinc *minc, GCancellable *cancellable,
            GError **error)
{
    const Variable *image = &nc->variables[IMAGE];
    const Variable *low = &nc->variables[IMAGE_MIN], *high = &nc->variables[IMAGE_MAX];
    gsize n = 1;

    if (!low->there || !high->there)
        return TRUE;
    if (low->n_dims != high->n_dims || low->n_dims > image->n_dims || low->too_many)
        return set_range_error(error);
    for (int i = 0; i < low->n_dims; i++) {
        if (low->dims[i] != image->dims[i] || high->dims[i] != image->dims[i] ||
            !g_size_checked_mul(&n, n, (gsize) minc->dims[i].length) || n > BG_MINC_MAX_SCALES)
            return set_range_error(error);
    }
    minc->n_scales = n;
    minc->real_min = read_numbers(path, low, n, cancellable, error);
    minc->real_max =
        minc->real_min == NULL ? NULL : read_numbers(path, high, n, cancellable, error);
    return minc->real_max != NULL;
}

static gboolean
parse_file(const char *path, NetCdf *nc, BgMinc *minc, BgFileInfo *info, GCancellable *cancellable,
           GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    const Variable *image = &nc->variables[IMAGE];

    if (source == NULL || !read_header(nc, source, error))
        return FALSE;
    info->format = BG_FORMAT_MINC1;
    if (!image->there || image->n_dims == 0 || image->too_many) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("it is a netCDF file without an image of 1 to 5 dimensions, so no "
                              "MINC volume. Open another file"));
        return FALSE;
    }
    return take_dims(nc, minc, error) && take_type(image, minc, error) &&
           bg_minc_describe(minc, info, error) && take_scales(path, nc, minc, cancellable, error);
}

static gboolean
parse(const char *path, BgMinc *minc, guint64 *begin, BgFileInfo *info, GCancellable *cancellable,
      GError **error)
{
    NetCdf nc = { .dims = g_array_new(FALSE, TRUE, sizeof(Dimension)) };
    gboolean ok = parse_file(path, &nc, minc, info, cancellable, error);

    *begin = nc.variables[IMAGE].begin;
    g_array_unref(nc.dims);
    g_free(nc.header.bytes);
    return ok;
}

static gboolean
minc1_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return n_bytes >= 4 && memcmp(bytes, "CDF", 3) == 0 && (bytes[3] == 1 || bytes[3] == 2);
}

static BgFileInfo *
minc1_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgMinc minc = { 0 };
    guint64 begin;
    gboolean ok = parse(path, &minc, &begin, info, cancellable, error);

    bg_minc_clear(&minc);
    return ok ? g_steal_pointer(&info) : NULL;
}

// At the first value of the wanted frame.
static BgSource *
open_frame(const char *path, const BgMinc *minc, guint64 begin, const BgFileInfo *info, int frame,
           GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    guint64 start, end, n = bg_minc_count_frame(minc, info), there;

    if (source == NULL)
        return NULL;
    there = bg_source_get_limit(source);
    gboolean fits = g_uint64_checked_mul(&n, n, bg_raw_type_size(minc->type)) &&
                    g_uint64_checked_mul(&start, n, (guint64) frame) &&
                    g_uint64_checked_add(&start, start, begin) &&
                    g_uint64_checked_add(&end, start, n);
    if (!fits || end > there) {
        bg_io_set_cut_short(fits ? end : G_MAXUINT64, there, error);
        return NULL;
    }
    return bg_source_skip(source, start, error) ? g_steal_pointer(&source) : NULL;
}

static BgLoaded *
minc1_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgMinc minc = { 0 };
    BgLoaded *loaded = NULL;
    guint64 begin;

    if (parse(path, &minc, &begin, info, cancellable, error) &&
        bg_raw_check_frame(info, params, error)) {
        BgSource *source = open_frame(path, &minc, begin, info, params->frame, cancellable, error);
        if (source != NULL)
            loaded = bg_minc_load(&minc, source, g_steal_pointer(&info), params, progress, error);
    }
    bg_minc_clear(&minc);
    return loaded;
}

const BgReader bg_reader_minc1 = {
    .name = "MINC 1",
    .sniff = minc1_sniff,
    .probe = minc1_probe,
    .load = minc1_load,
};
