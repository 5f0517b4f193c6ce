// SPDX-License-Identifier: Apache-2.0
// Fields: "Definition of NRRD File Format" (teem.sourceforge.net).
#include "bg-io-nrrd-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_FILES 100000
#define MAX_NUMBER 1e9 // in the name of a file

static BgNrrd *
nrrd_new(void)
{
    BgNrrd *n = g_new0(BgNrrd, 1);

    n->files = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < BG_NRRD_MAX_AXES; i++)
        n->axes[i].spacing = n->axes[i].min = NAN;
    for (int i = 0; i < 4; i++)
        n->unit_mm[i] = 1.0;
    return n;
}

void
bg_nrrd_free(BgNrrd *n)
{
    for (int i = 0; i < BG_NRRD_MAX_AXES; i++)
        g_free(n->axes[i].kind);
    g_free(n->space);
    g_free(n->file_pattern);
    g_ptr_array_unref(n->files);
    g_free(n);
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
parse_type(BgNrrd *n, const char *value, GError **error)
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
    return bg_io_bad_field("type", value, error);
}

static gboolean
parse_encoding(BgNrrd *n, const char *value, GError **error)
{
    g_autofree char *small = g_ascii_strdown(value, -1);

    if (strcmp(small, "raw") == 0) {
        n->encoding = BG_NRRD_RAW;
    } else if (strcmp(small, "gz") == 0 || strcmp(small, "gzip") == 0) {
        n->encoding = BG_NRRD_GZIP;
    } else if (strcmp(small, "txt") == 0 || strcmp(small, "text") == 0 ||
               strcmp(small, "ascii") == 0) {
        n->encoding = BG_NRRD_ASCII;
    } else if (strcmp(small, "hex") == 0) {
        n->encoding = BG_NRRD_HEX;
    } else if (strcmp(small, "bz2") == 0 || strcmp(small, "bzip2") == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its data are packed by bzip2, which bregma does not read. Save it "
                              "with gzip encoding"));
        return FALSE;
    } else {
        return bg_io_bad_field("encoding", value, error);
    }
    return TRUE;
}

static gboolean
parse_dimension(BgNrrd *n, const char *value, GError **error)
{
    gint64 number;

    // Said twice, it is said once: the fields of the axes follow from it.
    if (!bg_io_parse_int(value, &number) || number < 1 || number > BG_NRRD_MAX_AXES ||
        (n->n_axes != 0 && number != n->n_axes))
        return bg_io_bad_field("dimension", value, error);
    n->n_axes = (int) number;
    return TRUE;
}

static gboolean
parse_sizes(BgNrrd *n, const char *value, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);
    int found = 0;

    for (char **word = words; *word != NULL; word++) {
        gint64 size;
        if (**word == '\0')
            continue;
        if (found == n->n_axes || !bg_io_parse_int(*word, &size) || size < 1 || size > G_MAXINT)
            return bg_io_bad_field("sizes", value, error);
        n->axes[found++].size = size;
    }
    n->has_sizes = found == n->n_axes;
    return n->has_sizes || bg_io_bad_field("sizes", value, error);
}

// One number an axis; "nan" where there is none.
static gboolean
parse_per_axis(BgNrrd *n, const char *field, const char *value, gsize member, GError **error)
{
    double numbers[BG_NRRD_MAX_AXES];

    if (bg_io_parse_doubles(value, numbers, BG_NRRD_MAX_AXES) != n->n_axes)
        return bg_io_bad_field(field, value, error);
    for (int i = 0; i < n->n_axes; i++)
        G_STRUCT_MEMBER(double, &n->axes[i], member) = numbers[i];
    return TRUE;
}

// The words of a field that has one word an axis; a word may be quoted.
static GPtrArray *
split_words(const char *value)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    while (*value != '\0' && words->len <= BG_NRRD_MAX_AXES) {
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
parse_kinds(BgNrrd *n, const char *value)
{
    g_autoptr(GPtrArray) words = split_words(value);

    for (guint i = 0; i < MIN(words->len, (guint) n->n_axes); i++) {
        g_free(n->axes[i].kind);
        n->axes[i].kind = g_ascii_strdown(g_ptr_array_index(words, i), -1);
    }
}

static void
parse_centers(BgNrrd *n, const char *value)
{
    g_autoptr(GPtrArray) words = split_words(value);

    for (guint i = 0; i < MIN(words->len, (guint) n->n_axes); i++)
        n->axes[i].cell = g_ascii_strcasecmp(g_ptr_array_index(words, i), "cell") == 0;
}

static void
parse_space_units(BgNrrd *n, const char *value)
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
parse_directions(BgNrrd *n, const char *value, GError **error)
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
            return bg_io_bad_field("space directions", value, error);
        n->axes[i].has_vector = TRUE;
    }
    n->has_directions = TRUE;
    return TRUE;
}

