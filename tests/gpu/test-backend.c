// SPDX-License-Identifier: Apache-2.0
// Choosing a backend, loading its module, what the module keeps, and how it fails: with a device
// in host memory.
#include "core/base/bg-error.h"
#include "core/compute/bg-backend-ops.h"
#include "core/filter/bg-gaussian.h"
#include "tests/gpu/host-probe.h"

#include <gmodule.h>
#include <string.h>

static HostProbe device;
static GModule *module;

static const char *
module_path(void)
{
    return g_getenv("BREGMA_TEST_HOST_MODULE");
}

static BgBackend *
open_host(void)
{
    g_autoptr(GError) error = NULL;
    BgBackend *backend = bg_backend_module_open(module_path(), &error);

    g_assert_no_error(error);
    return backend;
}

static BgVolume *
noise(int nx, int ny, int nz)
{
    const int dims[3] = { nx, ny, nz };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.5, 2.0));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);

    for (gsize i = 0; i < bg_geometry_count_voxels(&geometry); i++)
        samples[i] = (gint16) g_test_rand_int_range(-1000, 3000);
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

static BgVolume *
copy_by(BgBackend *backend, BgVolume *volume, GError **error)
{
    BgResampleParams params = bg_resample_params(bg_volume_get_geometry(volume));

    return bg_backend_resample(backend, volume, &params, NULL, NULL, error);
}

