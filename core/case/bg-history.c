// SPDX-License-Identifier: Apache-2.0
// Undo and redo: two piles of steps for edits, two for moves of the view.
#include "bg-case-private.h"

#define VIEW_PAUSE_US G_USEC_PER_SEC // moves of the view closer together are one step

struct _BgStep {
    char *title;
    GPtrArray *inverses;     // of BgCommand, in the order in which they were done
    guint64 revision_before; // of the edits
    gint64 time_us;          // of the last command
    gsize n_bytes;           // of the records with voxels
};

static void
free_inverse(gpointer command)
{
    bg_command_unref(command);
}

static BgStep *
step_new(const char *title, guint64 revision)
{
    BgStep *step = g_new0(BgStep, 1);

    step->title = g_strdup(title);
    step->inverses = g_ptr_array_new_with_free_func(free_inverse);
    step->revision_before = revision;
    return step;
}

static void
step_free(BgCase *self, BgStep *step)
{
    for (guint i = 0; i < step->inverses->len; i++)
        bg_case_note_history(self, g_ptr_array_index(step->inverses, i), -1);
    self->edit_bytes -= step->n_bytes;
    g_ptr_array_unref(step->inverses);
    g_free(step->title);
    g_free(step);
}

static void
empty(BgCase *self, GPtrArray *steps)
{
    for (guint i = steps->len; i > 0; i--)
        step_free(self, g_ptr_array_index(steps, i - 1));
    g_ptr_array_set_size(steps, 0);
}

void
bg_case_history_init(BgCase *self)
{
    self->edits = (BgPile){ g_ptr_array_new(), g_ptr_array_new(), NULL };
    self->views = (BgPile){ g_ptr_array_new(), g_ptr_array_new(), NULL };
}

void
bg_case_history_clear(BgCase *self)
{
    BgPile *piles[] = { &self->edits, &self->views };

    for (gsize i = 0; i < G_N_ELEMENTS(piles); i++) {
        empty(self, piles[i]->undo);
        empty(self, piles[i]->redo);
        piles[i]->open = NULL;
    }
    self->gesture_depth = 0;
    g_clear_pointer(&self->gesture_title, g_free);
}

static BgStep *
top(const GPtrArray *steps)
{
    return steps->len > 0 ? g_ptr_array_index(steps, steps->len - 1) : NULL;
}

// Of settings of one thing that follow each other the first's inverse is enough; past a command
// of another sort (which may have removed the thing and brought it back) nothing is merged.
static gboolean
is_covered(const BgStep *step, const BgCommand *inverse)
{
    if ((inverse->kind->flags & BG_COMMAND_SETTING) == 0)
        return FALSE;
    for (guint i = step->inverses->len; i > 0; i--) {
        const BgCommand *earlier = g_ptr_array_index(step->inverses, i - 1);
        if ((earlier->kind->flags & BG_COMMAND_SETTING) == 0)
            return FALSE;
        if (bg_command_same_key(earlier, inverse))
            return TRUE;
    }
    return FALSE;
}

static gboolean
goes_on(const BgStep *step, const BgCommand *inverse, gint64 now_us)
{
    return step != NULL && bg_command_is_view(inverse) && step->inverses->len == 1 &&
           now_us - step->time_us < VIEW_PAUSE_US && is_covered(step, inverse);
}

// @step holds @inverse now; the oldest steps go when there is too much. The latest stays.
static void
weigh(BgCase *self, BgPile *pile, BgStep *step, const BgCommand *inverse)
{
    if ((inverse->kind->flags & BG_COMMAND_VOXELS) == 0)
        return;
    g_autoptr(GVariant) runs = g_variant_get_child_value(inverse->args, 4);
    gsize n_bytes = g_variant_get_size(runs);
    step->n_bytes += n_bytes;
    self->edit_bytes += n_bytes;
    while (self->edit_bytes > self->edit_budget && pile->undo->len > 1 &&
           g_ptr_array_index(pile->undo, 0) != step)
        step_free(self, g_ptr_array_steal_index(pile->undo, 0));
}

// Puts @inverse (transfer full) of a command that was done on its pile.
static void
record(BgCase *self, const BgCommand *command, BgCommand *inverse)
{
    gboolean is_view = bg_command_is_view(command);
    BgPile *pile = is_view ? &self->views : &self->edits;
    gint64 now_us = g_get_monotonic_time();
    gboolean had_redo = pile->redo->len > 0;
    BgStep *step = pile->open;

    bg_case_note_history(self, inverse, 1); // before redo forgets what it would bring back
    empty(self, pile->redo);
    if (step == NULL && self->gesture_depth == 0 && !had_redo &&
        goes_on(top(pile->undo), inverse, now_us))
        step = top(pile->undo);
    if (step == NULL) {
        const char *title = self->gesture_depth > 0 && self->gesture_title != NULL
                                ? self->gesture_title
                                : bg_command_get_title(command);
        step = step_new(title, self->revision);
        g_ptr_array_add(pile->undo, step);
        if (self->gesture_depth > 0)
            pile->open = step;
    }
    step->time_us = now_us;
    if (!is_view)
        self->revision = ++self->next_revision;
    if (is_covered(step, inverse))
        bg_command_unref(inverse); // a setting: nothing was noted
    else
        g_ptr_array_add(step->inverses, inverse);
    if (step->inverses->len > 0)
        weigh(self, pile, step, g_ptr_array_index(step->inverses, step->inverses->len - 1));
}

