// SPDX-License-Identifier: Apache-2.0
// bregma-cli: what the window does, without one.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_INTERVAL_US 200000

#define EXIT_USAGE 2
#define EXIT_CANCELLED 130 // 128 + SIGINT, as a shell has it

// clang-format off: one a line, so that commands come and go apart
static const BgCliCommand *const commands[] = {
    &bg_cli_command_info,         &bg_cli_command_convert,   &bg_cli_command_slice,
    &bg_cli_command_filter,       &bg_cli_command_render,    &bg_cli_command_mesh,
    &bg_cli_command_mesh_compare, &bg_cli_command_phantom,   &bg_cli_command_provenance,
    &bg_cli_command_again,        &bg_cli_command_self_test, &bg_cli_command_bench,
    &bg_cli_command_register,     &bg_cli_command_landmarks, &bg_cli_command_evaluate,
    &bg_cli_command_fuse,         &bg_cli_command_calibrate, &bg_cli_command_models,
    &bg_cli_command_anonymize,    &bg_cli_command_train,     &bg_cli_command_segment,
    &bg_cli_command_montage,      &bg_cli_command_lesion,    &bg_cli_command_report,
    &bg_cli_command_mesh_check,
};
// clang-format on

const BgCliCommand *const *
bg_cli_get_commands(gsize *n)
{
    *n = G_N_ELEMENTS(commands);
    return commands;
}

const BgCliCommand *
bg_cli_find_command(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        gsize length = strlen(commands[i]->name);
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        if (strncmp(commands[i]->name, name, length) == 0 && name[length] == ' ')
            return bg_cli_find_verb(commands[i], name + length + 1);
    }
    return NULL;
}

const BgCliCommand *
bg_cli_find_verb(const BgCliCommand *command, const char *verb)
{
    gsize length = strlen(command->name) + 1;

    for (gsize i = 0; command->verbs != NULL && command->verbs[i] != NULL; i++)
        if (strcmp(command->verbs[i]->name + length, verb) == 0)
            return command->verbs[i];
    return NULL;
}

typedef struct {
    gint64 start_us;
    gint64 shown_us; // protected by lock
    gboolean shown;  // protected by lock
    GMutex lock;
} Meter;

static Meter meter;

// Called from any thread, very often.
static void
on_progress(double fraction, gpointer user_data)
{
    gint64 now = g_get_monotonic_time();

    if (!g_mutex_trylock(&meter.lock))
        return;
    if (now - meter.shown_us >= PROGRESS_INTERVAL_US &&
        now - meter.start_us >= 2 * PROGRESS_INTERVAL_US) {
        double elapsed = (double) (now - meter.start_us) / 1e6;
        meter.shown_us = now;
        meter.shown = TRUE;
        if (fraction > 0.01)
            g_printerr("\r%3.0f %%, %.0f s left ", 100.0 * fraction,
                       elapsed * (1.0 - fraction) / fraction);
        else
            g_printerr("\r%3.0f %% ", 100.0 * fraction);
    }
    g_mutex_unlock(&meter.lock);
}

static void
clear_progress(void)
{
    if (meter.shown)
        g_printerr("\r%*s\r", 30, "");
}

// Waits for SIGINT instead of being interrupted by it: cancelling takes locks.
static gpointer
wait_for_interrupt(gpointer data)
{
    GCancellable *cancellable = data;
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    while (sigwait(&signals, &number) == 0)
        g_cancellable_cancel(cancellable);
    return NULL;
}

// Before any other thread is there, so that all of them leave the signals to the one that waits.
static void
catch_interrupt(GCancellable *cancellable)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    g_thread_unref(g_thread_new("interrupt", wait_for_interrupt, cancellable));
}

BgBackend *
bg_cli_get_backend(BgCli *cli)
{
    if (cli->device == NULL)
        cli->device = bg_backend_open(cli->backend, NULL);
    if (cli->device == NULL) // "auto" and "cpu" cannot fail, "cuda" was asked before
        return bg_backend_get_cpu();
    cli->engine = bg_backend_get_name(cli->device);
    return cli->device;
}

gboolean
bg_cli_get_engine(BgCli *cli, BgEngine *engine, GError **error)
{
    static const char *const names[] = { "float32", "bf16", "tf32", NULL };
    int which = BG_NN_FLOAT32;

    if (!bg_cli_get_choice(cli, "precision", names, &which, error))
        return FALSE;
    *engine = (BgEngine){ bg_cli_get_backend(cli), (BgNnPrecision) which };
    return TRUE;
}

void
bg_cli_set_engine(BgCli *cli, const BgEngine *engine, const char *ran_on)
{
    gboolean cpu = strcmp(ran_on, "cpu") == 0;
    gboolean exact = cpu && engine->precision == BG_NN_TF32;

    bg_json_set_string(cli->result, "precision",
                       bg_precision_name(exact ? BG_NN_FLOAT32 : engine->precision));
    bg_json_set_string(cli->result, "backend", ran_on);
    cli->engine = ran_on;
    if (exact)
        bg_cli_doubt(cli, "--precision=tf32 is for graphics cards: computed in float32");
    else if (cpu && engine->precision == BG_NN_BFLOAT16 && !bg_nn_cpu_has_bfloat())
        bg_cli_doubt(cli, "this processor has no AMX: bf16 takes longer here than float32");
}

