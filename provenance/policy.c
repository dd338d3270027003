/* policy.c - trust files (c2sp.org/tlog-policy): which logs are meant, and which witnesses must have seen a checkpoint.
 *
 *   log <verifier key> [<address>]
 *   witness <name> <verifier key> [<address>]
 *   group <name> any|all|<number> <member>...     members stand above, each in one group at most
 *   quorum <name>|none                            one line of it
 */
#include <stdlib.h>
#include <string.h>

#include "note.h"

#define POLICY_MAX 256u * 1024u /* bytes of the text */
#define WORDS_MAX  1024u        /* of a line */
#define KEYS_MAX   1024u

/* A witness, or a group of what stands before it in the list. */
struct node {
    char *name;
    bool grouped;    /* a group has it */
    size_t key;      /* witness: place in keys */
    size_t count;    /* group: members */
    size_t *members; /* group: places in nodes */
    size_t needed;   /* group: so many of them */
};

struct bst_policy {
    size_t key_count, node_count;
    struct bst_policy_key *keys; /* of logs and witnesses, in the order of the text */
    struct node *nodes;
    bool has_quorum;
    bool none;
    size_t quorum; /* place in nodes */
};

void bst_policy_free(struct bst_policy *policy)
{
    if (!policy) return;
    for (size_t i = 0; i < policy->key_count; i++) {
        free(policy->keys[i].name);
        free(policy->keys[i].label);
        free(policy->keys[i].url);
    }
    for (size_t i = 0; i < policy->node_count; i++) {
        free(policy->nodes[i].name);
        free(policy->nodes[i].members);
    }
    free(policy->keys);
    free(policy->nodes);
    free(policy);
}

const struct bst_policy_key *bst_policy_keys(const struct bst_policy *policy, size_t *count)
{
    *count = policy->key_count;
    return policy->keys;
}

/* ---- reading ---- */

struct reader {
    struct bst_policy *policy;
    size_t line, count;
    char *words[WORDS_MAX];
};

static enum bst_code bad_line(const struct reader *reader, struct bst_error *err, const char *what,
                              const char *word)
{
    bst_fail(err, BST_UNREADABLE, "line %zu of the policy: %s%s%.80s%s", reader->line, what,
             word ? " \"" : "", word ? word : "", word ? "\"" : "");
    return bst_hint(err, "lines are: log KEY [URL], witness NAME KEY [URL], group NAME any|all|NUMBER "
                         "MEMBER..., quorum NAME|none");
}

