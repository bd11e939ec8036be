/** Iris against known facts, and toy data: where the points lie, seeds, sizes. */
import { describe, expect, test } from 'vitest'
import { blobs, circles, type Dataset, fitScaler, iris, moons, spirals, xor } from '../../ts/data/index.js'

describe('iris', () => {
  test('is the table of Fisher', () => {
    const { inputs, targets, count, features, classNames } = iris()
    expect([count, features, classNames]).toEqual([150, 4, ['setosa', 'versicolor', 'virginica']])
    expect([0, 1, 2].map((c) => targets.filter((t) => t === c).length)).toEqual([50, 50, 50])
    const { mean, deviation } = fitScaler(inputs, 4)
    for (const [j, m] of [5.8433, 3.0573, 3.758, 1.1993].entries()) expect(mean[j]).toBeCloseTo(m, 4)
    for (const [j, d] of [0.8253, 0.4344, 1.7594, 0.7597].entries()) expect(deviation[j]).toBeCloseTo(d, 4)
    expect([...inputs.subarray(4 * 34, 4 * 35)].map((x) => x.toFixed(1))).toEqual(['4.9', '3.1', '1.5', '0.2'])
    expect([...inputs.subarray(4 * 37, 4 * 38)].map((x) => x.toFixed(1))).toEqual(['4.9', '3.6', '1.4', '0.1'])
  })
})

const TOYS: Record<string, (options: { count?: number; seed?: number; noise?: number }) => Dataset> = {
  spirals,
  moons,
  circles,
  xor,
  blobs,
}

