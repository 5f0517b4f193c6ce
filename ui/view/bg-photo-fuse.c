// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-photo-fuse.h"

#include "core/base/bg-buffer.h"
#include "core/case/bg-provenance.h"
#include "ui/model/bg-photo.h"
#include "ui/model/bg-texture.h"

#include <string.h>

/** Labels: of a visible layer */
typedef struct {
    BgLabelMap *map;          // owned
    BgLabelTable *table;      // owned
    BgFusionLabels *prepared; // owned, nullable: by the worker
} Labels;

/** Shared: what the worker's thread keeps between pictures; nobody else looks at it */
typedef struct {
    BgEngineChoice engine; // of @backend
    BgBackend *backend;    // owned, nullable: opened by the first
    BgFusionModel *model;  // owned, nullable: runs on @backend
    BgFusionMethod method;
    char *path; // owned, nullable: of @model
    gboolean stand_in;
    BgPhotoPaint *taken; // owned, nullable: the photograph that @flat was made of
    BgImage *flat;       // owned, nullable
    GPtrArray *labels;   // owned, nullable: of Labels: of the last picture
} Shared;

struct _BgPhotoFuse {
    GObject parent_instance;

    BgSession *session;    // owned
    BgPhotoRender *render; // owned
    BgWorker *worker;      // owned
    Shared shared;         // of the worker's thread
    BgImage *fused_of;     // owned, nullable: the rendering that was asked about last
    char *asked;           // owned, nullable: all else that was asked for then
};

G_DEFINE_FINAL_TYPE(BgPhotoFuse, bg_photo_fuse, G_TYPE_OBJECT)

typedef struct {
    Shared *shared;
    BgFusionMethod method;
    BgImage *rendering;  // owned
    BgPhotoPaint *paint; // owned: the photograph
    GPtrArray *labels;   // owned: of Labels, not prepared: from the bottom up
    const char *weights; // interned, nullable
    gboolean full_range;
    BgEngineChoice engine;
    BgCamera camera;
    gboolean mirrored;
    BgFusionRect rect;
    BgVec3 right, down;
    gboolean side_known;
    BgProvenance *provenance; // owned
    char *layer_id, *layer_name;
} Request;

static void
labels_free(gpointer data)
{
    Labels *labels = data;

    bg_label_map_unref(labels->map);
    bg_label_table_unref(labels->table);
    g_clear_pointer(&labels->prepared, bg_fusion_labels_free);
    g_free(labels);
}

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_image_unref(request->rendering);
    bg_photo_paint_unref(request->paint);
    g_ptr_array_unref(request->labels);
    bg_provenance_free(request->provenance);
    g_free(request->layer_id);
    g_free(request->layer_name);
    g_free(request);
}

// On the worker's thread

// The backend that the preferences name: what ran on the former one goes first.
static gboolean
open_engine(Shared *shared, const BgEngineChoice *engine, GError **error)
{
    if (shared->backend != NULL && bg_engine_choice_equal(&shared->engine, engine))
        return TRUE;
    g_clear_pointer(&shared->model, bg_fusion_model_unref);
    g_clear_pointer(&shared->backend, bg_backend_free);
    shared->backend = bg_engine_choice_open(engine, error);
    shared->engine = *engine;
    return shared->backend != NULL;
}

static gboolean
find_model(Shared *shared, const Request *request, GCancellable *cancellable, GError **error)
{
    BgFusionMethod method = request->method;
    gboolean stand_in = FALSE;

    if (!bg_fusion_method_wants_model(method))
        return TRUE;
    g_autofree char *path = bg_fusion_model_find(method, request->weights, &stand_in, error);
    if (path == NULL || !open_engine(shared, &request->engine, error))
        return FALSE;
    if (shared->model != NULL && shared->method == method && g_str_equal(path, shared->path))
        return TRUE;
    g_clear_pointer(&shared->model, bg_fusion_model_unref);
    g_clear_pointer(&shared->path, g_free);
    shared->model = bg_fusion_model_load(method, path, NULL, cancellable, error);
    if (shared->model == NULL)
        return FALSE;
    bg_fusion_model_set_engine(shared->model,
                               &(BgEngine){ shared->backend, request->engine.precision });
    shared->method = method;
    shared->stand_in = stand_in;
    shared->path = g_steal_pointer(&path);
    return TRUE;
}

static gboolean
flatten(Shared *shared, BgPhotoPaint *paint, GError **error)
{
    if (bg_photo_paint_equal(shared->taken, paint))
        return TRUE;
    g_clear_pointer(&shared->taken, bg_photo_paint_unref);
    g_clear_pointer(&shared->flat, bg_image_unref);
    shared->flat = bg_photo_paint_draw(paint, FALSE, error);
    if (shared->flat != NULL)
        shared->taken = bg_photo_paint_ref(paint);
    return shared->flat != NULL;
}

