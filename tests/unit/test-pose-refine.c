// SPDX-License-Identifier: Apache-2.0
// The whole way with the phantom's photographs: landmarks, pose, refinement, and targets that only check.
#include "core/base/bg-error.h"
#include "core/model/bg-distortion.h"
#include "core/phantom/bg-phantom-photo.h"
#include "core/phantom/bg-phantom.h"
#include "core/register/bg-pose-refine.h"
#include "core/surface/bg-label-surface.h"

#include <math.h>
#include <string.h>

#define SIZE 240 // voxels: 1 mm
#define CASES_A_HEAD 25

static BgCortex *first_head; // owned: of seed 1, which two tests take

static BgCortex *
make_cortex(guint64 seed)
{
    g_autoptr(GError) error = NULL;

    if (seed == 1 && first_head != NULL)
        return bg_cortex_ref(first_head);
    BgPhantomParams params = {
        .kind = BG_PHANTOM_HEAD, .size = SIZE, .seed = seed, .tumour = TRUE
    };
    BgLabelSurfaceParams surface = { .n_smooth_passes = BG_LABEL_SURFACE_PASSES, .normals = TRUE };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, &error);

    g_assert_no_error(error);
    g_autoptr(BgMesh) mesh =
        bg_label_surface(bg_phantom_find(phantom, "brain")->labels, &surface, NULL, NULL, &error);
    g_assert_no_error(error);
    BgCortex *cortex =
        bg_cortex_new(mesh, bg_phantom_find(phantom, "t1ce")->volume, 1.0, 1.5, NULL, &error);
    g_assert_no_error(error);
    if (seed == 1)
        first_head = bg_cortex_ref(cortex);
    return cortex;
}

// Mean distance at the targets' depth between where a camera and the true one show them.
static double
target_error_mm(const BgPhantomPhoto *photo, const BgCamera *camera)
{
    double sum = 0.0;
    int n = 0;

    for (gsize i = 0; i < bg_landmarks_count(photo->in_volume); i++) {
        const BgLandmark *target = bg_landmarks_get(photo->in_volume, i);
        double u, v, x, y, depth_mm;
        if (target->use != BG_LANDMARK_CHECK)
            continue;
        g_assert_true(bg_camera_project_lens(&photo->camera, target->position, &u, &v, &depth_mm));
        g_assert_true(bg_camera_project_lens(camera, target->position, &x, &y, &depth_mm));
        sum += hypot(u - x, v - y) * bg_camera_mm_per_pixel(&photo->camera, target->position);
        n++;
    }
    return sum / n;
}

typedef struct {
    double before_mm, after_mm;
    BgPoseRefined refined;
    GCancellable *stop; // nullable: cancelled at the first report
} Outcome;

static void
stop_at_once(double fraction, gpointer user_data)
{
    g_cancellable_cancel(user_data);
}

static void
run_case(BgCortex *cortex, guint64 seed, guint64 shot, gboolean mirrored, Outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) residuals = NULL;
    BgPhantomPhotoParams params = bg_phantom_photo_params(seed);
    BgPoseResult pose;

    params.shot = shot;
    params.thermal = FALSE;
    params.mirror_optical = mirrored;
    g_autoptr(BgPhantomPhoto) photo = bg_phantom_photo_new(&params, NULL, NULL, &error);
    g_assert_no_error(error);
    BgPoseParams pose_params = { .camera = photo->camera,
                                 .robust = TRUE,
                                 .mirrored = mirrored,
                                 .has_inside = TRUE,
                                 .inside_mm = { 0, 0, 26 } };
    pose_params.camera.camera_from_patient = bg_affine_identity();
    // The file of a mirrored photograph's camera is of the photograph as it is.
    if (mirrored)
        pose_params.camera = bg_pose_mirror_camera(&pose_params.camera);
    gboolean ok = bg_pose_from_landmarks(photo->in_volume, photo->in_optical, &pose_params, &pose,
                                         &residuals, &error);
    g_assert_no_error(error);
    g_assert_true(ok);

    g_autoptr(GArray) region = g_array_new(FALSE, FALSE, sizeof(double));
    for (gsize i = 0; i < bg_landmarks_count(photo->in_optical); i++) {
        const BgLandmark *seen = bg_landmarks_get(photo->in_optical, i);
        if (seen->use == BG_LANDMARK_FIT) {
            g_array_append_val(region, seen->position.x);
            g_array_append_val(region, seen->position.y);
        }
    }
    BgPoseRefineParams refine = { .cortex = cortex,
                                  .photograph = photo->optical,
                                  .start = &pose,
                                  .region = (const double *) (gpointer) region->data,
                                  .n_region = region->len / 2 };
    const BgProgress progress = { stop_at_once, outcome->stop };
    ok = bg_pose_refine(&refine, &outcome->refined, outcome->stop != NULL ? &progress : NULL,
                        outcome->stop, &error);
    if (outcome->stop != NULL) {
        g_assert_false(ok);
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
        return;
    }
    g_assert_no_error(error);
    g_assert_true(ok);
    outcome->before_mm = target_error_mm(photo, &pose.camera);
    outcome->after_mm = target_error_mm(photo, &outcome->refined.camera);
}

