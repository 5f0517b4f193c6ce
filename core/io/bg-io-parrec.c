// SPDX-License-Identifier: Apache-2.0
// Philips PAR/REC: a header in text with a line a slice, and the slices. The fields say what they are
// in the file's own comments; the order of the rotations is what nibabel 5 found by comparison.
#include "bg-io-scaled.h"
#include "bg-io-text.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_LINES 200000 // slices of all frames
#define MAX_COLUMNS 128

// What is wanted of a slice's line, by the beginning of its name in "IMAGE INFORMATION DEFINITION".
typedef enum {
    SLICE,
    ECHO,
    DYNAMIC,
    PHASE,
    TYPE,
    INDEX,
    BITS,
    SIZE,
    INTERCEPT,
    SLOPE,
    THICKNESS,
    GAP,
    ORIENTATION,
    SPACING,
    B_NUMBER,
    GRADIENT,
    LABEL,
    N_FIELDS,
} Field;

static const char *const names[] = {
    "slice number",
    "echo number",
    "dynamic scan number",
    "cardiac phase number",
    "image_type_mr",
    "index in REC file",
    "image pixel size",
    "recon resolution",
    "rescale intercept",
    "rescale slope",
    "slice thickness",
    "slice gap",
    "slice orientation",
    "pixel spacing",
    "diffusion b value number",
    "gradient orientation number",
    "label type",
};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == N_FIELDS);

// Two slices with the same of all these are in one frame; in the order in which frames come.
static const Field frame_keys[] = { TYPE, ECHO, B_NUMBER, GRADIENT, LABEL, PHASE, DYNAMIC };
#define N_KEYS G_N_ELEMENTS(frame_keys)

typedef struct {
    double value[N_FIELDS];
    double height, y_spacing; // the second numbers of SIZE and SPACING
} Slice;

typedef struct {
    int place[N_FIELDS]; // column of a field; -1: none
    int n_columns;
    GArray *slices;                         // of Slice
    double angulation_deg[3], centre_mm[3]; // ap, fh, rl
    double size[2], bits;                   // of the whole file, in older versions
    double repetition_ms;
    gboolean has_angulation, has_centre;
    gboolean in_definition;
} Par;

static void
par_init(Par *par)
{
    *par = (Par){ .slices = g_array_new(FALSE, TRUE, sizeof(Slice)) };
    for (int i = 0; i < N_FIELDS; i++)
        par->place[i] = -1;
}

static gboolean
par_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    static const char mark[] = "# === DATA DESCRIPTION FILE";

    return !gzipped && n_bytes > sizeof mark && memcmp(bytes, mark, sizeof mark - 1) == 0;
}

static gboolean
set_bad(const char *what, GError **error)
{
    g_autofree char *shown = bg_io_show(what);

    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header says “%s”, which makes no sense there. Get the file again"), shown);
    return FALSE;
}

// "#  recon resolution (x y)                   (2*integer)"
static void
read_definition(Par *par, const char *line)
{
    while (*line == '#' || *line == ' ' || *line == '\t')
        line++;
    const char *open = strrchr(line, '(');
    if (*line == '\0' || open == NULL)
        return;
    int count = g_ascii_isdigit(open[1]) ? (int) CLAMP(atoi(open + 1), 1, 16) : 1;
    for (int i = 0; i < N_FIELDS; i++) {
        if (g_ascii_strncasecmp(line, names[i], strlen(names[i])) == 0 && par->place[i] < 0)
            par->place[i] = par->n_columns;
    }
    par->n_columns = MIN(par->n_columns + count, MAX_COLUMNS);
}

// ".    Repetition time [ms]               :   2000.000"
static void
read_general(Par *par, const char *line)
{
    static const struct {
        const char *name;
        int n;
        gsize offset;
    } fields[] = {
        { "Angulation midslice", 3, G_STRUCT_OFFSET(Par, angulation_deg) },
        { "Off Centre midslice", 3, G_STRUCT_OFFSET(Par, centre_mm) },
        { "Recon resolution", 2, G_STRUCT_OFFSET(Par, size) },
        { "Image pixel size", 1, G_STRUCT_OFFSET(Par, bits) },
        { "Repetition time", 1, G_STRUCT_OFFSET(Par, repetition_ms) },
    };
    const char *colon = strchr(line, ':');

    for (line++; *line == ' ' || *line == '\t'; line++)
        continue;
    for (gsize i = 0; colon != NULL && i < G_N_ELEMENTS(fields); i++) {
        double numbers[3];
        if (!g_str_has_prefix(line, fields[i].name))
            continue;
        int n = bg_io_parse_doubles(colon + 1, numbers, 3);
        if (n < fields[i].n)
            continue;
        memcpy((char *) par + fields[i].offset, numbers, (gsize) fields[i].n * sizeof *numbers);
        par->has_angulation = par->has_angulation || i == 0;
        par->has_centre = par->has_centre || i == 1;
    }
}

