/** Several targets: nets for each, the same test rows, one model, one report. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeModelFile, encodeModel } from '../../ts/index.js'
import {
  driftOf,
  evaluateTable,
  explainTable,
  loadTableModel,
  loadTargetsModel,
  reportHtml,
  reportText,
  type TableProgress,
  TargetsModel,
  type TrainTargetsOptions,
  tableToFunction,
  trainTable,
} from '../../ts/table/index.js'
import { jointOf } from '../../ts/table/report/joint.js'
import { SharedCut, yesOf } from '../../ts/table/rows/shared-cut.js'
import { byClock } from '../tools/clocks.js'

/** Two numbers, three classes and two labels, all of x and z. */
const rows = Array.from({ length: 240 }, (_, i) => {
  const [x, z] = [(i * 0.618) % 1, (i * 0.414) % 1]
  return {
    ...{ x, z, kind: ['a', 'b', 'c'][Math.floor(3 * z)] },
    ...{ sum: x + z, square: x * x, red: Number(x > 0.6), round: Number(z > 0.3) },
  }
})
const small = { hidden: [16], epochs: 30, learningRate: 0.02 } as const
const mixed: TrainTargetsOptions = { ...small, target: ['sum', 'square', 'kind', 'red', 'round'] }

test('numbers, classes and labels together', async () => {
  const { model, report } = await trainTable(rows, mixed)
  expect(model).toBeInstanceOf(TargetsModel)
  expect(model.targets).toEqual(mixed.target)
  // no target is an input
  expect(model.columns).toEqual(['x', 'z'])
  const answer = model.predict({ x: 0.9, z: 0.9 })
  expect(Object.keys(answer)).toEqual(mixed.target)
  expect(answer.sum.value).toBeCloseTo(1.8, 0)
  expect([answer.kind.class, answer.red.class, answer.round.class]).toEqual(['c', '1', '1'])
  expect(model.predict(rows.slice(0, 2))).toEqual(rows.slice(0, 2).map((row) => model.predict(row)))
  expect(report.metrics.map(({ name }) => name)).toEqual(['mean R²', 'subset accuracy', 'F1 micro', 'F1 macro'])
  for (const { value, low, high, baseline } of report.metrics) {
    expect(value).toBeGreaterThan(0.8)
    expect(value).toBeGreaterThan(baseline)
    expect([low <= value, high >= value]).toEqual([true, true])
  }
  // all are compared with the same guess, which comes from the rows to learn from
  const guesses = ['sum', 'square'].map((target) => report.reports[target].metrics[0].baseline)
  expect(report.metrics[0].baseline).toBeCloseTo((guesses[0] + guesses[1]) / 2, 5)
  expect(report.metrics[0].baseline).not.toBe(0)
  // F1 is that of the class that says yes, also of the commoner one
  expect(report.reports.round.positive).toBe('1')
  for (const target of model.targets) expect(report.reports[target].rows).toMatchObject({ train: 192, test: 48 })
  expect(report.rows.test).toBe(48)
  expect(report.nets.trained).toBe(35)

  const again = await loadTargetsModel(model.bytes())
  expect(again.predict(rows)).toEqual(model.predict(rows))
  expect(again.models.sum.predict(rows)).toEqual(model.models.sum.predict(rows))
  await expect(loadTableModel(model.bytes())).rejects.toThrow(
    'loadTableModel: this file has a model of several targets; loadTargetsModel reads it',
  )
  await expect(loadTargetsModel(model.models.sum.bytes())).rejects.toThrow(
    'loadTargetsModel: this file has no model of several targets; loadTableModel reads one of a table, loadModel any other',
  )

  const found = evaluateTable(model, rows)
  expect(found.metrics.map(({ name }) => name)).toEqual(report.metrics.map(({ name }) => name))
  expect(found.evaluations.sum).toEqual(evaluateTable(model.models.sum, rows))
  // what is for one target says so, and takes the model of one
  expect(() => explainTable(model as never, rows)).toThrow("wants a model of one target, such as model.models['sum']")
  expect(explainTable(model.models.sum, rows)).toBeTypeOf('object')
  expect(() => tableToFunction(model as never)).toThrow("tableToFunction: wants a model of one target, such as model.models['sum']")
  expect(tableToFunction(model.models.kind)).toContain('export function predict')

  const text = reportText(report, { width: 200 })
  for (const part of [
    '5, with nets for each',
    'How good it is',
    'sum: R²',
    'subset accuracy',
    '‘kind’: Confusion',
    '‘sum’: What it looks at',
  ])
    expect(text).toContain(part)
  expect(reportText(found)).toContain('‘kind’: Confusion')
  expect(reportHtml(report)).toContain('Predicting ‘sum’, ‘square’, ‘kind’, ‘red’, ‘round’')
})

