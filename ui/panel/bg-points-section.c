// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-points-section.h"

#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-camera-job.h"
#include "ui/model/bg-moved.h"
#include "ui/model/bg-points.h"
#include "ui/panel/bg-form.h"

#include <string.h>

struct _BgPointsSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkExpander *expander;
    GtkListBox *list;
    GtkEntry *name, *approver;
    GtkWidget *import, *export, *register_box, *result_box, *by_points, *by_values, *approve;
    GtkWidget *withdraw, *mask_box, *refine;
    GtkDropDown *fixed, *model, *mask;
    GtkCheckButton *from_here, *mirror_meant;
    GtkLabel *result;

    GPtrArray *fixed_ids;  // owned: of char *: the layers of the drop-down
    GPtrArray *mask_ids;   // owned: likewise, after "everywhere"
    char *words;           // owned, nullable: what came of refining a point, ...
    BgAffine words_of;     // ... while this is the registration
    gboolean unfolded;     // once by itself; then the user folds it
    gboolean of_pictures;  // what the model was offered for
    char *moving_id;       // owned, nullable: for what the fixed layers were listed
    gboolean listing;      // we change the choice, ...
    gboolean fixed_chosen; // ... else the user has made it
};

G_DEFINE_FINAL_TYPE(BgPointsSection, bg_points_section, BG_TYPE_SECTION)

static void show_result(BgPointsSection *self, const BgLayer *volume);

static const BgLayer *
volume_of(BgPointsSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    return session != NULL ? bg_session_get_volume(session) : NULL;
}

// The photograph or the volume whose points are shown, and which is registered.
static const BgLayer *
moving_of(BgPointsSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    return session != NULL ? bg_points_get_layer(session) : NULL;
}

static gboolean
is_picture(const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_IMAGE;
}

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return bg_points_get_layer(bg_section_get_session(section)) != NULL;
}

static const BgLandmarkList *
row_point(BgPointsSection *self, GtkWidget *widget, gsize *index)
{
    const BgLandmarkList *list = bg_points_get_active(bg_section_get_session(BG_SECTION(self)));

    *index = GPOINTER_TO_SIZE(g_object_get_data(G_OBJECT(widget), "index"));
    return list != NULL && *index < bg_landmarks_count(list->points) ? list : NULL;
}

// What came of refining a point, while the registration is the same.
static void
on_told(gpointer owner, const char *words)
{
    BgPointsSection *self = owner;
    const BgLayer *volume =
        bg_section_get_session(BG_SECTION(self)) != NULL ? volume_of(self) : NULL;
    const BgRegistration *item =
        volume != NULL
            ? bg_case_get_registration(
                  bg_session_get_case(bg_section_get_session(BG_SECTION(self))), volume->id)
            : NULL;

    if (item == NULL)
        return;
    g_free(self->words);
    self->words = g_strdup(words);
    self->words_of = item->fixed_from_moving;
    show_result(self, volume);
}

static void
nobody_told(gpointer owner, const char *words)
{
}

// What was made from the points is made again.
static void
set_use(BgPointsSection *self, const BgLandmarkList *list, gsize index, BgLandmarkUse use)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgPhotoCamera *camera = bg_case_get_camera(bg_session_get_case(session), list->layer_id);
    g_autofree char *layer_id = g_strdup(list->layer_id);

    bg_points_set_use(session, list->id, index, use);
    if (camera != NULL && g_str_equal(camera->method, "landmarks")) {
        const BgCameraSolve solve = { .mirrored = camera->mirrored };
        bg_camera_job_solve(session, layer_id, &solve, G_OBJECT(self), nobody_told);
    }
}

