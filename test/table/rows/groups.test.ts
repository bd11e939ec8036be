/** Rows of a group, such as a patient, are never on both sides. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutFolds } from '../../../ts/rows/folds.js'
import { prepareTable, reportText, type TrainTableOptions, trainTable } from '../../../ts/table/index.js'
import { foldsOf } from '../../../ts/table/rows/folds.js'
import { checkLearnt } from '../../../ts/table/rows/set-aside.js'

/** Ten nearly equal rows of each patient, whose value follows from nothing but the patient. */
const rows = Array.from({ length: 400 }, (_, i) => {
  const patient = i % 40
  const a = (patient * 0.618) % 1
  return { patient: `p${patient}`, a: a + (i % 10) / 1e5, b: ((patient * 0.414) % 1) + (i % 7) / 1e5, y: (patient * 0.733) % 1 }
})
const small = { target: 'y', hidden: [32], epochs: 40, learningRate: 0.02 } as const

test('a model that knows its patients is found out by others', async () => {
  const { report: alone } = await trainTable(rows, { ...small, exclude: ['patient'] })
  const { report, model } = await trainTable(rows, { ...small, groups: 'patient' })
  expect(alone.metrics[0].value).toBeGreaterThan(0.5)
  expect(report.metrics[0].value).toBeLessThan(0.2)
  expect(report.groups).toEqual({ column: 'patient', train: 32, test: 8 })
  expect(report.rows).toMatchObject({ train: 320, test: 80 })
  expect(model.columns).toEqual(['a', 'b'])
  expect(reportText(report, { width: 200 })).toContain('32 groups of ‘patient’ to learn from, 8 others to test with')
  // nets are judged by other patients, too
  expect(report.candidates[0].loss).toBeGreaterThan(0.5)
})

test('classes, rows with gaps and test rows of their own', async () => {
  const classes = rows.map(({ y, ...row }, i) => ({ ...row, b: i % 50 === 0 ? null : row.b, kind: y > 0.5 ? 'high' : 'low' }))
  const options: TrainTableOptions = { target: 'kind', groups: 'patient', hidden: [8], epochs: 2, missing: 'drop' }
  const { report } = await trainTable(classes, options)
  expect(report.rows.train + report.rows.test).toBe(392)
  const { report: given } = await trainTable(classes, { ...options, test: classes.slice(0, 40) })
  expect(given.groups).toEqual({ column: 'patient', train: 40 })
  const { train, held, columns } = await prepareTable(rows, { target: 'y', groups: 'patient' })
  expect([train.count % 10, held.count % 10, columns.includes('patient')]).toEqual([0, 0, false])
})

test('folds keep groups together and hold every row once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 3, maxLength: 80 }),
      fc.nat(9),
      fc.boolean(),
      (given, seed, areClasses) => {
        const groups = given.map((g) => `g${g}`)
        fc.pre(new Set(groups).size >= 2)
        const targets = areClasses ? Int32Array.from(given, (_, i) => i % 2) : Float32Array.from(given, (_, i) => i)
        const { folds } = foldsOf(targets, areClasses ? 2 : 0, seed, groups)
        expect(folds.flatMap(({ validation }) => [...validation]).sort((a, b) => a - b)).toEqual(given.map((_, i) => i))
        for (const { train, validation } of folds) {
          const judged = new Set(Array.from(validation, (row) => groups[row]))
          expect(Array.from(train).some((row) => judged.has(groups[row]))).toBe(false)
          expect(train.length).toBeGreaterThan(0)
        }
      },
    ),
    { numRuns: 60 },
  )
  expect(cutFolds('x', 4, { folds: 2, repeats: 1, shuffle: true, seed: 0, groups: ['a', 'a', 'b', 'b'] }, null)).toHaveLength(2)
})

test('what does not fit is refused by name', async () => {
  const wrong = (options: object, message: string, some: readonly object[] = rows.slice(0, 100)) =>
    expect(trainTable(some, { ...small, epochs: 1, ...options } as TrainTableOptions)).rejects.toThrow(message)
  await wrong({ groups: 'person' }, "trainTable: groups: there is no column 'person', only patient, a, b, y")
  await wrong({ groups: 'y' }, "trainTable: groups wants another column than the target 'y'")
  await wrong(
    { groups: 'patient', splitBy: 'a' },
    'trainTable: splitBy sets the latest rows aside, and groups whole groups; give one of the two',
  )
  await wrong({ groups: 7 }, 'trainTable: groups wants the name of a column, such as that of patients, got 7')
  await wrong({ group: 'patient' }, 'groups')
  const gap = rows.slice(0, 100).map((row, i) => (i === 7 ? { ...row, patient: null } : row))
  await wrong({ groups: 'patient' }, "trainTable: groups: column 'patient' of row 7 is empty", gap)
  // of three groups two may be set aside
  expect(() => checkLearnt('patient', ['a', 'a'])).toThrow(
    "trainTable: groups: column 'patient' has one group alone among the rows to learn from, 'a'",
  )
  expect(() => checkLearnt('patient', ['a', 'b'])).not.toThrow()
  await wrong(
    { groups: 'two' },
    "trainTable: groups: column 'two' has 2 groups, and 3 are the least",
    rows.map((row, i) => ({ ...row, two: i % 2 })),
  )
})
