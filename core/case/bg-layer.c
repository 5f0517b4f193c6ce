// SPDX-License-Identifier: Apache-2.0
#include "bg-layer.h"

#include "core/surface/bg-mesh-distance.h"

// BraTS codes: 1, 2, 4, and in later years 3; a table of its names fits when nothing else occurs.

void
bg_payload_copy(const BgPayload *from, BgPayload *to)
{
    *to = (BgPayload){
        from->volume != NULL ? bg_volume_ref(from->volume) : NULL,
        from->labels != NULL ? bg_label_map_ref(from->labels) : NULL,
        from->image != NULL ? bg_image_ref(from->image) : NULL,
        from->mesh != NULL ? bg_mesh_ref(from->mesh) : NULL,
    };
}

void
bg_payload_clear(BgPayload *payload)
{
    g_clear_pointer(&payload->volume, bg_volume_unref);
    g_clear_pointer(&payload->labels, bg_label_map_unref);
    g_clear_pointer(&payload->image, bg_image_unref);
    g_clear_pointer(&payload->mesh, bg_mesh_unref);
}

gboolean
bg_payload_is_empty(const BgPayload *payload)
{
    return payload->volume == NULL && payload->labels == NULL && payload->image == NULL &&
           payload->mesh == NULL;
}

static gsize
mesh_bytes(const BgMesh *mesh)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    gsize per_vertex =
        ((data->normals != NULL ? 6 : 3) + (data->distances_mm != NULL ? 1 : 0)) * sizeof(float);

    return data->n_vertices * per_vertex + data->n_triangles * 3 * sizeof(guint32);
}

gsize
bg_payload_n_bytes(const BgPayload *payload)
{
    return (payload->volume != NULL ? bg_volume_get_n_bytes(payload->volume) : 0) +
           (payload->labels != NULL ? bg_label_map_get_n_bytes(payload->labels) : 0) +
           (payload->image != NULL ? bg_image_get_n_bytes(payload->image) : 0) +
           (payload->mesh != NULL ? mesh_bytes(payload->mesh) : 0);
}

BgLayer *
bg_layer_new(BgKind kind, const char *name)
{
    BgLayer *self = g_new0(BgLayer, 1);

    self->kind = kind;
    self->visible = TRUE;
    self->opacity = 1.0;
    self->window_centre = 0.5;
    self->window_width = 1.0;
    self->label_fill = 0.4; // look.md: labels are filled to 40 % under an outline of 1.5 px
    self->label_outline = 1.5;
    self->mesh_rgb[0] = self->mesh_rgb[1] = self->mesh_rgb[2] = 0.8;
    self->linear = TRUE;
    self->n_frames = 1;
    self->source.component = -1;
    self->status = BG_LAYER_LOADING;

    bg_layer_set_string(&self->name, name);
    bg_layer_set_string(&self->colour_map, "grey");
    char **empty[] = { &self->id,
                       &self->modality,
                       &self->unit,
                       &self->source.path,
                       &self->source.relative_path,
                       &self->source.sha256,
                       &self->source.series,
                       &self->generated_by,
                       &self->parameters,
                       &self->blob_id,
                       &self->frame_of_reference,
                       &self->override_reason,
                       &self->warnings,
                       &self->status_text };
    for (gsize i = 0; i < G_N_ELEMENTS(empty); i++)
        *empty[i] = g_strdup("");
    bg_patient_init(&self->patient);
    return self;
}

void
bg_layer_free(BgLayer *layer)
{
    if (layer == NULL)
        return;
    g_free(layer->id);
    g_free(layer->name);
    g_free(layer->modality);
    g_free(layer->unit);
    g_free(layer->colour_map);
    g_clear_pointer(&layer->transfer_function, bg_transfer_function_unref);
    g_clear_pointer(&layer->labels, bg_label_table_unref);
    g_free(layer->source.path);
    g_free(layer->source.relative_path);
    g_free(layer->source.sha256);
    g_free(layer->source.series);
    g_free(layer->generated_by);
    g_free(layer->parameters);
    g_free(layer->blob_id);
    g_free(layer->frame_of_reference);
    bg_patient_clear(&layer->patient);
    g_free(layer->override_reason);
    g_free(layer->warnings);
    g_free(layer->status_text);
    bg_payload_clear(&layer->payload);
    g_free(layer);
}

// The table for the labels that occur, and the window that shows their numbers.
static void
describe_labels(BgLayer *self, const BgLabelMap *map)
{
    g_autoptr(GArray) counts = bg_label_map_count(map);
    g_autofree guint32 *labels = g_new(guint32, counts->len + 1);

    for (guint i = 0; i < counts->len; i++)
        labels[i] = g_array_index(counts, BgLabelCount, i).label;

    guint32 largest = counts->len > 0 ? labels[counts->len - 1] : 0;
    self->labels =
        bg_label_table_new_default(labels, counts->len, bg_labels_are_brats(labels, counts->len));
    self->window_centre = largest / 2.0;
    self->window_width = MAX(largest, 1.0);
    self->linear = FALSE;
}

