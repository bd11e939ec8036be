/** A table that a person drops on the page: columns of numbers are the inputs, one column is the class. */
import { fromTable, parseCsv, standardize } from 'gradus/data'
import type { DataChoice } from './config'
import { cut, type Examples } from './data'

/** The names of all columns, any of which may be the class. */
export function columns({ csv }: { csv: string }): string[] {
  return Object.keys(parseCsv(csv)[0] ?? {})
}

/** @throws Error that says what the table lacks */
export function tableExamples({ csv, target, seed }: DataChoice): Examples {
  const rows = parseCsv(csv) as Record<string, string>[]
  if (rows.length < 4) throw new Error('the table wants a header and at least four rows')
  const names = Object.keys(rows[0])
  const wanted = target !== '' && names.includes(target) ? target : names[names.length - 1]
  const classes = [...new Set(rows.map((row) => row[wanted]))]
  if (classes.length < 2 || classes.length > 10) throw new Error(`'${wanted}' has ${classes.length} values: a class to predict has 2 to 10`)
  const numbers = names.filter((name) => name !== wanted && rows.every((row) => row[name] !== '' && Number.isFinite(Number(row[name]))))
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
