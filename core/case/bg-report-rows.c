// SPDX-License-Identifier: Apache-2.0
#include "bg-report-rows-private.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-i18n.h"

static const char *
name_of(BgCase *the_case, const char *layer_id)
{
    const BgLayer *layer = bg_case_get_layer(the_case, layer_id);

    return layer != NULL ? layer->name : "";
}

static GPtrArray *
new_rows(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
}

static void
take_row(GPtrArray *rows, char *a, char *b, const char *c, char *d)
{
    char **row = g_new0(char *, 5);

    row[0] = a;
    row[1] = b;
    row[2] = g_strdup(c);
    row[3] = d;
    g_ptr_array_add(rows, row);
}

// px: a file of the case does not say how far voxels are apart, and it lies there.
static const char *
unit_of(const BgCaseState *state, const BgMeasurement *measurement)
{
    for (guint i = 0; i < state->layers->len; i++) {
        const BgLayer *layer = state->layers->pdata[i];
        if (layer->spacing_unknown &&
            (*measurement->layer_id == '\0' || g_str_equal(measurement->layer_id, layer->id)))
            return "px";
    }
    return "mm";
}

GPtrArray *
bg_report_measurements(BgCase *the_case)
{
    const BgCaseState *state = bg_case_get_state(the_case);
    GPtrArray *rows = new_rows();

    for (guint m = 0; m < state->measurements->len; m++) {
        const BgMeasurement *measurement = state->measurements->pdata[m];
        char *value = measurement->kind == BG_MEASURE_RULER
                          ? g_strdup_printf("%.1f %s", bg_measurement_length_mm(measurement),
                                            unit_of(state, measurement))
                          : g_strdup_printf("%.1f°", bg_measurement_angle_deg(measurement));
        take_row(rows, g_strdup(measurement->name), value, name_of(the_case, measurement->layer_id),
                 bg_format_position(measurement->points_mm[0]));
    }
    return rows;
}

static void
take_point(GPtrArray *rows, BgCase *the_case, const BgLandmarkList *list, const BgLandmark *point)
{
    gboolean in_patient = bg_landmarks_get_space(list->points) == BG_LANDMARK_PATIENT;
    BgAffine placement = bg_case_get_placement(the_case, list->layer_id);
    BgVec3 at = point->position;

    take_row(rows, g_strdup(point->name), g_strdup(list->name), name_of(the_case, list->layer_id),
             in_patient ? bg_format_position(bg_affine_apply(&placement, at))
                        // Translators: a place in a picture, in pixels
                        : g_strdup_printf(_("right %.1f, down %.1f px"), at.x, at.y));
}

GPtrArray *
bg_report_points(BgCase *the_case)
{
    const GPtrArray *lists = bg_case_get_state(the_case)->landmarks;
    GPtrArray *rows = new_rows();

    for (guint l = 0; l < lists->len; l++) {
        const BgLandmarkList *list = lists->pdata[l];
        for (gsize p = 0; p < bg_landmarks_count(list->points); p++) {
            const BgLandmark *point = bg_landmarks_get(list->points, p);
            if (point->placed)
                take_point(rows, the_case, list, point);
        }
    }
    return rows;
}

static char *
tell_approval(const BgApproval *approval)
{
    return *approval->by != '\0'
               // Translators: who approved something, and when
               ? g_strdup_printf(_("approved by %s, %s"), approval->by, approval->at)
               : g_strdup(_("nobody has approved it"));
}

static char *
tell_error(const BgRegistration *one)
{
    if (one->error_mm < 0.0)
        return g_strdup("–");
    if (one->check_mm < 0.0)
        // Translators: an error at the points of a fit
        return g_strdup_printf(_("%.2f mm at the points of the fit, which is no accuracy"),
                               one->error_mm);
    // Translators: errors at the points of a fit, and at points that were left out of it
    return g_strdup_printf(_("%.2f mm at the points of the fit, which is no accuracy; %.2f mm at "
                             "points left out of it"),
                           one->error_mm, one->check_mm);
}

static const char *
photo_target(BgCase *the_case, const BgPhotoCamera *camera)
{
    const BgLandmarkList *list = bg_case_get_landmarks(the_case, camera->patient_points);
    const char *name = list != NULL ? name_of(the_case, list->layer_id) : "";

    return *name != '\0' ? name : _("the patient");
}

GPtrArray *
bg_report_registrations(BgCase *the_case)
{
    const BgCaseState *state = bg_case_get_state(the_case);
    GPtrArray *rows = new_rows();

    for (guint r = 0; r < state->registrations->len; r++) {
        const BgRegistration *one = state->registrations->pdata[r];
        g_autofree char *error = tell_error(one);
        // Translators: names of two layers: what is moved, and onto what
        take_row(rows,
                 g_strdup_printf(_("%s onto %s"), name_of(the_case, one->moving),
                                 name_of(the_case, one->fixed)),
                 g_strdup_printf("%s, %s", one->method, one->model), error,
                 tell_approval(&one->approval));
    }
    for (guint c = 0; c < state->cameras->len; c++) {
        const BgPhotoCamera *camera = state->cameras->pdata[c];
        g_autofree char *error =
            camera->error_px >= 0.0
                // Translators: an error at the points of a fit, in pixels of a photograph
                ? g_strdup_printf(_("%.2f px at the points of the fit, which is no accuracy"),
                                  camera->error_px)
                : g_strdup("–");
        take_row(rows,
                 g_strdup_printf(_("%s onto %s"), name_of(the_case, camera->layer_id),
                                 photo_target(the_case, camera)),
                 // Translators: how a photograph's camera was found
                 g_strdup_printf(_("camera, %s"), camera->method), error,
                 tell_approval(&camera->approval));
    }
    return rows;
}
