// SPDX-License-Identifier: Apache-2.0
#include "bg-load.h"

#include "bg-load-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"

struct _BgLoad {
    char *layer_id, *name;
    BgContentPlace place;
    BgPayload payload;
    char *found_path; // of the source, nullable
    GError *error;
};

char *
bg_source_find(const char *project_path, const BgLayerSource *source)
{
    if (project_path != NULL && *source->relative_path != '\0') {
        g_autofree char *folder = g_path_get_dirname(project_path);
        g_autofree char *path = g_canonicalize_filename(source->relative_path, folder);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&path);
    }
    return g_file_test(source->path, G_FILE_TEST_EXISTS) ? g_strdup(source->path) : NULL;
}

void
bg_content_place_init(BgContentPlace *place, BgCase *the_case, const BgLayer *layer)
{
    *place = (BgContentPlace){
        .source = { g_strdup(layer->source.path), g_strdup(layer->source.relative_path),
                    g_strdup(layer->source.sha256), g_strdup(layer->source.series),
                    layer->source.frame, layer->source.component, layer->source.as,
                    layer->source.part },
        .blob_id = g_strdup(layer->blob_id),
        .project_path = g_strdup(bg_case_get_project_path(the_case)),
        .blobs = the_case->blobs != NULL ? bg_blob_store_ref(the_case->blobs) : NULL,
    };
}

void
bg_content_place_clear(BgContentPlace *place)
{
    g_free(place->source.path);
    g_free(place->source.relative_path);
    g_free(place->source.sha256);
    g_free(place->source.series);
    g_free(place->blob_id);
    g_free(place->project_path);
    g_clear_pointer(&place->blobs, bg_blob_store_unref);
}

gboolean
bg_content_read_blob(const BgContentPlace *place, BgPayload *payload, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    if (place->blobs != NULL) {
        g_autoptr(GError) reason = NULL;
        if (bg_blob_store_get(place->blobs, place->blob_id, payload, progress, cancellable,
                              &reason))
            return TRUE;
        if (!g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return FALSE;
        }
    }

    g_autofree char *group = g_strconcat(BG_PROJECT_BLOBS "/", place->blob_id, NULL);
    if (place->project_path != NULL && bg_blob_id_ok(place->blob_id) &&
        g_file_test(place->project_path, G_FILE_TEST_EXISTS)) {
        g_autoptr(BgH5) h5 = bg_h5_open_sealed(place->project_path, cancellable, error);
        if (h5 == NULL)
            return FALSE;
        if (bg_h5_has(h5, group))
            return bg_blob_read(h5, group, payload, progress, cancellable, error);
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                _("The computed result is not there any more. Compute it again"));
    return FALSE;
}

BgLoad *
bg_load_new(BgCase *the_case, const char *layer_id)
{
    g_return_val_if_fail(BG_IS_CASE(the_case) && layer_id != NULL, NULL);

    const BgLayer *layer = bg_case_get_layer(the_case, layer_id);
    if (layer == NULL)
        return NULL;

    BgLoad *self = g_new0(BgLoad, 1);
    self->layer_id = g_strdup(layer_id);
    self->name = g_strdup(layer->name);
    bg_content_place_init(&self->place, the_case, layer);
    return self;
}

void
bg_load_free(BgLoad *load)
{
    if (load == NULL)
        return;
    g_free(load->layer_id);
    g_free(load->name);
    bg_content_place_clear(&load->place);
    bg_payload_clear(&load->payload);
    g_free(load->found_path);
    g_clear_error(&load->error);
    g_free(load);
}

const char *
bg_load_get_layer_id(const BgLoad *load)
{
    return load->layer_id;
}

static void
load_source(BgLoad *self, const BgProgress *progress, GCancellable *cancellable)
{
    const BgLayerSource *source = &self->place.source;
    BgLoadParams params = { source->frame, source->component, source->as };
    params.part = source->part;
    params.series = *source->series != '\0' ? source->series : NULL;

    self->found_path = bg_source_find(self->place.project_path, source);
    if (self->found_path == NULL) {
        g_autofree char *name = g_filename_display_name(source->path);
        g_set_error(&self->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    _("“%s” is not there any more. Locate it, or connect the disk it is on"), name);
        return;
    }

    g_autoptr(BgLoaded) loaded =
        bg_io_load(self->found_path, &params, progress, cancellable, &self->error);
    if (loaded == NULL)
        return;
    self->payload = (BgPayload){ g_steal_pointer(&loaded->volume), g_steal_pointer(&loaded->labels),
                                 g_steal_pointer(&loaded->image), g_steal_pointer(&loaded->mesh) };
}

