/**
 * Ingredients of nets for tables, one by one: the loss of each kind of net on held-out rows, beside the ordinary net of trainTable without a Scale,
 * and its CPU time. Each kind is a net on each of three folds, stopped early; their mean answers. Files are those of export.py.
 *
 *   node --import tsx bench/tables/ablation.ts [tables, oj,sacramento,mlc_churn] ['scale;scale, mish', all] [seed, 0]
 */
import { readFileSync } from 'node:fs'
import {
  Activation,
  type ActivationName,
  AdamW,
  add,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  EmbedColumns,
  EnsembleDense,
  EnsembleMean,
  ensembleLoss,
  fit,
  Generator,
  type Loss,
  Module,
  matmul,
  mse,
  PeriodicEmbedding,
  PiecewiseLinearEmbedding,
  quantileEdges,
  Scale,
  Sequential,
  schedules,
  softmax,
  sub,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { takeRows } from '../../ts/rows/take.js'
import { type PreparedTable, prepareTable } from '../../ts/table/prepare-table.js'
import { foldsOf } from '../../ts/table/rows/folds.js'
import { usualPlan, usualRound } from '../../ts/table/search/nets.js'

const [names = 'oj,sacramento,mlc_churn', wanted = 'all', seed = '0'] = process.argv.slice(2)
const FOLDER = '.cache/tables'

const about = JSON.parse(readFileSync(`${FOLDER}/tables.json`, 'utf8')) as Record<string, { target: string }>

/** A kind of net: the ordinary one with something else in front, or of members that share its layers. */
interface Kind {
  front?: (width: number, table: PreparedTable) => Module & { width: number }
  scale?: true
  rate?: number
  members?: number
  share?: number
  activation?: ActivationName
  /** True to learn how much of the activation each neuron has: x + a · (f(x) − x), a = 1 at first (RealMLP-TD). */
  isLearned?: true
  /** True to begin with biases that put each neuron's zero at a random mean of five rows (RealMLP's `he+5`). */
  hasBiases?: true
}

/** x + a · (f(x) − x) with an a for each neuron. */
class LearnedActivation extends Module {
  readonly share: Scale
  readonly activation: Activation

  constructor(size: number, name: ActivationName) {
    super()
    this.share = new Scale(size)
    this.activation = new Activation(name)
  }

  forward(x: Tensor): Tensor {
    return add(x, this.share.forward(sub(this.activation.forward(x), x)) as Tensor)
  }
}

/** Columns of numbers: their first inputs have many values. */
const numbersOf = ({ train: { inputs, count }, width, columns, embedded }: PreparedTable): { feature: number; edges: number[] }[] => {
  const taken = new Set(embedded.map(({ feature }) => feature))
  return columns.flatMap((column, feature) => {
    if (columns.indexOf(column) !== feature || taken.has(feature)) return []
    const edges = quantileEdges(
      Array.from({ length: count }, (_, row) => inputs[row * width + feature]),
      32,
    )
    return edges.length > 8 ? [{ feature, edges }] : []
  })
}
const KINDS: Record<string, Kind> = {
  plain: {},
  scale: { scale: true },
  'scale, six times the rate': { scale: true, rate: 6 },
  'scale, periodic (PBLD)': {
    scale: true,
    front: (width, table) => new PeriodicEmbedding(width, { form: 'pbld', columns: numbersOf(table).map(({ feature }) => feature) }),
  },
  'scale, piecewise linear': { scale: true, front: (width, table) => new PiecewiseLinearEmbedding(width, numbersOf(table), { size: 8 }) },
  'scale, mish': { scale: true, activation: 'mish' },
  'scale, selu': { scale: true, activation: 'selu' },
  'scale, learned activation': { scale: true, isLearned: true },
  'scale, first biases at rows': { scale: true, hasBiases: true },
  '4 members, 3/8 as wide': { members: 4, share: 3 / 8 },
  '8 members': { members: 8 },
}

for (const name of names.split(',')) {
  const { target } = about[name]
  const table = await prepareTable(`${FOLDER}/${name}.${seed}.train.csv`, {
    target,
    testFraction: 0,
    validationFraction: 0.25,
    seed: Number(seed),
  })
  for (const [kind, how] of Object.entries(KINDS)) {
    if (wanted !== 'all' && !wanted.split(';').includes(kind)) continue
    const began = process.cpuUsage()
    const loss = await lossOf(table, how)
    const { user, system } = process.cpuUsage(began)
    console.log(`${name}\t${kind}\t${loss.toFixed(5)}\t${((user + system) / 1e6).toFixed(1)} s`)
  }
}

/** Log loss of the mean probabilities, or the root of the mean squared error of the mean numbers, in units of the target. */
async function lossOf(table: PreparedTable, kind: Kind): Promise<number> {
  const { train, held, width, classes, scale } = table
  const outputs = classes || 1
  const { folds } = foldsOf(train.targets, classes, 0)
  const rowsOf = (rows: Int32Array) => {
    const targets = takeRows(train.targets, rows)
    const given = targets instanceof Int32Array ? targets : tensor(targets, [rows.length, 1])
    return { inputs: tensor(takeRows(train.inputs, rows, width, width), [rows.length, width]), targets: given }
  }
  const answers = new Float64Array(held.count * outputs)
  const used = folds.slice(0, 3)
  for (const [fold, { train: learnt, validation }] of used.entries()) {
    const { model, optimizer } = netOf(table, kind, fold)
    const { batchSize, epochs } = usualRound(train.count)
    await fit(model, {
      ...{ ...rowsOf(learnt), validation: rowsOf(validation), optimizer, batchSize, epochs, seed: fold },
      loss: ensembleLoss((classes > 0 ? crossEntropy : mse) as Loss),
      schedule: schedules.oneCycle(usualPlan(train.count).learningRate, { steps: epochs * Math.ceil(learnt.length / batchSize) }),
      callbacks: [new EarlyStopping({ patience: 16 })],
    })
    const output = model.predict(tensor(held.inputs, [held.count, width])) as Tensor
    const own = (classes > 0 ? (softmax(output) as Tensor) : output).data()
    own.forEach((value, i) => (answers[i] += value / used.length))
  }
  const losses = Array.from(held.targets, (y, i) => (classes > 0 ? -Math.log(answers[i * outputs + y]) : (answers[i] - y) ** 2))
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  return classes > 0 ? mean : scale.deviation * Math.sqrt(mean)
}

function netOf(table: PreparedTable, kind: Kind, seed: number) {
  const { front, scale, rate = 1, members = 1, share = 1, isLearned, hasBiases } = kind
  const { train, classes, embedded } = table
  const { hidden, dropout, learningRate, weightDecay, ...usual } = usualPlan(train.count)
  const activation = kind.activation ?? usual.activation
  const layers: Module[] = []
  let width = table.width
  const add = (layer: Module & { width: number }) => {
    layers.push(layer)
    width = layer.width
  }
  // a periodic embedding keeps the places of columns, so that categories are found; a piecewise linear one is for tables without categories to embed
  if (front && (embedded.length === 0 || front(width, table) instanceof PeriodicEmbedding)) add(front(width, table))
  if (embedded.length > 0) add(new EmbedColumns(width, embedded))
  if (members > 1) layers.push(new Scale(width, { members }))
  else if (scale) layers.push(new Scale(width))
  for (const size of hidden.map((n) => Math.round(share * n))) {
    layers.push(
      ...(isLearned ? [new Dense(width, size), new LearnedActivation(size, activation)] : [new Dense(width, size, { activation })]),
      new Dropout(dropout),
    )
    width = size
  }
  const outputs = classes || 1
  if (members === 1) layers.push(new Dense(width, outputs))
  else
    layers.push(
      new EnsembleDense(width, outputs, members, { shared: false }),
      new EnsembleMean({ average: outputs > 1 ? 'softmax' : 'outputs' }),
    )
  const model = new Sequential(layers, { seed })
  if (hasBiases) setBiases(table, layers, seed)
  const factors = layers.flatMap((layer) => (layer instanceof Scale ? layer.parameters() : []))
  const others = model.parameters().filter((parameter) => !factors.includes(parameter))
  const isBias = ({ name }: { name: string }) => name.endsWith('bias')
  const groups = [
    { parameters: others.filter((parameter) => !isBias(parameter)), weightDecay },
    { parameters: others.filter(isBias), weightDecay: 0 },
    ...(factors.length > 0 ? [{ parameters: factors, weightDecay: 0, learningRate: rate * learningRate }] : []),
  ]
  return { model, optimizer: new AdamW(groups, { learningRate }) }
}

/** Sets the first biases of hidden layers so that the zero of each neuron is a random convex combination of its values for five rows. */
function setBiases({ train, width }: PreparedTable, layers: readonly Module[], seed: number): void {
  const random = new Generator(seed)
  const rows = Math.min(train.count, 1000)
  let x: Tensor = tensor(train.inputs.slice(0, rows * width), [rows, width])
  for (const layer of layers) {
    if (layer instanceof Dropout) continue
    if (layer instanceof Dense && layer !== layers.at(-1)) {
      const size = layer.bias?.size ?? 0
      const values = (matmul(x, layer.weight) as Tensor).data()
      const biases = Float32Array.from({ length: size }, (_, neuron) => {
        const shares = Array.from(random.uniforms(5), (u) => -Math.log(1 - u))
        const total = shares.reduce((sum, share) => sum + share, 0)
        const at = Array.from(random.uniforms(5), (u) => values[Math.floor(u * rows) * size + neuron])
        return -at.reduce((sum, value, i) => sum + (shares[i] / total) * value, 0)
      })
      layer.bias?.assign(biases)
    }
    x = layer.predict(x) as Tensor
  }
}
