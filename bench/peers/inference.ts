/**
 * Prediction, evaluation, gradients and Hessian-vector products of the net 784-128-10 compared with PyTorch and onnxruntime-node: each in a process
 * of its own on one core, alternately, with the same weights and rows. Writes bench/results/inference.json, from which write.ts makes a section of
 * docs/benchmarks.md.
 *
 *     node_modules/node/bin/node --import tsx bench/peers/inference.ts [--python PATH] [--core 1] [--turns 5]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { toOnnx } from '../../ts/export/onnx.js'
import { Dense, Generator, Sequential } from '../../ts/index.js'
import { origin } from '../results.js'
import { limitOf } from '../tools/limit.js'
import { type InferenceResults, KINDS, type Kind, writeInference } from './inference-results.js'
import { peersFolder, pythonIn } from './tools.js'

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    core: { type: 'string', default: '1' },
    turns: { type: 'string', default: '5' },
  },
})
const SIZES = [784, 128, 10]
const ROWS = 10_000
const turns = Number(values.turns)

/** Weights, rows and labels for all, in .cache/peers/data. */
function writeTask(folder: string): void {
  const generator = new Generator(5)
  const layers = SIZES.slice(1).map((n, i) => new Dense(SIZES[i], n, i < SIZES.length - 2 ? { activation: 'relu' } : {}))
  const model = new Sequential(layers, { seed: 1 })
  const labels = Float32Array.from({ length: ROWS }, (_, i) => i % SIZES[SIZES.length - 1])
  const numbers = [generator.uniforms(ROWS * SIZES[0]), labels, ...model.parameters().map((p) => p.data())]
  mkdirSync(path.join(folder, 'data'), { recursive: true })
  const write = (name: string, bytes: string | Uint8Array) => writeFileSync(path.join(folder, 'data', `inference.${name}`), bytes)
  write('json', JSON.stringify({ sizes: SIZES, rows: ROWS }))
  write('bin', new Uint8Array(Float32Array.from(numbers.flatMap((n) => Array.from(n))).buffer))
  write('onnx', toOnnx(model))
}

const folder = peersFolder()
writeTask(folder)
for (const name of ['inference.mjs', 'inference.py']) cpSync(path.join('bench/peers', name), path.join(folder, name))
const node = (version: 22 | 24) => path.resolve(folder, `node_modules/node-${version}/bin/node`)
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  gradus: [node(22), 'inference.mjs', 'gradus'],
  'gradus, widened': [node(24), 'inference.mjs', 'gradus', 'widen'],
  'onnxruntime-node': [node(24), 'inference.mjs', 'ort'],
  PyTorch: [pythonIn(folder, values.python), 'inference.py'],
}

interface Answer {
  loss: number
  times: Partial<Record<Kind, number>>
  best: Partial<Record<Kind, number>>
}

function measure(command: readonly string[]): Answer {
  const pin = process.platform === 'linux' ? ['taskset', '-c', values.core] : []
  const [program, ...rest] = [...pin, ...command]
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

const names = Object.keys(COMMANDS)
const answers = new Map<string, Answer[]>(names.map((name) => [name, []]))
const limit = limitOf(true)
const limits: number[] = []
for (let turn = 0; turn < turns; turn++) {
  limits.push(limit())
  for (const name of turn % 2 === 0 ? names : [...names].reverse()) answers.get(name)?.push(measure(COMMANDS[name]))
}
const losses = [...answers.values()].map(([{ loss }]) => loss)
if (Math.max(...losses) - Math.min(...losses) > 1e-4) throw new Error(`not all compute the same: losses are ${losses.join(', ')}`)

const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
const contestants = names.map((name) => {
  const of = (key: 'times' | 'best', kind: Kind) => (answers.get(name) ?? []).flatMap((answer) => answer[key][kind] ?? [])
  const measured = KINDS.filter(({ id }) => of('times', id).length > 0)
  const figures = Object.fromEntries(measured.map(({ id }) => [id, { median: median(of('times', id)), best: Math.min(...of('best', id)) }]))
  return { name, figures }
})
const results: InferenceResults = { ...origin(), turns, limit: Math.max(...limits), contestants }
writeInference(results)
for (const { name, figures } of contestants) {
  console.log(
    name.padEnd(18),
    KINDS.map(({ id }) => `${id} ${figures[id]?.median.toFixed(1) ?? '-'} / ${figures[id]?.best.toFixed(1) ?? '-'}`).join('  '),
  )
}
