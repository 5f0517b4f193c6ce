// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-geometry.h"

G_BEGIN_DECLS

typedef enum {
    BG_PLANE_AXIAL,
    BG_PLANE_CORONAL,
    BG_PLANE_SAGITTAL,
} BgPlane;

/**
 * BgConvention:
 * @BG_CONVENTION_RADIOLOGICAL: axial seen from the feet, coronal from the front: the patient's
 *   right is on the picture's left
 * @BG_CONVENTION_NEUROLOGICAL: axial and coronal mirrored; sagittal is the same in both
 */
typedef enum {
    BG_CONVENTION_RADIOLOGICAL,
    BG_CONVENTION_NEUROLOGICAL,
} BgConvention;

/** bg_plane_name: "axial", "coronal", "sagittal" */
const char *bg_plane_name(BgPlane plane);
gboolean bg_plane_parse(const char *name, BgPlane *plane);

/**
 * bg_geometry_plane_name:
 *
 * The plane that slices of i and j lie in: the patient's own one whose normal is nearest to theirs,
 * up to an angle whose cosine is 0.8 (37 degrees, as radiologists call them too).
 *
 * Returns: (transfer none): "axial", "coronal", "sagittal" or "oblique"
 */
const char *bg_geometry_plane_name(const BgGeometry *geometry);

/** bg_plane_rgb: the colour that marks the plane everywhere (look.md), sRGB 0..1 */
void bg_plane_rgb(BgPlane plane, double rgb[3]);

/** bg_convention_name: "Radiological", "Neurological" */
const char *bg_convention_name(BgConvention convention);

/**
 * BgSliceFrame:
 * @origin_mm: LPS: the centre of pixel 0, 0
 * @u, @v: LPS unit vectors at a right angle: right and down on the picture
 * @normal: u x v: away from the viewer
 * @spacing_mm: of pixels, which are square
 * @width, @height: in pixels
 *
 * Where the pixels of a flat picture lie in the patient. A plain value.
 */
typedef struct {
    BgVec3 origin_mm;
    BgVec3 u, v, normal;
    double spacing_mm;
    int width, height;
} BgSliceFrame;

/**
 * bg_plane_axes:
 * @u, @v: (out): right and down on a picture of the patient's own plane, LPS
 *
 * Axial: L and P; coronal: L and I; sagittal, seen from the left: P and I. Neurological turns L
 * into R.
 */
void bg_plane_axes(BgPlane plane, BgConvention convention, BgVec3 *u, BgVec3 *v);

/**
 * bg_slice_axis_for_plane:
 *
 * Returns: the voxel axis (0..2) across whose planes the patient axis of @plane goes most
 *   directly; slices of that plane are counted along it, in file order, 0 .. dims[axis]-1
 */
int bg_slice_axis_for_plane(const BgGeometry *geometry, BgPlane plane);

/**
 * bg_slice_frame_for_volume:
 * @index: the slice, in file order; 0 .. dims-1 of bg_slice_axis_for_plane()
 *
 * A plane of the volume's own grid (so oblique where the grid is), covering its voxels whole,
 * with square pixels of the finer of the two spacings. In a sheared grid u follows the voxel
 * axis and v is at a right angle to it.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when there is no such slice; the message has the range
 */
gboolean bg_slice_frame_for_volume(const BgGeometry *geometry, BgPlane plane, int index,
                                   BgConvention convention, BgSliceFrame *frame, GError **error);

/** bg_slice_index_at: the slice of @plane that @patient_mm lies in, held inside 0..dims-1 */
int bg_slice_index_at(const BgGeometry *geometry, BgPlane plane, BgVec3 patient_mm);

/**
 * BgSlicePane:
 * @centre_mm: LPS: what the middle of the pane shows; only its part in the plane counts
 * @through_mm: LPS: a point of the plane: the crosshair
 * @spacing_mm: millimetres a pane pixel; above 0
 * @width, @height: of the pane, in pixels
 *
 * What a pane of the window shows: a plane along the patient's axes, whatever the grid.
 */
typedef struct {
    BgPlane plane;
    BgConvention convention;
    BgVec3 centre_mm;
    BgVec3 through_mm;
    double spacing_mm;
    int width, height;
} BgSlicePane;

BgSliceFrame bg_slice_frame_for_pane(const BgSlicePane *pane);

/**
 * bg_slice_fit_spacing_mm:
 *
 * Returns: the spacing with which @geometry's box just fits a pane of @width x @height pixels
 */
double bg_slice_fit_spacing_mm(const BgGeometry *geometry, BgPlane plane, int width, int height);

/**
 * BgObliquePlane:
 * @point_mm: LPS: a point of the plane; in the middle of the picture when @width is given
 * @normal: LPS, any length: away from the viewer
 * @up: LPS, any length: up on the picture; zeros: superior, or anterior where the normal is
 *   within 30 degrees of superior-inferior
 * @spacing_mm: of pixels; above 0
 * @width, @height: in pixels; both 0: as many as cover @geometry's cut
 */
typedef struct {
    BgVec3 point_mm;
    BgVec3 normal;
    BgVec3 up;
    double spacing_mm;
    int width, height;
} BgObliquePlane;

/**
 * bg_slice_frame_oblique:
 * @geometry: (nullable): only needed where @plane leaves the size open
 *
 * Returns: %FALSE with %BG_ERROR_INVALID, naming the value: no normal, up along the normal, a size
 *   over 65535 or a spacing not above 0, a plane that misses the volume
 */
gboolean bg_slice_frame_oblique(const BgObliquePlane *plane, const BgGeometry *geometry,
                                BgSliceFrame *frame, GError **error);

/** bg_slice_frame_point: LPS mm of pixel (x, y); centres at integers */
static inline BgVec3
bg_slice_frame_point(const BgSliceFrame *frame, double x, double y)
{
    return bg_vec3_along(bg_vec3_along(frame->origin_mm, x * frame->spacing_mm, frame->u),
                         y * frame->spacing_mm, frame->v);
}

/**
 * bg_slice_frame_project:
 * @x, @y: (out): the pixel straight above @patient_mm
 *
 * Returns: mm from the plane, along the normal
 */
double bg_slice_frame_project(const BgSliceFrame *frame, BgVec3 patient_mm, double *x, double *y);

/**
 * BgContours:
 * @points: GArray of BgContourPoint
 * @starts: GArray of gsize: where in @points each line begins; a line ends where the next begins,
 *   or with the points
 *
 * Lines on a picture, in its pixels (centres at integers).
 */
typedef struct {
    double x, y;
} BgContourPoint;

typedef struct {
    GArray *points;
    GArray *starts;
} BgContours;

BgContours *bg_contours_new(void);
void bg_contours_free(BgContours *contours);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgContours, bg_contours_free)

G_END_DECLS
