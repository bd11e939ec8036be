/** `gradus forecast`: its output, the files that it writes, and its errors in one line. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import oracle from '../../oracles/series.json' with { type: 'json' }
import { gradus as run } from '../../tools/command.js'

let folder: string
const gradus = (...args: string[]) => run(args, { cwd: folder })
const COLUMNS = ['--time', 'month', '--value', 'passengers']

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-forecast-'))
  const month = (i: number) => new Date(Date.UTC(1949, i)).toISOString().slice(0, 7)
  const lines = oracle.cases[0].values.map((y, i) => `${month(i)},${y}`)
  writeFileSync(path.join(folder, 'air.csv'), `month,passengers\n${lines.slice(0, 132).join('\n')}\n`)
  writeFileSync(path.join(folder, 'later.csv'), `month,passengers\n${lines.slice(132, 134).join('\n')}\n`)
  writeFileSync(path.join(folder, 'few.csv'), `month,passengers\n${lines.slice(0, 20).join('\n')}\n`)
  writeFileSync(path.join(folder, 'twice.csv'), 'month,passengers\n2020-01,1\n2020-02,2\n2020-02,3\n2020-03,4\n2020-04,4\n')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('gradus forecast', () => {
  test('prints a picture and a report, writes model and page, and the model goes on from later rows', async () => {
    const first = await gradus('forecast', 'air.csv', ...COLUMNS, '--horizon', '6', '--out', 'air.safetensors', '--report', 'air.html')
    expect([first.code, first.stderr]).toEqual([0, ''])
    for (const part of [
      '━ forecast',
      'a month apart',
      '1960-06',
      'all by weight',
      'gradus forecast new-rows.csv --model air.safetensors',
      'the report in air.html',
    ])
      expect(first.stdout).toContain(part)
    expect(readFileSync(path.join(folder, 'air.html'), 'utf8')).toContain('Forecast of ‘passengers’')

    const later = await gradus('forecast', 'later.csv', '--model', 'air.safetensors', '--csv')
    expect(later.stderr).toBe('')
    const lines = later.stdout.trimEnd().split('\n')
    expect(lines[0]).toBe('month,forecast,low,high')
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(['1960-03', '1960-04', '1960-05', '1960-06', '1960-07', '1960-08'])

    const json = await gradus('forecast', 'later.csv', '--model', 'air.safetensors', '--json')
    const { forecasts, report } = JSON.parse(json.stdout)
    expect(forecasts).toHaveLength(6)
    expect(report.errors.ensemble.mase).toBeGreaterThan(0)

    // the whole table again, with later rows and a corrected one
    const whole = [
      readFileSync(path.join(folder, 'air.csv'), 'utf8').replace(',112\n', ',113\n'),
      readFileSync(path.join(folder, 'later.csv'), 'utf8').replace(/.*\n/, ''),
    ].join('')
    writeFileSync(path.join(folder, 'whole.csv'), whole)
    const again = await gradus('forecast', 'whole.csv', '--model', 'air.safetensors')
    expect([again.code, again.stderr]).toEqual([0, ''])
    expect(again.stdout.replaceAll(/\s+/g, ' ')).toContain('1 value that the model had is another now, the first at 1949-01: 112 is 113.')
    const with_ = await gradus('forecast', 'later.csv', '--model', 'air.safetensors', '--horizon', '3')
    expect(with_.stderr).toBe('error: --horizon is for a new model; the one in air.safetensors has it already\n')
  })

  test.each([
    [['air.csv'], /^error: --time is missing: which column has the times\? The columns of air.csv are month, passengers\n$/],
    [['air.csv', '--time', 'month'], /^error: --value is missing/],
    [['air.csv', '--time', 'moth', '--value', 'passengers'], /time wants a column of the rows, got 'moth'; did you mean 'month'\?\n$/],
    [['air.csv', ...COLUMNS, '--horizon', '67'], /horizon wants at most 66 of 132 months/],
    [['air.csv', ...COLUMNS, '--csv', '--json'], /give one of the two/],
    [['air.csv', ...COLUMNS, '--report', 'air.pdf'], /a page of HTML/],
    [['air.csv', ...COLUMNS, '--out', 'air.csv'], /is the table, which would be written over/],
    [
      ['twice.csv', ...COLUMNS],
      /^error: twice.csv: forecast: line 4: 'month' wants each time once, got 2020-02-01 as in line 3; .* by --by, or give --every day or/,
    ],
    [['few.csv', ...COLUMNS], /^error: few.csv: .* fewer than two seasons of 12 months; give --season 1 for a forecast without a season/],
    [['air.csv', '--model', 'air.csv'], /^error: /],
    [['airs.csv', ...COLUMNS], /did you mean air.csv\?/],
  ])('%j is one line on stderr', async (args, message) => {
    const { code, stdout, stderr } = await gradus('forecast', ...args)
    expect(code).toBeGreaterThan(0)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  test('a store that is too short, and one that the model does not have, are left out and said on stderr', async () => {
    const week = (i: number) => new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10)
    const rows = Array.from({ length: 30 }, (_, i) => `${week(i)},Ulm,${20 + (i % 7)}`)
    writeFileSync(path.join(folder, 'stores.csv'), `date,store,units\n${rows.join('\n')}\n${week(29)},Bonn,3\n`)
    const columns = ['--time', 'date', '--value', 'units', '--by', 'store']
    const { code, stdout, stderr } = await gradus('forecast', 'stores.csv', ...columns, '--csv', '--out', 'stores.safetensors')
    expect([code, stderr]).toEqual([0, "note: series 'Bonn' is left out: it has 1 value, and a forecast wants at least 4\n"])
    expect(stdout.split('\n').filter((line) => line.startsWith('Ulm,'))).toHaveLength(7)
    writeFileSync(path.join(folder, 'more.csv'), `date,store,units\n${week(30)},Ulm,22\n${week(30)},Bonn,4\n`)
    const more = await gradus('forecast', 'more.csv', '--model', 'stores.safetensors', '--csv')
    expect(more.stderr).toBe("note: series 'Bonn' is left out: it is not in the model, and forecast learns new series from rows of all\n")
    expect(more.stdout).toContain(`Ulm,${week(31)},`)
  })

  test('nothing is written where the training fails', async () => {
    await gradus('forecast', 'twice.csv', ...COLUMNS, '--out', 'twice.safetensors')
    expect(existsSync(path.join(folder, 'twice.safetensors'))).toBe(false)
  })
})
