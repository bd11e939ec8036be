/**
 * Keys of the parts that nets share: nets with the same key share the part.
 *
 * Two things must be equal for nets to share a program. Their steps must make the same kernel calls, so that the recorded step of one net represents
 * all: {@link stepKeyOf}. It never changes, and nets with one step key form a fleet. And the same kernels must update parameters with the same layout
 * in memory: {@link updateKeyOf}. Callbacks may change it, so it is computed again before each round.
 *
 * Nets of one program may share more: the order of their rows ({@link orderKeyOf}), and the hyper-parameters of their updates ({@link
 * MemberOptimizer.hyperKey}).
 */
import type { Module } from '../../nn/module.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { OptimizerLike } from '../../optim/wrappers/wrapper.js'
import type { Parameter } from '../../parameter.js'
import type { Plan } from '../plan.js'
import type { TrainingRun } from '../run.js'
import type { UpdateSpec } from './member-optimizer.js'
import { regionsOf } from './regions.js'

/** Equal for nets whose steps make the same kernel calls, and whose epochs have equal numbers of steps. */
export function stepKeyOf({ plan, watchesEpochs, keepsPredictions }: TrainingRun): string {
  const { model, options, rows, batchSize, batchesPerEpoch } = plan
  const optimizer = options.optimizer as OptimizerLike & {
    groups: readonly { slotNames: readonly string[]; parameters: readonly unknown[] }[]
  }
  const tensors = [rows.inputs, rows.targets, ...(rows.weights ? [rows.weights] : [])]
  return JSON.stringify([
    identityOf(rows.inputs.backend),
    layersOf(model),
    identityOf(options.loss),
    tensors.map(({ shape, dtype }) => [shape, dtype]),
    batchSize,
    batchesPerEpoch,
    watchesEpochs,
    keepsPredictions,
    optimizer.constructor.name,
    optimizer.groups.map((group) => [group.slotNames, group.parameters.length]),
  ])
}

/** Equal for models of this library's layers that compute the same from the same rows, apart from the values of their parameters. */
export function modelKeyOf(model: Module, inputs: readonly number[]): string {
  return JSON.stringify([inputs, layersOf(model)])
}

/** Equal for nets of a fleet that the same kernels update, and whose parameters and states have the same layout in memory. */
export function updateKeyOf(parameters: readonly Parameter[], { groups }: Optimizer, updates: readonly UpdateSpec[]): string {
  return JSON.stringify([
    regionsOf(parameters).map(({ first, members }) => [first, ...members.map((p) => parameters.indexOf(p))]),
    groups.map(({ slotNames, stride, parameters: own, spans }) => [
      slotNames,
      stride,
      own.map((p) => parameters.indexOf(p)),
      spans.map(({ first, end }) => [first, end]),
    ]),
    updates,
  ])
}

/** Equal for nets that see equally many rows in the same order. */
export function orderKeyOf({ shuffle, seed }: Plan['options']): string {
  return shuffle ? `seed ${seed}` : 'as given'
}

function layersOf(model: Module): [kind: string, what: string][] {
  return model.modules().map((module) => [module.constructor.name, module.describe()])
}

const identities = new WeakMap<object, number>()
let lastIdentity = 0

/** A number that stands for an object or function in a key. */
function identityOf(value: unknown): number {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return 0
  let identity = identities.get(value)
  if (identity === undefined) identities.set(value, (identity = ++lastIdentity))
  return identity
}
