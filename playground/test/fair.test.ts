/** How fair a race is: curves of steps against rates are those of races, and regimes of Momentum those of the theory. */
import { expect, test } from 'vitest'
import { arrivalOf } from '../src/descent/arrival'
import { fairness, regimes } from '../src/descent/fair'
import { regimesText } from '../src/descent/fair-text'
import { surfaceOf } from '../src/descent/functions'
import { bestRates, race } from '../src/descent/race'
import { type DescentState, descent, groundOf, raceOf, racer } from '../src/descent/state'

const inputOf = (changes: Partial<DescentState> = {}) => {
  const state = { ...descent.defaults, ...changes }
  const { range, lowest } = surfaceOf(state)
  return { ...raceOf(state), range, lowest, epsilon: state.epsilon }
}

test('the least of each curve is the best rate, and no race of the start itself is later than its curve', async () => {
  const input = inputOf()
  const { rates, steps } = await fairness(input)
  const best = await bestRates(input)
  for (const [i, curve] of steps.entries()) {
    const least = Math.min(...curve.flatMap((count) => count ?? []))
    expect(curve[rates.indexOf(best[i])]).toBe(least)
    const [track] = await race({ ...input, racers: [{ ...input.racers[i], rate: best[i] }] })
    expect(arrivalOf(track, 0, 0.01)).toBeLessThanOrEqual(least)
    // a step in proportion to the gradient is too long at the largest rate
    if (i < 2) expect(curve.at(-1)).toBeNull()
  }
})

test('racers without a rate have no curve, and neither has any where f has no floor', async () => {
  const { steps } = await fairness(inputOf({ racers: [racer('newton'), racer('SGD')] }))
  expect(steps.map((curve) => curve.length)).toEqual([0, 37])
  const sloping = await fairness(inputOf({ surface: 'own', formula: '-x^2', racers: [racer('SGD')] }))
  expect(sloping.steps).toEqual([[]])
})

test('Momentum leaves a bowl beyond 2 (1 + β) / ((1 − β) λ), and not before', () => {
  const [condition, start] = [50, [-9, 2] as const]
  const found = regimes({ ground: groundOf({ ...descent.defaults, condition }), start, steps: 400, lowest: 0, epsilon: 0.01 })
  const { rates, betas, regime, steps } = found
  let [out, within] = [0, 0]
  betas.forEach((beta, row) =>
    rates.forEach((rate, column) => {
      const limit = (2 * (1 + beta)) / ((1 - beta) * condition)
      const kind = regime[row * rates.length + column]
      if (rate > 1.1 * limit) {
        out++
        expect(kind, `rate ${rate}, β ${beta}`).toBeLessThan(2)
      } else if (rate < 0.98 * limit) {
        within++
        expect(kind, `rate ${rate}, β ${beta}`).toBeGreaterThan(0)
      }
    }),
  )
  expect(Math.min(out, within)).toBeGreaterThan(300)
  // the cells are races
  for (const [row, column] of [
    [0, 25],
    [12, 38],
    [20, 35],
  ]) {
    const i = row * rates.length + column
    expect(steps[i]).toBeGreaterThan(0)
    expect(regime[i]).toBeGreaterThanOrEqual(2)
  }
  const text = regimesText(found)
  const [, soonest, plain] = /Soonest: (\d+) steps.* it is (\d+) at the best rate/.exec(text)!
  expect(Number(soonest)).toBe(Math.min(...Array.from(steps).filter((_, i) => regime[i] >= 2)))
  expect(Number(soonest)).toBeLessThan(Number(plain) / 2)
  // so is the one that it names: at these numbers it takes so many steps
  const [rate, beta] = /the rate ([\d.]+) and β ([\d.]+)/.exec(text)!.slice(1).map(Number)
  expect(steps[rates.indexOf(rate) + rates.length * betas.indexOf(beta)]).toBe(Number(soonest))
})

test('a cell of the map of regimes is the race at its rate and β', async () => {
  const changes = { surface: 'himmelblau', start: [0, -0.5] as const, steps: 120 }
  const input = inputOf(changes)
  const { rates, betas, regime, steps } = regimes({ ...input, lowest: 0 })
  for (const i of [10, 300, 700, 1100, 1500, 2000, 2500, 3000]) {
    const [rate, beta] = [rates[i % rates.length], betas[Math.floor(i / rates.length)]]
    const [track] = await race({
      ...input,
      racers: [{ ...raceOf({ ...descent.defaults, racers: [racer('Momentum')] }).racers[0], rate, options: { beta } }],
    })
    const arrived = arrivalOf(track, 0, input.epsilon)
    expect(regime[i] >= 2, `rate ${rate}, β ${beta}`).toBe(arrived !== null)
    if (arrived !== null) expect(steps[i]).toBe(arrived)
  }
  expect(regimesText(regimes({ ...input, lowest: 0, steps: 0 }))).toMatch(/At no rate/)
})
