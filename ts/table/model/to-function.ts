/** A model of a table as the source of a JavaScript function: encoder, scaler and nets, which take rows as they are. */
import { readOptions, type Schema } from '../../common/options.js'
import { useOf, widthOf } from '../../data/table/column.js'
import { WORD } from '../../data/table/words.js'
import { AMOUNT, DAY, GROUPED } from '../../data/table/written.js'
import { toFunction } from '../../export/index.js'
import { literal } from '../../export/literal.js'
import { LARGEST } from '../rows/features.js'
import { LEVELS } from '../target/intervals.js'
import { checkTableModel, type TableModel } from './model.js'

/** Options of {@link tableToFunction}. */
export interface TableFunctionOptions {
  /** Format of the weights: `float32`, or `float16`, half as long and with three digits. Default `float32`. */
  weights?: 'float32' | 'float16'
}

export const TABLE_FUNCTION = { weights: { is: ['float32', 'float16'], default: 'float32' } } satisfies Schema<TableFunctionOptions>

/** Reading of numbers and dates in human formats, in plain JavaScript: the counterpart of ts/data/table/written.ts. */
const WRITTEN = `
const AMOUNT = ${AMOUNT}
const DAY = ${DAY}
const GROUPED = { '.': ${GROUPED['.']}, ',': ${GROUPED[',']} }

function plainNumber(digits, decimal) {
  const [whole, fraction, ...more] = digits.split(decimal)
  if (more.length > 0 || (fraction !== undefined && !/^\\d*$/.test(fraction))) return null
  if (!/^\\d*$/.test(whole) && !GROUPED[decimal === '.' ? ',' : '.'].test(whole)) return null
  return whole.replace(/\\D/g, '') + (fraction === undefined ? '' : '.' + fraction)
}

function amountOf(text, decimal) {
  const { open, open2, close, sign1, sign2, before = '', digits = '', unit = '' } = AMOUNT.exec(text.trim())?.groups ?? {}
  if (digits === '' || (open !== undefined || open2 !== undefined) !== (close !== undefined)) return null
  if ((before !== '' && unit !== '') || (sign1 !== undefined && sign2 !== undefined)) return null
  const plain = plainNumber(digits.trim(), decimal)
  if (plain === null) return null
  return { unit: before || unit.trim(), value: close !== undefined || (sign1 ?? sign2 ?? '+') !== '+' ? -Number(plain) : Number(plain) }
}

function writtenDay(text, first) {
  const [, a, sign, b, year, time] = DAY.exec(text.trim()) ?? []
  if (sign === undefined || (sign === '.' && first === 'month')) return NaN
  const [day, month] = first === 'day' ? [a, b] : [b, a]
  const century = year.length === 4 ? '' : year < '69' ? '20' : '19'
  const clock = time === undefined ? '' : ' ' + (time.indexOf(':') === 1 ? '0' : '') + time
  return daysOf(century + year + '-' + month.padStart(2, '0') + '-' + day.padStart(2, '0') + clock)
}

function readWritten({ unit, decimal, first }, value) {
  if (first !== undefined) return value instanceof Date || (typeof value === 'string' && !DAY.test(value.trim())) ? daysOf(value) : writtenDay(String(value), first)
  if (typeof value === 'number') return isNumber(value) ? value : NaN
  const amount = typeof value === 'string' ? amountOf(value, decimal ?? '.') : null
  return amount !== null && (amount.unit === unit || amount.unit === '') && isNumber(amount.value) ? amount.value : NaN
}
`

