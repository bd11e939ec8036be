/** Data sets from arrays in memory. */
import { rangeError, typeError } from '../common/errors.js'
import { countFrom0, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import type { Dataset, Targets } from './dataset.js'

/** Options of {@link fromArrays}. */
export interface ArraysOptions {
  /** Number of classes, for targets that are classes. Default: 0, which means numbers; for an Int32Array one more than its largest value. */
  classes?: number
}

export const ARRAYS = { classes: { is: countFrom0 } } satisfies Schema<ArraysOptions>

/**
 * A data set from rows of numbers with one target each, for functions that split and scale data sets: `trainTestSplit`, `kFold`, `standardize`.
 * (`fit` takes arrays directly.) Texts and booleans as targets are classes, by name in alphabetical order; an Int32Array has classes; other numbers
 * are numbers to predict, unless `classes` gives the number of classes.
 *
 * @param inputs a row of numbers for each sample
 * @param targets an entry for each sample, or a row of one number
 * @example
 * const data = fromArrays([[5.1, 3.5], [6.2, 2.9], [4.9, 3]], ['setosa', 'virginica', 'setosa'])
 * data.targets // Int32Array.of(0, 1, 0)
 * data.classNames // ['setosa', 'virginica']
 * const { train, test } = trainTestSplit(fromArrays([[1], [2], [3]], [2, 4, 6]))
 * @throws TypeError for anything but an array of rows, or a value that is not a number; RangeError for rows of different lengths, another number of
 *   targets than of rows, or an invalid class
 */
export function fromArrays(
  inputs: readonly ArrayLike<number>[],
  targets: ArrayLike<number> | readonly string[] | readonly boolean[] | readonly (readonly [number])[],
  options: ArraysOptions = {},
): Dataset<Targets> {
  const { classes } = readOptions('fromArrays', options, ARRAYS)
  const count = lengthOf(inputs, 'inputs')
  if (lengthOf(targets, 'targets') !== count) throw rangeError(`fromArrays: ${count} rows of inputs, but ${targets.length} targets`)
  const features = count === 0 ? 0 : lengthOf(inputs[0], 'row 0 of inputs')
  if (features === 0) throw rangeError('fromArrays: there is nothing to learn from')
  const rows = new Float32Array(count * features)
  Array.from(inputs).forEach((row, i) => {
    if (lengthOf(row, `row ${i} of inputs`) !== features)
      throw rangeError(`fromArrays: row ${i} of inputs has ${row.length} numbers, row 0 has ${features}`)
    for (let j = 0; j < features; j++) rows[i * features + j] = numberAt(row[j], `column ${j} of row ${i} of inputs`)
  })
  return {
    inputs: rows,
    count,
    features,
    shape: [count, features],
    ...targetsOf(Array.from(targets as ArrayLike<unknown>, onlyOf), targets, classes),
  }
}

/** The number of a row of one number, as `fit` takes targets, too; anything else as it is. */
function onlyOf(target: unknown): unknown {
  return Array.isArray(target) && target.length === 1 ? target[0] : target
}

function targetsOf(
  list: readonly unknown[],
  given: unknown,
  classes: number | undefined,
): Pick<Dataset<Targets>, 'targets' | 'classes' | 'classNames'> {
  const type = typeof list[0]
  if (type === 'string' || type === 'boolean') {
    const odd = list.findIndex((target) => typeof target !== type)
    const what = type === 'string' ? 'text' : 'a boolean'
    if (odd >= 0) throw typeError(`fromArrays: target 0 is ${what}, so is each, got ${show(list[odd])} as target ${odd}`)
    const names = list.map(String)
    const classNames = [...new Set(names)].sort()
    const place = new Map(classNames.map((name, i) => [name, i]))
    return {
      targets: Int32Array.from(names, (name) => place.get(name) as number),
      classes: classNames.length,
      classNames,
    }
  }
  const numbers = list.map((target, i) => numberAt(target, `target ${i}`))
  const known = classes ?? (given instanceof Int32Array ? numbers.reduce((most, target) => Math.max(most, target), 0) + 1 : 0)
  if (known === 0) return { targets: Float32Array.from(numbers), classes: 0 }
  const wrong = numbers.findIndex((target) => !(Number.isInteger(target) && target >= 0 && target < known))
  if (wrong >= 0) throw rangeError(`fromArrays: classes are from 0 to ${known - 1}, got ${numbers[wrong]} as target ${wrong}`)
  return { targets: Int32Array.from(numbers), classes: known }
}

function lengthOf(list: ArrayLike<unknown>, what: string): number {
  if (Array.isArray(list) || (ArrayBuffer.isView(list) && 'length' in list)) return list.length
  throw typeError(`fromArrays: ${what} wants an array, got ${show(list)}`)
}

function numberAt(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return value
  if (typeof value === 'number') throw rangeError(`fromArrays: ${what} wants a finite number (of 32 bits), got ${value}`)
  throw typeError(`fromArrays: ${what} wants a number, got ${show(value)}`)
}
