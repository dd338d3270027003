// c2pa_wanted.mjs - where our validator says on purpose something else than the reference implementation, with the
// paragraph (of C2PA 2.4 unless said otherwise): {name of the case: {difference: "THEIRS / OURS -CODE +CODE", why}}.
const INGREDIENT = 'self#jumbf=/c2pa/urn:c2pa:0b1c4f2e-3d5a-4a6b-8c7d-9e0f1a2b3c4d/c2pa.assertions/c2pa.ingredient.v3';
const bmff = (name) => [`avif: ${name}`, `heic: ${name}`];
const table = [
  [
    'an answer on revocation that cannot be used is as if it were not there (15.9), and then nobody was asked',
    'trusted / trusted +informational signingCredential.ocsp.skipped',
    ['cose png: revocation values that are none', 'cose jpeg: revocation values that are none'],
  ],
  [
    "the store's label is \"c2pa\" and no other (11.1.4)",
    'trusted / error -informational signingCredential.ocsp.skipped -success assertion.dataHash.match -success assertion.hashedURI.match -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted',
    ['png another label of the store', 'jpeg another label of the store', 'tiff another label of the store', 'avif another label of the store'],
  ],
  [
    'exclusions are in ascending order and do not overlap, or the assertion is malformed (15.12.1, 18.5)',
    'trusted / invalid -informational assertion.dataHash.additionalExclusionsPresent -success assertion.dataHash.match +failure assertion.dataHash.malformed',
    ['png', 'jpeg', 'tiff', 'avif'].flatMap((kind) => [`${kind} exclusions out of order`, `${kind} exclusions overlap`]),
  ],
  [
    'the padding of a binding is bytes (18.5); an array, which some write, is let pass, a text is not',
    'trusted / invalid -success assertion.dataHash.match +failure assertion.dataHash.malformed',
    ['png', 'jpeg', 'tiff', 'avif'].map((kind) => `${kind} binding with a text as pad`),
  ],
  [
    'a part of the file that no entry names is bound by nobody (15.12.3, 18.7)',
    'trusted / invalid -success assertion.boxesHash.match +failure assertion.boxesHash.mismatch',
    ['png boxes: last missing', 'jpeg boxes: last missing'],
  ],
  [
    'a map with the same key twice is not valid (10.2; RFC 8949, 5.6): which of them was signed depends on the reader',
    'trusted / invalid -informational signingCredential.ocsp.skipped -success assertion.dataHash.match -success assertion.hashedURI.match -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted +failure claim.cbor.invalid',
    ['claim: the same key twice'],
  ],
  [
    'assertion.json.invalid and assertion.cbor.invalid say it (15.10.3.1); nothing else is missing',
    'invalid / invalid -failure assertion.required.missing',
    ['assertion: JSON that is none', 'assertion: CBOR cut short'],
  ],
  [
    'assertion.outsideManifest says it (15.10.3.1); no claim is missing',
    'invalid / invalid -failure claim.missing',
    ['assertion: address in another manifest'],
  ],
  [
    'the digest is by the algorithm that the link names, and that one is unknown (8.4.2, 13.1)',
    `trusted / invalid -${INGREDIENT} success ingredient.manifest.validated +${INGREDIENT} failure ingredient.manifest.mismatch`,
    ['ingredient: parent by an unknown digest algorithm'],
  ],
  [
    "claimSignature.outsideValidity when no trusted time places the signature inside the certificate's validity (15.7, 15.8)",
    `invalid / invalid -${INGREDIENT} success claimSignature.insideValidity +${INGREDIENT} failure claimSignature.outsideValidity`,
    ['ingredient: by an expired certificate'],
  ],
  [
    'a standard manifest has a binding of its own (15.10.1.2); that of its parent does not replace it',
    'invalid / invalid -failure assertion.dataHash.mismatch +failure claim.hardBindings.missing',
    ['ingredient: bound instead of the picture'],
  ],
  [
    'an update has no binding of its own (11.2.3, 15.11.3.1)',
    'trusted / invalid +failure manifest.update.invalid',
    ['update: with binding', 'jpeg update: with binding'],
  ],
  [
    'redacted_assertions is an array (10.2)',
    'invalid / invalid +failure claim.malformed',
    ['redaction: no array', 'jpeg redaction: no array'],
  ],
  [
    'such a certificate is in no valid path (RFC 5280, 4.2 and 6.1), so nobody vouches for it either',
    'invalid / invalid -success signingCredential.trusted +failure signingCredential.untrusted',
    ['certificate: signs-certificates', 'certificate: no-issuer', 'certificate: critical', 'certificate: not-critical-authority'],
  ],
  [
    "claimSignature.outsideValidity when no trusted time places the signature inside the certificate's validity (15.7, 15.8)",
    'invalid / invalid -success claimSignature.insideValidity +failure claimSignature.outsideValidity',
    ['certificate: expired', 'certificate: future', 'time stamp: of a signer whose certificate expired'],
  ],
  [
    'CAWG identity assertion 7.1: cawg.identity.cbor.invalid; the manifest itself is not touched by it',
    'invalid / valid -failure assertion.required.missing +failure cawg.identity.cbor.invalid',
    ['identity: no payload', 'identity: no signature'],
  ],
  [
    'a chunk whose checksum does not fit makes the file unreadable (PNG, 5.3)',
    'trusted / error -informational signingCredential.ocsp.skipped -success assertion.dataHash.match -success assertion.hashedURI.match -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted',
    ['file: png, checksum of the store'],
  ],
  [
    'the segments of the store follow one another in order (A.3.1); a store in disorder is not the same as none',
    'none / error',
    ['file: jpeg, segments out of order'],
  ],
  [
    'the segments of the store are contiguous (A.3.1)',
    'invalid / error -failure assertion.dataHash.mismatch -informational signingCredential.ocsp.skipped -success assertion.hashedURI.match -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted',
    ['file: jpeg, a comment between segments'],
  ],
  [
    'a list of time stamps without one is malformed, and said to be (15.8)',
    'trusted / trusted +informational timeStamp.malformed',
    ['time stamp: none in the list'],
  ],
  [
    'bytes behind the last part are bound by nobody, and that is said (15.12.3)',
    'trusted / trusted +informational assertion.boxesHash.additionalExclusionsPresent',
    ['png boxes: bytes behind the end', 'jpeg boxes: bytes behind the end'],
  ],
  [
    'what an ingredient assertion says is compared with what is found about its own ingredient and those below (15.11.3); a manifest that is not the one linked excuses nothing',
    `trusted / invalid +${INGREDIENT} failure ingredient.manifest.mismatch +${INGREDIENT} failure signingCredential.untrusted`,
    ['forgery: another parent, which excuses itself'],
  ],
  [
    'what an ingredient assertion says is compared with what is found about its own ingredient and those below (15.11.3), not about its siblings',
    `valid / invalid +${INGREDIENT} failure assertion.hashedURI.mismatch +${INGREDIENT} failure ingredient.manifest.mismatch`,
    ['forgery: a parent altered since, excused by another ingredient'],
  ],
  [
    'the link was made over the manifest as it was (15.11.3); whoever made it cannot say beforehand that it will not hold',
    `trusted / invalid +${INGREDIENT} failure ingredient.manifest.mismatch`,
    ['forgery: a parent altered since, excused beforehand'],
  ],
  [
    'a claim redacts assertions of its ingredients and of theirs, of no other manifest (6.8, 15.11.3.3.1)',
    `valid / invalid -${INGREDIENT} informational ingredient.claimSignature.validated +${INGREDIENT} failure assertion.missing +${INGREDIENT} failure ingredient.manifest.mismatch`,
    ['forgery: redacted by another ingredient', 'forgery: redacted by its own ingredient'],
  ],
  [
    'a claim redacts assertions of its ingredients and of theirs, of no other manifest (6.8, 15.11.3.3.1)',
    'valid / invalid +failure assertion.missing',
    ['forgery: of the active manifest, by its ingredient'],
  ],
  [
    'an update is of what its parent is bound to (11.2.3): the binding must be the one that the parent\'s signer made (15.12)',
    'invalid / invalid +failure assertion.hashedURI.mismatch',
    ['forgery: an update of a parent with another binding'],
  ],
  [
    'an update is of what its parent is bound to (11.2.3): the binding must be the one that the parent\'s signer made (15.12)',
    'trusted / invalid +failure assertion.hashedURI.mismatch',
    ['forgery: an update of a parent with another binding, as its results say'],
  ],
  [
    'with two bindings the manifest is refused (15.10.1.2); only the first is compared, for each costs a digest of the file',
    'invalid / invalid -failure assertion.boxesHash.mismatch',
    ['forgery: claim of version 1 with two bindings'],
  ],
  [
    'the address of an assertion is that of its store and its label, nothing before or behind it (8.3, 8.4.1)',
    'trusted / invalid +failure assertion.hashedURI.mismatch',
    ['forgery: listed as c2pa.assertions/c2pa.hash.data/org.example.note'],
  ],
  [
    'the address of an assertion is that of its store and its label, nothing before or behind it (8.3, 8.4.1)',
    'trusted / invalid +failure assertion.missing',
    ['forgery: listed as c2pa.assertions//org.example.note', 'forgery: listed as c2pa.assertions/../c2pa.assertions/org.example.note'],
  ],
  [
    'the chunk or the segments hold one manifest store and nothing else (A.3)',
    'invalid / error -failure assertion.dataHash.mismatch -informational signingCredential.ocsp.skipped -success assertion.hashedURI.match -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted',
    ['forgery: bytes behind the store in its chunk', 'forgery: a second store in the same chunk', 'forgery: jpeg, a segment more than the store is long'],
  ],
  [
    'the entries of a CBOR map have no order (RFC 8949, 3.1): the newer form of a time stamp counts, wherever it stands',
    'trusted / trusted -success timeStamp.trusted -success timeStamp.validated +informational timeStamp.mismatch',
    ['forgery: a time stamp of each form, the older one first and good'],
  ],
  [
    'who does not know a field that the header calls critical must refuse the signature (RFC 9052, 3.1)',
    'trusted / invalid -informational signingCredential.ocsp.skipped -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted +failure claimSignature.mismatch',
    ['cose png: a critical field that is unknown', 'cose jpeg: a critical field that is unknown'],
  ],
  [
    'purposes of time stamp authorities and responders are not those of signers (14.5.1.1)',
    'trusted / invalid -success signingCredential.trusted +failure signingCredential.invalid +failure signingCredential.untrusted',
    ['certificate: stamping', 'certificate: revoking'],
  ],
  [
    'an authority may be confined to names (RFC 5280, 4.2.1.10 and 6.1.4)',
    'trusted / valid -success signingCredential.trusted +failure signingCredential.untrusted',
    ['certificate: below others-names'],
  ],
  [
    'exclusions do not overlap, or the assertion is malformed (15.12.1, 18.5)',
    'invalid / invalid -failure assertion.dataHash.mismatch -informational assertion.dataHash.additionalExclusionsPresent +failure assertion.dataHash.malformed',
    ['tiff exclusion past the end'],
  ],
  [
    "one exclusion is the manifest's place, or other bytes beside it are bound by nobody (15.12.1)",
    'trusted / invalid +failure assertion.dataHash.mismatch',
    ['tiff: in the first page of two, exclusion too wide', 'avif exclusion too wide', ...bmff('binding by places in the file, all of it')],
  ],
  [
    'a binding to boxes holds a digest, a tree, or both (18.6)',
    'trusted / invalid -success assertion.bmffHash.match +failure assertion.bmffHash.malformed',
    bmff('binding without digest'),
  ],
  [
    'of two bindings neither can be believed (15.10.1.2); only the first is compared, for each costs a digest of the file',
    'invalid / invalid -success assertion.dataHash.match',
    bmff('two bindings'),
  ],
  [
    'a box is as long as its header at least (ISO/IEC 14496-12, 4.2)',
    'invalid / error -failure assertion.bmffHash.mismatch -informational signingCredential.ocsp.skipped -success assertion.hashedURI.match -success claimSignature.insideValidity -success claimSignature.validated -success signingCredential.trusted',
    bmff('a box too short'),
  ],
  [
    "claimSignature.outsideValidity when no trusted time places the signature inside the certificate's validity (15.7, 15.8)",
    `invalid / invalid -${INGREDIENT} success claimSignature.insideValidity +${INGREDIENT} failure claimSignature.outsideValidity`,
    ["later: a time stamp of an expired signer's", "later: no time stamp of an expired signer's"],
  ],
  [
    'an answer on revocation is bound to the certificate by its issuer, who may be at hand as an anchor (15.9; RFC 6960, 4.1.1)',
    `trusted / trusted -informational signingCredential.ocsp.skipped -${INGREDIENT} informational signingCredential.ocsp.skipped +${INGREDIENT} success signingCredential.ocsp.notRevoked +success signingCredential.ocsp.notRevoked`,
    ['later: an answer: not revoked', 'later: an answer that is none, and one', 'later: an answer and a time stamp'],
  ],
  [
    'an answer on revocation is bound to the certificate by its issuer, who may be at hand as an anchor (15.9; RFC 6960, 4.1.1)',
    `trusted / invalid -informational signingCredential.ocsp.skipped -${INGREDIENT} informational signingCredential.ocsp.skipped +failure signingCredential.ocsp.revoked +${INGREDIENT} failure signingCredential.ocsp.revoked`,
    ['later: an answer: revoked'],
  ],
];
export const wanted = Object.fromEntries(table.flatMap(([why, difference, names]) => names.map((name) => [name, { why, difference }])));