/** Encoding of columns as numbers, in plain JavaScript: the counterpart of ts/data/table/encode.ts. */
const ENCODING = `
const isGap = (value, gaps) =>
  value === undefined || value === null || Number.isNaN(value) || (isCell(value) && (String(value).trim() === '' || (gaps ? gaps.includes(String(value)) : missing.has(String(value)))))
const isCell = (value) => ['number', 'string', 'boolean', 'bigint'].includes(typeof value)
const isNumber = (value) => isCell(value) && typeof value !== 'boolean' && Number.isFinite(Math.fround(Number(value)))

function daysOf(value) {
  if (value instanceof Date) return value.getTime() / 864e5
  const text = typeof value === 'string' ? value.trim() : ''
  if (!/^\\d{4}-\\d\\d-\\d\\d([T ]\\d\\d:\\d\\d.*)?$/.test(text)) return NaN
  // JavaScript takes the 30th of February for the 1st of March
  const midnight = Date.parse(text.slice(0, 10))
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== text.slice(0, 10)) return NaN
  const time = text.length > 10 ? text.replace(' ', 'T') : text
  return Date.parse(text.length > 10 && !/(Z|[+-]\\d\\d:?\\d\\d)$/.test(time) ? time + 'Z' : time) / 864e5
}

function hashOf(text) {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h ^= h >>> 16
  return Math.imul(h, 0x85ebca6b) >>> 16
}

// true, True and TRUE are one
function placeOf(categories, text) {
  const place = categories.indexOf(text)
  return place < 0 && ['true', 'True', 'TRUE', 'false', 'False', 'FALSE'].includes(text) ? categories.findIndex((c) => c.toLowerCase() === text.toLowerCase()) : place
}

function cyclesInto(out, at, days, cycles) {
  for (const cycle of cycles) {
    const turn = (2 * Math.PI * days) / (cycle === 'year' ? 365.2425 : 1)
    if (cycle === 'week') out[at + ((((Math.floor(days) + 3) % 7) + 7) % 7)] = 1
    else if (cycle === 'dayOfYear') out[at] = (Date.parse('2000' + new Date(Math.floor(days) * 864e5).toISOString().slice(-20)) - Date.UTC(2000, 0)) / 864e5 + 1
    else [Math.sin(turn), Math.cos(turn), Math.sin(2 * turn), Math.cos(2 * turn)].forEach((x, i) => (out[at + i] = x))
    at += cycle === 'week' ? 7 : cycle === 'dayOfYear' ? 1 : 4
  }
}

function wordsInto(out, at, text, words, weights) {
  const found = text.normalize('NFC').toLowerCase().match(${WORD}) ?? []
  const times = new Map()
  for (const word of [...found, ...found.slice(1).map((word, i) => found[i] + ' ' + word)]) {
    const place = words.indexOf(word)
    if (place >= 0) times.set(place, (times.get(place) ?? 0) + 1)
  }
  const values = [...times].map(([place, n]) => [place, (1 + Math.log(n)) * weights[place]])
  const length = Math.sqrt(values.reduce((sum, [, value]) => sum + value * value, 0))
  for (const [place, value] of values) out[at + place] = (2 * value) / length
}

function encode(row, number) {
  const names = columns.map(({ name }) => name)
  if (typeof row !== 'object' || row === null || !names.some((name) => Object.hasOwn(row, name)))
    throw new TypeError('predict: row ' + number + ' wants an object with the columns ' + names.slice(0, 12).join(', ') + ', got ' + JSON.stringify(row))
  const out = new Float32Array(features)
  let at = 0
  for (const { name, as, categories, width, buckets, words, weights, cycles, fill, center = 0, spread = 1, lenient, gaps, written } of columns) {
    const value = Object.hasOwn(row, name) ? row[name] : undefined
    const wrong = (wanted) => {
      throw new RangeError("predict: column '" + name + "' of row " + number + ' wants ' + wanted + ', got ' + String(value))
    }
    if (isGap(value, gaps)) {
      if (fill === undefined) wrong('a value')
      if (as === 'number' || as === 'date' || as === 'ordinal') out[at] = (fill - center) / spread
    } else if (as === 'number') {
      const x = written ? readWritten(written, value) : isNumber(value) ? Number(value) : NaN
      if (!Number.isNaN(x)) out[at] = (x - center) / spread
      else if (lenient && fill !== undefined && isCell(value)) out[at] = (fill - center) / spread
      else wrong(written?.unit ? 'a number in ' + written.unit : 'a number')
    } else if (as === 'date') {
      const days = written ? readWritten(written, value) : daysOf(value)
      if (!Number.isFinite(days)) wrong(written ? 'a date (31.12.2024)' : 'a date (2024-12-31)')
      out[at] = (days - center) / spread
      cyclesInto(out, at + 1, days, cycles)
    } else if (as === 'text') {
      if (!isCell(value)) wrong('a text')
      wordsInto(out, at, String(value), words, weights)
    } else if (as === 'hash') out[at + (hashOf(String(value)) % buckets)] = 1
    else {
      const place = isCell(value) ? placeOf(categories, String(value)) : -1
      if (place < 0) {
        if (mustKnow || !isCell(value)) wrong('one of ' + categories.slice(0, 12).join(', '))
        if (as === 'ordinal') out[at] = (fill - center) / spread
      } else if (as === 'category') out[at + place] = 1
      else out[at] = as === 'embedding' ? place + 1 : (place - center) / spread
    }
    at += width
  }
  return out
}

// each number, squeezed where that is so, and as where it lies among the quantiles of its column; of categories the number of their vector; then those that a
// line takes as they are
function inputsOf(encoded) {
  const limited = Array.from(encoded, (x) => Math.max(-largest, Math.min(largest, x)))
  const inputs = limited.map((x) => (squeezes ? Math.fround(x / Math.sqrt(1 + (x / 3) ** 2)) : x))
  for (const { feature, vectors } of embedded) inputs[feature] = vectors[encoded[feature]]
  for (const { feature, edges } of cuts)
    for (let i = 1; i < edges.length; i++)
      inputs.push(Math.fround(Math.min(1, Math.max(0, (encoded[feature] - edges[i - 1]) / (edges[i] - edges[i - 1])))))
  for (const feature of plain) inputs.push(limited[feature])
  return inputs
}
`

