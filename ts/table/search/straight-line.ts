/**
 * The straight line of a table: ridge regression, or logistic regression, as `Ridge()` and `LogisticRegression()` of scikit-learn fit them after
 * `StandardScaler` and `OneHotEncoder`. It is the model of `hidden: []`, the reference for nets in reports, and the line whose residuals nets of a
 * series learn.
 *
 * Numbers, dates and ordered categories are brought to mean 0 and deviation 1; every other category has a weight of its own. With weights W, a bias b
 * without penalty, and row weights r,
 *
 *     regression:      ½ Σ r·(y − xW − b)² + ½·|W|²
 *     classification:  Σ −r·log softmax(xW + b)[class] + ½·λ·|W|²   with λ = 1; with two classes λ = 2, as W₁ = −W₂ = w/2 of scikit-learn's one w
 *
 * Newton's method finds the minimum (for numeric targets in one step), each step by conjugate gradients, all in double precision.
 */
import { clock } from '../../common/clock.js'
import { Pacer } from '../../common/pacer.js'
import { softmaxOf } from '../../common/softmax.js'
import { dot, norm } from '../../common/vector.js'
import { Dense, EmbedColumns, type Module, Sequential } from '../../index.js'
import type { Embedded } from '../rows/features.js'

/** Data to which a line is fitted. */
export interface LineSamples {
  /** Row-major [rows, features]: as the encoder gives them, but embedded columns with the numbers of their vectors. */
  inputs: Float32Array
  features: number
  /** Indices of the features that are scaled to mean 0 and deviation 1. */
  numbers: readonly number[]
  /** Columns of numbers of categories: each has a weight of its own. */
  embedded: readonly Pick<Embedded, 'feature' | 'count'>[]
  targets: Int32Array | Float32Array
  /** 0 for numbers. */
  classes: number
  /** Weight of each row. Default 1. */
  rowWeights?: ArrayLike<number> | undefined
}

/** Limits on the time of a fit. */
export interface LineLimits {
  /** Seconds for everything that is trained; undefined without a limit. */
  time?: number | undefined
  signal?: AbortSignal | undefined
  /** Uses all rows, however long it takes. Default: as many rows as a few seconds allow, evenly spread. */
  all?: boolean
}

/** A fitted line, on inputs that are not scaled. */
export interface Line {
  features: number
  outputs: number
  /** Row-major [features, outputs]; zeros for embedded columns. */
  weights: Float64Array
  bias: Float64Array
  /** Weights of the categories of each embedded column, row-major [count, outputs]. */
  tables: readonly { feature: number; count: number; weights: Float64Array }[]
}

/** Largest number of multiply-adds of the whole fit, and per available second. */
const MAX_WORK = 2e9
const WORK_A_SECOND = 2e8
/** Least number of rows, if there are that many. */
const FEWEST_ROWS = 500
/** Approximate number of products with all rows that a fit takes. */
const USUAL_PRODUCTS = 100
/** Largest share of the time that the fit may take. */
const TIME_SHARE = 0.03
const NEWTON_STEPS = 60
const CG_STEPS = 2000
/** The gradient has converged when it is this much smaller than at the start. */
const TOLERANCE = 1e-11
/** A column with a smaller deviation counts as constant: its weight, times the largest input, would be infinite in 32 bits. */
const MIN_DEVIATION = 1e-18
/** Milliseconds between pauses in which other tasks of the event loop run. */
const TURN = 40

/** @returns null if the loss is not finite, or if the signal fired first */
export async function fitLine(
  samples: LineSamples,
  rows: ArrayLike<number>,
  { time, signal, all = false }: LineLimits = {},
): Promise<Line | null> {
  const { features, classes } = samples
  const outputs = classes || 1
  const work = time === undefined ? MAX_WORK : Math.min(MAX_WORK, WORK_A_SECOND * time)
  const some = all ? Int32Array.from(rows) : everyAffordable(rows, work / (USUAL_PRODUCTS * features * outputs))
  if (some.length === 0) return null
  const end = time === undefined || all ? Number.POSITIVE_INFINITY : clock.now() + 1000 * TIME_SHARE * time
  const problem = new LineProblem(samples, some)
  const isOver = () => clock.now() > end || signal?.aborted === true
  if (!(await minimize(problem, isOver))) return null
  return problem.line()
}

