// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-load-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

void
bg_dcm_opened_clear(BgDcmOpened *opened)
{
    g_clear_pointer(&opened->stacks, g_ptr_array_unref);
    g_clear_pointer(&opened->images, g_ptr_array_unref);
}

gboolean
bg_dcm_open_series(BgDicomSeries *series, BgDcmOpened *opened, GCancellable *cancellable,
                   GError **error)
{
    *opened = (BgDcmOpened){ 0 };
    opened->images = bg_dcm_read_images((const char *const *) series->files->pdata,
                                        series->files->len, TRUE, cancellable, error);
    if (opened->images == NULL)
        return FALSE;
    opened->stacks = bg_dcm_stacks_new(opened->images);
    for (guint i = 0; i < opened->stacks->len; i++) {
        BgDcmStack *stack = g_ptr_array_index(opened->stacks, i);
        if (strcmp(stack->key, series->key) == 0)
            opened->stack = stack;
    }
    if (opened->stack == NULL) {
        bg_dcm_opened_clear(opened);
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("%s: the files are not those that were scanned: scan them again"),
                    (const char *) g_ptr_array_index(series->files, 0));
        return FALSE;
    }
    return TRUE;
}

static const BgDcmImage *
first_image(const BgDcmStack *stack)
{
    const BgDcmPlace *place = &g_array_index(stack->places, BgDcmPlace, 0);

    for (guint i = 0; place->image < 0; i++)
        place = &g_array_index(stack->places, BgDcmPlace, i);
    return g_ptr_array_index(stack->images, place->image);
}

static const char *
stored_type(const BgDcmPixels *p)
{
    if (bg_dcm_is_colour(p) && p->bits_allocated == 8)
        return p->n_samples == 4 ? "rgba32" : "rgb24";
    if (p->is_float)
        return p->bits_allocated == 64 ? "float64" : "float32";
    switch (p->bits_allocated) {
    case 32:
        return p->is_signed ? "int32" : "uint32";
    case 16:
        return p->is_signed ? "int16" : "uint16";
    default:
        return p->is_signed ? "int8" : "uint8";
    }
}

static char *
text_or_null(const char *text)
{
    return text[0] != '\0' ? g_strdup(text) : NULL;
}

// The file's window is in the values of its own rescaling; ours may be others (SUV, Philips).
static void
set_window(BgFileInfo *info, const BgDcmImage *image)
{
    const BgDcmFrame *frame =
        image->frames->len > 0 ? &g_array_index(image->frames, BgDcmFrame, 0) : NULL;

    if (info->kind != BG_KIND_VOLUME || frame == NULL || !(image->window[1] > 0.0) ||
        frame->display_slope == 0.0)
        return;
    double factor = frame->slope / frame->display_slope;
    double centre = (image->window[0] - frame->display_intercept) * factor + frame->intercept;
    double width = image->window[1] * fabs(factor);
    if (!isfinite(centre) || !isfinite(width) || !(width > 0.0))
        return;
    info->window[0] = centre;
    info->window[1] = width;
}

static void
set_identity(BgFileInfo *info, const BgDcmImage *image)
{
    info->description = text_or_null(image->series_description);
    info->patient_name = text_or_null(image->patient_name);
    info->patient_id = text_or_null(image->patient_id);
    info->patient_birth_date = text_or_null(image->patient_birth_date);
    info->patient_sex = text_or_null(image->patient_sex);
    info->study_uid = text_or_null(image->study_uid);
    info->study_date = text_or_null(image->study_date);
    info->study_time = text_or_null(image->study_time);
    info->study_description = text_or_null(image->study_description);
    info->accession_number = text_or_null(image->accession_number);
    info->series_uid = text_or_null(image->series_uid);
    info->provenance = g_strdup(image->provenance);
    info->frame_of_reference = text_or_null(image->frame_of_reference);
}