// Takes over what the last picture's labels are prepared as.
static gboolean
prepare(Shared *shared, GPtrArray *wanted, GCancellable *cancellable, GError **error)
{
    for (guint i = 0; i < wanted->len; i++) {
        Labels *labels = wanted->pdata[i];
        for (guint l = 0; shared->labels != NULL && l < shared->labels->len; l++) {
            Labels *last = shared->labels->pdata[l];
            if (last->map == labels->map && last->table == labels->table)
                labels->prepared = g_steal_pointer(&last->prepared);
        }
    }
    g_clear_pointer(&shared->labels, g_ptr_array_unref);
    shared->labels = g_ptr_array_ref(wanted);
    for (guint i = 0; i < wanted->len; i++) {
        Labels *labels = wanted->pdata[i];
        if (labels->prepared == NULL)
            labels->prepared = bg_fusion_labels_new(labels->map, labels->table, cancellable, error);
        if (labels->prepared == NULL)
            return FALSE;
    }
    return TRUE;
}

static gboolean
outline(const Request *request, BgFused *fused, GCancellable *cancellable, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(request->rendering);
    const BgFusionGrid grid = { request->camera, request->mirrored, request->rect, format->width,
                                format->height };

    if (!prepare(request->shared, request->labels, cancellable, error))
        return FALSE;
    fused->outlines = g_ptr_array_new_with_free_func((GDestroyNotify) bg_fusion_outline_free);
    for (guint i = 0; i < request->labels->len; i++) {
        const Labels *labels = request->labels->pdata[i];
        if (!bg_fusion_labels_outline(labels->prepared, &grid, fused->outlines, cancellable, error))
            return FALSE;
        fused->n_left_out += bg_fusion_labels_count_left_out(labels->prepared);
    }
    return TRUE;
}

static GdkTexture *
texture_of(const BgChannel *map)
{
    gsize n = bg_channel_count(map);
    const BgImageFormat format = { map->width, map->height, 3, BG_PIXEL_UINT8 };
    guint8 *rgb = bg_buffer_alloc_items(n, 3, NULL);

    for (gsize i = 0; rgb != NULL && i < n; i++)
        memset(rgb + 3 * i, (int) (CLAMP(map->values[i], 0.0f, 1.0f) * 255.0f + 0.5f), 3);
    g_autoptr(BgImage) image = rgb != NULL ? bg_image_new_take(&format, rgb, NULL) : NULL;
    return image != NULL ? bg_texture_from_rgb(image) : NULL;
}

static char *
describe(const Request *request, const BgFused *fused)
{
    BgJson *parameters = bg_provenance_get_parameters(request->provenance);
    const double rect[4] = { fused->rect.left, fused->rect.top, fused->rect.width,
                             fused->rect.height };
    BgAnnotateValues values;

    bg_json_set_string(parameters, "method", bg_fusion_method_name(fused->method));
    bg_json_set_doubles(parameters, "part_of_photograph_px", rect, 4);
    bg_json_set_string(parameters, "weights_sha256", *fused->sha256 != '\0' ? fused->sha256 : NULL);
    bg_json_set_boolean(parameters, "full_range", request->full_range);
    if (*fused->weights != '\0')
        bg_json_set_string(parameters, "precision",
                           bg_engine_choice_precision(&fused->engine, fused->backend));
    if (bg_photo_paint_get_values(fused->paint, &values)) {
        const double ends[2] = { values.low, values.high };
        bg_json_set_doubles(parameters, "colours_from_to", ends, 2);
        bg_json_set_string(parameters, "unit", values.unit);
    }
    bg_json_set_boolean(parameters, "synthetic", bg_fused_is_synthetic(fused));
    bg_json_set_double(parameters, "q_ssim", fused->view.metrics.q_ssim);
    bg_json_set_double(parameters, "q_g", fused->view.metrics.q_g);
    bg_provenance_set_backend(request->provenance, fused->backend);
    return bg_provenance_print(request->provenance);
}

static void
add_maps(BgFused *fused)
{
    if (fused->view.maps == NULL)
        return;
    fused->maps = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < fused->view.maps->len; i++) {
        const BgChannel *map = fused->view.maps->pdata[i];
        GdkTexture *texture = map != NULL ? texture_of(map) : NULL;
        if (texture != NULL)
            g_ptr_array_add(fused->maps, texture);
    }
}