/** Predictions of rows of inputs, row-major [rows, outputs]: probabilities of classes, or numbers. */
export function lineAnswers(line: Line, inputs: Float32Array): Float64Array {
  const { features, outputs } = line
  const count = inputs.length / features
  const out = new Float64Array(count * outputs)
  const embedded = new Set(line.tables.map(({ feature }) => feature))
  for (let i = 0; i < count; i++) {
    const own = out.subarray(i * outputs, (i + 1) * outputs)
    own.set(line.bias)
    for (let f = 0; f < features; f++) {
      const x = inputs[i * features + f]
      if (x !== 0 && !embedded.has(f)) for (let k = 0; k < outputs; k++) own[k] += x * line.weights[f * outputs + k]
    }
    for (const { feature, weights } of line.tables)
      for (let k = 0; k < outputs; k++) own[k] += weights[inputs[i * features + feature] * outputs + k]
    if (outputs > 1) softmaxOf(own)
  }
  return out
}

/** The mean of lines, by weights that add up to 1. */
export function meanOfLines(lines: readonly { line: Line; weight: number }[]): Line {
  const [{ line: first }] = lines
  const mean = (of: (line: Line) => Float64Array) =>
    of(first).map((_, i) => lines.reduce((sum, { line, weight }) => sum + weight * of(line)[i], 0))
  return {
    ...first,
    weights: mean(({ weights }) => weights),
    bias: mean(({ bias }) => bias),
    tables: first.tables.map((table, t) => ({ ...table, weights: mean(({ tables }) => tables[t].weights) })),
  }
}

/**
 * The line as a net.
 * @param width of its input
 * @param place column of the input with the unchanged value of a feature
 */
export function lineNet(
  { features, outputs, weights, bias, tables }: Line,
  width = features,
  place = (feature: number) => feature,
): Module {
  const net = new Dense(width - tables.length + tables.length * outputs, outputs, { activation: 'linear' })
  const embed =
    tables.length === 0
      ? null
      : new EmbedColumns(
          width,
          tables.map(({ feature, count }) => ({ feature, count, size: outputs })),
        )
  const model = new Sequential(embed === null ? [net] : [embed, net], { seed: 0 })
  const own = new Float32Array(net.weight.size)
  const embedded = new Set(tables.map(({ feature }) => feature))
  const others = embed === null ? Array.from({ length: width }, (_, i) => i) : embed.others
  const rowOf = new Map(others.map((column, row) => [column, row]))
  for (let f = 0; f < features; f++)
    if (!embedded.has(f)) for (let k = 0; k < outputs; k++) own[(rowOf.get(place(f)) as number) * outputs + k] = weights[f * outputs + k]
  // the vector of a category contains its weights, one for each output
  for (let i = 0; i < tables.length * outputs; i++) own[(others.length + i) * outputs + (i % outputs)] = 1
  net.weight.assign(own)
  net.bias?.assign(Float32Array.from(bias))
  for (const [t, table] of tables.entries()) embed?.tables[t].weight.assign(Float32Array.from(table.weights))
  return model
}

/** All rows, or as many as are affordable, evenly spread. */
function everyAffordable(rows: ArrayLike<number>, affordable: number): Int32Array {
  const every = Math.max(1, Math.ceil(rows.length / Math.max(FEWEST_ROWS, affordable)))
  return Int32Array.from({ length: Math.ceil(rows.length / every) }, (_, i) => rows[i * every])
}

/**
 * Loss, gradient and products with the Hessian. Parameters lie in one array: weights of scaled features [features, outputs], weights of the tables,
 * and the biases.
 */
