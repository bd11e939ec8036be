/** Batch normalization. */

import { withOperations } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import type { Activation } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { ShapeError } from '../common/errors.js'
import { anything, positive, readOptions, type Schema, share } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { activate, activationNumber } from '../ops/activation.js'
import { batchNorm, type Moments } from '../ops/batch-norm.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import type { BufferTensor } from './buffer.js'
import { ShapedLayer } from './layer.js'
import type { LastAxis } from './layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/** Options of {@link BatchNorm}. */
export interface BatchNormOptions extends ModuleOptions {
  /** Added to the variance, so that nothing is divided by zero. Default 1e-5, as in PyTorch. */
  epsilon?: number
  /**
   * Step of the running statistics towards the statistics of each batch, in [0, 1]: running ← (1 − momentum) · running + momentum · batch. Default
   * 0.1, as in PyTorch; Keras writes the same as 0.9.
   */
  momentum?: number
  /** The function applied to the result. `relu` costs no time here. Default `linear`, the identity. */
  activation?: Activation
}

export const BATCH_NORM = {
  ...MODULE,
  epsilon: { is: positive, default: 1e-5 },
  momentum: { is: share, default: 0.1 },
  activation: { is: anything, default: 'linear' },
} satisfies Schema<BatchNormOptions>

type BatchNormShapes<N extends number> = LastAxis<`BatchNorm(${N})`, N, N>

/**
 * Normalizes each column to mean 0 and variance 1, then scales and shifts it by trained numbers: y = f((x − mean) / √(variance + ε) · weight + bias),
 * with x [..., width], weight [width] (ones at first) and bias [width] (zeros at first).
 *
 * In training mode, mean and variance are computed from the batch, over all axes but the last. In evaluation mode (`predict`, `evaluateModel`,
 * `evaluate()`) the running statistics are used. Each forward pass in training mode moves them towards the statistics of its batch; the running
 * variance follows the unbiased estimate, with n − 1, as in PyTorch (Ioffe & Szegedy 2015). The running statistics are buffers: saved with the model,
 * not trained.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { bias: false }), new BatchNorm(16, { activation: 'relu' }), new Dense(16, 3)])
 * const layer = new BatchNorm(1)
 * layer.forward(tensor([[1], [3]])).toArray()        // [[-1], [1]]
 * Object.keys(layer.state())                          // ['weight', 'bias', 'runningMean', 'runningVariance']
 * @throws RangeError for a width that is not a whole number ≥ 1, an epsilon that is not positive, a momentum outside [0, 1], or an unknown activation;
 *   forward() throws ShapeError naming the layer, also for a batch of one row while training
 */
export class BatchNorm<const N extends number = number> extends ShapedLayer<BatchNormShapes<N>> {
  declare weight: Parameter
  declare bias: Parameter
  /** Zeros at first. */
  declare runningMean: BufferTensor
  /** Ones at first. */
  declare runningVariance: BufferTensor
  readonly epsilon: number
  readonly momentum: number
  readonly activation: Activation

  constructor(
    readonly width: N,
    options: BatchNormOptions = {},
  ) {
    super(options)
    checkCount('BatchNorm: width', width)
    const { epsilon, momentum, activation } = readOptions('BatchNorm', options, BATCH_NORM)
    this.epsilon = epsilon
    this.momentum = momentum
    this.activation = activation
    activationNumber(activation, 'BatchNorm')
  }

  protected override createParameters(context: BuildContext): void {
    const shape = [this.width]
    this.weight = this.makeParameter(context, 'weight', shape)
    this.weight.view().fill(1)
    this.bias = this.makeParameter(context, 'bias', shape)
    this.runningMean = this.makeBuffer(context, 'runningMean', shape)
    this.runningVariance = this.makeBuffer(context, 'runningVariance', shape, 1)
  }

  override describe(): string {
    return `BatchNorm(${this.width}${this.activation === 'linear' ? '' : `, ${this.activation}`})`
  }

  protected compute(input: Tensor): Tensor {
    const { weight, bias, width, training, epsilon, activation } = this.build()
    const x = this.withFeatures(input, width, weight.backend)
    if (training && x.size < 2 * width)
      throw new ShapeError(
        `${this.label(this.describe())}: training wants at least 2 rows, which have a variance, got shape ${formatShape(x.shape)}; ` +
          'choose a batchSize that leaves no batch of one row, or call evaluate() first',
      )
    const relu = activation === 'relu'
    const fixed = training ? null : { mean: this.runningMean, variance: this.runningVariance }
    const y = batchNorm(x, { weight, bias, epsilon, relu, fixed, observe: (moments, backend) => this.follow(moments, backend) })
    return relu ? y : activate(y, activation)
  }

  /** Moves the running statistics towards the moments of a batch. It only calls kernels, so that a recorded step repeats it. */
  private follow({ mean, variance, rows, columns }: Moments, backend: Backend): void {
    const { arena, heap } = backend
    const kernels = withOperations(backend)
    const { momentum, runningMean, runningVariance } = this
    const bytes = columns * heap.elementSize
    const [unbiased, difference] = [arena.allocate(bytes), arena.allocate(bytes)]
    const moveTowards = (running: BufferTensor, moment: number): void => {
      kernels.sub(moment, running.address, difference, 1, columns, 0, 1, 0, 1)
      kernels.addScaled(difference, running.address, columns, momentum)
    }
    moveTowards(runningMean, mean)
    kernels.fill(unbiased, columns, 0)
    kernels.addScaled(variance, unbiased, columns, rows / (rows - 1))
    moveTowards(runningVariance, unbiased)
  }
}