static void
on_use(GtkDropDown *use, GParamSpec *spec, gpointer user_data)
{
    BgPointsSection *self = user_data;
    gsize index;
    const BgLandmarkList *list = row_point(self, GTK_WIDGET(use), &index);

    if (list == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    set_use(self, list, index, (BgLandmarkUse) gtk_drop_down_get_selected(use));
}

static void
on_tick(GtkCheckButton *tick, gpointer user_data)
{
    BgPointsSection *self = user_data;
    gsize index;
    const BgLandmarkList *list = row_point(self, GTK_WIDGET(tick), &index);

    if (list != NULL && !bg_section_is_updating(BG_SECTION(self)))
        set_use(self, list, index,
                gtk_check_button_get_active(tick) ? BG_LANDMARK_FIT : BG_LANDMARK_SKIP);
}

static void
on_lock(GtkToggleButton *lock, gpointer user_data)
{
    BgPointsSection *self = user_data;
    gsize index;
    const BgLandmarkList *list = row_point(self, GTK_WIDGET(lock), &index);

    if (list == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    BgLandmark point = *bg_landmarks_get(list->points, index);
    point.locked = gtk_toggle_button_get_active(lock);
    bg_points_change(bg_section_get_session(BG_SECTION(self)), list->id, index, &point);
}

static void
on_remove(GtkButton *button, gpointer user_data)
{
    BgPointsSection *self = user_data;
    gsize index;
    const BgLandmarkList *list = row_point(self, GTK_WIDGET(button), &index);

    if (list != NULL)
        bg_points_remove(bg_section_get_session(BG_SECTION(self)), list->id, index);
}

// @name: (transfer full)
static void
name_widget(GtkWidget *widget, char *name)
{
    g_autofree char *whole = name;

    gtk_widget_set_tooltip_text(widget, whole);
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, whole,
                                   -1);
}

// The fit's colour: green below 2 mm or 4 px, amber below twice that, red beyond; the words say it too.
static GtkWidget *
make_residual(double residual, gboolean in_picture, gboolean placed)
{
    double good = in_picture ? 4.0 : 2.0;
    g_autofree char *text = NULL;
    GtkWidget *label;

    if (!placed)
        text = g_strdup(_("to place"));
    else if (residual >= 0.0)
        // Translators: a length
        text = g_strdup_printf(in_picture ? _("%.1f px") : _("%.1f mm"), residual);
    label = gtk_label_new(text);
    gtk_widget_add_css_class(label, "numeric");
    if (!placed)
        gtk_widget_add_css_class(label, "dim-label");
    else if (residual >= 0.0)
        gtk_widget_add_css_class(label, residual < good         ? "ok-text"
                                        : residual < 2.0 * good ? "caution-text"
                                                                : "danger-text");
    return label;
}

static GtkWidget *
make_use(BgPointsSection *self, const BgLandmark *point, gsize index)
{
    const char *words[] = { _("fit"), _("check"), _("skip"), NULL };
    GtkWidget *use = gtk_drop_down_new_from_strings(words);

    gtk_drop_down_set_selected(GTK_DROP_DOWN(use), (guint) point->use);
    // Translators: %s is a point's name
    name_widget(use, g_strdup_printf(_("What %s is for"), point->name));
    bg_form_name_inside(use);
    g_object_set_data(G_OBJECT(use), "index", GSIZE_TO_POINTER(index));
    g_signal_connect(use, "notify::selected", G_CALLBACK(on_use), self);
    return use;
}

static GtkWidget *
make_tick(BgPointsSection *self, const BgLandmark *point, gsize index)
{
    GtkWidget *tick = gtk_check_button_new();

    gtk_check_button_set_active(GTK_CHECK_BUTTON(tick), point->use == BG_LANDMARK_FIT);
    // Translators: %s is a point's name
    name_widget(tick, g_strdup_printf(_("Fit with %s"), point->name));
    g_object_set_data(G_OBJECT(tick), "index", GSIZE_TO_POINTER(index));
    g_signal_connect(tick, "toggled", G_CALLBACK(on_tick), self);
    return tick;
}

static double
residual_of(BgSession *session, const BgLandmarkList *list, gsize index)
{
    double projected[2], residual;

    residual = bg_landmarks_get_space(list->points) == BG_LANDMARK_PICTURE
                   ? bg_points_residual_px(session, list, index, projected)
                   : bg_points_residual_mm(session, list, index);
    return residual >= 0.0 ? residual : bg_moved_residual(session, list, index);
}

typedef struct {
    gsize index;
    double residual;
} Row;

static int
worse_first(gconstpointer a, gconstpointer b)
{
    const Row *x = a, *y = b;

    if (x->residual != y->residual)
        return x->residual > y->residual ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static GtkWidget *
make_row(BgPointsSection *self, const BgLandmarkList *list, gsize index)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLandmark *point = bg_landmarks_get(list->points, index);
    // Translators: a point's number and name
    g_autofree char *title = g_strdup_printf(_("%zu  %s"), index + 1, point->name);
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    GtkWidget *label = gtk_label_new(title), *lock = gtk_toggle_button_new();
    GtkWidget *remove = gtk_button_new_from_icon_name("edit-delete-symbolic");

    gtk_label_set_xalign(GTK_LABEL(label), 0.0f);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_widget_set_hexpand(label, TRUE);
    gtk_button_set_icon_name(GTK_BUTTON(lock), "changes-prevent-symbolic");
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(lock), point->locked);
    gtk_widget_add_css_class(lock, "flat");
    gtk_widget_add_css_class(remove, "flat");
    // Translators: %s is a point's name
    name_widget(lock, g_strdup_printf(_("Lock %s"), point->name));
    // Translators: %s is a point's name
    name_widget(remove, g_strdup_printf(_("Remove %s"), point->name));
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    g_object_set_data(G_OBJECT(lock), "index", GSIZE_TO_POINTER(index));
    g_object_set_data(G_OBJECT(remove), "index", GSIZE_TO_POINTER(index));
    g_object_set_data(G_OBJECT(row), "index", GSIZE_TO_POINTER(index));
    g_signal_connect(lock, "toggled", G_CALLBACK(on_lock), self);
    g_signal_connect(remove, "clicked", G_CALLBACK(on_remove), self);
    gtk_box_append(GTK_BOX(box), make_tick(self, point, index));
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box),
                   make_residual(residual_of(session, list, index),
                                 bg_landmarks_get_space(list->points) == BG_LANDMARK_PICTURE,
                                 point->placed));
    gtk_box_append(GTK_BOX(box), make_use(self, point, index));
    gtk_box_append(GTK_BOX(box), lock);
    gtk_box_append(GTK_BOX(box), remove);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    return row;
}

