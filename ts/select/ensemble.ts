/** Ensembles: several nets that answer as one. */
import { NonFiniteError, plainError, rangeError, ShapeError, typeError } from '../common/errors.js'
import { joined } from '../common/joined.js'
import { anything, count, readOptions, type Schema } from '../common/options.js'
import { formatShape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import type { Loss } from '../loss/loss.js'
import type { BufferTensor } from '../nn/buffer.js'
import { ENSEMBLE_AVERAGES, type EnsembleAverage, meanLogits } from '../nn/ensemble-mean.js'
import { type BuildContext, Module, type PredictOptions } from '../nn/module.js'
import { add, mul } from '../ops/elementwise.js'
import { logSumExp } from '../ops/reduce.js'
import { stack } from '../ops/shape.js'
import { logSoftmax } from '../ops/softmax.js'
import { asTensor, floatArray, Tensor, type TensorLike } from '../tensor.js'
import { checkDataSet } from '../train/data.js'
import { evaluateRows } from '../train/evaluate.js'
import { lossFunction } from '../train/options.js'
import type { TrainingData } from '../train/training-data.js'
import { chooseGreedily } from './choose-greedily.js'

/** Options of {@link Ensemble}. */
export interface EnsembleOptions {
  /**
   * The quantity that is averaged:
   * - `outputs`: the members' outputs. For numbers.
   * - `softmax`: the probabilities of classes, if members return logits, [..., classes], for crossEntropy.
   * - `sigmoid`: the probability of yes, if members return its logit, for binaryCrossEntropy.
   *
   * Default `outputs`.
   */
  average?: EnsembleAverage
  /** Relative weights of the members; numbers above 0. Default: all equal. */
  weights?: readonly number[]
}

/** Options of {@link Ensemble.select}. */
export interface SelectOptions {
  loss: Loss
  /** See {@link EnsembleOptions}. */
  average?: EnsembleAverage
  /** Largest number of choices; a member may be chosen more than once. Default 50. */
  maxMembers?: number
}

export const ENSEMBLE = {
  average: { is: ENSEMBLE_AVERAGES, default: 'outputs' },
  weights: { is: anything },
} satisfies Schema<EnsembleOptions>

export const SELECT = {
  loss: { is: lossFunction, required: true },
  average: ENSEMBLE.average,
  maxMembers: { is: count, default: 50 },
} satisfies Schema<SelectOptions>

/**
 * Several nets that predict as one, by the weighted mean of their outputs or probabilities. That is usually better than each of them, and their
 * disagreement measures its uncertainty: see {@link spread} (Lakshminarayanan, Pritzel & Blundell 2017).
 *
 * It is a Module: `predict`, `evaluateModel`, `state` and `encodeState` work as with any model. With `softmax` and `sigmoid` it returns logits, as
 * its members do. Their softmax or sigmoid is the mean probability, so losses and metrics work unchanged: log Σ wᵢpᵢ for classes, and log Σ wᵢpᵢ −
 * log Σ wᵢ(1 − pᵢ) for yes or no.
 *
 * @example
 * const models = [1, 2, 3].map((seed) => new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)], { seed }))
 * const optimizers = models.map((model) => new Adam(model.parameters(), { learningRate: 0.01 }))
 * await fitMany(models, { inputs, targets, loss: crossEntropy, optimizers, seed: [1, 2, 3], epochs: 20 })
 * const ensemble = new Ensemble(models, { average: 'softmax' })
 * const { accuracy } = evaluateModel(ensemble, { inputs, targets, loss: crossEntropy, metrics: ['accuracy'] })
 * const probabilities = softmax(ensemble.predict(inputs)) // the mean of the members'
 * @throws TypeError, RangeError naming the member or option; predict throws ShapeError where members give different shapes
 */
export class Ensemble<N extends Module = Module> extends Module {
  static override get name() {
    return 'Ensemble'
  }

  readonly members: readonly N[]
  readonly average: EnsembleAverage
  /** Relative weights of the members; saved with the state. */
  declare weights: BufferTensor

  constructor(members: readonly N[], options: EnsembleOptions = {}) {
    checkMembers('Ensemble', members)
    const { average, ...given } = readOptions('Ensemble', options, ENSEMBLE)
    const { weights = members.map(() => 1) } = given
    checkWeights(weights, members.length)
    super({ backend: members[0].backend })
    this.members = [...members]
    this.average = average
    this.build()
    this.weights.view().set(weights)
  }

  protected override createParameters(context: BuildContext): void {
    this.weights = this.makeBuffer(context, 'weights', [this.members.length], 1)
  }

  override describe(): string {
    return `Ensemble(${this.members.length}, '${this.average}')`
  }

  /** The mean, recorded for backpropagation unless under noGrad(): outputs, or logits of the mean probabilities. */
  forward(x: Tensor): Tensor {
    const outputs = this.members.map((member) => member.forward(x))
    checkShapes('Ensemble', outputs)
    const shares = this.shares()
    if (this.average !== 'outputs')
      return meanLogits(
        this.average,
        (logs) => logSumExp(stack(outputs.map((output, i) => add(logs(output), Math.log(shares[i])))), 0) as Tensor,
      )
    return outputs.map((output, i) => mul(output, shares[i]) as Tensor).reduce((sum, part) => add(sum, part) as Tensor)
  }

  /**
   * The standard deviation of the members around their mean: √(Σ wᵢ(yᵢ − y)²), with weights that add up to 1, of outputs or, with `softmax` and
   * `sigmoid`, of probabilities. It has the shape of the output. It measures the disagreement of the nets and does not include noise in the targets.
   *
   * @example
   * const models = [1, 2, 3].map((seed) => new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed }))
   * new Ensemble(models).spread(inputs).shape // [n, 1]
   */
  spread(input: TensorLike, options?: PredictOptions): Tensor {
    const x = asTensor(input, this.backend, 'spread')
    const outputs = this.members.map((member) => member.predict(x, options))
    checkShapes('Ensemble', outputs)
    const shares = this.shares()
    const values = outputs.map((output) => averaged(output, this.average)[0])
    const spread = floatArray(this.backend, outputs[0].size)
    for (let i = 0; i < spread.length; i++) {
      const mean = values.reduce((sum, value, net) => sum + shares[net] * value[i], 0)
      spread[i] = Math.sqrt(values.reduce((sum, value, net) => sum + shares[net] * (value[i] - mean) ** 2, 0))
    }
    return Tensor.onHost(this.backend, outputs[0].shape, spread)
  }

  /** Weights that add up to 1. */
  private shares(): number[] {
    const weights = [...this.weights.view()]
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return weights.map((weight) => weight / sum)
  }

  /**
   * Chooses members one by one: each time the member that lowers the ensemble's loss on validation data most, or raises it least. A member may be
   * chosen again, and then has more weight. The result is the ensemble with the least loss on the way (Caruana, Niculescu-Mizil, Crew & Ksikes 2004).
   * From many nets of a sweep it makes a small ensemble without the bad ones.
   *
   * The loss on the validation data is lower than on new rows, because it decided the choice: evaluate the result on other rows.
   *
   * @example
   * const models = [1, 2, 3, 4].map((seed) => new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed }))
   * const ensemble = Ensemble.select(models, { inputs, targets }, { loss: crossEntropy, average: 'softmax' })
   * ensemble.members.length <= 4 // true
   * @throws TypeError, RangeError, ShapeError naming the member or argument; Error where no member has a finite loss
   */
  static select<N extends Module>(members: readonly N[], validation: TrainingData, given: SelectOptions): Ensemble<N> {
    checkMembers('Ensemble.select', members)
    const { loss, average, maxMembers } = readOptions('Ensemble.select', given, SELECT)
    const { backend } = members[0]
    const rows = checkDataSet(validation, backend, 'Ensemble.select: validation')
    const outputs = members.map((member) => member.predict(rows.inputs))
    checkShapes('Ensemble.select', outputs)
    const identity = new Identity({ backend })
    const lossOf = (means: ArrayLike<number>): number => {
      const inputs = Tensor.onHost(backend, outputs[0].shape, outputOf(means, average, floatArray(backend, outputs[0].size)))
      try {
        return evaluateRows('Ensemble.select', identity, { ...rows, inputs }, { loss, batchSize: rows.count }).loss
      } catch (error) {
        if (error instanceof NonFiniteError) return Number.POSITIVE_INFINITY
        throw error
      }
    }
    const candidates = outputs.map((output) => ({ predictions: joined(Float64Array, averaged(output, average)) }))
    if (candidates.every(({ predictions }) => lossOf(predictions) === Number.POSITIVE_INFINITY))
      throw plainError('Ensemble.select: no member has a finite loss on the validation data')
    const counts = chooseGreedily(candidates, lossOf, { maxChoices: maxMembers })
    const kept = [...members.keys()].filter((i) => counts[i] > 0)
    const [own, weights] = [kept.map((i) => members[i]), kept.map((i) => counts[i])]
    return new Ensemble(own, { average, weights })
  }
}

/** Returns its input, so that predictions can be evaluated like a model. */
class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x
  }
}

