/** Softmax regression on the first rows of MNIST in double precision, for tests and benchmarks beside oracles/mnist.json. */
import { readFileSync } from 'node:fs'
import type { Dataset } from '../../ts/data/dataset.js'

/** Result of SciPy's L-BFGS-B, from zeros to a largest gradient component of `tolerance`. */
export interface MnistOracle {
  rows: number
  decay: number
  tolerance: number
  value: number
  iterations: number
  evaluations: number
}

export const mnistOracles: MnistOracle[] = JSON.parse(readFileSync(new URL('../oracles/mnist.json', import.meta.url), 'utf8')).cases

export const CLASSES = 10

/** Row r has pixels columns[from[r] .. from[r + 1]); four of five are 0 and left out. */
interface Sparse {
  from: Int32Array
  columns: Uint16Array
  values: Float64Array
  labels: Int32Array
}

function sparse({ inputs, targets, features }: Dataset, rows: number): Sparse {
  const from = new Int32Array(rows + 1)
  for (let r = 0; r < rows; r++) {
    let filled = 0
    for (let i = 0; i < features; i++) if (inputs[r * features + i] !== 0) filled++
    from[r + 1] = from[r] + filled
  }
  const columns = new Uint16Array(from[rows])
  const values = new Float64Array(from[rows])
  let at = 0
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < features; i++) {
      const pixel = inputs[r * features + i]
      if (pixel === 0) continue
      columns[at] = i
      // The data set is in single precision; computed from the byte, the number equals the oracle's.
      values[at++] = Math.round(pixel * 255) / 255
    }
  }
  return { from, columns, values, labels: Int32Array.from(targets.subarray(0, rows)) }
}

/** Mean cross-entropy + ½·decay·|W|² over the first rows, with its gradient; W is [features, 10], then 10 biases. */
export function mnistObjective(data: Dataset, rows: number, decay: number): (w: Float64Array) => { value: number; gradient: Float64Array } {
  const part = sparse(data, rows)
  const biases = data.features * CLASSES
  return (w) => {
    const gradient = new Float64Array(w.length)
    let value = 0
    for (let r = 0; r < rows; r++) value += addRow(part, r, w, biases, gradient)
    value /= rows
    for (let i = 0; i < w.length; i++) gradient[i] /= rows
    for (let i = 0; i < biases; i++) {
      value += 0.5 * decay * w[i] * w[i]
      gradient[i] += decay * w[i]
    }
    return { value, gradient }
  }
}

/** The loss of a row; adds to its gradient. */
function addRow({ from, columns, values, labels }: Sparse, r: number, w: Float64Array, biases: number, gradient: Float64Array): number {
  const z = w.slice(biases)
  for (let i = from[r]; i < from[r + 1]; i++) {
    const [x, row] = [values[i], columns[i] * CLASSES]
    for (let k = 0; k < CLASSES; k++) z[k] += x * w[row + k]
  }
  const top = Math.max(...z)
  const sum = z.reduce((total, v) => total + Math.exp(v - top), 0)
  const loss = Math.log(sum) + top - z[labels[r]]
  for (let k = 0; k < CLASSES; k++) z[k] = Math.exp(z[k] - top) / sum - (k === labels[r] ? 1 : 0)
  for (let k = 0; k < CLASSES; k++) gradient[biases + k] += z[k]
  for (let i = from[r]; i < from[r + 1]; i++) {
    const [x, row] = [values[i], columns[i] * CLASSES]
    for (let k = 0; k < CLASSES; k++) gradient[row + k] += x * z[k]
  }
  return loss
}
