/**
 * What happens to gradients before the update: clipping, noise, centralisation, skipping steps that are not finite.
 *
 * A transform sees all gradients of a step ({@link Gradients}), across groups. Those that only scale change `scale`,
 * which the fused update multiplies by, so that they never write a gradient; the others write in place.
 */
import type { FloatArray } from '../backend/heap.js'
import { type Ptr, SCRATCH_BYTES } from '../backend/kernels.js'
import type { Parameter } from '../parameter.js'
import type { ParameterGroup } from './group.js'
import { multiply } from './matrix.js'
import { checkOption, nonNegative, positive } from './options.js'

/** Named options of every optimizer for the usual transforms; they run in this order, `gradientTransforms` first. */
export interface TransformOptions {
  /** Any transforms, in order. */
  gradientTransforms?: readonly GradientTransform[]
  /** Skip a step whose gradients are not all finite: count it, warn once, leave parameters and state alone. Default false. */
  skipNonFinite?: boolean
  /** Clip every gradient element to [−c, c]. */
  clipValue?: number
  /** Clip the norm of each parameter's gradient to c. */
  clipNormPerParameter?: number
  /** Clip the norm of all gradients together to c. Fused: no gradient is written. */
  clipNorm?: number
}

/** One change to the gradients of a step. */
export interface GradientTransform {
  readonly name: string
  apply(gradients: Gradients): void
  /** Numbers to save with the optimizer. */
  state?(): Record<string, number>
  loadState?(state: Record<string, number>): void
}

/** The gradients of one step: those of every parameter that has one, times `scale`. */
export class Gradients {
  groups: readonly ParameterGroup[] = []
  /** What the update multiplies every gradient by. */
  scale = 1

  /** Σ g² over all gradients, scale included. */
  sumSquares(): number {
    return this.sum((kernels, g, n) => kernels.sumSquares(g, n)) * this.scale ** 2
  }

  /** Norm of all gradients as one vector: 1, 2, Infinity or any other p > 0. */
  norm(p = 2): number {
    const size = Math.abs(this.scale)
    if (p === 2) return Math.sqrt(this.sumSquares())
    if (p === 1) return this.sum((kernels, g, n) => kernels.sumAbs(g, n)) * size
    if (p === Infinity) return this.largest() * size
    let sum = 0
    this.forEach((_, g) => {
      for (let i = 0; i < g.length; i++) sum += Math.abs(g[i]) ** p
    })
    return sum ** (1 / p) * size
  }

  /** max |g|, NaN if any is NaN; without the scale. */
  largest(): number {
    let largest = 0
    for (const { runs, backend } of this.groups) {
      for (const { g, n } of runs) {
        const found = backend.kernels.maxAbs(g, n)
        if (!(found <= largest)) largest = found
        if (Number.isNaN(largest)) return largest
      }
    }
    return largest
  }

  /** Calls fn with the gradient memory of each parameter (times `scale` for its true value), to read or write. */
  forEach(fn: (parameter: Parameter, gradient: FloatArray, address: Ptr) => void): void {
    for (const { runs, parameters, backend } of this.groups) {
      for (const { first, end } of runs) {
        for (let i = first; i < end; i++) {
          const p = parameters[i]
          fn(p, backend.heap.view(p.gradientAddress, p.size), p.gradientAddress)
        }
      }
    }
  }

  private sum(f: (kernels: ParameterGroup['backend']['kernels'], g: Ptr, n: number) => number): number {
    let total = 0
    for (let i = 0; i < this.groups.length; i++) {
      const { runs, backend } = this.groups[i]
      for (let j = 0; j < runs.length; j++) total += f(backend.kernels, runs[j].g, runs[j].n)
    }
    return total
  }
}

/**
 * All gradients together are shortened to norm c: g ← g · min(1, c / (‖g‖ + ε)). Keeps the direction; the usual guard of
 * recurrent nets and transformers. PyTorch's formula, ε = 1e-6; optax is ε = 0.
 */
export function clipGlobalNorm(limit: number, { norm = 2, epsilon = 1e-6 }: { norm?: number; epsilon?: number } = {}): GradientTransform {
  checkOption('clipGlobalNorm', 'limit', limit, 0, nonNegative)
  return {
    name: 'clipGlobalNorm',
    apply(gradients) {
      gradients.scale *= Math.min(1, limit / (gradients.norm(norm) + epsilon))
    },
  }
}

