/** Search spaces: plain objects of parameters, each with its range. */
import { rangeError, typeError } from '../common/errors.js'
import { count, flag, positive, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { exp, log } from './math.js'

/** A value of a categorical parameter: a JSON value, so that it can be stored. */
export type Choice = string | number | boolean | null

/** A real number, made by {@link float}. */
export interface FloatRange {
  readonly kind: 'float'
  readonly low: number
  readonly high: number
  /** True if equal ratios, not equal differences, are equally likely. */
  readonly log: boolean
  /** Distance between neighbors; null if every number in between is allowed. */
  readonly step: number | null
}

/** A whole number, made by {@link int}. */
export interface IntRange {
  readonly kind: 'int'
  readonly low: number
  readonly high: number
  readonly log: boolean
  readonly step: number
}

/** One of some values, made by {@link categorical}. */
export interface Categorical<T extends Choice = Choice> {
  readonly kind: 'categorical'
  readonly choices: readonly T[]
}

/** A parameter without a condition. */
export type ParameterRange = FloatRange | IntRange | Categorical

/** A parameter that is there only for some values of another, made by {@link when}. */
export interface Conditional<R extends ParameterRange = ParameterRange> {
  readonly kind: 'when'
  /** The parameter that decides. */
  readonly name: string
  /** The values of the other parameter for which this one is present. */
  readonly values: readonly Choice[]
  readonly range: R
}

/** A parameter of a {@link Space}. */
export type SpaceParameter = ParameterRange | Conditional

/** Parameters by name, in the order in which reports show them. A conditional parameter comes after the one on which it depends. */
export type Space = Readonly<Record<string, SpaceParameter>>

type ValueOf<P> = P extends Conditional<infer R> ? ValueOf<R> | undefined : P extends Categorical<infer T> ? T : number

/** The values of a space, as the objective gets them: a number, one of the choices, or undefined if a condition does not hold. */
export type Params<S extends Space = Space> = { [K in keyof S]: ValueOf<S[K]> }

/** Allowed distance of a value from a multiple of the step, as a share of the step. */
const ON_STEP = 1e-8

/** Options of {@link float}. */
export interface FloatOptions {
  /** Makes equal ratios equally likely: for learning rates, decays, and anything that spans powers of ten. Default false. */
  log?: boolean
  /** Distance of allowed values: only `low` plus a multiple of it. Default: every number is allowed. */
  step?: number
}

export const FLOAT = { log: { is: flag, default: false }, step: { is: positive } } satisfies Schema<FloatOptions>

/**
 * A real number from `low` to `high`, both possible.
 * @example
 * float(1e-5, 1, { log: true }).high // 1
 * @throws RangeError for an empty range, one that is not finite, a logarithm of 0, or a step that is not above 0
 */
export function float(low: number, high: number, options: FloatOptions = {}): FloatRange {
  const { log: isLog, step } = readOptions('float', options, FLOAT)
  checkEnds('float', low, high, isLog)
  if (step !== undefined && isLog) throw rangeError('float: wants step or log, got both; leave one out')
  if (step === undefined) return { kind: 'float', low, high, log: isLog, step: null }
  return { kind: 'float', low, high: onStep(low, step, Math.floor(stepsTo(low, step, high))), log: isLog, step }
}

/** The double nearest to `low + k · step` in decimals, as people write it: 0.3 for three steps of 0.1, where `3 * 0.1` is 0.30000000000000004. */
function onStep(low: number, step: number, k: number): number {
  const x = low + k * step
  const digits = Math.max(decimals(low), decimals(step))
  return digits <= MAX_DECIMALS ? Number(x.toFixed(digits)) : x
}

/** Number of steps from `low` to a number: an integer if the number is on a step to rounding, as 0.1 + 0.2 is for steps of 0.1. */
function stepsTo(low: number, step: number, x: number): number {
  const steps = (x - low) / step
  const whole = Math.round(steps)
  return Math.abs(steps - whole) < ON_STEP || onStep(low, step, whole) === x ? whole : steps
}

/** The largest number of decimals that `toFixed` accepts. */
const MAX_DECIMALS = 100

/** Digits behind the point: 2 for 0.25, 7 for 1.5e-6. */
function decimals(x: number): number {
  const [digits, exponent = 0] = String(x).split('e')
  return Math.max(0, (digits.split('.')[1]?.length ?? 0) - Number(exponent))
}

/** Options of {@link int}. */
export interface IntOptions {
  /** Makes equal ratios equally likely: for widths, batch sizes, and anything that doubles. Default false. */
  log?: boolean
  /** Distance of allowed values: only `low` plus a multiple of it. Default 1. */
  step?: number
}

export const INT = { log: { is: flag, default: false }, step: { is: count, default: 1 } } satisfies Schema<IntOptions>

/**
 * A whole number from `low` to `high`, both possible.
 * @example
 * int(8, 256, { log: true }).low // 8
 * @throws RangeError for ends that are not whole numbers, an empty range, a logarithm of 0, or a step that is not a whole number above 0
 */
export function int(low: number, high: number, options: IntOptions = {}): IntRange {
  const { log: isLog, step } = readOptions('int', options, INT)
  checkEnds('int', low, high, isLog)
  for (const [name, value] of Object.entries({ low, high }))
    if (!Number.isSafeInteger(value)) throw rangeError(`int: ${name} wants a whole number, got ${show(value)}; float() takes others`)
  if (step !== 1 && isLog) throw rangeError('int: wants step or log, got both; leave one out')
  return { kind: 'int', low, high: low + Math.floor((high - low) / step) * step, log: isLog, step }
}

/**
 * One of some values without an order.
 * @example
 * categorical(['relu', 'tanh']).choices.length // 2
 * @throws TypeError, RangeError for no values, the same value twice, or values that JSON does not have
 */
export function categorical<const T extends Choice>(choices: readonly T[]): Categorical<T> {
  if (!Array.isArray(choices)) throw typeError(`categorical: wants values in an array, got ${show(choices)}`)
  if (choices.length === 0) throw rangeError('categorical: wants at least one value, got an empty array')
  choices.forEach((choice: unknown, i) => {
    const isPlain = choice === null || ['string', 'boolean'].includes(typeof choice) || Number.isFinite(choice)
    if (!isPlain)
      throw typeError(
        `categorical: value ${i} wants a text, a finite number, true, false or null, got ${show(choice)}; name it by a text and look it up in the objective`,
      )
    if (choices.indexOf(choice as T) !== i) throw rangeError(`categorical: value ${i} is ${show(choice)} again; each value once`)
  })
  return { kind: 'categorical', choices: [...choices] }
}

/**
 * A parameter that is present only if another has a certain value, or one of several. Otherwise the objective gets undefined for it.
 * @example
 * const space = { optimizer: categorical(['SGD', 'Adam']), momentum: when('optimizer', 'SGD', float(0, 0.99)) }
 * space.momentum.name // 'optimizer'
 * @throws TypeError if `parameter` is not a parameter
 */
export function when<R extends ParameterRange>(name: string, values: Choice | readonly Choice[], range: R): Conditional<R> {
  if (typeof name !== 'string') throw typeError(`when: wants the name of another parameter, got ${show(name)}`)
  if (!isRange(range)) throw typeError(`when: wants a parameter such as float(0, 1), got ${show(range)}`)
  return { kind: 'when', name, values: Array.isArray(values) ? [...values] : [values as Choice], range }
}

function checkEnds(who: string, low: number, high: number, isLog: boolean): void {
  for (const [name, value] of Object.entries({ low, high }))
    if (!Number.isFinite(value)) throw rangeError(`${who}: ${name} wants a finite number, got ${show(value)}`)
  if (low > high) throw rangeError(`${who}: wants low ≤ high, got ${low} and ${high}: the range is empty`)
  if (isLog && low <= 0)
    throw rangeError(`${who}: a logarithmic range wants low above 0, got ${low}; begin at a small number such as 1e-6, or leave log out`)
}

function isRange(value: unknown): value is ParameterRange {
  return ['float', 'int', 'categorical'].includes((value as ParameterRange | undefined)?.kind as string)
}

/** @internal the range of a parameter, without its condition */
export function rangeOf(parameter: SpaceParameter): ParameterRange {
  return parameter.kind === 'when' ? parameter.range : parameter
}

/** @internal the call that makes a range, as people would write it: `float(1e-5, 1, { log: true })` */
export function describeRange(parameter: SpaceParameter): string {
  if (parameter.kind === 'when') return `when('${parameter.name}', ${JSON.stringify(parameter.values)}, ${describeRange(parameter.range)})`
  if (parameter.kind === 'categorical') return `categorical(${JSON.stringify(parameter.choices)})`
  const { kind, low, high, step } = parameter
  const isStep = step !== null && !(kind === 'int' && step === 1)
  const options = [...(parameter.log ? ['log: true'] : []), ...(isStep ? [`step: ${step}`] : [])]
  return `${kind}(${low}, ${high}${options.length > 0 ? `, { ${options.join(', ')} }` : ''})`
}

/**
 * @internal A parameter as samplers see it: a coordinate. For numbers it is the value or, on a logarithmic range, its logarithm, from `low` to
 * `high`; ranges with steps extend half a step beyond their ends. For categories it is the index, with `low` 0 and `high` the number of choices.
 */
export class Axis {
  readonly range: ParameterRange
  readonly low: number
  readonly high: number
  /** The number of choices; 0 for numbers. */
  readonly choices: number
  /** The position of the axis on which this one depends; −1 for none. */
  readonly parent: number
  private readonly parentIndices: readonly number[]
  private readonly parentValues: readonly Choice[]
  private readonly parentAxis: Axis | undefined

  constructor(
    readonly name: string,
    readonly parameter: SpaceParameter,
    before: readonly Axis[],
  ) {
    const range = rangeOf(parameter)
    this.range = range
    this.choices = range.kind === 'categorical' ? range.choices.length : 0
    if (range.kind === 'categorical') {
      this.low = 0
      this.high = this.choices
    } else {
      const half = (range.step ?? 0) / 2
      const place = range.log ? log : (x: number) => x
      this.low = place(range.low - half)
      this.high = place(range.high + half)
    }
    this.parent = parameter.kind === 'when' ? before.findIndex((axis) => axis.name === parameter.name) : -1
    this.parentAxis = before[this.parent]
    this.parentValues = parameter.kind === 'when' ? parameter.values : []
    this.parentIndices = this.parentValues.map((value) => this.parentAxis?.coordinate(value) ?? Number.NaN)
  }

  /** True if there is only one value. */
  get isSingle(): boolean {
    return this.range.kind === 'categorical' ? this.choices === 1 : this.range.low === this.range.high
  }

  /** True if the parameter is present for these coordinates of the earlier axes. */
  isActive(point: ArrayLike<number>): boolean {
    return this.parent < 0 || this.parentIndices.includes(point[this.parent])
  }

  /** The coordinate of a value; NaN for one that is not in the range. */
  coordinate(value: unknown): number {
    const { range } = this
    if (range.kind === 'categorical') {
      const index = range.choices.indexOf(value as Choice)
      return index < 0 ? Number.NaN : index
    }
    if (typeof value !== 'number') return Number.NaN
    const x = this.isOnStep(value) ? this.nearestStep(value) : value
    if (!(x >= range.low && x <= range.high)) return Number.NaN
    return range.log ? log(x) : x
  }

  /** True if a value is in the range: within its ends and on its steps, as precisely as Optuna requires. */
  has(value: unknown): boolean {
    return (
      !Number.isNaN(this.coordinate(value)) &&
      (this.range.kind === 'categorical' || this.range.step === null || this.isOnStep(value as number))
    )
  }

  /** True if a number is, to rounding, a multiple of the step above `low`. */
  private isOnStep(value: number): boolean {
    const { range } = this
    if (range.kind === 'categorical' || range.step === null) return false
    return Number.isInteger(range.kind === 'int' ? (value - range.low) / range.step : stepsTo(range.low, range.step, value))
  }

  private nearestStep(value: number): number {
    const { range } = this
    if (range.kind === 'categorical' || range.step === null) return value
    return onStep(range.low, range.step, Math.round((value - range.low) / range.step))
  }

  /** The value at a coordinate, on the steps of the range and within its ends. */
  value(coordinate: number): Choice {
    const { range } = this
    if (range.kind === 'categorical') return range.choices[Math.min(this.choices - 1, Math.max(0, Math.floor(coordinate)))]
    const x = this.nearestStep(range.log ? exp(coordinate) : coordinate)
    return Math.min(range.high, Math.max(range.low, x))
  }

  /** The coordinate at a share of the range, 0 ≤ u < 1. */
  at(u: number): number {
    return this.choices > 0 ? Math.floor(u * this.choices) : this.low + u * (this.high - this.low)
  }

  /** The share of the range below a coordinate. */
  share(coordinate: number): number {
    if (this.choices > 0) return (coordinate + 0.5) / this.choices
    return this.high > this.low ? (coordinate - this.low) / (this.high - this.low) : 0.5
  }
}

/** @internal the axes of a space, each after the one on which it depends; @throws TypeError, RangeError that name the parameter */
export function axesOf(space: Space): Axis[] {
  if (typeof space !== 'object' || space === null || Array.isArray(space))
    throw typeError(
      `createStudy: space wants an object of parameters, { learningRate: float(1e-5, 1, { log: true }), … }, got ${show(space)}`,
    )
  const axes: Axis[] = []
  for (const [name, parameter] of Object.entries(space)) {
    const range = parameter?.kind === 'when' ? parameter.range : parameter
    if (!isRange(range)) throw typeError(`createStudy: space.${name} wants float(), int(), categorical() or when(), got ${show(parameter)}`)
    if (parameter.kind === 'when') {
      const parent = axes.find((axis) => axis.name === parameter.name)
      if (!parent)
        throw rangeError(
          `createStudy: space.${name} depends on '${parameter.name}', which ${parameter.name in space ? 'stands behind it; put it before' : 'is no parameter of the space'}`,
        )
      for (const value of parameter.values)
        if (!parent.has(value))
          throw rangeError(
            `createStudy: space.${name} is there for ${show(value)} of '${parameter.name}', which that never is: ${describeRange(parent.range)}`,
          )
    }
    axes.push(new Axis(name, parameter, axes))
  }
  return axes
}

/** @internal the values at a point; parameters that are not there are left out */
export function valuesAt(axes: readonly Axis[], point: ArrayLike<number>): Record<string, Choice> {
  const values: Record<string, Choice> = {}
  axes.forEach((axis, i) => {
    if (!Number.isNaN(point[i])) values[axis.name] = axis.value(point[i])
  })
  return values
}

/** @internal the point of values: NaN for an absent parameter; null if a value is missing or out of its range */
export function pointOf(axes: readonly Axis[], values: Readonly<Record<string, unknown>>): Float64Array | null {
  const point = new Float64Array(axes.length).fill(Number.NaN)
  for (let i = 0; i < axes.length; i++) {
    if (!axes[i].isActive(point)) continue
    point[i] = axes[i].coordinate(values[axes[i].name])
    if (Number.isNaN(point[i])) return null
  }
  return point
}
