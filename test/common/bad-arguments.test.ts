/** Bad input: each a clear error that names the culprit, before anything has changed. */
import { describe, expect, test } from 'vitest'
import { conditionNumber, inspectPoint, jacobian } from '../../ts/curvature/index.js'
import { blobs, fromTable, kFold, moons, parseIdx, standardize, trainTestSplit, xor } from '../../ts/data/index.js'
import { decodeSafetensors } from '../../ts/export/index.js'
import {
  Activation,
  Adam,
  add,
  broadcastTo,
  concat,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  dense,
  Embedding,
  evaluateModel,
  fit,
  gather,
  gradients,
  huber,
  Lambda,
  load,
  matmul,
  mean,
  mse,
  NonFiniteError,
  oneHot,
  Parameter,
  reshape,
  Scheduler,
  Sequential,
  SGD,
  schedules,
  slice,
  sum,
  type Tensor,
  tensor,
  transpose,
  variance,
  zeros,
} from '../../ts/index.js'
import { accuracy, meanAbsoluteError } from '../../ts/metrics/index.js'

const backend = createBackend({ backend: 'js' })
const net = () => new Sequential([new Dense(3, 4, { activation: 'relu' }), new Dense(4, 2)], { seed: 1, backend })
const good = {
  inputs: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  targets: Int32Array.of(0, 1),
}

describe('fault 30: shapes', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'input of the wrong width names the layer',
      () => net().predict([[1, 2]] as number[][]),
      /Dense\(3, 4\) '0': wants inputs of shape \[\.\.\., 3\], got shape \[1, 2\]/,
    ],
    [
      'a layer that does not follow the one before',
      () => new Sequential([new Dense(3, 4), new Dense(5, 2) as Dense], { backend }).predict([[1, 2, 3]]),
      /Sequential: layer 1 wants 5 inputs, but layer 0 gives 4/,
    ],
    ['broadcast', () => add(zeros([2, 3]), zeros([2, 4]) as Tensor), /add: shapes \[2, 3\] and \[2, 4\] do not broadcast/],
    ['broadcastTo fewer rows', () => broadcastTo(zeros([3, 1]) as Tensor, [1]), /broadcastTo: \[3, 1\] does not broadcast to \[1\]/],
    ['broadcastTo fewer columns', () => broadcastTo(zeros([2]) as Tensor, [1]), /broadcastTo: \[2\] does not broadcast to \[1\]/],
    ['broadcastTo no shape', () => broadcastTo(zeros([1]) as Tensor, [2.5]), /broadcastTo: every dimension wants a whole number/],
    ['broadcastTo a number', () => broadcastTo(zeros([1]) as never, 3 as never), /broadcastTo: shape wants an array .*got 3/],
    ['matmul', () => matmul(zeros([2, 3]), zeros([2, 3]) as Tensor), /matmul: .*inner dimensions 3 and 2 differ/],
    ['matmul of vectors', () => matmul([1, 2] as number[], [1, 2] as number[]), /wants two matrices/],
    ['weights of rank 3', () => dense([[1, 2]], zeros([2, 3, 4])), /dense: wants weights of shape \[inputs, outputs\], got \[2, 3, 4\]/],
    ['weights of rank 1', () => dense([[1, 2]], zeros([2])), /dense: wants weights of shape \[inputs, outputs\], got \[2\]/],
    ['reshape', () => reshape(zeros([2, 3]) as Tensor, [4, 2]), /\[2, 3\] \(6 elements\) does not fill \[4, 2\]/],
    ['concat', () => concat([zeros([2, 3]), zeros([2, 4]) as Tensor]), /does not continue/],
    ['slice', () => slice(zeros([3]), 1, 5), /1\.\.5 is not within axis 0 of length 3/],
    [
      'slice of all axes',
      () => slice(zeros([3, 3]), [0, 0] as never, [1, 2] as never),
      /slice: start and end want whole numbers along one axis, got .*; slice one axis after the other/,
    ],
    ['transpose', () => transpose(zeros([2, 3]), [0, 0]), /each of 2 axes once/],
    ['axis', () => sum(zeros([2]), 3), /axis 3 is out of range for rank 1/],
    ['an option of NumPy as axis', () => mean([[1]], { axis: 0 } as never), /^mean: axis wants a whole number.*got an object with axis/],
    ['names of classes as predictions', () => accuracy(['a'] as never, [1]), /^accuracy: prediction: wants a number at \[0\], got 'a'/],
    ['names of classes as targets', () => accuracy([1], ['a'] as never), /^accuracy: target: wants a number at \[0\], got 'a'/],
    ['ragged rows', () => tensor([[1, 2], [3]]), /ragged nesting: wants 2 entries at \[1\], got an array of 1/],
    ['not a number', () => tensor([[1, 'x' as unknown as number]]), /wants a number at \[0\]\[1\], got 'x'/],
    ['negative dimension', () => zeros([-1]), /whole number ≥ 0, got \[-1\]/],
    ['fractional dimension', () => zeros([1.5]), /whole number/],
    ['too many elements', () => zeros([65536, 65536]), /more than/],
    ['values that do not fill', () => tensor(new Float32Array(5), [2, 3]), /5 values do not fill shape \[2, 3\]/],
    ['BigInt64Array', () => tensor(new BigInt64Array(2) as unknown as Float32Array), /got a BigInt64Array of 2/],
    ['item of many', () => zeros([2]).item(), /one element, got shape \[2\]/],
    ['mse', () => mse(zeros([2, 3]), zeros([3, 2]) as Tensor), /mse: prediction has shape \[2, 3\], target \[3, 2\]/],
    ['weights of a loss', () => mse(zeros([2, 3]), zeros([2, 3]), { weights: [1] }), /one weight for each of 2 rows/],
    ['logits of a vector', () => crossEntropy(zeros([3]), [1]), /wants logits of shape \[rows, classes\], got \[3\]/],
    ['number of labels', () => crossEntropy(zeros([2, 3]), [1] as number[]), /wants 2 class indices/],
    ['assign', () => new Parameter([1, 2], { name: 'w' }).assign([1, 2, 3]), /parameter 'w': wants shape \[2\], got \[3\]/],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message)
  })
})

