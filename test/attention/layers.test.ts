/** Layers of attention: messages, masks, memory, saving, replay, generation. */
import { describe, expect, test } from 'vitest'
import {
  GPT,
  generate,
  LearnedPositions,
  loadTorchWeights,
  MultiHeadAttention,
  maskedSoftmax,
  nextTokenLoss,
  RMSNorm,
  rotaryEmbedding,
  SinusoidalPositions,
  scaledDotProductAttention,
  TransformerBlock,
  torchWeights,
} from '../../ts/attention/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  Adam,
  createBackend,
  Dense,
  decodeModel,
  encodeModel,
  fit,
  fitMany,
  Generator,
  gradients,
  type Module,
  mse,
  mul,
  ones,
  Sequential,
  slice,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'
import { withHeader } from '../tools/model-files.js'

const numbers = (count: number, seed: number) => Float32Array.from(new Generator(seed).normals(count))
const near = (got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number) => {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < got.length; i++)
    expect(Math.abs(got[i] - wanted[i]), `${i}: ${got[i]} and ${wanted[i]}`).toBeLessThanOrEqual(tolerance)
}
const TINY = { vocabulary: 7, context: 6, width: 8, heads: 2, blocks: 2 }

describe('attention', () => {
  test('never holds the scores of all queries and keys, forward or backward', () => {
    const backend = createBackend()
    const [steps, width] = [2048, 8]
    const make = (seed: number) => tensor(numbers(steps * width, seed), [1, steps, width], { backend, requiresGrad: true })
    const [q, k, v] = [make(1), make(2), make(3)]
    const before = backend.heap.floats.buffer.byteLength
    gradients(sum(scaledDotProductAttention(q, k, v, { causal: true })) as Tensor, [q, k, v])
    const grown = backend.heap.floats.buffer.byteLength - before
    expect(grown).toBeLessThan((4 * steps * steps) / 2)
  })

  test('gives 0, and a gradient of 0, for a query that sees no key', () => {
    for (const backend of [createBackend(), createBackend({ backend: 'js' })]) {
      const make = (seed: number) => tensor(numbers(2 * 3 * 4, seed), [2, 3, 4], { backend, requiresGrad: true })
      const leaves = [make(1), make(2), make(3)]
      const run = () =>
        scaledDotProductAttention(leaves[0], leaves[1], leaves[2], {
          mask: [
            [0, 0, 0],
            [1, 1, 0],
          ],
        })
      expect([...run().data()].slice(0, 12)).toEqual(new Array(12).fill(0))
      for (const g of [...gradients(sum(run()) as Tensor, leaves), ...gradients(sum(run()) as Tensor, leaves, { createGraph: true })])
        expect([...g.data()].slice(0, 12).every((x) => x === 0)).toBe(true)
    }
  })

  test('adds up the gradients of a tensor that is several of query, key and value', () => {
    for (const backend of [createBackend(), createBackend({ backend: 'js' })]) {
      const make = () => tensor(numbers(2 * 3 * 4, 1), [2, 3, 4], { backend, requiresGrad: true })
      const weights = tensor(numbers(2 * 3 * 4, 2), [2, 3, 4], { backend })
      const run = (q: Tensor, k: Tensor, v: Tensor) => sum(mul(scaledDotProductAttention(q, k, v), weights)) as Tensor
      const [x, q, k, v] = [make(), make(), make(), make()]
      const parts = gradients(run(q, k, v), [q, k, v]).map((g) => g.data())
      for (const [arguments_, used] of [
        [
          [x, x, x],
          [0, 1, 2],
        ],
        [
          [q, x, x],
          [1, 2],
        ],
        [
          [x, k, x],
          [0, 2],
        ],
      ] as [[Tensor, Tensor, Tensor], number[]][]) {
        const wanted = Array.from(parts[0], (_, i) => used.reduce((total, part) => total + parts[part][i], 0))
        for (const createGraph of [false, true]) {
          const [g] = gradients(run(...arguments_), [x], { createGraph })
          expect(g.shape).toEqual([2, 3, 4])
          near(g.data(), wanted, 1e-5)
        }
      }
    }
  })

  test('passes NaN and infinite values on, and does not stop at no rows, queries or keys', () => {
    const q = tensor([[[1, 2]], [[Number.NaN, 1]]])
    const y = scaledDotProductAttention(q, ones([2, 3, 2]), ones([2, 3, 2])).data()
    expect([...y]).toEqual([1, 1, Number.NaN, Number.NaN])
    expect(scaledDotProductAttention(zeros([0, 2, 3]), zeros([0, 4, 3]), zeros([0, 4, 3])).shape).toEqual([0, 2, 3])
    expect(scaledDotProductAttention(zeros([2, 0, 3]), zeros([2, 4, 3]), zeros([2, 4, 3])).shape).toEqual([2, 0, 3])
    expect([...scaledDotProductAttention(ones([1, 2, 3]), zeros([1, 0, 3]), zeros([1, 0, 3])).data()]).toEqual(new Array(6).fill(0))
    expect([...scaledDotProductAttention([[1e20]], [[1e20], [-1e20]], [[3], [5]]).data()]).toEqual([Number.NaN])
    expect([...scaledDotProductAttention([[1e18]], [[1e18], [-1e18]], [[3], [5]]).data()]).toEqual([3])
  })

  test('names the argument that does not fit', () => {
    const attend = scaledDotProductAttention
    expect(() => attend([1], [[1]], [[1]])).toThrow('query wants shape [..., queries, width], got [1]')
    expect(() => attend(ones([2, 3, 4]), ones([2, 5, 3]), ones([2, 5, 3]))).toThrow('key wants shape [2, 5, 4], got [2, 5, 3]')
    expect(() => attend(ones([2, 3, 4]), ones([2, 5, 4]), ones([2, 6, 4]))).toThrow('value wants shape [2, 5, 4], got [2, 6, 4]')
    expect(() => attend(ones([3, 4]), ones([2, 4]), ones([2, 4]), { causal: true })).toThrow(
      'no more queries than keys, got 3 queries and 2 keys',
    )
    expect(() => attend(ones([2, 3, 4]), ones([2, 5, 4]), ones([2, 5, 4]), { mask: ones([2, 4]) })).toThrow('mask wants shape [2, 5]')
    expect(() => attend(ones([1, 1]), ones([1, 1]), ones([1, 1]), { mask: [2] })).toThrow(
      'mask wants 1 (is seen) or 0 (is not), got 2 at position 0',
    )
    expect(() => maskedSoftmax([[1, 5]], { mask: [[1, 2]] })).toThrow(
      'maskedSoftmax: mask wants 1 (is seen) or 0 (is not), got 2 at position 1',
    )
    expect(() => maskedSoftmax([[1, 5]], { mask: [[0.5, 1]] })).toThrow('got 0.5 at position 0')
    expect(() => attend(ones([1, 0]), ones([1, 0]), ones([1, 1]))).toThrow('wants vectors of at least one number')
    expect(() => maskedSoftmax(ones([3, 2]), { causal: true })).toThrow('no more queries than keys')
    expect(() => maskedSoftmax(ones([2, 2]), { mask: ones([3, 2, 2]) })).toThrow('mask wants a shape that broadcasts to [2, 2]')
    expect(() => rotaryEmbedding(ones([2, 3]), 3)).toThrow('width wants an even number, got 3')
    expect(() => rotaryEmbedding(ones([2, 6]), 4)).toThrow('wants inputs of shape [..., steps, heads · 4]')
  })

  test('a rotary embedding keeps lengths, and products depend on the distance alone', () => {
    const x = tensor(numbers(12, 1), [1, 3, 4])
    const y = rotaryEmbedding(x, 4).data()
    for (let at = 0; at < 3; at++) {
      const length = (t: ArrayLike<number>) => Math.hypot(...Array.from(t).slice(4 * at, 4 * at + 4))
      expect(length(y)).toBeCloseTo(length(x.data()), 5)
    }
    const product = (first: number) => {
      const turned = rotaryEmbedding(
        [
          [1, 2, 3, 4],
          [0, 0, 0, 0],
          [4, 3, 2, 1],
        ],
        4,
        { first },
      ).data()
      return [0, 1, 2, 3].reduce((total, i) => total + turned[i] * turned[8 + i], 0)
    }
    expect(product(5)).toBeCloseTo(product(0), 4)
    const leaf = tensor(numbers(6, 2), [3, 2], { requiresGrad: true })
    const [g] = gradients(sum(rotaryEmbedding(leaf, 2)) as Tensor, [leaf])
    near(g.data(), rotaryEmbeddingBack(), 1e-6)
  })
})

