// SPDX-License-Identifier: Apache-2.0
// DICOM in: finding series in files, folders and DICOMDIRs, and reading them.
#pragma once

#include "core/io/bg-io.h"

G_BEGIN_DECLS

/**
 * bg_dicom_sniff:
 * @bytes: the first @n_bytes of a file; 132 and more are enough to be sure of a file with a
 *   preamble, 4096 for one without
 *
 * Returns: whether this is DICOM: "DICM" after the preamble, or, without a preamble, a data set
 *   that begins with groups 0002 or 0008 in one of the transfer syntaxes
 */
gboolean bg_dicom_sniff(const guint8 *bytes, gsize n_bytes);

/**
 * BgDicomBadge:
 *
 * What a list shows in red beside a series. The sentence for each is in @warnings.
 */
typedef enum {
    BG_DICOM_BADGE_MISSING = 1 << 0,      // slices are missing
    BG_DICOM_BADGE_DOUBLED = 1 << 1,      // slices are there twice
    BG_DICOM_BADGE_UNEVEN = 1 << 2,       // distances of slices differ
    BG_DICOM_BADGE_TILT = 1 << 3,         // the gantry was tilted
    BG_DICOM_BADGE_LOSSY = 1 << 4,        // lossy compression
    BG_DICOM_BADGE_NO_GEOMETRY = 1 << 5,  // no position or orientation: side unknown
    BG_DICOM_BADGE_UNCALIBRATED = 1 << 6, // no spacing, or one that was not calibrated
    BG_DICOM_BADGE_BURNED_IN = 1 << 7,    // text burned into the pixels
    BG_DICOM_BADGE_PREAMBLE = 1 << 8,     // a preamble that is a program or another file
    BG_DICOM_BADGE_UNREADABLE = 1 << 9,   // found, but cannot be loaded: @warnings say why
} BgDicomBadge;

/**
 * BgDicomContent: what a series is made of, and so what bg_dicom_load_series() gives
 */
typedef enum {
    BG_DICOM_CONTENT_VOLUME,    // grey slices, or a grey picture: a volume
    BG_DICOM_CONTENT_PICTURE,   // colour pictures without a place in the patient
    BG_DICOM_CONTENT_SEG,       // a label map of its own geometry
    BG_DICOM_CONTENT_RTSTRUCT,  // contours: a label map on the grid of the referenced series
    BG_DICOM_CONTENT_MESH,      // Encapsulated STL
    BG_DICOM_CONTENT_NO_PIXELS, // reports, plans, ...: listed, not loaded
} BgDicomContent;

/**
 * BgDicomSeries:
 * @key: says which series this is, the same in every scan of the same files: series_uid, and what
 *   sets apart the stacks of one series (another orientation, another matrix)
 * @patient_name: Unicode, "Family^Given^Middle^Prefix^Suffix"
 * @study_date: "YYYYMMDD" as in the file
 * @n_slices: along the normal, of one frame
 * @n_frames: time points, echoes, b-values or the pictures of a run: volumes in this series
 * @frame_kind: (nullable): static: "time", "echo", "b-value", "frame": what sets the frames apart
 * @b_values: s/mm^2, one a frame, with blanks between, where all of them say it
 * @plane: of the slices: "axial", "coronal", "sagittal" or "oblique"; "" where the side is unknown
 * @dims: columns, rows, slices
 * @spacing_mm: along columns, rows, slices; 0 when unknown
 * @files: of char *: in the order of frames, and of slices along the normal within a frame
 * @thumbnail_file: one of @files, from the middle
 * @referenced_series_uid: (nullable): of SEG and RTSTRUCT
 * @warnings: of char *: sentences for people; never %NULL
 *
 * What can be loaded as one thing. Strings are never %NULL unless marked; "" when the files do not
 * say. Immutable once handed out, reference counted (atomically).
 */
typedef struct {
    char *key;
    BgDicomContent content;
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
    int series_number;
    char *series_description;
    char *series_date;
    char *modality;
    char *body_part;
    char *frame_of_reference;
    char *b_values;
    char *plane;
    char *referenced_series_uid; // nullable
    int n_slices;
    int n_frames;
    const char *frame_kind; // static, nullable
    int dims[3];
    double spacing_mm[3];
    guint64 n_bytes; // of a loaded frame, in the type that it is kept in
    GPtrArray *files;
    const char *thumbnail_file; // in files, borrowed
    guint badges;               // BgDicomBadge
    GPtrArray *warnings;
} BgDicomSeries;

BgDicomSeries *bg_dicom_series_ref(BgDicomSeries *series);
void bg_dicom_series_unref(BgDicomSeries *series);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgDicomSeries, bg_dicom_series_unref)

/**
 * bg_dicom_series_to_variant:
 *
 * For handing a series to another process, which can load it with bg_dicom_series_from_variant().
 *
 * Returns: (transfer floating): of type BG_DICOM_SERIES_TYPE
 */
GVariant *bg_dicom_series_to_variant(BgDicomSeries *series);

#define BG_DICOM_SERIES_TYPE "(sua{ss}iiiaiadtasuas)"

