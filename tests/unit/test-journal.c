// SPDX-License-Identifier: Apache-2.0
// What a session that dies leaves. The program runs itself as a child that is killed.
#include "core/base/bg-error.h"
#include "core/case/bg-journal.h"
#include "core/case/bg-load.h"
#include "core/case/bg-project.h"
#include "core/volume/bg-label-runs.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CHILD "--journal-child"

static const char *program;

static void
check(gboolean done, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(done);
}

static char *
make_folder(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("bregma-journal-XXXXXX", &error);

    g_assert_no_error(error);
    return folder;
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_folder(path);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static guint
count_files(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (dir != NULL && g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void
do_layer_action(BgCase *the_case, GRand *rand, const BgLayer *layer)
{
    switch (g_rand_int_range(rand, 0, 5)) {
    case 0:
        bg_case_do(the_case, bg_command_remove_layer(layer->id), NULL);
        break;
    case 1:
        bg_case_do(the_case, bg_command_set_opacity(layer->id, g_rand_double(rand)), NULL);
        break;
    default:
        bg_case_begin_gesture(the_case, "Drag");
        for (int i = 0; i < 8; i++) {
            bg_case_do(the_case, bg_command_set_window(layer->id, i, 1 + g_rand_double(rand)),
                       NULL);
            bg_case_do(the_case, bg_command_set_opacity(layer->id, g_rand_double(rand)), NULL);
        }
        bg_case_end_gesture(the_case);
    }
}

// The script: what is done next is known from @rand alone.
static void
do_action(BgCase *the_case, GRand *rand)
{
    const BgCaseState *state = bg_case_get_state(the_case);
    const BgVec3 points[2] = { { g_rand_double(rand), 0, 0 }, { 1, 2, 3 } };
    g_autoptr(BgLayer) layer = bg_layer_new(BG_KIND_VOLUME, "head");
    g_autoptr(BgMeasurement) ruler = bg_measurement_new(BG_MEASURE_RULER, points);

    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        bg_case_undo(the_case);
        break;
    case 1:
        bg_case_redo(the_case);
        break;
    case 2:
        g_free(ruler->id);
        ruler->id = bg_case_new_id(the_case, "measurement");
        bg_case_do(the_case, bg_command_add_measurement(ruler), NULL);
        break;
    case 3:
        if (state->measurements->len > 0) {
            const BgMeasurement *last =
                g_ptr_array_index(state->measurements, state->measurements->len - 1);
            bg_case_do(the_case, bg_command_remove_measurement(last->id), NULL);
        }
        break;
    case 4:
        if (state->layers->len < 6) {
            g_free(layer->id);
            layer->id = bg_case_new_id(the_case, "layer");
            bg_case_do(the_case, bg_command_add_layer(layer), NULL);
        }
        break;
    default:
        if (state->layers->len > 0)
            do_layer_action(the_case, rand, g_ptr_array_index(state->layers, 0));
    }
}

static int
run_child(const char *folder, const char *seed)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32) atoi(seed));
    g_autoptr(GError) error = NULL;

    if (!bg_case_start_journal(the_case, folder, &error))
        g_error("%s", error->message);
    for (guint32 k = 1; k < 10000000; k++) {
        do_action(the_case, rand);
        if (write(STDOUT_FILENO, &k, sizeof k) != sizeof k)
            break;
        if (k % 16 == 0)
            g_usleep(200);
    }
    return 0;
}

// Runs the script in a process of its own, kills it after a while; Returns: what it had done.
static guint32
run_and_kill(const char *folder, guint32 seed, int wait_us)
{
    g_autofree char *seed_text = g_strdup_printf("%u", seed);
    const char *const argv[] = { program, CHILD, folder, seed_text, NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) child = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    g_assert_no_error(error);

    GInputStream *acks = g_subprocess_get_stdout_pipe(child);
    guint32 k = 0, last = 0;
    gsize n_read = 0;
    gboolean killed = FALSE;
    gint64 end_us = 0;
    while (g_input_stream_read_all(acks, &k, sizeof k, &n_read, NULL, NULL) && n_read == sizeof k) {
        last = k;
        if (end_us == 0)
            end_us = g_get_monotonic_time() + wait_us;
        if (!killed && g_get_monotonic_time() >= end_us) {
            g_subprocess_send_signal(child, SIGKILL);
            killed = TRUE;
        }
    }
    g_assert_true(killed);
    g_subprocess_wait(child, NULL, NULL);
    return last;
}

