import { withOperations, withProducts } from '../backend/families.js'
import type { FloatArray } from '../backend/heap.js'
import type { Backend } from '../backend/index.js'
import type { Ptr } from '../backend/kernels.js'
import { DESCENT } from '../backend/wasm/parts.js'
import { rangeError } from '../common/errors.js'
import { checkValue, nonNegative } from '../common/options.js'
import { adamHyper, adamRule } from './adam.js'
import type { ParameterGroup } from './base/group.js'
import { GROUP_DEFAULTS, type GroupInput, type GroupOptions } from './base/input.js'
import { multiply, Workspace } from './base/matrix.js'
import { adam, momentum, sgd } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import type { ParameterSpan } from './base/span.js'
import type { UpdateRule } from './base/update-rule.js'
import { momentumRule } from './momentum.js'
import { descentRule } from './sgd.js'

/** Options of {@link Muon}. */
export interface MuonOptions extends GroupOptions {
  /** μ. Default 0.95. */
  momentum?: number
  /** Default true. */
  nesterov?: boolean
  /** Newton–Schulz iterations. Default 5. */
  iterations?: number
  /** Keeps the division by the norm finite. Default 1e-7. */
  normEpsilon?: number
  /** Scale of a step: √max(1, out/in), 0.2·√max(in, out) so that AdamW's learning rates fit, or √(out/in). Default `original`. */
  scaling?: 'original' | 'matchAdamW' | 'spectral'
  /** The output axis of a matrix: 'last' for this library's layers, 'first' as in PyTorch. Default `last`. */
  outputAxis?: 'first' | 'last'
  /** `auto`: matrices by Muon, everything else by AdamW in a group of its own. Default `auto`. */
  method?: 'auto' | 'muon' | 'adamw'
  /** β₁ of the companion AdamW. Default 0.9. */
  beta1?: number
  /** β₂ of the companion AdamW. Default 0.999. */
  beta2?: number
  /** ε of the companion AdamW. Default 1e-8. */
  epsilon?: number
  /** Learning rate of the companion AdamW. Default: as for the matrices. */
  companionLearningRate?: number
  /** Weight decay of the companion AdamW. Default 0. */
  companionWeightDecay?: number
}

/** Keller Jordan's quintic: a·x + b·x³ + c·x⁵ takes singular values to about 1. */
const A = 3.4445
const B = -4.775
const C = 2.0315

const MUON_RULE: UpdateRule = { kernel: 'momentum', part: DESCENT, slots: ['momentum'], numbers: momentum }
const ADAM_RULE: UpdateRule = { kernel: 'adam', slots: ['m', 'v'], numbers: adam }

/**
 * Momentum whose step for a weight matrix is made orthogonal: all directions count alike.
 *
 *     B ← μ·B + (1 − μ)·g,   U = (1 − μ)·g + μ·B  (nesterov) or B
 *     X = U/‖U‖;   5 times:  G = X·Xᵀ,  X ← a·X + (b·G + c·G²)·X
 *     p ← (1 − η·λ)·p − η·scale·X
 *
 * Among the fastest methods for transformers and dense nets. Only hidden matrices take part; biases, and embeddings and
 * heads given with `method: 'adamw'`, get AdamW (a group of its own: see `groups`).
 * When not: embeddings, last layers, biases and vectors, which it leaves to its companion AdamW; tiny matrices.
 * Defaults: PyTorch; Newton–Schulz in the backend's precision, not bfloat16. State: 4 bytes a parameter (8 for AdamW's).
 * Jordan et al. 2024; Liu et al. 2025.
 *
 * @example
 * const optimizer = new Muon(model.parameters(), { learningRate: 0.02, companionLearningRate: 1e-3 })
 */
export class Muon extends Optimizer<MuonOptions> {
  static override get name() {
    return 'Muon'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    momentum: 0.95,
    nesterov: true,
    iterations: 5,
    normEpsilon: 1e-7,
    scaling: 'original',
    outputAxis: 'last',
    method: 'auto',
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    ...GROUP_DEFAULTS,
    weightDecay: 0.1,
    decoupledWeightDecay: true,
    companionLearningRate: null,
    companionWeightDecay: 0,
  }
  static override readonly allowed = {
    iterations: { min: 1, max: 100 },
    scaling: ['original', 'matchAdamW', 'spectral'],
    outputAxis: ['first', 'last'],
    method: ['muon', 'adamw'],
    decoupledWeightDecay: [true],
  }
  /** @internal */
  static override readonly rule = ({ method }: Required<MuonOptions>): UpdateRule => (method === 'adamw' ? ADAM_RULE : MUON_RULE)
  static override readonly perTensor = true

  private workspace: Workspace | undefined

