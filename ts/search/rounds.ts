/** Rounds of training: nets by some recipes, one on each fold, trained side by side; and the best recipes of all rounds so far. */
import { clock } from '../common/clock.js'
import { joinedOf } from '../common/joined.js'
import {
  type BuiltModel,
  type Callback,
  EarlyStopping,
  type FitManyOptions,
  type FitManyProgress,
  fitMany,
  type Module,
  NonFiniteError,
  type Progress,
  type Tensor,
} from '../index.js'
import { everyShare } from '../rows/take.js'
import type { LossOf } from '../select/choose-greedily.js'
import { Pace } from './pace.js'

/** Rows to train a net on, and rows to validate it by. */
export interface Fold {
  train: Int32Array
  validation: Int32Array
}

/** Rows as fitMany takes them. */
export interface Samples {
  inputs: Tensor
  targets: Int32Array | Tensor
  weights?: Tensor
}

/** The targets that nets learn: the original targets, or the residuals of something simpler, such as a line or the previous season. */
export interface View {
  /** For each fold all rows; its nets are trained on the rows of the fold. */
  training: readonly Samples[]
  /** For each fold its validation rows. */
  validation: readonly Samples[]
  /** Turns a net's predictions for the validation rows of its fold into predictions of the task's targets. Default: unchanged. */
  whole?(predictions: Float64Array, fold: number): Float64Array
  /** For each fold the factor that multiplies its losses in the curves of a report. Default 1. */
  units?: readonly number[]
}

/** The task of a search. A recipe describes the construction and training of a net as plain data. */
export interface Task<Recipe, V extends View = View> {
  folds: readonly Fold[]
  /** The views that nets learn: there is a candidate for each recipe and view. */
  views: readonly V[]
  /** A new net with its optimizer. @param steps of the whole training, for its schedule */
  build(recipe: Recipe, seed: number, steps: number): BuiltModel
  /** Training loss of the nets. */
  loss: FitManyOptions['loss']
  /** Predictions of a net for rows, row-major. */
  predict(net: Module, inputs: Tensor): Float64Array
  /** Loss of predictions of these rows, row-major. */
  lossOn(rows: Int32Array): LossOf
  /**
   * Value of predictions of these rows by which the best epoch of a net is chosen, less is better; undefined where it is not defined on them. Default:
   * the validation loss.
   */
  stopOn?(rows: Int32Array): LossOf | undefined
  /**
   * Index of the first out-of-fold prediction, in the order of the folds, that counts in comparisons. For rows in time, only the latest rows may
   * count.
   */
  from: number
}

/** A recipe, its nets (one for each fold) and their out-of-fold predictions. */
export interface Candidate<Recipe, V extends View = View> {
  recipe: Recipe
  /** The view that its nets learned. */
  view: V
  nets: Module[]
  /** Out-of-fold predictions, row-major in the order of the folds. */
  predictions: Float64Array
  /** Loss of these predictions. */
  loss: number
  /** Training and validation loss by epoch, for each net. */
  histories: Curve[]
}

/** Losses by epoch. */
export interface Curve {
  loss: number[]
  validation: number[]
}

/** Progress of rounds while nets are trained. */
export interface SearchProgress {
  /** Seconds until training and report are over, from the speed of the latest seconds; NaN before it is known. With a time limit, the limit counts. */
  secondsLeft: number
  nets: number
  best: number | null
  curve: Curve
}

/** Nets that are trained side by side. */
export interface Round<Recipe> {
  recipes: readonly Recipe[]
  batchSize: number
  epochs: number
  /** Number of the round: it determines the first weights and the order of rows. */
  number: number
  /** True if all recipes have the same first weights and order of rows, so that their losses compare in pairs. Default false. */
  isPaired?: boolean
  /** Share of the training rows of each fold. Default 1. */
  share?: number
  /** Stops nets when the time is over. Default true. */
  isTimed?: boolean
}

/** Options that rounds share. */
export interface RoundsOptions {
  /** Latest end of everything, in the time of clock.now(); undefined without a limit. */
  end: number | undefined
  /** Seconds for the work after the search, if the whole ensemble takes `secondsOfRow` per row. */
  reserve: (secondsOfRow: number) => number
  seed: number
  signal: AbortSignal | undefined
  onProgress: ((progress: SearchProgress) => void) | undefined
}

