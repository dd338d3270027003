// c2pa_cases.mjs - files that are right, or wrong in one way: [{name, type, bytes}]. Each rule of the specification that
// a validator of pictures must know has some that break it, properly signed, so that nothing but the rule is wrong.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import {
  FILE_UUID, Indefinite, LABEL, REDACTED_UUID, Raw, SOURCE, Tag, algorithms, app11, box, cbor, childrenOf, cose, created, hashBox,
  manifest, manifestsOf, pngChunk, recipe, sign, store, storeOf, superbox, uuidOf,
} from './c2pa_make.mjs';

export const PARENT = 'urn:c2pa:11111111-2222-4333-8444-555555555555';
export const GRAND = 'urn:c2pa:66666666-7777-4888-9999-aaaaaaaaaaaa';
export const url = (label, tail = '') => `self#jumbf=/c2pa/${label}${tail}`;
export const inAssertions = (label) => `self#jumbf=c2pa.assertions/${label}`;
export const actions = (list, more = {}) => ({ label: 'c2pa.actions.v2', data: { actions: list, allActionsIncluded: true, ...more }, list: 'created' });
export const note = (over = {}) => ({ label: 'org.example.note', data: { words: 'hello' }, list: 'created', ...over });
const noResults = { activeManifest: { success: [], informational: [], failure: [] } };

// What a claim generator writes when it found nothing wrong with the ingredient.
function goodResults(label) {
  const at = (code, tail) => ({ code, url: url(label, tail) });
  return {
    activeManifest: {
      success: [
        at('signingCredential.trusted', '/c2pa.signature'), at('claimSignature.insideValidity', '/c2pa.signature'),
        at('claimSignature.validated', '/c2pa.signature'), at('assertion.hashedURI.match', '/c2pa.assertions/c2pa.actions.v2'),
        at('assertion.hashedURI.match', '/c2pa.assertions/c2pa.hash.data'), at('assertion.dataHash.match', '/c2pa.assertions/c2pa.hash.data'),
      ],
      informational: [at('signingCredential.ocsp.skipped', '/c2pa.signature')],
      failure: [],
    },
  };
}
export function ingredient(parent, label = PARENT, over = {}) {
  const signature = childrenOf(parent)['c2pa.signature'];
  return {
    label: 'c2pa.ingredient.v3',
    list: 'created',
    data: {
      relationship: 'parentOf', 'dc:title': 'parent', 'dc:format': 'image/png',
      activeManifest: { url: url(label), alg: 'sha256', hash: hashBox(parent) },
      claimSignature: { url: url(label, '/c2pa.signature'), alg: 'sha256', hash: hashBox(signature) },
      validationResults: noResults,
      ...over,
    },
  };
}
// Actions that open the first ingredient listed before them.
export const opened = (more = [], over = {}) => ({
  label: 'c2pa.actions.v2',
  list: 'created',
  data: (c) => ({
    actions: [
      { action: 'c2pa.opened', parameters: { ingredients: [c.refs.get([...c.refs.keys()].find((k) => k.startsWith('c2pa.ingredient')))] }, ...over },
      ...more,
    ],
    allActionsIncluded: true,
  }),
});
export const ed = (c) => ({ alg: 'ed25519', ...c.ed25519 });

export function containers(add, target, signer) {
  const kind = target.type.slice(6);
  const t = (name, over, before) => add(`${kind} ${name}`, target.type, sign(target, recipe(over), signer, before));
  t('smallest', {});
  t('sha512', { alg: 'sha512' });
  t('sha384', { alg: 'sha384' });
  t('note and thumbnail', { assertions: [...recipe().assertions, note(), { label: 'c2pa.thumbnail.claim', file: target.bytes, type: target.type }] });
  t('salted', { assertions: [actions([created()]), note({ salt: Buffer.alloc(16, 7) })] });
  t('bytes behind the end', { editFile: (f) => Buffer.concat([f, Buffer.from('behind')]) });
  t('last byte of the picture', { editFile: (f) => ((f[f.length - 20] ^= 1), fix(target.type, f)) });
  t('no manifest', { wrap: () => Buffer.alloc(0), binding: null });
  t('half a manifest', { editStore: (b) => b.subarray(0, b.length >> 1) });
  t('empty store', { editStore: () => superbox('c2pa', 'c2pa', []) });
  t('another label of the store', { editStore: (b) => Buffer.concat([b.subarray(0, 33), Buffer.from('c2pb'), b.subarray(37)]) });
  const place = target.at;
  t('exclusion too wide', { exclude: (c) => [{ start: c.start, length: c.length + 4 }], editBinding: (b) => ({ ...b, exclusions: [{ start: b.exclusions[0].start, length: b.exclusions[0].length + 4 }] }) });
  t('exclusion too short', { editBinding: (b) => ({ ...b, exclusions: [{ start: b.exclusions[0].start, length: Math.max(0, b.exclusions[0].length - 4) }] }) });
  t('exclusion shifted', { editBinding: (b) => ({ ...b, exclusions: [{ start: place - 1, length: b.exclusions[0].length }] }) });
  t('exclusion of nothing', { exclude: () => [], editBinding: (b) => ({ ...b, exclusions: [{ start: place, length: 0 }] }) });
  t('no exclusions', { editBinding: (b) => ({ ...b, exclusions: undefined }) });
  t('exclusions no array', { editBinding: (b) => ({ ...b, exclusions: 'all' }) });
  t('exclusion past the end', { editBinding: (b) => ({ ...b, exclusions: [...b.exclusions, { start: target.bytes.length + b.exclusions[0].length - 2, length: 100 }] }) });
  t('exclusions out of order', {
    exclude: (c) => [{ start: 9, length: 2 }, { start: c.start, length: c.length }],
    editBinding: (b) => ({ ...b, exclusions: [...b.exclusions, { start: 9, length: 2 }] }),
  });
  t('exclusions overlap', { editBinding: (b) => ({ ...b, exclusions: [...b.exclusions, { start: place + 2, length: 8 }] }) });
  t('another part excluded', {
    exclude: (c) => [{ start: 9, length: 2 }, { start: c.start, length: c.length }],
    editBinding: (b) => ({ ...b, exclusions: [{ start: 9, length: 2 }, ...b.exclusions] }),
  });
  t('wrong digest of the file', { editBinding: (b) => ({ ...b, hash: Buffer.alloc(32, 1) }) });
  t('digest of the file too short', { editBinding: (b) => ({ ...b, hash: b.hash.subarray(0, 16) }) });
  t('digest of the file by the claim\'s algorithm', { editBinding: (b) => ({ ...b, alg: undefined }) });
  t('digest of the file by an unknown algorithm', { editBinding: (b) => ({ ...b, alg: 'sha1' }) });
  t('binding without pad', { editBinding: (b) => ({ ...b, pad: undefined }) });
  t('binding with an array as pad', { editBinding: (b) => ({ ...b, pad: [0, 0] }) });
  t('binding with a text as pad', { editBinding: (b) => ({ ...b, pad: 'none' }) });
  t('binding without digest', { editBinding: (b) => ({ ...b, hash: undefined }) });
  t('binding with pad2 and name', { editBinding: (b) => ({ ...b, pad2: Buffer.alloc(4), name: 'jumbf manifest' }) });
  t('binding to a remote file', { editBinding: (b) => ({ ...b, url: new Tag(32, 'https://example.org/x') }) });
  t('binding only gathered', { bindingAssertion: { list: 'gathered' } });
  t('no binding', { binding: null });
  t('two bindings', { assertions: [actions([created()]), { label: 'c2pa.hash.data__1', data: (c) => ({ exclusions: [{ start: c.start, length: c.length }], alg: 'sha256', hash: c.hash, pad: Buffer.alloc(0) }), list: 'created' }] });
  if (kind === 'png' || kind === 'jpeg') boxHashes(t, target);
}

export function fix(type, file) {
  if (type !== 'image/png') return file;
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    if (at + 12 + length > file.length) break;
    pngChunk(file.toString('latin1', at + 4, at + 8), file.subarray(at + 8, at + 8 + length)).copy(file, at);
    at += 12 + length;
  }
  return file;
}

// ---- c2pa.hash.boxes ----

