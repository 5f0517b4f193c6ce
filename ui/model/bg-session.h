// SPDX-License-Identifier: Apache-2.0
// What a window works on: the case, the workers that draw it, the running jobs, the tool in hand.
#pragma once

#include "core/case/bg-case.h"
#include "core/model/bg-slice-frame.h"
#include "core/segment/bg-label-tools.h"
#include "ui/model/bg-fused.h"
#include "ui/model/bg-job.h"
#include "ui/model/bg-worker.h"

G_BEGIN_DECLS

/** BgChange: what a view has to look at again; bits */
typedef enum {
    BG_CHANGE_CURSOR = 1 << 0,
    BG_CHANGE_LAYERS = 1 << 1, // rows, payloads, status
    BG_CHANGE_LOOK = 1 << 2,   // window, opacity, colours, visibility, transfer function
    BG_CHANGE_VIEW = 1 << 3,   // the 3D view
    BG_CHANGE_PANES = 1 << 4,  // zoom and pan of slices
    BG_CHANGE_CLIP = 1 << 5,
    BG_CHANGE_MEASUREMENTS = 1 << 6,
    BG_CHANGE_TOGGLES = 1 << 7, // tool, and what is shown over pictures
    BG_CHANGE_SELECTION = 1 << 8,
    BG_CHANGE_CASE = 1 << 9,       // patient, convention, layout, review, everything replaced
    BG_CHANGE_LANDMARKS = 1 << 10, // points, registrations, cameras
    BG_CHANGE_PHOTO = 1 << 11,     // how photographs are looked at
    BG_CHANGE_VOXELS = 1 << 12,    // a stroke goes on: slices; LAYERS follows when it ends
    BG_CHANGE_MODELS = 1 << 13,    // networks on this computer
    BG_CHANGE_FUSED = 1 << 14,     // the picture that fusion makes
    BG_CHANGE_PLANS = 1 << 15,
} BgChange;

#define BG_CHANGE_ALL ((BgChange) ~0u)

typedef enum {
    BG_TOOL_CROSSHAIR,
    BG_TOOL_WINDOW,
    BG_TOOL_RULER,
    BG_TOOL_ANGLE,
    BG_TOOL_POINT,
    BG_TOOL_MOVE, // the volume that is worked on, by hand
    BG_TOOL_BRUSH,
    BG_TOOL_ERASER,
    BG_TOOL_FILL,
} BgTool;

/**
 * BgEditSettings:
 * @label: that tools write
 * @diameter_mm: of the brush
 * @ball: the brush reaches through slices, and a fill too
 * @over, @over_label: as BgPaint
 * @limit: only where the volume that is shown has a value from @low to @high
 * @least_mm3: smaller islands are small
 * @all_labels: islands and holes are those of all labels together, not of @label
 *
 * How labels are corrected. Not part of the case.
 */
typedef struct {
    guint32 label;
    double diameter_mm;
    gboolean ball;
    BgOver over;
    guint32 over_label;
    gboolean limit;
    double low, high;
    double least_mm3;
    gboolean all_labels;
} BgEditSettings;

/** BgToggle: what is drawn over pictures */
typedef enum {
    BG_TOGGLE_ANNOTATIONS,
    BG_TOGGLE_CROSSHAIR,
    BG_TOGGLE_OVERLAYS,
    BG_TOGGLE_LABELS,
    BG_N_TOGGLES,
} BgToggle;

/** BgOverlay: how the picture of the volume lies over a photograph */
typedef enum {
    BG_OVERLAY_OPACITY,
    BG_OVERLAY_SWIPE,
    BG_OVERLAY_CHECKER,
    BG_OVERLAY_SPYGLASS,
    BG_N_OVERLAYS,
} BgOverlay;

/**
 * BgPhotoLook:
 * @zoom: 1 fits the photograph into its pane
 * @pan_px: what the pane's middle shows, from the photograph's middle, in its pixels
 * @amount: 0..1: opacity, or where the swipe's line stands
 * @fusion: 0: the volume itself lies over the photograph; else 1 + the BgFusionMethod that makes one
 *   picture of both, which does
 * @volume: 0..1: how much of the volume itself lies over what is fused
 * @no_outlines: labels are not outlined on what is fused
 * @full_range: what is fused is stretched to the range of both
 * @weights: (nullable): interned: files of the learned method's network and of that of the methods by
 *   features; %NULL: those of the program, or imported ones
 *
 * How photographs are looked at; the same in all their panes. Not part of the case.
 */
