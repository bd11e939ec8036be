/** A table that a person drops on the page: columns of numbers are the inputs, one column is the class. */
import { fromTable, standardize } from 'gradus/data'
import type { DataChoice } from './config'
import { cut, type Examples } from './data'

/** @throws Error that says what the table lacks */
export function tableExamples({ csv, target, seed }: DataChoice): Examples {
  const rows = parse(csv)
  if (rows.length < 4) throw new Error('the table wants a header and at least four rows')
  const columns = Object.keys(rows[0])
  const wanted = target !== '' && columns.includes(target) ? target : columns[columns.length - 1]
  const classes = [...new Set(rows.map((row) => row[wanted]))]
  if (classes.length < 2 || classes.length > 10) throw new Error(`'${wanted}' has ${classes.length} values: a class to predict has 2 to 10`)
  const numbers = columns.filter((name) => name !== wanted && rows.every((row) => row[name] !== '' && Number.isFinite(Number(row[name]))))
  if (numbers.length < 2) throw new Error('the table wants two columns of numbers at least')
  const table = fromTable(
    rows.map((row) => ({ ...row, [wanted]: `class ${row[wanted]}` })),
    { target: wanted, inputs: numbers },
  )
  const { train } = standardize({ train: table as never, test: table as never })
  const { inputs, features, targets, classNames } = train as unknown as {
    inputs: Float32Array
    features: number
    targets: Int32Array
    classNames: string[]
  }
  return cut(
    inputs,
    targets,
    features,
    seed,
    [
      [-3, 3],
      [-3, 3],
    ],
    { featureNames: numbers, classNames: classNames.map((name) => name.replace(/^class /, '')) },
  )
}

/** Rows by column. Quoted fields may hold separators and line breaks. */
function parse(text: string): Record<string, string>[] {
  const separator = [',', ';', '\t'].map((s) => [text.split('\n')[0].split(s).length, s] as const).sort((a, b) => b[0] - a[0])[0][1]
  const records: string[][] = [[]]
  let field = ''
  let isQuoted = false
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (isQuoted) {
      if (c === '"' && text[i + 1] === '"') field += text[++i]
      else if (c === '"') isQuoted = false
      else field += c ?? ''
    } else if (c === '"') isQuoted = true
    else if (c === separator || c === '\n' || c === undefined) {
      records[records.length - 1].push(field.trim())
      field = ''
      if (c === '\n') records.push([])
    } else field += c
  }
  const [header, ...rest] = records.filter((record) => record.some((value) => value !== ''))
  return rest
    .filter((record) => record.length === header.length)
    .map((record) => Object.fromEntries(header.map((name, i) => [name, record[i]])))
}
