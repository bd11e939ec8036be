/** Sharpness-aware minimization, around any optimizer. */
import type { Kernel, Ptr } from '../../backend/kernels.js'
import { DESCENT } from '../../backend/wasm/parts.js'
import { typeError } from '../../common/errors.js'
import { checkOptions, nonNegative, readOptions, type Schema } from '../../common/options.js'
import type { Parameter } from '../../parameter.js'
import type { UpdateOptions } from '../base/input.js'
import type { SecondEvaluation, StepScheme } from '../base/step-scheme.js'
import { type OptimizerLike, OptimizerWrapper } from './wrapper.js'

export const SAM_OPTIONS = { rho: { is: nonNegative, default: 0.05 } } satisfies Schema<{ rho?: number }>

/**
 * Sharpness-aware minimization: steps along the gradient at the worst nearby point, which prefers flat minima.
 *
 *     e = ρ·g/‖g‖,   g′ = gradient at p + e,   then the inner step from p with g′
 *
 * Twice the cost of a step, for better generalization on small data. Pass the closure that computes the loss and calls backward().
 * When not: large data or short budgets: twice the steps without it do better there.
 * Defaults: the authors' (ρ 0.05). State: 4 bytes a parameter more, during the step. Foret et al. 2021.
 *
 * @example
 * const optimizer = new SAM(new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 }))
 * optimizer.step(() => crossEntropy(model.forward(x), y).backward())
 *
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5 }) // passes the closure itself
 */
export class SAM extends OptimizerWrapper {
  static override get name() {
    return 'SAM'
  }

  readonly rho: number

  constructor(inner: OptimizerLike, options: { rho?: number } = {}) {
    super(inner)
    this.rho = readOptions('SAM', options, SAM_OPTIONS).rho
    if (inner.accumulates) throw typeError(`SAM: ${inner.name} steps on the mean of several batches; SAM has the gradient of one only`)
  }

  override get wantsClosure(): boolean {
    return true
  }

  /** @param closure computes all gradients at the present parameters; it runs twice, or once if all gradients are 0 */
  override step(closure?: (() => void) | UpdateOptions, options?: UpdateOptions): void {
    if (typeof closure !== 'function')
      throw typeError('SAM.step(): wants a function that computes the loss and calls backward(), to run it twice')
    closure()
    const active = this.parameters.filter((p) => p.gradientState === 'ready' && p.requiresGrad)
    const before = active.map((p) => p.data())
    const norm = Math.sqrt(active.reduce((sum, p) => sum + p.backend.kernels.sumSquares(p.gradientAddress, p.size), 0))
    if (norm > 0) {
      for (const p of active) {
        p.backend.kernels.addScaled(p.gradientAddress, p.address, p.size, this.rho / norm)
        p.gradientState = 'used'
      }
      try {
        closure()
      } finally {
        active.forEach((p, i) => p.view().set(before[i]))
      }
    }
    this.inner.step(options)
  }

  /** @internal */
  stepScheme(): StepScheme {
    return {
      ...{ optimizer: this.inner, batches: 1, gradientScale: 1, isComplete: true },
      secondEvaluation: (parameters, allocate) => this.secondEvaluation(parameters, allocate),
    }
  }

  /** The second evaluation of {@link step}, as kernel calls for programs. */
  private secondEvaluation(parameters: readonly Parameter[], allocate: (bytes: number) => Ptr): SecondEvaluation | null {
    const active = this.parameters.filter((p) => parameters.includes(p) && p.requiresGrad)
    const { kernels, heap, part } = active[0].backend
    const perturb = part(DESCENT)?.perturb as Kernel | undefined
    if (perturb === undefined) return null
    const copies = stretches(active).map(([address, size]) => [address, allocate(4 * size), size] as const)
    const copy = (...args: number[]) => ({ name: 'copy', kernel: kernels.copy as Kernel, args })
    const isSkipped = allocate(4)
    // ρ as a double, then three words for each array
    const table = allocate(8 + 12 * active.length)
    const words = active.flatMap(({ address, gradientAddress, size }) => [address, gradientAddress, size])
    heap.ints.set(words, table / 4 + 2)
    return {
      before: [...copies.map((args) => copy(...args)), { name: 'perturb', kernel: perturb, args: [table, active.length, isSkipped] }],
      isSkipped,
      after: copies.map(([address, kept, size]) => copy(kept, address, size)),
      refresh: () => {
        heap.doubles[table / 8] = this.rho
      },
    }
  }

  protected extra(): Record<string, unknown> {
    return { rho: this.rho }
  }

  protected loadExtra(saved: Record<string, unknown>): () => void {
    const options = checkOptions(`${this.name}.loadState()`, saved, SAM_OPTIONS)
    return () => Object.assign(this, options)
  }
}

/** Addresses and lengths in floats of contiguous runs of parameters. */
function stretches(parameters: readonly Parameter[]): [Ptr, number][] {
  const found: [Ptr, number][] = []
  for (const { address, size } of parameters) {
    const last = found.at(-1)
    if (last !== undefined && last[0] + 4 * last[1] === address) last[1] += size
    else found.push([address, size])
  }
  return found
}
