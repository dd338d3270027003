/* sandbox_files.c - which files the process may still open, by Landlock (Linux 5.13): a rule holds for a file, or for a
 * folder with all below it, and what no rule names is closed. What is open already stays open. */
#define _GNU_SOURCE /* O_PATH, dl_iterate_phdr */
#include "sandbox.h"

#include <fcntl.h>
#include <link.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What came after the first version of the interface, and may be missing in the system's header. */
#define FS_REFER     (1ull << 13) /* version 2: move to another folder */
#define FS_TRUNCATE  (1ull << 14) /* 3 */
#define FS_IOCTL_DEV (1ull << 15) /* 5 */
#define NET_TCP      3ull         /* 4: bind, connect */
#define SCOPE_ALL    3ull         /* 6: abstract sockets of others, signals to others */
#define FS_FIRST     ((1ull << 13) - 1)
#define READ_FILE    (uint64_t) LANDLOCK_ACCESS_FS_READ_FILE
#define READ_FOLDER  (uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define REPLACE_WITHIN                                                                                       \
    (READ_FOLDER | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                          \
     LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE)

struct
    ruleset { /* struct landlock_ruleset_attr of version 6; a kernel takes more than it knows if that is zero */
    uint64_t files, net, scope;
};

/* What libraries and the engine read of the machine. */
static const char *const machine[] = {"/dev/urandom",   "/proc/self/statm",        "/proc/meminfo",
                                      "/etc/localtime", "/sys/devices/system/cpu", "/etc/ld.so.cache"};

/* A place that is not there needs no rule: it cannot be opened anyway. */
static void allow(int rules, const char *path, uint64_t access)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &st) == 0) {
        struct landlock_path_beneath_attr rule = {
            .allowed_access = S_ISDIR(st.st_mode) ? access : access & READ_FILE, .parent_fd = fd};
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u);
    }
    close(fd);
}

struct libraries {
    int rules;
    char last[512]; /* most lie in one folder, which needs one rule */
};

/* Libraries that are loaded late lie where the others do. */
static int allow_beside(struct dl_phdr_info *library, size_t size, void *arg)
{
    struct libraries *libraries = arg;
    size_t len = (size_t)(bst_path_name(library->dlpi_name) - library->dlpi_name);
    (void)size;
    if (len == 0 || len >= sizeof libraries->last) return 0; /* the program itself, the kernel's */
    if (strncmp(libraries->last, library->dlpi_name, len) == 0 && libraries->last[len] == 0) return 0;
    memcpy(libraries->last, library->dlpi_name, len);
    libraries->last[len] = 0;
    allow(libraries->rules, libraries->last, READ_FOLDER);
    return 0;
}

const char *bst_sandbox_files(const struct bst_sandbox *sandbox)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return "the kernel has no Landlock, or it is switched off";
    struct ruleset set = {.files = FS_FIRST | (version >= 2 ? FS_REFER : 0) |
                                   (version >= 3 ? FS_TRUNCATE : 0) | (version >= 5 ? FS_IOCTL_DEV : 0),
                          .net = version >= 4 ? NET_TCP : 0,
                          .scope = version >= 6 ? SCOPE_ALL : 0};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0u);
    if (rules < 0) return "the kernel refuses the rules of Landlock";
    for (size_t i = 0; i < sizeof machine / sizeof *machine; i++)
        allow(rules, machine[i], READ_FOLDER);
    dl_iterate_phdr(allow_beside, &(struct libraries){.rules = rules});
    for (size_t i = 0; i < sandbox->read_count; i++)
        allow(rules, sandbox->read[i], READ_FOLDER);
    for (size_t i = 0; i < sandbox->write_count; i++)
        allow(rules, sandbox->write[i], REPLACE_WITHIN & set.files);
    long result = syscall(SYS_landlock_restrict_self, rules, 0u);
    close(rules);
    return result == 0 ? NULL : "Landlock refuses this process";
}
