// c2pa_formats.mjs - TIFF, AVIF and HEIC files that are right, or wrong in one way, as c2pa_cases.mjs has them for PNG and
// JPEG: where their manifests stand (C2PA 2.4, A.3.4 and A.5), and the binding c2pa.hash.bmff (18.6) computed for itself.
import crypto from 'node:crypto';
import { PARENT, actions, containers, ed, ingredient } from './c2pa_cases.mjs';
import { box, cbor, created, manifest, recipe, sign, store } from './c2pa_make.mjs';

// ---- TIFF ----

// Byte order and widths of a file's numbers.
function numbers(bytes) {
  const little = bytes[0] === 0x49, big = bytes.readUInt16LE(little ? 2 : 3) === 43 || bytes[3] === 43;
  const get = (at, n) => Number(n === 8 ? (little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)) : little ? bytes.readUIntLE(at, n) : bytes.readUIntBE(at, n));
  const put = (to, value, at, n) => {
    if (n === 8) little ? to.writeBigUInt64LE(BigInt(value), at) : to.writeBigUInt64BE(BigInt(value), at);
    else little ? to.writeUIntLE(value, at, n) : to.writeUIntBE(value, at, n);
  };
  return { big, get, put, first: big ? 8 : 4, width: big ? 8 : 4, count: big ? 8 : 2, entry: big ? 20 : 12 };
}
// Where the pointer to the directory behind the last one stands.
function lastPointer(bytes) {
  const n = numbers(bytes);
  let at = n.first;
  for (let next = n.get(at, n.width); next !== 0; next = n.get(at, n.width)) at = next + n.count + n.get(next, n.count) * n.entry;
  return at;
}
// A store as the only tag of a page of its own behind the others. over: what is wrong with that page.
export function tiff(source, over = {}) {
  const bytes = source.length % 2 ? Buffer.concat([source, Buffer.alloc(1)]) : source;
  const n = numbers(bytes);
  const page = n.count + n.entry + n.width, at = bytes.length + page;
  return {
    type: 'image/tiff', bytes, at, wrap: (s) => s,
    join(s) {
      const file = Buffer.concat([bytes, Buffer.alloc(page), s]);
      const where = bytes.length + n.count;
      n.put(file, bytes.length, lastPointer(bytes), n.width);
      n.put(file, over.entries ?? 1, bytes.length, n.count);
      n.put(file, over.tag ?? 0xcd41, where, 2);
      n.put(file, over.kind ?? 7, where + 2, 2);
      n.put(file, s.length + (over.longer ?? 0), where + 4, n.width);
      n.put(file, at + (over.further ?? 0), where + 4 + n.width, n.width);
      n.put(file, over.next ?? 0, where + n.entry, n.width);
      return file;
    },
  };
}
// A store as a tag of the first page, whose directory is written again behind everything else.
function tiffFirst(bytes) {
  const n = numbers(bytes);
  const first = n.get(n.first, n.width), count = n.get(first, n.count);
  const page = n.count + (count + 1) * n.entry + n.width, begin = bytes.length + (bytes.length % 2), at = begin + page;
  return {
    type: 'image/tiff', bytes, at, wrap: (s) => s,
    join(s) {
      const file = Buffer.concat([bytes, Buffer.alloc(at - bytes.length), s]);
      bytes.copy(file, begin, first, first + n.count + count * n.entry + n.width);
      const where = begin + n.count + count * n.entry;
      file.copy(file, where + n.entry, where, where + n.width);
      n.put(file, count + 1, begin, n.count);
      n.put(file, 0xcd41, where, 2);
      n.put(file, 7, where + 2, 2);
      n.put(file, s.length, where + 4, n.width);
      n.put(file, at, where + 4 + n.width, n.width);
      n.put(file, begin, n.first, n.width);
      return file;
    },
  };
}
// The other byte order: a grey picture of 2 x 2 with the tags that are obligatory.
function bigEndian() {
  const tags = [[256, 3, 2], [257, 3, 2], [258, 3, 8], [259, 3, 1], [262, 3, 1], [273, 4, 8], [277, 3, 1], [278, 3, 2], [279, 4, 4]];
  const bytes = Buffer.alloc(12 + 2 + tags.length * 12 + 4);
  Buffer.from('4d4d002a0000000c10203040', 'hex').copy(bytes);
  bytes.writeUInt16BE(tags.length, 12);
  tags.forEach(([tag, kind, value], i) => {
    const at = 14 + 12 * i;
    bytes.writeUInt16BE(tag, at);
    bytes.writeUInt16BE(kind, at + 2);
    bytes.writeUInt32BE(1, at + 4);
    kind === 3 ? bytes.writeUInt16BE(value, at + 8) : bytes.writeUInt32BE(value, at + 8);
  });
  return bytes;
}

