/**
 * Multinomial logistic regressions of the same rows, solved together. Problem f minimizes
 *
 *     Σᵢ rᵢ·(−log softmax(xᵢ·W + b)[classᵢ]) + ½·λ·|W|²
 *
 * over W and b, with row weights r of its own, such as 0 for the rows that a fold holds out. b has no penalty. It is `LogisticRegression` of
 * scikit-learn with C = 1/λ; for two classes that has one vector w, which here is W₂ − W₁ = 2·W₂, so that λ counts twice. One matrix product serves
 * all problems, and so does one history of L-BFGS: the problems share most rows, so that their curvatures are similar.
 */

import { maxAbs } from '../common/vector.js'
import { crossEntropy, dense, noGrad, Parameter, reshape, type Tensor, tensor } from '../index.js'
import { descend } from './descend.js'
import type { EngineRows } from './engine-rows.js'

/** A fitted line: logits are x·W + b. */
export interface Line {
  /** Row-major [width, classes]. */
  weights: Float64Array
  bias: Float64Array
}

/** Problems that share their rows and classes. */
export class Lines {
  /** Calls of the engine for a gradient. */
  evaluations = 0
  private readonly weight: Parameter
  private readonly bias: Parameter
  /** Weights and then biases of all problems, for the rows as the engine has them: where the last search ended. */
  private theta: Float64Array
  private targets!: Tensor
  private rowWeights!: Tensor
  /** The weight of the rows of a problem, which gradients are divided by. */
  private total = 0

  constructor(
    private readonly rows: EngineRows,
    readonly classes: number,
    readonly problems: number,
  ) {
    const columns = problems * classes
    this.weight = Parameter.ofShape([rows.width, columns])
    this.bias = Parameter.ofShape([columns])
    this.theta = new Float64Array(this.weight.size + this.bias.size)
  }

  /**
   * @param classOf of each row
   * @param weightOf of a row in a problem. Default: 1
   */
  setTargets(classOf: ArrayLike<number>, weightOf: (row: number, problem: number) => number = () => 1): void {
    const { problems } = this
    const { count, capacity } = this.rows
    const targets = new Int32Array(capacity * problems)
    const weights = new Float32Array(capacity * problems)
    let total = 0
    for (let i = 0, at = 0; i < count; i++)
      for (let f = 0; f < problems; f++, at++) {
        targets[at] = classOf[i]
        total += weights[at] = weightOf(i, f)
      }
    this.total = total / problems
    this.targets = tensor(targets)
    this.rowWeights = tensor(weights)
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
   */
  solve(penalty: number, { absolute, relative = 0 }: { absolute: number; relative?: number }): void {
    const scaled = ((this.classes === 2 ? 2 : 1) * penalty) / this.rows.scale ** 2
    const pull = (theta: Float64Array) => (scaled / this.total) * maxAbs(theta.subarray(0, this.weight.size))
    this.theta = descend(
      (theta) => this.gradient(theta, scaled),
      this.theta,
      (theta, size) => size <= absolute || size <= relative * pull(theta),
    )
  }

  /** A solution, for the rows as they came. */
  line(problem = 0): Line {
    const { theta, classes, weight } = this
    const { center, scale, width } = this.rows
    const columns = this.problems * classes
    const weights = new Float64Array(width * classes)
    const bias = new Float64Array(classes)
    for (let k = 0; k < classes; k++) {
      const c = problem * classes + k
      bias[k] = theta[weight.size + c]
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
    const { classes, problems } = this
    this.assign(this.theta)
    const all = noGrad(() => this.forward().data())
    const out = new Float64Array(this.rows.count * classes)
    for (let i = 0; i < this.rows.count; i++) {
      const from = (i * problems + problemOf[i]) * classes
      out.set(all.subarray(from, from + classes), i * classes)
    }
    return out
  }

  private assign(theta: Float64Array): void {
    this.weight.view().set(theta.subarray(0, this.weight.size))
    this.bias.view().set(theta.subarray(this.weight.size))
  }

  private forward(): Tensor {
    return dense(this.rows.tensor, this.weight, this.bias)
  }

  /** Gradient of the mean loss with the penalty. */
  private gradient(theta: Float64Array, penalty: number): Float64Array {
    const { weight, bias } = this
    this.evaluations++
    this.assign(theta)
    weight.grad = bias.grad = null
    const logits = reshape(this.forward(), [this.rows.capacity * this.problems, this.classes])
    crossEntropy(logits, this.targets, { weights: this.rowWeights, reduction: 'sum' }).backward()
    const out = new Float64Array(theta.length)
    out.set(weight.gradientView())
    out.set(bias.gradientView(), weight.size)
    const [byTotal, shrink] = [1 / this.total, penalty / this.total]
    for (let i = 0; i < weight.size; i++) out[i] = out[i] * byTotal + shrink * theta[i]
    for (let i = weight.size; i < out.length; i++) out[i] *= byTotal
    return out
  }
}

/** The line of all rows: the minimum to within the tolerance of a head. */
export function lineOfAll(lines: Lines, classOf: ArrayLike<number>, start: Line | null, penalty: number, gradientTolerance: number): Line {
  lines.setTargets(classOf)
  if (start !== null) lines.startAt(start)
  lines.solve(penalty, { absolute: gradientTolerance })
  return lines.line()
}
