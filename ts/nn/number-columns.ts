/** Columns of numbers that become vectors: code that layers of embeddings of numbers share. */

import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import type { Kind } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { matmul } from '../ops/matmul.js'
import { concat, slice, transpose } from '../ops/shape.js'
import type { Tensor } from '../tensor.js'

/** @internal a list of columns, whose numbers {@link otherColumns} checks */
export const columnList: Kind = { wants: 'indices of columns, such as [0, 2]', fits: Array.isArray }

/** Runs of consecutive columns: from, and to (exclusive). */
export type Runs = readonly (readonly [from: number, to: number])[]

/**
 * @internal the columns between the given ones, as runs
 * @throws TypeError, RangeError for a list that does not name columns of `features`, each once
 */
export function otherColumns(who: string, features: number, columns: readonly number[]): Runs {
  checkCount(`${who}: features`, features)
  if (columns.length === 0) throw typeError(`${who}: columns wants at least one column`)
  const taken = new Set<number>()
  for (const feature of columns) {
    if (!(Number.isInteger(feature) && feature >= 0 && feature < features))
      throw rangeError(`${who}: feature wants a whole number from 0 to ${features - 1}, got ${show(feature)}`)
    if (taken.has(feature)) throw rangeError(`${who}: feature ${feature} is there twice`)
    taken.add(feature)
  }
  const ends = [...[...taken].sort((a, b) => a - b), features]
  return ends.map((end, i): [number, number] => [i === 0 ? 0 : ends[i - 1] + 1, end]).filter(([from, to]) => from < to)
}

/** @internal the columns of runs, one by one */
export function columnsOf(runs: Runs): number[] {
  return runs.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i))
}

/** @internal @throws ShapeError for anything but rows of `features` columns */
export function checkRows(name: string, x: Tensor, features: number): void {
  if (x.rank !== 2)
    throw new ShapeError(`${name}: wants rows of ${features} columns (shape [n, ${features}]), got shape ${formatShape(x.shape)}`)
}

/**
 * @internal Rows [n, features] with some columns turned into vectors: the others first, unchanged, then the vectors. Columns are computed as rows of
 * the transposed input, so that operations run over all n values of a column, and everything can be replayed.
 * @param vectorsOf the vectors [size, n] of a column, from its values [1, n]
 * @param finish the last operation on the vectors of all columns
 */
export function embedColumns(
  x: Tensor,
  others: Runs,
  columns: readonly number[],
  vectorsOf: (column: Tensor, i: number) => Tensor,
  finish: (vectors: Tensor) => Tensor,
): Tensor {
  const turned = transpose(x) as Tensor
  const vectors = columns.map((feature, i) => vectorsOf(slice(turned, feature, feature + 1) as Tensor, i))
  const rest = others.map(([from, to]) => slice(turned, from, to) as Tensor)
  return transpose(concat([...rest, finish(concat(vectors) as Tensor)])) as Tensor
}

/** @internal wᵀ·x for w [k, size] and x [k, n] */
export function turnedProduct(weight: Tensor, x: Tensor): Tensor {
  return matmul(weight, x, { transposeA: true }) as Tensor
}