function tiffs(add, files, signer) {
  containers(add, tiff(files.base), signer);
  const t = (name, target, over = {}) => add(`tiff: ${name}`, 'image/tiff', sign(target, recipe(over), signer));
  t('BigTIFF', tiff(files.big));
  t('big-endian', tiff(bigEndian()));
  t('two pages', tiff(files.pages));
  t('in the first page', tiffFirst(files.base));
  t('in the first page of a BigTIFF', tiffFirst(files.big));
  t('in the first page of two', tiffFirst(files.pages));
  t('in the first page of two, exclusion too wide', tiffFirst(files.pages), {
    exclude: (c) => [{ start: c.start - 4, length: c.length + 4 }],
    editBinding: (b) => ({ ...b, exclusions: [{ start: b.exclusions[0].start - 4, length: b.exclusions[0].length + 4 }] }),
  });
  const counted = (target) => ({
    exclude: (c) => [{ start: target.at - 12, length: 4 }, { start: c.start, length: c.length }],
    editBinding: (b) => ({ ...b, exclusions: [{ start: target.at - 12, length: 4 }, ...b.exclusions] }),
  });
  const base = tiff(files.base);
  t('the count left out too', base, counted(base));
  t('the count left out and changed', tiff(files.base), { ...counted(base), editFile: (f, c) => (f.writeUInt32LE(c.length - 2, base.at - 12), f) });
  for (const [name, over] of Object.entries({
    'tag of bytes': { kind: 1 }, 'tag of text': { kind: 2 }, 'another tag': { tag: 0xcd42 }, 'count too long': { longer: 5 }, 'count too short': { longer: -5 },
    'count of nothing': { longer: -1e9 }, 'behind the end': { further: 100000 }, 'shifted': { further: 2 }, 'page of no entries': { entries: 0 },
    'page of too many entries': { entries: 60000 }, 'pages in a circle': { next: 8 }, 'next page behind the end': { next: 0x7fffffff },
  })) {
    if (name === 'count of nothing') continue;
    t(name, tiff(files.base, over));
  }
  const whole = sign(base, recipe(), signer);
  add('tiff: cut short', 'image/tiff', whole.subarray(0, whole.length - 10));
  add('tiff: byte of the picture', 'image/tiff', (() => { const f = Buffer.from(whole); f[9] ^= 1; return f; })());
  add('tiff: an entry of the first page', 'image/tiff', (() => { const f = Buffer.from(whole); f[numbers(f).get(4, 4) + 12] ^= 1; return f; })());
  add('tiff: first page nowhere', 'image/tiff', (() => { const f = Buffer.from(whole); f.writeUInt32LE(0, 4); return f; })());
}

// ---- AVIF and HEIC ----

