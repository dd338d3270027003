/* test_sandbox.c - what can be done inside the sandbox and what not. Each test is done by a process of its own, for there
 * is no way out; it tells the line of the step that went wrong. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.h"
#include "provenance.h"

#define SKIPPED 77

static char folder[] = "/tmp/blindstamp-sandbox-XXXXXX";
static char *named, *other, *within, *beside;

static int set_up(void **ctx)
{
    (void)ctx;
    struct bst_error err;
    if (mkdtemp(folder) == NULL) return -1;
    named = bst_path_join(folder, "named");
    other = bst_path_join(folder, "other");
    within = bst_path_join(folder, "open");
    beside = bst_path_join(folder, "open/beside");
    return bst_file_write(named, "a", 1, 0, &err) == BST_OK &&
                   bst_file_write(other, "b", 1, 0, &err) == BST_OK &&
                   bst_folder_make(within, 0700, &err) == BST_OK &&
                   bst_file_write(beside, "c", 1, 0, &err) == BST_OK
               ? 0
               : -1;
}

static int tear_down(void **ctx)
{
    (void)ctx;
    char *const paths[] = {beside, named, other};
    for (size_t i = 0; i < 3; i++)
        unlink(paths[i]);
    rmdir(within);
    rmdir(folder);
    for (size_t i = 0; i < 3; i++)
        free(paths[i]);
    free(within);
    return 0;
}

/* ---- the process that goes in ---- */

static void enter(bool writing)
{
    const char *const read[] = {named, "/nowhere/at/all"};
    const char *const write[] = {within};
    const struct bst_sandbox sandbox = {
        .read = read, .read_count = 2, .write = write, .write_count = writing ? 1 : 0};
    struct bst_sandboxed on = bst_sandbox_enter(&sandbox);
    if (on.files_why != NULL || on.calls_why != NULL) {
        fprintf(stderr, "# files: %s, calls: %s\n", on.files_why != NULL ? on.files_why : "closed",
                on.calls_why != NULL ? on.calls_why : "closed");
        _exit(SKIPPED);
    }
}

