/** Positions that are added to the vectors of a sequence. */

import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { checkOptions, readOptions, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { type Initializer, type InitializerName, initializing, normal } from '../nn/initializer.js'
import { ShapedLayer } from '../nn/layer.js'
import type { LastAxis } from '../nn/layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from '../nn/module.js'
import { add } from '../ops/elementwise.js'
import { slice } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { tableOf } from './operations.js'

/** Options of {@link LearnedPositions}. */
export interface LearnedPositionsOptions extends ModuleOptions {
  /** First values. Default: normal with mean 0 and standard deviation 0.02, as GPT-2. */
  weightInitializer?: InitializerName | Initializer
}

export const LEARNED_POSITIONS = { ...MODULE, weightInitializer: { is: initializing } } satisfies Schema<LearnedPositionsOptions>

type PositionShapes<Name extends string, W extends number> = LastAxis<Name, W, W>

/**
 * Adds a trained vector to each step of x [..., steps, width], for up to `context` steps.
 *
 * @example new LearnedPositions(8, 4).predict(zeros([2, 5, 4])).shape // [2, 5, 4]
 * @throws RangeError for sizes that are not whole numbers; forward() throws ShapeError for other columns or more steps
 */
export class LearnedPositions<const W extends number = number> extends ShapedLayer<PositionShapes<`LearnedPositions(${number}, ${W})`, W>> {
  static override get name() {
    return 'LearnedPositions'
  }

  /** [context, width] */
  declare weight: Parameter
  readonly #options: LearnedPositionsOptions

  constructor(
    /** Largest number of steps. */
    readonly context: number,
    readonly width: W,
    options: LearnedPositionsOptions = {},
  ) {
    super(options)
    this.#options = checkOptions('LearnedPositions', options, LEARNED_POSITIONS)
    checkCount('LearnedPositions: context', context)
    checkCount('LearnedPositions: width', width)
  }

  protected override createParameters(context: BuildContext): void {
    const { weightInitializer = normal(0, 0.02) } = this.#options
    this.weight = this.makeParameter(context, 'weight', [this.context, this.width], weightInitializer)
  }

  override describe(): string {
    return `LearnedPositions(${this.context}, ${this.width})`
  }

  protected compute(x: Tensor): Tensor {
    return this.from(x, 0)
  }

  /** @internal the positions from number `first` on */
  from(input: Tensor, first: number): Tensor {
    const { weight, width, context } = this.build()
    const x = this.withFeatures(input, width, weight.backend)
    const steps = stepsOf(this.label(this.describe()), x)
    if (first + steps > context)
      throw new ShapeError(
        `${this.label(this.describe())}: wants at most ${context} steps, got ${first + steps}; cut the sequences, or make the context longer`,
      )
    return add(x, steps === context ? weight : slice(weight, first, first + steps)) as Tensor
  }
}

/**
 * Adds waves of each step's position to x [..., steps, width]: at position t column 2i has sin(t / 10000^(2i / width)) and column 2i + 1 the cosine of
 * the same angle (Vaswani et al. 2017). Nothing is trained, and sequences may have any length.
 *
 * @example new SinusoidalPositions(2).predict(zeros([1, 2, 2])) // [[[0, 1], [0.841471, 0.540302]]]
 * @throws RangeError unless the width is an even whole number; forward() throws ShapeError for other columns
 */
export class SinusoidalPositions<const W extends number = number> extends ShapedLayer<PositionShapes<`SinusoidalPositions(${W})`, W>> {
  static override get name() {
    return 'SinusoidalPositions'
  }

  constructor(
    readonly width: W,
    options: ModuleOptions = {},
  ) {
    super(options)
    readOptions('SinusoidalPositions', options, MODULE)
    checkCount('SinusoidalPositions: width', width)
    if (width % 2 === 1) throw rangeError(`SinusoidalPositions: width wants an even number, got ${width}`)
  }

  override describe(): string {
    return `SinusoidalPositions(${this.width})`
  }

  protected compute(x: Tensor): Tensor {
    return this.from(x, 0)
  }

  /** @internal the positions from number `first` on */
  from(input: Tensor, first: number): Tensor {
    const { width } = this.build()
    const x = this.withFeatures(input, width, input.backend)
    const waves = tableOf(x.backend, stepsOf(this.label(this.describe()), x), width, (step, c) => {
      const angle = (first + step) / 10_000 ** ((c - (c % 2)) / width)
      return c % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
    })
    return add(x, waves) as Tensor
  }
}

/** The number of steps of x [..., steps, columns]. */
function stepsOf(name: string, x: Tensor): number {
  if (x.rank < 2) throw new ShapeError(`${name}: wants inputs of shape [..., steps, columns], got shape ${formatShape(x.shape)}`)
  return x.shape[x.rank - 2]
}
