// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "ui/model/bg-import-private.h"

#include <math.h>

G_DEFINE_FINAL_TYPE(BgImportItem, bg_import_item, G_TYPE_OBJECT)

enum {
    PROP_0,
    PROP_CHANGED,
};

// The longer before the shorter: "t1ce" is no "t1".
static const struct {
    const char *word;
    const char *name;
} words[] = {
    { "t1ce", N_("T1 contrast") },
    { "t1gd", N_("T1 contrast") },
    { "t1c", N_("T1 contrast") },
    { "t1km", N_("T1 contrast") },
    { "t1post", N_("T1 contrast") },
    { "flair", N_("FLAIR") },
    { "t1w", N_("T1") },
    { "t1", N_("T1") },
    { "mprage", N_("T1") },
    { "t2star", N_("T2*") },
    { "t2w", N_("T2") },
    { "t2", N_("T2") },
    { "swi", N_("SWI") },
    { "dwi", N_("Diffusion") },
    { "adc", N_("ADC") },
    { "seg", N_("Labels") },
    { "segmentation", N_("Labels") },
    { "label", N_("Labels") },
    { "labels", N_("Labels") },
    { "mask", N_("Labels") },
    { "truth", N_("Labels") },
};

static gboolean
is_contrast(const char *word)
{
    static const char *const marks[] = { "ce", "gd", "c", "km", "post", "contrast" };

    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
        if (g_str_equal(word, marks[i]))
            return TRUE;
    return FALSE;
}

const char *
bg_import_guess_name(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_auto(GStrv) parts = g_strsplit_set(lower, " ._-+/()[],", -1);
    const char *best = NULL;

    for (char **part = parts; *part != NULL; part++)
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
            if (!g_str_equal(*part, words[i].word))
                continue;
            // "t1_ce" and "t1+c" are written in two words.
            if (g_str_equal(words[i].name, "T1") && part[1] != NULL && is_contrast(part[1]))
                return _("T1 contrast");
            // "t1ce_seg" are labels: what is said of the kind counts more than of the contrast.
            if (best == NULL || g_str_equal(words[i].name, "Labels"))
                best = words[i].name;
        }

    return best != NULL ? _(best) : NULL;
}

static void
tell(BgImportItem *self)
{
    g_object_notify(G_OBJECT(self), "changed");
}

static char *
stem(const char *path)
{
    char *name = g_path_get_basename(path);
    char *dot = g_str_has_suffix(name, ".gz") ? name + strlen(name) - 3 : name + strlen(name);

    *dot = '\0';
    dot = strrchr(name, '.');
    if (dot != NULL && dot != name)
        *dot = '\0';
    return name;
}

static char *
name_of(const char *text, BgKind kind)
{
    const char *guessed = bg_import_guess_name(text);

    if (kind == BG_KIND_MESH || kind == BG_KIND_IMAGE)
        return g_strdup(text);
    if (kind == BG_KIND_LABELS)
        return g_strdup(_("Labels"));

    return g_strdup(guessed != NULL ? guessed : text);
}

static void
take_strings(GPtrArray *to, GPtrArray *from)
{
    for (guint i = 0; from != NULL && i < from->len; i++)
        g_ptr_array_add(to, g_strdup(from->pdata[i]));
}

guint64
bg_import_bytes_of(const BgFileInfo *info)
{
    // Wider types become float32; colour and labels are at most that wide in memory.
    gsize size = info->datatype != NULL && g_str_has_suffix(info->datatype, "16")   ? 2
                 : info->datatype != NULL && g_str_has_suffix(info->datatype, "t8") ? 1
                                                                                    : 4;

    return (guint64) info->dims[0] * (guint64) info->dims[1] * (guint64) info->dims[2] * size;
}

BgImportItem *
bg_import_item_new_for_file(const char *path, BgFileInfo *info, const GError *error)
{
    BgImportItem *self = g_object_new(BG_TYPE_IMPORT_ITEM, NULL);
    g_autofree char *name = stem(path);

    self->path = g_strdup(path);
    self->raw = info == NULL && g_error_matches(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    self->problem = info == NULL ? g_strdup(error->message) : NULL;
    self->chosen = info != NULL;
    if (info == NULL) {
        self->name = g_steal_pointer(&name);
        self->modality = g_strdup("");
        self->group = g_strdup("");
        return self;
    }

    g_autofree char *study_date = bg_format_date(info->study_date);
    const char *patient[] = { info->patient_name, info->patient_id, study_date };
    GString *group = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(patient); i++)
        if (patient[i] != NULL && patient[i][0] != '\0')
            g_string_append_printf(group, "%s%s", group->len > 0 ? "  ·  " : "", patient[i]);
    self->group = g_string_free(group, FALSE);
    self->kind = info->kind;
    self->name = name_of(name, info->kind);
    self->modality = g_strdup(info->modality);
    memcpy(self->dims, info->dims, sizeof self->dims);
    if (info->has_geometry) {
        BgVec3 spacing_mm = bg_geometry_spacing_mm(&info->geometry);
        for (int axis = 0; axis < 3; axis++)
            self->spacing_mm[axis] = bg_vec3_get(spacing_mm, axis);
    }
    self->n_frames = MAX(info->n_frames, 1);
    self->n_bytes = bg_import_bytes_of(info);
    self->part = bg_load_part_all(self->dims);
    take_strings(self->warnings, info->warnings);
    if (info->has_geometry && !info->side_known)
        g_ptr_array_add(self->badges, g_strdup(_("side unknown")));
    return self;
}

