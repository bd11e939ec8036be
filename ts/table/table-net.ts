/** A net for a prepared table, as trainTable makes and trains it. */
import { readOptions, type Schema, seed as seedRange } from '../common/options.js'
import type { Module, Optimizer, Sequential } from '../index.js'
import type { PreparedTable } from './prepare-table.js'
import { makeNet, makeOptimizer, NET, type NetSettings, scheduleOf, usualPlan, usualRound } from './search/nets.js'

/** Options of {@link tableNet}: defaults depend on the number of rows. */
export interface TableNetOptions extends NetSettings {
  /** Decides the first weights. Default 0. */
  seed?: number
}

export const TABLE_NET = { ...NET, seed: { is: seedRange, default: 0 } } satisfies Schema<TableNetOptions>

/** The options of `fit` besides rows and loss. */
export interface TableNet {
  model: Sequential<Module[]>
  optimizer: Optimizer
  schedule: (step: number) => number
  batchSize: number
  epochs: number
}

/**
 * A net for the result of {@link prepareTable}, with the optimizer (AdamW without decay on biases) and the schedule (one cycle) of {@link
 * trainTable}. Columns to embed become vectors first.
 *
 * @example
 * const prepared = await prepareTable('docs/guide/penguins.csv', { target: 'species' })
 * const { train, width, classes } = prepared
 * const { model, ...how } = tableNet(prepared, { hidden: [32], learningRate: 0.01 })
 * await fit(model, { inputs: tensor(train.inputs, [train.count, width]), targets: train.targets, loss: crossEntropy, ...how })
 * model.predict(train.inputs.subarray(0, width)).shape // [3]
 * @throws RangeError, TypeError naming an unknown setting
 */
export function tableNet(
  { train, width, classes, embedded }: Pick<PreparedTable, 'train' | 'width' | 'classes' | 'embedded'>,
  options: TableNetOptions = {},
): TableNet {
  const { seed, batchSize, epochs, ...plan } = {
    ...{ ...usualPlan(train.count), ...usualRound(train.count) },
    ...readOptions('tableNet', options, TABLE_NET),
  }
  const model = makeNet(plan, width, classes || 1, seed, embedded)
  const schedule = scheduleOf(plan, epochs * Math.ceil(train.count / batchSize))
  return { model, optimizer: makeOptimizer(model, plan), schedule, batchSize: Math.min(batchSize, train.count), epochs }
}
