// SPDX-License-Identifier: Apache-2.0
#include "bg-cli.h"

#include "core/base/bg-parallel.h"

#include <string.h>

G_DEFINE_QUARK(bg_cli_error, bg_cli_error)

// Understood before and after the command's name.
static const BgCliOption global_options[] = {
    { "backend", BG_CLI_VALUE, "=auto|cpu|cuda  who computes" },
    { "force", BG_CLI_FLAG, "replace files that are there" },
    { "help", BG_CLI_FLAG, "this text" },
    { "json", BG_CLI_FLAG, "one JSON object on stdout" },
    { "quiet", BG_CLI_FLAG, "no progress line" },
    { "seed", BG_CLI_VALUE, "=N  of random numbers" },
    { "space", BG_CLI_VALUE, "=lps|ras  of coordinates in and out" },
    { "threads", BG_CLI_VALUE, "=N  how many to use; 0: all" },
    { "version", BG_CLI_FLAG, "version, backends and libraries" },
    { NULL },
};

void
bg_cli_usage_error(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, BG_CLI_ERROR, BG_CLI_ERROR_USAGE, message);
}

BgCli *
bg_cli_new(void)
{
    BgCli *cli = g_new0(BgCli, 1);

    cli->arguments = g_ptr_array_new_with_free_func(g_free);
    cli->options = g_ptr_array_new_with_free_func(g_free);
    cli->inputs = g_ptr_array_new_with_free_func(g_free);
    cli->doubts = g_ptr_array_new_with_free_func(g_free);
    cli->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    cli->result = bg_json_new_object();
    bg_json_set_integer(cli->result, "schema", 1);
    cli->backend = g_strdup("auto");
    cli->engine = "cpu";
    return cli;
}

void
bg_cli_free(BgCli *cli)
{
    g_ptr_array_unref(cli->arguments);
    g_ptr_array_unref(cli->options);
    g_ptr_array_unref(cli->inputs);
    g_ptr_array_unref(cli->doubts);
    g_hash_table_unref(cli->asked);
    g_free(cli->series_path);
    bg_file_info_free(cli->subject);
    bg_json_free(cli->result);
    g_clear_object(&cli->cancellable);
    g_clear_pointer(&cli->device, bg_backend_free);
    g_free(cli->backend);
    g_free(cli);
}

static const BgCliOption *
find_in(const BgCliOption *options, const char *name, gsize length)
{
    for (; options != NULL && options->name != NULL; options++)
        if (strlen(options->name) == length && strncmp(options->name, name, length) == 0)
            return options;
    return NULL;
}

static gboolean
set_global(BgCli *cli, const char *name, const char *value, GError **error)
{
    guint64 threads;

    if (strcmp(name, "json") == 0) {
        cli->json = TRUE;
    } else if (strcmp(name, "quiet") == 0) {
        cli->quiet = TRUE;
    } else if (strcmp(name, "force") == 0) {
        cli->force = TRUE;
    } else if (strcmp(name, "help") == 0) {
        cli->help = TRUE;
    } else if (strcmp(name, "version") == 0) {
        cli->version = TRUE;
    } else if (strcmp(name, "space") == 0) {
        if (strcmp(value, "lps") != 0 && strcmp(value, "ras") != 0) {
            bg_cli_usage_error(error, "no such space: --space=%s: give lps or ras", value);
            return FALSE;
        }
        cli->ras = strcmp(value, "ras") == 0;
    } else if (strcmp(name, "seed") == 0) {
        if (!g_ascii_string_to_signed(value, 10, 0, G_MAXINT64, &cli->seed, NULL)) {
            bg_cli_usage_error(error, "not a whole number: --seed=%s: give 0 or more", value);
            return FALSE;
        }
    } else if (strcmp(name, "threads") == 0) {
        if (!g_ascii_string_to_unsigned(value, 10, 0, 64, &threads, NULL)) {
            bg_cli_usage_error(error, "not a number of threads: --threads=%s: give 0 to 64", value);
            return FALSE;
        }
        bg_parallel_set_threads((guint) threads);
    } else if (strcmp(name, "backend") == 0) {
        if (strcmp(value, "auto") != 0 && strcmp(value, "cpu") != 0 && strcmp(value, "cuda") != 0) {
            bg_cli_usage_error(error, "no such backend: --backend=%s: give auto, cpu or cuda",
                               value);
            return FALSE;
        }
        g_free(cli->backend);
        cli->backend = g_strdup(value);
    }
    return TRUE;
}

