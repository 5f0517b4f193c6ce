// SPDX-License-Identifier: Apache-2.0
// What the commands of bregma-cli share. No GTK here.
#pragma once

#include "core/base/bg-json.h"
#include "core/base/bg-progress.h"
#include "core/case/bg-provenance.h"
#include "core/compute/bg-backend.h"
#include "core/io/bg-io.h"
#include "core/model/bg-slice-frame.h"

G_BEGIN_DECLS

/**
 * BgCliError:
 * @BG_CLI_ERROR_USAGE: the command line is wrong: status 2, and the usage line
 */
typedef enum {
    BG_CLI_ERROR_USAGE,
} BgCliError;

#define BG_CLI_ERROR (bg_cli_error_quark())
GQuark bg_cli_error_quark(void);

typedef enum {
    BG_CLI_FLAG,
    BG_CLI_VALUE,
    BG_CLI_PATH, // recorded as an absolute path
} BgCliOptionKind;

/** BgCliOption: @help: "=VALUE" first where it takes one; the table ends with a %NULL name */
typedef struct {
    const char *name;
    BgCliOptionKind kind;
    const char *help;
} BgCliOption;

typedef struct _BgCli BgCli;

/**
 * BgCliCommand:
 * @arguments: for the usage line
 * @path_args: bit n: argument n is a path; the last bit counts for all beyond
 * @output_arg: which argument is what it writes; -1: none
 * @output_option: (nullable): else the option that is what it writes: "output" is -o too
 * @run: fills cli->result, which goes to stdout
 * @verbs: (nullable): ends with %NULL: the first argument chooses among them, and they do the
 *   rest; a verb's name is the command's, a blank and its own: "register points"
 */
typedef struct _BgCliCommand BgCliCommand;
struct _BgCliCommand {
    const char *name;
    const char *arguments;
    const char *summary;
    int min_args, max_args;
    guint path_args;
    int output_arg;
    const char *output_option;
    const BgCliOption *options;
    gboolean (*run)(BgCli *cli, GError **error);
    const BgCliCommand *const *verbs;
};

/**
 * BgCli:
 *
 * One run of one command: what was asked for, and what comes of it.
 */
struct _BgCli {
    const BgCliCommand *command;
    GPtrArray *arguments; // of char *
    GPtrArray *options;   // of char *: name, value, name, value, ...; value "" for flags
    BgJson *result;       // the object for stdout
    GPtrArray *inputs;    // of char *: files that were read
    char *series_path;    // owned: the path that --series is about; NULL until one is read
    BgFileInfo *subject;  // owned: the first input that names a patient; NULL until one is read
    GCancellable *cancellable;
    BgProgress progress;
    GPtrArray *doubts; // of char *: warnings that are told on stderr too
    GHashTable *asked; // of char *: options that the command has looked at
    gboolean json, quiet, force, help, version;
    gboolean failed; // done and told, but status 1: a self-test with failures
    gboolean ras;    // coordinates in and out are RAS
    gint64 seed;
    char *backend;      // "auto", "cpu", "cuda"
    BgBackend *device;  // owned; NULL until bg_cli_get_backend()
    const char *engine; // what did it, for provenance: "cpu" or the backend's name
};

// The command line

BgCli *bg_cli_new(void);
void bg_cli_free(BgCli *cli);

/** bg_cli_find_command: (transfer none) (nullable): verbs by their whole name */
const BgCliCommand *bg_cli_find_command(const char *name);

/** bg_cli_find_verb: (transfer none) (nullable): @verb: without the command's name */
const BgCliCommand *bg_cli_find_verb(const BgCliCommand *command, const char *verb);
const BgCliCommand *const *bg_cli_get_commands(gsize *n);

/**
 * bg_cli_parse:
 * @argv: without the program's name, %NULL-terminated
 *
 * Returns: %FALSE with %BG_CLI_ERROR_USAGE; cli->command is set when it got that far
 */
gboolean bg_cli_parse(BgCli *cli, char **argv, GError **error);

/** bg_cli_run: backend and seed looked at, then the command's run */
gboolean bg_cli_run(BgCli *cli, GError **error);

/** bg_cli_get_backend: (transfer none): what --backend asked for: opened at the first call */
BgBackend *bg_cli_get_backend(BgCli *cli);

