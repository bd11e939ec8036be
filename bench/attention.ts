/**
 * Training steps a second of a GPT of characters beside PyTorch, and characters a second that it writes: two blocks of 64 with four heads, 64 steps,
 * batches of 16, 65 characters, AdamW. Both take turns; a figure is the best of all turns by the CPU time of its process, and by the clock with threads.
 *
 *   node_modules/node/bin/node --import tsx bench/attention.ts [--python PATH] [--compile] [--widen] [--threads N] [--turns N]
 *
 * Without --python (with torch; test/oracles/README.md says how to get one) gradus runs alone. `bench/sequences.ts text`
 * trains the same net on a text.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { GPT, generate, nextTokenLoss } from '../ts/attention/index.js'
import { AdamW, fit, Generator, load, tensor } from '../ts/index.js'

const { values } = parseArgs({
  options: {
    ...{ python: { type: 'string' }, compile: { type: 'boolean' }, widen: { type: 'boolean' } },
    ...{ threads: { type: 'string', default: '1' }, turns: { type: 'string', default: '8' } },
  },
})
const [ROWS, CONTEXT, VOCABULARY, WIDTH, HEADS, BLOCKS, BATCHES] = [16, 64, 65, 64, 4, 2, 20] as const
const threads = Number(values.threads)
const backend = await load({ widen: values.widen ?? false, threads })
console.log(`gradus ${backend.variant}${backend.widened ? ', widened' : ''}, ${backend.threads} thread${threads === 1 ? '' : 's'}`)
const sizes = { vocabulary: VOCABULARY, context: CONTEXT, width: WIDTH, heads: HEADS, blocks: BLOCKS, seed: 0 }
const random = new Generator(0)
await speed()

/** A program of Python that answers each call with steps a second of some batches. */
function pytorch(python: string) {
  const file = fileURLToPath(new URL('attention/pytorch.py', import.meta.url))
  const numbers = [ROWS, CONTEXT, VOCABULARY, WIDTH, HEADS, BLOCKS, BATCHES, threads].map(String)
  const child = spawn(python, [file, ...numbers, values.compile ? 'compile' : 'eager'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const turn = async () => {
    child.stdin.write('\n')
    return Number((await lines.next()).value)
  }
  return { turn, end: () => child.stdin.end() }
}

/** Seconds of CPU of a function on one thread, else of the clock. */
async function secondsOf(work: () => unknown): Promise<number> {
  const [used, start] = [process.cpuUsage(), performance.now()]
  await work()
  const { user, system } = process.cpuUsage(used)
  return threads === 1 ? (user + system) / 1e6 : (performance.now() - start) / 1e3
}

async function speed(): Promise<void> {
  const peer = values.python === undefined ? undefined : pytorch(values.python)
  const tokens = () =>
    tensor(
      Int32Array.from(random.uniforms(BATCHES * ROWS * CONTEXT), (u) => Math.floor(u * VOCABULARY)),
      [BATCHES * ROWS, CONTEXT],
    )
  const data = { inputs: tokens(), targets: tokens(), loss: nextTokenLoss, batchSize: ROWS, epochs: 1 }
  const model = new GPT(sizes)
  const optimizer = new AdamW(model.parameters(), { learningRate: 1e-3 })
  const best = { gradus: 0, PyTorch: 0, characters: 0 }
  for (let turn = 0; turn < Number(values.turns); turn++) {
    best.gradus = Math.max(best.gradus, BATCHES / (await secondsOf(() => fit(model, { ...data, optimizer }))))
    if (peer) best.PyTorch = Math.max(best.PyTorch, await peer.turn())
    best.characters = Math.max(best.characters, 1000 / (await secondsOf(() => generate(model, [1], { tokens: 1000, seed: turn }))))
  }
  peer?.end()
  console.log(`training: gradus ${best.gradus.toFixed(1)}${peer ? `, PyTorch ${best.PyTorch.toFixed(1)}` : ''} steps/s`)
  console.log(`generation: ${best.characters.toFixed(0)} characters/s`)
}
