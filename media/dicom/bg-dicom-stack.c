// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-stack.h"

#include "core/base/bg-i18n.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STACKS 512        // of one series: what has more is no series
#define SAME_DIRECTION 2e-3   // per component of a direction cosine
#define SAME_SPACING 1e-3     // relative
#define SAME_POSITION_MM 0.01 // of slices: what lies closer is at one place
#define NAMED_FILES 4         // in one warning

typedef struct {
    BgDcmPlace place;
    double z;
    const BgDcmImage *image;
    const BgDcmFrame *frame;
} Entry;

void
bg_dcm_stack_free(BgDcmStack *stack)
{
    g_free(stack->key);
    g_free(stack->b_values);
    g_free(stack->instances);
    g_ptr_array_unref(stack->images);
    g_array_unref(stack->places);
    g_array_unref(stack->position_mm);
    g_array_unref(stack->offset);
    g_ptr_array_unref(stack->warnings);
    g_free(stack);
}

void
bg_dcm_stack_warn(BgDcmStack *stack, guint badge, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    stack->badges |= badge;
    for (guint i = 0; i < stack->warnings->len; i++) {
        if (strcmp(g_ptr_array_index(stack->warnings, i), text) == 0)
            return;
    }
    g_ptr_array_add(stack->warnings, g_steal_pointer(&text));
}

const BgDcmPlace *
bg_dcm_stack_place(const BgDcmStack *stack, int frame, int position)
{
    return &g_array_index(stack->places, BgDcmPlace,
                          (gsize) frame * (gsize) stack->n_positions + (gsize) position);
}

const BgDcmImage *
bg_dcm_stack_image(const BgDcmStack *stack, const BgDcmPlace *place, const BgDcmFrame **frame)
{
    if (place->image < 0)
        return NULL;
    const BgDcmImage *image = g_ptr_array_index(stack->images, place->image);
    *frame = &g_array_index(image->frames, BgDcmFrame, place->frame);
    return image;
}

gboolean
bg_dcm_stack_is_picture(const BgDcmStack *stack)
{
    const BgDcmFrame *frame;

    for (guint i = 0; i < stack->places->len; i++) {
        const BgDcmPlace *place = &g_array_index(stack->places, BgDcmPlace, i);
        if (place->image < 0 || place->frame < 0)
            continue;
        const BgDcmImage *image = bg_dcm_stack_image(stack, place, &frame);
        return bg_dcm_is_colour(&image->pixels) && (!stack->has_place || stack->n_positions == 1);
    }
    return FALSE;
}

static BgDcmStack *
stack_new(GPtrArray *images)
{
    BgDcmStack *stack = g_new0(BgDcmStack, 1);

    stack->images = g_ptr_array_ref(images);
    stack->places = g_array_new(FALSE, FALSE, sizeof(BgDcmPlace));
    stack->position_mm = g_array_new(FALSE, FALSE, sizeof(double));
    stack->offset = g_array_new(FALSE, FALSE, 2 * sizeof(double));
    stack->warnings = g_ptr_array_new_with_free_func(g_free);
    return stack;
}

static gboolean
same_vector(BgVec3 a, BgVec3 b, double tolerance)
{
    return fabs(a.x - b.x) < tolerance && fabs(a.y - b.y) < tolerance &&
           fabs(a.z - b.z) < tolerance;
}

static gboolean
same_length(double a, double b)
{
    return fabs(a - b) <= SAME_SPACING * MAX(fabs(a), fabs(b));
}

// Whether two frames of one series can lie in one grid.
static gboolean
belong_together(const BgDcmImage *a, const BgDcmFrame *f, const BgDcmImage *b, const BgDcmFrame *g)
{
    const BgDcmPixels *p = &a->pixels, *q = &b->pixels;

    if (p->rows != q->rows || p->columns != q->columns || a->mosaic != b->mosaic ||
        bg_dcm_is_colour(p) != bg_dcm_is_colour(q) || a->content != b->content ||
        p->is_float != q->is_float || a->kind != b->kind || f->stack != g->stack ||
        f->has_place != g->has_place || a->modality != b->modality)
        return FALSE;
    if (!f->has_place)
        return a == b || (p->n_frames == 1 && q->n_frames == 1);
    return same_vector(f->row, g->row, SAME_DIRECTION) &&
           same_vector(f->column, g->column, SAME_DIRECTION) &&
           same_length(f->spacing_mm[0], g->spacing_mm[0]) &&
           same_length(f->spacing_mm[1], g->spacing_mm[1]);
}

