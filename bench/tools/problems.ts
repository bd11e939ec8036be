/** Problems for benchmarks of rates and optimizers: ten small data sets and 31 tables, each in three parts, and nets for them. */
import { readFileSync } from 'node:fs'
import {
  type Dataset,
  fromTable,
  iris,
  loadMnist,
  moons,
  readTable,
  selectRows,
  spirals,
  standardize,
  trainTestSplit,
  xor,
} from '../../ts/data/index.js'
import {
  crossEntropy,
  Dense,
  evaluateModel,
  Generator,
  type Loss,
  type Module,
  mse,
  Sequential,
  type TrainingData,
} from '../../ts/index.js'
import { AveragingOptimizer } from '../../ts/optim/index.js'

/** Hidden layers of a net. */
export interface Net {
  hidden: readonly number[]
  activation: 'tanh' | 'relu' | 'silu' | 'gelu' | 'elu'
}

export const NETS: readonly Net[] = [
  { hidden: [16], activation: 'tanh' },
  { hidden: [32, 16], activation: 'relu' },
  { hidden: [24, 24, 24], activation: 'silu' },
]

/** A data set: rows to train on, to choose by, and to judge by. */
export interface Data {
  train: TrainingData & { count?: number }
  validation: TrainingData
  test: TrainingData
  loss: Loss
  inputs: number
  outputs: number
  epochs: number
}

/** A quarter of the rows for the test and a quarter for validation; of data that are drawn, most rows are for these. */
function classes(data: Dataset, epochs: number, testFraction = 0.25): Data {
  const outer = trainTestSplit(data, { seed: 1, testFraction })
  const inner = trainTestSplit(outer.train, { seed: 2, testFraction: testFraction / (1 - testFraction) })
  const first = standardize(inner)
  const { test } = standardize({ train: inner.train, test: outer.test })
  return { train: first.train, validation: first.test, test, loss: crossEntropy, inputs: data.features, outputs: data.classes, epochs }
}

function numbers(count: number, features: number, f: (x: number[]) => number, epochs: number, seed: number): Data {
  const random = new Generator(seed)
  const make = (n: number) => {
    const inputs = Array.from({ length: n }, () => Array.from(random.uniforms(features), (u) => 2 * u - 1))
    const noise = random.normals(n)
    return { inputs, targets: inputs.map((x, i) => [f(x) + 0.1 * noise[i]]) }
  }
  return { train: make(count), validation: make(1000), test: make(1000), loss: mse, inputs: features, outputs: 1, epochs }
}

/** The body mass of penguins from four measures and the species, or the species. */
function penguins(): { x: number[]; species: number; mass: number }[] {
  const [head, ...lines] = readFileSync('docs/guide/penguins.csv', 'utf8').trim().split('\n')
  const names = head.split(',')
  const at = (name: RegExp) => names.findIndex((n) => name.test(n))
  const species = ['Adelie', 'Chinstrap', 'Gentoo']
  return lines
    .map((line) => line.split(','))
    .map((cells) => ({
      x: [/bill_length/, /bill_depth/, /flipper/].map((name) => Number(cells[at(name)] || Number.NaN)),
      species: species.findIndex((s) => cells[at(/species/)].startsWith(s)),
      mass: Number(cells[at(/body_mass/)] || Number.NaN),
    }))
    .filter(({ x, mass }) => [...x, mass].every(Number.isFinite))
}

function asDataset(x: number[][], targets: number[], classes: number): Dataset {
  return {
    ...{ inputs: Float32Array.from(x.flat()), targets: Int32Array.from(targets), classes, count: x.length, features: x[0].length },
    shape: [x.length, x[0].length],
    classNames: [],
  } as unknown as Dataset
}

/** Rows of numbers, cut into three parts and scaled by the first. */
function regression(x: number[][], y: number[], epochs: number): Data {
  const data = classes(
    asDataset(
      x,
      y.map((_, i) => i),
      x.length,
    ),
    epochs,
  )
  const mean = y.reduce((a, b) => a + b, 0) / y.length
  const deviation = Math.sqrt(y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length)
  const part = ({ inputs, shape, targets }: TrainingData): TrainingData => ({
    ...{ inputs, shape },
    targets: Array.from(targets as Int32Array, (row) => [(y[row] - mean) / deviation]),
  })
  return { ...data, train: part(data.train), validation: part(data.validation), test: part(data.test), loss: mse, outputs: 1 }
}

