// SPDX-License-Identifier: Apache-2.0
// The contents of layers: kept while the layer is there or undo could bring it back.
#include "bg-case-private.h"

#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

static void
free_slot(gpointer data)
{
    BgSlot *slot = data;

    bg_payload_clear(&slot->payload);
    bg_payload_clear(&slot->placed);
    g_free(slot->status_text);
    g_free(slot->blob_id);
    g_clear_pointer(&slot->edits, g_ptr_array_unref);
    g_clear_pointer(&slot->spare, bg_label_map_unref);
    g_free(slot);
}

static BgSlot *
get_slot(BgCase *self, const char *id)
{
    BgSlot *slot = g_hash_table_lookup(self->slots, id);

    if (slot == NULL) {
        slot = g_new0(BgSlot, 1);
        slot->placement = bg_affine_identity();
        slot->status_text = g_strdup("");
        slot->blob_id = g_strdup("");
        g_hash_table_insert(self->slots, g_strdup(id), slot);
    }
    return slot;
}

// The same content where @placement puts it; empty for a picture, and where that cannot be.
static BgPayload
place_payload(const BgPayload *from, const BgAffine *placement)
{
    BgPayload placed = { 0 };

    if (from->volume != NULL) {
        BgGeometry geometry = *bg_volume_get_geometry(from->volume);
        geometry.patient_from_voxel = bg_affine_multiply(placement, &geometry.patient_from_voxel);
        placed.volume = bg_volume_new_at(from->volume, &geometry, NULL);
    } else if (from->labels != NULL) {
        BgGeometry geometry = *bg_label_map_get_geometry(from->labels);
        geometry.patient_from_voxel = bg_affine_multiply(placement, &geometry.patient_from_voxel);
        placed.labels = bg_label_map_new_at(from->labels, &geometry, NULL);
    } else if (from->mesh != NULL) {
        placed.mesh = bg_mesh_transform(from->mesh, placement, NULL);
    }
    return placed;
}

/*
 * What the user answered about distances and sides that the file does not tell, as an affine of the
 * file's space: P A P^-1, with A scaling or turning round the voxel axes.
 */
static BgAffine
answered(const BgLayer *layer, const BgPayload *content)
{
    BgAffine identity = bg_affine_identity(), change = identity, inverse;
    const BgGeometry *geometry = content->volume != NULL ? bg_volume_get_geometry(content->volume)
                                 : content->labels != NULL
                                     ? bg_label_map_get_geometry(content->labels)
                                     : NULL;

    if (geometry == NULL || !bg_affine_invert(&geometry->patient_from_voxel, &inverse))
        return identity;
    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);
    int across = 0; // the axis nearest to left-right
    for (int axis = 0; axis < 3; axis++) {
        double length_mm = bg_vec3_get(spacing_mm, axis),
               wanted_mm = layer->answer_spacing_mm[axis];
        if (wanted_mm > 0.0)
            change.m[axis][axis] = wanted_mm / length_mm;
        if (fabs(geometry->patient_from_voxel.m[0][axis]) / length_mm >
            fabs(geometry->patient_from_voxel.m[0][across]) / bg_vec3_get(spacing_mm, across))
            across = axis;
    }
    if (layer->answer_mirrored) {
        change.m[across][3] = (geometry->dims[across] - 1) * change.m[across][across];
        change.m[across][across] = -change.m[across][across];
    }
    if (bg_affine_max_difference(&change, &identity) == 0.0)
        return identity;
    change = bg_affine_multiply(&change, &inverse);
    return bg_affine_multiply(&geometry->patient_from_voxel, &change);
}

static const BgPayload *
content_in_place(BgCase *self, const BgLayer *layer, BgSlot *slot)
{
    BgAffine identity = bg_affine_identity(), placement = bg_case_get_placement(self, layer->id);
    BgAffine own = answered(layer, &slot->payload);

    placement = bg_affine_multiply(&placement, &own);

    if (bg_affine_max_difference(&placement, &slot->placement) > 0.0) {
        bg_payload_clear(&slot->placed);
        slot->placement = placement;
    }
    if (bg_affine_max_difference(&placement, &identity) == 0.0 || slot->payload.image != NULL)
        return &slot->payload;
    if (bg_payload_is_empty(&slot->placed) && !bg_payload_is_empty(&slot->payload))
        slot->placed = place_payload(&slot->payload, &placement);
    return &slot->placed;
}

