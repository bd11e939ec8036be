/** The options of fitMany, and the options of `fit` for each net that follow from them. */
import { rangeError, typeError } from '../../common/errors.js'
import { anything, checkValue, handler, isAllowed, type Kind, type Read, readOptions, type Schema, seed } from '../../common/options.js'
import { show } from '../../common/show.js'
import type { OptimizerLike } from '../../optim/wrappers/wrapper.js'
import { CARRIED } from '../../rows/carried.js'
import { ReduceOnPlateau } from '../../schedule/plateau.js'
import type { Callback } from '../callbacks.js'
import { EarlyStopping } from '../early-stopping.js'
import { FIT, type FitOptions, optimizer, type ReadFit } from '../options.js'
import type { TrainingData } from '../training-data.js'
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
  /** Learning rate by step, for all nets or for each; undefined for a net whose optimizer keeps its own rate. */
  schedule?: Each<FitOptions['schedule']>
  /** Validation data for all nets after each epoch, or for each net. */
  validation?: Each<TrainingData>
  /** Makes the callbacks of a net from its number: callbacks such as EarlyStopping remember, so each net needs its own. */
  callbacks?: (net: number) => readonly Callback[]
  /** Called at most every 100 ms. */
  onProgress?: (progress: FitManyProgress) => void
}

const { optimizer: _optimizer, resume: _resume, verbose: _verbose, ...OF_FIT } = FIT

/** One seed, or one for each net. */
const seeds: Kind = {
  wants: 'a whole number from 0, or one for each net',
  fits: (value) => [value].flat().every((one) => isAllowed(one, seed)),
}
/** One function of the step, or one for each net. */
const schedules: Kind = {
  wants: 'a function of the step, or one for each net',
  fits: (value) => [value].flat().every((one) => one === undefined || typeof one === 'function'),
}

export const FIT_MANY = {
  ...OF_FIT,
  data: { is: anything },
  rows: { is: anything },
  optimizers: { is: anything },
  seed: { is: seeds, default: 0 },
  schedule: { is: schedules },
  callbacks: { is: { ...handler, wants: 'a function that makes the callbacks of a net from its number' } },
} satisfies Schema<FitManyOptions>

/** @internal options of fitMany after the check, with defaults */
export type ReadFitMany = Read<FitManyOptions, typeof FIT_MANY>

/** The options of `fit` of one net, and the rows of its data that it trains on, by number; undefined for all. */
export interface NetOptions extends ReadFit {
  subset?: ArrayLike<number>
}

/** @internal the options of many nets. @throws RangeError, TypeError */
export function readManyOptions(nets: number, given: FitManyOptions): ReadFitMany {
  const options: ReadFitMany = readOptions('fitMany', given, FIT_MANY, CARRIED)
  const { data, rows, optimizers, seed, schedule, validation, inputs, targets } = options
  const checkOnePerNet = (name: string, list: unknown): void => {
    if (!Array.isArray(list)) throw typeError(`fitMany: ${name} wants an array with one for each net, got ${show(list)}`)
    if (list.length !== nets) throw rangeError(`fitMany: ${name} wants one for each of ${nets} nets, got ${list.length}`)
  }
  checkOnePerNet('optimizers', optimizers)
  const owners = new Map<unknown, number>()
  optimizers.forEach((own, i) => {
    checkValue(`fitMany: optimizers[${i}]`, own, optimizer)
    const first = owners.get(own)
    if (first !== undefined) throw rangeError(`fitMany: optimizers[${i}] is the same as optimizers[${first}]; each net wants its own`)
    owners.set(own, i)
  })
  for (const [name, list] of Object.entries({ data, rows })) if (list !== undefined) checkOnePerNet(name, list)
  for (const [name, list] of Object.entries({ seed, schedule, validation })) if (Array.isArray(list)) checkOnePerNet(name, list)
  if (data !== undefined && (inputs !== undefined || targets !== undefined))
    throw rangeError('fitMany: wants data, or inputs and targets, not both')
  return options
}

/** The options of each net. @throws RangeError, TypeError */
export function optionsOfNets(options: ReadFitMany): NetOptions[] {
  const { data, rows, optimizers, seed, schedule, validation, callbacks, onProgress: _, inputs, targets, ...shared } = options
  const owners = new Map<Callback, number>()
  const of = <T>(value: Each<T>, net: number): T => (Array.isArray(value) ? value[net] : (value as T))
  return optimizers.map((optimizer, net) => {
    const own = data?.[net] ?? ({ inputs, targets } as TrainingData)
    const out: NetOptions = { ...shared, ...own, optimizer, seed: of(seed, net), callbacks: callbacks?.(net) ?? [] }
    const ownSchedule = of(schedule, net)
    if (ownSchedule !== undefined) out.schedule = ownSchedule
    if (validation !== undefined) out.validation = of(validation, net) as TrainingData
    checkOwnCallbacks(out.callbacks, net, owners)
    if (rows !== undefined) out.subset = rows[net]
    return out
  })
}

/** Epochs of nets side by side alternate, so a callback with a state would mix up two nets. @throws RangeError if two nets have the same one */
function checkOwnCallbacks(callbacks: readonly Callback[], net: number, owners: Map<Callback, number>): void {
  checkValue(`fitMany: callbacks of net ${net}`, callbacks, FIT.callbacks.is)
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
