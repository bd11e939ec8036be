/** fitCurve on NIST's Statistical Reference Datasets: all 54 starts end in the certified solution, and no other end is reported as converged. */
import { describe, expect, test } from 'vitest'
import { fitCurve } from '../../../ts/solve/index.js'
import { digits, nistProblems } from '../../tools/nist-problems.js'

const starts = nistProblems.flatMap((problem) =>
  problem.starts.map((initial, i) => ({ problem, initial, label: `${problem.name}/${i + 1}` })),
)

test('there are 27 problems with two starts', () => expect(starts.length).toBe(54))

describe.each(starts)('$label', ({ problem, initial }) => {
  const { model, x, y } = problem

  test('ends in the certified solution, with its errors', () => {
    const fit = fitCurve(model, x, y, { initial })
    expect(fit.converged, fit.message).toBe(true)
    expect(digits(problem, fit.parameters)).toBeGreaterThan(4)
    // the sum of squares of Lanczos1 consists of the rounding of its data
    if (problem.sumOfSquares > 1e-20) expect((2 * fit.value) / problem.sumOfSquares).toBeCloseTo(1, 6)
    if (problem.sumOfSquares > 1e-20) for (const [i, error] of fit.errors.entries()) expect(error / problem.deviations[i]).toBeCloseTo(1, 3)
  })

  test('within wide bounds too', () => {
    const fit = fitCurve(model, x, y, { initial, lower: -1e7, upper: 1e7 })
    expect(fit.converged, fit.message).toBe(true)
    expect(digits(problem, fit.parameters)).toBeGreaterThan(4)
  })

  test.each([{ initialDamping: 1e-8 }, { initialDamping: 1e-3 }, { scaling: 'marquardt' as const }])(
    'by a damping, %j: the solution, or no claim to be one',
    (options) => {
      const fit = fitCurve(model, x, y, { initial, ...options })
      expect(fit.converged).toBe(digits(problem, fit.parameters) > 4)
    },
  )
})

test('a search that runs where the model no longer depends on a parameter says so, and names the parameter', () => {
  const boxBod = nistProblems.find(({ name }) => name === 'BoxBOD')!
  const fit = fitCurve(boxBod.model, boxBod.x, boxBod.y, { initial: [1, 1], initialDamping: 1e-8 })
  expect(fit).toMatchObject({ converged: false, reason: 'singular' })
  expect(fit.message).toMatch(/no longer depend on parameter 1, a plateau far from a minimum; start nearer to the solution, or give bounds/)
  expect(fit.rSquared).toBeLessThan(0.01)
})

test('a parameter that never mattered is no plateau: the others are found', () => {
  const fit = fitCurve((x: number, [a]) => a * x, [1, 2, 3], [2, 4, 6.1], { initial: [1, 5] })
  expect(fit.converged).toBe(true)
  expect(fit.parameters[0]).toBeCloseTo(28.3 / 14, 8)
  expect(fit.parameters[1]).toBe(5)
})