// The layer shows what its slot says.
static void
show_slot(BgCase *self, BgLayer *layer, BgSlot *slot)
{
    BgPayload payload;

    bg_payload_copy(content_in_place(self, layer, slot), &payload);
    bg_payload_clear(&layer->payload);
    layer->payload = payload;
    layer->status = slot->status;
    bg_layer_set_string(&layer->status_text, slot->status_text);
}

const BgPayload *
bg_case_get_content(BgCase *self, const char *layer_id)
{
    return &get_slot(self, layer_id)->payload;
}

void
bg_case_place_layers(BgCase *self)
{
    for (guint i = 0; i < self->state.layers->len; i++) {
        BgLayer *layer = g_ptr_array_index(self->state.layers, i);
        show_slot(self, layer, get_slot(self, layer->id));
    }
}

void
bg_case_slots_init(BgCase *self)
{
    self->slots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_slot);
    self->undo_budget = (gsize) 512 << 20;
    self->edit_budget = (gsize) 64 << 20;
}

void
bg_case_slots_clear(BgCase *self)
{
    g_hash_table_remove_all(self->slots);
    self->detached_bytes = 0;
}

BgBlobStore *
bg_case_get_blobs(BgCase *self)
{
    if (self->blobs == NULL) {
        g_autofree char *name = g_uuid_string_random();
        g_autofree char *folder =
            g_build_filename(g_get_user_cache_dir(), "bregma", "undo", name, NULL);
        self->blobs = bg_blob_store_new(folder);
    }
    return self->blobs;
}

static void
put_blob(BgCase *self, const BgSlot *slot)
{
    if (*slot->blob_id != '\0' && !bg_payload_is_empty(&slot->payload))
        bg_blob_store_put(bg_case_get_blobs(self), slot->blob_id, &slot->payload);
}

void
bg_case_put_blobs(BgCase *self)
{
    GHashTableIter iter;
    gpointer slot;

    g_hash_table_iter_init(&iter, self->slots);
    while (g_hash_table_iter_next(&iter, NULL, &slot))
        put_blob(self, slot);
}

static BgSlot *
oldest_detached(BgCase *self)
{
    GHashTableIter iter;
    gpointer value;
    BgSlot *oldest = NULL;

    g_hash_table_iter_init(&iter, self->slots);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        BgSlot *slot = value;
        if (slot->detached_at != 0 && !bg_payload_is_empty(&slot->payload) &&
            (oldest == NULL || slot->detached_at < oldest->detached_at))
            oldest = slot;
    }
    return oldest;
}

static void
keep_budget(BgCase *self)
{
    while (self->detached_bytes > self->undo_budget) {
        BgSlot *slot = oldest_detached(self);

        g_assert(slot != NULL);
        put_blob(self, slot); // the store holds it until it is on the disk
        self->detached_bytes -= bg_payload_n_bytes(&slot->payload);
        bg_payload_clear(&slot->payload);
        bg_payload_clear(&slot->placed);
        slot->status = BG_LAYER_LOADING;
    }
}

void
bg_case_attach_layer(BgCase *self, BgLayer *layer)
{
    BgSlot *slot = get_slot(self, layer->id);

    if (slot->detached_at != 0)
        self->detached_bytes -= bg_payload_n_bytes(&slot->payload);
    slot->detached_at = 0;
    g_free(slot->blob_id);
    slot->blob_id = g_strdup(layer->blob_id);
    show_slot(self, layer, slot);
}

void
bg_case_detach_layer(BgCase *self, const BgLayer *layer)
{
    BgSlot *slot = get_slot(self, layer->id);

    slot->detached_at = ++self->next_detached;
    self->detached_bytes += bg_payload_n_bytes(&slot->payload);
    keep_budget(self);
}

void
bg_case_drop_content(BgCase *self, BgLayer *layer)
{
    BgSlot *slot = get_slot(self, layer->id);

    bg_payload_clear(&slot->payload);
    bg_payload_clear(&slot->placed);
    slot->status = BG_LAYER_LOADING;
    bg_layer_set_string(&slot->status_text, "");
    show_slot(self, layer, slot);
}

// Called as commands that add or remove a layer go into a pile or leave it.
void
bg_case_note_history(BgCase *self, const BgCommand *command, int change)
{
    if (!bg_command_is(command, "add-layer") && !bg_command_is(command, "remove-layer"))
        return;

    const char *id = bg_command_get_target(command);
    BgSlot *slot = get_slot(self, id);
    slot->n_history += (guint) change;
    if (slot->n_history > 0 || bg_case_find_layer(self, id, NULL, NULL) != NULL)
        return;
    if (slot->detached_at != 0)
        self->detached_bytes -= bg_payload_n_bytes(&slot->payload);
    if (self->blobs != NULL && *slot->blob_id != '\0')
        bg_blob_store_remove(self->blobs, slot->blob_id);
    g_hash_table_remove(self->slots, id);
}

