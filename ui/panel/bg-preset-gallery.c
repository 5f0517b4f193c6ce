// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-preset-gallery.h"

#include "core/base/bg-i18n.h"
#include "core/cast/bg-cast.h"
#include "core/cast/bg-preset.h"
#include "ui/model/bg-texture.h"

#define THUMBNAIL_PX 72
#define DRAWN_PX 144 // for screens with two pixels a pixel

struct _BgPresetGallery {
    GtkWidget parent_instance;

    GtkFlowBox *flow; // of the template, borrowed
    GtkWidget *root;  // of the template, unparented in dispose
    GArray *presets;  // of BgPresetInfo, in the flow's order
    BgVolume *volume; // owned, nullable
    char *modality;
};

static guint chosen_signal;

G_DEFINE_FINAL_TYPE(BgPresetGallery, bg_preset_gallery, GTK_TYPE_WIDGET)

typedef struct {
    BgVolume *volume; // owned
    BgPresetInfo preset;
} Request;

typedef struct {
    char id[64];
    BgCastImage *image; // owned
} Thumbnail;

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_volume_unref(request->volume);
    g_free(request);
}

static void
thumbnail_free(gpointer data)
{
    Thumbnail *thumbnail = data;

    g_clear_pointer(&thumbnail->image, bg_cast_image_free);
    g_free(thumbnail);
}

// On the idle worker.
static gpointer
draw_thumbnail(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;
    BgView view = bg_view_default();
    BgVec3 centre_mm;
    double radius_mm;
    BgCastParams params;

    g_autoptr(BgTransferFunction) tf = bg_preset_load(request->preset.id, request->volume, error);
    if (tf == NULL)
        return NULL;

    view.azimuth_deg = 30.0;
    view.elevation_deg = 12.0;
    view.zoom = 1.35; // the sphere leaves room that a thumbnail cannot spare
    bg_cast_fit(request->volume, NULL, 0, &centre_mm, &radius_mm);
    bg_cast_params_init(&params);
    params.camera = bg_camera_from_view(&view, centre_mm, radius_mm, DRAWN_PX, DRAWN_PX);
    params.tf = tf;
    for (int c = 0; c < 3; c++)
        params.background_top[c] = params.background_bottom[c] = request->preset.background[c];

    Thumbnail *thumbnail = g_new0(Thumbnail, 1);
    g_strlcpy(thumbnail->id, request->preset.id, sizeof thumbnail->id);
    thumbnail->image = bg_cast(request->volume, &params, NULL, cancellable, error);
    if (thumbnail->image == NULL) {
        thumbnail_free(thumbnail);
        return NULL;
    }
    return thumbnail;
}

static GtkPicture *
find_picture(BgPresetGallery *self, const char *id)
{
    for (guint i = 0; i < self->presets->len; i++) {
        if (!g_str_equal(g_array_index(self->presets, BgPresetInfo, i).id, id))
            continue;
        GtkFlowBoxChild *child = gtk_flow_box_get_child_at_index(self->flow, (int) i);
        return child != NULL ? g_object_get_data(G_OBJECT(child), "picture") : NULL;
    }
    return NULL;
}

static void
on_drawn(gpointer owner, gpointer result, const GError *error)
{
    BgPresetGallery *self = owner;
    Thumbnail *thumbnail = result;

    if (thumbnail == NULL)
        return; // its place stays empty; choosing it will tell why
    GtkPicture *picture = find_picture(self, thumbnail->id);
    if (picture != NULL) {
        g_autoptr(GdkTexture) texture = bg_texture_from_rgb(thumbnail->image->colour);
        gtk_picture_set_paintable(picture, GDK_PAINTABLE(texture));
    }
    thumbnail_free(thumbnail);
}

static GtkWidget *
make_child(const BgPresetInfo *preset)
{
    GtkWidget *child = gtk_flow_box_child_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *picture = gtk_picture_new();
    GtkWidget *label = gtk_label_new(preset->name);

    gtk_widget_set_size_request(picture, THUMBNAIL_PX, THUMBNAIL_PX);
    gtk_picture_set_can_shrink(GTK_PICTURE(picture), TRUE);
    gtk_picture_set_alternative_text(GTK_PICTURE(picture), preset->name);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 10);
    gtk_widget_add_css_class(label, "small");
    gtk_box_append(GTK_BOX(box), picture);
    gtk_box_append(GTK_BOX(box), label);
    gtk_flow_box_child_set_child(GTK_FLOW_BOX_CHILD(child), box);
    gtk_widget_add_css_class(child, "preset");
    gtk_widget_set_tooltip_text(child, preset->name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(child), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   preset->name, -1);
    g_object_set_data(G_OBJECT(child), "picture", picture);
    return child;
}

