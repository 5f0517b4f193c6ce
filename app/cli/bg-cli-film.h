// SPDX-License-Identifier: Apache-2.0
// Many pictures in one file.
#pragma once

#include "bg-cli.h"

#include "core/io/bg-gif-write.h"
#include "core/io/bg-webm-write.h"

G_BEGIN_DECLS

/** BgCliFilm: @gif, @webm: owned: one of the two */
typedef struct {
    BgCli *cli;
    const char *path;
    BgGif *gif;
    BgWebm *webm;
} BgCliFilm;

/** bg_cli_is_film: whether a name ends in .gif or .webm */
gboolean bg_cli_is_film(const char *path);

/** bg_cli_film_open: @film: zeros; @path: bg_cli_is_film(), borrowed; @delay_ms: between pictures */
gboolean bg_cli_film_open(BgCliFilm *film, BgCli *cli, const char *path, int delay_ms,
                          GError **error);
gboolean bg_cli_film_add(BgCliFilm *film, BgImage *image, GError **error);
gboolean bg_cli_film_commit(BgCliFilm *film, GError **error);
void bg_cli_film_clear(BgCliFilm *film);

G_END_DECLS
