// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-kept-section.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-plan-measure.h"
#include "ui/model/bg-kept.h"
#include "ui/model/bg-structures.h"
#include "ui/panel/bg-form.h"

#define PREVIEW_OUT_MM 40.0 // out of the head, or an opaque skin would hide it

struct _BgKeptSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkListBox *list;
    GtkDropDown *path, *to;
    GtkWidget *keep, *hint;

    char *listed_paths, *listed_structures; // owned, nullable: what the lists show
    GPtrArray *ids;                         // owned: of the plans in the list
};

G_DEFINE_FINAL_TYPE(BgKeptSection, bg_kept_section, BG_TYPE_SECTION)

// The ruler at @position among those of the case: (transfer none) (nullable)
static const BgMeasurement *
ruler_at(BgSession *session, guint position)
{
    const GPtrArray *measurements = bg_session_get_state(session)->measurements;

    for (guint i = 0; i < measurements->len; i++) {
        const BgMeasurement *one = measurements->pdata[i];
        if (one->kind == BG_MEASURE_RULER && position-- == 0)
            return one;
    }
    return NULL;
}

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);
    guint32 label;

    return session != NULL &&
           (bg_session_get_state(session)->plans->len > 0 ||
            (ruler_at(session, 0) != NULL && bg_structures_get(session, 0, &label) != NULL));
}

// ------------------------------------------------------------------------------------------------
// The list

// What the worker finds: rows of each plan, in the order of the request.
static gpointer
measure(gpointer request, GCancellable *cancellable, GError **error)
{
    const GPtrArray *plans = request;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);

    for (guint i = 0; i < plans->len; i++) {
        GPtrArray *rows = bg_plan_measure_run(plans->pdata[i], cancellable, error);
        if (rows == NULL)
            return NULL;
        g_ptr_array_add(all, rows);
    }
    return g_steal_pointer(&all);
}

static void
show_values(GtkLabel *label, const GPtrArray *rows)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (guint r = 0; r < rows->len; r++) {
        char **row = rows->pdata[r];
        // Translators: what is measured, and its value
        g_string_append_printf(words, _("%s: %s"), row[0], row[1]);
        if (r + 1 < rows->len)
            g_string_append_c(words, '\n');
    }
    gtk_label_set_text(label, words->str);
}

static void
on_measured(gpointer owner, gpointer result, const GError *error)
{
    BgKeptSection *self = owner;
    g_autoptr(GPtrArray) all = result;
    GtkListBoxRow *row;

    for (guint i = 0; (row = gtk_list_box_get_row_at_index(self->list, (int) i)) != NULL; i++) {
        GtkLabel *values = g_object_get_data(G_OBJECT(row), "values");
        if (all != NULL && i < all->len)
            show_values(values, all->pdata[i]);
        else if (error != NULL)
            gtk_label_set_text(values, error->message);
    }
}

static void
on_remove(GtkButton *button, gpointer user_data)
{
    bg_section_do(user_data, bg_command_remove_plan(g_object_get_data(G_OBJECT(button), "plan")));
}

static GtkWidget *
make_row(BgKeptSection *self, const BgPlanMeasure *plan, const char *id)
{
    const char *title = bg_plan_measure_get_title(plan);
    // Translators: a plan's name
    g_autofree char *remove_name = g_strdup_printf(_("Remove %s"), title);
    GtkWidget *row = gtk_list_box_row_new(), *values = gtk_label_new(_("Measuring…"));
    GtkWidget *grid = gtk_grid_new(), *name = gtk_label_new(title);
    GtkWidget *remove = gtk_button_new_from_icon_name("edit-delete-symbolic");

    gtk_label_set_xalign(GTK_LABEL(name), 0.0f);
    gtk_label_set_xalign(GTK_LABEL(values), 0.0f);
    gtk_label_set_wrap(GTK_LABEL(name), TRUE);
    gtk_label_set_wrap(GTK_LABEL(values), TRUE);
    gtk_label_set_width_chars(GTK_LABEL(values), 20);
    gtk_label_set_max_width_chars(GTK_LABEL(values), 34);
    gtk_label_set_max_width_chars(GTK_LABEL(name), 30);
    gtk_widget_set_hexpand(name, TRUE);
    gtk_widget_set_valign(remove, GTK_ALIGN_START);
    gtk_widget_add_css_class(values, "small");
    gtk_widget_add_css_class(values, "numeric");
    gtk_widget_add_css_class(remove, "flat");
    gtk_widget_set_tooltip_text(remove, remove_name);
    bg_form_name(remove, remove_name);
    bg_form_name(row, title);
    g_object_set_data_full(G_OBJECT(remove), "plan", g_strdup(id), g_free);
    g_object_set_data(G_OBJECT(row), "values", values);
    g_signal_connect(remove, "clicked", G_CALLBACK(on_remove), self);
    gtk_grid_attach(GTK_GRID(grid), name, 0, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), remove, 1, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), values, 0, 1, 2, 1);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), grid);
    return row;
}

