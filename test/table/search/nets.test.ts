/** Nets of tables: plans, factors of the inputs that become part of the first layer, and nets with more inputs. */
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
  type Sequential,
  softmax,
  type Tensor,
  tensor,
} from '../../../ts/index.js'
import { reportHtml, type TableModelReport, trainTable } from '../../../ts/table/index.js'
import {
  describePlan,
  makeNet,
  makeOptimizer,
  type NetPlan,
  plainNets,
  randomPlan,
  sharing,
  usualPlan,
  variationsOf,
  widened,
} from '../../../ts/table/search/nets.js'
import { byClock, counted } from '../../tools/clocks.js'

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
  ] as const)('of %i outputs: plain nets, also with more inputs, answer alike', async (outputs, columns) => {
    const net = await trained(how, outputs, columns)
    const nets = plainNets(net, how, inputs, columns)
    expect(nets.length).toBe(how.members)
    expect(nets.flatMap((plain) => (plain as Sequential<Module[]>).layers.map(({ constructor: { name } }) => name))).not.toContain('Scale')
    const mean = new Ensemble(nets, { average: outputs > 1 ? 'softmax' : 'outputs' })
    // members answer by the logarithm of their mean probabilities, one net by its outputs
    const asProbabilities = (given: Module) => (outputs > 1 ? softmax(given.predict(x) as Tensor) : (given.predict(x) as Tensor)).data()
    expectClose([...asProbabilities(mean)], [...asProbabilities(net)])
    if (outputs > 1) return
    const wide = nets.map((plain) => widened(plain, how, { inputs, more, embedded: columns, factor: 2 }))
    const wider = Float32Array.from({ length: rows * (inputs + more) }, (_, i) => {
      const [row, column] = [Math.floor(i / (inputs + more)), i % (inputs + more)]
      return column < inputs ? values[row * inputs + column] : 1e3 * (i % 7)
    })
    expectClose(
      answers(new Ensemble(wide, { average: 'outputs' }), tensor(wider, [rows, inputs + more])),
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

test('plans that are tried first change one thing each; without dropout all are without it', () => {
  const usual = usualPlan(1000)
  const variations = variationsOf(usual, sharing(usual))
  const changes = variations.map((one) =>
    Object.keys(one).filter((key) => JSON.stringify(one[key as keyof NetPlan]) !== JSON.stringify(usual[key as keyof NetPlan])),
  )
  expect(changes).toEqual([
    ...[['hidden'], ['learningRate'], ['dropout'], ['activation'], ['members', 'hidden'], ['weightDecay'], ['learningRate'], ['hidden']],
  ])
  expect(new Set(variations.map(describePlan)).size).toBe(8)
  const dry = { ...usual, dropout: 0 }
  expect(variationsOf(dry, sharing(usual)).every(({ dropout }) => dropout === 0)).toBe(true)
  expect(variationsOf(usual)).toHaveLength(7)
})

test('a plan that is tried first is never the usual one again: not without dropout, nor where its change is of a given option', async () => {
  const usual = usualPlan(1000)
  expect(variationsOf({ ...usual, dropout: 0 })).toHaveLength(6)
  const given = { learningRate: 0.3, activation: 'relu' as const }
  const left = variationsOf({ ...usual, ...given }, undefined, given)
  expect(left).toHaveLength(4)
  expect(left).toEqual(left.map((one) => ({ ...one, ...given })))
  const rows = Array.from({ length: 40 }, (_, i) => ({ a: numbers[i], y: i % 3 ? 'p' : 'q' }))
  const most = { ...given, dropout: 0.2, weightDecay: 0.1, epochs: 2, time: 100, verbose: false }
  const { report } = await counted(() => trainTable(rows, { target: 'y', ...most }))
  // a pilot, a measured and a whole training of it; random plans have no members
  expect(report.candidates.filter(({ plan }) => plan.startsWith('24-24 relu, 4 members')).length).toBeLessThanOrEqual(3)
})

test('a search with a time limit trains what it trains without one, then others; of two first kinds only the better one answers', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ a: numbers[i], b: numbers[i + 60], y: Math.sin(2 * numbers[i]) + numbers[i + 60] }))
  const options = { target: 'y', epochs: 4, verbose: false } as const
  const { report: usual } = await trainTable(rows, options)
  const { report } = await counted(() => trainTable(rows, { ...options, time: 100 }))
  expect(usual.candidates).toHaveLength(2)
  const known = report.candidates.map(({ plan, loss }) => `${plan}: ${loss}`)
  for (const { plan, loss } of usual.candidates) expect(known).toContain(`${plan}: ${loss}`)
  const [best, loser] = usual.candidates
  expect(report.candidates.filter(({ plan }) => plan === loser.plan).every(({ votes }) => votes === 0)).toBe(true)
  expect(report.candidates.length).toBeGreaterThan(3)
  // what is tried has dropout only where it helps
  const isDry = ({ plan }: { plan: string }) => plan.includes('dropout 0,')
  if (isDry(best)) expect(report.candidates.filter(isDry).length).toBeGreaterThan(2)
})

