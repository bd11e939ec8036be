/**
 * Logistic regressions of the same rows. Where each row has one class, it minimizes
 *
 *     Σᵢ (−log softmax(xᵢ·W + b)[classᵢ]) + ½·λ·|W|²
 *
 * over W and b, over all rows but those that a fold holds out. b has no penalty. It is `LogisticRegression` of scikit-learn with C = 1/λ; for two classes
 * that has one vector w, which here is W₂ − W₁ = 2·W₂, so that λ counts twice. Where rows have sets of classes, the loss of a row is Σ −log σ(±(xᵢ·W +
 * b)), `OneVsRestClassifier(LogisticRegression)`.
 */
import { BUNDLE, placeOf } from '../backend/head-kernels.js'
import type { FloatArray } from '../backend/heap.js'
import type { Ptr } from '../backend/kernels.js'
import { addScaled, maxAbs } from '../common/vector.js'
import { History, type Pair } from '../solve/minimize/history.js'
import { type Answers, ONE_CLASS } from './answers.js'
import { descend, HISTORY } from './descend.js'
import { BLOCK, whole } from './engine.js'
import type { Block, EngineRows } from './engine-rows.js'

/** A fitted line: logits are x·W + b. */
export interface Line {
  /** Row-major [width, classes]. */
  weights: Float64Array
  bias: Float64Array
}

/** What one search leaves to another one for similar rows: where it ended, and what it learnt about the curvature. */
export interface Start {
  line: Line
  pairs: readonly Pair[]
  /** The share of the penalty in the curvatures of the pairs. */
  shrink: number
}

/** One regression. */
export class Lines {
  /** Weights and bias of each class, [classes, columns], for the rows as the engine has them: where the last search ended, and the next one begins. */
  theta: Float64Array
  /** Room for them in the engine, for their gradient, and for logits of a block. */
  readonly #weights: Ptr
  readonly #gradient: Ptr
  readonly #z: Ptr
  /** Steps and changes of the gradient of the searches so far, with this penalty. */
  readonly #history = new History(HISTORY)
  #shrink = 0
  /** The gradient at zeros, if the search has not begun. */
  #first: Float64Array | null = null

