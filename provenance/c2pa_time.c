/* c2pa_time.c - what a claim signature carries about its time, or a later manifest of the store about it: the time stamp
 * that says when it was made, and the responder's answer that says whether its certificate was revoked by then. */
#include "c2pa.h"
#include "cert_profile.h"
#include "ocsp.h"
#include "timestamp.h"
#include "trust.h"

#include <stdlib.h>
#include <string.h>

/* Claims of version 1 knew no trust in time stamps: a sound one is called trusted, as in the reference implementation.
 * But only as long as nothing depends on it: else whoever holds an expired or revoked key could sign with a date of his
 * choice. */
static bool called_trusted(const struct bst_judge *judge, const struct bst_cose *cose,
                           const struct bst_time *time)
{
    return time->state == BST_TIME_UNTRUSTED && time->validated && judge->claim->version == 1 &&
           cose->chain != NULL && bst_cert_covers(sk_X509_value(cose->chain, 0), bst_now_ms() / 1000);
}

static void say_time(struct bst_judge *judge, const struct bst_cose *cose, const struct bst_time *time,
                     const char *url)
{
    static const struct {
        const char *code, *words;
    } statuses[] = {
        [BST_TIME_MALFORMED] = {"timeStamp.malformed", "the time stamp cannot be read"},
        [BST_TIME_MISMATCH] = {"timeStamp.mismatch", "the time stamp does not belong to this signature"},
        [BST_TIME_OUTSIDE] = {"timeStamp.outsideValidity", "the time stamp's authority had no say"},
        [BST_TIME_UNTRUSTED] = {"timeStamp.untrusted", "the time stamp's authority is not trusted"},
    };
    char *authority = bst_printable(time->authority, strlen(time->authority));
    const char *name = authority == NULL || authority[0] == 0 ? "an unnamed authority" : authority;
    char when[BST_TIME_LEN];
    bst_time_text(time->when_s * 1000, when);
    if (time->validated) {
        bst_judge_say(judge, BST_STATUS_SUCCESS, "timeStamp.validated", url,
                      "%s says that the signature existed at %s", name, when);
    }
    if (time->state == BST_TIME_TRUSTED) {
        bst_judge_say(judge, BST_STATUS_SUCCESS, "timeStamp.trusted", url, "%s is trusted for time stamps",
                      name);
    } else if (called_trusted(judge, cose, time)) {
        bst_judge_say(judge, BST_STATUS_SUCCESS, "timeStamp.trusted", url,
                      "as any sound time stamp of a claim of version 1; nobody vouches for %s", name);
    } else {
        bst_judge_say(judge, BST_STATUS_INFO, statuses[time->state].code, url, "%s: %s",
                      statuses[time->state].words, time->why);
    }
    free(authority);
}

/* The signature's time stamp: sigTst2, which is over the signature, before the older sigTst, which is over the claim. */
struct stamp {
    bool given;
    size_t count; /* tokens; the first of them: */
    const uint8_t *token;
    size_t len;
    struct bst_buf data; /* what it must be over */
};

static void read_stamp(const struct bst_claim *claim, const struct bst_cose *cose, struct stamp *out)
{
    const uint8_t *body = claim->jumbf->bytes + claim->body->data;
    cbor_item_t *second = bst_cbor_get(cose->unprotected, "sigTst2");
    cbor_item_t *list = second == NULL ? bst_cbor_get(cose->unprotected, "sigTst") : second;
    *out = (struct stamp){.given = list != NULL};
    if (!bst_cose_listed(list, "tstTokens", "val", &out->count, &out->token, &out->len)) {
        out->count = 0;
        return;
    }
    bst_cose_stamped(cose, second == NULL ? body : NULL, second == NULL ? claim->body->data_len : 0,
                     &out->data);
}

/* ---- what came later: assertions of other manifests (C2PA 2.4, 18.20 and 18.21) ---- */

#define LATER_MAX 256 /* tokens and answers looked at in one store: each costs a signature or more */

/* The next assertion of that kind in a manifest that the active one leads to, from where *claim and *at stand. */
static const struct bst_assertion *next_later(const struct bst_judge *judge, const char *root, size_t *claim,
                                              size_t *at)
{
    for (; *claim < judge->count; ++*claim, *at = 0) {
        const struct bst_claim *holder = &judge->claims[*claim];
        while (holder->seen && *at < holder->count) {
            const struct bst_assertion *assertion = &holder->assertions[(*at)++];
            if (bst_root_is(assertion, root) && assertion->list != BST_UNLISTED && assertion->content != NULL)
                return assertion;
        }
    }
    return NULL;
}

static cbor_item_t *token_for(const struct bst_assertion *assertion, const char *label)
{
    return cbor_isa_map(assertion->content) ? bst_cbor_get(assertion->content, label) : NULL;
}

/* A time stamp of the signature's value that a later manifest holds. It counts instead of the signature's own, and
 * nothing is said of it, as in the reference implementation. *found: there is one; returns whether its time counts. */
static bool judge_later_stamp(struct bst_judge *judge, const struct bst_cose *cose, bool *found,
                              int64_t *when_s)
{
    size_t claim = 0, at = 0;
    const struct bst_assertion *assertion;
    struct bst_buf data = {0};
    bool trusted = false;
    *found = false;
    bst_buf_append(&data, cose->sig, cose->sig_len);
    judge->failed_memory = judge->failed_memory || data.failed;
    while (!trusted && !data.failed &&
           (assertion = next_later(judge, "c2pa.time-stamp", &claim, &at)) != NULL) {
        const uint8_t *token;
        size_t len;
        struct bst_time time = {0};
        if (!bst_cbor_get_bytes(token_for(assertion, judge->claim->label), &token, &len)) continue;
        if (++judge->later > LATER_MAX) break;
        bst_timestamp_judge(token, len, &data, judge->trust, &time);
        trusted = time.state == BST_TIME_TRUSTED;
        *found = *found || trusted || called_trusted(judge, cose, &time);
        *when_s = time.when_s;
    }
    bst_buf_free(&data);
    return trusted;
}

