// c2pa.mjs FOLDER JUDGE - asks the C2PA reference implementation about the pictures in FOLDER (stamped; *.png and
// home/certs/root.pem) and about altered copies of them. JUDGE is our own reader: it may never be milder.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';

const [folder, judge] = process.argv.slice(2);
const pkg = path.resolve('node_modules/@contentauth/c2pa-wasm/pkg');
const { default: init, WasmReader } = await import(pathToFileURL(path.join(pkg, 'c2pa.js')));
await init({ module_or_path: fs.readFileSync(path.join(pkg, 'c2pa_bg.wasm')) });

const rootFile = path.join(folder, 'home/certs/root.pem');
const root = fs.readFileSync(rootFile, 'utf8');
let failed = 0;
function check(good, name, detail = '') {
  console.log(`${good ? 'ok' : 'not ok'} ${name}${good ? '' : ' ' + detail}`);
  if (!good) failed = 1;
}

const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Map ? Object.fromEntries(v) : v)));
async function read(bytes, anchors) {
  const settings = {
    version: 1,
    trust: anchors ? { anchors: [{ trust_anchors: anchors, trust_kind: 'manifest' }] } : {},
    verify: { verify_trust: true, ocsp_fetch: false, remote_manifest_fetch: false },
  };
  try {
    return plain((await WasmReader.fromBytes('image/png', bytes, JSON.stringify(settings))).manifestStore());
  } catch (error) {
    return { validation_state: 'refused', error: String(error) };
  }
}
const failures = (store) => (store.validation_results?.activeManifest?.failure ?? []).map((f) => f.code);
const chunkAt = (bytes, type) => bytes.indexOf(Buffer.from(type, 'latin1')) - 4;
// Corrects the checksum of the chunk that begins at at, so that an alteration is not found by it.
function fixChunk(bytes, at) {
  const end = at + 8 + bytes.readUInt32BE(at);
  bytes.writeUInt32BE(zlib.crc32 ? zlib.crc32(bytes.subarray(at + 4, end)) : crc32(bytes.subarray(at + 4, end)), end);
}
function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const pictures = fs.readdirSync(folder).filter((f) => f.endsWith('.png')).sort();
check(pictures.length > 0, 'there are pictures');
for (const name of pictures) {
  const bytes = fs.readFileSync(path.join(folder, name));
  const store = await read(bytes, root);
  check(store.validation_state === 'Trusted' && failures(store).length === 0, `${name} is Trusted without failure`,
    `${store.validation_state} ${failures(store)} ${store.error ?? ''}`);
  const manifest = store.manifests?.[store.active_manifest];
  const labels = manifest?.assertions?.map((a) => a.label) ?? [];
  check(labels.includes('c2pa.ai-disclosure') && labels.includes('org.blindstamp.receipt'), `${name} discloses AI and carries its receipt`, labels);
  const reserved = name === 'reserved.png';
  const mining = manifest?.assertions?.find((a) => a.label === 'cawg.training-mining')?.data.entries ?? {};
  check(Object.keys(mining).length === (reserved ? 2 : 0) && Object.values(mining).every((entry) => entry.use === 'notAllowed'),
    `${name} ${reserved ? 'forbids' : 'says nothing of'} training`, JSON.stringify(mining));
  const action = manifest?.assertions?.find((a) => a.label.startsWith('c2pa.actions'))?.data.actions[0];
  check(action?.action === 'c2pa.created' && /[/](compositeWithT|t)rainedAlgorithmicMedia$/.test(action.digitalSourceType) && !!action.when,
    `${name} says how it was created`, JSON.stringify(action));
  const ingredients = manifest?.ingredients ?? [], kept = /^(private|kept)/.test(name);
  check(ingredients.length > 1 && ingredients.every((i) => i.relationship === 'inputTo') && action?.parameters?.ingredients.length === ingredients.length,
    `${name} names what went into it`, JSON.stringify(ingredients));
  check(!!manifest?.thumbnail === !(kept || reserved), `${name} ${kept || reserved ? 'shows no thumbnail' : 'shows a thumbnail'}`);
  const words = ingredients.find((i) => i.data_types?.[0].type === 'c2pa.types.generator.prompt');
  check(!!words && !words.data === /^(private|kept|partner)/.test(name), `${name} ${words?.data ? 'tells its prompt' : 'keeps its prompt back'}`, JSON.stringify(words));
  const input = ingredients.find((i) => i.active_manifest);
  check(!!input === (name === 'composite.png') && (!input || (input.title === 'public.png' && !!input.thumbnail)), `${name} keeps the credentials of its input`, JSON.stringify(input));
  const stranger = await read(bytes, null);
  check(stranger.validation_state === 'Valid' && failures(stranger).join() === 'signingCredential.untrusted',
    `${name} is Valid but untrusted without our root`, `${stranger.validation_state} ${failures(stranger)}`);
}

// Altered copies of the first picture: each byte in turn is wrong, with the chunk's checksum put right.
const altered = path.join(folder, 'altered');
fs.mkdirSync(altered, { recursive: true });
const original = fs.readFileSync(path.join(folder, pictures[0]));
const manifestAt = chunkAt(original, 'caBX');
const manifestEnd = manifestAt + 12 + original.readUInt32BE(manifestAt);
const places = [];
for (let at = manifestAt + 8; at < manifestEnd - 4; at += 41) places.push([at, manifestAt]);
for (const type of ['IHDR', 'eXIf', 'iTXt', 'tEXt', 'IDAT']) places.push([chunkAt(original, type) + 9, chunkAt(original, type)]);
const files = [], verdicts = [];
for (const [at, chunk] of places) {
  const copy = Buffer.from(original);
  copy[at] ^= 1;
  fixChunk(copy, chunk);
  const file = path.join(altered, `byte-${at}.png`);
  fs.writeFileSync(file, copy);
  files.push(file);
  verdicts.push((await read(copy, root)).validation_state);
}
const ours = execFileSync(judge, [rootFile, ...files], { encoding: 'utf8' }).trim().split('\n');
const mild = files.filter((_, i) => ours[i] === 'trusted' || ours[i] === 'valid');
check(mild.length === 0, `our reader notices each of ${files.length} altered bytes`, mild.join(' '));
const theirs = files.filter((_, i) => verdicts[i] === 'Trusted');
console.log(`# the reference accepts ${theirs.length} of ${files.length} altered copies, our reader ${mild.length}`);
check(ours.length === files.length && theirs.length < files.length / 4, 'the reference notices most of them too', theirs.join(' '));

// A manifest from another picture.
if (pictures.length > 1) {
  const other = fs.readFileSync(path.join(folder, pictures[1]));
  const at = chunkAt(other, 'caBX'), end = at + 12 + other.readUInt32BE(at);
  const moved = Buffer.concat([original.subarray(0, 33), other.subarray(at, end), original.subarray(manifestEnd)]);
  const file = path.join(altered, 'moved.png');
  fs.writeFileSync(file, moved);
  const verdict = execFileSync(judge, [rootFile, file], { encoding: 'utf8' }).trim();
  check((await read(moved, root)).validation_state !== 'Trusted' && verdict === 'invalid', 'a manifest of another picture is refused', verdict);
}
process.exit(failed);