// Says what sets this stack apart: not its number, which would change with the files given.
static char *
make_key(const BgDcmImage *image, const BgDcmFrame *frame)
{
    g_autoptr(GString) key = g_string_new(NULL);

    g_string_append(key, image->series_uid[0] != '\0' ? image->series_uid : image->path);
    g_string_append_printf(key, "/%dx%d", image->pixels.columns, image->pixels.rows);
    if (image->kind[0] != '\0')
        g_string_append_printf(key, "/%s", image->kind);
    if (image->mosaic > 0)
        g_string_append(key, "/mosaic");
    if (frame == NULL)
        return g_strdup_printf("%s/%d/%s", key->str, image->content, image->sop_uid);
    if (frame->has_place)
        g_string_append_printf(key, "/%.0f,%.0f,%.0f,%.0f,%.0f,%.0f", frame->row.x * 100.0,
                               frame->row.y * 100.0, frame->row.z * 100.0, frame->column.x * 100.0,
                               frame->column.y * 100.0, frame->column.z * 100.0);
    else if (image->pixels.n_frames > 1)
        g_string_append_printf(key, "/%s", image->sop_uid);
    if (frame->stack != 0)
        g_string_append_printf(key, "/%x", (guint) frame->stack);
    return g_strdup_printf("%s/%.4g/%d", key->str, frame->spacing_mm[0],
                           (int) bg_dcm_is_colour(&image->pixels));
}

static int
compare_entries(gconstpointer a, gconstpointer b)
{
    const Entry *x = a, *y = b;

    if (fabs(x->z - y->z) > 0.0)
        return x->z < y->z ? -1 : 1;
    return 0;
}

static int
compare_in_place(gconstpointer a, gconstpointer b)
{
    const Entry *x = a, *y = b;
    int order;

    for (int i = 0; i < BG_DCM_N_KEYS; i++) {
        if (x->frame->key[i] < y->frame->key[i])
            return -1;
        if (x->frame->key[i] > y->frame->key[i])
            return 1;
    }
    order = strcmp(x->image->sop_uid, y->image->sop_uid);
    if (order != 0)
        return order;
    if (x->place.image != y->place.image)
        return x->place.image - y->place.image;
    return x->place.frame - y->place.frame;
}

static gboolean
same_instance(const Entry *a, const Entry *b)
{
    return a->image->sop_uid[0] != '\0' && strcmp(a->image->sop_uid, b->image->sop_uid) == 0 &&
           a->frame->number == b->frame->number && a->frame->tile == b->frame->tile;
}

static void
append_name(GString *names, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *valid = g_utf8_make_valid(name, -1);

    g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", valid);
}

// Sorts the entries of each place by their keys, and drops files that are there twice.
static void
sort_places(BgDcmStack *stack, GArray *entries, GArray *starts)
{
    g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(Entry));
    g_autoptr(GString) names = g_string_new(NULL);
    guint n_dropped = 0;

    for (guint first = 0; first < entries->len;) {
        Entry *e = &g_array_index(entries, Entry, first);
        guint n = 1;
        while (first + n < entries->len && e[n].z - e[0].z < SAME_POSITION_MM)
            n++;
        qsort(e, n, sizeof *e, compare_in_place);
        g_array_append_val(starts, kept->len);
        for (guint i = 0; i < n; i++) {
            if (i > 0 && same_instance(&e[i], &e[i - 1])) {
                if (n_dropped++ < NAMED_FILES)
                    append_name(names, e[i].image->path);
                continue;
            }
            g_array_append_val(kept, e[i]);
        }
        first += n;
    }
    g_array_append_val(starts, kept->len);
    if (n_dropped > 0)
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_DOUBLED,
                          ngettext("%u picture is there twice; one is used: %s.",
                                   "%u pictures are there twice; one each is used: %s.", n_dropped),
                          n_dropped, names->str);
    g_array_set_size(entries, 0);
    g_array_append_vals(entries, kept->data, kept->len);
}

