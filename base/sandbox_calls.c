/* sandbox_calls.c - which system calls the process may still make, by a seccomp filter (Linux 3.5): what reading, computing
 * and printing need. There is no socket, no program started, no process made, no code but that of files, and, where
 * nothing is to be written, no file opened but for reading. Anything else fails with EPERM; what is newer than this list
 * with ENOSYS, so that the C library goes back to the older call. */
#define _GNU_SOURCE /* CLONE_THREAD */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#if defined __x86_64__ && defined __LP64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__ && defined __LP64__ && !defined __AARCH64EB__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

/* A call that may be made: always, or when its argument is that value, or has none of these bits, or one of
 * them, or is no address. */
struct rule {
    int call;
    enum { ALWAYS, EQUAL, WITHOUT, WITH, NOTHING } when;
    unsigned argument;
    uint32_t value;
    bool writing; /* only where something may be written */
};

#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC)

static const struct rule rules[] = {
    /* files that are open */
    {.call = SYS_read},
    {.call = SYS_readv},
    {.call = SYS_pread64},
    {.call = SYS_preadv},
    {.call = SYS_write},
    {.call = SYS_writev},
    {.call = SYS_lseek},
    {.call = SYS_close},
    {.call = SYS_dup},
    {.call = SYS_dup3},
    {.call = SYS_fcntl},
    {.call = SYS_fadvise64},
    {.call = SYS_ioctl, EQUAL, 1, TCGETS},
    {.call = SYS_ioctl, EQUAL, 1, TIOCGWINSZ},
    {.call = SYS_fstat},
    {.call = SYS_fstatfs},
    {.call = SYS_getdents64},
    {.call = SYS_ppoll},
    {.call = SYS_pselect6},
    /* files by name */
    {.call = SYS_openat, WITHOUT, 2, WRITES},
    {.call = SYS_newfstatat},
    {.call = SYS_statx},
    {.call = SYS_statfs},
    {.call = SYS_faccessat},
    {.call = SYS_faccessat2},
    {.call = SYS_readlinkat},
    {.call = SYS_getcwd},
#ifdef __x86_64__ /* the calls from before those that take a folder */
    {.call = SYS_open, WITHOUT, 1, WRITES},
    {.call = SYS_stat},
    {.call = SYS_lstat},
    {.call = SYS_access},
    {.call = SYS_readlink},
    {.call = SYS_dup2},
    {.call = SYS_poll},
    {.call = SYS_select},
    {.call = SYS_time},
    {.call = SYS_getrlimit},
    {.call = SYS_arch_prctl},
#endif
    /* memory */
    {.call = SYS_brk},
    {.call = SYS_mmap, WITHOUT, 2, PROT_EXEC},
    {.call = SYS_mmap, WITHOUT, 3, MAP_ANONYMOUS}, /* of a library that is loaded late */
    {.call = SYS_mprotect, WITHOUT, 2, PROT_EXEC},
    {.call = SYS_munmap},
    {.call = SYS_mremap},
    {.call = SYS_madvise},
    {.call = SYS_mincore},
    {.call = SYS_mlock},
    {.call = SYS_munlock},
    {.call = SYS_membarrier},
    /* threads of this process, but no process */
    {.call = SYS_clone, WITH, 0, CLONE_THREAD},
    {.call = SYS_set_robust_list},
    {.call = SYS_rseq},
    {.call = SYS_futex},
    {.call = SYS_sched_yield},
    {.call = SYS_sched_getaffinity},
    {.call = SYS_sched_getparam},
    {.call = SYS_sched_getscheduler},
    {.call = SYS_getcpu},
    {.call = SYS_exit},
    {.call = SYS_exit_group},
    /* a helper that was there before: what it is told, and its end */
    {.call = SYS_sendto},
    {.call = SYS_wait4},
    /* signals of this process */
    {.call = SYS_rt_sigaction},
    {.call = SYS_rt_sigprocmask},
    {.call = SYS_rt_sigreturn},
    {.call = SYS_sigaltstack},
    {.call = SYS_restart_syscall},
    /* what it is, how late it is, numbers nobody can guess */
    {.call = SYS_getpid},
    {.call = SYS_gettid},
    {.call = SYS_getuid},
    {.call = SYS_geteuid},
    {.call = SYS_getgid},
    {.call = SYS_getegid},
    {.call = SYS_uname},
    {.call = SYS_sysinfo},
    {.call = SYS_getrusage},
    {.call = SYS_prlimit64, NOTHING, 2, 0}, /* asks for a limit, sets none */
    {.call = SYS_times},
    {.call = SYS_gettimeofday},
    {.call = SYS_clock_gettime},
    {.call = SYS_clock_getres},
    {.call = SYS_clock_nanosleep},
    {.call = SYS_nanosleep},
    {.call = SYS_getrandom},
    /* files that are replaced, and a ledger that is written */
    {.call = SYS_openat, .writing = true},
    {.call = SYS_pwrite64, .writing = true},
    {.call = SYS_pwritev, .writing = true},
    {.call = SYS_copy_file_range, .writing = true},
    {.call = SYS_sendfile, .writing = true},
    {.call = SYS_ftruncate, .writing = true},
    {.call = SYS_fallocate, .writing = true},
    {.call = SYS_fsync, .writing = true},
    {.call = SYS_fdatasync, .writing = true},
    {.call = SYS_fchmod, .writing = true},
    {.call = SYS_fchown, .writing = true},
    {.call = SYS_umask, .writing = true},
    {.call = SYS_linkat, .writing = true},
    {.call = SYS_unlinkat, .writing = true},
    {.call = SYS_renameat2, .writing = true},
#ifdef SYS_renameat
    {.call = SYS_renameat, .writing = true},
#endif
#ifdef __x86_64__
    {.call = SYS_open, .writing = true},
    {.call = SYS_link, .writing = true},
    {.call = SYS_unlink, .writing = true},
    {.call = SYS_rename, .writing = true},
#endif
};

