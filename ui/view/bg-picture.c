// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-picture.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/io/bg-image-io.h"
#include "ui/model/bg-texture.h"
#include "ui/view/bg-slice-scene.h"
#include "ui/view/bg-volume-scene.h"

#define PANE_PX 600.0 // a pane this high has texts of 100 %

typedef struct {
    int x, y, width, height;
    double scale;
    BgSliceScene *slice;   // owned; one of the two
    BgVolumeScene *volume; // owned
    GArray *marks;         // owned; of a volume: with the word CPU
    GArray *marks_gl;      // owned, nullable: the same with the word GL
} Part;

struct _BgPicture {
    int width, height;
    GArray *parts; // of Part
    char *provenance;
};

static void
clear_part(gpointer data)
{
    Part *part = data;

    g_clear_pointer(&part->slice, bg_slice_scene_free);
    g_clear_pointer(&part->volume, bg_volume_scene_free);
    g_clear_pointer(&part->marks, g_array_unref);
    g_clear_pointer(&part->marks_gl, g_array_unref);
}

void
bg_picture_free(BgPicture *picture)
{
    g_array_unref(picture->parts);
    g_free(picture->provenance);
    g_free(picture);
}

const char *
bg_picture_get_provenance(const BgPicture *picture)
{
    return picture->provenance;
}

static void
add_part(BgPicture *self, BgSession *session, BgPicturePane pane, const int box[4])
{
    Part part = { .x = box[0],
                  .y = box[1],
                  .width = box[2],
                  .height = box[3],
                  .scale = MAX(box[3] / PANE_PX, 0.75) };

    if (pane == BG_PICTURE_VOLUME) {
        part.volume = bg_volume_scene_new(session, part.width, part.height);
        if (part.volume == NULL)
            return;
        // What will have drawn is known after drawing, where the case must not be looked at.
        const BgCamera *camera = &part.volume->params.camera;
        part.marks =
            bg_volume_marks(session, camera, part.volume->centre_mm, "CPU", part.scale, FALSE);
        part.marks_gl =
            bg_volume_marks(session, camera, part.volume->centre_mm, "GL", part.scale, FALSE);
    } else {
        part.slice = bg_slice_scene_new(session, (BgPlane) pane, part.width, part.height);
        if (part.slice == NULL)
            return;
        part.marks = bg_slice_marks(session, (BgPlane) pane, bg_slice_scene_get_frame(part.slice),
                                    part.scale, FALSE);
    }
    g_array_append_val(self->parts, part);
}

static char *
describe(BgSession *session, BgPicturePane pane, int width, int height)
{
    static const char *const names[] = { "axial", "coronal", "sagittal", "3d", "all" };
    g_autoptr(BgProvenance) provenance =
        bg_provenance_new(pane == BG_PICTURE_VOLUME ? "render" : "slice");
    const BgCaseState *state = bg_session_get_state(session);
    BgJson *parameters = bg_provenance_get_parameters(provenance);
    const BgLayer *layer = bg_session_get_volume(session);
    const double cursor_mm[3] = { state->cursor_mm.x, state->cursor_mm.y, state->cursor_mm.z };
    const double view[4] = { state->view.elevation_deg, state->view.azimuth_deg,
                             state->view.roll_deg, state->view.zoom };
    const double size[2] = { width, height };

    for (guint i = 0; i < state->layers->len; i++) {
        const BgLayer *input = state->layers->pdata[i];
        if (input->visible && input->source.path[0] != '\0')
            bg_provenance_add_input(provenance, input->source.path,
                                    input->source.sha256[0] != '\0' ? input->source.sha256 : NULL);
    }
    bg_json_set_string(parameters, "pane", names[pane]);
    bg_json_set_doubles(parameters, "size", size, 2);
    bg_json_set_doubles(parameters, "position_mm", cursor_mm, 3);
    bg_json_set_doubles(parameters, "view", view, 4);
    bg_json_set_boolean(parameters, "radiological", state->radiological);
    if (layer != NULL) {
        const double window[2] = { layer->window_centre, layer->window_width };
        bg_json_set_doubles(parameters, "window", window, 2);
        if (layer->transfer_function != NULL)
            bg_json_set_string(parameters, "preset",
                               bg_transfer_function_get_data(layer->transfer_function)->name);
    }

    return bg_provenance_print(provenance);
}