#define step(holds)                                                                                          \
    do {                                                                                                     \
        if (!(holds)) {                                                                                      \
            fprintf(stderr, "# line %d: %s\n", __LINE__, #holds);                                            \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)
#define refused(call) ((call) == -1 && (errno == EPERM || errno == EACCES || errno == ENOSYS))

/* How the process ended that did this. */
static int ended(void (*act)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) skip();
    return status;
}

static void inside(void (*act)(void))
{
    int status = ended(act);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- what is still possible ---- */

static void *work(void *arg)
{
    char *memory = malloc(1 << 20);
    memset(memory, 1, 1 << 20);
    free(memory);
    return arg;
}

static void reads_and_computes(void)
{
    struct bst_error err = {0};
    struct bst_buf text = {0};
    uint8_t digest[BST_SHA256_LEN];
    pthread_t thread;
    void *came;
    enter(false);
    step(bst_file_read(named, 10, &text, &err) == BST_OK && text.len == 1);
    bst_sha256("abc", 3, digest);
    step(digest[0] == 0xba);
    step(pthread_create(&thread, NULL, work, digest) == 0);
    step(pthread_join(thread, &came) == 0 && came == digest);
    step(access(other, F_OK) == 0 && bst_file_exists(other)); /* that a file is there is no secret */
    char uuid[BST_UUID_LEN];
    bst_uuid4(uuid);
    step(bst_now_ms() > 0 && strlen(uuid) == BST_UUID_LEN - 1);
    printf("# printed from inside\n");
    step(fflush(stdout) == 0);
    step(bst_memory_left(1 << 30) > 1);
    int (*function)(void) = NULL;
    const struct bst_symbol symbol = {&function, "xmp_init"};
    step(bst_library_load("libexempi.so.8", &symbol, 1) && function != NULL);
}

/* ---- what is not ---- */

static void reads_another(void)
{
    struct bst_error err = {0};
    struct bst_buf text = {0};
    enter(false);
    step(refused(open(other, O_RDONLY)));
    step(refused(open("/etc/passwd", O_RDONLY)));
    step(refused(open(folder, O_RDONLY | O_DIRECTORY)));
    step(bst_file_read(other, 10, &text, &err) == BST_UNREADABLE);
    step(strstr(err.what, "cannot open") != NULL);
}

static void writes(void)
{
    enter(false);
    step(refused(open(named, O_WRONLY)));
    step(refused(open(named, O_RDWR)));
    step(refused(open(named, O_RDONLY | O_TRUNC)));
    step(refused(open(beside, O_WRONLY | O_CREAT, 0600)));
    step(refused(openat(AT_FDCWD, "/tmp/new", O_RDONLY | O_CREAT, 0600)));
    step(refused(unlink(named)));
    step(refused(rename(named, other)));
    step(refused(truncate(named, 0)));
    step(refused(mkdir("/tmp/blindstamp-made", 0700)));
    step(refused(chmod(named, 0777)));
    int fd = open(named, O_RDONLY);
    step(fd >= 0 && refused(fchmod(fd, 0777)));
}

static void reaches_out(void)
{
    int pair[2];
    enter(false);
    step(refused(socket(AF_INET, SOCK_STREAM, 0)));
    step(refused(socket(AF_INET6, SOCK_DGRAM, 0)));
    step(refused(socket(AF_UNIX, SOCK_STREAM, 0)));
    step(refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
    step(refused((int)syscall(SYS_io_uring_setup, 1, NULL)));
}

static void runs_programs(void)
{
    char *const words[] = {(char *)(uintptr_t) "true", NULL};
    enter(false);
    step(refused(execv("/bin/true", words)));
    step(refused(fork()));
    step(refused((int)syscall(SYS_clone3, NULL, 0)));
    step(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    step(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    step(page != MAP_FAILED && refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)));
}

static void touches_others(void)
{
    struct rlimit limit = {1, 1};
    enter(false);
    step(refused((int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)));
    step(refused(kill(getppid(), 0)));
    step(refused((int)syscall(SYS_tgkill, getppid(), getppid(), 0)));
    step(refused(setrlimit(RLIMIT_NOFILE, &limit)));
    step(refused(setuid(0)));
    step(getrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void replaces_within(void)
{
    struct bst_error err = {0};
    enter(true);
    step(bst_file_write(beside, "new", 3, BST_WRITE_REPLACE, &err) == BST_OK);
    step(refused(open(named, O_WRONLY)));
    step(refused(open(other, O_RDWR | O_CREAT, 0600)));
    step(refused(rename(beside, other)) || errno == EXDEV);
    step(refused(socket(AF_INET, SOCK_STREAM, 0)));
    step(refused(fork()));
}

/* Nobody listens at port 9; that it was tried at all shows that the helper stands outside. */
static void asks_through_the_helper(void)
{
    struct bst_error err = {0};
    struct bst_buf answer = {0};
    struct bst_http http = {"http://127.0.0.1:9/", "application/ocsp-request", "application/ocsp-response",
                            1000};
    step(bst_http_helper_start(2, &err) == BST_OK);
    enter(false);
    for (int i = 0; i < 3; i++) {
        step(bst_http_post(&http, "words", 5, &answer, &err) == BST_FAILURE && answer.len == 0);
        step(strstr(err.what, "cannot be reached") != NULL && strstr(err.what, "missing") == NULL);
        step(strcmp(err.where, http.url) == 0);
    }
    http.content_type = "text/plain";
    step(bst_http_post(&http, "words", 5, &answer, &err) == BST_FAILURE);
    step(strstr(err.what, "of another kind") != NULL);
    http.content_type = "application/ocsp-request";
    http.limit = 1u << 30;
    step(bst_http_post(&http, "words", 5, &answer, &err) == BST_FAILURE);
    step(strstr(err.what, "too long") != NULL);
    bst_http_helper_stop();
}

static void what_is_needed_goes_on(void **ctx)
{
    (void)ctx;
    inside(reads_and_computes);
}
static void no_other_file_is_opened(void **ctx)
{
    (void)ctx;
    inside(reads_another);
}
static void nothing_is_written(void **ctx)
{
    (void)ctx;
    inside(writes);
}
static void there_is_no_network(void **ctx)
{
    (void)ctx;
    inside(reaches_out);
}
static void the_helper_asks_the_network(void **ctx)
{
    (void)ctx;
    inside(asks_through_the_helper);
}
static void no_program_is_run(void **ctx)
{
    (void)ctx;
    inside(runs_programs);
}
static void no_other_process_is_touched(void **ctx)
{
    (void)ctx;
    inside(touches_others);
}
static void only_folders_to_write_are_written(void **ctx)
{
    (void)ctx;
    inside(replaces_within);
}

static void aborts(void)
{
    enter(false);
    signal(SIGABRT, SIG_DFL);
    abort();
}
static void a_failed_assertion_still_ends_it(void **ctx)
{
    (void)ctx;
    int status = ended(aborts);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_goes_on),
        cmocka_unit_test(no_other_file_is_opened),
        cmocka_unit_test(nothing_is_written),
        cmocka_unit_test(there_is_no_network),
        cmocka_unit_test(the_helper_asks_the_network),
        cmocka_unit_test(no_program_is_run),
        cmocka_unit_test(no_other_process_is_touched),
        cmocka_unit_test(only_folders_to_write_are_written),
        cmocka_unit_test(a_failed_assertion_still_ends_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
