// SPDX-License-Identifier: Apache-2.0
// bregma-cli anonymize: DICOM files without what tells of the patient. Each file is read and
// rewritten by the child; what is written here is what the child gave.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/decode/bg-decode.h"

#include <errno.h>
#include <string.h>

#define MAX_DEPTH 64
#define NAMED_FILES 8
#define MIN_DICOM_BYTES 132 // a preamble and "DICM"

static const BgCliOption options[] = {
    { "keep", BG_CLI_VALUE,
      "=WORDS  uids, dates, device, institution, characteristics, descriptions, graphics: what stays, "
      "with commas between" },
    { "name", BG_CLI_VALUE, "=NAME  of the patient in the new files; Anonymous unless given" },
    { "id", BG_CLI_VALUE, "=ID  of the patient; a code of the old one unless given" },
    { "uid-map", BG_CLI_PATH, "=FILE  gets old and new UIDs and ids as CSV: keep it apart" },
    { NULL },
};

typedef struct {
    BgJson *request;
    GPtrArray *files;
    GHashTable *removed, *replaced; // tags
    GHashTable *map;                // old -> new
    GPtrArray *burned;              // names of new files
    GPtrArray *damaged;             // what is wrong with files that were left out
    gsize n_files, n_skipped;
} Job;

static gboolean
set_options(BgCli *cli, Job *job, GError **error)
{
    static const char *const words[] = { "uids",        "dates",           "device",
                                         "institution", "characteristics", "descriptions",
                                         "graphics" };
    BgJson *json = bg_json_new_object();
    g_auto(GStrv) kept =
        g_strsplit(bg_cli_has(cli, "keep") ? bg_cli_option(cli, "keep") : "", ",", 32);
    g_autofree char *chance = g_uuid_string_random();
    g_autofree char *seed = g_strdup_printf("%" G_GINT64_FORMAT, (gint64) cli->seed);

    bg_json_set(job->request, "options", json);
    for (char **word = kept; *word != NULL; word++) {
        gboolean known = FALSE;
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
            g_autofree char *name = g_strconcat("keep_", words[i], NULL);
            if (strcmp(words[i], *word) != 0)
                continue;
            bg_json_set_boolean(json, name, TRUE);
            known = TRUE;
        }
        if (!known && **word != '\0') {
            bg_cli_usage_error(error, "what to keep: --keep=%s: there is no “%s”",
                               bg_cli_option(cli, "keep"), *word);
            return FALSE;
        }
    }
    if (bg_cli_has(cli, "name"))
        bg_json_set_string(json, "patient_name", bg_cli_option(cli, "name"));
    if (bg_cli_has(cli, "id"))
        bg_json_set_string(json, "patient_id", bg_cli_option(cli, "id"));
    bg_json_set_string(json, "salt", cli->seed != 0 ? seed : chance);
    bg_json_set_string(job->request, "op", "anonymize");
    return TRUE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

// Links are not followed: they could lead anywhere.
static gboolean
list_files(const char *path, GPtrArray *files, int depth, GError **error)
{
    const char *name;

    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_ptr_array_add(files, g_canonicalize_filename(path, NULL));
        return TRUE;
    }
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    if (dir == NULL)
        return FALSE;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_SYMLINK))
            continue;
        if (g_file_test(inner, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(files, g_canonicalize_filename(inner, NULL));
        else if (depth < MAX_DEPTH && g_file_test(inner, G_FILE_TEST_IS_DIR) &&
                 !list_files(inner, files, depth + 1, error))
            return FALSE;
    }
    return TRUE;
}

static void
take_tags(GHashTable *tags, const BgJson *array)
{
    for (gsize i = 0; i < bg_json_count(array); i++)
        g_hash_table_add(tags,
                         GUINT_TO_POINTER((guint) bg_json_to_integer(bg_json_at(array, i), 0)));
}

static void
take_pair(Job *job, const char *from, const char *to)
{
    if (from != NULL && to != NULL && from[0] != '\0')
        g_hash_table_insert(job->map, g_strdup(from), g_strdup(to));
}

