/** Losses of outputs with their curvature, for natural gradients. */

/** Losses whose curvature is implemented here. */
export type CurvatureLoss = 'crossEntropy' | 'mse'

/**
 * A loss that is a mean over rows: value, gradient and a root of the Hessian with respect to the outputs of a chunk. All
 * arrays are unit-major: output k of row i at k·count + i. @internal
 */
export interface OutputLoss {
  /** Sum of the rows' losses; prepares the other methods. */
  value(outputs: Float64Array, targets: Float64Array, count: number): number
  /** Gradient of each row's loss. */
  gradient(out: Float64Array, count: number): void
  /** Number of rows of a root R of each row's Hessian, RᵀR = H. */
  readonly roots: number
  /** Row k of the root, for each row of data. */
  root(k: number, out: Float64Array, count: number): void
}

/** @param units outputs of the net @param rows largest number of rows of a chunk @internal */
export function outputLoss(name: CurvatureLoss, units: number, rows: number): OutputLoss {
  return name === 'mse' ? new SquaredError(units, rows) : new SoftmaxCrossEntropy(units, rows)
}

/** Σₖ (zₖ − yₖ)² / K: gradient 2(z − y)/K, H = 2/K·I. */
class SquaredError implements OutputLoss {
  private readonly difference: Float64Array

  constructor(
    readonly roots: number,
    rows: number,
  ) {
    this.difference = new Float64Array(roots * rows)
  }

  value(outputs: Float64Array, targets: Float64Array, count: number): number {
    let sum = 0
    for (let i = 0, n = this.roots * count; i < n; i++) {
      const d = outputs[i] - targets[i]
      this.difference[i] = d
      sum += d * d
    }
    return sum / this.roots
  }

  gradient(out: Float64Array, count: number): void {
    for (let i = 0, n = this.roots * count; i < n; i++) out[i] = (2 / this.roots) * this.difference[i]
  }

  root(k: number, out: Float64Array, count: number): void {
    out.fill(0)
    out.fill(Math.sqrt(2 / this.roots), k * count, (k + 1) * count)
  }
}

/** −Σ yₖ·log pₖ with p = softmax(z): gradient p − y, H = diag(p) − p·pᵀ = RᵀR with rows √pₖ·(eₖ − p). */
class SoftmaxCrossEntropy implements OutputLoss {
  private readonly p: Float64Array
  private targets = new Float64Array(0)

  constructor(
    readonly roots: number,
    rows: number,
  ) {
    this.p = new Float64Array(roots * rows)
  }

  value(outputs: Float64Array, targets: Float64Array, count: number): number {
    this.targets = targets as typeof this.targets
    let sum = 0
    for (let i = 0; i < count; i++) sum += this.row(outputs, i, count)
    return sum
  }

  private row(z: Float64Array, i: number, count: number): number {
    const { p, targets, roots } = this
    let max = Number.NEGATIVE_INFINITY
    for (let k = 0; k < roots; k++) max = Math.max(max, z[k * count + i])
    let sum = 0
    for (let k = 0; k < roots; k++) sum += p[k * count + i] = Math.exp(z[k * count + i] - max)
    const log = Math.log(sum) + max
    let loss = 0
    for (let k = 0; k < roots; k++) {
      p[k * count + i] /= sum
      loss += targets[k * count + i] * (log - z[k * count + i])
    }
    return loss
  }

  gradient(out: Float64Array, count: number): void {
    for (let i = 0, n = this.roots * count; i < n; i++) out[i] = this.p[i] - this.targets[i]
  }

  root(k: number, out: Float64Array, count: number): void {
    const { p, roots } = this
    for (let c = 0; c < roots; c++) {
      for (let i = 0; i < count; i++) {
        const pk = p[k * count + i]
        out[c * count + i] = Math.sqrt(pk) * ((c === k ? 1 : 0) - p[c * count + i])
      }
    }
  }
}
