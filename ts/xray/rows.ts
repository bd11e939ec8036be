/** Facts of the training rows that need no net: scales, constant and telling columns, order, classes, duplicates. */
import type { Tensor } from '../index.js'
import type { XrayData } from './report.js'

/** Inputs and targets, one row a sample, as `fit` has them. */
export interface RowsOfFit {
  readonly inputs: Tensor
  readonly targets: Tensor
  readonly count: number
}

/** Numbers of the inputs that are looked at; of more rows, evenly spaced ones. */
const MAX_NUMBERS = 100_000
const MIN_ROWS = 64
const MAX_CLASSES = 1000
/** Different whole numbers that look like classes. */
const MAX_LEVELS = 20
/** Rows from which on a column of one value is called constant. */
const MIN_CONSTANT = 8
/** Rows of equal inputs are copies if this share of them has equal targets, and if fewer than MAX_CHANCE rows would be equal by chance. */
const [MIN_EQUAL, MAX_CHANCE] = [0.95, 0.05]

/** Looks at the rows of a training. `loss` is the name of its loss. */
export function lookAtRows(rows: RowsOfFit, validation: RowsOfFit | null, loss: string): XrayData {
  const { inputs, targets, count } = rows
  const columns = inputs.size / count
  const x = inputs.read()
  const picked = evenly(count, Math.max(MIN_ROWS, Math.floor(MAX_NUMBERS / columns)))
  const labels = labelsOf(rows)
  const y = labels ?? firstColumn(targets, count)
  const found = columnFacts(x, columns, picked, y, labels !== null)
  const data: XrayData = { rows: count, columns, ...found, sorted: order(y, labels !== null) }
  if (inputs.dtype === 'int32') delete data.largest
  if (validation !== null) {
    data.validationRows = validation.count
    data.repeated = repeated(rows, validation)
  }
  if (labels !== null) data.classes = countsOf(labels)
  else data.target = spreadOf(targets.read())
  const baseline = baselineOf(loss, data, targets.read())
  if (baseline !== undefined) data.baseline = baseline
  return data
}

/** At most `most` of `count` rows, evenly spaced. */
export function evenly(count: number, most: number): number[] {
  const n = Math.min(count, most)
  return Array.from({ length: n }, (_, i) => Math.floor((i * count) / n))
}

/** Says of a row whether the row nearest to it, each column by its spread, is not like it. A single row is alone. */
export function aloneAmong(inputs: Tensor): (row: number, isLike: (row: number, neighbor: number) => boolean) => boolean {
  const count = inputs.shape[0]
  const columns = inputs.size / count
  const x = inputs.read()
  const weights = new Float64Array(columns)
  for (let c = 0; c < columns; c++) {
    let [sum, squares] = [0, 0]
    for (let r = 0; r < count; r++) {
      const value = x[r * columns + c]
      sum += value
      squares += value * value
    }
    const variance = squares / count - (sum / count) ** 2
    weights[c] = variance > 0 ? 1 / variance : 0
  }
  return (row, isLike) => {
    let [nearest, least] = [-1, Infinity]
    for (let r = 0; r < count; r++) {
      if (r === row) continue
      let distance = 0
      for (let c = 0; c < columns && distance < least; c++) distance += weights[c] * (x[r * columns + c] - x[row * columns + c]) ** 2
      if (distance < least) [nearest, least] = [r, distance]
    }
    return nearest < 0 || !isLike(row, nearest)
  }
}

/** The class of each row; null for targets that are numbers. Targets of 0 and 1 are classes, and so are rows with a single 1. */
export function labelsOf({ targets, count }: RowsOfFit): Int32Array | null {
  const values = targets.read()
  const width = targets.size / count
  if (width === 1) {
    const limit = values instanceof Int32Array ? MAX_CLASSES : 2
    for (let i = 0; i < count; i++) if (!(Number.isInteger(values[i]) && values[i] >= 0 && values[i] < limit)) return null
    return Int32Array.from(values)
  }
  const labels = new Int32Array(count)
  for (let r = 0; r < count; r++) {
    let ones = 0
    for (let c = 0; c < width; c++) {
      const value = values[r * width + c]
      if (value === 1) {
        ones++
        labels[r] = c
      } else if (value !== 0) return null
    }
    if (ones !== 1) return null
  }
  return labels
}

