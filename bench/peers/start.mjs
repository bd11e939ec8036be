/**
 * The waiting times of a new process: for the import and the engine, for the first step of a net, and for the first step of W5.
 * `node start.mjs CONTESTANT [OPTION]`, in .cache/peers; prints one line of JSON, milliseconds.
 */
import { readFileSync } from 'node:fs'

const [name, ...options] = process.argv.slice(2)
const readSpec = (id) => JSON.parse(readFileSync(`data/${id}.json`, 'utf8'))

const READY = {
  gradus: async () => (await import('gradus')).load(),
  'jax-js': async () => (await import('@jax-js/jax')).init('wasm'),
  async tfjs() {
    const tf = await import('@tensorflow/tfjs-core')
    await import('@tensorflow/tfjs-layers')
    await import('@tensorflow/tfjs-backend-cpu')
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(`${process.cwd()}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`)
    await tf.setBackend(options[0])
    await tf.ready()
  },
}

/** One batch of a workload. */
function taskOf(id) {
  const spec = readSpec(id)
  const { sizes, batch } = spec
  const floats = (n) => Float32Array.from({ length: n }, (_, i) => Math.sin(i))
  const y = Float32Array.from({ length: batch }, (_, r) => r % Math.max(2, sizes.at(-1)))
  const weights = sizes.slice(1).map((n, i) => floats(sizes[i] * n))
  return { ...spec, batches: 1, count: batch, x: floats(batch * sizes[0]), y, weights, options }
}

async function firstStep(id) {
  const task = taskOf(id)
  const net = await create(task)
  const started = performance.now()
  await net.run(1)
  return performance.now() - started
}

const started = performance.now()
await READY[name]()
const ready = performance.now() - started
const { create } = await import(`./contestants/${name}.mjs`)
const first = await firstStep('W2')
const large = await firstStep('W5')
console.log(JSON.stringify({ ready, first, large }))
process.exit(0)
