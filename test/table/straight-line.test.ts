/** The straight line that nets are compared with, beside scikit-learn's, and what a report says of it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { reportHtml, trainTable } from '../../ts/table/index.js'
import { fitStraightLine } from '../../ts/table/straight-line.js'

interface Case {
  name: string
  classes: number
  count: number
  width: number
  inputs: number[]
  targets: number[]
  predictions: number[]
}

const { cases } = JSON.parse(readFileSync('test/oracles/straight_line.json', 'utf8')) as { cases: Case[] }

test.each(cases)('$name: the same as scikit-learn', async ({ inputs, targets, predictions, classes, ...shape }) => {
  const samples = {
    ...{ ...shape, classes, embedded: [] },
    inputs: Float32Array.from(inputs),
    targets: classes > 0 ? Int32Array.from(targets) : Float32Array.from(targets),
  }
  const line = await fitStraightLine(samples, shape.width, undefined, undefined)
  const own = line?.(samples.inputs) ?? new Float64Array()
  expect(own).toHaveLength(predictions.length)
  const worst = own.reduce((most, value, i) => Math.max(most, Math.abs(value - predictions[i])), 0)
  expect(worst).toBeLessThan(1e-3)
})

test('parts between quantiles are none of its inputs, and a time keeps it to some of the rows', async () => {
  const count = 4000
  const inputs = new Float32Array(count * 3)
  for (let i = 0; i < count; i++) inputs.set([(i % 17) / 8 - 1, Number.NaN, Number.NaN], 3 * i)
  const targets = Float32Array.from({ length: count }, (_, i) => (i % 17) / 8 - 1)
  for (const time of [undefined, 0.001]) {
    const line = await fitStraightLine({ inputs, targets, count, width: 3, classes: 0, embedded: [] }, 1, time, undefined)
    expect(line?.(inputs.subarray(0, 3))[0]).toBeCloseTo(-1, time === undefined ? 2 : 0)
  }
})

test('a report has it beside the nets, and says where nets bring nothing', async () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ x: (i * 7) % 31, kind: 'abc'[i % 3], y: 2 * ((i * 7) % 31) + (i % 3) * 5 }))
  const { report } = await trainTable(rows, { target: 'y', epochs: 2, hidden: [4] })
  expect(report.metrics[0].name).toBe('R²')
  expect(report.metrics[0].line).toBeGreaterThan(0.99)
  expect(report.advice.join()).toContain('A straight line (linear regression) is better: R² ')
  const page = reportHtml(report)
  expect(page).toContain('<th class="number">a straight line</th>')
  const { line: _, ...without } = report.metrics[0]
  expect(reportHtml({ ...report, metrics: [without] })).not.toContain('<th class="number">a straight line</th>')
})

test('columns of very many categories have a weight for each in it', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ shop: `shop ${(i * 7919) % 150}`, y: ((i * 7919) % 150) % 2 ? 'odd' : 'even' }))
  const { report } = await trainTable(rows, { target: 'y', epochs: 1, hidden: [2] })
  expect(report.columns[0].as).toBe('embedding')
  expect(report.metrics[0].line).toBeGreaterThan(0.95)
})
