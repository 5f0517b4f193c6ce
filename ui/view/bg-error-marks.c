// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-error-marks.h"

#include "core/annotate/bg-annotations.h"
#include "ui/model/bg-expected-error.h"
#include "ui/model/bg-photo.h"

#define CELL_PX 8.0
#define N_LEVELS 8   // of the veil's opacity
#define FULL_AT 1.25 // of the bound: as dense as it gets
#define OPACITY 0.66
#define PHOTO_CELL_PX 12.0

// How dense the veil is where the error is @rms: 0 .. N_LEVELS
static int
level_of(double rms, double bound)
{
    if (rms <= bound)
        return 0;
    double share = (rms / bound - 1.0) / (FULL_AT - 1.0);
    return CLAMP((int) ceil(share * N_LEVELS), 1, N_LEVELS);
}

static void
add_veil(GArray *marks, const double box[4], int level)
{
    BgMark veil = { .kind = BG_MARK_VEIL,
                    .role = BG_MARK_ROLE_EXPECTED_ERROR,
                    .x = box[0],
                    .y = box[1],
                    .to_x = box[2],
                    .to_y = box[3],
                    .rgba = { 0.16f, 0.17f, 0.18f, (float) (OPACITY * level / N_LEVELS) } };

    if (level > 0)
        g_array_append_val(marks, veil);
}

typedef double (*RmsAt)(gpointer user_data, double x, double y);

// Cells of one level in a row become one mark.
static void
add_veils(GArray *marks, double width, double height, double cell, double bound, RmsAt rms_at,
          gpointer user_data)
{
    for (double y = 0.0; y < height; y += cell) {
        double from = 0.0;
        int level = 0;
        for (double x = 0.0; x < width; x += cell) {
            int here = level_of(rms_at(user_data, x + 0.5 * cell, y + 0.5 * cell), bound);
            if (here == level)
                continue;
            add_veil(marks, (const double[4]){ from, y, x, y + cell }, level);
            from = x;
            level = here;
        }
        add_veil(marks, (const double[4]){ from, y, width, y + cell }, level);
    }
}

typedef struct {
    BgSession *session;
    const BgSliceFrame *frame;
} Slice;

static double
slice_rms(gpointer user_data, double x, double y)
{
    const Slice *slice = user_data;

    return bg_expected_error_rms_at(slice->session,
                                    bg_slice_frame_point(slice->frame, x - 0.5, y - 0.5));
}

void
bg_error_marks_of_slice(BgSession *session, const BgSliceFrame *frame, double scale, GArray *marks)
{
    const BgErrorStatement *stated = bg_expected_error_get_statement(session);
    BgVec3 cursor_mm = bg_session_get_state(session)->cursor_mm;
    Slice slice = { session, frame };
    BgTargetError error;

    if (!bg_expected_error_at(session, cursor_mm, &error))
        return;
    if (stated->veil && stated->bound_mm > 0.0)
        add_veils(marks, frame->width, frame->height, CELL_PX * scale, stated->bound_mm, slice_rms,
                  &slice);

    BgErrorEllipse ellipse = bg_target_error_ellipse(&error, frame->u, frame->v);
    BgAnnotateError mark = { .major = ellipse.major_mm / frame->spacing_mm,
                             .minor = ellipse.minor_mm / frame->spacing_mm,
                             .angle_rad = ellipse.angle_rad,
                             .scale = scale };
    bg_slice_frame_project(frame, cursor_mm, &mark.x, &mark.y);
    mark.x += 0.5;
    mark.y += 0.5;
    bg_annotate_error(&mark, marks);
}

typedef struct {
    BgSession *session;
    const BgErrorPhoto *photo;
} Photo;

static double
photo_rms(gpointer user_data, double x, double y)
{
    const Photo *photo = user_data;
    BgPoseTargetError error;
    BgVec3 at_mm;

    return photo->photo->place(photo->photo->user_data, x, y, &at_mm) &&
                   bg_expected_error_of_photo_at(photo->session, at_mm, &error)
               ? error.rms_mm
               : 0.0;
}

void
bg_error_marks_of_photo(BgSession *session, const BgErrorPhoto *photo, gboolean veiled,
                        double scale, GArray *marks)
{
    const BgErrorStatement *stated = bg_expected_error_get_statement(session);
    const BgPhotoCamera *camera = bg_photo_get_camera(session);
    BgVec3 cursor_mm = bg_session_get_state(session)->cursor_mm;
    Photo place = { session, photo };
    BgPoseTargetError error;
    double u, v;

    if (camera == NULL || !bg_expected_error_of_photo_at(session, cursor_mm, &error))
        return;
    if (veiled && stated->veil && stated->bound_mm > 0.0)
        add_veils(marks, photo->width, photo->height, PHOTO_CELL_PX * scale, stated->bound_mm,
                  photo_rms, &place);
    if (!bg_photo_project(camera, cursor_mm, &u, &v))
        return;
    BgAnnotateError mark = { .x = photo->left + (u + 0.5) * photo->scale,
                             .y = photo->top + (v + 0.5) * photo->scale,
                             .major = error.major_px * photo->scale,
                             .minor = error.minor_px * photo->scale,
                             .angle_rad = error.angle_rad,
                             .scale = scale };
    bg_annotate_error(&mark, marks);
}
