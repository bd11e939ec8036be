/** Checks for tables whose target cannot be learned. */
import { rangeError } from '../common/errors.js'
import type { Row, Table, TableReport } from '../data/index.js'

/** Least number of rows: two for training and one for the test. */
const FEWEST = 3
/** Number of rows from which on a separate class for most rows counts as a mistake. */
const FEW_ROWS = 20

/** @throws RangeError for too few rows with a target */
export function checkRows(rows: readonly Row[]): void {
  if (rows.length >= FEWEST) return
  const what = rows.length === 1 ? 'one row with a target is' : `${rows.length} rows with a target are`
  throw rangeError(`trainTable: ${what} too few: it wants ${FEWEST} at least, and says little of fewer than a hundred`)
}

/** @throws RangeError for a constant target, or a target whose classes are names */
export function checkTarget({ classes, classNames, count, targets, report }: Table, target: string): void {
  const column = `trainTable: column '${target}'`
  if (classes === 1) throw rangeError(`${column} is '${classNames[0]}' in all rows: there is nothing to tell apart`)
  if (classes > 0 && count >= FEW_ROWS && classes > count / 2)
    throw rangeError(
      `${column} has ${classes} different values in ${count} rows, as names have; a class wants rows to learn it from. ${hintIn(report) ?? 'Which column is to be predicted?'}`,
    )
  if (classes === 0 && targets.every((value) => value === targets[0]))
    throw rangeError(`${column} is ${targets[0]} in all rows to learn from: there is nothing to learn`)
}

/** The report's note about texts that are numbers in human formats. */
function hintIn({ columns }: TableReport): string | undefined {
  const note = columns.find(({ role }) => role === 'target')?.notes.find((text) => text.includes('formatted: true'))
  return note && `${note[0].toUpperCase()}${note.slice(1)}.`
}
