// SPDX-License-Identifier: Apache-2.0
// NRRD, attached and detached. Fields: "Definition of NRRD File Format" (teem.sourceforge.net).
#include "bg-io-text.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_AXES 16 // as teem has it
#define MAX_FILES 100000
#define MAX_NUMBER 1e9 // in the name of a file
#define MAX_BEYOND \
    (64u << 20) // unpacked bytes before the data, where they are counted from the end

typedef enum { ENCODING_RAW, ENCODING_GZIP, ENCODING_ASCII, ENCODING_HEX } Encoding;

typedef struct {
    gint64 size;
    char *kind;     // owned, nullable; small letters
    double spacing; // NaN: not given
    double min;     // NaN: not given
    gboolean cell;  // min is a border, not a centre
    gboolean has_vector;
    double vector[4]; // space direction; not had: "none"
} Axis;

typedef struct {
    int n_axes;
    Axis axes[MAX_AXES];
    gboolean has_type, has_sizes, has_directions;
    BgRawType type;
    Encoding encoding;
    gboolean big_endian, has_endian;
    int space_dimension;
    char *space; // owned, nullable; small letters
    double origin[4];
    double unit_mm[4];
    gint64 line_skip, byte_skip;
    gboolean detached;
    GPtrArray *files; // owned: paths; empty: the data follow the header
    gint64 sub_dimension;
    guint64 header_length;
    gint64 pattern[3];
    char *file_pattern; // owned, nullable
} Nrrd;

static Nrrd *
nrrd_new(void)
{
    Nrrd *n = g_new0(Nrrd, 1);

    n->files = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < MAX_AXES; i++)
        n->axes[i].spacing = n->axes[i].min = NAN;
    for (int i = 0; i < 4; i++)
        n->unit_mm[i] = 1.0;
    return n;
}

static void
nrrd_free(Nrrd *n)
{
    for (int i = 0; i < MAX_AXES; i++)
        g_free(n->axes[i].kind);
    g_free(n->space);
    g_free(n->file_pattern);
    g_ptr_array_unref(n->files);
    g_free(n);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Nrrd, nrrd_free)

static gboolean
nrrd_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 8 && memcmp(bytes, "NRRD000", 7) == 0;
}

static gboolean
bad_field(const char *field, const char *value, GError **error)
{
    g_autofree char *shown = bg_io_show(value);

    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header's field “%s” has the value “%s”, which makes no sense there. Get "
                  "the file again"),
                field, shown);
    return FALSE;
}

// The header ends at the first empty line; in a detached one at its end.
static gsize
header_end(const char *text, gsize length)
{
    for (gsize at = 0; at < length;) {
        const char *newline = memchr(text + at, '\n', length - at);
        if (newline == NULL)
            return 0;
        gsize n = (gsize) (newline - (text + at));
        if (n == 0 || (n == 1 && text[at] == '\r'))
            return at + n + 1;
        at += n + 1;
    }
    return 0;
}

static gboolean
parse_type(Nrrd *n, const char *value, GError **error)
{
    static const struct {
        const char *names;
        BgRawType type;
    } types[] = {
        { "|signed char|int8|int8_t|", BG_RAW_INT8 },
        { "|uchar|unsigned char|uint8|uint8_t|", BG_RAW_UINT8 },
        { "|short|short int|signed short|signed short int|int16|int16_t|", BG_RAW_INT16 },
        { "|ushort|unsigned short|unsigned short int|uint16|uint16_t|", BG_RAW_UINT16 },
        { "|int|signed int|int32|int32_t|", BG_RAW_INT32 },
        { "|uint|unsigned int|uint32|uint32_t|", BG_RAW_UINT32 },
        { "|longlong|long long|long long int|signed long long|signed long long int|int64|int64_t|",
          BG_RAW_INT64 },
        { "|ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t|", BG_RAW_UINT64 },
        { "|float|", BG_RAW_FLOAT32 },
        { "|double|", BG_RAW_FLOAT64 },
    };
    g_autofree char *small = g_ascii_strdown(value, -1);
    g_autofree char *wanted = g_strdup_printf("|%s|", small);

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strstr(types[i].names, wanted) != NULL) {
            n->type = types[i].type;
            n->has_type = TRUE;
            return TRUE;
        }
    }
    if (strcmp(small, "block") == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its voxels are blocks of bytes without a meaning, which bregma does "
                              "not read. Convert it to a type of number"));
        return FALSE;
    }
    return bad_field("type", value, error);
}