static guint
most_common_count(const GArray *starts)
{
    g_autoptr(GHashTable) times = g_hash_table_new(NULL, NULL);
    guint best = 1, best_times = 0;

    for (guint s = 0; s + 1 < starts->len; s++) {
        guint n = g_array_index(starts, guint, s + 1) - g_array_index(starts, guint, s);
        guint t = GPOINTER_TO_UINT(g_hash_table_lookup(times, GUINT_TO_POINTER(n))) + 1;
        g_hash_table_insert(times, GUINT_TO_POINTER(n), GUINT_TO_POINTER(t));
        if (t > best_times || (t == best_times && n < best)) {
            best = n;
            best_times = t;
        }
    }
    return best;
}

static gboolean
same_moment(const Entry *a, const Entry *b)
{
    static const BgDcmKey keys[] = { BG_DCM_KEY_ECHO, BG_DCM_KEY_TEMPORAL, BG_DCM_KEY_ACQUISITION };

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (fabs(a->frame->key[keys[i]] - b->frame->key[keys[i]]) > 1e-6)
            return FALSE;
    }
    return TRUE;
}

// The entries of a place with fewer or more than the others: each goes to the frame that it
// belongs to by echo, time and acquisition, and else to the next free one.
static void
fill_odd_place(BgDcmStack *stack, const Entry *e, guint n, const Entry *model, int position,
               GString *doubled, guint *n_doubled)
{
    for (guint i = 0; i < n; i++) {
        int chosen = -1;
        for (int f = 0; f < stack->n_frames && chosen < 0; f++) {
            BgDcmPlace *slot = (BgDcmPlace *) bg_dcm_stack_place(stack, f, position);
            if (slot->image < 0 && same_moment(&e[i], &model[f]))
                chosen = f;
        }
        for (int f = 0; f < stack->n_frames && chosen < 0; f++) {
            if (bg_dcm_stack_place(stack, f, position)->image < 0)
                chosen = f;
        }
        if (chosen >= 0)
            *(BgDcmPlace *) bg_dcm_stack_place(stack, chosen, position) = e[i].place;
        else if ((*n_doubled)++ < NAMED_FILES)
            append_name(doubled, e[i].image->path);
    }
}

static void
fill_places(BgDcmStack *stack, const GArray *entries, const GArray *starts)
{
    guint n_common = most_common_count(starts);
    BgDcmPlace nowhere = { -1, -1 };
    const Entry *model = NULL;
    g_autoptr(GString) doubled = g_string_new(NULL);
    guint n_doubled = 0, n_missing = 0;

    stack->n_positions = (int) starts->len - 1;
    stack->n_frames = (int) n_common;
    for (gsize i = 0; i < (gsize) stack->n_positions * n_common; i++)
        g_array_append_val(stack->places, nowhere);
    for (guint s = 0; s + 1 < starts->len && model == NULL; s++) {
        guint start = g_array_index(starts, guint, s);
        if (g_array_index(starts, guint, s + 1) - start == n_common)
            model = &g_array_index(entries, Entry, start);
    }
    g_return_if_fail(model != NULL); // a count is only the commonest where a place has it
    for (int s = 0; s < stack->n_positions; s++) {
        guint start = g_array_index(starts, guint, s);
        guint n = g_array_index(starts, guint, s + 1) - start;
        const Entry *e = &g_array_index(entries, Entry, start);
        double z = e->z - g_array_index(entries, Entry, 0).z;
        g_array_append_val(stack->position_mm, z);
        if (n != n_common) {
            fill_odd_place(stack, e, n, model, s, doubled, &n_doubled);
            n_missing += n < n_common ? n_common - n : 0;
            continue;
        }
        for (guint f = 0; f < n; f++)
            *(BgDcmPlace *) bg_dcm_stack_place(stack, (int) f, s) = e[f].place;
    }
    if (n_doubled > 0)
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_DOUBLED,
                          ngettext("%u slice lies where another one does and is left out: %s.",
                                   "%u slices lie where others do and are left out: %s.",
                                   n_doubled),
                          n_doubled, doubled->str);
    if (n_missing > 0)
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_MISSING,
                          ngettext("%u slice is missing in one of the %d frames; it is filled in "
                                   "from its neighbours.",
                                   "%u slices are missing in some of the %d frames; they are "
                                   "filled in from their neighbours.",
                                   n_missing),
                          n_missing, stack->n_frames);
}

