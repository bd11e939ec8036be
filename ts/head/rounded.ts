/** Heads with weights of 16 bits, for files and functions. */
import { halfToFloat, halvesOf } from '../io/dtypes.js'
import type { Examples } from './examples.js'
import type { Line } from './lines.js'

interface Layers {
  line: Line
  hidden: Line | null
}

/**
 * Both layers with weights that 16 bits hold. Biases make up for it amid the examples, so that vectors far from 0 lose no digits. A head
 * without examples comes from a file, whose weights are of this kind.
 */
export function rounded({ line, hidden, examples }: Layers & { examples: Examples | null }): Layers {
  if (examples === null) return { line, hidden }
  return hidden === null
    ? { line: roundedAround(examples.center(), line), hidden }
    : { line, hidden: roundedAround(examples.center(), hidden) }
}

function roundedAround(center: Float64Array, { weights, bias }: Line): Line {
  const { factor, halves } = halvesOf(weights)
  const after = Float64Array.from(halves, (half) => halfToFloat(half) * factor)
  const outputs = bias.length
  const shifted = bias.slice()
  for (let i = 0; i < after.length; i++) shifted[i % outputs] += center[Math.floor(i / outputs)] * (weights[i] - after[i])
  return { weights: after, bias: shifted }
}
