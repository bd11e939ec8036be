/** fitMany: train many nets in one call, those of one shape side by side. */

import { trapped } from '../../backend/crash.js'
import { fleetKernels } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import { rangeError, typeError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { show } from '../../common/show.js'
import { traitsOf } from '../../loss/loss.js'
import { Module, rememberModes } from '../../nn/module.js'
import type { OptimizerLike } from '../../optim/wrappers/wrapper.js'
import { ReduceOnPlateau } from '../../schedule/plateau.js'
import type { Callback } from '../callbacks.js'
import { claim } from '../claim.js'
import { CARRIED, checkData, DATA, pickRows, type Rows, rowsBetween, type TrainingData } from '../data.js'
import { EarlyStopping } from '../early-stopping.js'
import { canPlan } from '../fast/step-planner.js'
import type { History } from '../history.js'
import { Pacer } from '../pacer.js'
import { type CheckedData, type FitOptions, OPTIONS } from '../plan.js'
import { TrainingRun } from '../run.js'
import type { WholeStepOptimizer } from '../whole-step-optimizer.js'
import { Fleet } from './fleet.js'
import { Member } from './member.js'

/** One value for all nets, or one for each. */
export type Each<T> = T | readonly T[]

/** What `fitMany` reports while it trains. */
export interface FitManyProgress {
  /** Nets whose training is over. */
  finished: number
  /** All nets. */
  nets: number
  /** Steps taken by all nets together. */
  steps: number
  /** Steps of all nets together, if none stops early. */
  totalSteps: number
  /** Steps of all nets together, by the second, since the call. */
  netStepsPerSecond: number
  /** Estimated seconds until the last net is over. */
  secondsLeft: number
}

/** Options of {@link fitMany}: those of `fit`, with an optimizer for each net, and where it says so another value for each net. */
export interface FitManyOptions
  extends Omit<
    FitOptions,
    'optimizer' | 'seed' | 'schedule' | 'callbacks' | 'onProgress' | 'inputs' | 'targets' | 'validation' | 'verbose' | 'resume'
  > {
  /** Inputs of all nets. Leave them out where {@link FitManyOptions.data} has data of each net. */
  inputs?: TrainingData['inputs']
  /** Targets of all nets. */
  targets?: TrainingData['targets']
  /** A data set for each net, in the place of `inputs` and `targets`. */
  data?: readonly TrainingData[]
  /** For each net the rows of the data that it trains on, by number, as k-fold cross-validation has them. Default: all. */
  rows?: readonly ArrayLike<number>[]
  /** One optimizer for each net, over its parameters. */
  optimizers: readonly (OptimizerLike | WholeStepOptimizer)[]
  /** Seed of the order of the batches, for all nets or for each. Default 0. */
  seed?: Each<number>
  /** Learning rate by step, for all nets or for each; undefined for one whose optimizer keeps its own. */
  schedule?: Each<FitOptions['schedule']>
  /** Data to judge all nets by after each epoch, or those of each net. */
  validation?: Each<TrainingData>
  /** Makes the callbacks of a net from its number: callbacks such as EarlyStopping remember, so each net needs its own. */
  callbacks?: (net: number) => readonly Callback[]
  /** Called at most every 100 ms. */
  onProgress?: (progress: FitManyProgress) => void
}

/** The history of one net of many. */
export interface NetHistory extends History {
  /** What ended the training of this net alone, such as a NonFiniteError; the others go on. */
  error?: Error
}

/** Options beside those of `fit`, and what a data set may carry besides. */
const OWN = ['data', 'rows', 'optimizers', ...DATA]

/**
 * Trains many nets in one call. What happens to each of them is what {@link fit} would have done to it alone, with the same bits; but
 * nets of one shape are computed side by side, eight at a time, which for small nets is many times as fast as one after the other.
 * `history.execution.fleet` says how many steps of a net were, `history.execution.reason` why others were not.
 *
 * Side by side go nets of the layers of this library with a loss of this library, optimizers that update element by element, such as
 * Adam or SGD, equally many rows, no metrics but those with names, and no `onBatchEnd`. All others are trained one after the other by the
 * same call.
 * A net that diverges keeps its last finite weights, and its history has the error: it harms no other.
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
export async function fitMany(models: readonly Module[], options: FitManyOptions): Promise<NetHistory[]> {
  checkModels(models)
  const perNet = splitOptions(models, options)
  const releases: (() => void)[] = []
  const restores: (() => void)[] = []
  try {
    for (const model of models) {
      releases.push(claim('fitMany', model))
      restores.push(rememberModes(model, true))
    }
    const data = new CheckedDataSets()
    const runs = perNet.map(({ subset, ...own }, net) =>
      withNetName(net, () => new TrainingRun(models[net], own, data.of(models[net].backend, own, subset))),
    )
    checkInputs(runs)
    return await new ManyTrainings(runs, options).train()
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

/** The options of `fit` for each net. @throws RangeError, TypeError */
function splitOptions(models: readonly Module[], options: FitManyOptions): (FitOptions & { subset?: ArrayLike<number> })[] {
  if (typeof options !== 'object' || options === null)
    throw typeError(`fitMany: wants options as an object, { inputs, targets, loss, optimizers, … }, got ${show(options)}`)
  checkNames('fitMany', options, [...OPTIONS.filter((name) => name !== 'optimizer' && name !== 'resume'), ...OWN], undefined, CARRIED)
  const { data, rows, optimizers, seed, schedule, validation, callbacks, onProgress: _, inputs, targets, ...shared } = options
  const checkOnePerNet = (name: string, list: unknown): void => {
    if (!Array.isArray(list)) throw typeError(`fitMany: ${name} wants an array with one for each net, got ${show(list)}`)
    if (list.length !== models.length) throw rangeError(`fitMany: ${name} wants one for each of ${models.length} nets, got ${list.length}`)
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
  const remembering = new Map<Callback, number>()
  const of = <T>(value: Each<T>, net: number): T => (Array.isArray(value) ? value[net] : (value as T))
  return models.map((_, net) => {
    const own = data?.[net] ?? ({ inputs, targets } as TrainingData)
    const out = { ...shared, ...own, optimizer: optimizers[net] } as FitOptions & { subset?: ArrayLike<number> }
    if (seed !== undefined) out.seed = of(seed, net)
    const ownSchedule = of(schedule, net)
    if (ownSchedule !== undefined) out.schedule = ownSchedule
    if (validation !== undefined) out.validation = of(validation, net) as TrainingData
    if (callbacks !== undefined) {
      out.callbacks = callbacks(net)
      checkOwnCallbacks(out.callbacks, net, remembering)
    }
    if (rows !== undefined) out.subset = rows[net]
    return out
  })
}

/** Of side-by-side nets epochs alternate, so that one callback that remembers would mix them up. @throws RangeError */
function checkOwnCallbacks(callbacks: readonly Callback[], net: number, owners: Map<Callback, number>): void {
  if (!Array.isArray(callbacks)) return // which its own training says
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

/** Data sets of many nets, each checked once. */
class CheckedDataSets {
  private readonly sets = new Map<unknown, { data: TrainingData; rows: Rows }[]>()
  private readonly subsets = new Map<Rows, Map<ArrayLike<number>, Rows>>()

  of(backend: Backend, options: FitOptions, subset: ArrayLike<number> | undefined): CheckedData {
    const all = this.rowsOf(backend, options, 'fit')
    const rows = subset === undefined ? all : this.subset(all, subset)
    const { validation } = options
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
    const rows = checkData(data, backend, what)
    known.push({ data: { inputs, shape, targets, weights } as TrainingData, rows })
    return rows
  }

  private subset(all: Rows, subset: ArrayLike<number>): Rows {
    const known = this.subsets.get(all) ?? new Map<ArrayLike<number>, Rows>()
    this.subsets.set(all, known)
    let rows = known.get(subset)
    if (rows === undefined) known.set(subset, (rows = pickRows(all, subset)))
    return rows
  }
}

/** Whether models of layers of this library take the rows: one of each kind is asked. @throws ShapeError that names the net */
function checkInputs(runs: readonly TrainingRun[]): void {
  const known = new Set<string>()
  for (const [net, { plan, fast }] of runs.entries()) {
    const { model, rows } = plan
    const kind = JSON.stringify([rows.inputs.shape.slice(1), layersOf(model)])
    if (!fast.fields.isBuiltIn || known.has(kind)) continue
    withNetName(net, () => model.predict(rowsBetween(rows, 0, 1).inputs))
    known.add(kind)
  }
}

/** Runs fn for a net; errors name it. */
function withNetName<T>(net: number, fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    if (error instanceof Error) error.message = `fitMany: net ${net}: ${error.message}`
    throw error
  }
}

/** All nets of a call. */
class ManyTrainings {
  private readonly results: (NetHistory | undefined)[]
  private readonly started = performance.now()
  private lastReport = 0
  private readonly pacer: Pacer
  private readonly totalSteps: number

  constructor(
    private readonly runs: readonly TrainingRun[],
    private readonly options: FitManyOptions,
  ) {
    this.results = runs.map(() => undefined)
    this.pacer = new Pacer(options)
    this.totalSteps = runs.reduce((sum, { batches }) => sum + batches.total, 0)
  }

  async train(): Promise<NetHistory[]> {
    const fleets = new Map<string, Member[]>()
    const alone: number[] = []
    for (const [net, run] of this.runs.entries()) {
      const obstacle = obstacleOf(run)
      if (obstacle !== null) {
        run.history.execution.reason = obstacle
        alone.push(net)
        continue
      }
      const member = new Member(net, run)
      const shape = shapeOf(member)
      const alike = fleets.get(shape)
      if (alike === undefined) fleets.set(shape, [member])
      else alike.push(member)
    }
    for (const members of fleets.values()) {
      const [{ run }] = members
      if (members.length === 1) run.history.execution.reason = 'no other net has its shape, loss, kind of optimizer and number of rows'
      if (members.length === 1 || !(await this.sideBySide(members))) alone.push(...members.map(({ index }) => index))
    }
    for (const net of alone.sort((a, b) => a - b)) {
      await this.settle(net, () => this.runs[net].train())
      this.report()
    }
    this.report(true)
    return this.results as NetHistory[]
  }

  /** False where these nets cannot go side by side: nothing has happened to them then. */
  private async sideBySide(members: Member[]): Promise<boolean> {
    let fleet: Fleet
    const changed: Member[] = []
    // nets of a fleet have one backend
    const { backend } = members[0].run.plan.model
    try {
      fleet = new Fleet(members, {
        failed: (member, error) => this.settle(member.index, () => member.run.fail(error)),
        changed: (member) => void changed.push(member),
      })
    } catch (error) {
      // what is wrong with a net, its own training says
      for (const { run } of members) run.history.execution.reason = (trapped(backend, error) as Error).message
      return false
    }
    for (const { run } of members) await run.begin()
    try {
      await fleet.train(
        this.pacer,
        async (member) => {
          await this.settle(member.index, () => member.run.finish())
        },
        () => this.report(),
      )
    } catch (error) {
      throw trapped(backend, error)
    }
    for (const { index, run, step } of changed) {
      run.history.execution.reason = 'the model was changed while it was trained'
      await this.settle(index, () => run.goOn(step))
      this.report()
    }
    return true
  }

  /** Keeps what came of a net; an error ends this net alone. */
  private async settle(net: number, end: () => Promise<History>): Promise<void> {
    try {
      this.results[net] = await end()
    } catch (thrown) {
      const { history, plan } = this.runs[net]
      const error = trapped(plan.model.backend, thrown)
      this.results[net] = { ...history, stopReason: error instanceof Error ? error.message : String(error), error: error as Error }
    }
  }

  private report(isLast = false): void {
    const { onProgress } = this.options
    if (onProgress === undefined || (!isLast && performance.now() - this.lastReport < 100)) return
    this.lastReport = performance.now()
    const steps = this.runs.reduce((sum, { history }) => sum + history.steps, 0)
    const seconds = (performance.now() - this.started) / 1000
    onProgress({
      finished: this.results.filter((result) => result !== undefined).length,
      nets: this.runs.length,
      steps,
      totalSteps: this.totalSteps,
      netStepsPerSecond: steps / seconds,
      secondsLeft: steps === 0 ? Number.NaN : (seconds / steps) * (this.totalSteps - steps),
    })
  }
}

/** Why a net cannot go beside others, or null. */
function obstacleOf(run: TrainingRun): string | null {
  const { rows, options } = run.plan
  const { backend } = rows.inputs
  const optimizer = options.optimizer as OptimizerLike
  if (backend.name !== 'wasm') return 'nets in JavaScript are trained one after the other'
  if (options.replay === false) return 'the option replay is false'
  if (!run.fast.fields.isBuiltIn) return 'layers of your own'
  if (traitsOf(options.loss) === undefined) return 'a loss of your own'
  if (run.watchesSteps) return 'metrics that look at whole epochs, or a callback after each batch'
  if (!canPlan(optimizer)) return `${optimizer.name} has no single fused update with numbers that are known ahead`
  if (optimizer.groups.some((group) => group.parameters.some((_, i) => group.extraNames(i).length > 0)))
    return `${optimizer.name} keeps more than state of elements`
  if (fleetKernels(backend) === undefined) return 'this runtime has no kernels for fleets'
  if (run.batches.total === 0) return 'there are no steps to take'
  return null
}

/** What nets must have in common to go side by side, as text. */
function shapeOf({ run: { plan, watchesEpochs, keepsPredictions } }: Member): string {
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

function layersOf(model: Module): [kind: string, what: string][] {
  return model.modules().map((module) => [module.constructor.name, module.describe()])
}

const identities = new WeakMap<object, number>()
let lastIdentity = 0

/** A number that stands for an object or function in {@link shapeOf}. */
function identityOf(value: unknown): number {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return 0
  let identity = identities.get(value)
  if (identity === undefined) identities.set(value, (identity = ++lastIdentity))
  return identity
}