static gpointer
fuse_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;
    Shared *shared = request->shared;
    BgFusionParams params = bg_fusion_params(request->method);
    g_autoptr(BgFused) fused = bg_fused_new();

    if (!flatten(shared, request->paint, error) ||
        !find_model(shared, request, cancellable, error) ||
        !outline(request, fused, cancellable, error))
        return NULL;
    BgFusionModel *model = bg_fusion_method_wants_model(request->method) ? shared->model : NULL;
    params.full_range = request->full_range;
    if (!bg_fuse_view(request->rendering, shared->flat, &request->rect, &params, model,
                      &fused->view, NULL, cancellable, error))
        return NULL;
    fused->method = request->method;
    fused->texture = bg_texture_from_rgb(fused->view.image);
    fused->paint = bg_photo_paint_ref(request->paint);
    fused->rect = request->rect;
    fused->right = request->right;
    fused->down = request->down;
    fused->side_known = request->side_known;
    fused->layer_id = g_strdup(request->layer_id);
    fused->layer_name = g_strdup(request->layer_name);
    fused->weights = g_strdup(model != NULL ? bg_fusion_model_get_name(model) : "");
    fused->sha256 = g_strdup(model != NULL ? bg_fusion_model_get_sha256(model) : "");
    fused->stand_in = model != NULL && shared->stand_in;
    fused->engine = request->engine;
    fused->backend = model != NULL ? bg_fusion_model_get_backend(model) : "cpu";
    add_maps(fused);
    fused->provenance = describe(request, fused);
    return g_steal_pointer(&fused);
}

// On the main thread

static void
on_fused(gpointer owner, gpointer result, const GError *error)
{
    BgPhotoFuse *self = owner;
    BgFused *fused = result;

    if (fused == NULL && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (fused == NULL) {
        fused = bg_fused_new();
        fused->error = g_strdup(error->message);
    }
    if (bg_session_get_photo_look(self->session)->fusion != 0)
        bg_session_set_fused(self->session, fused);
    bg_fused_unref(fused);
}

// The photograph's and every visible volume's file, and where the picture's edges point.
static void
take_sources(BgSession *session, const BgLayer *photograph, const BgPhotoCamera *camera,
             Request *request)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    BgProvenance *provenance = request->provenance = bg_provenance_new("fuse");
    const double(*m)[4] = camera->camera.camera_from_patient.m;
    double turn = camera->mirrored ? -1.0 : 1.0;

    request->right = bg_vec3(turn * m[0][0], turn * m[0][1], turn * m[0][2]);
    request->down = bg_vec3(m[1][0], m[1][1], m[1][2]);
    request->side_known = TRUE;
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        gboolean seen = layer->payload.volume != NULL && layer->visible;
        if (seen && layer->side_unknown)
            request->side_known = FALSE;
        if ((layer == photograph || seen) && *layer->source.path != '\0')
            bg_provenance_add_input(provenance, layer->source.path,
                                    *layer->source.sha256 != '\0' ? layer->source.sha256 : NULL);
    }
}

// From the bottom up; @asked: all that makes another outline.
static GPtrArray *
take_labels(BgSession *session, GString *asked)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    GPtrArray *all = g_ptr_array_new_with_free_func(labels_free);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->payload.labels == NULL || !layer->visible || layer->labels == NULL)
            continue;
        Labels *labels = g_new0(Labels, 1);
        labels->map = bg_label_map_ref(layer->payload.labels);
        labels->table = bg_label_table_ref(layer->labels);
        g_ptr_array_add(all, labels);
        g_string_append_printf(asked, " %" G_GUINT64_FORMAT, bg_label_map_get_serial(labels->map));
        for (gsize e = 0; e < bg_label_table_count(layer->labels); e++) {
            const BgLabelEntry *entry = bg_label_table_get(layer->labels, e);
            g_string_append_printf(asked, ",%u %s %d %a %a %a", entry->label, entry->name,
                                   entry->visible, (double) entry->rgb[0], (double) entry->rgb[1],
                                   (double) entry->rgb[2]);
        }
    }
    return all;
}

