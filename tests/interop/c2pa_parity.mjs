// c2pa_parity.mjs FOLDER JUDGE CORPUS - what the reference implementation says of every file of c2pa_cases.mjs and its
// neighbours, made of the small pictures in CORPUS, and of files that it signed itself and of altered copies of them,
// beside what our validator (JUDGE) says: the state, and the set of status codes of the active manifest and of each
// ingredient. Where we say something else on purpose, c2pa_wanted.mjs says why. FOLDER holds keys and certificates.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { algorithms, cose, picture } from './c2pa_make.mjs';
import { cases } from './c2pa_cases.mjs';
import { forgeries } from './c2pa_forgeries.mjs';
import { formats } from './c2pa_formats.mjs';
import { HeldBlob, WasmBuilder, differenceOf, documents, ours, same, settingsOf, shape, theirs, types } from './c2pa_reference.mjs';
import { documented, wanted } from './c2pa_wanted.mjs';

const [folder, judge, corpus] = process.argv.slice(2);
const show = process.argv.includes('--show');
const rootFile = path.join(folder, 'root.pem');
const settings = settingsOf(rootFile);

// ---- the files ----

const der = (name) => new crypto.X509Certificate(fs.readFileSync(path.join(folder, `${name}.pem`))).raw;
const held = (name, ...more) => ({
  key: crypto.createPrivateKey(fs.readFileSync(path.join(folder, `${name}.key`))),
  certs: [name, ...more].map(der),
});
// A time stamp over data by one of the two authorities: the token, or the whole answer.
function stamp(authority, data, { answer = false } = {}) {
  const file = (name) => path.join(folder, name);
  const openssl = (...args) => execFileSync('openssl', ['ts', ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  fs.writeFileSync(file('stamped'), data);
  openssl('-query', '-data', 'stamped', '-sha256', '-cert', '-no_nonce', '-out', 'query');
  openssl('-reply', '-config', 'tsa.cnf', '-queryfile', 'query', '-signer', `${authority}.pem`, '-inkey', `${authority}.key`, '-out', 'reply',
    ...(answer ? [] : ['-token_out']));
  return fs.readFileSync(file('reply'));
}
// What a responder of the root's says of a leaf: valid ("V") or revoked ("R").
function ocsp(name, status) {
  const file = (x) => path.join(folder, x);
  const serial = new crypto.X509Certificate(fs.readFileSync(file(`${name}.pem`))).serialNumber;
  fs.writeFileSync(file('said'), `${status}\t350101000000Z\t${status === 'R' ? '250101000000Z' : ''}\t${serial}\tunknown\t/CN=${name}\n`);
  execFileSync('openssl', ['ocsp', '-index', 'said', '-CA', 'root.pem', '-rsigner', 'revoking.pem', '-rkey', 'revoking.key', '-issuer', 'root.pem', '-cert', `${name}.pem`,
    '-ndays', '5', '-respout', 'reply'], { cwd: folder, stdio: 'ignore' });
  return fs.readFileSync(file('reply'));
}
const certs = { stamp, ocsp, stranger: held('stranger'), expired: held('expired'), odd: {} };
for (const alg of Object.keys(algorithms)) certs[alg] = held(alg.startsWith('ps') ? 'ps256' : alg);
for (const name of ['no-usage', 'other-usage', 'repudiation', 'signs-certificates', 'no-purpose', 'any-purpose', 'documents', 'server', 'claim-signing',
  'no-issuer', 'no-subject-key', 'authority', 'critical', 'both-purposes', 'stamping-too', 'revoking-too', 'any-too', 'code', 'stamping', 'revoking', 'own-purpose',
  'critical-purpose', 'usage-not-critical', 'agrees-too', 'revokes-too', 'no-constraints', 'constraints-not-critical', 'not-critical-authority', 'policy',
  'unknown', 'issuer-and-serial', 'sha1', 'sha224', 'sha512', 'version1', 'future', 'selfsigned', 'below']) certs.odd[name] = held(name);
for (const name of ['end-of-path', 'signs-nothing', 'for-servers', 'others-names', 'sha1-authority', 'short-authority', 'expired-authority'])
  certs.odd[`below ${name}`] = held(`below-${name}`, name);
certs.odd['below two, of which the first ends the path'] = held('below-second', 'second', 'end-of-path');
certs.odd['below a leaf'] = held('below-leaf', 'es256');
certs.odd['on secp256k1'] = { alg: 'es256', ...held('secp256k1') };
certs.odd['RSA with exponent 3'] = { alg: 'ps256', ...held('exponent3') };
certs.odd['with intermediate'] = held('below', 'intermediate');
certs.odd['with intermediate and root'] = held('below', 'intermediate', 'root');
certs.odd['with a stranger\'s intermediate'] = held('below', 'otherroot');
certs.odd['with root'] = held('ed25519', 'root');
certs.odd['short RSA key'] = { alg: 'ps256', ...held('short') };

const sample = (name) => fs.readFileSync(path.join(corpus, name));
const png = picture('image/png', sample('image/rgb.png'));
const jpeg = picture('image/jpeg', sample('image/base.jpg'));
const others = {
  base: sample('tiff/base.tif'), big: sample('tiff/big.tif'), pages: sample('tiff/pages.tif'),
  avif: sample('bmff/base.avif'), heic: sample('bmff/base.heic'),
};
const all = [...cases(png, jpeg, certs), ...forgeries(png, jpeg, certs), ...formats(others, certs)];

// Files that the reference signs, and copies with one byte changed in each of their parts.
const RESERVE = 6000;
const definition = {
  claim_generator_info: [{ name: 'Another', version: '1.0' }],
  title: 'signed elsewhere',
  assertions: [
    { label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.created', digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia' }] } },
    { label: 'org.example.note', data: { words: 'hello' }, kind: 'Json' },
  ],
};
function signerOf(alg) {
  const signer = { alg, ...certs[alg] };
  const padded = (claim, n) => cose(signer, claim, (p) => (p.unprotected = { pad: Buffer.alloc(n) }));
  return {
    alg,
    reserveSize: RESERVE,
    sign: async (claim) => new Uint8Array(padded(Buffer.from(claim), RESERVE - padded(Buffer.from(claim), 256).length + 256)),
  };
}
// later: {intent: 'edit' | 'update', parent, component, redacts}.
async function signed(alg, type, bytes, later) {
  const source = new HeldBlob(bytes, { type });
  const [actions, note] = definition.assertions;
  const assertions = later?.intent === 'update' ? [] : later?.intent ? [note] : [actions, note];
  const builder = WasmBuilder.fromJson(JSON.stringify({ ...definition, assertions }), settings);
  const ingredient = (relationship, file) => builder.addIngredientFromBlob(JSON.stringify({ title: relationship, relationship }), type, new HeldBlob(file, { type }));
  if (later?.intent) builder.setIntent(later.intent);
  if (later?.parent) await ingredient('parentOf', later.parent);
  if (later?.component) await ingredient('componentOf', later.component);
  if (later?.redacts) builder.addRedaction(later.redacts, 'c2pa.PII.present');
  if (later?.intent !== 'update') builder.setThumbnailFromBlob(type, source);
  return Buffer.from(await builder.sign(signerOf(alg), [], type, source));
}
const pictures = [
  png, jpeg, { type: 'image/webp', bytes: sample('image/lossy.webp') }, { type: 'image/tiff', bytes: others.base },
  { type: 'image/avif', bytes: others.avif }, { type: 'image/heic', bytes: others.heic },
];
for (const { type, bytes } of pictures) {
  for (const alg of Object.keys(algorithms)) {
    const made = await signed(alg, type, bytes);
    const name = `theirs: ${alg} ${type.slice(6)}`;
    all.push({ name, type, bytes: made });
    for (const [what, mark, offset] of [['claim', 'instanceID', 14], ['signature box', 'c2pa.signature', 60], ['note', 'hello', 1], ['thumbnail', 'bidb', 40], ['generator', 'Another', 2]]) {
      const copy = Buffer.from(made);
      copy[(mark === 'c2pa.signature' ? copy.lastIndexOf(mark) : copy.indexOf(mark)) + offset] ^= 1;
      all.push({ name: `${name}, ${what}`, type, bytes: fixed(type, copy) });
    }
  }
}
for (const { type, bytes } of pictures) {
  const first = await signed('ed25519', type, bytes);
  const label = /urn:c2pa:[0-9a-f-]{36}/.exec(first.toString('latin1'))[0];
  const second = await signed('es256', type, first, { intent: 'edit', parent: first });
  const add = (name, file) => {
    all.push({ name: `theirs: ${type.slice(6)} ${name}`, type, bytes: file });
    for (const [what, mark] of [['parent', 'instanceID'], ['note of the parent', 'hello']]) {
      const copy = Buffer.from(file);
      if (copy.indexOf(mark) < 0) continue;
      copy[copy.indexOf(mark) + (mark === 'hello' ? 1 : 14)] ^= 1;
      all.push({ name: `theirs: ${type.slice(6)} ${name}, ${what} altered`, type, bytes: fixed(type, copy) });
    }
  };
  add('edited', second);
  add('edited twice', await signed('ps256', type, second, { intent: 'edit', parent: second }));
  add('edited, with a component', await signed('es384', type, first, { intent: 'edit', parent: first, component: await signed('es512', type, bytes) }));
  add('updated', await signed('ed25519', type, first, { intent: 'update', parent: first }));
  add('updated after an edit', await signed('ed25519', type, second, { intent: 'update', parent: second }));
  add('redacted', await signed('es256', type, first, { intent: 'edit', parent: first, redacts: `self#jumbf=/c2pa/${label}/c2pa.assertions/org.example.note` }));
  add('redacted in the grandparent', await signed('es256', type, second, { intent: 'edit', parent: second, redacts: `self#jumbf=/c2pa/${label}/c2pa.assertions/org.example.note` }));
  add('redacted by an update', await signed('es256', type, first, { intent: 'update', parent: first, redacts: `self#jumbf=/c2pa/${label}/c2pa.assertions/org.example.note` }));
}
function fixed(type, bytes) {
  if (type !== 'image/png') return bytes;
  const at = bytes.indexOf('caBX') - 4;
  const size = bytes.readUInt32BE(at);
  const table = [...Array(256).keys()].map((n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n >>> 0; });
  let crc = ~0;
  for (const byte of bytes.subarray(at + 4, at + 8 + size)) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  bytes.writeUInt32BE(~crc >>> 0, at + 8 + size);
  return bytes;
}