describe('names of options', () => {
  const optimizer = () => new SGD(net().parameters(), { learningRate: 1 })
  const { cosine, cyclic, oneCycleMomentum, warmup } = schedules
  const required = new Parameter([1, 2])
  test.each<[string, () => unknown, RegExp]>([
    [
      'trainTestSplit',
      () => trainTestSplit(xor(), { testSize: 0.5 } as object),
      /there is no option 'testSize'; did you mean testFraction/,
    ],
    ['kFold', () => kFold(xor(), { fold: 2 } as object), /there is no option 'fold'; did you mean folds/],
    ['standardize', () => standardize(trainTestSplit(xor(), { testFraction: 0.5 }), { target: true } as object), /did you mean targets/],
    ['fromTable', () => fromTable([{ a: 1, b: 2 }], { target: 'b', input: ['a'] } as never), /'input'; did you mean inputs/],
    ['moons', () => moons({ n: 2 } as object), /moons: there is no option 'n'/],
    ['blobs', () => blobs({ noise: 2 } as object), /blobs: there is no option 'noise'/],
    [
      'tensor',
      () => tensor([1], { requires_grad: true } as object),
      /tensor: there is no option 'requires_grad'; did you mean requiresGrad/,
    ],
    ['zeros', () => zeros([1], { requireGrad: true } as object), /did you mean requiresGrad/],
    ['matmul', () => matmul(zeros([2, 3]), zeros([3, 2]), { transposeb: true } as object), /matmul: .*did you mean transposeB/],
    ['variance', () => variance([1, 2], 0, { ddof: 1 } as object), /variance: there is no option 'ddof'/],
    ['crossEntropy', () => crossEntropy(zeros([1, 2]), [0], { label_smoothing: 0.1 } as object), /did you mean labelSmoothing/],
    ['mse', () => mse(zeros([1]), [0], { delta: 1 } as object), /mse: there is no option 'delta'/],
    ['predict', () => net().predict([[1, 2, 3]], { batchsize: 2 } as object), /predict: .*did you mean batchSize/],
    ['jacobian', () => jacobian((x) => x, { mod: 'reverse' } as object), /did you mean mode/],
    ['inspectPoint', () => inspectPoint((x) => sum(x), [0], { tolerance: 1 } as object), /inspectPoint: there is no option 'tolerance'/],
    ['conditionNumber', () => conditionNumber((x) => sum(x), [0], { limit: 1 } as object), /conditionNumber: there is no option 'limit'/],
    ['Parameter', () => new Parameter([1], { Name: 'w' } as object), /Parameter: there is no option 'Name'; did you mean name/],
    ['Parameter.ofShape', () => Parameter.ofShape([1], { nam: 'w' } as object), /Parameter: .*did you mean name/],
    [
      'gradients',
      () => gradients(sum(required), [required], { create_graph: true } as object),
      /gradients: there is no option 'create_graph'; did you mean createGraph/,
    ],
    ['backward', () => sum(required).backward(undefined, { retain_graph: true } as object), /backward: .*did you mean retainGraph/],
    ['Dropout', () => new Dropout(0.5, { sed: 1 } as object), /Dropout: there is no option 'sed'; did you mean seed/],
    ['Embedding', () => new Embedding(3, 2, { weightInitialiser: 'zeros' } as object), /did you mean weightInitializer/],
    ['cosine', () => cosine(1, { steps: 9, too: 1 } as never), /cosine: there is no option 'too'; did you mean to/],
    [
      'warmup',
      () => warmup(cosine(1, { steps: 9 }), { steps: 1, form: 0 } as never),
      /warmup: there is no option 'form'; did you mean from/,
    ],
    ['cyclic', () => cyclic(0, 1, { upp: 3 } as object), /cyclic: there is no option 'upp'; did you mean up/],
    ['oneCycleMomentum', () => oneCycleMomentum({ steps: 9, hight: 1 } as never), /did you mean high/],
    ['Scheduler', () => new Scheduler(optimizer(), cosine(1, { steps: 9 }), { groups: 1 } as object), /did you mean group/],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message)
  })
})

