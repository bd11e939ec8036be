/** What heads of both kinds have in common: weights on vectors, perhaps behind a hidden layer, that become files and models. */
import { flag, readOptions, type Schema } from '../common/options.js'
import { saveState } from '../files/state-file.js'
import type { Sequential } from '../index.js'
import { encodeState } from '../io/state.js'
import { type Examples, presentExamples } from './examples.js'
import type { Line } from './lines.js'
import { Logits } from './logits.js'
import { rounded } from './rounded.js'
import { Solver } from './solver.js'
import type { Label } from './vectors.js'

/** State that both kinds have. */
export interface AnyState<L extends Label> {
  labels: readonly L[]
  width: number
  /** The hidden layer max(0, x·W + b); null where the line is on the vectors themselves. */
  hidden: Line | null
  line: Line
  l2: number
  temperature: number
  gradientTolerance: number
  examples: Examples | null
}

/** Options of {@link Head.save} and {@link Head.bytes}. */
export interface SaveHeadOptions {
  /**
   * Keeps the examples, so that the head can go on learning and name the nearest ones: two bytes a number. Default false: such a head only predicts,
   * and 384 numbers × 10 classes take less than 20 kB; a hidden layer of 64 neurons takes 43 kB more.
   */
  examples?: boolean
}

export const SAVE_HEAD = { examples: { is: flag, default: false } } satisfies Schema<SaveHeadOptions>

export abstract class AnyHead<L extends Label, S extends AnyState<L>> {
  #state!: S
  #logits!: Logits
  /** @internal one vector */
  protected readonly scratch: Float32Array
  /** @internal */
  protected readonly solver: Solver

  /** @internal */
  constructor(state: S) {
    this.scratch = new Float32Array(state.width)
    this.solver = new Solver(state.hidden)
    this.take(state)
  }

  /** The classes: sorted at first, later ones behind them. */
  get labels(): readonly L[] {
    return this.#state.labels
  }

  /** The length of a vector. */
  get width(): number {
    return this.#state.width
  }

  /** The neurons of the hidden layer, such as `[64]`; `[]` if there is none. */
  get hidden(): readonly number[] {
    const { hidden } = this.#state
    return hidden === null ? [] : [hidden.bias.length]
  }

  /** The penalty of the squared weights, 1/C of scikit-learn's `LogisticRegression`; with a hidden layer that of the weights behind it. */
  get l2(): number {
    return this.#state.l2
  }

  /** Logits are divided by this, which makes probabilities calibrated. */
  get temperature(): number {
    return this.#state.temperature
  }

  /** @internal for files and reports */
  get state(): S {
    return this.#state
  }

  /** @internal */
  protected get logits(): Logits {
    return this.#logits
  }

  /**
   * The head as a model of one dense layer, or two, whose outputs are calibrated logits: for `toOnnx`, `toFunction` and other exports. It is a copy.
   *
   * @example
   * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
   * const model = await head.toModel()
   * model.predict([[0, 3]]).shape // [1, 2]
   */
  toModel(): Promise<Sequential> {
    return this.#logits.toModel()
  }

  /** @internal {@link toModel} with weights that 16 bits hold */
  toRoundedModel(): Promise<Sequential> {
    const state = { ...this.#state, ...rounded(this.#state) }
    return this.#logitsOf(state, 'toModel').toModel()
  }

  /**
   * The head as the bytes of one file, for {@link loadHead} or {@link loadMultiLabelHead}: weights and means with 11 significant bits.
   *
   * @example
   * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
   * const again = await loadHead(head.bytes())
   * again.predict([0, 3]).label // 'cat'
   */
  bytes(options: SaveHeadOptions = {}): Uint8Array {
    const { examples } = readOptions('bytes', options, SAVE_HEAD)
    return encodeState(this.stored(examples))
  }

  /**
   * Saves the head in one file, all or nothing, as `saveModel` does; in a browser under a name in IndexedDB.
   *
   * @example
   * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
   * await head.save('head.safetensors', { examples: true })
   */
  save(path: string, options: SaveHeadOptions = {}): Promise<void> {
    const { examples } = readOptions('save', options, SAVE_HEAD)
    return saveState(this.stored(examples), path)
  }

  /** @internal The state as `encodeState` takes it. */
  protected abstract stored(withExamples: boolean): object

  /** @internal the examples. @throws Error for a head that was saved without them */
  protected examplesFor(who: string): Examples {
    return presentExamples(who, this.#state.examples)
  }

  /** @internal what is added to each logit. @throws TypeError, RangeError for a state that does not fit */
  protected abstract shifts(state: S, who: string): Float64Array

  /** @internal Takes a state, if it fits. */
  protected take(state: S, who = 'Head'): void {
    this.#logits = this.#logitsOf(state, who)
    this.#state = state
  }

  #logitsOf(state: S, who: string): Logits {
    return new Logits(state.line, state.temperature, state.hidden, this.shifts(state, who))
  }
}
