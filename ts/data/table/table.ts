/** Tables: rows as people have them (from CSV, JSON, a database), made into the numbers that a net learns from. */
import { rangeError } from '../../common/errors.js'
import { encoding, type Table } from './encoder.js'
import { TableLearner } from './learn.js'
import type { ColumnOf, TableOptions } from './options.js'
import { numbered, type Row } from './values.js'

/**
 * A data set from a table. Columns whose values are all numbers (or numbers in text) are one feature each, dates are days; every other column becomes
 * one feature per category, 1 for the row's own and 0 for the others, or 64 shared features if there are more than 100 categories. A target of
 * numbers makes a regression (`targets` a Float32Array); text, booleans, 0 and 1, and few integers from 0 or 1 on make a classification (an
 * Int32Array, with `classNames`). Categories are in alphabetical order; numbers are ordered by size.
 *
 * `report` has the decisions, and `columns` overrides them. From twenty rows on, these columns are left out unless `inputs` names them: columns that
 * never change, columns with a different text in each row, and integers with the name of an id. A column of numbers with a few exceptions is an
 * error: declare the exceptions as missing values, or the column as one of categories.
 *
 * Everything is learned from these rows: pass the training rows alone, and the others to `table.dataset`.
 *
 * @example
 * const table = fromTable(
 *   [
 *     { island: 'Dream', mass: 3.7, species: 'Adelie' },
 *     { island: 'Biscoe', mass: 5.1, species: 'Gentoo' },
 *   ],
 *   { target: 'species' },
 * )
 * table.featureNames // ['island=Biscoe', 'island=Dream', 'mass']
 * table.inputs // Float32Array.of(0, 1, 3.7, 1, 0, 5.1)
 * table.classNames // ['Adelie', 'Gentoo']
 * table.report.columns[1].why // 'it has numbers'
 * @throws RangeError naming row and column of a value that is missing, infinite or not like the others, a column that does not exist, a target among
 *   the inputs, or a table without rows; TypeError for rows that are not objects, or a value that is neither number, text, boolean nor date
 */
export function fromTable<T extends object>(rows: readonly T[], options: TableOptions<ColumnOf<T>>): Table {
  const all = numbered('fromTable', rows)
  if (rows.length === 0) throw rangeError('fromTable: there are no rows')
  const learner = new TableLearner(rows[0] as Row, options)
  learner.add(all)
  const { encoder, report } = learner.finish()
  return encoding(encoder, report).tableOf('fromTable', learner.wholeOf(all))
}
