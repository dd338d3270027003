// c2pa_signed.mjs FOLDER ROOT - asks the C2PA reference implementation about pictures made elsewhere that blindstamp
// signed: FOLDER/one (each format, without a past), FOLDER/two (a stranger signed them first, which is their past),
// FOLDER/broken (whose past did not hold, which is recorded), FOLDER/marked (with more said in their own metadata). In one and
// marked the source type is said there too.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, rootFile] = process.argv.slice(2);
const pkg = path.resolve('node_modules/@contentauth/c2pa-wasm/pkg');
const { default: init, WasmReader } = await import(pathToFileURL(path.join(pkg, 'c2pa.js')));
await init({ module_or_path: fs.readFileSync(path.join(pkg, 'c2pa_bg.wasm')) });
const root = fs.readFileSync(rootFile, 'utf8');
let failed = 0;
function check(good, name, detail = '') {
  console.log(`${good ? 'ok' : 'not ok'} ${name}${good ? '' : ' ' + detail}`);
  if (!good) failed = 1;
}

const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Map ? Object.fromEntries(v) : v)));
const types = { '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp' };
const settings = JSON.stringify({
  version: 1,
  trust: { anchors: [{ trust_anchors: root, trust_kind: 'manifest' }] },
  verify: { verify_trust: true, ocsp_fetch: false, remote_manifest_fetch: false },
});
async function read(file) {
  try {
    return plain((await WasmReader.fromBytes(types[path.extname(file)], fs.readFileSync(file), settings)).manifestStore());
  } catch (error) {
    return { validation_state: 'refused', error: String(error) };
  }
}
function failures(store) {
  const results = store.validation_results ?? {};
  const deltas = (results.ingredientDeltas ?? []).flatMap((d) => d.validationDeltas.failure);
  return [...(results.activeManifest?.failure ?? []), ...deltas].map((f) => f.code);
}
function trusted(name, store) {
  check(store.validation_state === 'Trusted' && failures(store).length === 0, `${name} is Trusted without failure`,
    `${store.validation_state} ${failures(store)} ${store.error ?? ''}`);
}
const files = (name) => fs.readdirSync(path.join(folder, name)).filter((f) => path.extname(f) in types).sort();

for (const part of ['one', 'two', 'broken', 'marked']) {
  check(files(part).length > 0, `there are pictures in ${part}`);
  for (const name of files(part)) {
    const store = await read(path.join(folder, part, name));
    trusted(`${part}/${name}`, store);
    const manifest = store.manifests?.[store.active_manifest];
    const actions = manifest?.assertions?.find((a) => a.label.startsWith('c2pa.actions'))?.data.actions ?? [];
    const wanted = part === 'broken' ? 'c2pa.opened' : 'c2pa.opened c2pa.edited.metadata';
    check(actions.map((a) => a.action).join(' ') === wanted, `${part}/${name} was opened, not made`, JSON.stringify(actions));
    const parent = manifest?.ingredients?.[0];
    check(parent?.relationship === 'parentOf' && !!parent.active_manifest === !['one', 'marked'].includes(part),
      `${part}/${name} has the right past`, JSON.stringify(parent));
    check(!!manifest?.thumbnail === (part === 'two') && !!parent?.thumbnail === (part === 'two'),
      `${part}/${name} ${part === 'two' ? 'shows itself' : 'shows no thumbnail'}`, JSON.stringify(manifest?.thumbnail));
    if (part === 'broken')
      check(JSON.stringify(parent?.validation_results ?? {}).includes('assertion.dataHash.mismatch'),
        `${part}/${name} says that its past did not hold`);
    // any change is seen: one byte near the end, before what may follow the picture
    const copy = fs.readFileSync(path.join(folder, part, name));
    copy[Math.floor(copy.length * 0.98)] ^= 1;
    const altered = path.join(folder, 'altered' + path.extname(name));
    fs.writeFileSync(altered, copy);
    check((await read(altered)).validation_state !== 'Trusted', `${part}/${name} altered is not Trusted`);
  }
}
process.exit(failed);
