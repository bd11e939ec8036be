/**
 * nanoGPT's recipe for a CPU (config/train_shakespeare_char.py with --device=cpu: four blocks of 128 with four heads, 64 characters, batches of 12,
 * AdamW with rate 1e-3, β₂ .99, decay .1, norms clipped at 1) beside PyTorch, from the same weights on the same batches of a text file: the loss of a
 * held-out tenth, and seconds of CPU a step on one thread. Both take turns, 10 steps each. The rate is constant and decays are of all parameters, in
 * both; nanoGPT's are of matrices alone.
 *
 *   node_modules/node/bin/node --import tsx bench/nano-gpt.ts FILE --python PATH [--steps 200] [--widen]
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { GPT, nextTokenLoss, torchWeights } from '../ts/attention/index.js'
import { encodeSafetensors } from '../ts/export/index.js'
import { AdamW, evaluateModel, fit, Generator, load, tensor } from '../ts/index.js'
import { readText, trainTokenizer } from '../ts/text/index.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' }, steps: { type: 'string', default: '200' }, widen: { type: 'boolean' } },
})
const [file] = positionals
if (file === undefined || values.python === undefined) throw new Error('bench/nano-gpt.ts wants a text file and --python PATH')
const [ROWS, CONTEXT, TURN, HELD] = [12, 64, 10, 240] as const
const steps = Number(values.steps)
const backend = await load({ widen: values.widen ?? false, threads: 1 })

const text = await readText(file)
const cut = Math.floor(0.9 * text.length)
const tokenizer = await trainTokenizer(text, { kind: 'characters' })
const tokens = tokenizer.encode(text)
const model = new GPT({ vocabulary: tokenizer.size, context: CONTEXT, width: 128, heads: 4, blocks: 4, seed: 1 })
const optimizer = new AdamW(model.parameters(), { learningRate: 1e-3, beta2: 0.99, weightDecay: 0.1, clipNorm: 1 })

/** Rows of the text from random places between two: inputs, and then the tokens that follow. */
function rowsOf(count: number, [from, to]: readonly [number, number], random: Generator): [Int32Array, Int32Array] {
  const places = Array.from(random.uniforms(count), (u) => from + Math.floor(u * (to - from - CONTEXT - 1)))
  const part = (shift: number) => Int32Array.from(places.flatMap((at) => [...tokens.subarray(at + shift, at + shift + CONTEXT)]))
  return [part(0), part(1)]
}
const learnt = rowsOf(steps * ROWS, [0, cut], new Generator(1))
const held = rowsOf(HELD, [cut, tokens.length], new Generator(2))
const shape = [HELD, CONTEXT]
const validation = { inputs: tensor(held[0], shape), targets: tensor(held[1], shape), loss: nextTokenLoss }

const folder = mkdtempSync(join(tmpdir(), 'gradus-nano-'))
try {
  const weights = Object.entries(torchWeights(model)).map(([name, t]) => [name, { shape: t.shape, data: Float32Array.from(t.read()) }])
  writeFileSync(join(folder, 'weights.safetensors'), encodeSafetensors(Object.fromEntries(weights)))
  writeFileSync(join(folder, 'tokens.bin'), new Uint8Array(Int32Array.from([learnt, held].flat().flatMap((part) => [...part])).buffer))
  const program = fileURLToPath(new URL('nano-gpt/pytorch.py', import.meta.url))
  const child = spawn(values.python, [program, folder, ...[steps, TURN, HELD, tokenizer.size].map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const best = { gradus: Number.POSITIVE_INFINITY, PyTorch: Number.POSITIVE_INFINITY }
  console.log(
    `gradus ${backend.variant}${backend.widened ? ', widened' : ''}; ${tokenizer.size} characters, ${readFileSync(file).length} bytes`,
  )
  for (let done = 0; done < steps; done += TURN) {
    const rows = learnt.map((part) => tensor(part.slice(done * ROWS * CONTEXT, (done + TURN) * ROWS * CONTEXT), [TURN * ROWS, CONTEXT]))
    const used = process.cpuUsage()
    await fit(model, { inputs: rows[0], targets: rows[1], loss: nextTokenLoss, optimizer, batchSize: ROWS, epochs: 1, shuffle: false })
    const { user, system } = process.cpuUsage(used)
    best.gradus = Math.min(best.gradus, (user + system) / 1e6 / TURN)
    child.stdin.write('\n')
    const answer = JSON.parse((await lines.next()).value as string) as { seconds: number; loss: number }
    best.PyTorch = Math.min(best.PyTorch, answer.seconds / TURN)
    if ((done + TURN) % 50 !== 0) continue
    const { loss } = evaluateModel(model, validation)
    console.log(`step ${done + TURN}: validation loss ${loss.toFixed(4)}, PyTorch ${answer.loss.toFixed(4)}`)
  }
  child.stdin.end()
  const [ours, theirs] = [best.gradus, best.PyTorch].map((seconds) => (1000 * seconds).toFixed(0))
  console.log(`a step, the best turn: ${ours} ms of CPU, PyTorch ${theirs} ms, ${(best.gradus / best.PyTorch).toFixed(2)} times as long`)
} finally {
  rmSync(folder, { recursive: true })
}