static void
take_report(Job *job, const BgJson *json, const char *name)
{
    const BgJson *uids = bg_json_get(json, "uids");

    take_tags(job->removed, bg_json_get(json, "removed"));
    take_tags(job->replaced, bg_json_get(json, "replaced"));
    for (gsize i = 0; i + 1 < bg_json_count(uids); i += 2)
        take_pair(job, bg_json_to_string(bg_json_at(uids, i), NULL),
                  bg_json_to_string(bg_json_at(uids, i + 1), NULL));
    take_pair(job, bg_json_to_string(bg_json_get(json, "old_id"), NULL),
              bg_json_to_string(bg_json_get(json, "new_id"), NULL));
    if (bg_json_to_boolean(bg_json_get(json, "burned_in"), TRUE))
        g_ptr_array_add(job->burned, g_strdup(name));
}

static gboolean
do_file(BgCli *cli, Job *job, const char *path, const char *folder, GError **error)
{
    g_autofree char *uri = g_filename_to_uri(path, NULL, error);
    g_autofree char *name = g_strdup_printf("%06zu.dcm", job->n_files + 1);
    g_autofree char *out = g_build_filename(folder, name, NULL);
    g_autoptr(GError) failed = NULL;

    if (uri == NULL)
        return FALSE;
    bg_json_set_string(job->request, "uri", uri);
    g_autoptr(BgDecodeReply) reply =
        bg_decode_ask(job->request, NULL, NULL, cli->cancellable, &failed);
    if (reply == NULL && g_error_matches(failed, BG_ERROR, BG_ERROR_UNSUPPORTED)) {
        job->n_skipped++; // no DICOM, or a directory of it
        return TRUE;
    }
    if (reply == NULL && g_error_matches(failed, BG_ERROR, BG_ERROR_CORRUPT)) {
        g_ptr_array_add(job->damaged, g_steal_pointer(&failed->message));
        return TRUE; // nothing of it is written, and the result says so
    }
    if (reply == NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&failed), "cannot anonymize: %s: ", path);
        return FALSE;
    }
    gsize n_bytes = 0;
    const guint8 *bytes =
        reply->parts->len == 1 ? g_bytes_get_data(reply->parts->pdata[0], &n_bytes) : NULL;
    if (n_bytes < MIN_DICOM_BYTES || memcmp(bytes + 128, "DICM", 4) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_DECODER,
                    "cannot anonymize: %s: the child's answer is "
                    "damaged: try again",
                    path);
        return FALSE;
    }
    if (!bg_output_replace(out, cli->force, bytes, n_bytes, error))
        return FALSE;
    take_report(job, reply->json, name);
    job->n_files++;
    return TRUE;
}

static int
compare_tags(gconstpointer a, gconstpointer b)
{
    guint x = GPOINTER_TO_UINT(a), y = GPOINTER_TO_UINT(b);

    return x < y ? -1 : x > y;
}

static BgJson *
name_tags(GHashTable *tags)
{
    BgJson *array = bg_json_new_array();
    GList *keys = g_list_sort(g_hash_table_get_keys(tags), compare_tags);

    for (GList *l = keys; l != NULL; l = l->next) {
        guint tag = GPOINTER_TO_UINT(l->data);
        g_autofree char *name = g_strdup_printf("(%04x,%04x)", tag >> 16, tag & 0xffff);
        bg_json_append(array, bg_json_new_string(name));
    }
    g_list_free(keys);
    return array;
}

static gboolean
write_map(BgCli *cli, const Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "uid-map");
    g_autoptr(GString) text = g_string_new("old,new\n");
    GList *keys;

    if (path == NULL)
        return TRUE;
    keys = g_list_sort(g_hash_table_get_keys(job->map), (GCompareFunc) strcmp);
    for (GList *l = keys; l != NULL; l = l->next) {
        g_auto(GStrv) parts = g_strsplit(l->data, "\"", -1);
        g_autofree char *quoted = g_strjoinv("\"\"", parts);
        g_string_append_printf(text, "\"%s\",%s\n", quoted,
                               (const char *) g_hash_table_lookup(job->map, l->data));
    }
    g_list_free(keys);
    return bg_output_replace(path, cli->force, text->str, text->len, error);
}

