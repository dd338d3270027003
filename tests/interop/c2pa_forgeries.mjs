// c2pa_forgeries.mjs - attempts to have called intact, or trusted, what its signer never signed: files changed after they
// were signed, with a manifest prepared beforehand that should excuse it, and manifests that mean two things.
import {
  LABEL, box, cbor, childrenOf, created, hashBox, manifest, manifestsOf, pngChunk, recipe, sign, store, storeOf, superbox,
} from './c2pa_make.mjs';
import { GRAND, PARENT, actions, ed, fix, inAssertions, ingredient, note, opened, url } from './c2pa_cases.mjs';

const OTHER = 'urn:c2pa:77777777-8888-4999-aaaa-bbbbbbbbbbbb';
// Everything that can be found wrong with a manifest and with the link to it, as an ingredient assertion would record it.
function excuses(label, link = url(label)) {
  const at = (code, tail) => ({ code, url: url(label, tail) });
  return {
    activeManifest: {
      success: [],
      informational: [],
      failure: [
        { code: 'ingredient.manifest.mismatch', url: link }, { code: 'ingredient.claimSignature.mismatch', url: link },
        at('claimSignature.mismatch', '/c2pa.signature'), at('signingCredential.untrusted', '/c2pa.signature'),
        at('assertion.hashedURI.mismatch', '/c2pa.assertions/org.example.note'), at('assertion.missing', '/c2pa.assertions/org.example.note'),
        at('assertion.hashedURI.mismatch', '/c2pa.assertions/c2pa.hash.data'), at('assertion.hashedURI.mismatch', '/c2pa.assertions/c2pa.actions.v2'),
        at('assertion.undeclared', '/c2pa.assertions/c2pa.ingredient.v3'),
      ],
    },
  };
}
// A manifest with one assertion replaced, or taken out.
function edited(from, label, by, name = 'org.example.note') {
  const kids = childrenOf(from);
  const list = Object.entries(childrenOf(kids['c2pa.assertions'])).flatMap(([l, bytes]) => (l !== name ? [bytes] : by ? [by] : []));
  return superbox('c2ma', label, [superbox('c2as', 'c2pa.assertions', list), kids['c2pa.claim.v2'], kids['c2pa.signature']]);
}
const otherNote = superbox('cbor', 'org.example.note', [box('cbor', cbor({ words: 'forged' }))]);

