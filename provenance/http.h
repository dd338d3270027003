/* http.h - the one way to the network, taken only when somebody asks for it. Private to provenance/. */
#ifndef BST_HTTP_H
#define BST_HTTP_H

#include "base.h"

struct bst_http {
    const char *url; /* http: or https: */
    const char *content_type, *accept;
    size_t limit; /* of the answer, in bytes */
};
/* Posts the body and takes in the answer. Follows no redirection, sends nothing but what is given, ends within a minute.
 * BST_USAGE for another address, BST_FAILURE with the reason when there is no answer or one that is not "200 OK" of the
 * type in accept. */
enum bst_code bst_http_post(const struct bst_http *http, const void *body, size_t len, struct bst_buf *answer,
                            struct bst_error *err);

/* http_helper.c: once bst_http_helper_start was called, bst_http_post leaves the asking to that process. */
bool bst_http_helper_runs(void);
enum bst_code bst_http_helper_post(const struct bst_http *http, const void *body, size_t len,
                                   struct bst_buf *answer, struct bst_error *err);

#endif