const CLASSES = `
/** Rows with the columns of the table, or one; of each the class that the model names, its probability, and those of all. */
export function predict(rows) {
  if (!Array.isArray(rows)) return predict([rows])[0]
  return rows.map((row, number) => {
    const logits = net(inputsOf(encode(row, number)))
    const most = Math.max(...logits)
    const sum = logits.reduce((total, z) => total + Math.exp(z - most), 0)
    const all = logits.map((z) => Math.exp(z - most) / sum)
    const best = LIKELIEST
    return { class: classNames[best], probability: all[best], probabilities: Object.fromEntries(classNames.map((name, i) => [name, all[i]])) }
  })
}
`

/** Choice of the class, in plain JavaScript. */
const LIKELIEST = 'all.indexOf(Math.max(...all))'
const BY_THRESHOLD = 'all[positive] >= threshold ? positive : 1 - positive'
const MEDIAN = 'all.findIndex((_, i) => i === all.length - 1 || all.slice(0, i + 1).reduce((sum, p) => sum + p) >= 0.5)'

/** A number from the output of the net, in plain JavaScript. */
const NUMBER = 'mean + deviation * net(inputs)[0]'

/** The interval of a number, in plain JavaScript. */
const CONSTANT = `
function intervalOf(value, coverage) {
  const half = at(errors, coverage)
  return [value - half, value + half]
}
`
const BY_ROW = `
function intervalOf(value, coverage, inputs) {
  const quantiles = netOfIntervals(inputs).sort((a, b) => a - b)
  const level = (share) => {
    const next = levels.findIndex((one) => one >= share)
    if (next <= 0) return quantiles[next === 0 ? 0 : levels.length - 1]
    return quantiles[next - 1] + ((share - levels[next - 1]) / (levels[next] - levels[next - 1])) * (quantiles[next] - quantiles[next - 1])
  }
  const moved = at(corrections, coverage)
  const [a, b] = [level((1 - coverage) / 2) - moved, level((1 + coverage) / 2) + moved]
  const [low, high] = a <= b ? [a, b] : [(a + b) / 2, (a + b) / 2]
  const unit = isPositive ? value : deviation
  return [value + unit * Math.min(0, low), value + unit * Math.max(0, high)]
}
`

