// SPDX-License-Identifier: Apache-2.0
// Commands about points, registrations, cameras and plans; and where registrations put the layers.
#include "bg-case-private.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_CHAIN 64

static BgCommand *
refuse(const char *reason, GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, reason);
    return NULL;
}

// The items of these lists begin with their id. They are sorted by it, so that an undone removal gives
// the same state. Returns: whether it is there; @index is where it is or belongs.
static gboolean
find_item(const GPtrArray *items, const char *id, guint *index)
{
    for (*index = 0; *index < items->len; (*index)++) {
        const char *const *item = g_ptr_array_index(items, *index);
        int order = strcmp(*item, id);
        if (order >= 0)
            return order == 0;
    }
    return FALSE;
}

static gconstpointer
get_item(const GPtrArray *items, const char *id)
{
    guint index;

    return id != NULL && find_item(items, id, &index) ? g_ptr_array_index(items, index) : NULL;
}

// @item: (transfer full) (nullable): takes the place of what is there; %NULL removes it.
static void
put_item(GPtrArray *items, const char *id, gpointer item)
{
    guint index;
    g_autofree char *key = g_strdup(id); // may be the old item's own

    if (find_item(items, key, &index))
        g_ptr_array_remove_index(items, index);
    if (item != NULL)
        g_ptr_array_insert(items, (int) index, item);
}

static BgCommand *
apply_set_landmarks(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    g_autoptr(GVariant) variant = NULL;
    g_autoptr(BgLandmarkList) list = NULL;
    g_variant_get(args, "(&sm@" BG_VARIANT_LANDMARKS ")", &id, &variant);

    if (variant != NULL) {
        list = bg_landmark_list_from_variant(variant, NULL);
        if (list == NULL || !g_str_equal(list->id, id))
            return refuse(_("The points cannot be taken: two have the same name, one has none, or "
                            "a place is no number. Name each point once"),
                          error);
    }

    const BgLandmarkList *old = get_item(self->state.landmarks, id);
    BgCommand *inverse =
        old != NULL ? bg_command_set_landmarks(old) : bg_command_remove_landmarks(id);
    put_item(self->state.landmarks, id, g_steal_pointer(&list));
    return inverse;
}

static const BgRegistration *
registration_of(const BgCaseState *state, const char *moving)
{
    for (guint i = 0; i < state->registrations->len; i++) {
        const BgRegistration *item = g_ptr_array_index(state->registrations, i);
        if (g_str_equal(item->moving, moving))
            return item;
    }
    return NULL;
}

static gboolean
check_registration(const BgCaseState *state, const BgRegistration *item, GError **error)
{
    const BgRegistration *other = registration_of(state, item->moving);
    const char *at = item->fixed;

    if (other != NULL && !g_str_equal(other->id, item->id)) {
        refuse(_("This layer is registered already. Change that registration, or remove it"),
               error);
        return FALSE;
    }
    for (int n = 0; at != NULL && n < MAX_CHAIN; n++) {
        if (g_str_equal(at, item->moving)) {
            refuse(_("A layer cannot be registered to itself, also not by way of others. Choose "
                     "another fixed layer"),
                   error);
            return FALSE;
        }
        other = registration_of(state, at);
        at = other != NULL && !g_str_equal(other->id, item->id) ? other->fixed : NULL;
    }
    return TRUE;
}

// Returns: (transfer full) (nullable): the item; older journals have one without words
static GVariant *
take_args(GVariant *args, const char **id)
{
    g_autoptr(GVariant) maybe = g_variant_get_child_value(args, 1);

    g_variant_get_child(args, 0, "&s", id);
    return g_variant_get_maybe(maybe);
}

static BgCommand *
apply_set_registration(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    g_autoptr(GVariant) variant = NULL;
    g_autoptr(BgRegistration) item = NULL;
    variant = take_args(args, &id);

    if (variant != NULL) {
        item = bg_registration_from_variant(variant, NULL);
        if (item == NULL || !g_str_equal(item->id, id))
            return refuse(_("The registration cannot be taken: its numbers are no placement, or it "
                            "mirrors left and right. Register again"),
                          error);
        if (!check_registration(&self->state, item, error))
            return NULL;
    }

    const BgRegistration *old = get_item(self->state.registrations, id);
    BgCommand *inverse =
        old != NULL ? bg_command_set_registration(old) : bg_command_remove_registration(id);
    put_item(self->state.registrations, id, g_steal_pointer(&item));
    bg_case_place_layers(self);
    return inverse;
}