export function forgeries(png, jpeg, certs) {
  const list = [];
  const signer = ed(certs), stranger = { alg: 'ed25519', ...certs.stranger };
  const t = (name, over, before, by = signer) => list.push({ name: `forgery: ${name}`, type: png.type, bytes: sign(png, recipe(over), by, before) });
  const made = (label, over = {}, by = signer, before = []) => manifestsOf(storeOf(png.type, sign(png, recipe({ label, ...over }), by, before))).at(-1);
  const noted = { assertions: [actions([created()]), note()] };
  const parent = made(PARENT, noted);
  const grand = made(GRAND, noted);
  const component = (m, label, over = {}) => ({ ...ingredient(m, label, { relationship: 'componentOf', ...over }), label: 'c2pa.ingredient.v3__1' });

  // ---- the parent is another one now ----
  t('another parent', { assertions: [ingredient(parent), opened()] }, [made(PARENT, noted, stranger)]);
  const selfish = made(PARENT, { assertions: [{ ...ingredient(grand, GRAND, { relationship: 'componentOf', validationResults: excuses(PARENT) }) }, actions([created()])] }, stranger, [grand]);
  t('another parent, which excuses itself', { assertions: [ingredient(parent), opened()] }, [grand, selfish]);
  const prepared = made(OTHER, { assertions: [ingredient(grand, GRAND, { relationship: 'componentOf', validationResults: excuses(PARENT) }), actions([created()])] }, stranger, [grand]);
  t('a parent altered since, excused by another ingredient', { assertions: [ingredient(parent), component(prepared, OTHER), opened()] }, [grand, prepared, edited(parent, PARENT, otherNote)]);
  t('a parent altered since, excused beforehand', { assertions: [ingredient(parent, PARENT, { validationResults: excuses(PARENT) }), opened()] }, [edited(parent, PARENT, otherNote)]);
  const unnamed = made(OTHER, { assertions: [ingredient(parent, PARENT, { validationResults: excuses(PARENT) }), opened()] }, stranger, [parent]);
  t('a parent altered since, excused by a manifest that nobody names', { assertions: [ingredient(parent), opened()] }, [unnamed, edited(parent, PARENT, otherNote)]);
  const middle = made(PARENT, { assertions: [ingredient(grand, GRAND), opened()] }, signer, [grand]);
  t('a grandparent altered since', { assertions: [ingredient(middle), opened()] }, [edited(grand, GRAND, otherNote), middle]);
  t('a grandparent altered since, excused beforehand', { assertions: [ingredient(middle, PARENT, { validationResults: excuses(GRAND) }), opened()] }, [edited(grand, GRAND, otherNote), middle]);
  t('the parent twice, the first altered', { assertions: [ingredient(parent), opened()] }, [edited(parent, PARENT, otherNote), parent]);
  t('the parent twice, the second altered', { assertions: [ingredient(parent), opened()] }, [parent, edited(parent, PARENT, otherNote)]);
  t('a link with an empty digest', { assertions: [ingredient(parent, PARENT, { activeManifest: { url: url(PARENT), alg: 'sha256', hash: Buffer.alloc(0) } }), opened()] }, [parent]);
  t('an action with another digest of its ingredient', {
    assertions: [ingredient(parent), { ...opened(), data: { actions: [{ action: 'c2pa.opened', parameters: { ingredients: [{ url: inAssertions('c2pa.ingredient.v3'), alg: 'sha256', hash: Buffer.alloc(32) }] } }] } }],
  }, [parent]);

  // ---- who may take something out of a manifest ----
  const cut = edited(parent, PARENT, null), cutGrand = edited(grand, GRAND, null);
  const target = [url(PARENT, '/c2pa.assertions/org.example.note')];
  const cutter = made(OTHER, { claim: { redacted_assertions: target } }, stranger);
  t('redacted by another ingredient', { assertions: [ingredient(parent), component(cutter, OTHER), opened()] }, [cutter, cut]);
  t('redacted by a manifest that nobody names', { assertions: [ingredient(parent), opened()] }, [cutter, cut]);
  const above = made(PARENT, { assertions: [component(cutter, OTHER), actions([created()]), note()] }, signer, [cutter]);
  t('redacted by its own ingredient', { assertions: [ingredient(above), opened()] }, [cutter, edited(above, PARENT, null)]);
  const cutsActive = made(PARENT, { claim: { redacted_assertions: [url(LABEL, '/c2pa.assertions/org.example.note')] } }, stranger);
  t('of the active manifest, by its ingredient', { assertions: [ingredient(cutsActive), opened(), note({ absent: true })] }, [cutsActive]);
  const cutsLater = opened([{ action: 'c2pa.redacted', reason: 'c2pa.PII.present', parameters: { redacted: url(GRAND, '/c2pa.assertions/org.example.note') } }]);
  t('redacted in the grandparent, rightly', { assertions: [ingredient(middle), cutsLater], claim: { redacted_assertions: [url(GRAND, '/c2pa.assertions/org.example.note')] } }, [cutGrand, middle]);
  const cutsHere = made(PARENT, { assertions: [ingredient(grand, GRAND), cutsLater], claim: { redacted_assertions: [url(GRAND, '/c2pa.assertions/org.example.note')] } }, signer, [cutGrand]);
  t('redacted by the parent, rightly', { assertions: [ingredient(cutsHere), opened()] }, [cutGrand, cutsHere]);
  t('redacted by the parent, and put back', { assertions: [ingredient(cutsHere), opened()] }, [grand, cutsHere]);
  t('redacted by the parent, and altered too', { assertions: [ingredient(cutsHere), opened()] }, [edited(cutGrand, GRAND, superbox('cbor', 'c2pa.actions.v2', [box('cbor', cbor({ actions: [{ action: 'c2pa.created', digitalSourceType: 'x' }] }))]), 'c2pa.actions.v2'), cutsHere]);
  t('a redaction of all that is there', { assertions: [ingredient(parent), opened()], claim: { redacted_assertions: [url(PARENT)] } }, [cut]);
  t('a redaction of the signature', { assertions: [ingredient(parent), opened()], claim: { redacted_assertions: [url(PARENT, '/c2pa.signature')] } }, [parent]);

  // ---- what is bound, and by whom ----
  const update = { box: 'c2um', binding: null };
  const otherBytes = { ...png, bytes: fix(png.type, Buffer.from(png.bytes.map((b, i) => (i === png.bytes.length - 20 ? b ^ 1 : b)))) };
  const binding = (c) => superbox('cbor', 'c2pa.hash.data', [box('cbor', cbor({ exclusions: [{ start: c.start, length: c.length }], alg: 'sha256', hash: c.hash, pad: Buffer.alloc(0) }))]);
  // an update of a parent whose binding was replaced, so that it fits another picture
  const rebound = (results) => {
    let bytes;
    let swapped = parent;
    for (let round = 0; round < 4; round++) {
      const context = {};
      bytes = sign(otherBytes, recipe({ ...update, assertions: [ingredient(swapped, PARENT, { validationResults: results }), opened([{ action: 'c2pa.edited.metadata' }])],
        editStore: (s) => { context.store = s; return s; } }), signer, [swapped]);
      const at = bytes.indexOf('caBX') - 4, length = bytes.readUInt32BE(at) + 12;
      const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      swapped = edited(parent, PARENT, binding({ start: at, length, hash: hashBox(Buffer.concat([Buffer.alloc(8), rest])) }), 'c2pa.hash.data');
    }
    return bytes;
  };
  list.push({ name: 'forgery: an update of a parent with another binding', type: png.type, bytes: rebound({ activeManifest: { success: [], informational: [], failure: [] } }) });
  list.push({ name: 'forgery: an update of a parent with another binding, as its results say', type: png.type, bytes: rebound(excuses(PARENT)) });
  t('an update that redacts the binding', {
    ...update, assertions: [ingredient(parent), opened([{ action: 'c2pa.redacted', parameters: { redacted: url(PARENT, '/c2pa.assertions/c2pa.hash.data') } }])],
    claim: { redacted_assertions: [url(PARENT, '/c2pa.assertions/c2pa.hash.data')] },
  }, [edited(parent, PARENT, null, 'c2pa.hash.data')]);
  const data = (c) => ({ exclusions: [{ start: c.start, length: c.length }], alg: 'sha256', hash: c.hash, pad: Buffer.alloc(0) });
  t('a wrong binding made, a right one gathered', {
    binding: null,
    assertions: [actions([created()]), { label: 'c2pa.hash.data', list: 'created', data: (c) => ({ ...data(c), hash: Buffer.alloc(32) }) }, { label: 'c2pa.hash.data__1', list: 'gathered', data }],
  });
  t('a right binding made, a wrong one gathered', {
    binding: null,
    assertions: [actions([created()]), { label: 'c2pa.hash.data', list: 'created', data }, { label: 'c2pa.hash.data__1', list: 'gathered', data: (c) => ({ ...data(c), hash: Buffer.alloc(32) }) }],
  });
  t('a binding of an unknown kind made, a right one gathered', {
    binding: null,
    assertions: [actions([created()]), { label: 'c2pa.hash.other', list: 'created', data: { x: 1 } }, { label: 'c2pa.hash.data', list: 'gathered', data }],
  });
  t('claim of version 1 with two bindings', {
    version: 1, label: 'acme:urn:uuid:0b1c4f2e-3d5a-4a6b-8c7d-9e0f1a2b3c4d', binding: null,
    assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.edited' }] } }, { label: 'c2pa.hash.data', data }, { label: 'c2pa.hash.boxes', data: { boxes: [] } }],
  });
  t('claim of version 1 under the name of version 2', { version: 1, claimLabel: 'c2pa.claim.v2', assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.edited' }] } }] });
  t('claim of version 2 with credentials of version 1', { claim: { 'dc:format': 'image/png' } });

  // ---- addresses that can be read in two ways ----
  for (const tail of ['org.example.note/c2pa.hash.data', 'c2pa.hash.data/org.example.note', '/org.example.note', 'org.example.note?x', 'org.example.note#x', 'org.example.note%00', '../c2pa.assertions/org.example.note'])
    t(`listed as c2pa.assertions/${tail}`, { assertions: [actions([created()]), note({ url: `self#jumbf=c2pa.assertions/${tail}` })] });
  t('a signature further down', { editClaim: (c) => ({ ...c, signature: url(LABEL, '/c2pa.assertions/c2pa.signature') }) });
  t('a digest of nothing', { assertions: [actions([created()]), note({ hash: () => Buffer.alloc(0) })] });

  // ---- what stands beside the manifest ----
  const whole = sign(png, recipe(), signer);
  const at = whole.indexOf('caBX') - 4, length = whole.readUInt32BE(at);
  const withChunk = (data) => Buffer.concat([whole.subarray(0, at), pngChunk('caBX', data), whole.subarray(at + 12 + length)]);
  const kept = whole.subarray(at + 8, at + 8 + length);
  list.push({ name: 'forgery: bytes behind the store in its chunk', type: png.type, bytes: withChunk(Buffer.concat([kept, Buffer.from('behind')])) });
  list.push({ name: 'forgery: a second store in the same chunk', type: png.type, bytes: withChunk(Buffer.concat([kept, store([made(LABEL, {}, stranger)])])) });
  const manifests = manifestsOf(storeOf(png.type, sign(png, recipe({ assertions: [ingredient(parent), opened()] }), signer, [parent])));
  list.push({ name: 'forgery: only the parent left', type: png.type, bytes: withChunk(store([manifests[0]])) });
  list.push({ name: "forgery: a stranger's manifest as the last", type: png.type, bytes: withChunk(store([...manifestsOf(kept), made(OTHER, {}, stranger)])) });
  const j = sign(jpeg, recipe(), signer);
  const segment = 2 + j.readUInt16BE(jpeg.at + 2);
  const more = Buffer.from('ffeb00164a50021100000002aaaaaaaa6a756d6268696464', 'hex');
  list.push({ name: 'forgery: jpeg, a segment more than the store is long', type: jpeg.type, bytes: Buffer.concat([j.subarray(0, jpeg.at + segment), more, j.subarray(jpeg.at + segment)]) });
  const after = Buffer.concat([j, j.subarray(2)]);
  list.push({ name: 'forgery: jpeg, a second picture behind the first', type: jpeg.type, bytes: after });

  // ---- time ----
  const overClaim = (p) => cbor(['CounterSignature', cbor(p.protected), Buffer.alloc(0), p.claim]);
  const overSignature = (p) => cbor(['CounterSignature', cbor(p.protected), Buffer.alloc(0), cbor(p.signature)]);
  const timed = (name, make) => t(name, { editCose: (p) => (p.finish = () => (p.unprotected = make(p))) });
  const older = (p, data) => ({ sigTst: { tstTokens: [{ val: certs.stamp('tsa', data ?? overClaim(p), { answer: true }) }] } });
  const newer = (p, data) => ({ sigTst2: { tstTokens: [{ val: certs.stamp('tsa', data ?? overSignature(p)) }] } });
  const other = Buffer.from('other');
  timed('a time stamp of each form, the older one first and good', (p) => ({ ...older(p), ...newer(p, other) }));
  timed('a time stamp of each form, the newer one first and good', (p) => ({ ...newer(p), ...older(p, other) }));
  return list;
}
