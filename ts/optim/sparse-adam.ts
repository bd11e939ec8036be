import { Adam, type AdamOptions } from './adam.js'
import type { ParameterGroup } from './base/group.js'
import type { OptimizerInput, SharedOptions } from './base/input.js'
import type { ParameterSpan } from './base/span.js'

/** Options of {@link SparseAdam}: Adam's, without weight decay, which would touch every row. */
export type SparseAdamOptions = Omit<AdamOptions, 'weightDecay' | 'decoupledWeightDecay' | 'amsgrad' | 'amsgradMaximum'>

/**
 * Lazy {@link Adam} for embeddings: only looked-up rows move, and only their moments are updated.
 *
 *     rows looked up:  Adam's update with ε beside the uncorrected root ('hat');   all other rows stay
 *
 * Dense Adam keeps moving rows that have not been looked up for a while, at the cost of a pass over the whole table. Here the cost of an update is
 * proportional to the looked-up rows; the backward pass still sets the gradient of the whole table to 0 first. The step count belongs to the table,
 * so bias correction is as in PyTorch, and a looked-up row counts even if its gradient is 0. If a gradient did not come from look-ups alone (a table
 * that is also the last layer's weight, a gradient that you wrote yourself), the rows that are not all zeros move. (SGD without momentum and Adagrad
 * are lazy anyway.)
 * When not: tables whose rows are mostly looked up at each step: then Adam is faster.
 * Defaults: PyTorch's SparseAdam. State: 8 bytes a parameter. Kingma & Ba 2015.
 *
 * @example
 * const embedding = new Embedding(1000, 16)
 * const optimizer = new SparseAdam(embedding.parameters(), { learningRate: 1e-3 })
 */
export class SparseAdam extends Adam {
  static override get name() {
    return 'SparseAdam'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { ...Adam.defaults, epsilonPlacement: 'hat' }
  static override readonly allowed = { ...Adam.allowed, weightDecay: [0], amsgrad: [false], decoupledWeightDecay: [false] }
  static override readonly perTensor = true

  constructor(parameters: OptimizerInput<SparseAdamOptions>, options?: SparseAdamOptions & SharedOptions) {
    super(parameters, options)
  }

  protected override applyToSpan(
    group: ParameterGroup<Required<AdamOptions>>,
    span: ParameterSpan,
    scale: number,
    hyper: readonly number[],
  ): void {
    const { backend, parameters } = group
    const { shape, touchedRows } = parameters[span.first]
    const rows = shape.length < 2 ? 1 : shape[0]
    const cols = span.n / rows
    const bytes = cols * backend.heap.elementSize
    const update = (from: number, to: number) => {
      const at = from * bytes
      super.applyToSpan(
        group,
        { ...span, p: span.p + at, g: span.g + at, s: span.s + at, n: (to - from) * cols, views: null },
        scale,
        hyper,
      )
    }
    if (touchedRows !== null) neighbours(distinct(touchedRows), update)
    else filled(rows, (row) => backend.kernels.maxAbs(span.g + row * bytes, cols) !== 0, update)
  }
}

/** Calls `update` for each stretch of neighboring rows. */
function neighbours(rows: Int32Array, update: (from: number, to: number) => void): void {
  for (let i = 0; i < rows.length; ) {
    const first = i
    do i++
    while (rows[i] === rows[i - 1] + 1)
    update(rows[first], rows[i - 1] + 1)
  }
}

/** Runs of rows for which `isSeen` is true. */
function filled(rows: number, isSeen: (row: number) => boolean, update: (from: number, to: number) => void): void {
  for (let from = 0; from < rows; from++) {
    if (!isSeen(from)) continue
    let to = from + 1
    while (to < rows && isSeen(to)) to++
    update(from, to)
    from = to
  }
}

/** The numbers of all lists, ascending, each once. */
function distinct(lists: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all.sort().filter((row, i) => i === 0 || row !== all[i - 1])
}