export const C2PA_UUID = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex');
const be64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
export const c2paBox = (purpose, ...parts) => box('uuid', C2PA_UUID, Buffer.alloc(4), Buffer.from(`${purpose}\0`), ...parts);
const HOLDING = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'moof', 'traf', 'edts', 'udta', 'dinf', 'meta'];
function boxesOf(file, from = 0, to = file.length, path = '') {
  const list = [];
  for (let at = from; at + 8 <= to; ) {
    let size = file.readUInt32BE(at), head = 8;
    const type = file.toString('latin1', at + 4, at + 8);
    if (size === 1) { size = Number(file.readBigUInt64BE(at + 8)); head = 16; }
    if (size === 0) size = to - at;
    if (size < head) break;
    const end = Math.min(at + size, to), whole = `${path}/${type}`;
    const inner = type === 'meta' && file.toString('latin1', at + head + 4, at + head + 8) !== 'hdlr' ? head + 4 : head;
    list.push({ path: whole, at, end, head, top: path === '' });
    if (HOLDING.includes(type)) list.push(...boxesOf(file, at + inner, end, whole));
    at = end;
  }
  return list;
}
// 18.6.2, byte by byte. chosen: which of the boxes at an exclusion's path count (they all do when left out).
function bmffHash(file, { exclusions, version, alg }, chosen = () => true) {
  const boxes = boxesOf(file), out = new Uint8Array(file.length), gone = new Set();
  for (const e of exclusions) {
    for (const b of boxes.filter((x) => x.path === e.xpath.replace(/\[\d+\]/g, ''))) {
      if (!chosen(e, b, file)) continue;
      if (e.data?.some((d) => !file.subarray(b.at + d.offset, b.at + d.offset + d.value.length).equals(d.value))) continue;
      if (!e.subset) { out.fill(1, b.at, b.end); gone.add(b.at); }
      for (const s of e.subset ?? []) out.fill(1, Math.min(b.end, b.at + s.offset), s.length ? Math.min(b.end, b.at + s.offset + s.length) : b.end);
    }
  }
  const hash = crypto.createHash(crypto.getHashes().includes(alg) ? alg : 'sha256');
  const tops = new Set(boxes.filter((b) => b.top && !gone.has(b.at)).map((b) => b.at));
  const first = out.indexOf(0), last = out.lastIndexOf(0);
  for (let at = 0; at < file.length; at++) {
    if (version > 1 && tops.has(at) && (!out[at] || (at > first && at < last))) hash.update(be64(at));
    if (!out[at]) hash.update(file.subarray(at, at + 1));
  }
  return hash.digest();
}
const C2PA_EXCLUSION = { xpath: '/uuid', data: [{ offset: 8, value: C2PA_UUID }] };
const USUAL = [C2PA_EXCLUSION, { xpath: '/ftyp' }, { xpath: '/mfra' }];
// The assertion. over: what differs in it; how: {version, chosen, hash (function of the right one)}.
function bound(over = {}, { version = 3, chosen, hash = (h) => h, list = 'created' } = {}) {
  const parts = { exclusions: USUAL, alg: 'sha256', name: 'jumbf manifest', ...over };
  const counted = Array.isArray(parts.exclusions) ? parts.exclusions.filter((e) => typeof e?.xpath === 'string') : [];
  return {
    label: `c2pa.hash.bmff${version === 1 ? '' : `.v${version}`}`,
    list,
    data: (c) => ({ hash: hash(c.file ? bmffHash(c.file, { exclusions: counted, version, alg: parts.alg ?? c.alg ?? 'sha256' }, chosen) : Buffer.alloc(parts.alg === 'sha512' ? 64 : 32)), ...parts }),
  };
}
// uuid boxes are put in behind ftyp, or where from says.
export function bmff(type, bytes, { wrap = (s) => c2paBox('manifest', Buffer.alloc(8), s), from } = {}) {
  return { type, bytes, at: from ?? bytes.readUInt32BE(0), wrap };
}
const boxed = (binding, over = {}) => recipe({ binding: null, assertions: [actions([created()]), binding], ...over });

