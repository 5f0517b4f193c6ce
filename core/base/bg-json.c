// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-json.h"

#include <math.h>
#include <string.h>

// From this many members on an object finds them by a table.
#define HASH_FROM 16

// The elements of an array or the members of an object, side by side.
typedef struct {
    gsize n, n_room;
    BgJson **values;   // owned, and so is each
    char **names;      // owned, NULL for an array
    GHashTable *index; // owned, nullable: name (borrowed) to position
} Children;

struct _BgJson {
    BgJsonKind kind;
    union {
        gboolean boolean;
        gint64 integer;
        double number;
        char *string;       // owned
        Children *children; // owned
    } as;
};

static BgJson *
new_kind(BgJsonKind kind)
{
    BgJson *self = g_new0(BgJson, 1);

    self->kind = kind;
    if (kind == BG_JSON_ARRAY || kind == BG_JSON_OBJECT)
        self->as.children = g_new0(Children, 1);
    return self;
}

BgJson *
bg_json_new_object(void)
{
    return new_kind(BG_JSON_OBJECT);
}

BgJson *
bg_json_new_array(void)
{
    return new_kind(BG_JSON_ARRAY);
}

BgJson *
bg_json_new_null(void)
{
    return new_kind(BG_JSON_NULL);
}

BgJson *
bg_json_new_boolean(gboolean value)
{
    BgJson *self = new_kind(BG_JSON_BOOLEAN);

    self->as.boolean = value != FALSE;
    return self;
}

BgJson *
bg_json_new_integer(gint64 value)
{
    BgJson *self = new_kind(BG_JSON_INTEGER);

    self->as.integer = value;
    return self;
}

BgJson *
bg_json_new_double(double value)
{
    BgJson *self = new_kind(isfinite(value) ? BG_JSON_DOUBLE : BG_JSON_NULL);

    if (isfinite(value))
        self->as.number = value;
    return self;
}

BgJson *
bg_json_new_string(const char *value)
{
    if (value == NULL)
        return bg_json_new_null();

    BgJson *self = new_kind(BG_JSON_STRING);
    self->as.string = g_utf8_make_valid(value, -1);
    return self;
}

BgJson *
bg_json_new_doubles(const double *values, gsize n)
{
    BgJson *self = bg_json_new_array();

    for (gsize i = 0; i < n; i++)
        bg_json_append(self, bg_json_new_double(values[i]));
    return self;
}

static gboolean
has_children(const BgJson *json)
{
    return json != NULL && (json->kind == BG_JSON_ARRAY || json->kind == BG_JSON_OBJECT);
}

void
bg_json_free(BgJson *json)
{
    if (json == NULL)
        return;
    if (json->kind == BG_JSON_STRING) {
        g_free(json->as.string);
    } else if (has_children(json)) {
        Children *children = json->as.children;
        for (gsize i = 0; i < children->n; i++) {
            bg_json_free(children->values[i]);
            if (children->names != NULL)
                g_free(children->names[i]);
        }
        g_clear_pointer(&children->index, g_hash_table_unref);
        g_free(children->values);
        g_free(children->names);
        g_free(children);
    }
    g_free(json);
}

BgJson *
bg_json_copy(const BgJson *json)
{
    g_return_val_if_fail(json != NULL, NULL);

    BgJson *self = new_kind(json->kind);
    if (json->kind == BG_JSON_STRING)
        self->as.string = g_strdup(json->as.string);
    else if (!has_children(json))
        self->as = json->as;
    else
        for (gsize i = 0; i < json->as.children->n; i++) {
            BgJson *child = bg_json_copy(json->as.children->values[i]);
            if (json->kind == BG_JSON_OBJECT)
                bg_json_set(self, json->as.children->names[i], child);
            else
                bg_json_append(self, child);
        }
    return self;
}

// By half, so that a large array is never held twice over.
static void
make_room(Children *children, gboolean named)
{
    if (children->n < children->n_room)
        return;
    children->n_room = children->n_room + children->n_room / 2 + 4;
    children->values = g_renew(BgJson *, children->values, children->n_room);
    if (named)
        children->names = g_renew(char *, children->names, children->n_room);
}

