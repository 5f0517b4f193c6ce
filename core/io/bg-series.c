// SPDX-License-Identifier: Apache-2.0
#include "bg-series.h"

#include "bg-io-wire-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define MAX_LINE (64u << 10)
#define MAX_TOKEN (32u << 20)

typedef struct {
    const char *name;
    gsize offset;
} Text;

#define TEXT(member)                               \
    {                                              \
#member, G_STRUCT_OFFSET(BgSeries, member) \
    }

static const Text texts[] = {
    TEXT(key),
    TEXT(uid),
    TEXT(description),
    TEXT(modality),
    TEXT(date),
    TEXT(body_part),
    TEXT(patient_name),
    TEXT(patient_id),
    TEXT(study_uid),
    TEXT(patient_birth_date),
    TEXT(patient_sex),
    TEXT(study_date),
    TEXT(study_time),
    TEXT(study_description),
    TEXT(accession_number),
    TEXT(frame_of_reference),
    TEXT(b_values),
    TEXT(plane),
};

// May be missing.
static const Text optional_texts[] = { TEXT(frame_kind), TEXT(referenced_uid), TEXT(token) };

static const Text numbers[] = { TEXT(number), TEXT(n_slices), TEXT(n_frames), TEXT(n_files) };

// The counted struct around the public one.
typedef struct {
    BgSeries series;
    gatomicrefcount ref_count;
} Counted;

BgSeries *
bg_series_new(void)
{
    Counted *self = g_new0(Counted, 1);

    g_atomic_ref_count_init(&self->ref_count);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        G_STRUCT_MEMBER(char *, &self->series, texts[i].offset) = g_strdup("");
    self->series.badges = g_ptr_array_new_with_free_func(g_free);
    self->series.warnings = g_ptr_array_new_with_free_func(g_free);
    self->series.n_frames = 1;
    self->series.loadable = TRUE;
    return &self->series;
}

BgSeries *
bg_series_ref(BgSeries *series)
{
    g_return_val_if_fail(series != NULL, NULL);

    g_atomic_ref_count_inc(&((Counted *) series)->ref_count);
    return series;
}

void
bg_series_unref(BgSeries *series)
{
    g_return_if_fail(series != NULL);

    if (!g_atomic_ref_count_dec(&((Counted *) series)->ref_count))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(G_STRUCT_MEMBER(char *, series, texts[i].offset));
    for (gsize i = 0; i < G_N_ELEMENTS(optional_texts); i++)
        g_free(G_STRUCT_MEMBER(char *, series, optional_texts[i].offset));
    g_ptr_array_unref(series->badges);
    g_ptr_array_unref(series->warnings);
    g_free(series);
}

static void
set_text(BgJson *json, const Text *text, const BgSeries *series)
{
    const char *value = G_STRUCT_MEMBER(char *, series, text->offset);
    g_autofree char *valid = value != NULL ? g_utf8_make_valid(value, -1) : NULL;

    if (valid != NULL)
        bg_json_set_string(json, text->name, valid);
}

BgJson *
bg_series_to_json(const BgSeries *series)
{
    BgJson *json = bg_json_new_object(), *dims = bg_json_new_array();

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        set_text(json, &texts[i], series);
    for (gsize i = 0; i < G_N_ELEMENTS(optional_texts); i++)
        set_text(json, &optional_texts[i], series);
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        bg_json_set_integer(json, numbers[i].name, G_STRUCT_MEMBER(int, series, numbers[i].offset));
    for (int i = 0; i < 3; i++)
        bg_json_append(dims, bg_json_new_integer(series->dims[i]));
    bg_json_set(json, "dims", dims);
    bg_json_set_integer(json, "kind", series->kind);
    bg_json_set_boolean(json, "loadable", series->loadable);
    bg_json_set_doubles(json, "spacing_mm", series->spacing_mm, 3);
    bg_json_set_integer(json, "n_bytes", (gint64) MIN(series->n_bytes, (guint64) G_MAXINT64));
    bg_json_set(json, "badges", bg_wire_texts_to_json(series->badges));
    bg_json_set(json, "warnings", bg_wire_texts_to_json(series->warnings));
    return json;
}