/** Every element is clipped to [−c, c]. Changes the direction of the step; robust against single wild elements. */
export function clipByValue(limit: number): GradientTransform {
  checkOption('clipByValue', 'limit', limit, 0, nonNegative)
  return {
    name: 'clipByValue',
    apply({ groups, scale }) {
      const bound = limit / Math.abs(scale)
      for (const { runs, backend } of groups) for (const { g, n } of runs) backend.kernels.clip(g, g, n, -bound, bound)
    },
  }
}

/** Each parameter's gradient is shortened to norm c: g ← g · c / max(‖g‖, c). Keras calls it clipnorm. */
export function clipByNorm(limit: number): GradientTransform {
  checkOption('clipByNorm', 'limit', limit, 0, nonNegative)
  return perParameter('clipByNorm', (p, scale) => {
    const norm = Math.sqrt(p.backend.kernels.sumSquares(p.gradientAddress, p.size)) * scale
    return norm > limit ? limit / norm : 1
  })
}

/** Each parameter's gradient is shortened to root mean square c: g ← g / max(1, rms(g)/c). */
export function clipByRms(limit: number): GradientTransform {
  checkOption('clipByRms', 'limit', limit, 0, positive)
  return perParameter('clipByRms', (p, scale) => {
    const rms = Math.sqrt(p.backend.kernels.sumSquares(p.gradientAddress, p.size) / p.size) * scale
    return 1 / Math.max(1, rms / limit)
  })
}

/**
 * Adaptive clipping (Brock et al. 2021): the gradient of each unit (column of a weight matrix, whole vector) gets at most
 * c times the norm of the unit's weights. For nets without normalisation layers; not for the last layer.
 */
export function adaptiveClip(limit: number, { epsilon = 1e-3 }: { epsilon?: number } = {}): GradientTransform {
  checkOption('adaptiveClip', 'limit', limit, 0, nonNegative)
  return {
    name: 'adaptiveClip',
    apply(gradients) {
      const { scale } = gradients
      gradients.forEach((p, g) => clipUnits(p.view(), g, unitsOf(p), limit, epsilon, Math.abs(scale)))
    },
  }
}

/**
 * Gaussian noise that fades: g ← g + N(0, η / t^γ) (Neelakantan et al. 2015). Helps very deep nets out of bad starts.
 * Reproducible: the same seed gives the same noise on every backend.
 */
export function addNoise({ eta = 0.01, gamma = 0.55, seed = 0 }: { eta?: number; gamma?: number; seed?: number } = {}): GradientTransform {
  checkOption('addNoise', 'eta', eta, 0, nonNegative)
  checkOption('addNoise', 'gamma', gamma, 0, nonNegative)
  let t = 0
  return {
    name: 'addNoise',
    apply({ groups, scale }) {
      const deviation = Math.sqrt(eta / (++t) ** gamma) / scale
      let chunk = 0
      for (const { runs, backend } of groups) for (const { g, n } of runs) chunk = addNormal(backend, g, n, deviation, seed, t, chunk)
    },
    state: () => ({ t }),
    loadState: (state) => (t = state.t),
  }
}

/**
 * Gradient centralisation (Yong et al. 2020): the gradient of each unit of a weight matrix loses its mean. A mild
 * regulariser; vectors stay as they are. `outputAxis` says which axis counts the units: 'last' for this library's layers,
 * 'first' for weights laid out as in PyTorch.
 */
export function centralize({ outputAxis = 'last' }: { outputAxis?: 'first' | 'last' } = {}): GradientTransform {
  return {
    name: 'centralize',
    apply(gradients) {
      gradients.forEach((p, g) => {
        if (p.rank < 2) return
        const units = p.shape[outputAxis === 'last' ? p.rank - 1 : 0]
        const inner = p.size / units
        for (let u = 0; u < units; u++) outputAxis === 'last' ? subtractMean(g, u, units, inner) : subtractMean(g, u * inner, 1, inner)
      })
    },
  }
}

/** @internal the transforms of an optimizer, named ones and others, and the guard against gradients that are not finite */
export class TransformChain {
  skippedSteps = 0
  private readonly chain: readonly GradientTransform[]
  private readonly skipNonFinite: boolean
  private readonly owner: string
  private readonly gradients = new Gradients()

  constructor(options: TransformOptions, owner: string) {
    const { gradientTransforms = [], clipValue, clipNormPerParameter, clipNorm, skipNonFinite = false } = options
    const named = [
      namedTransform(owner, 'clipValue', clipValue, clipByValue),
      namedTransform(owner, 'clipNormPerParameter', clipNormPerParameter, clipByNorm),
      namedTransform(owner, 'clipNorm', clipNorm, clipGlobalNorm),
    ]
    checkOption(owner, 'skipNonFinite', skipNonFinite, false)
    this.owner = owner
    this.chain = [...gradientTransforms, ...named.filter((transform) => transform !== undefined)]
    this.skipNonFinite = skipNonFinite
  }

