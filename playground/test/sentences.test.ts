/**
 * Sentences of the page that have a figure of their own, which no program writes there: each stands in this table with what makes it true over all
 * settings that the page or a link can reach. Those of the lecture are in lessons.test.ts, and copied programs in programs.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Parameter, SGD } from 'gradus'
import { minimize } from 'gradus/solve'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { SURFACES } from '../src/descent/functions'
import { inspect } from '../src/descent/inspect'
import { RATES, race, sweep } from '../src/descent/race'
import { type Minimum, minimaOf } from '../src/descent/starts'
import { type DescentState, descent, groundOf, raceOf, racer } from '../src/descent/state'
import { ready } from '../src/engine/ready'
import { AXES } from '../src/fleet/axes'
import { epochsOf, SAMPLE, stepsText } from '../src/fleet/map'
import { fleet } from '../src/fleet/state'
import { fleetImportance, fleetMap } from '../src/fleet/train-many'
import { CONSTANT, type ScheduleKind } from '../src/schedules/choice'
import { RateControl, scheduleOf } from '../src/schedules/rates'
import { slopeOf } from '../src/schedules/slope'

const SOURCES = fileURLToPath(new URL('../src', import.meta.url))
/** Files of programs, of the lecture, and of messages with tests of their own. */
const ELSEWHERE = /(^|\/)(code|lessons|digit-lines|program|toys|table|formula)\.ts$/
const FIGURE = /\d|½|\b(two|three|four|five|six|seven|eight|nine|ten|twice|half|halves|thousand|hundred)\b/i

/** Texts with a figure that stand in the sources. */
function texts(): string[] {
  const found: string[] = []
  for (const file of readdirSync(SOURCES, { recursive: true }) as string[]) {
    if (!/\.tsx?$/.test(file) || ELSEWHERE.test(file)) continue
    const visit = (node: ts.Node): void => {
      const isText =
        ts.isJsxText(node) || ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)
      const text = isText ? node.text.replace(/\s+/g, ' ').trim() : ''
      const isClass = ts.isJsxAttribute(node.parent ?? node) && (node.parent as ts.JsxAttribute).name.getText() === 'class'
      if (/[a-z]{2,} /i.test(text) && FIGURE.test(text) && !/px system-ui/.test(text) && !isClass) found.push(text)
      ts.forEachChild(node, visit)
    }
    visit(ts.createSourceFile(file, readFileSync(`${SOURCES}/${file}`, 'utf8'), ts.ScriptTarget.Latest, true))
  }
  return found
}

const minima = (id: string, condition = 10) =>
  minimaOf({
    ground: groundOf({ ...descent.defaults, surface: id, condition }),
    range: SURFACES.find((surface) => surface.id === id)!.range,
  })
const valueAt = (id: string, [x, y]: Minimum) => inspect({ ground: groundOf({ ...descent.defaults, surface: id }), at: [x, y] }).value
const places = (id: string) => minima(id).map((minimum) => minimum.slice(0, 2).map((v) => Number(v.toFixed(6))))
const at = (surface: string, x: number, y: number) => inspect({ ground: groundOf({ ...descent.defaults, surface }), at: [x, y] })
const rates = (kind: ScheduleKind, steps: number) => {
  const rule = scheduleOf({ ...CONSTANT, kind, steps }, 1)!
  return Array.from({ length: 8 * steps }, (_, step) => rule(step))
}