// What sets frame 1 apart from frame 0.
static void
name_frames(BgDcmStack *stack)
{
    const BgDcmFrame *a, *b;
    const BgDcmImage *image;

    if (stack->n_frames < 2)
        return;
    stack->frame_kind = "frame";
    image = bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, 0, 0), &a);
    if (image == NULL || bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, 1, 0), &b) == NULL)
        return;
    if (fabs(a->key[BG_DCM_KEY_ECHO] - b->key[BG_DCM_KEY_ECHO]) > 1e-6) {
        stack->frame_kind = "echo";
    } else if (a->b_value >= 0.0 && fabs(a->b_value - b->b_value) > 1e-6) {
        stack->frame_kind = "b-value";
    } else {
        double apart = b->key[BG_DCM_KEY_TIME] - a->key[BG_DCM_KEY_TIME];
        double trigger = b->key[BG_DCM_KEY_TRIGGER] - a->key[BG_DCM_KEY_TRIGGER];
        gboolean timed = fabs(apart) > 1e-6 || fabs(trigger) > 1e-6 ||
                         a->key[BG_DCM_KEY_TEMPORAL] != b->key[BG_DCM_KEY_TEMPORAL] ||
                         a->key[BG_DCM_KEY_ACQUISITION] != b->key[BG_DCM_KEY_ACQUISITION];
        if (timed)
            stack->frame_kind = "time";
        if (timed && image->mosaic > 0 && image->repetition_s > 0.0)
            stack->frame_spacing_s = image->repetition_s;
        else if (trigger > 0.0)
            stack->frame_spacing_s = trigger / 1000.0;
        else if (apart > 0.0 && apart < 86400.0)
            stack->frame_spacing_s = apart;
    }
}

// Where all frames say how strongly they are weighted.
static void
list_b_values(BgDcmStack *stack)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int f = 0; f < stack->n_frames; f++) {
        const BgDcmFrame *frame = NULL;
        for (int s = 0; s < stack->n_positions && frame == NULL; s++)
            if (bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, f, s), &frame) == NULL)
                frame = NULL;
        if (frame == NULL || frame->b_value < 0.0)
            return;
        g_ascii_formatd(number, sizeof number, "%.6g", frame->b_value);
        g_string_append_printf(text, "%s%s", f > 0 ? " " : "", number);
    }
    stack->b_values = g_string_free(g_steal_pointer(&text), FALSE);
}

// Where each slice of the grid is one file.
static void
list_instances(BgDcmStack *stack)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const BgDcmFrame *frame;

    if (stack->resample_along || stack->geometry.dims[2] != stack->n_positions)
        return;
    for (int s = 0; s < stack->n_positions; s++) {
        const BgDcmImage *image =
            bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, 0, s), &frame);
        if (image == NULL || image->pixels.n_frames != 1 || image->mosaic > 0 ||
            image->sop_uid[0] == '\0' || strchr(image->sop_uid, ' ') != NULL)
            return;
        g_string_append_printf(text, "%s%s", s > 0 ? " " : "", image->sop_uid);
    }
    stack->instances = g_string_free(g_steal_pointer(&text), FALSE);
}

// Without a place: tomograms in the order of their numbers, one above the other; all else is a run
// of pictures.
static void
order_without_place(BgDcmStack *stack, GArray *entries)
{
    static const char *const tomograms[] = { "CT", "MR", "PT" };
    const Entry *first = &g_array_index(entries, Entry, 0);
    gboolean stacked = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(tomograms); i++)
        stacked |= strcmp(first->image->modality, tomograms[i]) == 0;
    qsort(entries->data, entries->len, sizeof(Entry), compare_in_place);
    double step = first->frame->step_mm > 0.0 ? first->frame->step_mm : 1.0;
    if (!stacked) {
        for (guint i = 0; i < entries->len; i++)
            g_array_index(entries, Entry, i).z = 0.0;
        return;
    }
    for (guint i = 0; i < entries->len; i++)
        g_array_index(entries, Entry, i).z = step * i;
}

