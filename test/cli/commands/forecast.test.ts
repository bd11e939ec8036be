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
  writeFileSync(path.join(folder, 'twice.csv'), 'month,passengers\n2020-01,1\n2020-02,2\n2020-02,3\n2020-03,4\n2020-04,4\n')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('gradus forecast', () => {
  test('prints a picture and a report, writes model and page, and the model goes on from later rows', async () => {
    const first = await gradus('forecast', 'air.csv', ...COLUMNS, '--horizon', '6', '--out', 'air.safetensors', '--report', 'air.html')
    expect([first.code, first.stderr]).toEqual([0, ''])
    for (const part of ['━ forecast', 'a month apart', '1960-06', 'all by weight', 'gradus forecast new-rows.csv --model air.safetensors'])
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

    const again = await gradus('forecast', 'air.csv', '--model', 'air.safetensors')
    expect(again.stderr).toMatch(/^error: air\.csv: .*want times after 1959-12/)
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
    [['twice.csv', ...COLUMNS], /^error: twice.csv: forecast: line 4: 'month' wants each time once, got 2020-02-01 as in line 3/],
    [['air.csv', '--model', 'air.csv'], /^error: /],
    [['airs.csv', ...COLUMNS], /did you mean air.csv\?/],
  ])('%j is one line on stderr', async (args, message) => {
    const { code, stdout, stderr } = await gradus('forecast', ...args)
    expect(code).toBeGreaterThan(0)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  test('nothing is written where the training fails', async () => {
    await gradus('forecast', 'twice.csv', ...COLUMNS, '--out', 'twice.safetensors')
    expect(existsSync(path.join(folder, 'twice.safetensors'))).toBe(false)
  })
})
