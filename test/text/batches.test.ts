/** Batches of tokens: filling, buckets, rows of a long text; trained by fit and fitStream, with masks, and resumed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { GPT, MultiHeadAttention, nextTokenLoss } from '../../ts/attention/index.js'
import { Adam, Checkpoint, crossEntropy, Dense, Embedding, fit, Generator, Module, type Tensor, tensor } from '../../ts/index.js'
import { GRU } from '../../ts/recurrent/index.js'
import { fitStream } from '../../ts/stream/index.js'
import { bucketBatches, nextTokenRows, padTokens, stepMask } from '../../ts/text/index.js'
import { byClock } from '../tools/clocks.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-text-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Sequences of 1 to 20 tokens from 1 to 9; class 1 if the first one is above 4. */
function sequences(count: number, seed = 1) {
  const random = new Generator(seed)
  const tokens = Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(random.next() * 20) }, () => 1 + Math.floor(random.next() * 9)),
  )
  return { tokens, targets: Int32Array.from(tokens, ([first]) => (first > 4 ? 1 : 0)) }
}

class Classifier extends Module {
  readonly embedding = new Embedding(10, 8)
  readonly attention = new MultiHeadAttention<number>(8, 2)
  readonly gru = new GRU(8, 8, { returnSequences: false })
  readonly head = new Dense(8, 2)
  forward(tokens: Tensor): Tensor {
    const mask = stepMask(tokens, { pad: 0, vocabulary: 10 })
    const x = this.attention.run(this.embedding.forward(tokens), { mask })
    return this.head.forward(this.gru.run(x, { mask }).state) as Tensor
  }
}
const weights = (model: Module) => model.parameters().map((p) => [...p.data()])

describe('padTokens', () => {
  test('fills up, cuts where it is asked to, and says the lengths', () => {
    expect(padTokens([[5, 6, 7], [8], []], { pad: 0 })).toEqual({
      inputs: Int32Array.of(5, 6, 7, 8, 0, 0, 0, 0, 0),
      shape: [3, 3],
      lengths: Int32Array.of(3, 1, 0),
    })
    expect([...padTokens([[5, 6, 7]], { pad: 0, steps: 2, cut: 'end' }).inputs]).toEqual([5, 6])
    expect([...padTokens([Int32Array.of(5, 6, 7)], { pad: 0, steps: 2, cut: 'start' }).inputs]).toEqual([6, 7])
    expect([...padTokens([[5]], { pad: 9, steps: 3 }).inputs]).toEqual([5, 9, 9])
    expect(padTokens([[]], { pad: 0 }).shape).toEqual([1, 1])
  })

  test.each([
    [[[1, 2, 3]], { pad: 0, steps: 2 }, /^padTokens: row 0 has 3 tokens, steps are 2; cut: 'end'/],
    [[[1], [2, 0]], { pad: 0 }, /^padTokens: row 1 has the token 0 of option pad at position 1/],
    [[[1], [2.5]], { pad: 0 }, /^padTokens: row 1 wants tokens, whole numbers from 0 on, got 2.5 at position 0/],
    [[[Number.NaN]], { pad: 0 }, /got NaN at position 0/],
    [[[-1]], { pad: 0 }, /got -1/],
    [[[2 ** 31]], { pad: 0 }, /got 2147483648/],
    [[['a']], { pad: 0 }, /got 'a' at position 0/],
    [[5], { pad: 0 }, /^padTokens: row 0 wants a list of tokens, as encode gives it, got 5/],
    [['abc'], { pad: 0 }, /row 0 wants a list of tokens.*got 'abc'/],
    [[null], { pad: 0 }, /got null/],
    [[], { pad: 0 }, /at least one/],
    [Int32Array.of(1, 2), { pad: 0 }, /wants a list of sequences/],
    [undefined, { pad: 0 }, /got undefined/],
    [[[1]], {}, /^padTokens: pad wants/],
    [[[1]], { pad: -1 }, /pad wants/],
    [[[1], [2, 3]], { pad: 2 ** 31 }, /pad wants a whole number from 0 to 2147483647, got 2147483648/],
    [[{ length: -1 }], { pad: 0 }, /row 0 wants a list of tokens/],
    [[[1]], { pad: 0, steps: 0 }, /steps wants/],
    [[[1]], { pad: 0, cut: 'middle' }, /cut wants/],
    [[[1]], { pad: 0, maxLength: 4 }, /steps/],
  ])('%j, %j is refused', (given, options, message) => {
    expect(() => padTokens(given as never, options as never)).toThrow(message)
  })
})

