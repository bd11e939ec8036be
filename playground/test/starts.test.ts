/** Every start: each pixel tells the race from there. */
import { Generator } from 'gradus'
import { describe, expect, test } from 'vitest'
import { blockGradient } from '../src/descent/block'
import { compile } from '../src/descent/formula'
import { SURFACES } from '../src/descent/functions'
import { race } from '../src/descent/race'
import { PAINTED } from '../src/descent/rules'
import { minimaOf, nearestMinimum, type Starts, startOf, starts } from '../src/descent/starts'
import { broken, captionOf, startsText } from '../src/descent/starts-text'
import { descent } from '../src/descent/state'
import { doubles } from '../src/engine/doubles'
import { decodeLink } from '../src/link'
import { methodOf } from '../src/methods'
import { short } from '../src/ui/controls'

const { sum, tensor } = await import('gradus')
const { valueAndGrad } = await import('gradus/curvature')

const context = { update() {}, messages: () => [], isStopped: false, breathe: async () => {} }
const inputOf = (id: string, rate: number, surface: (typeof SURFACES)[number], more: object = {}) => ({
  ...{ ground: { formula: surface.formula, condition: 20 }, range: surface.range, steps: 120, noise: 0, seed: 1 },
  ...{ racer: { ...methodOf(id), rate }, ...more },
})
const find = (id: string) => SURFACES.find((surface) => surface.id === id)!

const FORMULAS = [
  ...SURFACES.map(({ formula }) => formula),
  ...[
    'x*y/(1 + x^2)',
    'sqrt(x^2 + 1) + abs(y) + max(x, y) + min(x*y, 1)',
    'exp(-x^2) * tanh(y) + tan(x/9)',
    'log(x^2 + 2) ^ y',
    '2 ^ x + pow(y, 4)',
    'x^5 + y^7 - (x*y)^16 / 1e6 + (x - y)^1 + y^17 / 1e9',
  ],
  ...['sign(x) * x', '-(-x)^3 - +y', 'pi', 'e*x + PI*y', 'k/ (2 + cos(x))', 'x ^ 0', 'x^-2 + y^0.5'],
]

test.each(FORMULAS)('gradients of %s are those of the library', (formula) => {
  const ground = { formula, condition: 7 }
  const block = blockGradient(ground, 64)
  const places = new Generator(3).uniforms(128)
  for (let i = 0; i < 64; i++) [block.x[i], block.y[i]] = [6 * places[2 * i] - 3, 6 * places[2 * i + 1] - 3]
  block.run(64)
  const f = compile(ground)
  const backend = doubles()
  const { gradients } = valueAndGrad((x, y) => sum(f(x, y)))(tensor(block.x, { backend }), tensor(block.y, { backend }))
  for (const [own, other] of [
    [block.dx, gradients[0].data()],
    [block.dy, gradients[1].data()],
  ])
    for (let i = 0; i < 64; i++) {
      if (Number.isNaN(other[i])) continue
      expect(Math.abs(own[i] - other[i])).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(other[i])))
    }
})

test('minima of the functions are found', () => {
  const minima = (id: string) => minimaOf({ ground: { formula: find(id).formula, condition: 20 }, range: find(id).range })
  expect(minima('himmelblau')).toHaveLength(4)
  expect(minima('himmelblau')).toContainEqual([expect.closeTo(3, 8), expect.closeTo(2, 8), expect.closeTo(82.284, 2)])
  expect(minima('saddle')).toHaveLength(2)
  expect(minima('styblinski')).toHaveLength(4)
  expect(minima('monkey-saddle')).toEqual([])
  expect(minima('ravine')).toEqual([[expect.closeTo(0, 8), expect.closeTo(0, 8), 20]])
  expect(minima('rosenbrock')).toEqual([[expect.closeTo(1, 8), expect.closeTo(1, 8), expect.closeTo(1001.6, 0)]])
  expect(minima('beale')).toContainEqual([expect.closeTo(3, 8), expect.closeTo(0.5, 8), expect.any(Number)])
  expect(minima('rastrigin').length).toBeGreaterThan(40)
  for (const formula of ['x', '0', '1/0', 'x*y', 'log(-1 - x^2)'])
    expect(minimaOf({ ground: { formula, condition: 1 }, range: find('saddle').range })).toEqual([])
})

describe.each([
  ['SGD', 'himmelblau', 0.0195],
  ['SGD', 'ravine', 0.11],
  ['Momentum', 'himmelblau', 0.05],
  ['Momentum', 'styblinski', 0.03],
  ['RMSProp', 'saddle', 0.05],
  ['Adam', 'himmelblau', 0.3],
  ['Adam', 'rastrigin', 0.1],
] as const)('%s on %s at %d', (id, surface, rate) => {
  test('a pixel has the minimum and the step of the race from there', async () => {
    const input = inputOf(id, rate, find(surface))
    const grid = await starts({ ...input, count: 2000 }, context)
    const cells = Array.from(new Generator(5).uniforms(60), (u) => Math.floor(u * grid.columns * grid.rows))
    const tracks = await race({ ...input, start: [0, 0], racers: cells.map((cell) => ({ ...input.racer, start: startOf(grid, cell) })) })
    const nearest = nearestMinimum(grid.minima, input.range)
    // Chaos doubles rounding at each step, so a few pixels on the borders may differ.
    let different = 0
    for (const [i, { path, steps, end }] of tracks.entries()) {
      const at = (step: number) => nearest(path[2 * step], path[2 * step + 1])
      const reached = end === 'steps' ? at(steps) : 0
      let arrival = steps
      while (arrival > 0 && at(arrival - 1) === reached) arrival--
      if (grid.reached[cells[i]] !== reached || (reached > 0 && grid.arrivals[cells[i]] !== arrival)) different++
    }
    expect(different).toBeLessThanOrEqual(1)
  })
})

