/** Rows that are left out of tables: words that are a class or a gap; and used and left-out rows together are all rows, for each kind of input. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inFlags } from '../../../ts/cli/table/files.js'
import {
  describeLeftOut,
  describeTable,
  encoderFromState,
  encoderFromStream,
  fromTable,
  type LeftOut,
  type Row,
} from '../../../ts/data/index.js'
import { evaluateTable, inspectTable, loadTableModel, prepareTable, trainTable } from '../../../ts/table/index.js'

/** Side effects by dose: 0 to 9 none, above mild and severe. */
const sideEffects = (none: string, gaps = ''): Row[] =>
  Array.from({ length: 400 }, (_, i) => {
    const dose = (i * 7) % 30
    return {
      dose: gaps !== '' && i % 50 === 0 ? gaps : String(dose),
      age: 20 + (i % 31),
      effect: dose < 10 ? none : dose < 20 ? 'mild' : 'severe',
    }
  })
const quick = { target: 'effect', hidden: [8], epochs: 4 }
const total = (leftOut: readonly LeftOut[]) => leftOut.reduce((sum, { rows }) => sum + rows, 0)

describe('a frequent word for a gap in a target of texts', () => {
  test.each(['none', 'None', 'na', 'n/a', 'N/A', 'null', 'nan', '?'])('%s is a class, and the report says so', async (word) => {
    const rows = sideEffects(word)
    const wanted = [word, 'mild', 'severe'].sort()
    const note = `'${word}' in 134 of 400 rows is taken as a class; if it stands for a gap, say missingValues: ['${word}']`
    const table = fromTable(rows, { target: 'effect', missing: 'auto' })
    expect([table.classNames, table.count, table.report.leftOut]).toEqual([wanted, 400, []])
    expect(table.report.columns.at(-1)?.notes).toEqual([note])
    // the encoder knows it, also after JSON
    const again = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    expect(again.dataset(rows).targets).toEqual(table.targets)
    const parts = [rows.slice(0, 150), rows.slice(150, 151), rows.slice(151)]
    const encoder = await encoderFromStream(parts, { target: 'effect', missing: 'auto' })
    expect(encoder.report.columns.at(-1)).toEqual(table.report.columns.at(-1))
    expect(encoder.dataset(rows).inputs).toEqual(table.inputs)
    const inspected = await inspectTable(rows, { target: 'effect' })
    expect([inspected.rows, inspected.columns.at(-1)?.notes]).toEqual([400, [note]])
    const prepared = await prepareTable(rows, { target: 'effect' })
    expect([prepared.classes, prepared.leftOut]).toEqual([3, []])
  })

  test('trainTable learns it, tells it first, and its model knows it when it is loaded', async () => {
    const rows = sideEffects('none')
    const { model, report } = await trainTable(rows, quick)
    expect(report.classNames).toEqual(['mild', 'none', 'severe'])
    expect(report.rows.train + report.rows.test).toBe(400)
    expect(report.advice[0]).toContain("Column 'effect': 'none' in 134 of 400 rows is taken as a class")
    expect(inFlags(report.advice[0])).toContain("say --missing-values 'none'")
    const loaded = await loadTableModel(model.bytes())
    const { rows: used, leftOut } = evaluateTable(loaded, [...rows, { dose: 3, age: 30, effect: '' }, { dose: 3, age: 30, effect: 'NA' }])
    expect([used, leftOut]).toEqual([
      400,
      [
        { column: 'effect', value: '', rows: 1 },
        { column: 'effect', value: 'NA', rows: 1 },
      ],
    ])
    expect(describeLeftOut(leftOut)).toBe("2 rows left out: no value in 'effect' (empty in 1, 'NA' in 1)")
  })

  test.each<[string, Row[], string]>([
    ['what programs write for a gap', sideEffects('NA'), 'NA'],
    ['what stands for a gap among numbers, too', sideEffects('none', 'none'), 'none'],
  ])('is a gap if it is %s, and the report says so', async (_, rows, word) => {
    const { report, classNames, count } = fromTable(rows, { target: 'effect', missing: 'auto' })
    expect([classNames, count]).toEqual([['mild', 'severe'], 266])
    expect(report.columns.at(-1)?.notes).toEqual([
      `'${word}' in 134 of 400 rows is taken as a gap, and these rows are left out; if it is a class, say missingValues: []`,
    ])
    expect(report.leftOut).toEqual([{ column: 'effect', value: word, rows: 134 }])
    expect(describeTable(report).split('\n')[0]).toContain(`266 rows, 134 rows left out: no value in 'effect' ('${word}' in 134); `)
    const { report: trained } = await trainTable(rows, quick)
    expect(trained.leftOut).toEqual(report.leftOut)
    expect(trained.advice[0]).toContain('is taken as a gap')
  })

  test('is what was said where something was said, and a gap where it is rare or the target has numbers', () => {
    const classesOf = (rows: Row[], options = {}) => fromTable(rows, { target: 'effect', missing: 'auto', ...options }).classNames
    expect(classesOf(sideEffects('none'), { missingValues: ['none'] })).toEqual(['mild', 'severe'])
    expect(classesOf(sideEffects('NA'), { missingValues: [] })).toEqual(['NA', 'mild', 'severe'])
    expect(classesOf(sideEffects('NA'), { columns: { effect: { missingValues: ['?'] } } })).toEqual(['NA', 'mild', 'severe'])
    const rare = sideEffects('no').map((row, i) => (i < 9 ? { ...row, effect: '?' } : row))
    expect(classesOf(rare)).toEqual(['mild', 'no', 'severe'])
    const numbers = fromTable(
      sideEffects('none').map((row, i) => ({ ...row, effect: row.effect === 'none' ? '?' : i / 8 })),
      { target: 'effect', missing: 'auto' },
    )
    expect([numbers.classes, numbers.count, total(numbers.report.leftOut)]).toEqual([0, 266, 134])
  })

  test('what programs write for a gap is one in a target, whatever `missing` is and whichever way rows come in', async () => {
    const rows = sideEffects('NA')
    const parts = [rows.slice(0, 150), rows.slice(150)]
    const rest = { leftOut: [{ column: 'effect', value: 'NA', rows: 134 }], rows: 266 }
    for (const missing of ['drop', 'auto', { dose: 'median', effect: 'drop' }] as const) {
      const options = { target: 'effect', missing } as const
      const table = fromTable(rows, options)
      expect([table.classNames, table.report]).toEqual([['mild', 'severe'], expect.objectContaining(rest)])
      const encoder = await encoderFromStream(parts, options)
      expect([encoder.classNames, encoder.report]).toEqual([['mild', 'severe'], expect.objectContaining(rest)])
      for (const one of [table, encoder, encoderFromState(JSON.parse(JSON.stringify(table.state())))])
        expect(one.dataset(rows).count).toBe(266)
    }
    const message =
      "fromTable: no value in column 'effect' of row 0; give missing: 'drop' to leave such rows out; if 'NA' is a class, not a gap, say missingValues: []"
    expect(() => fromTable(rows, { target: 'effect' })).toThrow(message)
    await expect(encoderFromStream(parts, { target: 'effect' })).rejects.toThrow(message)
    expect(fromTable(rows, { target: 'effect', missingValues: [] }).classNames).toEqual(['NA', 'mild', 'severe'])
    // a word that may be an answer is an error if it is rare, and a class if it is frequent
    const few = sideEffects('no').map((row, i) => (i < 9 ? { ...row, effect: 'none' } : row))
    expect(() => fromTable(few, { target: 'effect' })).toThrow("if 'none' is a class, not a gap, say missingValues: []")
    expect(fromTable(sideEffects('none'), { target: 'effect' }).classNames).toEqual(['mild', 'none', 'severe'])
    // in an input column a word is a gap only if it is listed, or with 'auto'
    const towns = rows.map((row, i) => ({ ...row, effect: 'ab'[i % 2], town: 'XY'[i % 2], kind: row.effect }))
    expect(fromTable(towns, { target: 'effect' }).featureNames).toContain('kind=NA')
  })

  test('of a stream is decided after ten thousand of its rows at the latest', async () => {
    let given = 0
    function* parts() {
      for (; given < 300; given++)
        yield Array.from({ length: 100 }, (_, i) => ({ x: given * 100 + i, y: i % 2 === 0 ? 'none' : i % 4 === 1 ? 'a' : 'b' }))
    }
    const { classNames, report } = await encoderFromStream(parts(), { target: 'y', missing: 'auto' })
    expect([classNames, report.rows]).toEqual([['a', 'b', 'none'], 30_000])
  })
})

