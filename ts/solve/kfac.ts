/** Natural gradients with Kronecker factors. */
import type { TensorLike } from '../tensor.js'
import type { LayerPlan } from './dense-net.js'
import { DENSE_ALLOWED, DenseOptimizer, type DenseOptimizerOptions, type NaturalGradientResult, type Visit } from './dense-optimizer.js'
import { addGram, cholesky, solveCholesky } from './normal.js'

/** Options of {@link KFAC}. */
export interface KFACOptions extends DenseOptimizerOptions {
  /** How much of the old factors is kept, at most (the first steps average evenly). Default 0.95. */
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
 * with exact expectations over the model's distribution (no sampling) and running averages over steps. Exact for one
 * layer and one sample. A learning rate that is too large for the damping diverges (there is no line search). Costs two small Cholesky factorizations a layer instead of one of all parameters; for
 * mini-batches and nets of any number of layers, up to about 1,000 units each.
 *
 * @example
 * const optimizer = new KFAC(model, { learningRate: 0.3, damping: 1e-2 })
 * for (let i = 0; i < 10; i++) optimizer.step(x, y)
 */
export class KFAC extends DenseOptimizer<KFACOptions> {
  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.1,
    damping: 1e-2,
    loss: 'crossEntropy',
    decay: 0.95,
  }
  static override readonly allowed = DENSE_ALLOWED

  private factors: Factors[] | null = null

  /** One step on the rows given. @throws ShapeError for data that does not fit, RangeError for a class out of range */
  step(inputs: TensorLike, targets: TensorLike): NaturalGradientResult {
    const { chunks, rows } = this.chunks(inputs, targets)
    const x = this.read()
    const g = new Float64Array(this.size)
    const fresh = this.plan.map(emptyFactors)
    const loss = this.visit(chunks, x, (visit) => accumulate(visit, fresh, g, 1 / rows)) / rows
    const factors = this.averaged(fresh)
    const d = g.slice()
    const { learningRate, damping } = this.options
    const usable = Number.isFinite(loss) && this.plan.every((layer, l) => precondition(layer, factors[l], d, Math.sqrt(damping)))
    if (!usable || !d.every(Number.isFinite)) return { loss, updated: false }
    this.factors = factors
    this.stepCount++
    this.write(x.map((value, i) => value - learningRate * d[i]))
    return { loss, updated: true }
  }

  private averaged(fresh: Factors[]): Factors[] {
    const { factors: old } = this
    if (old === null) return fresh
    const keep = Math.min(this.options.decay, 1 - 1 / (this.stepCount + 1))
    const mix = (a: Float64Array, b: Float64Array) => a.map((value, i) => keep * value + (1 - keep) * b[i])
    return fresh.map(({ a, s }, l) => ({ a: mix(old[l].a, a), s: mix(old[l].s, s) }))
  }

  protected captured(): Record<string, unknown> {
    return { factors: this.factors }
  }

  protected restore({ factors }: Record<string, unknown>): void {
    this.factors = factors as Factors[] | null
  }
}

const widthOf = ({ inputs, bias }: LayerPlan) => inputs + (bias < 0 ? 0 : 1)

function emptyFactors(layer: LayerPlan): Factors {
  const n = widthOf(layer)
  return { a: new Float64Array(n * n), s: new Float64Array(layer.outputs ** 2) }
}

/** Adds a chunk's share of the mean gradient and factors. */
function accumulate({ net, loss, chunk, x }: Visit, factors: Factors[], g: Float64Array, scale: number): void {
  const { count } = chunk
  const top = new Float64Array(net.outputs * count)
  loss.gradient(top, count)
  net.backwardFrom(top, x, count)
  const inputs = net.plan.map((layer, l) => withOnes(layer, l === 0 ? chunk.inputs : net.states[l - 1].a, count))
  for (const [l, layer] of net.plan.entries()) {
    addOuter(layer, inputs[l], net.states[l].delta, count, scale, g)
    addScaledGram(inputs[l], widthOf(layer), count, scale, factors[l].a)
  }
  for (let k = 0; k < loss.roots; k++) {
    loss.root(k, top, count)
    net.backwardFrom(top, x, count)
    for (const [l, { outputs }] of net.plan.entries()) addScaledGram(net.states[l].delta, outputs, count, scale, factors[l].s)
  }
}

/** Unit-major inputs and, for the bias, a unit that is always 1. */
function withOnes(layer: LayerPlan, a: Float64Array, count: number): Float64Array {
  const out = new Float64Array(widthOf(layer) * count).fill(1)
  out.set(a.subarray(0, layer.inputs * count))
  return out
}

function addScaledGram(units: Float64Array, n: number, count: number, scale: number, into: Float64Array): void {
  const sums = new Float64Array(n * n)
  addGram(units, n, count, count, sums)
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) into[i * n + j] += scale * sums[i * n + j]
}

/** G ← G + scale·Σ āᵢ·δⱼ; the bias is the last row of ā, kept where the parameters have it. */
function addOuter(layer: LayerPlan, a: Float64Array, delta: Float64Array, count: number, scale: number, g: Float64Array): void {
  for (let i = 0; i < widthOf(layer); i++) {
    for (let j = 0; j < layer.outputs; j++) {
      let sum = 0
      for (let r = 0; r < count; r++) sum += a[i * count + r] * delta[j * count + r]
      g[offsetOf(layer, i, j)] += scale * sum
    }
  }
}

const offsetOf = ({ inputs, outputs, weight, bias }: LayerPlan, i: number, j: number) => (i < inputs ? weight + i * outputs + j : bias + j)

/** G ← (A + π√λ·I)⁻¹·G·(S + √λ/π·I)⁻¹ in place; false if a factor is not positive definite. */
function precondition(layer: LayerPlan, { a, s }: Factors, g: Float64Array, root: number): boolean {
  const n = widthOf(layer)
  const m = layer.outputs
  const pi = Math.sqrt(meanDiagonal(a, n) / meanDiagonal(s, m))
  const ratio = Number.isFinite(pi) && pi > 0 ? pi : 1
  const la = new Float64Array(n * n)
  const ls = new Float64Array(m * m)
  if (!cholesky(a, n, () => ratio * root, la) || !cholesky(s, m, () => root / ratio, ls)) return false
  for (let i = 0; i < n; i++) solveAlong(ls, m, g, (j) => offsetOf(layer, i, j))
  for (let j = 0; j < m; j++) solveAlong(la, n, g, (i) => offsetOf(layer, i, j))
  return true
}

/** Solves with a factor for one row or column of G in place. */
function solveAlong(l: Float64Array, n: number, g: Float64Array, at: (k: number) => number): void {
  const b = Float64Array.from({ length: n }, (_, k) => g[at(k)])
  solveCholesky(l, n, b, b)
  for (let k = 0; k < n; k++) g[at(k)] = b[k]
}

function meanDiagonal(h: Float64Array, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += h[i * n + i]
  return sum / n
}
