/* statement_act.c - statements about what people do with pictures: choose, edit and arrange them, take them down, pass
 * their rights on. The forms are in schema/decision.schema.json, withdrawal.schema.json and transfer.schema.json. */
#include <string.h>

#include "statement.h"

/* A picture's descriptor; without its name when nobody is to read that. */
static json_t *picture_json(const struct bst_picture_ref *picture, bool named)
{
    return json_pack("{s:s*,s:o}", "name", named ? picture->name : NULL, "digest",
                     statement_digest(picture->sha256, picture->has_pixels ? picture->pixels_sha256 : NULL));
}

static json_t *pictures_json(const struct bst_picture_ref *pictures, size_t count, bool named)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(list, picture_json(&pictures[i], named)) == 0) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

static enum bst_code check_names(const struct bst_picture_ref *pictures, size_t count, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < count && code == BST_OK; i++)
        code = statement_text("name of a picture", pictures[i].name, err);
    return code;
}

/* ---- decisions ---- */

static const struct {
    const char *name, *others;
} acts[] = {
    [BST_ACT_SELECT] = {"select", "candidates"},
    [BST_ACT_EDIT] = {"edit", "before"},
    [BST_ACT_ARRANGE] = {"arrange", "parts"},
};

enum bst_code bst_statement_decision(const struct bst_decision *decision, const struct bst_identity *author,
                                     struct bst_secrets *secrets, struct bst_buf *payload,
                                     struct bst_error *err)
{
    memset(secrets, 0, sizeof *secrets);
    struct statement_draft draft = {decision->privacy, secrets, err};
    bool named = decision->privacy < BST_PRIVATE;
    enum bst_code code = check_names(&decision->picture, 1, err);
    if (code == BST_OK) code = check_names(decision->others, decision->other_count, err);
    if (code != BST_OK) return code;
    json_t *predicate = json_pack("{s:s,s:s,s:o}", "act", acts[decision->act].name, "privacy",
                                  statement_privacy(decision->privacy), acts[decision->act].others,
                                  pictures_json(decision->others, decision->other_count, named));
    if (!predicate) return bst_fail_memory(err);
    code = statement_words(&draft, predicate, "why", decision->why, BST_PARTNER);
    if (code == BST_OK) code = statement_words(&draft, predicate, "tool", decision->tool, BST_PRIVATE);
    if (code == BST_OK) {
        code = statement_act(BST_DECISION_TYPE, picture_json(&decision->picture, named), author, "decidedOn",
                             decision->decided_ms, predicate, payload, err);
    } else {
        json_decref(predicate);
    }
    if (code != BST_OK) bst_secrets_clear(secrets);
    return code;
}

/* ---- notices ---- */

enum bst_code bst_statement_withdrawal(const struct bst_picture_ref *picture, const char *reason,
                                       int64_t withdrawn_ms, const struct bst_identity *author,
                                       struct bst_buf *payload, struct bst_error *err)
{
    enum bst_code code = check_names(picture, 1, err);
    if (code == BST_OK) code = statement_text("reason", reason, err);
    if (code != BST_OK) return code;
    json_t *predicate = json_pack("{s:s*}", "reason", reason);
    return statement_act(BST_WITHDRAWAL_TYPE, picture_json(picture, true), author, "withdrawnOn",
                         withdrawn_ms, predicate, payload, err);
}

enum bst_code bst_statement_transfer(const struct bst_transfer *transfer, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err)
{
    enum bst_code code = check_names(&transfer->picture, 1, err);
    if (code == BST_OK) code = statement_text("name of the new holder", transfer->to_name, err);
    if (code == BST_OK) code = statement_text("licence", transfer->licence, err);
    if (code != BST_OK) return code;
    json_t *predicate = json_pack("{s:{s:s,s:s*},s:s*}", "to", "name", transfer->to_name, "keyId",
                                  transfer->to_key_id, "licence", transfer->licence);
    return statement_act(BST_TRANSFER_TYPE, picture_json(&transfer->picture, true), author, "transferredOn",
                         transfer->transferred_ms, predicate, payload, err);
}
