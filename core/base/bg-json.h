// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BG_JSON_MAX_DEPTH 64
#define BG_JSON_MAX_BYTES (64u << 20)
#define BG_JSON_MAX_VALUES (1u << 20)

typedef enum {
    BG_JSON_NULL,
    BG_JSON_BOOLEAN,
    BG_JSON_INTEGER,
    BG_JSON_DOUBLE,
    BG_JSON_STRING,
    BG_JSON_ARRAY,
    BG_JSON_OBJECT,
} BgJsonKind;

/**
 * BgJson:
 *
 * A JSON value: a tree that is owned by its root. Members keep the order in which they were set.
 * The only way in which bregma reads and writes JSON: depth and size are checked before the
 * parser sees the text, and numbers that are not finite are written as null.
 */
typedef struct _BgJson BgJson;

BgJson *bg_json_new_object(void);
BgJson *bg_json_new_array(void);
BgJson *bg_json_new_null(void);
BgJson *bg_json_new_boolean(gboolean value);
BgJson *bg_json_new_integer(gint64 value);
BgJson *bg_json_new_double(double value);
BgJson *bg_json_new_string(const char *value); // NULL becomes null
BgJson *bg_json_new_doubles(const double *values, gsize n);
BgJson *bg_json_copy(const BgJson *json);
void bg_json_free(BgJson *json);

/**
 * bg_json_set:
 * @value: (transfer full): stays where it is as long as @object, so that it can be filled later
 *
 * Replaces a member of that name, which is freed.
 */
void bg_json_set(BgJson *object, const char *name, BgJson *value);
void bg_json_set_boolean(BgJson *object, const char *name, gboolean value);
void bg_json_set_integer(BgJson *object, const char *name, gint64 value);
void bg_json_set_double(BgJson *object, const char *name, double value);
void bg_json_set_string(BgJson *object, const char *name, const char *value);
void bg_json_set_doubles(BgJson *object, const char *name, const double *values, gsize n);

/** bg_json_append: @value: (transfer full): stays where it is as long as @array */
void bg_json_append(BgJson *array, BgJson *value);

BgJsonKind bg_json_get_kind(const BgJson *json);

/** bg_json_get: (transfer none) (nullable): a member; %NULL also when @object is %NULL or none */
const BgJson *bg_json_get(const BgJson *object, const char *name);

/** bg_json_count: elements or members; 0 for anything else and for %NULL */
gsize bg_json_count(const BgJson *json);
const BgJson *bg_json_at(const BgJson *array, gsize index);
const char *bg_json_name_at(const BgJson *object, gsize index);
const BgJson *bg_json_value_at(const BgJson *object, gsize index);

/** bg_json_to_double: integers too; Returns: @fallback for anything else and for %NULL */
double bg_json_to_double(const BgJson *json, double fallback);
gint64 bg_json_to_integer(const BgJson *json, gint64 fallback);
gboolean bg_json_to_boolean(const BgJson *json, gboolean fallback);

/** bg_json_to_string: (transfer none): valid as long as @json */
const char *bg_json_to_string(const BgJson *json, const char *fallback);

/** bg_json_to_doubles: Returns: %TRUE if it is an array of exactly @n numbers */
gboolean bg_json_to_doubles(const BgJson *json, double *values, gsize n);

/**
 * bg_json_parse:
 * @length: in bytes, or -1 for NUL-terminated
 *
 * Reads what RFC 8259 calls JSON and nothing else. Integers beyond 64 bits become doubles.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT: not JSON, not UTF-8, deeper than 64,
 *   larger than 64 MiB, more than 1 Mi values, a member that is there twice, a number beyond
 *   doubles, the character U+0000; the message says where
 */
BgJson *bg_json_parse(const char *text, gssize length, GError **error);

/**
 * bg_json_print:
 * @pretty: over several lines, two blanks a level; arrays of numbers on one line
 *
 * Returns: (transfer full): doubles with the fewest digits that read back equal
 */
char *bg_json_print(const BgJson *json, gboolean pretty);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgJson, bg_json_free)

G_END_DECLS
