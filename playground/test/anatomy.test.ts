/** The parts of a step that the page shows are those that were computed: they add up to the next place. */
import { describe, expect, test } from 'vitest'
import { anatomyOf } from '../src/descent/anatomy'
import { race } from '../src/descent/race'
import { painted } from '../src/descent/rules'
import { type DescentState, descent, raceOf, racer } from '../src/descent/state'
import { METHODS } from '../src/methods'

const at = (method: string, rate: number, options: Record<string, number> = {}) => ({ ...racer(method), rate, options })
const stateOf = (changes: Partial<DescentState>): DescentState => ({ ...descent.defaults, steps: 60, ...changes })

const FULL = [
  at('SGD', 0.03),
  at('Momentum', 0.05),
  at('Momentum', 0.11, { beta: 0.75 }),
  at('RMSProp', 0.13),
  at('RMSProp', 0.05, { beta: 0.9 }),
  at('Adam', 0.3),
  at('Adam', 0.1, { beta1: 0.5, beta2: 0.99 }),
  at('UncorrectedAdam', 0.1),
]

describe.each(['ravine', 'himmelblau', 'rosenbrock'])('on %s', (surface) => {
  test.each([0, 3])('with noise %d each step is the formula that stands beside it', async (noise) => {
    const state = stateOf({
      surface,
      noise,
      racers: FULL.map((one) => ({ ...one, rate: surface === 'ravine' ? one.rate : one.rate / 50 })),
    })
    const tracks = await race(raceOf(state))
    for (const [i, track] of tracks.entries())
      for (const frame of [0, 0.5, 1, 7.9, 30, track.steps, track.steps + 5]) {
        const found = anatomyOf(track, state.racers[i], frame)!
        const from = Math.min(Math.floor(frame), track.steps - 1)
        expect(found.step).toBe(from + 1)
        const valuesOf = (name: string) => found.parts.filter((part) => part.name === name).map(({ values }) => values)
        const [[step], [next], [gradient]] = [valuesOf('Step'), valuesOf('New place'), valuesOf('Gradient')]
        for (const axis of [0, 1] as const) {
          const [before, after] = [track.path[2 * from + axis], track.path[2 * from + 2 + axis]]
          expect(next[axis]).toBe(after)
          expect(found.parts.map(({ draws }) => draws)).toEqual(expect.arrayContaining(['arrow', 'step', 'place']))
          expect(Math.abs(before + step[axis] - after)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(before)))
          // averages are of the gradient in the row above them
          const velocity = found.parts.find(({ name }) => name === 'Velocity')
          if (velocity && from > 0) {
            const [, keep, add] = /V ← ([\d.]+)·V \+ ([\d.]+)·g/.exec(velocity.formula)!
            const wanted = Number(keep) * track.velocity![2 * from + axis] + Number(add) * gradient[axis]
            expect(Math.abs(velocity.values[axis] - wanted)).toBeLessThanOrEqual(
              1e-12 * Math.max(1, Math.abs(wanted), Math.abs(gradient[axis])),
            )
          }
          const square = found.parts.find(({ name }) => name === 'Mean square')
          if (square) {
            const [, keep, add] = /S ← ([\d.]+)·S \+ ([\d.]+)·g²/.exec(square.formula)!
            const old = track.scale![2 * from + axis] ** 2
            const wanted = Number(keep) * old + Number(add) * gradient[axis] ** 2
            expect(Math.abs(square.values[axis] - wanted)).toBeLessThanOrEqual(1e-9 * Math.max(1, wanted))
          }
        }
      }
  })
})

test('every optimizer has a step whose places are those of its track', async () => {
  const state = stateOf({ racers: METHODS.map(({ id }) => racer(id)), steps: 12 })
  const tracks = await race(raceOf(state))
  for (const [i, track] of tracks.entries()) {
    const found = anatomyOf(track, state.racers[i], 2)
    if (track.steps === 0) expect(found).toBeNull()
    else
      for (const { formula, values } of found!.parts)
        expect([formula.length > 0 && !formula.includes('undefined'), ...values].every((v) => v === true || Number.isFinite(v))).toBe(true)
  }
})

test('options of a link that the formulas lack: no other formula stands there, and no other race is painted', async () => {
  const racers = [
    at('SGD', 0.01, { weightDecay: 0.3 }),
    at('Momentum', 0.01, { beta: 0.8, weightDecay: 0.3 }),
    at('RMSProp', 0.01, { momentum: 0.5 }),
    at('Adam', 0.01, { weightDecay: 0.3 }),
  ]
  const tracks = await race(raceOf(stateOf({ racers })))
  for (const [i, { path }] of tracks.entries()) {
    const step = anatomyOf(tracks[i], racers[i], 5)!.parts.find(({ name }) => name === 'Step')!
    for (const axis of [0, 1]) expect(path[10 + axis] + step.values[axis]).toBeCloseTo(path[12 + axis], 12)
  }
  expect(painted({ racers, chosen: 1 })).toBe(-1)
  expect(painted({ racers: [...racers, at('Adam', 0.01, { beta1: 0.5, epsilon: 1 })], chosen: 1 })).toBe(4)
})

test('a race without steps has no anatomy', async () => {
  const state = stateOf({ surface: 'own', formula: '1/0', racers: [at('Adam', 0.1)] })
  const [track] = await race(raceOf(state))
  expect(anatomyOf(track, state.racers[0], 0)).toBeNull()
})
