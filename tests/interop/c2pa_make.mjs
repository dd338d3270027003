// c2pa_make.mjs - makes C2PA manifests that are right in everything but what a test asks to be wrong: CBOR, JUMBF,
// COSE_Sign1 and the places in PNG and JPEG files, written as the specification says (C2PA 2.4, 8 to 13, A.3). Those in
// other files are c2pa_formats.mjs's.
import crypto from 'node:crypto';
import zlib from 'node:zlib';

// ---- CBOR: Map or object, array, text, number, Buffer, boolean, null; Tag, Raw and Indefinite below ----

export class Tag {
  constructor(tag, value) {
    this.tag = tag;
    this.value = value;
  }
}
export class Raw {
  constructor(bytes) {
    this.bytes = bytes;
  }
}
export class Indefinite {
  constructor(value) {
    this.value = value;
  }
}
function head(major, n) {
  const first = (x) => Buffer.from([(major << 5) | x]);
  if (n < 24) return first(n);
  if (n < 0x100) return Buffer.concat([first(24), Buffer.from([n])]);
  const wide = Buffer.alloc(n < 0x10000 ? 2 : n < 0x100000000 ? 4 : 8);
  if (wide.length === 2) wide.writeUInt16BE(n);
  else if (wide.length === 4) wide.writeUInt32BE(n);
  else wide.writeBigUInt64BE(BigInt(n));
  return Buffer.concat([first(wide.length === 2 ? 25 : wide.length === 4 ? 26 : 27), wide]);
}
export function cbor(v) {
  if (v instanceof Raw) return v.bytes;
  if (v instanceof Tag) return Buffer.concat([head(6, v.tag), cbor(v.value)]);
  if (v instanceof Indefinite) {
    const inner = cbor(v.value);
    const skip = head(inner[0] >> 5, Array.isArray(v.value) ? v.value.length : Object.keys(v.value).length).length;
    return Buffer.concat([Buffer.from([(inner[0] & 0xe0) | 31]), inner.subarray(skip), Buffer.from([0xff])]);
  }
  if (v === null) return Buffer.from([0xf6]);
  if (typeof v === 'boolean') return Buffer.from([v ? 0xf5 : 0xf4]);
  if (typeof v === 'number') return v < 0 ? head(1, -1 - v) : head(0, v);
  if (typeof v === 'string') return Buffer.concat([head(3, Buffer.byteLength(v)), Buffer.from(v)]);
  if (v instanceof Uint8Array) return Buffer.concat([head(2, v.length), v]);
  if (Array.isArray(v)) return Buffer.concat([head(4, v.length), ...v.map(cbor)]);
  const pairs = (v instanceof Map ? [...v] : Object.entries(v)).filter(([, value]) => value !== undefined);
  return Buffer.concat([head(5, pairs.length), ...pairs.flatMap(([key, value]) => [cbor(key), cbor(value)])]);
}

// ---- JUMBF ----

const TAIL = Buffer.from('00110010800000aa00389b71', 'hex');
export const uuidOf = (four) => Buffer.concat([Buffer.from(four, 'latin1'), TAIL]);
export const FILE_UUID = Buffer.from('40cb0c32bb8a489da70b2ad6f47f4369', 'hex');
export const REDACTED_UUID = Buffer.from('caa98eee9d4df80e86ad4dffca263973', 'hex');
export function box(type, ...parts) {
  const payload = Buffer.concat(parts);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(payload.length + 8);
  return Buffer.concat([size, Buffer.from(type, 'latin1'), payload]);
}
export function superbox(uuid, label, children, { toggles, salt } = {}) {
  const id = typeof uuid === 'string' ? uuidOf(uuid) : uuid;
  const flags = toggles ?? (salt ? 0x13 : 0x03);
  const parts = [id, Buffer.from([flags]), Buffer.from(`${label}\0`)];
  if (salt) parts.push(box('c2sh', salt));
  return box('jumb', box('jumd', ...parts), ...children);
}
export const hashBox = (bytes, alg = 'sha256') => crypto.createHash(alg).update(bytes.subarray(8)).digest();

// ---- COSE ----

const pss = (hash, saltLength) => (key, data) =>
  crypto.sign(hash, data, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength });
