/** Measurements of a net in training: norms, units, noise scale, sharpness. They leave model, optimizer and gradients as they are. */

import { norm } from '../common/vector.js'
import { inspectPoint, withHessian } from '../curvature/index.js'
import { lanczos } from '../curvature/lanczos.js'
import { type Loss, type Module, noGrad, type Parameter, reshape, type Tensor, tensor } from '../index.js'
import {
  addMoves,
  keepWeights,
  type Layer,
  layersOf,
  normOf,
  offsets,
  shapeOfWeights,
  squares,
  trainedSize,
  type Units,
  watching,
} from './layers.js'
import { type OptimizerParts, optimizerFacts } from './optimizer-facts.js'
import type { LayerSample, StartLayer, XrayEnd, XrayFit, XrayLayer, XraySample, XrayStart } from './report.js'
import { aloneAmong, evenly, labelsOf, rivalOf } from './rows.js'

/** A net in training, and the rows that it is trained on. */
export interface Subject {
  readonly model: Module
  readonly optimizer: OptimizerParts
  readonly loss: Loss
  /** [n, …] */
  readonly inputs: Tensor
  readonly targets: Tensor
}

/** Rows on which units and losses are looked at, and rows for products with the Hessian; of large nets fewer, since a pass takes long. */
const PROBE_ROWS = { small: 256, large: 64 }
const HESSIAN_ROWS = { small: 128, large: 32 }
const LARGE = 50_000
/** Products of one sharpness at most; 0.5 % is right enough. */
const PRODUCTS = 24
/** Numbers of a net whose kind of point is looked at where its gradient vanishes. */
const MAX_INSPECTED = 600
const TOLERANCE = 5e-3
/**
 * Looks at a net in training. Call {@link watch} before a step and after it, then {@link sample} after the next step; or use {@link XRay} in `fit`.
 *
 * @example
 * const instruments = new Instruments({ model, optimizer, loss: crossEntropy, inputs: tensor(inputs), targets: tensor(targets) })
 * instruments.start().layers.length // one for each layer with weights
 */
export class Instruments {
  readonly layers: readonly XrayLayer[]
  /** Rows of {@link margins}, by their numbers. */
  readonly rows: readonly number[]
  /** For each row, the sum of its margins (classes), or its last residual (numbers). */
  readonly margins: Float64Array
  readonly suggestions: Int32Array
  /** Number of margins in each sum. */
  looks = 0
  /** True if the net gives probabilities, each row with the sum 1. */
  sumsToOne = false
  /** Rows by predicted class, at the last sample. */
  predicted: number[] = []
  private readonly own: readonly Layer[]
  private readonly probe: Rows
  private readonly hessianRows: Rows
  private readonly labels: Int32Array | null
  private watched = 0
  /** Sums of tr Σ and ‖G‖² over the looks at noise. */
  private readonly noise = { trace: 0, signal: 0 }
  private clipped = 0
  private steps = 0

  constructor(private readonly subject: Subject) {
    const { inputs, targets } = subject
    const count = inputs.shape[0]
    this.own = layersOf(subject.model, subject.optimizer)
    this.layers = this.own.map(({ facts }) => facts)
    const size = this.numbers > LARGE ? 'large' : 'small'
    this.rows = evenly(count, PROBE_ROWS[size])
    this.probe = pick(inputs, targets, this.rows)
    this.hessianRows = pick(inputs, targets, evenly(count, HESSIAN_ROWS[size]))
    this.labels = labelsOf({ inputs: this.probe.inputs, targets: this.probe.targets, count: this.rows.length })
    this.margins = new Float64Array(this.rows.length)
    this.suggestions = new Int32Array(this.rows.length)
  }

  /** False if the optimizer's steps are proportional to gradients. */
  get isAdaptive(): boolean {
    return optimizerFacts(this.subject.optimizer).isAdaptive
  }

  /** Numbers of all layers. */
  private get numbers(): number {
    return this.layers.reduce((sum, { parameters }) => sum + parameters, 0)
  }