// ---- the comparison ----

const work = path.join(folder, 'files');
fs.mkdirSync(work, { recursive: true });
all.forEach((c, i) => {
  c.file = path.join(work, `${i}${Object.keys(types).find((t) => types[t] === c.type)}`);
  fs.writeFileSync(c.file, c.bytes);
});
const names = new Set(all.map((c) => c.name));
fs.copyFileSync(all.find((c) => c.name === 'identity: with a role').file, path.join(folder, 'identity.png')); // for the command below
const said = ours(judge, rootFile, all.map((c) => c.file));
const forms = Object.fromEntries(['crjson', 'c2patool'].map((form) => [form, documents(judge, form, rootFile, all.map((c) => c.file))]));
let failed = 0, compared = 0;
const states = {};
const start = Date.now();
for (const [i, c] of all.entries()) {
  const t = await theirs(c.type, c.bytes, settings), o = said[i];
  states[t.state] = (states[t.state] ?? 0) + 1;
  const difference = differenceOf(t, o);
  const good = wanted[c.name] ? difference === wanted[c.name].difference : same(t, o);
  if (show) console.log(`# ${c.name}: ${difference}${t.words ? ` (${t.words})` : ''}\n#    ${o.codes.join('; ')}`);
  if (good && !wanted[c.name] && t.state === 'trusted') {
    for (const form of Object.keys(forms)) {
      compared++;
      const alike = shape(t.documents[form], form) === shape(forms[form][i], form);
      if (alike !== documented.some((d) => d.form === form && d.names.includes(c.name))) continue;
      failed = 1;
      console.log(`not ok ${form} of ${c.name} # ${c.file}`);
    }
  }
  if (good) continue;
  failed = 1;
  console.log(`not ok ${c.name}: ${difference}${t.words ? ` (${t.words})` : ''} # ${c.file}`);
}
for (const name of Object.keys(wanted)) {
  if (names.has(name)) continue;
  failed = 1;
  console.log(`not ok c2pa_wanted.mjs names a case that is not there: ${name}`);
}
if (names.size !== all.length) {
  failed = 1;
  console.log('not ok two cases have the same name');
}
console.log(`# ${all.length} files (${Object.entries(states).map(([s, n]) => `${n} ${s}`).join(', ')}), ${Object.keys(wanted).length} wanted differences, ${Date.now() - start} ms for the reference`);
if (!failed) console.log(`ok the reference and our validator agree on ${all.length} files`);
if (!failed) console.log(`ok ${compared} documents in crJSON and in c2patool's form are the same, but for ${documented.reduce((n, d) => n + d.names.length, 0)}`);
process.exit(failed);
