import { withProducts } from '../backend/families.js'
import type { FloatArray } from '../backend/heap.js'
import type { Ptr } from '../backend/kernels.js'
import { symmetricEigen } from '../common/symmetric-eigen.js'
import type { Parameter } from '../parameter.js'
import { adamHyper, adamRule } from './adam.js'
import type { ParameterGroup } from './base/group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { matrixSides, multiply, Workspace } from './base/matrix.js'
import { adam } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { atLeast1, nonNegative } from './base/options.js'
import { orthonormalize } from './base/qr.js'
import { biasCorrection } from './base/scalar-math.js'
import type { ParameterSpan } from './base/span.js'

/** Options of {@link SOAP}. */
export interface SOAPOptions extends GroupOptions {
  /** β₁ of the mean of gradients. Default 0.95. */
  beta1?: number
  /** β₂ of the mean of squares. Default 0.95. */
  beta2?: number
  /** β of the statistics that the bases come from. Default 0.95. */
  beta?: number
  /** Keeps the quotient finite. Default 1e-8. */
  epsilon?: number
  /** Steps between new bases. Default 10. */
  basisEvery?: number
  /** A side longer than this keeps the identity as its basis. Default 10000. */
  maximumDimension?: number
}

type Group = ParameterGroup<Required<SOAPOptions>>
type Side = 'left' | 'right'

/**
 * Adam in the eigenbasis of Shampoo's statistics:
 *
 *     L ← β·L + (1 − β)·G·Gᵀ,   R ← β·R + (1 − β)·Gᵀ·G        (bases: their eigenvectors Q_L, Q_R)
 *     G′ = Q_Lᵀ·G·Q_R,   N = Adam's step for G′ (ε as 'hat'),   W ← (1 − η·λ)·(W − η·Q_L·N·Q_Rᵀ)
 *
 * In that basis the gradient's components are nearly uncorrelated, as Adam's division assumes. So it needs as few steps as Shampoo, at less cost,
 * because the bases may be outdated. The first step only sets them up and moves nothing. Every `basisEvery` steps one power iteration and a QR
 * factorization (in doubles) follow the statistics. For dense nets whose layers have up to a few hundred units; for wider layers {@link Muon} is
 * cheaper. Vectors get plain Adam.
 * When not: matrices with sides in the thousands, or if a step must be cheap.
 * Defaults: the authors' (3e-3, 0.95, 0.95, every 10, λ 0.01). State: 8 bytes a parameter and 8·(rows² + columns²) a matrix. Vyas et al. 2024.
 *
 * @example
 * const optimizer = new SOAP(model.parameters(), { learningRate: 3e-3 })
 */
export class SOAP extends Optimizer<SOAPOptions> {
  static override get name() {
    return 'SOAP'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 3e-3,
    beta1: 0.95,
    beta2: 0.95,
    beta: 0.95,
    epsilon: 1e-8,
    basisEvery: 10,
    maximumDimension: 10_000,
    ...GROUP_DEFAULTS,
    weightDecay: 0.01,
  }
  static override readonly allowed = { basisEvery: atLeast1, maximumDimension: nonNegative }
  /** @internal */
  static override readonly rule = { kernel: 'adam', slots: ['m', 'v'], numbers: adam }
  static override readonly perTensor = true

  private workspace: Workspace | undefined

  /** `left` and `right` are the statistics divided by 1 − β (a factor does not change eigenvectors); the other two are Q_L and Q_R. */
  protected override extras({ maximumDimension }: Required<SOAPOptions>, parameter: Parameter): Readonly<Record<string, number>> {
    if (parameter.rank < 2) return {}
    const [rows, cols] = matrixSides(parameter)
    const sizes: Record<string, number> = {}
    if (rows <= maximumDimension) sizes.left = sizes.leftBasis = rows * rows
    if (cols <= maximumDimension) sizes.right = sizes.rightBasis = cols * cols
    return sizes
  }

  /** Adam's numbers; its first step is the parameter's second. */
  protected override hyper({ learningRate, beta1, beta2, epsilon }: Required<SOAPOptions>, t: number): readonly number[] {
    const adam = Math.max(1, t - 1)
    return adamHyper(learningRate, beta1, beta2, epsilon / Math.sqrt(biasCorrection(beta2, adam)), adam)
  }

  protected override applyToSpan(group: Group, span: ParameterSpan, scale: number, hyper: readonly number[]): void {
    const { backend, values } = group
    const { kernels } = backend
    this.workspace ??= new Workspace(backend)
    const [g, x, y, step] = this.workspace.take(span.n, span.n, span.n, span.n)
    kernels.copy(span.g, g, span.n)
    multiply(backend, g, span.n, values.maximize ? -scale : scale)
    if (span.t > 1) {
      const rotated = rotate(group, span, g, x, y, 'in')
      kernels.fill(step, span.n, 0)
      this.pass(group, { ...span, p: step, g: rotated, views: null }, 1, 0, 0, hyper, group.kernel, this.update)
      kernels.addScaled(rotate(group, span, step, x, y, 'out'), span.p, span.n, 1)
      kernels.addScaled(span.p, span.p, span.n, -values.learningRate * values.weightDecay)
    }
    this.follow(group, span, g)
    if (span.t === 1) for (const side of sidesOf(group, span)) firstBasis(group, span, side)
    else if ((span.t - 1) % values.basisEvery === 0) this.renew(group, span, x, y)
  }

