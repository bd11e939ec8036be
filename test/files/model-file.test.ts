/** Model files: the loaded model equals the saved one, and errors say what is wrong with a file. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeSafetensors, encodeSafetensors } from '../../ts/export/index.js'
import { kindOf } from '../../ts/files/layers.js'
import * as gradus from '../../ts/index.js'
import {
  Activation,
  Adam,
  add,
  argmax,
  BatchNorm,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  decodeModel,
  decodeModelFile,
  Embedding,
  Ensemble,
  encodeModel,
  encodeState,
  Flatten,
  fit,
  Lambda,
  LayerNorm,
  loadModel,
  loadModelFile,
  loadState,
  Module,
  Optimizer,
  registerClass,
  Sequential,
  SGD,
  saveModel,
  saveState,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { Layer } from '../../ts/nn/layer.js'
import { withHeader } from '../tools/model-files.js'

const x = [
  [1, -2, 0.5],
  [0.1, 0.3, -1],
]

/** A model of every layer that takes numbers. */
function everyLayer(seed = 1): Module {
  const inner = new Sequential([new Dense(6, 4, { activation: 'silu' }), new LayerNorm(4, { epsilon: 1e-3 })])
  return new Sequential(
    [
      new Dense(3, 6, { activation: 'tanh', bias: false }),
      new BatchNorm(6, { momentum: 0.3, epsilon: 1e-4, activation: 'relu' }),
      new Activation('gelu'),
      new Dropout(0.25),
      inner,
      new Flatten(),
      new Dense(4, 2),
    ],
    { seed },
  )
}

