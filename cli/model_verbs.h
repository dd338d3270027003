/* model_verbs.h - what the verbs of "blindstamp model" share. */
#ifndef BST_CLI_MODEL_VERBS_H
#define BST_CLI_MODEL_VERBS_H

#include "cli.h"

struct model_call {
    const struct cli_args *args;
    const char *home; /* which need not exist */
    const struct cli_places *places;
    const char *operand; /* behind the verb, or NULL */
};

enum bst_code model_list(const struct model_call *call, struct bst_error *err);
enum bst_code model_show(const struct model_call *call, struct bst_error *err);
enum bst_code model_add(const struct model_call *call, struct bst_error *err);
enum bst_code model_check(const struct model_call *call, struct bst_error *err);
enum bst_code model_bench(const struct model_call *call, struct bst_error *err);
enum bst_code model_graph(const struct model_call *call, struct bst_error *err);

/* All that is known of a model without running it. New reference. */
json_t *model_json(const struct bst_model *model, const char *path, bool bundled);
/* "name      text" on a line; NULL is "unknown". */
void model_line(const char *name, const char *text);
/* "1x3x64x64" */
#define MODEL_DIMS_TEXT 128
void model_dims_text(size_t rank, const int64_t *dims, char out[static MODEL_DIMS_TEXT]);
void model_count_text(uint64_t count, char out[static 32]);
void model_digest_text(const struct bst_model *model, char out[static BST_SHA256_HEX]);
/* Copies of a model's files of weights that were made (model_weights.c). */
struct model_weights {
    char **paths;
    size_t count;
};
/* Copies them below folder, as far as they are not there; w is zeroed before. After a failure there are none. */
enum bst_code model_weights_copy(struct model_weights *w, const struct bst_model *model, const char *folder,
                                 struct bst_error *err);
/* Removes the copies. */
void model_weights_take_back(struct model_weights *w);
/* Forgets them; they stay. */
void model_weights_clear(struct model_weights *w);

/* "a, b, c" in new memory, or NULL. */
char *model_join(char *const *words, size_t count);

#endif