function checkMembers(who: string, members: readonly Module[]): void {
  if (!Array.isArray(members) || members.length === 0)
    throw typeError(`${who}: members wants models in an array, at least one, got ${show(members)}`)
  members.forEach((member, i) => {
    if (!(member instanceof Module)) throw typeError(`${who}: members[${i}] wants a Module, got ${show(member)}`)
    const first = members.indexOf(member)
    if (first !== i)
      throw rangeError(`${who}: members[${i}] is the same as members[${first}]; let it count more by its weight, or leave it out`)
    // built with its own seed and backend, before it becomes a part of this model
    member.build()
    if (member.backend !== members[0].backend)
      throw rangeError(
        `${who}: members want to be on one backend, got '${member.backend.variant}' for members[${i}] and '${members[0].backend.variant}' before`,
      )
  })
}

function checkWeights(weights: readonly number[], count: number): void {
  if (!Array.isArray(weights) || weights.length !== count)
    throw rangeError(`Ensemble: weights wants a number for each of ${count} members, got ${show(weights)}`)
  weights.forEach((weight, i) => {
    if (!(Number.isFinite(weight) && weight > 0))
      throw rangeError(`Ensemble: weights[${i}] wants a number above 0, got ${show(weight)}; leave members out that do not count`)
  })
}