BgPicture *
bg_picture_new(BgSession *session, BgPicturePane pane, int width, int height)
{
    BgPicture *self = g_new0(BgPicture, 1);

    self->width = width;
    self->height = height;
    self->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_array_set_clear_func(self->parts, clear_part);
    if (pane == BG_PICTURE_ALL) {
        static const BgPicturePane order[] = { BG_PICTURE_AXIAL, BG_PICTURE_VOLUME,
                                               BG_PICTURE_CORONAL, BG_PICTURE_SAGITTAL };
        for (int i = 0; i < 4; i++) {
            const int box[4] = { i % 2 * (width / 2), i / 2 * (height / 2), width / 2, height / 2 };
            add_part(self, session, order[i], box);
        }
    } else {
        const int box[4] = { 0, 0, width, height };
        add_part(self, session, pane, box);
    }
    if (self->parts->len == 0) {
        bg_picture_free(self);
        return NULL;
    }
    self->provenance = describe(session, pane, width, height);

    return self;
}

static void
paint_argb(cairo_t *cr, guint32 *pixels, int width, int height)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (guchar *) pixels, CAIRO_FORMAT_RGB24, width, height, width * 4);

    cairo_set_source_surface(cr, surface, 0.0, 0.0);
    cairo_paint(cr);
    cairo_surface_destroy(surface);
}

static gboolean
draw_slice(const Part *part, cairo_t *cr, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSlicePicture) picture = bg_slice_scene_draw(part->slice, cancellable, error);

    if (picture == NULL)
        return FALSE;

    paint_argb(cr, picture->pixels, part->width, part->height);
    for (guint i = 0; i < picture->contours->len; i++) {
        const BgMeshLines *lines = picture->contours->pdata[i];
        bg_contours_draw(lines->contours, lines->rgb, 1.5 * part->scale, cr);
    }
    bg_annotations_draw(part->marks, cr);
    return TRUE;
}

static gboolean
draw_volume(const Part *part, cairo_t *cr, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgVolumePicture) picture = bg_volume_scene_draw(part->volume, cancellable, error);

    if (picture == NULL)
        return FALSE;

    gsize n = (gsize) part->width * (gsize) part->height;
    const guint8 *rgba = bg_image_get_pixels(picture->image->colour);
    bg_auto_buffer guint32 *pixels = bg_buffer_alloc_items(n, sizeof *pixels, error);
    if (pixels == NULL)
        return FALSE;
    for (gsize i = 0; i < n; i++)
        pixels[i] = 0xFF000000u | (guint32) rgba[4 * i] << 16 | (guint32) rgba[4 * i + 1] << 8 |
                    rgba[4 * i + 2];
    paint_argb(cr, pixels, part->width, part->height);
    bg_annotations_draw(g_str_equal(picture->engine, "GL") ? part->marks_gl : part->marks, cr);
    return TRUE;
}

static BgImage *
image_of(cairo_surface_t *surface, int width, int height, GError **error)
{
    const BgImageFormat format = { width, height, 3, BG_PIXEL_UINT8 };
    guint8 *rgb = bg_buffer_alloc_items((gsize) width * (gsize) height, 3, error);

    if (rgb == NULL)
        return NULL;

    cairo_surface_flush(surface);
    const guchar *data = cairo_image_surface_get_data(surface);
    gsize stride = (gsize) cairo_image_surface_get_stride(surface);
    for (gsize y = 0; y < (gsize) height; y++) {
        const guint32 *row = (const guint32 *) (gconstpointer) (data + y * stride);
        for (gsize x = 0; x < (gsize) width; x++) {
            guint8 *pixel = rgb + 3 * (y * (gsize) width + x);
            pixel[0] = (guint8) (row[x] >> 16);
            pixel[1] = (guint8) (row[x] >> 8);
            pixel[2] = (guint8) row[x];
        }
    }

    return bg_image_new_take(&format, rgb, error);
}