static void
note_state(BgCase *the_case, BgCommand *command, gpointer data)
{
    g_hash_table_add(data, bg_case_hash(the_case));
}

// All states from the end of action @acked - 1 to that of @acked + 1: one action may be lost, and
// one was perhaps done without that we heard of it.
static GHashTable *
allowed_states(guint32 seed, guint32 acked)
{
    GHashTable *allowed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    for (guint32 k = 1; k < acked; k++)
        do_action(the_case, rand);
    note_state(the_case, NULL, allowed);
    g_signal_connect(the_case, "changed", G_CALLBACK(note_state), allowed);
    do_action(the_case, rand);
    do_action(the_case, rand);
    return allowed;
}

static void
test_kills(void)
{
    g_autofree char *folder = make_folder();
    guint64 n_actions = 0;

    for (guint32 seed = 1; seed <= 100; seed++) {
        int wait_us = g_test_rand_int_range(0, 40000);
        guint32 acked = run_and_kill(folder, seed, wait_us);
        n_actions += acked;

        g_autoptr(GPtrArray) found = bg_recovery_list(folder);
        g_autoptr(GHashTable) allowed = allowed_states(seed, acked);
        g_autoptr(BgCase) the_case = bg_case_new();
        if (found->len == 1) {
            g_autoptr(GError) error = NULL;
            gboolean done = bg_recovery_open(g_ptr_array_index(found, 0), the_case, &error);
            check(done, error);
            g_assert_true(bg_case_is_in_review(the_case));
            g_assert_true(bg_case_is_modified(the_case));
            bg_recovery_discard(g_ptr_array_index(found, 0));
        }
        g_assert_cmpuint(found->len, <=, 1);
        g_autofree char *hash = bg_case_hash(the_case);
        g_assert_true(g_hash_table_contains(allowed, hash));
    }
    g_test_message("%" G_GUINT64_FORMAT " actions before 100 kills", n_actions);
    g_assert_cmpuint(count_files(folder), ==, 0);
    remove_folder(folder);
}

typedef struct {
    char *bytes;
    gsize length;
    GArray *ends;      // gsize: where the record of each action ends
    GPtrArray *hashes; // and the state then
    GPtrArray *within; // sets of the states while it was done (a drag has several)
} Recorded;

static void
note_record(Recorded *self, BgCase *the_case)
{
    bg_case_flush_journal(the_case);
    g_free(self->bytes);
    gboolean done =
        g_file_get_contents(bg_case_get_journal_path(the_case), &self->bytes, &self->length, NULL);
    g_assert_true(done);
    g_array_append_val(self->ends, self->length);
    g_ptr_array_add(self->hashes, bg_case_hash(the_case));
}

static Recorded
record_session(const char *folder)
{
    Recorded self = { NULL, 0, g_array_new(FALSE, FALSE, sizeof(gsize)),
                      g_ptr_array_new_with_free_func(g_free),
                      g_ptr_array_new_with_free_func((GDestroyNotify) g_hash_table_unref) };
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    g_autoptr(GError) error = NULL;

    gboolean done = bg_case_start_journal(the_case, folder, &error);
    check(done, error);
    note_record(&self, the_case);
    for (int i = 0; i < 60; i++) {
        GHashTable *states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        gulong id = g_signal_connect(the_case, "changed", G_CALLBACK(note_state), states);
        do_action(the_case, rand);
        g_signal_handler_disconnect(the_case, id);
        g_ptr_array_add(self.within, states);
        note_record(&self, the_case);
    }
    return self;
}

