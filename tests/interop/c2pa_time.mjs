// c2pa_time.mjs ROOT.pem OURS.json - what the C2PA reference implementation says of time-stamped and stapled pictures beside
// what "blindstamp verify --json" said of them. Where ours differs on purpose, the paragraph of C2PA 2.4 is named.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [rootFile, oursFile] = process.argv.slice(2);
const pkg = path.resolve('../node_modules/@contentauth/c2pa-wasm/pkg');
const { default: init, WasmReader } = await import(pathToFileURL(path.join(pkg, 'c2pa.js')));
await init({ module_or_path: fs.readFileSync(path.join(pkg, 'c2pa_bg.wasm')) });
const settings = JSON.stringify({
  version: 1,
  trust: { anchors: [{ trust_anchors: fs.readFileSync(rootFile, 'utf8'), trust_kind: 'manifest' }] },
  verify: { verify_trust: true, ocsp_fetch: false, remote_manifest_fetch: false },
});
const wanted = {
  // 15.9: the status of a certificate that the responder does not know is told as unknown
  'ocsp-unknown.png': '+informational signingCredential.ocsp.unknown',
  'ocsp-stamped-unknown.png': '+informational signingCredential.ocsp.unknown',
  // 15.9: an answer that cannot be used is as if it were not there
  'ocsp-junk.png': '+informational signingCredential.ocsp.skipped',
  'ocsp-stamped-junk.png': '+informational signingCredential.ocsp.skipped',
  'ocsp-other.png': '+informational signingCredential.ocsp.skipped',
  // 14.5.1, RFC 6960 4.2.2.2: only who is appointed for OCSP may answer
  'ocsp-tsa.png': '-success signingCredential.ocsp.notRevoked +informational signingCredential.ocsp.skipped',
  'ocsp-stamped-tsa.png': '-success signingCredential.ocsp.notRevoked +informational signingCredential.ocsp.skipped',
  // 15.9: revoked only after the time of the time stamp: the certificate was good when it signed
  'ocsp-stamped-later.png': '+success signingCredential.ocsp.notRevoked',
};
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Map ? Object.fromEntries(v) : v)));
const sorted = (codes) => [...new Set(codes)].sort();
let failed = 0;
function check(good, name, detail) {
  console.log(`${good ? 'ok' : 'not ok'} ${name}${good ? '' : ': ' + detail}`);
  if (!good) failed = 1;
}
const files = JSON.parse(fs.readFileSync(oursFile, 'utf8'));
check(files.length === 29, 'every picture was judged', files.length);
for (const file of files) {
  const name = path.basename(file.file);
  const store = plain((await WasmReader.fromBytes('image/png', fs.readFileSync(file.file), settings)).manifestStore());
  const results = store.validation_results.activeManifest;
  const theirs = sorted(['success', 'informational', 'failure'].flatMap((kind) => (results[kind] ?? []).map((s) => `${kind} ${s.code}`)));
  const ours = sorted(file.c2pa.statuses.map((s) => `${s.kind} ${s.code}`));
  const difference = [...theirs.filter((s) => !ours.includes(s)).map((s) => '-' + s), ...ours.filter((s) => !theirs.includes(s)).map((s) => '+' + s)].join(' ');
  check(store.validation_state === file.c2pa.state && difference === (wanted[name] ?? ''), `${name}: the same verdict and codes`,
    `${store.validation_state} / ${file.c2pa.state} ${difference}`);
  if (/^(plain|stamped)-/.test(name))
    check(store.validation_state === 'Trusted' && !theirs.some((s) => s.startsWith('failure')), `${name} is Trusted without failure`, theirs);
  if (/^stamped-/.test(name))
    check(theirs.includes('success timeStamp.validated') && theirs.includes('success timeStamp.trusted'), `${name}: its time stamp counts`, theirs);
}
process.exit(failed);
