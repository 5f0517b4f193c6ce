// SPDX-License-Identifier: Apache-2.0
// Slicer's .fcsv ("Modules/Loadable/Markups" of its developer's guide: comments with the space and
// the columns, then a line a point) and plain CSV with a header line.
#include "bg-io-text.h"
#include "bg-landmarks-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_COLUMNS 64

typedef enum {
    COLUMN_NAME,
    COLUMN_ID,
    COLUMN_X,
    COLUMN_Y,
    COLUMN_Z,
    COLUMN_U,
    COLUMN_V,
    COLUMN_STATE,
    COLUMN_SELECTED,
    COLUMN_LOCKED,
    N_COLUMNS,
} Column;

static const struct {
    const char *word;
    Column column;
} words[] = {
    { "name", COLUMN_NAME },   { "label", COLUMN_NAME },    { "id", COLUMN_ID },
    { "x", COLUMN_X },         { "y", COLUMN_Y },           { "z", COLUMN_Z },
    { "u", COLUMN_U },         { "v", COLUMN_V },           { "state", COLUMN_STATE },
    { "desc", COLUMN_STATE },  { "sel", COLUMN_SELECTED },  { "selected", COLUMN_SELECTED },
    { "lock", COLUMN_LOCKED }, { "locked", COLUMN_LOCKED },
};

#define SLICER_COLUMNS "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"

typedef struct {
    BgPointList *list;
    char delimiter;
    gboolean ras;
    gboolean slicer; // comments and columns of Slicer's
    gboolean space_known;
    int place[N_COLUMNS]; // of a column in the line; -1: none
    int line;
} Table;

// A field may stand in quotes, with quotes in it doubled (RFC 4180). NULL where they never end.
static GPtrArray *
split(const char *line, char delimiter)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    const char *c = line;

    while (fields->len < MAX_COLUMNS) {
        g_autoptr(GString) field = g_string_new(NULL);
        while (*c == ' ')
            c++;
        if (*c == '"') {
            for (c++; *c != '\0' && (c[0] != '"' || c[1] == '"'); c++) {
                c += *c == '"';
                g_string_append_c(field, *c);
            }
            if (*c++ != '"')
                return NULL;
        }
        while (*c != '\0' && *c != delimiter)
            g_string_append_c(field, *c++);
        g_ptr_array_add(fields, g_strstrip(g_string_free(g_steal_pointer(&field), FALSE)));
        if (*c++ == '\0')
            break;
    }
    return g_steal_pointer(&fields);
}

static gboolean
read_columns(Table *table, const char *line)
{
    g_autoptr(GPtrArray) fields = split(line, table->delimiter);

    for (int i = 0; i < N_COLUMNS; i++)
        table->place[i] = -1;
    for (guint f = 0; fields != NULL && f < fields->len; f++) {
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
            if (g_ascii_strcasecmp(fields->pdata[f], words[i].word) == 0 &&
                table->place[words[i].column] < 0)
                table->place[words[i].column] = (int) f;
        }
    }
    const int *p = table->place;
    gboolean patient = p[COLUMN_X] >= 0 && p[COLUMN_Y] >= 0 && p[COLUMN_Z] >= 0;
    gboolean picture = p[COLUMN_U] >= 0 && p[COLUMN_V] >= 0;
    table->list->space = patient ? BG_LANDMARK_PATIENT : BG_LANDMARK_PICTURE;
    return p[COLUMN_NAME] >= 0 && patient != picture;
}

static const char *
get_field(const Table *table, const GPtrArray *fields, Column column)
{
    int place = table->place[column];

    return place >= 0 && place < (int) fields->len ? fields->pdata[place] : "";
}

static gboolean
set_line_error(const Table *table, const char *what, GError **error)
{
    g_autofree char *shown = bg_io_show(what);

    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("line %d has “%s”, where a coordinate must be. Correct the line (numbers have a "
                  "point, no comma)"),
                table->line, shown);
    return FALSE;
}

// All coordinates, or all of them empty.
static gboolean
read_place(const Table *table, const GPtrArray *fields, BgLandmark *point, GError **error)
{
    gboolean picture = table->list->space == BG_LANDMARK_PICTURE;
    Column first = picture ? COLUMN_U : COLUMN_X;
    int n = picture ? 2 : 3, n_empty = 0;

    for (int i = 0; i < n; i++) {
        const char *text = get_field(table, fields, first + (Column) i);
        char *end;
        double value = g_ascii_strtod(text, &end);
        n_empty += *text == '\0';
        if (*end != '\0' || (*text != '\0' && !(fabs(value) < 1e9)))
            return set_line_error(table, text, error);
        bg_vec3_set(&point->position, i, value);
    }
    if (n_empty > 0 && n_empty < n)
        return set_line_error(table, "", error);
    point->placed = n_empty == 0;
    if (table->ras && !picture) {
        BgAffine flip = bg_affine_lps_ras_flip();
        point->position = bg_affine_apply(&flip, point->position);
    }
    return TRUE;
}