static void
check_torn(const Recorded *self, const char *folder, const char *bytes, gsize length, gsize first)
{
    g_autofree char *path = g_build_filename(folder, "torn.journal", NULL);
    gboolean done = g_file_set_contents_full(path, bytes, (gssize) length, G_FILE_SET_CONTENTS_NONE,
                                             0600, NULL);
    g_assert_true(done);
    g_autoptr(GPtrArray) found = bg_recovery_list(folder);

    guint k = 0;
    while (k + 1 < self->ends->len && g_array_index(self->ends, gsize, k + 1) <= first)
        k++;
    const char *wanted = g_ptr_array_index(self->hashes, k);
    if (found->len == 0) { // nothing whole, or nothing done yet
        g_assert_cmpstr(wanted, ==, g_ptr_array_index(self->hashes, 0));
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
        return;
    }
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(GError) error = NULL;
    done = bg_recovery_open(g_ptr_array_index(found, 0), the_case, &error);
    check(done, error);
    g_autofree char *hash = bg_case_hash(the_case);
    if (k < self->within->len && !g_str_equal(hash, wanted))
        g_assert_true(g_hash_table_contains(g_ptr_array_index(self->within, k), hash));
    else
        g_assert_cmpstr(hash, ==, wanted);
    bg_recovery_discard(g_ptr_array_index(found, 0));
}

static void
test_torn(void)
{
    g_autofree char *folder = make_folder();
    Recorded self = record_session(folder);

    for (int i = 0; i < 1500; i++) {
        g_autofree char *bytes = g_memdup2(self.bytes, self.length);
        gsize first = (gsize) g_test_rand_int_range(0, (gint32) self.length);
        gsize length = self.length;

        switch (i % 3) {
        case 0: // cut
            length = first;
            break;
        case 1: // one byte turned
            bytes[first] = (char) (bytes[first] ^ g_test_rand_int_range(1, 256));
            break;
        default: // rubbish from there on
            bytes[first] = (char) (bytes[first] ^ 1);
            for (gsize at = first + 1; at < length; at++)
                bytes[at] = (char) g_test_rand_int_range(0, 256);
        }
        check_torn(&self, folder, bytes, length, first);
    }
    check_torn(&self, folder, self.bytes, self.length, self.length);
    g_free(self.bytes);
    g_array_unref(self.ends);
    g_ptr_array_unref(self.hashes);
    g_ptr_array_unref(self.within);
    remove_folder(folder);
}

static void
copy_file(const char *from, const char *to)
{
    g_autofree char *bytes = NULL;
    gsize length;
    gboolean done = g_file_get_contents(from, &bytes, &length, NULL) &&
                    g_file_set_contents(to, bytes, (gssize) length, NULL);

    g_assert_true(done);
}

// As a crash would leave it: journal and results, under another name, while the session goes on.
static void
copy_session(BgCase *the_case, const char *folder)
{
    const char *path = bg_case_get_journal_path(the_case);
    g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".journal"));
    g_autofree char *from = g_strconcat(stem, ".blobs", NULL);
    g_autofree char *journal = g_build_filename(folder, "copy.journal", NULL);
    g_autofree char *to = g_build_filename(folder, "copy.blobs", NULL);
    const char *name;

    bg_case_flush_journal(the_case); // makes the folder too
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    copy_file(path, journal);
    g_mkdir(to, 0700);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        copy_file(source, target);
    }
}

static BgVolume *
make_volume(void)
{
    const int dims[3] = { 8, 9, 10 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 2, 3));
    g_autoptr(GError) error = NULL;
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, &error);

    g_assert_no_error(error);
    for (int i = 0; i < 720; i++)
        voxels[i] = (guint8) i;
    BgVolume *volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), voxels, &error);
    g_assert_no_error(error);
    return volume;
}