static BgCommand *
apply_set_camera(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    g_autoptr(GVariant) variant = NULL;
    g_autoptr(BgPhotoCamera) camera = NULL;
    variant = take_args(args, &id);

    if (variant != NULL) {
        camera = bg_photo_camera_from_variant(variant, NULL);
        if (camera == NULL || !g_str_equal(camera->id, id))
            return refuse(_("The camera cannot be taken: its numbers are no camera. Register the "
                            "photograph again"),
                          error);
        const BgPhotoCamera *other = bg_case_get_camera(self, camera->layer_id);
        if (other != NULL && !g_str_equal(other->id, id))
            return refuse(_("This photograph has a camera already. Change that one, or remove it"),
                          error);
    }

    const BgPhotoCamera *old = get_item(self->state.cameras, id);
    BgCommand *inverse = old != NULL ? bg_command_set_camera(old) : bg_command_remove_camera(id);
    put_item(self->state.cameras, id, g_steal_pointer(&camera));
    return inverse;
}

static BgCommand *
apply_set_plan(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    g_autoptr(GVariant) variant = NULL;
    g_autoptr(BgCasePlan) plan = NULL;
    g_variant_get(args, "(&sm@" BG_VARIANT_PLAN ")", &id, &variant);

    if (variant != NULL) {
        plan = bg_case_plan_from_variant(variant, NULL);
        if (plan == NULL || !g_str_equal(plan->id, id))
            return refuse(_("The plan cannot be taken: it does not say what is measured, or its "
                            "numbers are no prism. Plan again"),
                          error);
    }

    const BgCasePlan *old = get_item(self->state.plans, id);
    BgCommand *inverse = old != NULL ? bg_command_set_plan(old) : bg_command_remove_plan(id);
    put_item(self->state.plans, id, g_steal_pointer(&plan));
    return inverse;
}

const BgCasePlan *
bg_case_get_plan(BgCase *self, const char *id)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return get_item(self->state.plans, id);
}

const BgLandmarkList *
bg_case_get_landmarks(BgCase *self, const char *id)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return get_item(self->state.landmarks, id);
}

const BgRegistration *
bg_case_get_registration(BgCase *self, const char *layer_id)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return layer_id != NULL ? registration_of(&self->state, layer_id) : NULL;
}

const BgPhotoCamera *
bg_case_get_camera(BgCase *self, const char *layer_id)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    for (guint i = 0; layer_id != NULL && i < self->state.cameras->len; i++) {
        const BgPhotoCamera *camera = g_ptr_array_index(self->state.cameras, i);
        if (g_str_equal(camera->layer_id, layer_id))
            return camera;
    }
    return NULL;
}

// The layer's own registration, or that of a layer whose frame of reference it shares. What was computed
// here lies where its source lay.
static const BgRegistration *
registration_that_moves(BgCase *self, const BgLayer *layer)
{
    const BgRegistration *own = registration_of(&self->state, layer->id);

    if (own != NULL || *layer->frame_of_reference == '\0' || *layer->generated_by != '\0')
        return own;
    for (guint i = 0; i < self->state.registrations->len; i++) {
        const BgRegistration *item = g_ptr_array_index(self->state.registrations, i);
        const BgLayer *moving = bg_case_get_layer(self, item->moving);
        if (moving != NULL && g_str_equal(moving->frame_of_reference, layer->frame_of_reference) &&
            !g_str_equal(item->fixed, layer->id))
            return item;
    }
    return NULL;
}

BgAffine
bg_case_get_placement(BgCase *self, const char *layer_id)
{
    BgAffine placement = bg_affine_identity();
    const BgLayer *layer;

    g_return_val_if_fail(BG_IS_CASE(self), placement);

    layer = bg_case_get_layer(self, layer_id);
    for (int n = 0; layer != NULL && n < MAX_CHAIN; n++) {
        const BgRegistration *item = registration_that_moves(self, layer);
        if (item == NULL)
            break;
        placement = bg_affine_multiply(&item->fixed_from_moving, &placement);
        layer = bg_case_get_layer(self, item->fixed);
    }
    return placement;
}

const BgCommandKind bg_alignment_command_kinds[] = {
    { "set-landmarks", N_("Landmarks"), "(sm" BG_VARIANT_LANDMARKS ")", 1, BG_COMMAND_SETTING,
      apply_set_landmarks },
    { "set-registration", N_("Registration"), "(sm" BG_VARIANT_REGISTRATION ")", 1,
      BG_COMMAND_SETTING | BG_COMMAND_ROWS, apply_set_registration,
      "(sm" BG_VARIANT_OLD_REGISTRATION ")" },
    { "set-camera", N_("Camera"), "(sm" BG_VARIANT_CAMERA ")", 1, BG_COMMAND_SETTING,
      apply_set_camera, "(sm" BG_VARIANT_OLD_CAMERA ")" },
    { "set-plan", N_("Plan"), "(sm" BG_VARIANT_PLAN ")", 1, BG_COMMAND_SETTING, apply_set_plan },
    { NULL },
};