// @argument: "--name", "--name=value"; @next: the argument behind it; @used_next: (out)
static gboolean
parse_option(BgCli *cli, const char *argument, const char *next, gboolean *used_next,
             GError **error)
{
    gboolean is_short_output = strcmp(argument, "-o") == 0;
    const char *name = is_short_output ? "output" : argument + 2;
    const char *equals = strchr(name, '=');
    gsize length = equals != NULL ? (gsize) (equals - name) : strlen(name);
    const BgCliOption *global = find_in(global_options, name, length);
    const BgCliOption *option =
        global != NULL ? global
                       : find_in(cli->command != NULL ? cli->command->options : NULL, name, length);
    const char *value = equals != NULL ? equals + 1 : NULL;

    *used_next = FALSE;
    if (option == NULL) {
        bg_cli_usage_error(error, "unknown option: %s: see bregma-cli %s--help", argument,
                           cli->command != NULL ? "COMMAND " : "");
        return FALSE;
    }
    if (option->kind == BG_CLI_FLAG) {
        if (value != NULL) {
            bg_cli_usage_error(error, "takes no value: %s: write --%s", argument, option->name);
            return FALSE;
        }
        value = "";
    } else if (value == NULL) {
        if (next == NULL) {
            bg_cli_usage_error(error, "a value is missing: %s: write --%s=VALUE", argument,
                               option->name);
            return FALSE;
        }
        value = next;
        *used_next = TRUE;
    }
    if (global != NULL)
        return set_global(cli, option->name, value, error);

    g_ptr_array_add(cli->options, g_strdup(option->name));
    g_ptr_array_add(cli->options, g_strdup(value));
    return TRUE;
}

static gboolean
take_command(BgCli *cli, const char *name, GError **error)
{
    cli->command = bg_cli_find_command(name);
    if (cli->command == NULL)
        bg_cli_usage_error(error, "unknown command: %s: see bregma-cli --help", name);
    return cli->command != NULL;
}

static gboolean
take_verb(BgCli *cli, const char *verb, GError **error)
{
    const BgCliCommand *found = bg_cli_find_verb(cli->command, verb);

    if (found == NULL)
        bg_cli_usage_error(error, "unknown: %s %s: see bregma-cli %s --help", cli->command->name,
                           verb, cli->command->name);
    else
        cli->command = found;
    return found != NULL;
}

static gboolean
check_count(const BgCli *cli, GError **error)
{
    int n = (int) cli->arguments->len;

    if (cli->command->verbs != NULL)
        bg_cli_usage_error(error, "do what: %s: see bregma-cli %s --help", cli->command->name,
                           cli->command->name);
    else if (n < cli->command->min_args)
        bg_cli_usage_error(error, "too few arguments: %s needs %d and has %d: see its usage",
                           cli->command->name, cli->command->min_args, n);
    else if (n > cli->command->max_args)
        bg_cli_usage_error(error, "too many arguments: %s: %s takes %d at most",
                           bg_cli_arg(cli, (guint) cli->command->max_args), cli->command->name,
                           cli->command->max_args);
    else
        return TRUE;
    return FALSE;
}

