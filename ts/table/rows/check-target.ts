/** Checks for tables whose target cannot be learned. */
import { rangeError } from '../../common/errors.js'
import { shortened, show } from '../../common/show.js'
import type { Row, Table, TableReport } from '../../data/index.js'
import { valueIn } from '../../data/table/values.js'
import { labelsIn } from './label-lists.js'

/** Least number of rows: two for training and one for the test. */
const FEWEST = 3
/** Number of rows from which on a separate class for most rows counts as a mistake, and of classes that are amounts in a human format. */
const FEW_ROWS = 20

/** @throws RangeError for too few rows with a target */
export function checkRows(rows: readonly Row[], target: string): void {
  if (rows.length >= FEWEST) return
  const what = `${rows.length === 1 ? 'one row' : `${rows.length} rows`} with a value of '${shortened(target)}' ${rows.length === 1 ? 'is' : 'are'}`
  throw rangeError(`trainTable: ${what} too few: it wants ${FEWEST} at least, and says little of fewer than a hundred`)
}

/** @throws RangeError for a constant target, or a target whose classes are names or amounts */
export function checkTarget({ classes, classNames, count, targets, report }: Table, target: string): void {
  const column = `trainTable: column '${target}'`
  if (classes === 1) throw rangeError(`${column} is '${classNames[0]}' in all rows: there is nothing to tell apart`)
  const hint = hintIn(report)
  if (classes > 0 && count >= FEW_ROWS && (classes > count / 2 || (hint !== undefined && classes > FEW_ROWS))) {
    const labels = labelsIn(classNames)
    const [have, remedy] =
      hint !== undefined
        ? ['amounts', hint]
        : labels !== undefined
          ? ['lists of labels', `Give each label a column of true and false, and predict them all: target: ['${shortened(labels[0])}', …].`]
          : ['names', 'Which column is to be predicted?']
    throw rangeError(
      `${column} has ${classes} different values in ${count} rows, as ${have} have; a class wants rows to learn it from. ${remedy}`,
    )
  }
  if (classes === 0 && targets.every((value) => value === targets[0]))
    throw rangeError(
      `${column} is ${report.columns.find(({ role }) => role === 'target')?.min ?? targets[0]} in all rows to learn from: there is nothing to learn`,
    )
}

/**
 * Checks that the rows to learn from have every class of the rows that were set aside.
 * @param all the rows as they were given, by whose numbers errors name them
 * @throws RangeError naming the first row whose class cannot be learned
 */
export function checkClasses(who: string, { classNames }: Table, target: string, aside: readonly Row[], all: readonly object[]): void {
  if (classNames.length === 0) return
  const known = new Set(classNames)
  const wrong = aside.find((row) => !known.has(String(valueIn(row, target))))
  if (wrong === undefined) return
  throw rangeError(
    `${who}: column '${target}' of row ${all.indexOf(wrong)} has the class ${show(String(valueIn(wrong, target)))}, which no row to learn from has: ` +
      'leave such rows out, split by another column or at random, or gather more rows of this class',
  )
}

/** The report's note about texts that are numbers in human formats. */
function hintIn({ columns }: TableReport): string | undefined {
  const note = columns.find(({ role }) => role === 'target')?.notes.find((text) => text.includes('formatted: true'))
  return note && `${note[0].toUpperCase()}${note.slice(1)}.`
}