static gboolean
parse_encoding(Nrrd *n, const char *value, GError **error)
{
    g_autofree char *small = g_ascii_strdown(value, -1);

    if (strcmp(small, "raw") == 0) {
        n->encoding = ENCODING_RAW;
    } else if (strcmp(small, "gz") == 0 || strcmp(small, "gzip") == 0) {
        n->encoding = ENCODING_GZIP;
    } else if (strcmp(small, "txt") == 0 || strcmp(small, "text") == 0 ||
               strcmp(small, "ascii") == 0) {
        n->encoding = ENCODING_ASCII;
    } else if (strcmp(small, "hex") == 0) {
        n->encoding = ENCODING_HEX;
    } else if (strcmp(small, "bz2") == 0 || strcmp(small, "bzip2") == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its data are packed by bzip2, which bregma does not read. Save it "
                              "with gzip encoding"));
        return FALSE;
    } else {
        return bad_field("encoding", value, error);
    }
    return TRUE;
}

static gboolean
parse_dimension(Nrrd *n, const char *value, GError **error)
{
    gint64 number;

    if (!bg_io_parse_int(value, &number) || number < 1 || number > MAX_AXES)
        return bad_field("dimension", value, error);
    n->n_axes = (int) number;
    return TRUE;
}

static gboolean
parse_sizes(Nrrd *n, const char *value, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);
    int found = 0;

    for (char **word = words; *word != NULL; word++) {
        gint64 size;
        if (**word == '\0')
            continue;
        if (found == n->n_axes || !bg_io_parse_int(*word, &size) || size < 1 || size > G_MAXINT)
            return bad_field("sizes", value, error);
        n->axes[found++].size = size;
    }
    n->has_sizes = found == n->n_axes;
    return n->has_sizes || bad_field("sizes", value, error);
}

// One number an axis; "nan" where there is none.
static gboolean
parse_per_axis(Nrrd *n, const char *field, const char *value, gsize member, GError **error)
{
    double numbers[MAX_AXES];

    if (bg_io_parse_doubles(value, numbers, MAX_AXES) != n->n_axes)
        return bad_field(field, value, error);
    for (int i = 0; i < n->n_axes; i++)
        G_STRUCT_MEMBER(double, &n->axes[i], member) = numbers[i];
    return TRUE;
}

// The words of a field that has one word an axis; a word may be quoted.
static GPtrArray *
split_words(const char *value)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    while (*value != '\0' && words->len <= MAX_AXES) {
        if (g_ascii_isspace(*value)) {
            value++;
            continue;
        }
        gboolean quoted = *value == '"';
        const char *start = quoted ? value + 1 : value;
        gsize length = quoted ? strcspn(start, "\"") : strcspn(start, " \t");
        g_ptr_array_add(words, g_strndup(start, length));
        value = start + length + (quoted && start[length] == '"' ? 1 : 0);
    }
    return words;
}

static void
parse_kinds(Nrrd *n, const char *value)
{
    g_autoptr(GPtrArray) words = split_words(value);

    for (guint i = 0; i < MIN(words->len, (guint) n->n_axes); i++) {
        g_free(n->axes[i].kind);
        n->axes[i].kind = g_ascii_strdown(g_ptr_array_index(words, i), -1);
    }
}

static void
parse_centers(Nrrd *n, const char *value)
{
    g_autoptr(GPtrArray) words = split_words(value);

    for (guint i = 0; i < MIN(words->len, (guint) n->n_axes); i++)
        n->axes[i].cell = g_ascii_strcasecmp(g_ptr_array_index(words, i), "cell") == 0;
}

static void
parse_space_units(Nrrd *n, const char *value)
{
    static const struct {
        const char *name;
        double mm;
    } units[] = { { "mm", 1 },     { "millimeter", 1 }, { "cm", 10 },       { "m", 1000 },
                  { "um", 0.001 }, { "µm", 0.001 },     { "micron", 0.001 } };
    g_autoptr(GPtrArray) words = split_words(value);

    for (guint i = 0; i < MIN(words->len, 4); i++) {
        for (gsize u = 0; u < G_N_ELEMENTS(units); u++) {
            if (strcmp(g_ptr_array_index(words, i), units[u].name) == 0)
                n->unit_mm[i] = units[u].mm;
        }
    }
}

// "(a,b,c)" into at most 4 numbers. Returns where it ends, or NULL.
static const char *
parse_vector(const char *text, double *values, int expected)
{
    const char *end = *text == '(' ? strchr(text, ')') : NULL;

    if (end == NULL)
        return NULL;
    g_autofree char *inner = g_strndup(text + 1, (gsize) (end - text - 1));
    return bg_io_parse_doubles(inner, values, 4) == expected ? end + 1 : NULL;
}

