/** A net for a prepared table, as trainTable makes and trains it. */
import { checkNames } from '../common/names.js'
import type { Module, Optimizer, Sequential } from '../index.js'
import { checkNet } from './check-net.js'
import { makeNet, makeOptimizer, NET_SETTINGS, type NetSettings, scheduleOf, usualPlan, usualRound } from './nets.js'
import type { PreparedTable } from './prepare-table.js'

/** Options of {@link tableNet}: defaults depend on the number of rows. */
export interface TableNetOptions extends NetSettings {
  /** Decides the first weights. Default 0. */
  seed?: number
}

/** The options of `fit` beside rows and loss. */
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
 * @throws RangeError, TypeError naming a setting that is none
 */
export function tableNet(
  { train, width, classes, embedded }: Pick<PreparedTable, 'train' | 'width' | 'classes' | 'embedded'>,
  options: TableNetOptions = {},
): TableNet {
  checkNames('tableNet', options, [...NET_SETTINGS, 'seed'])
  checkNet('tableNet', options)
  const { seed = 0, batchSize = usualRound(train.count).batchSize, epochs = usualRound(train.count).epochs, ...given } = options
  const plan = { ...usualPlan(train.count), ...given }
  const model = makeNet(plan, width, classes || 1, seed, embedded)
  const schedule = scheduleOf(plan, epochs * Math.ceil(train.count / batchSize))
  return { model, optimizer: makeOptimizer(model, plan), schedule, batchSize: Math.min(batchSize, train.count), epochs }
}