/** Epochs without improvement that end the training of a net. */
const PATIENCE = 16
/**
 * Share of the loss in the value that chooses the best epoch: metrics such as F1 are alike in many epochs. On a table of 3 % positive rows, F1 by the
 * metric alone was 0.234 (mean of seven splits), with this share of the loss 0.320, by the loss alone 0.282; balanced accuracy 0.552, 0.615 and 0.584.
 */
const TIE_BREAK = 0.01
/** Number of candidates that are kept, the best ones. */
const MAX_KEPT = 40
/** Recipes per round with a time limit: each needs one net per fold. */
export const RECIPES_A_ROUND = 2
/** Largest number of candidates in an ensemble. */
export const MAX_CHOICES = 20

/** Trains rounds, and keeps the best recipes of all of them. */
export class Rounds<Recipe, V extends View = View> {
  /** The best first. */
  candidates: Candidate<Recipe, V>[] = []
  /** Nets that were trained. */
  nets = 0
  /** The error of the first net without a result; undefined if there was none, or if time or a signal ended it. */
  failure: Error | undefined
  /** Latest end of training, so that the following work has its time; undefined without a limit. */
  deadline: number | undefined
  /** Rows that are predicted by nets that were not trained on them, in the order of the folds. */
  readonly heldOut: Int32Array
  /** Loss of out-of-fold predictions, over the rows that decide. */
  readonly lossOf: LossOf
  /** Time and rows of predictions so far: their quotient is the speed of a net. */
  private readonly predicting = { seconds: 0, rows: 0 }

  constructor(
    readonly task: Task<Recipe, V>,
    readonly options: RoundsOptions,
  ) {
    this.heldOut = joinedOf(Int32Array, task.folds, ({ validation }) => validation)
    const lossOf = task.lossOn(this.heldOut.subarray(task.from))
    this.lossOf = (all) => lossOf((all as Float64Array).subarray((task.from * all.length) / this.heldOut.length))
    this.moveDeadline()
  }

  /** Rows of the largest fold. */
  get trainingRows(): number {
    return Math.max(...this.task.folds.map(({ train }) => train.length))
  }

  async train(round: Round<Recipe>): Promise<void> {
    const { recipes, batchSize, epochs, share = 1, number, isPaired = false, isTimed = true } = round
    const { folds, views, build } = this.task
    const rows = folds.map(({ train }) => everyShare(train, share))
    const kinds = recipes.flatMap((recipe, i) => views.map((view) => ({ recipe, i, view })))
    const jobs = kinds.flatMap(({ recipe, i, view }) =>
      folds.map((_, fold) => {
        const seed = this.options.seed + 1000 * number + (isPaired ? 0 : 10 * i) + fold
        return { ...build(recipe, seed, epochs * Math.ceil(rows[fold].length / batchSize)), seed, view, fold }
      }),
    )
    const curve: Curve = { loss: [], validation: [] }
    const watch = {
      onEpochEnd({ loss, validation }: { loss: number; validation?: { loss: number } }) {
        curve.loss.push(loss)
        curve.validation.push(validation?.loss ?? Number.NaN)
      },
    }
    const pace = new Pace()
    const stop = stopAt(isTimed ? this.deadline : undefined, this.options.signal)
    try {
      const histories = await fitMany(
        jobs.map(({ model }) => model),
        {
          data: jobs.map(({ view, fold }) => view.training[fold]),
          rows: jobs.map(({ fold }) => rows[fold]),
          validation: jobs.map(({ view, fold }) => view.validation[fold]),
          loss: this.task.loss,
          optimizers: jobs.map(({ optimizer }) => optimizer),
          schedule: jobs.map(({ schedule }) => schedule),
          seed: jobs.map(({ seed }) => seed),
          ...{ batchSize, epochs, signal: stop.signal },
          // the curve of the first net is shown for all
          callbacks: (net) => [...this.stopping(jobs[net]), ...(net === 0 ? [watch] : [])],
          onProgress: (progress) => this.tell(progress, pace, curve, batchSize),
        },
      )
      for (const [i, { recipe, view }] of kinds.entries()) {
        const own = folds.map((_, fold) => i * folds.length + fold)
        const models = own.map((job) => jobs[job].model)
        const courses = own.map((job) => histories[job])
        this.add(recipe, view, models, courses)
      }
    } finally {
      stop.clear()
    }
    this.nets += jobs.length
    this.candidates = this.candidates.sort((a, b) => a.loss - b.loss).slice(0, MAX_KEPT)
    this.moveDeadline()
  }

