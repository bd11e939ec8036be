/** A learned factor for each column, and for each member of an ensemble. */

import { checkCount } from '../common/checks.js'
import { count, type Read, readOptions, type Schema } from '../common/options.js'
import { mul } from '../ops/elementwise.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { withMembers } from './ensemble-dense.js'
import { type Initializer, type InitializerName, initializer, initializing, signs } from './initializer.js'
import { ShapedLayer } from './layer.js'
import type { EnsembleAxis } from './layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/** Options of {@link Scale}. */
export interface ScaleOptions extends ModuleOptions {
  /** Number of members of an ensemble, each of which has factors of its own. Default: no ensemble. */
  members?: number
  /** First factors. Default: `ones`, or with `members` random signs, ±1, so that members differ. */
  weightInitializer?: InitializerName | Initializer
}

export const SCALE = {
  ...MODULE,
  members: { is: count },
  weightInitializer: { is: initializing },
} satisfies Schema<ScaleOptions>

type ScaleShapes<N extends number> = EnsembleAxis<`Scale(${N})`, N, N>

/**
 * y = x ⊙ s with a learned factor s for each column: x [..., width], s [width], ones at first. As first layer it chooses inputs (RealMLP: Holzmüller,
 * Grinsztajn & Steinwart 2024).
 *
 * With `members` it begins an ensemble whose members share all weights but these factors: x [rows, width] becomes [members, rows, width], s [members,
 * 1, width]. Dense layers then work on the rows of all members as on one batch, and {@link EnsembleDense} and {@link EnsembleMean} end the ensemble.
 * That is TabM-mini (Gorishniy, Kotelnikov & Babenko 2025, arXiv 2410.24210).
 *
 * @example
 * new Scale(3).predict([[1, 2, 3]]) // [[1, 2, 3]]
 * new Scale(3, { members: 8 }).predict([[1, 2, 3]]).shape // [8, 1, 3]
 * @throws RangeError for a width or number of members that is not a whole number ≥ 1; forward() throws ShapeError naming the layer
 */
export class Scale<const N extends number = number> extends ShapedLayer<ScaleShapes<N>> {
  static override get name() {
    return 'Scale'
  }

  declare weight: Parameter
  /** Number of members; undefined without an ensemble. */
  readonly members: number | undefined
  readonly #options: Read<ScaleOptions, typeof SCALE>

  constructor(
    readonly width: N,
    options: ScaleOptions = {},
  ) {
    super(options)
    checkCount('Scale: width', width)
    this.#options = readOptions('Scale', options, SCALE)
    this.members = this.#options.members
  }

  protected override createParameters(context: BuildContext): void {
    const { width, members } = this
    const { weightInitializer = members === undefined ? 'ones' : signs() } = this.#options
    const shape = members === undefined ? [width] : [members, 1, width]
    this.weight = this.makeParameter(context, 'weight', shape)
    initializer(weightInitializer, width, width, 'Scale')(this.weight, context.nextGenerator())
  }

  override describe(): string {
    return `Scale(${this.width}${this.members === undefined ? '' : `, ${this.members} members`})`
  }

  protected compute(input: Tensor): Tensor {
    const { weight, width, members } = this.build()
    const x = this.withFeatures(input, width, weight.backend)
    if (members === undefined) return mul(x, weight) as Tensor
    return mul(withMembers(x, members, this.label(this.describe())), weight) as Tensor
  }
}