gboolean
bg_cli_parse(BgCli *cli, char **argv, GError **error)
{
    gboolean only_arguments = FALSE;

    for (int i = 0; argv[i] != NULL; i++) {
        const char *argument = argv[i];
        if (!only_arguments && strcmp(argument, "--") == 0) {
            only_arguments = TRUE;
        } else if (!only_arguments && strcmp(argument, "-h") == 0) {
            cli->help = TRUE;
        } else if (!only_arguments &&
                   (g_str_has_prefix(argument, "--") || strcmp(argument, "-o") == 0)) {
            gboolean used_next;
            if (!parse_option(cli, argument, argv[i + 1], &used_next, error))
                return FALSE;
            i += used_next;
        } else if (cli->command == NULL) {
            if (!take_command(cli, argument, error))
                return FALSE;
        } else if (cli->command->verbs != NULL) {
            if (!take_verb(cli, argument, error))
                return FALSE;
        } else {
            g_ptr_array_add(cli->arguments, g_strdup(argument));
        }
    }
    if (cli->help || cli->version)
        return TRUE;
    if (cli->command == NULL) {
        bg_cli_usage_error(error, "no command: nothing to do: see bregma-cli --help");
        return FALSE;
    }
    return check_count(cli, error);
}

const char *
bg_cli_arg(const BgCli *cli, guint index)
{
    return index < cli->arguments->len ? cli->arguments->pdata[index] : NULL;
}

const char *
bg_cli_option(const BgCli *cli, const char *name)
{
    const char *value = NULL;

    g_hash_table_add(cli->asked, g_strdup(name));
    for (guint i = 0; i + 1 < cli->options->len; i += 2)
        if (strcmp(cli->options->pdata[i], name) == 0)
            value = cli->options->pdata[i + 1];
    return value;
}

gboolean
bg_cli_has(const BgCli *cli, const char *name)
{
    return bg_cli_option(cli, name) != NULL;
}

char **
bg_cli_option_list(const BgCli *cli, const char *name)
{
    GPtrArray *values = g_ptr_array_new();

    g_hash_table_add(cli->asked, g_strdup(name));
    for (guint i = 0; i + 1 < cli->options->len; i += 2)
        if (strcmp(cli->options->pdata[i], name) == 0)
            g_ptr_array_add(values, cli->options->pdata[i + 1]);
    g_ptr_array_add(values, NULL);
    return (char **) g_ptr_array_free(values, FALSE);
}

static gboolean
parse_double(const char *text, double *value)
{
    char *end = NULL;
    double parsed = g_ascii_strtod(text, &end);

    if (text[0] == '\0' || g_ascii_isspace(text[0]) || *end != '\0' || !isfinite(parsed))
        return FALSE;
    *value = parsed;
    return TRUE;
}

gboolean
bg_cli_parse_doubles(const char *text, double *values, gsize n)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autofree double *parsed = g_new(double, n);

    if (g_strv_length(parts) != n)
        return FALSE;
    for (gsize i = 0; i < n; i++)
        if (!parse_double(parts[i], &parsed[i]))
            return FALSE;
    memcpy(values, parsed, n * sizeof(double));
    return TRUE;
}

gboolean
bg_cli_get_double(const BgCli *cli, const char *name, double *value, GError **error)
{
    const char *text = bg_cli_option(cli, name);

    if (text == NULL || parse_double(text, value))
        return TRUE;
    bg_cli_usage_error(error, "not a number: --%s=%s: write it like 12.5", name, text);
    return FALSE;
}

gboolean
bg_cli_get_positive(const BgCli *cli, const char *name, double *value, GError **error)
{
    double parsed = *value;

    if (!bg_cli_get_double(cli, name, &parsed, error))
        return FALSE;
    if (bg_cli_has(cli, name) && !(parsed > 0.0)) {
        bg_cli_usage_error(error, "out of range: --%s=%s: it must be above 0", name,
                           bg_cli_option(cli, name));
        return FALSE;
    }
    *value = parsed;
    return TRUE;
}

gboolean
bg_cli_get_int(const BgCli *cli, const char *name, int low, int high, int *value, GError **error)
{
    const char *text = bg_cli_option(cli, name);
    gint64 parsed;

    if (text == NULL)
        return TRUE;
    if (!g_ascii_string_to_signed(text, 10, low, high, &parsed, NULL)) {
        bg_cli_usage_error(error, "not possible: --%s=%s: give a whole number from %d to %d", name,
                           text, low, high);
        return FALSE;
    }
    *value = (int) parsed;
    return TRUE;
}

