/** Rounds of training: nets of some plans, one on each fold, trained side by side; and the best plans of all rounds so far. */
import { clock } from '../common/clock.js'
import { joined } from '../common/joined.js'
import { crossEntropy, EarlyStopping, type FitManyProgress, fitMany, mse, NonFiniteError, type Tensor, tensor } from '../index.js'
import { takeRows } from '../rows/take.js'
import { type LossOf, logLossOf, MOST_CHOICES, squaredErrorOf } from './choose.js'
import type { Fold, Folds } from './folds.js'
import { makeNet, makeOptimizer, type NetPlan, type RoundPlan, scheduleOf } from './nets.js'
import { inputsAt, predictionsOf, type TableSamples, targetsFor } from './samples.js'
import type { Line } from './straight-line.js'

type Net = ReturnType<typeof makeNet>

/** A straight line that was fitted to the training rows of a fold, whose errors nets learn. */
export interface FoldLine {
  line: Line
  /** What it says of each row. */
  answers: Float64Array
  /** Deviation of its errors on the training rows: nets learn errors that are divided by it. */
  deviation: number
}

/** A plan, its nets (one for each fold) and what each of them predicts of the rows of its fold that it was not trained on. */
export interface Candidate {
  plan: NetPlan
  nets: Net[]
  /** Where nets learnt what lines leave: that of each fold. */
  lines?: readonly FoldLine[]
  /** Out-of-fold predictions, row-major [rows, outputs] in the order of the folds: probabilities of classes, or numbers. */
  predictions: Float64Array
  /** Of these predictions, those that decide: log loss, mean squared error in deviations of the target, or what `metric` asks for. */
  loss: number
  /** Of each net the loss of training and of validation by epoch. */
  histories: Curve[]
}

/** Losses by epoch. */
export interface Curve {
  loss: number[]
  validation: number[]
}

/** What is heard of rounds while nets are trained. */
export interface SearchProgress {
  /** Until training and report are over, by the speed so far; where time is limited, what counts is the limit. */
  secondsLeft: number
  nets: number
  best: number | null
  curve: Curve
}

/** Nets that are trained side by side. */
export interface Round extends RoundPlan {
  plans: readonly NetPlan[]
  /** Which round it is: it decides the first weights and the order of rows. */
  number: number
  /** Share of the training rows of each fold. Default 1. */
  share?: number
  /** Whether nets are stopped when the time is over. Default true. */
  isTimed?: boolean
}

/** What rounds have in common. */
export interface RoundsOptions {
  /** When everything has to be over, as clock.now() counts; undefined where there is no limit. */
  end: number | undefined
  /** Seconds that what follows the search takes, where the whole ensemble takes so many for a row. */
  reserve: (secondsOfRow: number) => number
  seed: number
  signal: AbortSignal | undefined
  onProgress: ((progress: SearchProgress) => void) | undefined
}

/** Epochs without improvement that end the training of a net. */
const PATIENCE = 16
/** Candidates that are kept, the best ones. */
const MAX_KEPT = 40
/** Nets of a round where time is limited: as many folds as there are, times so many plans. */
export const PLANS_A_ROUND = 2

/** A net to train: which plan, which fold. */
interface Job {
  plan: NetPlan
  fold: number
  seed: number
  line: FoldLine | undefined
}

/** Rows as fitMany takes them. */
interface Samples {
  inputs: Tensor
  targets: Int32Array | Tensor
  weights?: Tensor
}

/** Trains rounds, and keeps the best plans of all of them. */
export class Rounds {
  /** The best first. */
  candidates: Candidate[] = []
  /** Nets that were trained. */
  nets = 0
  /** What ended the first net of which nothing came; undefined where none was, or time or a signal ended it. */
  failure: Error | undefined
  /** When training has to stop, so that what follows has its time; undefined where there is no limit. */
  deadline: number | undefined
  /** Rows that are predicted by nets that were not trained on them, in the order of the folds. */
  readonly heldOut: Int32Array
  /** Loss of out-of-fold predictions. */
  readonly lossOf: LossOf
  private readonly folds: readonly Fold[]
  /** From which of the rows of {@link heldOut} on they decide. */
  private readonly from: number
  /** Rows to train on and, of each fold, to validate by. */
  private readonly plain: { training: Samples; validation: Samples[] }
  /** The same for each fold where nets learn what lines leave. */
  private readonly left: { training: Samples; validation: Samples }[] | null
  /** What predictions took so far: their quotient is the pace of a net. */
  private readonly predicting = { seconds: 0, rows: 0 }