  /** Ends the training of a net that no longer gets better, with the weights of its best epoch. */
  private stopping({ model, view, fold }: { model: Module; view: V; fold: number }): Callback[] {
    const judged = this.task.stopOn?.(this.task.folds[fold].validation)
    if (judged === undefined) return [new EarlyStopping({ patience: PATIENCE })]
    const judge = {
      onEpochEnd: ({ validation }: Progress) => {
        if (validation) validation.value = judged(this.predictionsOf(model, view, fold)) + TIE_BREAK * validation.loss
      },
    }
    return [judge, new EarlyStopping({ patience: PATIENCE, monitor: 'validation.value', mode: 'min' })]
  }

  private tell(progress: FitManyProgress, pace: Pace, curve: Curve, batchSize: number): void {
    const { secondsLeft, finished, nets, steps, netStepsPerSecond } = progress
    const secondsPerStep = pace.secondsPerStep(steps)
    const stepsLeft = secondsLeft * netStepsPerSecond
    // the backward pass takes twice as long as the forward pass, so a prediction takes a third of a step
    const secondsOfRow = (nets * secondsPerStep) / batchSize / 3
    this.options.onProgress?.({
      secondsLeft: Number.isNaN(secondsPerStep) ? Number.NaN : stepsLeft * secondsPerStep + this.options.reserve(secondsOfRow),
      nets: this.nets + finished,
      best: this.candidates[0]?.loss ?? null,
      curve,
    })
  }

  /** Predictions of a net for the held-out rows of a fold, in the form that {@link Task.lossOn} takes. */
  private predictionsOf(net: Module, view: V, fold: number): Float64Array {
    const own = this.task.predict(net, view.validation[fold].inputs)
    return view.whole?.(own, fold) ?? own
  }

  /** Takes a recipe among the candidates, unless one of its nets was not trained or has no finite loss. */
  private add(recipe: Recipe, view: V, nets: Module[], histories: Awaited<ReturnType<typeof fitMany>>): void {
    this.failure ??= histories.find(({ error }) => error !== undefined)?.error
    if (histories.some(({ error, epochs }) => error !== undefined || epochs.length === 0)) return
    const asked = clock.now()
    const predictions = joinedOf(Float64Array, nets, (net, fold) => this.predictionsOf(net, view, fold))
    this.predicting.seconds += (clock.now() - asked) / 1000
    this.predicting.rows += this.heldOut.length
    const loss = this.lossOf(predictions)
    if (!Number.isFinite(loss)) {
      this.failure ??= new NonFiniteError(`loss is ${loss} on rows that were not learnt from (in the end)`)
      return
    }
    const curves = histories.map(({ epochs }, fold) => {
      const unit = view.units?.[fold] ?? 1
      return { loss: epochs.map((e) => unit * e.loss), validation: epochs.map((e) => unit * (e.validation?.loss ?? Number.NaN)) }
    })
    this.candidates.push({ recipe, view, nets, predictions, loss, histories: curves })
  }

  /** Seconds that a net takes for a row, by the predictions so far. */
  get secondsOfRow(): number {
    const { seconds, rows } = this.predicting
    return seconds / Math.max(1, rows)
  }

  /** The ensemble grows with the candidates, and with it the time that the report takes. */
  private moveDeadline(): void {
    const { end, reserve } = this.options
    if (end === undefined) return
    const most = Math.min(this.candidates.length + RECIPES_A_ROUND, MAX_CHOICES)
    this.deadline = end - 1000 * reserve(most * this.task.folds.length * this.secondsOfRow)
  }
}

/** A signal that stops at a time, as clock.now() counts, or with another signal. */
function stopAt(deadline: number | undefined, signal: AbortSignal | undefined): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController()
  const stop = () => controller.abort()
  // a timer would fire only after the first turn, in which a fast machine trains a small net
  if (signal?.aborted || (deadline !== undefined && deadline <= clock.now())) stop()
  signal?.addEventListener('abort', stop)
  const timer = deadline === undefined ? undefined : setTimeout(stop, Math.max(0, deadline - clock.now()))
  const clear = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
  return { signal: controller.signal, clear }
}
