/**
 * Calibrated logits of vectors, in plain JavaScript: predicting takes no engine. Numbers are in plain arrays: once a memory of WebAssembly has grown, V8 asks
 * at each access to a typed array whether its memory is still there, which doubles the time of such loops.
 */
import type { Sequential } from '../index.js'
import type { Line } from './lines.js'

/** @internal Logits are line(x) + shift, or line(max(0, hidden(x))) + shift. */
export class Logits {
  /** The layers: one, or two. */
  readonly #lines: readonly Line[]
  readonly #hidden: Affine | null
  readonly #line: Affine
  /** The vector, and what the hidden layer makes of it. */
  readonly #x: number[]
  readonly #lifted: number[]

  /** @param shifts added to each logit */
  constructor(line: Line, temperature: number, hidden: Line | null, shifts: ArrayLike<number>) {
    const calibrated = {
      weights: line.weights.map((w) => w / temperature),
      bias: line.bias.map((b, c) => b / temperature + shifts[c]),
    }
    this.#lines = hidden === null ? [calibrated] : [hidden, calibrated]
    this.#line = new Affine(calibrated)
    this.#hidden = hidden && new Affine(hidden)
    this.#lifted = new Array<number>(this.#line.width).fill(0.5)
    this.#x = this.#hidden === null ? this.#lifted : new Array<number>(this.#hidden.width).fill(0.5)
  }

  of(vector: Float32Array): Float64Array {
    const [x, lifted, hidden] = [this.#x, this.#lifted, this.#hidden]
    for (let j = 0; j < x.length; j++) x[j] = vector[j]
    if (hidden !== null) for (let k = 0; k < lifted.length; k++) lifted[k] = Math.max(0, hidden.output(k, x))
    const z = new Float64Array(this.#line.outputs)
    for (let c = 0; c < z.length; c++) z[c] = this.#line.output(c, lifted)
    return z
  }

  /** The same as a model with one dense layer, or two. */
  async toModel(): Promise<Sequential> {
    return (await import('./model.js')).modelOf(this.#lines)
  }
}

/** x·W + b. */
class Affine {
  readonly width: number
  readonly outputs: number
  readonly #bias: readonly number[]
  /** The weights of each output. */
  readonly #weights: readonly (readonly number[])[]

  constructor({ weights, bias }: Line) {
    this.outputs = bias.length
    this.width = weights.length / bias.length
    this.#bias = Array.from(bias)
    this.#weights = this.#bias.map((_, k) => Array.from({ length: this.width }, (_, j) => weights[j * this.outputs + k]))
  }

  output(k: number, x: readonly number[]): number {
    return this.#bias[k] + product(this.#weights[k], x)
  }
}

/** Σ wⱼ·xⱼ, by four sums that do not wait for one another. */
function product(w: readonly number[], x: readonly number[]): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let j = 0
  for (; j + 3 < x.length; j += 4) {
    a += w[j] * x[j]
    b += w[j + 1] * x[j + 1]
    c += w[j + 2] * x[j + 2]
    d += w[j + 3] * x[j + 3]
  }
  for (; j < x.length; j++) a += w[j] * x[j]
  return a + b + (c + d)
}