  /**
   * Microseconds of a step; of a look at the rows, at the start and at the end; of a sample; and of a look at noise scale and sharpness. They are
   * estimated from sizes: the same on every machine, so that reports repeat.
   */
  costs(batchSize: number): { step: number; ends: number; sample: number; curve: number } {
    const { numbers, layers, rows, hessianRows } = this
    const pass = (n: number) => (2 * numbers * n) / 40e3
    const written = 60 * layers.length
    // code that runs rarely is slow: each thing has a share that no size explains
    return {
      step: 2.5 + 3 * pass(batchSize),
      ends: 8000 + 6 * written + 0.1 * numbers + 0.1 * Math.min(this.subject.inputs.size, 1e5) + 4 * pass(rows.length),
      sample: 2000 + written + 0.03 * numbers + pass(rows.length),
      // Lanczos makes each product orthogonal to all before
      curve: 6000 + 16 * (4 * written + 8 * pass(hessianRows.inputs.shape[0]) + 0.3 * numbers) + 3 * (written + 2 * pass(rows.length)),
    }
  }

  /** The net before its first step; with `curved`, its sharpness too. */
  start(curved = true): XrayStart {
    const { loss, units } = this.forward()
    const gradient = this.gradientOf(this.hessianRows)
    const spectrum = curved ? this.spectrum(null) : {}
    const at = offsets(this.own)
    const layers = this.own.map((layer, i): StartLayer => {
      const slope = gradient === null || layer.facts.frozen ? 0 : norm(gradient.subarray(at[i], at[i] + trainedSize(layer)))
      return { gradientNorm: slope, weightNorm: normOf(layer.parameters), ...shapeOfWeights(layer), ...units[i] }
    })
    return { loss, gradientNorm: gradient === null ? 0 : norm(gradient), ...spectrum, layers }
  }

  /** Keeps the weights; from the second call on also the update since the first. */
  watch(): void {
    const isNext = this.watched++ > 0
    for (const layer of this.own) {
      const { before, parameters } = layer
      const update = isNext ? (layer.update ??= new Float64Array(before.length)) : null
      let at = 0
      for (const p of parameters) {
        keepWeights(p.read(), before, update, at)
        at += p.size
      }
    }
  }

  /** True if the next step can be sampled: the weights before it and the update before it are known. */
  get isReady(): boolean {
    return this.watched > 1
  }

  /** Forgets the weights that were kept, where steps were not watched. */
  forget(): void {
    this.watched = 0
  }

  /** The figures of the step that was just taken. With `curved`, noise scale and sharpness too. */
  sample(at: { step: number; epoch: number; loss: number; batchSize: number }, curved: boolean): XraySample {
    const { optimizer } = this.subject
    const facts = optimizerFacts(optimizer)
    const { loss: probeLoss, units } = this.forward()
    let [cross, first, second] = [0, 0, 0]
    const layers = this.own.map((layer, l): LayerSample => {
      const sums = new Float64Array(5)
      let at = 0
      for (const p of layer.parameters) {
        addMoves(p.read(), layer.before, layer.update ?? new Float64Array(layer.before.length), at, sums)
        at += p.size
      }
      const [moved, before, weight] = sums
      cross += sums[3]
      first += sums[4]
      let slope = 0
      for (const { grad } of layer.parameters) if (grad !== null) slope += squares(grad.read())
      second += moved
      const updateRatio = before === 0 ? 0 : Math.sqrt(moved / before)
      return finite({ gradientNorm: Math.sqrt(slope), weightNorm: Math.sqrt(weight), updateRatio, ...units[l] })
    })
    const gradientNorm = Math.sqrt(layers.reduce((sum, layer) => sum + layer.gradientNorm ** 2, 0))
    const { learningRate } = optimizer
    const sample: XraySample = { ...at, probeLoss, learningRate, gradientNorm, layers }
    if (first > 0 && second > 0) sample.cosine = cross / Math.sqrt(first * second)
    this.steps++
    if (facts.isClipped?.(gradientNorm)) this.clipped++
    if (facts.isClipped !== undefined) sample.clipped = this.clipped / this.steps
    if (curved) {
      this.lookAtNoise()
      const { sharpness } = this.spectrum(facts.scale?.(this.trained) ?? null)
      if (sharpness !== undefined && facts.limit !== undefined) {
        sample.sharpness = sharpness
        sample.stability = (learningRate * sharpness) / facts.limit
      }
    }
    const { trace, signal } = this.noise
    if (signal > 0 && trace > 0) sample.noiseScale = trace / signal
    return finite(sample)
  }