static void
show_plans(BgKeptSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const GPtrArray *plans = bg_session_get_state(session)->plans;
    GPtrArray *request = g_ptr_array_new_with_free_func((GDestroyNotify) bg_plan_measure_free);
    GtkListBoxRow *row;

    while ((row = gtk_list_box_get_row_at_index(self->list, 0)) != NULL)
        gtk_list_box_remove(self->list, GTK_WIDGET(row));
    g_ptr_array_set_size(self->ids, 0);
    for (guint i = 0; i < plans->len; i++) {
        const BgCasePlan *plan = plans->pdata[i];
        BgPlanMeasure *one = bg_plan_measure_new(bg_session_get_case(session), plan);
        g_ptr_array_add(request, one);
        g_ptr_array_add(self->ids, g_strdup(plan->id));
        gtk_list_box_append(self->list, make_row(self, one, plan->id));
    }
    gtk_widget_set_visible(GTK_WIDGET(self->list), plans->len > 0);
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = measure,
                    .request = request,
                    .free_request = (GDestroyNotify) g_ptr_array_unref,
                    .done = on_measured,
                    .free_result = (GDestroyNotify) g_ptr_array_unref };
    bg_worker_post(bg_session_get_idle_worker(session), &work);
}

// Shows where it is: a cut in 3D too.
static void
on_row_selected(GtkListBox *list, GtkListBoxRow *row, gpointer user_data)
{
    BgKeptSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    if (row == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    guint at = (guint) gtk_list_box_row_get_index(row);
    const BgCasePlan *plan =
        at < self->ids->len ? bg_case_get_plan(bg_session_get_case(session), self->ids->pdata[at])
                            : NULL;
    const BgMeasurement *ruler =
        plan != NULL ? bg_case_get_measurement(bg_session_get_case(session), plan->measurement_id)
                     : NULL;
    if (plan != NULL && plan->prism != NULL) {
        BgPrism shown = *plan->prism; // its outline is borrowed
        shown.origin_mm = bg_vec3_along(shown.origin_mm, -PREVIEW_OUT_MM, shown.normal);
        shown.depth_mm += PREVIEW_OUT_MM;
        g_autoptr(BgMesh) mesh = bg_prism_to_mesh(&shown, NULL);
        bg_session_move_cursor(session, plan->prism->origin_mm);
        bg_session_set_preview(session, mesh);
    } else if (ruler != NULL) {
        BgVec3 middle_mm =
            bg_vec3_scale(bg_vec3_add(ruler->points_mm[0], ruler->points_mm[1]), 0.5);
        bg_session_select_measurement(session, ruler->id);
        bg_session_move_cursor(session, middle_mm);
    }
}

// ------------------------------------------------------------------------------------------------
// A new one

// Where @names are other ones than before, which @listed tells.
static void
set_names(GtkDropDown *down, char **listed, char *key, const char *const *names)
{
    if (g_strcmp0(*listed, key) != 0) {
        GtkStringList *model = gtk_string_list_new(names);
        gtk_drop_down_set_model(down, G_LIST_MODEL(model));
        g_object_unref(model);
    }
    g_free(*listed);
    *listed = key;
}

static void
list_choices(BgKeptSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    g_autoptr(GPtrArray) rulers = g_ptr_array_new();
    g_autoptr(GString) ruler_key = g_string_new(NULL);
    char *key = NULL;
    g_auto(GStrv) structures = bg_structures_list(session, &key);
    const BgMeasurement *ruler;
    guint n = 0;

    while ((ruler = ruler_at(session, n++)) != NULL) {
        g_ptr_array_add(rulers, ruler->name);
        g_string_append_printf(ruler_key, "%s\t%s\n", ruler->id, ruler->name);
    }
    g_ptr_array_add(rulers, NULL);
    set_names(self->path, &self->listed_paths, g_strdup(ruler_key->str),
              (const char *const *) rulers->pdata);
    set_names(self->to, &self->listed_structures, key, (const char *const *) structures);
    gboolean ready = rulers->len > 1 && structures[0] != NULL;
    gtk_widget_set_sensitive(self->keep, ready);
    gtk_widget_set_visible(self->hint, !ready);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    if (changes & (BG_CHANGE_PLANS | BG_CHANGE_MEASUREMENTS | BG_CHANGE_LAYERS | BG_CHANGE_LOOK |
                   BG_CHANGE_CASE))
        list_choices(BG_KEPT_SECTION(section));
    if (changes & (BG_CHANGE_PLANS | BG_CHANGE_MEASUREMENTS | BG_CHANGE_LAYERS | BG_CHANGE_CASE))
        show_plans(BG_KEPT_SECTION(section));
}

static void
on_keep(GtkButton *button, gpointer user_data)
{
    BgKeptSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    guint32 label;
    const BgLayer *structure =
        bg_structures_get(session, gtk_drop_down_get_selected(self->to), &label);
    const BgMeasurement *ruler = ruler_at(session, gtk_drop_down_get_selected(self->path));

    if (structure != NULL && ruler != NULL)
        bg_kept_path(session, ruler->id, structure, label);
}

static void
bg_kept_section_finalize(GObject *object)
{
    BgKeptSection *self = BG_KEPT_SECTION(object);

    g_free(self->listed_paths);
    g_free(self->listed_structures);
    g_ptr_array_unref(self->ids);

    G_OBJECT_CLASS(bg_kept_section_parent_class)->finalize(object);
}

static void
bg_kept_section_class_init(BgKeptSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_kept_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-kept-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgKeptSection, list);
    gtk_widget_class_bind_template_child(widget_class, BgKeptSection, path);
    gtk_widget_class_bind_template_child(widget_class, BgKeptSection, to);
    gtk_widget_class_bind_template_child(widget_class, BgKeptSection, keep);
    gtk_widget_class_bind_template_child(widget_class, BgKeptSection, hint);
    gtk_widget_class_bind_template_callback(widget_class, on_row_selected);
    gtk_widget_class_bind_template_callback(widget_class, on_keep);
}

static void
bg_kept_section_init(BgKeptSection *self)
{
    self->ids = g_ptr_array_new_with_free_func(g_free);
    gtk_widget_init_template(GTK_WIDGET(self));
}
