// SPDX-License-Identifier: Apache-2.0
// What a network for brain tumours is trained with: slices of many cases, changed a little each time.
#pragma once

#include "bg-tumour-case.h"
#include "core/nn/bg-nn-train.h"

G_BEGIN_DECLS

#define BG_TUMOUR_CLASSES 4
#define BG_TUMOUR_PATCH 33
#define BG_TUMOUR_PATCH_CENTRE 5

/** bg_tumour_labels: what the classes are called in label maps: background, core, oedema, enhancing: 0, 1, 2, 4 */
extern const guint8 bg_tumour_labels[BG_TUMOUR_CLASSES];

/**
 * BgTumourData:
 *
 * Cases are prepared once, as they are added, and kept in a nameless file, mapped: the system holds in
 * memory what fits. Filled by one thread, then read by any number.
 */
typedef struct _BgTumourData BgTumourData;

/**
 * BgTumourDataParams:
 * @crop: side of a sample in pixels, a multiple of 16
 * @per_case: samples a case gives in one epoch
 * @seed: of which slices and places those are in validation
 * @contrasts: which are the input's planes, @n_contrasts of them
 * @entropy: patches: of ten of a class the one whose greys say most
 * @centres: patches: their middle is a second input
 */
typedef struct {
    int crop;
    int per_case;
    guint64 seed;
    BgContrast contrasts[BG_N_CONTRASTS];
    int n_contrasts;
    gboolean entropy, centres;
} BgTumourDataParams;

/** bg_tumour_data_params: 128 pixels, 24 a case, all contrasts */
BgTumourDataParams bg_tumour_data_params(void);

/** bg_tumour_data_new: @folder: where the nameless file lies; Returns: (transfer full): or %NULL with %G_IO_ERROR */
BgTumourData *bg_tumour_data_new(const BgTumourDataParams *params, const char *folder,
                                 GError **error);
void bg_tumour_data_free(BgTumourData *data);

/**
 * bg_tumour_data_add:
 * @patient: cases of one patient are never on both sides of a split
 * @labels: truth by the numbers of BraTS: 1, 2, 4 (3 counts as 4); on any grid
 *
 * Returns: %FALSE with the errors of bg_tumour_case_new(), %BG_ERROR_INVALID: other label numbers;
 *   %G_IO_ERROR: no room
 */
gboolean bg_tumour_data_add(BgTumourData *data, const char *patient,
                            BgVolume *const contrasts[BG_N_CONTRASTS], BgLabelMap *labels,
                            const BgTumourParams *params, GCancellable *cancellable,
                            GError **error);

/**
 * bg_tumour_data_add_phantoms:
 * @params: how they are prepared
 * @seed: phantoms @seed, @seed + 1, ...: every eighth without a tumour, every second without a skull
 * @size: voxels along a side, of 240 mm; of every second and third 0.75 and 0.55 of that
 * @varied: tumours differ as patients' do, but for every fifth head
 */
gboolean bg_tumour_data_add_phantoms(BgTumourData *data, int count, guint64 seed, int size,
                                     gboolean varied, const BgTumourParams *params,
                                     const BgProgress *progress, GCancellable *cancellable,
                                     GError **error);

/**
 * bg_tumour_data_add_folder:
 *
 * Each folder in @path is a patient: a file for each contrast and one of labels, told by their names:
 * t1, t1ce (or t1c, t1gd), t2, flair, and seg or labels, alone or behind the folder's name and "_" or
 * "-"; .nii, .nii.gz, .nrrd, .mha, .h5.
 *
 * Returns: how many cases were found; 0 with @error
 */
int bg_tumour_data_add_folder(BgTumourData *data, const char *path, const BgTumourParams *params,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

int bg_tumour_data_count_cases(const BgTumourData *data);

/**
 * bg_tumour_data_tell_notes: (transfer full) (nullable): for people: contrasts that cases lack, whose
 *   planes are 0, and folders that were left out; a line each, not more than a handful
 */
char *bg_tumour_data_tell_notes(const BgTumourData *data);

/** bg_tumour_data_source: (transfer none): for bg_nn_train(): an input of the contrasts' planes, a target of four classes */
BgNnData bg_tumour_data_source(BgTumourData *data);

/** bg_tumour_data_source_patches: (transfer none): patches of BG_TUMOUR_PATCH pixels a side, for the patch networks, each contrast by its largest size in the slice; as many of each class, by turns, and of the background's every second one beside the tumour; none with more than a quarter of zeros, where the case has others. The target has five classes by BraTS' numbers */
BgNnData bg_tumour_data_source_patches(BgTumourData *data);

/** bg_tumour_data_source_blocks: (transfer none): the same of blocks of crop^3 voxels, for bg_unet3_tumour_graph(): a target for each of its results */
BgNnData bg_tumour_data_source_blocks(BgTumourData *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTumourData, bg_tumour_data_free)

G_END_DECLS