/** Of the scores of a row, which begin at `from`: the class other than `label` with the largest one. */
export function rivalOf(scores: ArrayLike<number>, from: number, classes: number, label: number): number {
  let rival = label === 0 ? 1 : 0
  for (let c = 0; c < classes; c++) if (c !== label && scores[from + c] > scores[from + rival]) rival = c
  return rival
}

function countsOf(labels: Int32Array): number[] {
  const counts = new Array<number>(labels.reduce((a, b) => Math.max(a, b), 0) + 1).fill(0)
  for (const label of labels) counts[label]++
  return counts
}

function firstColumn(targets: Tensor, count: number): Float64Array {
  const values = targets.read()
  const width = targets.size / count
  return Float64Array.from({ length: count }, (_, r) => values[r * width])
}

function spreadOf(values: ArrayLike<number>): NonNullable<XrayData['target']> {
  let [sum, squares, least, most] = [0, 0, Infinity, -Infinity]
  const different = new Set<number>()
  for (let i = 0; i < values.length; i++) {
    if (different.size <= MAX_LEVELS) different.add(Number.isInteger(values[i]) ? values[i] : Number.NaN)
    sum += values[i]
    least = Math.min(least, values[i])
    most = Math.max(most, values[i])
  }
  const mean = sum / values.length
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2
  const levels = different.has(Number.NaN) || different.size > MAX_LEVELS ? 0 : different.size
  return { mean, deviation: Math.sqrt(squares / values.length), least, most, levels }
}

type ColumnFacts = Pick<XrayData, 'constant' | 'largest' | 'telling'>

/** One pass over the columns of the picked rows. */
function columnFacts(
  x: ArrayLike<number>,
  columns: number,
  picked: readonly number[],
  y: ArrayLike<number>,
  areClasses: boolean,
): ColumnFacts {
  const n = picked.length
  const constant: number[] = []
  const largest = { column: 0, size: 0, least: Infinity }
  const telling = { column: -1, share: 0, second: 0 }
  const total = x.length / columns
  // for each class the sum of a column's values less their mean, and the number of rows
  const sums = areClasses ? new Float64Array(2 * countsOf(y as Int32Array).length) : null
  for (let c = 0; c < columns; c++) {
    let [sum, squares] = [0, 0]
    for (let i = 0; i < n; i++) sum += x[picked[i] * columns + c]
    const mean = sum / n
    for (let i = 0; i < n; i++) squares += (x[picked[i] * columns + c] - mean) ** 2
    if (squares === 0 && isConstant(x, columns, c, total)) {
      constant.push(c)
      continue
    }
    const size = Math.sqrt(squares / n + mean * mean)
    if (size > largest.size) Object.assign(largest, { column: c, size })
    largest.least = Math.min(largest.least, size)
    const share = squares === 0 ? 0 : explained(x, columns, c, picked, y, mean, squares, sums)
    if (share > telling.share) Object.assign(telling, { column: c, share, second: telling.share })
    else telling.second = Math.max(telling.second, share)
  }
  return { constant, ...(largest.size > 0 && { largest }), ...(telling.column >= 0 && { telling }) }
}

function isConstant(x: ArrayLike<number>, columns: number, c: number, rows: number): boolean {
  if (rows < MIN_CONSTANT) return false
  for (let r = 1; r < rows; r++) if (x[r * columns + c] !== x[c]) return false
  return true
}

/** Share of the variance of a column that lies between classes, or its squared correlation with the target. */
function explained(
  x: ArrayLike<number>,
  columns: number,
  c: number,
  picked: readonly number[],
  y: ArrayLike<number>,
  mean: number,
  squares: number,
  sums: Float64Array | null,
): number {
  if (sums !== null) {
    for (const r of picked) {
      sums[2 * y[r]] += x[r * columns + c] - mean
      sums[2 * y[r] + 1]++
    }
    let between = 0
    for (let k = 0; k < sums.length; k += 2) {
      if (sums[k + 1] > 0) between += (sums[k] * sums[k]) / sums[k + 1]
      sums[k] = sums[k + 1] = 0
    }
    return between / squares
  }
  let [sumY, cross, squaresY] = [0, 0, 0]
  for (const r of picked) sumY += y[r]
  const meanY = sumY / picked.length
  for (const r of picked) {
    cross += (x[r * columns + c] - mean) * (y[r] - meanY)
    squaresY += (y[r] - meanY) ** 2
  }
  return squaresY === 0 ? 0 : (cross * cross) / (squares * squaresY)
}