static void
test_results_survive(void)
{
    g_autofree char *folder = make_folder();
    g_autofree char *old = make_folder();
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(BgLayer) layer =
        bg_layer_new_generated(BG_KIND_VOLUME, "smooth", NULL, "gaussian", "{}");
    g_autoptr(BgVolume) volume = make_volume();
    g_autoptr(GError) error = NULL;

    gboolean done = bg_case_start_journal(the_case, folder, &error);
    check(done, error);
    bg_layer_set_string(&layer->id, "layer-1");
    done = bg_case_do(the_case, bg_command_add_layer(layer), &error);
    check(done, error);
    done = bg_case_set_payload(the_case, "layer-1", &(BgPayload){ .volume = volume }, &error);
    check(done, error);
    bg_case_do(the_case, bg_command_set_cursor(bg_vec3(1, 2, 3)), NULL);
    bg_case_do(the_case, bg_command_set_cursor(bg_vec3(4, 5, 6)), NULL);
    copy_session(the_case, old);

    g_autoptr(GPtrArray) living = bg_recovery_list(folder);
    g_assert_cmpuint(living->len, ==, 0);
    g_autoptr(GPtrArray) found = bg_recovery_list(old);
    g_assert_cmpuint(found->len, ==, 1);
    g_autoptr(GPtrArray) second = bg_recovery_list(old);
    g_assert_cmpuint(second->len, ==, 0); // the first has it
    BgRecovery *item = g_ptr_array_index(found, 0);
    g_assert_cmpstr(item->layers, ==, "smooth");
    g_assert_cmpuint(item->n_actions, ==, 1);

    g_autoptr(BgCase) other = bg_case_new();
    done = bg_case_start_journal(other, old, &error) && bg_recovery_open(item, other, &error);
    check(done, error);
    g_assert_cmpfloat(bg_case_get_state(other)->cursor_mm.z, ==, 6);
    g_autofree char *hash = bg_case_hash(the_case);
    g_autofree char *recovered = bg_case_hash(other);
    g_assert_cmpstr(recovered, ==, hash);
    g_autoptr(BgLoad) load = bg_load_new(other, "layer-1");
    bg_load_run(load, NULL, NULL);
    done = bg_load_finish(load, other, &error);
    check(done, error);
    const BgVolume *read = bg_case_get_layer(other, "layer-1")->payload.volume;
    g_assert_cmpmem(bg_volume_get_samples(read), 720, bg_volume_get_samples(volume), 720);
    g_autoptr(GPtrArray) items = bg_case_get_review_items(other);
    g_assert_cmpuint(items->len, ==, 2);
    bg_case_confirm_review(other);
    g_assert_false(bg_case_is_in_review(other));

    g_clear_pointer(&load, bg_load_free); // it holds the folder of results
    g_clear_object(&other);
    g_clear_object(&the_case);
    g_assert_cmpuint(count_files(old), ==, 0);
    g_assert_cmpuint(count_files(folder), ==, 0);
    remove_folder(old);
    remove_folder(folder);
}

// A saved session leaves nothing to recover; what came after does.
static void
test_saved(void)
{
    g_autofree char *folder = make_folder();
    g_autofree char *old = make_folder();
    g_autofree char *project = g_build_filename(old, "case.bregma", NULL);
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    g_autoptr(GError) error = NULL;

    gboolean done = bg_case_start_journal(the_case, folder, &error);
    check(done, error);
    for (int i = 0; i < 20; i++)
        do_action(the_case, rand);
    done = bg_project_save(the_case, project, NULL, &error);
    check(done, error);
    copy_session(the_case, old);
    g_autoptr(GPtrArray) none = bg_recovery_list(old);
    g_assert_cmpuint(none->len, ==, 0);

    bg_case_do(the_case, bg_command_set_notes("after"), NULL);
    copy_session(the_case, old);
    g_autoptr(GPtrArray) found = bg_recovery_list(old);
    g_assert_cmpuint(found->len, ==, 1);
    const BgRecovery *item = g_ptr_array_index(found, 0);
    g_assert_cmpstr(item->project_path, ==, project);
    g_assert_cmpuint(item->n_actions, ==, 1);
    g_clear_object(&the_case);
    remove_folder(old);
    remove_folder(folder);
}

#define N_LABELS 4096 // voxels of the map that is corrected

static BgLabelMap *
make_labels(void)
{
    const int dims[3] = { 16, 16, 16 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 2, 3));
    g_autoptr(GError) error = NULL;
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, &error);

    g_assert_no_error(error);
    for (int i = 0; i < N_LABELS; i++)
        voxels[i] = (guint8) (i % 7);
    BgLabelMap *map = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, voxels, &error);
    g_assert_no_error(error);
    return map;
}

// Sets a line of voxels to @label; as a stroke would.
static void
correct(BgCase *the_case, gsize first, gsize length, guint32 label)
{
    const BgLayer *layer = bg_case_get_layer(the_case, "layer-1");
    const guint8 *now = bg_label_map_get_labels(layer->payload.labels);
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    g_autoptr(GError) error = NULL;

    for (gsize v = first; v < first + length; v++) {
        if (now[v] != label)
            bg_label_runs_add(runs, v, now[v], label);
    }
    g_autoptr(GBytes) packed = bg_label_runs_pack(N_LABELS, runs);
    gboolean done = bg_case_do(the_case, bg_command_edit_labels(layer, packed), &error);
    check(done, error);
}

