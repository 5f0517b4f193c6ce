// SPDX-License-Identifier: Apache-2.0
// What a file without a header might hold. Values of the right type and byte order change little from
// one to the next; rows of the right length look like the rows above them.
#include "bg-raw-file.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (8u << 20) // looked at
#define PIECES 8              // in which they are spread over the file
#define LEAST_BYTES 64
#define MAX_WIDTH 4096
#define N_SAMPLES 60000      // pairs of neighbours that a score is made of
#define LARGEST_HEADER 65536 // that is tried

typedef struct {
    guint8 *bytes; // owned: from the file's middle, where pictures are
    gsize n;
    guint64 offset; // in the file
    guint64 n_file;
} Sample;

typedef struct {
    BgRawType type;
    gboolean big_endian;
    double roughness, spread;
} Kind;

static double
read_value(const guint8 *at, const Kind *kind)
{
    guint8 bytes[8];
    gsize size = bg_raw_type_size(kind->type);

    memcpy(bytes, at, size);
    if (kind->big_endian != (G_BYTE_ORDER == G_BIG_ENDIAN) && size > 1)
        bg_raw_swap(bytes, 1, size);
#define CASE(TYPE, name, ctype)      \
    case TYPE: {                     \
        ctype value;                 \
        memcpy(&value, bytes, size); \
        return (double) value;       \
    }
    switch (kind->type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#undef CASE
    return 0.0;
}

typedef struct {
    double *values; // owned; NaN for what cannot be: not-a-number, or numbers beyond all scanners
    gsize n;
} Values;

// The sample as values, the last of which ends where the file ends.
static Values
read_values(const Sample *s, const Kind *kind)
{
    gsize size = bg_raw_type_size(kind->type);
    gsize first = (gsize) ((size - (s->offset + size - s->n_file % size) % size) % size);
    Values values = { NULL, s->n > first ? (s->n - first) / size : 0 };

    values.values = g_new(double, MAX(values.n, 1));
    for (gsize i = 0; i < values.n; i++) {
        double v = read_value(s->bytes + first + i * size, kind);
        gboolean sound = isfinite(v) && fabs(v) <= 1e9 && (v == 0.0 || fabs(v) >= 1e-12);
        values.values[i] = sound ? v : (double) NAN;
    }
    return values;
}

// How far values @distance apart differ, on the average, over how far any two do. NaN for what cannot be.
static double
find_roughness(const Values *values, gsize distance, double *spread)
{
    gsize n = values->n > distance ? values->n - distance : 0;
    gsize step = MAX(n / N_SAMPLES, 1), count = 0;
    const double *v = values->values;
    double sum = 0.0, sum_values = 0.0, sum_squares = 0.0;

    for (gsize i = 0; i < n; i += step) {
        sum += fabs(v[i] - v[i + distance]);
        sum_values += v[i];
        sum_squares += v[i] * v[i];
        count++;
    }
    if (count < 8 || isnan(sum))
        return NAN;
    double mean = sum_values / (double) count;
    *spread = sqrt(fmax(sum_squares / (double) count - mean * mean, 0.0));
    return *spread > 0.0 ? sum / (double) count / *spread : 2.0;
}

static gboolean
read_sample(const char *path, Sample *s, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);

    *s = (Sample){ 0 };
    if (source == NULL)
        return FALSE;
    s->n_file = bg_source_get_limit(source);
    if (s->n_file < LEAST_BYTES) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("it has %" G_GUINT64_FORMAT " bytes, too few for a picture. Choose another "
                      "file"),
                    s->n_file);
        return FALSE;
    }
    s->n = (gsize) MIN(s->n_file, MOST_BYTES / PIECES);
    s->offset = (s->n_file - s->n) / 2;
    s->bytes = g_malloc(s->n);
    return bg_source_skip(source, s->offset, error) &&
           bg_source_read(source, s->bytes, s->n, error);
}

// "ct_256x256x128_uint16.raw": the numbers between x.
static int
find_named_dims(const char *name, int dims[3])
{
    for (const char *at = name; *at != '\0'; at++) {
        int n = 0;
        const char *c = at;
        if (!g_ascii_isdigit(*c) || (at > name && g_ascii_isdigit(at[-1])))
            continue;
        while (n < 3 && g_ascii_isdigit(*c)) {
            char *end;
            gint64 value = g_ascii_strtoll(c, &end, 10);
            if (value < 1 || value > BG_VOLUME_MAX_DIM)
                break;
            dims[n++] = (int) value;
            if (*end != 'x' && *end != 'X' && !(*end == '_' && g_ascii_isdigit(end[1]) && n < 3))
                break;
            c = end + 1;
        }
        if (n >= 2)
            return n;
    }
    return 0;
}

