import type { FloatArray } from '../backend/heap.js'
import type { Parameter } from '../parameter.js'
import type { ParameterGroup } from './base/group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { Optimizer } from './base/optimizer.js'
import { atLeast1, nonNegative } from './base/options.js'
import type { ParameterSpan } from './base/span.js'

/** Options of {@link Adafactor}. */
export interface AdafactorOptions extends GroupOptions {
  /** Exponent of the weight t^beta2Decay of new statistics at step t. Default −0.8. */
  beta2Decay?: number
  /** Lower bound of the root mean square of statistics; 0 means the precision of the backend's floats. Default 0. */
  epsilon1?: number
  /** Lower bound of a parameter's root mean square, which scales its steps. Default 1e-3. */
  epsilon2?: number
  /** Steps are clipped to this root mean square. Default 1. */
  clipThreshold?: number
}

/**
 * Adam with very little state: the mean squares of a matrix are stored as one number per row and column.
 *
 *     w = t^beta2Decay,   ρ = min(η, 1/√t),   α = max(ε₂, rms(p))·ρ
 *     R ← R + w·(row means of g² − R),   C likewise,   V = R·C / max(mean(R), ε₁)
 *     u = g / √max(V, ε₁²),   p ← (1 − η·λ)·p − α / max(1, rms(u)/clipThreshold) · u
 *
 * Steps are relative to the size of the parameter. For models whose optimizer state would not fit; without momentum, so often a little behind Adam.
 * Vectors keep a full V. Runs in JS loops on every backend.
 * When not: small nets, whose memory does not matter; Adam converges in fewer steps.
 * Defaults: PyTorch. State: 4·(rows + columns) bytes a matrix. Shazeer & Stern 2018.
 *
 * @example
 * const optimizer = new Adafactor(model.parameters())
 */
export class Adafactor extends Optimizer<AdafactorOptions> {
  static override get name() {
    return 'Adafactor'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.01,
    beta2Decay: -0.8,
    epsilon1: 0,
    epsilon2: 1e-3,
    clipThreshold: 1,
    ...GROUP_DEFAULTS,
    decoupledWeightDecay: true,
  }
  static override readonly allowed = {
    beta2Decay: { min: -Infinity, max: 0 },
    epsilon1: nonNegative,
    epsilon2: nonNegative,
    clipThreshold: atLeast1,
    decoupledWeightDecay: [true],
  }
  static override readonly perTensor = true
  private step_: Float64Array | undefined

  protected override extras(_options: Required<AdafactorOptions>, { size, shape }: Parameter): Readonly<Record<string, number>> {
    if (shape.length < 2) return { variance: size }
    const [rows, cols] = shape.slice(-2)
    return { row: size / Math.max(cols, 1), column: size / Math.max(rows, 1) }
  }

  /** `oneMinusBeta2` is w of the formulas, `rho` the size of the step before it is scaled. */
  protected override hyper(o: Required<AdafactorOptions>, t: number): readonly number[] {
    const rho = Math.min(o.learningRate, 1 / Math.sqrt(t))
    const epsilon1 = o.epsilon1 || (this.groups[0].backend.dtype === 'float64' ? 2 ** -52 : 2 ** -23)
    return [t ** o.beta2Decay, rho, epsilon1, o.epsilon2, o.clipThreshold]
  }

  protected override applyToSpan(
    group: ParameterGroup<Required<AdafactorOptions>>,
    span: ParameterSpan,
    scale: number,
    hyper: readonly number[],
  ): void {
    const { values, parameters } = group
    const { p, g } = group.viewsOf(span)
    const [oneMinusBeta2, rho, epsilon1, epsilon2, clipThreshold] = hyper
    const alpha = Math.max(epsilon2, rms(p)) * rho
    const decay = values.learningRate * values.weightDecay
    if (this.step_ === undefined || this.step_.length < span.n) this.step_ = new Float64Array(span.n)
    const u = this.step_.subarray(0, span.n)
    const signed = values.maximize ? -scale : scale
    for (let i = 0; i < u.length; i++) u[i] = signed * g[i]
    const { shape } = parameters[span.first]
    if (shape.length < 2) normalize(u, group.extraView(span.first, 'variance'), oneMinusBeta2, epsilon1)
    else normalizeFactored(u, group.extraView(span.first, 'row'), group.extraView(span.first, 'column'), shape, oneMinusBeta2, epsilon1)
    const rate = alpha / Math.max(1, rms(u) / clipThreshold)
    for (let i = 0; i < u.length; i++) p[i] = p[i] - decay * p[i] - rate * u[i]
  }

  protected override update(): void {}
}

function rms(x: FloatArray): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i]
  return Math.sqrt(sum / x.length)
}

/** u ← u / √max(V, ε²), V the mean of squares */
function normalize(u: Float64Array, variance: FloatArray, w: number, epsilon: number): void {
  for (let i = 0; i < u.length; i++) {
    variance[i] += w * (u[i] * u[i] - variance[i])
    u[i] /= Math.sqrt(Math.max(variance[i], epsilon * epsilon))
  }
}

/** {@link normalize} with V = R·C/mean(R), for each matrix of the last two axes. */
function normalizeFactored(
  u: Float64Array,
  row: FloatArray,
  column: FloatArray,
  shape: readonly number[],
  w: number,
  epsilon: number,
): void {
  const [rows, cols] = shape.slice(-2)
  for (let at = 0, k = 0; at < u.length; at += rows * cols, k++) {
    const [R, C] = [row.subarray(k * rows, (k + 1) * rows), column.subarray(k * cols, (k + 1) * cols)]
    const matrix = u.subarray(at, at + rows * cols)
    follow(matrix, R, C, w)
    let total = 0
    for (let i = 0; i < rows; i++) total += R[i]
    const mean = Math.max(total / rows, epsilon)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j++) matrix[i * cols + j] /= Math.sqrt(Math.max((R[i] * C[j]) / mean, epsilon * epsilon))
  }
}

/** Row and column statistics move to the means of squares by a share w. */
function follow(matrix: Float64Array, row: FloatArray, column: FloatArray, w: number): void {
  const cols = column.length
  const columnSums = new Float64Array(cols)
  for (let i = 0; i < row.length; i++) {
    let rowSum = 0
    for (let j = 0; j < cols; j++) {
      const square = matrix[i * cols + j] ** 2
      rowSum += square
      columnSums[j] += square
    }
    row[i] += w * (rowSum / cols - row[i])
  }
  for (let j = 0; j < cols; j++) column[j] += w * (columnSums[j] / row.length - column[j])
}