/** The gradient of the sum of two turned columns: 1 turned back. */
function rotaryEmbeddingBack(): number[] {
  return [0, 1, 2].flatMap((t) => [Math.cos(t) + Math.sin(t), Math.cos(t) - Math.sin(t)])
}

describe('layers', () => {
  test('a causal step does not see later steps; a step behind its length is not seen', () => {
    const layer = new MultiHeadAttention(4, 2, { causal: true })
    const x = numbers(2 * 5 * 4, 1)
    const changed = x.slice()
    changed.fill(9, 16, 20)
    const [a, b] = [x, changed].map((values) => layer.predict(tensor(values, [2, 5, 4])).data())
    near(a.subarray(0, 16), b.subarray(0, 16), 0)
    expect(a.subarray(16, 20)).not.toEqual(b.subarray(16, 20))
    const free = new MultiHeadAttention(4, 2)
    const [c, d] = [x, changed].map((values) => free.run(tensor(values, [2, 5, 4]), { lengths: [4, 5] }).data())
    near(c.subarray(0, 16), d.subarray(0, 16), 0)
  })

  test('name themselves in messages', () => {
    const layer = new MultiHeadAttention(4, 2)
    const x = zeros([2, 3, 4])
    expect(() => new MultiHeadAttention(4, 3)).toThrow('MultiHeadAttention: heads wants a number that divides the width 4, got 3')
    expect(() => new MultiHeadAttention(6, 2, { rotary: true })).toThrow('rotary wants heads of an even width, got 3 columns each')
    expect(() => layer.run(zeros([3, 4]))).toThrow(
      'wants inputs of shape [rows, steps, 4], got shape [3, 4]; one sequence is a batch of one',
    )
    expect(() => layer.run(x, { lengths: [3] })).toThrow('lengths wants 2 numbers')
    expect(() => layer.run(x, { lengths: [3, 0] })).toThrow('lengths[1] wants a whole number from 1 to 3, got 0')
    expect(() => layer.run(x, { mask: ones([2, 4]) })).toThrow('mask wants shape [2, 3]')
    expect(() => layer.run(x, { memory: zeros([1, 3, 4]) })).toThrow('memory wants shape [2, keys, 4], got [1, 3, 4]')
    expect(() => new MultiHeadAttention(4, 2, { causal: true }).run(x, { memory: x })).toThrow('neither causal nor rotary')
    expect(() => new TransformerBlock(4, 2).run(x, { memory: x } as never)).toThrow("hidden 16): there is no option 'memory'")
    expect(() => new RMSNorm(3).predict(x)).toThrow('RMSNorm(3): wants inputs of shape [..., 3]')
    expect(() => new LearnedPositions(2, 4).predict(x)).toThrow('wants at most 2 steps, got 3')
    expect(() => new SinusoidalPositions(3)).toThrow('width wants an even number')
    expect(() => new TransformerBlock(4, 2, { activation: 'geluu' as never })).toThrow('TransformerBlock: activation wants one of')
    expect(() => new GPT({ ...TINY, heads: 3 })).toThrow('GPT: heads wants a number that divides the width 8, got 3')
    expect(() => new GPT({} as never)).toThrow(/GPT: vocabulary/)
    const model = new GPT(TINY)
    expect(() => model.predict([[1, 7]])).toThrow('wants whole numbers from 0 to 6, got 7 at position 1')
    expect(() => model.predict(zeros([1, 7]))).toThrow('wants at most 6 tokens (context), got 7')
    expect(() => model.predict(zeros([2, 0]))).toThrow('at least one step')
    expect(() => nextTokenLoss(zeros([2, 3, 4]), zeros([2, 2]))).toThrow('wants logits [rows, steps, vocabulary] and tokens [rows, steps]')
    expect(() => nextTokenLoss([[[1, 2]]] as never, [[0]])).toThrow('nextTokenLoss: wants a Tensor, got an array of 1')
    expect(() => nextTokenLoss(zeros([2, 3, 4]), zeros([3, 2]))).toThrow('got [2, 3, 4] and [3, 2]')
    expect(() => loadTorchWeights(layer, {})).toThrow("no tensor 'in_proj_weight'")
    expect(() => loadTorchWeights(layer, {})).toThrow("no tensor 'in_proj_weight' among none; see prefix")
    const withBias = torchWeights(layer)
    expect(() => loadTorchWeights(new MultiHeadAttention(4, 2, { bias: false }), withBias)).toThrow("has no place for 'in_proj_bias'")
    expect(() => loadTorchWeights(new GPT({ ...TINY, blocks: 1 }), torchWeights(model))).toThrow(
      "has no place for 'transformer.h.1.ln_1.weight'",
    )
    expect(() => loadTorchWeights(new GPT({ ...TINY, positions: 'rotary' }), torchWeights(model))).toThrow("'transformer.wpe.weight'")
    loadTorchWeights(model, { ...torchWeights(model), 'transformer.h.0.attn.bias': ones([1, 1, 6, 6]) })
    expect(() => loadTorchWeights(new Dense(1, 1), {})).toThrow('layer wants a MultiHeadAttention, TransformerBlock or GPT')
  })

  const models: [string, () => Module, number[]][] = [
    ['attention', () => new MultiHeadAttention(4, 2, { bias: false }), [2, 3, 4]],
    ['rotary attention', () => new MultiHeadAttention(4, 2, { causal: true, rotary: true }), [2, 3, 4]],
    ['a block', () => new TransformerBlock(4, 2, { hidden: 6, normalization: 'rms', activation: 'relu' }), [2, 3, 4]],
    ['a block with dropout', () => new TransformerBlock(4, 1, { dropout: 0.5, causal: true }), [2, 3, 4]],
    ['positions', () => new LearnedPositions(5, 4), [2, 3, 4]],
    ['waves', () => new SinusoidalPositions(4), [2, 3, 4]],
    ['a norm', () => new RMSNorm(4, { epsilon: 0.1 }), [2, 3, 4]],
    ['a GPT', () => new GPT(TINY), [2, 3]],
    [
      'a GPT of other options',
      () => new GPT({ ...TINY, tied: false, positions: 'rotary', normalization: 'rms', bias: false, hidden: 5, dropout: 0.1 }),
      [2, 3],
    ],
  ]

  test.each(models)('%s goes through a model file', (_, make, shape) => {
    const model = new Sequential([make()], { seed: 5 })
    const again = decodeModel(encodeModel(model)) as Module
    const x =
      shape.length === 2
        ? tensor(
            Int32Array.from({ length: 6 }, (_, i) => i),
            shape,
          )
        : tensor(numbers(24, 3), shape)
    expect(again.predict(x).data()).toEqual(model.predict(x).data())
    expect((again as Sequential).layers[0].describe()).toBe(model.layers[0].describe())
  })

  test.each(models.filter(([name]) => name.startsWith('a GPT') || name.endsWith('attention')))(
    "%s takes PyTorch's weights back",
    (_, make) => {
      const [from, to] = [make(), make()].map((layer, i) => new Sequential([layer], { seed: i }).layers[0])
      loadTorchWeights(to, torchWeights(from, { prefix: 'net.' }), { prefix: 'net.' })
      expect(to.state()).toEqual(from.state())
    },
  )

  test("a GPT takes the weights of Hugging Face's GPT-2, whose matrices are not transposed", () => {
    const [from, to] = [new GPT(TINY), new GPT({ ...TINY, seed: 3 })]
    const named = Object.fromEntries(
      Object.entries(torchWeights(from)).map(([name, t]) => {
        const isConv1d = /(attn|mlp).*weight$/.test(name)
        return [name, isConv1d ? tensor(turned(t), [...t.shape].reverse()) : t]
      }),
    )
    loadTorchWeights(to, named)
    expect(to.state()).toEqual(from.state())
  })
})

