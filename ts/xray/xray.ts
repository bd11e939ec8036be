/** XRay: a callback of fit that looks at a training and says what is wrong with it. */
import { plainError } from '../common/errors.js'
import { count, handler, readOptions, type Schema } from '../common/options.js'
import { type Callback, Dropout, type Module, type Progress, type Training, type TrainingControl } from '../index.js'
import { showInNotebooks } from '../report/notebook.js'
import { Instruments } from './instruments.js'
import { type OptimizerParts, optimizerFacts } from './optimizer-facts.js'
import type { SuspectRow, XrayLevel, XrayReport, XraySample } from './report.js'
import { labelsOf, lookAtRows, rivalOf } from './rows.js'
import { diagnose } from './rules.js'
import { reportHtml, reportText } from './show.js'

/** Options of {@link XRay}. */
export interface XRayOptions {
  /**
   * Steps from one sample to the next. Default: as many as fit into 1.5 % of the training (`full`: 8 %) and 60 ms (`full`: 150 ms), together with all else
   * that an X-ray does, by estimates that are the same on every machine; at least 3 samples a training, at most 200.
   */
  every?: number
  /** `light`, or `full`: more samples, more of them with sharpness and noise scale, and the margins of all rows. Default `light`. */
  level?: XrayLevel
  /** Called after each sample. */
  onSample?: (sample: XraySample, report: XrayReport) => void
}

export const XRAY = {
  every: { is: count },
  level: { is: ['light', 'full'], default: 'light' },
  onSample: { is: handler },
} satisfies Schema<XRayOptions>

/** Share of the training that an X-ray may cost, and microseconds that each training has for it besides, however short it is. */
const BUDGET = { light: { share: 0.015, grant: 60_000 }, full: { share: 0.08, grant: 150_000 } }
const MIN_SAMPLES = 3
const MAX_SAMPLES = 200
/** Losses of the library that take logits; their names stay in a bundle. */
export const LOGIT_LOSSES = ['binaryCrossEntropy', 'crossEntropy']
/** Suspects in a report at most. */
const MAX_SUSPECTS = 100

/** Level full: the class of each training row, and sums over the samples of its scores, [rows, classes], and of its margin. */
interface AllRows {
  readonly labels: Int32Array
  readonly scores: Float64Array
  readonly margins: Float64Array
}

/**
 * Looks at a training at some of its steps, and says what is wrong with it, with a remedy. The training has the same bits as without it.
 *
 * @example
 * const xray = new XRay()
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 20, callbacks: [xray] })
 * console.log(String(xray)) // the verdicts
 */
export class XRay implements Callback {
  readonly name = 'XRay'
  private readonly options: ReturnType<typeof read>
  private instruments: Instruments | null = null
  private training: Training | null = null
  private seen: XrayReport | null = null
  /** Step of the next pause, step of the next sample, and the optimizer's count at the last pause. */
  private next = 1
  private due = 2
  private counted = 0
  private isNear = true
  /** Microseconds left for sharpness and noise. */
  private credit = 0
  private cost = { step: 0, ends: 0, sample: 0, curve: 0 }
  private all: AllRows | null = null

  constructor(options: XRayOptions = {}) {
    this.options = read(options)
  }

  /** What was seen so far, with verdicts; plain data. @throws Error before a training */
  get report(): XrayReport {
    if (this.seen === null) throw plainError('XRay: there is no report yet; give it to fit, { callbacks: [xray] }, first')
    const { seen } = this
    seen.epochs = (this.training?.history.epochs ?? []).map(({ epoch, loss, validation, learningRate }) => ({
      epoch,
      step: epoch * seen.batchesPerEpoch,
      loss,
      learningRate,
      ...(validation && { validationLoss: validation.loss }),
    }))
    seen.verdicts = diagnose(seen)
    showInNotebooks(seen, reportText, reportHtml)
    return seen
  }

  /** The step of the next pause; around a sample steps are taken one by one. */
  get savesEvery(): number {
    return this.isNear ? 1 : this.next
  }

  onTrainBegin({ model }: TrainingControl, training: Training): void {
    const { plan } = training
    if (plan.batchesPerEpoch === Number.MAX_SAFE_INTEGER)
      throw plainError('XRay: wants a training by fit, which has all rows; a stream shows them one window at a time')
    const { loss, optimizer, shuffle } = plan.options
    const parts = optimizer as unknown as OptimizerParts & { stepCount: number }
    const { inputs, targets } = plan.rows
    const instruments = new Instruments({ model, optimizer: parts, loss, inputs, targets })
    const steps = plan.epochs * plan.batchesPerEpoch
    const every = this.plan(instruments, plan)
    const { weightDecay, decoupled, limit, isAdaptive } = optimizerFacts(parts)
    Object.assign(this, { instruments, training, all: null, isNear: true, next: 1, due: Math.min(2, steps), counted: parts.stepCount })
    const start = instruments.start(this.isCurved)
    const rates = model.modules().map((module) => (module instanceof Dropout ? module.rate : 0))
    this.seen = {
      level: this.options.level,
      every,
      model: model.describe(),
      optimizer: optimizer.name,
      loss: loss.name || 'a loss of your own',
      batchSize: plan.batchSize,
      batchesPerEpoch: plan.batchesPerEpoch,
      epochsPlanned: plan.epochs,
      layers: instruments.layers.map((layer) => layer),
      setup: {
        ...{ shuffle, steps, learningRate: parts.learningRate, isAdaptive, weightDecay, decoupled, dropout: Math.max(0, ...rates) },
        ...{
          output: instruments.sumsToOne ? 'softmax' : outputOf(model),
          logits: LOGIT_LOSSES.includes(loss.name),
        },
        ...(limit !== undefined && { limit }),
      },
      start,
      data: lookAtRows(plan.rows, plan.validation, loss.name),
      samples: [],
      epochs: [],
      verdicts: [],
    }
    instruments.watch()
  }

