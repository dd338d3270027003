// c2pa_sidecars.mjs FOLDER JUDGE SAMPLE.png PYTHON - sidecars that are right or wrong in one way, before c2pa-python (the
// wasm package knows none) and our validator: the same state, but for what is listed here. FOLDER holds the keys.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { actions } from './c2pa_cases.mjs';
import { created, manifest, recipe, store } from './c2pa_make.mjs';

const [folder, judge, pngFile, python] = process.argv.slice(2);
const read = (name) => fs.readFileSync(path.join(folder, name));
const signer = { alg: 'ed25519', key: crypto.createPrivateKey(read('ed25519.key')), certs: [new crypto.X509Certificate(read('ed25519.pem')).raw] };
const bytes = fs.readFileSync(pngFile);
const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();
const data = (over) => recipe({ editBinding: (b) => ({ ...b, exclusions: undefined, ...over }) });
const parts = [['PNGh', 0, 8]];
for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) parts.push([bytes.toString('latin1', at + 4, at + 8), at, 12 + bytes.readUInt32BE(at)]);
const withPlace = [...parts.slice(0, 2), ['C2PA', 33, 0], ...parts.slice(2)];
const one = ([name, at, length]) => ({ names: [name], alg: 'sha256', hash: name === 'C2PA' ? Buffer.alloc(1) : sha256(bytes.subarray(at, at + length)), pad: Buffer.alloc(0) });
const boxes = (list) => recipe({ binding: null, assertions: [actions([created()]), { label: 'c2pa.hash.boxes', data: { boxes: list.map(one) }, list: 'created' }] });
const cases = {
  'digest': data({}),
  'no exclusions': data({ exclusions: [] }),
  'an exclusion of nothing': data({ exclusions: [{ start: 0, length: 0 }] }),
  'a part excluded': data({ exclusions: [{ start: 50, length: 20 }], hash: sha256(bytes.subarray(0, 50), bytes.subarray(70)) }),
  'a wrong digest': data({ hash: Buffer.alloc(32) }),
  'boxes': boxes(withPlace),
  'boxes without the manifest': boxes(parts),
  'boxes with the manifest elsewhere': boxes([...parts, ['C2PA', 0, 0]]),
  'boxes, last missing': boxes(withPlace.slice(0, -1)),
  'boxes, one missing': boxes(withPlace.filter((_, i) => i !== 1)),
};
const wanted = {
  // every part of the file is bound; where a manifest would stand binds nothing (15.12.3)
  'boxes without the manifest': 'Invalid / Trusted',
  'boxes with the manifest elsewhere': 'Invalid / Trusted',
  // a part of the file that no entry names is bound by nobody (15.12.3, 18.7)
  'boxes, last missing': 'Trusted / Invalid',
};

const work = path.join(folder, 'sidecars');
fs.mkdirSync(work, { recursive: true });
const files = Object.entries(cases).map(([name, r], i) => {
  const file = path.join(work, `${i}.png`);
  fs.writeFileSync(file, bytes);
  fs.writeFileSync(path.join(work, `${i}.c2pa`), store([manifest(r, signer, { start: 0, length: 0, hash: sha256(bytes) })]));
  return { name, file };
});
const rootFile = path.join(folder, 'root.pem');
const lines = (...command) => execFileSync(command[0], [...command.slice(1), rootFile, ...files.map((f) => f.file)], { encoding: 'utf8' }).trim().split('\n');
const theirs = lines(python, path.join(import.meta.dirname, 'c2pa_readers.py'), 'python'), ours = lines(judge);
let failed = 0;
files.forEach(({ name }, i) => {
  const t = theirs[i].split(' ')[0], o = ours[i][0].toUpperCase() + ours[i].slice(1);
  if (`${t} / ${o}` === (wanted[name] ?? `${t} / ${t}`)) return;
  failed = 1;
  console.log(`not ok sidecar with ${name}: ${t} / ${o}`);
});
if (!failed) console.log(`ok c2pa-python and our validator agree on ${files.length} sidecars, but for ${Object.keys(wanted).length}`);
process.exit(failed);
