import { withProducts } from '../backend/families.js'
import type { FloatArray } from '../backend/heap.js'
import type { Ptr } from '../backend/kernels.js'
import { DESCENT } from '../backend/wasm/parts.js'
import { type SymmetricEigen, symmetricEigen } from '../common/symmetric-eigen.js'
import type { Parameter } from '../parameter.js'
import type { ParameterGroup } from './base/group.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { matrixSides, multiply, Workspace } from './base/matrix.js'
import { sgd } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { atLeast1, nonNegative, positive } from './base/options.js'
import { power } from './base/scalar-math.js'
import type { ParameterSpan } from './base/span.js'
import { descentRule } from './sgd.js'

/** Options of {@link Shampoo}. */
export interface ShampooOptions extends DecayOptions {
  /** Preconditioners start at ε times the identity. Default 1e-4. */
  epsilon?: number
  /** Decay of the preconditioners; 1 is the paper's sum. Default 1. */
  beta?: number
  /** Steps between new matrix roots, the expensive part. With more than 1, choose a larger ε. Default 1. */
  rootEvery?: number
  /** A side longer than this is left without a preconditioner. Default 1024. */
  maximumDimension?: number
}

/**
 * Preconditions a weight matrix from both sides with the roots of its gradient statistics.
 *
 *     L ← L + G·Gᵀ,   R ← R + Gᵀ·G        (both start at ε·I)
 *     W ← W − η·L^(−¼)·G·R^(−¼)           vectors: L^(−½)·g
 *
 * Adagrad with a full matrix for each side: few steps, expensive ones. Won the AlgoPerf benchmark in its distributed form;
 * here for layers up to some hundred wide. Roots by eigendecomposition in doubles every `rootEvery` steps.
 * When not: matrices with sides in the thousands: roots cost the cube of a side.
 * Defaults: the paper's Algorithm 1 with ε 1e-4. State: 8·(rows² + columns²) bytes a matrix.
 * Gupta, Koren & Singer 2018; Anil et al. 2020.
 *
 * @example
 * const optimizer = new Shampoo(model.parameters(), { learningRate: 0.1 })
 */
export class Shampoo extends Optimizer<ShampooOptions> {
  static override get name() {
    return 'Shampoo'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.1,
    epsilon: 1e-4,
    beta: 1,
    rootEvery: 1,
    maximumDimension: 1024,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = {
    epsilon: positive,
    beta: { min: 0, max: 1 },
    rootEvery: atLeast1,
    maximumDimension: nonNegative,
  }
  static override readonly perTensor = true
  private workspace: Workspace | undefined

  protected override extras({ maximumDimension }: Required<ShampooOptions>, parameter: Parameter): Readonly<Record<string, number>> {
    const [rows, cols] = matrixSides(parameter)
    const names: [string, string, number][] = [['left', 'leftRoot', rows]]
    if (parameter.rank > 1) names.push(['right', 'rightRoot', cols])
    const kept = names.filter(([, , n]) => n <= maximumDimension)
    return Object.fromEntries(kept.flatMap(([sum, root, n]) => [sum, root].map((name) => [name, n * n])))
  }

  protected override begin(group: ParameterGroup<Required<ShampooOptions>>, span: ParameterSpan): void {
    for (const name of ['left', 'right']) {
      if (!group.extraNames(span.first).includes(name)) continue
      const view = group.extraView(span.first, name)
      for (let i = 0, n = Math.sqrt(view.length); i < n; i++) view[i * n + i] = group.values.epsilon
    }
  }

  protected override hyper({ learningRate }: Required<ShampooOptions>): readonly number[] {
    return sgd({ learningRate })
  }

  protected override applyToSpan(
    group: ParameterGroup<Required<ShampooOptions>>,
    span: ParameterSpan,
    scale: number,
    hyper: readonly number[],
  ): void {
    const { backend, values, parameters } = group
    const { kernels } = backend
    const [rows, cols] = matrixSides(parameters[span.first])
    this.workspace ??= new Workspace(backend)
    const [g, other] = this.workspace.take(span.n, span.n)
    kernels.copy(span.g, g, span.n)
    multiply(backend, g, span.n, values.maximize ? -scale : scale)
    kernels.addScaled(span.p, g, span.n, this.coupledDecay(values))
    const step = this.precondition(group, span, g, other, rows, cols)
    const decoupled = this.decoupledDecay(values, hyper)
    this.pass(group, { ...span, g: step, views: null }, 1, 0, decoupled, hyper, backend.update('sgd', DESCENT), descentRule)
  }

  /** L^(−¼)·g·R^(−¼), in g or other. */
  private precondition(
    group: ParameterGroup<Required<ShampooOptions>>,
    span: ParameterSpan,
    g: Ptr,
    other: Ptr,
    rows: number,
    cols: number,
  ): Ptr {
    const { heap } = group.backend
    const kernels = withProducts(group.backend)
    const names = group.extraNames(span.first)
    let [x, y] = [g, other]
    if (names.includes('left')) {
      this.follow(group, span, 'left', (sum) => kernels.matmulNT(g, g, sum, rows, rows, cols, 1, heap.scratch))
      if (names.includes('right'))
        this.follow(group, span, 'right', (sum) => kernels.matmulTN(g, g, sum, cols, cols, rows, 1, heap.scratch))
      kernels.matmul(group.extraAt(span.first, 'leftRoot'), x, y, rows, cols, rows, 0, heap.scratch)
      ;[x, y] = [y, x]
    } else if (names.includes('right')) {
      this.follow(group, span, 'right', (sum) => kernels.matmulTN(g, g, sum, cols, cols, rows, 1, heap.scratch))
    }
    if (!names.includes('right')) return x
    kernels.matmul(x, group.extraAt(span.first, 'rightRoot'), y, rows, cols, cols, 0, heap.scratch)
    return y
  }

  /** Adds to a side's statistics, and recomputes the root when it is due. */
  private follow(
    group: ParameterGroup<Required<ShampooOptions>>,
    span: ParameterSpan,
    name: 'left' | 'right',
    add: (sum: Ptr) => void,
  ): void {
    const { beta, rootEvery } = group.values
    const sum = group.extraView(span.first, name)
    if (beta < 1) multiply(group.backend, group.extraAt(span.first, name), sum.length, beta)
    add(group.extraAt(span.first, name))
    if ((span.t - 1) % rootEvery !== 0) return
    const isMatrix = group.parameters[span.first].rank > 1
    const root = group.extraView(span.first, `${name}Root`)
    const eigen = symmetricEigen(sum, Math.sqrt(sum.length))
    const least = Math.max(...eigen.values) * (group.backend.dtype === 'float64' ? 2 ** -52 : 2 ** -24)
    applied(eigen, (value) => 1 / power(Math.max(value, least), isMatrix ? 0.25 : 0.5), root)
  }

  protected override update(): void {}
}

/** The matrix with f applied to its eigenvalues, Σ f(λ)·v·vᵀ, into `out`. */
function applied({ values, vectors }: SymmetricEigen, f: (value: number) => number, out: FloatArray): void {
  const n = values.length
  const sum = new Float64Array(n * n)
  for (let k = 0; k < n; k++) {
    const v = vectors.subarray(k * n, (k + 1) * n)
    const weight = f(values[k])
    for (let i = 0; i < n; i++) {
      const factor = weight * v[i]
      for (let j = 0; j < n; j++) sum[i * n + j] += factor * v[j]
    }
  }
  out.set(sum)
}
