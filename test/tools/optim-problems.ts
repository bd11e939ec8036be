/** The problems of the optimizer oracles, with hand-written gradients, and the tolerances for trajectories. */
import { readFileSync } from 'node:fs'

export type Numbers = Float32Array | Float64Array

export interface Trajectory {
  lr: number
  steps: Record<string, { loss: number; p: number[] }>
  avg?: Record<string, number[]>
  tol64: Record<string, number | null>
  tol32?: Record<string, number | null>
}

export interface OracleCase {
  id: string
  source: string
  compare: 'trajectory' | 'properties' | 'mutation'
  /** The same optimizer in this library, if the case has it; `defaults` are the reference's. */
  gradus?: { optimizer: string; options?: Record<string, unknown>; defaults?: Record<string, unknown> }
  results: Record<string, Trajectory>
}

// biome-ignore lint/suspicious/noExplicitAny: a JSON file
export const oracle: any = JSON.parse(readFileSync(new URL('../oracles/optimizers.json', import.meta.url), 'utf8'))
export const oracleCases = new Map<string, OracleCase>(oracle.cases.map((c: OracleCase) => [c.id, c]))

/** Shapes of the parameters, their start, and the gradient at a point (the k-th step, from 1). */
export interface Problem {
  shapes: number[][]
  start: number[][]
  /** Value, and the gradient into `out`, an array per parameter. */
  gradient(p: Numbers[], out: Numbers[], k: number): number
}

const { quad, mlp, embed } = oracle.problems
const A: number[][] = quad.A

function rosenGradient([p]: Numbers[], [out]: Numbers[]): number {
  const [x, y] = p
  const d = y - x * x
  out[0] = -2 * (1 - x) - 400 * x * d
  out[1] = 200 * d
  return (1 - x) ** 2 + 100 * d * d
}

function quadGradient([p]: Numbers[], [out]: Numbers[]): number {
  let value = 0
  for (let i = 0; i < p.length; i++) {
    let row = 0
    for (let j = 0; j < p.length; j++) row += A[i][j] * p[j]
    value += 0.5 * p[i] * row - quad.b[i] * p[i]
    out[i] = row - quad.b[i]
  }
  return value
}

/** y = W2·tanh(W1·x + b1) + b2, mean softmax cross-entropy over the 12 rows. */
function mlpGradient([w1, b1, w2, b2]: Numbers[], grads: Numbers[]): number {
  const sums = grads.map((g) => new Float64Array(g.length))
  const [d1, e1, d2, e2] = sums
  const rows = mlp.X.length
  let loss = 0
  for (let r = 0; r < rows; r++) {
    const x = mlp.X[r]
    const h = Array.from(b1, (b, j) => Math.tanh(b + w1[j * 4] * x[0] + w1[j * 4 + 1] * x[1] + w1[j * 4 + 2] * x[2] + w1[j * 4 + 3] * x[3]))
    const z = Array.from(b2, (b, c) => h.reduce((sum, hj, j) => sum + w2[c * 8 + j] * hj, b))
    const top = Math.max(...z)
    const total = z.reduce((sum, zc) => sum + Math.exp(zc - top), 0)
    loss += (Math.log(total) + top - z[mlp.y[r]]) / rows
    const dz = z.map((zc, c) => (Math.exp(zc - top) / total - (c === mlp.y[r] ? 1 : 0)) / rows)
    for (let j = 0; j < 8; j++) {
      let dh = 0
      for (let c = 0; c < 3; c++) {
        dh += dz[c] * w2[c * 8 + j]
        d2[c * 8 + j] += dz[c] * h[j]
      }
      const da = dh * (1 - h[j] * h[j])
      e1[j] += da
      for (let i = 0; i < 4; i++) d1[j * 4 + i] += da * x[i]
    }
    for (let c = 0; c < 3; c++) e2[c] += dz[c]
  }
  grads.forEach((g, i) => g.set(sums[i]))
  return loss
}

/** Rows that step k looks up, duplicates included. */
export const embedRows = (k: number): number[] => embed.idx[(k - 1) % 4]

function embedGradient([e]: Numbers[], [out]: Numbers[], k: number): number {
  out.fill(0)
  for (const i of embedRows(k)) for (let c = 0; c < 3; c++) out[i * 3 + c] += e[i * 3 + c] - embed.target[i][c]
  return 0
}

export const problems: Record<string, Problem> = {
  rosen: { shapes: [[2]], start: [oracle.problems.rosen.x0], gradient: rosenGradient },
  quad: { shapes: [[10]], start: [quad.x0], gradient: quadGradient },
  quad2d: { shapes: [[2, 5]], start: [quad.x0], gradient: quadGradient },
  mlp: {
    shapes: [[8, 4], [8], [3, 8], [3]],
    start: [mlp.W1.flat(), mlp.b1, mlp.W2.flat(), mlp.b2],
    gradient: mlpGradient,
  },
  embed: { shapes: [[6, 3]], start: [embed.E0.flat()], gradient: embedGradient },
}

/** error = |p − p*|∞ / max(1, |p*|∞), and the element with the largest error. */
export function furthest(p: ArrayLike<number>, expected: readonly number[]): { error: number; at: number } {
  let worst = 0
  let size = 1
  let at = 0
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(p[i] - expected[i])
    if (!(off <= worst) && !Number.isNaN(worst)) {
      worst = off
      at = i
    }
    size = Math.max(size, Math.abs(expected[i]))
  }
  return { error: worst / size, at }
}

export function distance(p: ArrayLike<number>, expected: readonly number[]): number {
  return furthest(p, expected).error
}
