/** What pictures and tables of the page say is true: by the functions that draw and count, without a browser. */
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { arrivalOf } from '../src/descent/arrival'
import { SURFACES, surfaceOf } from '../src/descent/functions'
import { landscape } from '../src/descent/landscape'
import { bestRates, race } from '../src/descent/race'
import { keyText, shownSize, sizesOf } from '../src/descent/sizes'
import { type DescentState, descent, raceOf } from '../src/descent/state'
import { LESSONS } from '../src/lessons'
import { HUES, LIGHT } from '../src/ui/hues'

// The palette asks the browser for its theme.
vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {} }))
vi.stubGlobal('document', { documentElement: { dataset: {} } })
const { projection, widened } = await import('../src/descent/map')
const { placeLabels } = await import('../src/ui/labels')
const { looksOf } = await import('../src/ui/looks')
const { endText } = await import('../src/descent/ends')

const titled = (title: string) =>
  ({ ...descent.defaults, ...LESSONS.find((lesson) => lesson.title.startsWith(title))?.state }) as DescentState
const lesson = (number: number) => ({ ...descent.defaults, ...LESSONS[number - 1].state }) as DescentState

/** Sizes of the map: 1440 pixels wide, a phone, an embedded piece. */
const MAPS = [
  [585, 439],
  [362, 362],
  [848, 355],
]

describe('A1: the map', () => {
  test.each(MAPS)('of %d × %d pixels has one scale, and shows all of the function', (width, height) => {
    for (const surface of SURFACES) {
      const to = projection(surface, width, height)
      expect(to.px(1) - to.px(0)).toBeCloseTo(to.py(0) - to.py(1), 9)
      const [[left, right], [bottom, top]] = surface.range
      expect(Math.min(to.px(left), to.py(top))).toBeGreaterThan(-1e-9)
      expect(to.px(right)).toBeLessThan(width + 1e-9)
      expect(to.py(bottom)).toBeLessThan(height + 1e-9)
      expect([to.x(to.px(0.3)), to.y(to.py(-0.7))]).toEqual([expect.closeTo(0.3, 9), expect.closeTo(-0.7, 9)])
    }
  })

  test.each(MAPS)('of %d × %d pixels: steps of lesson 1 meet the drawn contour lines at a right angle', async (width, height) => {
    const input = raceOf(lesson(1))
    const [track] = await race(input)
    const range = widened(surfaceOf(lesson(1)).range, width / height)
    const { lines, columns, rows } = landscape({ ground: input.ground, range })
    const to = projection({ range }, width, height)
    const place = (i: number) => [to.px(track.path[2 * i]), to.py(track.path[2 * i + 1])]
    for (const step of [0, 3, 6, 10]) {
      const [x, y] = place(step)
      // The nearest piece of a drawn line, by its middle.
      let best = { far: Number.POSITIVE_INFINITY, angle: 0 }
      for (const { pieces } of lines) {
        for (let i = 0; i < pieces.length; i += 4) {
          const [ax, ay, bx, by] = [0, 1, 2, 3].map((k) =>
            k % 2 === 0 ? (pieces[i + k] / (columns - 1)) * width : height - (pieces[i + k] / (rows - 1)) * height,
          )
          const far = Math.hypot((ax + bx) / 2 - x, (ay + by) / 2 - y)
          if (far < best.far && Math.hypot(bx - ax, by - ay) > 1) best = { far, angle: Math.atan2(by - ay, bx - ax) }
        }
      }
      const [nextX, nextY] = place(step + 1)
      const angle = Math.atan2(nextY - y, nextX - x) - best.angle
      expect(best.far).toBeLessThan(20)
      // A piece is as rough as its cell, and lies some pixels away.
      expect(Math.abs(Math.cos(angle))).toBeLessThan(Math.sin((7 * Math.PI) / 180))
    }
  })

  test('B8: dots of lessons 1 and 2 can be told apart', async () => {
    for (const [number, racer, least] of [
      [1, 0, 9],
      [2, 1, 5],
    ]) {
      const state = lesson(number)
      const { path, steps } = (await race(raceOf(state)))[racer]
      const to = projection(surfaceOf(state), 362, 362)
      const far = Array.from({ length: steps }, (_, i) =>
        Math.hypot(to.px(path[2 * i + 2]) - to.px(path[2 * i]), to.py(path[2 * i + 3]) - to.py(path[2 * i + 1])),
      )
      expect(far.filter((length) => length >= 5).length).toBeGreaterThanOrEqual(least)
    }
  })
})

