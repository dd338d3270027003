/* words.c - words that a person gives for a picture or an identity. */
#include <string.h>

#include "cli.h"

enum bst_code cli_words(const char *option, const char *text, size_t most, bool lines, struct bst_error *err)
{
    size_t len = strlen(text);
    if (!text[strspn(text, " \t\r\n")]) return bst_fail(err, BST_USAGE, "--%s is empty", option);
    if (len > most)
        return bst_fail(err, BST_USAGE, "--%s is %zu bytes long; at most %zu are possible", option, len,
                        most);
    if (!bst_utf8_valid(text, len)) {
        bst_fail(err, BST_USAGE, "--%s is not UTF-8 text", option);
        return bst_hint(err, "set the terminal to UTF-8");
    }
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if ((*c < 0x20 && !(lines && (*c == '\n' || *c == '\t'))) || *c == 0x7f)
            return bst_fail(err, BST_USAGE, "--%s holds a control character (code %u)", option, *c);
    return BST_OK;
}
