/** Tuning of a gradus net: the most important parameters first, many nets side by side, bad ones stopped early. */

import { clock } from '../common/clock.js'
import { rangeError } from '../common/errors.js'
import {
  anything,
  array,
  count,
  flag,
  handler,
  object,
  type Read,
  readOptions,
  type Schema,
  seconds,
  seed,
  signal,
  text,
} from '../common/options.js'
import { show, showNames } from '../common/show.js'
import { type BuiltModel, evaluateModel, type FitManyOptions, Generator, type Module, Tensor, type TrainingData } from '../index.js'
import { takeRows } from '../rows/take.js'
import { race, rungsOf } from '../search/halving.js'
import { createStudy } from './create-study.js'
import { advice } from './report/advice.js'
import { latinHypercube } from './samplers/random.js'
import type { Sampler } from './samplers/sampler.js'
import { axesOf, type Choice, describeRange, float, int, type Params, rangeOf, type Space, type SpaceParameter } from './space.js'
import type { JournalStore } from './storage/journal.js'
import type { Study } from './study.js'
import type { Trial } from './trial.js'

/** Options of {@link tuneModel}: the space, the data, and the options of `fit` that are the same for all nets. */
export interface TuneModelOptions<S extends Space, N extends Module = Module> extends Pick<FitManyOptions, 'loss' | 'dropLast' | 'signal'> {
  /** Makes a new net and its optimizer from the parameters; `seed` is for its weights, the same for all. */
  build: (params: Params<S> & { seed: number }) => BuiltModel<N>
  /** The space to search. A parameter `batchSize` is the batch size of `fit`; all others are for `build`. */
  space: S
  /** Rows to train on. */
  data: TrainingData
  /** Validation rows. Default: a fifth of the rows, held out at random. */
  validation?: TrainingData
  /**
   * The parameters of each stage, the most important first. Default: by their names, the learning rate; then momentum or β, batch size,
   * width and all names not known; then depth, decay and dropout.
   */
  stages?: readonly (readonly (keyof S & string)[])[]
  /** Values of parameters before their stage. Default: the middle of the range, the first of the choices. */
  defaults?: Partial<Params<S>>
  /** Passes over the data of a net that is not stopped. Default 30. */
  epochs?: number
  /** Nets of a stage. Default 16. */
  trials?: number
  /** Seconds for all stages; a stage takes its share. Default: no limit. */
  time?: number
  /** Successive halving: at 1/reductionFactor² and 1/reductionFactor of the epochs, only the best 1/reductionFactor continue. Default 3. */
  reductionFactor?: number
  /** The quantity to minimize. Default: the loss on the validation rows. */
  metric?: 'loss' | 'error'
  /** Decides the weights, the order of batches, and which parameters are tried. Default 0. */
  seed?: number
  /** Storage of the study, as in {@link createStudy}. */
  storage?: string | JournalStore
  /** Name of the study. Default 'study'. */
  name?: string
  /** Called after each rung of each stage. */
  onProgress?: (progress: TuneModelProgress) => void
}

/** Progress that {@link tuneModel} reports. */
export interface TuneModelProgress {
  /** From 1. */
  stage: number
  stages: number
  /** Parameters of the stage. */
  tuned: readonly string[]
  /** Epochs that the nets of the current rung have been trained for. */
  epochs: number
  /** Number of finished nets, in all stages. */
  finished: number
  /** The least value so far; undefined before the first net is finished. */
  best: number | undefined
}

/** Result of {@link tuneModel}. */
export interface TunedModel<S extends Space, N extends Module = Module> {
  /** The best net, trained. */
  model: N
  params: Params<S>
  /** Its validation loss, or error. */
  value: number
  /** The value of a net with `defaults`, trained like all others; NaN if it diverged. */
  atDefaults: number
  /** For each stage, its tuned parameters and the best values found. */
  stages: { tuned: string[]; params: Params<S>; value: number }[]
  /** All nets, to look at with {@link reportText} and {@link reportHtml}. */
  study: Study<S>
  /** The parameters that mattered, in sentences: {@link advice} on the study. */
  advice: string
}

