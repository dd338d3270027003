// onnxruntime.mjs FOLDER - runs the graphs that tensors.c wrote on onnxruntime and compares with our output.
// Operators must agree to 1e-5 of the output's size, the whole model to 1e-4: both compute in float32, in different orders.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const ort = createRequire(join(folder, '..', 'package.json'))('onnxruntime-node');
const numbers = (tensor) => {
  const bytes = readFileSync(join(folder, tensor.file));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return tensor.whole ? new BigInt64Array(buffer) : new Float32Array(buffer);
};
// Booleans are whole numbers to us.
const feed = (tensor, type) => type === 'bool'
  ? new ort.Tensor('bool', Uint8Array.from(numbers(tensor), Number), tensor.dims)
  : new ort.Tensor(tensor.whole ? 'int64' : 'float32', numbers(tensor), tensor.dims);

let failed = 0;
for (const test of JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'))) {
  let verdict = 'ok', note = '';
  try {
    const session = await ort.InferenceSession.create(test.model, { logSeverityLevel: 3 });
    const feeds = {};
    for (const input of test.inputs)
      if (session.inputNames.includes(input.name))
        feeds[input.name] = feed(input, session.inputMetadata.find((m) => m.name === input.name).type);
    const { data, dims: shape } = (await session.run(feeds))[session.outputNames[0]];
    const theirs = { data: Array.from(data, Number), dims: shape };
    const ours = Array.from(numbers(test.output), Number);
    let size = 1, worst = 0;
    for (const x of theirs.data) if (Number.isFinite(x)) size = Math.max(size, Math.abs(x));
    ours.forEach((x, i) => {
      const distance = Object.is(x, theirs.data[i]) || (Number.isNaN(x) && Number.isNaN(theirs.data[i])) ? 0 : Math.abs(x - theirs.data[i]);
      if (!(distance <= worst)) worst = distance;
    });
    const limit = (test.name === 'model' ? 1e-4 : 1e-5) * size;
    const dims = theirs.dims.join() === test.output.dims.join();
    if (!dims) note = ` # theirs is [${theirs.dims}], ours [${test.output.dims}]`;
    else if (!(worst <= limit)) note = ` # differs by ${worst}`;
    else if (test.name === 'model') note = ` # differs by ${worst}`;
    if (!dims || !(worst <= limit)) verdict = 'not ok';
  } catch (error) {
    verdict = 'not ok';
    note = ` # ${String(error.message).split('\n')[0]}`;
  }
  if (verdict !== 'ok') failed++;
  console.log(`${verdict} onnxruntime ${test.name}${note}`);
}
process.exit(failed ? 1 : 0);
