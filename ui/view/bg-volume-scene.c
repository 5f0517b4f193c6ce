// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-volume-scene.h"

#include "core/base/bg-i18n.h"
#include "render/scene/bg-gl-caster.h"
#include "ui/model/bg-distance-job.h"
#include "ui/model/bg-settings.h"
#include "ui/view/bg-slice-scene.h"

#define LABEL_WEIGHT 0.85
#define HANDLE_PX 9.0

// look.md: the ground of 3D panes.
static const double ground_top[3] = { 0x1B / 255.0, 0x1D / 255.0, 0x20 / 255.0 };
static const double ground_bottom[3] = { 0x0C / 255.0, 0x0D / 255.0, 0x0E / 255.0 };

static void
clear_mesh(gpointer data)
{
    bg_mesh_unref(((BgCastMesh *) data)->mesh);
}

void
bg_volume_scene_free(BgVolumeScene *scene)
{
    g_clear_pointer(&scene->volume, bg_volume_unref);
    g_clear_pointer(&scene->params.tf, bg_transfer_function_unref);
    g_clear_pointer(&scene->params.labels, bg_label_map_unref);
    g_clear_pointer(&scene->params.label_table, bg_label_table_unref);
    g_clear_pointer(&scene->meshes, g_array_unref);
    g_free(scene->engine);
    g_free(scene);
}

// One bar in a pane tells of all: the largest range of the visible maps, 0 without one. @first: (out): of those
static double
common_range_mm(const GPtrArray *layers, const BgLayer **first)
{
    double range_mm = 0.0;

    *first = NULL;
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (!layer->visible || !bg_distance_job_is_map(layer))
            continue;
        if (*first == NULL)
            *first = layer;
        range_mm = MAX(range_mm, bg_distance_job_range_mm(layer));
    }
    return range_mm;
}

// A volume would hide a surface inside of it, and tint its colours, which say how far it is off:
// it is left out, unless the clip box opens it.
static gboolean
gives_way(const BgCaseState *state)
{
    const BgLayer *first;

    return common_range_mm(state->layers, &first) > 0.0 && !state->clip.enabled;
}

static void
add_meshes(BgVolumeScene *scene, const GPtrArray *layers)
{
    const BgLayer *first;
    double range_mm = common_range_mm(layers, &first);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->payload.mesh == NULL || !layer->visible)
            continue;
        BgCastMesh mesh = { .mesh = bg_mesh_ref(layer->payload.mesh),
                            .opacity = layer->opacity,
                            .visible = TRUE,
                            .clip = FALSE,
                            .range_mm = range_mm };
        memcpy(mesh.rgb, layer->mesh_rgb, sizeof mesh.rgb);
        g_array_append_val(scene->meshes, mesh);
    }
}

static void
add_preview(BgVolumeScene *scene, BgMesh *preview)
{
    if (preview == NULL)
        return;
    BgCastMesh mesh = {
        .mesh = bg_mesh_ref(preview), .rgb = { 0.29, 0.64, 0.87 }, .opacity = 0.35, .visible = TRUE
    };
    g_array_append_val(scene->meshes, mesh);
}

// The first visible label map on the volume's own grid colours it.
static void
add_labels(BgVolumeScene *scene, const GPtrArray *layers)
{
    for (guint i = layers->len; i > 0; i--) {
        const BgLayer *layer = layers->pdata[i - 1];
        if (layer->payload.labels == NULL || !layer->visible || layer->labels == NULL ||
            !bg_geometry_equal(bg_label_map_get_geometry(layer->payload.labels),
                               bg_volume_get_geometry(scene->volume), 0.01))
            continue;
        scene->params.labels = bg_label_map_ref(layer->payload.labels);
        scene->params.label_table = bg_label_table_ref(layer->labels);
        scene->params.label_weight = LABEL_WEIGHT * layer->opacity;
        return;
    }
}