test('large rates cannot stay in sharp minima: two countries of Himmelblau go dark past 2/λ, and the text says so', async () => {
  const share = (grid: Starts, minimum: number) => grid.reached.filter((reached) => reached === minimum).length / grid.reached.length
  const inputs = [0.01, 0.0195].map((rate) => inputOf('SGD', rate, find('himmelblau'), { count: 6000 }))
  const [calm, large] = await Promise.all(inputs.map((input) => starts(input, context)))
  for (const k of [1, 2, 3, 4]) expect(share(calm, k)).toBeGreaterThan(0.1)
  const sharp = calm.minima.flatMap(([, , curvature], k) => (curvature > 2 / 0.0195 ? [k + 1] : []))
  expect(sharp).toHaveLength(2)
  for (const k of [1, 2, 3, 4]) expect(share(large, k) < 0.001).toBe(sharp.includes(k))
  const [calmText, largeText] = inputs.map(({ racer }, i) => startsText([calm, large][i], { ...racer, label: 'Descent' }, 120))
  expect(calmText).not.toContain('cannot stay')
  for (const k of sharp) {
    const [x, y, curvature] = large.minima[k - 1]
    expect(largeText).toContain(`(${short(x)}, ${short(y)}) only below ${short(2 / curvature, 2)}`)
  }
})

test('every number of the text is the grid’s', async () => {
  for (const [id, surface, rate] of [
    ['Momentum', 'himmelblau', 0.05],
    ['Adam', 'rastrigin', 0.1],
    ['SGD', 'monkey-saddle', 0.01],
    ['SGD', 'saddle', 0.1],
  ] as const) {
    const input = inputOf(id, rate, find(surface), { count: 3000 })
    const grid = await starts(input, context)
    const text = startsText(grid, { ...input.racer, label: id }, input.steps)
    const share = (k: number) => grid.reached.filter((reached) => reached === k).length / grid.reached.length
    expect(text).toContain(`from ${grid.reached.length.toLocaleString('en')} starts`)
    if (grid.minima.length === 0) {
      expect(text).toContain('no minimum on this map')
      continue
    }
    const said = [...text.matchAll(/([\d.]+) % to \(([^,]+), ([^)]+)\)/g)]
    expect(said.length).toBe(Math.min(4, grid.minima.filter((_, k) => share(k + 1) >= 0.001).length))
    for (const [, percent, x, y] of said) {
      const k = grid.minima.findIndex(([mx, my]) => short(mx) === x && short(my) === y)
      expect(Math.abs(Number(percent) - 100 * share(k + 1))).toBeLessThanOrEqual(0.5)
    }
    const dark = Number(/([\d.]+) % are at none/.exec(text)?.[1] ?? 0)
    expect(Math.abs(dark - 100 * share(0))).toBeLessThanOrEqual(0.5)
  }
})

test('noise, no steps, no floor and no number: nothing hangs or arrives by mistake', async () => {
  for (const id of PAINTED) {
    const noisy = await starts(inputOf(id, 0.01, find('himmelblau'), { noise: 20, steps: 60, count: 400 }), context)
    expect(noisy.reached.some((reached) => reached === 0)).toBe(true)
    for (const formula of ['-x^2 - y^2', 'log(x)', '1/0', 'x + y', '3']) {
      const grid = await starts(
        { ...inputOf(id, 0.1, find('himmelblau'), { steps: 30, count: 200 }), ground: { formula, condition: 1 } },
        context,
      )
      expect(grid.reached.every((reached) => reached === 0)).toBe(true)
    }
  }
  await expect(starts(inputOf('Lion', 0.1, find('saddle')), context)).rejects.toThrow(
    'every start is drawn for SGD, Momentum, RMSProp, Adam, not for Lion',
  )
})

test('a stopped task ends, and a hundred thousand races are quick', async () => {
  const input = inputOf('SGD', 0.01, find('himmelblau'))
  expect((await starts(input, { ...context, isStopped: true })).columns).toBeLessThan(10)
  const grid = await starts(input, context)
  expect(grid.columns * grid.rows).toBeGreaterThan(100_000)
  console.log(`${grid.columns * grid.rows} races of Himmelblau by descent at 0.01: ${grid.milliseconds?.toFixed(0)} ms`)
})

test('a picture that is saved says what it shows: formula, optimizer, rate, and a link to the same', () => {
  for (const [changes, formula] of [
    [{ surface: 'himmelblau', everyStart: true, steps: 150 }, /^f\(x, y\) = [^k]*$/],
    [{ condition: 37, everyStart: true }, /k = 37$/],
    [{ surface: 'own', formula: 'x^2 + |y|', everyStart: true }, /^f\(x, y\) = x\^2 \+ \|y\|$/],
  ] as const) {
    descent.restore(changes)
    const state = descent.state.value
    const racer = { id: 'Momentum', rate: 0.15, options: { beta: 0.8 } }
    const [first, second, link] = captionOf(state, racer, 'https://example.org/play/')
    expect(first).toMatch(formula)
    expect(second).toBe(`Momentum from every start, learning rate 0.15, beta 0.8, ${state.steps} steps`)
    const { tab, changes: back } = decodeLink(new URL(link).hash)
    expect(tab).toBe('descent')
    descent.restore(back)
    expect(descent.state.value).toEqual(state)
  }
  descent.restore({})
  const lines = broken('abcdefghij', 3, (text) => text.length)
  expect(lines).toEqual(['abc', 'def', 'ghi', 'j'])
  expect(broken('ab', 0, (text) => text.length)).toEqual(['a', 'b'])
})
