/* main.c - drives a fuzz target without a fuzzing engine: every file of a corpus folder as it is, then
 * mutated. The target has libFuzzer's shape, so that clang -fsanitize=fuzzer can drive it too. fuzz_NAME
 * [-runs N | -seconds S] CORPUS-FOLDER-OR-FILE... Mutations come from a fixed seed: a failure repeats. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SEEDS_MAX 512
#define INPUT_MAX (1u << 22)
#define MUTATIONS 8

static struct bst_buf seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void load(const char *path)
{
    struct stat info;
    struct bst_error err;
    if (stat(path, &info) != 0) return;
    if (S_ISREG(info.st_mode) && seed_count < SEEDS_MAX) {
        if (bst_file_read(path, INPUT_MAX, &seeds[seed_count], &err) == BST_OK) seed_count++;
        return;
    }
    DIR *folder = S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    if (!folder) return;
    for (struct dirent *item; (item = readdir(folder));) {
        if (item->d_name[0] == '.') continue;
        char *inner = bst_path_join(path, item->d_name);
        if (inner) load(inner);
        free(inner);
    }
    closedir(folder);
}

/* Exactly sized memory, so that the sanitizer sees a read of one byte too many. */
static void try_input(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) return;
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static size_t mutate(uint8_t *data, size_t len)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    if (len == 0) return 0;
    size_t at = draw() % len, span = 1 + draw() % 16;
    if (span > len - at) span = len - at;
    switch (draw() % 6) {
    case 0:
        data[at] ^= (uint8_t)(1u << draw() % 8);
        break;
    case 1:
        data[at] = (uint8_t)draw();
        break;
    case 2:
        data[at] = edges[draw() % sizeof edges];
        break;
    case 3:
        memset(data + at, edges[draw() % sizeof edges], span);
        break;
    case 4:
        memmove(data + at, data + draw() % (len - span + 1), span);
        break;
    default:
        len = draw() % 4 ? len : at;
        break;
    }
    return len;
}

int main(int argc, char **argv)
{
    uint64_t runs = 1000, seconds = 0, done = 0;
    const char *name = bst_path_name(argv[0]);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-runs") == 0 && i + 1 < argc) {
            bst_parse_u64(argv[++i], &runs);
        } else if (strcmp(argv[i], "-seconds") == 0 && i + 1 < argc) {
            bst_parse_u64(argv[++i], &seconds);
        } else {
            load(argv[i]);
        }
    }
    if (seed_count == 0) {
        printf("not ok %s: no corpus\n", name);
        return 1;
    }
    for (size_t i = 0; i < seed_count; i++)
        try_input(seeds[i].data, seeds[i].len);
    printf("ok %s: %zu files of the corpus\n", name, seed_count);
    uint8_t *work = malloc(INPUT_MAX);
    double start = bst_monotonic_s();
    for (; work && (seconds ? bst_monotonic_s() - start < (double)seconds : done < runs); done++) {
        const struct bst_buf *seed = &seeds[draw() % seed_count];
        size_t len = seed->len;
        memcpy(work, seed->data, len);
        for (uint64_t n = 1 + draw() % MUTATIONS; n > 0; n--)
            len = mutate(work, len);
        try_input(work, len);
    }
    printf("ok %s: %llu mutations in %.0f s\n", name, (unsigned long long)done, bst_monotonic_s() - start);
    free(work);
    for (size_t i = 0; i < seed_count; i++)
        bst_buf_free(&seeds[i]);
    return 0;
}
