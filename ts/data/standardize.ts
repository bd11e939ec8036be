/** Scaling features, and targets that are numbers: to mean 0 and standard deviation 1, to 0..1, or by median and quartiles. */

import { checkCount } from '../common/checks.js'
import { rangeError, typeError } from '../common/errors.js'
import { flag, readOptions, type Schema } from '../common/options.js'
import { quantileOf } from '../common/quantile.js'
import { refuseLater } from '../common/saved.js'
import { show } from '../common/show.js'
import { checkDataset, type Dataset, type Split, type Targets, type ThreeWaySplit } from './dataset.js'

/** Result of {@link Scaler.state}: JSON keeps it to the bit. */
export interface ScalerState {
  format: 'gradus-scaler/1'
  mean: number[]
  deviation: number[]
}

/** The statistics that {@link fitScaler} learned; `apply` also works on later data. */
export interface Scaler {
  /** Value subtracted from each feature: its mean; for `minMax` its least value, for `robust` its median. */
  readonly mean: Float64Array
  /**
   * Divisor of each feature: its standard deviation; for `minMax` its range, for `robust` the distance of its quartiles. 1 for a feature that never
   * changes.
   */
  readonly deviation: Float64Array
  /** (x − mean) / deviation for rows of the same features, as a new array. @throws RangeError unless they are whole rows */
  apply(inputs: ArrayLike<number>): Float32Array
  /** A data set with its inputs scaled, and everything else unchanged. */
  apply<D extends Dataset<Targets>>(data: D): D
  /** The inverse, x·deviation + mean, as a new array. @throws RangeError unless they are whole rows */
  invert(scaled: ArrayLike<number>): Float32Array
  /** Plain JSON for {@link scalerFromState}, to be kept beside the model's weights. */
  state(): ScalerState
}

/**
 * Scaling of features: `standard` to mean 0 and standard deviation 1; `minMax` so that the training data are from 0 to 1; `robust` to median 0 and a
 * distance of 1 between the quartiles, which outliers do not affect.
 */
export type ScalingMethod = 'standard' | 'minMax' | 'robust'

/** Options of {@link fitScaler}. */
export interface ScalerOptions {
  /** Default `standard`. */
  method?: ScalingMethod
}

export const SCALER = { method: { is: ['standard', 'minMax', 'robust'], default: 'standard' } } satisfies Schema<ScalerOptions>

/** Options of {@link standardize}. */
export interface StandardizeOptions extends ScalerOptions {
  /** Scale targets that are numbers as well; `targetScaler.invert` brings predictions back. Default false. */
  targets?: boolean
}

export const STANDARDIZE = { ...SCALER, targets: { is: flag, default: false } } satisfies Schema<StandardizeOptions>

/** Result of {@link standardize}: the scaled data, and the scaler. */
export interface Standardized<D extends Dataset<Targets>> extends Split<D> {
  readonly scaler: Scaler
  /** The scaler of the targets, which are one feature. Without `targets: true` it leaves them as they are. */
  readonly targetScaler: Scaler
}

/**
 * Mean and standard deviation (of the population) of each column of row-major inputs, or the statistics of another `method`.
 *
 * @example
 * const scaler = fitScaler(Float32Array.of(1, 10, 3, 30), 2)
 * scaler.mean // Float64Array.of(2, 20)
 * scaler.apply(Float32Array.of(3, 10)) // Float32Array.of(1, -1)
 * fitScaler([1, 2, 5], 1, { method: 'minMax' }).apply([3]) // Float32Array.of(0.5)
 * @throws RangeError for no or ragged rows, and for values that are not finite; TypeError for rows that are not in one array of numbers
 */
