// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-layers-panel.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-texture.h"
#include "ui/model/bg-thumbnail.h"
#include "ui/panel/bg-form.h"

#define PICTURE_PX 32

struct _BgLayersPanel {
    GtkWidget parent_instance;

    BgSession *session; // owned
    GtkWidget *box, *list, *opacity;
    GHashTable *pictures; // owned: ids of layers to Picture
    gboolean updating;    // the widgets follow the case, not the user
};

// What a row shows of its layer; asked for again when the content is another.
typedef struct {
    GdkTexture *texture;   // owned, nullable: not drawn yet
    gconstpointer content; // only compared
} Picture;

typedef struct {
    BgThumbnail *thumbnail; // owned
    char *layer_id, *path;  // owned; path: "" for a computed layer
} Request;

typedef struct {
    BgImage *image; // owned
    char *layer_id; // owned
} Drawn;

G_DEFINE_FINAL_TYPE(BgLayersPanel, bg_layers_panel, GTK_TYPE_WIDGET)

static const char *
chip_of(const BgLayer *layer)
{
    switch (layer->kind) {
    case BG_KIND_LABELS:
        return _("LABELS");
    case BG_KIND_MESH:
        return _("MESH");
    case BG_KIND_IMAGE:
        return _("PHOTO");
    default:
        return layer->modality[0] != '\0' ? layer->modality : _("VOLUME");
    }
}

static const char *
id_of_row(GtkWidget *row)
{
    return g_object_get_data(G_OBJECT(row), "layer-id");
}

static void
picture_free(gpointer data)
{
    Picture *picture = data;

    g_clear_object(&picture->texture);
    g_free(picture);
}

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_thumbnail_free(request->thumbnail);
    g_free(request->layer_id);
    g_free(request->path);
    g_free(request);
}

static void
drawn_free(gpointer data)
{
    Drawn *drawn = data;

    g_clear_pointer(&drawn->image, bg_image_unref);
    g_free(drawn->layer_id);
    g_free(drawn);
}

static gpointer
draw_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    const Request *request = data;
    g_autoptr(BgImage) image = bg_thumbnail_draw(request->thumbnail, cancellable, error);

    if (image == NULL)
        return NULL;

    if (request->path[0] != '\0')
        bg_recent_keep(request->path, image);
    Drawn *drawn = g_new0(Drawn, 1);
    drawn->image = g_steal_pointer(&image);
    drawn->layer_id = g_strdup(request->layer_id);
    return drawn;
}

static void
on_drawn(gpointer owner, gpointer result, const GError *error)
{
    BgLayersPanel *self = owner;
    Drawn *drawn = result;
    Picture *picture = drawn != NULL ? g_hash_table_lookup(self->pictures, drawn->layer_id) : NULL;

    if (picture != NULL) {
        g_clear_object(&picture->texture);
        picture->texture = bg_texture_from_rgb(drawn->image);
        for (GtkWidget *row = gtk_widget_get_first_child(self->list); row != NULL;
             row = gtk_widget_get_next_sibling(row))
            if (g_str_equal(id_of_row(row), drawn->layer_id))
                gtk_picture_set_paintable(g_object_get_data(G_OBJECT(row), "picture"),
                                          GDK_PAINTABLE(picture->texture));
    }
    if (drawn != NULL)
        drawn_free(drawn);
}

static gconstpointer
content_of(const BgLayer *layer)
{
    const BgPayload *payload = &layer->payload;

    return payload->volume != NULL   ? (gconstpointer) payload->volume
           : payload->labels != NULL ? (gconstpointer) payload->labels
           : payload->image != NULL  ? (gconstpointer) payload->image
                                     : (gconstpointer) payload->mesh;
}

// Returns: (transfer none) (nullable): what there is; a new one is on its way where it is too old
static GdkTexture *
picture_of(BgLayersPanel *self, const BgLayer *layer)
{
    Picture *picture = g_hash_table_lookup(self->pictures, layer->id);
    gconstpointer content = content_of(layer);

    if (content == NULL || (picture != NULL && picture->content == content))
        return picture != NULL ? picture->texture : NULL;

    if (picture == NULL) {
        picture = g_new0(Picture, 1);
        g_hash_table_replace(self->pictures, g_strdup(layer->id), picture);
    }
    picture->content = content;
    Request *request = g_new0(Request, 1);
    request->thumbnail = bg_thumbnail_new(layer);
    request->layer_id = g_strdup(layer->id);
    request->path = g_strdup(layer->source.path);
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = g_str_hash(layer->id),
                    .func = draw_on_worker,
                    .request = request,
                    .free_request = request_free,
                    .done = on_drawn,
                    .free_result = drawn_free };
    bg_worker_post(bg_session_get_idle_worker(self->session), &work);

    return picture->texture;
}