  constructor(
    private readonly data: TableSamples,
    { folds, from }: Folds,
    private readonly options: RoundsOptions,
    /** Of each fold, where nets learn what it leaves, too. */
    private readonly lines: readonly FoldLine[] | null = null,
    /** Whether they learn nothing else. */
    private readonly onlyLeft = false,
  ) {
    const { end, reserve } = options
    this.folds = folds
    this.from = from
    this.heldOut = Int32Array.from(folds.flatMap(({ validation }) => [...validation]))
    const { targets, count, width, weights } = data
    const lossOf = lossOn(data, this.heldOut.subarray(from))
    this.lossOf = (predictions) => lossOf(this.deciding(predictions as Float64Array))
    const inputs = tensor(data.inputs, [count, width])
    this.plain = {
      training: {
        ...{ inputs, targets: targets instanceof Int32Array ? targets : tensor(targets, [count, 1]) },
        ...(weights && { weights: tensor(Float32Array.from(weights), [count]) }),
      },
      validation: folds.map(({ validation }) => samplesOf(data, validation)),
    }
    this.left =
      lines &&
      folds.map(({ validation }, fold) => {
        const { answers, deviation } = lines[fold]
        const left = Float32Array.from(targets, (y, row) => (y - answers[row]) / deviation)
        return {
          training: { inputs, targets: tensor(left, [count, 1]) },
          validation: { inputs: this.plain.validation[fold].inputs, targets: targetsFor(left, validation) },
        }
      })
    this.deadline = end && end - 1000 * reserve(0)
  }

  /** Rows of the largest fold. */
  get trainingRows(): number {
    return Math.max(...this.folds.map(({ train }) => train.length))
  }

  /** Of out-of-fold predictions the part that decides. */
  private deciding(all: Float64Array): Float64Array {
    return all.subarray((this.from * all.length) / this.heldOut.length)
  }

  async train(round: Round): Promise<void> {
    const { plans, number, isTimed = true } = round
    const kinds = plans.flatMap((plan, i) =>
      [...(this.onlyLeft ? [] : [false]), ...(this.lines ? [true] : [])].map((isLeft) => ({ plan, i, isLeft })),
    )
    const jobs = kinds.flatMap(({ plan, i, isLeft }) =>
      this.folds.map((_, fold) => ({
        ...{ plan, fold, seed: this.options.seed + 1000 * number + 10 * i + fold },
        line: isLeft ? this.lines?.[fold] : undefined,
      })),
    )
    const nets = jobs.map(({ plan, seed }) => makeNet(plan, this.data.width, this.data.classes || 1, seed, this.data.embedded))
    const stop = stopAt(isTimed ? this.deadline : undefined, this.options.signal)
    try {
      const histories = await this.fit(nets, jobs, round, stop.signal)
      for (const [i, { plan, isLeft }] of kinds.entries()) {
        const own = this.folds.map((_, fold) => i * this.folds.length + fold)
        this.add(
          plan,
          own.map((job) => nets[job]),
          own.map((job) => histories[job]),
          isLeft ? (this.lines ?? undefined) : undefined,
        )
      }
    } finally {
      stop.clear()
    }
    this.nets += nets.length
    this.keepBest()
    this.moveDeadline()
  }

  private fit(nets: Net[], jobs: Job[], { batchSize, epochs, share = 1 }: Round, signal: AbortSignal) {
    const rows = this.folds.map(({ train }) => everyShare(train, share))
    const curve: Curve = { loss: [], validation: [] }
    const watch = {
      onEpochEnd({ loss, validation }: { loss: number; validation?: { loss: number } }) {
        curve.loss.push(loss)
        curve.validation.push(validation?.loss ?? Number.NaN)
      },
    }
    return fitMany(nets, {
      data: jobs.map(({ fold, line }) => (line && this.left ? this.left[fold].training : this.plain.training)),
      rows: jobs.map(({ fold }) => rows[fold]),
      validation: jobs.map(({ fold, line }) => (line && this.left ? this.left[fold].validation : this.plain.validation[fold])),
      loss: this.data.classes > 0 ? crossEntropy : mse,
      optimizers: nets.map((net, i) => makeOptimizer(net, jobs[i].plan)),
      schedule: jobs.map(({ plan, fold }) => scheduleOf(plan, epochs * Math.ceil(rows[fold].length / batchSize))),
      seed: jobs.map(({ seed }) => seed),
      batchSize,
      epochs,
      signal,
      // the curve of the first net is shown for all
      callbacks: (net) => [new EarlyStopping({ patience: PATIENCE }), ...(net === 0 ? [watch] : [])],
      onProgress: (progress) => this.tell(progress, curve, batchSize),
    })
  }