// The row with the keyboard's focus: its point's index, or -1.
static int
focused_point(BgPointsSection *self)
{
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(self));
    GtkWidget *focus = root != NULL ? gtk_root_get_focus(root) : NULL;

    if (focus == NULL || !gtk_widget_is_ancestor(focus, GTK_WIDGET(self->list)))
        return -1;
    GtkWidget *row =
        GTK_IS_LIST_BOX_ROW(focus) ? focus : gtk_widget_get_ancestor(focus, GTK_TYPE_LIST_BOX_ROW);
    return row != NULL ? GPOINTER_TO_INT(g_object_get_data(G_OBJECT(row), "index")) : -1;
}

static void
show_points(BgPointsSection *self, const BgLandmarkList *list)
{
    int focused = focused_point(self);

    gsize selected_index;
    const char *selected =
        bg_session_get_selected_point(bg_section_get_session(BG_SECTION(self)), &selected_index);
    GtkListBoxRow *row;

    while ((row = gtk_list_box_get_row_at_index(self->list, 0)) != NULL)
        gtk_list_box_remove(self->list, GTK_WIDGET(row));
    if (list == NULL)
        return;
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(Row));
    for (gsize i = 0; i < bg_landmarks_count(list->points); i++) {
        Row item = { i, residual_of(bg_section_get_session(BG_SECTION(self)), list, i) };
        g_array_append_val(order, item);
    }
    g_array_sort(order, worse_first);
    for (guint i = 0; i < order->len; i++) {
        gsize index = g_array_index(order, Row, i).index;
        GtkWidget *next = make_row(self, list, index);
        gtk_list_box_append(self->list, next);
        if (g_strcmp0(selected, list->id) == 0 && selected_index == index)
            gtk_list_box_select_row(self->list, GTK_LIST_BOX_ROW(next));
        if ((int) index == focused) // rows are new, but the keyboard stays where it was
            gtk_widget_grab_focus(next);
    }
    gtk_widget_set_visible(GTK_WIDGET(self->list), list != NULL);
    gtk_widget_set_sensitive(self->export, list != NULL);
}