gboolean
bg_cli_get_doubles(const BgCli *cli, const char *name, double *values, gsize n, GError **error)
{
    const char *text = bg_cli_option(cli, name);

    if (text == NULL || bg_cli_parse_doubles(text, values, n))
        return TRUE;
    bg_cli_usage_error(error, "not understood: --%s=%s: give %zu numbers with commas between", name,
                       text, n);
    return FALSE;
}

gboolean
bg_cli_get_vector(const BgCli *cli, const char *name, BgVec3 *value, GError **error)
{
    double numbers[3];

    if (!bg_cli_has(cli, name))
        return TRUE;
    if (!bg_cli_get_doubles(cli, name, numbers, 3, error))
        return FALSE;
    *value = bg_vec3(numbers[0], numbers[1], numbers[2]);
    if (cli->ras) {
        BgAffine flip = bg_affine_lps_ras_flip();
        *value = bg_affine_apply(&flip, *value);
    }
    return TRUE;
}

gboolean
bg_cli_get_choice(const BgCli *cli, const char *name, const char *const *names, int *which,
                  GError **error)
{
    const char *value = bg_cli_option(cli, name);

    if (value == NULL)
        return TRUE;
    for (int n = 0; names[n] != NULL; n++) {
        if (strcmp(names[n], value) == 0) {
            *which = n;
            return TRUE;
        }
    }
    g_autofree char *all = g_strjoinv(", ", (char **) names);
    bg_cli_usage_error(error, "unknown value: --%s=%s: there are %s", name, value, all);
    return FALSE;
}

gboolean
bg_cli_get_size(const BgCli *cli, const char *name, int *width, int *height, GError **error)
{
    const char *text = bg_cli_option(cli, name);
    gint64 w, h;

    if (text == NULL)
        return TRUE;
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);
    if (g_strv_length(parts) != 2 || !g_ascii_string_to_signed(parts[0], 10, 1, 65535, &w, NULL) ||
        !g_ascii_string_to_signed(parts[1], 10, 1, 65535, &h, NULL)) {
        bg_cli_usage_error(error, "not a size: --%s=%s: write it like 640x480", name, text);
        return FALSE;
    }
    *width = (int) w;
    *height = (int) h;
    return TRUE;
}

char *
bg_cli_usage_line(const BgCliCommand *command)
{
    if (command == NULL)
        return g_strdup("usage: bregma-cli [--backend=auto|cpu|cuda] [--threads=N] [--json] "
                        "[--seed=N] [--quiet] COMMAND [ARGS]");
    return g_strdup_printf("usage: bregma-cli %s %s", command->name, command->arguments);
}

static void
print_options(const BgCliOption *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        const char *gap = strstr(options->help, "  ");
        gboolean has_value = options->help[0] == '=' && gap != NULL;
        int length = has_value ? (int) (gap - options->help) : 0;
        g_autofree char *name = g_strdup_printf("--%s%.*s", options->name, length, options->help);
        g_print("  %-38s %s\n", name, has_value ? gap + 2 : options->help);
    }
}

void
bg_cli_print_help(const BgCliCommand *command)
{
    g_autofree char *usage = bg_cli_usage_line(command);

    g_print("%s\n\n", usage);
    if (command != NULL) {
        g_print("%s\n\n", command->summary);
        for (gsize i = 0; command->verbs != NULL && command->verbs[i] != NULL; i++)
            g_print("  %-20s %s\n", command->verbs[i]->name, command->verbs[i]->summary);
        print_options(command->options);
        g_print("\nOptions of every command:\n");
    } else {
        gsize n;
        const BgCliCommand *const *commands = bg_cli_get_commands(&n);
        g_print("Commands (bregma-cli COMMAND --help tells more):\n");
        for (gsize i = 0; i < n; i++)
            g_print("  %-14s %s\n", commands[i]->name, commands[i]->summary);
        g_print("\nOptions:\n");
    }
    print_options(global_options);
    g_print("\nCoordinates are LPS millimetres, angles degrees, sizes WxH, vectors x,y,z.\n"
            "Not for diagnosis: research and planning review only.\n");
}
