/* home_fixture.h - an author's home in the throw-away folder of stamp_fixture.h, with what opens a stamper there and judges
 * what it made. */
#ifndef HOME_FIXTURE_H
#define HOME_FIXTURE_H

#include "stamp_fixture.h"

static char *home;

static inline int home_setup(void **state)
{
    struct bst_error err = {0};
    struct bst_identity identity;
    if (folder_setup(state) != 0) return -1;
    home = bst_strdup(in_folder("home"));
    struct bst_init init = {.home = home, .author = "Ada Example", .email = "ada@example.org"};
    if (bst_home_init(&init, &identity, &err) != BST_OK) return -1;
    bst_identity_clear(&identity);
    return 0;
}

static inline int home_teardown(void **state)
{
    free(home);
    return folder_teardown(state);
}

static inline struct bst_stamper *open_stamper(bool thumbnail)
{
    struct bst_error err = {0};
    struct bst_stamper *stamper;
    struct bst_stamper_options options = {.home = home, .thumbnail = thumbnail};
    bool locked;
    assert_good(bst_stamper_open(&options, &stamper, &locked, &err));
    return stamper;
}

/* The home's own roots, as text. */
static inline void read_roots(struct bst_buf *roots)
{
    struct bst_error err = {0};
    char *path = bst_path_join(home, "certs/root.pem");
    assert_good(bst_file_read(path, 1u << 20, roots, &err));
    assert_non_null(bst_buf_string(roots));
    free(path);
}

/* The active manifest of before stands in the store of after, byte for byte. */
static inline void keeps_manifest(const struct bst_c2pa *before, const struct bst_c2pa *after)
{
    struct bst_error err = {0};
    struct bst_jumbf old, new;
    assert_good(bst_jumbf_parse(before->store.data, before->store.len, &old, &err));
    assert_good(bst_jumbf_parse(after->store.data, after->store.len, &new, &err));
    const struct bst_jumbf_box *a = bst_jumbf_child(&old, old.boxes, before->label);
    const struct bst_jumbf_box *b = bst_jumbf_child(&new, new.boxes, before->label);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->len, b->len);
    assert_memory_equal(old.bytes + a->start, new.bytes + b->start, a->len);
    bst_jumbf_clear(&old);
    bst_jumbf_clear(&new);
}

#endif