describe('values of another kind', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['a file that was not waited for', () => decodeSafetensors(Promise.resolve() as never), /wants the bytes of a file.*got a Promise/],
    [
      'a file that is a text',
      () => decodeSafetensors('text' as never),
      /wants the bytes of a file.*got 'text'; fs.readFileSync\(path\) gives those/,
    ],
    ['no state', () => net().loadState(undefined as never), /loadState: wants values by name.*got undefined/],
    ['IDX', () => parseIdx(Promise.resolve() as never), /IDX data: wants the bytes of a file.*got a Promise/],
    ['rows', () => fromTable(Promise.resolve() as never, { target: 'b' }), /fromTable: wants rows in an array, got a Promise/],
    [
      'a row',
      () => fromTable([{ b: 1 }, null as never], { target: 'b' }),
      /fromTable: row 1 wants an object, { column: value, … }, got null/,
    ],
    ['an optimizer', () => new Scheduler(undefined as never, schedules.constant(1)), /Scheduler: wants an optimizer, got undefined/],
    ['a schedule', () => new Scheduler(new SGD(net().parameters()), 1 as never), /Scheduler: wants a schedule.*got 1/],
    ['a function', () => new Lambda(3 as never), /Lambda: wants a function of a tensor, got 3/],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message)
    expect(run).toThrow(TypeError)
  })
})