  /** The kind of point at which training stopped. A gradient below a hundredth of `slope` counts as none. */
  end(slope: number): XrayEnd | undefined {
    const { inputs, targets } = this.hessianRows
    const gradient = this.gradientOf(this.hessianRows)
    if (gradient === null) return undefined
    const gradientNorm = norm(gradient)
    const gradientTolerance = Math.max(1e-7, slope / 100)
    if (gradientNorm <= gradientTolerance && gradient.length > MAX_INSPECTED) return undefined
    if (!(gradientNorm <= gradientTolerance))
      return { kind: 'slope', explanation: `A slope: the gradient has norm ${Number(gradientNorm.toPrecision(4))}.`, gradientNorm }
    return this.evaluating(() => {
      const { model, loss } = this.subject
      const run = () => lossOf(loss, model.forward(inputs), targets)
      const { kind, explanation } = inspectPoint(run, this.trained, { gradientTolerance, exactLimit: 100 })
      return { kind, explanation, gradientNorm }
    })
  }

  /** How well the probe rows fit, and how many of them the net contradicts. */
  fit(): XrayFit | undefined {
    const { rows, labels, margins, looks } = this
    if (looks === 0) return undefined
    // a region that the net has not learned is off with all of its rows; a wrong label is off alone
    const isAlone = aloneAmong(this.probe.inputs)
    const countOdd = (isOdd: (r: number) => boolean, isLike: (r: number, neighbor: number) => boolean) =>
      rows.filter((_, r) => isOdd(r) && isAlone(r, isLike)).length
    if (labels !== null) {
      const means = Array.from(margins, (sum) => sum / looks)
      const agreed = means.filter((m) => m > 0).sort((a, b) => a - b)
      const usual = agreed[agreed.length >> 1] ?? Infinity
      const isOdd = (r: number) => means[r] < -usual / 2
      const odd = countOdd(isOdd, (r, neighbor) => labels[r] === labels[neighbor])
      return { rows: rows.length, odd, right: agreed.length / rows.length }
    }
    const sizes = Float64Array.from(margins, Math.abs).sort()
    const usual = sizes[sizes.length >> 1]
    const targets = this.probe.targets.read()
    const width = targets.length / rows.length
    const first = Array.from(rows, (_, r) => targets[r * width])
    const mean = first.reduce((a, b) => a + b, 0) / first.length
    const total = first.reduce((sum, y) => sum + (y - mean) ** 2, 0)
    const odd = countOdd(
      (r) => Math.abs(margins[r]) > 4 * usual,
      (r, neighbor) => margins[r] * margins[neighbor] > 0 && Math.abs(margins[neighbor]) > Math.abs(margins[r]) / 2,
    )
    return { rows: rows.length, odd, right: total === 0 ? 0 : Math.max(-1e9, 1 - squares(margins) / total || 0) }
  }

  private get trained(): Parameter[] {
    return this.subject.model.parameters().filter((p) => p.requiresGrad)
  }

  /** Loss and units on the probe rows, in evaluation mode. */
  private forward(): { loss: number; units: readonly Units[] } {
    const { model, loss } = this.subject
    const units: Units[] = this.own.map(() => ({}))
    const prediction = watching(this.own, units, () => model.predict(this.probe.inputs))
    this.lookAtMargins(prediction)
    return { loss: noGrad(() => lossOf(loss, prediction, this.probe.targets).item()), units }
  }

  private lookAtMargins(prediction: Tensor): void {
    const { rows, labels, margins, suggestions } = this
    const width = prediction.size / rows.length
    if (!Number.isInteger(width) || width === 0) return
    const values = prediction.read()
    this.looks++
    this.sumsToOne = width > 1 && rows.every((_, r) => isDistribution(values.subarray(r * width, (r + 1) * width)))
    if (labels === null) {
      const targets = this.probe.targets.read()
      if (targets.length === values.length) for (let r = 0; r < rows.length; r++) margins[r] = values[r * width] - targets[r * width]
      return
    }
    const counts = new Array<number>(Math.max(width, 2)).fill(0)
    for (let r = 0; r < rows.length; r++) {
      const label = labels[r]
      if (width === 1) {
        const score = values[r] - (this.subject.loss.name === 'binaryCrossEntropy' ? 0 : 0.5)
        margins[r] += label === 1 ? score : -score
        suggestions[r] = score > 0 ? 1 : 0
      } else {
        const rival = rivalOf(values, r * width, width, label)
        const margin = values[r * width + label] - values[r * width + rival]
        margins[r] += margin
        suggestions[r] = margin < 0 ? rival : label
      }
      counts[suggestions[r]]++
    }
    this.predicted = counts
  }

