// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-slice-scene.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-i18n.h"
#include "ui/model/bg-points.h"
#include "ui/view/bg-error-marks.h"

typedef struct {
    BgMesh *mesh;
    double rgb[3];
} SceneMesh;

struct _BgSliceScene {
    BgSliceFrame frame;
    GArray *layers; // of BgSliceLayer; volumes, labels and tables are owned here
    GArray *meshes; // of SceneMesh, owned
};

static void
clear_layer(gpointer data)
{
    BgSliceLayer *layer = data;

    g_clear_pointer(&layer->volume, bg_volume_unref);
    g_clear_pointer(&layer->labels, bg_label_map_unref);
    g_clear_pointer(&layer->table, bg_label_table_unref);
}

static void
clear_mesh(gpointer data)
{
    bg_mesh_unref(((SceneMesh *) data)->mesh);
}

void
bg_slice_scene_free(BgSliceScene *scene)
{
    g_array_unref(scene->layers);
    g_array_unref(scene->meshes);
    g_free(scene);
}

const BgSliceFrame *
bg_slice_scene_get_frame(const BgSliceScene *scene)
{
    return &scene->frame;
}

gboolean
bg_slice_pane_of(BgSession *session, BgPlane plane, int width, int height, BgSlicePane *pane)
{
    const BgCaseState *state = bg_session_get_state(session);
    const BgGeometry *geometry = bg_session_get_geometry(session);
    BgVec3 u, v;

    if (geometry == NULL || width < 1 || height < 1)
        return FALSE;

    const BgPaneState *shown = &state->panes[plane];
    double zoom = shown->zoom > 0.0 ? shown->zoom : 1.0;
    pane->plane = plane;
    pane->convention =
        state->radiological ? BG_CONVENTION_RADIOLOGICAL : BG_CONVENTION_NEUROLOGICAL;
    bg_plane_axes(plane, pane->convention, &u, &v);
    pane->centre_mm = bg_vec3_along(bg_geometry_centre_mm(geometry), -shown->pan_mm[0], u);
    pane->centre_mm = bg_vec3_along(pane->centre_mm, -shown->pan_mm[1], v);
    pane->through_mm = state->cursor_mm;
    pane->spacing_mm = bg_slice_fit_spacing_mm(geometry, plane, width, height) / zoom;
    pane->width = width;
    pane->height = height;

    return TRUE;
}

static void
add_volume(BgSliceScene *scene, const BgLayer *layer, gboolean lowest)
{
    BgSliceLayer flat = bg_slice_layer_for_volume(bg_volume_ref(layer->payload.volume),
                                                  layer->window_centre, layer->window_width);
    BgColourMap map;

    if (bg_colour_map_parse(layer->colour_map, &map))
        flat.map = map;
    flat.sampling.interpolation =
        layer->linear ? BG_INTERPOLATION_LINEAR : BG_INTERPOLATION_NEAREST;
    flat.opacity = layer->opacity;
    flat.transparent_below = !lowest;
    g_array_append_val(scene->layers, flat);
}

static void
add_labels(BgSliceScene *scene, const BgLayer *layer)
{
    BgSliceLayer flat =
        bg_slice_layer_for_labels(bg_label_map_ref(layer->payload.labels),
                                  layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL);

    flat.fill_opacity = layer->label_fill;
    flat.outline_px = layer->label_outline;
    flat.opacity = layer->opacity;
    g_array_append_val(scene->layers, flat);
}

