/** Reports: what they say, and that the page needs nothing else. */
import { describe, expect, test } from 'vitest'
import {
  advice,
  categorical,
  createStudy,
  float,
  htmlReport,
  importance,
  int,
  median,
  random,
  type Sampler,
  summarize,
  tpe,
  when,
} from '../../../ts/tune/index.js'

async function example(trials: number, sampler: Sampler = tpe()) {
  const study = await createStudy({
    name: 'nets <b>',
    seed: 1,
    sampler,
    pruner: median(),
    space: {
      rate: float(1e-5, 1, { log: true }),
      width: int(8, 256, { log: true }),
      kind: categorical(['SGD', 'Adam & co']),
      momentum: when('kind', 'SGD', float(0, 0.9)),
      idle: float(0, 1),
    },
  })
  await study.optimize(
    async ({ rate, width, kind }, trial) => {
      const loss = (Math.log10(rate) + 2.5) ** 2 + Math.abs(Math.log2(width) - 8) / 10 + (kind === 'SGD' ? 0.1 : 0)
      for (let step = 1; step <= 3; step++) {
        await trial.report(loss + 1 / step, step)
        if (trial.shouldPrune()) trial.prune()
      }
      return loss
    },
    { trials },
  )
  return study
}

describe('after eighty trials', async () => {
  const study = await example(80)

  test('the sentence names what mattered, what did not, and what to try', () => {
    const text = advice(study)
    expect(text).toMatch(/^rate mattered most \(\d\d %\)/)
    expect(text).toMatch(/idle.* hardly mattered/)
    expect(text).toMatch(/The best values of width are at the upper end of int\(8, 256, \{ log: true \}\)/)
  })

  test('functional ANOVA has the shares of the function', async () => {
    // trials all over the space: of those that TPE gathers near the best, what does nothing may seem to explain what is elsewhere
    const shares = importance(await example(80, random()), { by: 'fanova' })
    expect(shares.rate).toBeGreaterThan(0.5)
    expect(shares.idle).toBeLessThan(0.06)
    expect(Object.values(shares).reduce((a, b) => a + b)).toBeCloseTo(1)
  })

  test('the text fits the terminal', () => {
    const lines = summarize(study, { width: 60 }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(lines[0]).toMatch(/^nets <b>: 80 trials, of which \d+ pruned$/)
  })

  test('the page has every part, escapes names, and asks for nothing from elsewhere', () => {
    const page = htmlReport(study)
    for (const title of ['What mattered', 'History', 'Slices', 'rate and width', 'All trials', 'Rungs', 'Best trials'])
      expect(page).toContain(`<h2>${title}</h2>`)
    expect(page).toContain('nets &#60;b&#62;')
    expect(page).not.toContain('Adam & co')
    expect(page).not.toMatch(/(?:src|href)=|@import|url\(|<script/)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
    expect(page.length).toBeLessThan(400_000)
  })
})

test('of few trials, and of none', async () => {
  expect(advice(await example(8))).toMatch(/^Only \d trials have a value: run 20 or more/)
  const none = await createStudy({ space: { x: float(0, 1) } })
  expect(advice(none)).toBe('No trial is complete, so there is nothing to say yet.')
  expect(htmlReport(none)).toContain('nothing to say yet')
  expect(summarize(none)).toContain('study: 0 trials')
})

test('of two objectives', async () => {
  const study = await createStudy({ space: { x: float(0, 2) }, direction: ['minimize', 'minimize'] })
  await study.optimize(({ x }) => [x * x, (x - 2) ** 2], { trials: 30 })
  expect(advice(study)).toMatch(/^\d+ trials are on the front: objective 1 from/)
  expect(htmlReport(study)).toContain('<h2>Front</h2>')
})
