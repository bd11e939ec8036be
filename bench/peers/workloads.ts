/**
 * The workloads: nets, batches and data, written to files that JavaScript and Python read alike, so that all contestants begin with the same weights
 * and see the same rows in the same order.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { RandomStream } from '../../ts/common/random-stream.js'
import { spirals } from '../../ts/data/index.js'

/** Steps of training, an update of an optimizer alone, or the time until a net has learned. */
export type Kind = 'steps' | 'update' | 'reach'

/** Loss on the last layer: binary cross-entropy of one logit, cross-entropy of several, mean squared error. */
export type LossName = 'bce' | 'ce' | 'mse'

/** One line of the table. */
export interface Workload {
  id: string
  kind: Kind
  /** For people. */
  title: string
  /** Widths from input to output; of an update, the number of parameters. */
  sizes: readonly number[]
  batch: number
  /** Number of batches per epoch. */
  batches: number
  activation: 'relu' | 'tanh'
  loss: LossName
  learningRate: number
  /** Number of sets of initial weights: each is a run of its own. */
  starts: number
  optimizer: 'adam' | 'momentum'
}

const RELU = { kind: 'steps', activation: 'relu', loss: 'ce', learningRate: 1e-3, starts: 1, optimizer: 'adam' } as const
const UPDATE = { ...RELU, kind: 'update', sizes: [10_000_000], batch: 1, batches: 1 } as const
const wide = (width: number, layers: number) => Array.from({ length: layers }, () => width)

export const WORKLOADS: readonly Workload[] = [
  {
    ...RELU,
    id: 'W1',
    title: '2-8-1, batch 4',
    sizes: [2, 8, 1],
    batch: 4,
    batches: 64,
    activation: 'tanh',
    loss: 'bce',
    learningRate: 1e-2,
  },
  { ...RELU, id: 'W2', title: '4-16-3, batch 16', sizes: [4, 16, 3], batch: 16, batches: 64, learningRate: 1e-2 },
  { ...RELU, id: 'W3', title: '32-64-64-1, batch 64', sizes: [32, 64, 64, 1], batch: 64, batches: 32, loss: 'mse' },
  { ...RELU, id: 'W4', title: '784-128-10, batch 64', sizes: [784, 128, 10], batch: 64, batches: 16 },
  { ...RELU, id: 'W5', title: '784-512-512-10, batch 128', sizes: [784, 512, 512, 10], batch: 128, batches: 4 },
  { ...RELU, id: 'W6', title: '1024-2048-2048-1000, batch 256', sizes: [1024, 2048, 2048, 1000], batch: 256, batches: 1 },
  { ...RELU, id: 'W7', title: '64-64×16-10, batch 32', sizes: [64, ...wide(64, 16), 10], batch: 32, batches: 16 },
  { ...UPDATE, id: 'W8', title: 'Adam alone, 10 M parameters' },
  { ...UPDATE, id: 'W8m', title: 'momentum alone, 10 M parameters', optimizer: 'momentum' },
  {
    ...RELU,
    id: 'C1',
    kind: 'reach',
    title: 'two spirals, 2-32-32-2, batch 32: until 97 % right',
    sizes: [2, 32, 32, 2],
    batch: 32,
    batches: 16,
    learningRate: 1e-2,
    starts: 5,
  },
]

/** Share of the labels that are wrong, so that no net fits them all and gradients stay alive. */
const WRONG = 0.05

/** Writes ID.json and ID.bin (floats: inputs, targets, then the weights of each layer, [in, out], of each start). */
export function writeWorkload(workload: Workload, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const parts = workload.kind === 'update' ? [] : [...dataOf(workload), ...weightsOf(workload)]
  const all = Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)))
  writeFileSync(path.join(folder, `${workload.id}.bin`), all)
  writeFileSync(path.join(folder, `${workload.id}.json`), JSON.stringify(workload))
}

/** Inputs and targets. */
export function dataOf(workload: Workload): [Float32Array, Float32Array] {
  if (workload.kind === 'reach') return spiralData(workload)
  const { sizes, batch, batches, loss, id } = workload
  const [count, inputs, outputs] = [batch * batches, sizes[0], sizes[sizes.length - 1]]
  const stream = new RandomStream(17)
  const x = normals(stream, count * inputs)
  if (id === 'W1') return [x, labels(count, stream, 2, (r) => (x[2 * r] * x[2 * r + 1] > 0 ? 1 : 0))]
  const teacher = normals(stream, inputs * outputs)
  const score = (r: number, c: number) => {
    let sum = 0
    for (let i = 0; i < inputs; i++) sum += x[r * inputs + i] * teacher[i * outputs + c]
    return sum / Math.sqrt(inputs)
  }
  if (loss === 'mse') return [x, Float32Array.from({ length: count }, (_, r) => score(r, 0) + 0.1 * x[r * inputs])]
  return [x, labels(count, stream, outputs, (r) => largest(Array.from({ length: outputs }, (_, c) => score(r, c))))]
}

const normals = (stream: RandomStream, n: number, scale = 1) => Float32Array.from({ length: n }, () => scale * stream.normal())

const largest = (scores: number[]) => scores.indexOf(Math.max(...scores))

function labels(count: number, stream: RandomStream, classes: number, of: (row: number) => number): Float32Array {
  return Float32Array.from({ length: count }, (_, r) => {
    const u = stream.uniform()
    return u < WRONG ? Math.floor((u / WRONG) * classes) : of(r)
  })
}

function spiralData({ batch, batches }: Workload): [Float32Array, Float32Array] {
  const { inputs, targets } = spirals({ count: batch * batches, classes: 2, turns: 1, noise: 0.02, seed: 3 })
  return [inputs, Float32Array.from(targets)]
}

/** The weights of each layer of each start: normal, of variance 2/in before relu and 1/in before tanh or the output. */
export function weightsOf({ sizes, activation, starts }: Workload): Float32Array[] {
  const all: Float32Array[] = []
  for (let start = 0; start < starts; start++) {
    const stream = new RandomStream(100 + start)
    for (let i = 0; i + 1 < sizes.length; i++) {
      const gain = activation === 'relu' && i + 2 < sizes.length ? 2 : 1
      const scale = Math.sqrt(gain / sizes[i])
      all.push(normals(stream, sizes[i] * sizes[i + 1], scale))
    }
  }
  return all
}
