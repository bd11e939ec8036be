/** Reading of vectors and labels, with errors that name the row. Everything is checked before anything changes. */
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import type { Tensor } from '../index.js'

/** A name of a class. */
export type Label = string | number | boolean

/** One vector: an array or typed array of numbers. */
export type Vector = ArrayLike<number>

/**
 * Vectors, one a row: arrays or typed arrays, a tensor [rows, width] of gradus, or anything with `data` and `dims`, such as the tensors of
 * transformers.js and onnxruntime.
 */
export type Vectors = readonly Vector[] | Tensor | { readonly data: ArrayLike<unknown>; readonly dims: readonly number[] }

/** Vectors side by side. */
export interface Rows {
  /** Row-major [count, width]. */
  readonly vectors: Float32Array
  readonly count: number
  readonly width: number
}

const WANTS = 'arrays of numbers, one for each row, or a tensor [rows, width]'

/** A tensor of gradus, known by its method: with the class the whole engine would be imported. */
function isTensor(given: unknown): given is Tensor {
  return typeof given === 'object' && given !== null && 'shape' in given && 'data' in given && typeof given.data === 'function'
}

/** True for several vectors, false for one. */
export function areSeveral(given: Vector | Vectors): given is Vectors {
  if (isTensor(given)) return given.rank !== 1
  if (Array.isArray(given)) return typeof given[0] !== 'number'
  return typeof given === 'object' && given !== null && 'dims' in given && given.dims.length > 1
}

/**
 * @param width required length of all vectors; undefined takes the length of row 0
 * @throws TypeError, RangeError naming the row
 */
export function readVectors(who: string, given: Vectors, width?: number): Rows {
  if (isTensor(given)) return fromFlat(who, given.data(), given.shape, width)
  if (typeof given === 'object' && given !== null && 'dims' in given) return fromFlat(who, given.data, given.dims, width)
  if (!Array.isArray(given)) throw typeError(`${who}: vectors wants ${WANTS}, got ${show(given)}`)
  const list: readonly Vector[] = given
  const size = width ?? (list.length === 0 ? 0 : lengthOf(who, list[0], 0))
  const vectors = new Float32Array(list.length * size)
  for (let i = 0; i < list.length; i++) {
    const length = lengthOf(who, list[i], i)
    if (length !== size) throw wrongLength(who, i, length, size, width === undefined ? 'row 0' : 'those of the head')
    copyRow(vectors, i * size, list[i], size)
  }
  return checked(who, { vectors, count: list.length, width: size }, (row, place) => list[row][place])
}

/** Copies one vector. @throws TypeError, RangeError */
export function readVector(who: string, given: Vector, out: Float32Array): void {
  const { length } = out
  const own = isTensor(given) ? given.data() : given
  const size = (own as Vector | undefined)?.length
  if (size === undefined || typeof own === 'string') throw typeError(`${who}: vector wants ${length} numbers, got ${show(given)}`)
  if (size !== length)
    throw rangeError(`${who}: vector wants ${length} numbers, as the head was trained on, got ${size}; embed it by the same model`)
  copyRow(out, 0, own, length)
  const odd = oddPlace(out, 0, length)
  if (odd >= 0) throw notFinite(who, 'vector', odd, own[odd])
}

/** One vector, copied into `one`, or several, each as long as `one`. @throws TypeError, RangeError */
export function readRows(who: string, given: Vector | Vectors, one: Float32Array): Rows {
  const width = one.length
  if (areSeveral(given)) return readVectors(who, given, width)
  readVector(who, given, one)
  return { vectors: one, count: 1, width }
}

/** The answer to a vector, or to each of several. @throws TypeError, RangeError as {@link readRows} does */
export function answerEach<A>(who: string, given: Vector | Vectors, one: Float32Array, answer: (x: Float32Array) => A): A | A[] {
  const { vectors, count, width } = readRows(who, given, one)
  if (!areSeveral(given)) return answer(vectors)
  return Array.from({ length: count }, (_, i) => answer(vectors.subarray(i * width, (i + 1) * width)))
}