function paths(t, target) {
  const e = (name, exclusion, chosen, more = {}) => t(`path: ${name}`, target(), boxed(bound({ exclusions: [...USUAL, ...[exclusion].flat()] }, { chosen }), more));
  e('of a box in a box', { xpath: '/meta/iloc' });
  e('of a box in a box, changed', { xpath: '/meta/iloc' }, undefined, { editFile: (f) => ((f[f.indexOf('iloc') + 10] ^= 1), f) });
  e('of a box beside it, changed', { xpath: '/meta/iloc' }, undefined, { editFile: (f) => ((f[f.indexOf('iinf') + 10] ^= 1), f) });
  e('with an index', { xpath: '/meta[1]/iloc[1]' });
  e('with an index of none', { xpath: '/meta/iloc[2]' }, () => false);
  e('with index 0', { xpath: '/meta/iloc[0]' }, () => false);
  e('with a word as index', { xpath: '/meta/iloc[x]' }, () => false);
  e('of the second of three', { xpath: '/free[2]' }, (x, b, f) => !x.xpath.startsWith('/free') || boxesOf(f).filter((y) => y.path === '/free')[1]?.at === b.at);
  e('of three', { xpath: '/free' });
  e('of none', { xpath: '/skip' });
  e('too short', { xpath: '/abc' }, () => false);
  e('empty', { xpath: '' }, () => false);
  e('that goes on', { xpath: '/meta/iloc/what' });
  e('without a slash', { xpath: 'free' }, (x) => x.xpath !== 'free');
  e('two slashes', { xpath: '//free' }, (x) => x.xpath !== '//free');
  e('a part of mdat', { xpath: '/mdat', subset: [{ offset: 16, length: 0 }] });
  e('two parts of mdat', { xpath: '/mdat', subset: [{ offset: 10, length: 4 }, { offset: 20, length: 6 }] });
  e('the beginning of mdat', { xpath: '/mdat', subset: [{ offset: 0, length: 12 }] });
  e('parts of mdat out of order', { xpath: '/mdat', subset: [{ offset: 20, length: 4 }, { offset: 10, length: 4 }] });
  e('parts of mdat that overlap', { xpath: '/mdat', subset: [{ offset: 10, length: 14 }, { offset: 20, length: 4 }] });
  e('a part behind the end of mdat', { xpath: '/mdat', subset: [{ offset: 100000, length: 4 }] });
  e('a part that ends behind mdat', { xpath: '/mdat', subset: [{ offset: 20, length: 100000 }] });
  e('a part without length', { xpath: '/mdat', subset: [{ offset: 20 }] });
  e('no parts', { xpath: '/mdat', subset: [] });
  e('all of mdat', { xpath: '/mdat' });
  e('a length that fits', { xpath: '/free', length: 12 });
  e('a length that does not', { xpath: '/free', length: 13 }, (x) => x.length === undefined);
  e('a version that fits', { xpath: '/meta/iloc', version: 0 }, (x, b, f) => x.version === undefined || f[b.at + 8] === 0);
  e('a version that does not', { xpath: '/meta/iloc', version: 7 }, (x) => x.version === undefined);
  e('a version where there is none', { xpath: '/free', version: 7 });
  e('a version that is a text', { xpath: '/free', version: 'one' });
  e('flags that fit', { xpath: '/meta/iloc', flags: Buffer.alloc(3) });
  e('flags that do not', { xpath: '/meta/iloc', flags: Buffer.from([0, 0, 1]) }, (x) => x.flags === undefined);
  e('flags, not exact', { xpath: '/meta/iloc', flags: Buffer.alloc(3), exact: false });
  e('data that fit', { xpath: '/free', data: [{ offset: 8, value: Buffer.alloc(2) }] });
  e('data that do not', { xpath: '/free', data: [{ offset: 8, value: Buffer.from([1]) }] });
  e('data behind the end of the file', { xpath: '/mdat', data: [{ offset: 1000000, value: Buffer.from([1]) }] });
  e('data without a value', { xpath: '/free', data: [{ offset: 8 }] }, (x) => x.xpath !== '/free');
  e('data that are a text', { xpath: '/free', data: 'x' }, (x) => x.xpath !== '/free');
  e('twice the same', [{ xpath: '/free' }, { xpath: '/free' }]);
}