typedef struct {
    double zoom, pan_px[2];
    BgOverlay overlay;
    double amount;
    int fusion;
    double volume;
    gboolean no_outlines, full_range;
    const char *weights[BG_FUSED_N_WEIGHTS];
} BgPhotoLook;

#define BG_TYPE_SESSION (bg_session_get_type())

/**
 * BgSession:
 *
 * Main thread only. Signals:
 * ::changed (guint changes): bits of BgChange
 * ::failed (const char *message, const char *details): for people; details may be %NULL
 * ::patient-conflict (const char *path, const char *reason): adding @path would bring two patients
 *   together; bg_session_open_override() goes on
 * ::unsaved (const char *path): opening the case @path would lose what is not saved of this one; save
 *   or bg_session_reset(), then open it again
 * ::unknown-file (const char *path, const char *message): no reader knows these bytes, but by its
 *   name the file may be nothing but voxels
 * ::too-large (const char *path, const char *message): there is no memory for @path, of which a part
 *   may do
 * ::saved (gboolean done): after bg_session_save_case()
 */
G_DECLARE_FINAL_TYPE(BgSession, bg_session, BG, SESSION, GObject)

BgSession *bg_session_new(void);

BgCase *bg_session_get_case(BgSession *self);
const BgCaseState *bg_session_get_state(BgSession *self);

/** bg_session_get_jobs: (transfer none): of BgJob, those that run */
GListModel *bg_session_get_jobs(BgSession *self);

/** bg_session_get_slice_worker: for pictures of slices, which must never wait for a volume */
BgWorker *bg_session_get_slice_worker(BgSession *self);
BgWorker *bg_session_get_volume_worker(BgSession *self);

/** bg_session_get_idle_worker: for thumbnails and histograms */
BgWorker *bg_session_get_idle_worker(BgSession *self);

/**
 * bg_session_do:
 * @command: (transfer full)
 *
 * bg_case_do(); a failure is told by ::failed. Returns: whether it was done
 */
gboolean bg_session_do(BgSession *self, BgCommand *command);

/** bg_session_fail: shows an error; @what: (nullable): goes before its message */
void bg_session_fail(BgSession *self, const char *what, const GError *error);

/** bg_session_run: shows @job among the running ones and runs it */
void bg_session_run(BgSession *self, BgJob *job, const BgJobWork *work,
                    GAsyncReadyCallback callback, gpointer user_data);

/** bg_session_open: reads @path on a worker and adds it as a layer, or opens it as a case */
void bg_session_open(BgSession *self, const char *path);

/** bg_session_open_as: the same as intensities or as labels */
void bg_session_open_as(BgSession *self, const char *path, BgLoadAs as);

/**
 * BgOpen:
 * @name: (nullable): of the new row; else that of the file
 * @series, @token: (nullable): as BgLoadParams
 * @part: as BgLoadParams: zeros for all
 *
 * How a file is opened, by somebody who knows what it costs. Zeros are the default.
 */
typedef struct {
    const char *path;
    const char *name;
    BgLoadAs as;
    int frame;
    const char *series, *token;
    BgLoadPart part;
} BgOpen;

/**
 * bg_session_open_with: bg_session_open() in a certain way
 *
 * When the child that reads foreign files dies of it, a row in red stands for the file, with the
 * reason; bg_session_retry() tries again.
 */
void bg_session_open_with(BgSession *self, const BgOpen *open);

/** bg_session_retry: reads the content of a row again that could not be read */
void bg_session_retry(BgSession *self, const char *layer_id);

/** bg_session_open_override: after ::patient-conflict, with the @reason that the user typed */
void bg_session_open_override(BgSession *self, const char *path, const char *reason);

/** bg_session_has_unsaved: whether there is a case with changes that are in no file */
gboolean bg_session_has_unsaved(BgSession *self);

/** bg_session_open_case: reads a .bregma file; it takes the place of the case that is there, unless that
 * has changes that are not saved: ::unsaved */
void bg_session_open_case(BgSession *self, const char *path);

/** bg_session_save_case: as a job; @path becomes the case's own. ::saved follows */
void bg_session_save_case(BgSession *self, const char *path);

/** bg_session_check_sources: hashes of the files on the idle worker: unknown ones are remembered */
void bg_session_check_sources(BgSession *self);

