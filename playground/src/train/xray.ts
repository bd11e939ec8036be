/** The X-ray of a run: samples at certain steps, and what is wrong with it. Fetched when somebody asks for it. */
import { binaryCrossEntropy, crossEntropy, tensor } from 'gradus'
import { diagnose, Instruments, type XrayReport } from 'gradus/xray'
import type { Examples } from './examples'
import type { Trainer } from './trainer'

/** Samples at most; one more, and every second one is dropped. */
const MAX_SAMPLES = 80
/** Sharpness and noise are looked at in each so-many-th sample: they take as long as some thirty steps. */
const CURVED = 4
/** Findings about the end of a training, which here has none. */
const NOT_HERE = ['too few epochs', 'schedule ends too early', 'labels that look wrong']

export class TrainerXray {
  readonly report: XrayReport
  private readonly instruments: Instruments
  private samples = 0

  /** Before the first step of a run. */
  constructor(
    private readonly trainer: Trainer,
    { train, features, classes }: Examples,
    decay: number,
  ) {
    const { model, optimizer, batchSize } = trainer
    const loss = classes === 2 ? binaryCrossEntropy : crossEntropy
    const labels = Float32Array.from(train.labels)
    this.instruments = new Instruments({
      ...{ model, loss },
      // another one can be chosen on the way
      get optimizer() {
        return trainer.optimizer
      },
      inputs: tensor(train.inputs, [train.count, features]),
      targets: classes === 2 ? tensor(labels, [train.count, 1]) : tensor(labels),
    })
    const counts = new Array<number>(classes).fill(0)
    for (const label of train.labels) counts[label]++
    const shares = counts.filter((count) => count > 0).map((count) => count / train.count)
    const start = this.instruments.start()
    this.report = {
      ...{ level: 'light', every: 1, model: model.describe(), optimizer: optimizer.name, loss: loss.name, batchSize },
      ...{ batchesPerEpoch: Math.ceil(train.count / batchSize), epochsPlanned: 1, layers: [...this.instruments.layers] },
      setup: {
        ...{ shuffle: true, steps: 0, learningRate: optimizer.learningRate, weightDecay: decay, decoupled: false },
        isAdaptive: this.instruments.isAdaptive,
        ...{ dropout: 0, output: 'linear', logits: true },
      },
      data: {
        ...{ rows: train.count, columns: features, classes: counts, constant: [], largest: { column: 0, size: 1, least: 1 } },
        baseline: shares.reduce((sum, share) => sum - share * Math.log(share), 0),
        sorted: { share: 0, expected: 0 },
      },
      ...{ start, samples: [], epochs: [], verdicts: [] },
    }
    this.instruments.watch()
  }

  /** After each step. */
  after(step: number, loss: number): void {
    const { report, instruments, trainer } = this
    const { every, samples, data } = report
    const { batchSize } = trainer
    // the weights of two steps before a sample give the update and the one before it
    const left = (every - (step % every)) % every
    if (left > 0 || !instruments.isReady) {
      if (left <= 2 || every <= 2) instruments.watch()
      else instruments.forget()
      return
    }
    const epoch = Math.ceil(trainer.samples / (data?.rows ?? 1))
    samples.push(instruments.sample({ step, epoch, loss, batchSize }, this.samples++ % CURVED === 0))
    if (samples.length < MAX_SAMPLES) return
    report.samples = samples.filter((_, i) => i % 2 === 1)
    report.every *= 2
    instruments.forget()
  }

  /** The report so far, with its findings. */
  now(): XrayReport {
    const { report, trainer } = this
    report.batchSize = trainer.batchSize
    report.optimizer = trainer.optimizer.name
    report.setup.steps = trainer.step
    report.setup.learningRate = trainer.optimizer.learningRate
    report.setup.isAdaptive = this.instruments.isAdaptive
    const latest = report.samples.at(-1)
    if (trainer.problem !== '') report.end = { kind: 'diverged', explanation: trainer.problem }
    else if (latest) report.end = { kind: 'slope', explanation: 'It goes on.', gradientNorm: latest.gradientNorm }
    const fit = this.instruments.fit()
    if (fit) report.fit = fit
    report.verdicts = diagnose(report).filter(({ rule }) => !NOT_HERE.includes(rule))
    return report
  }
}
