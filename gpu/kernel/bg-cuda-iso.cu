// SPDX-License-Identifier: Apache-2.0
// Isosurfaces on the device, by core/surface/bg-iso-op.h. The volume is read once, eight voxels a thread
// in the order of memory; what follows works on the bits, of which 512^3 voxels have 17 MB, a thread a
// row, and on the samples at crossings.
#include "gpu/kernel/bg-cuda-iso.h"
#include "gpu/kernel/bg-launch.cuh"

BG_HOSTDEV bool
is_inside(const BgIsoOp &op, float sample)
{
    return op.at_most ? sample <= op.level_sample : sample >= op.level_sample;
}

template <typename T>
BG_HOSTDEV bool
is_inside(const BgIsoOp &op, T sample)
{
    return ((int64_t) sample > op.bound) != op.flip;
}

template <typename T>
BG_HOSTDEV T
sample_at(const BgIsoOp &op, const T *samples, int i, int j, int k)
{
    return samples[op.first + (size_t) (i - 1) + op.row * (size_t) (j - 1) +
                   op.slice * (size_t) (k - 1)];
}

template <typename T>
static __global__ void
classify_kernel(BgIsoOp op, BgCudaIso iso, size_t n)
{
    size_t stride = (size_t) blockDim.x * gridDim.x, across = 8 * (size_t) op.n_words;

    for (size_t at = (size_t) blockIdx.x * blockDim.x + threadIdx.x; at < n; at += stride) {
        size_t row = at / across;
        int j = (int) (row % (size_t) op.n_rows), k = (int) (row / (size_t) op.n_rows);
        int first = 8 * (int) (at % across);
        unsigned inside = 0;
        for (int b = 0; b < 8 && !bg_iso_op_is_padding(&op, j, k); b++) {
            int i = first + b;
            if (i >= 1 && i <= op.dims[0] &&
                is_inside(op, sample_at(op, (const T *) iso.samples, i, j, k)))
                inside |= 1u << b;
        }
        ((unsigned char *) iso.bits)[at] = (unsigned char) inside; // little-endian words
    }
}

static __global__ void
count_kernel(BgIsoOp op, BgCudaIso iso, size_t n)
{
    size_t stride = (size_t) blockDim.x * gridDim.x;

    for (size_t at = (size_t) blockIdx.x * blockDim.x + threadIdx.x; at < n; at += stride) {
        int j = (int) (at % (size_t) op.n_rows), k = (int) (at / (size_t) op.n_rows);
        BgIsoOpCells cells = bg_iso_op_cells(&op, iso.bits, j, k);
        bool has[3] = { bg_iso_op_has(&op, 0, j, k), bg_iso_op_has(&op, 1, j, k),
                        bg_iso_op_has(&op, 2, j, k) };
        bool has_cells = has[1] && has[2];
        BgIsoOpStart count = { 0, 0, 0, 0 };
        for (int w = 0; w < op.n_words; w++) {
            if (has[0])
                count.x += bg_iso_op_count(bg_iso_op_crossed(&op, 0, cells.row[0], NULL, w));
            if (has[1])
                count.y +=
                    bg_iso_op_count(bg_iso_op_crossed(&op, 1, cells.row[0], cells.row[1], w));
            if (has[2])
                count.z +=
                    bg_iso_op_count(bg_iso_op_crossed(&op, 2, cells.row[0], cells.row[2], w));
            uint64_t active = has_cells ? bg_iso_op_active(&op, &cells, w) : 0;
            for (; active != 0; active &= active - 1)
                count.triangle +=
                    iso.table[bg_iso_op_case(&cells, w, bg_iso_op_lowest(active))].n_triangles;
        }
        iso.starts[at] = count;
    }
}

template <typename T>
BG_HOSTDEV double
crossing_at(const BgIsoOp &op, const T *samples, int i, int j, int k, int axis)
{
    int to[3] = { i + (axis == 0), j + (axis == 1), k + (axis == 2) };

    if (i < 1 || to[0] > op.dims[0] || bg_iso_op_is_padding(&op, j, k) ||
        bg_iso_op_is_padding(&op, to[1], to[2]))
        return 0.5; // beyond the border there is no sample
    return bg_iso_op_between(&op, (float) sample_at(op, samples, i, j, k),
                             (float) sample_at(op, samples, to[0], to[1], to[2]));
}

template <typename T>
BG_HOSTDEV void
write_vertices(const BgIsoOp &op, const BgCudaIso &iso, const BgIsoOpCells &cells, int j, int k,
               int axis, uint32_t vertex)
{
    double place[3] = { (double) (op.low[0] - 1), (double) (op.low[1] + j - 1),
                        (double) (op.low[2] + k - 1) };

    for (int w = 0; w < op.n_words; w++) {
        uint64_t crossed = bg_iso_op_crossed(&op, axis, cells.row[0], cells.row[axis], w);
        for (; crossed != 0; crossed &= crossed - 1, vertex++) {
            int i = 64 * w + bg_iso_op_lowest(crossed);
            double t = crossing_at(op, (const T *) iso.samples, i, j, k, axis);
            for (int c = 0; c < 3; c++) {
                const double *m = op.patient_from_voxel[c];
                double base = m[0] * place[0] + m[1] * place[1] + m[2] * place[2] + m[3];
                iso.positions[3 * (size_t) vertex + (size_t) c] =
                    (float) (base + (double) i * m[0] + t * m[axis]);
            }
        }
    }
}

