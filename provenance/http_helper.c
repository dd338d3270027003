/* http_helper.c - a process of its own that asks servers, for one that has shut itself into the sandbox. It is made before
 * that, and takes nothing but an address and a request of the two kinds that are ever asked: who controls the reader of a
 * hostile file controls no more of the network than that. */
#include "http.h"
#include "provenance.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES_MAX 16u
#define URL_MAX   2048u
#define BODY_MAX  (64u << 10)
#define LIMIT_MAX (4u << 20) /* of an answer */

static const struct {
    const char *content_type, *accept;
} kinds[] = {{"application/ocsp-request", "application/ocsp-response"},
             {"application/timestamp-query", "application/timestamp-reply"}};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Of the same program on both sides, so as they lie in memory; url and body follow, or the answer. */
struct question {
    uint32_t kind, url_len, body_len, limit;
};
struct reply {
    struct bst_error err; /* code BST_OK: there is an answer */
    uint32_t len;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int lines[LINES_MAX]; /* to the helper; each serves one question at a time */
    unsigned count, free; /* the first ones are free */
    pid_t process;
} helper = {.lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER};

static bool put(int fd, const void *data, size_t len)
{
    for (const char *at = data; len > 0;) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool get(int fd, void *data, size_t len)
{
    for (char *at = data; len > 0;) {
        ssize_t n = read(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- the helper's side ---- */

static bool serve_one(int line)
{
    struct question question;
    struct reply reply = {0};
    struct bst_buf answer = {0};
    char url[URL_MAX + 1] = "";
    if (!get(line, &question, sizeof(question)) || question.kind >= KINDS || question.url_len > URL_MAX ||
        question.body_len > BODY_MAX || question.limit > LIMIT_MAX)
        return false;
    uint8_t *body = malloc(question.body_len + 1);
    bool good = body != NULL && get(line, url, question.url_len) && get(line, body, question.body_len);
    if (good) {
        const struct bst_http http = {url, kinds[question.kind].content_type, kinds[question.kind].accept,
                                      question.limit};
        bst_http_post(&http, body, question.body_len, &answer, &reply.err);
        reply.len = reply.err.code == BST_OK ? (uint32_t)answer.len : 0;
        good = put(line, &reply, sizeof(reply)) && put(line, answer.data, reply.len);
    }
    bst_buf_free(&answer);
    free(body);
    return good;
}

static void *serve(void *line)
{
    while (serve_one(*(int *)line)) {
    }
    close(*(int *)line);
    return NULL;
}

static void serve_all(int *lines, unsigned count)
{
    pthread_t threads[LINES_MAX];
    unsigned made = 0;
    while (made < count && pthread_create(&threads[made], NULL, serve, &lines[made]) == 0)
        made++;
    for (unsigned i = made; i < count; i++)
        close(lines[i]);
    for (unsigned i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
}

/* ---- the asking side ---- */

enum bst_code bst_http_helper_start(unsigned at_once, struct bst_error *err)
{
    int theirs[LINES_MAX], pair[2];
    unsigned count = at_once < 1 ? 1 : at_once < LINES_MAX ? at_once : LINES_MAX, made = 0;
    while (made < count && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
        helper.lines[made] = pair[0];
        theirs[made++] = pair[1];
    }
    pid_t child = made == count ? fork() : -1;
    if (child < 0) bst_fail_errno(err, BST_FAILURE, "cannot start the process that asks over the network");
    for (unsigned i = 0; i < made; i++)
        close(child == 0 || child == -1 ? helper.lines[i] : theirs[i]);
    if (child == 0) {
        serve_all(theirs, count);
        _exit(0);
    }
    for (unsigned i = 0; child < 0 && i < made; i++)
        close(theirs[i]);
    if (child < 0) return err->code;
    helper.process = child;
    helper.count = helper.free = count;
    return BST_OK;
}

void bst_http_helper_stop(void)
{
    for (unsigned i = 0; i < helper.count; i++)
        close(helper.lines[i]);
    while (helper.count > 0 && waitpid(helper.process, NULL, 0) < 0 && errno == EINTR) {
    }
    helper.count = helper.free = 0;
}

bool bst_http_helper_runs(void)
{
    return helper.count > 0;
}

static int take_line(void)
{
    pthread_mutex_lock(&helper.lock);
    while (helper.free == 0)
        pthread_cond_wait(&helper.freed, &helper.lock);
    int line = helper.lines[--helper.free];
    pthread_mutex_unlock(&helper.lock);
    return line;
}

static void give_line(int line)
{
    pthread_mutex_lock(&helper.lock);
    helper.lines[helper.free++] = line;
    pthread_cond_signal(&helper.freed);
    pthread_mutex_unlock(&helper.lock);
}

static enum bst_code ask(int line, const struct question *question, const char *url, const void *body,
                         struct bst_buf *answer, struct bst_error *err)
{
    struct reply reply;
    if (!put(line, question, sizeof(*question)) || !put(line, url, question->url_len) ||
        !put(line, body, question->body_len) || !get(line, &reply, sizeof(reply)) ||
        reply.len > question->limit)
        return bst_fail(err, BST_FAILURE, "the process that asks over the network has ended");
    if (reply.err.code != BST_OK) {
        *err = reply.err;
        return err->code;
    }
    if (!bst_buf_reserve(answer, reply.len)) return bst_fail_memory(err);
    if (!get(line, answer->data + answer->len, reply.len))
        return bst_fail(err, BST_FAILURE, "the process that asks over the network has ended");
    answer->len += reply.len;
    return BST_OK;
}

enum bst_code bst_http_helper_post(const struct bst_http *http, const void *body, size_t len,
                                   struct bst_buf *answer, struct bst_error *err)
{
    struct question question = {
        .url_len = (uint32_t)strlen(http->url), .body_len = (uint32_t)len, .limit = (uint32_t)http->limit};
    while (question.kind < KINDS && (strcmp(kinds[question.kind].content_type, http->content_type) != 0 ||
                                     strcmp(kinds[question.kind].accept, http->accept) != 0))
        question.kind++;
    if (question.kind == KINDS || strlen(http->url) > URL_MAX || len > BODY_MAX || http->limit > LIMIT_MAX)
        return bst_fail(err, BST_FAILURE,
                        "this is not asked over the network: it is too long, or of another kind");
    int line = take_line();
    enum bst_code code = ask(line, &question, http->url, body, answer, err);
    give_line(line);
    return code;
}
