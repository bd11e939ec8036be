/** The meaning of `converged` of minimize: a small gradient, or a gradient that is small for the scale of the function. */
import { describe, expect, test } from 'vitest'
import { minimize } from '../../../ts/solve/index.js'

/** The problem of Meyer & Roth (1972), as 10 in Moré, Garbow & Hillstrom (1981): a curved valley, badly scaled. */
const Y = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
const MINIMUM = 87.9458551
function meyer([a, b, c]: Float64Array) {
  let value = 0
  const gradient = [0, 0, 0]
  for (const [i, y] of Y.entries()) {
    const t = 50 + 5 * i + c
    const e = Math.exp(b / t)
    const r = a * e - y
    value += r * r
    gradient[0] += 2 * r * e
    gradient[1] += (2 * r * a * e) / t
    gradient[2] -= (2 * r * a * e * b) / (t * t)
  }
  return { value, gradient }
}

test.each(['lbfgs', 'bfgs', 'cg', 'newton-cg', 'trust-ncg', 'gradient-descent'] as const)(
  "%s on Meyer's problem claims convergence at the minimum only",
  (method) => {
    const result = minimize(meyer, [0.02, 4000, 250], { method, maxIterations: 20_000 })
    if (result.converged) expect(result.value).toBeCloseTo(MINIMUM, 4)
    else expect(result.reason).toMatch(/line-search|iterations/)
    if (result.reason === 'line-search') expect(result.message).toMatch(/^stuck where the gradient is still \d|^no lower point/)
  },
)

test('a search that is stuck far away says how steep it is there', () => {
  const result = minimize(meyer, [0.02, 4000, 250], { method: 'newton-cg' })
  expect(result.value).toBeGreaterThan(1000)
  expect(result).toMatchObject({ converged: false, reason: 'line-search' })
  expect(result.message).toMatch(/stuck where the gradient is still 3\.3e\+2/)
})

describe('an end by value or step', () => {
  test('counts where the gradient is small for the scale of the function', () => {
    // rounding of the sum leaves a gradient of some hundredths at the minimum
    const result = minimize(meyer, [0.02, 4000, 250], { method: 'lbfgs' })
    expect(result.reason).toMatch(/value|step/)
    expect(result.converged).toBe(true)
    expect(result.value).toBeCloseTo(MINIMUM, 6)
    expect(Math.max(...result.gradient.map(Math.abs))).toBeGreaterThan(1e-5)
  })

  test('counts where the caller gave the tolerance', () => {
    const result = minimize(meyer, [0.02, 4000, 250], { method: 'bfgs', valueTolerance: 0.5 })
    expect(result).toMatchObject({ converged: true, reason: 'value' })
  })
})