static gboolean
can_be_fixed(const BgLayer *layer, const BgLayer *moving)
{
    gboolean alike =
        is_picture(moving) ? layer->payload.image != NULL : layer->payload.volume != NULL;

    return alike && !g_str_equal(layer->id, moving->id) && !bg_moved_is(layer);
}

static gboolean
can_be_mask(const BgLayer *layer, const BgLayer *moving)
{
    return layer->payload.labels != NULL && !is_picture(moving);
}

// Fills @down with layers; @first: (nullable): an entry before them, without an id
static void
list_layers(BgPointsSection *self, GtkDropDown *down, GPtrArray *ids, const char *first,
            gboolean (*takes)(const BgLayer *, const BgLayer *), const char *chosen)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);
    g_autofree char *old = NULL;
    guint selected = gtk_drop_down_get_selected(down), at = first != NULL;

    if (chosen == NULL && selected >= at && selected - at < ids->len)
        chosen = old = g_strdup(g_ptr_array_index(ids, selected - at));
    g_ptr_array_set_size(ids, 0);
    selected = 0;
    if (first != NULL)
        gtk_string_list_append(names, first);
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        if (!takes(layer, moving_of(self)))
            continue;
        if (g_strcmp0(chosen, layer->id) == 0)
            selected = ids->len + at;
        gtk_string_list_append(names, layer->name);
        g_ptr_array_add(ids, g_strdup(layer->id));
    }
    gtk_drop_down_set_model(down, G_LIST_MODEL(names));
    if (g_list_model_get_n_items(G_LIST_MODEL(names)) > 0)
        gtk_drop_down_set_selected(down, selected);
}

static BgTransformModel
model_of(BgPointsSection *self)
{
    static const BgTransformModel models[] = { BG_TRANSFORM_RIGID, BG_TRANSFORM_SIMILARITY,
                                               BG_TRANSFORM_AFFINE, BG_TRANSFORM_TPS };

    return models[MIN(gtk_drop_down_get_selected(self->model), G_N_ELEMENTS(models) - 1)];
}

static void
on_fixed(BgPointsSection *self)
{
    self->fixed_chosen = self->fixed_chosen || !self->listing;
}

// By values there is no spline.
static void
on_model(BgPointsSection *self)
{
    gtk_widget_set_sensitive(self->by_values, model_of(self) != BG_TRANSFORM_TPS);
}

// Onto which something lies already, or from where it was taken is known.
static gboolean
is_anchor(BgSession *session, const char *layer_id)
{
    const GPtrArray *items = bg_session_get_state(session)->registrations;

    for (guint i = 0; i < items->len; i++)
        if (g_str_equal(((const BgRegistration *) g_ptr_array_index(items, i))->fixed, layer_id))
            return TRUE;
    return bg_case_get_camera(bg_session_get_case(session), layer_id) != NULL;
}

// With whose points most of the moving one's share their names: (transfer none) (nullable): an id
static const char *
guess_fixed(BgPointsSection *self, const BgLayer *moving)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLandmarkList *own = bg_points_of_layer(session, moving->id);
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    const char *best = NULL;
    guint n_best = 0;

    for (guint i = 0; own != NULL && i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        const BgLandmarkList *list = bg_points_of_layer(session, layer->id);
        guint n = 0;
        for (gsize p = 0; list != NULL && p < bg_landmarks_count(own->points); p++)
            n += bg_landmarks_find(list->points, bg_landmarks_get(own->points, p)->name) != NULL;
        if (n > 0) // of equals the anchor
            n = 2 * n + is_anchor(session, layer->id);
        if (n > n_best && can_be_fixed(layer, moving)) {
            n_best = n;
            best = layer->id;
        }
    }
    return best;
}

