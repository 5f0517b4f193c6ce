// SPDX-License-Identifier: Apache-2.0
#include "bg-project.h"

#include "bg-load-private.h"
#include "bg-provenance.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define FORMAT "bregma-case"
#define STATE "/state"
#define THUMBNAIL "/thumbnail"

// A computed result to be embedded.
typedef struct {
    BgPayload payload; // empty when it has to be fetched from @place
    BgContentPlace place;
    GPtrArray *edits; // nullable: to do to what is fetched
} Content;

struct _BgProjectSave {
    char *path;
    GVariant *state;
    char *provenance;
    GPtrArray *contents; // of Content
    BgImage *thumbnail;  // nullable
    guint64 revision;
};

static void
free_content(gpointer data)
{
    Content *content = data;

    bg_payload_clear(&content->payload);
    bg_content_place_clear(&content->place);
    g_clear_pointer(&content->edits, g_ptr_array_unref);
    g_free(content);
}

// @path as it is told from @folder, both absolute; "" on another volume of the file system's tree.
static char *
relative_path(const char *folder, const char *path)
{
    g_auto(GStrv) from = g_strsplit(folder, G_DIR_SEPARATOR_S, -1);
    g_auto(GStrv) to = g_strsplit(path, G_DIR_SEPARATOR_S, -1);
    GString *result = g_string_new(NULL);
    guint same = 0;

    while (from[same] != NULL && to[same] != NULL && g_str_equal(from[same], to[same]))
        same++;
    for (guint i = same; from[i] != NULL; i++) {
        if (*from[i] != '\0')
            g_string_append(result, "../");
    }
    for (guint i = same; to[i] != NULL; i++)
        g_string_append_printf(result, "%s%s", i > same ? "/" : "", to[i]);
    return g_string_free(result, FALSE);
}

static void
set_relative_paths(BgCase *the_case, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    for (guint i = 0; i < the_case->state.layers->len; i++) {
        BgLayer *layer = g_ptr_array_index(the_case->state.layers, i);
        if (*layer->source.path == '\0')
            continue;
        g_free(layer->source.relative_path);
        layer->source.relative_path = relative_path(folder, layer->source.path);
    }
}

static char *
describe(BgCase *the_case)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new("save-case");

    for (guint i = 0; i < the_case->state.layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(the_case->state.layers, i);
        if (*layer->source.path != '\0')
            bg_provenance_add_input(provenance, layer->source.path, layer->source.sha256);
    }
    return bg_provenance_print(provenance);
}

static void
collect_contents(BgProjectSave *self, BgCase *the_case)
{
    for (guint i = 0; i < the_case->state.layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(the_case->state.layers, i);
        if (*layer->blob_id == '\0')
            continue;
        Content *content = g_new0(Content, 1);
        bg_payload_copy(bg_case_get_content(the_case, layer->id), &content->payload);
        content->edits = bg_case_copy_edits(the_case, layer->id);
        bg_content_place_init(&content->place, the_case, layer);
        g_ptr_array_add(self->contents, content);
    }
}

BgProjectSave *
bg_project_save_new(BgCase *the_case, const char *path, BgImage *thumbnail)
{
    g_return_val_if_fail(BG_IS_CASE(the_case) && path != NULL, NULL);

    BgProjectSave *self = g_new0(BgProjectSave, 1);
    self->path = g_canonicalize_filename(path, NULL);
    self->contents = g_ptr_array_new_with_free_func(free_content);
    self->thumbnail = thumbnail != NULL ? bg_image_ref(thumbnail) : NULL;
    self->revision = the_case->revision;
    set_relative_paths(the_case, self->path);
    self->state = bg_case_to_variant(the_case);
    self->provenance = describe(the_case);
    collect_contents(self, the_case);
    return self;
}

void
bg_project_save_free(BgProjectSave *save)
{
    if (save == NULL)
        return;
    g_free(save->path);
    g_variant_unref(save->state);
    g_free(save->provenance);
    g_ptr_array_unref(save->contents);
    g_clear_pointer(&save->thumbnail, bg_image_unref);
    g_free(save);
}

static gboolean
write_content(BgH5 *h5, Content *content, const BgProgress *progress, GCancellable *cancellable,
              GError **error)
{
    const BgContentPlace *place = &content->place;
    g_autofree char *group = g_strconcat(BG_PROJECT_BLOBS "/", place->blob_id, NULL);

    if (!bg_blob_id_ok(place->blob_id) || bg_h5_has(h5, group))
        return TRUE; // a copied layer shares its content
    if (bg_payload_is_empty(&content->payload)) {
        g_autoptr(GError) reason = NULL;
        if (!bg_content_read_blob(place, &content->payload, NULL, cancellable, &reason)) {
            // What is lost already is no reason not to save the rest.
            if (g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&reason));
            return FALSE;
        }
        // Saved before the corrections that a crash left were done again.
        BgPayload read = content->payload;
        gboolean done = bg_edits_apply(content->edits, &read, &content->payload, error);
        bg_payload_clear(&read);
        if (!done) {
            content->payload = (BgPayload){ 0 };
            return FALSE;
        }
    }
    return bg_blob_write(h5, group, &content->payload, progress, cancellable, error);
}