class LineProblem {
  readonly size: number
  /** Parameters. */
  readonly theta: Float64Array
  private readonly count: number
  private readonly outputs: number
  private readonly penalty: number
  private readonly centers: Float64Array
  private readonly spreads: Float64Array
  private readonly isEmbedded: Uint8Array
  /** Start of the weights of each table, and of the biases. */
  private readonly tables: readonly { feature: number; count: number; from: number }[]
  private readonly biases: number
  /** For classes the probabilities at the parameters, row-major [rows, outputs]; for numbers the errors. */
  private readonly p: Float64Array
  private readonly u: Float64Array
  private readonly rowWeights: Float64Array

  constructor(
    private readonly samples: LineSamples,
    private readonly rows: Int32Array,
  ) {
    const { inputs, features, classes, numbers, embedded, rowWeights } = samples
    this.count = rows.length
    this.outputs = classes || 1
    this.penalty = classes === 2 ? 2 : 1
    this.rowWeights = Float64Array.from(rows, (row) => rowWeights?.[row] ?? 1)
    this.centers = new Float64Array(features)
    this.spreads = new Float64Array(features).fill(1)
    this.isEmbedded = new Uint8Array(features)
    let at = features * this.outputs
    this.tables = embedded.map(({ feature, count }) => {
      this.isEmbedded[feature] = 1
      const from = at
      at += count * this.outputs
      return { feature, count, from }
    })
    this.biases = at
    this.size = at + this.outputs
    this.theta = new Float64Array(this.size)
    this.p = new Float64Array(this.count * this.outputs)
    this.u = new Float64Array(this.count * this.outputs)
    // centering changes only the bias, and makes it independent of the weights
    for (const row of rows) for (let f = 0; f < features; f++) this.centers[f] += inputs[row * features + f]
    for (let f = 0; f < features; f++) this.centers[f] = this.isEmbedded[f] ? 0 : this.centers[f] / this.count
    for (const f of numbers) {
      let sum = 0
      for (const row of rows) sum += (inputs[row * features + f] - this.centers[f]) ** 2
      // a constant column gets deviation 1: the rounding of its mean does not count as spread
      const deviation = Math.sqrt(sum / this.count)
      this.spreads[f] = deviation > Math.max(MIN_DEVIATION, 1e-7 * Math.abs(this.centers[f])) ? deviation : 1
    }
  }

  /** The total loss at the parameters, with the penalty; `p` is updated. */
  loss(): number {
    const { samples, p, outputs, rows, rowWeights } = this
    this.forward(this.theta, p)
    let sum = 0
    for (let i = 0; i < this.count; i++) {
      const target = samples.targets[rows[i]]
      if (samples.classes === 0) {
        p[i] -= target
        sum += (rowWeights[i] * p[i] ** 2) / 2
      } else {
        const own = p.subarray(i * outputs, (i + 1) * outputs)
        const most = Math.max(...own)
        const wanted = own[target] - most
        let total = 0
        for (let k = 0; k < outputs; k++) total += own[k] = Math.exp(own[k] - most)
        for (let k = 0; k < outputs; k++) own[k] /= total
        sum += rowWeights[i] * (Math.log(total) - wanted)
      }
    }
    for (let i = 0; i < this.biases; i++) sum += (this.penalty * this.theta[i] ** 2) / 2
    return sum
  }

  /** Gradient of the loss at the parameters of the last call of {@link loss}. */
  gradient(out: Float64Array): void {
    const { p, u, outputs, samples, rows, rowWeights } = this
    for (let i = 0; i < this.count; i++)
      for (let k = 0; k < outputs; k++) {
        const isTarget = samples.classes > 0 && samples.targets[rows[i]] === k
        u[i * outputs + k] = rowWeights[i] * (p[i * outputs + k] - (isTarget ? 1 : 0))
      }
    this.transpose(u, out)
    for (let i = 0; i < this.biases; i++) out[i] += this.penalty * this.theta[i]
  }

