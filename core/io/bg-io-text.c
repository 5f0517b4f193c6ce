// SPDX-License-Identifier: Apache-2.0
#include "bg-io-text.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER (4u << 20)
#define HEADER_STEP (16u << 10)
#define TEXT_BLOCK (64u << 10)
#define MAX_TOKEN 63 // characters of a number
#define MAX_NUMBER_WIDTH 16
#define MAX_SHOWN 50 // bytes of a file in a message

typedef struct {
    BgSource *inner; // owned
    BgRawType type;
    gsize n_block, at;
    char block[TEXT_BLOCK];
} TextSource;

static void
text_source_free(gpointer data)
{
    TextSource *self = data;

    bg_source_free(self->inner);
    g_free(self);
}

// -1 an error, 0 the end, 1 a character
static int
next_char(TextSource *self, char *c, GError **error)
{
    if (self->at == self->n_block) {
        gssize n = bg_source_read_some(self->inner, self->block, sizeof self->block, error);
        if (n <= 0)
            return (int) n;
        self->n_block = (gsize) n;
        self->at = 0;
    }
    *c = self->block[self->at++];
    return 1;
}

static gboolean
is_separator(char c)
{
    return g_ascii_isspace(c) || c == ',';
}

// The next number's characters; 0 at the end, -1 with an error.
static int
next_token(TextSource *self, char token[MAX_TOKEN + 1], GError **error)
{
    int n = 0, got;
    char c = '\0';

    while ((got = next_char(self, &c, error)) == 1) {
        if (is_separator(c)) {
            if (n > 0)
                break;
            continue;
        }
        if (n == MAX_TOKEN) {
            token[MAX_TOKEN] = '\0';
            g_autofree char *shown = bg_io_show(token);
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the data in text hold “%s”, which is no number. Get the file again"),
                        shown);
            return -1;
        }
        token[n++] = c;
    }
    token[n] = '\0';
    return got < 0 ? -1 : n;
}

#define IS_WHOLE_uint8 TRUE
#define IS_WHOLE_int8 TRUE
#define IS_WHOLE_int16 TRUE
#define IS_WHOLE_uint16 TRUE
#define IS_WHOLE_int32 TRUE
#define IS_WHOLE_uint32 TRUE
#define IS_WHOLE_int64 TRUE
#define IS_WHOLE_uint64 TRUE
#define IS_WHOLE_float32 FALSE
#define IS_WHOLE_float64 FALSE

static gboolean
parse_token(const char *token, BgRawType type, guint8 *to, GError **error)
{
    char *end = NULL;
    gboolean good = FALSE;

    errno = 0;
#define CASE(TYPE, name, ctype)                                                             \
    case TYPE: {                                                                            \
        ctype value;                                                                        \
        if (!IS_WHOLE_##name) {                                                             \
            value = (ctype) g_ascii_strtod(token, &end);                                    \
            good = *end == '\0';                                                            \
        } else if (token[0] == '-') {                                                       \
            gint64 whole = g_ascii_strtoll(token, &end, 10);                                \
            value = (ctype) whole;                                                          \
            good = *end == '\0' && errno == 0 && (ctype) -1 < 0 && (gint64) value == whole; \
        } else {                                                                            \
            guint64 whole = g_ascii_strtoull(token, &end, 10);                              \
            value = (ctype) whole;                                                          \
            good = *end == '\0' && errno == 0 && value >= 0 && (guint64) value == whole;    \
        }                                                                                   \
        memcpy(to, &value, sizeof value);                                                   \
        break;                                                                              \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits"
    switch (type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#pragma GCC diagnostic pop
#undef CASE
    if (!good) {
        g_autofree char *shown = bg_io_show(token);
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the data in text hold “%s”, which is no %s. Get the file again"), shown,
                    bg_raw_type_name(type));
    }
    return good;
}

static gssize
ascii_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    TextSource *self = user_data;
    gsize size = bg_raw_type_size(self->type), done = 0;
    char token[MAX_TOKEN + 1];

    // Whoever reads asks for whole values.
    while (done + size <= n_bytes) {
        int n = next_token(self, token, error);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        if (!parse_token(token, self->type, data + done, error))
            return -1;
        done += size;
    }
    return (gssize) done;
}

static gssize
hex_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    TextSource *self = user_data;
    gsize done = 0;

    while (done < n_bytes) {
        int digits[2], n = 0, got = 1;
        char c = '\0';
        while (n < 2 && (got = next_char(self, &c, error)) == 1) {
            if (g_ascii_isspace(c))
                continue;
            digits[n] = g_ascii_xdigit_value(c);
            if (digits[n++] < 0) {
                g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the data in hexadecimal hold a character of code %d"), (guint8) c);
                return -1;
            }
        }
        if (got < 0)
            return -1;
        if (n < 2)
            break;
        data[done++] = (guint8) (digits[0] << 4 | digits[1]);
    }
    return (gssize) done;
}