BgImportItem *
bg_import_item_new_for_series(const char *path, BgSeries *series)
{
    BgImportItem *self = g_object_new(BG_TYPE_IMPORT_ITEM, NULL);
    g_autofree char *birth_date = bg_format_date(series->patient_birth_date);
    g_autofree char *study_date = bg_format_date(series->study_date);
    const char *parts[] = { series->patient_name, series->patient_id, birth_date,
                            series->study_description, study_date };
    GString *group = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i][0] != '\0')
            g_string_append_printf(group, "%s%s", group->len > 0 ? "  ·  " : "", parts[i]);
    self->path = g_strdup(path);
    self->group = g_string_free(group, FALSE);
    bg_import_item_take_series(self, series);
    return self;
}

void
bg_import_item_take_series(BgImportItem *self, BgSeries *series)
{
    g_clear_pointer(&self->series, bg_series_unref);
    self->series = bg_series_ref(series);
    self->kind = series->kind;
    if (memcmp(self->dims, series->dims, sizeof self->dims) != 0)
        self->part = bg_load_part_all(series->dims);
    memcpy(self->dims, series->dims, sizeof self->dims);
    memcpy(self->spacing_mm, series->spacing_mm, sizeof self->spacing_mm);
    self->n_frames = MAX(series->n_frames, 1);
    self->n_bytes = series->n_bytes;
    g_free(self->modality);
    self->modality = g_strdup(series->modality);
    if (!self->renamed) {
        g_free(self->name);
        self->name = name_of(
            series->description[0] != '\0' ? series->description : series->modality, series->kind);
    }
    g_ptr_array_set_size(self->badges, 0);
    g_ptr_array_set_size(self->warnings, 0);
    take_strings(self->badges, series->badges);
    take_strings(self->warnings, series->warnings);
    g_clear_pointer(&self->problem, g_free);
    if (!series->loadable) {
        self->problem =
            g_strdup(series->warnings->len > 0 ? (const char *) series->warnings->pdata[0]
                                               : _("This series cannot be shown"));
        self->chosen = FALSE;
    }
    tell(self);
}

const char *
bg_import_item_get_path(BgImportItem *self)
{
    return self->path;
}

const char *
bg_import_item_get_name(BgImportItem *self)
{
    return self->name;
}

void
bg_import_item_set_name(BgImportItem *self, const char *name)
{
    if (g_strcmp0(self->name, name) == 0)
        return;

    g_free(self->name);
    self->name = g_strdup(name);
    self->renamed = TRUE;
}

const char *
bg_import_item_get_group(BgImportItem *self)
{
    return self->group;
}

const char *
bg_import_item_get_modality(BgImportItem *self)
{
    return self->modality;
}

// Returns: (nullable): of the slices, for people
static const char *
plane_of(BgImportItem *self)
{
    static const char *const names[][2] = { { "axial", N_("axial") },
                                            { "coronal", N_("coronal") },
                                            { "sagittal", N_("sagittal") },
                                            { "oblique", N_("oblique") } };

    for (gsize i = 0; self->series != NULL && i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(self->series->plane, names[i][0]))
            return _(names[i][1]);
    return NULL;
}

char *
bg_import_item_dup_summary(BgImportItem *self)
{
    GString *text = g_string_new(NULL);
    guint64 n_bytes = bg_import_item_get_n_bytes(self);
    g_autofree char *memory = g_format_size_full(n_bytes, G_FORMAT_SIZE_IEC_UNITS);
    int dims[3];

    if (self->series != NULL && self->series->description[0] != '\0')
        g_string_append_printf(text, "%s  ·  ", self->series->description);
    const char *plane = plane_of(self);
    if (plane != NULL)
        g_string_append_printf(text, "%s  ·  ", plane);
    if (bg_import_item_has_parts(self) && !bg_load_part_is_whole(&self->part, self->dims)) {
        bg_load_part_dims(&self->part, self->dims, dims);
        g_string_append_printf(text,
                               // Translators: numbers of voxels along three axes: of a part, of all
                               _("%d × %d × %d of %d × %d × %d"), dims[0], dims[1], dims[2],
                               self->dims[0], self->dims[1], self->dims[2]);
    } else if (self->dims[0] > 0) {
        g_string_append_printf(text, "%d × %d × %d", self->dims[0], self->dims[1], self->dims[2]);
    }
    if (self->spacing_mm[0] > 0.0)
        g_string_append_printf(text, "  ·  %.3g × %.3g", self->spacing_mm[0], self->spacing_mm[1]);
    if (self->spacing_mm[0] > 0.0 && self->spacing_mm[2] > 0.0)
        g_string_append_printf(text, " × %.3g", self->spacing_mm[2]);
    if (self->spacing_mm[0] > 0.0)
        g_string_append(text, " mm");
    if (self->n_frames > 1) {
        // Translators: volumes of a 4D file
        g_string_append_printf(text, ngettext("  ·  %d frame", "  ·  %d frames", self->n_frames),
                               self->n_frames);
    }
    if (self->series != NULL && self->series->b_values[0] != '\0') {
        // Translators: of diffusion, one number a frame
        g_string_append_printf(text, _("  ·  b %s s/mm²"), self->series->b_values);
    }
    if (self->series != NULL && self->series->date[0] != '\0') {
        g_autofree char *date = bg_format_date(self->series->date);
        g_string_append_printf(text, "  ·  %s", date);
    }
    if (n_bytes > 0)
        g_string_append_printf(text, "  ·  %s", memory);

    return g_string_free(text, FALSE);
}

