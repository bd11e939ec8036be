/** Instead of table-objective.ts where there are no files of tables. */
import { plainError } from '../common/errors.js'
import type * as whole from './table-objective.js'

export const TABLE_SPACE = {}

export const netSettings: typeof whole.netSettings = () => absent('netSettings')

export const tableObjective: typeof whole.tableObjective = async () => absent('tableObjective')

function absent(name: string): never {
  throw plainError(`${name}: this build, for workerd and other edge runtimes, reads no tables`)
}
