/** Sums of squares of nets: predictions less targets, over chunks of rows that fit in the cache. */
import type { LeastSquaresProblem } from './damped.js'
import { DenseNet, type LayerPlan, unitMajor } from './dense-net.js'
import { addGram, addProduct } from './normal.js'

/** Floats of Jacobian that are held at a time, and fewest rows. */
const CHUNK_FLOATS = 1 << 17
const LEAST_ROWS = 32

/** Row ranges of a data set and the matrices over them. @internal */
export interface Chunk {
  count: number
  /** Unit-major. */
  inputs: Float64Array
  /** Unit-major. */
  targets: Float64Array
}

/** Cuts row-major data into chunks. @internal */
export function chunksOf(plan: readonly LayerPlan[], size: number, x: ArrayLike<number>, y: ArrayLike<number>): Chunk[] {
  const inputs = plan[0].inputs
  const { outputs } = plan[plan.length - 1]
  const rows = x.length / inputs
  const perChunk = Math.max(LEAST_ROWS, Math.floor(CHUNK_FLOATS / (size * outputs)))
  const chunks: Chunk[] = []
  for (let from = 0; from < rows; from += perChunk) {
    const to = Math.min(rows, from + perChunk)
    chunks.push({ count: to - from, inputs: unitMajor(x, inputs, from, to), targets: unitMajor(y, outputs, from, to) })
  }
  return chunks
}

/** r = prediction − target of a dense net, all outputs of all rows. @internal */
export class NetProblem implements LeastSquaresProblem {
  private readonly net: DenseNet
  private readonly columns: Float64Array
  private readonly residuals: Float64Array

  constructor(
    plan: readonly LayerPlan[],
    readonly size: number,
    private readonly chunks: readonly Chunk[],
  ) {
    const most = chunks[0].count
    this.net = new DenseNet(plan, most)
    this.columns = new Float64Array(size * most * this.net.outputs)
    this.residuals = new Float64Array(most * this.net.outputs)
  }

  value(x: Float64Array): number {
    let sum = 0
    for (const chunk of this.chunks) sum += this.chunkValue(x, chunk)
    return 0.5 * sum
  }

  private chunkValue(x: Float64Array, { inputs, targets, count }: Chunk): number {
    const { residuals } = this
    const outputs = this.net.forward(x, inputs, count)
    let sum = 0
    for (let i = 0; i < targets.length; i++) {
      const r = outputs[i] - targets[i]
      residuals[i] = r
      sum += r * r
    }
    return sum
  }

  linearize(x: Float64Array, h: Float64Array, g: Float64Array): void {
    const { net, columns, size, chunks, residuals } = this
    for (const chunk of chunks) {
      const { inputs, count } = chunk
      const m = net.outputs * count
      // With a single chunk the pass that value() made at this point is still there.
      if (chunks.length > 1) this.chunkValue(x, chunk)
      net.slopes(count)
      for (let k = 0; k < net.outputs; k++) net.jacobianOf(k, x, inputs, count, columns, m, k * count)
      addGram(columns, size, m, m, h)
      addProduct(columns, size, m, m, residuals, g)
    }
  }
}