export function fitScaler(inputs: ArrayLike<number>, features: number, options: ScalerOptions = {}): Scaler {
  const { method } = readOptions('fitScaler', options, SCALER)
  if (features === undefined || typeof inputs?.length !== 'number')
    throw typeError(
      'fitScaler: wants inputs in one array and the number of features, fitScaler(data.inputs, data.features), ' +
        `got ${show(inputs)} and ${show(features)}`,
    )
  checkRows('fitScaler', inputs, features)
  const rows = inputs.length / features
  if (rows === 0) throw rangeError('fitScaler: no rows to learn from')
  if (method !== 'standard') return scalerOf(...rangesOf(inputs, features, method))
  const mean = new Float64Array(features)
  const deviation = new Float64Array(features)
  for (let i = 0; i < inputs.length; i++) mean[i % features] += inputs[i] / rows
  for (let i = 0; i < inputs.length; i++) deviation[i % features] += (inputs[i] - mean[i % features]) ** 2 / rows
  const wrong = deviation.findIndex((d) => !Number.isFinite(d))
  if (wrong >= 0) throw notFinite(wrong)
  // The deviation of a constant column is rounding error, and dividing by it would make that error as large as a feature. In numbers of
  // 32 bits it is at most the unit of rounding; in doubles it comes from the sums here, as in scikit-learn's StandardScaler.
  const rounding = inputs instanceof Float32Array ? 1e-7 : rows * Number.EPSILON
  for (let j = 0; j < features; j++) deviation[j] = deviation[j] <= (rounding * mean[j]) ** 2 ? 1 : Math.sqrt(deviation[j])
  return scalerOf(mean, deviation)
}

/** The least value and the range of each column; or its median and the distance of its quartiles, between two values in proportion as in NumPy. */
function rangesOf(inputs: ArrayLike<number>, features: number, method: ScalingMethod): [Float64Array, Float64Array] {
  const [center, spread] = [new Float64Array(features), new Float64Array(features)]
  for (let j = 0; j < features; j++) {
    const sorted = Float64Array.from({ length: inputs.length / features }, (_, i) => inputs[i * features + j]).sort()
    if (!(Number.isFinite(sorted[0]) && Number.isFinite(sorted[sorted.length - 1]))) throw notFinite(j)
    const [low, middle, high] = (method === 'minMax' ? [0, 0, 1] : [0.25, 0.5, 0.75]).map((q) => quantileOf(sorted, q))
    center[j] = middle
    spread[j] = high - low || 1
  }
  return [center, spread]
}

function notFinite(column: number): RangeError {
  return rangeError(`fitScaler: column ${column} has values that are not finite; remove or replace them first`)
}

function scalerOf(mean: Float64Array, deviation: Float64Array): Scaler {
  const features = mean.length
  const applyTo = (values: ArrayLike<number>) => {
    checkRows('Scaler.apply', values, features)
    const scaled = new Float32Array(values.length)
    for (let i = 0; i < scaled.length; i++) scaled[i] = (values[i] - mean[i % features]) / deviation[i % features]
    return scaled
  }
  return {
    mean,
    deviation,
    apply: ((given: ArrayLike<number> | Dataset<Targets>) => {
      if (!('inputs' in Object(given))) return applyTo(given as ArrayLike<number>)
      const data = given as Dataset<Targets>
      checkDataset('Scaler.apply', data)
      if (data.features !== features) throw rangeError(`Scaler.apply: learnt from ${features} features, got a data set of ${data.features}`)
      return { ...data, inputs: applyTo(data.inputs) }
    }) as Scaler['apply'],
    invert(values) {
      checkRows('Scaler.invert', values, features)
      const restored = new Float32Array(values.length)
      for (let i = 0; i < restored.length; i++) restored[i] = values[i] * deviation[i % features] + mean[i % features]
      return restored
    },
    state: () => ({ format: 'gradus-scaler/1', mean: [...mean], deviation: [...deviation] }),
  }
}

/**
 * The scaler of a saved state, also from JSON: it scales inputs for prediction as in training.
 *
 * @example
 * const text = JSON.stringify(fitScaler(Float32Array.of(1, 10, 3, 30), 2).state())
 * const scaler = scalerFromState(JSON.parse(text))
 * scaler.apply(Float32Array.of(3, 10)) // Float32Array.of(1, -1)
 * @throws TypeError for anything but a scaler's state, RangeError for one that was damaged
 */
