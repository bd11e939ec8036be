/** Natural gradients with Kronecker factors. */
import { DoubleWorkspace } from '../../backend/double.js'
import type { Ptr } from '../../backend/kernels.js'
import { decay } from '../../optim/base/options.js'
import type { TensorLike } from '../../tensor.js'
import { KernelEquations } from '../least-squares/equations.js'
import type { LayerPlan } from './dense-net.js'
import {
  DENSE_ALLOWED,
  DenseOptimizer,
  type DenseOptimizerOptions,
  type NaturalGradientResult,
  type Pass,
  type Stage,
} from './dense-optimizer.js'

/** Options of {@link KFAC}. */
export interface KFACOptions extends DenseOptimizerOptions {
  /** Largest fraction of the old factors that is kept; the first steps average evenly. Default 0.95. */
  decay?: number
}

/** Second moments of a layer: of its inputs with a 1 for the bias, and of the gradients of its z. @internal */
export interface Factors {
  a: Float64Array
  s: Float64Array
}

/**
 * K-FAC for dense layers (Martens & Grosse 2015): the Fisher block of a layer is taken to be A ⊗ S,
 *
 *     A = E[ā·āᵀ], ā = inputs of the layer and 1;   S = E[δ·δᵀ], δ = gradient by z under the model's own distribution
 *     ΔW = −η·(A + π·√λ·I)⁻¹·G·(S + √λ/π·I)⁻¹,   π² = (tr A / dim A) / (tr S / dim S)
 *
 * with exact expectations over the model's distribution (no sampling) and running averages over steps. Exact for one layer and one sample. A learning
 * rate that is too large for the damping diverges (there is no line search). Costs two small Cholesky factorizations a layer instead of one of all
 * parameters; for mini-batches and nets of any number of layers, up to about 1,000 units each. If the weight or bias of a layer is frozen, ā has only
 * the other part.
 *
 * @example
 * const optimizer = new KFAC(model, { learningRate: 0.3, damping: 1e-2 })
 * for (let i = 0; i < 10; i++) optimizer.step(x, y)
 */
export class KFAC extends DenseOptimizer<KFACOptions> {
  static override get name() {
    return 'KFAC'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.1,
    damping: 1e-2,
    loss: 'crossEntropy',
    decay: 0.95,
    gradientTolerance: 1e-10,
  }
  static override readonly allowed = { ...DENSE_ALLOWED, decay }

  override readonly wholeBatch = false
  private factors: Factors[] | null = null

  /** One step on the rows given. @throws ShapeError for data that does not fit, RangeError for a class out of range */
  step(inputs: TensorLike, targets: TensorLike): NaturalGradientResult {
    const { chunks, rows } = this.chunks(inputs, targets)
    const x = this.read()
    const { sum, result } = this.pass(chunks, x, (stage) => new FactorPass(stage, this.size, 1 / rows))
    const { fresh, g } = result
    const factors = this.averaged(fresh)
    const direction = g.slice()
    const isPositive = this.preconditioned(factors, direction, Math.sqrt(this.options.damping))
    const end = this.conclude(chunks, x, { loss: sum / rows, gradientSize: this.sizeOf(g), direction: isPositive ? direction : null })
    if (end.updated) this.factors = factors
    return end
  }

  /** The units of all layers and their gradients. */
  protected get perRow(): number {
    return this.plan.reduce((sum, layer) => sum + widthOf(layer) + 2 * layer.outputs, 0)
  }

  /** d ← (A + π√λ·I)⁻¹·D·(S + √λ/π·I)⁻¹ layer by layer; false if a factor is not positive definite. */
  private preconditioned(factors: Factors[], d: Float64Array, root: number): boolean {
    const workspace = new DoubleWorkspace(this.home)
    try {
      return this.plan.every((layer, l) => precondition(workspace, layer, factors[l], d, root))
    } finally {
      workspace.release()
    }
  }

  private averaged(fresh: Factors[]): Factors[] {
    const { factors: old } = this
    if (old === null) return fresh
    const keep = Math.min(this.options.decay, 1 - 1 / (this.stepCount + 1))
    const mix = (a: Float64Array, b: Float64Array) => a.map((value, i) => keep * value + (1 - keep) * b[i])
    // a layer whose set of trained parameters has changed starts again
    return fresh.map((now, l) => (now.a.length === old[l].a.length ? { a: mix(old[l].a, now.a), s: mix(old[l].s, now.s) } : now))
  }

  protected override captured(): Record<string, unknown> {
    return { ...super.captured(), factors: this.factors }
  }

  protected override restore(values: Record<string, unknown>): void {
    super.restore(values)
    this.factors = values.factors as Factors[] | null
  }
}

const widthOf = ({ inputs, bias }: LayerPlan) => inputs + (bias < 0 ? 0 : 1)

/** The elements of ā whose parameters are trained: the inputs for a weight, the 1 for the bias, both or none. */
function trainedOf(layer: LayerPlan): { first: number; end: number } {
  const { weight, bias } = layer.source
  return { first: weight.requiresGrad ? 0 : layer.inputs, end: bias?.requiresGrad ? layer.inputs + 1 : layer.inputs }
}

