/** Series that follow a rule to the last digit, at every length: a forecast whose band has no width is right, and lines are forecast exactly. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { forecast } from '../../ts/series/index.js'
import { cases } from '../tools/nightly.js'

type Rule = (t: number) => number

/** The largest error of the forecasts, and the largest half of a band, as shares of the largest value. */
async function errorsOf(rule: Rule, length: number, horizon: number, season?: number): Promise<{ error: number; band: number }> {
  const rows = Array.from({ length }, (_, t) => ({ t, y: rule(t) }))
  const model = await forecast(rows, { time: 't', value: 'y', horizon, ...(season && { season }) })
  const scale = Math.max(...Array.from({ length: length + horizon }, (_, t) => Math.abs(rule(t)))) || 1
  const { forecasts } = model
  return {
    error: Math.max(...forecasts.map(({ value }, h) => Math.abs(value - rule(length + h)))) / scale,
    band: Math.max(...forecasts.map(({ low, high }) => high - low)) / scale,
  }
}

test.each([
  ['7 + 3 t', (t: number) => 7 + 3 * t, 60, 1],
  ['a counter', (t: number) => t, 20, 1],
] as const)('%s, which went on with the mean of its values', async (_, rule, length, horizon) => {
  expect((await errorsOf(rule, length, horizon)).error).toBeLessThan(1e-6)
})

const length = fc.integer({ min: 10, max: 200 })
const horizon = fc.integer({ min: 1, max: 4 })
/** A number with three digits behind the point, from −most to most. */
const decimal = (most: number) => fc.integer({ min: -1000 * most, max: 1000 * most }).map((n) => n / 1000)
const whole = (most: number) => fc.integer({ min: -most, max: most })

test('lines, counters and constants go on as they are', async () => {
  const number = (most: number) => fc.oneof(whole(most), decimal(most))
  await fc.assert(
    fc.asyncProperty(number(100), number(9), length, horizon, async (a, b, n, h) => {
      expect((await errorsOf((t) => a + b * t, n, h)).error).toBeLessThan(1e-6)
    }),
    { numRuns: cases(6000), seed: 20261205 },
  )
})

test('a band without a width is of forecasts without an error: seasons, powers, and their sums with lines', async () => {
  const line = fc.tuple(decimal(5), decimal(1)).map(([a, b]): Rule => (t) => a + b * t) // biome-ignore format: one line
  const power = fc.integer({ min: 900, max: 1100 }).map((base): Rule => (t) => 10 * (base / 1000) ** t) // biome-ignore format: one line
  const square = fc.constant<Rule>((t) => t ** 2 / 100)
  const pattern = fc.array(whole(20), { minLength: 2, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(line, power, square), { maxLength: 2 }), pattern, length, horizon, async (parts, season, n, h) => {
      fc.pre(n >= 4 * season.length)
      const rule: Rule = (t) => parts.reduce((sum, part) => sum + part(t), season[t % season.length])
      const { error, band } = await errorsOf(rule, n, h, season.length)
      if (band < 1e-9) expect(error).toBeLessThan(1e-4)
    }),
    { numRuns: cases(4000), seed: 20261205 },
  )
})
