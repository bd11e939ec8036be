/** How noisy the gradients of mini-batches are: against their size, beside the law of sampling. */
import { Generator, tensor } from 'gradus'
import type { Examples } from './examples'
import { lossOf, type Trainer } from './trainer'

export interface Noise {
  /** Sizes of batches, ascending, up to all rows. */
  sizes: number[]
  /** Root mean square distance of a batch's gradient from that of all rows, as a share of the latter's length. */
  measured: number[]
  /** The same by the law of sampling without replacement: σ / √n · √((N − n) / (N − 1)). */
  law: number[]
}

/** Gradients of the net at its present weights; its training goes on as if nobody had looked. */
export function gradientNoise({ model, optimizer }: Trainer, { train, features, classes }: Examples, most = 60): Noise {
  const weights = model.parameters().reduce((sum, { size }) => sum + size, 0)
  // Large nets have fewer draws of each size, so that a look takes a second or two.
  const draws = Math.max(2, Math.min(most, Math.round(120_000 / weights)))
  const { count } = train
  const on = (rows: ArrayLike<number>): Float64Array => {
    const inputs = Float32Array.from(
      { length: rows.length * features },
      (_, i) => train.inputs[rows[Math.floor(i / features)] * features + (i % features)],
    )
    const labels = Int32Array.from(rows, (row) => train.labels[row])
    lossOf(model, tensor(inputs, [rows.length, features]), labels, classes).backward()
    const gradient = Float64Array.from(model.parameters().flatMap((parameter) => Array.from(parameter.gradientView())))
    optimizer.zeroGrad()
    return gradient
  }
  const whole = on(Array.from({ length: count }, (_, i) => i))
  const size = Math.sqrt(whole.reduce((sum, v) => sum + v * v, 0))
  const squareFrom = (gradient: Float64Array) => gradient.reduce((sum, v, i) => sum + (v - whole[i]) ** 2, 0)
  const rows = Array.from({ length: count }, (_, i) => squareFrom(on([i])))
  const variance = rows.reduce((sum, square) => sum + square, 0) / count
  const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].filter((n) => n < count)
  const random = new Generator(1)
  const measured = sizes.map((n) => {
    let sum = 0
    for (let k = 0; k < draws; k++) sum += squareFrom(on(random.permutation(count).subarray(0, n)))
    return Math.sqrt(sum / draws) / size
  })
  const law = sizes.map((n) => Math.sqrt((variance / n) * ((count - n) / (count - 1))) / size)
  return { sizes, measured, law }
}
