/** bench/results/inference.json: the results of inference.ts, and its section of docs/benchmarks.md. */
import { type Origin, readResults, writeResults } from '../results.js'

/** The calls, and the floating-point operations of their products. */
export const KINDS = [
  { id: 'one', title: 'predict one row', flops: 2 * (784 * 128 + 128 * 10) },
  { id: 'many', title: 'predict 256 rows', flops: 256 * 2 * (784 * 128 + 128 * 10) },
  { id: 'all', title: 'loss and accuracy of 10,000 rows', flops: 10_000 * 2 * (784 * 128 + 128 * 10) },
  { id: 'gradient', title: 'gradient, batch 64', flops: 64 * 2 * (2 * 784 * 128 + 3 * 128 * 10) },
  { id: 'product', title: 'Hessian-vector product, batch 64', flops: 64 * 2 * (4 * 784 * 128 + 8 * 128 * 10) },
] as const
export type Kind = (typeof KINDS)[number]['id']

export interface InferenceResults extends Origin {
  turns: number
  /** GFLOP/s of multiply-adds on registers, with vectors of 128 bits. */
  limit: number
  /** Microseconds of a call: the median of windows, over turns, and the best window. */
  contestants: { name: string; figures: Partial<Record<Kind, { median: number; best: number }>> }[]
}

export function readInference(): InferenceResults {
  return readResults('inference')
}

export function writeInference(results: InferenceResults): void {
  writeResults('inference', results)
}

const number = (n: number) => (n >= 100 ? Math.round(n).toLocaleString('en') : n.toPrecision(3))

/** The section of docs/benchmarks.md. */
export function inferenceSection({ cpu, date, turns, limit, contestants }: InferenceResults): string {
  const figure = (name: string, kind: Kind) => contestants.find((c) => c.name === name)?.figures[kind]
  const rows = KINDS.map(({ id, title, flops }) => {
    const cells = contestants.map(({ name }) => {
      const found = figure(name, id)
      return found ? `${number(found.median)} / ${number(found.best)}` : '-'
    })
    return [title, ...cells, id === 'one' ? '-' : number(flops / limit / 1000)]
  })
  const head = ['microseconds of a call', ...contestants.map(({ name }) => name), 'at the limit of 128 bits']
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const beside = (kind: Kind, other: string) => {
    const [theirs, ...ours] = [other, 'gradus', 'gradus, widened'].map((name) => figure(name, kind)?.median ?? Number.NaN)
    return ours.map((t) => `${(theirs / t).toFixed(2)} ×`).join(' and ')
  }
  return `## Prediction, evaluation, derivatives

The net 784-128-10 (bench/peers/inference.ts; ${cpu}, one core, ${date}): every contestant in a process of its own, in ${turns} turns.
Times are of the processor; medians of windows, and behind the stroke the best. One row is a new tensor each time.
onnxruntime-node computes the loss by loops in JavaScript.

${[line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')}

How many times as fast as the other gradus is, by medians, as it comes and widened: one row ${beside('one', 'onnxruntime-node')} beside onnxruntime-node; beside
PyTorch 256 rows ${beside('many', 'PyTorch')}, 10,000 rows ${beside('all', 'PyTorch')}, a gradient ${beside('gradient', 'PyTorch')}, a
Hessian-vector product ${beside('product', 'PyTorch')}. The last column is what the products would take if vectors of 128 bits did nothing
but multiply and add (${limit.toFixed(1)} GFLOP/s here): where PyTorch, with vectors of 256 or 512, is faster than that, no WebAssembly that is not
widened can reach it. One row has no such limit, as it waits for the 0.4 MB of its weights.
`
}
