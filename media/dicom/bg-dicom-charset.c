// SPDX-License-Identifier: Apache-2.0
// PS3.3 C.12.1.1.2 and PS3.5 6.1: character sets, and the escapes by which a text changes them.
#include "bg-dicom-data.h"

#include <string.h>

#define ESCAPE '\x1b'

typedef struct {
    const char *term;
    const char *escape; // after ESC, by which ISO 2022 switches to it; NULL when it cannot
    const char *iconv_name;
    const char *shift_in; // what iconv wants before the bytes; NULL for none
} Charset;

// The Japanese, Korean and Chinese sets are read through iconv's encodings that know their bytes:
// ISO-2022-JP by its own escapes, EUC-KR and GB2312 as eight-bit codes.
static const Charset charsets[] = {
    { "ISO_IR 6", "(B", "ASCII", NULL },
    { "ISO_IR 100", "-A", "ISO-8859-1", NULL },
    { "ISO_IR 101", "-B", "ISO-8859-2", NULL },
    { "ISO_IR 109", "-C", "ISO-8859-3", NULL },
    { "ISO_IR 110", "-D", "ISO-8859-4", NULL },
    { "ISO_IR 144", "-L", "ISO-8859-5", NULL },
    { "ISO_IR 127", "-G", "ISO-8859-6", NULL },
    { "ISO_IR 126", "-F", "ISO-8859-7", NULL },
    { "ISO_IR 138", "-H", "ISO-8859-8", NULL },
    { "ISO_IR 148", "-M", "ISO-8859-9", NULL },
    { "ISO_IR 203", "-b", "ISO-8859-15", NULL },
    { "ISO_IR 13", ")I", "SHIFT_JIS", NULL },
    { "ISO_IR 13", "(J", "SHIFT_JIS", NULL },
    { "ISO_IR 166", "-T", "TIS-620", NULL },
    { "ISO_IR 87", "$B", "ISO-2022-JP", "\x1b$B" },
    { "ISO_IR 159", "$(D", "ISO-2022-JP-1", "\x1b$(D" },
    { "ISO_IR 149", "$)C", "EUC-KR", NULL },
    { "ISO_IR 58", "$)A", "GB2312", NULL },
    { "ISO_IR 192", NULL, "UTF-8", NULL },
    { "GB18030", NULL, "GB18030", NULL },
    { "GBK", NULL, "GBK", NULL },
};

static const Charset *
find_by_term(const char *term)
{
    char name[32];

    // "ISO 2022 IR 87" and "ISO-IR 100" are the same sets as "ISO_IR 87" and "ISO_IR 100".
    g_strlcpy(name, term, sizeof name);
    if (g_str_has_prefix(term, "ISO 2022 IR "))
        g_snprintf(name, sizeof name, "ISO_IR %s", term + 12);
    else if (g_str_has_prefix(term, "ISO-IR ") || g_str_has_prefix(term, "ISO IR "))
        g_snprintf(name, sizeof name, "ISO_IR %s", term + 7);
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
        if (strcmp(charsets[i].term, name) == 0)
            return &charsets[i];
    }
    return NULL;
}

static const Charset *
find_by_escape(const char *p, gsize n, gsize *length)
{
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
        const char *escape = charsets[i].escape;
        gsize m = escape != NULL ? strlen(escape) : 0;
        if (m > 0 && n >= m && memcmp(p, escape, m) == 0) {
            *length = m;
            return &charsets[i];
        }
    }
    return NULL;
}

static void
append_latin1(GString *out, const char *bytes, gsize n)
{
    for (gsize i = 0; i < n; i++)
        g_string_append_unichar(out, (guchar) bytes[i]);
}

static void
append_run(GString *out, const char *bytes, gsize n, const Charset *charset)
{
    g_autofree char *converted = NULL;
    gsize n_converted;

    if (n == 0)
        return;
    // What is no encoding at all, and the plain case, need no iconv.
    if (charset == NULL || strcmp(charset->iconv_name, "UTF-8") == 0) {
        g_autofree char *text = g_strndup(bytes, n);
        g_autofree char *valid = NULL;
        if (charset == NULL && !g_utf8_validate(text, -1, NULL)) {
            append_latin1(out, text, strlen(text)); // often Latin-1 that was not declared
            return;
        }
        valid = g_utf8_make_valid(text, -1);
        g_string_append(out, valid);
        return;
    }
    if (strcmp(charset->iconv_name, "ISO-8859-1") == 0) {
        append_latin1(out, bytes, n);
        return;
    }
    g_autoptr(GString) shifted = g_string_new(charset->shift_in);
    g_string_append_len(shifted, bytes, (gssize) n);
    converted =
        g_convert_with_fallback(shifted->str, (gssize) shifted->len, "UTF-8", charset->iconv_name,
                                "\xef\xbf\xbd", NULL, &n_converted, NULL);
    if (converted != NULL)
        g_string_append_len(out, converted, (gssize) strnlen(converted, n_converted));
    else
        append_latin1(out, bytes, n);
}

// The delimiters after which a text goes on in the first character set (PS3.5 6.1.2.5.3).
static gboolean
is_reset(char c)
{
    return c == '\\' || c == '^' || c == '=' || c == '\r' || c == '\n' || c == '\t' || c == '\f';
}

static gboolean
has_trail_bytes(const Charset *charset)
{
    return charset != NULL &&
           (strcmp(charset->term, "GB18030") == 0 || strcmp(charset->term, "GBK") == 0);
}

char *
bg_dcm_text_to_utf8(const char *bytes, gsize n_bytes, char *const *terms)
{
    const Charset *first = terms != NULL && terms[0] != NULL ? find_by_term(terms[0]) : NULL;
    const Charset *current = first;
    g_autoptr(GString) out = g_string_new(NULL);
    gsize from = 0;

    for (gsize i = 0; i < n_bytes && bytes[i] != '\0';) {
        gsize length = 0;
        const Charset *next = NULL;
        if (bytes[i] == ESCAPE)
            next = find_by_escape(bytes + i + 1, n_bytes - i - 1, &length);
        if (next != NULL) {
            append_run(out, bytes + from, i - from, current);
            i += 1 + length;
            from = i;
            // Shifting back to ASCII goes back to the first set, whose lower half that is.
            current = strcmp(next->term, "ISO_IR 6") == 0 ? first : next;
        } else if (current != first && current != NULL && is_reset(bytes[i]) &&
                   (current->shift_in == NULL || bytes[i] < ' ')) {
            append_run(out, bytes + from, i - from, current);
            from = i++;
            current = first;
        } else if (has_trail_bytes(current) && (guchar) bytes[i] >= 0x80 && i + 1 < n_bytes) {
            i += 2; // a trail byte may look like a backslash
        } else {
            i++;
        }
    }
    gsize end = strnlen(bytes, n_bytes);
    if (from < end)
        append_run(out, bytes + from, end - from, current);
    return g_strdup(g_utf8_validate(out->str, -1, NULL) ? out->str : "?");
}
