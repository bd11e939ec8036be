/**
 * A table that a person drops on the page: columns of numbers are the inputs, one column is the class. `gradus/data` reads far more than that
 * and takes 17 kB, which is more than the whole page may spend on it.
 */
import { dsvFormat } from 'd3-dsv'
import type { DataChoice } from './config'
import { cut, type Examples } from './examples'
import { GAPS } from './gaps'

const MAX_CLASSES = 10
/** Half a column of numbers is needed for it to be one with gaps. */
const MIN_SHARE = 0.5
const isMissing = (text: string) => text === '' || GAPS.includes(text.toLowerCase())

interface Table {
  names: string[]
  rows: string[][]
  /** The number of a text, with a decimal comma in files with semicolons. */
  number(text: string): number
}

function read(csv: string): Table {
  const text = csv.replace(/^\uFEFF/, '').trim()
  const header = text.slice(0, (text.indexOf('\n') + 1 || text.length + 1) - 1)
  const count = (sign: string) => header.split(sign).length
  const delimiter = [',', ';', '\t', '|'].reduce((best, sign) => (count(sign) > count(best) ? sign : best))
  const [names = [], ...rows] = dsvFormat(delimiter)
    .parseRows(text)
    .map((row) => row.map((value) => value.trim()))
  return {
    names: names.map((name, i) => name || `column ${i + 1}`),
    rows: rows.filter((row) => row.some((value) => value !== '')).map((row) => names.map((_, i) => row[i] ?? '')),
    number: (value) => Number(delimiter === ';' ? value.replace(',', '.') : value),
  }
}

/** The names of all columns; each may be the class. */
export function columns({ csv }: { csv: string }): string[] {
  return csv === '' ? [] : read(csv).names
}

/** @throws Error that names what the table lacks */
export function tableExamples({ csv, target, seed }: DataChoice): Examples {
  if (csv === '') throw new Error('choose a file, or drop one on the page: a table with a header, columns of numbers and a class')
  const { names, rows, number } = read(csv)
  const wanted = names.includes(target) ? names.indexOf(target) : names.length - 1
  const isNumeric = (column: number) => {
    const present = rows.map((row) => row[column]).filter((text) => !isMissing(text))
    return present.length >= Math.max(1, MIN_SHARE * rows.length) && present.every((text) => Number.isFinite(number(text)))
  }
  const inputs = names.map((_, i) => i).filter((i) => i !== wanted && isNumeric(i))
  if (inputs.length < 2) throw new Error(`the table wants two columns of numbers beside the class, got ${inputs.length}`)
  const whole = rows.filter((row) => [...inputs, wanted].every((i) => !isMissing(row[i])))
  if (whole.length < 4) throw new Error(`the table wants a header and four rows without gaps at least, got ${whole.length}`)
  const classNames = [...new Set(whole.map((row) => row[wanted]))]
  // As gradus/data orders them, for copied programs.
  classNames.sort(classNames.every((name) => Number.isFinite(Number(name))) ? (a, b) => Number(a) - Number(b) : undefined)
  if (classNames.length < 2 || classNames.length > MAX_CLASSES)
    throw new Error(`'${names[wanted]}' has ${classNames.length} values: a class to predict has 2 to ${MAX_CLASSES}`)
  const scaled = inputs.map((i) => standardized(whole.map((row) => number(row[i]))))
  const unused = names.filter((_, i) => i !== wanted && !inputs.includes(i))
  const gaps = rows.length - whole.length
  return cut(
    Float32Array.from({ length: whole.length * inputs.length }, (_, k) => scaled[k % inputs.length][Math.floor(k / inputs.length)]),
    Int32Array.from(whole, (row) => classNames.indexOf(row[wanted])),
    inputs.length,
    seed,
    [
      [-3, 3],
      [-3, 3],
    ],
    {
      ...{ featureNames: inputs.map((i) => names[i]), classNames, target: names[wanted] },
      note: [
        `${whole.length} rows`,
        gaps > 0 ? `${gaps} with gaps left out` : '',
        unused.length > 0 ? `not numbers, so left out: ${unused.join(', ')}` : '',
      ]
        .filter((part) => part !== '')
        .join('; '),
    },
  )
}

/** To mean 0 and standard deviation 1; a constant becomes 0. */
function standardized(values: readonly number[]): number[] {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) || 1
  return values.map((v) => (v - mean) / deviation)
}
