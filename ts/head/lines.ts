/**
 * Logistic regressions of the same rows, solved together. Where each row has one class, problem f minimizes
 *
 *     Σᵢ rᵢ·(−log softmax(xᵢ·W + b)[classᵢ]) + ½·λ·|W|²
 *
 * over W and b, with row weights r of its own, such as 0 for the rows that a fold holds out. b has no penalty. It is `LogisticRegression` of
 * scikit-learn with C = 1/λ; for two classes that has one vector w, which here is W₂ − W₁ = 2·W₂, so that λ counts twice. Where rows have sets of
 * classes, the loss of a row is Σ −log σ(±(xᵢ·W + b)), `OneVsRestClassifier(LogisticRegression)`. One matrix product serves all problems, and so does one
 * history of L-BFGS: the problems share most rows, so that their curvatures are similar.
 */

import { maxAbs } from '../common/vector.js'
import { dense, noGrad, Parameter, reshape, type Tensor, tensor } from '../index.js'
import { History, type Pair } from '../solve/minimize/history.js'
import { type Answers, ONE_CLASS } from './answers.js'
import { descend, HISTORY } from './descend.js'
import type { EngineRows } from './engine-rows.js'

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

/** Problems that share their rows and classes. */
export class Lines {
  private readonly weight: Parameter
  private readonly bias: Parameter
  /** Weights and then biases of all problems, for the rows as the engine has them: where the last search ended, and the next one begins. */
  theta: Float64Array
  /** Of each block of rows: answers and weights of its rows in all problems, and the weights of a problem in sum. */
  private targets: { answers: Tensor; weights: Tensor; total: number }[] = []
  /** The weight of the rows of a problem. */
  private total = 0
  /** Steps and changes of the gradient of the searches so far, with this penalty. */
  private readonly history = new History(HISTORY)
  private shrink = 0

  constructor(
    private readonly rows: EngineRows,
    readonly classes: number,
    readonly problems: number,
    public answers: Answers = ONE_CLASS,
  ) {
    const columns = problems * classes
    this.weight = Parameter.ofShape([rows.width, columns])
    this.bias = Parameter.ofShape([columns])
    this.theta = new Float64Array(this.weight.size + this.bias.size)
  }

  /**
   * @param answerOf of each row
   * @param weightOf of a row in a problem. Default: 1
   */
  setTargets(answerOf: ArrayLike<number>, weightOf: (row: number, problem: number) => number = () => 1): void {
    const { problems, rows } = this
    let row = 0
    this.targets = rows.blocks.map(({ capacity, count }) => {
      const own = new Int32Array(capacity * problems)
      const weights = new Float32Array(capacity * problems)
      let total = 0
      for (let i = 0, at = 0; i < count; i++, row++)
        for (let f = 0; f < problems; f++, at++) {
          own[at] = answerOf[row]
          total += weights[at] = weightOf(row, f)
        }
      return { answers: this.answers.targets(own), weights: tensor(weights), total: total / problems }
    })
    this.total = this.targets.reduce((sum, { total }) => sum + total, 0)
  }

  /** Begins where a search of one problem ended. The pairs of rows that were centered and scaled a little differently are as good. */
  startFrom({ line, pairs, shrink }: Start): void {
    this.startAt(line)
    this.history.clear()
    for (const { s, y } of pairs) this.history.learn(s.slice(), y.slice())
    this.shrink = shrink
  }

  /** Begins at a line in each problem. @param line for the rows as they came */
  startAt({ weights, bias }: Line): void {
    const { theta, classes, weight } = this
    const { center, scale, width } = this.rows
    const columns = this.problems * classes
    for (let c = 0; c < columns; c++) {
      const own = c % classes
      let z = bias[own]
      for (let j = 0; j < width; j++) {
        const w = weights[j * classes + own]
        theta[j * columns + c] = w * scale
        z += center[j] * w
      }
      theta[weight.size + c] = z
    }
  }

  /**
   * Solves all problems, until no component of the gradient of the mean loss is larger than `absolute`, or than this share, `relative`, of the
   * penalty's own gradient, which the gradient of the loss balances at the minimum.
   * @param penalty λ
   * @param every takes every such block of rows only, for a start on many rows
   */
  solve(penalty: number, { absolute, relative = 0 }: { absolute: number; relative?: number }, every = 1): void {
    const shrink = ((this.classes === 2 && !this.answers.areSets ? 2 : 1) * penalty) / this.rows.scale ** 2 / this.total
    this.changePenalty(shrink)
    this.theta = descend(
      (theta, out) => this.gradient(theta, shrink, every, out),
      this.theta,
      (theta, size) => size <= absolute || size <= relative * shrink * maxAbs(theta.subarray(0, this.weight.size)),
      this.history,
    )
  }

