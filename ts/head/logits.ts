/** Calibrated logits of vectors, in plain JavaScript: predicting takes no engine. */
import { Dense, Sequential } from '../index.js'
import type { Line } from './lines.js'

/** @internal Logits are packed·x + shift. */
export class Logits {
  readonly width: number
  /** Row-major [classes, width]. */
  readonly #packed: Float64Array
  readonly #shift: Float64Array
  /** The vector as doubles, so that products need no conversions. */
  readonly #wide: Float64Array

  /** @param shifts added to each logit */
  constructor({ weights, bias }: Line, temperature: number, shifts: ArrayLike<number> = new Float64Array(bias.length)) {
    const classes = bias.length
    const width = weights.length / classes
    this.width = width
    this.#packed = new Float64Array(classes * width)
    for (let c = 0; c < classes; c++) for (let j = 0; j < width; j++) this.#packed[c * width + j] = weights[j * classes + c] / temperature
    this.#shift = bias.map((b, c) => b / temperature + shifts[c])
    this.#wide = new Float64Array(width)
  }

  of(x: Float32Array): Float64Array {
    const [packed, shift, wide, width] = [this.#packed, this.#shift, this.#wide, this.width]
    wide.set(x)
    const z = new Float64Array(shift.length)
    for (let c = 0, at = 0; c < z.length; c++, at += width) z[c] = shift[c] + product(packed, at, wide)
    return z
  }

  /** The same as a model with one dense layer. */
  toModel(): Sequential {
    const [packed, width] = [this.#packed, this.width]
    const classes = this.#shift.length
    const layer = new Dense(width, classes)
    const model = new Sequential([layer], { seed: 0 })
    model.build()
    layer.weight.assign(Float32Array.from({ length: width * classes }, (_, i) => packed[(i % classes) * width + Math.floor(i / classes)]))
    layer.bias?.assign(Float32Array.from(this.#shift))
    return model
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