/** Begins of texts, with what holds; `null` for names and for what is tested with the file that says it. */
const TABLE: Record<string, (() => void | Promise<void>) | null> = {
  'A thousand nets': null,
  'What is a quarter as large is drawn half as long.': null, // truth.test.ts
  'Map of a thousand nets': null,
  'Learns the curvature from the last ten gradients.': () => {
    const end = (historySize?: number) => {
      const f = (x: Float64Array) => x.reduce((sum, v, i) => sum + (i + 1) * Math.cosh(v - i), 0)
      return minimize(f, new Float64Array(30), { method: 'lbfgs', maxIterations: 25, historySize }).value
    }
    expect(end()).toBe(end(10))
    expect(end()).not.toBe(end(9))
  },
  '; without momentum (β 0)': null, // fair.test.ts
  'k times as steep across as along': async () => {
    for (const condition of [1.5, 2, 10, 37, 100, 1000]) {
      const flips = async (rate: number) => {
        const state: DescentState = { ...descent.defaults, condition, start: [3, 1], racers: [{ ...racer('SGD'), rate }], steps: 40 }
        const [{ path, steps }] = await race(raceOf(state))
        const ys = Array.from({ length: Math.min(steps, 20) }, (_, i) => path[2 * i + 1])
        return { zigzags: ys.filter((y, i) => i > 0 && y * ys[i - 1] < 0).length, far: Math.abs(path[2 * steps + 1]) }
      }
      expect((await flips(0.9 / condition)).zigzags).toBe(0)
      expect((await flips(1.5 / condition)).zigzags).toBeGreaterThan(10)
      expect((await flips(1.9 / condition)).far).toBeLessThan(1)
      expect((await flips(2.1 / condition)).far).toBeGreaterThan(10)
      const { eigenvalues } = inspect({ ground: groundOf({ ...descent.defaults, condition }), at: [3, 1] })
      expect(eigenvalues[1] / eigenvalues[0]).toBeCloseTo(condition, 6)
    }
  },
  'A bent valley': () => expect(places('rosenbrock')).toEqual([[1, 1]]),
  'Flat valleys between steep corners': () => expect(places('beale')).toEqual([[3, 0.5]]),
  'Four equal minima': () => {
    expect(minima('himmelblau')).toHaveLength(4)
    for (const minimum of minima('himmelblau')) expect(valueAt('himmelblau', minimum)).toBeCloseTo(0, 12)
  },
  'A saddle at (0, 0) between two minima': () => {
    expect(at('saddle', 0, 0)).toMatchObject({ kind: 'saddle', gradient: [0, 0] })
    expect(minima('saddle')).toHaveLength(2)
  },
  'Even the Hessian vanishes at (0, 0)': () => {
    for (const eigenvalue of at('monkey-saddle', 0, 0).eigenvalues) expect(Math.abs(eigenvalue)).toBe(0)
    const around = Array.from(
      { length: 360 },
      (_, i) => at('monkey-saddle', Math.cos((i * Math.PI) / 180), Math.sin((i * Math.PI) / 180)).value,
    )
    // As many valleys as ridges: three.
    expect(around.filter((v, i) => v < 0 && around[(i + 359) % 360] >= 0)).toHaveLength(3)
  },
  'Four minima, one of them lowest.': () => {
    const values = minima('styblinski').map((minimum) => valueAt('styblinski', minimum))
    expect(values).toHaveLength(4)
    expect(values.filter((v) => v < Math.min(...values) + 1)).toHaveLength(1)
  },
  'less than 0.1': null, // starts.test.ts
  'Products of the Hessian with a vector; a whole Hessian of two numbers is two of them': null,
  'Rates decide a race. The best of 37 is that with which the slowest of five starts': async () => {
    const { starts, racers } = await sweep({ ...raceOf(descent.defaults), range: SURFACES[0].range, lowest: 0, epsilon: 0.01 })
    expect([RATES.length, starts]).toEqual([37, 5])
    expect(racers[0]).toHaveLength(37)
  },
  'Two at a time': null, // pairs.test.ts
  'No two of them explain more together': null,
  'd of η / (1 + d·t), where t goes from 0 to 1': null,
  'of 2-': null,
  'η₀ · t / (s/10), then cosine': () => {
    for (const steps of [10, 100, 1000]) {
      const found = rates('warmup', steps)
      expect(found.indexOf(Math.max(...found))).toBeCloseTo(steps / 10, -1)
      expect(found[steps]).toBeCloseTo(0, 6)
    }
  },
  'cosine over s, 2s, 4s … steps': () => {
    for (const steps of [10, 75, 400]) {
      const found = rates('restarts', steps)
      const restarts = found.flatMap((rate, i) => (i > 0 && rate > found[i - 1] ? [i] : []))
      expect(restarts).toEqual([steps, 3 * steps, 7 * steps])
    }
  },
  'up over 0.3 s, down over 0.7 s': () => {
    for (const steps of [10, 100, 3000]) {
      const found = rates('onecycle', steps)
      expect(Math.abs(found.indexOf(Math.max(...found)) - 0.3 * steps)).toBeLessThanOrEqual(1)
      expect(found.slice(Math.ceil(0.3 * steps), steps).every((rate, i, list) => i === 0 || rate <= list[i - 1])).toBe(true)
    }
  },
  'η ← f · η after s steps without a loss below (1 − τ) · best': async () => {
    await ready()
    for (const [steps, factor, threshold] of [
      [10, 0.5, 0.01],
      [33, 0.2, 0.2],
    ]) {
      const optimizer = new SGD([new Parameter([1])], { learningRate: 1 })
      const control = new RateControl(optimizer, { kind: 'plateau', steps, factor, threshold }, 1)
      const losses = [2, ...new Array(steps).fill(2 - 1.9 * threshold), 2]
      const seen = losses.map((loss) => {
        control.after(loss)
        return optimizer.learningRate
      })
      expect(seen.slice(0, steps).every((rate) => rate === 1)).toBe(true)
      expect(seen.at(-1)).toBeCloseTo(factor, 12)
    }
  },
  'half of the fall': () => {
    for (const [noise, width] of [
      [0, 3],
      [0.02, 8],
      [0.05, 20],
    ]) {
      const smoothed = Array.from(
        { length: 160 },
        (_, i) => 1 - 0.8 / (1 + Math.exp((80 - i) / width)) + noise * Math.sin(i) + (i > 130 ? i - 130 : 0),
      )
      const { middle, to } = slopeOf(smoothed)!
      const level = Math.max(...smoothed.slice(20, to))
      const share = (i: number) => (level - smoothed[i]) / (level - smoothed[to])
      expect(share(middle)).toBeLessThanOrEqual(0.5)
      expect(share(middle + 1)).toBeGreaterThan(0.5)
    }
  },
  ', where half of the fall is behind.': null, // as above
  '(root mean square); a flat line at 0': null, // series.test.ts
  'New: how far each unit lets the new value in, 1 − u': null, // series.test.ts
  'half open': null,
  'times the gradient, 16 rows by': null, // looks.test.ts; without 16 rows it is not there
  ': what it answers to each point (blue above 0, orange below).': null,
  'Dotted: 2/η, of gradient descent.': null, // lessons.test.ts
  'Gradient descent has a limit, 2/η': null,
  'Draw class 0': null,
  'Draw class 1': null,
  '× the largest that is stable there (edge of stability: 1).': null, // xray.test.ts
}