static void
test_names(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgBackend) cpu = bg_backend_open("cpu", NULL);

    g_assert_true(cpu == bg_backend_get_cpu());
    g_assert_cmpstr(bg_backend_get_name(cpu), ==, "cpu");
    g_assert_null(bg_backend_open("opencl", &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// With a folder that has no module, or one whose card is missing: auto works, cuda is an error.
static void
test_auto_falls_back(void)
{
    g_autoptr(GError) error = NULL;

    if (g_getenv("BREGMA_TEST_HAS_CARD") != NULL) {
        g_test_skip("this machine has a card");
        return;
    }
    g_autoptr(BgBackend) backend = bg_backend_open("cuda", &error);
    if (backend != NULL) {
        g_test_skip("this machine has a card");
        return;
    }
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);

    g_autoptr(BgBackend) automatic = bg_backend_open("auto", NULL);
    g_assert_true(automatic == bg_backend_get_cpu());
    g_assert_cmpstr(bg_backend_get_reason(), ==, error->message);
}

static void
test_environment_chooses(void)
{
    g_autoptr(GError) error = NULL;

    g_setenv("BREGMA_BACKEND", "nonsense", TRUE);
    g_assert_null(bg_backend_open(NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_setenv("BREGMA_BACKEND", "cpu", TRUE);
    g_autoptr(BgBackend) backend = bg_backend_open(NULL, NULL);
    g_unsetenv("BREGMA_BACKEND");
    g_assert_true(backend == bg_backend_get_cpu());
}

// With two copies of core the type is registered twice, a critical, and both count from 1.
static void
test_shares_types_and_counters_with_core(void)
{
    g_autoptr(BgBackend) backend = open_host();
    g_autoptr(BgVolume) ours = noise(9, 8, 7);
    g_autoptr(BgVolume) theirs = copy_by(backend, ours, NULL);

    g_assert_cmpstr(bg_backend_get_name(backend), ==, "cuda");
    g_assert_true(device.volume_type == BG_TYPE_VOLUME);
    g_assert_cmpuint(bg_volume_get_serial(theirs), ==, bg_volume_get_serial(ours) + 1);
    g_assert_cmpmem(bg_volume_get_samples(theirs), bg_volume_get_n_bytes(theirs),
                    bg_volume_get_samples(ours), bg_volume_get_n_bytes(ours));
}

static void
test_refuses_other_versions_and_files(void)
{
    g_autoptr(GError) version = NULL, missing = NULL, other = NULL;
    gpointer symbol = NULL;
    BgBackendModuleInit init;

    g_assert_true(g_module_symbol(module, "bg_backend_module_init", &symbol));
    *(gpointer *) &init = symbol;
    g_assert_null(init(BG_BACKEND_ABI + 1, &version));
    g_assert_error(version, BG_ERROR, BG_ERROR_UNSUPPORTED);

    g_assert_null(bg_backend_module_open("/nowhere/bregma-cuda.so", &missing));
    g_assert_error(missing, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_assert_null(bg_backend_module_open("/bin/true", &other));
    g_assert_error(other, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

static void
test_says_when_there_is_no_card(void)
{
    g_autoptr(GError) error = NULL;

    *device.n_devices = 0;
    g_assert_null(bg_backend_module_open(module_path(), &error));
    *device.n_devices = 1;
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

static void
test_cpu_does_what_is_not_offered(void)
{
    g_autoptr(BgBackend) backend = open_host();
    g_autoptr(BgVolume) volume = noise(20, 21, 22);
    BgVec3 sigma_mm = { 1.0, 2.0, 3.0 };
    g_autoptr(BgVolume) theirs = bg_backend_gaussian(backend, volume, sigma_mm, NULL, NULL, NULL);
    g_autoptr(BgVolume) ours = bg_gaussian(volume, sigma_mm, NULL, NULL, NULL);
    BgResampleParams params = bg_resample_params(bg_volume_get_geometry(volume));

    g_assert_cmpmem(bg_volume_get_samples(theirs), bg_volume_get_n_bytes(theirs),
                    bg_volume_get_samples(ours), bg_volume_get_n_bytes(ours));
    // A method that the card does not have.
    params.method = BG_RESAMPLE_CUBIC;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) cubic = bg_backend_resample(backend, volume, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(cubic);
}

static void
test_keeps_copies_until_the_volume_ends(void)
{
    g_autoptr(BgBackend) backend = open_host();
    BgVolume *volume = noise(16, 16, 16);
    gsize before = *device.n_uploads;

    for (int i = 0; i < 3; i++) {
        g_autoptr(BgVolume) result = copy_by(backend, volume, NULL);
        g_assert_nonnull(result);
    }
    g_assert_cmpuint(*device.n_uploads, ==, before + 1);
    g_assert_cmpuint(*device.n_allocations, ==, 1);

    bg_volume_unref(volume);
    g_autoptr(BgVolume) next = noise(4, 4, 4);
    g_autoptr(BgVolume) result = copy_by(backend, next, NULL);
    g_assert_cmpuint(*device.n_allocations, ==, 1); // the old one went
    g_assert_cmpuint(*device.used_bytes, ==, 4 * 4 * 4 * 2);
}

// Room for about two volumes: the one that was not used for longest goes.
static void
test_drops_least_recently_used(void)
{
    gsize memory = *device.memory_bytes, n_bytes = 16 * 16 * 16 * 2;
    *device.memory_bytes = 4 * n_bytes;
    g_autoptr(BgBackend) backend = open_host(); // budget: 2.4 volumes
    g_autoptr(BgVolume) a = noise(16, 16, 16);
    g_autoptr(BgVolume) b = noise(16, 16, 16);
    g_autoptr(BgVolume) c = noise(16, 16, 16);
    BgVolume *order[] = { a, b, a, c, a, b };
    static const guint uploads[] = { 1, 2, 2, 3, 3, 4 };
    gsize before = *device.n_uploads;

    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autoptr(BgVolume) result = copy_by(backend, order[i], NULL);
        g_assert_nonnull(result);
        g_assert_cmpuint(*device.n_uploads - before, ==, uploads[i]);
        g_assert_cmpuint(*device.used_bytes, <=, 2 * n_bytes);
    }
    *device.memory_bytes = memory;
}

static void
test_full_card_is_an_error(void)
{
    gsize memory = *device.memory_bytes;
    g_autoptr(BgBackend) backend = open_host();
    g_autoptr(BgVolume) volume = noise(32, 32, 32);
    g_autoptr(GError) error = NULL;

    *device.memory_bytes = 1000;
    g_assert_null(copy_by(backend, volume, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_NO_MEMORY);
    g_assert_cmpuint(*device.used_bytes, ==, 0);
    *device.memory_bytes = memory;

    g_autoptr(BgVolume) after = copy_by(backend, volume, NULL);
    g_assert_nonnull(after);
}

static void
test_leaves_nothing_behind(void)
{
    g_autoptr(BgVolume) volume = noise(8, 8, 8);
    BgBackend *backend = open_host();
    g_autoptr(BgVolume) result = copy_by(backend, volume, NULL);

    bg_backend_free(backend);
    g_assert_cmpuint(*device.n_allocations, ==, 0);
}

int
main(int argc, char **argv)
{
    gpointer symbol = NULL;
    void (*probe)(HostProbe *);

    g_test_init(&argc, &argv, NULL);

    module = g_module_open(module_path(), G_MODULE_BIND_LOCAL);
    if (module == NULL || !g_module_symbol(module, "host_probe", &symbol))
        g_error("%s", g_module_error());
    *(gpointer *) &probe = symbol;
    probe(&device);

    g_test_add_func("/backend/names", test_names);
    g_test_add_func("/backend/auto/falls-back", test_auto_falls_back);
    g_test_add_func("/backend/environment-chooses", test_environment_chooses);
    g_test_add_func("/backend/module/shares-core", test_shares_types_and_counters_with_core);
    g_test_add_func("/backend/module/refuses", test_refuses_other_versions_and_files);
    g_test_add_func("/backend/module/no-card", test_says_when_there_is_no_card);
    g_test_add_func("/backend/falls-back-to-cpu", test_cpu_does_what_is_not_offered);
    g_test_add_func("/backend/pool/keeps-copies", test_keeps_copies_until_the_volume_ends);
    g_test_add_func("/backend/pool/least-recently-used", test_drops_least_recently_used);
    g_test_add_func("/backend/pool/full-card", test_full_card_is_an_error);
    g_test_add_func("/backend/pool/leaves-nothing", test_leaves_nothing_behind);

    return g_test_run();
}
