/** The data of many nets: each data set is checked once, and nets with the same data set share its rows. */
import type { Backend } from '../../backend/index.js'
import { checkDataSet, pickRows, type Rows } from '../data.js'
import type { CheckedData } from '../plan.js'
import type { TrainingData } from '../training-data.js'
import type { NetOptions } from './options.js'

export class DataSets {
  /** Data sets by their inputs, since several may have the same inputs. */
  private readonly sets = new Map<unknown, { data: TrainingData; rows: Rows }[]>()
  private readonly subsets = new Map<Rows, Map<ArrayLike<number>, Rows>>()

  /** The data of a net. @throws RangeError, ShapeError, TypeError */
  of(backend: Backend, options: NetOptions): CheckedData {
    const { subset, validation } = options
    const all = this.rowsOf(backend, options, 'fit')
    const rows = subset === undefined ? all : this.rowsBy(subset, all)
    return { rows, validation: validation && this.rowsOf(backend, validation, 'fit: validation') }
  }

  private rowsOf(backend: Backend, { inputs, shape, targets, weights }: TrainingData, what: string): Rows {
    const known = this.sets.get(inputs) ?? []
    this.sets.set(inputs, known)
    const found = known.find(
      ({ data, rows }) => data.targets === targets && data.weights === weights && data.shape === shape && rows.inputs.backend === backend,
    )
    if (found !== undefined) return found.rows
    const data = { inputs, targets, ...(shape && { shape }), ...(weights !== undefined && { weights }) }
    const rows = checkDataSet(data, backend, what)
    known.push({ data: { inputs, shape, targets, weights } as TrainingData, rows })
    return rows
  }

  private rowsBy(numbers: ArrayLike<number>, all: Rows): Rows {
    const known = this.subsets.get(all) ?? new Map<ArrayLike<number>, Rows>()
    this.subsets.set(all, known)
    let rows = known.get(numbers)
    if (rows === undefined) known.set(numbers, (rows = pickRows(all, numbers)))
    return rows
  }
}
