// SPDX-License-Identifier: Apache-2.0
// DICOM: what is told apart before a file is read.
#include "media/dicom/bg-dicom.h"

#include <string.h>

static void
test_sniff(void)
{
    guint8 bytes[256] = { 0 };
    static const guint8 implicit_start[24] = { 8,   0,   5,   0,   10,  0,   0,   0,
                                               'I', 'S', 'O', '_', 'I', 'R', ' ', '1',
                                               '0', '0', 8,   0,   8,   0,   4,   0 };
    static const guint8 explicit_start[16] = { 8, 0, 0, 0, 'U', 'L', 4, 0, 1, 2, 0, 0, 8, 0, 5, 0 };
    static const guint8 big_start[16] = { 0, 8, 0, 5, 'C', 'S', 0, 2, 'I', 'R', 0, 8, 0, 8, 0, 0 };

    g_assert_false(bg_dicom_sniff(bytes, sizeof bytes));
    memcpy(bytes + 128, "DICM", 4);
    g_assert_true(bg_dicom_sniff(bytes, sizeof bytes));
    g_assert_false(bg_dicom_sniff(bytes, 131));
    g_assert_true(bg_dicom_sniff(explicit_start, sizeof explicit_start));
    g_assert_true(bg_dicom_sniff(big_start, sizeof big_start));
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, implicit_start, sizeof implicit_start);
    bytes[18] = 8;
    g_assert_true(bg_dicom_sniff(bytes, sizeof bytes));
    bytes[20] = 1; // descending
    g_assert_false(bg_dicom_sniff(bytes, sizeof bytes));
    g_assert_false(bg_dicom_sniff((const guint8 *) "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dicom/sniff", test_sniff);
    return g_test_run();
}
