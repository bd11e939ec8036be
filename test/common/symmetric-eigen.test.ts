/** The eigensolver by its definition, at the sizes and the spreads that curvature, Shampoo and SOAP meet. */
import { describe, expect, test } from 'vitest'
import { symmetricEigen } from '../../ts/common/symmetric-eigen.js'
import { Generator } from '../../ts/random.js'

const symmetric = (n: number, seed: number) => {
  const u = new Generator(seed).uniforms(n * n)
  return Float64Array.from({ length: n * n }, (_, i) => u[i] + u[(i % n) * n + Math.floor(i / n)] - 1)
}

const closeTo = (values: ArrayLike<number>, wanted: readonly number[], relative: number) =>
  wanted.forEach((w, i) => expect(Math.abs(values[i] - w), `value ${i}`).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(w))))

describe('A·v = λ·v with orthonormal v and ascending λ', () => {
  test.each([1, 2, 3, 10, 40, 60, 150])('n = %i', (n) => {
    const a = symmetric(n, n)
    const { values, vectors } = symmetricEigen(a, n)
    for (let k = 0; k < n; k++) {
      const v = vectors.subarray(k * n, (k + 1) * n)
      if (k > 0) expect(values[k]).toBeGreaterThanOrEqual(values[k - 1])
      let residual = 0
      for (let i = 0; i < n; i++) {
        let product = -values[k] * v[i]
        for (let j = 0; j < n; j++) product += a[i * n + j] * v[j]
        residual = Math.max(residual, Math.abs(product))
      }
      expect(residual).toBeLessThan(1e-14 * n)
      let skew = 0
      for (let l = 0; l <= k; l++) {
        let dot = k === l ? -1 : 0
        for (let j = 0; j < n; j++) dot += v[j] * vectors[l * n + j]
        skew = Math.max(skew, Math.abs(dot))
      }
      expect(skew).toBeLessThan(1e-14 * n)
    }
  })
})

test('zeros, the identity, diagonals, widely spread numbers', () => {
  expect(Array.from(symmetricEigen(new Float64Array(9), 3).values)).toEqual([0, 0, 0])
  expect(Array.from(symmetricEigen([1, 0, 0, 1], 2).values)).toEqual([1, 1])
  expect(Array.from(symmetricEigen([3, 0, 0, 0, -1, 0, 0, 0, 2], 3).values)).toEqual([-1, 2, 3])
  closeTo(symmetricEigen([1e12, 1, 1, 1e-3], 2).values, [1e-3 - 1e-12, 1e12], 1e-15)
  closeTo(symmetricEigen([0, 1, 1, 0], 2).values, [-1, 1], 1e-15)
  for (const scale of [1e-200, 1e200])
    closeTo(
      symmetricEigen([0, scale, scale, 0], 2).values.map((v) => v / scale),
      [-1, 1],
      1e-15,
    )
})

test('statistics of rank 1 on ε·I, as Shampoo has after a step', () => {
  const n = 12
  const g = Float64Array.from({ length: n }, (_, i) => 100 * Math.sin(i + 1))
  const a = Float64Array.from({ length: n * n }, (_, i) => g[Math.floor(i / n)] * g[i % n] + (i % (n + 1) === 0 ? 1e-4 : 0))
  const square = g.reduce((sum, x) => sum + x * x, 0)
  const { values } = symmetricEigen(a, n)
  // Errors are of the size of the largest value, times the rounding of a double.
  for (let k = 0; k < n - 1; k++) expect(Math.abs(values[k] - 1e-4)).toBeLessThan(4e-16 * n * square)
  closeTo(values.subarray(n - 1), [square + 1e-4], 1e-14)
})
