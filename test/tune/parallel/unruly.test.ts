/** Trials that share threads do not affect each other, whatever their objectives do: random mixtures of well-behaved and unruly trials. */
import { expect, test } from 'vitest'
import { createStudy, float, random } from '../../../ts/tune/index.js'
import { cases } from '../../tools/nightly.js'
import { kindOf } from './unruly.mjs'

const SEEDS = Number(process.env.GRADUS_UNRULY ?? cases(20))
const FAILED: Record<string, RegExp> = {
  'reports nonsense': /report wants a number/,
  throws: /^error of \d+$/,
  dies: /^the worker died \(exit code 1\)/,
  hangs: /trialTime/,
}

test(`fault 44: ${SEEDS} studies of 40 trials in three threads`, async () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < SEEDS; seed++) {
    const study = await createStudy({ space: { x: float(0, 1) }, sampler: random(), seed })
    await study.optimize(
      { module: new URL('./unruly.mjs', import.meta.url), factory: 'make', options: { seed } },
      { trials: 40, parallel: 3, trialTime: 1, onError: 'continue', onMessage() {} },
    )
    for (const { number, state, value, error, reports, attributes } of study.trials) {
      const kind = kindOf(number, seed)
      const own = { seed, number, kind }
      // a busy machine
      if (kind !== 'hangs' && state === 'failed' && FAILED.hangs.test(error ?? '')) continue
      seen.add(kind)
      if (kind in FAILED) {
        expect({ ...own, state }).toEqual({ ...own, state: 'failed' })
        expect(error).toMatch(FAILED[kind])
        if (kind === 'throws') expect(error).toBe(`error of ${number}`)
      } else
        expect({ ...own, state, value, mine: attributes.mine }).toEqual({ ...own, state: 'complete', value: 10 + number, mine: number })
      expect({ ...own, reports: [...reports.values()] }).toEqual({ ...own, reports: [...reports.values()].map(() => number) })
      if (kind === 'reports') expect(reports.size).toBe(3)
    }
  }
  // most of the nine kinds were recognized, and not mistaken for hanging trials
  expect(seen.size).toBeGreaterThan(4)
}, 36_000_000)
