/** Output of the command during a training on a table without a terminal: lines at intervals, none for short work, and the reason for an overrun. */
import { expect, test, vi } from 'vitest'
import { TableReporter } from '../../../ts/cli/table/progress.js'
import type { TablePhase, TableProgress } from '../../../ts/table/index.js'

const STEPS = { reading: 'rows', encoding: 'a look at each column', training: 'nets', measuring: 'how good it is, and what it looks at' }

const at = (phase: TablePhase, seconds: number, rest: Partial<TableProgress> = {}): TableProgress => ({
  ...{
    phase,
    step: STEPS[phase],
    seconds,
    secondsLeft: Number.NaN,
    share: 0,
    bytes: { read: 0, total: undefined },
    rows: 0,
    columns: 0,
    nets: 0,
    best: null,
    leaks: [],
  },
  ...{ curve: { loss: [], validation: [] }, ...rest },
})

/** Lines on stdout and stderr. */
function said(act: (reporter: TableReporter) => void, silent = false): string[] {
  const lines: string[] = []
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      lines.push(String(text).trimEnd())
      return true
    }),
  )
  try {
    act(new TableReporter('Learning', silent))
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return lines
}

test('long work is told from reading on, each phase at once, and then every ten seconds', () => {
  const rows = { rows: 500_000, columns: 6 }
  const lines = said((reporter) => {
    for (const seconds of [0.1, 1, 1.6, 1.8, 2])
      reporter.progress(at('reading', seconds, { bytes: { read: 9e6 * seconds, total: 18e6 }, rows: 250_000 * seconds, columns: 6 }))
    reporter.progress(at('encoding', 2.1, rows))
    reporter.progress(at('encoding', 2.9, { ...rows, step: 'columns as numbers' }))
    reporter.progress(at('encoding', 3.7, { ...rows, step: 'columns as numbers' }))
    reporter.progress(at('training', 4, { ...rows, step: 'a straight line' }))
    for (let seconds = 5; seconds < 30; seconds++)
      reporter.progress(at('training', seconds, { ...rows, secondsLeft: 40 - seconds, best: 0.5 }))
    reporter.progress(at('measuring', 35, { ...rows, nets: 2, secondsLeft: 5 }))
  })
  expect(lines).toEqual([
    'Learning',
    '  reading: 14 MB of 18 MB, 400,000 rows × 6 columns, 1.6 s so far; then encoding, training, measuring',
    '  encoding: a look at each column, 500,000 rows × 6 columns, 2.1 s so far',
    '  encoding: columns as numbers, 500,000 rows × 6 columns, 3.7 s so far',
    '  training: a straight line, 4.0 s so far',
    '  training: about 35 s left, 0 nets trained, best loss 0.5000, 6.0 s so far',
    '  training: about 25 s left, 0 nets trained, best loss 0.5000, 16 s so far',
    '  training: about 15 s left, 0 nets trained, best loss 0.5000, 26 s so far',
    '  measuring: how good it is, and what it looks at, about 5 s left, 35 s so far',
  ])
})

test('bytes are counted in megabytes, also many', () => {
  const read = (bytes: number) =>
    said((reporter) => reporter.progress(at('reading', 2, { bytes: { read: bytes, total: 1.1e9 }, rows: 1, columns: 1 })))[1]
  expect([4e5, 1.26e6, 7.6e7, 1.04e9].map((bytes) => read(bytes).split(': ')[1].split(' of ')[0])).toEqual([
    '400 kB',
    '1.3 MB',
    '76 MB',
    '1,040 MB',
  ])
  expect(read(7.6e7)).toContain('76 MB of 1,100 MB, ')
})

test('short work has a title alone, an error while rows are read none, and --quiet nothing', () => {
  const short = (reporter: TableReporter) => {
    for (const [i, phase] of (['reading', 'encoding', 'training', 'measuring'] as const).entries()) reporter.progress(at(phase, 0.2 * i))
  }
  expect(said(short)).toEqual(['Learning'])
  expect(said(short, true)).toEqual([])
  expect(said((reporter) => reporter.progress(at('reading', 0.1)))).toEqual([])
})

test('many values are announced before they are encoded, which takes a while in one go', () => {
  expect(said((reporter) => reporter.progress(at('encoding', 0.9, { rows: 200_000, columns: 5 })))).toEqual([
    'Learning',
    '  encoding: a look at each column, 200,000 rows × 5 columns, 0.9 s so far; then training, measuring',
  ])
})

test('a time that was too short is explained', () => {
  const told = (took: number) =>
    said((reporter) => {
      reporter.progress(at('encoding', 2, { rows: 500_000 }))
      reporter.progress(at('training', 6, { rows: 500_000 }))
      reporter.tellOverrun(5, took)
    }, true)
  expect(told(5.4)).toEqual([])
  expect(told(9)).toEqual([
    'note: it took 9.0 s, not 5.0 s: until 500,000 rows were read and encoded 6.0 s had gone, and a model needs a short training and a report at least; give it more time, or fewer rows',
  ])
})