  /** Moves tensors that are not matrices into groups for AdamW. */
  protected override arrange(inputs: GroupInput<MuonOptions>[], options: MuonOptions): GroupInput<MuonOptions>[] {
    return inputs.flatMap((input) => {
      const method = input.method ?? options.method ?? 'auto'
      const members = [...input.parameters]
      const isMatrix = ({ shape }: (typeof members)[number]) => shape?.length === 2
      const other = members.find((member) => !isMatrix(member))
      if (method === 'muon' && other)
        throw rangeError(`${this.name}: parameter '${other.name ?? 'array'}' is no matrix; leave method at 'auto' or give it 'adamw'`)
      const matrices = method === 'adamw' ? [] : members.filter(isMatrix)
      const rest = members.filter((member) => !matrices.includes(member))
      const companion = {
        learningRate: input.companionLearningRate ?? options.companionLearningRate ?? input.learningRate ?? options.learningRate,
        weightDecay: input.companionWeightDecay ?? options.companionWeightDecay ?? 0,
      }
      const { companionLearningRate = null } = { ...options, ...input }
      if (companionLearningRate !== null) checkValue(`${this.name}: companionLearningRate`, companionLearningRate, nonNegative)
      checkValue(`${this.name}: companionWeightDecay`, companion.weightDecay, nonNegative)
      const groups: GroupInput<MuonOptions>[] = []
      if (matrices.length > 0) groups.push({ ...input, parameters: matrices, method: 'muon' })
      if (rest.length > 0) groups.push({ ...input, ...companion, parameters: rest, method: 'adamw' })
      return groups.length > 0 ? groups : [input]
    })
  }

  protected override coupledDecay(): number {
    return 0
  }

  /** AdamW's numbers, or the numbers of the momentum pass, which writes U in the place of p, starting from 0. */
  protected override hyper(o: Required<MuonOptions>, t: number): readonly number[] {
    if (o.method === 'adamw') return adamHyper(o.learningRate, o.beta1, o.beta2, o.epsilon, t)
    const [gradientRate, velocityRate] = o.nesterov ? [o.momentum - 1, -o.momentum] : [0, -1]
    return momentum({ velocityDecay: o.momentum, gradientWeight: 1 - o.momentum, gradientRate, velocityRate })
  }

  protected override applyToSpan(
    group: ParameterGroup<Required<MuonOptions>>,
    span: ParameterSpan,
    scale: number,
    hyper: readonly number[],
  ): void {
    const { backend, values } = group
    if (values.method === 'adamw') return super.applyToSpan(group, span, scale, hyper)
    const [rows, cols] = group.parameters[span.first].shape
    this.workspace ??= new Workspace(backend)
    const small = Math.min(rows, cols)
    const [u, other, gram, square] = this.workspace.take(span.n, span.n, small * small, small * small)
    backend.kernels.fill(u, span.n, 0)
    this.pass(group, { ...span, p: u, views: null }, values.maximize ? -scale : scale, 0, 0, hyper, group.kernel, momentumRule)
    const x = orthogonalize(backend, u, other, gram, square, rows, cols, values)
    const rate = values.learningRate * scaleOf(values, rows, cols)
    const decay = values.learningRate * values.weightDecay
    this.pass(group, { ...span, g: x, views: null }, 1, 0, decay, sgd({ learningRate: rate }), backend.update('sgd', DESCENT), descentRule)
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    adamRule(p, g, slots, hyper)
  }
}

function scaleOf({ scaling, outputAxis }: Required<MuonOptions>, rows: number, cols: number): number {
  const ratio = outputAxis === 'first' ? rows / cols : cols / rows
  if (scaling === 'matchAdamW') return 0.2 * Math.sqrt(Math.max(rows, cols))
  return Math.sqrt(scaling === 'spectral' ? ratio : Math.max(1, ratio))
}

/** Newton–Schulz on u[rows, cols]; returns the address of the result, u or other. */
function orthogonalize(
  backend: Backend,
  u: Ptr,
  other: Ptr,
  gram: Ptr,
  square: Ptr,
  rows: number,
  cols: number,
  options: Required<MuonOptions>,
): Ptr {
  const { heap } = backend
  const kernels = withProducts(backend)
  const n = rows * cols
  const tall = rows > cols
  const [k, l] = tall ? [cols, rows] : [rows, cols]
  let [x, y] = [u, other]
  if (tall) {
    withOperations(backend).transpose(u, other, 1, rows, cols, 1)
    ;[x, y] = [other, u]
  }
  multiply(backend, x, n, 1 / Math.max(Math.sqrt(kernels.sumSquares(x, n)), options.normEpsilon))
  for (let i = 0; i < options.iterations; i++) {
    kernels.matmulNT(x, x, gram, k, k, l, 0, heap.scratch)
    kernels.matmul(gram, gram, square, k, k, k, 0, heap.scratch)
    multiply(backend, square, k * k, C)
    kernels.addScaled(gram, square, k * k, B)
    kernels.matmul(square, x, y, k, l, k, 0, heap.scratch)
    kernels.addScaled(x, y, n, A)
    ;[x, y] = [y, x]
  }
  if (!tall) return x
  withOperations(backend).transpose(x, y, 1, cols, rows, 1)
  return y
}
