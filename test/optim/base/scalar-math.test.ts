/** The powers of ts/optim/base/scalar-math.ts against Math, and NAdam, which needs most of them, at the ends of what floats can hold. */
import { describe, expect, test } from 'vitest'
import { type Backend, createBackend } from '../../../ts/backend/index.js'
import { supportedVariants } from '../../../ts/backend/wasm/load.js'
import { NAdam } from '../../../ts/index.js'
import { biasCorrection, expNonPositive, power } from '../../../ts/optim/base/scalar-math.js'
import { DoG, LARS } from '../../../ts/optim/index.js'
import { Parameter } from '../../../ts/parameter.js'

const off = (got: number, want: number) => Math.abs(got - want) / Math.max(Math.abs(want), 1e-300)

test('biasCorrection(β, t) is 1 − βᵗ', () => {
  for (const beta of [0, 0.5, 0.9, 0.999, 0.9999]) {
    for (const t of [1, 2, 3, 7, 100, 12345, 1e6]) expect(Math.abs(biasCorrection(beta, t) - (1 - beta ** t))).toBeLessThan(1e-13)
  }
})

test('power(x, y) is xʸ, for quarters and others', () => {
  for (const x of [0, 1e-5, 0.3, 1, 2, 1234.5]) {
    for (const y of [0, 0.25, 0.5, 0.75, 1, 1.25, 2, 3, 7.75, 16, 0.3, 2.1, -1]) {
      if (x === 0 && y < 0) expect(power(x, y)).toBe(Infinity)
      else expect(off(power(x, y), x ** y), `${x} ** ${y}`).toBeLessThan(1e-14)
    }
  }
})

test('expNonPositive(x) is eˣ for x ≤ 0', () => {
  for (let x = 0; x > -40; x -= 0.0317) expect(off(expNonPositive(x), Math.exp(x)), String(x)).toBeLessThan(5e-14)
  expect(expNonPositive(0)).toBe(1)
  for (const x of [-40.1, -745, -1e9, -Infinity]) expect(expNonPositive(x)).toBe(0)
})

describe('NAdam', () => {
  const gradient = [0, 1e-44, -1e-40, 1e-30, 1e-20, 1, -1e10, 1e18, -3e18]
  const walk = (options: Parameters<typeof createBackend>[0], steps: number): number[] => {
    const p = new Parameter(
      gradient.map(() => 1),
      { backend: createBackend(options) },
    )
    const optimizer = new NAdam([p], { learningRate: 0.01 })
    for (let step = 0; step < steps; step++) {
      p.gradientView().set(gradient.map((g) => (step % 3 === 2 ? -0.5 * g : g)))
      optimizer.step()
    }
    return Array.from(p.data())
  }

  test.each(['js', ...supportedVariants()] as const)('denormal and huge gradients: %s goes the way of doubles', (variant) => {
    const options = variant === 'js' ? { backend: 'js' as const } : { variant }
    for (const steps of [1, 2, 3, 10, 60]) {
      const want = walk({ backend: 'js', dtype: 'float64' }, steps)
      walk(options, steps).forEach((got, i) => expect(Math.abs(got - want[i]), `g = ${gradient[i]}, step ${steps}`).toBeLessThan(4e-6))
    }
  })

  test.each(supportedVariants())(
    'gradients whose squares leave the range of a float: LARS and DoG on %s go the way of doubles',
    (variant) => {
      const step = (Class: typeof LARS | typeof DoG, backend: Backend, size: number) => {
        const p = new Parameter(
          Float32Array.from({ length: 37 }, (_, i) => 1 + i / 37),
          { backend },
        )
        const optimizer = new Class([p], { learningRate: 1 })
        const before = p.data()
        p.grad = Float32Array.from({ length: 37 }, (_, i) => Math.fround(size * (1 + (i % 5))))
        optimizer.step()
        return p.data().map((x, i) => x - before[i])
      }
      for (const size of [1e-30, 1e-23, 1e-21, 1, 1e20, 1e30]) {
        for (const Class of [LARS, DoG]) {
          const wanted = step(Class, createBackend({ backend: 'js', dtype: 'float64' }), size)
          const got = step(Class, createBackend({ variant }), size)
          got.forEach((x, i) => expect(Math.abs(x - wanted[i]), `${Class.name} ${size}`).toBeLessThan(1e-3 * Math.abs(wanted[i]) + 2e-7))
        }
      }
    },
  )

  test('the product of all μ ends at 0 without having been a denormal number', () => {
    const p = new Parameter([1], { backend: createBackend({ backend: 'js' }) })
    const optimizer = new NAdam([p])
    let least = 1
    for (let step = 0; step < 6000; step++) {
      p.gradientView()[0] = 1
      optimizer.step()
      const { product } = optimizer.groups[0].scalarsOf(0)
      if (product > 0) least = Math.min(least, product)
    }
    expect(optimizer.groups[0].scalarsOf(0).product).toBe(0)
    expect(least).toBeGreaterThan(1e-201)
  })
})
