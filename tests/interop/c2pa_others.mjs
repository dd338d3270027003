// c2pa_others.mjs FOLDER JUDGE ROOT.pem - pictures that other programs made: FOLDER holds those that ship with the reference
// (c2pa-*, c2patool-*) and what c2pie signed, c2pa-ts signs here. The reference and our validator (JUDGE) say the same of
// them and of altered copies, but for what c2pa_wanted.mjs says.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { fix } from './c2pa_cases.mjs';
import { differenceOf, ours, same, settingsOf, theirs, types } from './c2pa_reference.mjs';
import { othersWanted as wanted } from './c2pa_wanted.mjs';

const [folder, judge, rootFile, png, jpeg] = process.argv.slice(2);

// ---- what c2pa-ts signs; its ECDSA signatures are in DER, which neither takes ----

const from = (name) => import(pathToFileURL(path.resolve('node_modules/@trustnxt/c2pa-ts/dist', name, 'index.js')));
const { JPEG, PNG } = await from('asset'), { LocalSigner } = await from('cose');
const { ActionAssertion, ClaimVersion, DataHashAssertion, ManifestStore, ThumbnailAssertion, ThumbnailType } = await from('manifest');
const { X509Certificate } = await import(pathToFileURL(path.resolve('node_modules/@peculiar/x509/build/x509.es.js')));
const numbers = { ed25519: -8, es256: -7, es384: -35, ps256: -37, ps384: -38, ps512: -39 };
async function signed(alg, Asset, bytes, claimVersion) {
  const file = path.join(path.dirname(rootFile), alg.startsWith('ps') ? 'ps256' : alg);
  const key = crypto.createPrivateKey(fs.readFileSync(`${file}.key`)).export({ type: 'pkcs8', format: 'der' });
  const signer = new LocalSigner(key, numbers[alg], new X509Certificate(fs.readFileSync(`${file}.pem`, 'utf8')));
  const asset = new Asset(bytes), store = new ManifestStore();
  const manifest = store.createManifest({ claimVersion, assetFormat: asset.mimeType, instanceID: `xmp:iid:${crypto.randomUUID()}`, defaultHashAlgorithm: 'SHA-256', signer });
  const hash = DataHashAssertion.create('SHA-512'), actions = new ActionAssertion();
  actions.actions = [{ action: 'c2pa.created', digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia' }];
  for (const assertion of [hash, actions, ThumbnailAssertion.create(asset.mimeType.slice(6), bytes, ThumbnailType.Claim)]) manifest.addAssertion(assertion);
  await asset.ensureManifestSpace(store.measureSize());
  await hash.updateWithAsset(asset);
  await manifest.sign(signer);
  await asset.writeManifestJUMBF(store.getBytes());
  return asset.getDataRange();
}
for (const alg of Object.keys(numbers))
  for (const [name, Asset, file] of [['png', PNG, png], ['jpg', JPEG, jpeg]])
    for (const version of ['V1', 'V2'])
      fs.writeFileSync(path.join(folder, `c2pa-ts-${alg}-${version}.${name}`), await signed(alg, Asset, fs.readFileSync(file), ClaimVersion[version]));

// ---- the comparison ----

const files = fs.readdirSync(folder).filter((f) => path.extname(f) in types).sort();
for (const file of [...files]) {
  const bytes = fs.readFileSync(path.join(folder, file)), type = types[path.extname(file)];
  bytes[type === 'image/png' ? bytes.indexOf('IDAT') + 8 : Math.floor(bytes.length * 0.98)] ^= 1; // of the picture itself
  const copy = `${path.parse(file).name}-altered${path.extname(file)}`;
  fs.writeFileSync(path.join(folder, copy), fix(type, bytes));
  files.push(copy);
}
const settings = settingsOf(rootFile), said = ours(judge, rootFile, files.map((f) => path.join(folder, f)));
const groups = {}, met = new Set();
let failed = 0;
for (const [i, file] of files.entries()) {
  const name = path.parse(file).name.replace(/^c2pa-\d[\d.]*-/, '');
  const t = await theirs(types[path.extname(file)], fs.readFileSync(path.join(folder, file)), settings), o = said[i];
  const listed = wanted[name.replace(/-altered$/, '')], altered = file.includes('-altered');
  // of an altered copy only the state must be alike, where the table speaks of the original
  const difference = differenceOf(t, o);
  const good = altered && listed ? t.state === o.state : listed ? difference === listed : same(t, o);
  const group = /^(c2pa-ts|c2pie|c2patool|c2pa)/.exec(file)[0];
  groups[group] = (groups[group] ?? 0) + 1;
  if (listed && !altered) met.add(name);
  if (altered && (o.state === 'trusted' || o.state === 'valid')) {
    failed = 1;
    console.log(`not ok ${file} was altered, and is called ${o.state}`);
  }
  if (good) continue;
  failed = 1;
  console.log(`not ok ${file}: ${difference}${t.words ? ` (${t.words})` : ''}`);
}
if (Object.keys(groups).includes('c2pa'))
  for (const name of Object.keys(wanted).filter((n) => !met.has(n))) {
    failed = 1;
    console.log(`not ok the table names a picture that is not there: ${name}`);
  }
for (const [group, count] of Object.entries(groups)) if (!failed) console.log(`ok ${count} pictures, half of them altered, of ${group}`);
console.log(`# ${met.size} differences of the table`);
process.exit(failed);
