/** The hidden layer in front of the lines, h = max(0, x·W + b), once it is learnt (hidden.ts). */
import { eachOutput } from './engine.js'
import type { Line } from './lines.js'
import type { Rows } from './vectors.js'

/** The rows behind a hidden layer; without one the rows themselves. */
export function lift(rows: Rows, hidden: Line | null): Rows {
  if (hidden === null) return rows
  const { count, width } = rows
  const { weights, bias } = hidden
  const neurons = bias.length
  const out = new Float32Array(count * neurons)
  const byNeuron = weights.map((_, i) => weights[(i % width) * neurons + Math.floor(i / width)])
  eachOutput(rows, byNeuron, bias, (z, row) => {
    for (let k = 0; k < neurons; k++) out[row * neurons + k] = Math.max(0, z[k])
  })
  return { vectors: out, count, width: neurons }
}