static void
build_stack(BgDcmStack *stack, GArray *entries)
{
    g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(guint));
    Entry *first = &g_array_index(entries, Entry, 0);

    stack->key = make_key(first->image, first->frame);
    stack->has_place = first->frame->has_place;
    if (stack->has_place) {
        BgVec3 normal = bg_dcm_frame_normal(first->frame);
        for (guint i = 0; i < entries->len; i++) {
            Entry *e = &g_array_index(entries, Entry, i);
            e->z = bg_vec3_dot(normal, e->frame->position);
        }
    } else {
        order_without_place(stack, entries);
    }
    g_array_sort(entries, compare_entries);
    sort_places(stack, entries, starts);
    fill_places(stack, entries, starts);
    name_frames(stack);
    list_b_values(stack);
    bg_dcm_stack_lay_out(stack);
    list_instances(stack);
}

static void
add_unreadable(GPtrArray *stacks, GPtrArray *images, int index)
{
    const BgDcmImage *image = g_ptr_array_index(images, index);
    BgDcmStack *stack = stack_new(images);
    BgDcmPlace place = { index, -1 };

    stack->key = make_key(image, NULL);
    stack->n_positions = 1;
    stack->n_frames = 1;
    g_array_append_val(stack->places, place);
    if (image->reason != NULL)
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_UNREADABLE, _("Cannot be loaded: %s."),
                          image->reason);
    g_ptr_array_add(stacks, stack);
}

static GArray *
find_group(GPtrArray *groups, const BgDcmImage *image, const BgDcmFrame *frame)
{
    for (guint i = 0; i < groups->len; i++) {
        GArray *entries = g_ptr_array_index(groups, i);
        const Entry *first = &g_array_index(entries, Entry, 0);
        if (belong_together(first->image, first->frame, image, frame))
            return entries;
    }
    if (groups->len >= MAX_STACKS)
        return NULL;
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    g_ptr_array_add(groups, entries);
    return entries;
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    const BgDcmImage *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

GPtrArray *
bg_dcm_stacks_new(GPtrArray *unsorted)
{
    GPtrArray *stacks = g_ptr_array_new_with_free_func((GDestroyNotify) bg_dcm_stack_free);
    g_autoptr(GPtrArray) images = g_ptr_array_new();
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    guint n_dropped = 0;

    for (guint i = 0; i < unsorted->len; i++)
        g_ptr_array_add(images, g_ptr_array_index(unsorted, i));
    g_ptr_array_sort(images, compare_paths);
    for (guint i = 0; i < images->len; i++) {
        const BgDcmImage *image = g_ptr_array_index(images, i);
        if (image->content != BG_DICOM_CONTENT_VOLUME || image->reason != NULL ||
            image->frames->len == 0) {
            add_unreadable(stacks, images, (int) i);
            continue;
        }
        for (guint f = 0; f < image->frames->len; f++) {
            const BgDcmFrame *frame = &g_array_index(image->frames, BgDcmFrame, f);
            GArray *entries = find_group(groups, image, frame);
            Entry entry = { { (int) i, (int) f }, 0.0, image, frame };
            if (entries != NULL)
                g_array_append_val(entries, entry);
            else
                n_dropped++;
        }
    }
    for (guint i = 0; i < groups->len; i++) {
        BgDcmStack *stack = stack_new(images);
        build_stack(stack, g_ptr_array_index(groups, i));
        if (n_dropped > 0)
            bg_dcm_stack_warn(stack, BG_DICOM_BADGE_MISSING,
                              _("%u pictures of the series are left out: they lie in more than %d "
                                "different directions."),
                              n_dropped, MAX_STACKS);
        g_ptr_array_add(stacks, stack);
    }
    return stacks;
}
