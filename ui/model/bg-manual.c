// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-manual.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define RAD (G_PI / 180.0)

// The first other volume, in the order of the rows.
static const char *
any_other(BgSession *session, const BgLayer *moving)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        if (layer->payload.volume != NULL && !g_str_equal(layer->id, moving->id))
            return layer->id;
    }
    return NULL;
}

// The registration as it is, or a new one that moves nothing: (transfer full) (nullable)
static BgRegistration *
take_registration(BgSession *session, const char *fixed_id)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgLayer *moving = bg_session_get_volume(session);
    g_autoptr(GError) error = NULL;

    if (moving == NULL) {
        g_set_error_literal(&error, BG_ERROR, BG_ERROR_INVALID,
                            _("There is no volume to move: select one"));
        bg_session_fail(session, _("The volume is not moved"), error);
        return NULL;
    }
    const BgRegistration *old = bg_case_get_registration(bg_case, moving->id);
    if (old != NULL)
        return bg_registration_copy(old);
    if (fixed_id == NULL)
        fixed_id = any_other(session, moving);
    if (fixed_id == NULL) {
        g_set_error_literal(&error, BG_ERROR, BG_ERROR_INVALID,
                            _("There is no other volume that it could be moved against: open the "
                              "one that stays"));
        bg_session_fail(session, _("The volume is not moved"), error);
        return NULL;
    }
    g_autofree char *id = bg_case_new_id(bg_case, "registration");
    BgRegistration *item = bg_registration_new(id, moving->id, fixed_id);
    BgAffine of_fixed = bg_case_get_placement(bg_case, fixed_id), inverse;
    BgAffine of_moving = bg_case_get_placement(bg_case, moving->id);
    item->fixed_from_moving = bg_affine_invert(&of_fixed, &inverse)
                                  ? bg_affine_multiply(&inverse, &of_moving)
                                  : bg_affine_identity();
    bg_layer_set_string(&item->model, "rigid");
    return item;
}

// @item is what a hand has made now: no points stand behind it, and nobody has looked at it.
static gboolean
put(BgSession *session, BgRegistration *item)
{
    bg_layer_set_string(&item->method, "manual");
    bg_layer_set_string(&item->moving_points, "");
    bg_layer_set_string(&item->fixed_points, "");
    bg_layer_set_string(&item->words, "");
    item->error_mm = item->check_mm = -1.0;
    bg_approval_set(&item->approval, NULL);
    return bg_session_do(session, bg_command_set_registration(item));
}

// By @motion, which goes from places where things are shown to such places.
static gboolean
move(BgSession *session, const BgAffine *motion)
{
    g_autoptr(BgRegistration) item = take_registration(session, NULL);

    if (item == NULL)
        return FALSE;
    BgAffine of_fixed = bg_case_get_placement(bg_session_get_case(session), item->fixed), inverse;
    if (!bg_affine_invert(&of_fixed, &inverse))
        return FALSE;
    BgAffine shown = bg_affine_multiply(&of_fixed, &item->fixed_from_moving);
    shown = bg_affine_multiply(motion, &shown);
    item->fixed_from_moving = bg_affine_multiply(&inverse, &shown);
    return put(session, item);
}

static BgAffine
turn_about(BgVec3 axis, double angle)
{
    BgVec3 k = bg_vec3_normalize(axis), columns[3];

    for (int i = 0; i < 3; i++) {
        BgVec3 e = { i == 0, i == 1, i == 2 };
        columns[i] = bg_vec3_along(
            bg_vec3_along(bg_vec3_scale(e, cos(angle)), sin(angle), bg_vec3_cross(k, e)),
            (1.0 - cos(angle)) * bg_vec3_dot(k, e), k);
    }
    return bg_affine_from_columns(columns[0], columns[1], columns[2], bg_vec3(0.0, 0.0, 0.0));
}

gboolean
bg_manual_shift(BgSession *session, BgVec3 by_mm)
{
    BgAffine motion = bg_affine_from_columns(bg_vec3(1.0, 0.0, 0.0), bg_vec3(0.0, 1.0, 0.0),
                                             bg_vec3(0.0, 0.0, 1.0), by_mm);

    return move(session, &motion);
}

gboolean
bg_manual_turn(BgSession *session, BgVec3 centre_mm, BgVec3 axis, double angle_deg)
{
    BgAffine motion = turn_about(axis, angle_deg * RAD);
    BgVec3 stays = bg_vec3_sub(centre_mm, bg_affine_apply_vector(&motion, centre_mm));

    for (int i = 0; i < 3; i++)
        motion.m[i][3] = bg_vec3_get(stays, i);
    return move(session, &motion);
}