function turned(t: Tensor): number[] {
  const [rows, columns] = t.shape
  const values = t.data()
  return Array.from({ length: t.size }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)])
}

test.each(supportedVariants())('%s: fit replays steps of attention with the bits of written-out steps', async (variant) => {
  const train = async (replay: boolean) => {
    const backend = createBackend({ variant })
    const layers = [
      ...[new SinusoidalPositions(4), new TransformerBlock(4, 2, { causal: true, rotary: true, normalization: 'rms' })],
      ...[new LearnedPositions(3, 4), new MultiHeadAttention(4, 1), new Dense(4, 2)],
    ]
    const model = new Sequential(layers as Module[], { seed: 1, backend })
    const data = { inputs: numbers(32 * 12, 1), shape: [32, 3, 4], targets: tensor(numbers(32 * 6, 2), [32, 3, 2], { backend }) }
    const { execution } = await fit(model, { ...data, loss: mse, optimizer: new Adam(model.parameters()), batchSize: 8, epochs: 3, replay })
    return { state: model.state(), execution }
  }
  const [replayed, written] = [await train(true), await train(false)]
  expect(replayed.state).toEqual(written.state)
  expect(replayed.execution.reason).toBeUndefined()
  expect(replayed.execution.writtenOut).toBeLessThanOrEqual(2)
})