export const TUNE_MODEL = {
  build: { is: { ...handler, wants: 'a function that makes { model, optimizer } from parameters' }, required: true, aka: ['model'] },
  space: { is: anything },
  data: { is: anything, aka: ['inputs', 'targets', 'x'] },
  validation: { is: anything },
  stages: { is: array },
  defaults: { is: object, default: {} },
  epochs: { is: count, default: 30 },
  trials: { is: { min: 2, whole: true }, default: 16, aka: ['n_trials'] },
  time: { is: seconds, aka: ['timeout'] },
  reductionFactor: { is: { min: 2, whole: true }, default: 3 },
  metric: { is: ['loss', 'error'], default: 'loss' },
  seed: { is: seed, default: 0 },
  storage: { is: anything },
  name: { is: text },
  onProgress: { is: handler },
  loss: { is: handler, required: true },
  dropLast: { is: flag },
  signal: { is: signal },
} satisfies Schema<TuneModelOptions<Space>>

const FIRST = /^(learningRate|rate|lr|alpha|eta)$/i
const THIRD = /depth|layers|decay|dropout|regular|schedule|warmup/i
/** After its stage, a number is searched only in this share of its range, around the best value. */
const NARROWED = 1 / 3

/**
 * Tunes a net in the order in which hyper-parameters matter (Andrew Ng's): first the learning rate; then momentum, batch size and width; then depth
 * and decay. Each stage narrows the ranges of the earlier stages around the best values. In a stage many nets are trained by `fitMany`, side by
 * side if they share a shape, with successive halving (Jamieson & Talwalkar 2016): one net in three continues after a ninth, and again after a third,
 * of the epochs.
 *
 * @example
 * const space = { learningRate: float(1e-4, 1, { log: true }), width: int(4, 32, { log: true }) }
 * const { params, value, atDefaults } = await tuneModel({
 *   space,
 *   build: ({ learningRate, width, seed }) => {
 *     const model = new Sequential([new Dense(4, width, { activation: 'tanh' }), new Dense(width, 3)], { seed })
 *     return { model, optimizer: new Adam(model.parameters(), { learningRate }) }
 *   },
 *   data: iris(),
 *   loss: crossEntropy,
 *   trials: 9,
 *   epochs: 9,
 * })
 * value <= atDefaults // true
 * @throws TypeError, RangeError for options that do not fit; the signal's reason if it ends tuning before any net is finished
 */
export async function tuneModel<const S extends Space, N extends Module = Module>(
  given: TuneModelOptions<S, N>,
): Promise<TunedModel<S, N>> {
  const options: ReadTuneModel<S, N> = readOptions('tuneModel', given, TUNE_MODEL)
  const { space, seed, storage, name } = options
  const study = await createStudy({ space, seed, ...(storage !== undefined && { storage }), ...(name !== undefined && { name }) })
  return await new Tuner(study, options).run()
}

/** Options that were read. */
type ReadTuneModel<S extends Space, N extends Module> = Read<TuneModelOptions<S, N>, typeof TUNE_MODEL>

class Tuner<S extends Space, N extends Module> {
  private readonly axes
  private readonly stages: string[][]
  private readonly defaults: Record<string, Choice>
  private readonly data: TrainingData
  private readonly validation: TrainingData
  private readonly started = clock.now()
  private best: { model: N; value: number; params: Params<S> } | undefined

  constructor(
    private readonly study: Study<S>,
    private readonly options: ReadTuneModel<S, N>,
  ) {
    const { seed, space, data } = options
    this.axes = axesOf(space)
    this.stages = this.plan()
    this.defaults = this.middles()
    const split = options.validation === undefined ? splitOff(data, seed) : { data, validation: options.validation }
    this.data = split.data
    this.validation = split.validation
  }

  async run(): Promise<TunedModel<S, N>> {
    const { study, options, stages } = this
    await study.failOrphans()
    const atDefaults = await this.atDefaults()
    const summaries: TunedModel<S, N>['stages'] = []
    for (const [index, tuned] of stages.entries()) {
      if (options.signal?.aborted || this.isLate(index)) break
      const sampler = latinHypercube({ points: options.trials, seed: options.seed + index })
      const trials: Trial<S>[] = []
      const points = await this.pointsOf(sampler, index, tuned)
      for (const params of points) {
        const trial = await study.askWith(params as Partial<Params<S>>)
        trial.setAttribute('stage', index + 1)
        trials.push(trial)
      }
      await this.race(trials, index, tuned)
      if (this.best) summaries.push({ tuned, params: this.best.params, value: this.best.value })
    }
    if (!this.best) {
      options.signal?.throwIfAborted()
      throw rangeError('tuneModel: every net diverged; try a range of lower learning rates')
    }
    const { model, params, value } = this.best
    const words = advice(study)
    return { model, params, value, atDefaults, stages: summaries, study, advice: words }
  }