BgFileInfo *
bg_dcm_file_info(const BgDcmStack *stack)
{
    const BgDcmImage *image = first_image(stack);
    BgFileInfo *info = bg_file_info_new(image->path);

    info->format = BG_FORMAT_DICOM;
    info->kind_stated = TRUE;
    info->kind = BG_KIND_VOLUME;
    if (image->content == BG_DICOM_CONTENT_SEG || image->content == BG_DICOM_CONTENT_RTSTRUCT)
        info->kind = BG_KIND_LABELS;
    else if (image->content == BG_DICOM_CONTENT_MESH)
        info->kind = BG_KIND_MESH;
    else if (bg_dcm_stack_is_picture(stack))
        info->kind = BG_KIND_IMAGE;
    info->n_frames = MAX(stack->n_frames, 1);
    info->n_components = bg_dcm_is_colour(&image->pixels) ? 3 : 1;
    info->datatype = stored_type(&image->pixels);
    if (stack->geometry.dims[0] > 0) {
        for (int a = 0; a < 3; a++)
            info->dims[a] = stack->geometry.dims[a];
        info->geometry = stack->geometry;
        info->has_geometry = info->kind == BG_KIND_VOLUME;
    }
    info->side_known = stack->side_known;
    info->spacing_unknown = image->spacing_source == BG_DCM_SPACING_NONE &&
                            (info->kind == BG_KIND_VOLUME || info->kind == BG_KIND_IMAGE);
    g_free(info->b_values);
    info->b_values = g_strdup(stack->b_values);
    if (stack->instances != NULL && info->kind == BG_KIND_VOLUME) {
        g_free(info->source_class);
        g_free(info->source_instances);
        info->source_class = text_or_null(image->sop_class);
        info->source_instances = g_strdup(stack->instances);
    }
    info->frame_spacing = stack->frame_spacing_s;
    info->frame_unit = stack->frame_spacing_s > 0.0 ? "s" : NULL;
    bg_file_info_set_modality(info, image->modality, image->unit);
    set_identity(info, image);
    set_window(info, image);
    info->low_is_bright =
        info->kind == BG_KIND_VOLUME && image->pixels.photometric == BG_DCM_MONOCHROME1;
    for (guint i = 0; i < stack->warnings->len; i++)
        bg_file_info_warn(info, "%s", (const char *) g_ptr_array_index(stack->warnings, i));
    return info;
}

static gboolean
refuse_unreadable(const BgDcmStack *stack, GError **error)
{
    const BgDcmImage *image = first_image(stack);
    const char *path = image->path;

    if (image->content == BG_DICOM_CONTENT_NO_PIXELS) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("%s: this DICOM file (%s) has no pixels to show"), path,
                    image->modality[0] != '\0' ? image->modality : "?");
        return FALSE;
    }
    if (image->reason != NULL) {
        gboolean unsupported = image->syntax.coding == BG_DCM_CODING_OTHER;
        g_set_error(error, BG_ERROR, unsupported ? BG_ERROR_UNSUPPORTED : BG_ERROR_CORRUPT,
                    "%s: %s", path, image->reason);
        return FALSE;
    }
    if (stack->badges & BG_DICOM_BADGE_UNREADABLE) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, "%s: %s", path,
                    (const char *) g_ptr_array_index(stack->warnings, stack->warnings->len - 1));
        return FALSE;
    }
    return TRUE;
}

// What only the scan could see: files that are there twice are no longer among the series' own.
static void
add_warnings(BgFileInfo *info, const BgDicomSeries *series)
{
    for (guint i = 0; i < series->warnings->len; i++)
        bg_file_info_warn(info, "%s", (const char *) series->warnings->pdata[i]);
}

BgFileInfo *
bg_dicom_probe_series(BgDicomSeries *series, GCancellable *cancellable, GError **error)
{
    g_auto(BgDcmOpened) opened = { 0 };

    if (!bg_dcm_open_series(series, &opened, cancellable, error) ||
        !refuse_unreadable(opened.stack, error))
        return NULL;
    g_autoptr(BgFileInfo) info = bg_dcm_file_info(opened.stack);
    add_warnings(info, series);
    if (info->kind == BG_KIND_LABELS &&
        first_image(opened.stack)->content == BG_DICOM_CONTENT_SEG) {
        g_autoptr(BgLoaded) loaded = bg_dcm_load_seg(
            first_image(opened.stack), NULL, bg_file_info_copy(info), NULL, cancellable, error);
        if (loaded == NULL)
            return NULL;
        return g_steal_pointer(&loaded->info);
    }
    return g_steal_pointer(&info);
}

static BgLoaded *
finish_volume(BgFileInfo *info, BgVolume *volume, const BgLoadParams *params, GError **error)
{
    BgLoaded *loaded = g_new0(BgLoaded, 1);

    loaded->info = info;
    if (params->as == BG_LOAD_LABELS) {
        loaded->labels = bg_label_map_new_from_volume(volume, error);
        bg_volume_unref(volume);
        info->kind = BG_KIND_LABELS;
        if (loaded->labels == NULL)
            g_clear_pointer(&loaded, bg_loaded_free);
        return loaded;
    }
    info->kind = BG_KIND_VOLUME;
    loaded->volume = volume;
    return loaded;
}