static gboolean
read_slice(Par *par, const char *line, GError **error)
{
    double numbers[MAX_COLUMNS];
    int n = 0;
    Slice slice = { .height = par->size[1] };
    char *end;

    for (const char *c = line; n < par->n_columns; c = end, n++) {
        numbers[n] = g_ascii_strtod(c, &end);
        if (end == c)
            break;
        if (!isfinite(numbers[n]))
            return set_bad(line, error);
    }
    slice.value[SIZE] = par->size[0];
    slice.value[BITS] = par->bits;
    slice.value[SLOPE] = 1.0;
    for (int i = 0; i < N_FIELDS; i++) {
        int place = par->place[i];
        if (place < 0)
            continue;
        gboolean two = i == SIZE || i == SPACING;
        // Columns of words stand near the end; what is behind them is not needed for a place.
        if (place + two >= n) {
            if (i == LABEL)
                continue;
            return set_bad(line, error);
        }
        slice.value[i] = numbers[place];
        if (i == SIZE)
            slice.height = numbers[place + 1];
        else if (i == SPACING)
            slice.y_spacing = numbers[place + 1];
    }
    if (par->slices->len == MAX_LINES)
        return set_bad(_("more slices than can be"), error);
    g_array_append_val(par->slices, slice);
    return TRUE;
}

static gsize
no_end(const char *text, gsize length)
{
    return 0;
}

static gboolean
read_par(Par *par, const char *path, GCancellable *cancellable, GError **error)
{
    gsize length;
    g_autofree char *text = bg_io_read_header(path, no_end, &length, cancellable, error);

    if (text == NULL)
        return FALSE;
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (*line == '#') {
            if (strstr(line, "===") != NULL)
                par->in_definition = strstr(line, "IMAGE INFORMATION DEFINITION") != NULL;
            else if (par->in_definition)
                read_definition(par, line);
        } else if (*line == '.') {
            read_general(par, line);
        } else if (*g_strstrip(line) != '\0' && !read_slice(par, line, error)) {
            return FALSE;
        }
    }
    if (par->slices->len > 0 && par->place[SLICE] >= 0 && par->place[INDEX] >= 0)
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the header lists no slices, or does not say what its columns are. Get "
                          "the file again"));
    return FALSE;
}

static int
compare_slices(gconstpointer a, gconstpointer b)
{
    const Slice *one = a, *two = b;

    for (gsize i = 0; i < N_KEYS; i++) {
        double x = one->value[frame_keys[i]], y = two->value[frame_keys[i]];
        if (x != y)
            return x < y ? -1 : 1;
    }
    double x = one->value[SLICE], y = two->value[SLICE];
    return x < y ? -1 : x > y ? 1 : 0;
}

static gboolean
same_frame(const Slice *a, const Slice *b)
{
    for (gsize i = 0; i < N_KEYS; i++) {
        if (a->value[frame_keys[i]] != b->value[frame_keys[i]])
            return FALSE;
    }
    return TRUE;
}

static gboolean
set_series_error(const char *reason, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                // Translators: a sentence says why
                _("its slices make no series of volumes: %s. Export it again as DICOM"), reason);
    return FALSE;
}

