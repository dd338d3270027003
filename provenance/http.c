/* http.c - asks a server by HTTP or HTTPS, through libcurl. The library is loaded only when that is asked for: the
 * program works without it, starts faster, and cannot reach the network by accident. */
#include "http.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#define LIBRARY         "libcurl.so.4"
#define CONNECT_SECONDS 10L
#define ALL_SECONDS     60L

/* The functions of libcurl that are used; the types are those of its header. */
struct curl_api {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

static enum bst_code load(struct curl_api *api, struct bst_error *err)
{
    const struct bst_symbol functions[] = {
        {&api->easy_init, "curl_easy_init"},          {&api->easy_setopt, "curl_easy_setopt"},
        {&api->easy_perform, "curl_easy_perform"},    {&api->easy_getinfo, "curl_easy_getinfo"},
        {&api->easy_cleanup, "curl_easy_cleanup"},    {&api->slist_append, "curl_slist_append"},
        {&api->slist_free_all, "curl_slist_free_all"}};
    if (bst_library_load(LIBRARY, functions, sizeof(functions) / sizeof(functions[0]))) return BST_OK;
    bst_fail(err, BST_FAILURE, "the network cannot be reached: %s is missing", LIBRARY);
    return bst_hint(err, "install the package libcurl4");
}

struct inflow {
    struct bst_buf *answer;
    size_t limit;
};

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct inflow *in = arg;
    size_t len = size * count;
    if (len > in->limit - in->answer->len) return 0; /* ends the transfer */
    bst_buf_append(in->answer, data, len);
    return in->answer->failed ? 0 : len;
}

static bool set_up(const struct curl_api *api, CURL *curl, const struct bst_http *http, const void *body,
                   size_t len, struct curl_slist *headers, struct inflow *in)
{
    return api->easy_setopt(curl, CURLOPT_URL, http->url) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_TIMEOUT, ALL_SECONDS) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_USERAGENT, "blindstamp/" BST_VERSION) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           api->easy_setopt(curl, CURLOPT_WRITEDATA, in) == CURLE_OK;
}

static enum bst_code check_answer(const struct curl_api *api, CURL *curl, const struct bst_http *http,
                                  struct bst_error *err)
{
    long status = 0;
    char *type = NULL;
    size_t len = strlen(http->accept);
    api->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    api->easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (status != 200) return bst_fail(err, BST_FAILURE, "the server answered with status %ld", status);
    bool fits = type != NULL && strncasecmp(type, http->accept, len) == 0 &&
                (type[len] == 0 || type[len] == ';' || type[len] == ' ');
    return fits ? BST_OK
                : bst_fail(err, BST_FAILURE, "the server answered with something else than %s", http->accept);
}

static enum bst_code post(const struct curl_api *api, CURL *curl, const struct bst_http *http,
                          const void *body, size_t len, struct bst_buf *answer, struct bst_error *err)
{
    char reason[CURL_ERROR_SIZE] = "", line[160];
    struct inflow in = {answer, http->limit};
    snprintf(line, sizeof(line), "Content-Type: %s", http->content_type);
    struct curl_slist *headers = api->slist_append(NULL, line);
    snprintf(line, sizeof(line), "Accept: %s", http->accept);
    struct curl_slist *more = headers == NULL ? NULL : api->slist_append(headers, line);
    enum bst_code code = BST_OK;
    if (more == NULL || api->easy_setopt(curl, CURLOPT_ERRORBUFFER, reason) != CURLE_OK ||
        !set_up(api, curl, http, body, len, headers, &in)) {
        code = bst_fail_memory(err);
    } else {
        CURLcode result = api->easy_perform(curl);
        if (result == CURLE_WRITE_ERROR) {
            code = bst_fail(err, BST_FAILURE, "the server's answer is longer than %zu bytes", http->limit);
        } else if (result != CURLE_OK) {
            code = bst_fail(err, BST_FAILURE, "the server cannot be reached: %s",
                            reason[0] != 0 ? reason : "unknown reason");
        } else {
            code = check_answer(api, curl, http, err);
        }
    }
    api->slist_free_all(headers);
    return code;
}

enum bst_code bst_http_post(const struct bst_http *http, const void *body, size_t len, struct bst_buf *answer,
                            struct bst_error *err)
{
    struct curl_api api = {0};
    if (strncmp(http->url, "http://", 7) != 0 && strncmp(http->url, "https://", 8) != 0) {
        bst_fail(err, BST_USAGE, "\"%.100s\" is no address that begins with http:// or https://", http->url);
        return err->code;
    }
    if (bst_http_helper_runs()) return bst_http_helper_post(http, body, len, answer, err);
    enum bst_code code = load(&api, err);
    if (code != BST_OK) return code;
    CURL *curl = api.easy_init();
    code = curl == NULL ? bst_fail_memory(err) : post(&api, curl, http, body, len, answer, err);
    if (curl != NULL) api.easy_cleanup(curl);
    if (code != BST_OK) bst_where(err, "%s", http->url);
    return code;
}