static gboolean
find_member(const Children *children, const char *name, gsize *position)
{
    if (children->index != NULL) {
        gpointer found;
        if (!g_hash_table_lookup_extended(children->index, name, NULL, &found))
            return FALSE;
        *position = GPOINTER_TO_SIZE(found);
        return TRUE;
    }
    for (gsize i = 0; i < children->n; i++) {
        if (strcmp(children->names[i], name) == 0) {
            *position = i;
            return TRUE;
        }
    }
    return FALSE;
}

static void
index_members(Children *children)
{
    if (children->index == NULL && children->n < HASH_FROM)
        return;

    gsize first = children->index == NULL ? 0 : children->n - 1;
    if (children->index == NULL)
        children->index = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = first; i < children->n; i++)
        g_hash_table_insert(children->index, children->names[i], GSIZE_TO_POINTER(i));
}

void
bg_json_set(BgJson *object, const char *name, BgJson *value)
{
    gsize position;

    g_return_if_fail(object != NULL && object->kind == BG_JSON_OBJECT);
    g_return_if_fail(name != NULL && value != NULL);

    Children *children = object->as.children;
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    if (find_member(children, valid, &position)) {
        bg_json_free(children->values[position]);
        children->values[position] = value;
    } else {
        make_room(children, TRUE);
        children->values[children->n] = value;
        children->names[children->n++] = g_steal_pointer(&valid);
        index_members(children);
    }
}

void
bg_json_set_boolean(BgJson *object, const char *name, gboolean value)
{
    bg_json_set(object, name, bg_json_new_boolean(value));
}

void
bg_json_set_integer(BgJson *object, const char *name, gint64 value)
{
    bg_json_set(object, name, bg_json_new_integer(value));
}

void
bg_json_set_double(BgJson *object, const char *name, double value)
{
    bg_json_set(object, name, bg_json_new_double(value));
}

void
bg_json_set_string(BgJson *object, const char *name, const char *value)
{
    bg_json_set(object, name, bg_json_new_string(value));
}

void
bg_json_set_doubles(BgJson *object, const char *name, const double *values, gsize n)
{
    bg_json_set(object, name, bg_json_new_doubles(values, n));
}

void
bg_json_append(BgJson *array, BgJson *value)
{
    g_return_if_fail(array != NULL && array->kind == BG_JSON_ARRAY);
    g_return_if_fail(value != NULL);

    make_room(array->as.children, FALSE);
    array->as.children->values[array->as.children->n++] = value;
}

BgJsonKind
bg_json_get_kind(const BgJson *json)
{
    return json == NULL ? BG_JSON_NULL : json->kind;
}

const BgJson *
bg_json_get(const BgJson *object, const char *name)
{
    gsize position;

    if (object == NULL || object->kind != BG_JSON_OBJECT ||
        !find_member(object->as.children, name, &position))
        return NULL;
    return object->as.children->values[position];
}

gsize
bg_json_count(const BgJson *json)
{
    return has_children(json) ? json->as.children->n : 0;
}

const BgJson *
bg_json_at(const BgJson *array, gsize index)
{
    return index < bg_json_count(array) ? array->as.children->values[index] : NULL;
}

const char *
bg_json_name_at(const BgJson *object, gsize index)
{
    return index < bg_json_count(object) && object->kind == BG_JSON_OBJECT
               ? object->as.children->names[index]
               : NULL;
}

const BgJson *
bg_json_value_at(const BgJson *object, gsize index)
{
    return bg_json_at(object, index);
}

double
bg_json_to_double(const BgJson *json, double fallback)
{
    if (json != NULL && json->kind == BG_JSON_DOUBLE)
        return json->as.number;
    if (json != NULL && json->kind == BG_JSON_INTEGER)
        return (double) json->as.integer;
    return fallback;
}