guint64
bg_import_item_get_n_bytes(BgImportItem *self)
{
    int dims[3];

    if (!bg_import_item_has_parts(self))
        return self->n_bytes;
    bg_load_part_dims(&self->part, self->dims, dims);
    double share = 1.0;
    for (int axis = 0; axis < 3; axis++)
        share *= (double) dims[axis] / self->dims[axis];
    return (guint64) ceil(share * (double) self->n_bytes);
}

gboolean
bg_import_item_has_parts(BgImportItem *self)
{
    return self->problem == NULL &&
           (self->kind == BG_KIND_VOLUME || self->kind == BG_KIND_LABELS) && self->dims[0] > 0 &&
           self->dims[1] > 0 && self->dims[2] > 0;
}

const int *
bg_import_item_get_dims(BgImportItem *self)
{
    return self->dims;
}

BgLoadPart
bg_import_item_get_part(BgImportItem *self)
{
    return self->part;
}

void
bg_import_item_set_part(BgImportItem *self, const BgLoadPart *part)
{
    BgLoadPart good = *part;

    for (int axis = 0; axis < 3; axis++) {
        int top = MAX(self->dims[axis] - 1, 0);
        good.first[axis] = CLAMP(good.first[axis], 0, top);
        good.last[axis] = CLAMP(good.last[axis], good.first[axis], top);
        good.step[axis] = CLAMP(good.step[axis], 1, top + 1);
    }
    if (memcmp(&good, &self->part, sizeof good) == 0)
        return;

    self->part = good;
    tell(self);
}

GPtrArray *
bg_import_item_get_badges(BgImportItem *self)
{
    return self->badges;
}

GPtrArray *
bg_import_item_get_warnings(BgImportItem *self)
{
    return self->warnings;
}

const char *
bg_import_item_get_problem(BgImportItem *self)
{
    return self->problem;
}

gboolean
bg_import_item_is_raw(BgImportItem *self)
{
    return self->raw;
}

gboolean
bg_import_item_get_chosen(BgImportItem *self)
{
    return self->chosen;
}

void
bg_import_item_set_chosen(BgImportItem *self, gboolean chosen)
{
    chosen = chosen && self->problem == NULL;
    if (self->chosen == chosen)
        return;

    self->chosen = chosen;
    tell(self);
}

BgImage *
bg_import_item_get_picture(BgImportItem *self)
{
    return self->picture;
}

void
bg_import_item_take_picture(BgImportItem *self, BgImage *picture)
{
    g_clear_pointer(&self->picture, bg_image_unref);
    self->picture = picture;
    tell(self);
}

int
bg_import_item_count_frames(BgImportItem *self)
{
    return self->n_frames;
}

int
bg_import_item_get_frame(BgImportItem *self)
{
    return self->frame;
}

void
bg_import_item_set_frame(BgImportItem *self, int frame)
{
    self->frame = CLAMP(frame, 0, self->n_frames - 1);
}

static void
bg_import_item_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_set_boolean(value, TRUE); // only its notifications matter
}

static void
bg_import_item_finalize(GObject *object)
{
    BgImportItem *self = BG_IMPORT_ITEM(object);

    g_clear_pointer(&self->series, bg_series_unref);
    g_clear_pointer(&self->picture, bg_image_unref);
    g_ptr_array_unref(self->badges);
    g_ptr_array_unref(self->warnings);
    g_free(self->path);
    g_free(self->name);
    g_free(self->group);
    g_free(self->modality);
    g_free(self->problem);

    G_OBJECT_CLASS(bg_import_item_parent_class)->finalize(object);
}

static void
bg_import_item_class_init(BgImportItemClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    object_class->get_property = bg_import_item_get_property;
    object_class->finalize = bg_import_item_finalize;
    g_object_class_install_property(
        object_class, PROP_CHANGED,
        g_param_spec_boolean("changed", NULL, NULL, FALSE,
                             G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS));
}

static void
bg_import_item_init(BgImportItem *self)
{
    self->badges = g_ptr_array_new_with_free_func(g_free);
    self->warnings = g_ptr_array_new_with_free_func(g_free);
    self->n_frames = 1;
    self->chosen = TRUE;
}