static gboolean
read_numbers(const BgJson *json, BgSeries *series)
{
    const BgJson *dims = bg_json_get(json, "dims");
    int kind;

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        gint64 low = numbers[i].offset == G_STRUCT_OFFSET(BgSeries, number) ? G_MININT : 0;
        if (!bg_wire_get_int(json, numbers[i].name, low, G_MAXINT,
                             &G_STRUCT_MEMBER(int, series, numbers[i].offset)))
            return FALSE;
    }
    if (!bg_wire_get_int(json, "kind", 0, BG_KIND_WEIGHTS, &kind) || bg_json_count(dims) != 3 ||
        !bg_json_to_doubles(bg_json_get(json, "spacing_mm"), series->spacing_mm, 3))
        return FALSE;
    series->kind = (BgKind) kind;
    for (gsize i = 0; i < 3; i++) {
        gint64 n = bg_json_to_integer(bg_json_at(dims, i), -1);
        if (n < 0 || n > G_MAXINT || !(series->spacing_mm[i] >= 0.0))
            return FALSE;
        series->dims[i] = (int) n;
    }
    gint64 n_bytes = bg_json_to_integer(bg_json_get(json, "n_bytes"), -1);
    series->n_bytes = (guint64) MAX(n_bytes, 0);
    return n_bytes >= 0;
}

BgSeries *
bg_series_from_json(const BgJson *json, GError **error)
{
    g_autoptr(BgSeries) series = bg_series_new();

    if (!read_numbers(json, series)) {
        bg_wire_refuse("series", error);
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        char **text = &G_STRUCT_MEMBER(char *, series, texts[i].offset);
        g_free(*text);
        *text = bg_wire_get_text(json, texts[i].name, MAX_LINE);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(optional_texts); i++) {
        if (bg_json_get(json, optional_texts[i].name) != NULL)
            G_STRUCT_MEMBER(char *, series, optional_texts[i].offset) =
                bg_wire_get_text(json, optional_texts[i].name, MAX_TOKEN);
    }
    series->loadable = bg_json_to_boolean(bg_json_get(json, "loadable"), FALSE);
    bg_wire_take_texts(bg_json_get(json, "badges"), series->badges);
    bg_wire_take_texts(bg_json_get(json, "warnings"), series->warnings);
    return g_steal_pointer(&series);
}

static BgSeries *
find_named(GPtrArray *list, const char *name)
{
    BgSeries *found = NULL;

    for (guint i = 0; i < list->len; i++) {
        BgSeries *series = list->pdata[i];
        if (strcmp(series->key, name) == 0)
            return series;
        if (strcmp(series->uid, name) == 0 &&
            (found == NULL || (!found->loadable && series->loadable)))
            found = series;
    }
    return found;
}

BgSeries *
bg_series_find(GPtrArray *list, const char *name, GError **error)
{
    g_return_val_if_fail(list != NULL && name != NULL, NULL);

    guint64 place;
    BgSeries *found = find_named(list, name);
    if (found == NULL && list->len > 0 &&
        g_ascii_string_to_unsigned(name, 10, 0, list->len - 1, &place, NULL))
        found = list->pdata[place];
    if (found != NULL)
        return found;

    g_autoptr(GString) there = g_string_new(NULL);
    for (guint i = 0; i < MIN(list->len, 10); i++) {
        const BgSeries *series = list->pdata[i];
        g_string_append_printf(there, "%s%u %s “%s”", i > 0 ? ", " : "", i, series->modality,
                               series->description);
    }
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("there is no series “%s” among %u. Choose one of: %s"), name, list->len,
                there->str);
    return NULL;
}