  /** Changes the curvature that was learnt by what the penalty adds to it. */
  private changePenalty(shrink: number): void {
    const { history, weight } = this
    const more = shrink - this.shrink
    this.shrink = shrink
    if (more === 0) return
    const { pairs } = history
    history.clear()
    for (const { s, y } of pairs) {
      for (let i = 0; i < weight.size; i++) y[i] += more * s[i]
      history.learn(s, y)
    }
  }

  /** The mean of the solutions, as a start for one problem with all rows. */
  mean(): Start {
    const { history, shrink } = this
    const pairs = history.pairs.map(({ s, y, rho }) => ({ s: this.meanOf(s), y: this.meanOf(y), rho }))
    return { line: this.lineAt(this.meanOf(this.theta), 0, this.classes), pairs, shrink }
  }

  /** The mean over problems of values of each weight and bias. */
  private meanOf(values: Float64Array): Float64Array {
    const { classes, problems } = this
    const out = new Float64Array(values.length / problems)
    for (let from = 0, to = 0; to < out.length; to += classes)
      for (let f = 0; f < problems; f++) for (let k = 0; k < classes; k++) out[to + k] += values[from++] / problems
    return out
  }

  /** A solution, for the rows as they came. */
  line(problem = 0): Line {
    return this.lineAt(this.theta, problem, this.problems * this.classes)
  }

  private lineAt(theta: Float64Array, problem: number, columns: number): Line {
    const { classes } = this
    const size = this.rows.width * columns
    const { center, scale, width } = this.rows
    const weights = new Float64Array(width * classes)
    const bias = new Float64Array(classes)
    for (let k = 0; k < classes; k++) {
      const c = problem * classes + k
      bias[k] = theta[size + c]
      for (let j = 0; j < width; j++) {
        const w = theta[j * columns + c] / scale
        weights[j * classes + k] = w
        bias[k] -= center[j] * w
      }
    }
    return { weights, bias }
  }

  /** Logits of all rows by the problem that each names: row-major [rows, classes]. */
  logits(problemOf: ArrayLike<number>): Float64Array {
    const { classes, problems, rows } = this
    this.assign(this.theta)
    const out = new Float64Array(rows.count * classes)
    let row = 0
    for (const block of rows.blocks) {
      const all = noGrad(() => dense(block.forward(), this.weight, this.bias).data())
      for (let i = 0; i < block.count; i++, row++) {
        const from = (i * problems + problemOf[row]) * classes
        out.set(all.subarray(from, from + classes), row * classes)
      }
    }
    return out
  }

  private assign(theta: Float64Array): void {
    this.weight.view().set(theta.subarray(0, this.weight.size))
    this.bias.view().set(theta.subarray(this.weight.size))
  }

  /** Gradient of the mean loss of these blocks, with the penalty. */
  private gradient(theta: Float64Array, shrink: number, every: number, out: Float64Array): void {
    const { weight, bias, rows, classes, problems, answers } = this
    this.assign(theta)
    weight.grad = bias.grad = null
    let total = 0
    for (let b = 0; b < rows.blocks.length; b += every) {
      const [block, targets] = [rows.blocks[b], this.targets[b]]
      if (targets.total === 0) continue
      total += targets.total
      // gradients of blocks add up in the parameters
      const logits = reshape(dense(block.forward(), weight, bias), [block.capacity * problems, classes])
      answers.loss(logits, targets.answers, targets.weights).backward()
    }
    out.set(weight.gradientView())
    out.set(bias.gradientView(), weight.size)
    for (let i = 0; i < weight.size; i++) out[i] = out[i] / total + shrink * theta[i]
    for (let i = weight.size; i < out.length; i++) out[i] /= total
  }
}

/** From this number of rows on, the search begins on one of {@link SOME} blocks. */
const MANY = 10_000
const SOME = 8

/** The line of all rows: the minimum to within the tolerance of a head. */
export function lineOfAll(
  lines: Lines,
  answerOf: ArrayLike<number>,
  start: Start | Line | null,
  penalty: number,
  gradientTolerance: number,
): Line {
  lines.setTargets(answerOf)
  if (start !== null) 'line' in start ? lines.startFrom(start) : lines.startAt(start)
  if (answerOf.length >= MANY) lines.solve(penalty, { absolute: gradientTolerance }, SOME)
  lines.solve(penalty, { absolute: gradientTolerance })
  return lines.line()
}

/** A line with more classes, whose weights are 0. */
export function withClasses(line: Line, after: number): Line {
  const before = line.bias.length
  return onlyClasses(
    line,
    Array.from({ length: after }, (_, c) => (c < before ? c : -1)),
  )
}

/** A line with some of its classes. @param kept their numbers; −1 for a new class, whose weights are 0 */
export function onlyClasses({ weights, bias }: Line, kept: readonly number[]): Line {
  const before = bias.length
  const own = new Float64Array((weights.length / before) * kept.length)
  for (let from = 0, to = 0; from < weights.length; from += before) for (const c of kept) own[to++] = c < 0 ? 0 : weights[from + c]
  return { weights: own, bias: Float64Array.from(kept, (c) => (c < 0 ? 0 : bias[c])) }
}