static void
test_phantom(void)
{
    gboolean is_long = g_getenv("BREGMA_TEST_LONG") != NULL;
    int n_cases = is_long ? 100 : 2, n_lower = 0, n_silent = 0, n_doubted = 0;
    double sum_before = 0.0, sum_after = 0.0, worst = 0.0;
    BgCortex *cortex = NULL;

    for (int k = 0; k < n_cases; k++) {
        guint64 seed = (guint64) (k / CASES_A_HEAD) + 1;
        Outcome o = { 0 };
        if (k % CASES_A_HEAD == 0) {
            g_clear_pointer(&cortex, bg_cortex_unref);
            cortex = make_cortex(seed);
        }
        run_case(cortex, seed, 100 + (guint64) k, FALSE, &o);
        g_test_message("case %d: %.3f -> %.3f mm, MI %.3f -> %.3f, moved %.2f px %.1f sigmas, "
                       "spread %.3f mm, %u evaluations%s%s",
                       k, o.before_mm, o.after_mm, o.refined.metric_before, o.refined.metric_after,
                       o.refined.moved_px, o.refined.moved_sigmas, o.refined.spread_mm,
                       o.refined.n_evaluations, o.refined.trusted ? "" : ": ", o.refined.doubt);
        n_lower += o.after_mm < o.before_mm ? 1 : 0;
        n_silent += o.after_mm > o.before_mm + 0.2 && o.refined.trusted ? 1 : 0;
        n_doubted += o.refined.trusted ? 0 : 1;
        sum_before += o.before_mm / n_cases;
        sum_after += (o.refined.trusted ? o.after_mm : o.before_mm) / n_cases;
        worst = MAX(worst, o.refined.trusted ? o.after_mm : o.before_mm);
    }
    g_clear_pointer(&cortex, bg_cortex_unref);
    g_test_message("%d cases: mean %.3f -> %.3f mm, worst %.3f mm; lower in %d, doubted %d, worse "
                   "by 0.2 mm and silent %d",
                   n_cases, sum_before, sum_after, worst, n_lower, n_doubted, n_silent);
    g_assert_cmpfloat(sum_after, <, 1.5);
    g_assert_cmpint(10 * n_lower, >=, 9 * n_cases - (is_long ? 0 : 6));
    g_assert_cmpfloat(sum_after, <, sum_before);
    g_assert_cmpint(n_silent, ==, 0);
}

// The same photograph from a camera that mirrors: refined to nearly the same place.
static void
test_mirrored(void)
{
    BgCortex *cortex = make_cortex(1);
    Outcome straight = { 0 }, mirrored = { 0 };

    run_case(cortex, 1, 103, FALSE, &straight);
    run_case(cortex, 1, 103, TRUE, &mirrored);
    bg_cortex_unref(cortex);
    g_test_message("%.3f -> %.3f mm, mirrored %.3f -> %.3f mm", straight.before_mm,
                   straight.after_mm, mirrored.before_mm, mirrored.after_mm);
    g_assert_cmpfloat_with_epsilon(mirrored.before_mm, straight.before_mm, 1e-3);
    g_assert_cmpfloat_with_epsilon(mirrored.after_mm, straight.after_mm, 0.1);
    g_assert_cmpfloat(mirrored.after_mm, <, mirrored.before_mm);
    g_assert_true(mirrored.refined.trusted);
}

// In the middle: it ends with that word, and what was to be filled is as it was.
static void
test_cancelled(void)
{
    BgCortex *cortex = make_cortex(1);
    g_autoptr(GCancellable) stop = g_cancellable_new();
    Outcome outcome = { .stop = stop };

    outcome.refined.moved_px = 77.0;
    run_case(cortex, 1, 103, FALSE, &outcome);
    bg_cortex_unref(cortex);
    g_assert_true(g_cancellable_is_cancelled(stop));
    g_assert_cmpfloat(outcome.refined.moved_px, ==, 77.0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pose-refine/phantom", test_phantom);
    g_test_add_func("/pose-refine/mirrored", test_mirrored);
    g_test_add_func("/pose-refine/cancelled", test_cancelled);
    int status = g_test_run();
    g_clear_pointer(&first_head, bg_cortex_unref);
    return status;
}
