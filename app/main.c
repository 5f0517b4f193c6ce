// SPDX-License-Identifier: Apache-2.0
#include "app/bg-application.h"
#include "core/base/bg-i18n.h"

#include <locale.h>

int
main(int argc, char **argv)
{
    // GTK draws faster by cairo than by OpenGL where no card is there to do it: measured 4 times.
    if (!g_file_test("/dev/dri", G_FILE_TEST_EXISTS) &&
        !g_file_test("/dev/nvidia0", G_FILE_TEST_EXISTS))
        g_setenv("GSK_RENDERER", "cairo", FALSE);
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, BG_LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    g_set_application_name("bregma");

    g_autoptr(BgApplication) application = bg_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
