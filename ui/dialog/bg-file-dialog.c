// SPDX-License-Identifier: Apache-2.0
#include "ui/dialog/bg-file-dialog.h"

#include "core/base/bg-i18n.h"

typedef struct {
    GWeakRef asker;
    void (*chosen)(GtkWidget *asker, const char *path);
} Question;

static void
question_free(gpointer data, GClosure *closure)
{
    Question *question = data;

    g_weak_ref_clear(&question->asker);
    g_free(question);
}

static void
on_response(GtkNativeDialog *dialog, int response, gpointer user_data)
{
    Question *question = user_data;
    g_autoptr(GtkWidget) asker = g_weak_ref_get(&question->asker);

    if (response == GTK_RESPONSE_ACCEPT && asker != NULL) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        const char *path = file != NULL ? g_file_peek_path(file) : NULL;
        if (path != NULL)
            question->chosen(asker, path);
    }
    g_object_unref(dialog);
}

static void
add_filter(GtkFileChooser *chooser, const char *name, const char *patterns)
{
    GtkFileFilter *filter = gtk_file_filter_new();
    g_auto(GStrv) each = g_strsplit(patterns, " ", -1);

    gtk_file_filter_set_name(filter, name);
    for (char **pattern = each; *pattern != NULL; pattern++)
        gtk_file_filter_add_pattern(filter, *pattern);
    gtk_file_chooser_add_filter(chooser, filter);
    g_object_unref(filter);
}

void
bg_file_dialog_ask(GtkWidget *asker, const BgFileChoice *choice,
                   void (*chosen)(GtkWidget *asker, const char *path))
{
    GtkRoot *root = gtk_widget_get_root(asker);
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(choice->title, GTK_IS_WINDOW(root) ? GTK_WINDOW(root) : NULL,
                                    choice->save     ? GTK_FILE_CHOOSER_ACTION_SAVE
                                    : choice->folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER
                                                     : GTK_FILE_CHOOSER_ACTION_OPEN,
                                    choice->accept, _("_Cancel"));
    Question *question = g_new0(Question, 1);

    g_weak_ref_init(&question->asker, asker);
    question->chosen = chosen;
    if (choice->patterns != NULL) {
        add_filter(GTK_FILE_CHOOSER(dialog), choice->filter_name, choice->patterns);
        add_filter(GTK_FILE_CHOOSER(dialog), _("All files"), "*");
    }
    if (choice->save && choice->suggested_name != NULL)
        gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), choice->suggested_name);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_response), question, question_free, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}
