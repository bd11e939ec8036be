/** Calibrated logits of vectors, in plain JavaScript: predicting takes no engine. */
import { Dense, type Module, Sequential } from '../index.js'
import type { Line } from './lines.js'

/** @internal Logits are line(x) + shift, or line(max(0, hidden(x))) + shift. */
export class Logits {
  readonly #hidden: Affine | null
  readonly #line: Affine
  /** The vector as doubles, so that products need no conversions. */
  readonly #wide: Float64Array

  /** @param shifts added to each logit */
  constructor(line: Line, temperature: number, hidden: Line | null, shifts: ArrayLike<number>) {
    this.#line = new Affine({
      weights: line.weights.map((w) => w / temperature),
      bias: line.bias.map((b, c) => b / temperature + shifts[c]),
    })
    this.#hidden = hidden && new Affine(hidden)
    this.#wide = new Float64Array((this.#hidden ?? this.#line).width)
  }

  of(x: Float32Array): Float64Array {
    this.#wide.set(x)
    if (this.#hidden === null) return this.#line.of(this.#wide)
    const lifted = this.#hidden.of(this.#wide)
    for (let k = 0; k < lifted.length; k++) lifted[k] = Math.max(0, lifted[k])
    return this.#line.of(lifted)
  }

  /** The same as a model with one dense layer, or two. */
  toModel(): Sequential {
    const layers = [...(this.#hidden ? [this.#hidden.toLayer('relu')] : []), this.#line.toLayer()]
    const model = new Sequential(layers.map(({ layer }) => layer) as readonly Module[], { seed: 0 })
    model.build()
    for (const { assign } of layers) assign()
    return model
  }
}

/** x·W + b. */
class Affine {
  readonly width: number
  readonly #bias: Float64Array
  /** W, row-major [outputs, width]: a product reads a row. */
  readonly #packed: Float64Array

  constructor({ weights, bias }: Line) {
    const outputs = bias.length
    this.width = weights.length / outputs
    this.#bias = bias
    this.#packed = new Float64Array(weights.length)
    for (let k = 0, at = 0; k < outputs; k++) for (let j = 0; j < this.width; j++) this.#packed[at++] = weights[j * outputs + k]
  }

  of(x: Float64Array): Float64Array {
    const [packed, bias] = [this.#packed, this.#bias]
    const out = new Float64Array(bias.length)
    for (let k = 0, at = 0; k < out.length; k++, at += x.length) out[k] = bias[k] + product(packed, at, x)
    return out
  }

  /** A dense layer, and what gives it its weights once it is built. */
  toLayer(activation?: 'relu'): { layer: Dense; assign: () => void } {
    const [packed, bias, width] = [this.#packed, this.#bias, this.width]
    const outputs = bias.length
    const layer = new Dense(width, outputs, activation && { activation })
    const assign = () => {
      layer.weight.assign(Float32Array.from({ length: packed.length }, (_, i) => packed[(i % outputs) * width + Math.floor(i / outputs)]))
      layer.bias?.assign(Float32Array.from(bias))
    }
    return { layer, assign }
  }
}

/** Σ packed[at + j]·x[j], by four sums that do not wait for one another. */
function product(packed: Float64Array, at: number, x: Float64Array): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  const end = x.length - (x.length % 4)
  let j = 0
  for (; j < end; j += 4) {
    a += packed[at + j] * x[j]
    b += packed[at + j + 1] * x[j + 1]
    c += packed[at + j + 2] * x[j + 2]
    d += packed[at + j + 3] * x[j + 3]
  }
  for (; j < x.length; j++) a += packed[at + j] * x[j]
  return a + b + (c + d)
}
