/** The natural gradient with the exact Fisher matrix, for small nets. */
import type { Ptr } from '../../backend/kernels.js'
import type { TensorLike } from '../../tensor.js'
import { type Frozen, KernelEquations } from '../least-squares/equations.js'
import { clearFrozen } from './dense-net.js'
import {
  DENSE_ALLOWED,
  DenseOptimizer,
  type DenseOptimizerOptions,
  type NaturalGradientResult,
  type Pass,
  type Stage,
} from './dense-optimizer.js'

/**
 * Steepest descent in the space of predictions (Amari 1998), with the exact Fisher matrix of the model's distribution, which is the generalized
 * Gauss-Newton matrix of its loss:
 *
 *     F = (1/N)·Σᵢ JᵢᵀHᵢJᵢ,  H = diag(p) − p·pᵀ for cross-entropy, 2/K·I for mse
 *     p ← p − η·(F + λ·I)⁻¹·g
 *
 * A learning rate that is too large for the damping diverges (there is no line search): a rate of 1 needs a damping of 0.1.
 *
 * F is formed: 8·n² bytes and N·K·n²/2 + n³/6 multiplications a step, for up to about 1,500 parameters. In double precision on any backend of the
 * model.
 *
 * @example
 * const optimizer = new NaturalGradient(model, { learningRate: 0.5, damping: 1e-2 })
 * const { loss } = optimizer.step(x, y)
 */
export class NaturalGradient extends DenseOptimizer<DenseOptimizerOptions> {
  static override get name() {
    return 'NaturalGradient'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.3,
    damping: 1e-2,
    loss: 'crossEntropy',
    gradientTolerance: 1e-10,
  }
  static override readonly allowed = DENSE_ALLOWED
  override readonly wholeBatch = false

  /** One step on all rows given. @throws ShapeError for data that does not fit, RangeError for a class out of range */
  step(inputs: TensorLike, targets: TensorLike): NaturalGradientResult {
    const { chunks, rows } = this.chunks(inputs, targets)
    const x = this.read()
    const { sum, result } = this.pass(chunks, x, (stage) => new FisherPass(stage, this.size, this.options.damping * rows, this.frozen))
    const { g, direction } = result
    return this.conclude(chunks, x, { loss: sum / rows, gradientSize: this.sizeOf(g) / rows, direction })
  }

  /** A column of the Jacobian. */
  protected get perRow(): number {
    return this.size
  }
}

/** H = Σᵢ (R·Jᵢ)ᵀ(R·Jᵢ), g = Σᵢ Jᵢᵀ·∂lossᵢ, sums, not means; and (H + μ·I)⁻¹·g, or null if it does not exist. */
class FisherPass implements Pass<{ g: Float64Array; direction: Float64Array | null }> {
  private readonly equations: KernelEquations
  private readonly top: Ptr
  private readonly columns: Ptr

  constructor(
    private readonly stage: Stage,
    size: number,
    private readonly mu: number,
    private readonly frozen: readonly Frozen[],
  ) {
    const { workspace, net, most } = stage
    this.equations = new KernelEquations(size, workspace)
    this.top = workspace.take(net.outputs * most)
    this.columns = workspace.take(size * most)
  }

  add(inputs: Ptr, count: number): void {
    const { workspace, net, loss } = this.stage
    const { size, h, g } = this.equations
    loss.gradient(this.topView(count), count)
    this.backward(inputs, count)
    workspace.kernels.doubleProduct(this.columns, size, count, count, net.ones, g)
    for (let k = 0; k < loss.roots; k++) {
      loss.root(k, this.topView(count), count)
      this.backward(inputs, count)
      workspace.kernels.doubleGram(this.columns, size, count, count, h)
    }
  }

  private topView(count: number): Float64Array {
    const { workspace, net } = this.stage
    return workspace.view(this.top, net.outputs * count)
  }

  private backward(inputs: Ptr, count: number): void {
    const { workspace, net, x } = this.stage
    net.backwardFrom(this.top, x, count)
    net.columns(inputs, count, this.columns, count, 0)
    clearFrozen(workspace, this.frozen, this.columns, count)
  }

  result(): { g: Float64Array; direction: Float64Array | null } {
    const { equations } = this
    equations.finish(this.frozen)
    const g = equations.gradient
    if (!equations.factor(this.mu, null)) return { g, direction: null }
    const direction = g.slice()
    equations.solve(direction)
    return { g, direction }
  }
}