  /** Adds a gradient to the statistics. */
  private follow(group: Group, span: ParameterSpan, g: Ptr): void {
    const { backend, values } = group
    const [rows, cols] = matrixSides(group.parameters[span.first])
    for (const side of sidesOf(group, span)) {
      const sum = group.extraAt(span.first, side)
      const n = side === 'left' ? rows : cols
      multiply(backend, sum, n * n, values.beta)
      if (side === 'left') withProducts(backend).matmulNT(g, g, sum, rows, rows, cols, 1, backend.heap.scratch)
      else withProducts(backend).matmulTN(g, g, sum, cols, cols, rows, 1, backend.heap.scratch)
    }
  }

  /** Computes new bases and rotates m into them. v is only reordered in the way in which the eigenvectors are. */
  private renew(group: Group, span: ParameterSpan, x: Ptr, y: Ptr): void {
    const { kernels } = group.backend
    const m = group.slotOf(span, 0)
    const back = rotate(group, span, m, x, y, 'out')
    kernels.copy(back, m, span.n)
    for (const side of sidesOf(group, span)) nextBasis(group, span, side)
    kernels.copy(rotate(group, span, m, x, y, 'in'), m, span.n)
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    adamRule(p, g, slots, hyper)
  }
}

/** Sides of a parameter that have a basis. */
function sidesOf(group: Group, { first }: ParameterSpan): Side[] {
  return (['left', 'right'] as const).filter((side) => group.extraNames(first).includes(side))
}

/** Q_Lᵀ·from·Q_R (in) or Q_L·from·Q_Rᵀ (out); returns the address of the result: from, x or y. */
function rotate(group: Group, span: ParameterSpan, from: Ptr, x: Ptr, y: Ptr, direction: 'in' | 'out'): Ptr {
  const { heap } = group.backend
  const kernels = withProducts(group.backend)
  const [rows, cols] = matrixSides(group.parameters[span.first])
  let at = from
  for (const side of sidesOf(group, span)) {
    const basis = group.extraAt(span.first, `${side}Basis`)
    const to = at === x ? y : x
    if (side === 'left') {
      const product = direction === 'in' ? kernels.matmulTN : kernels.matmul
      product(basis, at, to, rows, cols, rows, 0, heap.scratch)
    } else {
      const product = direction === 'in' ? kernels.matmul : kernels.matmulNT
      product(at, basis, to, rows, cols, cols, 0, heap.scratch)
    }
    at = to
  }
  return at
}

/** The eigenvectors of a side's statistics, largest first. */
function firstBasis(group: Group, { first }: ParameterSpan, side: Side): void {
  const basis = group.extraView(first, `${side}Basis`)
  const n = Math.sqrt(basis.length)
  const { vectors } = symmetricEigen(group.extraView(first, side), n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) basis[i * n + j] = vectors[(n - 1 - j) * n + i]
}

/** Q ← qr(S·Q), columns sorted by the eigenvalues that they stand for; v follows the order. */
function nextBasis(group: Group, span: ParameterSpan, side: Side): void {
  const basis = group.extraView(span.first, `${side}Basis`)
  const n = Math.sqrt(basis.length)
  const product = multiplied(group.extraView(span.first, side), basis, n)
  const order = descending(Float64Array.from({ length: n }, (_, j) => columnDot(basis, product, n, j)))
  const sorted = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sorted[i * n + j] = product[i * n + order[j]]
  basis.set(orthonormalize(sorted, n))
  reorder(group.slotView(span.first, 1), matrixSides(group.parameters[span.first]), side, order)
}

function descending(values: Float64Array): Int32Array {
  return Int32Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b)
}

/** a·b of two n·n matrices, in doubles. */
function multiplied(a: FloatArray, b: FloatArray, n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k]
      for (let j = 0; j < n; j++) out[i * n + j] += factor * b[k * n + j]
    }
  }
  return out
}

/** Column j of a times column j of b. */
function columnDot(a: FloatArray, b: FloatArray, n: number, j: number): number {
  let sum = 0
  for (let i = j; i < n * n; i += n) sum += a[i] * b[i]
  return sum
}

/** Row (left) or column (right) j of v becomes the former row or column order[j]. */
function reorder(v: FloatArray, [rows, cols]: readonly [number, number], side: Side, order: Int32Array): void {
  if (order.every((from, j) => from === j)) return
  const old = v.slice()
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) v[i * cols + j] = side === 'left' ? old[order[i] * cols + j] : old[i * cols + order[j]]
}