function fromFlat(who: string, data: ArrayLike<unknown>, shape: readonly number[], width: number | undefined): Rows {
  if (shape.length !== 2)
    throw rangeError(
      `${who}: vectors wants a tensor [rows, width], got shape [${shape.join(', ')}]; pool the tokens of each text first, such as pooling: 'mean'`,
    )
  const [count, size] = shape
  if (data?.length !== count * size)
    throw rangeError(`${who}: vectors of shape [${shape.join(', ')}] wants ${count * size} numbers, got ${data?.length}`)
  if (width !== undefined && size !== width && count > 0) throw wrongLength(who, 0, size, width, 'those of the head')
  // tensors of other libraries may also hold 64-bit integers or texts
  if (data.length > 0 && typeof data[0] !== 'number')
    throw typeError(`${who}: vectors wants numbers, got ${show(data[0])}; give the embeddings of the model, not its tokens`)
  const vectors = new Float32Array(count * size)
  copyRow(vectors, 0, data, vectors.length)
  return checked(who, { vectors, count, width: size })
}

function lengthOf(who: string, vector: Vector, row: number): number {
  if (Array.isArray(vector) || (ArrayBuffer.isView(vector) && 'length' in vector)) return vector.length
  throw typeError(`${who}: row ${row} wants an array of numbers, got ${show(vector)}`)
}

function copyRow(out: Float32Array, from: number, row: ArrayLike<unknown>, width: number): void {
  if (row instanceof Float32Array) return out.set(row, from)
  for (let j = 0; j < width; j++) out[from + j] = typeof row[j] === 'number' ? (row[j] as number) : Number.NaN
}

/** @param given the value that the caller gave, for a message */
function checked(who: string, rows: Rows, given?: (row: number, place: number) => unknown): Rows {
  const { vectors, count, width } = rows
  for (let i = 0; i < count; i++) {
    const odd = oddPlace(vectors, i * width, width)
    if (odd >= 0) throw notFinite(who, `row ${i}`, odd, given ? given(i, odd) : vectors[i * width + odd])
  }
  return rows
}

/** Place of a row's first NaN or infinity, or −1. The sum of the row says whether there is one. */
function oddPlace(vectors: Float32Array, from: number, width: number): number {
  // two sums that do not wait for one another
  let even = 0
  let odd = 0
  const end = from + width
  for (let j = from; j < end; j += 2) even += vectors[j]
  for (let j = from + 1; j < end; j += 2) odd += vectors[j]
  if (even - even + (odd - odd) === 0) return -1
  return vectors.subarray(from, from + width).findIndex((x) => !Number.isFinite(x))
}

function wrongLength(who: string, row: number, got: number, wants: number, as: string): RangeError {
  return rangeError(`${who}: row ${row} wants ${wants} numbers, as ${as}, got ${got}; embed all rows by the same model`)
}

function notFinite(who: string, what: string, place: number, got: unknown): RangeError {
  const wants = Number.isFinite(got) ? 'numbers below 3.4e38' : 'finite numbers'
  const remedy = typeof got === 'string' ? 'row.map(Number) makes numbers of texts' : 'leave the row out, or embed it again'
  return rangeError(`${who}: ${what} wants ${wants}, got ${show(got)} at place ${place}; ${remedy}`)
}

/** Labels as numbers of classes. */
export interface ReadLabels<L extends Label> {
  /** The classes: known ones, then others in the order of their first rows; without known ones all are sorted. */
  labels: L[]
  classOf: Int32Array
}

/**
 * @param known classes that there are already
 * @throws TypeError, RangeError naming the row
 */
export function readLabels<L extends Label>(who: string, given: readonly L[], count: number, known: readonly L[] = []): ReadLabels<L> {
  if (!Array.isArray(given) && !ArrayBuffer.isView(given))
    throw typeError(`${who}: labels wants one label for each row, got ${show(given)}`)
  if (given.length !== count) throw rangeError(`${who}: labels wants one for each of ${count} vectors, got ${given.length}`)
  return classesOf(who, given, known)
}

/** @param rowOf the row of a label, for messages. Default: its place */
function classesOf<L extends Label>(who: string, given: readonly L[], known: readonly L[], rowOf = (i: number) => i): ReadLabels<L> {
  const count = given.length
  for (let i = 0; i < count; i++) checkLabel(who, given[i], rowOf(i))
  const labels = known.length > 0 ? [...known] : [...new Set(given)].sort((a, b) => Number(a > b) - Number(a < b))
  const place = new Map<string, number>(labels.map((label, c) => [String(label), c]))
  const classOf = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const label = given[i]
    const c = place.get(String(label))
    if (c === undefined) {
      place.set(String(label), labels.length)
      classOf[i] = labels.push(label) - 1
    } else if (labels[c] === label) classOf[i] = c
    else throw rangeError(`${who}: the labels ${show(labels[c])} and ${show(label)} (row ${rowOf(i)}) are alike as text; write them alike`)
  }
  return { labels, classOf }
}

