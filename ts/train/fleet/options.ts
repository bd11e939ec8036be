/** The options of fitMany, and the options of `fit` that each net has by them. */
import { rangeError, typeError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { show } from '../../common/show.js'
import type { OptimizerLike } from '../../optim/wrappers/wrapper.js'
import { CARRIED } from '../../rows/carried.js'
import { ReduceOnPlateau } from '../../schedule/plateau.js'
import type { Callback } from '../callbacks.js'
import { DATA, type TrainingData } from '../data.js'
import { EarlyStopping } from '../early-stopping.js'
import { type FitOptions, OPTIONS } from '../plan.js'
import type { WholeStepOptimizer } from '../whole-step-optimizer.js'

/** One value for all nets, or one for each. */
export type Each<T> = T | readonly T[]

/** Progress that `fitMany` reports. */
export interface FitManyProgress {
  /** Nets whose training is over. */
  finished: number
  /** All nets. */
  nets: number
  /** Steps taken by all nets together. */
  steps: number
  /** Number of steps of all nets together, if none stops early. */
  totalSteps: number
  /** Steps of all nets together, by the second, since the call. */
  netStepsPerSecond: number
  /** Estimated seconds until the last net is over. */
  secondsLeft: number
}

/** Options of {@link fitMany}: the options of `fit`, with an optimizer for each net, and for some options a value for each net. */
export interface FitManyOptions
  extends Omit<
    FitOptions,
    'optimizer' | 'seed' | 'schedule' | 'callbacks' | 'onProgress' | 'inputs' | 'targets' | 'validation' | 'verbose' | 'resume'
  > {
  /** Inputs of all nets. Omit them if {@link FitManyOptions.data} has data for each net. */
  inputs?: TrainingData['inputs']
  /** Targets of all nets. */
  targets?: TrainingData['targets']
  /** A data set for each net, instead of `inputs` and `targets`. */
  data?: readonly TrainingData[]
  /** For each net the indices of the rows on which it trains: `rows.train` of a split of `kFold`, for example. Default: all rows. */
  rows?: readonly ArrayLike<number>[]
  /** One optimizer for each net, over its parameters. */
  optimizers: readonly (OptimizerLike | WholeStepOptimizer)[]
  /** Seed of the order of the batches, for all nets or for each. Default 0. */
  seed?: Each<number>
  /** Learning rate by step, for all nets or for each; undefined for one whose optimizer keeps its own. */
  schedule?: Each<FitOptions['schedule']>
  /** Validation data for all nets after each epoch, or for each net. */
  validation?: Each<TrainingData>
  /** Makes the callbacks of a net from its number: callbacks such as EarlyStopping remember, so each net needs its own. */
  callbacks?: (net: number) => readonly Callback[]
  /** Called at most every 100 ms. */
  onProgress?: (progress: FitManyProgress) => void
}

/** The options of `fit` of one net, and the rows of its data that it trains on, by number; undefined for all. */
export interface NetOptions extends FitOptions {
  subset?: ArrayLike<number>
}

/** Options beyond those of `fit`, and further properties of a data set. */
const OWN = ['data', 'rows', 'optimizers', ...DATA]

/** The options of each net. @throws RangeError, TypeError */
export function optionsOfNets(nets: number, options: FitManyOptions): NetOptions[] {
  checkOptions(nets, options)
  const { data, rows, optimizers, seed, schedule, validation, callbacks, onProgress: _, inputs, targets, ...shared } = options
  const owners = new Map<Callback, number>()
  const of = <T>(value: Each<T>, net: number): T => (Array.isArray(value) ? value[net] : (value as T))
  return optimizers.map((optimizer, net) => {
    const own = data?.[net] ?? ({ inputs, targets } as TrainingData)
    const out = { ...shared, ...own, optimizer } as NetOptions
    if (seed !== undefined) out.seed = of(seed, net)
    const ownSchedule = of(schedule, net)
    if (ownSchedule !== undefined) out.schedule = ownSchedule
    if (validation !== undefined) out.validation = of(validation, net) as TrainingData
    if (callbacks !== undefined) {
      out.callbacks = callbacks(net)
      checkOwnCallbacks(out.callbacks, net, owners)
    }
    if (rows !== undefined) out.subset = rows[net]
    return out
  })
}

function checkOptions(nets: number, options: FitManyOptions): void {
  if (typeof options !== 'object' || options === null)
    throw typeError(`fitMany: wants options as an object, { inputs, targets, loss, optimizers, … }, got ${show(options)}`)
  checkNames('fitMany', options, [...OPTIONS.filter((name) => name !== 'optimizer' && name !== 'resume'), ...OWN], undefined, CARRIED)
  const { data, rows, optimizers, seed, schedule, validation, callbacks, inputs, targets } = options
  const checkOnePerNet = (name: string, list: unknown): void => {
    if (!Array.isArray(list)) throw typeError(`fitMany: ${name} wants an array with one for each net, got ${show(list)}`)
    if (list.length !== nets) throw rangeError(`fitMany: ${name} wants one for each of ${nets} nets, got ${list.length}`)
  }
  checkOnePerNet('optimizers', optimizers)
  const owners = new Map<unknown, number>()
  optimizers.forEach((optimizer, i) => {
    const first = owners.get(optimizer)
    if (first !== undefined) throw rangeError(`fitMany: optimizers[${i}] is the same as optimizers[${first}]; each net wants its own`)
    owners.set(optimizer, i)
  })
  for (const [name, list] of Object.entries({ data, rows })) if (list !== undefined) checkOnePerNet(name, list)
  for (const [name, list] of Object.entries({ seed, schedule, validation })) if (Array.isArray(list)) checkOnePerNet(name, list)
  if (data !== undefined && (inputs !== undefined || targets !== undefined))
    throw rangeError('fitMany: wants data, or inputs and targets, not both')
  if (callbacks !== undefined && typeof callbacks !== 'function')
    throw typeError(`fitMany: callbacks wants a function that makes the callbacks of a net from its number, got ${show(callbacks)}`)
}

/** Epochs of nets side by side alternate, so a callback with a state would mix up two nets. @throws RangeError if it has two */
function checkOwnCallbacks(callbacks: readonly Callback[], net: number, owners: Map<Callback, number>): void {
  if (!Array.isArray(callbacks)) return // the training of the net says so
  for (const callback of callbacks) {
    if (!(callback instanceof EarlyStopping || callback instanceof ReduceOnPlateau)) continue
    const first = owners.get(callback)
    if (first !== undefined)
      throw rangeError(
        `fitMany: callbacks wants ${callback instanceof EarlyStopping ? 'an EarlyStopping' : 'a ReduceOnPlateau'} for each net, ` +
          `got that of net ${first} again for net ${net}; make it inside the function`,
      )
    owners.set(callback, net)
  }
}