static gboolean
find_named_type(const char *name, BgRawType *type)
{
    static const struct {
        const char *word;
        BgRawType type;
    } words[] = {
        { "uint8", BG_RAW_UINT8 },     { "uint16", BG_RAW_UINT16 },  { "int16", BG_RAW_INT16 },
        { "uint32", BG_RAW_UINT32 },   { "int32", BG_RAW_INT32 },    { "float32", BG_RAW_FLOAT32 },
        { "float64", BG_RAW_FLOAT64 }, { "ushort", BG_RAW_UINT16 },  { "short", BG_RAW_INT16 },
        { "uchar", BG_RAW_UINT8 },     { "double", BG_RAW_FLOAT64 }, { "float", BG_RAW_FLOAT32 },
        { "int8", BG_RAW_INT8 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strstr(name, words[i].word) != NULL) {
            *type = words[i].type;
            return TRUE;
        }
    }
    return FALSE;
}

static int
compare_kinds(gconstpointer a, gconstpointer b)
{
    const Kind *one = a, *two = b;

    return one->roughness < two->roughness ? -1 : one->roughness > two->roughness ? 1 : 0;
}

// With the wrong sign numbers jump from one end to the other wherever they pass zero (or half): what
// lies together is right.
static void
prefer_narrow(Kind *kinds, int n)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            if (kinds[i].type == BG_RAW_INT16 && kinds[j].type == BG_RAW_UINT16 &&
                kinds[i].big_endian == kinds[j].big_endian)
                kinds[kinds[i].spread < kinds[j].spread ? j : i].roughness *= 50.0;
        }
    }
}

// The types that give sound values, the smoothest first. Wider types win ties: two 16-bit numbers read
// as one of 32 bits are rough in their low half, but 8-bit halves of 16-bit numbers are rougher still.
static int
rank_kinds(const Sample *s, const char *name, Kind *kinds)
{
    static const BgRawType types[] = { BG_RAW_UINT8, BG_RAW_INT16,   BG_RAW_UINT16,
                                       BG_RAW_INT32, BG_RAW_FLOAT32, BG_RAW_FLOAT64 };
    BgRawType named = BG_RAW_UINT8;
    gboolean has_name = find_named_type(name, &named);
    int n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        for (int big = 0; big < (bg_raw_type_size(types[i]) > 1 ? 2 : 1); big++) {
            Kind kind = { types[i], big, 0.0, 0.0 };
            Values values = read_values(s, &kind);
            kind.roughness = find_roughness(&values, 1, &kind.spread);
            g_free(values.values);
            if (!isfinite(kind.roughness))
                continue;
            if (has_name && named == types[i])
                kind.roughness *= 0.01;
            kinds[n++] = kind;
        }
    }
    prefer_narrow(kinds, n);
    qsort(kinds, (gsize) n, sizeof *kinds, compare_kinds);
    return n;
}

typedef struct {
    BgRawGuess *guesses;
    int n, most;
} List;

static void
add_guess(List *list, const BgRawGuess *guess)
{
    int at = list->n;

    for (int i = 0; i < list->n; i++) {
        if (memcmp(&list->guesses[i].description, &guess->description, sizeof guess->description) ==
            0)
            return;
    }
    while (at > 0 && list->guesses[at - 1].score > guess->score)
        at--;
    if (at >= list->most)
        return;
    int n_move = MIN(list->n, list->most - 1) - at;
    memmove(&list->guesses[at + 1], &list->guesses[at], (gsize) n_move * sizeof *guess);
    list->guesses[at] = *guess;
    list->n = MIN(list->n + 1, list->most);
}