  /** What the update multiplies gradients by; null to skip the step. */
  apply(groups: readonly ParameterGroup[], scale: number): number | null {
    const { chain, gradients } = this
    if (chain.length === 0 && !this.skipNonFinite) return scale
    gradients.groups = groups
    gradients.scale = scale
    if (this.skipNonFinite && !Number.isFinite(gradients.largest() * scale)) return this.skip()
    for (let i = 0; i < chain.length; i++) chain[i].apply(gradients)
    return gradients.scale
  }

  state(): Record<string, number> {
    const own = this.chain.flatMap((transform, i) => Object.entries(transform.state?.() ?? {}).map(([k, v]) => [`${i}.${k}`, v] as const))
    return { skippedSteps: this.skippedSteps, ...Object.fromEntries(own) }
  }

  loadState(state: Record<string, number>): void {
    this.skippedSteps = state.skippedSteps ?? 0
    for (const [i, transform] of this.chain.entries()) {
      const own = Object.entries(state).filter(([key]) => key.startsWith(`${i}.`))
      if (own.length > 0) transform.loadState?.(Object.fromEntries(own.map(([key, v]) => [key.slice(key.indexOf('.') + 1), v])))
    }
  }

  private skip(): null {
    if (this.skippedSteps++ === 0) {
      const culprits: string[] = []
      this.gradients.forEach((p, g) => g.every(Number.isFinite) || culprits.push(p.name))
      console.warn(
        `${this.owner}: the gradient of ${culprits.slice(0, 3).join(', ')} is not finite; the step was skipped. ` +
          'Further skipped steps are only counted (skippedSteps). A lower learning rate or clipNorm usually helps.',
      )
    }
    return null
  }
}

function namedTransform(
  owner: string,
  name: string,
  value: number | undefined,
  make: (limit: number) => GradientTransform,
): GradientTransform | undefined {
  if (value === undefined) return undefined
  checkOption(owner, name, value, 0, positive)
  return make(value)
}

/** A transform that multiplies each parameter's gradient by a factor. */
function perParameter(name: string, factor: (p: Parameter, scale: number) => number): GradientTransform {
  return {
    name,
    apply(gradients) {
      const size = Math.abs(gradients.scale)
      gradients.forEach((p, _, address) => {
        const f = factor(p, size)
        if (f !== 1) multiply(p.backend, address, p.size, f)
      })
    },
  }
}

/** How many units a parameter has: the last axis of a matrix, one for a vector. Elements of a unit are that far apart. */
function unitsOf(p: Parameter): number {
  return p.shape.filter((d) => d !== 1).length < 2 ? 1 : p.shape[p.rank - 1]
}

function clipUnits(w: FloatArray, g: FloatArray, units: number, limit: number, epsilon: number, scale: number): void {
  for (let u = 0; u < units; u++) {
    const most = limit * Math.max(norm(w, u, units), epsilon)
    const now = norm(g, u, units) * scale
    if (now < most) continue
    const factor = most / Math.max(now, 1e-6)
    for (let i = u; i < g.length; i += units) g[i] *= factor
  }
}

function norm(x: FloatArray, start: number, stride: number): number {
  let sum = 0
  for (let i = start; i < x.length; i += stride) sum += x[i] * x[i]
  return Math.sqrt(sum)
}

function subtractMean(x: FloatArray, start: number, stride: number, n: number): void {
  let sum = 0
  for (let k = 0; k < n; k++) sum += x[start + k * stride]
  const mean = sum / n
  for (let k = 0; k < n; k++) x[start + k * stride] -= mean
}

/** Adds noise through the scratch memory, chunk by chunk; each chunk has a random stream of its own. */
function addNormal(
  backend: ParameterGroup['backend'],
  g: Ptr,
  n: number,
  deviation: number,
  seed: number,
  t: number,
  chunk: number,
): number {
  const { heap, kernels } = backend
  const most = SCRATCH_BYTES / heap.elementSize
  for (let done = 0; done < n; done += most) {
    const count = Math.min(most, n - done)
    kernels.randomNormal(heap.scratch, count, seed >>> 0, 0x6e6f6973, chunk++, t, 0, 1)
    kernels.addScaled(heap.scratch, g + done * heap.elementSize, count, deviation)
  }
  return chunk
}