  /** The Hessian at these parameters, times v. */
  product(v: Float64Array, out: Float64Array): void {
    const { p, u, outputs, rowWeights } = this
    this.forward(v, u)
    for (let i = 0; i < this.count; i++) {
      if (this.samples.classes === 0) u[i] *= rowWeights[i]
      else {
        let mean = 0
        for (let k = 0; k < outputs; k++) mean += p[i * outputs + k] * u[i * outputs + k]
        for (let k = 0; k < outputs; k++) u[i * outputs + k] = rowWeights[i] * p[i * outputs + k] * (u[i * outputs + k] - mean)
      }
    }
    this.transpose(u, out)
    for (let i = 0; i < this.biases; i++) out[i] += this.penalty * v[i]
  }

  /** The diagonal of the Hessian at these parameters. */
  diagonal(out: Float64Array): void {
    const { p, outputs, rowWeights, samples, rows, centers, spreads } = this
    const { inputs, features } = samples
    out.fill(this.penalty, 0, this.biases).fill(0, this.biases)
    for (let i = 0; i < this.count; i++)
      for (let k = 0; k < outputs; k++) {
        const q = samples.classes === 0 ? 1 : p[i * outputs + k] * (1 - p[i * outputs + k])
        const h = rowWeights[i] * q
        const from = rows[i] * features
        for (let f = 0; f < features; f++)
          if (!this.isEmbedded[f]) out[f * outputs + k] += h * ((inputs[from + f] - centers[f]) / spreads[f]) ** 2
        for (const table of this.tables) out[table.from + inputs[from + table.feature] * outputs + k] += h
        out[this.biases + k] += h
      }
    for (let i = 0; i < this.size; i++) if (!(out[i] > 0)) out[i] = 1
  }

  /** These parameters as a line on inputs that are not scaled. */
  line(): Line {
    const { theta, outputs, centers, spreads, samples, tables, biases } = this
    const { features } = samples
    const weights = new Float64Array(features * outputs)
    const bias = theta.slice(biases)
    for (let f = 0; f < features; f++)
      for (let k = 0; k < outputs; k++) {
        const w = theta[f * outputs + k] / spreads[f]
        weights[f * outputs + k] = w
        bias[k] -= centers[f] * w
      }
    return {
      ...{ features, outputs, weights, bias },
      tables: tables.map(({ feature, count, from }) => ({ feature, count, weights: theta.slice(from, from + count * outputs) })),
    }
  }

  /** out ← (x − centers)/spreads · v for each row. */
  private forward(v: Float64Array, out: Float64Array): void {
    const { outputs, rows, samples, centers, spreads, isEmbedded } = this
    const { inputs, features } = samples
    const bias = v.slice(this.biases)
    const own = new Float64Array(features * outputs)
    for (let f = 0; f < features; f++)
      for (let k = 0; k < outputs; k++) {
        if (isEmbedded[f]) continue
        own[f * outputs + k] = v[f * outputs + k] / spreads[f]
        bias[k] -= centers[f] * own[f * outputs + k]
      }
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i] * features
      const at = i * outputs
      for (let k = 0; k < outputs; k++) out[at + k] = bias[k]
      if (outputs === 1) {
        let sum = out[at]
        for (let f = 0; f < features; f++) sum += inputs[from + f] * own[f]
        out[at] = sum
      } else
        for (let f = 0; f < features; f++) {
          const x = inputs[from + f]
          if (x !== 0) for (let k = 0; k < outputs; k++) out[at + k] += x * own[f * outputs + k]
        }
      for (const table of this.tables) {
        const first = table.from + inputs[from + table.feature] * outputs
        for (let k = 0; k < outputs; k++) out[at + k] += v[first + k]
      }
    }
  }

  /** out ← Σ (x − centers)/spreads · r of all rows. */
  private transpose(r: Float64Array, out: Float64Array): void {
    const { outputs, rows, samples, centers, spreads, isEmbedded, biases } = this
    const { inputs, features } = samples
    out.fill(0)
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i] * features
      const at = i * outputs
      if (outputs === 1) {
        const own = r[at]
        for (let f = 0; f < features; f++) out[f] += inputs[from + f] * own
      } else
        for (let f = 0; f < features; f++) {
          const x = inputs[from + f]
          if (x !== 0) for (let k = 0; k < outputs; k++) out[f * outputs + k] += x * r[at + k]
        }
      for (const table of this.tables) {
        const first = table.from + inputs[from + table.feature] * outputs
        for (let k = 0; k < outputs; k++) out[first + k] += r[at + k]
      }
      for (let k = 0; k < outputs; k++) out[biases + k] += r[at + k]
    }
    for (let f = 0; f < features; f++)
      for (let k = 0; k < outputs; k++)
        out[f * outputs + k] = isEmbedded[f] ? 0 : (out[f * outputs + k] - centers[f] * out[biases + k]) / spreads[f]
  }
}