BgSliceScene *
bg_slice_scene_new_at(BgSession *session, const BgSliceFrame *frame)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    const BgLayer *base = bg_session_get_base(session);
    gboolean overlays = bg_session_get_toggle(session, BG_TOGGLE_OVERLAYS);
    gboolean labels = bg_session_get_toggle(session, BG_TOGGLE_LABELS);
    BgSliceScene *scene = g_new0(BgSliceScene, 1);

    scene->frame = *frame;
    scene->layers = g_array_new(FALSE, FALSE, sizeof(BgSliceLayer));
    scene->meshes = g_array_new(FALSE, FALSE, sizeof(SceneMesh));
    g_array_set_clear_func(scene->layers, clear_layer);
    g_array_set_clear_func(scene->meshes, clear_mesh);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->visible && layer->payload.volume != NULL && (layer == base || overlays))
            add_volume(scene, layer, layer == base);
    }
    // Labels and cuts always lie over the volumes, whatever the order in which files arrived.
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->visible && layer->payload.labels != NULL && labels)
            add_labels(scene, layer);
        else if (layer->visible && layer->payload.mesh != NULL && overlays) {
            SceneMesh mesh = { .mesh = bg_mesh_ref(layer->payload.mesh) };
            memcpy(mesh.rgb, layer->mesh_rgb, sizeof mesh.rgb);
            g_array_append_val(scene->meshes, mesh);
        }
    }

    return scene;
}

BgSliceScene *
bg_slice_scene_new(BgSession *session, BgPlane plane, int width, int height)
{
    BgSlicePane pane;

    if (!bg_slice_pane_of(session, plane, width, height, &pane))
        return NULL;
    const BgSliceFrame frame = bg_slice_frame_for_pane(&pane);
    return bg_slice_scene_new_at(session, &frame);
}

static void
mesh_lines_free(gpointer data)
{
    BgMeshLines *lines = data;

    bg_contours_free(lines->contours);
    g_free(lines);
}

void
bg_slice_picture_free(BgSlicePicture *picture)
{
    bg_buffer_free(picture->pixels);
    g_clear_pointer(&picture->contours, g_ptr_array_unref);
    g_free(picture);
}

BgSlicePicture *
bg_slice_scene_draw(const BgSliceScene *scene, GCancellable *cancellable, GError **error)
{
    gsize n = (gsize) scene->frame.width * (gsize) scene->frame.height;
    guint32 *pixels = bg_buffer_alloc_items(n, sizeof *pixels, error);

    if (pixels == NULL)
        return NULL;
    if (!bg_slice_compose(&scene->frame, (const BgSliceLayer *) (gpointer) scene->layers->data,
                          scene->layers->len, pixels, cancellable, error)) {
        bg_buffer_free(pixels);
        return NULL;
    }

    BgSlicePicture *picture = g_new0(BgSlicePicture, 1);
    picture->frame = scene->frame;
    picture->pixels = pixels;
    picture->contours = g_ptr_array_new_with_free_func(mesh_lines_free);
    for (guint i = 0; i < scene->meshes->len; i++) {
        const SceneMesh *mesh = &g_array_index(scene->meshes, SceneMesh, i);
        BgMeshLines *lines = g_new0(BgMeshLines, 1);
        lines->contours = bg_slice_mesh_contour(mesh->mesh, &scene->frame);
        memcpy(lines->rgb, mesh->rgb, sizeof lines->rgb);
        g_ptr_array_add(picture->contours, lines);
    }

    return picture;
}

static void
add_measurements(BgSession *session, const BgSliceFrame *frame, double scale, gboolean on_screen,
                 GArray *marks)
{
    const GPtrArray *list = bg_session_get_state(session)->measurements;
    const char *selected = on_screen ? bg_session_get_selected_measurement(session) : NULL;

    for (guint i = 0; i < list->len; i++) {
        const BgMeasurement *measurement = list->pdata[i];
        BgAnnotateMeasure mark = { .n_points = bg_measurement_count_points(measurement->kind),
                                   .scale = scale,
                                   .calibrated = bg_slice_lengths_known(session) };
        gboolean near = FALSE;

        for (int p = 0; p < mark.n_points; p++) {
            double away_mm = bg_slice_frame_project(frame, measurement->points_mm[p],
                                                    &mark.points[p].x, &mark.points[p].y);
            near = near || fabs(away_mm) < 1.0;
            mark.points_mm[p] = measurement->points_mm[p];
            mark.points[p].x += 0.5;
            mark.points[p].y += 0.5;
        }
        mark.selected = selected != NULL && g_str_equal(selected, measurement->id);
        if (near)
            bg_annotate_measure(&mark, marks);
    }
}