static void
on_eye(GtkToggleButton *button, gpointer user_data)
{
    BgLayersPanel *self = user_data;
    const char *id = g_object_get_data(G_OBJECT(button), "layer-id");

    if (!self->updating)
        bg_session_do(self->session,
                      bg_command_set_visible(id, gtk_toggle_button_get_active(button)));
}

static GtkWidget *
new_eye(BgLayersPanel *self, const BgLayer *layer)
{
    GtkWidget *eye = gtk_toggle_button_new();
    // Translators: %s is the name of a layer
    g_autofree char *name = g_strdup_printf(_("Show %s"), layer->name);

    gtk_button_set_icon_name(GTK_BUTTON(eye),
                             layer->visible ? "view-reveal-symbolic" : "view-conceal-symbolic");
    gtk_widget_add_css_class(eye, "flat");
    gtk_widget_set_valign(eye, GTK_ALIGN_CENTER);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(eye), layer->visible);
    gtk_widget_set_tooltip_text(eye, name);
    bg_form_name(eye, name);
    g_object_set_data_full(G_OBJECT(eye), "layer-id", g_strdup(layer->id), g_free);
    g_signal_connect(eye, "toggled", G_CALLBACK(on_eye), self);
    return eye;
}

static GtkWidget *
new_chip(const char *text, const char *css_class, const char *tooltip)
{
    GtkWidget *chip = gtk_label_new(text);

    gtk_widget_add_css_class(chip, "chip");
    if (css_class != NULL)
        gtk_widget_add_css_class(chip, css_class);
    gtk_widget_set_valign(chip, GTK_ALIGN_CENTER);
    if (tooltip != NULL && tooltip[0] != '\0')
        gtk_widget_set_tooltip_text(chip, tooltip);
    return chip;
}

static void
add_state(BgLayersPanel *self, GtkWidget *row, GtkWidget *box, const BgLayer *layer)
{
    g_autofree char *target = NULL;
    GtkWidget *locate;

    if (layer->override_reason[0] != '\0')
        gtk_box_append(GTK_BOX(box),
                       new_chip(_("OTHER PATIENT"), "badge-danger", layer->override_reason));
    if (bg_case_layer_lacks_identity(bg_session_get_case(self->session), layer))
        gtk_box_append(GTK_BOX(box), new_chip("ID?", "badge-caution",
                                              _("Identity not in file: it does not say whose it "
                                                "is")));
    switch (layer->status) {
    case BG_LAYER_LOADING:
        gtk_box_append(GTK_BOX(box), new_chip(_("READING"), NULL, NULL));
        break;
    case BG_LAYER_OK:
        break;
    case BG_LAYER_MISSING:
    case BG_LAYER_CHANGED:
    case BG_LAYER_FAILED:
        gtk_widget_add_css_class(row, "missing");
        gtk_box_append(GTK_BOX(box), new_chip(layer->status == BG_LAYER_CHANGED  ? _("CHANGED")
                                              : layer->status == BG_LAYER_FAILED ? _("FAILED")
                                                                                 : _("MISSING"),
                                              "badge-danger", layer->status_text));
        locate =
            gtk_button_new_with_label(layer->status == BG_LAYER_FAILED ? _("Retry") : _("Locate…"));
        gtk_actionable_set_action_name(
            GTK_ACTIONABLE(locate), layer->status == BG_LAYER_FAILED ? "win.retry" : "win.locate");
        gtk_actionable_set_action_target(GTK_ACTIONABLE(locate), "s", layer->id);
        gtk_box_append(GTK_BOX(box), locate);
        break;
    }
}