// Sorts the slices into frames; one that was cut off at the end is left out.
static gboolean
sort_slices(Par *par, BgFileInfo *info, GError **error)
{
    GArray *slices = par->slices;
    guint n = 1;

    g_array_sort(slices, compare_slices);
    const Slice *all = &g_array_index(slices, Slice, 0);
    while (n < slices->len && same_frame(&all[n], &all[0]))
        n++;
    guint n_frames = 0, first = 0;
    while (first < slices->len) {
        guint m = 0;
        while (first + m < slices->len && same_frame(&all[first + m], &all[first])) {
            const Slice *s = &all[first + m];
            if (m < n && s->value[SLICE] != all[m].value[SLICE])
                break;
            if (s->value[SIZE] != all[0].value[SIZE] || s->height != all[0].height ||
                s->value[BITS] != all[0].value[BITS] ||
                s->value[ORIENTATION] != all[0].value[ORIENTATION])
                return set_series_error(_("they differ in size, type or orientation"), error);
            m++;
        }
        if (m != n) {
            if (n_frames == 0)
                return set_series_error(_("a slice is there twice"), error);
            bg_file_info_warn(info, _("A volume of the series misses slices; it and what follows "
                                      "are left out"));
            break;
        }
        first += n;
        n_frames++;
    }
    g_array_set_size(slices, n_frames * n);
    info->dims[2] = (int) n;
    info->n_frames = (int) n_frames;
    return TRUE;
}

static BgAffine
rotation(int axis, double degrees)
{
    double c = cos(degrees * G_PI / 180.0), s = sin(degrees * G_PI / 180.0);
    BgAffine r = bg_affine_identity();
    int a = (axis + 1) % 3, b = (axis + 2) % 3;

    r.m[a][a] = r.m[b][b] = c;
    r.m[a][b] = -s;
    r.m[b][a] = s;
    return r;
}

// The scanner's axes are posterior, superior, left: ap, fh, rl. Rows of an image go right to left
// and front to back where it is transverse.
static BgAffine
lps_from_psl(void)
{
    return bg_affine_from_columns(bg_vec3(0, 1, 0), bg_vec3(0, 0, 1), bg_vec3(1, 0, 0),
                                  bg_vec3(0, 0, 0));
}

static gboolean
place(const Par *par, BgFileInfo *info, GError **error)
{
    const Slice *first = &g_array_index(par->slices, Slice, 0);
    int orientation = (int) first->value[ORIENTATION];
    double steps[3] = { first->value[SPACING], first->y_spacing,
                        first->value[THICKNESS] + first->value[GAP] };
    BgVec3 columns[3];

    if (orientation == 1) { // transverse: i left, j posterior, k superior
        columns[0] = bg_vec3(0, 0, 1);
        columns[1] = bg_vec3(1, 0, 0);
        columns[2] = bg_vec3(0, 1, 0);
    } else if (orientation == 2) { // sagittal: i posterior, j inferior, k right
        columns[0] = bg_vec3(1, 0, 0);
        columns[1] = bg_vec3(0, -1, 0);
        columns[2] = bg_vec3(0, 0, -1);
    } else if (orientation == 3) { // coronal: i left, j inferior, k posterior
        columns[0] = bg_vec3(0, 0, 1);
        columns[1] = bg_vec3(0, -1, 0);
        columns[2] = bg_vec3(1, 0, 0);
    } else {
        return set_series_error(_("the orientation of the slices is not known"), error);
    }
    const double *angle = par->angulation_deg, *centre = par->centre_mm;
    BgAffine mx = rotation(0, angle[0]), my = rotation(1, angle[1]), mz = rotation(2, angle[2]);
    BgAffine turn = bg_affine_multiply(&mz, &mx);
    turn = bg_affine_multiply(&turn, &my);
    BgVec3 origin = bg_vec3(centre[0], centre[1], centre[2]);
    for (int i = 0; i < 3; i++) {
        columns[i] = bg_vec3_scale(bg_affine_apply_vector(&turn, columns[i]), steps[i]);
        origin = bg_vec3_along(origin, -0.5 * (info->dims[i] - 1), columns[i]);
    }
    BgAffine psl = bg_affine_from_columns(columns[0], columns[1], columns[2], origin);
    BgAffine lps = lps_from_psl();
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    info->geometry.patient_from_voxel = bg_affine_multiply(&lps, &psl);
    info->has_geometry = TRUE;
    info->side_known = par->has_angulation && par->has_centre;
    if (!info->side_known)
        bg_file_info_warn(info, _("Side unknown: the header misses the position of the slices"));
    return bg_geometry_check(&info->geometry, error);
}