static gboolean
parse_directions(Nrrd *n, const char *value, GError **error)
{
    const char *at = value;

    for (int i = 0; i < n->n_axes; i++) {
        while (g_ascii_isspace(*at))
            at++;
        n->axes[i].has_vector = FALSE;
        if (g_ascii_strncasecmp(at, "none", 4) == 0) {
            at += 4;
            continue;
        }
        at = parse_vector(at, n->axes[i].vector, n->space_dimension);
        if (at == NULL)
            return bad_field("space directions", value, error);
        n->axes[i].has_vector = TRUE;
    }
    n->has_directions = TRUE;
    return TRUE;
}

static gboolean
parse_space(Nrrd *n, const char *value, GError **error)
{
    g_free(n->space);
    n->space = g_ascii_strdown(value, -1);
    n->space_dimension = g_str_has_suffix(n->space, "-time") || strlen(n->space) == 4 ? 4 : 3;
    return TRUE;
}

static gboolean
parse_space_dimension(Nrrd *n, const char *value, GError **error)
{
    gint64 number;

    if (!bg_io_parse_int(value, &number) || number < 1 || number > 4)
        return bad_field("space dimension", value, error);
    n->space_dimension = (int) number;
    return TRUE;
}

// "NAME", "PATTERN MIN MAX STEP [SUBDIM]" or "LIST [SUBDIM]"
static gboolean
parse_data_file(Nrrd *n, const char *value, const char *header_path, gboolean *list, GError **error)
{
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    guint n_words = g_strv_length(words);

    if (n_words == 0)
        return bad_field("data file", value, error);
    n->detached = TRUE;
    *list = strcmp(words[0], "LIST") == 0;
    if (*list) {
        if (n_words > 1 && !bg_io_parse_int(words[1], &n->sub_dimension))
            return bad_field("data file", value, error);
        return TRUE;
    }
    if (n_words >= 4 && strchr(words[0], '%') != NULL) {
        for (int i = 0; i < 3; i++) {
            if (!bg_io_parse_int(words[1 + i], &n->pattern[i]))
                return bad_field("data file", value, error);
        }
        if (n_words > 4 && !bg_io_parse_int(words[4], &n->sub_dimension))
            return bad_field("data file", value, error);
        gint64 low = n->pattern[0], high = n->pattern[1], step = n->pattern[2];
        if (step == 0 || ABS((double) low) > MAX_NUMBER || ABS((double) high) > MAX_NUMBER ||
            ABS((double) high - (double) low) > (double) MAX_FILES || (step > 0) != (high >= low))
            return bad_field("data file", value, error);
        for (gint64 i = low; step > 0 ? i <= high : i >= high; i += step) {
            g_autofree char *name = bg_io_expand_pattern(words[0], i);
            if (name == NULL)
                return bad_field("data file", value, error);
            g_ptr_array_add(n->files, bg_io_resolve(header_path, name));
            if (ABS((double) step) > (double) MAX_FILES)
                break;
        }
        return TRUE;
    }
    g_ptr_array_add(n->files, bg_io_resolve(header_path, value));
    return TRUE;
}

// "\n" and "\\" of key/value pairs
static char *
unescape(const char *text)
{
    GString *plain = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && text[1] == 'n') {
            g_string_append_c(plain, '\n');
            text++;
        } else if (text[0] == '\\' && text[1] == '\\') {
            g_string_append_c(plain, '\\');
            text++;
        } else {
            g_string_append_c(plain, *text);
        }
    }
    return g_string_free(plain, FALSE);
}

static void
take_key(const char *key, const char *raw, BgFileInfo *info)
{
    g_autofree char *value = unescape(raw);

    if (strcmp(key, "bregma_provenance") == 0) {
        g_free(info->provenance);
        info->provenance = g_utf8_make_valid(value, -1);
    } else if (strcmp(key, "bregma_modality") == 0) {
        g_autofree char *unit = g_strdup(info->unit), *valid = g_utf8_make_valid(value, -1);
        bg_file_info_set_modality(info, valid, unit);
    } else if (strcmp(key, "bregma_unit") == 0) {
        g_autofree char *modality = g_strdup(info->modality), *valid = g_utf8_make_valid(value, -1);
        bg_file_info_set_modality(info, modality, valid);
    } else if ((strcmp(key, "bregma_kind") == 0 && strcmp(value, "labels") == 0) ||
               strcmp(key, "Segment0_ID") == 0 || strcmp(key, "Segment0_LabelValue") == 0) {
        info->kind = BG_KIND_LABELS;
        info->kind_stated = TRUE;
    }
}