// Trees over the blocks of mdat.
const pair = (a, b) => crypto.createHash('sha256').update(a).update(b).digest();
function rows(leaves) {
  const all = [leaves];
  while (all.at(-1).length > 1) {
    const low = all.at(-1);
    all.push(low.filter((_, i) => i % 2 === 0).map((h, i) => (2 * i + 1 < low.length ? pair(h, low[2 * i + 1]) : h)));
  }
  return all;
}
function way(all, index, until) {
  const list = [];
  for (let r = 0, i = index; r < until; r++, i >>= 1) {
    const other = i ^ 1;
    if (other < all[r].length) list.push(all[r][other]);
  }
  return list;
}
function trees(t, type, bytes) {
  const mdat = boxesOf(bytes).find((b) => b.path === '/mdat');
  const data = bytes.subarray(mdat.at + 16, mdat.end);
  const cutBy = (sizes) => { let at = 0; return sizes.map((n) => crypto.createHash('sha256').update(data.subarray(at, (at += n))).digest()); };
  const fixed = (n) => { const sizes = []; for (let left = data.length; left > 0; left -= n) sizes.push(Math.min(left, n)); return sizes; };
  const eights = rows(cutBy(fixed(8)));
  const exclusions = [...USUAL, { xpath: '/mdat', subset: [{ offset: 16, length: 0 }] }];
  const target = (proofs = []) => bmff(type, proofs.length ? Buffer.concat([bytes, ...proofs.map((p) => c2paBox('merkle', cbor(p)))]) : bytes);
  const tree = (name, map, { proofs, edit, more = [], how = {} } = {}) =>
    t(`tree: ${name}`, target(proofs), boxed(bound({ exclusions, merkle: [{ uniqueId: 0, localId: 0, alg: 'sha256', ...map }, ...more] }, how), edit ? { editFile: edit } : {}));
  const count = eights[0].length;
  const whole = { count, fixedBlockSize: 8 };
  const alter = (f) => ((f[f.length - 3] ^= 1), f);
  const leaves = { ...whole, hashes: eights[0] }, root = { ...whole, hashes: eights.at(-1) };
  tree('all leaves', leaves);
  tree('the root', root);
  tree('all leaves, altered', leaves, { edit: alter });
  tree('the root, altered', root, { edit: alter });
  tree('a row between', { ...whole, hashes: eights[1] });
  tree('wrong count', { ...leaves, count: count + 1 });
  tree('one leaf too few', { ...leaves, hashes: eights[0].slice(1) });
  tree('one wrong leaf', { ...leaves, hashes: [Buffer.alloc(32), ...eights[0].slice(1)] });
  tree('blocks of no length', { ...leaves, fixedBlockSize: 0 });
  tree('blocks of one byte', { ...rootOf(1), fixedBlockSize: 1 });
  tree('larger blocks than the box', { count: 1, fixedBlockSize: 4096, hashes: cutBy([data.length]) });
  const uneven = [5, 7, data.length - 12];
  const variable = { count: 3, variableBlockSizes: uneven, hashes: cutBy(uneven) };
  tree('blocks of several lengths', variable);
  tree('blocks of several lengths, too short', { ...variable, variableBlockSizes: [5, 7, data.length - 13] });
  tree('blocks of both kinds', { ...variable, fixedBlockSize: 8 });
  tree('no blocks named', { count: 1, hashes: cutBy([data.length]) });
  tree('another algorithm', { ...leaves, alg: 'sha384' });
  tree('an unknown algorithm', { ...leaves, alg: 'md5' });
  tree('the binding\'s algorithm', { ...leaves, alg: undefined });
  tree('a digest of an initialization', { ...leaves, initHash: Buffer.alloc(32) });
  tree('no hashes', { ...leaves, hashes: undefined });
  tree('two for one box', leaves, { more: [{ uniqueId: 0, localId: 1, ...leaves }] });
  tree('without a digest of the rest', leaves, { how: { hash: () => undefined } });
  const ways = (until, change = (p) => p) => eights[0].map((_, i) => change({ uniqueId: 0, localId: 0, location: i, hashes: way(eights, i, until) }, i));
  const high = eights.length - 1;
  tree('ways to the root', root, { proofs: ways(high) });
  tree('ways to the root, altered', root, { proofs: ways(high), edit: (f) => ((f[f.lastIndexOf('mdat') + 20] ^= 1), f) });
  tree('ways to a row', { ...whole, hashes: eights[1] }, { proofs: ways(1) });
  tree('ways in another order', root, { proofs: ways(high).reverse() });
  tree('a way too few', root, { proofs: ways(high).slice(1) });
  tree('a way that is wrong', root, { proofs: ways(high, (p, i) => (i === 1 ? { ...p, hashes: [Buffer.alloc(32), ...p.hashes.slice(1)] } : p)) });
  tree('a way without end', root, { proofs: ways(high, (p, i) => (i === 1 ? { ...p, hashes: p.hashes.slice(1) } : p)) });
  tree('ways of all leaves', leaves, { proofs: ways(0, (p) => ({ ...p, hashes: undefined })) });
  function rootOf(n) { const all = rows(cutBy(fixed(n))); return { count: all[0].length, hashes: all.at(-1) }; }
}

