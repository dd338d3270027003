/* base.h - what every folder of Blindstamp shares. Public face of base/; installed as <blindstamp/base.h>.
 *
 * Map of the folder:
 *   error.c   struct bst_error: code, what, where, hint
 *   buf.c     growing byte buffer
 *   text.c    hexadecimal, base64, UTF-8, numbers, terminal-safe printing
 *   clock.c   RFC 3339 times, UUIDs
 *   digest.c  SHA-256 (libcrypto, for its hardware support)
 *   crc32.c   the checksum of PNG chunks
 *   file.c    bounded reads, atomic writes, folders
 *   json.c    bounded JSON reading and RFC 8785 canonical writing, over jansson
 *   image.c   decoded pictures, their digest, and conversions between layouts
 *   png.c     PNG decoding and encoding over libpng
 *   jpeg.c    JPEG decoding over libjpeg-turbo, and encoding of thumbnails
 *   webp.c    WebP decoding over libwebp
 *   thumbnail.c  pictures made small
 *   pool.c    thread pool
 *   library.c shared libraries that are loaded when they are needed
 *   sandbox.c       gives up what judging a stranger's file does not need
 *   sandbox_files.c its part that closes files (Landlock), sandbox_calls.c that which closes system calls (seccomp)
 *
 * Conventions of the whole library:
 * - A function that can fail returns enum bst_code (BST_OK is 0) and fills the struct bst_error it was given.
 *   Whoever detects a failure reports it once with bst_fail(); callers pass it up unchanged.
 *   err is never NULL.
 * - Nothing in the library prints, prompts or exits.
 * - Outputs of a failed call hold nothing that must be freed.
 * - X_free(NULL) and X_clear() of a zeroed struct are harmless.
 */
#ifndef BST_BASE_H
#define BST_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct json_t json_t; /* jansson's value */

#define BST_VERSION "0.1.0"

/* ---- errors (error.c) ---- */

/* Verdicts and failures share one scale: these are the exit codes of the program. */
enum bst_code {
    BST_OK = 0,
    BST_USAGE = 1,         /* the caller asked for something that makes no sense */
    BST_NO_PROVENANCE = 2, /* nothing is said about the origin, or nothing known */
    BST_BROKEN = 3,        /* altered, forged or contradicting */
    BST_UNREADABLE = 4,    /* the input is damaged, hostile or of an unsupported kind */
    BST_FAILURE = 5,       /* the program or the machine failed: memory, disk, permission */
    BST_UNTRUSTED = 6,     /* intact, but the signer is not trusted */
};

struct bst_error {
    enum bst_code code;
    char what[512];  /* one sentence, no full stop, no newline */
    char where[256]; /* file and place: "photo.png: chunk 3 (IDAT) at byte 8211"; may be empty */
    char hint[256];  /* the likely fix; may be empty */
};

#if defined(__GNUC__)
#define BST_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define BST_PRINTF(f, a)
#endif

/* Fills *err and returns code, so that a caller writes: return bst_fail(err, BST_UNREADABLE, "..."). */
enum bst_code bst_fail(struct bst_error *err, enum bst_code code, const char *format, ...) BST_PRINTF(3, 4);
/* The same for a failed system call: appends strerror(errno). Call before anything can change errno. */
enum bst_code bst_fail_errno(struct bst_error *err, enum bst_code code, const char *format, ...)
    BST_PRINTF(3, 4);
/* Out of memory: BST_FAILURE with a fixed text; allocates nothing. */
enum bst_code bst_fail_memory(struct bst_error *err);
/* Add the place or the fix to an error that is already there; both return err->code. bst_where keeps a place
 * already given and puts its own text in front of it ("model.onnx: node 12"). */
enum bst_code bst_where(struct bst_error *err, const char *format, ...) BST_PRINTF(2, 3);
enum bst_code bst_hint(struct bst_error *err, const char *format, ...) BST_PRINTF(2, 3);

/* ---- memory and buffers (buf.c) ---- */

/* n * size with overflow check and zeroed memory; NULL when that is too much or there is none. n == 0 gives a
 * valid pointer. Freed with free(). */
void *bst_calloc(size_t n, size_t size);
/* A copy of the string, or NULL. */
char *bst_strdup(const char *text);
/* printf into new memory; NULL when there is none. */
char *bst_format(const char *format, ...) BST_PRINTF(1, 2);

/* Of a limit on the process's memory what is not taken yet; at least 1. 0, no limit, stays 0. */
size_t bst_memory_left(size_t limit);

struct bst_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool
        failed; /* an append ran out of memory; sticky, so that a run of appends needs one check at the end */
};

