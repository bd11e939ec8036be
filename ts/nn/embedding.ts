/** A trainable table of vectors, looked up by index. */

import { checkCount } from '../common/checks.js'
import { checkNames } from '../common/names.js'
import { gather } from '../ops/gather.js'
import type { Parameter } from '../parameter.js'
import type { Tensor, TensorLike } from '../tensor.js'
import { type Initializer, type InitializerName, initializer, normal } from './initializer.js'
import { type BuildContext, Module, type ModuleOptions } from './module.js'

/** Options of {@link Embedding}. */
export interface EmbeddingOptions extends ModuleOptions {
  /** Default: normal with mean 0 and standard deviation 1, as in PyTorch. */
  weightInitializer?: InitializerName | Initializer
}

/**
 * Whole numbers [...] to vectors [..., width]: row i of a table [count, width].
 * @example new Embedding(1000, 16).predict(Int32Array.of(3, 14, 15)).shape // [3, 16]
 * @throws RangeError for sizes that are no whole numbers; forward() for an index outside the table
 */
export class Embedding extends Module {
  weight!: Parameter

  constructor(
    readonly count: number,
    readonly width: number,
    private readonly options: EmbeddingOptions = {},
  ) {
    super(options)
    checkNames('Embedding', options, ['weightInitializer', 'seed', 'backend'])
    checkCount('Embedding: count', count)
    checkCount('Embedding: width', width)
  }

  protected override createParameters(context: BuildContext): void {
    this.weight = this.makeParameter(context, 'weight', [this.count, this.width])
    const fill = this.options.weightInitializer ?? normal(0, 1)
    initializer(fill, this.count, this.width, 'Embedding')(this.weight, context.nextGenerator())
  }

  forward(index: TensorLike): Tensor {
    this.build()
    return gather(this.weight, index, this.label(`Embedding(${this.count}, ${this.width})`))
  }
}