static void
set_result(BgCli *cli, const Job *job)
{
    BgJson *warnings = bg_json_new_array();

    bg_json_set_integer(cli->result, "n_files", (gint64) job->n_files);
    bg_json_set_integer(cli->result, "n_skipped", (gint64) job->n_skipped);
    bg_json_set_integer(cli->result, "n_damaged", (gint64) job->damaged->len);
    bg_json_set(cli->result, "removed", name_tags(job->removed));
    bg_json_set(cli->result, "replaced", name_tags(job->replaced));
    for (guint i = 0; i < job->damaged->len; i++) {
        g_autofree char *text = g_strdup_printf("Left out: %s", (char *) job->damaged->pdata[i]);
        bg_json_append(warnings, bg_json_new_string(text));
    }
    if (job->burned->len > 0) {
        g_autoptr(GString) names = g_string_new(NULL);
        for (guint i = 0; i < job->burned->len && i < NAMED_FILES; i++)
            g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                                   (char *) job->burned->pdata[i]);
        g_autofree char *text = g_strdup_printf(
            "The pixels of %u files may hold burned-in text, which nobody looked for: %s%s",
            job->burned->len, names->str, job->burned->len > NAMED_FILES ? ", ..." : "");
        bg_json_append(warnings, bg_json_new_string(text));
    }
    if (bg_cli_has(cli, "keep") && strstr(bg_cli_option(cli, "keep"), "descriptions") != NULL)
        bg_json_append(warnings, bg_json_new_string("Descriptions were kept and not read: they may "
                                                    "name the patient"));
    if (bg_cli_has(cli, "keep") && strstr(bg_cli_option(cli, "keep"), "graphics") != NULL)
        bg_json_append(warnings, bg_json_new_string("Overlays were kept: they may show a name"));
    bg_json_set(cli->result, "warnings", warnings);
}

// Files of another patient must not lie among the new ones.
static gboolean
make_folder(const BgCli *cli, const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot make the folder: %s: %s", folder, g_strerror(errno));
        return FALSE;
    }
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (dir == NULL)
        return FALSE;
    if (!cli->force && g_dir_read_name(dir) != NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "cannot anonymize: %s: the folder is not empty. Name another one, or give "
                    "--force to write among its files",
                    folder);
        return FALSE;
    }
    return TRUE;
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *folder = bg_cli_arg(cli, 1);

    if (!set_options(cli, job, error) || !list_files(bg_cli_arg(cli, 0), job->files, 0, error))
        return FALSE;
    g_ptr_array_sort(job->files, compare_names);
    if (!make_folder(cli, folder, error))
        return FALSE;
    for (guint i = 0; i < job->files->len; i++) {
        if (!do_file(cli, job, job->files->pdata[i], folder, error))
            return FALSE;
        bg_progress_report(&cli->progress, (i + 1.0) / job->files->len);
    }
    if (job->n_files == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot anonymize: %s: there is no DICOM file", bg_cli_arg(cli, 0));
        return FALSE;
    }
    if (!write_map(cli, job, error))
        return FALSE;
    set_result(cli, job);
    return TRUE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    Job job = { .request = bg_json_new_object(),
                .files = g_ptr_array_new_with_free_func(g_free),
                .damaged = g_ptr_array_new_with_free_func(g_free),
                .burned = g_ptr_array_new_with_free_func(g_free),
                .removed = g_hash_table_new(NULL, NULL),
                .replaced = g_hash_table_new(NULL, NULL),
                .map = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    gboolean ok = run_job(cli, &job, error);

    bg_json_free(job.request);
    g_ptr_array_unref(job.files);
    g_ptr_array_unref(job.burned);
    g_ptr_array_unref(job.damaged);
    g_hash_table_unref(job.removed);
    g_hash_table_unref(job.replaced);
    g_hash_table_unref(job.map);
    return ok;
}

const BgCliCommand bg_cli_command_anonymize = {
    .name = "anonymize",
    .arguments = "IN DIR [--keep=WORDS] [--name=NAME] [--id=ID] [--uid-map=FILE] [--force]",
    .summary = "DICOM without what tells of the patient: PS3.15 basic profile",
    .min_args = 2,
    .max_args = 2,
    .path_args = 3u,
    .output_arg = -1,
    .options = options,
    .run = run,
};