void bst_buf_free(struct bst_buf *buf); /* frees the memory and zeroes the struct */
bool bst_buf_reserve(struct bst_buf *buf, size_t extra);
void bst_buf_append(struct bst_buf *buf, const void *data, size_t len);
void bst_buf_text(struct bst_buf *buf, const char *text);
void bst_buf_printf(struct bst_buf *buf, const char *format, ...) BST_PRINTF(2, 3);
void bst_buf_byte(struct bst_buf *buf, uint8_t byte);
void bst_buf_be16(struct bst_buf *buf, uint16_t value);
void bst_buf_be32(struct bst_buf *buf, uint32_t value);
void bst_buf_be64(struct bst_buf *buf, uint64_t value);
/* The lowest len bytes of value, at most 8, in that byte order. */
void bst_buf_number(struct bst_buf *buf, uint64_t value, size_t len, bool big_endian);
/* Puts a zero byte behind the content (not counted in len) and returns it as a string; NULL if buf failed. */
char *bst_buf_string(struct bst_buf *buf);

static inline uint16_t bst_get_be16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}
static inline uint16_t bst_get_le16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[1] << 8 | p[0]);
}
static inline uint32_t bst_get_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}
static inline uint32_t bst_get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t bst_get_be64(const uint8_t *p)
{
    return (uint64_t)bst_get_be32(p) << 32 | bst_get_be32(p + 4);
}
/* Of len bytes, at most 8, where the file says which byte order it is in. */
uint64_t bst_get_number(const uint8_t *p, size_t len, bool big_endian);
void bst_set_number(uint8_t *p, uint64_t value, size_t len, bool big_endian);

/* Checked size arithmetic: false on overflow, and *out is then untouched. */
bool bst_mul(size_t a, size_t b, size_t *out);
bool bst_add(size_t a, size_t b, size_t *out);

/* ---- text (text.c) ---- */

/* Lower-case hexadecimal; out takes 2 * len + 1 bytes. */
void bst_hex(const uint8_t *data, size_t len, char *out);
/* Exactly 2 * len hexadecimal digits, either case; false otherwise. */
bool bst_unhex(const char *text, uint8_t *out, size_t len);
/* Standard base64 with padding, in new memory; NULL when there is none. */
char *bst_base64(const void *data, size_t len);
/* Strict standard base64 with padding (DSSE readers also pass url_safe). false when malformed or out of
 * memory. */
bool bst_unbase64(const char *text, size_t len, bool url_safe, struct bst_buf *out);
bool bst_utf8_valid(const char *text, size_t len);
/* A whole decimal number, nothing before or behind, in [0, UINT64_MAX]; false otherwise. */
bool bst_parse_u64(const char *text, uint64_t *out);
/* A whole decimal fraction such as "0.8", locale-independent, finite; false otherwise. */
bool bst_parse_double(const char *text, double *out);
/* Replaces control characters, escape sequences and invalid UTF-8 (text from strangers) so that it can be
 * shown on a terminal. New memory; NULL when there is none. */
char *bst_printable(const char *text, size_t len);

/* ---- time and identifiers (clock.c) ---- */

#define BST_TIME_LEN 32                                        /* room for an RFC 3339 text and its zero */
int64_t bst_now_ms(void);                                      /* Unix time in milliseconds */
double bst_monotonic_s(void);                                  /* seconds, for measuring */
void bst_time_text(int64_t ms, char out[static BST_TIME_LEN]); /* 2026-11-22T09:30:00Z (UTC, whole seconds) */
/* "2026-11-22", "2026-11-22T09:30:00Z" or with an offset. A date alone is midnight UTC. */
bool bst_time_parse(const char *text, int64_t *ms);
#define BST_UUID_LEN 37
void bst_uuid4(char out[static BST_UUID_LEN]); /* random, lower case, from libsodium */

/* ---- SHA-256 (digest.c) ---- */

#define BST_SHA256_LEN 32
#define BST_SHA256_HEX 65
struct bst_sha256_state; /* libcrypto context behind it */
void bst_sha256(const void *data, size_t len, uint8_t out[static BST_SHA256_LEN]);
struct bst_sha256_state *bst_sha256_new(void); /* NULL when out of memory */
void bst_sha256_update(struct bst_sha256_state *state, const void *data, size_t len);
void bst_sha256_final(struct bst_sha256_state *state, uint8_t out[static BST_SHA256_LEN]); /* frees state */
enum bst_code bst_sha256_file(const char *path, uint8_t out[static BST_SHA256_LEN], struct bst_error *err);

/* ---- CRC-32 (crc32.c) ---- */

