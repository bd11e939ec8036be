/**
 * Every sentence of advice, checked against the numbers of its report, for random studies.
 *
 *   ADVICE=2000 node node_modules/vitest/vitest.mjs run test/tune/report/advice.test.ts
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advice, createStudy, importance, random, tpe } from '../../../ts/tune/index.js'
import { axesOf } from '../../../ts/tune/space.js'
import { space } from '../spaces.js'

const SENTENCES: [string, RegExp][] = [
  ['none', /^No trial is complete, so there is nothing to say yet\.$/],
  ['few', /^Only (\d+) trials have a value: run 20 or more to learn which parameters matter\.$/],
  ['equal', /^No parameter mattered more than another\.$/],
  ['mattered', /^(p\d) mattered most \((\d+) %\)(?:, then (.*?))?(?:; (.*) hardly mattered)?\.$/],
  [
    'tied',
    /^The best (\d+) trials all have the value (.*), so none of them is better than another: choose the simplest, or judge by more rows\.$/,
  ],
  ['edge', /^The best values of (p\d) are at the (lower|upper) end of (.*): try a range that goes on there\.$/],
  ['late', /^The best is trial (\d+), and (\d+) since then were no better: more of the same will bring little\.$/],
  ['next', /^Next: more trials(?:, with (.*), where the best tenth is| of the same space)?\.$/],
]
const names = (text: string | undefined) => text?.match(/p\d/g) ?? []

test('fault 42: every sentence of advice is true', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      space(4),
      fc.integer({ min: 1, max: 90 }),
      fc.constantFrom(random, tpe),
      fc.constantFrom('minimize', 'maximize'),
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 }),
      fc.constantFrom(0, 0.3, 3),
      fc.nat(1000),
      async (space, trials, make, direction, weights, floor, seed) => {
        const axes = axesOf(space)
        const study = await createStudy({ space, sampler: make(), direction: direction as 'minimize', seed })
        const sign = direction === 'minimize' ? 1 : -1
        await study.optimize(
          (params, trial) => {
            let loss = 0
            axes.forEach((axis, i) => {
              const value = params[axis.name]
              if (value !== undefined)
                loss += weights[i] * axis.share(axis.coordinate(value)) + (weights[i] > 1 ? 0 : axis.share(axis.coordinate(value)) ** 2)
            })
            trial.constrain('c', trial.number % 5 === 4 ? 1 : -1)
            if (trial.number % 13 === 12) return Number.NaN
            return sign * Math.max(-floor, loss)
          },
          { trials },
        )
        const complete = study.trials
          .filter(({ state, constraints }) => state === 'complete' && constraints.c <= 0)
          .sort((a, b) => sign * ((a.value as number) - (b.value as number)))
        const tenth = complete.slice(0, Math.max(3, Math.ceil(complete.length / 10)))
        const shares = importance(study, { evaluator: 'fanova' }) as Record<string, number>
        const text = advice(study)
        for (const sentence of text.split(/(?<=\.) (?=[A-Z]|p\d mattered)/)) {
          const [kind, match] = SENTENCES.flatMap(([name, pattern]) => {
            const found = pattern.exec(sentence)
            return found ? [[name, found] as const] : []
          })[0] ?? [`unknown: ${sentence}`, []]
          seen.add(kind)
          if (kind === 'none') expect(complete).toHaveLength(0)
          else if (kind === 'few') expect(Number(match[1])).toBeLessThan(20)
          else if (kind === 'equal') expect(Math.max(...Object.values(shares))).toBe(0)
          else if (kind === 'mattered') {
            expect(shares[match[1]]).toBe(Math.max(...Object.values(shares)))
            expect(Number(match[2])).toBe(Math.round(100 * shares[match[1]]))
            for (const name of names(match[3])) expect(shares[name]).toBeGreaterThanOrEqual(0.05)
            for (const name of names(match[4])) expect(shares[name]).toBeLessThan(0.05)
            expect(new Set([match[1], ...names(match[3]), ...names(match[4])])).toEqual(new Set(Object.keys(shares)))
          } else if (kind === 'tied') {
            expect(tenth).toHaveLength(Number(match[1]))
            expect(new Set(tenth.map(({ value }) => value))).toEqual(new Set([study.bestValue]))
          } else if (kind === 'edge') {
            const axis = axes.find(({ name }) => name === match[1])
            const places = tenth
              .flatMap(({ params }) => (params[match[1]] === undefined ? [] : [axis?.share(axis.coordinate(params[match[1]])) as number]))
              .sort((a, b) => a - b)
            const middle = places[Math.floor(places.length / 2)]
            if (match[2] === 'lower') expect(middle).toBeLessThanOrEqual(0.08)
            else expect(middle).toBeGreaterThanOrEqual(0.92)
          } else if (kind === 'late') {
            expect([Number(match[1]), Number(match[2])]).toEqual([study.bestTrial?.number, trials - 1 - (study.bestTrial?.number ?? 0)])
            expect(
              complete
                .filter(({ number }) => number > Number(match[1]))
                .every(({ value }) => sign * (value as number) >= sign * study.bestValue),
            ).toBe(true)
          } else if (kind === 'next') {
            for (const [, name, low, high] of match[1]?.matchAll(/(p\d) from (\S+) to ([^\s,]+)/g) ?? []) {
              const values = tenth.flatMap(({ params }) => (typeof params[name] === 'number' ? [params[name]] : []))
              // written to three digits
              const close = (a: number, b: number) => Math.abs(a - b) <= 0.0051 * Math.abs(b) + 1e-9
              expect(close(Number(low), Math.min(...values))).toBe(true)
              expect(close(Number(high), Math.max(...values))).toBe(true)
            }
          } else throw new Error(`a sentence that no test knows: ${sentence}`)
        }
      },
    ),
    { numRuns: Number(process.env.ADVICE ?? 60), seed: 11 },
  )
  // all kinds of sentences occurred that a study with a complete trial may have
  for (const kind of ['few', 'mattered', 'tied', 'edge', 'late', 'next']) expect(seen).toContain(kind)
})