static guint8 *
voxels_of(BgCase *the_case)
{
    const BgLayer *layer = bg_case_get_layer(the_case, "layer-1");

    return g_memdup2(bg_label_map_get_labels(layer->payload.labels), N_LABELS);
}

static BgCase *
corrected_case(const char *folder)
{
    BgCase *the_case = bg_case_new();
    g_autoptr(BgLayer) layer =
        bg_layer_new_generated(BG_KIND_LABELS, "tumour", NULL, "segment", "{}");
    g_autoptr(BgLabelMap) map = make_labels();
    g_autoptr(GError) error = NULL;

    gboolean done = bg_case_start_journal(the_case, folder, &error);
    check(done, error);
    bg_layer_set_string(&layer->id, "layer-1");
    done = bg_case_do(the_case, bg_command_add_layer(layer), &error);
    check(done, error);
    done = bg_case_set_payload(the_case, "layer-1", &(BgPayload){ .labels = map }, &error);
    check(done, error);
    return the_case;
}

// Of a project that is opened anew.
static guint8 *
voxels_in(const char *project)
{
    g_autoptr(BgCase) opened = bg_case_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) state = bg_project_read(project, &error);

    g_assert_no_error(error);
    gboolean done = bg_project_apply(opened, project, state, &error);
    check(done, error);
    BgLoad *load = bg_load_new(opened, "layer-1");
    bg_load_run(load, NULL, NULL);
    done = bg_load_finish(load, opened, &error);
    check(done, error);
    bg_load_free(load);
    return voxels_of(opened);
}

// After strokes, an undo, saving and more strokes: what a crash leaves is the same to the voxel.
static void
test_corrections_survive(void)
{
    g_autofree char *folder = make_folder();
    g_autofree char *old = make_folder();
    g_autofree char *project = g_build_filename(old, "case.bregma", NULL);
    g_autoptr(BgCase) the_case = corrected_case(folder);
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *first = voxels_of(the_case);

    bg_case_begin_gesture(the_case, "Brush");
    correct(the_case, 100, 50, 9);
    correct(the_case, 140, 50, 9);
    bg_case_end_gesture(the_case);
    g_autofree guint8 *stroke = voxels_of(the_case);
    correct(the_case, 1000, 20, 2);
    gint64 tag = bg_case_get_layer(the_case, "layer-1")->content_tag;
    g_assert_true(bg_case_undo(the_case));
    g_autofree guint8 *undone = voxels_of(the_case);
    g_assert_cmpmem(undone, N_LABELS, stroke, N_LABELS);
    g_assert_true(bg_case_undo(the_case)); // the gesture was one step
    g_autofree guint8 *back = voxels_of(the_case);
    g_assert_cmpmem(back, N_LABELS, first, N_LABELS);
    g_assert_cmpint(bg_case_get_layer(the_case, "layer-1")->content_tag, ==, 0);
    g_assert_true(bg_case_redo(the_case) && bg_case_redo(the_case));
    g_assert_cmpint(bg_case_get_layer(the_case, "layer-1")->content_tag, ==, tag);
    gboolean done = bg_project_save(the_case, project, NULL, &error);
    check(done, error);
    correct(the_case, 2000, 300, 5);
    correct(the_case, 90, 30, 0);
    g_assert_true(bg_case_undo(the_case));
    g_autofree guint8 *truth = voxels_of(the_case);
    copy_session(the_case, old);

    g_autoptr(GPtrArray) found = bg_recovery_list(old);
    g_assert_cmpuint(found->len, ==, 1);
    g_autoptr(BgCase) other = bg_case_new();
    done = bg_case_start_journal(other, old, &error) &&
           bg_recovery_open(g_ptr_array_index(found, 0), other, &error);
    check(done, error);

    // Saved before the voxels are there again.
    g_autofree char *early = g_build_filename(old, "early.bregma", NULL);
    done = bg_project_save(other, early, NULL, &error);
    check(done, error);
    g_autofree guint8 *in_early = voxels_in(early);
    g_assert_cmpmem(in_early, N_LABELS, truth, N_LABELS);

    g_autoptr(BgLoad) load = bg_load_new(other, "layer-1");
    bg_load_run(load, NULL, NULL);
    done = bg_load_finish(load, other, &error);
    check(done, error);
    g_autofree guint8 *recovered = voxels_of(other);
    g_assert_cmpmem(recovered, N_LABELS, truth, N_LABELS);
    g_clear_pointer(&load, bg_load_free);

    // And once more, from the recovered session's own journal.
    correct(other, 3000, 10, 1);
    g_autofree guint8 *again = voxels_of(other);
    g_autofree char *third = make_folder();
    copy_session(other, third);
    g_autoptr(GPtrArray) second = bg_recovery_list(third);
    g_assert_cmpuint(second->len, ==, 1);
    g_autoptr(BgCase) last = bg_case_new();
    done = bg_recovery_open(g_ptr_array_index(second, 0), last, &error);
    check(done, error);
    load = bg_load_new(last, "layer-1");
    bg_load_run(load, NULL, NULL);
    done = bg_load_finish(load, last, &error);
    check(done, error);
    g_autofree guint8 *twice = voxels_of(last);
    g_assert_cmpmem(twice, N_LABELS, again, N_LABELS);
    g_clear_pointer(&load, bg_load_free);

    // The project has what was there when it was saved.
    g_autofree guint8 *saved = voxels_in(project);
    g_assert_cmpint(saved[1005], ==, 2);
    g_assert_cmpint(saved[2005], ==, 2005 % 7);
    remove_folder(third);
    remove_folder(old);
    remove_folder(folder);
}

