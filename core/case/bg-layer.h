// SPDX-License-Identifier: Apache-2.0
// What a case is made of, as structs to read: layers, measurements, points, view state.
#pragma once

#include "core/base/bg-affine.h"
#include "core/case/bg-alignment.h"
#include "core/io/bg-io.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-label-table.h"
#include "core/model/bg-transfer-function.h"

G_BEGIN_DECLS

/**
 * BgPatient:
 * @name: as the file writes it (DICOM: family^given)
 * @id, @issuer: the number, and who gave it
 * @birth_date: YYYY-MM-DD or YYYYMMDD
 * @sex: "F", "M", "O"
 *
 * Who is in the pictures. Members are owned and "" when unknown, never %NULL.
 */
typedef struct {
    char *name, *id, *issuer, *birth_date, *sex;
} BgPatient;

void bg_patient_init(BgPatient *patient);
void bg_patient_clear(BgPatient *patient);

/** bg_patient_copy: @to: initialised; what it held is freed */
void bg_patient_copy(const BgPatient *from, BgPatient *to);

/** bg_patient_is_known: whether a name or a number is there */
gboolean bg_patient_is_known(const BgPatient *patient);

/** bg_patient_describe: (transfer full): for people: name, number, birth date; what is missing is said */
char *bg_patient_describe(const BgPatient *patient);

/** bg_format_date: (transfer full): "19610302" as "1961-03-02"; all else as it is; %NULL as "" */
char *bg_format_date(const char *date);

/**
 * bg_patient_same:
 *
 * Two known patients are the same when nothing that both files say differs (number, issuer, name
 * without regard to case and separators, birth date), and they share a number, or a name and a
 * birth date, or a name where neither gives a number or a date. Files without identity (NIfTI,
 * NRRD, pictures) are unknown: an unknown patient is "the same" as any other, which the row of
 * the layer says (bg_case_layer_lacks_identity()).
 */
gboolean bg_patient_same(const BgPatient *a, const BgPatient *b);

/**
 * BgLayerStatus:
 * @BG_LAYER_LOADING: somebody has to read it and to call bg_case_set_payload()
 * @BG_LAYER_MISSING: the source is not there, or a computed result was lost
 * @BG_LAYER_CHANGED: the source has another hash than the case remembers
 * @BG_LAYER_FAILED: it could not be read; status_text says why
 */
typedef enum {
    BG_LAYER_LOADING,
    BG_LAYER_OK,
    BG_LAYER_MISSING,
    BG_LAYER_CHANGED,
    BG_LAYER_FAILED,
} BgLayerStatus;

/**
 * BgPayload:
 *
 * The content of a layer: at most one member is not %NULL. References are owned.
 */
typedef struct {
    BgVolume *volume;
    BgLabelMap *labels;
    BgImage *image;
    BgMesh *mesh;
} BgPayload;

/** bg_payload_copy: @to: uninitialised memory; gets references of its own */
void bg_payload_copy(const BgPayload *from, BgPayload *to);
void bg_payload_clear(BgPayload *payload);
gboolean bg_payload_is_empty(const BgPayload *payload);
gsize bg_payload_n_bytes(const BgPayload *payload);

/**
 * BgLayerSource:
 * @path: absolute; "" for a computed layer
 * @relative_path: to the folder of the project file, "/" between parts; "" when there is none
 * @sha256: of the file, 64 hex digits; "" until a job has computed it
 * @series: key of one of a folder's or an archive's series, or ""
 * @frame, @component, @as, @part: as BgLoadParams
 */
typedef struct {
    char *path, *relative_path, *sha256, *series;
    int frame, component;
    BgLoadAs as;
    BgLoadPart part;
} BgLayerSource;

/**
 * BgLayer:
 * @id: unique in the case for ever: from bg_case_new_id()
 * @kind: VOLUME, LABELS, IMAGE or MESH
 * @opacity: 0..1
 * @window_centre, @window_width: in @unit; width above 0
 * @colour_map: name of a map; "grey" by default
 * @transfer_function: (nullable): of a volume in 3D
 * @labels: (nullable): names, colours and visibility
 * @label_fill, @label_outline: opacity of the inside 0..1, width of the outline in px, 0 for none
 * @mesh_rgb: sRGB 0..1; @mesh_wireframe: edges only
 * @linear: interpolation in slices, else nearest
 * @frame, @n_frames: which of a 4D file is shown
 * @generated_by: name of the operation of a computed layer, or ""
 * @parameters: its JSON text (provenance's line), or ""
 * @content_tag: another number for each content that hand corrections made of it; 0 for none
 * @blob_id: of the computed content, or "" for a layer read from @source
 * @frame_of_reference: UID or ""
 * @override_reason: what the user typed to let another patient's layer in, or ""
 * @side_unknown: the file does not say where left and right are, and nobody has answered yet
 * @spacing_unknown: the same of the distances of voxels: they are counted in px
 * @answer_mirrored, @answer_spacing_mm: what the user answered: the axis that is nearest to left-right
 *   runs the other way; distances along i, j, k, 0 for none. The payload lies as answered
 * @warnings: what the reader of the file had to say, a sentence a line, or ""
 * @status, @status_text, @payload: not part of the saved state, nor of undo
 *
 * A row of the layers' list. All members are owned; strings are never %NULL. Who gets one from
 * a BgCase reads only, and not beyond the next command.
 */