test('every text with a figure is in the table, and all in the table is said', () => {
  const said = texts()
  for (const text of said)
    expect(
      Object.keys(TABLE).some((known) => text.startsWith(known)),
      `'${text}' wants a row`,
    ).toBe(true)
  for (const known of Object.keys(TABLE))
    expect(
      said.some((text) => text.startsWith(known)),
      `nobody says '${known}'`,
    ).toBe(true)
})

test.each(Object.entries(TABLE).filter(([, holds]) => holds !== null))('%s', async (_, holds) => {
  await holds!()
})

test('the steps of a thousand nets are those that are said, whatever the batch', async () => {
  const context = { update() {}, messages: () => [], isStopped: false, breathe: async () => {} }
  expect(stepsText(240)).toBe('All nets take 240 steps.')
  expect(stepsText(40)).toBe('Nets take 39 to 80 steps: whole epochs, whatever their batch.')
  for (const steps of [1, 20, 40, 100, 300]) {
    const numbers = (stepsText(steps).match(/\d+/g) ?? []).map(Number)
    for (const batch of [2, 64]) {
      const { netSteps } = await fleetMap({ ...fleet.defaults, steps, batch, width: 2 }, context)
      const { epochs, stepsAnEpoch } = epochsOf(steps, batch)
      expect(netSteps / 1024).toBe(epochs * stepsAnEpoch)
      expect(netSteps / 1024).toBeGreaterThanOrEqual(Math.min(...numbers))
      expect(netSteps / 1024).toBeLessThanOrEqual(Math.max(...numbers))
    }
  }
  const { nets, shares } = await fleetImportance({ ...fleet.defaults, steps: 20 })
  expect([nets, shares.length]).toEqual([SAMPLE, AXES.length])
})