/**
 * bg_dicom_series_from_variant:
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT: of another type, or a value is out of
 *   its range
 */
BgDicomSeries *bg_dicom_series_from_variant(GVariant *variant, GError **error);

/**
 * BgDicomScanProgress:
 * @counted: (nullable): @n_done files of @n_known were looked at; @n_known grows while folders are
 *   listed
 * @found: (nullable): a series that is new, or has grown: another with the same key was handed out
 *   before. Borrowed. Called at the end of a folder and at the end, which hands out all of them
 * @user_data: for both
 *
 * Where a scan tells how far it is; called on the thread of the scan.
 */
typedef struct {
    void (*counted)(gsize n_done, gsize n_known, gpointer user_data);
    void (*found)(BgDicomSeries *series, gpointer user_data);
    gpointer user_data;
} BgDicomScanProgress;

/**
 * bg_dicom_scan:
 * @path: a file, a folder with any tree below it, or a DICOMDIR: its folder's tree, in which all
 *   that it may name must lie
 * @progress: (nullable)
 *
 * Reads headers only, on all threads. Links that lead out of the tree or round in it are not
 * followed. A single file gives its own series: of that file alone.
 *
 * Returns: (transfer container) (element-type BgDicomSeries): ordered by patient, study, series
 *   number and key, the same every time; or %NULL with %G_IO_ERROR as the system says,
 *   %BG_ERROR_UNSUPPORTED: no DICOM there, %BG_ERROR_CORRUPT: a single file that is damaged,
 *   %G_IO_ERROR_CANCELLED
 */
GPtrArray *bg_dicom_scan(const char *path, const BgDicomScanProgress *progress,
                         GCancellable *cancellable, GError **error);

/**
 * bg_dicom_scan_files:
 * @paths: (array length=n_paths): files, such as the members of a ZIP
 *
 * As bg_dicom_scan(), for files that are known by name.
 */
GPtrArray *bg_dicom_scan_files(const char *const *paths, gsize n_paths,
                               const BgDicomScanProgress *progress, GCancellable *cancellable,
                               GError **error);

/**
 * bg_dicom_probe_series:
 *
 * Reads the headers of the series' files again.
 *
 * Returns: (transfer full): as bg_io_probe(): path is the first file; or %NULL with the errors of
 *   bg_dicom_load_series()
 */
BgFileInfo *bg_dicom_probe_series(BgDicomSeries *series, GCancellable *cancellable, GError **error);

/**
 * bg_dicom_load_series:
 * @params: (nullable): the default when %NULL; frame 0..n_frames-1
 *
 * Grey pixels give a volume, in the stored type with slope and intercept (float32 where slices have
 * different ones, or for 32-bit samples), also where there is no place in the patient: then
 * side_known is %FALSE. Colour gives a volume of its luminance where the slices have a place, else
 * an image. SEG gives labels.
 *
 * A tilted gantry is undone by moving each slice along its columns (linear between rows), slices at
 * uneven distances are kept where a warning says so, and missing ones are filled in between.
 * Warnings name each.
 *
 * Returns: (transfer full): or %NULL with
 *   %G_IO_ERROR: as the system says;
 *   %BG_ERROR_CORRUPT: a header contradicts itself, pixels are cut short or damaged;
 *   %BG_ERROR_UNSUPPORTED: no pixels, or a transfer syntax or kind of object that is not read;
 *   %BG_ERROR_INVALID: no such frame; %BG_ERROR_MISMATCH: an RTSTRUCT, which needs
 *   bg_dicom_load_labels_on(); %BG_ERROR_NO_MEMORY; %G_IO_ERROR_CANCELLED
 */
BgLoaded *bg_dicom_load_series(BgDicomSeries *series, const BgLoadParams *params,
                               const BgProgress *progress, GCancellable *cancellable,
                               GError **error);

/**
 * bg_dicom_load_labels_on:
 * @series: RTSTRUCT or SEG
 * @geometry: of the referenced series: the grid of the result
 *
 * Contours are filled by the even-odd rule in the slice planes nearest to them; voxel centres
 * decide. Labels are the ROI or segment numbers; their names are in the info's description.
 *
 * Returns: (transfer full): errors as bg_dicom_load_series()
 */
BgLoaded *bg_dicom_load_labels_on(BgDicomSeries *series, const BgGeometry *geometry,
                                  const BgProgress *progress, GCancellable *cancellable,
                                  GError **error);

/**
 * bg_dicom_load_picture:
 * @frame: of the series, 0..n_frames-1
 * @slice: 0..n_slices-1
 * @max_size: the longer side at most, in pixels, or 0 for the full size
 *
 * A slice as it is meant to be looked at: modality LUT, the file's first VOI window or LUT (the
 * range of the values when it has none), palette, MONOCHROME1 turned round, overlays, square
 * pixels. For thumbnails, and for pictures of grey detectors.
 *
 * Returns: (transfer full): 8-bit, 1 or 3 channels, with its calibration; errors as
 *   bg_dicom_load_series()
 */
BgImage *bg_dicom_load_picture(BgDicomSeries *series, int frame, int slice, int max_size,
                               GCancellable *cancellable, GError **error);

G_END_DECLS