  private tell({ secondsLeft, finished, nets, netStepsPerSecond }: FitManyProgress, curve: Curve, batchSize: number): void {
    // a step goes forward, and backward for twice as long
    const secondsOfRow = nets / netStepsPerSecond / batchSize / 3
    this.options.onProgress?.({
      secondsLeft: secondsLeft + this.options.reserve(secondsOfRow),
      nets: this.nets + finished,
      best: this.candidates[0]?.loss ?? null,
      curve,
    })
  }

  /** Takes a plan among the candidates, unless one of its nets was not trained or has no finite loss. */
  private add(plan: NetPlan, nets: Net[], histories: Awaited<ReturnType<typeof fitMany>>, lines: readonly FoldLine[] | undefined): void {
    this.failure ??= histories.find(({ error }) => error !== undefined)?.error
    if (histories.some(({ error, epochs }) => error !== undefined || epochs.length === 0)) return
    const asked = clock.now()
    const predictions = joined(
      Float64Array,
      nets.map((net, fold) =>
        this.withLine(predictionsOf(net, this.plain.validation[fold].inputs, this.data.classes), fold, lines?.[fold]),
      ),
    )
    this.predicting.seconds += (clock.now() - asked) / 1000
    this.predicting.rows += this.heldOut.length
    const loss = this.lossOf(predictions)
    if (!Number.isFinite(loss)) {
      this.failure ??= new NonFiniteError(`loss is ${loss} on rows that were not learnt from (in the end)`)
      return
    }
    const curves = histories.map(({ epochs }, fold) => {
      // errors of lines are divided by their deviation
      const unit = lines ? lines[fold].deviation ** 2 : 1
      return { loss: epochs.map((e) => unit * e.loss), validation: epochs.map((e) => unit * (e.validation?.loss ?? Number.NaN)) }
    })
    this.candidates.push({ plan, nets, predictions, loss, histories: curves, ...(lines && { lines }) })
  }

  /** What a net says of the rows that its fold validates by. */
  private withLine(answers: Float64Array, fold: number, line: FoldLine | undefined): Float64Array {
    if (line === undefined) return answers
    const { validation } = this.folds[fold]
    return answers.map((value, i) => line.answers[validation[i]] + line.deviation * value)
  }

  private keepBest(): void {
    this.candidates = this.candidates.sort((a, b) => a.loss - b.loss).slice(0, MAX_KEPT)
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
    const mostPlans = Math.min(this.candidates.length + PLANS_A_ROUND, MOST_CHOICES)
    this.deadline = end - 1000 * reserve(mostPlans * this.folds.length * this.secondsOfRow)
  }
}

/** A signal that stops at a time, as clock.now() counts, or with another signal. */
function stopAt(deadline: number | undefined, signal: AbortSignal | undefined): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController()
  const stop = () => controller.abort()
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop)
  const timer = deadline === undefined ? undefined : setTimeout(stop, Math.max(0, deadline - clock.now()))
  const clear = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
  return { signal: controller.signal, clear }
}

/** A share of the rows, evenly spread. */
function everyShare(rows: Int32Array, share: number): Int32Array {
  return share < 1 ? rows.filter((_, i) => Math.floor(i * share) < Math.floor((i + 1) * share)) : rows
}

/** The loss of predictions of rows, or what they are judged by instead. */
export function lossOn(
  { targets, classes, weights, lossOf }: Pick<TableSamples, 'targets' | 'classes' | 'weights' | 'lossOf'>,
  rows: Int32Array,
): LossOf {
  const own = takeRows(targets, rows)
  if (lossOf !== undefined) return lossOf(own)
  return own instanceof Int32Array ? logLossOf(own, classes, weights && weightsAt(weights, rows)) : squaredErrorOf(own)
}

const weightsAt = (weights: Float64Array, rows: Int32Array) => Float32Array.from(rows, (row) => weights[row])

/** Rows of a fold as tensors. */
function samplesOf(data: TableSamples, rows: Int32Array): Samples {
  const { targets, weights } = data
  return {
    inputs: inputsAt(data, rows),
    targets: targetsFor(targets, rows),
    ...(weights && { weights: tensor(weightsAt(weights, rows), [rows.length]) }),
  }
}
