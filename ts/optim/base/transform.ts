/**
 * Changes of gradients before the update: the transforms of an optimizer in their order, and skipping of steps with gradients that are not finite.
 *
 * A transform sees all gradients of a step ({@link Gradients}), across groups. A transform that only scales changes `scale`, a factor in the fused
 * update, and never writes a gradient; the others write in place.
 */
import { array, flag, positive, type Schema } from '../../common/options.js'
import { clipByNorm, clipByValue, clipGlobalNorm } from '../transforms/clipping.js'
import { Gradients, type GradientTransform } from './gradients.js'
import type { ParameterGroup } from './group.js'

/** Named options of every optimizer for the usual transforms; they run in this order, `gradientTransforms` first. */
export interface TransformOptions {
  /** Any transforms, in order. */
  gradientTransforms?: readonly GradientTransform[]
  /** Skips a step whose gradients are not all finite: counts it, warns once, and leaves parameters and state unchanged. Default false. */
  skipNonFinite?: boolean
  /** Clips every gradient element to [−c, c]. */
  clipValue?: number
  /** Clips the norm of each parameter's gradient to c. */
  clipNormPerParameter?: number
  /** Clips the norm of all gradients together to c. The factor is part of the update, so no gradient is written. */
  clipNorm?: number
}

export const TRANSFORM = {
  gradientTransforms: { is: array },
  skipNonFinite: { is: flag },
  clipValue: { is: positive },
  clipNormPerParameter: { is: positive },
  clipNorm: { is: positive },
} satisfies Schema<TransformOptions>

/** @internal the transforms of an optimizer, named ones and others, and the guard against gradients that are not finite */
export class TransformChain {
  skippedSteps = 0
  /** True if gradients are neither changed nor read. */
  readonly isEmpty: boolean
  private readonly chain: GradientTransform[]
  private readonly skipNonFinite: boolean
  private readonly owner: string
  private readonly gradients = new Gradients()

  constructor(options: TransformOptions, owner: string) {
    const { gradientTransforms = [], clipValue, clipNormPerParameter, clipNorm, skipNonFinite = false } = options
    this.owner = owner
    this.chain = [...gradientTransforms]
    if (clipValue !== undefined) this.chain.push(clipByValue(clipValue))
    if (clipNormPerParameter !== undefined) this.chain.push(clipByNorm(clipNormPerParameter))
    if (clipNorm !== undefined) this.chain.push(clipGlobalNorm(clipNorm))
    this.skipNonFinite = skipNonFinite
    this.isEmpty = this.chain.length === 0 && !skipNonFinite
  }

  /** The factor for gradients in the update; null to skip the step. */
  apply(groups: readonly ParameterGroup[], scale: number): number | null {
    const { chain, gradients } = this
    if (this.isEmpty) return scale
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
        `${this.owner}: the gradient of ${culprits.slice(0, 3).join(', ')} is not finite; the step was skipped, and ` +
          'further ones are only counted (skippedSteps). A lower learning rate or clipNorm usually helps',
      )
    }
    return null
  }
}