function parts(target) {
  const { type, bytes } = target;
  const list = [];
  if (type === 'image/png') {
    list.push(['PNGh', 0, 8]);
    for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) list.push([bytes.toString('latin1', at + 4, at + 8), at, 12 + bytes.readUInt32BE(at)]);
  } else {
    const names = { 0xc0: 'SOF0', 0xc2: 'SOF2', 0xc4: 'DHT', 0xdb: 'DQT', 0xdd: 'DRI', 0xfe: 'COM' };
    list.push(['SOI', 0, 2]);
    let at = 2;
    while (bytes[at + 1] !== 0xda) {
      const m = bytes[at + 1], length = 2 + bytes.readUInt16BE(at + 2);
      list.push([m >= 0xe0 && m <= 0xef ? `APP${m - 0xe0}` : names[m], at, length]);
      at += length;
    }
    list.push(['SOS', at, bytes.length - 2 - at], ['EOI', bytes.length - 2, 2]);
  }
  const where = list.findIndex(([, at]) => at >= target.at);
  list.splice(where, 0, ['C2PA', target.at, 0]);
  return list;
}
function boxHashes(t, target) {
  const list = parts(target);
  const one = ([name, at, length]) => ({
    names: [name],
    alg: 'sha256',
    hash: name === 'C2PA' ? Buffer.alloc(1) : crypto.createHash('sha256').update(target.bytes.subarray(at, at + length)).digest(),
    pad: Buffer.alloc(0),
  });
  const with_ = (name, boxes, over = {}) =>
    t(`boxes: ${name}`, { binding: null, assertions: [actions([created()]), { label: 'c2pa.hash.boxes', data: { boxes }, list: 'created' }], ...over });
  const all = () => list.map(one);
  const c2pa = list.findIndex(([name]) => name === 'C2PA');
  with_('one by one', all());
  const joined = list.slice(c2pa + 1);
  const tail = {
    names: joined.map(([name]) => name), alg: 'sha256', pad: Buffer.alloc(0),
    hash: crypto.createHash('sha256').update(target.bytes.subarray(target.at)).digest(),
  };
  with_('joined behind the manifest', [...list.slice(0, c2pa + 1).map(one), tail]);
  with_('by the claim\'s algorithm', all().map((b) => ({ ...b, alg: undefined })));
  with_('wrong digest', all().map((b, i) => (i === list.length - 1 ? { ...b, hash: Buffer.alloc(32) } : b)));
  with_('one missing', all().filter((_, i) => i !== c2pa + 1));
  with_('last missing', all().slice(0, -1));
  with_('one more', [...all(), { names: ['zzzz'], alg: 'sha256', hash: Buffer.alloc(32), pad: Buffer.alloc(0) }]);
  with_('manifest not alone', [...list.slice(0, c2pa).map(one), { ...tail, names: ['C2PA', ...tail.names] }]);
  with_('one left out', all().map((b, i) => (i === c2pa + 1 ? { ...b, excluded: true } : b)));
  with_('none', []);
  with_('no names', all().map((b, i) => (i === 0 ? { ...b, names: [] } : b)));
  with_('empty exclusions', all().map((b, i) => (i === 0 ? { ...b, exclusions: [] } : b)));
  with_('exclusion in picture data', all().map((b, i) => (i === list.length - 2 ? { ...b, exclusions: [{ start: 0, length: 2 }] } : b)));
  with_('bytes behind the end', all(), { editFile: (f) => Buffer.concat([f, Buffer.from('behind')]) });
  with_('altered picture', all(), { editFile: (f) => ((f[f.length - 20] ^= 1), fix(target.type, f)) });
}

// ---- claim ----

function claims(t) {
  const edit = (name, fn) => t(`claim: ${name}`, { editClaim: fn });
  const without = (key) => (c) => ({ ...c, [key]: undefined });
  for (const key of ['instanceID', 'claim_generator_info', 'signature', 'created_assertions', 'alg']) edit(`no ${key}`, without(key));
  edit('unknown key', (c) => ({ ...c, 'org.example.more': 1 }));
  edit('keys of version 1', (c) => ({ ...c, 'dc:format': 'image/png', claim_generator: 'x' }));
  edit('title', (c) => ({ ...c, 'dc:title': 'A title' }));
  edit('generator info an array', (c) => ({ ...c, claim_generator_info: [c.claim_generator_info] }));
  edit('generator without name', (c) => ({ ...c, claim_generator_info: { version: '1' } }));
  edit('generator with empty name', (c) => ({ ...c, claim_generator_info: { name: '' } }));
  edit('generator with icon that is not there', (c) => ({ ...c, claim_generator_info: { name: 'x', icon: { url: inAssertions('c2pa.icon'), alg: 'sha256', hash: Buffer.alloc(32) } } }));
  edit('relative signature', (c) => ({ ...c, signature: 'self#jumbf=c2pa.signature' }));
  edit('signature of another name', (c) => ({ ...c, signature: url(LABEL, '/c2pa.signaturf') }));
  edit('signature of another manifest', (c) => ({ ...c, signature: url(PARENT, '/c2pa.signature') }));
  edit('unknown digest algorithm', (c) => ({ ...c, alg: 'sha1' }));
  edit('assertions no array', (c) => ({ ...c, created_assertions: 'none' }));
  edit('both lists of assertions', (c) => ({ ...c, assertions: c.created_assertions }));
  edit('empty redactions', (c) => ({ ...c, redacted_assertions: [] }));
  edit('trailing bytes', (c) => Buffer.concat([cbor(c), Buffer.from([0])]));
  edit('cut short', (c) => cbor(c).subarray(0, -3));
  edit('no map', () => cbor([1, 2, 3]));
  edit('indefinite lengths', (c) => cbor(new Indefinite({ ...c, gathered_assertions: [] , gathered_assertions: undefined, created_assertions: new Indefinite(c.created_assertions) })));
  edit('the same key twice', (c) => {
    const bytes = cbor(c);
    return Buffer.concat([Buffer.from([bytes[0] + 1]), bytes.subarray(1), cbor('alg'), cbor('sha256')]);
  });
  t('claim: label of version 3', { claimLabel: 'c2pa.claim.v3' });
  t('claim: label of version 1', { claimLabel: 'c2pa.claim' });
  for (const label of ['junk', 'urn:c2pa:abc', 'urn:c2pa:', 'urn:uuid:0b1c4f2e-3d5a-4a6b-8c7d-9e0f1a2b3c4d', `${LABEL}:vendor`, `${LABEL}:a vendor`, `${LABEL}:vendor:1_2`, `${LABEL}:vendor:x_2`, `${LABEL}:v:1:2`, `${LABEL}:${'v'.repeat(33)}`, 'acme:urn:uuid:0b1c', 'urn:other:0b1c']) {
    t(`claim: manifest label ${label}`, { label });
  }
}