// The oldest strokes are no longer undone when all hold too much; the latest always is.
static void
test_corrections_have_a_budget(void)
{
    g_autofree char *folder = make_folder();
    g_autoptr(BgCase) the_case = corrected_case(folder);
    int n = 0;

    bg_case_set_edit_budget(the_case,
                            3000); // a stroke of 100 voxels of 7 labels takes 400 and more
    for (gsize i = 0; i < 30; i++)
        correct(the_case, i * 100, 100, 9);
    while (bg_case_undo(the_case))
        n++;
    g_assert_cmpint(n, >=, 3);
    g_assert_cmpint(n, <=, 8);
    g_autofree guint8 *voxels = voxels_of(the_case);
    g_assert_cmpint(voxels[5], ==, 9); // it stays done
    bg_case_set_edit_budget(the_case, 1);
    while (bg_case_redo(the_case))
        n--;
    g_assert_cmpint(n, ==, 0);
    g_assert_true(bg_case_undo(the_case));

    // Labels of a file stay as they are.
    g_autoptr(BgLayer) layer = bg_layer_new(BG_KIND_LABELS, "file");
    g_autoptr(GError) error = NULL;
    bg_layer_set_string(&layer->id, "layer-2");
    bg_case_do(the_case, bg_command_add_layer(layer), NULL);
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    g_autoptr(GBytes) packed = bg_label_runs_pack(N_LABELS, none);
    g_assert_false(bg_case_do(
        the_case, bg_command_edit_labels(bg_case_get_layer(the_case, "layer-2"), packed), &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_object(&the_case);
    remove_folder(folder);
}

static void
test_unwritable(void)
{
    g_autoptr(BgCase) the_case = bg_case_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(bg_case_start_journal(the_case, "/proc/nowhere", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_true(bg_case_do(the_case, bg_command_set_notes("a"), NULL));
    g_assert_null(bg_case_get_journal_path(the_case));
}

int
main(int argc, char **argv)
{
    if (argc == 4 && g_str_equal(argv[1], CHILD))
        return run_child(argv[2], argv[3]);

    program = argv[0];
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journal/results-survive", test_results_survive);
    g_test_add_func("/journal/saved", test_saved);
    g_test_add_func("/journal/corrections-survive", test_corrections_survive);
    g_test_add_func("/journal/corrections-have-a-budget", test_corrections_have_a_budget);
    g_test_add_func("/journal/unwritable", test_unwritable);
    g_test_add_func("/journal/torn", test_torn);
    g_test_add_func("/journal/kills", test_kills);
    return g_test_run();
}