const ecdsa = (hash) => (key, data, der) => crypto.sign(hash, data, { key, dsaEncoding: der ? 'der' : 'ieee-p1363' });
export const algorithms = {
  ed25519: { id: -8, sign: (key, data) => crypto.sign(null, data, key) },
  es256: { id: -7, sign: ecdsa('sha256') },
  es384: { id: -35, sign: ecdsa('sha384') },
  es512: { id: -36, sign: ecdsa('sha512') },
  ps256: { id: -37, sign: pss('sha256', 32) },
  ps384: { id: -38, sign: pss('sha384', 48) },
  ps512: { id: -39, sign: pss('sha512', 64) },
};
// signer: {alg, key, certs: [der]}; edit may change {protected, unprotected, payload, signature, tag}.
export function cose(signer, claim, edit) {
  const parts = {
    protected: new Map([[1, algorithms[signer.alg].id], [33, signer.certs.length === 1 ? signer.certs[0] : signer.certs]]),
    unprotected: {},
    payload: null,
    tag: 18,
    der: false,
    claim,
  };
  edit?.(parts);
  const header = cbor(parts.protected);
  const covered = cbor(['Signature1', header, Buffer.alloc(0), parts.claim]);
  parts.signature = algorithms[signer.alg].sign(signer.key, covered, parts.der);
  parts.finish?.(parts);
  const list = [header, parts.unprotected, parts.payload, parts.signature];
  return cbor(parts.tag === null ? list : new Tag(parts.tag, list));
}

// ---- files ----