/* Of PNG and zlib; crc: of what came before, 0 at the beginning. */
uint32_t bst_crc32(uint32_t crc, const void *data, size_t len);

/* ---- files (file.c) ---- */

/* Reads a whole regular file of at most limit bytes; larger is BST_UNREADABLE, missing BST_UNREADABLE. */
enum bst_code bst_file_read(const char *path, size_t limit, struct bst_buf *out, struct bst_error *err);
/* The same for a name that a stranger chose: it must lie in the folder, with no "..", no leading "/" and no symbolic
 * link on the way. */
enum bst_code bst_file_read_within(const char *folder, const char *name, size_t limit, struct bst_buf *out,
                                   struct bst_error *err);
enum bst_write_flags {
    BST_WRITE_SECRET = 1,  /* mode 0600 instead of 0666 & ~umask */
    BST_WRITE_REPLACE = 2, /* replace an existing file; without it an existing file is refused (BST_USAGE) */
};
/* Beside, fsync, rename, fsync of the folder: either the whole file stands there or nothing. */
enum bst_code bst_file_write(const char *path, const void *data, size_t len, unsigned flags,
                             struct bst_error *err);
/* All of data to an open file; name is for messages. */
enum bst_code bst_write_all(int fd, const void *data, size_t len, const char *name, struct bst_error *err);
/* Gives a finished file its name. Without replace, a name that is taken, also one taken meanwhile, is refused. On
 * failure false, with errno (EEXIST for a taken name), and temporary stays. */
bool bst_file_publish(const char *temporary, const char *path, bool replace);
/* Makes the names in a folder durable, or those beside path. Some file systems cannot; that is no failure. */
void bst_folder_sync(const char *folder);
void bst_name_sync(const char *path);
bool bst_file_exists(const char *path);
/* Creates the folder and its missing parents, the last one with mode; an existing folder is fine. */
enum bst_code bst_folder_make(const char *path, unsigned mode, struct bst_error *err);
char *bst_path_join(const char *folder, const char *name); /* new memory, or NULL */
const char *bst_path_name(const char *path);               /* the part behind the last slash */

/* ---- shared libraries (library.c) ---- */

struct bst_symbol {
    void *place; /* of a pointer to a function of the type that the library's header declares */
    const char *name;
};
/* Loads a library, which stays, and takes the functions' addresses; false when it or one of them is missing. The program
 * starts faster, and works without what it does not need. */
bool bst_library_load(const char *name, const struct bst_symbol *symbols, size_t count);

/* ---- JSON (json.c) ---- */

/* Reads a JSON text: at most 64 levels deep, duplicate keys refused. *out is a new
 * reference. */
enum bst_code bst_json_parse(const char *text, size_t len, json_t **out, struct bst_error *err);
enum bst_code bst_json_load(const char *path, size_t limit, json_t **out, struct bst_error *err);
/* RFC 8785 (JCS): keys sorted by UTF-16 code units, minimal escapes, ECMAScript numbers. */
enum bst_code bst_json_canonical(const json_t *value, struct bst_buf *out, struct bst_error *err);
/* Indented, for people; ends with a newline. */
enum bst_code bst_json_pretty(const json_t *value, struct bst_buf *out, struct bst_error *err);
/* The string at key, or NULL when missing or of another type. Borrowed. */
const char *bst_json_text(const json_t *object, const char *key);
/* Follows "a.b.0.c" through objects and arrays; NULL when any step is missing. Borrowed. */
json_t *bst_json_at(const json_t *value, const char *path);

/* ---- pictures (image.c, png.c, jpeg.c, webp.c) ---- */

/* Interleaved samples, rows top to bottom without padding. 8 bits: one byte a sample; 16 bits: two,
 * big-endian. */
struct bst_image {
    uint32_t width;
    uint32_t height;
    uint8_t channels; /* 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA */
    uint8_t depth;    /* bits a sample: 8 or 16 */
    uint8_t *samples; /* height * width * channels * depth / 8 bytes, owned */
};
#define BST_IMAGE_MAX_SIDE   65535u
#define BST_IMAGE_MAX_PIXELS (1u << 30)

enum bst_code bst_image_new(uint32_t width, uint32_t height, uint8_t channels, uint8_t depth,
                            struct bst_image *out, struct bst_error *err);
void bst_image_clear(struct bst_image *image);
size_t bst_image_size(const struct bst_image *image); /* bytes of samples */
/* SHA-256 over the header "width height channels depth\n" (decimal, ASCII) and the samples: decision 5's
 * pixels-sha256. */