static GtkWidget *
new_row(BgLayersPanel *self, const BgLayer *layer)
{
    GtkWidget *row = gtk_list_box_row_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *name = gtk_label_new(layer->name);
    GtkWidget *picture = gtk_picture_new_for_paintable(GDK_PAINTABLE(picture_of(self, layer)));

    gtk_widget_add_css_class(row, "layer-row");
    gtk_widget_add_css_class(name, "layer-name");
    gtk_label_set_ellipsize(GTK_LABEL(name), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_xalign(GTK_LABEL(name), 0.0f);
    gtk_widget_set_hexpand(name, TRUE);
    gtk_widget_set_tooltip_text(name,
                                layer->source.path[0] != '\0' ? layer->source.path : layer->name);
    gtk_widget_set_size_request(picture, PICTURE_PX, PICTURE_PX);
    gtk_widget_set_valign(picture, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(picture, "thumbnail");
    bg_form_name(picture, layer->name);
    gtk_box_append(GTK_BOX(box), new_eye(self, layer));
    gtk_box_append(GTK_BOX(box), picture);
    gtk_box_append(GTK_BOX(box), name);
    gtk_box_append(GTK_BOX(box), new_chip(chip_of(layer), NULL, NULL));
    add_state(self, row, box, layer);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    bg_form_name(row, layer->name);
    g_object_set_data_full(G_OBJECT(row), "layer-id", g_strdup(layer->id), g_free);
    g_object_set_data(G_OBJECT(row), "picture", picture);
    return row;
}

static void
fill(BgLayersPanel *self)
{
    const GPtrArray *layers = bg_session_get_state(self->session)->layers;
    const BgLayer *selected = bg_session_get_selected(self->session);
    GtkWidget *old;

    self->updating = TRUE;
    while ((old = gtk_widget_get_first_child(self->list)) != NULL)
        gtk_list_box_remove(GTK_LIST_BOX(self->list), old);
    for (guint i = layers->len; i > 0; i--) {
        GtkWidget *row = new_row(self, layers->pdata[i - 1]);
        gtk_list_box_append(GTK_LIST_BOX(self->list), row);
        if (layers->pdata[i - 1] == selected)
            gtk_list_box_select_row(GTK_LIST_BOX(self->list), GTK_LIST_BOX_ROW(row));
    }
    gtk_widget_set_sensitive(self->opacity, selected != NULL);
    if (selected != NULL)
        gtk_range_set_value(GTK_RANGE(self->opacity), selected->opacity);
    self->updating = FALSE;
}

static void
on_selected(GtkListBox *list, GtkListBoxRow *row, gpointer user_data)
{
    BgLayersPanel *self = user_data;

    if (!self->updating && row != NULL)
        bg_session_select(self->session, id_of_row(GTK_WIDGET(row)));
}

static void
on_opacity(GtkRange *range, gpointer user_data)
{
    BgLayersPanel *self = user_data;
    const BgLayer *selected = bg_session_get_selected(self->session);

    if (!self->updating && selected != NULL)
        bg_session_do(self->session,
                      bg_command_set_opacity(selected->id, gtk_range_get_value(range)));
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    BgLayersPanel *self = user_data;
    const BgLayer *selected = bg_session_get_selected(session);

    if (changes & (BG_CHANGE_LAYERS | BG_CHANGE_SELECTION | BG_CHANGE_CASE)) {
        fill(self);
    } else if (changes & BG_CHANGE_LOOK) {
        // A drag of the opacity must not lose its slider: only what can change in place.
        self->updating = TRUE;
        if (selected != NULL)
            gtk_range_set_value(GTK_RANGE(self->opacity), selected->opacity);
        for (GtkWidget *row = gtk_widget_get_first_child(self->list); row != NULL;
             row = gtk_widget_get_next_sibling(row)) {
            const BgLayer *layer = bg_case_get_layer(bg_session_get_case(session), id_of_row(row));
            GtkWidget *box = gtk_list_box_row_get_child(GTK_LIST_BOX_ROW(row));
            GtkWidget *eye = gtk_widget_get_first_child(box);
            if (layer == NULL)
                continue;
            gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(eye), layer->visible);
            gtk_button_set_icon_name(GTK_BUTTON(eye), layer->visible ? "view-reveal-symbolic"
                                                                     : "view-conceal-symbolic");
        }
        self->updating = FALSE;
    }
}

static void
move_selected(BgLayersPanel *self, int by)
{
    const GPtrArray *layers = bg_session_get_state(self->session)->layers;
    const BgLayer *selected = bg_session_get_selected(self->session);

    for (guint i = 0; selected != NULL && i < layers->len; i++) {
        if (layers->pdata[i] != selected)
            continue;
        int to = CLAMP((int) i + by, 0, (int) layers->len - 1);
        if (to != (int) i)
            bg_session_do(self->session, bg_command_move_layer(selected->id, (guint) to));
        return;
    }
}

static void
on_up(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    move_selected(user_data, 1);
}

static void
on_down(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    move_selected(user_data, -1);
}

static void
on_remove(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgLayersPanel *self = user_data;
    const BgLayer *selected = bg_session_get_selected(self->session);

    if (selected != NULL)
        bg_session_do(self->session, bg_command_remove_layer(selected->id));
}

static gboolean
on_key(GtkEventControllerKey *controller, guint keyval, guint keycode, GdkModifierType state,
       gpointer user_data)
{
    if (keyval != GDK_KEY_Delete)
        return FALSE;

    on_remove(NULL, NULL, user_data);
    return TRUE;
}

static void
bg_layers_panel_dispose(GObject *object)
{
    BgLayersPanel *self = BG_LAYERS_PANEL(object);

    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(self->session, self);
    g_clear_object(&self->session);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_pointer(&self->pictures, g_hash_table_unref);

    G_OBJECT_CLASS(bg_layers_panel_parent_class)->dispose(object);
}

static void
bg_layers_panel_class_init(BgLayersPanelClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_layers_panel_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
new_tool(const char *icon, const char *name, const char *action)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);

    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, name);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    bg_form_name(button, name);
    return button;
}