function crc32(data) {
  if (zlib.crc32) return zlib.crc32(data);
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
export function pngChunk(type, data) {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}
export function app11(store, { chunk = 64000, instance = 0x0211 } = {}) {
  const parts = [];
  for (let at = 0, z = 1; at < store.length; at += chunk, z++) {
    const body = store.subarray(at, at + chunk);
    const lead = Buffer.alloc(12);
    lead.writeUInt16BE(0xffeb);
    lead.writeUInt16BE(2 + 8 + (z > 1 ? 8 : 0) + body.length, 2);
    lead.write('JP', 4, 'latin1');
    lead.writeUInt16BE(instance, 6);
    lead.writeUInt32BE(z, 8);
    parts.push(lead, ...(z > 1 ? [store.subarray(0, 8)] : []), body);
  }
  return Buffer.concat(parts);
}
// {type, bytes, at} of a picture without manifest: where it goes in.
export function picture(type, bytes) {
  if (type === 'image/png') return { type, bytes, at: 33, wrap: (store) => pngChunk('caBX', store), extra: 12 };
  let at = 2;
  while (bytes[at] === 0xff && bytes[at + 1] === 0xe0) at += 2 + bytes.readUInt16BE(at + 2);
  return { type, bytes, at, wrap: app11 };
}

// ---- manifests ----

export const SOURCE = 'http://cv.iptc.org/newscodes/digitalsourcetype/';
export const LABEL = 'urn:c2pa:0b1c4f2e-3d5a-4a6b-8c7d-9e0f1a2b3c4d';
export const created = () => ({ action: 'c2pa.created', digitalSourceType: `${SOURCE}trainedAlgorithmicMedia` });

// A recipe of one manifest. assertions: {label, data | json | file | boxes, list: 'created' | 'gathered' | null, alg,
// salt, hash (function of the right one), url, uuid}. data may be a function of (context), for what is known late.
export function recipe(over = {}) {
  return {
    label: LABEL,
    box: 'c2ma',
    version: 2,
    alg: 'sha256',
    binding: {},
    assertions: [{ label: 'c2pa.actions.v2', data: { actions: [created()], allActionsIncluded: true }, list: 'created' }],
    claim: {},
    ...over,
  };
}
function assertionBox(a, context) {
  const data = typeof a.data === 'function' ? a.data(context) : a.data;
  let uuid = 'cbor';
  let children = a.boxes;
  if (a.json !== undefined) {
    uuid = 'json';
    children ??= [box('json', Buffer.from(typeof a.json === 'string' ? a.json : JSON.stringify(a.json)))];
  } else if (a.file) {
    uuid = FILE_UUID;
    children ??= [box('bfdb', Buffer.from(`\0${a.type ?? 'image/png'}\0`)), box('bidb', a.file)];
  }
  children ??= [box('cbor', data instanceof Uint8Array ? data : cbor(data))];
  return superbox(a.uuid ?? uuid, a.label, children, a);
}
function reference(a, bytes, r) {
  const alg = a.alg ?? r.alg ?? 'sha256';
  const right = crypto.getHashes().includes(alg) ? hashBox(bytes, alg) : Buffer.alloc(32);
  return { url: a.url ?? `self#jumbf=c2pa.assertions/${a.label}`, alg: a.alg, hash: a.hash ? a.hash(right) : right };
}
// The manifest's superbox. context: {start, length, hash (of the file), manifests: {label: superbox}}.
export function manifest(r, signer, context) {
  const refs = { created: [], gathered: [] };
  const boxes = [];
  const list = [...r.assertions];
  if (r.binding) {
    const binding = {
      exclusions: [{ start: context.start, length: context.length }],
      alg: r.alg,
      hash: context.hash,
      pad: Buffer.alloc(0),
      ...r.binding,
    };
    list.push({ label: 'c2pa.hash.data', data: r.editBinding ? r.editBinding(binding, context) : binding, list: 'created', ...r.bindingAssertion });
  }
  const seen = new Map();
  for (const a of list) {
    const bytes = assertionBox(a, { ...context, refs: seen });
    const ref = reference(a, bytes, r);
    seen.set(a.label, ref);
    if (a.list !== null) refs[a.list ?? 'created'].push(...Array(a.times ?? 1).fill(ref));
    if (!a.absent) boxes.push(bytes);
  }
  const signature = `self#jumbf=/c2pa/${r.label}/c2pa.signature`;
  let claim =
    r.version === 1
      ? {
          alg: r.alg, claim_generator: 'test/1', 'dc:format': 'image/png', instanceID: 'xmp.iid:1',
          signature, assertions: [...refs.created, ...refs.gathered], ...r.claim,
        }
      : {
          instanceID: 'xmp.iid:0b1c4f2e-3d5a-4a6b-8c7d-9e0f1a2b3c4e', claim_generator_info: { name: 'test', version: '1' },
          signature, created_assertions: refs.created, gathered_assertions: refs.gathered.length ? refs.gathered : undefined,
          alg: r.alg, ...r.claim,
        };
  if (r.editClaim) claim = r.editClaim(claim, context);
  const claimBytes = claim instanceof Uint8Array ? claim : cbor(claim);
  const signed = r.rawCose ? r.rawCose(claimBytes) : cose(signer, claimBytes, r.editCose);
  let children = [
    superbox('c2as', 'c2pa.assertions', boxes),
    superbox('c2cl', r.claimLabel ?? (r.version === 1 ? 'c2pa.claim' : 'c2pa.claim.v2'), [box('cbor', claimBytes)]),
    superbox('c2cs', 'c2pa.signature', [box('cbor', signed)]),
  ];
  if (r.editBoxes) children = r.editBoxes(children, claimBytes);
  return superbox(r.box, r.label, children, r);
}
export const store = (manifests) => superbox('c2pa', 'c2pa', manifests);

// A whole file. before: superboxes of ingredients' manifests, or a function of the context that gives them. The
// manifest's length depends on numbers that depend on it: made again until it settles.
export function sign(target, r, signer, before = []) {
  let context = { start: target.at, length: 0, hash: Buffer.alloc(crypto.createHash(r.alg && crypto.getHashes().includes(r.alg) ? r.alg : 'sha256').digest().length) };
  const hasher = crypto.getHashes().includes(r.alg) ? r.alg : 'sha256';
  for (let round = 0; round < 6; round++) {
    let bytes = store([...before, manifest(r, signer, context)]);
    if (r.editStore) bytes = r.editStore(bytes);
    const wrapped = r.wrap ? r.wrap(bytes) : target.wrap(bytes);
    const file = target.join
      ? target.join(wrapped)
      : Buffer.concat([target.bytes.subarray(0, target.at), wrapped, target.bytes.subarray(target.at)]);
    const next = { start: target.at, length: wrapped.length, file, size: file.length, target };
    const digest = crypto.createHash(hasher);
    let at = 0;
    for (const e of r.exclude ? r.exclude(next) : [{ start: next.start, length: next.length }]) {
      digest.update(file.subarray(at, e.start));
      at = e.start + e.length;
    }
    next.hash = digest.update(file.subarray(at)).digest();
    const settled = next.length === context.length && next.hash.equals(context.hash);
    context = next;
    if (settled) break;
  }
  return r.editFile ? r.editFile(context.file, context) : context.file; // a digest over itself never settles
}
// The manifests (superboxes) in a store.
export function manifestsOf(bytes) {
  const out = [];
  for (let at = 8 + bytes.readUInt32BE(8); at < bytes.length; at += bytes.readUInt32BE(at)) out.push(bytes.subarray(at, at + bytes.readUInt32BE(at)));
  return out;
}
export function storeOf(type, bytes) {
  if (type === 'image/png') {
    const at = bytes.indexOf('caBX') - 4;
    return bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
  }
  const parts = [];
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (bytes[at + 1] !== 0xeb) continue;
    parts.push(bytes.subarray(at + (parts.length ? 20 : 12), at + 2 + bytes.readUInt16BE(at + 2)));
  }
  return Buffer.concat(parts);
}
// Superboxes inside one, by label: {label: bytes}.
export function childrenOf(bytes) {
  const out = {};
  for (let at = 8 + bytes.readUInt32BE(8); at < bytes.length; at += bytes.readUInt32BE(at)) {
    const child = bytes.subarray(at, at + bytes.readUInt32BE(at));
    if (child.toString('latin1', 4, 8) !== 'jumb') continue;
    out[child.toString('utf8', 33, child.indexOf(0, 33))] = child;
  }
  return out;
}