void bst_image_digest(const struct bst_image *image, uint8_t out[static BST_SHA256_LEN]);
/* A new 8-bit RGB picture: grey is spread, alpha is dropped, 16 bits keep their upper byte. */
enum bst_code bst_image_to_rgb8(const struct bst_image *image, struct bst_image *out, struct bst_error *err);
enum bst_picture { BST_PICTURE_OTHER, BST_PICTURE_PNG, BST_PICTURE_JPEG, BST_PICTURE_WEBP };
/* Told by the first bytes, of which 12 are enough. */
enum bst_picture bst_picture_of(const void *data, size_t len);
/* PNG, JPEG or WebP, told by the first bytes; name is for messages. Palettes and low depths are expanded to 8 bits,
 * tRNS to alpha; JPEG is decoded to grey or RGB with libjpeg's accurate integer DCT; WebP to RGB or RGBA, and an
 * animation is refused. */
enum bst_code bst_image_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                               struct bst_error *err);
enum bst_code bst_image_load(const char *path, struct bst_image *out, struct bst_error *err);
/* bst_image_digest() of the picture in a file, decoded row by row: memory does not grow with the picture, but for WebP,
 * interlaced PNG and progressive JPEG. *shape gets its size and form, and no samples. */
enum bst_code bst_image_digest_file(const char *path, struct bst_image *shape,
                                    uint8_t out[static BST_SHA256_LEN], struct bst_error *err);

/* A JPEG of the picture, made smaller until its longer side is BST_THUMBNAIL_SIDE pixels; alpha is laid over white. Each of
 * its pixels is the mean of those that it stands for. Appended to out. */
#define BST_THUMBNAIL_SIDE 256u
enum bst_code bst_thumbnail(const struct bst_image *image, struct bst_buf *out, struct bst_error *err);
/* The same of the picture in a file, in memory that does not grow with it (a WebP's compressed pixels are held). Nothing is
 * appended for a picture that cannot be read so: progressive JPEG, interlaced PNG and lossless WebP of more than some
 * million pixels, and a WebP file of more than 16 MiB. */
enum bst_code bst_thumbnail_file(const char *path, struct bst_buf *out, struct bst_error *err);
/* A plain PNG: IHDR, sRGB, IDAT, IEND; level 1 (fast) to 9 (small). Appends to out. */
enum bst_code bst_png_encode(const struct bst_image *image, int level, struct bst_buf *out,
                             struct bst_error *err);
/* The same in pieces, as they are made, with finished chunks (or NULL) in front of the first IDAT. put returns false
 * when it failed and has filled an error of its own; then so does this, without touching *err. */
typedef bool (*bst_put)(void *arg, const void *data, size_t len);
enum bst_code bst_png_write(const struct bst_image *image, int level, const struct bst_buf *chunks,
                            bst_put put, void *arg, struct bst_error *err);

/* ---- threads (pool.c) ---- */

struct bst_pool;
/* threads includes the caller: 1 means no extra thread. 0 means one a usable processor. */
enum bst_code bst_pool_new(unsigned threads, struct bst_pool **out, struct bst_error *err);
void bst_pool_free(struct bst_pool *pool);
unsigned bst_pool_threads(const struct bst_pool *pool);
/* Calls task(arg, index, thread) for every index in [0, count), in any order, from any thread in [0,
 * threads); returns when all are done. One run at a time for each pool; pool may be NULL (runs in the caller
 * alone). */
void bst_pool_run(struct bst_pool *pool, size_t count, void (*task)(void *arg, size_t index, unsigned thread),
                  void *arg);

/* ---- sandbox (sandbox.c) ---- */

struct bst_sandbox {
    const char *const
        *read; /* files, and folders with all below them, that are still read; a missing one does no harm */
    size_t read_count;
    const char *const
        *write; /* folders in which files are still made, replaced and removed; none: nothing is written */
    size_t write_count;
};
struct bst_sandboxed {
    const char *files_why,
        *calls_why; /* why files or system calls are as open as before; NULL: they are closed */
};
/* From here on this process, and every thread that it starts, can open nothing but these files, reach no network, start no
 * program, and look into no other process; there is no way back. Called while there is one thread, before untrusted bytes
 * are read. What the kernel does not have (Landlock: Linux 5.13, seccomp: 3.5) is told in the answer, as nothing that
 * fails. Does nothing in a program built with a sanitizer or run under valgrind, which need what is given up. */
struct bst_sandboxed bst_sandbox_enter(const struct bst_sandbox *sandbox);

/* Progress of long work. done counts up to total in some unit of the caller's; false asks to stop, which the
 * worker answers with BST_FAILURE and the text "interrupted" after cleaning up. */
typedef bool (*bst_progress)(void *arg, uint64_t done, uint64_t total);

#ifdef __cplusplus
}
#endif
#endif