test('A2: Newton takes one straight step on every ravine, from anywhere', async () => {
  for (const condition of [1, 20, 100, 200]) {
    for (const start of [
      [-9, 2],
      [3, -4],
      [0.1, 7],
    ] as const) {
      const [track] = await race(raceOf({ ...descent.defaults, condition, start, racers: [{ method: 'newton', rate: 0, options: {} }] }))
      expect([track.steps, track.products, track.end]).toEqual([1, 2, 'converged'])
      expect(Math.hypot(...track.path.slice(2))).toBeLessThan(1e-12)
    }
  }
})

test('A2: Newton goes down on all functions, and counts products of Newton-CG', async () => {
  for (const { id, start } of SURFACES) {
    const racers = ['newton', 'newton-cg', 'trust-ncg'].map((method) => ({ method, rate: 0, options: {} }))
    const [newton, ...others] = await race(raceOf({ ...descent.defaults, surface: id, start, racers }))
    for (let i = 1; i < newton.values.length; i++) expect(newton.values[i]).toBeLessThanOrEqual(newton.values[i - 1])
    for (const { products, steps } of others) expect(products).toBeGreaterThanOrEqual(steps)
  }
})

describe('A3: a fair race', () => {
  const sweep = (state: DescentState) => bestRates({ ...raceOf(state), ...surfaceOf(state), start: state.start, epsilon: state.epsilon })

  test('the first view has the best rates, all arrive, and it is not descent that is best', async () => {
    const state = descent.defaults
    expect(await sweep(state)).toEqual(state.racers.map(({ rate }) => rate))
    const arrivals = (await race(raceOf(state))).map((track) => arrivalOf(track, 0, state.epsilon) as number)
    expect(arrivals.every((step) => step !== null && step < state.steps)).toBe(true)
    expect(Math.max(...arrivals)).toBe(arrivals[0])
  })

  test('a best rate arrives no later than other rates do, by the slowest of its starts', async () => {
    const state = { ...descent.defaults, racers: descent.defaults.racers.slice(0, 2) }
    const [rates, [w, h]] = [await sweep(state), surfaceOf(state).range.map(([low, high]) => (high - low) / 12)]
    const starts = [
      [0, 0],
      [1, 1],
      [-1, 1],
      [1, -1],
      [-1, -1],
    ].map(([x, y]) => [state.start[0] + w * x, state.start[1] + h * y] as const)
    const slowest = async (racer: number, rate: number) => {
      const racers = [{ ...state.racers[racer], rate }]
      const tracks = await Promise.all(starts.map(async (start) => (await race(raceOf({ ...state, start, racers })))[0]))
      return Math.max(...tracks.map((track) => arrivalOf(track, 0, state.epsilon) ?? Number.POSITIVE_INFINITY))
    }
    for (const racer of [0, 1])
      for (const factor of [0.42, 0.75, 1.33, 2.4])
        expect(await slowest(racer, rates[racer])).toBeLessThanOrEqual(await slowest(racer, factor * rates[racer]))
  })

  test('f without a floor leaves rates as they are', async () => {
    expect(await sweep({ ...descent.defaults, surface: 'own', formula: 'x - y^2' })).toEqual(
      descent.defaults.racers.map(({ rate }) => rate),
    )
  })
})

