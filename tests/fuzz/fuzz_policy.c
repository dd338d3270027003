/* fuzz_policy.c - trust files, and checkpoints judged by one: what parses can be judged by, and accepts nothing unsigned. */
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char unsigned_note[] =
        "log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 log "
        "AAAAAAAAAAA=\n";
    struct bst_error err;
    struct bst_policy *policy;
    struct bst_policy_signers signers;
    struct bst_checkpoint checkpoint;
    if (bst_policy_parse((const char *)data, len, &policy, &err) != BST_OK) return 0;
    if (bst_policy_open(policy, unsigned_note, sizeof unsigned_note - 1, &signers, &checkpoint, &err) ==
        BST_OK)
        abort();
    size_t count;
    const struct bst_policy_key *keys = bst_policy_keys(policy, &count);
    for (size_t i = 0; i < count; i++)
        if (keys[i].name[0] == 0 || (keys[i].witness && keys[i].label[0] == 0)) abort();
    bst_policy_free(policy);
    return 0;
}