static BgSource *
text_source_new(BgSource *inner, BgRawType type, BgSourceRead read, guint64 limit)
{
    TextSource *self = g_new0(TextSource, 1);

    self->inner = inner;
    self->type = type;
    return bg_source_new_custom(read, limit, self, text_source_free);
}

BgSource *
bg_source_new_ascii(BgSource *inner, BgRawType type)
{
    // A number and its blank take two bytes at least.
    guint64 limit = bg_source_get_limit(inner) / 2 + 1;

    limit = limit > G_MAXUINT64 / 8 ? G_MAXUINT64 : limit * bg_raw_type_size(type);
    return text_source_new(inner, type, ascii_read, limit);
}

BgSource *
bg_source_new_hex(BgSource *inner)
{
    return text_source_new(inner, BG_RAW_UINT8, hex_read, bg_source_get_limit(inner) / 2);
}

char *
bg_io_read_header(const char *path, gsize (*is_end)(const char *text, gsize length), gsize *length,
                  GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (source == NULL)
        return NULL;
    for (;;) {
        guint8 step[HEADER_STEP];
        gssize n = bg_source_read_some(source, step, sizeof step, error);
        if (n < 0)
            return NULL;
        g_byte_array_append(bytes, step, (guint) n);
        gsize end = is_end((const char *) bytes->data, bytes->len);
        if (end > 0 || n < (gssize) sizeof step) {
            *length = end > 0 ? end : bytes->len;
            return g_strndup((const char *) bytes->data, *length);
        }
        if (bytes->len > MAX_HEADER) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the header has no end within %u bytes. Get the file again"), MAX_HEADER);
            return NULL;
        }
    }
}

int
bg_io_parse_doubles(const char *text, double *values, int most)
{
    int n = 0;

    for (;;) {
        char *end;
        while (is_separator(*text))
            text++;
        if (*text == '\0')
            return n;
        double value = g_ascii_strtod(text, &end);
        if (end == text || n == most)
            return -1;
        values[n++] = value;
        text = end;
    }
}

gboolean
bg_io_parse_int(const char *text, gint64 *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoll(text, &end, 10);
    while (g_ascii_isspace(*end))
        end++;
    return errno == 0 && end != text && *end == '\0';
}

char *
bg_io_expand_pattern(const char *pattern, gint64 number)
{
    const char *percent = strchr(pattern, '%');

    if (percent == NULL)
        return NULL;
    const char *at = percent + 1;
    gboolean zeros = *at == '0';
    long width = 0;
    for (; g_ascii_isdigit(*at); at++)
        width = MIN(width * 10 + (*at - '0'), 1000);
    if ((*at != 'd' && *at != 'u' && *at != 'i') || width > MAX_NUMBER_WIDTH ||
        strchr(at, '%') != NULL)
        return NULL;

    // Filled in by hand: a format that came from a file is never handed to printf.
    g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, number);
    g_autoptr(GString) name = g_string_new_len(pattern, percent - pattern);
    for (long n = (long) strlen(digits); n < width; n++)
        g_string_append_c(name, zeros ? '0' : ' ');
    g_string_append(name, digits);
    g_string_append(name, at + 1);
    return g_string_free(g_steal_pointer(&name), FALSE);
}

char *
bg_io_show(const char *text)
{
    g_autofree char *start = g_strndup(text, MAX_SHOWN);
    char *valid = g_utf8_make_valid(start, -1);

    for (char *c = valid; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c))
            *c = '?';
    }
    return valid;
}

gboolean
bg_io_bad_field(const char *field, const char *value, GError **error)
{
    g_autofree char *shown = bg_io_show(value);

    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header's field “%s” has the value “%s”, which makes no sense there. Get "
                  "the file again"),
                field, shown);
    return FALSE;
}

static gboolean
leads_out(const char *name)
{
    g_auto(GStrv) parts = g_strsplit_set(name, "/\\", -1);

    return g_path_is_absolute(name) || g_strv_contains((const char *const *) parts, "..");
}

char *
bg_io_resolve(const char *header_path, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(header_path);

    if (!leads_out(name))
        return g_build_filename(folder, name, NULL);
    const char *last = MAX(strrchr(name, '/'), strrchr(name, '\\'));
    return g_build_filename(folder, last != NULL ? last + 1 : name, NULL);
}