static gboolean
read_point(const Table *table, const char *line, GError **error)
{
    g_autoptr(GPtrArray) fields = split(line, table->delimiter);
    BgLandmark point = { .use = BG_LANDMARK_FIT };

    if (fields == NULL)
        return set_line_error(table, line, error);
    if (!read_place(table, fields, &point, error))
        return FALSE;
    if (strcmp(get_field(table, fields, COLUMN_SELECTED), "0") == 0)
        point.use = BG_LANDMARK_SKIP;
    const char *state = get_field(table, fields, COLUMN_STATE);
    if (!bg_landmark_use_parse(state, &point.use) && !table->slicer && *state != '\0') {
        g_autofree char *shown = bg_io_show(state);
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("line %d has the state “%s”; it can be fit, check or skip. Correct the line"),
                    table->line, shown);
        return FALSE;
    }
    point.locked = strcmp(get_field(table, fields, COLUMN_LOCKED), "1") == 0;
    const char *name = get_field(table, fields, COLUMN_NAME);
    return bg_point_list_add(
        table->list, *name != '\0' ? name : get_field(table, fields, COLUMN_ID), &point, error);
}

// "# CoordinateSystem = LPS": older files count RAS 0, LPS 1, IJK 2.
static gboolean
read_comment(Table *table, char *comment, GError **error)
{
    char *equals = strchr(comment, '=');

    if (equals == NULL)
        return TRUE;
    *equals = '\0';
    const char *key = g_strstrip(comment), *value = g_strstrip(equals + 1);
    if (strcmp(key, "columns") == 0 && !read_columns(table, value)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the columns of the file have no name or no coordinates. Write it "
                              "again from Slicer"));
        return FALSE;
    }
    if (strcmp(key, "CoordinateSystem") != 0)
        return TRUE;
    gboolean lps = strcmp(value, "LPS") == 0 || strcmp(value, "1") == 0;
    table->ras = strcmp(value, "RAS") == 0 || strcmp(value, "0") == 0;
    table->space_known = TRUE;
    if (lps || table->ras)
        return TRUE;
    g_autofree char *shown = bg_io_show(value);
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("its points are in “%s”, not in LPS or RAS. Save them in one of these"), shown);
    return FALSE;
}

static char
find_delimiter(const char *line)
{
    return strchr(line, ',') != NULL ? ',' : strchr(line, ';') != NULL ? ';' : '\t';
}

static gboolean
read_line(Table *table, char *line, gboolean *has_header, GError **error)
{
    table->line++;
    if (*g_strstrip(line) == '\0')
        return TRUE;
    if (*line == '#')
        return !table->slicer || read_comment(table, line + 1, error);
    if (*has_header)
        return read_point(table, line, error);
    table->delimiter = find_delimiter(line);
    *has_header = TRUE;
    if (read_columns(table, line))
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the first line does not name the columns name,x,y,z or name,u,v. Write "
                          "them there"));
    return FALSE;
}

gboolean
bg_point_list_parse_table(BgPointList *list, const char *text, gsize length,
                          BgLandmarksSpaceOfFile space, GError **error)
{
    gboolean slicer = *text == '#', has_header = slicer;
    Table table = {
        .list = list, .delimiter = ',', .slicer = slicer, .ras = slicer || space == BG_LANDMARKS_RAS
    };
    g_autofree char *copy = g_strndup(text, length);

    read_columns(&table, SLICER_COLUMNS);
    for (char *line = copy, *next; line != NULL; line = next) {
        next = strpbrk(line, "\r\n");
        if (next != NULL) {
            gsize n = next[0] == '\r' && next[1] == '\n' ? 2 : 1;
            *next = '\0';
            next += n;
        }
        if (!read_line(&table, line, &has_header, error))
            return FALSE;
    }
    if (slicer && !table.space_known)
        bg_point_list_warn(list, _("The file does not say whether its points are in RAS or LPS; "
                                   "RAS is taken, as Slicer's older files are"));
    return TRUE;
}

static gboolean
is_header(const char *bytes, gsize n_bytes)
{
    g_auto(GStrv) lines = NULL;
    g_autofree char *text = g_strndup(bytes, n_bytes);
    BgPointList list = { 0 };

    text[strcspn(text, "\r\n")] = '\0';
    Table table = { .list = &list, .delimiter = find_delimiter(text) };
    return read_columns(&table, text);
}

BgFormat
bg_points_sniff(const char *bytes, gsize n_bytes)
{
    static const char *const marks[] = { "# Markups fiducial file", "# Fiducial List file" };

    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (n_bytes >= strlen(marks[i]) && memcmp(bytes, marks[i], strlen(marks[i])) == 0)
            return BG_FORMAT_FCSV;
    }
    gsize at = 0;
    while (at < n_bytes && g_ascii_isspace(bytes[at]))
        at++;
    if (at < n_bytes && bytes[at] == '{' &&
        g_strstr_len(bytes, (gssize) n_bytes, "markups") != NULL)
        return BG_FORMAT_MRK_JSON;
    return n_bytes > 0 && is_header(bytes, n_bytes) ? BG_FORMAT_CSV : BG_FORMAT_UNKNOWN;
}