/** Digits of 7 × 7: means of 4 × 4 pixels. */
async function digits(count: number): Promise<Dataset> {
  const { train } = await loadMnist()
  const data = selectRows(
    train,
    Array.from({ length: count }, (_, i) => i),
  )
  const inputs = new Float32Array(count * 49)
  for (let row = 0; row < count; row++)
    for (let pixel = 0; pixel < 784; pixel++) {
      const [y, x] = [Math.floor(pixel / 28), pixel % 28]
      inputs[row * 49 + Math.floor(y / 4) * 7 + Math.floor(x / 4)] += (data.inputs[row * 784 + pixel] as number) / 16
    }
  return { ...data, inputs, features: 49, shape: [count, 49] } as Dataset
}

export const DATA: Record<string, () => Data | Promise<Data>> = {
  iris: () => classes(iris(), 40),
  moons: () => classes(moons({ count: 2000, noise: 0.25, seed: 1 }), 40, 0.4),
  xor: () => classes(xor({ count: 2000, noise: 0.3, seed: 1 }), 40, 0.4),
  spirals: () => classes(spirals({ count: 2250, seed: 1 }), 60, 0.4),
  species: () => {
    const rows = penguins()
    return classes(
      asDataset(
        rows.map(({ x }) => x),
        rows.map(({ species }) => species),
        3,
      ),
      30,
    )
  },
  mass: () => {
    const rows = penguins()
    return regression(
      rows.map(({ x, species }) => [...x, ...[0, 1, 2].map((s) => Number(s === species))]),
      rows.map(({ mass }) => mass),
      40,
    )
  },
  sine: () => numbers(256, 1, ([x]) => Math.sin(6 * x), 60, 1),
  friedman: () => numbers(600, 5, (x) => Math.sin(3 * x[0] * x[1]) + 2 * x[2] ** 2 + x[3] + x[4] / 2, 40, 2),
  digits: async () => classes(await digits(3000), 20, 1 / 3),
  autoencoder: async () => {
    const data = classes(await digits(3000), 20, 1 / 3)
    const part = ({ inputs, shape }: TrainingData): TrainingData => {
      const flat = inputs as Float32Array
      return { inputs, shape, targets: Array.from({ length: flat.length / 49 }, (_, i) => [...flat.slice(49 * i, 49 * (i + 1))]) }
    }
    return { ...data, train: part(data.train), validation: part(data.validation), test: part(data.test), loss: mse, outputs: 49 }
  },
}

const FOLDER = '.cache/tables'

/** The 31 tables that bench/tables/export.py writes, by the first of their splits: a part of its training rows chooses, its test rows judge. */
export function tables(validationFraction = 0.25): Record<string, () => Promise<Data>> {
  const about = JSON.parse(readFileSync(`${FOLDER}/tables.json`, 'utf8')) as Record<string, { target: string; task: string }>
  return Object.fromEntries(
    Object.entries(about).map(([name, { target, task }]) => [
      name,
      async () => {
        const rowsOf = (part: string) => readTable(`${FOLDER}/${name}.0.${part}.csv`)
        const table = fromTable(await rowsOf('train'), { target, missing: 'auto' })
        const { train, test: validation } = trainTestSplit(table, { seed: 2, testFraction: validationFraction })
        const isClasses = task === 'classification'
        const parts = standardize({ train, validation, test: table.dataset(await rowsOf('test')) }, { targets: !isClasses })
        const epochs = Math.max(4, Math.min(40, Math.round(60_000 / train.count)))
        return { ...parts, loss: isClasses ? crossEntropy : mse, inputs: table.features, outputs: isClasses ? table.classes : 1, epochs }
      },
    ]),
  )
}

/** A net for a data set. */
export function makeNet({ inputs, outputs }: Data, { hidden, activation }: Net, seed = 1): Sequential {
  const sizes = [inputs, ...hidden, outputs]
  const layers = sizes.slice(1).map((size, i) => new Dense(sizes[i], size, i < sizes.length - 2 ? { activation } : {}))
  return new Sequential(layers, { seed })
}

/** Losses of validation and test rows; Infinity if they are not finite. */
export type Losses = [validation: number, test: number]

/** The losses of a trained net, by the averages of an optimizer that averages. */
export function judge({ validation, test, loss }: Data, model: Module, optimizer: unknown): Losses {
  const losses = () =>
    [validation, test].map((rows) => {
      try {
        return evaluateModel(model, { ...rows, loss }).loss
      } catch {
        return Number.POSITIVE_INFINITY
      }
    }) as Losses
  return optimizer instanceof AveragingOptimizer ? optimizer.evaluate(losses) : losses()
}

/** Steps of a whole training. */
export function stepsOf({ train, epochs }: Data, batch: number): number {
  const rows = train.shape?.[0] ?? (train.inputs as unknown[]).length
  return epochs * Math.ceil(rows / batch)
}