BgVolumeScene *
bg_volume_scene_new(BgSession *session, int width, int height)
{
    const BgCaseState *state = bg_session_get_state(session);
    const BgLayer *layer = bg_session_get_volume(session);
    gboolean volume_shown =
        layer != NULL && layer->transfer_function != NULL && layer->visible && !gives_way(state);

    if (width < 1 || height < 1 || bg_session_get_geometry(session) == NULL)
        return NULL;

    BgVolumeScene *scene = g_new0(BgVolumeScene, 1);
    scene->meshes = g_array_new(FALSE, FALSE, sizeof(BgCastMesh));
    g_array_set_clear_func(scene->meshes, clear_mesh);
    scene->engine = g_settings_get_string(bg_settings_get(), "engine");
    bg_cast_params_init(&scene->params);
    add_meshes(scene, state->layers);
    add_preview(scene, bg_session_get_preview(session));
    if (volume_shown) {
        scene->volume = bg_volume_ref(layer->payload.volume);
        scene->params.tf = bg_transfer_function_ref(layer->transfer_function);
        if (bg_session_get_toggle(session, BG_TOGGLE_LABELS))
            add_labels(scene, state->layers);
    }
    if (scene->volume == NULL && scene->meshes->len == 0) {
        bg_volume_scene_free(scene);
        return NULL;
    }

    // The sphere is the volume's even when it is hidden, so that hiding it moves nothing.
    bg_cast_fit(layer != NULL ? layer->payload.volume : NULL,
                (const BgCastMesh *) (gpointer) scene->meshes->data,
                layer != NULL ? 0 : scene->meshes->len, &scene->centre_mm, &scene->radius_mm);
    scene->params.camera =
        bg_camera_from_view(&state->view, scene->centre_mm, scene->radius_mm, width, height);
    scene->params.meshes = (const BgCastMesh *) (gpointer) scene->meshes->data;
    scene->params.n_meshes = scene->meshes->len;
    scene->params.clip_box = state->clip.enabled;
    scene->params.clip_low = state->clip.low_mm;
    scene->params.clip_high = state->clip.high_mm;
    memcpy(scene->params.background_top, ground_top, sizeof ground_top);
    memcpy(scene->params.background_bottom, ground_bottom, sizeof ground_bottom);

    return scene;
}

void
bg_volume_scene_set_tf(BgVolumeScene *scene, BgTransferFunction *tf)
{
    g_clear_pointer(&scene->params.tf, bg_transfer_function_unref);
    scene->params.tf = bg_transfer_function_ref(tf);
}

void
bg_volume_picture_free(BgVolumePicture *picture)
{
    g_clear_pointer(&picture->image, bg_cast_image_free);
    g_free(picture);
}

// One for the program, made at the first wish, used under its lock. NULL without OpenGL 3.3.
static BgGlCaster *
gl_caster(void)
{
    static gsize once;
    static BgGlCaster *caster;

    if (g_once_init_enter(&once)) {
        g_autoptr(GError) error = NULL;
        caster = bg_gl_caster_new(&error);
        if (caster == NULL)
            g_info("3D pictures by the CPU: %s", error->message);
        g_once_init_leave(&once, 1);
    }

    return caster;
}

static BgCastImage *
draw_by_card(const BgVolumeScene *scene, GCancellable *cancellable)
{
    static GMutex lock; // one picture at a time
    g_autoptr(GError) error = NULL;

    if (g_str_equal(scene->engine, "cpu"))
        return NULL;

    BgGlCaster *caster = gl_caster();
    if (caster == NULL || (g_str_equal(scene->engine, "auto") && bg_gl_caster_is_software(caster)))
        return NULL;

    g_mutex_lock(&lock);
    BgCastImage *image =
        bg_gl_caster_cast(caster, scene->volume, &scene->params, cancellable, &error);
    g_mutex_unlock(&lock);
    if (image == NULL)
        g_info("the graphics card did not draw, the CPU does: %s", error->message);

    return image;
}