/** Newton's method with conjugate gradients, and halved steps if a step does not lower the loss. @returns true if it has a finite loss */
async function minimize(problem: LineProblem, isOver: () => boolean): Promise<boolean> {
  const { size, theta } = problem
  const gradient = new Float64Array(size)
  let loss = problem.loss()
  if (!Number.isFinite(loss)) return false
  problem.gradient(gradient)
  const first = norm(gradient)
  const pacer = new Pacer(TURN)
  for (let step = 0; step < NEWTON_STEPS && norm(gradient) > TOLERANCE * first && (step === 0 || !isOver()); step++) {
    // the first step is always taken: for numbers it is the last one
    const direction = await solve(problem, gradient, TOLERANCE * first, step === 0 ? () => false : isOver, pacer)
    const before = theta.slice()
    const slope = dot(gradient, direction)
    let found = Number.POSITIVE_INFINITY
    for (let size = 1; size > 1e-9; size /= 2) {
      for (let i = 0; i < theta.length; i++) theta[i] = before[i] + size * direction[i]
      found = problem.loss()
      // the minimum is reached within rounding, where the loss cannot distinguish the points
      if (found <= loss + 1e-4 * size * slope + 1e-14 * Math.abs(loss)) break
      if (pacer.isDue) await pacer.pause()
    }
    if (!(found <= loss + 1e-12 * Math.abs(loss))) {
      theta.set(before)
      problem.loss()
      break
    }
    loss = found
    problem.gradient(gradient)
  }
  return Number.isFinite(loss)
}

/** −H⁻¹·g by conjugate gradients, preconditioned by the diagonal. */
async function solve(
  problem: LineProblem,
  gradient: Float64Array,
  least: number,
  isOver: () => boolean,
  pacer: Pacer,
): Promise<Float64Array> {
  const { size } = problem
  const diagonal = new Float64Array(size)
  problem.diagonal(diagonal)
  const x = new Float64Array(size)
  const r = gradient.map((g) => -g)
  const z = r.map((value, i) => value / diagonal[i])
  const d = z.slice()
  const h = new Float64Array(size)
  // more accurate as the gradient gets smaller, so that the last steps converge quadratically
  const target = Math.max(least / 10, Math.min(0.01, norm(gradient)) * 1e-3 * norm(gradient))
  let rz = dot(r, z)
  for (let step = 0; step < CG_STEPS && norm(r) > target && !isOver(); step++) {
    problem.product(d, h)
    const curvature = dot(d, h)
    if (!(curvature > 0)) break
    const alpha = rz / curvature
    for (let i = 0; i < size; i++) {
      x[i] += alpha * d[i]
      r[i] -= alpha * h[i]
      z[i] = r[i] / diagonal[i]
    }
    const next = dot(r, z)
    for (let i = 0; i < size; i++) d[i] = z[i] + (next / rz) * d[i]
    rz = next
    if (pacer.isDue) await pacer.pause()
  }
  return x
}
