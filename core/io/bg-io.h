// SPDX-License-Identifier: Apache-2.0
// Reading and writing files: the one sniffer, and what every reader gives back.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/io/bg-load-part.h"
#include "core/model/bg-mesh.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgFormat:
 *
 * What a file is, by its content. bg_format_name() gives the names that the command line prints.
 */
typedef enum {
    BG_FORMAT_UNKNOWN,
    BG_FORMAT_NIFTI1,
    BG_FORMAT_NIFTI2,
    BG_FORMAT_ANALYZE,
    BG_FORMAT_NRRD,
    BG_FORMAT_METAIMAGE,
    BG_FORMAT_HDF5,
    BG_FORMAT_DICOM,
    BG_FORMAT_MINC1,
    BG_FORMAT_MINC2,
    BG_FORMAT_INTERFILE,
    BG_FORMAT_RAW,
    BG_FORMAT_PNG,
    BG_FORMAT_JPEG,
    BG_FORMAT_BMP,
    BG_FORMAT_PNM,
    BG_FORMAT_GIF,
    BG_FORMAT_TIFF,
    BG_FORMAT_STL,
    BG_FORMAT_OBJ,
    BG_FORMAT_PLY,
    BG_FORMAT_GLB,
    BG_FORMAT_VTK,
    BG_FORMAT_CASE,
    BG_FORMAT_MGH,
    BG_FORMAT_PARREC,
    BG_FORMAT_AFNI,
    BG_FORMAT_NPY,
    BG_FORMAT_HEIC,
    BG_FORMAT_FCSV,
    BG_FORMAT_MRK_JSON,
    BG_FORMAT_CSV,
} BgFormat;

/** bg_format_name: "nifti1", "nrrd", ... as in bregma-cli info; "" when unknown */
const char *bg_format_name(BgFormat format);

typedef enum {
    BG_KIND_VOLUME,
    BG_KIND_LABELS,
    BG_KIND_IMAGE,
    BG_KIND_MESH,
    BG_KIND_LANDMARKS,
    BG_KIND_CASE,
    BG_KIND_WEIGHTS,
} BgKind;

/** bg_kind_name: "volume", "labels", ... */
const char *bg_kind_name(BgKind kind);

/**
 * BgFileInfo:
 * @path: the file that was asked for
 * @kind: labels when the file says so (NIfTI's intent code LABEL, segmentation keys of NRRD), or
 *   when a word of its name does (seg, label, mask, ...); bg_io_load() takes the second back when
 *   the values do not look like labels
 * @kind_stated: the file's header says the kind; it is not guessed from the name
 * @dims: voxels along i, j, k, fastest first; 0 where there is no grid
 * @n_frames: 1 or more; all axes after the third, multiplied
 * @n_components: values in a voxel: 1, 2 (complex), 3 (RGB, vector), ...
 * @datatype: numpy's name of what the file stores: "int16", "complex64", "rgb24", ...
 * @geometry: patient_from_voxel, LPS mm; valid where @has_geometry
 * @side_known: whether the file says where left and right are; when not, a warning says so too
 * @has_alternative_geometry: the file gives a second, different place: NIfTI's qform beside a sform
 * @geometry_name, @alternative_name: (nullable): what the two are called in the file
 * @frame_spacing: distance of frames, in @frame_unit; 0 when unknown
 * @modality: "MR", "CT", "SEG", ... or "" when nothing says
 * @unit: of the values after slope and intercept: "HU", or ""
 * @description: (nullable): the file's own words about itself
 * @warnings: of char *: sentences for people; never %NULL
 * @provenance: (nullable): the JSON text that bregma wrote into the file
 * @spacing_unknown: the distances in @geometry are counted in pixels (1 each) until the user gives
 *   them: lengths are then in px, never in mm
 * @window: centre and width of the greys that the file itself asks for, in values; the width is 0 when
 *   it does not
 * @low_is_bright: low values are meant to be shown bright (MONOCHROME1)
 * @camera: (nullable): maker and model of what took a photograph
 * @focal_length_mm, @focal_length_35mm, @sensor_mm: of a photograph's camera; 0 when unknown
 * @patient_name...@frame_of_reference: (nullable): filled by formats that carry them
 * @source_class, @source_instances: (nullable): of DICOM whose files are one slice each: their SOP
 *   class, and their UIDs, one a slice of @geometry, with blanks between
 * @b_values: (nullable): of diffusion, s/mm^2, one a frame, with blanks between
 *
 * What is known about a file. A plain struct with owned members.
 */