static void
show_others(BgPointsSection *self, const BgLayer *moving)
{
    const BgRegistration *item =
        bg_moved_registration(bg_section_get_session(BG_SECTION(self)), moving->id);
    gboolean own = item != NULL && g_str_equal(item->moving, moving->id);

    gboolean chosen = g_strcmp0(self->moving_id, moving->id) == 0 && self->fixed_chosen;
    if (g_strcmp0(self->moving_id, moving->id) != 0) {
        g_free(self->moving_id);
        self->moving_id = g_strdup(moving->id);
        self->fixed_chosen = FALSE;
    }
    self->listing = TRUE;
    list_layers(self, self->fixed, self->fixed_ids, NULL, can_be_fixed,
                item != NULL ? item->fixed
                : chosen     ? NULL
                             : guess_fixed(self, moving));
    self->listing = FALSE;
    list_layers(self, self->mask, self->mask_ids, _("everywhere"), can_be_mask, NULL);
    gtk_widget_set_visible(self->mask_box, self->mask_ids->len > 0);
    gtk_widget_set_visible(GTK_WIDGET(self->from_here), item != NULL);
    gtk_widget_set_visible(self->refine, own && !is_picture(moving));
    gtk_widget_set_visible(GTK_WIDGET(self->mirror_meant), is_picture(moving));
    gtk_widget_set_visible(self->register_box, self->fixed_ids->len > 0 && !bg_moved_is(moving));
    gtk_widget_set_tooltip_text(
        self->by_points,
        is_picture(moving)
            ? _("By points of the same name: rigid and similarity two, affine three, "
                "spline four at least")
            : _("By points of the same name: rigid and similarity three, affine "
                "four, spline five at least"));
    gtk_widget_set_tooltip_text(self->by_values,
                                is_picture(moving)
                                    ? _("By mutual information of what both photographs show")
                                    : _("By mutual information, rigid or affine"));
    if (self->of_pictures != is_picture(moving)) {
        self->of_pictures = is_picture(moving);
        // Pixels of two cameras are not equally large; voxels are.
        gtk_drop_down_set_selected(self->model, self->of_pictures ? 2 : 0);
    }
    on_model(self);
}

static char *
describe(BgPointsSection *self, const BgRegistration *item)
{
    BgCase *bg_case = bg_session_get_case(bg_section_get_session(BG_SECTION(self)));
    const BgLayer *fixed = bg_case_get_layer(bg_case, item->fixed);
    GString *words = g_string_new(NULL);

    // Translators: a layer's name, and how: "landmarks", "mutual-information"
    g_string_append_printf(words, _("Registered to %s by %s."),
                           fixed != NULL ? fixed->name : item->fixed, item->method);
    const BgLayer *moved = bg_case_get_layer(bg_case, item->moving);
    if (moved != NULL && moved != moving_of(self))
        // Translators: a layer's name
        g_string_append_printf(words, _(" Shown as “%s”."), moved->name);
    if (*item->words != '\0') {
        g_string_append_printf(words, " %s", item->words);
    } else {
        if (item->error_mm >= 0.0)
            // Translators: a length in mm
            g_string_append_printf(
                words, _(" Residual %.2f mm (root mean square; not an accuracy)."), item->error_mm);
        if (item->check_mm >= 0.0)
            // Translators: a length in mm
            g_string_append_printf(words, _(" At check-only points %.2f mm."), item->check_mm);
    }
    if (self->words != NULL &&
        memcmp(&self->words_of, &item->fixed_from_moving, sizeof self->words_of) == 0)
        g_string_append_printf(words, " %s", self->words);
    if (*item->approval.by != '\0')
        // Translators: a name and a time
        g_string_append_printf(words, _(" Approved by %s, %s."), item->approval.by,
                               item->approval.at);
    else
        g_string_append(words, _(" Not approved: look at it first."));
    return g_string_free(words, FALSE);
}

static void
show_result(BgPointsSection *self, const BgLayer *moving)
{
    const BgRegistration *item =
        bg_moved_registration(bg_section_get_session(BG_SECTION(self)), moving->id);

    gtk_widget_set_visible(self->result_box, item != NULL);
    if (item == NULL)
        return;
    g_autofree char *words = describe(self, item);
    gtk_label_set_text(self->result, words);
    gtk_widget_set_sensitive(self->approve, *item->approval.by == '\0');
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgPointsSection *self = BG_POINTS_SECTION(section);
    const BgLayer *moving = moving_of(self);

    if (!self->unfolded &&
        (bg_points_get_active(bg_section_get_session(section)) != NULL ||
         bg_session_get_tool(bg_section_get_session(section)) == BG_TOOL_POINT)) {
        self->unfolded = TRUE;
        gtk_expander_set_expanded(self->expander, TRUE);
    }
    if (!(changes & (BG_CHANGE_LANDMARKS | BG_CHANGE_CASE | BG_CHANGE_LAYERS | BG_CHANGE_LOOK |
                     BG_CHANGE_SELECTION)))
        return;
    show_points(self, bg_points_get_active(bg_section_get_session(section)));
    if (moving == NULL)
        return;
    show_others(self, moving);
    show_result(self, moving);
}