#define NEWEST SYS_landlock_restrict_self /* of the calls that were weighed for this list */

/* Written from its end to its beginning, for its jumps only go forward: a label is the place of an instruction that is there
 * already. */
#define PROGRAM_MAX 512
struct program {
    struct sock_filter code[PROGRAM_MAX];
    size_t start;
    bool too_far; /* for a jump, of at most 255 instructions */
};

static size_t put(struct program *program, unsigned code, uint32_t value, size_t yes, size_t no)
{
    size_t ahead = program->start;
    program->too_far |= yes - ahead > UINT8_MAX || no - ahead > UINT8_MAX || ahead == 0;
    if (program->too_far) return ahead;
    program->code[ahead - 1] =
        (struct sock_filter){(uint16_t)code, (uint8_t)(yes - ahead), (uint8_t)(no - ahead), value};
    return program->start = ahead - 1;
}

static size_t answer(struct program *program, uint32_t what)
{
    return put(program, BPF_RET | BPF_K, what, program->start, program->start);
}

static size_t load(struct program *program, size_t offset)
{
    return put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, program->start, program->start);
}

/* Looks at the lower half of the argument, all that the kernel looks at in flags, a command or a process; of an address at
 * both. */
static size_t condition(struct program *program, const struct rule *rule, size_t allow, size_t other)
{
    const size_t argument = offsetof(struct seccomp_data, args) + rule->argument * sizeof(uint64_t);
    if (rule->when == NOTHING) {
        put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, allow, other);
        allow = load(program, argument + sizeof(uint32_t));
    }
    if (rule->when == EQUAL || rule->when == NOTHING)
        put(program, BPF_JMP | BPF_JEQ | BPF_K, rule->value, allow, other);
    else if (rule->when == WITH)
        put(program, BPF_JMP | BPF_JSET | BPF_K, rule->value, allow, other);
    else
        put(program, BPF_JMP | BPF_JSET | BPF_K, rule->value, other, allow);
    return load(program, argument);
}

/* Where the program goes on with a call. */
struct way {
    uint32_t call;
    size_t label;
};
#define WAYS_MAX (sizeof rules / sizeof *rules + 1)

static int by_call(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    return (x->call > y->call) - (x->call < y->call);
}

/* When a call is listed again, what its first rule does not allow is left to the next. */
static size_t add_rule(struct program *program, const struct rule *rule, size_t allow, size_t refuse,
                       struct way *ways, size_t count)
{
    size_t i = 0;
    while (i < count && ways[i].call != (uint32_t)rule->call)
        i++;
    if (i == count) ways[count++] = (struct way){(uint32_t)rule->call, refuse};
    ways[i].label = rule->when == ALWAYS ? allow : condition(program, rule, allow, ways[i].label);
    return count;
}

/* A search by halves: when a filter is set the kernel runs it once for each call there is, to know those that are always
 * allowed, and one comparison after another would make that the dearest part of a short run of the program. */
static size_t search(struct program *program, const struct way *ways, size_t count, size_t refuse)
{
    size_t half = count / 2, at = refuse;
    if (count > 2) {
        size_t above = search(program, ways + half, count - half, refuse);
        size_t below = search(program, ways, half, refuse);
        return put(program, BPF_JMP | BPF_JGE | BPF_K, ways[half].call, above, below);
    }
    while (count-- > 0)
        at = put(program, BPF_JMP | BPF_JEQ | BPF_K, ways[count].call, ways[count].label, at);
    return at;
}

static void write_program(struct program *program, bool writing)
{
    const struct rule abort_itself = {.call = SYS_tgkill, EQUAL, 0, (uint32_t)getpid()};
    struct way ways[WAYS_MAX];
    size_t count = 0;
    program->start = PROGRAM_MAX;
    size_t kill = answer(program, SECCOMP_RET_KILL_PROCESS);
    size_t unknown = answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    size_t refuse = answer(program, SECCOMP_RET_ERRNO | EPERM);
    size_t allow = answer(program, SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (writing || !rules[i].writing) count = add_rule(program, &rules[i], allow, refuse, ways, count);
    count = add_rule(program, &abort_itself, allow, refuse, ways, count);
    qsort(ways, count, sizeof *ways, by_call);
    size_t start = search(program, ways, count, refuse);
    start = put(program, BPF_JMP | BPF_JGT | BPF_K, NEWEST, unknown, start);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, unknown, start); /* its flags cannot be seen */
    start = load(program, offsetof(struct seccomp_data, nr));
    /* else another kind of call, as 32-bit programs make them */
    put(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, start, kill);
    load(program, offsetof(struct seccomp_data, arch));
}

const char *bst_sandbox_calls(const struct bst_sandbox *sandbox)
{
    struct program program = {0};
    write_program(&program, sandbox->write_count > 0);
    if (program.too_far) return "the filter of system calls is too long";
    const struct sock_fprog filter = {(unsigned short)(PROGRAM_MAX - program.start),
                                      program.code + program.start};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &filter) == 0
               ? NULL
               : "the kernel takes no filter of system calls";
}

#else

const char *bst_sandbox_calls(const struct bst_sandbox *sandbox)
{
    (void)sandbox;
    return "the system calls of this kind of processor are not known";
}

#endif
