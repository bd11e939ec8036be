/** Reports: their content, and that the page is self-contained. */
import { describe, expect, test } from 'vitest'
import {
  advice,
  categorical,
  createStudy,
  float,
  importance,
  int,
  median,
  random,
  reportHtml,
  reportText,
  type Sampler,
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
    // random trials, over the whole space: TPE gathers trials near the best, where a parameter without effect may seem to explain the values
    // elsewhere
    const shares = importance(await example(80, random()), { evaluator: 'fanova' })
    expect(shares.rate).toBeGreaterThan(0.5)
    expect(shares.idle).toBeLessThan(0.06)
    expect(Object.values(shares).reduce((a, b) => a + b)).toBeCloseTo(1)
  })

  test('the text fits the terminal', () => {
    const lines = reportText(study, { width: 60 }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(lines[0]).toMatch(/^nets <b>: 80 trials, of which \d+ pruned$/)
  })

  test('the page has every part, escapes names, and asks for nothing from elsewhere', () => {
    const page = reportHtml(study)
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
  expect(reportHtml(none)).toContain('nothing to say yet')
  expect(reportText(none)).toContain('study: 0 trials')
})

test('of two objectives', async () => {
  const study = await createStudy({ space: { x: float(0, 2) }, direction: ['minimize', 'minimize'] })
  await study.optimize(({ x }) => [x * x, (x - 2) ** 2], { trials: 30 })
  expect(advice(study)).toMatch(/^\d+ trials are on the front: objective 1 from/)
  expect(reportHtml(study)).toContain('<h2>Front</h2>')
})

describe('trials that cannot be told apart, and trials that failed', async () => {
  const study = await createStudy({ space: { x: float(0, 1), n: int(1, 50) }, sampler: random(), seed: 3 })
  await study.optimize(
    async ({ x, n }, trial) => {
      for (let step = 1; step <= 3; step++) await trial.report(x + n + 1 / step, step)
      if (trial.number % 25 === 7) throw new Error('<b>boom</b>')
      // 0 for many, as a loss of nets that have all rows right
      return x < 0.5 ? 0 : x - 0.499
    },
    { trials: 200, onError: 'continue' },
  )
  const page = reportHtml(study)

  test('no advice is made of them', () => {
    const text = advice(study)
    expect(text).toMatch(/The best 20 trials all have the value 0, so none of them is better than another/)
    expect(text).not.toMatch(/Next:|end of|more of the same/)
  })

  test('nor of nets that have all rows right', async () => {
    const right = await createStudy({ space: { x: float(0, 1) }, sampler: random() })
    await right.optimize(
      ({ x }, trial) => {
        trial.setAttribute('accuracy', x < 0.5 ? 1 : 0.9)
        return x
      },
      { trials: 40 },
    )
    expect(advice(right)).toMatch(/The best 4 trials have all held-out rows right: their losses are below what these rows can tell/)
  })

  test('the page has ten rows and ten lines of reports, a logarithmic axis, and the reasons of failures', () => {
    expect(page).toMatch(/<p>\d{2,} trials have the best value, 0; the first 10 of them:<\/p>/)
    const [, best] = page.split('<h2>Best trials</h2>')
    expect(best.split('<h2>')[0].match(/<tr>/g)).toHaveLength(11)
    const rungs = page.split('<h2>Rungs</h2>')[1].split('<section>')[0]
    expect(rungs).toContain('What the best 10 trials reported on the way.')
    expect(rungs.match(/<polyline/g)).toHaveLength(10)
    const slices = page.split('<h2>Slices</h2>')[1].split('<h2>')[0]
    expect(slices).toContain('>0.01<')
    expect(slices).toContain('>0.1<')
    const failed = page.split('<h2>Failed trials</h2>')[1]
    expect(failed).toContain('<td class="number">8</td><td class="number">7, 32, 57, 82, 107, …</td>')
    expect(failed).toContain('&#60;b&#62;boom&#60;/b&#62;')
  })
})