BgVolumePicture *
bg_volume_scene_draw(const BgVolumeScene *scene, GCancellable *cancellable, GError **error)
{
    gint64 start_us = g_get_monotonic_time();
    BgCastImage *image = draw_by_card(scene, cancellable);
    const char *engine = "GL";

    if (image == NULL) {
        engine = "CPU";
        image = bg_cast(scene->volume, &scene->params, NULL, cancellable, error);
    }
    if (image == NULL)
        return NULL;

    BgVolumePicture *picture = g_new0(BgVolumePicture, 1);
    picture->image = image;
    picture->engine = engine;
    picture->centre_mm = scene->centre_mm;
    picture->seconds = (double) (g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
    return picture;
}

gboolean
bg_clip_box(BgSession *session, BgVec3 *low_mm, BgVec3 *high_mm)
{
    const BgClip *clip = &bg_session_get_state(session)->clip;
    const BgGeometry *geometry = bg_session_get_geometry(session);

    if (geometry == NULL)
        return FALSE;

    *low_mm = clip->low_mm;
    *high_mm = clip->high_mm;
    if (!(high_mm->x > low_mm->x && high_mm->y > low_mm->y && high_mm->z > low_mm->z))
        bg_geometry_bounds_mm(geometry, low_mm, high_mm);

    return TRUE;
}

BgVec3
bg_clip_handle(BgVec3 low_mm, BgVec3 high_mm, int face)
{
    BgVec3 middle = bg_vec3_scale(bg_vec3_add(low_mm, high_mm), 0.5);
    int axis = face / 2;

    bg_vec3_set(&middle, axis, bg_vec3_get(face % 2 == 0 ? low_mm : high_mm, axis));
    return middle;
}

static void
add_clip(BgSession *session, const BgCamera *camera, double scale, GArray *marks)
{
    BgVec3 ends[2];

    if (!bg_session_get_state(session)->clip.enabled || !bg_clip_box(session, &ends[0], &ends[1]))
        return;

    // The twelve edges: from each corner along each axis that is low there.
    for (int corner = 0; corner < 8; corner++) {
        for (int axis = 0; axis < 3; axis++) {
            if (corner & (1 << axis))
                continue;
            BgVec3 from =
                bg_vec3(ends[corner & 1].x, ends[(corner >> 1) & 1].y, ends[(corner >> 2) & 1].z);
            BgVec3 to = from;
            bg_vec3_set(&to, axis, bg_vec3_get(ends[1], axis));
            BgMark mark = { .kind = BG_MARK_LINE,
                            .size = scale,
                            .rgba = { 0.64f, 0.66f, 0.68f, 0.6f } };
            double depth;
            if (!bg_camera_project(camera, from, &mark.x, &mark.y, &depth) ||
                !bg_camera_project(camera, to, &mark.to_x, &mark.to_y, &depth))
                continue;
            g_array_append_val(marks, mark);
        }
    }
    for (int face = 0; face < 6; face++) {
        BgMark mark = { .kind = BG_MARK_DIAMOND,
                        .size = HANDLE_PX * scale,
                        .rgba = { 0.29f, 0.64f, 0.87f, 1.0f } };
        double depth;
        if (bg_camera_project(camera, bg_clip_handle(ends[0], ends[1], face), &mark.x, &mark.y,
                              &depth))
            g_array_append_val(marks, mark);
    }
}

static void
add_measurements(BgSession *session, const BgCamera *camera, double scale, gboolean on_screen,
                 GArray *marks)
{
    const GPtrArray *list = bg_session_get_state(session)->measurements;
    const char *selected = on_screen ? bg_session_get_selected_measurement(session) : NULL;

    for (guint i = 0; i < list->len; i++) {
        const BgMeasurement *measurement = list->pdata[i];
        BgAnnotateMeasure mark = { .n_points = bg_measurement_count_points(measurement->kind),
                                   .scale = scale,
                                   .calibrated = bg_slice_lengths_known(session) };
        gboolean seen = TRUE;
        for (int p = 0; p < mark.n_points; p++) {
            double depth;
            mark.points_mm[p] = measurement->points_mm[p];
            seen = seen && bg_camera_project(camera, measurement->points_mm[p], &mark.points[p].x,
                                             &mark.points[p].y, &depth);
        }
        mark.selected = selected != NULL && g_str_equal(selected, measurement->id);
        if (seen)
            bg_annotate_measure(&mark, marks);
    }
}

GArray *
bg_volume_marks(BgSession *session, const BgCamera *camera, BgVec3 centre_mm, const char *engine,
                double scale, gboolean with_handles)
{
    const BgLayer *layer = bg_session_get_volume(session);
    GArray *marks = bg_annotations_new();
    BgAnnotateView params;

    if (with_handles)
        add_clip(session, camera, scale, marks);
    // A ruler in perspective would look wrong: only shown in parallel projection.
    if (camera->parallel)
        add_measurements(session, camera, scale, with_handles, marks);

    bg_annotate_view_init(&params, camera, centre_mm);
    params.scale = scale;
    params.engine = engine;
    params.side_known = bg_slice_sides_known(session);
    params.calibrated = bg_slice_lengths_known(session);
    if (bg_session_get_toggle(session, BG_TOGGLE_ANNOTATIONS)) {
        params.title = _("3D");
        params.note = _("Not for diagnosis");
        if (layer != NULL && layer->transfer_function != NULL)
            params.preset = bg_transfer_function_get_data(layer->transfer_function)->name;
    }
    const BgLayer *map;
    g_autofree char *to = NULL;
    params.distance_range_mm = common_range_mm(bg_session_get_state(session)->layers, &map);
    if (map != NULL)
        params.distance_to = to = bg_distance_job_to(map);
    const char *const badges[] = { _("Volume left out: clip it to see both"), NULL };
    if (gives_way(bg_session_get_state(session)) && layer != NULL && layer->visible &&
        layer->transfer_function != NULL)
        params.badges = badges;
    bg_annotate_view(&params, marks);

    return marks;
}