/** BG_CLI_PRECISION: the option that bg_cli_get_engine() reads */
#define BG_CLI_PRECISION                                                          \
    {                                                                             \
        "precision", BG_CLI_VALUE,                                                \
            "=float32|bf16|tf32  of the network's products; float32 unless given" \
    }

/** bg_cli_get_engine: the backend, and --precision */
gboolean bg_cli_get_engine(BgCli *cli, BgEngine *engine, GError **error);

/** bg_cli_set_engine: sets "precision" and "backend", @ran_on: which one really did it; doubts where that is no gain */
void bg_cli_set_engine(BgCli *cli, const BgEngine *engine, const char *ran_on);

const char *bg_cli_arg(const BgCli *cli, guint index); // NULL when not given

/** bg_cli_option: (nullable): the last value given */
const char *bg_cli_option(const BgCli *cli, const char *name);
gboolean bg_cli_has(const BgCli *cli, const char *name);

/** bg_cli_option_list: (transfer container): all values given, %NULL-terminated */
char **bg_cli_option_list(const BgCli *cli, const char *name);

void bg_cli_usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

// Each leaves *value alone when the option is not given; a bad value is a usage error.
gboolean bg_cli_get_double(const BgCli *cli, const char *name, double *value, GError **error);
gboolean bg_cli_get_positive(const BgCli *cli, const char *name, double *value, GError **error);
gboolean bg_cli_get_int(const BgCli *cli, const char *name, int low, int high, int *value,
                        GError **error);
gboolean bg_cli_get_doubles(const BgCli *cli, const char *name, double *values, gsize n,
                            GError **error);

/** bg_cli_get_choice: which of @names, %NULL-terminated, the option says */
gboolean bg_cli_get_choice(const BgCli *cli, const char *name, const char *const *names, int *which,
                           GError **error);

/** bg_cli_get_vector: "x,y,z", out of RAS where that is asked for */
gboolean bg_cli_get_vector(const BgCli *cli, const char *name, BgVec3 *value, GError **error);

/** bg_cli_get_size: "WxH", each 1..65535 */
gboolean bg_cli_get_size(const BgCli *cli, const char *name, int *width, int *height,
                         GError **error);

/** bg_cli_parse_doubles: exactly @n numbers between commas */
gboolean bg_cli_parse_doubles(const char *text, double *values, gsize n);

// Reading

/** bg_cli_add_input: a file that the output depends on: its hash goes into the provenance */
void bg_cli_add_input(BgCli *cli, const char *path);

/** bg_cli_load: bg_io_load(), noted as an input; the error names the file */
BgLoaded *bg_cli_load(BgCli *cli, const char *path, const BgLoadParams *params, GError **error);

/** bg_cli_blame_path: puts the path before what core says about it; usage errors stay as they are */
void bg_cli_blame_path(GError **error, const char *path);

/** bg_cli_load_as_volume: the frame that --frame says, where a command has that option; what is no volume is
 * refused */
BgLoaded *bg_cli_load_as_volume(BgCli *cli, const char *path, GError **error);
BgVolume *bg_cli_load_volume(BgCli *cli, const char *path, GError **error);
BgLabelMap *bg_cli_load_labels(BgCli *cli, const char *path, GError **error);

/**
 * bg_cli_check_drawn:
 * @path: of @labels, for the message
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED: the values are those of a scan: many, and next to each
 *   other unlike
 */
gboolean bg_cli_check_drawn(const BgLabelMap *labels, const char *path, GError **error);

/** bg_cli_load_drawn: bg_cli_load_labels() and bg_cli_check_drawn() */
BgLabelMap *bg_cli_load_drawn(BgCli *cli, const char *path, GError **error);
BgMesh *bg_cli_load_mesh(BgCli *cli, const char *path, GError **error);

/** bg_cli_check_output: early, before the work: refuses a file that is there without --force, and one that
 * the command line names as something else too, always */
gboolean bg_cli_check_output(const BgCli *cli, const char *path, GError **error);

/** bg_cli_wrote: prefixes @error with the path when @ok is %FALSE; notes the file when it is %TRUE */
gboolean bg_cli_wrote(BgCli *cli, gboolean ok, const char *path, GError **error);

/** bg_cli_with_suffix: (transfer full): "a/b.nii.gz", "-label" -> "a/b-label.nii.gz" */
char *bg_cli_with_suffix(const char *path, const char *insert);

/** bg_cli_provenance: (transfer full): the JSON line for outputs; hashes the inputs */
char *bg_cli_provenance(BgCli *cli, GError **error);