#define MAX_BADGE 64 // characters
#define MAX_OTHER_NAME 16

// A point is shown on its slice and, smaller in meaning, up to so far from it.
#define NEAR_MM 1.0

static void
add_points(BgSession *session, const BgSliceFrame *frame, double scale, gboolean on_screen,
           GArray *marks)
{
    const GPtrArray *lists = bg_session_get_state(session)->landmarks;
    gsize selected_index;
    const char *selected = bg_session_get_selected_point(session, &selected_index);

    for (guint i = 0; i < lists->len; i++) {
        const BgLandmarkList *list = g_ptr_array_index(lists, i);
        const BgLayer *layer = bg_case_get_layer(bg_session_get_case(session), list->layer_id);
        if (layer == NULL || !layer->visible)
            continue;
        for (gsize p = 0; p < bg_landmarks_count(list->points); p++) {
            const BgLandmark *point = bg_landmarks_get(list->points, p);
            BgAnnotateLandmark mark = { .number = (int) p + 1,
                                        .name = point->name,
                                        .check_only = point->use == BG_LANDMARK_CHECK,
                                        .scale = scale };
            BgVec3 at_mm;
            if (!bg_points_shown_at(session, list, p, &at_mm) ||
                fabs(bg_slice_frame_project(frame, at_mm, &mark.x, &mark.y)) > NEAR_MM)
                continue;
            mark.x += 0.5;
            mark.y += 0.5;
            mark.selected = on_screen && g_strcmp0(selected, list->id) == 0 && selected_index == p;
            bg_annotate_landmark(&mark, marks);
        }
    }
}

// The shown volume's value under the crosshair, and the name of the label there: (transfer full)
static char *
probe(BgSession *session, const BgLayer *layer)
{
    const BgCaseState *state = bg_session_get_state(session);
    GString *text = g_string_new(NULL);
    double value;

    if (layer != NULL && bg_volume_sample_linear(layer->payload.volume, state->cursor_mm, &value))
        g_string_append_printf(text, "%.*f%s%s", fabs(value) < 10.0 ? 2 : 0, value,
                               layer->unit[0] != '\0' ? " " : "", layer->unit);

    for (guint i = state->layers->len; i > 0; i--) {
        const BgLayer *labels = state->layers->pdata[i - 1];
        if (labels->payload.labels == NULL || !labels->visible)
            continue;
        guint32 label = bg_label_map_sample_nearest(labels->payload.labels, state->cursor_mm);
        const BgLabelEntry *entry =
            labels->labels != NULL ? bg_label_table_find(labels->labels, label) : NULL;
        if (label != 0)
            g_string_append_printf(text, "  %s", entry != NULL ? entry->name : "?");
        break;
    }

    return g_string_free(text, FALSE);
}

static const char *
plane_title(BgPlane plane)
{
    switch (plane) {
    case BG_PLANE_AXIAL:
        return _("AXIAL");
    case BG_PLANE_CORONAL:
        return _("CORONAL");
    case BG_PLANE_SAGITTAL:
        return _("SAGITTAL");
    }
    return "";
}

// The first warning of what the panes show, short enough to stand over a picture.
static char *
first_warning(const BgLayer *layer)
{
    if (layer == NULL || *layer->warnings == '\0')
        return NULL;
    g_auto(GStrv) lines = g_strsplit(layer->warnings, "\n", 2);
    if (g_utf8_strlen(lines[0], -1) <= MAX_BADGE)
        return g_strdup(lines[0]);
    g_autofree char *start = g_utf8_substring(lines[0], 0, MAX_BADGE);
    return g_strconcat(start, "…", NULL);
}

gboolean
bg_slice_sides_known(BgSession *session)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        if (layer->visible && layer->side_unknown)
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_slice_lengths_known(BgSession *session)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        if (layer->visible && layer->spacing_unknown)
            return FALSE;
    }
    return TRUE;
}