// Temperatures: all of them in colours that keep apart whatever a fusion does to the brightness.
static void
describe_values(BgLayer *self, const BgImage *image)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n = (gsize) format->width * (gsize) format->height, step = (gsize) format->n_channels;
    const float *values = bg_image_get_pixels(image);
    double low = INFINITY, high = -INFINITY;

    if (format->type != BG_PIXEL_FLOAT32 || step > 2)
        return;
    for (gsize i = 0; i < n; i++) {
        double value = (double) values[i * step];
        if (!isfinite(value) || (step == 2 && values[i * step + 1] <= 0.0f))
            continue;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    if (!(high > low))
        return;
    self->window_centre = 0.5 * (low + high);
    self->window_width = high - low;
    bg_layer_set_string(&self->colour_map, "viridis");
}

static BgKind
kind_of_loaded(const BgLoaded *loaded)
{
    return loaded->volume != NULL   ? BG_KIND_VOLUME
           : loaded->labels != NULL ? BG_KIND_LABELS
           : loaded->image != NULL  ? BG_KIND_IMAGE
                                    : BG_KIND_MESH;
}

// "ch2.nii.gz" is "ch2".
static char *
name_of_path(const char *path)
{
    static const char *const suffixes[] = { ".gz",  ".nii", ".nrrd", ".nhdr", ".mha", ".mhd",
                                            ".hdr", ".img", ".h5",   ".png",  ".stl", ".ply" };
    char *name = g_filename_display_basename(path);

    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *lower = g_ascii_strdown(name, -1);
        gsize length = strlen(name), cut = strlen(suffixes[i]);
        if (length > cut && g_str_has_suffix(lower, suffixes[i]))
            name[length - cut] = '\0';
    }
    return name;
}

void
bg_layer_take_doubts(BgLayer *layer, const BgFileInfo *info)
{
    GString *text = g_string_new(NULL);

    layer->side_unknown = info->has_geometry && !info->side_known;
    layer->spacing_unknown = info->has_geometry && info->spacing_unknown;
    for (guint i = 0; i < info->warnings->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "",
                               (const char *) g_ptr_array_index(info->warnings, i));
    bg_layer_set_string(&layer->warnings, text->str);
    g_string_free(text, TRUE);
}

BgLayer *
bg_layer_new_for_loaded(const BgLoaded *loaded, const char *path, const BgLoadParams *params)
{
    g_return_val_if_fail(loaded != NULL && path != NULL, NULL);

    BgLoadParams how = params != NULL ? *params : bg_load_params_default();
    const BgFileInfo *info = loaded->info;
    g_autofree char *name = name_of_path(path);
    BgLayer *self = bg_layer_new(kind_of_loaded(loaded), name);
    BgMeshSpread spread;

    bg_layer_set_string(&self->modality, info->modality);
    bg_layer_set_string(&self->unit, info->unit);
    bg_layer_set_string(&self->frame_of_reference, info->frame_of_reference);
    bg_layer_set_string(&self->patient.name, info->patient_name);
    bg_layer_set_string(&self->patient.id, info->patient_id);
    bg_layer_set_string(&self->patient.birth_date, info->patient_birth_date);
    bg_layer_set_string(&self->patient.sex, info->patient_sex);
    g_free(self->source.path);
    self->source.path = g_canonicalize_filename(path, NULL);
    self->source.frame = self->frame = how.frame;
    self->source.component = how.component;
    self->source.part = how.part;
    bg_layer_set_string(&self->source.series, how.series);
    // What was decided once stays so when the case is opened again.
    self->source.as = loaded->labels != NULL   ? BG_LOAD_LABELS
                      : loaded->volume != NULL ? BG_LOAD_VOLUME
                                               : how.as;
    self->n_frames = MAX(info->n_frames, 1);
    bg_layer_take_doubts(self, info);
    if (loaded->labels != NULL)
        describe_labels(self, loaded->labels);
    if (loaded->image != NULL && info->unit != NULL && *info->unit != '\0')
        describe_values(self, loaded->image);
    if (loaded->volume != NULL && info->low_is_bright)
        bg_layer_set_string(&self->colour_map, "inverted");
    if (loaded->volume != NULL && info->window[1] > 0.0) {
        self->window_centre = info->window[0];
        self->window_width = info->window[1];
    } else if (loaded->volume != NULL) {
        bg_io_default_window(loaded->volume, info->modality, &self->window_centre,
                             &self->window_width);
    }
    if (loaded->mesh != NULL && bg_mesh_spread(loaded->mesh, &spread, NULL)) {
        self->window_centre = 0.0; // half of the width is where the colours of distances end
        self->window_width = 2.0 * bg_mesh_spread_range_mm(&spread);
    }
    return self;
}

BgLayer *
bg_layer_new_generated(BgKind kind, const char *name, const BgLayer *from, const char *operation,
                       const char *parameters)
{
    BgLayer *self = bg_layer_new(kind, name);

    g_free(self->blob_id);
    self->blob_id = g_uuid_string_random();
    bg_layer_set_string(&self->generated_by, operation);
    bg_layer_set_string(&self->parameters, parameters);
    if (from != NULL) {
        bg_layer_set_string(&self->modality, from->modality);
        bg_layer_set_string(&self->unit, from->unit);
        bg_layer_set_string(&self->frame_of_reference, from->frame_of_reference);
        bg_patient_copy(&from->patient, &self->patient);
    }
    return self;
}