describe('values', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['label too large', () => crossEntropy(zeros([2, 3]), [1, 3]), /label: wants whole numbers from 0 to 2, got 3 at position 1/],
    ['label negative', () => crossEntropy(zeros([2, 3]), [-1, 0]), /got -1 at position 0/],
    ['label fractional', () => crossEntropy(zeros([2, 3]), [0.5, 0]), /got 0\.5 at position 0/],
    ['label NaN', () => crossEntropy(zeros([2, 3]), [Number.NaN, 0]), /got NaN at position 0/],
    [
      'index outside an embedding',
      () => new Embedding(3, 2, { backend }).predict(Int32Array.of(0, 3)),
      /Embedding\(3, 2\).*got 3 at position 1/,
    ],
    ['gather', () => gather(zeros([3, 2]), [5]), /from 0 to 2, got 5/],
    ['classes left out', () => oneHot([0, 1], undefined as never), /oneHot: classes wants a whole number ≥ 1, got undefined/],
    ['classes fractional', () => oneHot([0, 1], 2.5), /oneHot: classes wants a whole number ≥ 1, got 2\.5/],
    ['dropout rate', () => new Dropout(1), /rate wants a number in \[0, 1\), got 1/],
    ['units', () => new Dense(0, 3), /Dense: inputs wants a whole number ≥ 1, got 0/],
    ['units NaN', () => new Dense(3, Number.NaN), /Dense: outputs wants a whole number ≥ 1, got NaN/],
    ['activation', () => new Dense(2, 2, { activation: 'rellu' as 'relu' }), /activation wants one of linear, relu.*got 'rellu'/],
    ['activation layer', () => new Activation('swish' as 'silu'), /got 'swish'/],
    [
      'initializer',
      () => new Dense(2, 2, { weightInitializer: 'he' as 'heNormal', backend }).parameters(),
      /initializer wants one of .*got 'he'/,
    ],
    [
      'softmax in a layer',
      () => new Dense(2, 2, { activation: 'softmax' as 'relu' }),
      /'softmax': losses take the logits of a linear last layer/,
    ],
    [
      'a shape beside data to predict',
      () => net().predict([[1, 2, 3]], [1, 3] as object),
      /predict: wants options as an object.*array of 2/,
    ],
    ['accuracy of other rows', () => accuracy([[1, 2], [3, 4]], [0]), /accuracy: prediction has shape \[2, 2\], target \[1\]/], // biome-ignore format: a row
    ['error of other rows', () => meanAbsoluteError([1, 2], [0]), /meanAbsoluteError: prediction has shape \[2\], target \[1\]/],
    [
      'rows of unlike length',
      () => tensor([Float32Array.of(1, 2), Float32Array.of(3)]),
      /wants 2 entries at \[1\], got a Float32Array of 1/,
    ],
    ['rows of big integers', () => tensor([BigInt64Array.of(1n)] as never), /wants a number at \[0\]\[0\], got 1/],
    ['huber delta', () => huber(zeros([1]), zeros([1]), { delta: 0 }), /delta wants a number above 0, got 0/],
    ['smoothing', () => crossEntropy(zeros([1, 2]), [0], { labelSmoothing: 1 }), /labelSmoothing/],
    ['seed', () => new Sequential([new Dense(2, 2)], { seed: -1, backend }), /seed wants a whole number/],
    ['learning rate', () => new SGD(net().parameters(), { learningRate: -1 }), /learningRate.*-1/],
    ['learning rate NaN', () => new Adam(net().parameters(), { learningRate: Number.NaN }), /learningRate.*NaN/],
    ['beta', () => new Adam(net().parameters(), { beta1: 1 }), /beta1.*1/],
    ['unknown option', () => new Adam(net().parameters(), { learningrate: 1 } as object), /learningrate.*learningRate/],
    ['a layer that is none', () => new Sequential([{} as Dense]), /layer 0 wants a Module/],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message)
  })

  test('a parameter in two groups', () => {
    const model = net()
    const all = model.parameters()
    expect(() => new Adam([{ parameters: all }, { parameters: [all[0]], learningRate: 1 }])).toThrow(/0\.weight/)
  })

  test('an optimizer step without any gradient', () => {
    expect(() => new Adam(net().parameters()).step()).toThrow(/backward\(\)/)
  })

  test('loading weights that do not fit changes nothing', () => {
    const model = net()
    const before = model.state()
    expect(() => model.loadState({ ...before, extra: [1] })).toThrow(/no parameter is named 'extra'/)
    expect(() => model.loadState({ ...before, '1.bias': [1] })).toThrow(/'1\.bias' has shape \[2\]/)
    const { '1.bias': _, ...less } = before
    expect(() => model.loadState(less)).toThrow(/no values for '1\.bias'/)
    expect(() => model.loadState({ tensors: before, metadata: {} } as never)).toThrow(
      /no values for '0\.weight' in an object with tensors, meta/,
    )
    expect(() => model.loadState(undefined as never)).toThrow(/loadState: wants values by name.*got undefined/)
    expect(() => model.loadState('{"0.weight":' as never)).toThrow(/loadState: wants values by name.*got '\{"0/)
    expect(model.state()).toEqual(before)
  })
})