typedef struct {
    char *id;
    BgKind kind;
    char *name, *modality, *unit;
    gboolean visible;
    double opacity;
    double window_centre, window_width;
    char *colour_map;
    BgTransferFunction *transfer_function;
    BgLabelTable *labels;
    double label_fill, label_outline;
    double mesh_rgb[3];
    gboolean mesh_wireframe;
    gboolean linear;
    int frame, n_frames;
    BgLayerSource source;
    char *generated_by, *parameters, *blob_id;
    gint64 content_tag;
    char *frame_of_reference;
    BgPatient patient;
    char *override_reason;
    gboolean side_unknown, spacing_unknown, answer_mirrored;
    double answer_spacing_mm[3];
    char *warnings;

    BgLayerStatus status;
    char *status_text;
    BgPayload payload;
} BgLayer;

/** bg_layer_new: (transfer full): defaults: visible, opaque, window 0.5/1, linear, LOADING, id "" */
BgLayer *bg_layer_new(BgKind kind, const char *name);

/**
 * bg_layer_new_for_loaded:
 * @path: where it was read from
 * @params: (nullable): how
 *
 * A layer that fits a file's content: name, modality, unit, first window, label table, identity.
 * Looks at every voxel: for a worker. The payload is not put in: bg_case_set_payload() does.
 *
 * Returns: (transfer full): id ""
 */
BgLayer *bg_layer_new_for_loaded(const BgLoaded *loaded, const char *path,
                                 const BgLoadParams *params);

/**
 * bg_layer_new_generated:
 * @from: (nullable): the layer it was computed from: identity, frame of reference, modality and
 *   unit are taken over
 * @operation: "isosurface", "resample", ...
 * @parameters: (nullable): JSON text
 *
 * Returns: (transfer full): id "", and a blob id of its own
 */
BgLayer *bg_layer_new_generated(BgKind kind, const char *name, const BgLayer *from,
                                const char *operation, const char *parameters);

/** bg_layer_take_doubts: what @info does not know, and its warnings */
void bg_layer_take_doubts(BgLayer *layer, const BgFileInfo *info);

void bg_layer_free(BgLayer *layer);
void bg_layer_set_string(char **member, const char *value); // frees the old, copies; NULL is ""

/** bg_layer_to_variant: (transfer full): not floating; a{sv}: all that is saved */
GVariant *bg_layer_to_variant(const BgLayer *layer);

/** bg_layer_from_variant: (transfer full): or %NULL with %BG_ERROR_CORRUPT, naming the field */
BgLayer *bg_layer_from_variant(GVariant *variant, GError **error);

typedef enum {
    BG_MEASURE_RULER, // 2 points
    BG_MEASURE_ANGLE, // 3 points, the corner in the middle
} BgMeasureKind;

/**
 * BgMeasurement:
 * @points_mm: LPS
 * @plane: "axial", "coronal", "sagittal", "3d" or "": where it was drawn
 * @layer_id: on what it was drawn, or ""
 *
 * Values are computed from the points, never stored.
 */
typedef struct {
    char *id;
    BgMeasureKind kind;
    BgVec3 points_mm[3];
    char *name, *plane, *layer_id;
} BgMeasurement;

/** bg_measurement_count_points: 2 or 3 */
int bg_measurement_count_points(BgMeasureKind kind);

/** bg_measurement_length_mm: of a ruler */
double bg_measurement_length_mm(const BgMeasurement *measurement);

/** bg_measurement_angle_deg: 0..180, at the middle point; 0 when a side has no length */
double bg_measurement_angle_deg(const BgMeasurement *measurement);

BgMeasurement *bg_measurement_new(BgMeasureKind kind, const BgVec3 *points_mm);
BgMeasurement *bg_measurement_copy(const BgMeasurement *measurement);
void bg_measurement_free(BgMeasurement *measurement);

/** BgPatientOverride: @reason: typed by a person */
typedef struct {
    BgPatient patient;
    char *reason;
} BgPatientOverride;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLayer, bg_layer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgMeasurement, bg_measurement_free)

G_END_DECLS
