/* note.h - what signed notes have in common, whoever signed. Private to provenance/. */
#ifndef BST_NOTE_H
#define BST_NOTE_H

#include "provenance.h"

enum bst_note_type { /* of a key, as c2sp.org/signed-note numbers them */
                     BST_NOTE_ED25519 = 1,
                     BST_NOTE_COSIGNATURE = 4, /* c2sp.org/tlog-cosignature, Ed25519 */
};
struct bst_note_key {
    const char *name;
    enum bst_note_type type;
    const uint8_t *key;
    /* What was found: */
    bool good;
    uint64_t time; /* of a cosignature, Unix seconds */
};
/* Checks a note's shape, and its signatures by these keys: each found is good, or the note is BST_BROKEN. Those by other
 * keys are passed over. *text_len: of the signed text. */
enum bst_code bst_note_judge(const char *note, size_t len, struct bst_note_key *keys, size_t count,
                             size_t *text_len, struct bst_error *err);
/* The text of a checkpoint; whose it is and whether it is signed the caller has to find out. */
enum bst_code bst_checkpoint_parse(const char *text, size_t len, struct bst_checkpoint *out,
                                   struct bst_error *err);

#endif