function bmffs(add, type, bytes, signer) {
  const kind = type.slice(6);
  const t = (name, target, r, before) => add(`${kind}: ${name}`, type, sign(target, r, signer, before));
  const plain = bmff(type, bytes);
  for (const version of [3, 2, 1]) t(`binding of version ${version}`, plain, boxed(bound({}, { version })));
  t('binding by sha512', plain, boxed(bound({ alg: 'sha512' })));
  t('binding by the claim\'s algorithm', plain, boxed(bound({ alg: undefined })));
  t('binding by an unknown algorithm', plain, boxed(bound({ alg: 'md5' })));
  t('binding without name', plain, boxed(bound({ name: undefined })));
  t('binding with a wrong digest', plain, boxed(bound({}, { hash: () => Buffer.alloc(32) })));
  t('binding with a short digest', plain, boxed(bound({}, { hash: (h) => h.subarray(0, 16) })));
  t('binding without digest', plain, boxed(bound({}, { hash: () => undefined })));
  t('binding to a remote file', plain, boxed(bound({ url: 'https://example.org/x' })));
  t('binding with no exclusions', plain, boxed(bound({ exclusions: [] })));
  t('binding without exclusions', plain, boxed(bound({ exclusions: undefined })));
  t('binding with a text as exclusions', plain, boxed(bound({ exclusions: 'all' })));
  t('binding with a text as exclusion', plain, boxed(bound({ exclusions: [...USUAL, 'all'] })));
  t('binding with an exclusion of all uuid', plain, boxed(bound({ exclusions: [{ xpath: '/uuid' }, { xpath: '/ftyp' }] })));
  t('binding only gathered', plain, boxed(bound({}, { list: 'gathered' })));
  t('two bindings', plain, boxed(bound(), { binding: {} }));
  t('binding by places in the file', plain, recipe());
  t('binding by places in the file, all of it', plain, recipe({
    exclude: (c) => [{ start: 0, length: c.size }], editBinding: (b, c) => ({ ...b, exclusions: [{ start: 0, length: c.size ?? 1 }] }),
  }));
  const changed = (name, edit) => t(name, plain, boxed(bound(), { editFile: edit }));
  const flip = (word, by) => (f) => ((f[f.lastIndexOf(word) + by] ^= 1), f);
  changed('byte of the picture', flip('mdat', 9));
  changed('byte of the description', flip('iloc', 9));
  changed('brand', flip('miaf', 3));
  changed('a box put behind', (f) => Buffer.concat([f, box('free', Buffer.alloc(4))]));
  changed('bytes behind', (f) => Buffer.concat([f, Buffer.from('abc')]));
  changed('a box put in front', (f) => Buffer.concat([f.subarray(0, plain.at), box('free'), f.subarray(plain.at)]));
  changed('cut short', (f) => f.subarray(0, f.length - 4));
  changed('cut in the store', (f) => f.subarray(0, plain.at + 200));
  changed('two stores', (f) => Buffer.concat([f, f.subarray(plain.at, plain.at + f.readUInt32BE(plain.at))]));
  changed('an empty box of C2PA\'s besides', (f) => Buffer.concat([f, c2paBox('manifest')]));
  changed('a box of another UUID besides', (f) => Buffer.concat([f, box('uuid', Buffer.alloc(16, 9))]));
  changed('a UUID cut short besides', (f) => Buffer.concat([f, box('uuid', Buffer.alloc(5, 9))]));
  const padded = (name, box_, over = {}) => t(name, bmff(type, bytes, { wrap: box_ }), boxed(bound(), over));
  padded('store with zeros behind', (s) => c2paBox('manifest', Buffer.alloc(8), s, Buffer.alloc(9)));
  padded('store of another purpose', (s) => c2paBox('manifesto', Buffer.alloc(8), s));
  padded('store of no purpose', (s) => c2paBox('', Buffer.alloc(8), s));
  padded('store that says where trees are', (s) => c2paBox('manifest', be64(77), s));
  padded('an original without an update', (s) => c2paBox('original', Buffer.alloc(8), s));
  padded('an update without an original', (s) => c2paBox('update', Buffer.alloc(8), s));
  padded('store in a box of another version', (s) => box('uuid', C2PA_UUID, Buffer.from([1, 0, 0, 0]), Buffer.from('manifest\0'), Buffer.alloc(8), s));
  t('store behind everything', bmff(type, bytes, { from: bytes.length }), boxed(bound()));
  t('no manifest', bmff(type, bytes), boxed(bound(), { wrap: () => Buffer.alloc(0) }));
  // odd boxes
  const with_ = (name, more) => t(name, bmff(type, Buffer.concat([bytes, more])), boxed(bound()));
  with_('a box of 64 bits', Buffer.concat([Buffer.from('0000000166726565', 'hex'), be64(20), Buffer.alloc(4)]));
  with_('a last box up to the end', Buffer.from('0000000066726565abcd', 'hex'));
  with_('a box too long', Buffer.from('0000004066726565abcd', 'hex'));
  with_('a box too short', Buffer.from('0000000466726565abcd', 'hex'));
  with_('picture data too long', Buffer.from('000000406d646174abcd', 'hex'));
  with_('description without version', box('meta', box('hdlr', Buffer.alloc(24))));
  with_('an empty description', box('meta', Buffer.alloc(4)));
  with_('half a description', box('meta', Buffer.alloc(2)));
  const nest = (n) => { let b = box('free'); for (let i = 0; i < n; i++) b = box('udta', b); return b; };
  with_('30 boxes deep', nest(30));
  with_('40 boxes deep', nest(40));
  const frees = Buffer.concat([1, 2, 3].map((n) => box('free', Buffer.alloc(n + 2))));
  paths(t, () => bmff(type, Buffer.concat([bytes, frees])));
  trees(t, type, bytes);
  updates(add, type, bytes, signer);
}

