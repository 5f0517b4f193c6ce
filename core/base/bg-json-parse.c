// SPDX-License-Identifier: Apache-2.0
// RFC 8259 to the letter: no comments, no octal numbers, no number that does not fit a double, so
// that nothing in a file means something else here than in another program.
#include "core/base/bg-json.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *start, *at, *end; // borrowed
    guint depth;
    gsize n_values;
    GError **error;
} Parser;

// At @at, counted in bytes from 1.
static gpointer
refuse_at(const Parser *p, const char *at, const char *reason)
{
    gsize line = 1, column = 1;

    for (const char *c = p->start; c < at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    g_set_error(p->error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: the last is a sentence that says what is wrong there
                _("The text is not JSON: line %zu, column %zu: %s"), line, column, reason);
    return NULL;
}

static gpointer
refuse(const Parser *p, const char *reason)
{
    return refuse_at(p, p->at, reason);
}

static void
skip_blanks(Parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static gboolean
take(Parser *p, char wanted)
{
    if (p->at >= p->end || *p->at != wanted)
        return FALSE;
    p->at++;
    return TRUE;
}

static gboolean
take_word(Parser *p, const char *word)
{
    gsize n = strlen(word);

    if ((gsize) (p->end - p->at) < n || memcmp(p->at, word, n) != 0)
        return FALSE;
    p->at += n;
    return TRUE;
}

// Returns: how many digits
static gsize
take_digits(Parser *p)
{
    const char *from = p->at;

    while (p->at < p->end && g_ascii_isdigit(*p->at))
        p->at++;
    return (gsize) (p->at - from);
}

static BgJson *
parse_number(Parser *p)
{
    const char *from = p->at;
    gboolean whole = TRUE, negative = take(p, '-');
    gint64 integer;

    gboolean zero = p->at < p->end && *p->at == '0';
    gsize n_digits = take_digits(p);
    if (n_digits == 0)
        return refuse(p, _("A value is missing or unknown"));
    if (zero && n_digits > 1)
        return refuse_at(p, from, _("A number begins with a needless 0"));
    if (take(p, '.')) {
        whole = FALSE;
        if (take_digits(p) == 0)
            return refuse(p, _("Digits are missing"));
    }
    if (take(p, 'e') || take(p, 'E')) {
        whole = FALSE;
        if (!take(p, '+'))
            take(p, '-');
        if (take_digits(p) == 0)
            return refuse(p, _("Digits are missing"));
    }

    g_autofree char *text = g_strndup(from, (gsize) (p->at - from));
    if (whole && !(zero && negative) && // an integer has no -0
        g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
        return bg_json_new_integer(integer);

    double number = g_ascii_strtod(text, NULL);
    if (!isfinite(number))
        return refuse_at(p, from, _("The number is too large"));
    return bg_json_new_double(number);
}

// Four hexadecimal digits. Returns: -1 when they are not.
static int
take_hex(Parser *p)
{
    int code = 0;

    if (p->end - p->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(p->at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    p->at += 4;
    return code;
}

static gboolean
parse_unicode(Parser *p, GString *out)
{
    int code = take_hex(p);

    if (code >= 0xD800 && code < 0xDC00 && take_word(p, "\\u")) {
        int low = take_hex(p);
        code =
            low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
    }
    if (code <= 0 || (code >= 0xD800 && code < 0xE000)) {
        refuse(p, _("The escaped character cannot be used"));
        return FALSE;
    }
    g_string_append_unichar(out, (gunichar) code);
    return TRUE;
}

static gboolean
parse_escape(Parser *p, GString *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = p->at < p->end ? *p->at : '\0';
    const char *known = c == '\0' ? NULL : strchr(from, c);

    if (c == 'u') {
        p->at++;
        return parse_unicode(p, out);
    }
    if (known == NULL) {
        refuse(p, _("The escaped character cannot be used"));
        return FALSE;
    }
    p->at++;
    g_string_append_c(out, to[known - from]);
    return TRUE;
}

// After the opening quote. Returns: (transfer full)
static char *
parse_string(Parser *p)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (;;) {
        const char *from = p->at;
        while (p->at < p->end && *p->at != '"' && *p->at != '\\' && (guchar) *p->at >= 0x20)
            p->at++;
        g_string_append_len(out, from, p->at - from);

        if (take(p, '"'))
            return g_strdup(out->str);
        if (take(p, '\\')) {
            if (!parse_escape(p, out))
                return NULL;
        } else {
            return refuse(p, _("The quotation mark at the end is missing"));
        }
    }
}

static BgJson *parse_value(Parser *p);

static BgJson *
parse_array(Parser *p)
{
    g_autoptr(BgJson) array = bg_json_new_array();

    skip_blanks(p);
    if (take(p, ']'))
        return g_steal_pointer(&array);
    do {
        BgJson *value = parse_value(p);
        if (value == NULL)
            return NULL;
        bg_json_append(array, value);
        skip_blanks(p);
    } while (take(p, ','));
    if (!take(p, ']'))
        return refuse(p, _("A comma or ] is missing"));
    return g_steal_pointer(&array);
}

static gboolean
parse_member(Parser *p, BgJson *object)
{
    skip_blanks(p);
    const char *from = p->at;
    if (!take(p, '"'))
        return refuse(p, _("The name of a member is missing")) != NULL;
    g_autofree char *name = parse_string(p);
    if (name == NULL)
        return FALSE;
    // Which of two is meant, nobody can know.
    if (bg_json_get(object, name) != NULL)
        return refuse_at(p, from, _("The member is there twice")) != NULL;
    skip_blanks(p);
    if (!take(p, ':'))
        return refuse(p, _("A colon is missing")) != NULL;
    BgJson *value = parse_value(p);
    if (value == NULL)
        return FALSE;
    bg_json_set(object, name, value);
    skip_blanks(p);
    return TRUE;
}

static BgJson *
parse_object(Parser *p)
{
    g_autoptr(BgJson) object = bg_json_new_object();

    skip_blanks(p);
    if (take(p, '}'))
        return g_steal_pointer(&object);
    do {
        if (!parse_member(p, object))
            return NULL;
    } while (take(p, ','));
    if (!take(p, '}'))
        return refuse(p, _("A comma or } is missing"));
    return g_steal_pointer(&object);
}

static BgJson *
parse_value(Parser *p)
{
    BgJson *value;

    skip_blanks(p);
    if (++p->n_values > BG_JSON_MAX_VALUES)
        return refuse(p, _("There are too many values"));
    if (take_word(p, "null"))
        return bg_json_new_null();
    if (take_word(p, "true"))
        return bg_json_new_boolean(TRUE);
    if (take_word(p, "false"))
        return bg_json_new_boolean(FALSE);
    if (take(p, '"')) {
        g_autofree char *text = parse_string(p);
        return text == NULL ? NULL : bg_json_new_string(text);
    }
    if (p->at < p->end && *p->at != '[' && *p->at != '{')
        return parse_number(p);
    if (p->at == p->end)
        return refuse(p, _("A value is missing or unknown"));

    if (p->depth == BG_JSON_MAX_DEPTH)
        return refuse(p, _("It is nested too deeply"));
    p->depth++;
    value = *p->at++ == '[' ? parse_array(p) : parse_object(p);
    p->depth--;
    return value;
}

BgJson *
bg_json_parse(const char *text, gssize length, GError **error)
{
    const char *end;

    g_return_val_if_fail(text != NULL, NULL);

    gsize n = length < 0 ? strlen(text) : (gsize) length;
    Parser p = { .start = text, .at = text, .end = text + n, .error = error };
    if (n > BG_JSON_MAX_BYTES) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The text is not JSON: it has %zu bytes, and at most %u are read"), n,
                    BG_JSON_MAX_BYTES);
        return NULL;
    }
    if (!g_utf8_validate_len(text, n, &end))
        return refuse_at(&p, end, _("This is not UTF-8"));

    take_word(&p, "\xEF\xBB\xBF"); // a byte-order mark, as some editors write
    g_autoptr(BgJson) json = parse_value(&p);
    if (json == NULL)
        return NULL;
    skip_blanks(&p);
    if (p.at != p.end)
        return refuse(&p, _("There is something after the end"));
    return g_steal_pointer(&json);
}