test("a stranger's file makes no GPT of more blocks than it has numbers for", () => {
  const net = new GPT(TINY)
  const shapes = Object.fromEntries([...net.build().namedParameters()].map(([name, { shape }]) => [name, [...shape]]))
  const file = (blocks: number) => {
    const config = { ...net.settings, blocks }
    const tensors = Object.fromEntries(Object.keys(shapes).map((name) => [name, { $tensor: name }]))
    return withHeader(shapes, { model: { $model: { $layer: 'GPT', at: '', config }, tensors, generators: {}, frozen: [] }, parts: {} })
  }
  expect((decodeModel(file(2)) as GPT).settings).toEqual(net.settings)
  expect(() => decodeModel(file(1e12))).toThrow("GPT: there are no numbers for 'blocks.2.norm1.weight', [8]")
  expect(() => decodeModel(file(-1))).toThrow('GPT: blocks wants a whole number ≥ 1, got -1')
  expect(() => decodeModel(file(1))).toThrow("no parameter is named 'blocks.1.norm1.weight'")
})

describe('generate', () => {
  const model = new GPT({ ...TINY, seed: 4 })

  test.each(['learned', 'sinusoidal', 'rotary'] as const)(
    'with kept keys and values takes the tokens of whole passes, %s positions',
    (positions) => {
      const net = new GPT({ ...TINY, positions, seed: 2 })
      const text = [3]
      const got = generate(net, text, { tokens: 5, temperature: 0 })
      while (text.length < 6) {
        const logits = slice(net.predict([text]), text.length - 1, text.length, 1).data()
        text.push(logits.indexOf(Math.max(...logits)))
      }
      expect([...got]).toEqual(text.slice(1))
    },
  )

  test('goes on beyond the context, reading its later half again', () => {
    const text = [1, 2]
    const got = generate(model, text, { tokens: 20, temperature: 0 })
    expect(got.length).toBe(20)
    // after 6 tokens the net sees 3, then up to 6
    let seen = [1, 2]
    for (const token of got) {
      if (seen.length > 6) seen = seen.slice(-3)
      const logits = slice(model.predict([seen]), seen.length - 1, seen.length, 1).data()
      expect(token).toBe(logits.indexOf(Math.max(...logits)))
      seen = [...seen, token]
    }
  })

  test('draws the same tokens of the same seed, others of another, and likelier ones at a low temperature', () => {
    const options = { tokens: 40, seed: 1 }
    const tokens = generate(model, [0], options)
    expect(generate(model, [0], options)).toEqual(tokens)
    expect(generate(model, [0], { ...options, seed: 2 })).not.toEqual(tokens)
    expect(generate(model, [0], { ...options, topK: 1 })).toEqual(generate(model, [0], { tokens: 40, temperature: 0 }))
    expect(generate(model, [0], { ...options, topP: 1e-9 })).toEqual(generate(model, [0], { tokens: 40, temperature: 0 }))
    expect(generate(model, [0], { ...options, topK: 99 })).toEqual(tokens)
  })

  test('draws tokens by their probabilities, within topK and topP', () => {
    // a net whose logits do not depend on its input: log 4, log 3, log 2, log 1
    const net = new GPT({ vocabulary: 4, context: 2, width: 4, heads: 1, blocks: 1, tied: false })
    const [weight, bias] = [net.norm.build().weight, (net.norm as unknown as { bias: typeof net.norm.weight }).bias]
    weight.view().fill(0)
    bias.view().set([1, 0, 0, 0])
    net.head?.build().weight.view().set([4, 3, 2, 1].map(Math.log))
    const shares = (options: object) => {
      const tokens = generate(net, [0], { tokens: 1200, ...options })
      return [0, 1, 2, 3].map((token) => tokens.filter((t) => t === token).length / tokens.length)
    }
    near(shares({}), [0.4, 0.3, 0.2, 0.1], 0.05)
    near(shares({ topK: 2 }), [4 / 7, 3 / 7, 0, 0], 0.05)
    near(shares({ topP: 0.65 }), [4 / 7, 3 / 7, 0, 0], 0.05)
    near(shares({ temperature: 0.5 }), [16 / 30, 9 / 30, 4 / 30, 1 / 30], 0.05)
  })

  test('ends at a token, or when onProgress returns false', () => {
    const tokens = [...generate(model, [0], { tokens: 30, seed: 3 })]
    const stop = tokens[4]
    expect([...generate(model, [0], { tokens: 30, seed: 3, stop })]).toEqual(tokens.slice(0, tokens.indexOf(stop) + 1))
    const seen: number[] = []
    generate(model, [0], { tokens: 30, seed: 3, onProgress: (token) => seen.push(token) < 3 })
    expect(seen).toEqual(tokens.slice(0, 3))
  })

  test('names the prompt, the model or the logits that do not fit', () => {
    expect(() => generate(model, [], { tokens: 1 })).toThrow('generate: prompt wants at least one token, got none')
    expect(() => generate(model, [7], { tokens: 1 })).toThrow('generate: prompt: wants whole numbers from 0 to 6, got 7 at position 0')
    expect(() => generate(new Dense(1, 1) as never, [1], { tokens: 1 })).toThrow('generate: model wants a GPT')
    expect(() => generate(model, [1], { tokens: 1, topP: 0 })).toThrow('generate: topP wants')
    expect(() => generate(model, [[1], [2]], { tokens: 1 })).toThrow('prompt wants the tokens of one text, [steps], got shape [2, 1]')
    expect(() => generate(model, [1], { tokens: 1, stop: 7 })).toThrow('stop wants a token of the vocabulary, from 0 to 6, got 7')
    const broken = new GPT(TINY)
    broken.embedding.build().weight.view().fill(Number.NaN)
    expect(() => generate(broken, [1], { tokens: 1 })).toThrow('the logit of token 0 is NaN')
  })

  test('leaves the training mode as it was', () => {
    const net = new GPT({ ...TINY, dropout: 0.5 })
    net.train()
    const tokens = generate(net, [0], { tokens: 5 })
    expect(generate(net, [0], { tokens: 5 })).toEqual(tokens)
    expect(net.training && net.blocks[0].training).toBe(true)
  })
})