static bool find_node(const struct bst_policy *policy, const char *name, size_t *out)
{
    for (size_t i = 0; i < policy->node_count; i++) {
        if (strcmp(policy->nodes[i].name, name) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

static void *grow(void *list, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? realloc(list, (count ? 2 * count : 1) * size) : list;
}

static enum bst_code add_key(struct reader *reader, size_t at, bool witness, struct bst_error *err)
{
    struct bst_policy *policy = reader->policy;
    struct bst_policy_key key = {.witness = witness};
    if (policy->key_count == KEYS_MAX) return bad_line(reader, err, "too many keys", NULL);
    enum bst_code code = witness ? bst_witness_vkey_parse(reader->words[at], &key.name, key.key, err)
                                 : bst_vkey_parse(reader->words[at], &key.name, key.key, err);
    if (code != BST_OK) return bst_where(err, "line %zu of the policy", reader->line);
    for (size_t i = 0; i < policy->key_count; i++) {
        const struct bst_policy_key *other = &policy->keys[i];
        if (other->witness != witness || memcmp(other->key, key.key, BST_KEY_LEN) != 0) continue;
        free(key.name); /* one key twice would count twice, under whatever names */
        return bad_line(reader, err, "the key was named before", NULL);
    }
    struct bst_policy_key *keys = grow(policy->keys, policy->key_count, sizeof *keys);
    if (keys) policy->keys = keys;
    key.label = witness ? bst_strdup(reader->words[1]) : NULL;
    key.url = reader->count > at + 1 ? bst_strdup(reader->words[at + 1]) : NULL;
    if (!keys || (witness && !key.label) || (reader->count > at + 1 && !key.url)) {
        free(key.name);
        free(key.label);
        free(key.url);
        return bst_fail_memory(err);
    }
    keys[policy->key_count++] = key;
    return BST_OK;
}

static enum bst_code add_node(struct reader *reader, struct node *node, struct bst_error *err)
{
    struct bst_policy *policy = reader->policy;
    struct node *nodes = grow(policy->nodes, policy->node_count, sizeof *nodes);
    if (nodes) policy->nodes = nodes;
    node->name = nodes ? bst_strdup(reader->words[1]) : NULL;
    if (!node->name) return bst_fail_memory(err);
    nodes[policy->node_count++] = *node;
    return BST_OK;
}

static enum bst_code check_name(const struct reader *reader, struct bst_error *err)
{
    size_t other;
    if (strcmp(reader->words[1], "none") == 0) return bad_line(reader, err, "this is no name:", "none");
    if (find_node(reader->policy, reader->words[1], &other))
        return bad_line(reader, err, "the name is taken:", reader->words[1]);
    return BST_OK;
}

static enum bst_code read_log(struct reader *reader, struct bst_error *err)
{
    return add_key(reader, 1, false, err);
}

static enum bst_code read_witness(struct reader *reader, struct bst_error *err)
{
    struct node node = {.key = reader->policy->key_count};
    enum bst_code code = check_name(reader, err);
    if (code == BST_OK) code = add_key(reader, 2, true, err);
    return code == BST_OK ? add_node(reader, &node, err) : code;
}

static enum bst_code read_members(struct reader *reader, struct node *group, struct bst_error *err)
{
    struct bst_policy *policy = reader->policy;
    for (size_t i = 3; i < reader->count; i++) {
        size_t at;
        if (!find_node(policy, reader->words[i], &at))
            return bad_line(reader, err, "no witness or group above has the name", reader->words[i]);
        if (policy->nodes[at].grouped)
            return bad_line(reader, err, "a group has this one already:", reader->words[i]);
        policy->nodes[at].grouped = true;
        group->members[group->count++] = at;
    }
    return BST_OK;
}

static enum bst_code read_group(struct reader *reader, struct bst_error *err)
{
    const char *word = reader->words[2];
    size_t members = reader->count - 3;
    uint64_t needed = strcmp(word, "any") == 0 ? 1 : strcmp(word, "all") == 0 ? members : 0;
    enum bst_code code = check_name(reader, err);
    if (code != BST_OK) return code;
    if (needed == 0 && (word[0] == '0' || !bst_parse_u64(word, &needed) || needed > members))
        return bad_line(reader, err, "this is not any, all or a number up to that of the members:", word);
    struct node group = {.needed = (size_t)needed, .members = bst_calloc(members, sizeof(size_t))};
    code = group.members ? read_members(reader, &group, err) : bst_fail_memory(err);
    if (code == BST_OK) code = add_node(reader, &group, err);
    if (code != BST_OK) free(group.members);
    return code;
}

static enum bst_code read_quorum(struct reader *reader, struct bst_error *err)
{
    struct bst_policy *policy = reader->policy;
    if (policy->has_quorum) return bad_line(reader, err, "there is a quorum already", NULL);
    policy->none = strcmp(reader->words[1], "none") == 0;
    policy->has_quorum = true;
    if (policy->none || find_node(policy, reader->words[1], &policy->quorum)) return BST_OK;
    return bad_line(reader, err, "no witness or group above has the name", reader->words[1]);
}

static enum bst_code read_line(struct reader *reader, struct bst_error *err)
{
    static const struct {
        const char *name;
        size_t least, most;
        enum bst_code (*read)(struct reader *reader, struct bst_error *err);
    } kinds[] = {{"log", 2, 3, read_log},
                 {"witness", 3, 4, read_witness},
                 {"group", 4, WORDS_MAX, read_group},
                 {"quorum", 2, 2, read_quorum}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(reader->words[0], kinds[i].name) != 0) continue;
        if (reader->count < kinds[i].least || reader->count > kinds[i].most)
            return bad_line(reader, err, "too few or too many words for a", kinds[i].name);
        return kinds[i].read(reader, err);
    }
    return bad_line(reader, err, "unknown word", reader->words[0]);
}

/* Takes the line apart in place; comments and empty lines have no words. */
static enum bst_code split(struct reader *reader, char *line, struct bst_error *err)
{
    reader->count = 0;
    for (char *at = line; *at; at++) {
        if (*at == ' ' || *at == '\t') continue;
        if (*at == '#' && reader->count == 0) break;
        if (reader->count == WORDS_MAX) return bad_line(reader, err, "it is too long", NULL);
        reader->words[reader->count++] = at;
        at += strcspn(at, " \t");
        if (!*at) break;
        *at = 0;
    }
    return BST_OK;
}

static enum bst_code read_text(struct reader *reader, char *text, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (char *line = text; line && code == BST_OK;) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        reader->line++;
        code = split(reader, line, err);
        if (code == BST_OK && reader->count > 0) code = read_line(reader, err);
        line = end ? end + 1 : NULL;
    }
    if (code != BST_OK || reader->policy->has_quorum) return code;
    bst_fail(err, BST_UNREADABLE, "the policy has no quorum");
    return bst_hint(err, "its last line says who must have signed: quorum NAME, or quorum none");
}

static bool plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] > '~') return false;
    return true;
}