/** True for arrays of labels, a row each: if at least half of the rows have one, the others are what is wrong. */
export function haveSets<L extends Label>(labels: readonly L[] | readonly (readonly L[])[]): labels is readonly (readonly L[])[] {
  return Array.isArray(labels) && labels.length > 0 && 2 * labels.filter((label) => Array.isArray(label)).length >= labels.length
}

/** Sets of labels. */
export interface ReadSets<L extends Label> {
  /** The classes, as in {@link ReadLabels}. */
  labels: L[]
  /** The classes of each row. */
  classesOf: Int32Array[]
}

/**
 * @param known classes that there are already
 * @throws TypeError, RangeError naming the row
 */
export function readSets<L extends Label>(
  who: string,
  given: readonly (readonly L[])[],
  count: number,
  known: readonly L[] = [],
): ReadSets<L> {
  if (!Array.isArray(given)) throw typeError(`${who}: labels wants an array of labels for each row, got ${show(given)}`)
  if (given.length !== count) throw rangeError(`${who}: labels wants an array for each of ${count} vectors, got ${given.length}`)
  const rowOf: number[] = []
  for (let i = 0; i < count; i++) {
    if (!Array.isArray(given[i])) throw typeError(`${who}: the labels of row ${i} want an array, [] for none, got ${show(given[i])}`)
    for (let k = 0; k < given[i].length; k++) rowOf.push(i)
  }
  // flat() would leave out holes
  const all = given.flatMap((row) => Array.from(row as readonly L[]))
  const { labels, classOf } = classesOf(who, all, known, (i) => rowOf[i])
  let at = 0
  return { labels, classesOf: given.map(({ length }) => classOf.slice(at, (at += length))) }
}

/** Probabilities are properties by label, and `__proto__` would not be one. An empty text is a row without a label. */
export function isLabel(label: unknown): label is Label {
  return (
    (typeof label === 'string' && label !== '' && label !== '__proto__') ||
    typeof label === 'boolean' ||
    (typeof label === 'number' && Number.isFinite(label))
  )
}

function checkLabel(who: string, label: unknown, row: number): void {
  if (!isLabel(label))
    throw typeError(`${who}: the label of row ${row} wants a text, a finite number or a boolean, got ${show(label)}; leave the row out`)
}

/** Warns of a column that hides the others. @throws RangeError if all rows are alike */
export function checkRows(who: string, rows: Rows): void {
  const { vectors, count, width } = rows
  let i = width
  while (i < count * width && vectors[i] === vectors[i % width]) i++
  if (i >= count * width)
    throw rangeError(`${who}: vectors wants rows that differ, and all ${count} are alike; does the model get the right texts or pictures?`)
  warnOfScale(who, rows)
}

/** Rows that say how much columns vary. */
const SOME_ROWS = 500
/**
 * A column that varies this many times as much as the median one is all that a head sees: of 16 columns with three classes apart in three of them, one
 * without meaning left 96 % of held-out rows right when it was 1,000 times as wide, and 35 % when it was 10,000 times as wide.
 */
const HIDES = 2000

function warnOfScale(who: string, { vectors, count, width }: Rows): void {
  const [low, high] = [vectors.slice(0, width), vectors.slice(0, width)]
  const every = Math.ceil(count / SOME_ROWS)
  for (let row = every; row < count; row += every)
    for (let j = 0, at = row * width; j < width; j++, at++) {
      if (vectors[at] < low[j]) low[j] = vectors[at]
      else if (vectors[at] > high[j]) high[j] = vectors[at]
    }
  const ranges = high.map((most, j) => most - low[j])
  const varying = ranges.filter((range) => range > 0).sort()
  const [usual, widest] = [varying[(varying.length - 1) >> 1], varying[varying.length - 1]]
  if (widest > HIDES * usual)
    warnOnce(
      `${who}: the numbers at place ${ranges.indexOf(widest)} of the vectors vary ${Math.round(widest / usual).toLocaleString('en')} times as much as ` +
        'those at the usual one, and hide them; divide each column by its standard deviation, or give columns with different units to trainTable of gradus/table',
    )
}
