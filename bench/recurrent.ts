/**
 * Training steps a second of recurrent layers beside PyTorch: 64 units, 50 steps, batches of 32 rows of 16 numbers, Adam, the last output through a
 * dense layer of one unit, squared error. Both take turns; a figure is the best of all turns by the CPU time of its process, and by the clock with
 * threads.
 *
 *   node_modules/node/bin/node --import tsx bench/recurrent.ts [--python PATH] [--widen] [--threads N]
 *
 * Without --python (with torch; test/oracles/README.md says how to get one) gradus runs alone.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Adam, Dense, fit, Generator, load, mse, Sequential } from '../ts/index.js'
import { GRU, LSTM } from '../ts/recurrent/index.js'

const { values } = parseArgs({
  options: { python: { type: 'string' }, widen: { type: 'boolean' }, threads: { type: 'string', default: '1' } },
})
const [ROWS, STEPS, INPUTS, UNITS, BATCHES, TURNS] = [32, 50, 16, 64, 20, 12] as const
const threads = Number(values.threads)

const generator = new Generator(1)
const random = (count: number) => Float32Array.from({ length: count }, () => 2 * generator.next() - 1)
const data = { inputs: random(BATCHES * ROWS * STEPS * INPUTS), targets: random(BATCHES * ROWS), shape: [BATCHES * ROWS, STEPS, INPUTS] }

/** A program of Python that answers each line with steps a second of some batches; `turn('GRU')`. */
function pytorch(python: string) {
  const file = fileURLToPath(new URL('recurrent/pytorch.py', import.meta.url))
  const child = spawn(python, [file, ...[ROWS, STEPS, INPUTS, UNITS, BATCHES, threads].map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const turn = async (name: string) => {
    child.stdin.write(`${name}\n`)
    return Number((await lines.next()).value)
  }
  return { turn, end: () => child.stdin.end() }
}

const backend = await load({ widen: values.widen ?? false, threads })
const peer = values.python === undefined ? undefined : pytorch(values.python)
console.log(`gradus ${backend.variant}${backend.widened ? ', widened' : ''}, ${backend.threads} thread${threads === 1 ? '' : 's'}`)
for (const Layer of [GRU, LSTM] as unknown as (typeof GRU)[]) {
  const model = new Sequential([new Layer(INPUTS, UNITS), new Dense(UNITS, 1)])
  const optimizer = new Adam(model.parameters())
  const best = { gradus: 0, PyTorch: 0 }
  for (let turn = 0; turn < TURNS; turn++) {
    const [used, start] = [process.cpuUsage(), performance.now()]
    await fit(model, { ...data, loss: mse, optimizer, batchSize: ROWS, epochs: 2 })
    const { user, system } = process.cpuUsage(used)
    const seconds = threads === 1 ? (user + system) / 1e6 : (performance.now() - start) / 1e3
    best.gradus = Math.max(best.gradus, (2 * BATCHES) / seconds)
    if (peer) best.PyTorch = Math.max(best.PyTorch, await peer.turn(Layer.name))
  }
  const others = peer ? `, PyTorch ${best.PyTorch.toFixed(0)}` : ''
  console.log(`${Layer.name}: gradus ${best.gradus.toFixed(0)}${others} steps/s`)
}
peer?.end()