/* An answer on the signer's certificate that a later manifest holds, if it says something. */
static bool judge_later_answer(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s,
                               bool stamped, enum bst_ocsp_state *state, const char **why)
{
    size_t claim = 0, at = 0;
    const struct bst_assertion *assertion;
    if (cose->chain == NULL) return false;
    while ((assertion = next_later(judge, "c2pa.certificate-status", &claim, &at)) != NULL) {
        cbor_item_t *list = bst_cbor_get(assertion->content, "ocspVals");
        for (size_t i = 0; i < bst_cbor_count(list); i++) {
            const uint8_t *answer;
            size_t len;
            if (!bst_cbor_get_bytes(cbor_array_handle(list)[i], &answer, &len)) continue;
            if (++judge->later > LATER_MAX) return false;
            *state = bst_ocsp_judge(answer, len, cose->chain, judge->trust, when_s, stamped, why);
            if (*state == BST_OCSP_GOOD || *state == BST_OCSP_REVOKED) return true;
        }
    }
    return false;
}

bool bst_judge_time(struct bst_judge *judge, const struct bst_cose *cose, const char *url, int64_t *when_s)
{
    bool found, trusted = judge_later_stamp(judge, cose, &found, when_s);
    if (found) return trusted;
    struct bst_time time = {.why = "it is not one token in a list"};
    struct stamp stamp;
    read_stamp(judge->claim, cose, &stamp);
    if (!stamp.given) return false;
    judge->failed_memory = judge->failed_memory || stamp.data.failed;
    if (stamp.count == 1 && !stamp.data.failed)
        bst_timestamp_judge(stamp.token, stamp.len, &stamp.data, judge->trust, &time);
    say_time(judge, cose, &time, url);
    bst_buf_free(&stamp.data);
    *when_s = time.when_s;
    return time.state == BST_TIME_TRUSTED;
}

bool bst_export_stamp(const struct bst_claim *claim, const struct bst_cose *cose, int64_t *when_s,
                      X509 **authority)
{
    struct bst_time time = {0};
    struct stamp stamp;
    *authority = NULL;
    *when_s = 0;
    read_stamp(claim, cose, &stamp);
    if (stamp.count == 0) return false;
    if (stamp.count == 1 && !stamp.data.failed)
        bst_timestamp_judge(stamp.token, stamp.len, &stamp.data, NULL, &time);
    bst_buf_free(&stamp.data);
    if (time.validated) *when_s = time.when_s;
    *authority = bst_timestamp_authority(stamp.token, stamp.len);
    return *authority != NULL || time.validated;
}

/* The responder's answer, asked for only when the caller wants that, and only about a signer that is trusted: a
 * stranger's certificate could name any address. */
static bool fetch(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s,
                  struct bst_buf *answer, const char *url)
{
    struct bst_error err;
    const char *why;
    X509 *leaf = cose->chain == NULL ? NULL : sk_X509_value(cose->chain, 0);
    bool asks = judge->trust != NULL && judge->trust->asks_responders && leaf != NULL &&
                judge->claim == judge->active &&
                bst_trust_path(judge->trust, BST_TRUST_MANIFEST, leaf, cose->chain, when_s, &why);
    if (!asks) {
        bst_judge_say(
            judge, BST_STATUS_INFO, "signingCredential.ocsp.skipped", url,
            "the signature carries no answer on its certificate's revocation, and nobody was asked");
        return false;
    }
    if (bst_ocsp_fetch(cose->chain, judge->trust, answer, &err) == BST_OK) return true;
    bst_judge_say(judge, BST_STATUS_INFO, "signingCredential.ocsp.inaccessible", url,
                  "whether the certificate was revoked could not be asked: %s", err.what);
    return false;
}

static void say_revocation(struct bst_judge *judge, enum bst_ocsp_state state, const char *why,
                           const char *url)
{
    switch (state) {
    case BST_OCSP_GOOD:
        bst_judge_say(judge, BST_STATUS_SUCCESS, "signingCredential.ocsp.notRevoked", url, "%s", why);
        break;
    case BST_OCSP_REVOKED:
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.ocsp.revoked", url, "%s", why);
        break;
    case BST_OCSP_UNKNOWN:
        bst_judge_say(judge, BST_STATUS_INFO, "signingCredential.ocsp.unknown", url, "%s", why);
        break;
    default:
        bst_judge_say(judge, BST_STATUS_INFO, "signingCredential.ocsp.skipped", url,
                      "the answer on revocation does not count: %s", why);
    }
}

void bst_judge_revocation(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s, bool stamped,
                          const char *url)
{
    struct bst_buf fetched = {0};
    const uint8_t *answer;
    size_t len, count;
    const char *why;
    enum bst_ocsp_state later;
    if (!bst_cose_listed(bst_cbor_get(cose->unprotected, "rVals"), "ocspVals", NULL, &count, &answer, &len)) {
        if (judge_later_answer(judge, cose, when_s, stamped, &later, &why)) {
            say_revocation(judge, later, why, url);
            return;
        }
        if (!fetch(judge, cose, when_s, &fetched, url)) return;
        answer = fetched.data;
        len = fetched.len;
    }
    if (cose->chain != NULL) {
        enum bst_ocsp_state state =
            bst_ocsp_judge(answer, len, cose->chain, judge->trust, when_s, stamped, &why);
        say_revocation(judge, state, why, url);
    }
    bst_buf_free(&fetched);
}
