/* label.c - the codes of the services that China's label names: from the command line or the home folder, never made up. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define FILE_MAX (64u << 10)

/* HOME/aigc.json, {"ContentProducer": CODE, "ContentPropagator": CODE}, when it is there. */
static enum bst_code read_file(const char *home, struct cli_label *out, struct bst_error *err)
{
    static const char *const names[] = {"ContentProducer", "ContentPropagator"};
    const char **codes[] = {&out->codes.producer, &out->codes.propagator};
    char *path = bst_path_join(home, "aigc.json");
    if (!path) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    const char *key;
    json_t *value;
    if (bst_file_exists(path)) code = bst_json_load(path, FILE_MAX, &out->file, err);
    json_object_foreach(out->file, key, value)
    {
        size_t i = strcmp(key, names[0]) ? 1 : 0;
        if (strcmp(key, names[i]) || !json_is_string(value)) {
            bst_fail(err, BST_USAGE, "\"%.60s\" is no code of a service", key);
            bst_hint(err, "the file holds the texts ContentProducer and ContentPropagator, or one of them");
            code = bst_where(err, "%s", path);
            break;
        }
        if (!*codes[i]) *codes[i] = json_string_value(value);
    }
    free(path);
    return code;
}

enum bst_code cli_label(const struct cli_args *args, const char *home, struct cli_label *out,
                        struct bst_error *err)
{
    const char *profile = cli_value(args, "profile");
    *out = (struct cli_label){
        .codes = {.producer = cli_value(args, "producer"), .propagator = cli_value(args, "propagator")}};
    if (profile && strcmp(profile, "cn")) {
        bst_fail(err, BST_USAGE, "there is no profile \"%.40s\"", profile);
        return bst_hint(err, "cn puts on the label that China asks of AI content");
    }
    if (!profile && (out->codes.producer || out->codes.propagator)) {
        bst_fail(err, BST_USAGE, "--producer and --propagator are for the label, which was not asked for");
        return bst_hint(err, "--profile cn puts it on");
    }
    if (!profile) return BST_OK;
    out->wanted = true;
    enum bst_code code = read_file(home, out, err);
    if (code != BST_OK || out->codes.producer || out->codes.propagator) return code;
    bst_fail(err, BST_USAGE, "China's label names the service that made the picture or passes it on");
    return bst_hint(err, "--producer CODE or --propagator CODE, or a file aigc.json in %.200s", home);
}

void cli_label_clear(struct cli_label *label)
{
    json_decref(label->file);
    *label = (struct cli_label){0};
}