// The documents of these differ: {form, why, names}.
export const documented = [
  {
    form: 'c2patool',
    why: 'the label of actions is the one in the store, not always c2pa.actions.v2; credentials of version 1 are left out',
    names: ['version 1', 'version 1 with generator info', 'version 1 with junk as label', 'version 1 with empty actions', 'version 1 with ingredient', 'version 1 with credentials', 'actions: of version 1', 'ingredient: of claim version 1', 'time stamp: of version 1', 'time stamp: of version 1, of a stranger', 'time stamp: of version 1, over something else', 'forgery: claim of version 1 under the name of version 2', 'later: a time stamp of version 1', 'later: a time stamp of version 1 by a stranger'],
  },
  {
    form: 'c2patool',
    why: 'an array of small numbers is an array, not bytes in base64',
    names: ['assertion: CBOR of indefinite length', ...bmff('tree: blocks of several lengths')],
  },
  {
    form: 'crjson',
    why: 'bytes are base64 wherever they stand, not an array of numbers here and there',
    names: ['identity: by the same signer', 'identity: with a role', 'identity: an extra field', 'identity: of an ingredient', ...['png', 'jpeg', 'tiff', 'avif'].map((kind) => `${kind} binding with an array as pad`)],
  },
  {
    form: 'c2patool',
    why: 'an empty padding is bytes, not an empty array',
    names: ['assertion: soft binding', 'assertion: soft binding of an unknown algorithm', 'actions: watermark with soft binding'],
  },
  {
    form: 'crjson',
    why: "an icon's digest has a padding like any other",
    names: ['actions: icon'],
  },
  {
    form: 'crjson',
    why: 'findings by an ingredient are those about the manifest that judged it',
    names: ['ingredient: the same manifest twice', 'forgery: the parent twice, the first altered'],
  },
  {
    form: 'c2patool',
    why: "that an identity's certificate was not revoked is not said when nobody asked (CAWG identity 1.2, 8.2)",
    names: ['identity: by the same signer', 'identity: with a role', 'identity: an extra field', 'identity: of an ingredient'],
  },
  {
    form: 'crjson',
    why: 'an answer on revocation is one finding, not a second one without an address',
    names: ['later: an answer with its issuer: not revoked'],
  },
  {
    form: 'c2patool',
    why: 'an answer on revocation is one finding, not a second one without an address',
    names: ['later: an answer with its issuer: not revoked'],
  },
];