typedef struct {
    char *path;
    BgFormat format;
    BgKind kind;
    gboolean kind_stated;
    int dims[3];
    int n_frames;
    int n_components;
    const char *datatype; // static
    BgGeometry geometry;
    gboolean has_geometry;
    gboolean side_known;
    gboolean has_alternative_geometry;
    BgGeometry alternative_geometry;
    const char *geometry_name;    // static, nullable
    const char *alternative_name; // static, nullable
    double frame_spacing;
    const char *frame_unit; // static, nullable
    char *modality;
    char *unit;
    char *description;
    GPtrArray *warnings;
    char *provenance;
    char *patient_name;
    char *patient_id;
    char *patient_birth_date;
    char *patient_sex;
    char *study_uid;
    char *study_date;
    char *study_time;
    char *study_description;
    char *accession_number;
    char *series_uid;
    char *frame_of_reference;
    char *b_values;
    char *source_class, *source_instances;
    gboolean spacing_unknown;
    double window[2];
    gboolean low_is_bright;
    char *camera;
    double focal_length_mm, focal_length_35mm;
    double sensor_mm[2];
} BgFileInfo;

BgFileInfo *bg_file_info_new(const char *path);
BgFileInfo *bg_file_info_copy(const BgFileInfo *info);
void bg_file_info_free(BgFileInfo *info);

/** bg_file_info_warn: adds a sentence to the warnings, once */
void bg_file_info_warn(BgFileInfo *info, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** bg_file_info_set_modality: both copied; %NULL counts as "" */
void bg_file_info_set_modality(BgFileInfo *info, const char *modality, const char *unit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgFileInfo, bg_file_info_free)

/**
 * bg_io_probe:
 *
 * Reads the header only. What a file is, is decided by its first bytes, never by its name; a file
 * that lies beside it (X.nii beside the wanted X.nii.gz) is never taken in its place.
 *
 * What needs other people's codecs (HDF5, PNG, DICOM, TIFF, archives, ...) is read by bregma-decode,
 * a child without rights (docs/architecture.md); folders too, of which the first series is taken.
 *
 * Returns: (transfer full): or %NULL with
 *   %G_IO_ERROR: as the system says (not found, a folder, no permission);
 *   %BG_ERROR_UNSUPPORTED: no reader knows these bytes, or the format's variant;
 *   %BG_ERROR_CORRUPT: the header contradicts itself or is cut short;
 *   %BG_ERROR_DECODER: the child died of the file, or cannot be reached;
 *   %G_IO_ERROR_CANCELLED
 */
BgFileInfo *bg_io_probe(const char *path, GCancellable *cancellable, GError **error);

/**
 * bg_io_needs_child: whether bregma-decode reads this file: those that need other people's codecs,
 * and those that no reader of bregma's own knows. %TRUE for folders
 */
gboolean bg_io_needs_child(const char *path);

typedef enum {
    BG_LOAD_AUTO,   // as BgFileInfo says
    BG_LOAD_VOLUME, // intensities, whatever the file says
    BG_LOAD_LABELS, // label numbers, exactly; an error when they are none
} BgLoadAs;

/**
 * BgLoadParams:
 * @frame: 0..n_frames-1
 * @component: of a voxel with several values: its number; or -1 for the magnitude of complex
 *   and vector values and the luminance (Rec. 709 weights on the stored bytes) of colour
 * @series: (nullable): which of a folder's or an archive's series: its key, its UID, or its place in
 *   bg_io_scan()'s list, from 0; borrowed
 * @token: (nullable): that of the series, so that its files need not be looked for; borrowed
 * @part: of the grid that bg_io_probe() or the series tells; zeros: all of it. Volumes and label maps
 *   only. Where the file lets it, memory never holds more than the part
 */
typedef struct {
    int frame;
    int component;
    BgLoadAs as;
    const char *series;
    const char *token;
    BgLoadPart part;
} BgLoadParams;

/** bg_load_params_default: frame 0, component -1, AUTO, all of the grid */
static inline BgLoadParams
bg_load_params_default(void)
{
    return (BgLoadParams){ .frame = 0, .component = -1, .as = BG_LOAD_AUTO };
}

/**
 * BgLoaded:
 * @info: as bg_io_probe() gives it, and what only the values tell: kind, modality, warnings
 *
 * A file's content: exactly one of @volume, @labels, @image, @mesh and @landmarks is not %NULL. All
 * owned.
 */
typedef struct {
    BgFileInfo *info;
    BgVolume *volume;
    BgLabelMap *labels;
    BgImage *image;
    BgMesh *mesh;
    struct _BgLandmarks *landmarks; // of core/model/bg-landmarks.h
} BgLoaded;

void bg_loaded_free(BgLoaded *loaded);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLoaded, bg_loaded_free)

