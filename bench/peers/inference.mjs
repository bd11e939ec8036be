/**
 * One contestant of inference.ts in Node, in a process of its own: `node inference.mjs gradus|ort [widen]`, in .cache/peers. Prints one
 * line of JSON: microseconds of a call of each kind.
 */
import { readFileSync } from 'node:fs'

const [name, ...options] = process.argv.slice(2)
const [WARM_UP, WINDOWS] = [12, 7]
const WINDOW_MS = 60
const { sizes, rows } = JSON.parse(readFileSync('data/inference.json', 'utf8'))
const file = readFileSync('data/inference.bin')
const floats = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength))
let at = 0
const take = (n) => floats.slice(at, (at += n))
const [inputs, labels] = [take(rows * sizes[0]), Int32Array.from(take(rows))]
const weights = sizes.slice(1).map((n, i) => [take(sizes[i] * n), take(n)])
const few = inputs.subarray(0, 256 * sizes[0])
const one = inputs.subarray(0, sizes[0])

const contestants = {
  async gradus() {
    const { crossEntropy, Dense, evaluateModel, hvpOf, load, Sequential, tensor, valueAndGradOf } = await import('gradus')
    const widen = options.includes('widen')
    const backend = await load({ widen })
    if (widen && !backend.widened) throw new Error('this engine does not widen')
    const layers = weights.map((_, i) => new Dense(sizes[i], sizes[i + 1], i < weights.length - 1 ? { activation: 'relu' } : {}))
    const model = new Sequential(layers)
    layers.forEach((layer, i) => {
      layer.weight.assign(tensor(weights[i][0], [sizes[i], sizes[i + 1]]))
      layer.bias.assign(tensor(weights[i][1], [sizes[i + 1]]))
    })
    const [x, y] = [tensor(inputs.slice(0, 64 * sizes[0]), [64, sizes[0]]), tensor(labels.slice(0, 64))]
    const loss = () => crossEntropy(model.forward(x), y)
    const directions = model.parameters().map((p) => tensor(new Float32Array(p.size).fill(0.01), [...p.shape]))
    const data = { inputs, shape: [rows, sizes[0]], targets: labels, loss: crossEntropy, metrics: ['accuracy'] }
    return {
      one: () => model.predict(tensor(one, [1, sizes[0]])).data(),
      many: () => model.predict(tensor(few, [256, sizes[0]])).data(),
      all: () => evaluateModel(model, data).loss,
      gradient: () => valueAndGradOf(loss, model),
      product: () => hvpOf(loss, model, directions),
    }
  },
  async ort() {
    const { default: ort } = await import('onnxruntime-node')
    const session = await ort.InferenceSession.create('data/inference.onnx', { intraOpNumThreads: 1, interOpNumThreads: 1 })
    const run = async (x, n) => (await session.run({ input: new ort.Tensor('float32', x, [n, sizes[0]]) })).output.data
    return { one: () => run(one, 1), many: () => run(few, 256), all: async () => lossOf(await run(inputs, rows)) }
  },
}

/** The mean cross-entropy of logits, and the number of correct rows, written by hand. */
function lossOf(logits) {
  const classes = sizes.at(-1)
  let [sum, right] = [0, 0]
  for (let r = 0; r < rows; r++) {
    const from = r * classes
    let best = 0
    for (let c = 1; c < classes; c++) if (logits[from + c] > logits[from + best]) best = c
    let exps = 0
    for (let c = 0; c < classes; c++) exps += Math.exp(logits[from + c] - logits[from + best])
    sum += Math.log(exps) + logits[from + best] - logits[from + labels[r]]
    if (best === labels[r]) right++
  }
  return right < 0 ? 0 : sum / rows
}

/** Processor time, as other work on the machine must not count. */
const milliseconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000
const calls = await contestants[name]()
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
const result = { loss: await calls.all(), times: {}, best: {} }
for (const [kind, call] of Object.entries(calls)) {
  let repeats = 1
  const times = []
  for (let window = -WARM_UP; window < WINDOWS; window++) {
    const started = milliseconds()
    for (let i = 0; i < repeats; i++) {
      const answer = call()
      if (name === 'ort') await answer
    }
    const elapsed = milliseconds() - started
    if (window >= 0) times.push((1000 * elapsed) / repeats)
    repeats = Math.max(1, Math.round((repeats * WINDOW_MS) / elapsed))
  }
  result.times[kind] = median(times)
  result.best[kind] = Math.min(...times)
}
console.log(JSON.stringify(result))
process.exit(0)