typedef struct {
    GBytes *runs; // owned
    gboolean reverse;
} Edit;

static void
free_edit(gpointer data)
{
    g_bytes_unref(((Edit *) data)->runs);
    g_free(data);
}

static void
remember_edit(BgSlot *slot, const BgLabelEdit *edit)
{
    Edit *copy = g_new(Edit, 1);

    if (slot->edits == NULL)
        slot->edits = g_ptr_array_new_with_free_func(free_edit);
    copy->runs = g_bytes_ref(edit->runs);
    copy->reverse = edit->reverse;
    g_ptr_array_add(slot->edits, copy);
}

static BgLabelEdit
edit_at(const GPtrArray *edits, guint index)
{
    const Edit *edit = g_ptr_array_index(edits, index);

    return (BgLabelEdit){ .runs = edit->runs, .reverse = edit->reverse };
}

static gpointer
copy_edit(gconstpointer data, gpointer user_data)
{
    const Edit *edit = data;
    Edit *copy = g_new(Edit, 1);

    *copy = (Edit){ .runs = g_bytes_ref(edit->runs), .reverse = edit->reverse };
    return copy;
}

GPtrArray *
bg_case_copy_edits(BgCase *self, const char *layer_id)
{
    const BgSlot *slot = get_slot(self, layer_id);

    if (slot->edits == NULL)
        return NULL;
    GPtrArray *copy = g_ptr_array_copy(slot->edits, copy_edit, NULL);
    g_ptr_array_set_free_func(copy, free_edit);
    return copy;
}

gboolean
bg_edits_apply(const GPtrArray *edits, const BgPayload *payload, BgPayload *edited, GError **error)
{
    g_autoptr(BgLabelMap) map = NULL, spare = NULL;

    if (edits == NULL || payload->labels == NULL) {
        bg_payload_copy(payload, edited);
        return TRUE;
    }
    map = bg_label_map_ref(payload->labels);
    for (guint i = 0; i < edits->len; i++) {
        BgLabelEdit edit = edit_at(edits, i), behind = edit_at(edits, i > 0 ? i - 1 : 0);
        BgLabelMap *next = bg_label_map_new_edited(map, &edit, g_steal_pointer(&spare),
                                                   i > 0 ? &behind : NULL, error);
        if (next == NULL)
            return FALSE;
        spare = map;
        map = next;
    }
    *edited = (BgPayload){ .labels = g_steal_pointer(&map) };
    return TRUE;
}

gboolean
bg_case_edit_content(BgCase *self, BgLayer *layer, const BgLabelEdit *edit, GError **error)
{
    BgSlot *slot = get_slot(self, layer->id);
    BgLabelMap *map = slot->payload.labels;

    if (map != NULL) {
        BgLabelEdit behind = { 0 };
        if (slot->edits != NULL && slot->edits->len > 0)
            behind = edit_at(slot->edits, slot->edits->len - 1);
        BgLabelMap *edited = bg_label_map_new_edited(map, edit, g_steal_pointer(&slot->spare),
                                                     behind.runs != NULL ? &behind : NULL, error);
        if (edited == NULL)
            return FALSE;
        bg_payload_clear(&slot->placed);
        slot->payload.labels = edited;
        slot->spare = map;
    }
    remember_edit(slot, edit);
    show_slot(self, layer, slot);
    return TRUE;
}

GVariant *
bg_case_edits_to_variant(BgCase *self)
{
    GVariantBuilder list;
    gboolean any = FALSE;

    g_variant_builder_init(&list, G_VARIANT_TYPE(BG_VARIANT_EDITS));
    for (guint l = 0; l < self->state.layers->len; l++) {
        const BgLayer *layer = g_ptr_array_index(self->state.layers, l);
        const BgSlot *slot = get_slot(self, layer->id);
        for (guint i = 0; slot->edits != NULL && i < slot->edits->len; i++) {
            BgLabelEdit edit = edit_at(slot->edits, i);
            GVariant *runs = g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, edit.runs, TRUE);
            g_variant_builder_add(&list, "(sb@ay)", layer->id, edit.reverse, runs);
            any = TRUE;
        }
    }
    GVariant *all = g_variant_ref_sink(g_variant_builder_end(&list));
    if (!any)
        g_clear_pointer(&all, g_variant_unref);
    return all;
}