  onPause(progress: Progress, training: Training): void {
    const { instruments, seen } = this
    if (instruments === null || seen === null || progress.step < this.next) return
    const { stepCount } = training.plan.options.optimizer as unknown as { stepCount: number }
    if (stepCount !== this.counted + 1) instruments.forget()
    this.counted = stepCount
    const { step, epoch, loss } = progress
    if (!instruments.isReady || step < this.due) {
      instruments.watch()
      this.isNear = true
      this.next = step + 1
      return
    }
    const { every } = seen
    this.credit += (this.cost.step * (step - (seen.samples.at(-1)?.step ?? 0)) * BUDGET[this.options.level].share) / 2
    const sample = instruments.sample({ step, epoch, loss, batchSize: seen.batchSize }, this.isCurved)
    seen.samples.push(sample)
    this.lookAtAllRows(training)
    this.due = every * (Math.floor(step / every) + 1)
    this.next = Math.max(step + 1, this.due - 2)
    this.isNear = this.next === step + 1
    this.options.onSample?.(sample, seen)
  }

  onTrainEnd(): void {
    const { instruments, seen, training } = this
    if (instruments === null || seen === null || training === null) return
    const { steps } = training.history
    const isDiverged = steps < seen.setup.steps && !training.isStopped
    if (isDiverged) seen.end = { kind: 'diverged', explanation: `The loss was not finite at step ${steps + 1}.` }
    else if (steps > 0) {
      const end = instruments.end(seen.start?.gradientNorm ?? 0)
      if (end !== undefined) seen.end = end
    }
    const fit = instruments.fit()
    if (fit !== undefined) seen.fit = fit
    if (instruments.predicted.length > 0 && seen.data?.classes) seen.data.predicted = instruments.predicted
    if (this.all !== null) seen.suspects = this.suspects(this.all)
    this.instruments = null
    this.all = null
  }

  /** The report, for JSON.stringify. */
  toJSON(): XrayReport {
    return this.report
  }

  /** The verdicts, one a line. */
  toString(): string {
    const { verdicts, samples } = this.report
    if (verdicts.length === 0) return `XRay: nothing looks wrong in ${samples.length} samples`
    return verdicts.map(({ severity, says, remedy }) => `${severity}: ${says}; ${remedy}`).join('\n')
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.seen === null ? 'XRay: no training yet' : reportText(this.report, { width: 80 })
  }

  /** Chooses the steps between samples from estimates of their costs. */
  private plan(instruments: Instruments, { batchSize, batchesPerEpoch, epochs }: Training['plan']): number {
    const steps = epochs * batchesPerEpoch
    this.cost = instruments.costs(batchSize)
    const { share, grant } = BUDGET[this.options.level]
    this.credit = grant - this.cost.ends
    if (this.options.every !== undefined) return this.options.every
    // a forward pass of all rows takes a third of an epoch
    const each = this.cost.sample + (this.options.level === 'full' ? (this.cost.step * batchesPerEpoch) / 3 : 0)
    // half of the budget is for sharpness and noise
    const affordable = Math.floor((share * steps * this.cost.step + this.credit) / each / 2)
    return Math.max(1, Math.ceil(steps / Math.max(MIN_SAMPLES, Math.min(MAX_SAMPLES, affordable))))
  }

  /** True if the training so far has paid for a look at sharpness and noise. */
  private get isCurved(): boolean {
    if (this.credit < this.cost.curve) return false
    this.credit -= this.cost.curve
    return true
  }

  /** Level full: scores and margin of every training row with a class. */
  private lookAtAllRows({ plan: { rows, model } }: Training): void {
    if (this.options.level !== 'full' || this.seen?.data?.classes === undefined) return
    const prediction = (model as Module).predict(rows.inputs)
    const width = prediction.size / rows.count
    if (width < 2) return
    const values = prediction.read()
    // rows with classes have labels
    this.all ??= { labels: labelsOf(rows) as Int32Array, scores: new Float64Array(values.length), margins: new Float64Array(rows.count) }
    const { labels, scores, margins } = this.all
    for (let i = 0; i < scores.length; i++) scores[i] += values[i]
    for (let r = 0; r < rows.count; r++)
      margins[r] += values[r * width + labels[r]] - values[r * width + rivalOf(values, r * width, width, labels[r])]
  }

  private suspects({ labels, scores, margins }: AllRows): SuspectRow[] {
    const width = scores.length / labels.length
    const looks = this.seen?.samples.length ?? 1
    const found: SuspectRow[] = []
    for (const [row, label] of labels.entries()) {
      const margin = margins[row] / looks
      if (margin < 0) found.push({ row, margin, label, suggestion: rivalOf(scores, row * width, width, label) })
    }
    return found.sort((a, b) => a.margin - b.margin).slice(0, MAX_SUSPECTS)
  }
}

showInNotebooks<XRay>(
  XRay.prototype,
  ({ report }) => reportText(report),
  ({ report }) => reportHtml(report),
)

function read(options: XRayOptions) {
  return readOptions('XRay', options, XRAY)
}

/** The activation of the last layer. */
function outputOf(model: Module): string {
  const { activation } = (model.modules().at(-1) ?? {}) as { activation?: unknown }
  return typeof activation === 'string' ? activation : 'linear'
}
