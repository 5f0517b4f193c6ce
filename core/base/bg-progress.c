// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-progress.h"

void
bg_progress_report(const BgProgress *progress, double fraction)
{
    if (progress != NULL && progress->report != NULL)
        progress->report(fraction, progress->user_data);
}

static void
on_span_report(double fraction, gpointer user_data)
{
    const BgProgressSpan *span = user_data;

    bg_progress_report(span->whole, span->from + fraction * (span->to - span->from));
}

const BgProgress *
bg_progress_span_init(BgProgressSpan *span, const BgProgress *whole, double from, double to)
{
    g_return_val_if_fail(span != NULL, NULL);

    span->progress = (BgProgress){ .report = on_span_report, .user_data = span };
    span->whole = whole;
    span->from = from;
    span->to = to;
    return &span->progress;
}