// All panes go where the point is.
static void
on_row_selected(GtkListBox *list, GtkListBoxRow *row, gpointer user_data)
{
    BgPointsSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    gsize index;
    BgVec3 at_mm;

    if (row == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    const BgLandmarkList *points = row_point(self, GTK_WIDGET(row), &index);
    if (points == NULL)
        return;
    gboolean placed = bg_points_shown_at(session, points, index, &at_mm);
    bg_session_select_point(session, points->id, index);
    if (placed)
        bg_session_move_cursor(session, at_mm);
}

static void
on_add(GtkWidget *widget, gpointer user_data)
{
    BgPointsSection *self = user_data;

    bg_points_add(bg_section_get_session(BG_SECTION(self)),
                  gtk_editable_get_text(GTK_EDITABLE(self->name)));
    gtk_editable_set_text(GTK_EDITABLE(self->name), "");
}

static void
load_from(GtkWidget *asker, const char *path)
{
    bg_points_load(bg_section_get_session(BG_SECTION(asker)), path);
}

static void
on_import(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Read points"),
                            .accept = _("_Open"),
                            .filter_name = _("Lists of points"),
                            .patterns = "*.fcsv *.json *.csv" };

    bg_file_dialog_ask(user_data, &choice, load_from);
}

static void
save_to(GtkWidget *asker, const char *path)
{
    bg_points_save(bg_section_get_session(BG_SECTION(asker)), path);
}

