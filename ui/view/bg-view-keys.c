// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-view-keys.h"

#include "core/base/bg-i18n.h"

typedef struct {
    const char *name;
    double centre, width;
} Preset;

// Hounsfield windows as radiology departments use them.
static const Preset ct_presets[] = {
    { NULL, 0.0, 0.0 },
    { N_("Brain"), 40.0, 80.0 },
    { N_("Subdural"), 75.0, 215.0 },
    { N_("Stroke"), 35.0, 40.0 },
    { N_("Bone"), 480.0, 2500.0 },
    { N_("Soft tissue"), 40.0, 400.0 },
    { N_("Lung"), -600.0, 1500.0 },
    { N_("Angiography"), 300.0, 600.0 },
    { N_("Liver"), 60.0, 160.0 },
    { N_("Temporal bone"), 700.0, 4000.0 },
};

// Others: parts of the transfer function's range, which spans the volume's values.
static const Preset share_presets[] = {
    { NULL, 0.0, 0.0 },
    { N_("Full range"), 0.5, 1.0 },
    { N_("Dark half"), 0.25, 0.5 },
    { N_("Bright half"), 0.75, 0.5 },
    { N_("Middle"), 0.5, 0.5 },
    { N_("High contrast"), 0.4, 0.3 },
};

static const Preset *
presets_of(const BgLayer *layer, int digit)
{
    if (layer == NULL)
        return NULL;
    if (g_str_equal(layer->modality, "CT"))
        return digit < (int) G_N_ELEMENTS(ct_presets) ? &ct_presets[digit] : NULL;

    return digit < (int) G_N_ELEMENTS(share_presets) ? &share_presets[digit] : NULL;
}

const char *
bg_view_keys_window_preset_name(BgSession *session, int digit)
{
    const Preset *preset = presets_of(bg_session_get_volume(session), digit);

    if (digit == 0)
        return _("Automatic");

    return preset != NULL ? _(preset->name) : NULL;
}

void
bg_view_keys_window_preset(BgSession *session, int digit)
{
    const BgLayer *layer = bg_session_get_volume(session);
    const Preset *preset = presets_of(layer, digit);
    double centre, width;

    if (preset == NULL)
        return;

    if (digit > 0 && g_str_equal(layer->modality, "CT")) {
        centre = preset->centre;
        width = preset->width;
    } else {
        double low, high;
        if (!bg_session_get_value_range(session, layer, &low, &high))
            return;
        centre = digit == 0 ? (low + high) / 2.0 : low + preset->centre * (high - low);
        width = digit == 0 ? high - low : preset->width * (high - low);
        if (digit == 0 && g_str_equal(layer->modality, "CT")) {
            centre = 40.0;
            width = 400.0;
        }
    }

    bg_session_do(session, bg_command_set_window(layer->id, centre, width));
}

double
bg_view_drag_factor(GdkModifierType state)
{
    if (state & GDK_SHIFT_MASK)
        return 0.1;

    return state & GDK_CONTROL_MASK ? 4.0 : 1.0;
}

static void
flip(BgSession *session, BgToggle toggle)
{
    bg_session_set_toggle(session, toggle, !bg_session_get_toggle(session, toggle));
}

static void
take_tool(BgSession *session, BgTool tool)
{
    bg_session_set_tool(session, bg_session_get_tool(session) == tool ? BG_TOOL_CROSSHAIR : tool);
}

gboolean
bg_view_keys_common(BgSession *session, guint keyval, GdkModifierType state)
{
    gboolean shift = (state & GDK_SHIFT_MASK) != 0;

    if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;

    switch (gdk_keyval_to_lower(keyval)) {
    case GDK_KEY_t:
        flip(session, BG_TOGGLE_OVERLAYS);
        return TRUE;
    case GDK_KEY_g:
        flip(session, BG_TOGGLE_LABELS);
        return TRUE;
    case GDK_KEY_x:
        flip(session, shift ? BG_TOGGLE_CROSSHAIR : BG_TOGGLE_ANNOTATIONS);
        return TRUE;
    case GDK_KEY_l:
        take_tool(session, BG_TOOL_RULER);
        return TRUE;
    case GDK_KEY_a:
        take_tool(session, BG_TOOL_ANGLE);
        return TRUE;
    case GDK_KEY_p:
        take_tool(session, BG_TOOL_POINT);
        return TRUE;
    case GDK_KEY_m:
        take_tool(session, BG_TOOL_MOVE);
        return TRUE;
    default:
        break;
    }

    if (keyval >= GDK_KEY_0 && keyval <= GDK_KEY_9) {
        bg_view_keys_window_preset(session, (int) (keyval - GDK_KEY_0));
        return TRUE;
    }

    return FALSE;
}