enum bst_code bst_policy_parse(const char *text, size_t len, struct bst_policy **out, struct bst_error *err)
{
    if (len > POLICY_MAX || !plain(text, len))
        return bst_fail(err, BST_UNREADABLE, "this is not a policy: it is too long, or not plain ASCII text");
    struct reader *reader = bst_calloc(1, sizeof *reader);
    char *copy = bst_format("%.*s", (int)len, text);
    struct bst_policy *policy = bst_calloc(1, sizeof *policy);
    enum bst_code code = BST_OK;
    if (reader && copy && policy) {
        reader->policy = policy;
        code = read_text(reader, copy, err);
    } else {
        code = bst_fail_memory(err);
    }
    free(copy);
    free(reader);
    if (code == BST_OK) {
        *out = policy;
    } else {
        bst_policy_free(policy);
    }
    return code;
}

/* ---- judging ---- */

/* Members stand before their group, so one pass settles all. */
static bool quorum_met(const struct bst_policy *policy, const struct bst_note_key *keys, bool *met)
{
    for (size_t i = 0; i < policy->node_count; i++) {
        const struct node *node = &policy->nodes[i];
        size_t count = 0;
        for (size_t m = 0; m < node->count; m++)
            count += met[node->members[m]];
        met[i] = node->members ? count >= node->needed : keys[node->key].good;
    }
    return policy->none || met[policy->quorum];
}

static enum bst_code judge(const struct bst_policy *policy, const char *note, size_t len,
                           struct bst_note_key *keys, bool *met, struct bst_policy_signers *signers,
                           struct bst_checkpoint *out, struct bst_error *err)
{
    size_t text_len;
    enum bst_code code = bst_note_judge(note, len, keys, policy->key_count, &text_len, err);
    if (code == BST_OK) code = bst_checkpoint_parse(note, text_len, out, err);
    if (code != BST_OK) return code;
    bool by_log = false;
    *signers = (struct bst_policy_signers){0};
    for (size_t i = 0; i < policy->key_count; i++) {
        const struct bst_policy_key *key = &policy->keys[i];
        signers->witnesses += key->witness && keys[i].good;
        if (key->witness || !keys[i].good || strcmp(key->name, out->origin) != 0) continue;
        by_log = true;
        memcpy(signers->log_key, key->key, BST_KEY_LEN);
    }
    if (!by_log) {
        bst_fail(err, BST_BROKEN, "the checkpoint of %.100s is not signed by a log that the policy names",
                 out->origin);
    } else if (!quorum_met(policy, keys, met)) {
        bst_fail(err, BST_UNTRUSTED,
                 "the checkpoint is signed by its log, but not by the witnesses that the policy asks for "
                 "(%zu of its witnesses signed)",
                 signers->witnesses);
        bst_hint(err, "the quorum is %.100s; its witnesses must have signed this checkpoint",
                 policy->nodes[policy->quorum].name);
    } else {
        return BST_OK;
    }
    bst_checkpoint_clear(out);
    return err->code;
}

enum bst_code bst_policy_open(const struct bst_policy *policy, const char *note, size_t len,
                              struct bst_policy_signers *signers, struct bst_checkpoint *out,
                              struct bst_error *err)
{
    struct bst_note_key *keys = bst_calloc(policy->key_count, sizeof *keys);
    bool *met = bst_calloc(policy->node_count, sizeof *met);
    enum bst_code code = keys && met ? BST_OK : bst_fail_memory(err);
    for (size_t i = 0; i < policy->key_count && code == BST_OK; i++)
        keys[i] = (struct bst_note_key){
            .name = policy->keys[i].name,
            .type = policy->keys[i].witness ? BST_NOTE_COSIGNATURE : BST_NOTE_ED25519,
            .key = policy->keys[i].key,
        };
    if (code == BST_OK) code = judge(policy, note, len, keys, met, signers, out, err);
    free(keys);
    free(met);
    return code;
}