void
bg_load_run(BgLoad *load, const BgProgress *progress, GCancellable *cancellable)
{
    g_return_if_fail(load != NULL && load->error == NULL && bg_payload_is_empty(&load->payload));

    if (*load->place.blob_id != '\0')
        bg_content_read_blob(&load->place, &load->payload, progress, cancellable, &load->error);
    else
        load_source(load, progress, cancellable);
}

static gboolean
is_current(const BgLoad *self, const BgLayer *layer)
{
    const BgLayerSource *then = &self->place.source, *now = &layer->source;

    return g_str_equal(self->place.blob_id, layer->blob_id) && g_str_equal(then->path, now->path) &&
           then->frame == now->frame && then->component == now->component && then->as == now->as &&
           g_str_equal(then->series, now->series);
}

gboolean
bg_load_finish(BgLoad *load, BgCase *the_case, GError **error)
{
    g_return_val_if_fail(load != NULL && BG_IS_CASE(the_case), FALSE);

    BgLayer *layer = bg_case_find_layer(the_case, load->layer_id, NULL, NULL);
    if (load->error != NULL) {
        gboolean cancelled = g_error_matches(load->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
        gboolean missing = g_error_matches(load->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
        if (layer != NULL && !cancelled && is_current(load, layer))
            bg_case_set_layer_status(the_case, load->layer_id,
                                     missing ? BG_LAYER_MISSING : BG_LAYER_FAILED,
                                     load->error->message);
        g_propagate_error(error, g_error_copy(load->error));
        return FALSE;
    }
    if (layer == NULL || !is_current(load, layer)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                    _("“%s” was removed, or became another file, while it was read"), load->name);
        return FALSE;
    }

    g_autoptr(GError) reason = NULL;
    if (!bg_case_set_payload(the_case, load->layer_id, &load->payload, &reason)) {
        bg_case_set_layer_status(the_case, load->layer_id, BG_LAYER_FAILED, reason->message);
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    // The project was moved together with its files.
    if (load->found_path != NULL && !g_str_equal(load->found_path, layer->source.path)) {
        g_free(layer->source.path);
        layer->source.path = g_strdup(load->found_path);
    }
    return TRUE;
}

void
bg_source_check_free(BgSourceCheck *check)
{
    if (check == NULL)
        return;
    g_free(check->layer_id);
    g_free(check->path);
    g_free(check->expected_sha256);
    g_free(check->found_sha256);
    g_free(check);
}

static void
free_check(gpointer check)
{
    bg_source_check_free(check);
}

GPtrArray *
bg_case_list_source_checks(BgCase *the_case)
{
    g_return_val_if_fail(BG_IS_CASE(the_case), NULL);

    GPtrArray *checks = g_ptr_array_new_with_free_func(free_check);
    const GPtrArray *layers = bg_case_get_state(the_case)->layers;
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        if (*layer->source.path == '\0')
            continue;
        BgSourceCheck *check = g_new0(BgSourceCheck, 1);
        check->layer_id = g_strdup(layer->id);
        check->path = g_strdup(layer->source.path);
        check->expected_sha256 = g_strdup(layer->source.sha256);
        g_ptr_array_add(checks, check);
    }
    return checks;
}

gboolean
bg_source_check_run(BgSourceCheck *check, const BgProgress *progress, GCancellable *cancellable,
                    GError **error)
{
    g_return_val_if_fail(check != NULL, FALSE);

    check->missing = !g_file_test(check->path, G_FILE_TEST_EXISTS);
    if (check->missing)
        return TRUE;
    g_free(check->found_sha256);
    check->found_sha256 = bg_hash_file(check->path, progress, cancellable, error);
    return check->found_sha256 != NULL;
}

void
bg_source_check_finish(const BgSourceCheck *check, BgCase *the_case)
{
    g_return_if_fail(check != NULL && BG_IS_CASE(the_case));

    const BgLayer *layer = bg_case_get_layer(the_case, check->layer_id);
    if (layer == NULL || !g_str_equal(layer->source.path, check->path))
        return;

    g_autofree char *name = g_filename_display_name(check->path);
    if (check->missing) {
        g_autofree char *text = g_strdup_printf(
            _("“%s” is not there any more. Locate it, or connect the disk it is on"), name);
        bg_case_set_layer_status(the_case, check->layer_id, BG_LAYER_MISSING, text);
    } else if (check->found_sha256 == NULL) {
        return; // it was not looked at
    } else if (*layer->source.sha256 == '\0') {
        bg_case_set_source_hash(the_case, check->layer_id, check->found_sha256);
    } else if (!g_str_equal(layer->source.sha256, check->found_sha256)) {
        g_autofree char *text = g_strdup_printf(
            _("“%s” is not the file that it was when the case was saved. Locate the right one"),
            name);
        bg_case_set_layer_status(the_case, check->layer_id, BG_LAYER_CHANGED, text);
    }
}