// Of pictures that ship with the reference (c2pa_others.mjs): {name: difference}.
// Identities that an aggregator vouches for (CAWG identity 1.2, 8.1) are not checked: of nobody is said that he is behind the
// picture, and the manifest itself is not touched by it.
const ica = (code, names, rest = ' +informational cawg.ica.untrusted_issuer') => names.map((name) => [name, `invalid / valid -failure cawg.ica.${code}${rest}`]);
export const othersWanted = Object.fromEntries([
  ...ica('did_unavailable', ['unresolvable_did', 'did_doc_without_assertion_method']),
  // Their certificates expired, and nobody trusted says when they were used (15.7, 15.8): a stamp by anybody, which the
  // reference takes of version 1, would let whoever holds an expired key choose the date.
  ...['adobe_connected_identities', 'ims_multiple_manifests'].map((name) => [
    name,
    'invalid / invalid -failure cawg.ica.did_unavailable -success claimSignature.insideValidity -success timeStamp.trusted +failure claimSignature.outsideValidity +failure signingCredential.expired +informational cawg.ica.untrusted_issuer +informational signingCredential.ocsp.skipped +informational timeStamp.untrusted',
  ]),
  ...ica('invalid_content_type', ['invalid_content_type', 'invalid_content_type_assigned', 'missing_content_type'], ''),
  ...ica('invalid_cose_sign1', ['invalid_cose_sign1']),
  ...ica('invalid_alg', ['invalid_cose_sign_alg', 'missing_cose_sign_alg']),
  ...ica('invalid_issuer', ['invalid_issuer_did', 'unsupported_did_method']),
  ...ica('invalid_verifiable_credential', ['invalid_vc', 'missing_vc']),
  ...ica('signature_mismatch', ['signature_mismatch']),
  ...ica('signer_payload.mismatch', ['signer_payload_mismatch'], ''),
  ...ica('time_stamp.invalid', ['invalid_time_stamp'], ''),
  ...ica('valid_from.invalid', ['valid_from_in_future'], ''),
  ...ica('valid_from.invalid', ['valid_from_after_time_stamp'], ' -success cawg.ica.time_stamp.validated'),
  ...ica('valid_from.missing', ['valid_from_missing'], ''),
  ...ica('valid_until.invalid', ['valid_until_in_past'], ''),
  ['valid_time_stamp', 'valid / valid -success cawg.ica.time_stamp.validated'],
  // CAWG identity 1.2, 7.1: cawg.identity.cbor.invalid; the manifest itself is not touched by it
  ['malformed_cbor', 'invalid / valid -failure assertion.required.missing +failure cawg.identity.cbor.invalid'],
]);
