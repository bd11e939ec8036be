/** EmbedColumns: its output, gradient and training compared with the same made of single operations; its files; and refused arguments. */
import { describe, expect, test } from 'vitest'
import { fromTable } from '../../ts/data/index.js'
import {
  AdamW,
  concat,
  crossEntropy,
  Dense,
  decodeModel,
  EmbedColumns,
  encodeModel,
  type FitOptions,
  fit,
  Generator,
  gather,
  Module,
  Sequential,
  slice,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { allBackends } from '../tools/small-nets.js'

const ROWS = 90
const FEATURES = 6
/** Columns in another order than the input's: two next to each other, one at the end. */
const COLUMNS = [
  { feature: 5, count: 7, size: 3 },
  { feature: 1, count: 4, size: 2 },
  { feature: 2, count: 30, size: 5 },
]

function rows(): { inputs: Float32Array; shape: [number, number]; targets: Int32Array } {
  const random = new Generator(3)
  const inputs = Float32Array.from(random.normals(ROWS * FEATURES))
  const draws = random.uniforms(ROWS * FEATURES)
  for (const { feature, count } of COLUMNS) for (let i = feature; i < inputs.length; i += FEATURES) inputs[i] = Math.floor(count * draws[i])
  const targets = Int32Array.from({ length: ROWS }, (_, row) => (inputs[row * FEATURES + 2] + inputs[row * FEATURES + 1]) % 3)
  return { inputs, shape: [ROWS, FEATURES], targets }
}

/** The same layer made of public operations, with indices computed in JavaScript. */
class ByHand extends Module {
  constructor(readonly embed: EmbedColumns) {
    super({ backend: embed.backend })
  }
  forward(x: Tensor): Tensor {
    const values = x.data()
    const [count] = x.shape
    const column = (feature: number) => Int32Array.from({ length: count }, (_, row) => values[row * FEATURES + feature])
    const vectors = COLUMNS.map(({ feature }, i) => gather(this.embed.tables[i].weight, column(feature)))
    return concat([slice(x, 0, 1, 1), slice(x, 3, 5, 1), ...vectors], 1)
  }
}

describe.each(allBackends)('$variant', (backend) => {
  const { inputs, shape, targets } = rows()
  const make = () => new EmbedColumns(FEATURES, COLUMNS, { seed: 4, backend })

  test('other columns as they are, then the vectors of each', () => {
    const embed = make()
    expect([embed.width, embed.others]).toEqual([3 + 10, [0, 3, 4]])
    const out = embed.predict(tensor(inputs, shape, { backend })).data()
    const tables = embed.tables.map(({ weight }) => weight.data())
    for (let row = 0; row < ROWS; row++) {
      const given = inputs.subarray(row * FEATURES, (row + 1) * FEATURES)
      const vectors = COLUMNS.flatMap(({ feature, size }, i) => [...tables[i].subarray(given[feature] * size, (given[feature] + 1) * size)])
      expect([...out.subarray(row * 13, (row + 1) * 13)]).toEqual([given[0], given[3], given[4], ...vectors])
    }
  })

  test('training is that of single operations, to the bit, also from recordings', async () => {
    const trained = async (wrap: (embed: EmbedColumns) => Module, more: Partial<FitOptions> = {}) => {
      const embed = make()
      const model = new Sequential<Module[]>([wrap(embed), new Dense(13, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed: 2, backend })
      // the depth of a layer determines its random numbers
      for (const p of model.parameters()) p.view().set(new Generator(p.size).normals(p.size).map((z) => z / 4))
      const optimizer = new AdamW(model.parameters(), { learningRate: 0.03, weightDecay: 0.01 })
      const data = { inputs: tensor(inputs, shape, { backend }), targets, loss: crossEntropy, optimizer, epochs: 30, batchSize: 20 }
      const { execution, epochs } = await fit(model, { ...data, ...more })
      return { execution, loss: epochs.map(({ loss }) => loss), weights: model.parameters().map((p) => [...p.data()]) }
    }
    const fast = await trained((embed) => embed)
    for (const slow of [await trained((embed) => new ByHand(embed)), await trained((embed) => embed, { replay: false })]) {
      expect(slow.loss).toEqual(fast.loss)
      expect(slow.weights).toEqual(fast.weights)
    }
    // nearly all steps were replayed: two kinds of batches are recorded
    if (backend.name === 'wasm') expect(fast.execution.writtenOut, fast.execution.reason).toBeLessThan(5)
    expect(fast.loss[29]).toBeLessThan(0.4)
  })

  test('a file holds it', () => {
    const model = new Sequential<Module[]>([make(), new Dense(13, 3)], { seed: 2, backend })
    const again = decodeModel(encodeModel(model), { backend }) as Sequential<Module[]>
    const x = tensor(inputs, shape, { backend })
    expect((again.layers[0] as EmbedColumns).columns).toEqual(COLUMNS)
    expect(again.predict(x).data()).toEqual(model.predict(x).data())
  })

  test('numbers that are no rows of a table are named, also in a step that is replayed', async () => {
    const model = new Sequential<Module[]>([make(), new Dense(13, 3)], { seed: 2, backend })
    const wrong = inputs.slice()
    wrong[70 * FEATURES + 1] = 4
    expect(() => model.predict(tensor(wrong, shape, { backend }))).toThrow(
      'EmbedColumns: column 1 of row 70 wants a whole number from 0 to 3, got 4',
    )
    wrong[70 * FEATURES + 1] = 0.5
    const optimizer = new AdamW(model.parameters())
    const data = { inputs: tensor(wrong, shape, { backend }), targets, loss: crossEntropy, optimizer, batchSize: 10, shuffle: false }
    await expect(fit(model, data)).rejects.toThrow('wants a whole number from 0 to 3, got 0.5')
    expect(() => model.predict(tensor(new Float32Array(10), [2, 5], { backend }))).toThrow(
      'wants rows of 6 columns (shape [n, 6]), got shape [2, 5]',
    )
  })
})

test('all columns may be embedded; a column that is unknown has row 0', () => {
  const table = fromTable(
    ['a', 'b', 'c', 'a'].map((town, i) => ({ town, y: i })),
    { target: 'y', columns: { town: { as: 'embedding', size: 6 }, y: 'number' } },
  )
  const embed = new EmbedColumns(table.features, table.embeddings, { seed: 1 })
  expect([embed.width, embed.others]).toEqual([6, []])
  const x = table.encode([{ town: 'z' }])
  const vector = embed.predict(tensor(x, [1, 1])).data()
  expect(vector).toEqual(embed.tables[0].weight.data().slice(0, 6))
})

test('what it refuses', () => {
  const columns = [{ feature: 0, count: 3, size: 2 }]
  expect(() => new EmbedColumns(0, columns)).toThrow('EmbedColumns: features wants a whole number ≥ 1, got 0')
  expect(() => new EmbedColumns(2, [])).toThrow('EmbedColumns: columns wants [{ feature, count, size }, …]')
  expect(() => new EmbedColumns(2, [{ feature: 2, count: 3, size: 2 }])).toThrow('feature wants a whole number from 0 to 1, got 2')
  expect(() => new EmbedColumns(2, [...columns, ...columns])).toThrow('feature 0 is there twice')
  expect(() => new EmbedColumns(2, [{ feature: 0, count: 0, size: 2 }])).toThrow('Embedding: count')
  expect(() => new EmbedColumns(2, columns, { size: 3 } as never)).toThrow("EmbedColumns: there is no option 'size'")
})
