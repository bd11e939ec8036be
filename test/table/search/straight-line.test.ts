/** The straight line equals scikit-learn's: as the reference for nets, as the model of `hidden: []`, and in reports. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { classWeights, parseCsv } from '../../../ts/data/index.js'
import { softmax, tensor } from '../../../ts/index.js'
import { loadTableModel, reportHtml, tableToFunction, trainTable } from '../../../ts/table/index.js'
import { fitLine, lineAnswers, lineNet } from '../../../ts/table/search/straight-line.js'

interface Case {
  name: string
  classes: number
  count: number
  width: number
  scaled: number[]
  classWeights?: 'balanced'
  inputs: number[]
  targets: number[]
  predictions: number[]
}

interface WholeTable {
  name: string
  target: string
  predictions: number[]
}

const { cases, tables } = JSON.parse(readFileSync('test/oracles/straight_line.json', 'utf8')) as { cases: Case[]; tables: WholeTable[] }

/** The largest difference. */
function worst(found: ArrayLike<number>, wanted: readonly number[]): number {
  expect(found).toHaveLength(wanted.length)
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0)
}

const rowsOf = (count: number) => Int32Array.from({ length: count }, (_, row) => row)

test.each(cases)('$name: the same as scikit-learn, as numbers and as a net', async (given) => {
  const { predictions, classes, count, width } = given
  const targets = classes > 0 ? Int32Array.from(given.targets) : Float32Array.from(given.targets)
  const rowWeights = given.classWeights && classWeights(targets, given.classWeights)
  const inputs = Float32Array.from(given.inputs)
  const samples = { inputs, features: width, numbers: given.scaled, embedded: [], targets, classes, rowWeights }
  const line = await fitLine(samples, rowsOf(count), { all: true })
  if (line === null) throw new Error('no line')
  expect(worst(lineAnswers(line, inputs), predictions)).toBeLessThan(1e-6)
  const output = lineNet(line).predict(tensor(inputs, [count, width]))
  expect(worst((classes > 0 ? softmax(output) : output).data(), predictions)).toBeLessThan(2e-6)
})

test.each(tables)('$name, $target: hidden: [] is the line of scikit-learn, and of the report', async ({ target, predictions }) => {
  const all = parseCsv(readFileSync('docs/guide/penguins.csv', 'utf8'))
  const rows = all.filter((row) => !Object.values(row).some((value) => value === 'NA' || value === ''))
  const isTest = (_: unknown, i: number) => i % 5 === 0
  const [test, train] = [rows.filter(isTest), rows.filter((row, i) => !isTest(row, i))]
  const { model, report } = await trainTable(train, { target, test, hidden: [] })
  const scale = target === 'species' ? 1 : 800
  const answers = model
    .predict(test)
    .flatMap(({ value, probabilities = {} }) => (model.task === 'regression' ? [value] : Object.values(probabilities)))
  expect(worst(answers as number[], predictions) / scale).toBeLessThan(1e-6)
  // its own report has no line for comparison; the report of nets has this one
  expect(report.metrics[0].line).toBeUndefined()
  expect(report.advice.join()).not.toContain('straight line')
  expect(report.candidates.map(({ plan }) => plan)).toEqual(['a straight line'])
  const beside = (await trainTable(train, { target, test, hidden: [2], epochs: 1 })).report
  for (const [i, { value }] of report.metrics.entries()) expect(beside.metrics[i].line).toBeCloseTo(value, 4)
  expect(reportHtml(report)).not.toMatch(/NaN|undefined|Infinity/)
})

test('columns of very many categories have a weight for each in it, also in the file and the function', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ shop: `shop ${(i * 7919) % 150}`, size: i % 9, y: ((i * 7919) % 150) + (i % 9) }))
  const { model, report } = await trainTable(rows, { target: 'y', hidden: [] })
  expect(report.columns[0].as).toBe('embedding')
  expect(report.metrics[0].value).toBeGreaterThan(0.99)
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)
  const loaded = await loadTableModel(model.bytes())
  for (const row of [...rows.slice(0, 20), { shop: 'another', size: 3 }]) {
    expect(loaded.predict(row)).toEqual(model.predict(row))
    expect(predict(row).value).toBeCloseTo(model.predict(row).value, 3)
  }
})

test('a time keeps what nets are compared with to some of the rows', async () => {
  const count = 400_000
  const targets = Float32Array.from({ length: count }, (_, i) => (i % 17) / 8 - 1)
  const samples = { inputs: targets, features: 1, numbers: [0], embedded: [], targets, classes: 0 }
  const line = await fitLine(samples, rowsOf(count), { time: 0.1 })
  expect(line && lineAnswers(line, Float32Array.of(-1))[0]).toBeCloseTo(-1, 3)
})

test('a report has it beside the nets, and says where nets bring nothing', async () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ x: (i * 7) % 31, kind: 'abc'[i % 3], y: 2 * ((i * 7) % 31) + (i % 3) * 5 }))
  const { report } = await trainTable(rows, { target: 'y', epochs: 2, hidden: [4] })
  expect(report.metrics[0].name).toBe('R²')
  expect(report.metrics[0].line).toBeGreaterThan(0.99)
  expect(report.advice.join()).toContain('A straight line (ridge regression) is better: R² ')
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

test('a line has no options of nets', async () => {
  const rows = [1, 2, 3, 4].map((x) => ({ x, y: 2.5 * x }))
  await expect(trainTable(rows, { target: 'y', hidden: [], epochs: 3 })).rejects.toThrow(
    'trainTable: hidden: [] is a straight line, which has no epochs; leave it out, or give hidden layers',
  )
})