test('the compiler knows shapes, and refuses layers that do not fit', () => {
  const model = new Sequential([
    new SinusoidalPositions(4),
    new TransformerBlock(4, 2),
    new RMSNorm(4),
    new MultiHeadAttention(4, 1),
    new Dense(4, 2),
  ])
  const y: Tensor<[5, 3, 2]> = model.predict(zeros([5, 3, 4]))
  expect(y.shape).toEqual([5, 3, 2])
  // @ts-expect-error: 4 columns, got 5
  expect(() => new TransformerBlock(4, 2).forward(zeros([2, 3, 5]))).toThrow('LayerNorm(4)')
  // @ts-expect-error: the block gives 4 columns
  expect(() => new Sequential([new TransformerBlock(4, 2), new Dense(5, 2)]).predict(zeros([1, 2, 4]))).toThrow('Dense(5, 2)')
})

test('fitMany trains nets with attention, one after the other if not side by side', async () => {
  const make = (seed: number) => new Sequential([new TransformerBlock(4, 2), new Dense(4, 1)], { seed })
  const data = {
    inputs: numbers(32 * 12, 1),
    shape: [32, 3, 4],
    targets: tensor(numbers(32 * 3, 2), [32, 3, 1]),
    loss: mse,
    epochs: 2,
    batchSize: 8,
  }
  const nets = [make(1), make(2)]
  await fitMany(nets, { ...data, optimizers: nets.map((net) => new Adam(net.parameters())) })
  const alone = make(2)
  await fit(alone, { ...data, optimizer: new Adam(alone.parameters()) })
  near(nets[1].predict(tensor(numbers(12, 3), [1, 3, 4])).data(), alone.predict(tensor(numbers(12, 3), [1, 3, 4])).data(), 1e-6)
})

test('a GPT learns a text by fit', async () => {
  const text = Int32Array.from({ length: 6 * 65 }, (_, i) => (i * i + Math.floor(i / 3)) % 7)
  const shape = [64, 6]
  const data = { inputs: tensor(text.slice(0, 384), shape), targets: tensor(text.slice(1, 385), shape) }
  const model = new GPT({ ...TINY, seed: 1 })
  const { epochs } = await fit(model, {
    ...data,
    loss: nextTokenLoss,
    optimizer: new Adam(model.parameters(), { learningRate: 0.02 }),
    batchSize: 16,
    epochs: 20,
  })
  expect(epochs[0].loss).toBeGreaterThan(1.7)
  expect(epochs.at(-1)?.loss).toBeLessThan(0.9)
})
