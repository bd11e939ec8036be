/** Facts of an optimizer: the edge of stability, its preconditioner, its weight decay, and whether it clips. */
import type { Parameter } from '../index.js'

/** The parts of an optimizer that are looked at. */
export interface OptimizerParts {
  readonly name: string
  readonly learningRate: number
  readonly groups: readonly {
    readonly parameters: Iterable<Parameter>
    readonly options?: object
    readonly slotNames?: readonly string[]
    slotView?(parameter: number, slot: number): ArrayLike<number>
    stepCountOf?(parameter: number): number
  }[]
  readonly inner?: unknown
}

export interface OptimizerFacts {
  weightDecay: number
  decoupled: boolean
  /** True unless a step is proportional to gradients: then numbers, or matrices, have rates of their own, and a small rate moves weights far. */
  isAdaptive: boolean
  /** The largest η·λ of stable steps on a quadratic function, λ of the preconditioned Hessian. */
  limit?: number
  /** 1/√P for each number of these parameters: S·H·S has the eigenvalues of P⁻¹·H (Cohen et al. 2022). */
  scale?: (trained: readonly Parameter[]) => Float64Array | null
  /** True if a gradient of this norm is shortened; undefined if the optimizer never shortens the whole gradient. */
  isClipped?: (norm: number) => boolean
}

/** Numbers among the options of all optimizers. */
type Options = Partial<Record<'beta' | 'beta1' | 'beta2' | 'momentum' | 'epsilon' | 'weightDecay', number>> & {
  nesterov?: boolean
  form?: string
  decoupledWeightDecay?: boolean
  biasCorrection?: boolean
}

interface Method {
  limit: (o: Options) => number
  /** The slot of squared gradients, and the share of the mean that later gradients will fill. */
  square?: string
  unfilled?: (o: Options, t: number) => number
}

/** v ← μ·v + g diverges beyond 2(1 + μ)/λ, Nesterov's beyond 2(1 + μ)/((1 + 2μ)·λ) (Cohen et al. 2021, appendix B). */
const heavyBall = ({ momentum = 0, nesterov }: Options) => (2 * (1 + momentum)) / (nesterov ? 1 + 2 * momentum : 1)
/** A mean of gradients, m ← β·m + (1 − β)·g: 2(1 + β)/(1 − β), which is 38 for β = 0.9 (Cohen et al. 2022). */
const meanOf = (beta: number) => (2 * (1 + beta)) / (1 - beta)
const adam: Method = { limit: ({ beta1 = 0.9 }) => meanOf(beta1), square: 'v', unfilled: ({ beta2 = 0.999 }, t) => beta2 ** t }

const METHODS: Readonly<Record<string, Method>> = {
  SGD: { limit: heavyBall },
  Nesterov: { limit: heavyBall },
  Momentum: { limit: ({ beta = 0.9, form }) => (form === 'ema' ? meanOf(beta) : 2 * (1 + beta)) },
  RMSProp: { limit: heavyBall, square: 'square', unfilled: ({ beta = 0.99, biasCorrection }, t) => (biasCorrection ? beta ** t : 0) },
  Adagrad: { limit: () => 2, square: 'sum' },
  Adam: adam,
  AdamW: adam,
  NAdam: adam,
  RAdam: adam,
}

/** The optimizers whose first step is proportional to the gradient. */
const PROPORTIONAL = ['SGD', 'Nesterov', 'Momentum', 'ASGD', 'ScheduleFreeSGD']

/** Facts of an optimizer, or of the one inside wrappers. */
export function optimizerFacts(given: OptimizerParts): OptimizerFacts {
  const optimizer = innermost(given)
  const options = (optimizer.groups[0]?.options ?? {}) as Options
  const method = Object.hasOwn(METHODS, optimizer.name) ? METHODS[optimizer.name] : undefined
  const { weightDecay = 0, decoupledWeightDecay: decoupled = false } = options
  const facts: OptimizerFacts = { weightDecay, decoupled, isAdaptive: !PROPORTIONAL.includes(optimizer.name) }
  if (method !== undefined) {
    facts.limit = method.limit(options)
    if (method.square !== undefined) facts.scale = (trained) => scales(optimizer, method, trained)
  }
  const clips = clipping(optimizer)
  if (clips !== undefined) facts.isClipped = clips
  return facts
}

function innermost(optimizer: OptimizerParts): OptimizerParts {
  const { inner } = optimizer
  return typeof inner === 'object' && inner !== null ? innermost(inner as OptimizerParts) : optimizer
}

/** 1/√(√v̂ + ε) in the order of the parameters; 0 for a parameter that has taken no step. */
function scales({ groups }: OptimizerParts, { square = '', unfilled }: Method, trained: readonly Parameter[]): Float64Array | null {
  const found = new Map<Parameter, Float64Array>()
  for (const group of groups) {
    const o = (group.options ?? {}) as Options
    const slot = group.slotNames?.indexOf('vMax') ?? -1
    const j = slot >= 0 ? slot : (group.slotNames?.indexOf(square) ?? -1)
    if (j < 0 || group.slotView === undefined) return null
    let i = 0
    for (const p of group.parameters) {
      const t = group.stepCountOf?.(i) ?? 1
      const fill = 1 - (unfilled?.(o, t) ?? 0)
      const view = group.slotView(i++, j)
      if (t > 0)
        found.set(
          p,
          Float64Array.from(view, (v) => 1 / Math.sqrt(Math.sqrt(v / fill) + (o.epsilon ?? 1e-8))),
        )
    }
  }
  const out = new Float64Array(trained.reduce((sum, p) => sum + p.size, 0))
  let at = 0
  for (const p of trained) {
    out.set(found.get(p) ?? new Float64Array(p.size), at)
    at += p.size
  }
  return out
}

/** A transform of gradients that says by which factor it would scale one of a given norm. */
interface Scaling {
  readonly name?: string
  apply(gradients: { scale: number; norm: () => number }): void
}

function clipping(optimizer: object): OptimizerFacts['isClipped'] {
  const { chain = [] } = (optimizer as { transforms?: { chain?: readonly Scaling[] } }).transforms ?? {}
  const clip = chain.find(({ name }) => name === 'clipGlobalNorm')
  if (clip === undefined) return undefined
  return (norm) => {
    const gradients = { scale: 1, norm: () => norm }
    clip.apply(gradients)
    return gradients.scale < 0.999
  }
}
