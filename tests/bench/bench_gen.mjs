// bench_gen.mjs WORK MODEL BENCH_GEN - onnxruntime and our engine on the same file and size, taking turns. The ratio of each
// pair is what counts; its median is printed. Ours makes a whole picture (noise, graph, samples), theirs runs the graph.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';

const [work, model, bench] = process.argv.slice(2);
const ort = createRequire(join(work, 'package.json'))('onnxruntime-node');
const [width, height, rounds] = [768, 512, 9];
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

for (const threads of [1, 2]) {
  const ours = spawn(bench, [model, width, height, threads], { stdio: ['pipe', 'pipe', 'inherit'] });
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all' });
  // onnxruntime ties its threads, node's own among them, to processors; on few of those they then share one.
  execFileSync('taskset', ['-a', '-c', '-p', `0-${cpus().length - 1}`, process.pid]);
  const lines = createInterface({ input: ours.stdout })[Symbol.asyncIterator]();
  const feeds = {};
  for (const [name, dims] of Object.entries(JSON.parse((await lines.next()).value))) {
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => Math.random() * 2 - 1);
    feeds[name] = new ort.Tensor('float32', data, dims);
  }
  const pairs = [];
  await session.run(feeds);
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await session.run(feeds);
    const theirs = performance.now() - start;
    ours.stdin.write('\n');
    pairs.push([theirs, Number((await lines.next()).value)]);
  }
  ours.stdin.end();
  const [theirs, mine] = [median(pairs.map((p) => p[0])), median(pairs.map((p) => p[1]))];
  console.log(`  ${threads} threads: onnxruntime ${theirs.toFixed(1)} ms, ours ${mine.toFixed(1)} ms (${(1000 / mine).toFixed(2)} pictures/s), ` +
    `${median(pairs.map((p) => p[0] / p[1])).toFixed(2)} times as fast (median of ${rounds} pairs)`);
}