/** How much neighbors have in common. */
function order(y: ArrayLike<number>, areClasses: boolean): XrayData['sorted'] {
  const n = y.length
  if (n < 2) return { share: 0, expected: 0 }
  if (areClasses) {
    const counts = countsOf(y as Int32Array)
    let same = 0
    for (let i = 1; i < n; i++) if (y[i] === y[i - 1]) same++
    return { share: same / (n - 1), expected: counts.reduce((sum, k) => sum + (k / n) ** 2, 0) }
  }
  let [mean, squares, cross] = [0, 0, 0]
  for (let i = 0; i < n; i++) mean += y[i] / n
  for (let i = 0; i < n; i++) squares += (y[i] - mean) ** 2
  for (let i = 1; i < n; i++) cross += (y[i] - mean) * (y[i - 1] - mean)
  return { share: squares === 0 ? 0 : cross / squares, expected: 0 }
}

/** Rows that are there twice, by a hash of their inputs' bits. */
function repeated(training: RowsOfFit, validation: RowsOfFit): NonNullable<XrayData['repeated']> {
  // hash of the inputs → hash of the targets, NaN where rows of equal inputs have different ones
  const known = new Map<number, number>()
  const answers = hashes(training.targets, training.count)
  let again = 0
  for (const hash of hashes(training.inputs, training.count)) {
    const answer = answers.next().value as number
    const before = known.get(hash)
    if (before !== undefined) again++
    known.set(hash, before === undefined || before === answer ? answer : Number.NaN)
  }
  const wanted = hashes(validation.targets, validation.count)
  let [found, equal] = [0, 0]
  for (const hash of hashes(validation.inputs, validation.count)) {
    const answer = wanted.next().value
    const there = known.get(hash)
    if (there === undefined) continue
    found++
    if (there === answer) equal++
  }
  const share = found / validation.count
  const areCopies = equal > MIN_EQUAL * found && repeatsByChance(training) < MAX_CHANCE
  return { validation: share, training: again / training.count, copied: areCopies ? share : 0 }
}

/** How many training rows equal a given row by chance, if columns are independent: many where all columns have few values. */
function repeatsByChance({ inputs, count }: RowsOfFit): number {
  const columns = inputs.size / count
  const x = inputs.read()
  const picked = evenly(count, Math.max(MIN_ROWS, Math.floor(MAX_NUMBERS / columns)))
  let rows = count
  for (let c = 0; c < columns && rows >= MAX_CHANCE; c++) {
    const counts = new Map<number, number>()
    for (const r of picked) counts.set(x[r * columns + c], (counts.get(x[r * columns + c]) ?? 0) + 1)
    let squares = 0
    for (const n of counts.values()) squares += (n / picked.length) ** 2
    rows *= squares
  }
  return rows
}

/** Two hashes of 26 bits of each row, as one whole number. */
function* hashes(tensor: Tensor, count: number): Generator<number> {
  const width = tensor.size / count
  const values = tensor.read()
  const bits = new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4)
  const words = bits.length / count
  if (width === 0) return
  for (let r = 0; r < count; r++) {
    let [a, b] = [17, 31]
    for (let i = r * words; i < (r + 1) * words; i++) {
      a = Math.imul(a ^ bits[i], 0x01000193)
      b = Math.imul(b + bits[i], 0x85ebca6b) ^ (b >>> 13)
    }
    yield (a >>> 6) * 2 ** 26 + (b >>> 6)
  }
}

/** Loss of the best constant prediction. */
function baselineOf(loss: string, { classes, target, rows }: XrayData, targets: ArrayLike<number>): number | undefined {
  if (classes !== undefined && /^(crossEntropy|binaryCrossEntropy)$/.test(loss))
    return classes.reduce((sum, k) => sum - (k === 0 ? 0 : (k / rows) * Math.log(k / rows)), 0)
  if (loss === 'mse') {
    const width = targets.length / rows
    let sum = 0
    for (let c = 0; c < width; c++) sum += spreadOf(Array.from({ length: rows }, (_, r) => targets[r * width + c])).deviation ** 2
    return sum / width
  }
  if (loss === 'huber' && target !== undefined) {
    const all = Array.from(targets, (y) => Math.abs(y - target.mean))
    return all.reduce((sum, r) => sum + (r <= 1 ? (r * r) / 2 : r - 0.5), 0) / all.length
  }
  if (loss === 'mae' && target !== undefined) {
    const sorted = Float64Array.from(targets).sort()
    const middle = sorted[sorted.length >> 1]
    return sorted.reduce((sum, y) => sum + Math.abs(y - middle), 0) / sorted.length
  }
  return undefined
}
