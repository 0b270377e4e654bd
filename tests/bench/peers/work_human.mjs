// @vladmandic/human on the WASM backend of TensorFlow.js, behind the protocol of tests/bench/peers/worker.py.
// argv: the folder with node_modules, the raw RGB photo, its width and height.
import { createRequire } from 'node:module';
import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const [folder, photo, width, height] = process.argv.slice(2);
const need = createRequire(join(folder, 'package.json'));
const human_folder = join(folder, 'node_modules', '@vladmandic');
// Models and the WASM files are read from the disk: nothing of this comes from the network.
const fetch_network = globalThis.fetch;
globalThis.fetch = async (url, ...more) => {
  const name = String(url?.url ?? url);
  if (!name.startsWith('file:') && !name.startsWith('/')) return fetch_network(url, ...more);
  const bytes = readFileSync(name.startsWith('file:') ? fileURLToPath(name) : name);
  const type = name.endsWith('.json') ? 'application/json' : name.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream';
  return new Response(bytes, { headers: { 'content-type': type } });
};
const wasm = need('@tensorflow/tfjs-backend-wasm');
const wasm_folder = join(folder, 'node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist') + '/';
wasm.setThreadsCount(1);
const Human = need(join(human_folder, 'human', 'dist', 'human.node-wasm.js')).default;

const off = { enabled: false };
const config = (liveness) => ({
  backend: 'wasm', wasmPath: wasm_folder, wasmPlatformFetch: false, debug: false, async: false, warmup: 'none', cacheSensitivity: 0,
  modelBasePath: 'file://' + join(human_folder, 'human-models', 'models') + '/',
  filter: off, gesture: off, body: off, hand: off, object: off, segmentation: off,
  face: {
    enabled: true, detector: { rotation: true, maxDetected: 1, skipFrames: 0, skipTime: 0 }, mesh: { enabled: true }, iris: off,
    emotion: off, description: { enabled: true, skipFrames: 0, skipTime: 0 },
    antispoof: { enabled: liveness, skipFrames: 0, skipTime: 0 }, liveness: { enabled: liveness, skipFrames: 0, skipTime: 0 },
  },
});
const say = (what) => writeSync(1, JSON.stringify(what) + '\n');
const human = new Human(config(false));
await human.load();
const pixels = human.tf.tensor(new Uint8Array(readFileSync(photo)), [1, Number(height), Number(width), 3], 'int32');
const look = async (work) => {
  const result = await human.detect(pixels, config(work === 'liveness'));
  if (result.face.length !== 1) throw new Error(`${result.face.length} faces`);
  return result.face[0];
};
const versions = { human: need(join(human_folder, 'human', 'package.json')).version, tfjs: human.tf.version_core ?? '' };
await look('embedding');
say({ ready: true, versions, backend: `TensorFlow.js ${human.tf.getBackend()}, one thread`, works: ['embedding', 'liveness'] });
for await (const line of createInterface({ input: process.stdin })) {
  const { work, rounds, photos } = JSON.parse(line);
  if (photos) {
    const out = [];
    for (const one of photos) {
      const input = human.tf.tensor(new Uint8Array(readFileSync(one.file)), [1, one.height, one.width, 3], 'int32');
      const result = await human.detect(input, config(false));
      input.dispose();
      const faces = result.face.filter((face) => face.embedding?.length).sort((a, b) => b.size[0] * b.size[1] - a.size[0] * a.size[1]);
      out.push(faces.length ? Array.from(faces[0].embedding) : null);
    }
    say({ embeddings: out });
    continue;
  }
  const wall = [], cpu = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage(), began = process.hrtime.bigint();
    await look(work);
    wall.push(Number(process.hrtime.bigint() - began) / 1e6);
    const used = process.cpuUsage(before);
    cpu.push((used.user + used.system) / 1e3);
  }
  say({ wall, cpu, peak_mb: process.resourceUsage().maxRSS / 1024 });
}
