// SPDX-License-Identifier: Apache-2.0
#include "core/compute/bg-backend.h"

#include "bg-backend-ops.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

static GMutex reason_lock;
static const char *reason; // interned; under reason_lock

// The text of the reason is kept for good: few differ in the life of a program.
static void
note_reason(const char *message)
{
    gboolean is_new;

    g_mutex_lock(&reason_lock);
    const char *text = g_intern_string(message);
    is_new = text != NULL && text != reason;
    reason = text;
    g_mutex_unlock(&reason_lock);

    if (is_new)
        g_info("the CPU does all work: %s", text);
}

const char *
bg_backend_get_reason(void)
{
    g_mutex_lock(&reason_lock);
    const char *text = reason;
    g_mutex_unlock(&reason_lock);
    return text;
}

static BgBackend *
open_auto(void)
{
    g_autoptr(GError) error = NULL;
    BgBackend *backend = bg_backend_module_open_cuda(&error);

    note_reason(backend == NULL ? error->message : NULL);
    return backend != NULL ? backend : bg_backend_get_cpu();
}

BgBackend *
bg_backend_open(const char *name, GError **error)
{
    if (name == NULL)
        name = g_getenv("BREGMA_BACKEND");
    if (name == NULL || *name == '\0' || g_str_equal(name, "auto"))
        return open_auto();
    if (g_str_equal(name, "cpu"))
        return bg_backend_get_cpu();
    if (g_str_equal(name, "cuda"))
        return bg_backend_module_open_cuda(error);

    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("There is no backend “%s”: choose auto, cpu or cuda"), name);
    return NULL;
}

void
bg_backend_free(BgBackend *backend)
{
    if (backend != NULL && backend->ops->free != NULL)
        backend->ops->free(backend);
}

const char *
bg_backend_get_name(const BgBackend *backend)
{
    return backend->ops->name;
}

const char *
bg_backend_get_device(const BgBackend *backend)
{
    return backend->device;
}

static BgBackend *
fall_back(BgBackend *self, const char *op, const char *why)
{
    g_info("backend %s has no %s%s%s: the CPU runs it", self->ops->name, op,
           why != NULL ? " for this, " : "", why != NULL ? why : "");
    return bg_backend_get_cpu();
}

// `self` if it offers the operation, else the CPU. Says so, for a silent fallback looks like a slow
// graphics card.
#define OFFERED_BY(self, op) ((self)->ops->op != NULL ? (self) : fall_back((self), #op, NULL))