describe('A4: arrows and boxes', () => {
  test('are as long as the root of their size says, and nothing at rest', async () => {
    const tracks = await race(raceOf(titled('Local minima')))
    const sizes = sizesOf(tracks)
    for (const { velocity, steps } of tracks) {
      const length = (step: number) => shownSize(Math.hypot(velocity![2 * step], velocity![2 * step + 1]), sizes.velocity, 64)
      expect(length(steps)).toBeLessThan(3)
      expect(Math.max(...Array.from({ length: steps }, (_, i) => length(i)))).toBeGreaterThan(10)
    }
    expect(shownSize(1, 100, 64)).toBeCloseTo(6.4)
    expect(shownSize(0, 0, 64)).toBe(0)
  })

  test('are as before beside a racer that walks to where f is not a number', async () => {
    const state = { ...descent.defaults, surface: 'own', formula: 'sqrt(x)', start: [1, 1] as const, steps: 20 }
    const [stays, walks] = [0.01, 3].map((rate) => ({ method: 'SGD', rate, options: {} }))
    const alone = sizesOf(await race(raceOf({ ...state, racers: [stays] })))
    const tracks = await race(raceOf({ ...state, racers: [stays, walks] }))
    expect([tracks[1].end, sizesOf(tracks)]).toEqual(['undefined', alone])
  })

  test('the box of the lesson on bias correction grows', async () => {
    const tracks = await race(raceOf(titled('Bias correction')))
    const { scale } = sizesOf(tracks)
    const side = (step: number) => shownSize(Math.hypot(tracks[0].scale![2 * step], tracks[0].scale![2 * step + 1]), scale, 34)
    expect(side(0)).toBe(0)
    expect(side(2)).toBeGreaterThan(3)
    expect(side(10)).toBeGreaterThan(side(2))
  })
})

describe('A11: where f is no number, or has no floor', () => {
  const said = async (formula: string, start: readonly [number, number], steps = 100, rate = 0.05) => {
    const state = {
      ...descent.defaults,
      surface: 'own',
      formula,
      start,
      steps,
      racers: [
        { method: 'SGD', rate, options: {} },
        { method: 'lbfgs', rate: 0, options: {} },
        { method: 'newton', rate: 0, options: {} },
      ],
    }
    return (await race(raceOf(state))).map((track) => endText(track, null, { ...surfaceOf(state), lowest: null }, state))
  }
  test.each(['1/0 + x', 'log(x*y)', 'sqrt(x)', 'x^y'])('%s', async (formula) => {
    for (const text of await said(formula, [-3, 2])) expect(text).toMatch(/not a number at the start/)
  })
  test('the map has no color where f is not a number', () => {
    const { shares, columns, rows } = landscape({ ground: { formula: 'sqrt(x)', condition: 1 }, range: surfaceOf(descent.defaults).range })
    const at = (x: number) => shares[Math.floor(rows / 2) * columns + Math.round(x * (columns - 1))]
    expect([Number.isNaN(at(0.2)), Number.isNaN(at(0.8))]).toEqual([true, false])
  })
  test('−x², from 1: no floor', async () => {
    for (const text of await said('0 - x^2', [1, 1], 200)) expect(text).toMatch(/no floor/)
  })
  test('a minimum far off the map is a floor', async () => {
    for (const text of await said('(x - 100)^2 / 1000', [-3, 2], 300, 1)) expect(text).not.toMatch(/no floor/)
  })
  test('a racer that walks out of the domain', async () => {
    const [sgd, , newton] = await said('sqrt(x)', [0.001, 1])
    for (const text of [sgd, newton]) expect(text).toMatch(/walked to where f is not a number/)
  })
})