function checkShapes(who: string, outputs: readonly Tensor[]): void {
  outputs.forEach(({ shape }, i) => {
    if (!sameShape(shape, outputs[0].shape))
      throw new ShapeError(
        `${who}: members want outputs of one shape, got ${formatShape(shape)} of members[${i}] and ${formatShape(outputs[0].shape)} of members[0]`,
      )
  })
}

/** The averaged quantity of an output: the output itself, the probabilities of classes, or the probabilities of yes and no. */
function averaged(output: Tensor, average: EnsembleAverage): Float64Array[] {
  if (average === 'softmax') return [Float64Array.from(logSoftmax(output).data(), Math.exp)]
  const values = output.data()
  if (average === 'outputs') return [Float64Array.from(values)]
  return [-1, 1].map((sign) => Float64Array.from(values, (z) => 1 / (1 + Math.exp(sign * z))))
}

/** The output of an ensemble from the means of its members' {@link averaged} values, one list after the other. */
function outputOf<T extends Float32Array | Float64Array>(means: ArrayLike<number>, average: EnsembleAverage, out: T): T {
  // the logarithm of a probability that rounds to 0 is large, not infinite
  const log = (p: number) => Math.log(Math.max(p, Number.MIN_VALUE))
  for (let i = 0; i < out.length; i++) {
    if (average === 'outputs') out[i] = means[i]
    else if (average === 'softmax') out[i] = log(means[i])
    else out[i] = log(means[i]) - log(means[out.length + i])
  }
  return out
}
