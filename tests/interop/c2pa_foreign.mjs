// c2pa_foreign.mjs FOLDER JUDGE SAMPLE.png SAMPLE.jpg - lets the reference implementation sign pictures, with each of
// its algorithms, and compares what it says of them, and of altered copies, with what our own reader (JUDGE) says.
// FOLDER holds ALG.key (PKCS#8), ALG.pem (leaf) and root.pem.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

// The package reads blobs with a class that only browsers' workers have.
class HeldBlob extends Blob {
  constructor(bytes, options) {
    super([bytes], options);
    this.held = Buffer.from(bytes);
  }
  slice(start = 0, end = this.held.length, type = this.type) {
    return new HeldBlob(this.held.subarray(start, end), { type });
  }
}
globalThis.FileReaderSync = class {
  readAsArrayBuffer(blob) {
    return new Uint8Array(blob.held).buffer;
  }
};

const [folder, judge, ...samples] = process.argv.slice(2);
const pkg = path.resolve('node_modules/@contentauth/c2pa-wasm/pkg');
const { default: init, WasmBuilder, WasmReader } = await import(pathToFileURL(path.join(pkg, 'c2pa.js')));
await init({ module_or_path: fs.readFileSync(path.join(pkg, 'c2pa_bg.wasm')) });
const rootFile = path.join(folder, 'root.pem');
const trust = { trust: { anchors: [{ trust_anchors: fs.readFileSync(rootFile, 'utf8'), trust_kind: 'manifest' }] } };
const settings = JSON.stringify({ version: 1, ...trust, verify: { verify_trust: true, ocsp_fetch: false, remote_manifest_fetch: false } });

// The few CBOR heads that a COSE_Sign1 needs.
function head(major, n) {
  if (n < 24) return Buffer.from([(major << 5) | n]);
  if (n < 256) return Buffer.from([(major << 5) | 24, n]);
  return Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
}
const bstr = (data) => Buffer.concat([head(2, data.length), data]);
const tstr = (text) => Buffer.concat([head(3, Buffer.byteLength(text)), Buffer.from(text)]);

const algorithms = {
  ed25519: { id: -8, sign: (key, data) => crypto.sign(null, data, key) },
  es256: { id: -7, sign: (key, data) => crypto.sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }) },
  es384: { id: -35, sign: (key, data) => crypto.sign('sha384', data, { key, dsaEncoding: 'ieee-p1363' }) },
  ps256: {
    id: -37,
    sign: (key, data) => crypto.sign('sha256', data, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  },
};
const reserve = 6000;
function signer(alg) {
  const key = crypto.createPrivateKey(fs.readFileSync(path.join(folder, `${alg}.key`)));
  const der = new crypto.X509Certificate(fs.readFileSync(path.join(folder, `${alg}.pem`))).raw;
  return {
    alg,
    reserveSize: reserve,
    sign: async (claim) => {
      const header = Buffer.concat([head(5, 2), head(0, 1), head(1, -1 - algorithms[alg].id), head(0, 33), bstr(der)]);
      const covered = Buffer.concat([head(4, 4), tstr('Signature1'), bstr(header), bstr(Buffer.alloc(0)), bstr(Buffer.from(claim))]);
      const sig = algorithms[alg].sign(key, covered);
      const join = (pad) => Buffer.concat([Buffer.from([0xd2, 0x84]), bstr(header), head(5, 1), tstr('pad'), bstr(Buffer.alloc(pad)), Buffer.from([0xf6]), bstr(sig)]);
      return new Uint8Array(join(reserve - join(256).length + 256));
    },
  };
}

async function verdict(type, bytes) {
  try {
    return (await WasmReader.fromBytes(type, bytes, settings)).manifestStore().validation_state;
  } catch {
    return 'refused';
  }
}
const ours = (file) => execFileSync(judge, [rootFile, file], { encoding: 'utf8' }).trim();

let failed = 0;
function check(good, name, detail) {
  console.log(`${good ? 'ok' : 'not ok'} ${name}${good ? '' : ' ' + detail}`);
  if (!good) failed = 1;
}
const definition = {
  claim_generator_info: [{ name: 'Another', version: '1.0' }],
  title: 'signed elsewhere',
  assertions: [
    { label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.created', digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia' }] } },
    { label: 'org.example.note', data: { words: 'hello' }, kind: 'Json' },
  ],
};
for (const sample of samples) {
  const type = sample.endsWith('.png') ? 'image/png' : 'image/jpeg';
  const source = new HeldBlob(fs.readFileSync(sample), { type });
  for (const alg of Object.keys(algorithms)) {
    const name = `${alg} ${type}`;
    const file = path.join(folder, `${alg}${path.extname(sample)}`);
    const builder = WasmBuilder.fromJson(JSON.stringify(definition), settings);
    builder.setThumbnailFromBlob(type, source);
    let signed;
    try {
      signed = Buffer.from(await builder.sign(signer(alg), [], type, source));
    } catch (error) {
      check(false, `the reference signs ${name}`, error);
      continue;
    }
    fs.writeFileSync(file, signed);
    const theirs = await verdict(type, signed);
    check(theirs === 'Trusted' && ours(file) === 'trusted', `our reader trusts ${name} of the reference`, `${theirs} / ${ours(file)}`);
    signed[signed.length - 5] ^= 1; // picture data, or the last chunk's checksum
    fs.writeFileSync(file, signed);
    const altered = ours(file);
    check((await verdict(type, signed)) !== 'Trusted' && altered !== 'trusted' && altered !== 'valid', `an altered ${name} is noticed`, altered);
  }
}
process.exit(failed);
