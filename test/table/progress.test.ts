/** The line that trainTable shows, and sentences of the report about order and time. */
import tty from 'node:tty'
import { expect, test, vi } from 'vitest'
import { clock } from '../../ts/common/clock.js'
import { fromTable } from '../../ts/data/index.js'
import { trainTable } from '../../ts/table/index.js'
import { progressText } from '../../ts/table/progress.js'
import { counted } from '../tools/clocks.js'

const rows = Array.from({ length: 120 }, (_, i) => ({ a: i % 17, size: ['S', 'M', 'L'][i % 3], stars: 1 + (i % 3) }))
const options = { target: 'size', epochs: 2, hidden: [4] }

test('a line for those who ask for it, nothing in a pipe or with verbose: false', async () => {
  const written: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  try {
    await trainTable(rows, options)
    await trainTable(rows, { ...options, verbose: false })
    await trainTable(rows, { ...options, onProgress: () => {} })
    expect(written).toEqual([])
    let calls = 0
    await trainTable(rows, { ...options, verbose: true, onProgress: () => calls++ })
    expect(written.splice(0)).toHaveLength(1)
    expect(calls).toBeGreaterThan(1)
    await trainTable(rows, { ...options, verbose: true })
    expect(written).toEqual([expect.stringMatching(/^5 nets in [\d.]+ s · accuracy [\d.]+\n$/)])
    await expect(trainTable(rows, { ...options, target: 'no', verbose: true })).rejects.toThrow('no column')
    await trainTable(rows, { ...options, verbose: true })
    expect(written).toHaveLength(2)
  } finally {
    spy.mockRestore()
  }
})

test('at a terminal the line also goes on while nets are trained', async () => {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  vi.spyOn(tty, 'isatty').mockReturnValue(true)
  vi.stubEnv('CI', undefined)
  vi.stubEnv('TERM', 'xterm')
  // a clock that goes on by each look at it: the time left is said after a second of steps
  let now = 0
  vi.spyOn(clock, 'now').mockImplementation(() => (now += 20))
  try {
    const many = Array.from({ length: 1000 }, (_, i) => ({ a: Math.sin(i), b: (i * 7) % 31, c: (i * 13) % 101, y: Math.sin(i) }))
    await trainTable(many, { target: 'y', hidden: [64], epochs: 12 })
    const shown = written.filter((text) => text.startsWith('\r\x1b[Ktraining '))
    expect(shown.some((text) => / nets · .* left$/.test(text))).toBe(true)
    expect(written.at(-1)).toMatch(/^10 nets in /)
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
})

test('the line says the phase, the work, the nets and the time', () => {
  const none = { seconds: 1, bytes: { read: 0, total: undefined }, columns: 3, leaks: [], curve: { loss: [], validation: [] } }
  const text = (phase: 'reading' | 'training', step: string, rest: object) =>
    progressText({ ...none, phase, step, rows: 1200, share: 0, nets: 0, best: null, secondsLeft: Number.NaN, ...rest })
  expect(text('reading', 'rows', {})).toBe(`reading ${'░'.repeat(20)} 1,200 rows`)
  const known = { share: 0.5, nets: 3, best: 0.25, secondsLeft: 75 }
  expect(text('training', 'nets', known)).toBe(
    `training ${'█'.repeat(10)}${'░'.repeat(10)} nets · 3 trained · best loss 0.250 · 1 min 15 s left`,
  )
})

test('an order that is only alphabetical is noted, and whole numbers that became classes', async () => {
  const noted = (columns: object) =>
    fromTable(rows, { target: 'stars', columns: columns as never }).report.columns.find(({ name }) => name === 'size')?.notes
  expect(noted({ size: 'ordinal' })).toEqual([
    "its order is alphabetical, L, M, S: give it as order, columns: { size: { as: 'ordinal', order: […] } }",
  ])
  expect(noted({ size: { as: 'ordinal', order: ['S', 'M', 'L'] } })).toEqual([])
  const { report } = await trainTable(rows, { ...options, target: 'stars' })
  expect(report.advice[0]).toMatch(
    /^Column 'stars' has whole numbers, 1 to 3, which are taken for classes without an order: `order: \['1', '2', '3'\]`/,
  )
  const { report: ordered } = await trainTable(rows, { ...options, target: 'stars', order: ['1', '2', '3'] })
  expect(ordered.advice.join()).not.toContain('without an order')
})

test('a time that was too short for one whole training is said to be', async () => {
  const cut = 'The time was too short for one whole training.'
  const many = Array.from({ length: 6000 }, (_, i) => ({
    a: Math.sin(i),
    b: (i * 7) % 31,
    c: (i * 13) % 101,
    y: Math.sin(i) + ((i * 7) % 31) / 9,
  }))
  await counted(async () => {
    const { report } = await trainTable(many, { target: 'y', time: 4 })
    expect(report.advice.join('\n')).toContain(cut)
    expect((await trainTable(rows, { ...options, time: 1000 })).report.advice.join('\n')).not.toContain(cut)
  })
})