async function trained(): Promise<Module> {
  const model = everyLayer()
  await fit(model, { inputs: x, targets: [0, 1], loss: crossEntropy, optimizer: new Adam(model.parameters()), epochs: 4 })
  return model
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-files-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => path.join(folder, name)

class Residual extends Module {
  readonly hidden: Dense
  constructor(
    readonly width: number,
    activation: gradus.ActivationName = 'relu',
  ) {
    super()
    this.hidden = new Dense(width, width, { activation })
  }
  forward(input: Tensor): Tensor {
    return add(input, this.hidden.forward(input)) as Tensor
  }
}
const RESIDUAL = { save: ({ width }: Residual) => ({ width }), load: ({ width }: { width: number }) => new Residual(width) }

describe('a model comes back', () => {
  test('with all layers, their options, numbers, and what it does', async () => {
    const model = await trained()
    const again = decodeModel(encodeModel(model))
    expect(again.modules().map((m) => m.describe())).toEqual(model.modules().map((m) => m.describe()))
    expect(again.state()).toEqual(model.state())
    expect(again.predict(x).data()).toEqual(model.predict(x).data())
    expect((again as Sequential).layers[1]).toMatchObject({ momentum: 0.3, epsilon: 1e-4 })
    // the loaded model continues with the same random numbers
    const goOn = (m: Module) => fit(m, { inputs: x, targets: [0, 1], loss: crossEntropy, optimizer: new SGD(m.parameters()), epochs: 3 })
    await goOn(model)
    await goOn(again)
    expect(again.state()).toEqual(model.state())
  })

  test('embeddings, ensembles, a layer alone, and one in two places', () => {
    const embedding = new Sequential([new Embedding(5, 3), new Flatten(), new Dense(6, 1)], { seed: 3 })
    const words = tensor(Int32Array.of(0, 1, 4, 2), [2, 2])
    expect(decodeModel(encodeModel(embedding)).predict(words).data()).toEqual(embedding.predict(words).data())
    const ensemble = new Ensemble([everyLayer(1), everyLayer(2)], { average: 'softmax', weights: [1, 3] })
    expect(decodeModel(encodeModel(ensemble)).predict(x).data()).toEqual(ensemble.predict(x).data())
    const alone = new Dense(3, 1, { seed: 5 })
    expect(decodeModel(encodeModel(alone)).predict(x).data()).toEqual(alone.predict(x).data())
    const tied = new Dense(3, 3, { activation: 'tanh' })
    const twice = decodeModel<Sequential>(encodeModel(new Sequential([tied, tied], { seed: 2 })))
    expect(twice.layers[0]).toBe(twice.layers[1])
    expect(twice.parameters().length).toBe(2)
  })

  test('on another backend, in double precision, with frozen parameters', () => {
    const model = everyLayer()
    model.parameters()[0].requiresGrad = false
    const backend = createBackend({ backend: 'js', dtype: 'float64' })
    const again = decodeModel(encodeModel(model), { backend })
    expect(again.backend).toBe(backend)
    expect(again.parameters().map((p) => p.requiresGrad)).toEqual(model.parameters().map((p) => p.requiresGrad))
    expect(again.predict(x).data()).toBeInstanceOf(Float64Array)
    const exact = encodeModel(again)
    expect(decodeModel(exact, { backend }).state()).toEqual(again.state())
  })

  test('every layer of this library is known to files', () => {
    const layers = Object.values(gradus).filter(
      (value) => typeof value === 'function' && value.prototype instanceof Layer,
    ) as (typeof Dense)[]
    expect(layers.length).toBeGreaterThan(5)
    const remedy = "wants an entry in LAYERS of ts/files/layers.ts: CONTRIBUTING.md, 'A layer'"
    for (const Class of layers) expect(kindOf(Object.create(Class.prototype)), `${Class.name} ${remedy}`).toBeDefined()
  })

  test('with parts beside it', () => {
    const model = everyLayer()
    const optimizer = new Adam(model.parameters(), { learningRate: 0.5 })
    const parts = {
      optimizer,
      classNames: ['no', 'yes'],
      best: Infinity,
      means: Float64Array.of(1, 2),
      second: new Dense(2, 2, { seed: 9 }),
    }
    const file = decodeModelFile<Module, typeof parts>(encodeModel(model, parts))
    expect(decodeModel(encodeModel(model, parts)).state()).toEqual(file.model.state())
    expect(file.optimizer).toEqual(optimizer.state())
    expect([file.classNames, file.best, file.means]).toEqual([['no', 'yes'], Infinity, Float64Array.of(1, 2)])
    expect(file.second.predict([[1, 2]]).data()).toEqual(parts.second.predict([[1, 2]]).data())
    expect(() => encodeModel(model, { model })).toThrow("a part cannot be named 'model'")
    expect(() => encodeModel(model, { log: () => 1 })).toThrow("encodeModel: 'log' cannot be kept, it is a function")
  })

  test('in half the room', () => {
    const model = new Sequential([new Dense(30, 40), new BatchNorm(40)], { seed: 1 })
    const [whole, half, brain] = [{}, { weights: 'float16' }, { weights: 'bfloat16' }] as const
    const sizes = [whole, half, brain].map((options) => encodeModel(model, {}, options).length)
    expect(sizes[1]).toBeLessThan(sizes[0] - 2300)
    for (const [options, unit] of [
      [half, 2 ** -11],
      [brain, 2 ** -8],
    ] as const) {
      const { tensors } = decodeSafetensors(encodeModel(model, {}, options))
      expect(tensors['1.runningMean'].dtype).toBe('F32')
      expect(tensors['0.weight'].dtype).toMatch(/16$/)
      const [exact, rounded] = [
        model.parameters()[0].data(),
        decodeModel(encodeModel(model, {}, options))
          .parameters()[0]
          .data(),
      ]
      exact.forEach((w, i) => expect(Math.abs(rounded[i] - w)).toBeLessThanOrEqual(unit * Math.abs(w)))
    }
    model.parameters()[0].view()[7] = 70000
    expect(() => encodeModel(model, {}, half)).toThrow("'0.weight' is 70000 at position 7, too large for halves")
  })
})

describe('classes of your own', () => {
  test('come back by the name that they were given', () => {
    registerClass('Residual', Residual, RESIDUAL)
    const model = new Sequential([new Dense(3, 4), new Residual(4), new Dense(4, 1)], { seed: 1 })
    const again = decodeModel<Sequential>(encodeModel(model))
    expect(again.layers[1]).toBeInstanceOf(Residual)
    expect(again.predict(x).data()).toEqual(model.predict(x).data())
    const alone = new Residual(3)
    const backend = createBackend({ backend: 'js' })
    const other = decodeModel(encodeModel(alone), { backend })
    expect(other.backend).toBe(backend)
    expect(other.state()).toEqual(alone.state())
  })

  test('that make other layers than were saved are refused', () => {
    registerClass('Residual', Residual, RESIDUAL)
    const file = encodeModel(new Sequential([new Residual(4)]))
    registerClass('Residual', Residual, { ...RESIDUAL, load: ({ width }) => new Residual(width, 'tanh') })
    expect(() => decodeModel(file)).toThrow(
      "decodeModel: layer '0': Residual has Dense at 'hidden' with activation 'tanh', the file has 'relu'",
    )
    registerClass('Residual', Residual, { ...RESIDUAL, load: () => new Residual(5) })
    expect(() => decodeModel(file)).toThrow("layer '0': Residual has Dense at 'hidden' with inputs 5, the file has 4")
    registerClass('Residual', Residual, RESIDUAL)
    expect(() => decodeModel(file)).not.toThrow()
  })

  test('hold layers, and models of several parts', () => {
    class Stack extends Module {
      constructor(readonly blocks: readonly Module[]) {
        super()
      }
      forward(input: Tensor): Tensor {
        return this.blocks.reduce((value, block) => block.forward(value), input)
      }
    }
    registerClass('Stack', Stack, { save: ({ blocks }) => ({ blocks }), load: ({ blocks }) => new Stack(blocks) })
    const stack = new Stack([new Dense(3, 3), new Sequential([new Dense(3, 2, { activation: 'relu' })])])
    expect(decodeModel(encodeModel(stack)).predict(x).data()).toEqual(stack.predict(x).data())

    class Named {
      constructor(
        readonly net: Module,
        readonly names: readonly string[],
      ) {}
      predict(rows: number[][]): string[] {
        return [...argmax(this.net.predict(rows), 1).data()].map((k) => this.names[Number(k)])
      }
    }
    registerClass('Named', Named, { save: ({ net, names }) => ({ net, names }), load: ({ net, names }) => new Named(net, names) })
    const named = new Named(everyLayer(), ['a', 'b'])
    const model = decodeModel<Named>(encodeModel(named))
    expect(model.predict(x)).toEqual(named.predict(x))
    expect(Object.keys(decodeSafetensors(encodeModel(named)).tensors)).toContain('net.0.weight')
  })

  test('minified: the name is the one that was given', () => {
    const Minified = class a extends Optimizer<{ learningRate?: number }> {
      static override readonly defaults = { learningRate: 0.01 }
      hyper() {
        return []
      }
      update() {}
    }
    registerClass('Friction', Minified)
    const parameters = new Dense(1, 1).parameters()
    expect(new Minified(parameters).state().optimizer).toBe('Friction')
    const Other = class b extends Minified {}
    registerClass('Friction', Other)
    new Other(parameters).loadState(new Minified(parameters).state())
  })

  test('are asked for what is missing', () => {
    class Unknown extends Module {
      forward(input: Tensor): Tensor {
        return input
      }
    }
    expect(() => encodeModel(new Sequential([new Dense(1, 1), new Unknown()]))).toThrow(
      "layer '1' is a Unknown, a class that files do not know; registerClass('Unknown', Unknown, { save, load }) first",
    )
    expect(() => encodeModel(new Sequential([new Lambda((y) => y)]))).toThrow(
      /layer '0' is a Lambda, a function, and no file holds code.*registerClass/,
    )
    const patched = new Dense(1, 1)
    patched.forward = (y: never) => y
    expect(() => encodeModel(patched)).toThrow('the model has a forward of its own')
    class Sub extends Dense {}
    expect(() => encodeModel(new Sub(1, 1))).toThrow('the model is a Sub, a class that files do not know')
    expect(() => registerClass('R', Residual)).toThrow(/constructor of 'R' takes .* say how it is made again/)
    for (const value of [null, 3, 'x', {}, new Adam(new Dense(1, 1).parameters())])
      expect(() => encodeModel(value as object)).toThrow('encodeModel: wants a model, such as a Sequential')
    const model = new Sequential([new Dense(1, 1)])
    expect(() => encodeModel(model.layers[0])).toThrow("Dense(1, 1) is '0' of another model")
  })
})

describe('a file that is not right', () => {
  test('fault 16: any flipped bit is told, in numbers with the name of the tensor', () => {
    const model = new Sequential([new Dense(2, 2, { activation: 'relu' }), new Dropout(0.1)], { seed: 1 })
    const file = encodeModel(model, { rate: 0.25, epochs: 3, list: Float32Array.of(1, 2) })
    const text = new TextDecoder().decode(file)
    const start = text.lastIndexOf('}') + 1
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const broken = file.slice()
      broken[bit >> 3] ^= 1 << (bit & 7)
      const wanted = bit >> 3 >= start + 8 ? /^decode.*'(0\.weight|0\.bias|list)' is damaged: its checksum/ : /^decode/
      expect(() => decodeModel(broken), `bit ${bit & 7} of byte ${bit >> 3}: ${text.slice(bit / 8 - 9, bit / 8 + 9)}`).toThrow(wanted)
    }
  })

  test('fault 16: cut anywhere', () => {
    const file = encodeModel(new Dense(2, 2))
    for (let length = 0; length < file.length; length++) expect(() => decodeModel(file.subarray(0, length))).toThrow(/^decodeSafetensors/)
  })

  test('of another version, another format, another maker', () => {
    const file = encodeSafetensors({}, { 'gradus-model/2': '{}' })
    expect(() => decodeModel(file)).toThrow(
      "decodeModel: the file has the format 'gradus-model/2', this version of gradus reads gradus-model/1",
    )
    expect(() => decodeModel(encodeState({ a: 1 }))).toThrow('the file is of encodeState, without layers')
    expect(() => decodeModel(encodeSafetensors({ w: Float32Array.of(1) }))).toThrow('encodeModel did not make this file')
    expect(() => gradus.decodeState(encodeModel(new Dense(1, 1)))).toThrow('decodeState: the file holds a model; loadModel reads it')
  })

  const dense = { $layer: 'Dense', at: '0', config: { inputs: 2, outputs: 1, activation: 'relu', bias: true } }
  const model = (layer: unknown, more: object = {}) => ({
    $model: { $layer: 'Sequential', at: '', config: { layers: [layer] } },
    tensors: { '0.weight': { $tensor: '0.weight' }, '0.bias': { $tensor: '0.bias' } },
    generators: {},
    frozen: [],
    ...more,
  })
  const withConfig = (config: object) => model({ ...dense, config: { ...dense.config, ...config } })
  test.each<[string, unknown, RegExp]>([
    ['no model', {}, /there is no model in the file/],
    [
      'a layer of no kind',
      model({ ...dense, $layer: 'constructor' }),
      /layer '0': the file holds a 'constructor', a class that this program does not know/,
    ],
    ['a layer without name', model({ ...dense, $layer: 7 }), /layer '0': the file holds a 7/],
    ['a layer nowhere', model({ ...dense, at: 3 }), /a layer wants to be somewhere, got 3/],
    ['no layer', model(7), /Sequential: layer 0 wants a Module, got 7/],
    ['an option of the future', withConfig({ dilation: 2 }), /layer '0': Dense: 'dilation' is nothing that this version knows/],
    ['an option that is missing', model({ ...dense, config: { inputs: 2 } }), /layer '0': Dense: there is no 'outputs'/],
    ['an unknown activation', withConfig({ activation: 'swish' }), /layer '0': .*'swish'/],
    ['a bias that is neither', withConfig({ bias: 'no' }), /layer '0': Dense: bias wants true or false, got 'no'/],
    ['sizes that are text', withConfig({ inputs: '2' }), /layer '0': Dense: a size wants a whole number ≥ 1, got '2'/],
    [
      'sizes beyond the file',
      withConfig({ inputs: 1e9, outputs: 1e9 }),
      /layer '0': Dense: 'weight' wants shape \[1000000000, 1000000000\], the numbers in the file have \[2, 1\]/,
    ],
    ['a layer without numbers', model({ ...dense, at: '1' }), /layer '1': Dense: there are no numbers for 'weight'/],
    ['no bias', withConfig({ bias: false }), /loadState: no parameter is named '0.bias'/],
    ['tensors that are not there', model(dense, { tensors: { '0.weight': { $tensor: 'w' } } }), /there is no tensor 'w'/],
    [
      'random numbers of nobody',
      model(dense, { generators: { '1.generator': [0, 1, 2] } }),
      /no layer draws the random numbers '1.generator'/,
    ],
    ['frozen, but no names', model(dense, { frozen: 3 }), /frozen wants the names of parameters, got 3/],
    ['frozen of nobody', model(dense, { frozen: ['x'] }), /no parameter is named 'x'/],
    ['the same as nothing', model({ $same: '7' }), /there is no layer at '7'/],
    [
      'a count of random numbers that is none',
      {
        $model: { $layer: 'Dropout', at: '', config: { rate: 0.5 } },
        tensors: {},
        generators: { generator: [0, 1, -2] },
        frozen: [],
      },
      /'generator' wants a whole number ≥ 0, got -2/,
    ],
  ])('fault 21: %s', (_, model, message) => {
    const file = withHeader({ '0.weight': [2, 1], '0.bias': [1] }, { model, parts: {} })
    expect(() => decodeModel(file)).toThrow(message)
    expect(() => decodeModel(file)).toThrow(RangeError)
    expect(() => decodeModel(file)).toThrow(/^decodeModel: /)
  })

  test('fault 21: layers nested deeper than any that are written, and more layers than the header may hold', () => {
    for (const depth of [334, 2000, 20_000]) {
      const begun = Array.from({ length: depth }, (_, i) => `{"$layer":"Sequential","at":"${i || ''}","config":{"layers":[`)
      const layers = `${begun.join('')}${']}}'.repeat(depth)}`
      const file = withHeader({}, `{"model":{"$model":${layers},"tensors":{},"generators":{},"frozen":[]},"parts":{}}`)
      expect(() => decodeModel(file)).toThrow(/^decodeModel: .*: it is nested more than 1000 deep/)
    }
    const many = Array.from({ length: 100_000 }, (_, i) => ({ $layer: 'Dropout', at: `${i}${'.'.repeat(150)}`, config: { rate: 0 } }))
    const file = withHeader({}, { model: { $model: { $layer: 'Sequential', at: '', config: { layers: many } } }, parts: {} })
    expect(() => decodeModel(file)).toThrow('decodeSafetensors: the header has')
  })

  test('the good one beside them is read', () => {
    expect(decodeModel(withHeader({ '0.weight': [2, 1], '0.bias': [1] }, { model: model(dense), parts: {} }))).toBeInstanceOf(Sequential)
  })
})