// The request without its rendering, or NULL when the last one was the same.
static Request *
new_request(BgPhotoFuse *self, BgImage *rendering, const BgLayer *layer)
{
    const BgPhotoLook *look = bg_session_get_photo_look(self->session);
    BgEngineChoice engine = bg_engine_choice_get();
    BgFusionMethod method = (BgFusionMethod) (look->fusion - 1);
    BgFusedWeights which;
    const char *weights = bg_fused_which_weights(method, &which) ? look->weights[which] : NULL;
    GString *asked = g_string_new(NULL);

    g_string_printf(asked, "%d %d %s %s %d %p %a %a %s", look->fusion, look->full_range,
                    weights != NULL ? weights : "", engine.backend, (int) engine.precision,
                    (gpointer) layer->payload.image, layer->window_centre, layer->window_width,
                    layer->colour_map);
    g_autoptr(GPtrArray) labels = take_labels(self->session, asked);
    g_autofree char *now = g_string_free(asked, FALSE);
    if (rendering == self->fused_of && g_strcmp0(now, self->asked) == 0)
        return NULL;
    g_free(self->asked);
    self->asked = g_steal_pointer(&now);
    Request *request = g_new0(Request, 1);
    request->shared = &self->shared;
    request->method = method;
    request->full_range = look->full_range;
    request->weights = weights;
    request->engine = engine;
    request->paint = bg_photo_paint_new(layer);
    request->labels = g_steal_pointer(&labels);
    return request;
}

static void
stop(BgPhotoFuse *self)
{
    bg_worker_cancel(self->worker, G_OBJECT(self), 0);
    g_clear_pointer(&self->fused_of, bg_image_unref);
    bg_session_set_fused(self->session, NULL);
}

static void
update(BgPhotoFuse *self)
{
    const BgLayer *layer = bg_photo_get(self->session);
    const BgPhotoCamera *camera = bg_photo_get_camera(self->session);
    int fusion = bg_session_get_photo_look(self->session)->fusion;
    const char *layer_id = NULL;
    BgPhotoRect rect;
    BgImage *rendering = bg_photo_render_get_image(self->render, &rect, &layer_id);

    if (fusion == 0 || rendering == NULL || layer == NULL || layer->payload.image == NULL ||
        camera == NULL || g_strcmp0(layer_id, camera->layer_id) != 0) {
        stop(self);
        return;
    }
    Request *request = new_request(self, rendering, layer);
    if (request == NULL)
        return;
    g_clear_pointer(&self->fused_of, bg_image_unref);
    self->fused_of = bg_image_ref(rendering);
    request->rendering = bg_image_ref(rendering);
    request->camera = camera->camera;
    request->mirrored = camera->mirrored;
    request->rect = (BgFusionRect){ rect.left, rect.top, rect.width, rect.height };
    take_sources(self->session, layer, camera, request);
    request->layer_id = g_strdup(layer->id);
    request->layer_name = g_strdup(layer->name);
    BgWork work = { .owner = G_OBJECT(self),
                    .func = fuse_on_worker,
                    .request = request,
                    .free_request = request_free,
                    .done = on_fused,
                    .free_result = (GDestroyNotify) bg_fused_unref };
    bg_worker_post(self->worker, &work);
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    BgPhotoFuse *self = user_data;

    if (changes & BG_CHANGE_MODELS) // the usual weights may be others now
        g_clear_pointer(&self->asked, g_free);
    if (changes & (BG_CHANGE_PHOTO | BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_SELECTION |
                   BG_CHANGE_CASE | BG_CHANGE_LANDMARKS | BG_CHANGE_MODELS))
        update(self);
}

static void
bg_photo_fuse_dispose(GObject *object)
{
    BgPhotoFuse *self = BG_PHOTO_FUSE(object);

    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(self->session, self);
    if (self->render != NULL)
        g_signal_handlers_disconnect_by_data(self->render, self);
    g_clear_pointer(&self->worker, bg_worker_free); // nobody works with what follows
    g_clear_pointer(&self->shared.model, bg_fusion_model_unref);
    g_clear_pointer(&self->shared.backend, bg_backend_free);
    g_clear_pointer(&self->shared.path, g_free);
    g_clear_pointer(&self->shared.taken, bg_photo_paint_unref);
    g_clear_pointer(&self->shared.labels, g_ptr_array_unref);
    g_clear_pointer(&self->asked, g_free);
    g_clear_pointer(&self->shared.flat, bg_image_unref);
    g_clear_pointer(&self->fused_of, bg_image_unref);
    g_clear_object(&self->render);
    g_clear_object(&self->session);

    G_OBJECT_CLASS(bg_photo_fuse_parent_class)->dispose(object);
}

static void
bg_photo_fuse_class_init(BgPhotoFuseClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_photo_fuse_dispose;
}

static void
bg_photo_fuse_init(BgPhotoFuse *self)
{
    self->worker = bg_worker_new("fusion", 8);
}

BgPhotoFuse *
bg_photo_fuse_new(BgSession *session, BgPhotoRender *render)
{
    BgPhotoFuse *self = g_object_new(BG_TYPE_PHOTO_FUSE, NULL);

    self->session = g_object_ref(session);
    self->render = g_object_ref(render);
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    g_signal_connect_swapped(render, "changed", G_CALLBACK(update), self);
    return self;
}