test('drift of later rows is that of each target, each column once', async () => {
  const { model } = await trainTable(rows, { ...small, target: ['kind', 'sum'], epochs: 1, exclude: ['square', 'red', 'round'] })
  expect(driftOf(model, rows)).toEqual({ rows: 240, before: 192, columns: [], notes: [] })
  const later = rows.map(({ x, z, ...row }, i) => ({ ...row, x: x + 5, ...(i % 3 > 0 && { z }) }))
  const drift = driftOf(model, later)
  expect(drift.columns.map(({ column }) => column)).toEqual(['x', 'z'])
  expect(drift).toEqual(driftOf(model.models.kind, later))
  expect(driftOf(model, later.slice(0, 0))).toEqual({ rows: 0, before: 192, columns: [], notes: [] })
  // a column that only the second target has
  const alone = new TargetsModel([
    model.models.kind,
    (
      await trainTable(
        rows.map(({ sum, x }) => ({ sum, w: 2 * x })),
        { ...small, target: 'sum' },
      )
    ).model,
  ])
  expect(
    driftOf(
      alone,
      later.map((row) => ({ ...row, w: 9 })),
    ).notes.map((note) => note.slice(0, 11)),
  ).toEqual(["column 'x':", "column 'z':", "column 'w':"])
})

test('a target of numbers has the model that it has alone', async () => {
  const exclude = ['square', 'kind', 'red', 'round']
  const { model, report } = await trainTable(rows, { ...small, target: ['sum', 'square'], exclude: exclude.slice(1) })
  const { model: alone, report: ofAlone } = await trainTable(rows, { ...small, target: 'sum', exclude })
  expect(model.models.sum.bytes()).toEqual(alone.bytes())
  expect(report.reports.sum.metrics).toEqual(ofAlone.metrics)
})

test('rows with gaps in a target are left out for this one alone; joint metrics take rows that have all', async () => {
  const gappy = rows.map((row, i) => ({ ...row, ...(i % 3 === 0 && { sum: null }), ...(i % 4 === 0 && { square: '' }) }))
  const { report, model } = await trainTable(gappy, {
    ...small,
    epochs: 2,
    missing: 'auto',
    target: ['sum', 'square'],
    exclude: ['kind', 'red', 'round'],
  })
  const counts = report.targets.map((target) => report.reports[target].rows.train + report.reports[target].rows.test)
  expect(counts).toEqual([160, 180])
  expect(report.rows.test).toBeLessThan(report.reports.sum.rows.test)
  const { evaluations, metrics } = evaluateTable(model, gappy)
  expect([evaluations.sum.rows, evaluations.square.rows, metrics.length]).toEqual([160, 180, 1])
  // a word that stands for a gap is one
  const words = evaluateTable(model, [...gappy, { ...rows[0], sum: 'NA' }])
  expect([words.rows, words.evaluations.square.rows]).toEqual([120, 181])
  expect(
    evaluateTable(model, gappy.filter((_, i) => i % 3 !== 0 && i % 4 === 0).concat(gappy.filter((_, i) => i % 3 === 0 && i % 4 !== 0)))
      .metrics,
  ).toEqual([])
})

test('latest rows, groups, test rows, a time limit and progress', async () => {
  const target = ['sum', 'square'] as const
  const dated = rows.map(({ kind: _, ...row }, i) => ({ ...row, day: i, patient: `p${i % 20}` }))
  const options = { ...small, epochs: 2, target, exclude: ['red', 'round'] }
  const { report: latest } = await trainTable(dated, { ...options, splitBy: 'day' })
  expect(target.map((name) => latest.reports[name].splitBy?.from)).toEqual(['192', '192'])
  const { report: grouped } = await trainTable(dated, { ...options, groups: 'patient' })
  expect(target.map((name) => grouped.reports[name].groups)).toEqual([1, 2].map(() => ({ column: 'patient', train: 16, test: 4 })))
  const seen: TableProgress[] = []
  const { report: given } = await byClock('ticks', 0, () =>
    trainTable(dated, {
      ...{ ...options, exclude: ['red', 'round', 'day', 'patient'], test: dated.slice(0, 30), time: 0.5 },
      onProgress: (progress) => seen.push(progress),
    }),
  )
  expect(given.rows.test).toBe(30)
  expect(new Set(seen.map(({ target }) => target))).toEqual(new Set(target))
  // one limit for both targets
  expect(given.seconds).toBeLessThan(0.6)
})

test('every class that has rows enough is on both sides', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 120 }),
      fc.nat(9),
      fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 1, maxLength: 4 }),
      (count, seed, every) => {
        // labels from common to rare, rows of which lie anywhere
        const some = Array.from({ length: count }, (_, i) =>
          Object.fromEntries(every.map((n, k) => [`t${k}`, Number((i * 7 + k) % n === 0)])),
        )
        const counts = every.map((_, k) => some.filter((row) => row[`t${k}`] === 1).length)
        fc.pre(counts.every((n) => n > 0))
        const cut = new SharedCut(every.map((_, k) => `t${k}`))
        const plan = { isClasses: true, target: 't0', rows: some } as never
        const [learnt, aside] = cut.partsOf(plan, some, { fraction: 0.2, seed })
        expect(learnt.length + aside.length).toBe(count)
        const rarest = counts.indexOf(Math.min(...counts))
        const rarestIn = (part: readonly Record<string, unknown>[]) => part.filter((row) => row[`t${rarest}`] === 1).length
        expect(rarestIn(learnt)).toBeGreaterThan(0)
        if (counts[rarest] >= 5) expect(rarestIn(aside)).toBeGreaterThan(0)
      },
    ),
    { numRuns: 200 },
  )
  expect(
    [
      ['0', '1'],
      ['no', 'Yes'],
      ['true', 'false'],
      ['a', 'b'],
      ['0', '1', '2'],
      ['1', 'b'],
    ].map(yesOf),
  ).toEqual(['1', 'Yes', 'true', undefined, undefined, undefined])
})

