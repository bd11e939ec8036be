/** From options to everything that training takes: data, backend, model, optimizer, schedule. */
import { pickOptions } from '../../common/options.js'
import type { Dataset, Split } from '../../data/index.js'
import { type Backend, crossEntropy, Dense, load, type Optimizer, Sequential, type Tensor, tensor, type Variant } from '../../index.js'
import { AveragingOptimizer, OPTIMIZERS } from '../../optim/index.js'
import { widenedOrNot } from '../backend/widen.js'
import type { OptimizerName } from '../options/net.js'
import { schedule } from './schedules.js'
import type { Settings, Task } from './tasks.js'

/** Options of `gradus train` with a data set by name, after reading; undefined if the task decides. */
export interface DataSetOptions extends Partial<Omit<Settings, 'learningRate'>> {
  learningRate?: number | 'auto'
  backend?: 'wasm' | 'js'
  variant?: Variant
  /** Allows V8 to use 256-bit vectors if the check passes. */
  widen: boolean
  optimizer: OptimizerName
  seed: number
  compare: boolean
  dataDirectory?: string
  xray?: boolean
  quiet?: boolean
  json?: boolean
}

/** Everything that a run takes except the engine. */
export interface Plan extends Readonly<Omit<Settings, 'hidden'>> {
  readonly task: Task
  readonly data: Split
  /** Sizes from inputs to outputs: 784, 128, 10. */
  readonly sizes: readonly number[]
  readonly optimizer: OptimizerName
  readonly seed: number
  /** True if `fitAuto` chooses rate and schedule. */
  readonly isAuto: boolean
}

/** A fresh model on a backend with its optimizer, and the options that fit and trainSteps share. */
export interface Setup {
  readonly backend: Backend
  readonly model: Sequential
  readonly options: {
    inputs: Tensor
    targets: Int32Array
    loss: typeof crossEntropy
    optimizer: Optimizer
    epochs: number
    batchSize: number
    seed: number
    schedule: (step: number) => number
  }
}

/** Loads the data and decides the options that were left open. */
export async function makePlan(task: Task, options: DataSetOptions): Promise<Plan> {
  const { optimizer, seed, dataDirectory, learningRate, ...others } = options
  const isAuto = learningRate === 'auto'
  if (isAuto && options.schedule !== undefined) throw new Error('--learning-rate auto chooses the schedule, too: leave out --schedule')
  if (dataDirectory !== undefined && task.name !== 'mnist') throw new Error(`--data-directory is for mnist; ${task.name} has no files`)
  const data = await task.load(seed, dataDirectory)
  const usual: Settings = {
    ...{ ...task.defaults, learningRate: usualLearningRate(optimizer, task.defaults.learningRate) },
    ...(/ScheduleFree|Prodigy|DoG/.test(optimizer) && { schedule: 'constant' }),
  }
  const { hidden, ...settings } = { ...usual, ...pickOptions(isAuto ? others : options, usual) } as Settings
  return { task, data, sizes: [data.train.features, ...hidden, data.train.classes], optimizer, seed, isAuto, ...settings }
}

/** Rates that work on all tasks for optimizers unrelated to Adam; any other optimizer has the rate of its class. */
const RATES: Partial<Record<string, number>> = { SGD: 0.3, Momentum: 0.3, Nesterov: 0.03, RMSProp: 0.003 }

/** A task's learning rate is tuned for Adam. */
function usualLearningRate(name: OptimizerName, forAdam: number): number {
  if (name.startsWith('Adam')) return forAdam
  return RATES[name] ?? (OPTIMIZERS[name].defaults as { learningRate?: number }).learningRate ?? forAdam
}

/** The backend that the options select; it becomes the default backend. */
export async function loadBackend({ backend, variant, widen }: DataSetOptions): Promise<Backend> {
  if (backend === 'js' && variant !== undefined) throw new Error('--variant chooses between WebAssembly artefacts; --backend js has none')
  const options = { ...(backend && { backend }), ...(variant && { variant }) }
  return widenedOrNot(widen && backend !== 'js', (wide) => load({ ...options, widen: wide }))
}

/** Model, optimizer and data on a backend: the same seed gives the same start and the same batches on each. */
export function makeSetup(plan: Plan, backend: Backend, epochs = plan.epochs): Setup {
  const { sizes, activation, seed, batchSize, data } = plan
  const last = sizes.length - 2
  const layers = sizes.slice(0, -1).map((size, i) => new Dense(size, sizes[i + 1], i < last ? { activation } : {}))
  const model = new Sequential(layers, { seed, backend })
  const optimizer = new OPTIMIZERS[plan.optimizer](model.parameters(), { learningRate: plan.learningRate }) as Optimizer
  const steps = epochs * Math.ceil(data.train.count / batchSize)
  const { inputs, targets } = asTensors(data.train, backend)
  const options = { inputs, targets, loss: crossEntropy, optimizer, epochs, batchSize, seed }
  return { backend, model, options: { ...options, schedule: schedule(plan.schedule, plan.learningRate, steps) } }
}

/** At the end of training: replaces the parameters by their averages if the optimizer's model is the average (ScheduleFreeAdamW, ASGD). */
export function takeAverages({ options: { optimizer } }: Setup): void {
  if (!(optimizer instanceof AveragingOptimizer)) return
  const parameters = optimizer.groups.flatMap((group) => group.parameters)
  optimizer.averages().forEach((values, i) => parameters[i].view().set(values))
}

/** A data set as tensors, without copies. */
export function asTensors(data: Dataset, backend: Backend): { inputs: Tensor; targets: Int32Array } {
  return { inputs: tensor(data.inputs, data.shape, { backend }), targets: data.targets }
}
