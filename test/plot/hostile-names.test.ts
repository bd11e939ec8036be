/** Fault 45: names from strangers' files add no tags to pages and pictures. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lineChart } from '../../ts/plot/index.js'
import { barChart, confusionChart, escaped } from '../../ts/plot/svg.js'
import { reportHtml, type TableModelReport, trainTable } from '../../ts/table/index.js'
import { categorical, createStudy, float, int, random, reportText, reportHtml as studyHtml } from '../../ts/tune/index.js'
import { hostileNames, hostileText, OBEYED, runs, tagsOf } from '../tools/hostile-text.js'

test('the tags of a page are found, and what is none is an error', () => {
  expect(tagsOf('<!doctype html><p class="a>b" id=\'c\'>x</p><br/><title></b></title>')).toEqual([
    'p class id',
    '/p',
    'br',
    'title',
    '/title',
  ])
  for (const wrong of ['<!-- x -->', '<p class="a"b">', '<p x=1>', 'a < b', '<p class="a" "onclick="b">'])
    expect(() => tagsOf(wrong)).toThrow(/no tag of ours/)
})

test('fault 45: escaped text is text, in XML too', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const safe = escaped(text)
      expect(safe).not.toMatch(/[<>"']|&(?!#\d+;)/)
      expect(safe).not.toMatch(/\p{Cs}/u)
      expect(safe).not.toMatch(/[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
    }),
    runs(10_000),
  )
})

test('fault 45: charts', () => {
  const draw = (names: string[]) => [
    lineChart(
      [
        { name: names[0], x: [1, 2], y: [1, 2] },
        { name: names[1], x: [1, 2], y: [2, 1], colour: names[2] },
      ],
      { title: names[3], xLabel: names[4], yLabel: names[5] },
    ),
    barChart(
      names.map((name, i) => ({ name, value: i, deviation: 1 })),
      { title: names[0] },
    ),
    ...[100, 600].map((width) =>
      confusionChart(
        [
          [1, 2],
          [3, 4],
        ],
        names.slice(0, 2),
        { width },
      ),
    ),
  ]
  const wanted = draw(['a', 'b', 'c', 'd', 'e', 'f']).map(tagsOf)
  fc.assert(
    fc.property(hostileNames(6), (names) => {
      // labels of long names are turned
      const turned = (tags: string[]) => tags.map((tag) => tag.replace(/^text .*/, 'text'))
      expect(draw(names).map(tagsOf).map(turned)).toEqual(wanted.map(turned))
    }),
    runs(1500),
  )
})

/** Placeholders that are replaced by hostile names everywhere in a report, also within sentences. */
const PLACES = ['qqcolumn', 'qqother', 'qqtarget', 'qqyes', 'qqno', 'qqmaybe', 'qqday']

function replacing<T>(value: T, names: readonly string[]): T {
  const other = (text: string) => PLACES.reduce((changed, place, i) => changed.replaceAll(place, () => names[i]), text)
  if (typeof value === 'string') return other(value) as T
  if (Array.isArray(value)) return value.map((part) => replacing(part, names)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [other(name), replacing(part, names)])) as T
}

describe('fault 45: reports of tables', async () => {
  const [column, other, target, yes, no, maybe, day] = PLACES
  const rows = Array.from({ length: 120 }, (_, i) => ({
    [column]: (i * 37) % 101,
    [other]: [yes, no, maybe][(i * 7) % 3],
    [day]: i,
    [target]: [yes, no, maybe][i % 40 === 0 ? 2 : ((i * 37) % 101) % 2],
    amount: ((i * 37) % 101) / 3,
  }))
  const settings = { hidden: [4], epochs: 3, seed: 1 }
  const reports: TableModelReport[] = [
    (await trainTable(rows, { target, ...settings })).report,
    (await trainTable(rows, { target: 'amount', splitBy: day, ...settings })).report,
  ]

  test.each([0, 1])('report %i', (i) => {
    const wanted = tagsOf(reportHtml(reports[i]))
    expect(JSON.stringify(reports[i])).toContain(column)
    const turned = (tags: string[]) => tags.map((tag) => tag.replace(/^text .*/, 'text'))
    fc.assert(
      fc.property(hostileNames(PLACES.length), (names) => {
        expect(turned(tagsOf(reportHtml(replacing(reports[i], names))))).toEqual(turned(wanted))
      }),
      runs(500),
    )
  })
})

test('fault 45: tables whose columns and classes have such names are trained and told like others', async () => {
  await fc.assert(
    fc.asyncProperty(hostileNames(6), async (names) => {
      const [a, b, target, ...classes] = names.map((name, i) => (name === '__proto__' && i < 3 ? 'proto' : name))
      fc.pre(new Set([a, b, target]).size === 3)
      const rows = Array.from({ length: 60 }, (_, i) => ({
        [a]: (i * 37) % 101,
        [b]: classes[i % 2],
        [target]: classes[((i * 37) % 101) % 2],
      }))
      const { model, report } = await trainTable(rows, { target, hidden: [2], epochs: 1, seed: 1, missingValues: [] })
      expect([...model.classNames].sort()).toEqual([...new Set(rows.map((row) => row[target]))].map(String).sort())
      const [{ probabilities }] = model.predict(rows)
      expect(Object.keys(probabilities).sort()).toEqual([...model.classNames].sort())
      tagsOf(reportHtml(report))
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
    runs(50),
  )
})

test('fault 45: reports of studies, as a page and at a terminal', async () => {
  const example = async ([name, rate, width, kind, one, two]: string[]) => {
    const space = { [rate]: float(1e-5, 1, { log: true }), [width]: int(8, 256), [kind]: categorical([one, two]) }
    const study = await createStudy({ name, space, seed: 1, sampler: random() })
    await study.optimize(
      async (params, trial) => {
        await trial.report(params[rate] as number, 1)
        await trial.report(params[width] as number, 2)
        return Math.log10(params[rate] as number) ** 2 + (params[kind] === one ? 1 : 0)
      },
      { trials: 25 },
    )
    return study
  }
  const wanted = tagsOf(studyHtml(await example(['study', 'rate', 'width', 'kind', 'a', 'b'])))
  await fc.assert(
    fc.asyncProperty(hostileNames(6), async (names) => {
      fc.pre(!names.slice(1, 4).includes('__proto__'))
      const study = await example(names)
      expect(tagsOf(studyHtml(study))).toEqual(wanted)
      expect(reportText(study)).not.toMatch(OBEYED)
      // a line end in a name does not start a new line
      expect(reportText(study, { width: 1e6 }).split('\n').length).toBeLessThanOrEqual(13)
    }),
    runs(150),
  )
})