// A card that was asked for by name must be there, whether the command uses it or not.
static gboolean
check_backend(BgCli *cli, GError **error)
{
    if (strcmp(cli->backend, "cuda") != 0)
        return TRUE;
    cli->device = bg_backend_open("cuda", error);
    if (cli->device == NULL)
        g_prefix_error(error, "not available: --backend=cuda: ");
    return cli->device != NULL;
}

// What the command was about: its arguments, or the files that options name, the output left out.
static char *
name_inputs(const BgCli *cli)
{
    g_autoptr(GString) names = g_string_new(NULL);

    if (cli->arguments->len > 0)
        return g_strdup(bg_cli_arg(cli, 0));
    for (const BgCliOption *o = cli->command->options; o != NULL && o->name != NULL; o++) {
        const char *value = o->kind == BG_CLI_PATH ? bg_cli_option(cli, o->name) : NULL;
        if (value == NULL || g_strcmp0(o->name, cli->command->output_option) == 0)
            continue;
        g_string_append_printf(names, "%s--%s=%s", names->len > 0 ? " " : "", o->name, value);
    }
    return names->len > 0 ? g_string_free(g_steal_pointer(&names), FALSE)
                          : g_strdup("built-in data");
}

// What, which, what to do: a message of core says the last two at best, so the first is put before it.
static void
complete_message(const BgCli *cli, GError **error)
{
    if (error == NULL || *error == NULL || (*error)->domain == BG_CLI_ERROR)
        return;

    const char *first = strstr((*error)->message, ": ");
    if (first != NULL && strstr(first + 2, ": ") != NULL)
        return;
    g_autofree char *names = name_inputs(cli);
    g_prefix_error(error, "%s failed: %s: ", cli->command->name, names);
}

// What was given and made no difference is said: it was given for a reason.
static void
tell_idle_options(BgCli *cli)
{
    for (guint i = 0; i + 1 < cli->options->len; i += 2) {
        const char *name = cli->options->pdata[i];
        if (!g_hash_table_contains(cli->asked, name))
            bg_cli_doubt(cli, "--%s makes no difference here: it was not used", name);
    }
}

gboolean
bg_cli_run(BgCli *cli, GError **error)
{
    if (check_backend(cli, error) && cli->command->run(cli, error)) {
        tell_idle_options(cli);
        return TRUE;
    }
    complete_message(cli, error);
    return FALSE;
}

static void
print_version(const BgCli *cli)
{
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *backends = bg_json_new_array();
    g_autofree char *glib =
        g_strdup_printf("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);

    bg_json_append(backends, bg_json_new_string("cpu"));
    bg_json_set_integer(json, "schema", 1);
    bg_json_set_string(json, "version", BG_VERSION);
    bg_json_set(json, "backends", backends);
    bg_json_set_integer(json, "threads", bg_parallel_count_threads());
    bg_json_set_string(json, "glib", glib);
    if (cli->json) {
        g_autofree char *text = bg_json_print(json, TRUE);
        g_print("%s\n", text);
    } else {
        g_print("bregma-cli %s\nbackends: cpu\nlibraries: GLib %s\n", BG_VERSION, glib);
    }
}

// One line, whatever the message holds.
static int
report(const BgCli *cli, const GError *error)
{
    g_autofree char *message = g_strdelimit(g_strdup(error->message), "\r\n", ' ');

    clear_progress();
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_printerr("bregma-cli: stopped\n");
        return EXIT_CANCELLED;
    }
    g_printerr("bregma-cli: %s\n", message);
    if (error->domain != BG_CLI_ERROR)
        return EXIT_FAILURE;

    g_autofree char *usage = bg_cli_usage_line(cli->command);
    g_printerr("%s\n", usage);
    return EXIT_USAGE;
}

static int
run(BgCli *cli, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (!bg_cli_parse(cli, argv, &error))
        return report(cli, error);
    if (cli->help) {
        bg_cli_print_help(cli->command);
        return EXIT_SUCCESS;
    }
    if (cli->version) {
        print_version(cli);
        return EXIT_SUCCESS;
    }
    if (!cli->quiet && isatty(STDERR_FILENO))
        cli->progress.report = on_progress;
    meter.start_us = g_get_monotonic_time();
    if (!bg_cli_run(cli, &error))
        return report(cli, error);

    clear_progress();
    for (guint i = 0; i < cli->doubts->len; i++)
        g_printerr("bregma-cli: warning: %s\n", (char *) cli->doubts->pdata[i]);
    if (cli->json) {
        g_autofree char *text = bg_json_print(cli->result, TRUE);
        g_print("%s\n", text);
    } else {
        bg_cli_print_table(cli->result);
    }
    return cli->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");

    BgCli *cli = bg_cli_new();
    cli->cancellable = g_cancellable_new();
    catch_interrupt(g_object_ref(cli->cancellable)); // its thread keeps it to the end
    int status = run(cli, argv + (argc > 0 ? 1 : 0));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        g_printerr("bregma-cli: cannot write: standard output: %s. Choose another place\n",
                   g_strerror(errno));
        status = EXIT_FAILURE;
    }
    bg_cli_free(cli);
    return status;
}