static gboolean
take_field(Nrrd *n, const char *field, const char *value, BgFileInfo *info, const char *header_path,
           gboolean *list, GError **error)
{
    static const char *const per_axis[] = {
        "sizes",   "spacings", "axis mins",        "axismins",
        "centers", "kinds",    "space directions", "centerings"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(per_axis); i++) {
        if (n->n_axes == 0 && strcmp(field, per_axis[i]) == 0) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the header's field “%s” comes before “dimension”. Get the file again"),
                        field);
            return FALSE;
        }
    }
    if (strcmp(field, "dimension") == 0)
        return parse_dimension(n, value, error);
    if (strcmp(field, "type") == 0)
        return parse_type(n, value, error);
    if (strcmp(field, "encoding") == 0)
        return parse_encoding(n, value, error);
    if (strcmp(field, "sizes") == 0)
        return parse_sizes(n, value, error);
    if (strcmp(field, "spacings") == 0)
        return parse_per_axis(n, field, value, G_STRUCT_OFFSET(Axis, spacing), error);
    if (strcmp(field, "axis mins") == 0 || strcmp(field, "axismins") == 0)
        return parse_per_axis(n, field, value, G_STRUCT_OFFSET(Axis, min), error);
    if (strcmp(field, "space") == 0)
        return parse_space(n, value, error);
    if (strcmp(field, "space dimension") == 0)
        return parse_space_dimension(n, value, error);
    if (strcmp(field, "space directions") == 0)
        return parse_directions(n, value, error);
    if (strcmp(field, "space origin") == 0)
        return parse_vector(value, n->origin, n->space_dimension) != NULL ||
               bad_field(field, value, error);
    if (strcmp(field, "line skip") == 0 || strcmp(field, "lineskip") == 0)
        return (bg_io_parse_int(value, &n->line_skip) && n->line_skip >= 0) ||
               bad_field(field, value, error);
    if (strcmp(field, "byte skip") == 0 || strcmp(field, "byteskip") == 0)
        return (bg_io_parse_int(value, &n->byte_skip) && n->byte_skip >= -1) ||
               bad_field(field, value, error);
    if (strcmp(field, "data file") == 0 || strcmp(field, "datafile") == 0)
        return parse_data_file(n, value, header_path, list, error);
    if (strcmp(field, "endian") == 0) {
        n->big_endian = g_ascii_strcasecmp(value, "big") == 0;
        n->has_endian = n->big_endian || g_ascii_strcasecmp(value, "little") == 0;
        return n->has_endian || bad_field(field, value, error);
    }
    if (strcmp(field, "kinds") == 0)
        parse_kinds(n, value);
    else if (strcmp(field, "centers") == 0 || strcmp(field, "centerings") == 0)
        parse_centers(n, value);
    else if (strcmp(field, "space units") == 0)
        parse_space_units(n, value);
    else if (strcmp(field, "content") == 0 && info->description == NULL)
        info->description = g_utf8_make_valid(value, -1);
    return TRUE; // the others do not bear on voxels or their places
}

static gboolean
parse_line(Nrrd *n, char *line, BgFileInfo *info, const char *header_path, gboolean *list,
           GError **error)
{
    if (*list) {
        if (*g_strstrip(line) != '\0' && n->files->len < MAX_FILES)
            g_ptr_array_add(n->files, bg_io_resolve(header_path, line));
        return TRUE;
    }
    if (line[0] == '#' || line[0] == '\0')
        return TRUE;

    // A field has ": " after its name, a key ":=" after its own; whichever comes first.
    char *colon = strchr(line, ':');
    while (colon != NULL && colon[1] != '=' && colon[1] != ' ' && colon[1] != '\0')
        colon = strchr(colon + 1, ':');
    if (colon == NULL) {
        g_autofree char *shown = bg_io_show(line);
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header has the line “%s”, which is no field. Get the file again"),
                    shown);
        return FALSE;
    }
    gboolean key = colon[1] == '=';
    *colon = '\0';
    if (key) {
        take_key(line, colon + 2, info);
        return TRUE;
    }
    g_autofree char *field = g_ascii_strdown(g_strstrip(line), -1);
    return take_field(n, field, g_strstrip(colon + 1), info, header_path, list, error);
}