static gboolean
parse_space(BgNrrd *n, const char *value, GError **error)
{
    g_free(n->space);
    n->space = g_ascii_strdown(value, -1);
    n->space_dimension = g_str_has_suffix(n->space, "-time") || strlen(n->space) == 4 ? 4 : 3;
    return TRUE;
}

static gboolean
parse_space_dimension(BgNrrd *n, const char *value, GError **error)
{
    gint64 number;

    if (!bg_io_parse_int(value, &number) || number < 1 || number > 4)
        return bg_io_bad_field("space dimension", value, error);
    n->space_dimension = (int) number;
    return TRUE;
}

// "NAME", "PATTERN MIN MAX STEP [SUBDIM]" or "LIST [SUBDIM]"
static gboolean
parse_data_file(BgNrrd *n, const char *value, const char *header_path, gboolean *list,
                GError **error)
{
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    guint n_words = g_strv_length(words);

    if (n_words == 0)
        return bg_io_bad_field("data file", value, error);
    n->detached = TRUE;
    *list = strcmp(words[0], "LIST") == 0;
    if (*list) {
        if (n_words > 1 && !bg_io_parse_int(words[1], &n->sub_dimension))
            return bg_io_bad_field("data file", value, error);
        return TRUE;
    }
    if (n_words >= 4 && strchr(words[0], '%') != NULL) {
        for (int i = 0; i < 3; i++) {
            if (!bg_io_parse_int(words[1 + i], &n->pattern[i]))
                return bg_io_bad_field("data file", value, error);
        }
        if (n_words > 4 && !bg_io_parse_int(words[4], &n->sub_dimension))
            return bg_io_bad_field("data file", value, error);
        gint64 low = n->pattern[0], high = n->pattern[1], step = n->pattern[2];
        if (step == 0 || ABS((double) low) > MAX_NUMBER || ABS((double) high) > MAX_NUMBER ||
            ABS((double) high - (double) low) > (double) MAX_FILES || (step > 0) != (high >= low))
            return bg_io_bad_field("data file", value, error);
        for (gint64 i = low; step > 0 ? i <= high : i >= high; i += step) {
            g_autofree char *name = bg_io_expand_pattern(words[0], i);
            if (name == NULL)
                return bg_io_bad_field("data file", value, error);
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
take_field(BgNrrd *n, const char *field, const char *value, BgFileInfo *info,
           const char *header_path, gboolean *list, GError **error)
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
        return parse_per_axis(n, field, value, G_STRUCT_OFFSET(BgNrrdAxis, spacing), error);
    if (strcmp(field, "axis mins") == 0 || strcmp(field, "axismins") == 0)
        return parse_per_axis(n, field, value, G_STRUCT_OFFSET(BgNrrdAxis, min), error);
    if (strcmp(field, "space") == 0)
        return parse_space(n, value, error);
    if (strcmp(field, "space dimension") == 0)
        return parse_space_dimension(n, value, error);
    if (strcmp(field, "space directions") == 0)
        return parse_directions(n, value, error);
    if (strcmp(field, "space origin") == 0)
        return parse_vector(value, n->origin, n->space_dimension) != NULL ||
               bg_io_bad_field(field, value, error);
    if (strcmp(field, "line skip") == 0 || strcmp(field, "lineskip") == 0)
        return (bg_io_parse_int(value, &n->line_skip) && n->line_skip >= 0) ||
               bg_io_bad_field(field, value, error);
    if (strcmp(field, "byte skip") == 0 || strcmp(field, "byteskip") == 0)
        return (bg_io_parse_int(value, &n->byte_skip) && n->byte_skip >= -1) ||
               bg_io_bad_field(field, value, error);
    if (strcmp(field, "data file") == 0 || strcmp(field, "datafile") == 0)
        return parse_data_file(n, value, header_path, list, error);
    if (strcmp(field, "endian") == 0) {
        n->big_endian = g_ascii_strcasecmp(value, "big") == 0;
        n->has_endian = n->big_endian || g_ascii_strcasecmp(value, "little") == 0;
        return n->has_endian || bg_io_bad_field(field, value, error);
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
parse_line(BgNrrd *n, char *line, BgFileInfo *info, const char *header_path, gboolean *list,
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
check_header(const BgNrrd *n, GError **error)
{
    const char *missing = n->n_axes == 0  ? "dimension"
                          : !n->has_type  ? "type"
                          : !n->has_sizes ? "sizes"
                                          : NULL;

    if (missing == NULL && !n->has_endian && n->encoding != BG_NRRD_ASCII &&
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

BgNrrd *
bg_nrrd_parse_header(const char *path, BgFileInfo *info, GCancellable *cancellable, GError **error)
{
    gsize length;
    g_autofree char *text = bg_io_read_header(path, header_end, &length, cancellable, error);
    g_autoptr(BgNrrd) n = nrrd_new();
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
