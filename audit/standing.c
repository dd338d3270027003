/* standing.c - what the ledger at hand says of a picture besides its own statement: whether the key that signed it is still
 * believed, who holds the rights, whether the picture was withdrawn. */
#include "verify.h"

#include <inttypes.h>
#include <jansson.h>

/* A key that was revoked: what was logged before counts, and so does what a trusted time stamp proves to be older. */
static void judge_revoked(struct judge *judge, const struct bst_key_life *life, uint64_t entry)
{
    char since[BST_TIME_LEN];
    int64_t stamped_ms = judge->c2pa.stamped_ms;
    bst_time_text(life->since_ms, since);
    if (bst_key_believed(life, entry))
        judge_say(judge, "key", BST_PASS,
                  "The author's key was revoked (entry %" PRIu64
                  ", from %s on); this statement was logged before.",
                  life->ended_by, since);
    else if (stamped_ms > 0 && stamped_ms < life->since_ms)
        judge_say(judge, "key", BST_PASS,
                  "The author's key was revoked (entry %" PRIu64
                  ", from %s on); a trusted time stamp proves that the picture was signed before.",
                  life->ended_by, since);
    else
        judge_say(judge, "key", BST_UNKNOWN,
                  "The author's key was revoked (entry %" PRIu64
                  ", from %s on), and nothing proves that this statement is older%s%.80s.",
                  life->ended_by, since, life->reason ? ": " : "", life->reason ? life->reason : "");
}

static enum bst_code judge_key(struct judge *judge, uint64_t entry, struct bst_error *err)
{
    struct bst_keys keys;
    enum bst_code code = bst_ledger_keys(judge->ledger, &keys, err);
    if (code != BST_OK) return code;
    const struct bst_key_life *life = bst_keys_find(&keys, judge->dsse.key_id);
    if (life && life->revoked)
        judge_revoked(judge, life, entry);
    else if (life && !bst_key_believed(life, entry))
        judge_say(judge, "key", BST_UNKNOWN,
                  "The statement was signed with a key that its author had exchanged for another by then "
                  "(entry %" PRIu64 ").",
                  life->ended_by);
    bst_keys_clear(&keys);
    return BST_OK;
}

static json_t *rights_json(const struct bst_rights *rights)
{
    json_t *withdrawn =
        rights->withdrawn
            ? json_pack("{s:I, s:o, s:o}", "entry", (json_int_t)rights->withdrawn_entry, "by",
                        audit_text(rights->withdrawn_by), "reason", audit_text(rights->withdrawn_reason))
            : json_null();
    return json_pack("{s:o, s:s?, s:I, s:o, s:o}", "holder", audit_text(rights->holder), "holder_key_id",
                     *rights->holder_key_id ? rights->holder_key_id : NULL, "entry",
                     (json_int_t)rights->holder_entry, "licence", audit_text(rights->licence), "withdrawn",
                     withdrawn);
}

static void tell_rights(struct judge *judge, const struct bst_rights *rights)
{
    if (rights->holder_entry != rights->entry)
        judge_say(judge, "rights", BST_PASS,
                  "The rights are with %.120s since entry %" PRIu64 " of the ledger%s%.80s.", rights->holder,
                  rights->holder_entry, rights->licence ? ", under the licence " : "",
                  rights->licence ? rights->licence : "");
    if (rights->withdrawn)
        judge_say(judge, "withdrawal", BST_PASS,
                  "The picture was withdrawn by %.100s (entry %" PRIu64 ")%s%.120s.", rights->withdrawn_by,
                  rights->withdrawn_entry, rights->withdrawn_reason ? ": " : "",
                  rights->withdrawn_reason ? rights->withdrawn_reason : "");
    judge->verdict->rights = rights_json(rights);
}

enum bst_code judge_standing(struct judge *judge, uint64_t entry, struct bst_error *err)
{
    struct bst_rights rights;
    struct bst_error why = {0};
    if (!judge->ledger || bst_ledger_current(judge->ledger, &why) != BST_OK) return BST_OK;
    enum bst_code code = judge->has_statement ? judge_key(judge, entry, err) : BST_OK;
    if (code != BST_OK) return code;
    code = bst_ledger_rights_of(judge->ledger, entry, &rights, &why);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    if (code != BST_OK) return BST_OK; /* what the index lacks, ledger verify tells */
    tell_rights(judge, &rights);
    bst_rights_clear(&rights);
    return BST_OK;
}