static gboolean
check_header(const Nrrd *n, GError **error)
{
    const char *missing = n->n_axes == 0  ? "dimension"
                          : !n->has_type  ? "type"
                          : !n->has_sizes ? "sizes"
                                          : NULL;

    if (missing == NULL && !n->has_endian && n->encoding != ENCODING_ASCII &&
        bg_raw_type_size(n->type) > 1)
        missing = "endian";
    if (missing != NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header has no field “%s”. Get the file again"), missing);
        return FALSE;
    }
    if (n->detached && n->files->len == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the header names no data file. Get the file again"));
        return FALSE;
    }
    return TRUE;
}

static Nrrd *
parse_header(const char *path, BgFileInfo *info, GCancellable *cancellable, GError **error)
{
    gsize length;
    g_autofree char *text = bg_io_read_header(path, header_end, &length, cancellable, error);
    g_autoptr(Nrrd) n = nrrd_new();
    gboolean list = FALSE;

    if (text == NULL)
        return NULL;
    n->header_length = length;
    char *line = strchr(text, '\n');
    while (line != NULL) {
        char *next = strchr(++line, '\n');
        if (next != NULL)
            *next = '\0';
        gsize n_line = strlen(line);
        if (n_line > 0 && line[n_line - 1] == '\r')
            line[n_line - 1] = '\0';
        if (!parse_line(n, line, info, path, &list, error))
            return NULL;
        line = next;
    }
    return check_header(n, error) ? g_steal_pointer(&n) : NULL;
}

// Which axes are of space; the others are values of a voxel when before them, frames when behind.
static gboolean
is_spatial(const Nrrd *n, int axis, int n_found)
{
    static const char *const spatial[] = { "domain", "space", "???", "none", "" };
    const Axis *a = &n->axes[axis];

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
arrange(const Nrrd *n, BgFileInfo *info, BgRawLayout *layout, Arrangement *a, GError **error)
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
place(const Nrrd *n, const Arrangement *a, BgFileInfo *info, GError **error)
{
    double sign[3], at[3] = { 0, 0, 0 };
    BgVec3 columns[3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
    int n_known = 0;

    info->side_known = space_to_lps(n->space, sign) && n->has_directions;
    for (int k = 0; k < 3 && a->spatial[k] >= 0; k++) {
        const Axis *axis = &n->axes[a->spatial[k]];
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

static Nrrd *
parse(const char *path, BgFileInfo *info, BgRawLayout *layout, Arrangement *a,
      GCancellable *cancellable, GError **error)
{
    g_autoptr(Nrrd) n = parse_header(path, info, cancellable, error);

    if (n == NULL)
        return NULL;
    memset(layout, 0, sizeof *layout);
    layout->type = n->type;
    layout->slope = 1.0;
    layout->big_endian =
        n->encoding == ENCODING_ASCII ? G_BYTE_ORDER == G_BIG_ENDIAN : n->big_endian;
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
                return bad_field("byte skip", "-1", error);
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
count_bytes(const Nrrd *n, const BgFileInfo *info, const BgRawLayout *layout, guint64 *n_bytes,
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
open_data(const Nrrd *n, const char *path, guint64 n_bytes, GCancellable *cancellable,
          GError **error)
{
    const char *file = n->files->len > 0 ? g_ptr_array_index(n->files, 0) : path;
    guint64 offset = n->files->len > 0 ? 0 : n->header_length, skip = 0;
    guint64 each = n->files->len > 1 ? n_bytes / n->files->len : n_bytes;
    BgSourceCoding coding = n->encoding == ENCODING_GZIP ? BG_SOURCE_GZIP : BG_SOURCE_PLAIN;
    g_autoptr(BgSource) source = NULL;

    if (n->line_skip > 0 && !skip_lines(file, n->line_skip, &offset, cancellable, error))
        return NULL;
    if (n->byte_skip == -1 && n->encoding <= ENCODING_GZIP) {
        if (!skip_to_last(file, offset, coding, each, &skip, cancellable, error))
            return NULL;
    } else if (n->byte_skip > 0) {
        skip = (guint64) n->byte_skip;
    }

    if (n->files->len > 1) {
        if (n_bytes % n->files->len != 0 || n->encoding > ENCODING_GZIP ||
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
    if (n->encoding == ENCODING_ASCII)
        return bg_source_new_ascii(g_steal_pointer(&source), n->type);
    if (n->encoding == ENCODING_HEX)
        return bg_source_new_hex(g_steal_pointer(&source));
    return g_steal_pointer(&source);
}

static BgFileInfo *
nrrd_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    Arrangement a;
    g_autoptr(Nrrd) n = parse(path, info, &layout, &a, cancellable, error);

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
    g_autoptr(Nrrd) n = parse(path, info, &layout, &a, cancellable, error);

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