  /**
   * @param rows with answers, before it solves
   * @param without the fold whose rows it does not see. Default: it sees all
   */
  constructor(
    readonly rows: EngineRows,
    readonly classes: number,
    public answers: Answers = ONE_CLASS,
    private readonly without = -1,
  ) {
    this.theta = new Float64Array(classes * rows.columns)
    const [weights, gradient, z] = [this.theta.length, this.theta.length, BLOCK * classes].map((floats) => rows.memory.allocate(4 * floats))
    ;[this.#weights, this.#gradient, this.#z] = [weights, gradient, z]
  }

  /** Frees its room. */
  free(): void {
    this.rows.memory.free([this.#weights, this.#gradient, this.#z])
  }

  /** The mean of solutions of folds, and what this fold learnt: a start for all rows, which may be centered and scaled a little differently. */
  meanOf(solutions: readonly Float64Array[]): Start {
    const theta = new Float64Array(this.theta.length)
    for (const solution of solutions) addScaled(theta, 1 / solutions.length, solution)
    return { line: this.#lineAt(theta), pairs: this.#history.pairs, shrink: this.#shrink }
  }

  /** Begins where another search of the same or similar rows ended. */
  startFrom({ line, pairs, shrink }: Start): void {
    this.startAt(line)
    this.#history.clear()
    for (const { s, y } of pairs) this.#history.learn(s, y)
    this.#shrink = shrink
  }

  /** Begins at a line. @param line for the rows as they came */
  startAt({ weights, bias }: Line): void {
    const { theta, classes } = this
    const { center, scale, width, columns } = this.rows
    for (let c = 0; c < classes; c++) {
      let z = bias[c]
      for (let j = 0; j < width; j++) {
        const w = weights[j * classes + c]
        theta[c * columns + j] = w * scale
        z += center[j] * w
      }
      theta[c * columns + width] = z
    }
  }

  /**
   * Solves it, until no component of the gradient of the mean loss is larger than `absolute`, or than this share, `relative`, of the penalty's own
   * gradient, which the gradient of the loss balances at the minimum.
   * @param penalty λ
   * @param every takes every such block of rows only, for a start on many rows
   */
  solve(penalty: number, { absolute, relative = 0 }: { absolute: number; relative?: number }, every = 1): void {
    const shrink = ((this.classes === 2 && this.answers.sets === null ? 2 : 1) * penalty) / this.rows.scale ** 2 / this.#count()
    this.#changePenalty(shrink)
    this.theta = descend(
      (theta, out) => {
        if (this.#first === null) return this.gradient(theta, shrink, every, out)
        out.set(this.#first)
        this.#first = null
      },
      this.theta,
      (theta, size) => size <= absolute || size <= relative * shrink * this.#largestWeight(theta),
      this.#history,
    )
  }

  /** Changes the curvature that was learnt by what the penalty adds to it. */
  #changePenalty(shrink: number): void {
    const more = shrink - this.#shrink
    this.#shrink = shrink
    const { pairs } = this.#history
    if (more === 0 || pairs.length === 0) return
    const { width, columns } = this.rows
    this.#history.clear()
    for (const { s, y } of pairs) {
      const changed = y.map((y, i) => (i % columns === width ? y : y + more * s[i]))
      this.#history.learn(s, changed)
    }
  }

  #largestWeight(theta: Float64Array): number {
    const { width, columns } = this.rows
    let most = 0
    for (let at = 0; at < theta.length; at += columns) most = Math.max(most, maxAbs(theta.subarray(at, at + width)))
    return most
  }

  /** The solution, for the rows as they came. */
  line(): Line {
    return this.#lineAt(this.theta)
  }

  #lineAt(theta: Float64Array): Line {
    const { classes } = this
    const { center, scale, width, columns } = this.rows
    const weights = new Float64Array(width * classes)
    const bias = new Float64Array(classes)
    for (let c = 0; c < classes; c++) {
      bias[c] = theta[c * columns + width]
      for (let j = 0; j < width; j++) {
        const w = theta[c * columns + j] / scale
        weights[j * classes + c] = w
        bias[c] -= center[j] * w
      }
    }
    return { weights, bias }
  }

  /** Writes logits of the rows that it does not see. @param out row-major [rows, classes] */
  writeHeldOut(out: Float64Array): void {
    const { classes, rows } = this
    const { heap, kernels } = rows.memory.engine
    heap.floats.set(this.theta, this.#weights / 4)
    for (const block of rows.blocks) {
      if (block.fold !== this.without || block.count === 0) continue
      kernels.headLogits(block.at, this.#weights, this.#z, whole(block.count), rows.columns, classes)
      const { floats } = heap
      for (let i = 0; i < block.count; i++)
        for (let c = 0, from = this.#z / 4 + placeOf(i, 0, classes), to = block.rows[i] * classes; c < classes; c++, from += BUNDLE)
          out[to + c] = floats[from]
    }
  }

  /**
   * For folds of the same rows that begin at zeros. There the gradient of a fold is the sum of those of all rows that it does not hold out, so that each
   * row is taken once for all folds.
   */
  static shareStart(folds: readonly Lines[]): void {
    const own = folds.map((fold) => {
      fold.#sum(fold.theta, (block) => block.fold === fold.without)
      return Float64Array.from(fold.#gradientView())
    })
    const total = new Float64Array(folds[0].theta.length)
    for (const gradient of own) addScaled(total, 1, gradient)
    for (const [f, fold] of folds.entries()) {
      const count = fold.#count()
      fold.#first = total.map((sum, i) => (sum - own[f][i]) / count)
    }
  }

  /** The number of rows that it sees. */
  #count(): number {
    return this.rows.blocks.reduce((sum, { fold, count }) => sum + (fold === this.without ? 0 : count), 0)
  }

  /** Gradient of the mean loss of these blocks, with the penalty. */
  private gradient(theta: Float64Array, shrink: number, every: number, out: Float64Array): void {
    const { width, columns } = this.rows
    const total = this.#sum(theta, ({ fold }, b) => fold !== this.without && b % every === 0)
    const gradient = this.#gradientView()
    for (let i = 0; i < out.length; i++) out[i] = gradient[i] / total + shrink * theta[i]
    for (let i = width; i < out.length; i += columns) out[i] -= shrink * theta[i]
  }

  /** The gradient that {@link #sum} wrote, until more memory is allocated. */
  #gradientView(): FloatArray {
    return this.rows.memory.engine.heap.view(this.#gradient, this.theta.length)
  }

  /** Sums up gradients of losses. @returns the number of rows */
  #sum(theta: Float64Array, takes: (block: Block, b: number) => boolean): number {
    const { classes, rows } = this
    const { heap, kernels } = rows.memory.engine
    const [weights, gradient, sets] = [this.#weights, this.#gradient, this.answers.sets === null ? 0 : 1]
    heap.floats.set(theta, weights / 4)
    this.#gradientView().fill(0)
    let total = 0
    for (const [b, block] of rows.blocks.entries()) {
      if (block.count === 0 || !takes(block, b)) continue
      total += block.count
      kernels.headGradient(block.at, weights, block.answers, this.#z, gradient, whole(block.count), rows.columns, classes, sets)
    }
    return total
  }
}

/** From this number of rows on, the search begins on one of {@link SOME} blocks. */
const MANY = 10_000
const SOME = 8

/** The line of all rows: the minimum to within the tolerance of a head. */
export function lineOfAll(lines: Lines, rows: number, start: Start | Line | null, penalty: number, gradientTolerance: number): Line {
  if (start !== null) 'line' in start ? lines.startFrom(start) : lines.startAt(start)
  if (rows >= MANY) lines.solve(penalty, { absolute: gradientTolerance }, SOME)
  lines.solve(penalty, { absolute: gradientTolerance })
  return lines.line()
}

/** A line with more classes, whose weights are 0. */
export function withClasses(line: Line, after: number): Line {
  const before = line.bias.length
  const kept = Array.from({ length: after }, (_, c) => (c < before ? c : -1))
  return onlyClasses(line, kept)
}

/** A line with some of its classes. @param kept their numbers; −1 for a new class, whose weights are 0 */
export function onlyClasses({ weights, bias }: Line, kept: readonly number[]): Line {
  const before = bias.length
  const own = new Float64Array((weights.length / before) * kept.length)
  for (let from = 0, to = 0; from < weights.length; from += before) for (const c of kept) own[to++] = c < 0 ? 0 : weights[from + c]
  return { weights: own, bias: Float64Array.from(kept, (c) => (c < 0 ? 0 : bias[c])) }
}
