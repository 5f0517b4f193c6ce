// SPDX-License-Identifier: Apache-2.0
// Whose a file is that does not say so itself: what its provenance says it was made of.
#include "bg-cli.h"

#include "core/base/bg-hash.h"
#include "core/case/bg-provenance.h"

#define DEEPEST 8 // files made of files made of files
#define MOST 8    // of the files that one was made of, the first

// The heads that `phantom` makes are people, too: by their seeds.
static BgFileInfo *
made_up(const BgProvenance *provenance)
{
    if (!g_str_equal(bg_provenance_get_command(provenance), "phantom"))
        return NULL;
    g_autofree char *command = g_strdup("bregma-cli phantom");
    BgFileInfo *info = bg_file_info_new(command);
    info->patient_name = g_strdup("made up");
    info->patient_id =
        g_strdup_printf("seed %" G_GINT64_FORMAT, bg_provenance_get_seed(provenance));
    return info;
}

// The file that was read then, where it is still there and the same.
static BgFileInfo *
find_input(const BgCli *cli, const BgProvenance *provenance, gsize index)
{
    const char *path = bg_provenance_get_input_path(provenance, index);
    const char *then = bg_provenance_get_input_sha256(provenance, index);

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    g_autofree char *now = then != NULL ? bg_hash_file(path, NULL, cli->cancellable, NULL) : NULL;
    return now != NULL && g_str_equal(now, then) ? bg_io_probe(path, cli->cancellable, NULL) : NULL;
}

// The first file on the way back that says whose it is. @last: (nullable): where that way of the first ones ends.
static BgFileInfo *
trace(const BgCli *cli, const BgFileInfo *info, int depth, char **last)
{
    g_autoptr(BgProvenance) provenance =
        info->provenance != NULL ? bg_provenance_parse(info->provenance, -1, NULL) : NULL;
    BgFileInfo *found = provenance != NULL ? made_up(provenance) : NULL;

    for (gsize i = 0; provenance != NULL && found == NULL && depth < DEEPEST && i < MOST &&
                      i < bg_provenance_count_inputs(provenance);
         i++) {
        if (i == 0 && last != NULL) {
            g_free(*last);
            *last = g_strdup(bg_provenance_get_input_path(provenance, i));
        }
        g_autoptr(BgFileInfo) input = find_input(cli, provenance, i);
        if (input == NULL)
            continue;
        if (bg_cli_knows_patient(input))
            found = g_steal_pointer(&input);
        else
            found = trace(cli, input, depth + 1, i == 0 ? last : NULL);
    }
    return found;
}

BgFileInfo *
bg_cli_trace_patient(BgCli *cli, const BgFileInfo *info, char **made_of)
{
    BgFileInfo *copy = bg_file_info_copy(info);

    *made_of = NULL;
    g_autofree char *last = NULL;
    g_autoptr(BgFileInfo) origin = bg_cli_knows_patient(info) ? NULL : trace(cli, info, 0, &last);

    if (origin == NULL) {
        *made_of = g_steal_pointer(&last);
        return copy;
    }
    char *path = g_strdup_printf("%s (made by way of %s)", info->path, origin->path);
    g_free(copy->path);
    copy->path = path;
    g_free(copy->patient_name); // may be there, and empty
    g_free(copy->patient_id);
    g_free(copy->patient_birth_date);
    g_free(copy->patient_sex);
    copy->patient_name = g_steal_pointer(&origin->patient_name);
    copy->patient_id = g_steal_pointer(&origin->patient_id);
    copy->patient_birth_date = g_steal_pointer(&origin->patient_birth_date);
    copy->patient_sex = g_steal_pointer(&origin->patient_sex);
    return copy;
}