const NUMBERS = `
function at(list, share) {
  const place = share * (list.length - 1)
  return place % 1 === 0 ? list[place] : list[Math.floor(place)] + (place % 1) * (list[Math.ceil(place)] - list[Math.floor(place)])
}
INTERVAL
/** Rows with the columns of the table, or one; of each a number, and between which two the true one is as often as \`coverage\` says. */
export function predict(rows, { coverage = 0.9 } = {}) {
  if (!Array.isArray(rows)) return predict([rows], { coverage })[0]
  return rows.map((row, number) => {
    const inputs = inputsOf(encode(row, number))
    const value = NUMBER
    const [low, high] = intervalOf(value, coverage, inputs)
    return { value, low: isPositive ? Math.max(0, low) : low, high }
  })
}
`

/**
 * A model of a table as the source of a JavaScript module without dependencies: it exports `predict`, which takes raw rows and agrees with {@link
 * TableModel.predict} to 1e-6. Write it into a file; nothing here runs it. Unknown categories count as none, and are not counted.
 *
 * @example
 * const { model } = await trainTable(rows, { target: 'species' })
 * const source = tableToFunction(model) // fs.writeFileSync('iris.mjs', source)
 * source.includes('export function predict(rows)') // true
 * @throws TypeError for anything but a model of a table
 */
export function tableToFunction(model: TableModel, options: TableFunctionOptions = {}): string {
  checkTableModel('tableToFunction', model, '; toFunction takes other models')
  const { weights } = readOptions('tableToFunction', options, TABLE_FUNCTION)
  const { table, features, scale, errors, corrections } = model.saved()
  const { decision } = model
  const threshold = decision?.threshold
  // a file may have more properties in a column than needed
  const columns = table.columns.map((column) => {
    const { name, categories, buckets, words, weights, cycles = [], fill, center, spread, lenient, missingValues, written } = column
    return {
      name,
      as: useOf(column),
      categories,
      width: widthOf(column),
      buckets,
      words,
      weights,
      cycles,
      fill,
      center,
      spread,
      lenient: lenient && true,
      gaps: missingValues,
      written,
    }
  })
  const isClasses = model.task === 'classification'
  const constants: Record<string, unknown> = {
    columns,
    features: features.features,
    squeezes: features.squeezes !== false,
    largest: LARGEST,
    cuts: features.cuts.filter(({ edges }) => edges.length > 0).map(({ feature, edges }) => ({ feature, edges })),
    embedded: (features.embedded ?? []).map(({ feature, vectors }) => ({ feature, vectors })),
    plain: features.plain ?? [],
    mustKnow: table.unknown !== 'ignore',
    ...(isClasses
      ? { classNames: model.classNames, ...(threshold !== undefined && { positive: decision?.positive, threshold }) }
      : {
          mean: scale.mean + (scale.link ? 0 : model.center),
          deviation: scale.deviation,
          isPositive: scale.link === 'log',
          ...(model.intervals ? { corrections, levels: LEVELS } : { errors }),
        }),
  }
  return [
    `/** Predicts '${model.target.replace(/[^\w .-]/g, '?')}' from rows of the table that it was learnt from. Written by gradus; it needs nothing. */\n`,
    toFunction(model.net, { name: 'net', weights }),
    model.intervals ? toFunction(model.intervals, { name: 'netOfIntervals', weights }) : '',
    `const missing = new Set(${literal(table.missingValues)})\n`,
    ...Object.entries(constants).map(([name, value]) => `const ${name} = ${literal(value)}\n`),
    columns.some(({ written }) => written !== undefined) ? WRITTEN : '',
    ENCODING,
    isClasses
      ? CLASSES.replace('LIKELIEST', () => (decision?.isOrdered ? MEDIAN : threshold === undefined ? LIKELIEST : BY_THRESHOLD))
      : NUMBERS.replace('NUMBER', () => (scale.link ? `Math.exp(${NUMBER})` : NUMBER)).replace('INTERVAL', () =>
          model.intervals ? BY_ROW : CONSTANT,
        ),
  ].join('')
}