function versionOne(t) {
  const v1 = { version: 1, label: 'acme:urn:uuid:0b1c4f2e-3d5a-4a6b-8c7d-9e0f1a2b3c4d', assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.edited' }] } }] };
  t('version 1', v1);
  t('version 1 with generator info', { ...v1, claim: { claim_generator_info: [{ name: 'test', version: '2' }] } });
  t('version 1 with an unknown key', { ...v1, claim: { more: 1 } });
  t('version 1 without format', { ...v1, claim: { 'dc:format': undefined } });
  t('version 1 without generator', { ...v1, claim: { claim_generator: undefined } });
  t('version 1 without actions', { ...v1, assertions: [] });
  t('version 1 with two actions', { ...v1, assertions: [...v1.assertions, { label: 'c2pa.actions__1', data: { actions: [{ action: 'c2pa.edited' }] } }] });
  t('version 1 with junk as label', { ...v1, label: 'junk' });
  t('version 1 with empty actions', { ...v1, assertions: [{ label: 'c2pa.actions', data: { actions: [] } }] });
  t('version 1 with wrong digest', { ...v1, assertions: [{ ...v1.assertions[0], hash: () => Buffer.alloc(32) }] });
  t('version 1 with ingredient', { ...v1, assertions: [...v1.assertions, { label: 'c2pa.ingredient', data: { 'dc:title': 'x', 'dc:format': 'image/png', instanceID: 'xmp.iid:2', relationship: 'componentOf' } }] });
  t('version 1 with credentials', { ...v1, editBoxes: (b) => [...b, superbox('c2vc', 'c2pa.credentials', [superbox('json', 'did:x', [box('json', Buffer.from('{"credentialSubject":{"id":"did:x"}}'))])])] });
}

// ---- boxes ----

function boxes(t) {
  const b = (name, fn, over = {}) => t(`box: ${name}`, { editBoxes: fn, ...over });
  b('claim before assertions', ([a, c, s]) => [c, a, s]);
  b('signature first', ([a, c, s]) => [s, a, c]);
  b('no claim', ([a, , s]) => [a, s]);
  b('no signature', ([a, c]) => [a, c]);
  b('no assertions', ([, c, s]) => [c, s]);
  b('two claims', ([a, c, s]) => [a, c, c, s]);
  b('two signatures', ([a, c, s]) => [a, c, s, s]);
  b('two assertion stores', ([a, c, s]) => [a, a, c, s]);
  b('an unknown box in the manifest', ([a, c, s]) => [a, c, s, superbox('cbor', 'org.example', [box('cbor', cbor({}))])]);
  b('data boxes', ([a, c, s]) => [a, c, s, superbox('c2db', 'c2pa.databoxes', [superbox('cbor', 'c2pa.data', [box('cbor', cbor({ 'dc:format': 'text/plain', data: Buffer.from('x') }))])])]);
  b('credentials in version 2', ([a, c, s]) => [a, c, s, superbox('c2vc', 'c2pa.credentials', [superbox('json', 'did:x', [box('json', Buffer.from('{"id":"did:x"}'))])])]);
  b('two contents in the claim', ([a, , s], claim) => [a, superbox('c2cl', 'c2pa.claim.v2', [box('cbor', claim), box('cbor', claim)]), s]);
  b('a claim in JSON', ([a, , s]) => [a, superbox('c2cl', 'c2pa.claim.v2', [box('json', Buffer.from('{}'))]), s]);
  b('a signature of another type', ([a, c, s]) => [a, c, Buffer.concat([s.subarray(0, 16), uuidOf('cbor'), s.subarray(32)])]);
  b('a claim of another type', ([a, c, s]) => [a, Buffer.concat([c.subarray(0, 16), uuidOf('cbor'), c.subarray(32)]), s]);
  t('box: a manifest of another type is skipped', { editStore: (s) => s }, [superbox('zzzz', 'org.example.other', [box('cbor', cbor({}))])]);
  t('box: a manifest of type c2md', { box: 'c2md' });
  t('box: the only manifest of an unknown type', { box: 'zzzz' });
  t('box: not requestable', { toggles: 0x02 });
  t('box: with an id', { editStore: (s) => s, assertions: [actions([created()]), note({ boxes: [box('cbor', cbor({ a: 1 }))] })] });
  t('box: salt too short', { assertions: [actions([created()]), note({ salt: Buffer.alloc(8, 7) })] });
  t('box: 32 bytes of salt', { assertions: [actions([created()]), note({ salt: Buffer.alloc(32, 7) })] });
  t('box: a length of zero', { editStore: (s) => (s.writeUInt32BE(0, s.indexOf('c2pa.claim.v2') - 33), s) });
  t('box: a length too large', { editStore: (s) => (s.writeUInt32BE(0x7fffffff, s.indexOf('c2pa.claim.v2') - 33), s) });
  t('box: a length too small', { editStore: (s) => (s.writeUInt32BE(s.readUInt32BE(s.indexOf('c2pa.claim.v2') - 33) - 1, s.indexOf('c2pa.claim.v2') - 33), s) });
  const nested = (n) => (n === 0 ? box('cbor', cbor({})) : superbox('cbor', 'org.example.deep', [nested(n - 1)]));
  t('box: nested deep', { assertions: [actions([created()]), note({ boxes: [nested(20)] })] });
  t('box: nested too deep', { assertions: [actions([created()]), note({ boxes: [nested(40)] })] });
}

// ---- assertions ----

function assertions(t) {
  const a = (name, list) => t(`assertion: ${name}`, { assertions: [actions([created()]), ...list] });
  a('JSON', [note({ json: { a: [1, 2, null] } })]);
  a('JSON that is none', [note({ json: '{"a":' })]);
  a('CBOR cut short', [note({ data: cbor({ a: 'words' }).subarray(0, -2) })]);
  a('CBOR with bytes behind', [note({ data: Buffer.concat([cbor({ a: 1 }), Buffer.from([0])]) })]);
  a('CBOR of indefinite length', [note({ data: cbor(new Indefinite({ a: new Indefinite([1, 2]) })) })]);
  a('two contents', [note({ boxes: [box('cbor', cbor({ a: 1 })), box('cbor', cbor({ b: 1 }))] })]);
  a('an unknown content', [note({ boxes: [box('zzzz', cbor({ a: 1 }))] })]);
  a('a file', [note({ label: 'c2pa.embedded-data', file: Buffer.from('words'), type: 'text/plain' })]);
  a('only gathered', [note({ list: 'gathered' })]);
  a('not listed', [note({ list: null })]);
  a('listed twice', [note({ times: 2 })]);
  a('not there', [note({ absent: true })]);
  a('wrong digest', [note({ hash: (h) => ((h[0] ^= 1), h) })]);
  a('digest cut short', [note({ hash: (h) => h.subarray(0, 31) })]);
  a('another digest algorithm', [note({ alg: 'sha512' })]);
  a('unknown digest algorithm', [note({ alg: 'md5' })]);
  a('absolute address', [note({ url: url(LABEL, '/c2pa.assertions/org.example.note') })]);
  a('address in another manifest', [note({ url: url(PARENT, '/c2pa.assertions/org.example.note') })]);
  a('address outside the store of assertions', [note({ url: url(LABEL, '/c2pa.signature') })]);
  a('address that is none', [note({ url: 'nowhere' })]);
  a('two of a kind', [note(), note({ label: 'org.example.note__1' })]);
  a('the same label twice', [note(), note({ data: { words: 'other' } })]);
  a('second of a kind alone', [note({ label: 'org.example.note__2' })]);
  a('a URI with an empty label', [note({ url: 'self#jumbf=c2pa.assertions/' })]);
  const scope = { scope: {}, value: Buffer.from('abc') };
  a('soft binding', [{ label: 'c2pa.soft-binding', data: { alg: 'com.adobe.trustmark.P', blocks: [scope], pad: Buffer.alloc(0) } }]);
  a('soft binding of an unknown algorithm', [{ label: 'c2pa.soft-binding', data: { alg: 'org.example', blocks: [scope], pad: Buffer.alloc(0) } }]);
  a('soft binding without blocks', [{ label: 'c2pa.soft-binding', data: { alg: 'org.example', pad: Buffer.alloc(0) } }]);
  const location = { url: 'https://example.org/x', alg: 'sha256', hash: Buffer.alloc(32) };
  const cloud = (over) => [{ label: 'c2pa.cloud-data', data: { label: 'org.example.note', size: 3, location, content_type: 'text/plain', ...over } }];
  a('cloud data', cloud({}));
  a('cloud data of no size', cloud({ size: 0 }));
  a('cloud data without location', cloud({ location: undefined }));
  a('cloud data that binds', cloud({ label: 'c2pa.hash.data' }));
  a('cloud data of actions', cloud({ label: 'c2pa.actions.v2' }));
  a('cloud data of cloud data', cloud({ label: 'c2pa.cloud-data' }));
  const outside = (over) => [{ label: 'c2pa.external-reference', data: { location, ...over } }];
  a('external reference', outside({}));
  a('external reference without digest', outside({ location: { url: 'https://example.org' } }));
  a('external reference with empty digest', outside({ location: { ...location, hash: Buffer.alloc(0) } }));
  a('external reference without location', outside({ location: undefined }));
  a('external reference that binds', outside({ label: 'c2pa.hash.data' }));
  a('metadata', [{ label: 'c2pa.metadata', json: { '@context': { exif: 'http://ns.adobe.com/exif/1.0/' }, 'exif:GPSLatitude': '1' } }]);
  a('metadata with fields of others', [{ label: 'c2pa.metadata', json: { '@context': { dc: 'http://purl.org/dc/elements/1.1/' }, 'dc:creator': 'x' } }]);
  a('metadata without context', [{ label: 'c2pa.metadata', json: { 'exif:GPSLatitude': '1' } }]);
  a('training and mining', [{ label: 'cawg.training-mining', data: { entries: { 'cawg.ai_training': { use: 'notAllowed' } } } }]);
  const later = (what, data) => [{ label: `c2pa.${what}`, data }];
  a('time stamps of none', later('time-stamp', {}));
  a('time stamps of which one is none', later('time-stamp', { [LABEL]: Buffer.from('none') }));
  a('time stamps that are no map', later('time-stamp', [1]));
  a('status of a certificate', later('certificate-status', { ocspVals: [] }));
  a('status of a certificate of which one is none', later('certificate-status', { ocspVals: [Buffer.from('none')] }));
  a('status of a certificate that is no map', later('certificate-status', [1]));
  a('a multi-asset hash beside the binding', [{ label: 'c2pa.hash.multi-asset', data: { parts: [] } }]);
  a('receipt of a stranger', [{ label: 'org.blindstamp.other', data: { x: 1 } }]);
}

// ---- actions ----

function acts(t) {
  const a = (name, list, more = [], rest = {}) => t(`actions: ${name}`, { assertions: [...more, { ...actions(list), ...rest }] });
  a('none', []);
  a('edited first', [{ action: 'c2pa.edited' }]);
  a('created and edited', [created(), { action: 'c2pa.edited', when: new Tag(0, '2026-01-01T00:00:00Z') }]);
  a('created twice', [created(), created()]);
  a('created second', [{ action: 'c2pa.edited' }, created()]);
  a('created and opened', [created(), { action: 'c2pa.opened' }]);
  a('created without source type', [{ action: 'c2pa.created' }]);
  a('created with junk as source type', [{ action: 'c2pa.created', digitalSourceType: 'junk' }]);
  a('opened without ingredient', [{ action: 'c2pa.opened' }]);
  a('opened with empty ingredients', [{ action: 'c2pa.opened', parameters: { ingredients: [] } }]);
  a('opened with an ingredient that is not there', [{ action: 'c2pa.opened', parameters: { ingredients: [{ url: inAssertions('c2pa.ingredient.v3'), hash: Buffer.alloc(32) }] } }]);
  a('placed without ingredient', [created(), { action: 'c2pa.placed' }]);
  a('removed without ingredient', [created(), { action: 'c2pa.removed', parameters: {} }]);
  a('translated without languages', [created(), { action: 'c2pa.translated' }]);
  a('translated with one language', [created(), { action: 'c2pa.translated', parameters: { sourceLanguage: 'de' } }]);
  a('translated', [created(), { action: 'c2pa.translated', parameters: { sourceLanguage: 'de', targetLanguage: 'en' } }]);
  a('watermark without soft binding', [created(), { action: 'c2pa.watermarked.bound' }]);
  a('old watermark without soft binding', [created(), { action: 'c2pa.watermarked' }]);
  a('unbound watermark', [created(), { action: 'c2pa.watermarked.unbound' }]);
  a('watermark with soft binding', [created(), { action: 'c2pa.watermarked.bound' }], [{ label: 'c2pa.soft-binding', data: { alg: 'org.example', blocks: [{ scope: {}, value: Buffer.from('a') }], pad: Buffer.alloc(0) } }]);
  a('an action of one\'s own', [created(), { action: 'org.example.did', parameters: { 'org.example.x': 1 } }]);
  a('an action without a name', [created(), { digitalSourceType: 'x' }]);
  a('an action with an empty name', [created(), { action: '' }]);
  a('an action that is no map', [created(), 'c2pa.edited']);
  a('when is a number', [created(), { action: 'c2pa.edited', when: 5 }]);
  a('when is plain text', [{ ...created(), when: '2026-01-01T00:00:00Z' }]);
  a('software agent as text', [{ ...created(), softwareAgent: 'test 1' }]);
  a('software agent as map', [{ ...created(), softwareAgent: { name: 'test', version: '1' } }]);
  a('redacted without parameters', [created(), { action: 'c2pa.redacted' }]);
  a('redacted to nowhere', [created(), { action: 'c2pa.redacted', reason: 'c2pa.PII.present', parameters: { redacted: url(PARENT, '/c2pa.assertions/org.example.note') } }]);
  a('transcoded', [created(), { action: 'c2pa.transcoded' }]);
  a('transcoded with an ingredient that is not there', [created(), { action: 'c2pa.transcoded', parameters: { ingredients: [{ url: inAssertions('c2pa.ingredient.v3'), hash: Buffer.alloc(32) }] } }]);
  a('repackaged with empty ingredients', [created(), { action: 'c2pa.repackaged', parameters: { ingredients: [] } }]);
  a('related assertions empty', [created(), { action: 'c2pa.edited', parameters: { relatedAssertions: [] } }]);
  a('related assertion not there', [created(), { action: 'c2pa.edited', parameters: { relatedAssertions: [{ url: inAssertions('org.example.no'), hash: Buffer.alloc(32) }] } }]);
  a('related assertion', [created(), { action: 'c2pa.edited', parameters: { relatedAssertions: [{ url: inAssertions('org.example.note'), hash: Buffer.alloc(32) }] } }], [note()]);
  a('related assertion is the actions', [created(), { action: 'c2pa.edited', parameters: { relatedAssertions: [{ url: inAssertions('c2pa.actions.v2'), hash: Buffer.alloc(32) }] } }]);
  a('gathered', [created()], [], { list: 'gathered' });
  a('of version 1', [created()], [], { label: 'c2pa.actions' });
  t('actions: not there', { assertions: [note()] });
  t('actions: two lists', { assertions: [actions([created()]), { ...actions([{ action: 'c2pa.edited' }]), label: 'c2pa.actions.v2__1' }] });
  t('actions: two lists, created in the second', { assertions: [actions([{ action: 'c2pa.edited' }]), { ...actions([created()]), label: 'c2pa.actions.v2__1' }] });
  t('actions: created in both lists', { assertions: [actions([created()]), { ...actions([created()]), label: 'c2pa.actions.v2__1' }] });
  t('actions: created in one, created in what is gathered', { assertions: [actions([{ action: 'c2pa.edited' }]), { ...actions([created()]), label: 'c2pa.actions.v2__1', list: 'gathered' }] });
  t('actions: no array', { assertions: [{ label: 'c2pa.actions.v2', data: { actions: 'all' } }] });
  t('actions: no map', { assertions: [{ label: 'c2pa.actions.v2', data: [1] }] });
  t('actions: icon that is not there', { assertions: [{ ...actions([created()], { softwareAgents: [{ name: 'x', icon: { url: inAssertions('c2pa.icon'), hash: Buffer.alloc(32) } }] }) }] });
  t('actions: icon', {
    assertions: [{ label: 'c2pa.icon', file: Buffer.from('icon') }, { ...actions([]), data: (c) => ({ actions: [created()], softwareAgents: [{ name: 'x', icon: c.refs.get('c2pa.icon') }] }) }],
  });
}

// ---- ingredients, updates, redactions ----

function ingredients(add, target, certs) {
  const signer = ed(certs);
  const t = (name, over, before) => add(`ingredient: ${name}`, target.type, sign(target, recipe(over), signer, before));
  const parentOf = (over = {}, by = signer) => manifestsOf(storeOf(target.type, sign(target, recipe({ label: PARENT, ...over }), by)))[0];
  const parent = parentOf();
  const child = (over = {}, list = []) => ({ assertions: [ingredient(parent, PARENT, over), opened(), ...list] });
  const map = (relationship, over = {}) => ({ label: 'c2pa.ingredient.v3', list: 'created', data: { relationship, 'dc:title': 'x', 'dc:format': 'image/png', ...over } });
  t('parent', child(), [parent]);
  t('parent with its results', child({ validationResults: goodResults(PARENT) }), [parent]);
  t('parent without results', child({ validationResults: undefined }), [parent]);
  t('parent that is not there', child(), []);
  t('parent with a wrong digest', child({ activeManifest: { url: url(PARENT), alg: 'sha256', hash: Buffer.alloc(32) } }), [parent]);
  t('parent with a wrong signature digest', child({ claimSignature: { url: url(PARENT, '/c2pa.signature'), alg: 'sha256', hash: Buffer.alloc(32) } }), [parent]);
  t('parent without signature digest', child({ claimSignature: undefined }), [parent]);
  t('parent with source type', child({ digitalSourceType: `${SOURCE}digitalCapture` }), [parent]);
  t('parent by an unknown digest algorithm', child({ activeManifest: { url: url(PARENT), alg: 'md5', hash: hashBox(parent) } }), [parent]);
  t('parent without credentials', { assertions: [map('parentOf'), opened()] });
  t('parent without credentials, with source type', { assertions: [map('parentOf', { digitalSourceType: `${SOURCE}digitalCapture` }), opened()] });
  t('component without credentials', { assertions: [actions([created()]), map('componentOf')] });
  t('input without credentials', { assertions: [actions([created()]), map('inputTo')] });
  t('input with credentials', { assertions: [actions([created()]), ingredient(parent, PARENT, { relationship: 'inputTo' })] }, [parent]);
  t('of an unknown relationship', { assertions: [actions([created()]), map('cousinOf')] });
  t('of no relationship', { assertions: [actions([created()]), map(undefined)] });
  t('that is no map', { assertions: [actions([created()]), { label: 'c2pa.ingredient.v3', data: [1] }] });
  t('of version 1 without title', { assertions: [actions([created()]), { label: 'c2pa.ingredient', data: { relationship: 'componentOf', 'dc:format': 'image/png', instanceID: 'x' } }] });
  t('of version 2', { assertions: [actions([created()]), { label: 'c2pa.ingredient.v2', data: { relationship: 'componentOf', 'dc:title': 'x', 'dc:format': 'image/png' } }] });
  t('of version 2 without title', { assertions: [actions([created()]), { label: 'c2pa.ingredient.v2', data: { relationship: 'componentOf', 'dc:format': 'image/png' } }] });
  const old = (over = {}) => ({ relationship: 'parentOf', 'dc:title': 'x', 'dc:format': 'image/png', instanceID: 'x', c2pa_manifest: { url: url(PARENT), alg: 'sha256', hash: hashBox(parent) }, ...over });
  t('of version 1 with manifest', { assertions: [{ label: 'c2pa.ingredient', data: old() }, opened()] }, [parent]);
  t('of version 2 with manifest', { assertions: [{ label: 'c2pa.ingredient.v2', data: old({ instanceID: undefined }) }, opened()] }, [parent]);
  t('of version 1 with its results', { assertions: [{ label: 'c2pa.ingredient', data: old({ validationStatus: goodResults(PARENT).activeManifest.success }) }, opened()] }, [parent]);
  t('of version 4', { assertions: [actions([created()]), { label: 'c2pa.ingredient.v4', data: { relationship: 'componentOf' } }] });
  t('only a component opened', { assertions: [map('componentOf'), opened()] });
  t('placed', { assertions: [map('componentOf'), { label: 'c2pa.actions.v2', data: (c) => ({ actions: [created(), { action: 'c2pa.placed', parameters: { ingredients: [c.refs.get('c2pa.ingredient.v3')] } }] }) }] });
  t('placed, but a parent', { assertions: [map('parentOf'), { label: 'c2pa.actions.v2', data: (c) => ({ actions: [created(), { action: 'c2pa.placed', parameters: { ingredients: [c.refs.get('c2pa.ingredient.v3')] } }] }) }] });
  t('opened by the old parameter', { assertions: [map('parentOf'), { label: 'c2pa.actions.v2', data: (c) => ({ actions: [{ action: 'c2pa.opened', parameters: { ingredient: c.refs.get('c2pa.ingredient.v3') } }] }) }] });
  t('opened with an absolute address', { assertions: [map('parentOf'), { label: 'c2pa.actions.v2', data: (c) => ({ actions: [{ action: 'c2pa.opened', parameters: { ingredients: [{ ...c.refs.get('c2pa.ingredient.v3'), url: url(LABEL, '/c2pa.assertions/c2pa.ingredient.v3') }] } }] }) }] });
  t('transcoded of a component', { assertions: [map('componentOf'), { label: 'c2pa.actions.v2', data: (c) => ({ actions: [created(), { action: 'c2pa.transcoded', parameters: { ingredients: [c.refs.get('c2pa.ingredient.v3')] } }] }) }] });
  t('related assertion is an ingredient', { assertions: [map('componentOf'), actions([created(), { action: 'c2pa.edited', parameters: { relatedAssertions: [{ url: inAssertions('c2pa.ingredient.v3'), hash: Buffer.alloc(32) }] } }])] });
  t('two parents without credentials', { assertions: [map('parentOf'), { ...map('parentOf'), label: 'c2pa.ingredient.v3__1' }, opened()] });
  t('two parents', { assertions: [ingredient(parent), { ...ingredient(parent), label: 'c2pa.ingredient.v3__1' }, opened()] }, [parent]);
  t('two components', { assertions: [actions([created()]), ingredient(parent, PARENT, { relationship: 'componentOf' }), { ...ingredient(parent, PARENT, { relationship: 'componentOf' }), label: 'c2pa.ingredient.v3__1' }] }, [parent]);
  t('a manifest that nobody names', { assertions: [actions([created()])] }, [parent]);
  t('a manifest that nobody names, broken', { assertions: [actions([created()])] }, [superbox('c2ma', PARENT, [])]);
  t('the same manifest twice', child(), [parent, parent]);

  const broken = (name, over, by, results = noResults) => {
    const p = parentOf(over, by);
    t(`${name}`, { assertions: [ingredient(p, PARENT, { validationResults: results }), opened()] }, [p]);
  };
  const stranger = { alg: 'ed25519', ...certs.stranger };
  const untrusted = { activeManifest: { success: [], informational: [], failure: [{ code: 'signingCredential.untrusted', url: url(PARENT, '/c2pa.signature') }] } };
  broken('signed by a stranger', {}, stranger);
  broken('signed by a stranger, as its results say', {}, stranger, untrusted);
  broken('with a broken signature', { editCose: (c) => (c.claim = Buffer.from('other')) });
  broken('with a broken signature, as its results say', { editCose: (c) => (c.claim = Buffer.from('other')) }, signer,
    { activeManifest: { success: [], informational: [], failure: [{ code: 'claimSignature.mismatch', url: url(PARENT, '/c2pa.signature') }] } });
  broken('with a wrong assertion', { assertions: [actions([created()]), note({ hash: () => Buffer.alloc(32) })] });
  broken('with wrong actions', { assertions: [actions([{ action: 'c2pa.edited' }])] });
  broken('bound to other bytes', { editBinding: (b) => ({ ...b, hash: Buffer.alloc(32) }) });
  broken('by an expired certificate', {}, { alg: 'ed25519', ...certs.expired });
  broken('by an expired certificate, once valid', {}, { alg: 'ed25519', ...certs.expired },
    { activeManifest: { success: [{ code: 'claimSignature.insideValidity', url: url(PARENT, '/c2pa.signature') }], informational: [], failure: [] } });
  broken('of claim version 1', { version: 1, assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.edited' }] } }] });
  broken('without binding', { binding: null });
  // results about the active manifest may not cancel its failures
  t('that says the active signature failed', {
    editCose: (c) => (c.claim = Buffer.from('other')),
    ...child({ validationResults: { activeManifest: { success: [], informational: [], failure: [{ code: 'claimSignature.mismatch', url: url(LABEL, '/c2pa.signature') }] } } }),
  }, [parent]);
  t('that says the active binding failed', {
    editBinding: (b) => ({ ...b, hash: Buffer.alloc(32) }),
    ...child({ validationResults: { activeManifest: { success: [], informational: [], failure: [{ code: 'assertion.dataHash.mismatch', url: url(LABEL, '/c2pa.assertions/c2pa.hash.data') }] } } }),
  }, [parent]);

  // depth
  const grand = manifestsOf(storeOf(target.type, sign(target, recipe({ label: GRAND }), signer)))[0];
  const middle = manifestsOf(storeOf(target.type, sign(target, recipe({ label: PARENT, assertions: [ingredient(grand, GRAND), opened()] }), signer, [grand])))[1];
  t('of an ingredient', { assertions: [ingredient(middle), opened()] }, [grand, middle]);
  t('of an ingredient that is not there', { assertions: [ingredient(middle), opened()] }, [middle]);
  t('twice the same below', { assertions: [ingredient(middle), opened(), { ...ingredient(grand, GRAND, { relationship: 'componentOf' }), label: 'c2pa.ingredient.v3__1' }] }, [grand, middle]);
  const chain = (n) => {
    const context = { start: target.at, length: 0, hash: Buffer.alloc(32) };
    const list = [];
    const label = (i) => `urn:c2pa:11111111-2222-4333-8444-${String(i).padStart(12, '0')}`;
    for (let i = 0; i < n; i++) {
      const below = list[i - 1];
      list.push(manifest(recipe({ label: label(i), assertions: below ? [ingredient(below, label(i - 1)), opened()] : [actions([created()])] }), signer, context));
    }
    return [list, label(n - 1)];
  };
  for (const n of [20, 205]) {
    const [list, label] = chain(n);
    t(`of ${n} generations`, { assertions: [ingredient(list[n - 1], label), opened()] }, list);
  }
  t('bound instead of the picture', { ...child(), binding: null }, [parent]);
  const self = ingredient(parent, LABEL);
  t('that is the picture itself', { assertions: [self, opened()] }, []);
  const loop = { label: 'c2pa.ingredient.v3', data: { ...ingredient(parent).data, activeManifest: { url: url(LABEL), alg: 'sha256', hash: Buffer.alloc(32) } } };
  const looped = parentOf({ assertions: [loop, opened()] });
  t('in a circle', { assertions: [ingredient(looped), opened()] }, [looped]);
}

// Time stamps and revocation answers that an update brings for the manifest it updates.
function laterWords(add, target, certs) {
  const signer = ed(certs);
  const t = (name, { by = signer, parentBy = by, over = {}, stamps, answers }) => {
    const parent = manifestsOf(storeOf(target.type, sign(target, recipe({ label: PARENT, ...over }), parentBy)))[0];
    const value = childrenOf(parent)['c2pa.signature'].subarray(-64);
    const list = [ingredient(parent), opened([{ action: 'c2pa.edited.metadata' }])];
    if (stamps) list.push({ label: 'c2pa.time-stamp', data: stamps(value) });
    if (answers) list.push({ label: 'c2pa.certificate-status', data: { ocspVals: answers } });
    add(`later: ${name}`, target.type, sign(target, recipe({ box: 'c2um', binding: null, assertions: list }), by, [parent]));
  };
  const { stamp, ocsp } = certs;
  const expired = { alg: 'ed25519', ...certs.expired };
  const second = { editCose: (p) => (p.finish = () => (p.unprotected = { sigTst2: { tstTokens: [{ val: stamp('strangertsa', overSignature(p)) }] } })) };
  t('a time stamp', { stamps: (v) => ({ [PARENT]: stamp('tsa', v) }) });
  t('a time stamp by a stranger', { stamps: (v) => ({ [PARENT]: stamp('strangertsa', v) }) });
  t('a time stamp of something else', { stamps: () => ({ [PARENT]: stamp('tsa', Buffer.from('other')) }) });
  t('a time stamp of a manifest that is not there', { stamps: (v) => ({ [GRAND]: stamp('tsa', v) }) });
  t('a time stamp as a whole answer', { stamps: (v) => ({ [PARENT]: stamp('tsa', v, { answer: true }) }) });
  t('a time stamp of one that has one by a stranger', { over: second, stamps: (v) => ({ [PARENT]: stamp('tsa', v) }) });
  t('a stranger\'s of one that has one by a stranger', { over: second, stamps: (v) => ({ [PARENT]: stamp('strangertsa', v) }) });
  t('a time stamp of an expired signer\'s', { parentBy: expired, stamps: (v) => ({ [PARENT]: stamp('tsa', v) }) });
  t('no time stamp of an expired signer\'s', { parentBy: expired });
  const v1 = { version: 1, assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.edited' }] } }] };
  t('a time stamp of version 1', { over: v1, stamps: (v) => ({ [PARENT]: stamp('tsa', v) }) });
  t('a time stamp of version 1 by a stranger', { over: v1, stamps: (v) => ({ [PARENT]: stamp('strangertsa', v) }) });
  t('an answer: not revoked', { answers: [ocsp('ed25519', 'V')] });
  t('an answer: revoked', { answers: [ocsp('ed25519', 'R')] });
  t('an answer about another', { answers: [ocsp('es256', 'V')] });
  t('an answer that is none, and one', { answers: [Buffer.from('none'), ocsp('ed25519', 'V')] });
  const whole = { alg: 'ed25519', ...certs.odd['with root'] };
  t('an answer with its issuer: not revoked', { by: whole, answers: [ocsp('ed25519', 'V')] });
  t('an answer with its issuer: revoked', { by: whole, answers: [ocsp('ed25519', 'R')] });
  t('an answer and a time stamp', { answers: [ocsp('ed25519', 'V')], stamps: (v) => ({ [PARENT]: stamp('tsa', v) }) });
}
function updates(add, target, certs) {
  const signer = ed(certs);
  const parentFile = sign(target, recipe({ label: PARENT, assertions: [actions([created()]), note()] }), signer);
  const parent = manifestsOf(storeOf(target.type, parentFile))[0];
  const update = { box: 'c2um', binding: null };
  const edited = (more = []) => opened([{ action: 'c2pa.edited.metadata' }, ...more]);
  const t = (name, over, before = [parent]) => add(`update: ${name}`, target.type, sign(target, recipe({ ...update, ...over }), signer, before));
  t('alone', { assertions: [ingredient(parent), edited()] });
  t('without actions', { assertions: [ingredient(parent)] });
  t('that edits the picture', { assertions: [ingredient(parent), opened([{ action: 'c2pa.edited' }])] });
  t('with binding', { assertions: [ingredient(parent), edited()], binding: {} });
  t('with a thumbnail', { assertions: [ingredient(parent), edited(), { label: 'c2pa.thumbnail.claim', file: target.bytes }] });
  t('without parent', { assertions: [actions([created()])] }, []);
  t('with a component', { assertions: [ingredient(parent, PARENT, { relationship: 'componentOf' })] });
  t('with two parents', { assertions: [ingredient(parent), { ...ingredient(parent), label: 'c2pa.ingredient.v3__1' }] });
  t('with parent without signature digest', { assertions: [ingredient(parent, PARENT, { claimSignature: undefined })] });
  t('with actions in the cloud', {
    assertions: [ingredient(parent), edited(), { label: 'c2pa.cloud-data', data: { label: 'c2pa.actions.v2', size: 3, location: { url: 'https://example.org/x', alg: 'sha256', hash: Buffer.alloc(32) } } }],
  });
  t('of an altered picture', { assertions: [ingredient(parent), edited()], editFile: (f) => ((f[f.length - 20] ^= 1), fix(target.type, f)) });
  const first = manifest(recipe({ ...update, label: GRAND, assertions: [ingredient(parent), edited()] }), signer, { start: target.at, length: 0, hash: Buffer.alloc(32) });
  t('of an update', { assertions: [ingredient(first, GRAND), edited()] }, [parent, first]);

  const redact = (name, how, over = {}, list = [url(PARENT, '/c2pa.assertions/org.example.note')], from = parent) => {
    const cut = how(from);
    const act = opened([{ action: 'c2pa.redacted', reason: 'c2pa.PII.present', parameters: { redacted: list[0] } }]);
    add(`redaction: ${name}`, target.type, sign(target, recipe({ assertions: [ingredient(from), act], claim: { redacted_assertions: list }, ...over }), signer, [cut]));
  };
  const rebuild = (from, edit) => {
    const kids = childrenOf(from);
    const notes = childrenOf(kids['c2pa.assertions']);
    return superbox('c2ma', PARENT, [superbox('c2as', 'c2pa.assertions', edit(notes)), kids['c2pa.claim.v2'], kids['c2pa.signature']]);
  };
  const zeroed = (notes, fill = 0) => superbox('uuid', 'org.example.note', [box('uuid', REDACTED_UUID, Buffer.alloc(9, fill))]);
  const removed = (from) => rebuild(from, (n) => Object.entries(n).filter(([label]) => label !== 'org.example.note').map(([, bytes]) => bytes));
  const replaced = (by) => (from) => rebuild(from, (n) => Object.entries(n).map(([label, bytes]) => (label === 'org.example.note' ? by : bytes)));
  redact('removed', removed);
  redact('zeroed', replaced(zeroed()));
  redact('not zeroed', replaced(zeroed(null, 1)));
  redact('forged', replaced(superbox('cbor', 'org.example.note', [box('cbor', cbor({ words: 'forged' }))])));
  redact('zeroed as CBOR', replaced(superbox('cbor', 'org.example.note', [box('cbor', Buffer.alloc(4))])));
  redact('not done', (x) => x);
  redact('of its own', (x) => x, {}, [url(LABEL, '/c2pa.assertions/c2pa.hash.data')]);
  redact('of actions', removed, {}, [url(PARENT, '/c2pa.assertions/c2pa.actions.v2')]);
  redact('of the binding', removed, {}, [url(PARENT, '/c2pa.assertions/c2pa.hash.data')]);
  redact('without an action', removed, { assertions: [ingredient(parent), opened()] });
  redact('without the claim saying so', removed, { claim: {} });
  redact('without signature digest', removed, { assertions: [ingredient(parent, PARENT, { claimSignature: undefined }), opened()] });
  redact('with a wrong signature digest', removed, { assertions: [ingredient(parent, PARENT, { claimSignature: { url: url(PARENT, '/c2pa.signature'), alg: 'sha256', hash: Buffer.alloc(32) } }), opened()] });
  redact('of what never was', (x) => x, {}, [url(PARENT, '/c2pa.assertions/org.example.never')]);
  redact('no array', removed, { claim: { redacted_assertions: 'x' } });
}

function compressed(add, target, certs) {
  const signer = ed(certs);
  const squeeze = (m, label = LABEL) => superbox('c2cm', label, [box('brob', zlib.brotliCompressSync(m, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }))]);
  const t = (name, over, edit, before) =>
    add(`compressed: ${name}`, target.type, sign(target, recipe({ ...over, editStore: (s) => { const all = manifestsOf(s); return store([...all.slice(0, -1), edit(all[all.length - 1])]); } }), signer, before));
  t('active manifest', {}, (m) => squeeze(m));
  t('not brotli', {}, (m) => superbox('c2cm', LABEL, [box('brob', m)]));
  t('cut short', {}, (m) => superbox('c2cm', LABEL, [box('brob', zlib.brotliCompressSync(m).subarray(0, -8))]));
  t('twice', {}, (m) => squeeze(squeeze(m)));
  t('a great many zeros', {}, () => squeeze(Buffer.alloc(80 << 20)));
  t('empty', {}, () => superbox('c2cm', LABEL, []));
  const parent = manifestsOf(storeOf(target.type, sign(target, recipe({ label: PARENT }), signer)))[0];
  t('parent', { assertions: [ingredient(parent), opened()] }, (m) => m, [squeeze(parent, PARENT)]);
  t('altered', {}, (m) => squeeze(Buffer.from(m.map((b, i) => (i === m.length - 3 ? b ^ 1 : b)))));
}

// ---- COSE and certificates ----

function signatures(add, target, certs) {
  const signer = ed(certs);
  const kind = target.type.slice(6);
  const t = (name, over, by = signer) => add(`cose ${kind}: ${name}`, target.type, sign(target, recipe(over), by));
  const c = (name, fn, by) => t(name, { editCose: fn }, by);
  for (const alg of Object.keys(algorithms)) {
    const by = { alg, ...certs[alg] };
    t(`${alg}`, {}, by);
    c(`${alg}, a bit of the signature`, (p) => (p.finish = () => (p.signature[5] ^= 1)), by);
    c(`${alg}, other words signed`, (p) => (p.claim = Buffer.from('other')), by);
  }
  for (const alg of ['es256', 'es384', 'es512']) c(`${alg} as DER`, (p) => (p.der = true), { alg, ...certs[alg] });
  c('untagged', (p) => (p.tag = null));
  c('of another tag', (p) => (p.tag = 98));
  c('no signature at all', (p) => (p.finish = () => (p.signature = Buffer.alloc(0))));
  c('attached claim', (p) => (p.payload = p.claim));
  c('attached lie', (p) => (p.payload = Buffer.from('other')));
  c('signed over an attached lie', (p) => { p.payload = Buffer.from('other'); p.claim = p.payload; });
  c('no algorithm', (p) => p.protected.delete(1));
  c('unknown algorithm', (p) => p.protected.set(1, -9));
  c('algorithm of another key', (p) => p.protected.set(1, -7));
  c('x5chain as text label', (p) => { const x = p.protected.get(33); p.protected.delete(33); p.protected.set('x5chain', x); });
  c('x5chain not protected, as text', (p) => { const x = p.protected.get(33); p.protected.delete(33); p.unprotected = { x5chain: x }; });
  c('x5chain not protected, as number', (p) => { const x = p.protected.get(33); p.protected.delete(33); p.unprotected = new Map([[33, x]]); });
  c('x5chain in both headers', (p) => (p.unprotected = { x5chain: p.protected.get(33) }));
  c('no x5chain', (p) => p.protected.delete(33));
  c('x5chain empty', (p) => p.protected.set(33, []));
  c('x5chain no certificate', (p) => p.protected.set(33, Buffer.from('none')));
  c('x5chain a certificate cut short', (p) => p.protected.set(33, p.protected.get(33).subarray(0, -40)));
  c('x5chain as array of one', (p) => p.protected.set(33, [p.protected.get(33)]));
  c('padding', (p) => (p.unprotected = { pad: Buffer.alloc(300) }));
  c('padding that is not zero', (p) => (p.unprotected = { pad: Buffer.alloc(300, 1) }));
  c('an unknown field that is not protected', (p) => (p.unprotected = { 'org.example': 1 }));
  c('an unknown field that is protected', (p) => p.protected.set('org.example', 1));
  c('a critical field that is known', (p) => p.protected.set(2, [33]));
  c('a critical field that is unknown', (p) => p.protected.set(2, ['org.example']).set('org.example', 1));
  c('critical fields that are no list', (p) => p.protected.set(2, 33));
  c('a time in the header', (p) => p.protected.set('iat', 1780000000));
  c('revocation values that are none', (p) => (p.unprotected = { rVals: { ocspVals: [Buffer.from('none')] } }));
  t('a header that is not what was signed', { rawCose: (claim) => { const b = cose(signer, claim); b[10] ^= 1; return b; } });
  t('no COSE', { rawCose: () => cbor({ a: 1 }) });
  t('no CBOR', { rawCose: () => Buffer.from('ffff', 'hex') });
  t('bytes behind', { rawCose: (claim) => Buffer.concat([cose(signer, claim), Buffer.from([0])]) });
  t('an array of three', { rawCose: () => cbor(new Tag(18, [Buffer.alloc(0), {}, null])) });
}

function certificates(add, target, certs) {
  const t = (name, by) => add(`certificate: ${name}`, target.type, sign(target, recipe(), by));
  for (const [name, c] of Object.entries(certs.odd)) t(name, { alg: c.alg ?? 'ed25519', ...c });
  t('stranger', { alg: 'ed25519', ...certs.stranger });
  t('expired', { alg: 'ed25519', ...certs.expired });
  t('key of another curve', { alg: 'es256', ...certs.es384 });
  t('ecdsa with an Ed25519 key', { alg: 'es256', key: certs.es256.key, certs: certs.ed25519.certs });
  t('certificate of another key', { alg: 'ed25519', key: certs.ed25519.key, certs: certs.stranger.certs });
}

// ---- time stamps ----

// What a stamp covers: the signature with its head, or in the older form the claim.
const overSignature = (p) => cbor(['CounterSignature', cbor(p.protected), Buffer.alloc(0), cbor(p.signature)]);
const overClaim = (p) => cbor(['CounterSignature', cbor(p.protected), Buffer.alloc(0), p.claim]);
function stamps(add, target, certs) {
  const signer = ed(certs);
  const { stamp } = certs;
  const t = (name, make, over = {}, by = signer) =>
    add(`time stamp: ${name}`, target.type, sign(target, recipe({ ...over, editCose: (p) => (p.finish = () => (p.unprotected = make(p))) }), by));
  const second = (...tokens) => ({ sigTst2: { tstTokens: tokens.map((val) => ({ val })) } });
  const first = (...tokens) => ({ sigTst: { tstTokens: tokens.map((val) => ({ val })) } });
  const v1 = { version: 1, assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.edited' }] } }] };
  t('good', (p) => second(stamp('tsa', overSignature(p))));
  t('of a stranger', (p) => second(stamp('strangertsa', overSignature(p))));
  t('over something else', () => second(stamp('tsa', Buffer.from('other'))));
  t('over the claim, in the new form', (p) => second(stamp('tsa', overClaim(p))));
  t('two', (p) => { const x = stamp('tsa', overSignature(p)); return second(x, x); });
  t('none in the list', () => second());
  t('that is none', () => second(Buffer.from('none')));
  t('altered', (p) => { const x = stamp('tsa', overSignature(p)); x[x.length - 9] ^= 1; return second(x); });
  t('of a signer whose certificate expired', (p) => second(stamp('tsa', overSignature(p))), {}, { alg: 'ed25519', ...certs.expired });
  t('in the older form', (p) => first(stamp('tsa', overClaim(p), { answer: true })));
  t('of version 1', (p) => first(stamp('tsa', overClaim(p), { answer: true })), v1);
  t('of version 1, of a stranger', (p) => first(stamp('strangertsa', overClaim(p), { answer: true })), v1);
  t('of version 1, over something else', () => first(stamp('tsa', Buffer.from('other'), { answer: true })), v1);
}

// ---- cawg.identity ----

function identities(add, target, certs) {
  const signer = ed(certs);
  const hard = 'c2pa.hash.data';
  const t = (name, over = {}, edit = {}) => {
    const r = recipe({
      binding: null,
      assertions: [
        actions([created()]),
        { label: hard, list: 'created', data: (c) => ({ exclusions: [{ start: c.start, length: c.length }], alg: 'sha256', hash: c.hash, pad: Buffer.alloc(0) }) },
        {
          label: 'cawg.identity',
          list: 'gathered',
          data: (c) => {
            const payload = {
              referenced_assertions: [{ url: inAssertions(hard), alg: 'sha256', hash: c.refs.get(hard).hash }],
              sig_type: 'cawg.x509.cose',
              ...(typeof edit.payload === 'function' ? edit.payload(c) : edit.payload),
            };
            const by = edit.by ?? signer;
            return { signer_payload: payload, signature: edit.signature ?? cose(by, cbor(payload), edit.cose), pad1: Buffer.alloc(8), ...over };
          },
        },
      ],
    });
    add(`identity: ${name}`, target.type, sign(target, edit.outer ? edit.outer(r) : r, signer, edit.before?.(r)));
  };
  // the same in another manifest of the store
  const made = (r) => manifestsOf(storeOf(target.type, sign(target, { ...r, label: PARENT }, signer)))[0];
  const inside = { outer: (r) => recipe({ assertions: [ingredient(made(r)), opened()] }), before: (r) => [made(r)] };
  const beside = { outer: () => recipe(), before: (r) => [made(r)] };
  t('of an ingredient', {}, inside);
  t('of an ingredient, by a stranger', {}, { ...inside, by: { alg: 'ed25519', ...certs.stranger } });
  t('of an ingredient, over other words', {}, { ...inside, cose: (p) => (p.claim = Buffer.from('other')) });
  t('of a manifest that nobody names, by a stranger', {}, { ...beside, by: { alg: 'ed25519', ...certs.stranger } });
  t('by the same signer');
  t('by a stranger', {}, { by: { alg: 'ed25519', ...certs.stranger } });
  t('with a role', {}, { payload: { role: ['cawg.creator'] } });
  t('signature over other words', {}, { cose: (p) => (p.claim = Buffer.from('other')) });
  t('signature that is none', {}, { signature: Buffer.from('none') });
  t('an unknown type', {}, { payload: { sig_type: 'org.example' } });
  t('without binding', {}, { payload: (c) => ({ referenced_assertions: [{ url: inAssertions('c2pa.actions.v2'), alg: 'sha256', hash: c.refs.get('c2pa.actions.v2').hash }] }) });
  t('of an assertion that is not there', {}, { payload: (c) => ({ referenced_assertions: [{ url: inAssertions(hard), alg: 'sha256', hash: c.refs.get(hard).hash }, { url: inAssertions('org.example.no'), alg: 'sha256', hash: Buffer.alloc(32) }] }) });
  t('the binding with another digest', {}, { payload: () => ({ referenced_assertions: [{ url: inAssertions(hard), alg: 'sha256', hash: Buffer.alloc(32) }] }) });
  t('the binding twice', {}, { payload: (c) => ({ referenced_assertions: [1, 2].map(() => ({ url: inAssertions(hard), alg: 'sha256', hash: c.refs.get(hard).hash })) }) });
  t('padding that is not zero', { pad1: Buffer.alloc(8, 1) });
  t('second padding that is not zero', { pad2: Buffer.alloc(8, 1) });
  t('an extra field', { more: 1 });
  t('no payload', { signer_payload: undefined });
  t('no signature', { signature: undefined });
}

function files(add, png, jpeg, signer) {
  const whole = sign(png, recipe(), signer);
  const at = whole.indexOf('caBX') - 4;
  const chunk = whole.subarray(at, at + 12 + whole.readUInt32BE(at));
  const rest = Buffer.concat([whole.subarray(0, at), whole.subarray(at + chunk.length)]);
  add('file: png, two stores', png.type, Buffer.concat([whole.subarray(0, at), chunk, whole.subarray(at)]));
  const idat = rest.indexOf('IDAT') - 4;
  const behind = idat + 12 + rest.readUInt32BE(idat);
  add('file: png, store behind the end', png.type, sign({ ...png, at: png.bytes.length }, recipe(), signer));
  add('file: jpeg, store behind the end', jpeg.type, sign({ ...jpeg, at: jpeg.bytes.length }, recipe(), signer));
  add('file: jpeg, store before the picture data', jpeg.type, (() => {
    let at = 2;
    while (jpeg.bytes[at + 1] !== 0xda) at += 2 + jpeg.bytes.readUInt16BE(at + 2);
    return sign({ ...jpeg, at }, recipe(), signer);
  })());
  add('file: png, store behind the picture data', png.type, sign({ ...png, at: behind }, recipe(), signer));
  add('file: png, checksum of the store', png.type, Buffer.from(whole.map((b, i) => (i === at + chunk.length - 1 ? b ^ 1 : b))));
  add('file: png, manifest of another picture', png.type, (() => { const f = Buffer.from(whole); f[f.indexOf('IDAT') + 8] ^= 1; return fix(png.type, f); })());
  add('file: png, cut short', png.type, whole.subarray(0, whole.length - 30));
  const big = recipe({ assertions: [actions([created()]), note({ data: { words: 'x'.repeat(150000) } })] });
  add('file: png, a large manifest', png.type, sign(png, big, signer));
  add('file: jpeg, a manifest in three segments', jpeg.type, sign(jpeg, big, signer));
  add('file: jpeg, segments of 65000', jpeg.type, sign(jpeg, { ...big, wrap: (s) => app11(s, { chunk: 65000 }) }, signer));
  add('file: jpeg, another instance number', jpeg.type, sign(jpeg, { ...big, wrap: (s) => app11(s, { instance: 7 }) }, signer));
  const j = sign(jpeg, big, signer);
  const from = jpeg.at, len = 2 + j.readUInt16BE(from + 2);
  add('file: jpeg, segments out of order', jpeg.type, Buffer.concat([j.subarray(0, from), j.subarray(from + len, from + 2 * len), j.subarray(from, from + len), j.subarray(from + 2 * len)]));
  add('file: jpeg, a segment missing', jpeg.type, Buffer.concat([j.subarray(0, from + len), j.subarray(from + 2 * len)]));
  add('file: jpeg, a comment between segments', jpeg.type, Buffer.concat([j.subarray(0, from + len), Buffer.from('fffe0004aaaa', 'hex'), j.subarray(from + len)]));
  add('file: jpeg, two stores', jpeg.type, Buffer.concat([j.subarray(0, from), app11(storeOf(jpeg.type, sign(jpeg, recipe(), signer)), { instance: 9 }), j.subarray(from)]));
  add('file: jpeg, a comment added behind the manifest', jpeg.type, (() => { const end = from + app11(storeOf(jpeg.type, j)).length; return Buffer.concat([j.subarray(0, end), Buffer.from('fffe0004aaaa', 'hex'), j.subarray(end)]); })());
}

// certs: {ALG: {key, certs}, stranger, expired, odd: {name: {key, certs, alg?}}, stamp(authority, data, options), ocsp(name, "V" | "R")}.
export function cases(png, jpeg, certs) {
  const list = [];
  const add = (name, type, bytes) => list.push({ name, type, bytes });
  const signer = ed(certs);
  const t = (name, over, before) => add(name, png.type, sign(png, recipe(over), signer, before));
  containers(add, png, signer);
  containers(add, jpeg, signer);
  claims(t);
  versionOne(t);
  boxes(t);
  assertions(t);
  acts(t);
  ingredients(add, png, certs);
  updates(add, png, certs);
  laterWords(add, png, certs);
  updates((name, ...rest) => add(`jpeg ${name}`, ...rest), jpeg, certs);
  compressed(add, png, certs);
  signatures(add, png, certs);
  signatures(add, jpeg, certs);
  certificates(add, png, certs);
  stamps(add, png, certs);
  identities(add, png, certs);
  files(add, png, jpeg, signer);
  return list;
}
