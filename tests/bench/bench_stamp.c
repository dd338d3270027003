/* bench_stamp.c - 768x512 pictures: PNG levels (time against size), stamps a second, verifications a second.
 * Beside each stands its floor: a stamp must at least encode the PNG, a verification must at least digest the
 * file. */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "folder.h"

#define WIDTH   768
#define HEIGHT  512
#define LEVEL   4 /* of the stamps and of their floor; 4 is the stamper's default */
#define SINGLES 20
#define BATCH   50
#define READS   200

static char folder[] = "/tmp/blindstamp-bench-XXXXXX";

static uint32_t hash(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    return h ^ h >> 13;
}

/* Smooth value noise of six octaves: soft areas, edges and grain, as a painting has them. */
static float noise(uint32_t x, uint32_t y, uint32_t seed)
{
    float sum = 0, weight = 0.5f;
    for (unsigned cell = 128; cell >= 4; cell /= 2, weight /= 2) {
        uint32_t cx = x / cell, cy = y / cell;
        float fx = (float)(x % cell) / (float)cell, fy = (float)(y % cell) / (float)cell;
        fx = fx * fx * (3 - 2 * fx);
        fy = fy * fy * (3 - 2 * fy);
        float a = (float)(hash(cx, cy, seed) & 0xffff), b = (float)(hash(cx + 1, cy, seed) & 0xffff);
        float c = (float)(hash(cx, cy + 1, seed) & 0xffff), d = (float)(hash(cx + 1, cy + 1, seed) & 0xffff);
        sum += weight * ((a + (b - a) * fx) * (1 - fy) + (c + (d - c) * fx) * fy) / 65536;
    }
    return sum;
}

static void make_picture(uint32_t seed, struct bst_image *image)
{
    must(bst_image_new(WIDTH, HEIGHT, 3, 8, image, &err));
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++) {
            for (uint32_t c = 0; c < 3; c++) {
                image->samples[3 * (y * WIDTH + x) + c] = (uint8_t)(255 * noise(x, y, seed + c / 2));
            }
        }
    }
}

static void add(struct bst_stamper *stamper, const struct bst_image *image, unsigned number)
{
    char name[64];
    static const float weight = 1;
    static const char *const style = "noise";
    struct bst_generation generation = {.model_name = "noise",
                                        .model_bytes = 1,
                                        .seed = number,
                                        .width = WIDTH,
                                        .height = HEIGHT,
                                        .truncation = 1,
                                        .style_count = 1,
                                        .style_names = &style,
                                        .style_weights = &weight,
                                        .title = "Noise",
                                        .arith = "blindstamp-arith/1",
                                        .started_ms = bst_now_ms(),
                                        .finished_ms = bst_now_ms()};
    snprintf(name, sizeof(name), "%s/%u.png", folder, number);
    must(bst_stamp_add(stamper, image, name, false, &generation, &err));
}

static void bench_levels(const struct bst_image *image)
{
    printf("PNG level     ms    bytes\n");
    for (int level = 1; level <= 7; level++) {
        struct bst_buf png = {0};
        double best = 1e9;
        for (int round = 0; round < 3; round++) {
            png.len = 0;
            double start = bst_monotonic_s();
            must(bst_png_encode(image, level, &png, &err));
            double seconds = bst_monotonic_s() - start;
            if (seconds < best) best = seconds;
        }
        printf("%9d %6.1f %8zu\n", level, best * 1e3, png.len);
        bst_buf_free(&png);
    }
}

static double encode_seconds(const struct bst_image *image)
{
    double start = bst_monotonic_s();
    for (int i = 0; i < 5; i++) {
        struct bst_buf png = {0};
        must(bst_png_encode(image, LEVEL, &png, &err));
        bst_buf_free(&png);
    }
    return (bst_monotonic_s() - start) / 5;
}

static void bench_stamps(struct bst_stamper *stamper, const struct bst_image *image)
{
    double start = bst_monotonic_s();
    for (unsigned i = 0; i < SINGLES; i++) {
        add(stamper, image, i);
        must(bst_stamp_commit(stamper, NULL, NULL, &err));
    }
    double single = (bst_monotonic_s() - start) / SINGLES;
    start = bst_monotonic_s();
    for (unsigned i = 0; i < BATCH; i++) {
        add(stamper, image, SINGLES + i);
    }
    double added = (bst_monotonic_s() - start) / BATCH;
    must(bst_stamp_commit(stamper, NULL, NULL, &err));
    double batch = (bst_monotonic_s() - start) / BATCH;
    double floor = encode_seconds(image);
    printf("stamps, one at a time:   %6.1f/s  %6.2f ms each\n", 1 / single, single * 1e3);
    printf("stamps, batch of %d:     %6.1f/s  %6.2f ms each, of which commit %.2f ms\n", BATCH, 1 / batch,
           batch * 1e3, (batch - added) * 1e3);
    printf("floor, PNG encoding:     %6.1f/s  %6.2f ms each\n", 1 / floor, floor * 1e3);
}

static void bench_reads(const struct bst_trust *trust)
{
    uint8_t digest[BST_SHA256_LEN];
    char path[64];
    snprintf(path, sizeof(path), "%s/0.png", folder);
    double start = bst_monotonic_s();
    for (int i = 0; i < READS; i++) {
        struct bst_container container;
        struct bst_c2pa c2pa;
        must(bst_container_scan(path, &container, &err));
        must(bst_c2pa_read(path, &container, trust, &c2pa, &err));
        if (c2pa.state != BST_C2PA_TRUSTED) exit(1);
        bst_c2pa_clear(&c2pa);
        bst_container_clear(&container);
    }
    double verify = (bst_monotonic_s() - start) / READS;
    start = bst_monotonic_s();
    for (int i = 0; i < READS; i++) {
        must(bst_sha256_file(path, digest, &err));
    }
    double floor = (bst_monotonic_s() - start) / READS;
    printf("verifications:           %6.1f/s  %6.3f ms each\n", 1 / verify, verify * 1e3);
    printf("floor, SHA-256 of file:  %6.1f/s  %6.3f ms each\n", 1 / floor, floor * 1e3);
}

int main(void)
{
    struct bst_identity identity;
    struct bst_stamper *stamper;
    struct bst_image image;
    struct bst_trust *trust;
    bool locked;
    if (mkdtemp(folder) == NULL) return 1;
    char *home = bst_path_join(folder, "home");
    must(bst_home_init(&(struct bst_init){.home = home, .author = "Ada Example"}, &identity, &err));
    must(bst_stamper_open(&(struct bst_stamper_options){.home = home, .png_level = LEVEL}, &stamper, &locked,
                          &err));
    must(bst_trust_new(&trust, &err));
    must(bst_trust_self(trust, home, &err));
    make_picture(7, &image);
    bench_levels(&image);
    bench_stamps(stamper, &image);
    bench_reads(trust);
    bst_stamper_close(stamper);
    bst_identity_clear(&identity);
    bst_image_clear(&image);
    bst_trust_free(trust);
    free(home);
    bst_folder_remove(folder);
    return 0;
}
