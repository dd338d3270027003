/* label.c - the label that China asks of AI content (GB 45438-2025), in words, and whether it fits the picture. It is the
 * metadata's word: nothing follows from it for the verdict, unless a seal of ours on it was broken. */
#include "verify.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX 60 /* bytes shown of a name, code or number */

/* "; produced by CODE as ID" */
static void say_part(const json_t *label, const char *verb, const char *who, const char *number,
                     struct bst_buf *out)
{
    const char *code = bst_json_text(label, who), *id = bst_json_text(label, number);
    if (!code || !*code) return;
    bst_buf_printf(out, "; %s by %.*s", verb, PART_MAX, code);
    if (id && *id) bst_buf_printf(out, " as %.*s", PART_MAX, id);
}

char *audit_label_words(const json_t *label)
{
    struct bst_buf out = {0};
    bst_buf_text(&out, bst_aigc_words(label));
    say_part(label, "produced", "ContentProducer", "ProduceID", &out);
    say_part(label, "passed on", "ContentPropagator", "PropagateID", &out);
    char *text = bst_buf_string(&out);
    if (!text) bst_buf_free(&out);
    return text;
}

/* Whose key is it, as far as that is known here? */
static const char *holder(const struct judge *judge, const uint8_t key[static BST_KEY_LEN])
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    if (judge->has_identity && !memcmp(key, judge->identity.public_key, BST_KEY_LEN)) return "your own key";
    if ((c2pa->has_author && !memcmp(key, c2pa->author_key, BST_KEY_LEN)) ||
        (c2pa->signer_is_ed25519 && !memcmp(key, c2pa->signer_key, BST_KEY_LEN)))
        return "the key of this picture's signer";
    return "a key that is not known here";
}

static void say(struct judge *judge, const json_t *label)
{
    static const char *const words[] = {
        [BST_AIGC_UNSEALED] = "It has no seal that could be checked.",
        [BST_AIGC_FITS] = "Its seal fits it and these pixels",
        [BST_AIGC_OTHER_PIXELS] = "Its seal fits it, but was made for other pixels",
        [BST_AIGC_FORGED] = "Its seal does not fit: the label was changed.",
    };
    static const enum bst_result results[] = {[BST_AIGC_UNSEALED] = BST_SKIPPED,
                                              [BST_AIGC_FITS] = BST_PASS,
                                              [BST_AIGC_OTHER_PIXELS] = BST_UNKNOWN,
                                              [BST_AIGC_FORGED] = BST_FAIL};
    uint8_t key[BST_KEY_LEN], other_key[BST_KEY_LEN];
    enum bst_aigc_seal seal = bst_aigc_check(label, BST_AIGC_PRODUCER, judge->pixels_sha256, key);
    enum bst_aigc_seal other = bst_aigc_check(label, BST_AIGC_PROPAGATOR, judge->pixels_sha256, other_key);
    if (other > seal) { /* the worse, or the only one */
        seal = other;
        memcpy(key, other_key, sizeof key);
    }
    bool signed_ = seal == BST_AIGC_FITS || seal == BST_AIGC_OTHER_PIXELS;
    char *told = audit_label_words(label);
    judge_say(judge, "aigc", results[seal], "The label for AI content in China says: %.200s. %s%s%s%s",
              told ? told : "?", words[seal], signed_ ? ", signed with " : "",
              signed_ ? holder(judge, key) : "", signed_ ? "." : "");
    free(told);
}

enum bst_code judge_label(struct judge *judge, struct bst_error *err)
{
    bool hinted = true;
    enum bst_code code = BST_OK;
    if (!judge->metadata) {
        code = bst_metadata_mentions(judge->path, &judge->container, "AIGC", &hinted, err);
        if (code == BST_OK && hinted)
            code = bst_metadata_read(judge->path, &judge->container, &judge->metadata, err);
    }
    json_t *label = code == BST_OK ? bst_aigc_find(judge->metadata) : NULL;
    if (label && bst_aigc_is_sealed(label)) code = judge_pixels(judge, err);
    if (code == BST_UNREADABLE) { /* nothing to hold it against; who judges the file says so */
        *err = (struct bst_error){0};
        code = BST_OK;
    } else if (label && code == BST_OK) {
        say(judge, label);
    }
    json_decref(label);
    return code;
}