describe('fault 26, fault 32: fit', () => {
  const run = (more: object) => {
    const model = net()
    return fit(model, { ...good, loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: 1, ...more })
  }

  test.each<[string, object, RegExp]>([
    ['no data', { inputs: zeros([0, 3], { backend }), targets: new Int32Array(0) }, /there is no data, inputs have shape \[0, 3\]/],
    ['rows that do not match', { targets: Int32Array.of(1) }, /2 rows of inputs but 1 of targets/],
    [
      'NaN in the data',
      {
        inputs: [
          [1, 2, 3],
          [4, Number.NaN, 6],
        ],
      },
      /inputs: NaN at row 1, column 1/,
    ],
    ['infinity in the targets', { targets: [0, Number.POSITIVE_INFINITY] }, /targets: Infinity at row 1/],
    ['label out of range', { targets: Int32Array.of(0, 2) }, /label: wants whole numbers from 0 to 1, got 2/],
    ['batch of nothing', { batchSize: 0 }, /batchSize wants a whole number ≥ 1 or 'full', got 0/],
    ['epochs', { epochs: 1.5 }, /epochs wants a whole number/],
    ['split', { validationFraction: 1 }, /validationFraction wants a number above 0 and below 1/],
    ['both validations', { validationFraction: 0.5, validation: good }, /not both/],
    ['metric', { metrics: ['acuracy'] }, /'acuracy' is none of accuracy.*did you mean accuracy\?/],
    [
      'metric that is a function',
      { metrics: ['r2Score'] },
      /call useAllMetrics\(\) once for f1, auc, r2 and others, or give a function: { name: function }$/,
    ],
    ['metric of every object', { metrics: ['toString'] }, /'toString' is none of accuracy/],
    ['loss', { loss: 'mse' }, /loss wants a function, such as .*, got 'mse'; import it$/],
    ['inputs', { inputs: [['0', '1']] }, /inputs want numbers, got '0'; row\.map\(Number\) makes them of texts/],
    ['optimizer', { optimizer: null }, /optimizer wants an Optimizer, .*, got null$/],
  ])('%s', async (_name, more, message) => {
    await expect(run(more)).rejects.toThrow(message)
  })

  test('fault 27: a loss that is not finite stops at once, with the last finite weights', async () => {
    const model = net()
    const optimizer = new SGD(model.parameters(), { learningRate: 1e30 })
    const failed = fit(model, {
      inputs: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      targets: [
        [1, 2],
        [3, 4],
      ],
      loss: mse,
      optimizer,
      epochs: 50,
      batchSize: 'full',
    })
    await expect(failed).rejects.toThrow(NonFiniteError)
    await expect(failed).rejects.toThrow(/loss is (NaN|Infinity) at step \d+ \(epoch \d+, batch 1\).*learning rate/s)
  })

  test('fault 7: a callback that throws is named, and the model goes on', async () => {
    const callback = {
      name: 'mine',
      onEpochEnd: () => {
        throw new Error('disk full')
      },
    }
    const model = net()
    const options = { ...good, loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: 2 }
    await expect(fit(model, { ...options, callbacks: [callback] })).rejects.toThrow(/onEpochEnd of callback mine failed: disk full/)
    expect((await fit(model, options)).epochs.length).toBe(1)
  })

  test('fault 34: two fits of one model at once', async () => {
    const model = net()
    const options = { ...good, loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: 2, epochs: 3 }
    const first = fit(model, options)
    await expect(fit(model, options)).rejects.toThrow(/being trained already/)
    expect((await first).epochs.length).toBe(3)
  })

  test('evaluateModel names its data', () => {
    expect(() => evaluateModel(net(), { ...good, targets: [1], loss: crossEntropy })).toThrow(
      /evaluateModel: 2 rows of inputs but 1 of targets/,
    )
  })
})

describe('load', () => {
  test.each<[object, RegExp]>([
    [{ backend: 'gpu' }, /backend wants 'wasm' or 'js', got 'gpu'/],
    [{ variant: 'avx' }, /variant wants 'simd' or 'relaxed'/],
    [{ dtype: 'float16', backend: 'js' }, /dtype wants/],
    [{ dtype: 'float64' }, /needs backend 'js'/],
    [{ reproducible: true, variant: 'relaxed' }, /reproducible pins/],
  ])('%j', async (options, message) => {
    await expect(load(options)).rejects.toThrow(message)
  })
})
