// c2pa_reference.mjs - the C2PA reference implementation (c2pa-wasm in ./node_modules) beside our validator (judge): what
// each says of a file, and how that differs.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

// The package reads blobs with a class that only browsers' workers have.
export class HeldBlob extends Blob {
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
const pkg = path.resolve('node_modules/@contentauth/c2pa-wasm/pkg');
const { default: init, WasmBuilder, WasmReader } = await import(pathToFileURL(path.join(pkg, 'c2pa.js')));
await init({ module_or_path: fs.readFileSync(path.join(pkg, 'c2pa_bg.wasm')) });
export { WasmBuilder };

export const types = { '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp', '.tif': 'image/tiff', '.avif': 'image/avif', '.heic': 'image/heic' };
export const settingsOf = (rootFile) =>
  JSON.stringify({
    version: 1,
    trust: { anchors: ['manifest', 'cawg', 'tsa'].map((kind) => ({ trust_anchors: fs.readFileSync(rootFile, 'utf8'), trust_kind: kind })) },
    verify: { verify_trust: true, ocsp_fetch: false, remote_manifest_fetch: false },
  });
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Map ? Object.fromEntries(v) : v)));
export async function theirs(type, bytes, settings) {
  let read, reader;
  try {
    reader = await WasmReader.fromBytes(type, bytes, settings);
    read = plain(reader.manifestStore());
  } catch (error) {
    const words = String(error?.message ?? error);
    return { state: /JumbfNotFound/.test(words) ? 'none' : 'error', codes: [], words };
  }
  const codes = new Set();
  const take = (scope, results) => {
    for (const [kind, list] of Object.entries(results ?? {})) for (const s of list) codes.add(`${scope}${kind} ${s.code}`);
  };
  take('', read.validation_results?.activeManifest);
  for (const d of read.validation_results?.ingredientDeltas ?? []) take(`${d.ingredientAssertionURI} `, d.validationDeltas);
  return { state: read.validation_state.toLowerCase(), codes: [...codes].sort(), documents: { crjson: reader.crJson(), c2patool: reader.json() } };
}

const ask = (judge, option, rootFile, files) =>
  execFileSync(judge, [option, rootFile, ...files], { encoding: 'utf8', maxBuffer: 1 << 28 }).trimEnd().split('\n');
export function ours(judge, rootFile, files) {
  return ask(judge, '--codes', rootFile, files).map((line) => {
    const [state, ...codes] = line.split('\t');
    return { state, codes: [...new Set(codes)].sort() };
  });
}
// The documents in the two other forms. What differs by design is left out: words, times, who wrote it.
export const documents = (judge, form, rootFile, files) => ask(judge, `--${form}`, rootFile, files);
// Bytes are base64 wherever they stand, not an array of numbers here and there.
const bytewise = (key) => ['value', 'flags', 'hashes', 'ocspVals'].includes(key) || key.startsWith('urn:c2pa:');
function encoded(v, form) {
  if (!Array.isArray(v) || v.length === 0) return v;
  if (v.every(Array.isArray)) return v.map((x) => encoded(x, form));
  if (!v.every((n) => Number.isInteger(n) && n >= 0 && n < 256)) return v;
  const text = Buffer.from(v).toString('base64');
  return form === 'crjson' ? `b64'${text}'` : text;
}
const own = ['explanation', 'validationTime', 'specVersion', 'trustListUri', 'jsonGenerator'];
const sorted = (v, form) =>
  Array.isArray(v) ? v.map((x) => sorted(x, form))
  : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).filter((k) => !own.includes(k)).sort().map((k) => [k, sorted(bytewise(k) ? encoded(v[k], form) : v[k], form)]))
  : v;
// Findings are sets; their order says nothing.
const ordered = (v) =>
  Array.isArray(v) ? (v.every((x) => x?.code) ? [...v].sort((a, b) => (a.code + a.url < b.code + b.url ? -1 : 1)) : v).map(ordered)
  : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, ordered(x)]))
  : v;
// form: "crjson" or "c2patool".
export const shape = (text, form) => JSON.stringify(ordered(sorted(JSON.parse(text), form)));

// The reference gives up on much that it cannot build an answer for; we answer "invalid" and say which rule.
export const same = (t, o) =>
  t.state === 'error' ? o.state === 'error' || (o.state === 'invalid' && o.codes.some((c) => c.includes('failure '))) : t.state === o.state && t.codes.join() === o.codes.join();
const less = (a, b) => a.filter((x) => !b.includes(x));
// "THEIRS / OURS -CODE +CODE": what they alone say, and what we alone.
export const differenceOf = (t, o) => `${t.state} / ${o.state}${less(t.codes, o.codes).map((x) => ` -${x}`).join('')}${less(o.codes, t.codes).map((x) => ` +${x}`).join('')}`;