describe('files', () => {
  test('are saved and read: by path, URL, Blob and bytes', async () => {
    const model = await trained()
    const file = at('net.safetensors')
    await saveModel(model, file, { classNames: ['a', 'b'] })
    const bytes = readFileSync(file)
    const sources = [
      file,
      pathToFileURL(file),
      pathToFileURL(file).href,
      new Blob([bytes]),
      new Response(bytes),
      bytes,
      new Uint8Array(bytes).buffer,
    ]
    sources.push(`data:application/octet-stream;base64,${bytes.toString('base64')}`)
    for (const source of sources) expect((await loadModel(source)).state()).toEqual(model.state())
    expect((await loadModelFile(file)).classNames).toEqual(['a', 'b'])
    await expect(loadModel(at('other.safetensors'))).rejects.toThrow(/loadModel: there is no file '.*other.safetensors'/)
    await expect(loadModel(pathToFileURL(at('other')))).rejects.toThrow(/there is no file file:/)
    writeFileSync(at('cut.safetensors'), bytes.subarray(0, 300))
    await expect(loadModel(at('cut.safetensors'))).rejects.toThrow(/loadModel\('.*cut.safetensors'\): decodeSafetensors: truncated/)
    await expect(loadModel(3 as never)).rejects.toThrow('loadModel: wants a path, a URL, a Blob or bytes, got 3')
    await expect(saveModel(model, folder + path.sep)).rejects.toThrow('saveModel: wants the path of a file')
    await expect(saveModel(model, at('missing/net.safetensors'))).rejects.toThrow(
      /saveModel: .*could not be written, and what was there is as it was/,
    )
  })

  test('keep as many as they are asked to, and leave nothing else behind', async () => {
    const file = at('kept.safetensors')
    for (let epoch = 1; epoch <= 5; epoch++) await saveState({ epoch }, file, { keep: 3 })
    const names = readdirSync(folder).filter((name) => name.startsWith('kept'))
    expect(names.sort()).toEqual(['kept.1.safetensors', 'kept.2.safetensors', 'kept.safetensors'])
    const epochs = await Promise.all(['kept', 'kept.1', 'kept.2'].map(async (name) => (await loadState(at(`${name}.safetensors`))).epoch))
    expect(epochs).toEqual([5, 4, 3])
    await saveState({ epoch: 6 }, at('alone'), { keep: 1 })
    expect(readdirSync(folder).filter((name) => name.startsWith('alone'))).toEqual(['alone'])
  })

  test('saved at once by many are whole, and the last one wins', async () => {
    const file = at('many.safetensors')
    await Promise.all(Array.from({ length: 20 }, (_, epoch) => saveState({ epoch, weights: new Float32Array(10_000).fill(epoch) }, file)))
    const { epoch, weights } = await loadState(file)
    expect([epoch, weights[0], weights[9_999]]).toEqual([19, 19, 19])
    expect((await loadState(at('many.1.safetensors'))).epoch).toBe(18)
  })
})