  /** The value without tuning. */
  private async atDefaults(): Promise<number> {
    const trial = await this.study.askWith(this.defaults as Partial<Params<S>>)
    trial.setAttribute('stage', 0)
    const [value = Number.NaN] = await this.race([trial], -1, [])
    return value
  }

  /** Stages by names, without stages that have nothing to tune. */
  private plan(): string[][] {
    const names = this.axes.filter(({ isSingle }) => !isSingle).map(({ name }) => name)
    const { stages } = this.options
    if (stages !== undefined) {
      for (const name of stages.flat())
        if (!names.includes(name))
          throw rangeError(`tuneModel: stages has '${name}', which is not tuned; the space has ${showNames(names)}`)
      return stages.map((stage) => [...stage]).filter((stage) => stage.length > 0)
    }
    const stageOf = (name: string) => (FIRST.test(name) ? 0 : THIRD.test(name) ? 2 : 1)
    return [0, 1, 2].map((stage) => names.filter((name) => stageOf(name) === stage)).filter((stage) => stage.length > 0)
  }

  private middles(): Record<string, Choice> {
    const { defaults } = this.options
    return Object.fromEntries(
      this.axes.map((axis) => {
        const own = (defaults as Record<string, Choice>)[axis.name]
        if (own !== undefined && Number.isNaN(axis.coordinate(own)))
          throw rangeError(`tuneModel: defaults.${axis.name} wants a value of ${describeRange(axis.range)}, got ${show(own)}`)
        return [axis.name, own ?? (axis.range.kind === 'categorical' ? axis.range.choices[0] : axis.value(axis.at(0.5)))]
      }),
    )
  }

  /**
   * Candidate points for one stage. This stage's parameters vary over their full range, earlier stages' stay near the best values found, later
   * stages' keep their defaults.
   */
  private async pointsOf(sampler: Sampler, index: number, tuned: readonly string[]): Promise<Record<string, Choice>[]> {
    const { space, seed, trials } = this.options
    const best = (this.best?.params ?? this.defaults) as Record<string, Choice>
    const before = this.stages.slice(0, index).flat()
    const narrow = Object.fromEntries(
      Object.entries(space).map(([name, parameter]): [string, SpaceParameter] => {
        if (tuned.includes(name)) return [name, parameter]
        const value = best[name] ?? this.defaults[name]
        return [
          name,
          before.includes(name) ? narrowed(this.axes.find((axis) => axis.name === name) as Axis, value) : fixedAt(parameter, value),
        ]
      }),
    )
    const inner = await createStudy({ space: narrow, sampler, seed: seed + index })
    const points: Record<string, Choice>[] = []
    for (let i = 0; i < trials; i++) points.push((await inner.ask()).params as Record<string, Choice>)
    return points
  }

  /** Trains nets rung by rung and records their results; returns the values of the nets that reached the end. */
  private async race(trials: readonly Trial<S>[], index: number, tuned: readonly string[]): Promise<number[]> {
    const { study, data } = this
    const { epochs, reductionFactor, seed, build, loss, dropLast, signal, onProgress } = this.options
    const rows = rowsIn(data)
    const nets = trials.map((trial) => {
      const { batchSize } = trial.params as { batchSize?: number }
      return { ...build({ ...trial.params, seed }), trial, batchSize: batchSize && Math.min(batchSize, rows), value: Number.NaN, steps: 0 }
    })
    const rungs = index < 0 ? [epochs] : rungsOf(epochs, reductionFactor)
    const how = { data, loss, rungs, reductionFactor, seed, ...(dropLast !== undefined && { dropLast }), ...(signal && { signal }) }
    const judges = {
      judge: ({ model, optimizer }: BuiltModel) => this.judge(model, optimizer),
      isOver: () => index >= 0 && this.isLate(index),
    }
    let [running, done] = [nets, 0]
    for await (const rung of race(nets, { ...how, ...judges })) {
      ;[running, done] = [rung.running, rung.epochs]
      for (const { trial, value } of [...running, ...rung.cut]) await trial.report(value, done)
      for (const { trial } of rung.diverged) await study.tell(trial, { state: 'failed', error: 'the loss is not finite' })
      for (const { trial } of rung.cut) await study.tell(trial, { state: 'pruned' })
      onProgress?.({ stage: index + 1, stages: this.stages.length, tuned, epochs: done, finished: study.finished, best: this.best?.value })
    }
    const isWhole = done === epochs
    for (const { trial, value, model } of running) {
      if (Number.isNaN(value)) await study.tell(trial, { state: 'failed', error: 'stopped before its first rung' })
      else if (!isWhole) await study.tell(trial, { state: 'pruned' })
      else {
        await study.tell(trial, value)
        if (this.best === undefined || value < this.best.value) this.best = { model: model as N, value, params: trial.params }
      }
    }
    return running.map(({ value }) => value)
  }

