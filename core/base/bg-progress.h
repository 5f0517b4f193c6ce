// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgProgress:
 * @report: gets the fraction done, 0..1; called on any thread, may be called very often, so
 *   it must be cheap
 * @user_data: for @report
 *
 * Where a long function tells how far it is. A %NULL BgProgress is allowed everywhere.
 */
typedef struct {
    void (*report)(double fraction, gpointer user_data);
    gpointer user_data;
} BgProgress;

/** bg_progress_report: @progress: (nullable); @fraction: 0..1 */
void bg_progress_report(const BgProgress *progress, double fraction);

/**
 * BgProgressSpan:
 *
 * A part of a whole: reports of 0..1 to @progress come out as from..to of @whole. Lives on the
 * stack of the function that divides its work.
 */
typedef struct {
    BgProgress progress;
    const BgProgress *whole; // borrowed, nullable
    double from, to;
} BgProgressSpan;

/**
 * bg_progress_span_init:
 * @whole: (nullable): must outlive @span
 *
 * Returns: (transfer none): &span->progress, to hand down
 */
const BgProgress *bg_progress_span_init(BgProgressSpan *span, const BgProgress *whole, double from,
                                        double to);

G_END_DECLS