test('fault 41: rows used and rows left out are all rows, whatever the table and the way in', async () => {
  const words = ['', 'NA', 'none', '?', 'n/a', ' ', 'a', 'b', 'c', '1', '2', '3.5']
  const cell = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c') }, fc.constantFrom(...words, null, undefined, Number.NaN, 7))
  const number = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 50 }) }, fc.constantFrom('', 'NA', '?', null))
  const row = fc.record({ x: number, kind: cell, y: cell })
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 30, maxLength: 80 }),
      fc.constantFrom<object>(
        { missing: 'auto' },
        { missing: { x: 'drop', kind: 'auto', y: 'auto' } },
        { missing: 'drop', missingValues: ['NA', '?', 'none'] },
      ),
      fc.integer({ min: 1, max: 40 }),
      async (rows, missing, size) => {
        const options = { target: 'y', columns: { y: 'category', x: { as: 'number' }, kind: 'category' }, ...missing } as const
        let table: ReturnType<typeof fromTable>
        try {
          table = fromTable(rows as Row[], options)
        } catch (error) {
          // for example because a column mixes numbers and texts, or has no value
          expect(error).toBeInstanceOf(RangeError)
          return
        }
        const { report, count } = table
        expect([report.rows, report.dropped]).toEqual([count, rows.length - count])
        expect(total(report.leftOut)).toBe(rows.length - count)
        const parts = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size))
        const encoder = await encoderFromStream(parts as Row[][], options)
        expect([encoder.report.rows, encoder.report.leftOut, encoder.classNames]).toEqual([count, report.leftOut, table.classNames])
        expect(encoder.dataset(rows).count).toBe(count)
        const used = await prepareTable(rows as Row[], { ...options, testFraction: 0 }).catch(() => null)
        if (used) expect(used.train.count + used.held.count + total(used.leftOut)).toBe(rows.length)
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 100) },
  )
})

test('the same of trainTable with a test set of its own, evaluateTable and predict', async () => {
  const draw = (seed: number): Row[] =>
    Array.from({ length: 90 }, (_, i) => ({
      x: (i * seed) % 11 === 0 ? 'NA' : i % 13,
      y: ['yes', 'no', '', 'NA', 'no', 'yes', '?'][(i * seed) % 7],
    }))
  for (const options of [{}, { missing: { x: 'drop', y: 'auto' } as const }]) {
    const [rows, test] = [draw(3), draw(5)]
    const { model, report } = await trainTable(rows, {
      target: 'y',
      test,
      hidden: [4],
      epochs: 2,
      columns: { x: { as: 'number' } },
      ...options,
    })
    expect(report.rows.train + report.rows.test + total(report.leftOut)).toBe(180)
    const found = evaluateTable(model, test)
    expect([found.rows + total(found.leftOut), found.rows]).toEqual([90, report.rows.test])
    if (options.missing === undefined) expect(model.predict(test)).toHaveLength(90)
  }
})
