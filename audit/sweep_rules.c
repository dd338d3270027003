/* sweep_rules.c - what the reviewer's sweep looks for: one row a rule. */
#include "sweep.h"

static const struct bst_sweep_rule rules[] = {
    [SWEEP_FILE_UNREADABLE] = {"file.unreadable", BST_ERROR, BST_UNREADABLE, "a file cannot be read",
                               "Get the file again from where it came from, or take it out of the folder."},
    [SWEEP_FILE_NO_ENTRY] =
        {"file.no-entry", BST_WARNING, BST_NO_PROVENANCE, "no entry of the ledger speaks of a file",
         "Find out where the file comes from; \"blindstamp sign\" takes up a picture that "
         "was made elsewhere."},
    [SWEEP_FILE_ALTERED] = {"file.altered", BST_ERROR, BST_BROKEN, "a file is not what was signed",
                            "Do not rely on this file: replace it by the original, or record the change with "
                            "\"blindstamp decide --edit\"."},
    [SWEEP_FILE_BYTES] = {"file.bytes", BST_WARNING, BST_NO_PROVENANCE,
                          "a file shows the entry's picture in other bytes, and nothing signed vouches for "
                          "them",
                          "Another program saved the picture anew. Keep the original; it alone carries the "
                          "proof."},
    [SWEEP_FILE_STRIPPED] = {"file.stripped", BST_NOTE, BST_OK,
                             "a file lost its credentials, all else is the entry's",
                             "Give the original to others: this copy can be proved only with the ledger at "
                             "hand."},
    [SWEEP_FILE_SIGNER] = {"file.signer", BST_WARNING, BST_UNTRUSTED,
                           "a file is intact, but its signer is not trusted",
                           "If you know the signer, add the certificate with \"blindstamp trust add\" or "
                           "\"key import\"."},
    [SWEEP_FILE_WITHDRAWN] = {"file.withdrawn", BST_ERROR, BST_UNTRUSTED,
                              "a withdrawn picture is still in the folder",
                              "Take the file out of circulation; the entry of the withdrawal says why."},
    [SWEEP_FILE_TWICE] = {"file.twice", BST_NOTE, BST_OK, "files show the same picture",
                          "Keep one of them, or say why there are several."},
    [SWEEP_ENTRY_NO_FILE] = {"entry.no-file", BST_NOTE, BST_OK, "an entry's picture is not among the files",
                             "Find the file, or say where it went; \"blindstamp withdraw\" records that a "
                             "picture was taken down."},
    [SWEEP_CLAIM_CONTROLS] = {"claim.controls", BST_ERROR, BST_UNTRUSTED,
                              "the same model, seed and controls are claimed by several authors",
                              "Ask the authors who came first: the log's order and time stamps tell. The "
                              "later statement may "
                              "only repeat what could be read in the earlier."},
    [SWEEP_CLAIM_PICTURE] = {"claim.picture", BST_ERROR, BST_UNTRUSTED,
                             "the same picture is claimed by several authors",
                             "Ask the authors who came first, and have the other claim withdrawn, or the "
                             "rights passed on with "
                             "\"blindstamp transfer\"."},
    [SWEEP_PICTURE_NAMES] = {"picture.names", BST_NOTE, BST_OK, "one picture was entered under several names",
                             "Count it once; it is the same work."},
    [SWEEP_TIME_BACKWARDS] = {"time.backwards", BST_WARNING, BST_UNTRUSTED,
                              "an entry names an earlier time than the one before it",
                              "Compare the clocks of the machines that signed. Where the time matters, rely "
                              "on time stamps of an "
                              "authority, not on the statement."},
    [SWEEP_TIME_FUTURE] = {"time.future", BST_WARNING, BST_UNTRUSTED,
                           "an entry names a time that has not come yet",
                           "Set the clock of the machine that signed, or of this one."},
    [SWEEP_TIME_GAP] = {"time.gap", BST_NOTE, BST_OK, "nothing was recorded for a long time",
                        "Ask whether work was done in that time that was not recorded."},
    [SWEEP_MODEL_NO_CARD] = {"model.no-card", BST_WARNING, BST_NO_PROVENANCE,
                             "pictures were made with a model that no card describes",
                             "Get the model's card and record it with \"blindstamp model add MODEL --card "
                             "CARD\"."},
    [SWEEP_MODEL_NO_LICENCE] = {"model.no-licence", BST_WARNING, BST_NO_PROVENANCE,
                                "pictures were made with a model whose licence nobody states",
                                "Find the model's licence and record it with \"blindstamp model add\" and a "
                                "card that names it."},
    [SWEEP_TRAINING_FORBIDDEN] = {"training.forbidden", BST_ERROR, BST_UNTRUSTED,
                                  "a model was trained on a picture that forbids it",
                                  "Ask the picture's rights holder for permission, or train the model again "
                                  "without it."},
    [SWEEP_TRAINING_NO_LICENCE] = {"training.no-licence", BST_WARNING, BST_NO_PROVENANCE,
                                   "a model was trained on pictures without a licence",
                                   "Find out under which licence the pictures were used, and train with a "
                                   "manifest that says so."},
    [SWEEP_TRAINING_RESTRICTED] = {"training.restricted", BST_WARNING, BST_UNTRUSTED,
                                   "a model was trained on pictures whose licence allows no changed works",
                                   "Have the licence looked at: whether a model is a changed work is not "
                                   "settled."},
    [SWEEP_INPUT_FORBIDDEN] = {"input.forbidden", BST_WARNING, BST_UNTRUSTED,
                               "a picture that forbids training was used to make another",
                               "The mark speaks of training; look at whether the use as an input was allowed "
                               "too."},
    [SWEEP_LEDGER] = {"ledger", BST_ERROR, BST_BROKEN, "the ledger's own check finds something",
                      "\"blindstamp ledger verify\" tells all of it. Compare with a checkpoint or a backup "
                      "kept elsewhere."},
};
_Static_assert(SWEEP_RULE_COUNT <= BST_SWEEP_RULES_MAX, "options and summary have room for every rule");

const struct bst_sweep_rule *bst_sweep_rule(size_t n)
{
    return n < SWEEP_RULE_COUNT ? &rules[n] : NULL;
}

size_t sweep_rule_number(const struct bst_sweep_rule *rule)
{
    return (size_t)(rule - rules);
}

const char *sweep_severity(enum bst_severity severity)
{
    static const char *const names[] = {
        [BST_NOTE] = "note", [BST_WARNING] = "warning", [BST_ERROR] = "error"};
    return names[severity];
}