describe.each(Object.entries(TOYS))('%s', (name, make) => {
  test('is the same for the same seed, another for another', () => {
    const options = make === blobs ? { count: 30 } : { count: 30, noise: 0.2 }
    expect(make({ seed: 5, ...options })).toEqual(make({ seed: 5, ...options }))
    expect(make({ seed: 5, ...options }).inputs).not.toEqual(make({ seed: 6, ...options }).inputs)
  })

  test('has as many samples as asked for, classes evenly', () => {
    for (const count of [1, 7, 100]) {
      const data = make({ count })
      expect(data.shape).toEqual([count, 2])
      expect(data.inputs).toHaveLength(2 * count)
      expect(data.inputs.every(Number.isFinite)).toBe(true)
      const sizes = Array.from({ length: data.classes }, (_, c) => data.targets.filter((t) => t === c).length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      expect(data.classes).toBe(make === spirals || make === blobs ? 3 : 2)
    }
  })

  test('refuses nonsense', () => {
    for (const count of [0, -1, 1.5, Number.NaN]) expect(() => make({ count })).toThrow(`${name}: count wants a whole number ≥ 1`)
    for (const seed of [-1, 0.5, 2 ** 53]) expect(() => make({ seed })).toThrow(/: seed wants a whole number from 0 to/)
    if (make !== blobs) expect(() => make({ noise: -1 })).toThrow(`${name}: noise wants a finite number ≥ 0, got -1`)
  })
})

describe('toy data', () => {
  test('xor is the truth table', () => {
    const { inputs, targets } = xor()
    const rows = Array.from(targets, (t, i) => [inputs[2 * i], inputs[2 * i + 1], t])
    expect(rows.sort().map(String)).toEqual(['0,0,0', '0,1,1', '1,0,1', '1,1,0'])
  })

  test('circles lie within each other', () => {
    const { inputs, targets } = circles({ noise: 0, count: 9, factor: 0.3 })
    for (const [i, t] of targets.entries()) expect(Math.hypot(inputs[2 * i], inputs[2 * i + 1])).toBeCloseTo(t === 0 ? 1 : 0.3, 6)
    expect(Array.from(inputs.subarray(0, 2))).toEqual([1, 0])
    for (const factor of [-0.1, 1.5, Number.NaN])
      expect(() => circles({ factor })).toThrow(`circles: factor wants a number from 0 to 1, got ${factor}`)
  })

  test('moons and spirals lie where they should', () => {
    const { inputs, targets } = moons({ noise: 0, count: 50 })
    for (const [i, t] of targets.entries()) {
      const [x, y] = t === 0 ? [inputs[2 * i], inputs[2 * i + 1]] : [1 - inputs[2 * i], 0.5 - inputs[2 * i + 1]]
      expect(Math.hypot(x, y)).toBeCloseTo(1, 6)
      expect(y).toBeGreaterThan(-1e-6)
    }
    const arms = spirals({ noise: 0, classes: 4, count: 40 }).inputs
    for (let i = 0; i < 40; i++) expect(Math.hypot(arms[2 * i], arms[2 * i + 1])).toBeCloseTo(0.05 + (0.95 * Math.floor(i / 4)) / 9, 5)
  })

  test('without noise every point is where its formula puts it', () => {
    const expectPoints = ({ inputs, targets }: Dataset, pointOf: (c: number, i: number, n: number) => number[]) => {
      const before = new Map<number, number>()
      const sizes = new Map<number, number>()
      for (const c of targets) sizes.set(c, (sizes.get(c) ?? 0) + 1)
      for (const [row, c] of targets.entries()) {
        const i = before.get(c) ?? 0
        before.set(c, i + 1)
        pointOf(c, i, sizes.get(c) as number).forEach((x, j) => expect(inputs[2 * row + j]).toBeCloseTo(x, 6))
      }
    }
    expectPoints(spirals({ noise: 0, classes: 4, count: 22, turns: 0.6 }), (c, i, n) => {
      const [radius, quarters] = [0.05 + (0.95 * i) / (n - 1), c]
      const angle = 0.6 * radius * 2 * Math.PI + (quarters * Math.PI) / 2
      return [radius * Math.cos(angle), radius * Math.sin(angle)]
    })
    expectPoints(moons({ noise: 0, count: 21 }), (c, i, n) => {
      const angle = (Math.PI * i) / (n - 1)
      return c === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)]
    })
    expectPoints(circles({ noise: 0, count: 21, factor: 0.3 }), (c, i, n) => {
      const angle = (i / n) * 2 * Math.PI
      return [Math.cos(angle), Math.sin(angle)].map((x) => (c === 0 ? x : 0.3 * x))
    })
    expectPoints(xor({ count: 10 }), (c, i) => [i % 2, (i + c) % 2])
  })

  test('are by default what their documentation says', () => {
    expect(spirals()).toEqual(spirals({ count: 600, noise: 0.03, seed: 0, classes: 3, turns: 0.75 }))
    expect(moons()).toEqual(moons({ count: 400, noise: 0.1, seed: 0 }))
    expect(circles()).toEqual(circles({ count: 400, noise: 0.1, seed: 0, factor: 0.5 }))
    expect(xor()).toEqual(xor({ count: 4, noise: 0, seed: 0 }))
    expect(blobs()).toEqual(blobs({ count: 300, seed: 0, classes: 3, features: 2, spread: 1, range: 10 }))
  })

  test('noise moves each coordinate by its deviation, seen beside the points without it', () => {
    const [noisy, plain] = [0.2, 0].map((noise) => moons({ count: 4000, noise, seed: 1 }).inputs)
    const moves = noisy.map((x, i) => (x - plain[i]) / 0.2)
    expect(Math.abs(moves.reduce((sum, x) => sum + x, 0) / moves.length)).toBeLessThan(0.05)
    expect(Math.abs(moves.reduce((sum, x) => sum + x * x, 0) / moves.length - 1)).toBeLessThan(0.07)
    expect(new Set(moves).size).toBeGreaterThan(7000)
  })

  test('centres of blobs are uniform in ±range', () => {
    const { inputs } = blobs({ count: 2000, classes: 2000, spread: 0, range: 4, seed: 2 })
    const sorted = [...inputs].sort((a, b) => a - b)
    // the distance of Kolmogorov and Smirnov, which 4000 uniform numbers exceed once in a thousand
    const distance = Math.max(...sorted.map((x, i) => Math.abs((x + 4) / 8 - i / sorted.length)))
    expect(distance).toBeLessThan(1.95 / Math.sqrt(sorted.length))
    expect(sorted[0]).toBeGreaterThanOrEqual(-4)
  })

  test('blobs take features and classes', () => {
    const data = blobs({ count: 9, features: 5, classes: 4, spread: 0 })
    expect(data.shape).toEqual([9, 5])
    expect(data.inputs.subarray(0, 5)).toEqual(data.inputs.subarray(20, 25))
  })

  test('noise is normal', () => {
    const { inputs } = blobs({ count: 20000, classes: 1, range: 0, seed: 3 })
    const moment = (k: number) => inputs.reduce((sum, x) => sum + x ** k, 0) / inputs.length
    expect(Math.abs(moment(1))).toBeLessThan(0.02)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2)
  })
})