static BgLoaded *
load_picture(const BgDcmStack *stack, BgFileInfo *info, const BgLoadParams *params,
             const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    if (params->as != BG_LOAD_AUTO) {
        BgVolume *volume = bg_dcm_load_volume(stack, params, progress, cancellable, error);
        if (volume == NULL) {
            bg_file_info_free(info);
            return NULL;
        }
        return finish_volume(info, volume, params, error);
    }
    BgImage *image = bg_dcm_load_image(stack, params->frame, error);
    if (image == NULL) {
        bg_file_info_free(info);
        return NULL;
    }
    BgLoaded *loaded = g_new0(BgLoaded, 1);
    loaded->info = info;
    loaded->image = image;
    return loaded;
}

static BgLoaded *
load_content(const BgDcmStack *stack, const BgLoadParams *params, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    const BgDcmImage *image = first_image(stack);
    BgFileInfo *info = bg_dcm_file_info(stack);

    if (image->content == BG_DICOM_CONTENT_SEG)
        return bg_dcm_load_seg(image, NULL, info, progress, cancellable, error);
    if (image->content == BG_DICOM_CONTENT_MESH) {
        BgLoaded *loaded = g_new0(BgLoaded, 1);
        loaded->info = info;
        loaded->mesh = bg_dcm_load_mesh(image, error);
        if (loaded->mesh == NULL)
            g_clear_pointer(&loaded, bg_loaded_free);
        return loaded;
    }
    if (info->kind == BG_KIND_IMAGE)
        return load_picture(stack, info, params, progress, cancellable, error);
    BgVolume *volume = bg_dcm_load_volume(stack, params, progress, cancellable, error);
    if (volume == NULL) {
        bg_file_info_free(info);
        return NULL;
    }
    return finish_volume(info, volume, params, error);
}

BgLoaded *
bg_dicom_load_series(BgDicomSeries *series, const BgLoadParams *params, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    BgLoadParams wanted = params != NULL ? *params : bg_load_params_default();
    g_auto(BgDcmOpened) opened = { 0 };

    if (!bg_dcm_open_series(series, &opened, cancellable, error) ||
        !refuse_unreadable(opened.stack, error))
        return NULL;
    if (first_image(opened.stack)->content == BG_DICOM_CONTENT_RTSTRUCT) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("%s: contours need the series that they were drawn on: load that first"),
                    first_image(opened.stack)->path);
        return NULL;
    }
    if (wanted.frame < 0 || wanted.frame >= MAX(opened.stack->n_frames, 1) ||
        wanted.component < -1 ||
        (wanted.component > 0 &&
         (!bg_dcm_is_colour(&first_image(opened.stack)->pixels) || wanted.component > 2))) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("%s: there is no frame %d or component %d: it has %d frames"),
                    first_image(opened.stack)->path, wanted.frame, wanted.component,
                    opened.stack->n_frames);
        return NULL;
    }
    BgLoaded *loaded = load_content(opened.stack, &wanted, progress, cancellable, error);
    if (loaded != NULL)
        add_warnings(loaded->info, series);
    return loaded;
}

BgLoaded *
bg_dicom_load_labels_on(BgDicomSeries *series, const BgGeometry *geometry,
                        const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_auto(BgDcmOpened) opened = { 0 };

    if (!bg_geometry_check(geometry, error) ||
        !bg_dcm_open_series(series, &opened, cancellable, error) ||
        !refuse_unreadable(opened.stack, error))
        return NULL;
    const BgDcmImage *image = first_image(opened.stack);
    BgFileInfo *info = bg_dcm_file_info(opened.stack);
    if (image->content == BG_DICOM_CONTENT_SEG)
        return bg_dcm_load_seg(image, geometry, info, progress, cancellable, error);
    if (image->content != BG_DICOM_CONTENT_RTSTRUCT) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, _("%s: this holds no labels"),
                    image->path);
        bg_file_info_free(info);
        return NULL;
    }
    BgLoaded *loaded = g_new0(BgLoaded, 1);
    loaded->info = info;
    loaded->labels = bg_dcm_load_rtstruct(image, geometry, info, cancellable, error);
    if (loaded->labels == NULL)
        g_clear_pointer(&loaded, bg_loaded_free);
    return loaded;
}