export function scalerFromState(state: ScalerState): Scaler {
  refuseLater('scalerFromState', state?.format, 'gradus-scaler/1')
  if (state?.format !== 'gradus-scaler/1')
    throw typeError(`scalerFromState: this is no state of a scaler, but ${formatOf(state)}; take it with scaler.state()`)
  const [mean, deviation] = [state.mean, state.deviation]
  const isGood = Array.isArray(mean) && Array.isArray(deviation) && mean.length > 0 && mean.length === deviation.length
  if (!(isGood && mean.every(Number.isFinite) && deviation.every((d) => Number.isFinite(d) && d > 0)))
    throw rangeError('scalerFromState: wants finite means and as many deviations above 0, a number of each for every feature')
  return scalerOf(Float64Array.from(mean), Float64Array.from(deviation))
}

/** @internal a description of a value that was given instead of a state, for messages */
export function formatOf(state: unknown): string {
  const { format } = (state ?? {}) as { format?: unknown }
  return typeof format === 'string' ? `'${format}'` : show(state)
}

/**
 * Scales every feature by the mean and standard deviation of the training data, so that nothing about the test data leaks.
 * With `targets: true` also targets that are numbers; losses are then in their standard deviations. Takes two sets or three.
 *
 * @example
 * const { train, test, scaler } = standardize(trainTestSplit(iris()))
 * fitScaler(train.inputs, 4).deviation.every((d) => Math.abs(d - 1) < 1e-5) // true
 * @throws RangeError if `targets` is asked for and they are classes
 */
export function standardize<D extends Dataset<Targets>>(
  split: ThreeWaySplit<D>,
  options?: StandardizeOptions,
): Standardized<D> & ThreeWaySplit<D>
export function standardize<D extends Dataset<Targets>>(split: Split<D>, options?: StandardizeOptions): Standardized<D>
export function standardize<D extends Dataset<Targets>>(
  split: Split<D> & Partial<ThreeWaySplit<D>>,
  options: StandardizeOptions = {},
): Standardized<D> {
  const { targets, method } = readOptions('standardize', options, STANDARDIZE)
  const { train, test, validation } = split ?? {}
  if (!train || !test) throw typeError(`standardize: wants { train, test }, as trainTestSplit gives them, got ${show(split)}`)
  for (const data of validation ? [train, test, validation] : [train, test]) checkDataset('standardize', data)
  const scaler = fitScaler(train.inputs, train.features, { method })
  const targetScaler = targets ? fitTargets(train.targets) : scalerOf(Float64Array.of(0), Float64Array.of(1))
  const scaled = (data: D): D => ({
    ...data,
    inputs: scaler.apply(data.inputs),
    targets: targets ? targetScaler.apply(data.targets as Float32Array) : data.targets,
  })
  return { train: scaled(train), test: scaled(test), ...(validation && { validation: scaled(validation) }), scaler, targetScaler }
}

function fitTargets(targets: Targets): Scaler {
  if (targets instanceof Int32Array) throw rangeError('standardize: targets are classes, which have no scale')
  return fitScaler(targets, 1)
}

function checkRows(what: string, inputs: ArrayLike<number>, features: number): void {
  checkCount(`${what}: features`, features)
  if (!(inputs?.length === 0 || typeof inputs?.[0] === 'number'))
    throw typeError(`${what}: wants all rows in one array of numbers (of a tensor its data()), got ${nested(inputs)}`)
  if (inputs.length % features !== 0) throw rangeError(`${what}: ${inputs.length} values are no whole rows of ${features} features`)
}

function nested(given: ArrayLike<unknown>): string {
  return Array.isArray(given) ? `${show(given)}, the first ${show(given[0])}; flat() makes one of rows` : show(given)
}
