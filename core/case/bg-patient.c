// SPDX-License-Identifier: Apache-2.0
#include "bg-layer.h"

#include "core/base/bg-i18n.h"

#include <string.h>

void
bg_layer_set_string(char **member, const char *value)
{
    char *copy = value != NULL ? g_utf8_make_valid(value, -1) : g_strdup("");

    g_free(*member);
    *member = copy;
}

void
bg_patient_init(BgPatient *patient)
{
    *patient = (BgPatient){ g_strdup(""), g_strdup(""), g_strdup(""), g_strdup(""), g_strdup("") };
}

void
bg_patient_clear(BgPatient *patient)
{
    g_clear_pointer(&patient->name, g_free);
    g_clear_pointer(&patient->id, g_free);
    g_clear_pointer(&patient->issuer, g_free);
    g_clear_pointer(&patient->birth_date, g_free);
    g_clear_pointer(&patient->sex, g_free);
}

void
bg_patient_copy(const BgPatient *from, BgPatient *to)
{
    bg_layer_set_string(&to->name, from->name);
    bg_layer_set_string(&to->id, from->id);
    bg_layer_set_string(&to->issuer, from->issuer);
    bg_layer_set_string(&to->birth_date, from->birth_date);
    bg_layer_set_string(&to->sex, from->sex);
}

// Letters and digits, folded: "DOE^JANE" is "Doe, Jane", "1961-03-02" is "19610302".
static char *
fold(const char *text)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    g_autofree char *normal = g_utf8_normalize(folded, -1, G_NORMALIZE_ALL);
    GString *result = g_string_new(NULL);

    for (const char *at = normal != NULL ? normal : ""; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (g_unichar_isalnum(c))
            g_string_append_unichar(result, c);
    }
    return g_string_free(result, FALSE);
}

gboolean
bg_patient_is_known(const BgPatient *patient)
{
    g_autofree char *name = fold(patient->name);
    g_autofree char *id = fold(patient->id);

    return *name != '\0' || *id != '\0';
}

char *
bg_format_date(const char *date)
{
    if (date == NULL)
        return g_strdup("");

    gboolean plain = strlen(date) == 8;
    for (int i = 0; plain && i < 8; i++)
        plain = g_ascii_isdigit(date[i]);
    return plain ? g_strdup_printf("%.4s-%.2s-%.2s", date, date + 4, date + 6) : g_strdup(date);
}

char *
bg_patient_describe(const BgPatient *patient)
{
    g_autofree char *date = bg_format_date(patient->birth_date);
    g_autofree char *born = date[0] != '\0' ? g_strdup_printf(_("born %s"), date)
                                            : g_strdup(_("birth date not in the file"));
    const char *name = patient->name[0] != '\0' ? patient->name : _("name not in the file");
    // The same word twice tells no more than once.
    gboolean numbered = patient->id[0] != '\0' && strcmp(patient->id, patient->name) != 0;

    return g_strjoin(", ", name, numbered ? patient->id : born, numbered ? born : NULL, NULL);
}

typedef enum {
    UNKNOWN, // one of the two does not say
    EQUAL,
    DIFFERENT,
} Comparison;

static Comparison
compare(const char *a, const char *b)
{
    g_autofree char *first = fold(a);
    g_autofree char *second = fold(b);

    if (*first == '\0' || *second == '\0')
        return UNKNOWN;
    return g_str_equal(first, second) ? EQUAL : DIFFERENT;
}

gboolean
bg_patient_same(const BgPatient *a, const BgPatient *b)
{
    if (!bg_patient_is_known(a) || !bg_patient_is_known(b))
        return TRUE;

    Comparison id = compare(a->id, b->id);
    Comparison issuer = compare(a->issuer, b->issuer);
    Comparison name = compare(a->name, b->name);
    Comparison birth = compare(a->birth_date, b->birth_date);
    if (id == DIFFERENT || name == DIFFERENT || birth == DIFFERENT)
        return FALSE;
    if (id == EQUAL)
        return issuer != DIFFERENT;

    // The name alone tells two people apart only where neither file could have said more.
    g_autofree char *a_id = fold(a->id);
    g_autofree char *b_id = fold(b->id);
    g_autofree char *a_birth = fold(a->birth_date);
    g_autofree char *b_birth = fold(b->birth_date);
    gboolean no_more = *a_id == '\0' && *b_id == '\0' && *a_birth == '\0' && *b_birth == '\0';
    return name == EQUAL && (birth == EQUAL || no_more);
}
