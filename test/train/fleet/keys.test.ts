/**
 * Conditions under which nets share a recorded step, a program, a table of hyper-parameters, or an order of rows: README.md of fleets has the table.
 */
import { expect, test } from 'vitest'
import { readOptions } from '../../../ts/common/options.js'
import { supportedVariants } from '../../../ts/debug/index.js'
import { Adam, type AdamOptions, createBackend, Dense, mae, mse, Sequential, SGD } from '../../../ts/index.js'
import { orderKeyOf, stepKeyOf } from '../../../ts/train/fleet/keys.js'
import { Member } from '../../../ts/train/fleet/member.js'
import { MemberOptimizer } from '../../../ts/train/fleet/member-optimizer.js'
import { FIT, type FitOptions } from '../../../ts/train/options.js'
import { planFit } from '../../../ts/train/plan.js'
import { TrainingRun } from '../../../ts/train/run.js'

const [variant] = supportedVariants()
const backend = createBackend({ variant })
const inputs = Array.from({ length: 12 }, (_, i) => [i, 1])
const targets = inputs.map(([x]) => [x])

interface Net {
  width?: number
  rows?: number
  frozen?: boolean
  sgd?: boolean
  adam?: AdamOptions
  options?: Partial<FitOptions>
}

/** The keys of a net of 2-width-1. */
function keysOf({ width = 4, rows = 12, frozen = false, sgd = false, adam = {}, options = {} }: Net = {}) {
  const model = new Sequential([new Dense(2, width, { activation: 'tanh' }), new Dense(width, 1)], { seed: 1, backend })
  const parameters = model.parameters()
  if (frozen) parameters[0].requiresGrad = false
  const optimizer = sgd ? new SGD(parameters) : new Adam(parameters, adam)
  const data = { inputs: inputs.slice(0, rows), targets: targets.slice(0, rows) }
  const given: FitOptions = { ...data, loss: mse, optimizer, batchSize: 4, ...options }
  const training = new TrainingRun(planFit(model, readOptions('fit', given, FIT)))
  const member = new Member(0, training)
  const memberOptimizer = new MemberOptimizer(optimizer)
  memberOptimizer.updates()
  return {
    step: stepKeyOf(training),
    update: member.updateKey,
    hyper: memberOptimizer.hyperKey,
    order: orderKeyOf(training.plan.options),
  }
}

test.each<[difference: string, net: Net, keys: string[]]>([
  ['nothing', {}, []],
  ['the learning rate', { adam: { learningRate: 0.5 } }, []],
  ['another number of the optimizer', { adam: { weightDecay: 0.5 } }, ['hyper']],
  ['a state that the optimizer keeps', { adam: { amsgrad: true } }, ['step', 'update', 'hyper']],
  ['a frozen parameter', { frozen: true }, ['update']],
  ['the optimizer', { sgd: true }, ['step', 'update', 'hyper']],
  ['the width of a layer', { width: 5 }, ['step', 'update']],
  ['the number of rows', { rows: 8 }, ['step']],
  ['the loss', { options: { loss: mae } }, ['step']],
  ['the size of batches', { options: { batchSize: 6 } }, ['step']],
  ['the seed', { options: { seed: 1 } }, ['order']],
  ['shuffle', { options: { shuffle: false } }, ['order']],
  ['that somebody looks at epochs', { options: { callbacks: [{ onEpochEnd() {} }] } }, ['step']],
  ['metrics', { options: { metrics: ['mae'] } }, ['step']],
])('nets that differ in %s', (_, net, keys) => {
  const [one, other] = [keysOf(), keysOf(net)]
  expect((Object.keys(one) as (keyof typeof one)[]).filter((key) => one[key] !== other[key])).toEqual(keys)
})
