/** Targets and weights of rows as numbers. */
import { rangeError, ShapeError } from '../common/errors.js'
import { anything, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'

/** Options of every metric. */
export interface MetricOptions {
  /** Weight of each row, from 0. Default: all 1. */
  weights?: TensorLike
}

export const METRIC = { weights: { is: anything } } satisfies Schema<MetricOptions>

/** @internal the values of targets, as many as predictions or as `rows` says. @throws ShapeError */
export function valuesOf(target: TensorLike, who: string, { size, shape }: Tensor, rows = size) {
  const targets = asTensor(target, undefined, `${who}: target`)
  if (targets.size === size || targets.size === rows) return targets.read()
  throw new ShapeError(`${who}: prediction has shape ${formatShape(shape)}, target ${formatShape(targets.shape)}`)
}

/** @internal the weight of a row. @throws ShapeError, RangeError for weights that are not one for each row, negative, or all 0 */
export function weightOf(who: string, weights: TensorLike | undefined, rows: number): (row: number) => number {
  if (weights === undefined) return () => 1
  const given = asTensor(weights, undefined, `${who}: weights`)
  const values = given.read()
  if (given.size !== rows) throw new ShapeError(`${who}: wants one weight for each of ${rows} rows, got shape ${formatShape(given.shape)}`)
  if (!(values.every((w: number) => w >= 0 && w < Infinity) && values.some((w: number) => w > 0)))
    throw rangeError(`${who}: weights want finite numbers from 0, not all of them 0`)
  return (row) => values[row]
}