test('stepMask is 0 where a token is the filling', () => {
  expect(stepMask(tensor(Int32Array.of(5, 0, 7, 0, 0, 0), [2, 3]), { pad: 0, vocabulary: 8 }).toArray()).toEqual([
    [1, 0, 1],
    [0, 0, 0],
  ])
  const mask = (tokens: unknown, pad: unknown) => () => stepMask(tokens as never, { pad, vocabulary: 3 } as never)
  expect(mask([1, 2], 0)).toThrow(/^stepMask: wants tokens of shape \[rows, steps\], got \[2\]/)
  expect(mask([[1]], 0.5)).toThrow(/^stepMask: pad wants/)
  expect(mask([[1]], 3)).toThrow(/^stepMask: pad wants a token of the vocabulary, from 0 to 2, got 3/)
  expect(mask([[3]], 0)).toThrow(/3/)
})

describe('a model with a mask', () => {
  const { tokens, targets } = sequences(400)
  const { inputs, shape } = padTokens(tokens, { pad: 0 })

  test('is replayed by fit, and gives a row the same whatever it is filled up to', async () => {
    const model = new Classifier({ seed: 3 })
    const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
    const given = { inputs, shape, targets, loss: crossEntropy, optimizer, epochs: 8, batchSize: 40 }
    const { epochs, execution } = await byClock('ticks', 0, () => fit(model, given))
    expect(execution.programs + execution.replayed, execution.reason).toBeGreaterThan(40)
    expect(epochs[7].loss).toBeLessThan(0.9 * epochs[0].loss)
    const one = (steps: number) => [...model.predict(tensor(padTokens([[3, 8]], { pad: 0, steps }).inputs, [1, steps])).data()]
    one(2).forEach((value, i) => expect(one(20)[i]).toBeCloseTo(value, 5))
  })
})

describe('bucketBatches', () => {
  const { tokens, targets } = sequences(300)
  const batches = bucketBatches(tokens, targets, { pad: 0, batchSize: 16, seed: 4 })

  test('has every row once, in its bucket, in another order in each pass', () => {
    const rowsOf = (pass: number) =>
      [...batches({ pass })].flatMap(({ inputs, shape: [rows, steps], targets, lengths }) =>
        Array.from({ length: rows }, (_, i) => {
          expect(steps).toBe(lengths[i] <= 8 ? 8 : lengths[i] <= 16 ? 16 : 32)
          const row = [...inputs.subarray(i * steps, (i + 1) * steps)]
          expect(row.slice(lengths[i]).every((token) => token === 0)).toBe(true)
          return JSON.stringify([row.slice(0, lengths[i]), targets[i]])
        }),
      )
    const all = tokens.map((row, i) => JSON.stringify([row, targets[i]]))
    const [first, second] = [rowsOf(0), rowsOf(1)]
    expect([...first].sort()).toEqual([...all].sort())
    expect([...second].sort()).toEqual([...all].sort())
    expect(first).not.toEqual(second)
    expect(rowsOf(0)).toEqual(first)
  })

  test('mixes the batches of all buckets, as lengths may go with targets', () => {
    const steps = [...batches({ pass: 0 })].map(({ shape }) => shape[1])
    const changes = steps.filter((n, i) => i > 0 && n !== steps[i - 1]).length
    expect(changes).toBeGreaterThan(new Set(steps).size)
    expect(steps).not.toEqual([...batches({ pass: 1 })].map(({ shape }) => shape[1]))
  })

  test('keeps whole numbers that no Int32Array holds', () => {
    const [{ targets }] = bucketBatches([[1], [2]], [3e9, 1], { pad: 0, shuffle: false })()
    expect([...targets]).toEqual([3e9, 1])
  })

  test('takes any seed and pass', () => {
    const rows = [[1], new Array(20).fill(2)]
    const far = bucketBatches(rows, [0, 1], { pad: 0, seed: Number.MAX_SAFE_INTEGER })
    expect([...far({ pass: 2 ** 40 })]).toHaveLength(2)
  })

  test('says the lengths of sequences as they are in their batch', () => {
    const own = [[1], [2, 3]]
    const changed = bucketBatches(own, [0, 1], { pad: 0, shuffle: false })
    own[0].push(4, 5)
    own[1].length = 0
    for (const { inputs, lengths } of changed()) {
      expect([...inputs.subarray(0, 4)]).toEqual([1, 4, 5, 0])
      expect([...lengths]).toEqual([3, 0])
    }
  })

  test('goes on at any row', () => {
    const flat = (row: number) =>
      [...batches({ pass: 2, row })].flatMap(({ targets, lengths }) => [...lengths].map((n, i) => `${n} ${targets[i]}`))
    const whole = flat(0)
    for (const row of [1, 16, 100, 299, 300, 1000]) expect(flat(row)).toEqual(whole.slice(row))
  })

  test.each([
    [tokens, targets.slice(1), { pad: 0 }, /targets wants 300 numbers, one for each row, got 299/],
    [tokens, 'ab', { pad: 0 }, /targets wants a number for each row/],
    [[[1]], [Number.NaN], { pad: 0 }, /targets\[0\] wants a finite number \(of 32 bits\), got NaN/],
    [[[1]], Float32Array.of(Number.NaN), { pad: 0 }, /targets\[0\].*got NaN/],
    [[[1]], [1e39], { pad: 0 }, /targets\[0\].*got 1e\+39/],
    [[[1]], [0], { pad: 2 ** 32 }, /pad wants/],
    [[[1], [1, 2, 3]], [0, 1], { pad: 0, lengths: [2] }, /row 1 has 3 tokens, steps are 2/],
    [[[1, 0]], [0], { pad: 0 }, /row 0 has the token 0 of option pad/],
    [[[1]], [0], { pad: 0, lengths: [4, 2] }, /lengths wants ascending whole numbers/],
    [[[1]], [0], { pad: 0, lengths: [] }, /lengths wants/],
    [[[1]], [0], { pad: 0, batchSize: 0 }, /batchSize wants/],
    [[], [], { pad: 0 }, /at least one/],
  ])('refuses what does not fit (%#)', (given, labels, options, message) => {
    expect(() => bucketBatches(given as never, labels as never, options as never)).toThrow(message)
  })

  const train = async (more: object, model = new Classifier({ seed: 3 })) => {
    const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
    const history = await fitStream(model, { data: batches, seeks: true, loss: crossEntropy, optimizer, batchSize: 16, epochs: 3, ...more })
    return { model, history, weights: weights(model) }
  }

  test('streams into fitStream, window by window of one length, and resumes to the same bits', async () => {
    const whole = await train({})
    expect(whole.history.rows).toBe(900)
    expect(whole.history.epochs[2].loss).toBeLessThan(whole.history.epochs[0].loss)
    expect((await train({ seeks: false })).weights).toEqual(whole.weights)
    for (const steps of [1, 14, 33]) {
      const file = path.join(folder, `${steps}.safetensors`)
      const checkpoint = new Checkpoint(file, { every: { steps: 1 } })
      let left = steps
      const stopping = { onBatchEnd: (_: unknown, control: { stop(): void }) => void (--left === 0 && control.stop()) }
      await train({ callbacks: [checkpoint, stopping] })
      const resumed = await train({ callbacks: [checkpoint], resume: checkpoint })
      expect(resumed.weights).toEqual(whole.weights)
      expect(resumed.history.rows).toBe(900)
    }
  })

  test('batches of other lengths that do not say so stay an error', async () => {
    const plain = () => [...batches()].map(({ ragged: _, ...batch }) => batch)
    await expect(train({ data: plain, seeks: false })).rejects.toThrow(/inputs have shape \[\d+\], those of the rows before \[\d+\]/)
    const mixed = () => [...batches()].map((batch, i) => ({ ...batch, ragged: i !== 1 }))
    await expect(train({ data: mixed, seeks: false })).rejects.toThrow(/ragged is false, unlike in the rows before/)
  })
})

