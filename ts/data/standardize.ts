/** Scaling features to mean 0 and standard deviation 1. */
import type { Split } from './dataset.js'

/** What {@link fitScaler} learned; `apply` also works on data that comes later. */
export interface Scaler {
  /** Mean of each feature. */
  readonly mean: Float64Array
  /** Standard deviation of each feature; 1 for a feature that never changes. */
  readonly deviation: Float64Array
  /** (x − mean) / deviation for rows of the same features, as a new array. @throws RangeError if they are no whole rows */
  apply(inputs: Float32Array): Float32Array
}

/** Mean and standard deviation (of the population) of each column of row-major inputs. @throws RangeError for no or ragged rows */
export function fitScaler(inputs: Float32Array, features: number): Scaler {
  checkRows('fitScaler', inputs, features)
  const rows = inputs.length / features
  if (rows === 0) throw new RangeError('fitScaler: no rows to learn from')
  const mean = new Float64Array(features)
  const deviation = new Float64Array(features)
  for (let i = 0; i < inputs.length; i++) mean[i % features] += inputs[i] / rows
  for (let i = 0; i < inputs.length; i++) deviation[i % features] += (inputs[i] - mean[i % features]) ** 2 / rows
  // A constant column's deviation is rounding noise; dividing by it would blow that noise up.
  for (let j = 0; j < features; j++) deviation[j] = deviation[j] <= (1e-7 * mean[j]) ** 2 ? 1 : Math.sqrt(deviation[j])
  const apply = (values: Float32Array): Float32Array => {
    checkRows('Scaler.apply', values, features)
    return values.map((x, i) => (x - mean[i % features]) / deviation[i % features])
  }
  return { mean, deviation, apply }
}

/**
 * Scales every feature by the mean and standard deviation of the training data, so that nothing about the test data leaks.
 *
 * @example const { train, test, scaler } = standardize(trainTestSplit(iris()))
 */
export function standardize({ train, test }: Split): Split & { scaler: Scaler } {
  const scaler = fitScaler(train.inputs, train.features)
  return { train: { ...train, inputs: scaler.apply(train.inputs) }, test: { ...test, inputs: scaler.apply(test.inputs) }, scaler }
}

function checkRows(what: string, inputs: Float32Array, features: number): void {
  if (!(Number.isInteger(features) && features > 0))
    throw new RangeError(`${what}: features must be a whole number above 0, got ${features}`)
  if (inputs.length % features !== 0) throw new RangeError(`${what}: ${inputs.length} values are no whole rows of ${features} features`)
}