// An update in the store, or in a box of its own. Both boxes are left out, but their lengths move what stands behind.
function updates(add, type, bytes, signer) {
  const at = bytes.readUInt32BE(0), context = { start: at, length: 0, hash: Buffer.alloc(32) };
  const t = (name, file) => add(`${type.slice(6)}: update ${name}`, type, file);
  const original = (s) => c2paBox('original', Buffer.alloc(8), s), after = (s) => c2paBox('update', Buffer.alloc(8), s);
  for (const [name, split] of [['in the store', false], ['in a box of its own', true]]) {
    let base, update, file, hash = Buffer.alloc(32);
    const binding = { label: 'c2pa.hash.bmff.v3', data: () => ({ exclusions: USUAL, alg: 'sha256', hash, name: 'x' }) };
    for (let round = 0; round < 2; round++) {
      base = manifest(recipe({ label: PARENT, binding: null, assertions: [actions([created()]), binding] }), signer, context);
      update = manifest(recipe({ box: 'c2um', binding: null, assertions: [ingredient(base), actions([{ action: 'c2pa.edited.metadata' }])] }), signer, context);
      const boxes = split ? [original(store([base])), after(store([update]))] : [c2paBox('manifest', Buffer.alloc(8), store([base, update]))];
      file = Buffer.concat([bytes.subarray(0, at), ...boxes, bytes.subarray(at)]);
      hash = bmffHash(file, { exclusions: USUAL, version: 3, alg: 'sha256' });
    }
    t(name, file);
    const altered = Buffer.from(file);
    altered[altered.lastIndexOf('mdat') + 9] ^= 1;
    t(`${name}, altered`, altered);
    if (!split) continue;
    t('twice', Buffer.concat([file, after(store([update]))]));
    t('that is none', Buffer.concat([bytes.subarray(0, at), original(store([base])), after(Buffer.alloc(20)), bytes.subarray(at)]));
    t('of nothing', Buffer.concat([bytes.subarray(0, at), original(store([base])), after(store([])), bytes.subarray(at)]));
  }
}

// files: {base, big, pages (TIFF), avif, heic}.
export function formats(files, certs) {
  const list = [];
  const add = (name, type, bytes) => list.push({ name, type, bytes });
  const signer = ed(certs);
  tiffs(add, files, signer);
  bmffs(add, 'image/avif', files.avif, signer);
  bmffs(add, 'image/heic', files.heic, signer);
  containers(add, bmff('image/avif', files.avif), signer);
  return list;
}
