/** Weights of classes as weights of rows: what `fit` makes of `classWeights`. */
import { checkFactors } from '../loss/classification.js'
import { show } from '../show.js'
import { floatArray, Tensor } from '../tensor.js'
import type { Rows } from './data.js'

/** A factor for each class from 0 on, or `balanced`: the same total for each class, n / (classes · rows of the class). */
export type ClassWeights = 'balanced' | ArrayLike<number>

/**
 * @internal rows that count as much as their classes say, and as their own weights; the factors of classes are divided by their
 * mean over all rows, so that the loss over all of them is that of PyTorch, the sum divided by the sum of the factors
 * @throws RangeError for targets that are no classes, and for factors that do not fit
 */
export function withClassWeights(rows: Rows, classWeights: ClassWeights): Rows {
  const classes = classesOf(rows)
  const counts = new Array<number>(classes.reduce((most, c) => Math.max(most, c), 0) + 1).fill(0)
  for (const c of classes) counts[c]++
  const present = counts.filter((count) => count > 0).length
  const factors = classWeights === 'balanced' ? counts.map((n) => n && rows.count / (present * n)) : given(classWeights, counts.length)
  const total = counts.reduce((sum, count, c) => sum + count * factors[c], 0)
  if (!(total > 0)) throw new RangeError('fit: classWeights are 0 for all classes that occur, so that no row counts')
  const { backend } = rows.inputs
  const own = rows.weights?.read()
  const weights = floatArray(backend, rows.count)
  for (let r = 0; r < rows.count; r++) weights[r] = ((own?.[r] ?? 1) * factors[classes[r]] * rows.count) / total
  return { ...rows, weights: Tensor.onHost(backend, [rows.count], weights) }
}

function given(classWeights: ClassWeights, least: number): ArrayLike<number> {
  const { length } = Object(classWeights)
  if (typeof classWeights === 'string' || !Number.isInteger(length))
    throw new TypeError(`fit: classWeights wants a number for each class in an array, or 'balanced', got ${show(classWeights)}`)
  return checkFactors('fit: classWeights', classWeights, Math.max(least, length))
}

/** The class of each row: targets that are whole numbers, or rows with one 1 and zeros. */
function classesOf({ targets, count }: Rows): Int32Array {
  const values = targets.read()
  const width = targets.size / count
  const classes = new Int32Array(count)
  for (let r = 0; r < count; r++) {
    const row = values.subarray(r * width, (r + 1) * width)
    const c = width === 1 ? row[0] : row.indexOf(1)
    const isOne = width === 1 ? Number.isInteger(c) && c >= 0 : c >= 0 && row.every((t, i) => t === 0 || i === c)
    if (!isOne) throw new RangeError(`fit: classWeights wants one class a row as targets, row ${r} has ${row.join(', ')}`)
    classes[r] = c
  }
  return classes
}