static gboolean
write_contents(BgProjectSave *self, BgH5 *h5, const BgProgress *progress, GCancellable *cancellable,
               GError **error)
{
    double n = self->contents->len;

    for (guint i = 0; i < self->contents->len; i++) {
        BgProgressSpan span;
        const BgProgress *part = bg_progress_span_init(&span, progress, i / n, (i + 1) / n);
        if (!write_content(h5, g_ptr_array_index(self->contents, i), part, cancellable, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_project_save_run(BgProjectSave *save, const BgProgress *progress, GCancellable *cancellable,
                    GError **error)
{
    g_return_val_if_fail(save != NULL, FALSE);

    g_autofree char *text = g_variant_print(save->state, TRUE);
    g_autoptr(BgH5) h5 = bg_h5_create(save->path, TRUE, error);
    BgPayload thumbnail = { .image = save->thumbnail };

    return h5 != NULL && bg_h5_set_string(h5, "/", "format", FORMAT, error) &&
           bg_h5_set_integer(h5, "/", "schema", BG_PROJECT_SCHEMA, error) &&
           bg_h5_set_string(h5, "/", "version", BG_VERSION, error) &&
           bg_h5_set_string(h5, "/", "provenance", save->provenance, error) &&
           bg_h5_write_text(h5, STATE, text, error) &&
           (save->thumbnail == NULL ||
            bg_blob_write(h5, THUMBNAIL, &thumbnail, NULL, cancellable, error)) &&
           write_contents(save, h5, progress, cancellable, error) && bg_h5_commit_sealed(h5, error);
}

void
bg_project_save_finish(BgProjectSave *save, BgCase *the_case)
{
    g_return_if_fail(save != NULL && BG_IS_CASE(the_case));

    bg_case_set_project_path(the_case, save->path);
    the_case->saved_revision = save->revision;
    bg_case_write_snapshot(the_case);
    bg_case_tell_history(the_case);
}

gboolean
bg_project_save(BgCase *the_case, const char *path, BgImage *thumbnail, GError **error)
{
    g_return_val_if_fail(BG_IS_CASE(the_case) && path != NULL, FALSE);

    g_autoptr(BgProjectSave) save = bg_project_save_new(the_case, path, thumbnail);
    if (!bg_project_save_run(save, NULL, NULL, error))
        return FALSE;
    bg_project_save_finish(save, the_case);
    return TRUE;
}

static gboolean
check_schema(BgH5 *h5, GError **error)
{
    gint64 schema;
    g_autofree char *format = NULL;

    if (bg_h5_has_attribute(h5, "/", "format"))
        format = bg_h5_get_string(h5, "/", "format", error);
    else
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("It is no case of bregma. Open it as a picture or volume"));
    if (format == NULL)
        return FALSE;
    if (!g_str_equal(format, FORMAT))
        return bg_variant_refuse("format", error);
    if (!bg_h5_get_integer(h5, "/", "schema", &schema, error))
        return FALSE;
    if (schema < 1)
        return bg_variant_refuse("schema", error);
    if (schema > BG_PROJECT_SCHEMA) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("It was saved by a newer bregma (schema %" G_GINT64_FORMAT
                      "). Update bregma to open it"),
                    schema);
        return FALSE;
    }
    return TRUE;
}

// Reads with a state of its own, so that nothing is half taken over.
static gboolean
check_state(GVariant *state, GError **error)
{
    BgCaseState read;

    bg_case_state_init(&read);
    gboolean fits = bg_case_state_from_variant(&read, state, error);
    bg_case_state_clear(&read);
    return fits;
}

static GVariant *
read_state(BgH5 *h5, GError **error)
{
    g_autofree char *text = check_schema(h5, error) ? bg_h5_read_text(h5, STATE, error) : NULL;
    if (text == NULL)
        return NULL;

    g_autoptr(GError) reason = NULL;
    g_autoptr(GVariant) state = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &reason);
    if (state == NULL) {
        g_debug("the state of a project: %s", reason->message);
        bg_variant_refuse("state", error);
        return NULL;
    }
    if (!check_state(state, error))
        return NULL;
    return g_variant_take_ref(g_steal_pointer(&state));
}

GVariant *
bg_project_read(const char *path, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    g_autoptr(BgH5) h5 = bg_h5_open_sealed(path, NULL, error);
    if (h5 == NULL)
        return NULL;

    GVariant *state = read_state(h5, error);
    if (state == NULL) {
        g_autofree char *name = g_filename_display_basename(path);
        g_prefix_error(error, "%s: ", name);
    }
    return state;
}

gboolean
bg_project_apply(BgCase *the_case, const char *path, GVariant *state, GError **error)
{
    g_return_val_if_fail(BG_IS_CASE(the_case) && path != NULL && state != NULL, FALSE);

    g_autofree char *before = g_strdup(the_case->project_path);
    bg_case_set_project_path(the_case, path); // those who hear of the new state load from there
    if (bg_case_set_from_variant(the_case, state, error))
        return TRUE;
    bg_case_set_project_path(the_case, before);
    return FALSE;
}

gboolean
bg_project_open(BgCase *the_case, const char *path, GError **error)
{
    g_autoptr(GVariant) state = bg_project_read(path, error);

    return state != NULL && bg_project_apply(the_case, path, state, error);
}

gboolean
bg_project_is_one(const char *path)
{
    g_return_val_if_fail(path != NULL, FALSE);

    // Only cases are sealed. One that another program has written to has lost its seal: then its
    // name is all there is.
    return bg_h5_has_seal(path) || g_str_has_suffix(path, BG_PROJECT_SUFFIX);
}

BgImage *
bg_project_read_thumbnail(const char *path, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    BgPayload payload = { 0 };
    g_autoptr(BgH5) h5 = bg_h5_open_sealed(path, NULL, error);
    if (h5 == NULL)
        return NULL;
    if (!bg_h5_has(h5, THUMBNAIL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _("The case has no thumbnail"));
        return NULL;
    }
    if (!bg_blob_read(h5, THUMBNAIL, &payload, NULL, NULL, error))
        return NULL;
    if (payload.image == NULL) {
        bg_payload_clear(&payload);
        bg_variant_refuse("thumbnail", error);
        return NULL;
    }
    return payload.image;
}