  /** The gradient of the trained parameters on some rows, end to end; null if there is none. */
  private gradientOf({ inputs, targets }: Rows): Float64Array | null {
    return this.curved(inputs, targets, (point) => Float64Array.from(point.gradient))
  }

  /** Two halves of the rows have the same gradient but for noise: an unbiased estimate of tr Σ and ‖G‖² (McCandlish 2018, appendix A.1). */
  private lookAtNoise(): void {
    const { inputs, targets } = this.probe
    const half = Math.floor(this.rows.length / 2)
    if (half < 4) return
    const even = Array.from({ length: half }, (_, i) => 2 * i)
    const [a, b] = [0, 1].map((odd) => {
      const rows = even.map((r) => r + odd)
      return this.gradientOf(pick(inputs, targets, rows))
    })
    if (a === null || b === null) return
    let [inner, apart] = [0, 0]
    for (let i = 0; i < a.length; i++) {
      inner += a[i] * b[i]
      apart += (a[i] - b[i]) ** 2
    }
    this.noise.trace += (half * apart) / 2
    this.noise.signal += inner
  }

  /** Both ends of the spectrum of S·H·S, with S the given scales. */
  private spectrum(scale: Float64Array | null): { sharpness?: number; lowest?: number } {
    const { inputs, targets } = this.hessianRows
    const found = this.curved(inputs, targets, (point) => {
      const product = (v: Float64Array) => {
        if (scale === null) return point.product(v)
        const w = Float64Array.from(point.product(v.map((x, i) => x * scale[i])))
        for (let i = 0; i < w.length; i++) w[i] *= scale[i]
        return w
      }
      return lanczos(product, point.size, { k: 1, iterations: PRODUCTS, seed: 0, tolerance: TOLERANCE })
    })
    return found === null ? {} : finite({ sharpness: found.largest[0], lowest: found.smallest[0] })
  }

  /** Runs `use` at the present weights. Null where the model has no Hessian: an operation without one, or NaN. */
  private curved<T>(inputs: Tensor, targets: Tensor, use: Parameters<typeof withHessian<T>>[2]): T | null {
    const { model, loss } = this.subject
    return this.evaluating(() => withHessian(() => lossOf(loss, model.forward(inputs), targets), this.trained, use)) ?? null
  }

  /** Runs fn in evaluation mode; undefined if it throws. */
  private evaluating<T>(fn: () => T): T | undefined {
    const { model } = this.subject
    const modes = model.modules().map((module) => [module, module.training] as const)
    model.evaluate()
    try {
      return fn()
    } catch {
      return undefined
    } finally {
      for (const [module, training] of modes) module.training = training
    }
  }
}

interface Rows {
  readonly inputs: Tensor
  readonly targets: Tensor
}

function pick(inputs: Tensor, targets: Tensor, rows: readonly number[]): Rows {
  const of = (t: Tensor) => {
    const width = t.size / t.shape[0]
    const values = t.read()
    const out = new (values.constructor as Float32ArrayConstructor)(rows.length * width)
    rows.forEach((r, i) => out.set((values as Float32Array).subarray(r * width, (r + 1) * width), i * width))
    return tensor(out, [rows.length, ...t.shape.slice(1)], { backend: t.backend })
  }
  return { inputs: of(inputs), targets: of(targets) }
}

/** Loss of a prediction; targets [n] are [n, 1] where the prediction is. */
function lossOf(loss: Loss, prediction: Tensor, targets: Tensor): Tensor {
  const isColumn = prediction.rank === 2 && prediction.shape[1] === 1 && targets.rank === 1 && targets.dtype === 'float'
  return loss(prediction, isColumn ? reshape(targets, prediction.shape) : targets)
}

const isDistribution = (row: ArrayLike<number>) => {
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += row[i] >= 0 ? row[i] : Number.NaN
  return Math.abs(sum - 1) < 1e-4
}

/** Leaves out numbers that are not finite. */
function finite<T extends object>(figures: T): T {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => typeof value !== 'number' || Number.isFinite(value))) as T
}