static GPtrArray *
badges(BgSession *session, const char *warning)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    GPtrArray *words = g_ptr_array_new();

    if (warning != NULL)
        g_ptr_array_add(words, (gpointer) warning);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->visible && layer->override_reason[0] != '\0') {
            g_ptr_array_add(words, (gpointer) _("TWO PATIENTS"));
            break;
        }
    }
    gboolean registered = FALSE, approved = TRUE;
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        const BgRegistration *item =
            bg_case_get_registration(bg_session_get_case(session), layer->id);
        if (!layer->visible || item == NULL || layer->kind == BG_KIND_IMAGE) // not in slices
            continue;
        registered = TRUE;
        approved = approved && *item->approval.by != '\0';
    }
    if (registered)
        g_ptr_array_add(words,
                        (gpointer) (approved ? _("REGISTERED") : _("REGISTERED, NOT APPROVED")));
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->visible && g_str_equal(layer->generated_by, "segment")) {
            g_ptr_array_add(words, (gpointer) _("SYNTHETIC: LABELS BY A NETWORK"));
            break;
        }
    }
    g_ptr_array_add(words, NULL);

    return words;
}

// Of the volume whose window the pointer changes, when it is seen but is not the shown one:
// (transfer full) (nullable)
static char *
other_window(BgSession *session, const BgLayer *shown)
{
    const BgLayer *layer = bg_session_get_volume(session);
    gboolean overlays = bg_session_get_toggle(session, BG_TOGGLE_OVERLAYS);

    if (layer == NULL || layer == shown || !layer->visible || !overlays)
        return NULL;
    g_autofree char *window = bg_format_window(layer->window_centre, layer->window_width);
    g_autofree char *name =
        g_utf8_substring(layer->name, 0, MIN(g_utf8_strlen(layer->name, -1), MAX_OTHER_NAME));
    return g_strdup_printf("%s  %s", name, window);
}

GArray *
bg_slice_marks(BgSession *session, BgPlane plane, const BgSliceFrame *frame, double scale,
               gboolean on_screen)
{
    const BgCaseState *state = bg_session_get_state(session);
    const BgGeometry *geometry = bg_session_get_slices(session);
    const BgLayer *layer = bg_session_get_covering(session);
    GArray *marks = bg_annotations_new();
    g_autofree char *window = NULL;
    g_autofree char *other = other_window(session, layer);
    g_autofree char *value = probe(session, layer);
    g_autofree char *warning = first_warning(layer);
    g_autoptr(GPtrArray) words = badges(session, warning);
    BgAnnotateSlice params;

    bg_error_marks_of_slice(session, frame, scale, marks);     // a veil lies under all else
    add_measurements(session, frame, scale, on_screen, marks); // under the texts
    add_points(session, frame, scale, on_screen, marks);

    bg_annotate_slice_init(&params, frame);
    params.scale = scale;
    params.convention =
        state->radiological ? BG_CONVENTION_RADIOLOGICAL : BG_CONVENTION_NEUROLOGICAL;
    params.plane = (int) plane;
    params.badges = (const char *const *) words->pdata;
    params.side_known = bg_slice_sides_known(session);
    params.calibrated = bg_slice_lengths_known(session);
    params.engine = "CPU";
    params.has_crosshair = bg_session_get_toggle(session, BG_TOGGLE_CROSSHAIR);
    params.crosshair_mm = state->cursor_mm;
    if (bg_session_get_toggle(session, BG_TOGGLE_ANNOTATIONS)) {
        params.title = plane_title(plane);
        if (layer != NULL) {
            params.series = layer->name;
            params.window = window = bg_format_window(layer->window_centre, layer->window_width);
        }
        params.other_window = other;
        params.value = value[0] != '\0' ? value : NULL;
        params.has_position = TRUE;
        params.position_mm = state->cursor_mm;
        params.interpolation = layer != NULL ? (layer->linear ? _("linear") : _("nearest")) : NULL;
        if (geometry != NULL) {
            params.slice = bg_slice_index_at(geometry, plane, state->cursor_mm);
            params.n_slices = geometry->dims[bg_slice_axis_for_plane(geometry, plane)];
        }
        params.note = _("Not for diagnosis");
    }
    bg_annotate_slice(&params, marks);

    return marks;
}