/** bg_cli_read_provenance: (transfer full): bg_io_read_provenance(), and of slices as TIFF and HDF5 */
char *bg_cli_read_provenance(const char *path, GError **error);

// Results

/** bg_cli_set_point, bg_cli_set_affine: LPS in, RAS out where that is asked for */
void bg_cli_set_point(const BgCli *cli, BgJson *json, const char *name, BgVec3 point_mm);
void bg_cli_set_vec3(BgJson *json, const char *name, BgVec3 value); // as it is
void bg_cli_set_dims(BgJson *json, const char *name, int nx, int ny, int nz);
void bg_cli_set_geometry(const BgCli *cli, BgJson *json, const BgGeometry *geometry);

/** bg_cli_add_warning: to the result's "warnings" */
void bg_cli_add_warning(BgCli *cli, const char *text);

/** bg_cli_doubt: a warning that stderr tells of too: the output may not be what was meant. Once each */
void bg_cli_doubt(BgCli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/**
 * bg_cli_check_overlap:
 * @to: what is computed; @from: of what; @what, @where: words for them, in messages
 *
 * Doubts where less than a tenth of @to lies within @from.
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH: they have nothing in common
 */
gboolean bg_cli_check_overlap(BgCli *cli, const BgGeometry *to, const BgGeometry *from,
                              const char *what, const char *where, GError **error);

/** bg_cli_knows_patient: whether the file says whose it is */
gboolean bg_cli_knows_patient(const BgFileInfo *info);

/**
 * bg_cli_trace_patient:
 * @made_of: (out) (nullable): what a file that nothing tells whose it is was made of in the end; %NULL when unknown
 *
 * Where the file does not say whose it is, what its provenance says it was made of is asked, if that is still there
 * and has the hash it had, and what that was made of. Heads that the command phantom made are known by their seed.
 *
 * Returns: (transfer full): a copy of @info; where its patient was found so, its path tells by which file
 */
BgFileInfo *bg_cli_trace_patient(BgCli *cli, const BgFileInfo *info, char **made_of);

/**
 * bg_cli_check_patients:
 *
 * The hard stop: files of two known people never meet but by --override-patient=REASON, of three
 * letters at least. Sets "frames": "same", "different" or "unknown", and warns where a side is.
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH
 */
gboolean bg_cli_check_patients(BgCli *cli, const BgFileInfo *fixed, const BgFileInfo *moving,
                               GError **error);

/** bg_cli_set_measures: n_vertices ... bounds_mm of a mesh, as of the command mesh */
gboolean bg_cli_set_measures(const BgCli *cli, BgJson *json, BgMesh *mesh, GError **error);

/** bg_cli_print_table: a JSON object for people */
void bg_cli_print_table(const BgJson *json);

/** bg_cli_print_help: of one command, or (%NULL) of all */
void bg_cli_print_help(const BgCliCommand *command);
char *bg_cli_usage_line(const BgCliCommand *command);

// The commands

extern const BgCliCommand bg_cli_command_info;
extern const BgCliCommand bg_cli_command_calibrate;
extern const BgCliCommand bg_cli_command_convert;
extern const BgCliCommand bg_cli_command_slice;
extern const BgCliCommand bg_cli_command_filter;
extern const BgCliCommand bg_cli_command_render;
extern const BgCliCommand bg_cli_command_mesh;
extern const BgCliCommand bg_cli_command_mesh_check;
extern const BgCliCommand bg_cli_command_mesh_compare;
extern const BgCliCommand bg_cli_command_phantom;
extern const BgCliCommand bg_cli_command_provenance;
extern const BgCliCommand bg_cli_command_again;
extern const BgCliCommand bg_cli_command_anonymize;
extern const BgCliCommand bg_cli_command_self_test;
extern const BgCliCommand bg_cli_command_bench;
extern const BgCliCommand bg_cli_command_landmarks;
extern const BgCliCommand bg_cli_command_register;
extern const BgCliCommand bg_cli_command_evaluate;
extern const BgCliCommand bg_cli_command_fuse;
extern const BgCliCommand bg_cli_command_models;
extern const BgCliCommand bg_cli_command_train;
extern const BgCliCommand bg_cli_command_segment;
extern const BgCliCommand bg_cli_command_lesion;
extern const BgCliCommand bg_cli_command_report;
extern const BgCliCommand bg_cli_command_montage;

G_END_DECLS
