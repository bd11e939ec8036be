/** The natural gradient with the exact Fisher matrix, for small nets. */
import type { TensorLike } from '../tensor.js'
import { DENSE_ALLOWED, DenseOptimizer, type DenseOptimizerOptions, type NaturalGradientResult, type Visit } from './dense-optimizer.js'
import { addGram, addProduct, cholesky, solveCholesky } from './normal.js'
import { allFinite } from './vector.js'

/**
 * Steepest descent in the space of predictions (Amari 1998), with the exact Fisher matrix of the model's distribution,
 * which is the generalized Gauss-Newton matrix of its loss:
 *
 *     F = (1/N)·Σᵢ JᵢᵀHᵢJᵢ,  H = diag(p) − p·pᵀ for cross-entropy, 2/K·I for mse
 *     p ← p − η·(F + λ·I)⁻¹·g
 *
 * F is formed: 8·n² bytes and N·K·n²/2 + n³/6 multiplications a step, for up to about 1,500 parameters. In double
 * precision, whatever the backend of the model.
 *
 * @example
 * const optimizer = new NaturalGradient(model, { learningRate: 0.5, damping: 1e-2 })
 * const { loss } = optimizer.step(x, y)
 */
export class NaturalGradient extends DenseOptimizer<DenseOptimizerOptions> {
  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1, damping: 1e-3, loss: 'crossEntropy' }
  static override readonly allowed = DENSE_ALLOWED

  /** One step on all rows given. @throws ShapeError for data that does not fit, RangeError for a class out of range */
  step(inputs: TensorLike, targets: TensorLike): NaturalGradientResult {
    const { chunks, rows } = this.chunks(inputs, targets)
    const n = this.size
    const x = this.read()
    const h = new Float64Array(n * n)
    const g = new Float64Array(n)
    const loss = this.visit(chunks, x, (visit) => accumulate(visit, n, h, g)) / rows
    const factor = new Float64Array(n * n)
    const { damping, learningRate } = this.options
    const usable = Number.isFinite(loss) && allFinite(g) && cholesky(h, n, () => damping * rows, factor)
    if (!usable) return { loss, updated: false }
    this.stepCount++
    solveCholesky(factor, n, g, g)
    this.write(x.map((value, i) => value - learningRate * g[i]))
    return { loss, updated: true }
  }

  protected captured(): Record<string, unknown> {
    return {}
  }

  protected restore(): void {}
}

/** H ← H + Σᵢ (R·Jᵢ)ᵀ(R·Jᵢ), g ← g + Σᵢ Jᵢᵀ·∂lossᵢ; sums, not means. */
function accumulate({ net, loss, chunk, x }: Visit, n: number, h: Float64Array, g: Float64Array): void {
  const { count, inputs } = chunk
  const top = new Float64Array(net.outputs * count)
  const columns = new Float64Array(n * count)
  const ones = new Float64Array(count).fill(1)
  loss.gradient(top, count)
  net.backwardFrom(top, x, count)
  net.columns(inputs, count, columns, count, 0)
  addProduct(columns, n, count, count, ones, g)
  for (let k = 0; k < loss.roots; k++) {
    loss.root(k, top, count)
    net.backwardFrom(top, x, count)
    net.columns(inputs, count, columns, count, 0)
    addGram(columns, n, count, count, h)
  }
}