describe('nextTokenRows', () => {
  test('gives each token its next one, for a GPT', async () => {
    const { inputs, targets, shape } = nextTokenRows([1, 2, 3, 4, 5, 6, 7, 8], { context: 3 })
    expect([[...inputs], [...targets], shape]).toEqual([[1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7], [2, 3]]) // biome-ignore format: one line
    expect([...nextTokenRows([1, 2, 3, 4, 5], { context: 2, stride: 1 }).inputs]).toEqual([1, 2, 2, 3, 3, 4])
    const model = new GPT({ vocabulary: 9, context: 4, width: 8, heads: 2, blocks: 1, seed: 1 })
    const rows = nextTokenRows(
      Int32Array.from({ length: 200 }, (_, i) => i % 9),
      { context: 4 },
    )
    const optimizer = new Adam(model.parameters(), { learningRate: 0.02 })
    const { epochs } = await fit(model, { ...rows, loss: nextTokenLoss, optimizer, epochs: 20 })
    expect(epochs[19].loss).toBeLessThan(0.5)
  })

  test.each([
    [[1, 2, 3], { context: 3 }, /wants more than 3 tokens \(context\), got 3/],
    [[], { context: 3 }, /got 0/],
    [[1, 2.5, 3, 4], { context: 2 }, /tokens\[1\] wants a whole number from 0 on, got 2.5/],
    [[1, -2, 3, 4], { context: 2 }, /tokens\[1\].*got -2/],
    [BigInt64Array.of(1n, 2n, 3n), { context: 1 }, /^nextTokenRows: tokens\[0\] wants a whole number from 0 on, got 1n/],
    [[1, '2', 3], { context: 1 }, /tokens\[1\].*got '2'/],
    ['abc', { context: 2 }, /wants the tokens of a text.*got 'abc'/],
    [[1, 2], { context: 0 }, /context wants/],
    [[1, 2], {}, /context wants/],
    [[1, 2], { block_size: 1 }, /context/],
  ])('refuses what does not fit (%#)', (tokens, options, message) => {
    expect(() => nextTokenRows(tokens as never, options as never)).toThrow(message)
  })
})
