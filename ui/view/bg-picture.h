// SPDX-License-Identifier: Apache-2.0
// A picture of panes at any size, with what is written over them: for files and the clipboard.
#pragma once

#include "ui/model/bg-session.h"

#include <gdk/gdk.h>

G_BEGIN_DECLS

/** BgPicturePane: which pane; the three planes have the numbers of BgPlane */
typedef enum {
    BG_PICTURE_AXIAL,
    BG_PICTURE_CORONAL,
    BG_PICTURE_SAGITTAL,
    BG_PICTURE_VOLUME,
    BG_PICTURE_ALL, // as the layout Planning has them
} BgPicturePane;

/** BgPicture: what is to be drawn, taken out of the case. Drawn and freed on any thread */
typedef struct _BgPicture BgPicture;

/** bg_picture_new: Returns: (transfer full) (nullable): %NULL when there is nothing to see */
BgPicture *bg_picture_new(BgSession *session, BgPicturePane pane, int width, int height);
void bg_picture_free(BgPicture *picture);

/** bg_picture_get_provenance: (transfer none): a line of JSON */
const char *bg_picture_get_provenance(const BgPicture *picture);

/** bg_picture_draw: (transfer full): RGB, 8 bit; or %NULL with the errors of what draws it */
BgImage *bg_picture_draw(const BgPicture *picture, const BgProgress *progress,
                         GCancellable *cancellable, GError **error);

/** bg_picture_save_async: draws it as a job and writes @path, a PNG; replaces a file that is there */
void bg_picture_save_async(BgSession *session, BgPicture *picture, const char *path);

/** bg_picture_copy_async: draws it as a job and puts it on @clipboard */
void bg_picture_copy_async(BgSession *session, BgPicture *picture, GdkClipboard *clipboard);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPicture, bg_picture_free)

G_END_DECLS