gboolean
bg_case_check_edits(const BgCaseState *state, GVariant *edits, GError **error)
{
    for (gsize i = 0; i < g_variant_n_children(edits); i++) {
        const char *id;
        gboolean found = FALSE;
        g_variant_get_child(edits, i, "(&sb@ay)", &id, NULL, NULL);
        for (guint l = 0; !found && l < state->layers->len; l++)
            found = g_str_equal(((const BgLayer *) g_ptr_array_index(state->layers, l))->id, id);
        if (!found)
            return bg_variant_refuse("edits", error);
    }
    return TRUE;
}

void
bg_case_take_edits(BgCase *self, GVariant *edits)
{
    for (gsize i = 0; i < g_variant_n_children(edits); i++) {
        const char *id;
        gboolean reverse;
        g_autoptr(GVariant) data = NULL;
        g_variant_get_child(edits, i, "(&sb@ay)", &id, &reverse, &data);
        g_autoptr(GBytes) runs = g_variant_get_data_as_bytes(data);
        const BgLabelEdit edit = { .runs = runs, .reverse = reverse };
        remember_edit(get_slot(self, id), &edit);
    }
}

static gboolean
is_of_kind(const BgPayload *payload, BgKind kind)
{
    return (kind == BG_KIND_VOLUME && payload->volume != NULL) ||
           (kind == BG_KIND_LABELS && payload->labels != NULL) ||
           (kind == BG_KIND_IMAGE && payload->image != NULL) ||
           (kind == BG_KIND_MESH && payload->mesh != NULL);
}

gboolean
bg_case_set_payload(BgCase *self, const char *layer_id, const BgPayload *payload, GError **error)
{
    g_return_val_if_fail(BG_IS_CASE(self) && layer_id != NULL && payload != NULL, FALSE);

    BgLayer *layer = bg_case_find_layer(self, layer_id, NULL, error);
    if (layer == NULL)
        return FALSE;
    if (!is_of_kind(payload, layer->kind)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The content of “%s” is of another kind than the case says. Locate the right "
                      "file"),
                    layer->name);
        return FALSE;
    }

    BgSlot *slot = get_slot(self, layer_id);
    BgPayload copy;
    if (!bg_edits_apply(slot->edits, payload, &copy, error))
        return FALSE;
    g_clear_pointer(&slot->spare, bg_label_map_unref);
    bg_payload_clear(&slot->payload);
    bg_payload_clear(&slot->placed);
    slot->payload = copy;
    if (slot->status != BG_LAYER_CHANGED) { // that its file is another one stays true
        slot->status = BG_LAYER_OK;
        bg_layer_set_string(&slot->status_text, "");
    }
    if (self->journal != NULL)
        put_blob(self, slot);
    show_slot(self, layer, slot);
    bg_case_tell_layers(self);
    return TRUE;
}

gboolean
bg_case_set_loaded(BgCase *self, const char *layer_id, const BgLoaded *loaded, GError **error)
{
    // Borrowed for the call.
    BgPayload payload = { loaded->volume, loaded->labels, loaded->image, loaded->mesh };

    return bg_case_set_payload(self, layer_id, &payload, error);
}

void
bg_case_set_layer_status(BgCase *self, const char *layer_id, BgLayerStatus status, const char *text)
{
    g_return_if_fail(BG_IS_CASE(self));

    BgLayer *layer = bg_case_find_layer(self, layer_id, NULL, NULL);
    if (layer == NULL)
        return;
    BgSlot *slot = get_slot(self, layer_id);
    slot->status = status;
    bg_layer_set_string(&slot->status_text, text);
    show_slot(self, layer, slot);
    bg_case_tell_layers(self);
}

void
bg_case_set_source_hash(BgCase *self, const char *layer_id, const char *sha256)
{
    g_return_if_fail(BG_IS_CASE(self));

    BgLayer *layer = bg_case_find_layer(self, layer_id, NULL, NULL);
    if (layer != NULL)
        bg_layer_set_string(&layer->source.sha256, sha256);
}

void
bg_case_set_undo_budget(BgCase *self, gsize n_bytes)
{
    g_return_if_fail(BG_IS_CASE(self));

    self->undo_budget = n_bytes;
    keep_budget(self);
}

void
bg_case_set_edit_budget(BgCase *self, gsize n_bytes)
{
    g_return_if_fail(BG_IS_CASE(self));

    self->edit_budget = n_bytes;
}

gsize
bg_case_get_undo_bytes(BgCase *self)
{
    return self->detached_bytes;
}