static void
bg_layers_panel_init(BgLayersPanel *self)
{
    static const GActionEntry entries[] = {
        { "up", on_up, NULL, NULL, NULL },
        { "down", on_down, NULL, NULL, NULL },
        { "remove", on_remove, NULL, NULL, NULL },
    };
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *heading = gtk_label_new(_("LAYERS"));
    GtkWidget *foot = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
    GtkEventController *keys = gtk_event_controller_key_new();
    GtkBox *form;

    self->pictures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, picture_free);
    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), self);
    gtk_widget_insert_action_group(GTK_WIDGET(self), "layers", G_ACTION_GROUP(group));
    self->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_parent(self->box, GTK_WIDGET(self));
    gtk_widget_add_css_class(heading, "caps");
    gtk_label_set_xalign(GTK_LABEL(heading), 0.0f);
    gtk_box_append(GTK_BOX(self->box), heading);

    self->list = gtk_list_box_new();
    bg_form_name(self->list, _("Layers"));
    g_signal_connect(self->list, "row-selected", G_CALLBACK(on_selected), self);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(self->list, keys);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), self->list);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(self->box), scrolled);

    form = GTK_BOX(gtk_box_new(GTK_ORIENTATION_VERTICAL, 2));
    gtk_widget_add_css_class(GTK_WIDGET(form), "section-body");
    gtk_widget_add_css_class(GTK_WIDGET(form), "form");
    self->opacity = bg_form_new_scale(0.0, 1.0, 0.01, 1.0);
    g_signal_connect(self->opacity, "value-changed", G_CALLBACK(on_opacity), self);
    bg_form_add_row(form, _("Opacity"), self->opacity);
    gtk_box_append(GTK_BOX(foot), new_tool("list-add-symbolic", _("Add a layer"), "win.open"));
    gtk_box_append(GTK_BOX(foot), new_tool("go-up-symbolic", _("Move the layer up"), "layers.up"));
    gtk_box_append(GTK_BOX(foot),
                   new_tool("go-down-symbolic", _("Move the layer down"), "layers.down"));
    gtk_box_append(GTK_BOX(foot),
                   new_tool("list-remove-symbolic", _("Remove the layer"), "layers.remove"));
    gtk_box_append(form, foot);
    gtk_box_append(GTK_BOX(self->box), GTK_WIDGET(form));
}

GtkWidget *
bg_layers_panel_new(BgSession *session)
{
    BgLayersPanel *self = g_object_new(BG_TYPE_LAYERS_PANEL, NULL);

    self->session = g_object_ref(session);
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    fill(self);
    return GTK_WIDGET(self);
}