// Runs the operation; once more by the CPU when these very parameters are beyond the backend.
#define DISPATCH(result, self, op, ...)                                                        \
    do {                                                                                       \
        BgBackend *backend_ = OFFERED_BY(self, op);                                            \
        GError *local_ = NULL;                                                                 \
        result = backend_->ops->op(backend_, __VA_ARGS__, progress, cancellable, &local_);     \
        if (result == NULL && backend_ != bg_backend_get_cpu() &&                              \
            g_error_matches(local_, BG_ERROR, BG_ERROR_UNSUPPORTED)) {                         \
            backend_ = fall_back(backend_, #op, local_->message);                              \
            g_clear_error(&local_);                                                            \
            result = backend_->ops->op(backend_, __VA_ARGS__, progress, cancellable, &local_); \
        }                                                                                      \
        if (local_ != NULL)                                                                    \
            g_propagate_error(error, local_);                                                  \
    } while (0)

BgCastImage *
bg_backend_cast(BgBackend *backend, BgVolume *volume, const BgCastParams *params,
                const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgCastImage *image;

    g_return_val_if_fail(backend != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    DISPATCH(image, backend, cast, volume, params);
    return image;
}

BgMesh *
bg_backend_isosurface(BgBackend *backend, BgVolume *volume, const BgIsoParams *params,
                      const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgMesh *mesh;

    g_return_val_if_fail(backend != NULL, NULL);
    g_return_val_if_fail(volume != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    DISPATCH(mesh, backend, isosurface, volume, params);
    return mesh;
}

BgVolume *
bg_backend_resample(BgBackend *backend, BgVolume *source, const BgResampleParams *params,
                    const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgVolume *result;

    g_return_val_if_fail(backend != NULL, NULL);
    g_return_val_if_fail(source != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    DISPATCH(result, backend, resample, source, params);
    return result;
}

BgVolume *
bg_backend_gaussian(BgBackend *backend, BgVolume *volume, BgVec3 sigma_mm,
                    const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgVolume *result;

    g_return_val_if_fail(backend != NULL, NULL);
    g_return_val_if_fail(volume != NULL, NULL);

    DISPATCH(result, backend, gaussian, volume, sigma_mm);
    return result;
}

BgVolume *
bg_backend_median(BgBackend *backend, BgVolume *volume, int radius_voxels,
                  const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgVolume *result;

    g_return_val_if_fail(backend != NULL, NULL);
    g_return_val_if_fail(volume != NULL, NULL);

    DISPATCH(result, backend, median, volume, radius_voxels);
    return result;
}

BgBackendNetwork *
bg_backend_network_new(BgBackend *backend, BgNnGraph *graph, BgNnParams *params,
                       const BgBackendNetworkSpec *spec, GError **error)
{
    BgBackendNetwork *network;
    GError *local = NULL;

    g_return_val_if_fail(backend != NULL, NULL);
    g_return_val_if_fail(graph != NULL && params != NULL && spec != NULL, NULL);

    backend = OFFERED_BY(backend, network);
    network = backend->ops->network(backend, graph, params, spec, &local);
    if (network == NULL && backend != bg_backend_get_cpu() &&
        g_error_matches(local, BG_ERROR, BG_ERROR_UNSUPPORTED)) {
        backend = fall_back(backend, "network", local->message);
        g_clear_error(&local);
        network = backend->ops->network(backend, graph, params, spec, &local);
    }
    if (local != NULL)
        g_propagate_error(error, local);
    if (network == NULL)
        return NULL;
    g_autofree BgNnShape *shapes = bg_nn_graph_infer(graph, spec->inputs, spec->n_inputs, NULL);
    network->flop = bg_nn_graph_count_flop(graph, shapes);
    return network;
}

void
bg_backend_network_free(BgBackendNetwork *network)
{
    if (network != NULL)
        network->ops->free(network);
}

gboolean
bg_backend_network_run(BgBackendNetwork *network, BgNnTensor *const *inputs, BgNnTensor **outputs,
                       const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return network->ops->run(network, inputs, outputs, progress, cancellable, error);
}

const char *
bg_backend_network_get_name(const BgBackendNetwork *network)
{
    return network->ops->name;
}

double
bg_backend_network_get_flop(const BgBackendNetwork *network)
{
    return network->flop;
}

BgBackendNetwork *
bg_engine_network(const BgEngine *engine, BgNnGraph *graph, BgNnParams *params,
                  const BgNnShape *shapes, int n_inputs, GError **error)
{
    BgBackendNetworkSpec spec = { shapes, n_inputs, engine->precision };
    BgBackend *backend = engine->backend != NULL ? engine->backend : bg_backend_get_cpu();

    return bg_backend_network_new(backend, graph, params, &spec, error);
}

const char *
bg_precision_name(BgNnPrecision precision)
{
    static const char *const names[] = { "float32", "bf16", "tf32" };

    return names[precision];
}

// Sums of a few products in float32, in another order or with other fused steps; medians and
// nearest voxels are copied. Pictures are 8-bit: two steps.
static const BgBackendTolerance tolerances[] = {
    { "cast", 2.0 / 255.0 }, { "isosurface", 1e-5 }, { "resample", 1e-5 },
    { "gaussian", 1e-5 },    { "median", 0.0 },
};

const BgBackendTolerance *
bg_backend_get_tolerance(const char *op)
{
    for (guint i = 0; i < G_N_ELEMENTS(tolerances); i++) {
        if (g_str_equal(tolerances[i].op, op))
            return &tolerances[i];
    }
    return NULL;
}
