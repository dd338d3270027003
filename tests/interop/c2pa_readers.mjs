// c2pa_readers.mjs wasm|ts ROOT.pem FILE... - what the reference implementation (c2pa-wasm) or c2pa-ts says of each file,
// one line: "STATE FAILURE,... FILE". The wasm package knows no sidecars, c2pa-ts no WebP: "Unread".
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [which, rootFile, ...files] = process.argv.slice(2);
const types = { '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp' };
const packages = path.resolve('../node_modules');
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Map ? Object.fromEntries(v) : v)));
const sidecarOf = (file) => file.replace(/\.\w+$/, '.c2pa');

async function wasm() {
  const pkg = path.join(packages, '@contentauth/c2pa-wasm/pkg');
  const { default: init, WasmReader } = await import(pathToFileURL(path.join(pkg, 'c2pa.js')));
  await init({ module_or_path: fs.readFileSync(path.join(pkg, 'c2pa_bg.wasm')) });
  const settings = JSON.stringify({
    version: 1,
    trust: { anchors: ['manifest', 'tsa'].map((kind) => ({ trust_anchors: fs.readFileSync(rootFile, 'utf8'), trust_kind: kind })) },
    verify: { verify_trust: true, ocsp_fetch: false, remote_manifest_fetch: false },
  });
  return async (file, bytes) => {
    if (fs.existsSync(sidecarOf(file))) return ['Unread', []];
    const store = plain((await WasmReader.fromBytes(types[path.extname(file)], bytes, settings)).manifestStore());
    const results = store.validation_results;
    const deltas = (results.ingredientDeltas ?? []).map((d) => d.validationDeltas);
    return [store.validation_state, [results.activeManifest, ...deltas].flatMap((r) => r.failure.map((s) => s.code))];
  };
}

// c2pa-ts has no trust in chains. Two of its faults meet our files: ES512 is with SHA-512 (RFC 9053, 2.1), which it checks
// with SHA-256; and sigTst2 holds the token itself (C2PA 2.4, 10.3.2.5), where it looks for a whole answer.
async function ts() {
  const from = (name) => import(pathToFileURL(path.join(packages, '@trustnxt/c2pa-ts/dist', name, 'index.js')));
  const { JPEG, PNG } = await from('asset'), { SuperBox } = await from('jumbf'), { ManifestStore } = await from('manifest');
  return async (file, bytes) => {
    if (path.extname(file) === '.webp') return ['Unread', []];
    const asset = JPEG.canRead(bytes) ? new JPEG(bytes) : new PNG(bytes);
    const sidecar = sidecarOf(file);
    const store = Buffer.from(fs.existsSync(sidecar) ? fs.readFileSync(sidecar) : asset.getManifestJUMBF());
    try {
      const result = await ManifestStore.read(SuperBox.fromBuffer(store)).validate(asset);
      const failures = result.statusEntries.filter((s) => !s.success).map((s) => s.code);
      const es512 = store.includes(Buffer.from([0xa2, 0x01, 0x38, 0x23])) && failures.join() === 'claimSignature.mismatch';
      return [result.isValid ? 'Trusted' : es512 ? 'Unread' : 'Invalid', failures];
    } catch (error) {
      const token = store.includes('sigTst2') && error.message === 'Failed to deserialize signature content';
      return [token ? 'Unread' : 'Refused', [error.message.replaceAll(' ', '_')]];
    }
  };
}

const read = await (which === 'ts' ? ts() : wasm());
for (const file of files) {
  let answer;
  try {
    answer = await read(file, fs.readFileSync(file));
  } catch (error) {
    answer = ['Refused', [String(error?.message ?? error).replaceAll(' ', '_')]];
  }
  console.log(answer[0], answer[1].join() || '-', file);
}