/**
 * bg_io_load:
 * @params: (nullable): the default when %NULL
 *
 * Blocks; for a worker. Memory grows with the bytes that are there, not with what the header
 * promises.
 *
 * Returns: (transfer full): or %NULL with the errors of bg_io_probe(), and
 *   %BG_ERROR_CORRUPT: the data are cut short or damaged (a gzip checksum that does not fit);
 *   %BG_ERROR_INVALID: no such frame or component; labels asked for, and the values are none;
 *   %BG_ERROR_UNSUPPORTED: a type of voxel that cannot be shown (float128, list);
 *   %BG_ERROR_NO_MEMORY
 */
BgLoaded *bg_io_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
                     GCancellable *cancellable, GError **error);

/**
 * bg_io_probe_series:
 * @params: (nullable): which series
 *
 * As bg_io_probe(); %BG_ERROR_INVALID when there is no such series.
 */
BgFileInfo *bg_io_probe_series(const char *path, const BgLoadParams *params,
                               GCancellable *cancellable, GError **error);

/** bg_io_load_volume: bg_io_load() as VOLUME; (transfer full); an image or a mesh: UNSUPPORTED */
BgVolume *bg_io_load_volume(const char *path, const BgProgress *progress, GCancellable *cancellable,
                            GError **error);

/** bg_io_load_labels: bg_io_load() as LABELS */
BgLabelMap *bg_io_load_labels(const char *path, const BgProgress *progress,
                              GCancellable *cancellable, GError **error);

/**
 * BgSaveParams:
 * @force: replace a file that is there
 * @provenance: (nullable): JSON text for the file's comment
 * @modality, @unit: (nullable): kept where the format has room for it
 * @description: (nullable): a line of text, cut to what the format holds
 * @labels: set by bg_io_save_labels(): the intent code LABEL
 * @frame_spacing_s: of several frames, in seconds; 0 when unknown
 *
 * Zeros are the default.
 */
typedef struct {
    gboolean force;
    const char *provenance;
    const char *modality;
    const char *unit;
    const char *description;
    gboolean labels;
    double frame_spacing_s;
} BgSaveParams;

/**
 * bg_io_save_volume:
 * @path: the format goes by its suffix: .nii, .nii.gz, .nrrd, .mha, .h5 (.nhdr and .mhd are read
 *   only)
 * @params: (nullable)
 *
 * Samples are written in their type, with slope and intercept as the format keeps them: in the
 * header of NIfTI; NRRD and MetaImage have none, so samples with a scale are written there as
 * float32 values, or as int16 where that is exact. Written beside its place and renamed.
 *
 * Returns: %FALSE with %G_IO_ERROR (EXISTS without @force, or what the system says),
 *   %BG_ERROR_UNSUPPORTED: no such suffix, or a grid that the format cannot say;
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED; nothing is left behind
 */
gboolean bg_io_save_volume(BgVolume *volume, const char *path, const BgSaveParams *params,
                           const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_io_save_labels: as bg_io_save_volume(), label numbers exactly */
gboolean bg_io_save_labels(BgLabelMap *labels, const char *path, const BgSaveParams *params,
                           const BgProgress *progress, GCancellable *cancellable, GError **error);

/**
 * bg_io_save_frames:
 * @volumes: @n_volumes of equal geometry and sample format: the frames of a 4D file
 *
 * As bg_io_save_volume(); %BG_ERROR_INVALID when they differ.
 */
gboolean bg_io_save_frames(BgVolume *const *volumes, gsize n_volumes, const char *path,
                           const BgSaveParams *params, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

/**
 * bg_io_default_window:
 * @modality: (nullable): "CT" or anything else
 * @centre, @width: (out): in values, width > 0
 *
 * The first window for a volume. CT: soft tissue, 40/400; else bg_volume_default_window(), and
 * 0.5/1 where there is no memory for that.
 */
void bg_io_default_window(BgVolume *volume, const char *modality, double *centre, double *width);

G_END_DECLS
