/** A trainable table of vectors, looked up by index. */

import { checkCount } from '../common/checks.js'
import { checkOptions, type Schema } from '../common/options.js'
import { lookUp } from '../ops/gather.js'
import type { Parameter } from '../parameter.js'
import type { Tensor, TensorLike } from '../tensor.js'
import { type Initializer, type InitializerName, initializer, initializing, normal } from './initializer.js'
import { Layer } from './layer.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/** Options of {@link Embedding}. */
export interface EmbeddingOptions extends ModuleOptions {
  /** Default: normal with mean 0 and standard deviation 1, as in PyTorch. */
  weightInitializer?: InitializerName | Initializer
}

export const EMBEDDING = { ...MODULE, weightInitializer: { is: initializing } } satisfies Schema<EmbeddingOptions>

/**
 * Turns whole numbers [...] into vectors [..., width]: i becomes row i of a table [count, width].
 *
 * @example
 * new Embedding(1000, 16).predict(Int32Array.of(3, 14, 15)).shape // [3, 16]
 * @throws RangeError for sizes that are not whole numbers; forward() for an index outside the table
 */
export class Embedding extends Layer {
  declare weight: Parameter
  readonly #options: EmbeddingOptions

  constructor(
    readonly count: number,
    readonly width: number,
    options: EmbeddingOptions = {},
  ) {
    super(options)
    checkOptions('Embedding', options, EMBEDDING)
    checkCount('Embedding: count', count)
    checkCount('Embedding: width', width)
    this.#options = options
  }

  protected override createParameters(context: BuildContext): void {
    const { weightInitializer = normal(0, 1) } = this.#options
    this.weight = this.makeParameter(context, 'weight', [this.count, this.width])
    initializer(weightInitializer, this.count, this.width, 'Embedding')(this.weight, context.nextGenerator())
  }

  override describe(): string {
    return `Embedding(${this.count}, ${this.width})`
  }

  forward(index: TensorLike): Tensor {
    const { weight } = this.build()
    return lookUp(weight, index, this.label(this.describe()))
  }
}