static void
on_export(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the points"),
                            .accept = _("_Save"),
                            .suggested_name = "points.mrk.json",
                            .filter_name = _("Lists of points"),
                            .patterns = "*.mrk.json *.fcsv *.csv",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static const char *
chosen_fixed(BgPointsSection *self)
{
    guint at = gtk_drop_down_get_selected(self->fixed);

    return at < self->fixed_ids->len ? g_ptr_array_index(self->fixed_ids, at) : NULL;
}

// Photographs, and volumes by splines, are made anew: a job.
static void
make_anew(BgPointsSection *self, gboolean by_values)
{
    const BgLayer *moving = moving_of(self);
    const BgMovedBy by = { .moving_id = moving->id,
                           .fixed_id = chosen_fixed(self),
                           .model = model_of(self),
                           .by_values = by_values,
                           .from_here = gtk_check_button_get_active(self->from_here),
                           .mirrored = gtk_check_button_get_active(self->mirror_meant) };

    if (by.fixed_id != NULL)
        bg_moved_make(bg_section_get_session(BG_SECTION(self)), &by);
}

static void
on_by_points(GtkButton *button, gpointer user_data)
{
    BgPointsSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLandmarkList *moving = bg_points_get_active(session);
    const BgLandmarkList *fixed = bg_points_of_layer(session, chosen_fixed(self));
    g_autoptr(GError) error = NULL;

    if (moving_of(self) != NULL &&
        (is_picture(moving_of(self)) || model_of(self) == BG_TRANSFORM_TPS)) {
        make_anew(self, FALSE);
        return;
    }
    if (moving == NULL || fixed == NULL) {
        g_set_error_literal(&error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                            _("One of the two volumes has no points. Place at least three points "
                              "of the same names in both"));
        bg_session_fail(session, _("The volume is not registered"), error);
        return;
    }
    if (!bg_points_register(session, moving, fixed, model_of(self), &error))
        bg_session_fail(session, _("The volume is not registered"), error);
}

static void
on_by_values(GtkButton *button, gpointer user_data)
{
    BgPointsSection *self = user_data;
    const BgLayer *moving = moving_of(self);
    const char *fixed = chosen_fixed(self);

    if (moving == NULL || fixed == NULL)
        return;
    if (is_picture(moving)) {
        make_anew(self, TRUE);
        return;
    }
    guint mask = gtk_drop_down_get_selected(self->mask);
    const BgVolumesBy by = {
        .moving_id = moving->id,
        .fixed_id = fixed,
        .mask_id = mask > 0 && mask <= self->mask_ids->len
                       ? g_ptr_array_index(self->mask_ids, mask - 1)
                       : NULL,
        // Values do not tell a change of scale apart from one of shape: nearly the same model.
        .model = model_of(self) == BG_TRANSFORM_RIGID ? BG_TRANSFORM_RIGID : BG_TRANSFORM_AFFINE,
        .from_here = gtk_check_button_get_active(self->from_here),
    };
    bg_points_register_volumes(bg_section_get_session(BG_SECTION(self)), &by);
}

static void
on_refine(GtkButton *button, gpointer user_data)
{
    bg_points_refine(bg_section_get_session(BG_SECTION(user_data)), G_OBJECT(user_data), on_told);
}

static const BgRegistration *
registration_of(BgPointsSection *self)
{
    const BgLayer *moving = moving_of(self);

    return moving != NULL
               ? bg_moved_registration(bg_section_get_session(BG_SECTION(self)), moving->id)
               : NULL;
}

static void
on_approve(GtkWidget *widget, gpointer user_data)
{
    BgPointsSection *self = user_data;
    const char *by = gtk_editable_get_text(GTK_EDITABLE(self->approver));
    const BgRegistration *old = registration_of(self);

    if (old == NULL || *by == '\0') {
        gtk_widget_grab_focus(GTK_WIDGET(self->approver));
        return;
    }
    g_autoptr(BgRegistration) item = bg_registration_copy(old);
    bg_approval_set(&item->approval, by);
    bg_session_do(bg_section_get_session(BG_SECTION(self)), bg_command_set_registration(item));
}

static void
on_withdraw(GtkButton *button, gpointer user_data)
{
    BgPointsSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgRegistration *item = registration_of(self);
    const BgLayer *moved =
        item != NULL ? bg_case_get_layer(bg_session_get_case(session), item->moving) : NULL;

    if (moved != NULL && bg_moved_is(moved))
        bg_moved_remove(session, moved->id);
    else if (item != NULL)
        bg_session_do(session, bg_command_remove_registration(item->id));
}

static void
bg_points_section_finalize(GObject *object)
{
    BgPointsSection *self = BG_POINTS_SECTION(object);

    g_ptr_array_unref(self->fixed_ids);
    g_ptr_array_unref(self->mask_ids);
    g_free(self->words);
    g_free(self->moving_id);

    G_OBJECT_CLASS(bg_points_section_parent_class)->finalize(object);
}

static void
bg_points_section_class_init(BgPointsSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_points_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-points-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, expander);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, list);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, name);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, approver);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, import);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, export);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, register_box);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, result_box);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, by_points);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, by_values);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, approve);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, withdraw);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, fixed);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, model);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, mask);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, mask_box);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, from_here);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, mirror_meant);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, result);
    gtk_widget_class_bind_template_callback(widget_class, on_row_selected);
    gtk_widget_class_bind_template_callback(widget_class, on_add);
    gtk_widget_class_bind_template_callback(widget_class, on_import);
    gtk_widget_class_bind_template_callback(widget_class, on_export);
    gtk_widget_class_bind_template_callback(widget_class, on_by_points);
    gtk_widget_class_bind_template_child(widget_class, BgPointsSection, refine);
    gtk_widget_class_bind_template_callback(widget_class, on_by_values);
    gtk_widget_class_bind_template_callback(widget_class, on_refine);
    gtk_widget_class_bind_template_callback(widget_class, on_approve);
    gtk_widget_class_bind_template_callback(widget_class, on_withdraw);
}

static void
bg_points_section_init(BgPointsSection *self)
{
    self->fixed_ids = g_ptr_array_new_with_free_func(g_free);
    self->mask_ids = g_ptr_array_new_with_free_func(g_free);
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->model, "notify::selected", G_CALLBACK(on_model), self);
    g_signal_connect_swapped(self->fixed, "notify::selected", G_CALLBACK(on_fixed), self);
}