test('without time for one epoch a small net is trained, of the options that are given', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ a: numbers[i], y: numbers[i + 60] }))
  const planIn = async (given: object) =>
    (await byClock('runs ahead', 0, () => trainTable(rows, { target: 'y', time: 1e-6, verbose: false, ...given }))).report.candidates.map(
      ({ plan }) => plan,
    )
  expect(await planIn({})).toEqual(['32 silu, dropout 0, learning rate 0.01, weight decay 0.1'])
  expect(await planIn({ hidden: [4], dropout: 0.3, activation: 'tanh' })).toEqual([
    '4 tanh, dropout 0.3, learning rate 0.01, weight decay 0.1',
  ])
})

test('the time was not too short where a signal ended the training', async () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({ a: Math.sin(i), y: Math.cos(3 * i) }))
  const controller = new AbortController()
  const slow = { hidden: [256, 256], dropout: 0, batchSize: 1, epochs: 120, time: 10_000, verbose: false }
  let calls = 0
  // after the five nets of the pilot
  const onProgress = ({ nets = 0 }: { nets?: number }) => void (nets >= 5 && ++calls > 2 && controller.abort())
  const { report } = await counted(() => trainTable(rows, { target: 'y', ...slow, signal: controller.signal, onProgress }))
  expect(report.candidates.length).toBeLessThanOrEqual(2)
  expect(report.advice.join(' ')).not.toContain('too short')
})

test('two classes are told apart by members, unless sizes are given; numbers and more classes by one net', async () => {
  const table = Array.from({ length: 60 }, (_, i) => ({
    a: numbers[i],
    b: numbers[i + 60],
    three: 'xyz'[i % 3],
    two: numbers[i] > 0 ? 'high' : 'low',
  }))
  const netsOf = async (target: string, hidden?: number[]) => {
    const exclude = ['two', 'three', 'b'].filter((name) => name !== target)
    const { model, report } = await trainTable(table, { target, exclude, epochs: 1, ...(hidden && { hidden }) })
    return [(model.net as Ensemble).members.length, report.candidates.map(({ plan }) => plan.replace(/, dropout.*/, ''))]
  }
  expect(await netsOf('two')).toEqual([20, ['24-24 silu, 4 members share them']])
  expect(await netsOf('two', [4])).toEqual([5, ['4 silu']])
  expect(await netsOf('three')).toEqual([5, ['64-64 silu']])
  expect(await netsOf('b')).toEqual([5, ['64-64 silu', '64-64 silu']])
})

describe('dropout of nets for numbers', () => {
  const table = (rows: number) =>
    Array.from({ length: rows }, (_, i) => ({ a: Math.sin(i), b: Math.cos(7 * i), y: Math.sin(i) * Math.cos(7 * i) }))
  const some = { target: 'y', hidden: [32], epochs: 60, seed: 3 } as const
  const kinds = ({ report }: { report: TableModelReport }) =>
    report.candidates.map(({ plan, votes }) => [plan.match(/dropout [\d.]+/)?.[0], votes > 0])

  test('is chosen by the losses of all folds, and the better kind answers alone', async () => {
    const both = await trainTable(table(200), some)
    expect(kinds(both)).toEqual([
      ['dropout 0', true],
      ['dropout 0.1', false],
    ])
    const [best, other] = both.report.candidates
    expect(best.loss).toBeLessThan(other.loss)
    expect([both.report.nets, (both.model.net as Ensemble).members.length]).toEqual([{ trained: 10, used: 5 }, 5])
    // each kind is trained as if it were alone, so that both have the same first weights
    for (const [dropout, { loss }] of [[0, best] as const, [0.1, other] as const]) {
      const alone = await trainTable(table(200), { ...some, dropout })
      expect([kinds(alone), alone.report.candidates[0].loss]).toEqual([[[`dropout ${dropout}`, true]], loss])
    }
  })

  test('has losses of three digits in the report, as those of both kinds may be close, and the seconds of all', async () => {
    const { report } = await trainTable(table(60), { ...some, epochs: 1 })
    const close = report.candidates.map((candidate, i) => ({ ...candidate, loss: 0.06814 - 0.0003 * i }))
    const page = reportHtml({ ...report, candidates: close, seconds: 9.71 })
    for (const part of ['>0.0681<', '>0.0678<', '10 trained, 5 answer together; 9.7 s in all; seed 3']) expect(page).toContain(part)
  })

  test('helps where targets are noise, and is kept there', async () => {
    const noise = new Generator(4).normals(400)
    const rows = Array.from({ length: 80 }, (_, i) => ({
      ...Object.fromEntries(Array.from({ length: 4 }, (_, k) => [`x${k}`, noise[5 * i + k]])),
      y: noise[5 * i + 4] + noise[5 * i],
    }))
    expect(kinds(await trainTable(rows, { target: 'y', epochs: 12 }))[0]).toEqual(['dropout 0.1', true])
  })

  test('is as usual for more than 6,000 rows', async () => {
    const { report } = await trainTable(table(7600), { ...some, hidden: [1], epochs: 1 })
    expect([report.rows.train > 6000, report.candidates.length]).toEqual([true, 1])
  })
})