// The moving volume's middle where its file has it.
static gboolean
own_middle(BgSession *session, const BgLayer *layer, BgVec3 *middle)
{
    BgAffine placement = bg_case_get_placement(bg_session_get_case(session), layer->id), inverse;

    if (layer->payload.volume == NULL || !bg_affine_invert(&placement, &inverse))
        return FALSE;
    *middle = bg_affine_apply(&inverse,
                              bg_geometry_centre_mm(bg_volume_get_geometry(layer->payload.volume)));
    return TRUE;
}

static BgAffine
turns(const double turn_deg[3])
{
    BgAffine x = turn_about(bg_vec3(1.0, 0.0, 0.0), turn_deg[0] * RAD);
    BgAffine y = turn_about(bg_vec3(0.0, 1.0, 0.0), turn_deg[1] * RAD);
    BgAffine z = turn_about(bg_vec3(0.0, 0.0, 1.0), turn_deg[2] * RAD);
    BgAffine yz = bg_affine_multiply(&y, &z);

    return bg_affine_multiply(&x, &yz);
}

// The rotation nearest to the linear part, by Newton's iteration for the polar decomposition: R <- (R + R^-T) / 2.
static BgAffine
rotation_of(const BgAffine *a)
{
    BgAffine r = *a, inverse;

    r.m[0][3] = r.m[1][3] = r.m[2][3] = 0.0;
    for (int step = 0; step < 40 && bg_affine_invert(&r, &inverse); step++) {
        double change = 0.0;
        for (int i = 0; i < 9; i++) {
            double next = 0.5 * (r.m[i / 3][i % 3] + inverse.m[i % 3][i / 3]);
            change = fmax(change, fabs(next - r.m[i / 3][i % 3]));
            inverse.m[i % 3][i / 3] = next; // read already
        }
        for (int i = 0; i < 9; i++)
            r.m[i / 3][i % 3] = inverse.m[i % 3][i / 3];
        if (change < 1e-15)
            break;
    }
    return r;
}

// R = Rx Ry Rz
static void
angles_of(const BgAffine *r, double turn_deg[3])
{
    turn_deg[1] = asin(CLAMP(r->m[0][2], -1.0, 1.0)) / RAD;
    turn_deg[0] = atan2(-r->m[1][2], r->m[2][2]) / RAD;
    turn_deg[2] = atan2(-r->m[0][1], r->m[0][0]) / RAD;
}

gboolean
bg_manual_get(BgSession *session, BgManual *manual)
{
    const BgLayer *layer = bg_session_get_volume(session);
    const BgRegistration *item =
        layer != NULL ? bg_case_get_registration(bg_session_get_case(session), layer->id) : NULL;
    BgVec3 middle;

    memset(manual, 0, sizeof *manual);
    if (layer == NULL || !own_middle(session, layer, &middle))
        return FALSE;
    if (item == NULL)
        return TRUE;
    BgVec3 shift = bg_vec3_sub(bg_affine_apply(&item->fixed_from_moving, middle), middle);
    BgAffine r = rotation_of(&item->fixed_from_moving);
    for (int i = 0; i < 3; i++)
        manual->shift_mm[i] = bg_vec3_get(shift, i);
    angles_of(&r, manual->turn_deg);
    return TRUE;
}

gboolean
bg_manual_set(BgSession *session, const char *fixed_id, const BgManual *manual)
{
    g_autoptr(BgRegistration) item = take_registration(session, fixed_id);
    BgVec3 middle;
    BgAffine back;

    if (item == NULL || !own_middle(session, bg_session_get_volume(session), &middle))
        return FALSE;
    BgAffine old = rotation_of(&item->fixed_from_moving), now = turns(manual->turn_deg);
    if (!bg_affine_invert(&old, &back))
        return FALSE;
    BgAffine stretch = bg_affine_multiply(&back, &item->fixed_from_moving);
    BgAffine whole = bg_affine_multiply(&now, &stretch);
    whole.m[0][3] = whole.m[1][3] = whole.m[2][3] = 0.0;
    BgVec3 to = bg_affine_apply(&whole, middle);
    for (int i = 0; i < 3; i++)
        whole.m[i][3] = bg_vec3_get(middle, i) + manual->shift_mm[i] - bg_vec3_get(to, i);
    item->fixed_from_moving = whole;
    return put(session, item);
}