// Height and slices for a width: square pictures first, then usual sizes, with whatever header is left.
static void
add_shapes(List *list, const Sample *s, const Kind *kind, int width, double score)
{
    static const int usual[] = {
        64, 96, 128, 160, 192, 240, 256, 320, 384, 480, 512, 640, 768, 1024
    };
    gsize size = bg_raw_type_size(kind->type);

    for (int h = -1; h < (int) G_N_ELEMENTS(usual); h++) {
        int height = h < 0 ? width : usual[h];
        guint64 slice = (guint64) width * (guint64) height * size;
        guint64 n_slices = s->n_file / slice, rest = s->n_file % slice;
        if (n_slices < 1 || n_slices > BG_VOLUME_MAX_DIM || rest > LARGEST_HEADER)
            continue;
        BgRawGuess guess;
        memset(&guess, 0, sizeof guess); // compared with memcmp
        guess.description.header_bytes = rest;
        guess.description.dims[0] = width;
        guess.description.dims[1] = height;
        guess.description.dims[2] = (int) n_slices;
        guess.description.n_frames = 1;
        guess.description.n_components = 1;
        guess.description.type = kind->type;
        guess.description.big_endian = kind->big_endian;
        guess.score = score * (h < 0 ? 1.0 : 1.1) *
                      (rest == 0         ? 1.0
                       : rest % 128 == 0 ? 1.2
                                         : 1.5) *
                      (n_slices == 1 ? 1.1 : 1.0);
        add_guess(list, &guess);
    }
}

static gboolean
add_named(List *list, const Sample *s, const Kind *kinds, int n_kinds, const char *name)
{
    int dims[3] = { 1, 1, 1 }, n = find_named_dims(name, dims);
    guint64 n_voxels = (guint64) dims[0] * (guint64) dims[1] * (guint64) dims[2];

    for (int i = 0; n >= 2 && i < n_kinds; i++) {
        guint64 n_bytes = n_voxels * bg_raw_type_size(kinds[i].type);
        if (n_bytes > s->n_file || s->n_file - n_bytes > LARGEST_HEADER)
            continue;
        BgRawGuess guess;
        memset(&guess, 0, sizeof guess);
        guess.description.header_bytes = s->n_file - n_bytes;
        memcpy(guess.description.dims, dims, sizeof dims);
        guess.description.n_frames = 1;
        guess.description.n_components = 1;
        guess.description.type = kinds[i].type;
        guess.description.big_endian = kinds[i].big_endian;
        guess.score = 0.01 * kinds[i].roughness * (guess.description.header_bytes == 0 ? 1.0 : 2.0);
        add_guess(list, &guess);
    }
    return list->n > 0;
}

// A width is good where rows fit below each other better than at other widths.
static void
add_widths(List *list, const Sample *s, const Kind *kind)
{
    gsize size = bg_raw_type_size(kind->type);
    Values values = read_values(s, kind);

    for (int width = 16; width <= MAX_WIDTH && (gsize) width * size * 2 < s->n; width++) {
        // Only widths that leave a small header for some height are worth a look.
        guint64 square = (guint64) width * (guint64) width * size;
        gboolean fits = square <= s->n_file && s->n_file % square <= LARGEST_HEADER;
        if (!fits && width % 8 != 0)
            continue;
        double spread, score = find_roughness(&values, (gsize) width, &spread);
        if (isfinite(score))
            add_shapes(list, s, kind, width, score * (0.2 + kind->roughness));
    }
    g_free(values.values);
}

int
bg_raw_guess(const char *path, BgRawGuess *guesses, int n_most, GCancellable *cancellable,
             GError **error)
{
    List list = { .guesses = guesses, .most = n_most };
    Kind kinds[16];
    Sample sample;

    g_return_val_if_fail(path != NULL && guesses != NULL && n_most > 0, -1);

    if (!read_sample(path, &sample, cancellable, error)) {
        g_free(sample.bytes);
        return -1;
    }
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *name = g_ascii_strdown(base, -1);
    int n_kinds = rank_kinds(&sample, name, kinds);
    if (!add_named(&list, &sample, kinds, n_kinds, name)) {
        for (int k = 0; k < MIN(n_kinds, 4); k++)
            add_widths(&list, &sample, &kinds[k]);
    }
    if (list.n == 0) { // one row of bytes can always be shown
        memset(&guesses[0], 0, sizeof guesses[0]);
        int width = (int) CLAMP(sqrt((double) sample.n_file), 1, BG_VOLUME_MAX_DIM);
        guesses[0].description = (BgRawDescription){
            .dims = { width, (int) MIN(sample.n_file / (guint64) width, BG_VOLUME_MAX_DIM), 1 },
            .n_frames = 1,
            .n_components = 1,
            .type = BG_RAW_UINT8,
        };
        guesses[0].score = 1e3;
        list.n = 1;
    }
    g_free(sample.bytes);
    return list.n;
}