BgImage *
bg_picture_draw(const BgPicture *self, const BgProgress *progress, GCancellable *cancellable,
                GError **error)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, self->width, self->height);
    cairo_t *cr = cairo_create(surface);
    gboolean drawn = TRUE;

    for (guint i = 0; drawn && i < self->parts->len; i++) {
        const Part *part = &g_array_index(self->parts, Part, i);
        cairo_save(cr);
        cairo_translate(cr, part->x, part->y);
        cairo_rectangle(cr, 0.0, 0.0, part->width, part->height);
        cairo_clip(cr);
        drawn = part->slice != NULL ? draw_slice(part, cr, cancellable, error)
                                    : draw_volume(part, cr, cancellable, error);
        cairo_restore(cr);
        bg_progress_report(progress, (i + 1.0) / self->parts->len);
    }
    BgImage *image = drawn ? image_of(surface, self->width, self->height, error) : NULL;
    cairo_destroy(cr);
    cairo_surface_destroy(surface);

    return image;
}

typedef struct {
    BgPicture *picture;
    char *path; // NULL: for the clipboard
} Export;

static void
export_free(gpointer data)
{
    Export *export = data;

    g_clear_pointer(&export->picture, bg_picture_free);
    g_free(export->path);
    g_free(export);
}

static gpointer
export_in_thread(gpointer data, const BgProgress *progress, GCancellable *cancellable,
                 GError **error)
{
    Export *export = data;
    g_autoptr(BgImage) image = bg_picture_draw(export->picture, progress, cancellable, error);
    const BgPngParams params = { .force = TRUE,
                                 .provenance = bg_picture_get_provenance(export->picture) };

    if (image == NULL)
        return NULL;
    if (export->path != NULL && !bg_png_save(image, export->path, &params, error))
        return NULL;

    return g_steal_pointer(&image);
}

typedef struct {
    BgSession *session;      // owned
    GdkClipboard *clipboard; // owned, nullable
} ExportDone;

static void
on_exported(GObject *source, GAsyncResult *result, gpointer user_data)
{
    ExportDone *done = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) image = bg_job_run_finish(BG_JOB(source), result, &error);

    if (image == NULL) {
        bg_session_fail(done->session, _("The picture could not be saved"), error);
    } else if (done->clipboard != NULL) {
        g_autoptr(GdkTexture) texture = bg_texture_from_rgb(image);
        gdk_clipboard_set_texture(done->clipboard, texture);
    }
    g_object_unref(done->session);
    g_clear_object(&done->clipboard);
    g_free(done);
}

// @picture: (transfer full)
static void
start(BgSession *session, BgPicture *picture, const char *path, GdkClipboard *clipboard)
{
    g_autoptr(BgJob) job = bg_job_new(_("Drawing the picture"));
    Export *export = g_new0(Export, 1);
    ExportDone *done = g_new0(ExportDone, 1);

    export->picture = picture;
    export->path = g_strdup(path);
    done->session = g_object_ref(session);
    done->clipboard = clipboard != NULL ? g_object_ref(clipboard) : NULL;
    BgJobWork work = { .func = export_in_thread,
                       .input = export,
                       .free_input = export_free,
                       .free_result = (GDestroyNotify) bg_image_unref };
    bg_session_run(session, job, &work, on_exported, done);
}

void
bg_picture_save_async(BgSession *session, BgPicture *picture, const char *path)
{
    start(session, picture, path, NULL);
}

void
bg_picture_copy_async(BgSession *session, BgPicture *picture, GdkClipboard *clipboard)
{
    start(session, picture, NULL, clipboard);
}