/** bg_session_reset: an empty case; the old one is let go */
void bg_session_reset(BgSession *self);

/** bg_session_take_case: @bg_case: (transfer full): takes the place of the old one */
void bg_session_take_case(BgSession *self, BgCase *bg_case);

/** bg_session_get_selected: (transfer none) (nullable): the row that the inspector shows */
const BgLayer *bg_session_get_selected(BgSession *self);
void bg_session_select(BgSession *self, const char *layer_id);
const char *bg_session_get_selected_measurement(BgSession *self); // nullable
void bg_session_select_measurement(BgSession *self, const char *measurement_id);

/** bg_session_get_selected_point: (transfer none) (nullable): its list; @index: (out): in that list */
const char *bg_session_get_selected_point(BgSession *self, gsize *index);
void bg_session_select_point(BgSession *self, const char *list_id, gsize index);

/** bg_session_get_base: (transfer none) (nullable): the lowest loaded volume, visible ones first */
const BgLayer *bg_session_get_base(BgSession *self);

/**
 * bg_session_get_covering: (transfer none) (nullable): the volume that slices show, and whose name,
 * window and value stand in them: the uppermost visible opaque one, or else the base when that is
 * visible
 */
const BgLayer *bg_session_get_covering(BgSession *self);

/**
 * bg_session_get_volume: (transfer none) (nullable): whose window the pointer changes and whose 3D picture
 * is shown: the selected volume, or the covering one, or the base
 */
const BgLayer *bg_session_get_volume(BgSession *self);

/** bg_session_get_geometry: (nullable): the grid that panes are fitted to: base's, or any label map's */
const BgGeometry *bg_session_get_geometry(BgSession *self);

/**
 * bg_session_get_slices: (nullable): the grid that slices are counted on and stepped through: that
 * of bg_session_get_covering(), which they show, or of bg_session_get_volume()
 */
const BgGeometry *bg_session_get_slices(BgSession *self);

/**
 * bg_session_get_value_range:
 * @low, @high: (out): from about the lowest to about the highest value of the layer's volume, as
 *   its loading job found them; FALSE while they are not known
 */
gboolean bg_session_get_value_range(BgSession *self, const BgLayer *layer, double *low,
                                    double *high);

/** bg_session_is_empty: no layer at all */
gboolean bg_session_is_empty(BgSession *self);

/** bg_session_set_preview: @mesh: (nullable): shown in 3D until it is taken back; not part of the case */
void bg_session_set_preview(BgSession *self, BgMesh *mesh);
BgMesh *bg_session_get_preview(BgSession *self); // (transfer none) (nullable)

/** bg_session_set_fused: @fused: (nullable): the newest picture of both; tells BG_CHANGE_FUSED */
void bg_session_set_fused(BgSession *self, BgFused *fused);
BgFused *bg_session_get_fused(BgSession *self); // (transfer none) (nullable)

const BgPhotoLook *bg_session_get_photo_look(BgSession *self);

/** bg_session_set_photo_look: tells BG_CHANGE_PHOTO; bg_photo_set_zoom() and its like check the values */
void bg_session_set_photo_look(BgSession *self, const BgPhotoLook *look);

const BgEditSettings *bg_session_get_edit(BgSession *self);

/** bg_session_set_edit: tells BG_CHANGE_TOGGLES; values out of their range are brought into it */
void bg_session_set_edit(BgSession *self, const BgEditSettings *settings);

BgTool bg_session_get_tool(BgSession *self);
void bg_session_set_tool(BgSession *self, BgTool tool);
gboolean bg_session_get_toggle(BgSession *self, BgToggle toggle);
void bg_session_set_toggle(BgSession *self, BgToggle toggle, gboolean on);

/** bg_session_move_cursor: held inside the volumes that are fitted to and counted on */
void bg_session_move_cursor(BgSession *self, BgVec3 to_mm);

/** bg_session_step_slice: @steps: towards superior, anterior or left when positive */
void bg_session_step_slice(BgSession *self, BgPlane plane, int steps);

/** bg_session_tell: emits ::changed */
void bg_session_tell(BgSession *self, BgChange changes);

/** bg_session_get_dragging: whether a drag is going on: pictures may be coarser */
gboolean bg_session_get_dragging(BgSession *self);
void bg_session_set_dragging(BgSession *self, gboolean dragging);

G_END_DECLS