function emptyFactors(layer: LayerPlan): Factors {
  const { first, end } = trainedOf(layer)
  return { a: new Float64Array((end - first) ** 2), s: new Float64Array(layer.outputs ** 2) }
}

/** Sums the mean gradient and factors over chunks. */
class FactorPass implements Pass<{ fresh: Factors[]; g: Float64Array }> {
  private readonly fresh: Factors[]
  private readonly g: Float64Array
  private readonly top: Ptr
  /** The inputs of a layer, and a unit that is always 1 for the bias. */
  private readonly widened: Ptr
  private readonly sums: Ptr

  constructor(
    private readonly stage: Stage,
    size: number,
    private readonly scale: number,
  ) {
    const { workspace, net, most } = stage
    const widest = Math.max(...net.plan.map((layer) => Math.max(widthOf(layer), layer.outputs)))
    this.fresh = net.plan.map(emptyFactors)
    this.g = new Float64Array(size)
    this.top = workspace.take(net.outputs * most)
    this.widened = workspace.take(widest * most)
    this.sums = workspace.take(widest * widest)
  }

  add(inputs: Ptr, count: number): void {
    const { net, loss, x } = this.stage
    loss.gradient(this.topView(count), count)
    net.backwardFrom(this.top, x, count)
    for (const [l, layer] of net.plan.entries()) {
      const { first, end } = trainedOf(layer)
      if (first === end) continue
      this.widen(layer, l === 0 ? inputs : net.states[l - 1].a, count)
      this.addOuter(layer, net.states[l].delta, count)
      this.addGram(this.widened + 8 * first * count, end - first, count, this.fresh[l].a)
    }
    for (let k = 0; k < loss.roots; k++) {
      loss.root(k, this.topView(count), count)
      net.backwardFrom(this.top, x, count)
      for (const [l, { outputs }] of net.plan.entries()) this.addGram(net.states[l].delta, outputs, count, this.fresh[l].s)
    }
  }

  result(): { fresh: Factors[]; g: Float64Array } {
    return { fresh: this.fresh, g: this.g }
  }

  private topView(count: number): Float64Array {
    const { workspace, net } = this.stage
    return workspace.view(this.top, net.outputs * count)
  }

  private widen(layer: LayerPlan, a: Ptr, count: number): void {
    const { workspace } = this.stage
    const out = workspace.view(this.widened, widthOf(layer) * count)
    out.fill(1)
    out.set(workspace.view(a, layer.inputs * count))
  }

  private addGram(units: Ptr, n: number, count: number, into: Float64Array): void {
    const { workspace } = this.stage
    const sums = workspace.view(this.sums, n * n).fill(0)
    workspace.kernels.doubleGram(units, n, count, count, this.sums)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) into[i * n + j] += this.scale * sums[i * n + j]
  }

  /** G ← G + scale·Σ āᵢ·δⱼ; the bias is the last row of ā, as in the parameters. */
  private addOuter(layer: LayerPlan, delta: Ptr, count: number): void {
    const { workspace } = this.stage
    const { first, end } = trainedOf(layer)
    const n = end - first
    for (let j = 0; j < layer.outputs; j++) {
      const sums = workspace.view(this.sums, n).fill(0)
      workspace.kernels.doubleProduct(this.widened + 8 * first * count, n, count, count, delta + 8 * j * count, this.sums)
      for (let i = 0; i < n; i++) this.g[offsetOf(layer, first + i, j)] += this.scale * sums[i]
    }
  }
}

const offsetOf = ({ inputs, outputs, weight, bias }: LayerPlan, i: number, j: number) => (i < inputs ? weight + i * outputs + j : bias + j)

function precondition(workspace: DoubleWorkspace, layer: LayerPlan, { a, s }: Factors, g: Float64Array, root: number): boolean {
  const { first, end } = trainedOf(layer)
  const n = end - first
  if (n === 0) return true
  const m = layer.outputs
  const pi = Math.sqrt(meanDiagonal(a, n) / meanDiagonal(s, m))
  const ratio = Number.isFinite(pi) && pi > 0 ? pi : 1
  const left = new KernelEquations(n, workspace)
  const right = new KernelEquations(m, workspace)
  left.load(a)
  right.load(s)
  if (!left.factor(ratio * root, null) || !right.factor(root / ratio, null)) return false
  for (let i = 0; i < n; i++) solveAlong(right, g, (j) => offsetOf(layer, first + i, j))
  for (let j = 0; j < m; j++) solveAlong(left, g, (i) => offsetOf(layer, first + i, j))
  return true
}

/** Solves for one row or column of G in place. */
function solveAlong(equations: KernelEquations, g: Float64Array, at: (k: number) => number): void {
  const b = Float64Array.from({ length: equations.size }, (_, k) => g[at(k)])
  equations.solve(b)
  for (let k = 0; k < b.length; k++) g[at(k)] = b[k]
}

function meanDiagonal(h: Float64Array, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += h[i * n + i]
  return sum / n
}
