// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-film.h"

static gboolean
has_suffix(const char *path, const char *suffix)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);

    return g_str_has_suffix(lower, suffix);
}

gboolean
bg_cli_is_film(const char *path)
{
    return has_suffix(path, ".gif") || has_suffix(path, ".webm");
}

gboolean
bg_cli_film_open(BgCliFilm *film, BgCli *cli, const char *path, int delay_ms, GError **error)
{
    g_autofree char *provenance = bg_cli_provenance(cli, error);

    *film = (BgCliFilm){ .cli = cli, .path = path };
    if (provenance == NULL)
        return FALSE;
    if (has_suffix(path, ".gif"))
        film->gif = bg_gif_new(path, cli->force, delay_ms, provenance, error);
    else
        film->webm = bg_webm_new(path, cli->force, delay_ms, provenance, error);
    return (film->gif != NULL || film->webm != NULL) || bg_cli_wrote(cli, FALSE, path, error);
}

gboolean
bg_cli_film_add(BgCliFilm *film, BgImage *image, GError **error)
{
    gboolean ok = film->gif != NULL ? bg_gif_add(film->gif, image, error)
                                    : bg_webm_add(film->webm, image, error);

    return ok || bg_cli_wrote(film->cli, FALSE, film->path, error);
}

gboolean
bg_cli_film_commit(BgCliFilm *film, GError **error)
{
    gboolean ok =
        film->gif != NULL ? bg_gif_commit(film->gif, error) : bg_webm_commit(film->webm, error);

    return bg_cli_wrote(film->cli, ok, film->path, error);
}

void
bg_cli_film_clear(BgCliFilm *film)
{
    g_clear_pointer(&film->gif, bg_gif_free);
    g_clear_pointer(&film->webm, bg_webm_free);
}