gboolean
bg_case_do(BgCase *self, BgCommand *command, GError **error)
{
    g_return_val_if_fail(BG_IS_CASE(self) && command != NULL, FALSE);

    g_autoptr(BgCommand) done = command;
    g_autoptr(GPtrArray) written = g_ptr_array_new();
    g_autoptr(BgCommand) inverse = bg_case_apply(self, command, error);
    if (inverse == NULL)
        return FALSE;
    if (inverse->kind == command->kind && g_variant_equal(inverse->args, command->args))
        return TRUE; // it was so already

    record(self, command, g_steal_pointer(&inverse));
    g_ptr_array_add(written, command);
    bg_case_write_journal(self, written);
    bg_case_tell_changed(self, command);
    bg_case_tell_history(self);
    return TRUE;
}

static void
close_gesture(BgCase *self)
{
    if (self->gesture_depth > 0)
        bg_case_write_waiting(self);
    self->gesture_depth = 0;
    self->edits.open = NULL;
    self->views.open = NULL;
    g_clear_pointer(&self->gesture_title, g_free);
}

static BgCommand *
apply_or_die(BgCase *self, const BgCommand *command)
{
    g_autoptr(GError) error = NULL;
    BgCommand *inverse = bg_case_apply(self, command, &error);

    // A command that came out of the state itself fits it again: else the state is not what is
    // shown, and going on would be worse than stopping.
    if (inverse == NULL)
        g_error("a step of undo does not fit: %s", error->message);
    return inverse;
}

// Takes the last step back. Its commands' inverses come to lie in @to, if there is one.
static void
take_back(BgCase *self, BgPile *pile, GPtrArray *from, GPtrArray *to)
{
    BgStep *step = g_ptr_array_steal_index(from, from->len - 1);
    BgStep *opposite = step_new(step->title, self->revision);
    g_autoptr(GPtrArray) done = g_ptr_array_new();

    self->edit_bytes -= step->n_bytes; // they are weighed with what takes their place
    step->n_bytes = 0;
    for (guint i = step->inverses->len; i > 0; i--) {
        BgCommand *command = g_ptr_array_index(step->inverses, i - 1);
        BgCommand *inverse = apply_or_die(self, command);

        bg_case_note_history(self, inverse, 1);
        g_ptr_array_add(opposite->inverses, inverse);
        g_ptr_array_add(done, command);
        weigh(self, pile, opposite, inverse);
    }
    if (pile == &self->edits)
        self->revision = step->revision_before;
    if (to != NULL)
        g_ptr_array_add(to, opposite);

    // Told when the whole step is taken back: nobody sees half of it.
    bg_case_write_journal(self, done);
    for (guint i = 0; i < done->len; i++)
        bg_case_tell_changed(self, g_ptr_array_index(done, i));
    if (to == NULL)
        step_free(self, opposite);
    step_free(self, step);
    bg_case_tell_history(self);
}

static gboolean
step_back(BgCase *self, BgPile *pile, GPtrArray *from, GPtrArray *to)
{
    close_gesture(self);
    if (from->len == 0)
        return FALSE;
    take_back(self, pile, from, to);
    return TRUE;
}

gboolean
bg_case_undo(BgCase *self)
{
    g_return_val_if_fail(BG_IS_CASE(self), FALSE);

    return step_back(self, &self->edits, self->edits.undo, self->edits.redo);
}

gboolean
bg_case_redo(BgCase *self)
{
    g_return_val_if_fail(BG_IS_CASE(self), FALSE);

    return step_back(self, &self->edits, self->edits.redo, self->edits.undo);
}

gboolean
bg_case_undo_view(BgCase *self)
{
    g_return_val_if_fail(BG_IS_CASE(self), FALSE);

    return step_back(self, &self->views, self->views.undo, self->views.redo);
}

gboolean
bg_case_redo_view(BgCase *self)
{
    g_return_val_if_fail(BG_IS_CASE(self), FALSE);

    return step_back(self, &self->views, self->views.redo, self->views.undo);
}

static const char *
title_of(const GPtrArray *steps)
{
    const BgStep *step = top(steps);

    return step != NULL ? step->title : NULL;
}

const char *
bg_case_get_undo_title(BgCase *self)
{
    return title_of(self->edits.undo);
}

const char *
bg_case_get_redo_title(BgCase *self)
{
    return title_of(self->edits.redo);
}

gboolean
bg_case_can_undo_view(BgCase *self)
{
    return self->views.undo->len > 0;
}

gboolean
bg_case_can_redo_view(BgCase *self)
{
    return self->views.redo->len > 0;
}

void
bg_case_begin_gesture(BgCase *self, const char *title)
{
    g_return_if_fail(BG_IS_CASE(self));

    if (self->gesture_depth++ == 0)
        self->gesture_title = g_strdup(title);
}

void
bg_case_end_gesture(BgCase *self)
{
    g_return_if_fail(BG_IS_CASE(self));

    // An undo in between has ended it already.
    if (self->gesture_depth == 1)
        close_gesture(self);
    else if (self->gesture_depth > 1)
        self->gesture_depth--;
}

void
bg_case_cancel_gesture(BgCase *self)
{
    g_return_if_fail(BG_IS_CASE(self));

    gboolean edited = self->edits.open != NULL;
    gboolean moved = self->views.open != NULL;
    close_gesture(self);
    if (edited)
        take_back(self, &self->edits, self->edits.undo, NULL);
    if (moved)
        take_back(self, &self->views, self->views.undo, NULL);
}

gboolean
bg_case_is_modified(BgCase *self)
{
    return self->revision != self->saved_revision;
}

void
bg_case_mark_saved(BgCase *self)
{
    g_return_if_fail(BG_IS_CASE(self));

    self->saved_revision = self->revision;
    bg_case_write_snapshot(self);
    bg_case_tell_history(self);
}