static gboolean
describe(Par *par, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    const Slice *first = &g_array_index(par->slices, Slice, 0);
    double width = first->value[SIZE], height = first->height;

    if (!(width >= 1 && width <= BG_VOLUME_MAX_DIM && height >= 1 && height <= BG_VOLUME_MAX_DIM))
        return set_bad(_("a size beyond all sizes"), error);
    if (first->value[BITS] != 8 && first->value[BITS] != 16)
        return set_bad(_("a type of pixel that there is not"), error);
    info->dims[0] = (int) width;
    info->dims[1] = (int) height;
    *layout = (BgRawLayout){ .type = first->value[BITS] == 8 ? BG_RAW_UINT8 : BG_RAW_UINT16,
                             .n_components = 1,
                             .slope = 1.0 };
    info->datatype = bg_raw_type_name(layout->type);
    if (!sort_slices(par, info, error) || !place(par, info, error))
        return FALSE;
    if (info->n_frames > 1 && par->repetition_ms > 0.0) {
        info->frame_spacing = par->repetition_ms / 1000.0;
        info->frame_unit = "s";
    }
    info->format = BG_FORMAT_PARREC;
    bg_file_info_set_modality(info, "MR", "");
    return TRUE;
}

// X.PAR has its voxels in X.REC, x.par in x.rec.
static char *
find_rec(const char *path)
{
    const char *suffix = g_str_has_suffix(path, ".par") ? ".rec" : ".REC";
    g_autofree char *stem = g_strdup(path);

    if (g_str_has_suffix(path, ".par") || g_str_has_suffix(path, ".PAR"))
        stem[strlen(stem) - 4] = '\0';
    return g_strconcat(stem, suffix, NULL);
}

static BgSource *
open_frame(const Par *par, const char *path, const BgFileInfo *info, BgRawLayout *layout, int frame,
           GCancellable *cancellable, GError **error)
{
    g_autofree char *rec = find_rec(path);
    gsize n = (gsize) info->dims[2], n_each = (gsize) info->dims[0] * (gsize) info->dims[1];
    gsize bytes = n_each * bg_raw_type_size(layout->type);
    g_autofree guint64 *offsets = g_new(guint64, n);
    g_autofree BgScale *scales = g_new(BgScale, n);

    for (gsize k = 0; k < n; k++) {
        const Slice *slice = &g_array_index(par->slices, Slice, (guint) frame * n + k);
        double index = slice->value[INDEX];
        if (!(index >= 0.0 && index < MAX_LINES))
            return set_bad(_("a slice's index beyond all"), error), NULL;
        offsets[k] = (guint64) index * bytes;
        scales[k] = (BgScale){ slice->value[SLOPE], slice->value[INTERCEPT] };
    }
    BgSource *source = bg_source_new_segments(rec, offsets, n, bytes, cancellable, error);
    if (source == NULL) {
        g_autofree char *shown = g_filename_display_basename(rec);
        g_prefix_error(error, "“%s”: ", shown);
        return NULL;
    }
    // One scale for all keeps the type.
    if (bg_scales_are_equal(scales, n) && scales[0].slope != 0.0) {
        layout->slope = scales[0].slope;
        layout->intercept = scales[0].intercept;
        return source;
    }
    BgScaledParams params = { .type = layout->type,
                              .n_each = n_each,
                              .scales = scales,
                              .n_scales = n,
                              .low = -INFINITY,
                              .high = INFINITY };
    layout->type = BG_RAW_FLOAT32;
    layout->big_endian = G_BYTE_ORDER == G_BIG_ENDIAN;
    return bg_source_new_scaled(source, &params);
}

static BgFileInfo *
par_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    Par par;

    par_init(&par);
    gboolean ok = read_par(&par, path, cancellable, error) && describe(&par, info, &layout, error);
    g_array_unref(par.slices);
    return ok ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
par_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    g_autoptr(BgSource) source = NULL;
    BgRawLayout layout;
    Par par;

    par_init(&par);
    if (read_par(&par, path, cancellable, error) && describe(&par, info, &layout, error) &&
        bg_raw_check_frame(info, params, error))
        source = open_frame(&par, path, info, &layout, params->frame, cancellable, error);
    g_array_unref(par.slices);
    return source != NULL
               ? bg_raw_load_frame(source, &layout, g_steal_pointer(&info), params, progress, error)
               : NULL;
}

const BgReader bg_reader_parrec = { "PAR/REC", par_sniff, par_probe, par_load };