describe('B1, B2: colours and names', () => {
  test('each optimizer has its colour, in whatever company, and lines of one list differ', () => {
    for (const id of Object.keys(HUES))
      expect(looksOf([id])[0].colour).toBe(
        looksOf(['SGD', id, 'Adam'].filter((one, i, all) => all.indexOf(one) === i)).at(id === 'SGD' ? 0 : id === 'Adam' ? -1 : 1)?.colour,
      )
    const four = looksOf(['SGD', 'SGD', 'SGD', 'SGD'])
    expect(new Set(four.map(({ colour, dash }) => `${colour} ${dash}`)).size).toBe(4)
    expect(new Set(looksOf(['SGD', 'Momentum', 'RMSProp', 'Adam']).map(({ colour }) => colour)).size).toBe(4)
  })

  test('figures of the guides have them, too', () => {
    for (const [figure, ...names] of [
      ['learning-rate', 'SGD', 'Momentum', 'RMSProp', 'Adam'],
      ['saddle', 'SGD', 'RMSProp', 'Adam'],
      ['find-learning-rate', 'Adam'],
    ]) {
      const svg = readFileSync(new URL(`../../docs/guide/figures/${figure}.svg`, import.meta.url), 'utf8')
      for (const name of names) expect(svg, `${figure}, ${name}`).toContain(LIGHT[HUES[name]])
    }
  })

  test('names cover no other name, and stay in the picture', () => {
    for (let trial = 0; trial < 200; trial++) {
      const random = (k: number) => Math.abs(Math.sin(1000 * trial + 7 * k)) // of its own, so that it is the same each time
      const labels = Array.from({ length: 1 + (trial % 12) }, (_, k) => ({
        x: 362 * random(k),
        y: 340 * random(k + 50),
        width: 40 + 90 * random(k + 99),
      }))
      const placed = placeLabels(labels, 362, 340)
      placed.forEach((a, i) => {
        expect(a.left).toBeGreaterThanOrEqual(0)
        expect(a.left + labels[i].width).toBeLessThanOrEqual(362.001)
        for (let k = 0; k < i; k++) {
          const b = placed[k]
          const isApart = Math.abs(a.y - b.y) >= 15 || a.left >= b.left + labels[k].width || b.left >= a.left + labels[i].width
          expect(isApart).toBe(true)
        }
      })
    }
  })

  test('names leave curves free where there is room', () => {
    // A dense curve about the middle, and names whose points are on it.
    const dense = (from: number, to: number) =>
      Array.from({ length: 180 }, (_, i) => ({ from: 2 * i, to: 2 * i + 2, top: 80 + (i % 3), bottom: 120 })).filter(
        (piece) => piece.to > from && piece.from < to,
      )
    const labels = [90, 100, 110].map((y) => ({ x: 360, y, width: 120 }))
    for (const { y } of placeLabels(labels, 362, 200, dense)) expect(y < 73 || y > 127).toBe(true)
    expect(placeLabels(labels, 362, 200)[0].y).toBe(80)
  })

  test('names at the ends of curves stand in the order of the curves', () => {
    for (let trial = 0; trial < 300; trial++) {
      const random = (k: number) => Math.abs(Math.sin(1000 * trial + 7 * k))
      const ends = Array.from({ length: 2 + (trial % 7) }, (_, k) => ({ x: 360, y: 200 * random(k), width: 60 + 60 * random(k + 50) }))
      const curves = (from: number, to: number) =>
        ends
          .flatMap(({ y }) => Array.from({ length: 90 }, (_, i) => ({ from: 4 * i, to: 4 * i + 4, top: y - 2, bottom: y + 2 })))
          .filter((piece) => piece.to > from && piece.from < to)
      const placed = placeLabels(ends, 362, 200, curves)
      const byCurve = ends.map((_, i) => i).sort((a, b) => ends[a].y - ends[b].y)
      for (const [rank, i] of byCurve.entries()) if (rank > 0) expect(placed[i].y).toBeGreaterThanOrEqual(placed[byCurve[rank - 1]].y + 15)
    }
  })
})

test('the key of arrows and boxes names those that are drawn', () => {
  const [descent, momentum, adam, solver] = [{ velocity: 'gradient' }, { velocity: 'momentum' }, { velocity: 'm', squares: 'v' }, {}]
  expect(keyText([descent])).toBe('The arrow is −∇f, the way downhill. What is a quarter as large is drawn half as long.')
  expect(keyText([momentum])).toMatch(/^The arrow is the velocity\. What/)
  expect(keyText([descent, adam])).toMatch(
    /^The arrow is the velocity \(of gradient descent: −∇f\)\. The box is √S, .* of this race\. What/,
  )
  expect(keyText([solver])).toBe('')
  expect(shownSize(0.25, 1, 64)).toBe(32)
})

test('B9: arrived is who stays', () => {
  const track = (values: number[]) => ({ values: Float64Array.from(values), steps: values.length - 1 })
  expect(arrivalOf(track([9, 0.001, 5, 0.001, 0.002]), 0, 0.01)).toBe(3)
  expect(arrivalOf(track([9, 0.001, 5]), 0, 0.01)).toBe(null)
  expect(arrivalOf(track([0.001, 0.001]), 0, 0.01)).toBe(0)
})
