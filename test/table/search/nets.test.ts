/** Nets of tables: plans, factors of the inputs that become part of the first layer, and nets with more inputs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  type ColumnToEmbed,
  crossEntropy,
  Ensemble,
  ensembleLoss,
  fit,
  Generator,
  type Loss,
  type Module,
  mse,
  type Tensor,
  tensor,
} from '../../../ts/index.js'
import { type ClassPrediction, loadTableModel, TableModel, tableToFunction, trainTable } from '../../../ts/table/index.js'
import { widthOf } from '../../../ts/table/rows/features.js'
import {
  describePlan,
  makeNet,
  makeOptimizer,
  type NetPlan,
  randomPlan,
  sharing,
  usualPlan,
  widened,
  withoutScale,
} from '../../../ts/table/search/nets.js'

const plan: NetPlan = { ...usualPlan(100), hidden: [16, 8] }
const embedded: ColumnToEmbed[] = [
  { feature: 1, count: 4, size: 3 },
  { feature: 3, count: 2, size: 1 },
]
const rows = 24
const [inputs, more] = [6, 2]
const numbers = new Generator(1).normals(rows * inputs)
const values = Float32Array.from(numbers, (value, i) => (i % inputs === 1 ? i % 4 : i % inputs === 3 ? (i >> 3) % 2 : value))
const x = tensor(values, [rows, inputs])

/** A net after some steps, so that factors are not 1. */
async function trained(how: NetPlan, outputs: number, columns: readonly ColumnToEmbed[]): Promise<Module> {
  const net = makeNet(how, inputs, outputs, 3, columns)
  const loss = ensembleLoss((outputs > 1 ? crossEntropy : mse) as Loss)
  const targets = outputs > 1 ? Int32Array.from({ length: rows }, (_, i) => i % outputs) : tensor(numbers.slice(0, rows), [rows, 1])
  await fit(net, { inputs: x, targets, loss, optimizer: makeOptimizer(net, how), epochs: 4, batchSize: 8, seed: 1 })
  return net
}
const answers = (net: Module, given = x) => [...(net.predict(given) as Tensor).data()]
function expectClose(got: readonly number[], wanted: readonly number[]) {
  expect(got.length).toBe(wanted.length)
  got.forEach((value, i) => expect(Math.abs(value - wanted[i])).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted[i]))))
}

describe.each([
  ['one net', plan],
  ['members', sharing(plan)],
])('%s', (_, how) => {
  test.each([
    [1, []],
    [1, embedded],
    [3, embedded],
  ] as const)('of %i outputs: factors in the first layer, and more inputs, change no prediction', async (outputs, columns) => {
    const net = await trained(how, outputs, columns)
    const plain = withoutScale(net, how, inputs, columns)
    expectClose(answers(plain), answers(net))
    if (outputs > 1) return
    const wide = widened(plain, how, { inputs, more, embedded: columns, factor: 2 })
    const wider = Float32Array.from({ length: rows * (inputs + more) }, (_, i) => {
      const [row, column] = [Math.floor(i / (inputs + more)), i % (inputs + more)]
      return column < inputs ? values[row * inputs + column] : 1e3 * (i % 7)
    })
    expectClose(
      answers(wide, tensor(wider, [rows, inputs + more])),
      answers(net).map((y) => 2 * y),
    )
  })
})

test('neither factors nor biases decay', () => {
  for (const how of [plan, sharing(plan)]) {
    const net = makeNet(how, inputs, 3, 1, embedded)
    const [weights, others] = makeOptimizer(net, how).groups
    expect([weights, others].map(({ options }) => (options as { weightDecay: number }).weightDecay)).toEqual([how.weightDecay, 0])
    const names = others.parameters.map(({ name }) => name)
    expect(names.filter((name) => !name.endsWith('bias'))).toEqual(['1.weight'])
    expect(weights.parameters.every(({ name }) => name.endsWith('weight'))).toBe(true)
    expect(weights.parameters.length + others.parameters.length).toBe(net.parameters().length)
  }
})

test('a straight line has no factors', () => {
  const line = makeNet({ ...plan, hidden: [] }, 3, 1, 1)
  expect(line.layers.length).toBe(1)
})

test('random plans are the same for the same seed, and members are named', () => {
  const plans = Array.from({ length: 20 }, (_, seed) => randomPlan(seed))
  expect(plans).toEqual(plans.map((_, seed) => randomPlan(seed)))
  expect(new Set(plans.map(describePlan)).size).toBe(20)
  expect(describePlan(sharing(usualPlan(1000)))).toBe(
    '48-48 silu, 4 members share them, dropout 0.2, learning rate 0.005, weight decay 0.1',
  )
  expect(describePlan(usualPlan(1000))).toBe('128-128 silu, dropout 0.2, learning rate 0.005, weight decay 0.1')
})

test('a table model of members is saved, loaded, and written as a function', async () => {
  const table = Array.from({ length: 60 }, (_, i) => ({ a: numbers[i], b: numbers[i + 60], kind: numbers[i] > 0 ? 'high' : 'low' }))
  const { model } = await trainTable(table, { target: 'kind', hidden: [4], epochs: 1 })
  const { features } = model.saved()
  const ofMembers = makeNet(sharing(plan), widthOf(features), 2, 5)
  const own = new TableModel<ClassPrediction>(
    new Ensemble([ofMembers, makeNet(plan, widthOf(features), 2, 6)], { average: 'softmax' }),
    model.saved(),
  )
  const wanted = own.predict(table.slice(0, 9))
  const again = await loadTableModel<ClassPrediction>(own.bytes())
  expect(again.predict(table.slice(0, 9))).toEqual(wanted)
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-members-'))
  try {
    const file = path.join(folder, 'predict.mjs')
    writeFileSync(file, tableToFunction(own))
    const { predict } = (await import(pathToFileURL(file).href)) as { predict(rows: unknown): ClassPrediction[] }
    predict(table.slice(0, 9)).forEach(({ probability }, i) => expect(probability).toBeCloseTo(wanted[i].probability, 6))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