gint64
bg_json_to_integer(const BgJson *json, gint64 fallback)
{
    if (json != NULL && json->kind == BG_JSON_INTEGER)
        return json->as.integer;
    // Some writers put every number down as 3.0. Beyond 2^53 a double is no longer exact.
    if (json != NULL && json->kind == BG_JSON_DOUBLE && json->as.number == rint(json->as.number) &&
        fabs(json->as.number) <= 9007199254740992.0)
        return (gint64) json->as.number;
    return fallback;
}

gboolean
bg_json_to_boolean(const BgJson *json, gboolean fallback)
{
    return json != NULL && json->kind == BG_JSON_BOOLEAN ? json->as.boolean : fallback;
}

const char *
bg_json_to_string(const BgJson *json, const char *fallback)
{
    return json != NULL && json->kind == BG_JSON_STRING ? json->as.string : fallback;
}

gboolean
bg_json_to_doubles(const BgJson *json, double *values, gsize n)
{
    if (json == NULL || json->kind != BG_JSON_ARRAY || bg_json_count(json) != n)
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        BgJsonKind kind = json->as.children->values[i]->kind;
        if (kind != BG_JSON_DOUBLE && kind != BG_JSON_INTEGER)
            return FALSE;
    }
    for (gsize i = 0; i < n; i++)
        values[i] = bg_json_to_double(json->as.children->values[i], 0.0);
    return TRUE;
}

static void
print_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        if (*p == '\n')
            g_string_append(out, "\\n");
        else if (*p == '\t')
            g_string_append(out, "\\t");
        else if ((guchar) *p < 0x20)
            g_string_append_printf(out, "\\u%04x", (guchar) *p);
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

static void
print_double(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };

    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof text, formats[i], value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    g_string_append(out, text);
}

static gboolean
is_flat(const BgJson *json)
{
    if (json->kind != BG_JSON_ARRAY)
        return bg_json_count(json) == 0;
    for (gsize i = 0; i < bg_json_count(json); i++) {
        BgJsonKind kind = bg_json_at(json, i)->kind;
        if (kind == BG_JSON_ARRAY || kind == BG_JSON_OBJECT || kind == BG_JSON_STRING)
            return FALSE;
    }
    return TRUE;
}

static void
break_line(GString *out, guint level)
{
    g_string_append_c(out, '\n');
    for (guint i = 0; i < level; i++)
        g_string_append(out, "  ");
}

static void print_value(GString *out, const BgJson *json, gboolean pretty, guint level);

static void
print_children(GString *out, const BgJson *json, gboolean pretty, guint level)
{
    const Children *children = json->as.children;
    gboolean lines = pretty && !is_flat(json);

    g_string_append_c(out, json->kind == BG_JSON_OBJECT ? '{' : '[');
    for (gsize i = 0; i < children->n; i++) {
        if (i > 0)
            g_string_append(out, pretty && !lines ? ", " : ",");
        if (lines)
            break_line(out, level + 1);
        if (json->kind == BG_JSON_OBJECT) {
            print_string(out, children->names[i]);
            g_string_append(out, pretty ? ": " : ":");
        }
        print_value(out, children->values[i], pretty, level + 1);
    }
    if (lines)
        break_line(out, level);
    g_string_append_c(out, json->kind == BG_JSON_OBJECT ? '}' : ']');
}

static void
print_value(GString *out, const BgJson *json, gboolean pretty, guint level)
{
    switch (json->kind) {
    case BG_JSON_NULL:
        g_string_append(out, "null");
        break;
    case BG_JSON_BOOLEAN:
        g_string_append(out, json->as.boolean ? "true" : "false");
        break;
    case BG_JSON_INTEGER:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, json->as.integer);
        break;
    case BG_JSON_DOUBLE:
        print_double(out, json->as.number);
        break;
    case BG_JSON_STRING:
        print_string(out, json->as.string);
        break;
    case BG_JSON_ARRAY:
    case BG_JSON_OBJECT:
        print_children(out, json, pretty, level);
        break;
    }
}

char *
bg_json_print(const BgJson *json, gboolean pretty)
{
    GString *out = g_string_new(NULL);

    g_return_val_if_fail(json != NULL, NULL);

    print_value(out, json, pretty, 0);
    return g_string_free(out, FALSE);
}
