/** fitMany: trains many nets in one call, nets of one shape side by side. */

import { rangeError, reword, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { Module, rememberModes } from '../../nn/module.js'
import { claim } from '../claim.js'
import { rowsBetween } from '../data.js'
import { planFit } from '../plan.js'
import { TrainingRun } from '../run.js'
import { DataSets } from './data-sets.js'
import { modelKeyOf } from './keys.js'
import { ManyTrainings, type NetHistory } from './many-trainings.js'
import { type FitManyOptions, optionsOfNets, readManyOptions } from './options.js'

/**
 * Trains many nets in one call. Each net is trained exactly as {@link fit} would train it alone, with the same bits. Nets of one shape are computed
 * side by side, eight at a time, which for small nets is many times as fast as one after the other. `history.execution.fleet` counts the steps of a
 * net that ran side by side; `history.execution.reason` is the reason if some did not.
 *
 * These nets run side by side: nets of built-in layers with a built-in loss, an element-wise optimizer, such as Adam or SGD, equal numbers of rows,
 * only metrics with names, and no `onBatchEnd`. All others are trained one after the other by the same call. A net that diverges keeps its last
 * finite weights, and its history has the error; other nets are not affected.
 *
 * @returns a history for each net, in the order of the models
 * @example
 * const rates = [0.001, 0.003, 0.01, 0.03]
 * const models = rates.map(() => new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, 3)], { seed: 1 }))
 * const optimizers = models.map((model, i) => new Adam(model.parameters(), { learningRate: rates[i] }))
 * const histories = await fitMany(models, { inputs, targets, loss: crossEntropy, optimizers, epochs: 20 })
 * histories.length // 4
 * @throws RangeError, TypeError, ShapeError that name the net, before the first step of any
 */
export async function fitMany(models: readonly Module[], given: FitManyOptions): Promise<NetHistory[]> {
  checkModels(models)
  const options = readManyOptions(models.length, given)
  const optionsOfEach = optionsOfNets(options)
  const releases: (() => void)[] = []
  const restores: (() => void)[] = []
  try {
    for (const model of models) {
      releases.push(claim('fitMany', model))
      restores.push(rememberModes(model, true))
    }
    const dataSets = new DataSets()
    // progress also counts the steps of nets that are trained alone
    let all: ManyTrainings | undefined
    const line = options.onProgress && { show: () => all?.report(), end() {} }
    const trainings = optionsOfEach.map((own, net) =>
      withNetName(net, () => new TrainingRun(planFit(models[net], own, dataSets.of(models[net].backend, own)), line)),
    )
    checkInputs(trainings)
    all = new ManyTrainings(trainings, options)
    return await all.train()
  } finally {
    for (const release of releases) release()
    for (const restore of restores) restore()
    for (const backend of new Set(models.map((model) => model.backend))) backend.arena.end()
  }
}

function checkModels(models: readonly Module[]): void {
  if (!Array.isArray(models) || models.length === 0) throw typeError(`fitMany: wants models in an array, at least one, got ${show(models)}`)
  const known = new Map<Module, number>()
  models.forEach((model, i) => {
    if (!(model instanceof Module)) throw typeError(`fitMany: models[${i}] wants a Module, got ${show(model)}`)
    const first = known.get(model)
    if (first !== undefined)
      throw rangeError(`fitMany: models[${i}] is the same as models[${first}]; a model is trained once at a time, so make another`)
    known.set(model, i)
  })
}

/** Checks that models of built-in layers take the rows: one of several equal models is tested. @throws ShapeError that names the net */
function checkInputs(trainings: readonly TrainingRun[]): void {
  const known = new Set<string>()
  for (const [net, { plan, fast }] of trainings.entries()) {
    const { model, rows } = plan
    const key = modelKeyOf(model, rows.inputs.shape.slice(1))
    if (!fast.fields.isBuiltIn || known.has(key)) continue
    withNetName(net, () => model.predict(rowsBetween(rows, 0, 1).inputs))
    known.add(key)
  }
}

/** Runs fn for a net; errors name it. */
function withNetName<T>(net: number, fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    reword(error, (message) => `fitMany: net ${net}: ${message}`)
    throw error
  }
}