  private judge(model: Module, optimizer: unknown): number {
    const averaging = optimizer as { evaluate?: <T>(fn: () => T) => T }
    const { loss, metric } = this.options
    const judged = () => {
      const scores = evaluateModel(model, { ...this.validation, loss, ...(metric === 'error' && { metrics: ['accuracy'] as const }) })
      return metric === 'error' ? 1 - (scores as { accuracy: number }).accuracy : scores.loss
    }
    try {
      return typeof averaging.evaluate === 'function' ? averaging.evaluate(judged) : judged()
    } catch (error) {
      if ((error as Error).name === 'NonFiniteError') return Number.NaN
      throw error
    }
  }

  /** True if the time of a stage is over: each stage has an equal share. */
  private isLate(index: number): boolean {
    const { time } = this.options
    if (time === undefined) return false
    return clock.now() - this.started > (1000 * time * (index + 1)) / this.stages.length
  }
}

type Axis = ReturnType<typeof axesOf>[number]

/** A third of the range around a value; categories stay as they are. */
function narrowed(axis: Axis, value: Choice): SpaceParameter {
  const { range, parameter } = axis
  if (range.kind === 'categorical' || axis.isSingle) return fixedAt(parameter, value)
  const share = axis.share(axis.coordinate(value))
  const from = Math.min(1 - NARROWED, Math.max(0, share - NARROWED / 2))
  const [low, high] = [axis.value(axis.at(from)), axis.value(axis.at(from + NARROWED))] as [number, number]
  if (range.kind === 'int') return int(low, high, range.log ? { log: true } : { step: range.step })
  return float(low, high, range.step === null ? { log: range.log } : { step: range.step })
}

function fixedAt(parameter: SpaceParameter, value: Choice): SpaceParameter {
  const range = rangeOf(parameter)
  const fixed: SpaceParameter =
    range.kind === 'categorical' ? { ...range, choices: [value] } : { ...range, low: value as number, high: value as number }
  return parameter.kind === 'when' ? { ...parameter, range: fixed } : fixed
}

function rowsIn({ targets }: TrainingData): number {
  return targets instanceof Tensor ? targets.shape[0] : (targets as ArrayLike<unknown>).length
}

/** A fifth of the rows for validation, drawn by the seed. */
function splitOff(data: TrainingData, seed: number): { data: TrainingData; validation: TrainingData } {
  const count = rowsIn(data)
  if (count < 5) throw rangeError(`tuneModel: data wants at least 5 rows, so that a fifth can judge, got ${count}`)
  const order = new Generator(seed, 1).permutation(count)
  const held = Math.floor(count / 5)
  return { data: pick(data, order.subarray(held)), validation: pick(data, order.subarray(0, held)) }
}

function pick({ inputs, targets, shape, weights }: TrainingData, rows: Int32Array): TrainingData {
  const count = rowsIn({ inputs, targets } as TrainingData)
  const of = (list: unknown): unknown => {
    if (list instanceof Tensor) return of(list.toArray())
    if (Array.isArray(list)) return Array.from(rows, (row) => list[row])
    const flat = list as Float32Array
    return takeRows(flat, rows, flat.length / count)
  }
  return {
    inputs: of(inputs),
    targets: of(targets),
    ...(shape && { shape: [rows.length, ...shape.slice(1)] }),
    ...(weights !== undefined && { weights: of(weights) }),
  } as TrainingData
}