static gboolean
suits(const BgPresetInfo *preset, const char *modality)
{
    return modality[0] == '\0' || g_str_equal(preset->modality, modality) ||
           g_str_equal(preset->modality, "any");
}

// Those of another modality are left out: their values mean nothing here.
static void
fill(BgPresetGallery *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) all = bg_preset_list(&error);
    GtkFlowBoxChild *child;

    while ((child = gtk_flow_box_get_child_at_index(self->flow, 0)) != NULL)
        gtk_flow_box_remove(self->flow, GTK_WIDGET(child));
    g_array_set_size(self->presets, 0);
    if (all == NULL) {
        g_message("The presets cannot be read: %s", error->message);
        return;
    }
    for (guint i = 0; i < all->len; i++) {
        const BgPresetInfo *preset = &g_array_index(all, BgPresetInfo, i);
        if (!suits(preset, self->modality))
            continue;
        g_array_append_val(self->presets, *preset);
        gtk_flow_box_append(self->flow, make_child(preset));
    }
}

void
bg_preset_gallery_set_volume(BgPresetGallery *self, BgSession *session, BgVolume *volume,
                             const char *modality)
{
    g_return_if_fail(BG_IS_PRESET_GALLERY(self));

    if (volume == self->volume)
        return;
    g_clear_pointer(&self->volume, bg_volume_unref);
    g_free(self->modality);
    self->modality = g_strdup(modality);
    if (volume == NULL)
        return;

    self->volume = bg_volume_ref(volume);
    fill(self);
    for (guint i = 0; i < self->presets->len; i++) {
        Request *request = g_new0(Request, 1);
        request->volume = bg_volume_ref(volume);
        request->preset = g_array_index(self->presets, BgPresetInfo, i);
        BgWork work = { .owner = G_OBJECT(self),
                        .slot = i,
                        .yields = TRUE,
                        .func = draw_thumbnail,
                        .request = request,
                        .free_request = request_free,
                        .done = on_drawn,
                        .free_result = thumbnail_free };
        bg_worker_post(bg_session_get_idle_worker(session), &work);
    }
}

static void
on_child_activated(GtkFlowBox *flow, GtkFlowBoxChild *child, gpointer user_data)
{
    BgPresetGallery *self = user_data;
    int index = gtk_flow_box_child_get_index(child);

    if (index >= 0 && (guint) index < self->presets->len)
        g_signal_emit(self, chosen_signal, 0, g_array_index(self->presets, BgPresetInfo, index).id);
}

static void
bg_preset_gallery_dispose(GObject *object)
{
    BgPresetGallery *self = BG_PRESET_GALLERY(object);

    g_clear_pointer(&self->root, gtk_widget_unparent);
    g_clear_pointer(&self->volume, bg_volume_unref);

    G_OBJECT_CLASS(bg_preset_gallery_parent_class)->dispose(object);
}

static void
bg_preset_gallery_finalize(GObject *object)
{
    BgPresetGallery *self = BG_PRESET_GALLERY(object);

    g_array_unref(self->presets);
    g_free(self->modality);

    G_OBJECT_CLASS(bg_preset_gallery_parent_class)->finalize(object);
}

static void
bg_preset_gallery_class_init(BgPresetGalleryClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    object_class->dispose = bg_preset_gallery_dispose;
    object_class->finalize = bg_preset_gallery_finalize;
    chosen_signal = g_signal_new("chosen", BG_TYPE_PRESET_GALLERY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_css_name(widget_class, "presetgallery");
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-preset-gallery.ui");
    gtk_widget_class_bind_template_child(widget_class, BgPresetGallery, root);
    gtk_widget_class_bind_template_child(widget_class, BgPresetGallery, flow);
    gtk_widget_class_bind_template_callback(widget_class, on_child_activated);
}

static void
bg_preset_gallery_init(BgPresetGallery *self)
{
    self->presets = g_array_new(FALSE, FALSE, sizeof(BgPresetInfo));
    self->modality = g_strdup("");
    gtk_widget_init_template(GTK_WIDGET(self));
}