// The next vertex on each of the eight rows of edges round a row of cells.
typedef struct {
    uint32_t x[4], y[2], z[2];
} Cursor;

// The vertices on the cell's edges, in the table's order; steps to the next cell.
BG_HOSTDEV void
step_cursor(Cursor *at, unsigned crossed, uint32_t vertex[12])
{
    for (unsigned e = 0; e < 4; e++) {
        vertex[e] = at->x[e];
        at->x[e] += crossed >> e & 1;
    }
    for (unsigned e = 0; e < 2; e++) {
        vertex[4 + 2 * e] = at->y[e];
        at->y[e] += crossed >> (4 + 2 * e) & 1;
        vertex[5 + 2 * e] = at->y[e];
        vertex[8 + 2 * e] = at->z[e];
        at->z[e] += crossed >> (8 + 2 * e) & 1;
        vertex[9 + 2 * e] = at->z[e];
    }
}

BG_HOSTDEV void
write_triangles(const BgIsoOp &op, const BgCudaIso &iso, const BgIsoOpCells &cells, size_t row)
{
    const BgIsoOpStart *start = iso.starts + row, *above = start + op.n_rows;
    Cursor at = { { start[0].x, start[1].x, above[0].x, above[1].x },
                  { start[0].y, above[0].y },
                  { start[0].z, start[1].z } };
    uint32_t *to = iso.triangles + 3 * (size_t) start->triangle, vertex[12];

    for (int w = 0; w < op.n_words; w++) {
        uint64_t active = bg_iso_op_active(&op, &cells, w);
        for (; active != 0; active &= active - 1) {
            const BgIsoOpCase *entry =
                &iso.table[bg_iso_op_case(&cells, w, bg_iso_op_lowest(active))];
            step_cursor(&at, entry->crossed, vertex);
            for (int e = 0; e < 3 * entry->n_triangles; e++)
                *to++ = vertex[entry->edges[e]];
        }
    }
}

template <typename T>
static __global__ void
write_kernel(BgIsoOp op, BgCudaIso iso, size_t n)
{
    size_t stride = (size_t) blockDim.x * gridDim.x;

    for (size_t at = (size_t) blockIdx.x * blockDim.x + threadIdx.x; at < n; at += stride) {
        int j = (int) (at % (size_t) op.n_rows), k = (int) (at / (size_t) op.n_rows);
        BgIsoOpStart start = iso.starts[at], next = iso.starts[at + 1];
        BgIsoOpCells cells = bg_iso_op_cells(&op, iso.bits, j, k);
        if (start.x != start.y)
            write_vertices<T>(op, iso, cells, j, k, 0, start.x);
        if (start.y != start.z)
            write_vertices<T>(op, iso, cells, j, k, 1, start.y);
        if (start.z != next.x)
            write_vertices<T>(op, iso, cells, j, k, 2, start.z);
        if (start.triangle != next.triangle)
            write_triangles(op, iso, cells, at);
    }
}

static size_t
count_rows(const BgIsoOp *op)
{
    return (size_t) op->n_rows * (size_t) op->n_slices;
}

extern "C" int
bg_cuda_iso_classify(const BgIsoOp *op, const BgCudaIso *iso, void *stream)
{
    cudaStream_t queue = (cudaStream_t) stream;
    size_t n = count_rows(op) * 8 * (size_t) op->n_words;

#define CASE(TYPE, name, ctype)                                                                   \
    case TYPE:                                                                                    \
        BG_LAUNCH((classify_kernel<ctype>), bg_launch_blocks(n), BG_BLOCK_SIZE, queue, *op, *iso, \
                  n);                                                                             \
        break;
    switch (op->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    return (int) cudaGetLastError();
}

extern "C" int
bg_cuda_iso_count(const BgIsoOp *op, const BgCudaIso *iso, void *stream)
{
    cudaStream_t queue = (cudaStream_t) stream;
    size_t n = count_rows(op);

    BG_LAUNCH((count_kernel), bg_launch_blocks(n), BG_BLOCK_SIZE, queue, *op, *iso, n);
    return (int) cudaGetLastError();
}

extern "C" int
bg_cuda_iso_write(const BgIsoOp *op, const BgCudaIso *iso, void *stream)
{
    cudaStream_t queue = (cudaStream_t) stream;
    size_t n = count_rows(op);

#define CASE(TYPE, name, ctype)                                                                    \
    case TYPE:                                                                                     \
        BG_LAUNCH((write_kernel<ctype>), bg_launch_blocks(n), BG_BLOCK_SIZE, queue, *op, *iso, n); \
        break;
    switch (op->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    return (int) cudaGetLastError();
}
