/* c2pa_trust.c - is the certificate behind a claim signature fit for the purpose, was it valid, and does somebody
 * that the caller trusts vouch for it? Each question has its answer, whatever the others'. */
#include "c2pa.h"
#include "cert_profile.h"
#include "trust.h"

static bool vouched_for(const struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s,
                        const char **why)
{
    X509 *leaf = sk_X509_value(cose->chain, 0);
    *why = "no trusted roots were given";
    if (judge->trust == NULL) return false;
    if (!judge->identity && bst_trust_allows(judge->trust, leaf)) return true;
    *why = "its certificates do not stand in the order of who issued whom";
    if (!bst_trust_in_order(cose->chain)) return false;
    *why = bst_cert_untraceable(leaf, BST_ROLE_CLAIM, judge->trust);
    enum bst_trust_kind kind = judge->identity ? BST_TRUST_CAWG : BST_TRUST_MANIFEST;
    return *why == NULL && bst_trust_path(judge->trust, kind, leaf, cose->chain, when_s, why);
}

bool bst_judge_certificate(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s, bool stamped,
                           const char *url)
{
    const char *why;
    X509 *leaf = sk_X509_value(cose->chain, 0);
    bool inside = bst_cert_covers(leaf, when_s);
    const char *problem = bst_cert_problem(leaf, BST_ROLE_CLAIM, judge->trust);
    if (!inside) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.expired", url,
                      "the signer's certificate is not valid %s",
                      stamped ? "at the time of its time stamp"
                              : "today, and no trusted time says when it was used");
    } else if (problem != NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.invalid", url,
                      "the signer's certificate does not fit the C2PA profile: %s", problem);
    }
    if (vouched_for(judge, cose, when_s, &why)) {
        bst_judge_say(judge, BST_STATUS_SUCCESS, "signingCredential.trusted", url,
                      "the signer's certificate is trusted, or leads to a trusted root");
    } else {
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.untrusted", url,
                      "nobody trusted vouches for the signer's certificate: %s", why);
    }
    return inside;
}