interface Case {
  kind: 'numbers' | 'labels'
  name: string
  truth: number[][]
  said: number[][]
  meanR2: number
  subsetAccuracy: number
  f1Micro: number
  f1Macro: number
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/oracles/multi_output.json', 'utf8'))

test.each(cases)('metrics as scikit-learn: $name', ({ kind, truth, said, ...wanted }) => {
  const Kind = kind === 'numbers' ? Float32Array : Int32Array
  const column = (table: number[][], k: number) => Kind.from(table.map((row) => row[k]))
  const yes = kind === 'numbers' ? undefined : 1
  const found = jointOf(truth[0].map((_, k) => ({ truth: column(truth, k), said: column(said, k), guess: column(said, k), yes })))
  const all = Int32Array.from(truth, (_, row) => row)
  const values = Object.fromEntries(found.map(({ name, of }) => [name, of(all, 'said')]))
  const keys = { 'mean R²': 'meanR2', 'subset accuracy': 'subsetAccuracy', 'F1 micro': 'f1Micro', 'F1 macro': 'f1Macro' } as const
  expect(Object.keys(values)).toHaveLength(kind === 'numbers' ? 1 : 3)
  for (const [name, value] of Object.entries(values)) expect(value).toBeCloseTo(wanted[keys[name as keyof typeof keys]], 6)
})

test('what does not fit is refused by name', async () => {
  const wrong = (options: object, message: string, some: readonly object[] = rows) =>
    expect(trainTable(some, { ...small, epochs: 1, target: [], ...options })).rejects.toThrow(message)
  await wrong({ target: [] }, 'trainTable: target wants a column, or different columns in an array, got []')
  await wrong({ target: ['sum', 'sum'] }, "trainTable: target wants a column, or different columns in an array, got 'sum' twice")
  await wrong({ target: ['sum', 3] }, 'trainTable: target wants a column, or different columns in an array, got 3 among them')
  await wrong({ target: ['sum', 'sqare'] }, "did you mean 'square'?")
  await wrong({ target: ['sum', 'square'], compareWith: 1 }, 'trainTable: compareWith is for one target; leave it out')
  await wrong({ target: ['sum', 'square'], groups: 'square' }, "trainTable: groups wants another column than the target 'square'")
  await wrong({ target: ['sum', 'square'], weights: 'square' }, "trainTable: weights wants another column than the target 'square'")
  await wrong({ target: ['sum', 'kind'], metric: 'rmse' }, "since column 'kind' has 3 classes, got 'rmse'")
  const rare = rows.map((row, i) => (i > 1 ? { ...row, square: '' } : row))
  await wrong({ target: ['sum', 'square'] }, "trainTable: 2 rows with a value of 'square' are too few", rare)
  await wrong({ target: ['sum', 'square'], exclude: ['sum'] }, "trainTable: exclude has the target 'sum'")
  await wrong({ target: ['sum', 'square'], learning: 1 }, "trainTable: there is no option 'learning'")
  // rows of files of their own have their own lines
  const csv = (some: readonly object[]) =>
    new TextEncoder().encode([Object.keys(rows[0]).join(), ...some.map((row) => Object.values(row).join())].join('\n'))
  const odd = rows.slice(0, 9).map((row, i) => (i === 4 ? { ...row, kind: 'd' } : row))
  const ofTest = trainTable(csv(rows), { ...small, epochs: 1, target: ['sum', 'kind'], test: csv(odd) })
  await expect(ofTest).rejects.toThrow(/^trainTable: test: .*line 6.*'d'/)
  const absent = { compareWith: undefined }
  const { model } = await trainTable(rows, { ...small, ...absent, epochs: 1, target: ['sum', 'square'] })
  const { model: net, ...parts } = decodeModelFile(model.bytes())
  const broken = (tableTargets: unknown) => loadTargetsModel(encodeModel(net, { ...parts, tableTargets }))
  const [first, second] = parts.tableTargets
  await expect(broken([])).rejects.toThrow('loadTargetsModel: wants different targets, got none')
  await expect(broken([first, { ...first, net: second.net }])).rejects.toThrow('wants different targets, got sum, sum')
  await expect(broken([first, { ...second, net: 3 }])).rejects.toThrow('loadTargetsModel: the model of target 1 has no net, but 3')
  await expect(broken([first, { ...second, tableModel: '{}' }])).rejects.toThrow("wants a model of a table, 'gradus-table-model/1'")
})
