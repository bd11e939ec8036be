// The programs of docs/guide/head.md with a model that is there: a head tells topics of texts apart, whose vectors come from transformers.js, or from fastembed.
// One of them a process: each loads an onnxruntime of its own.
import assert from 'node:assert/strict'
import { headToFunction, loadHead, trainHead } from 'gradus/head'

const [library] = process.argv.slice(2)
const folder = (name) => new URL(name, import.meta.url).pathname

async function transformers() {
  const { env, pipeline } = await import('@huggingface/transformers')
  env.allowRemoteModels = false
  env.localModelPath = folder('./models/')
  const extractor = await pipeline('feature-extraction', 'minilm', { dtype: 'q8' })
  return (texts) => extractor(texts, { pooling: 'mean', normalize: true })
}

async function fastembed() {
  const { EmbeddingModel, FlagEmbedding } = await import('fastembed')
  const where = { modelAbsoluteDirPath: folder('./models/minilm/'), modelName: 'onnx/model_quantized.onnx' }
  const model = await FlagEmbedding.init({ model: EmbeddingModel.CUSTOM, ...where })
  return async (texts) => {
    const vectors = []
    for await (const batch of model.embed(texts)) vectors.push(...batch)
    return vectors
  }
}

const embed = await { transformers, fastembed }[library]()
const EXAMPLES = {
  delivery: ['where is my parcel', 'when will my order arrive', 'the package is late', 'has it been shipped yet', 'track my shipment'],
  refund: [
    'i want my money back',
    'please refund my order',
    'how do i return this',
    'cancel and reimburse me',
    'the item is broken, pay me back',
  ],
  account: ['i forgot my password', 'change my email address', 'i cannot log in', 'delete my account', 'how do i sign up'],
}
const texts = Object.values(EXAMPLES).flat()
const labels = Object.entries(EXAMPLES).flatMap(([label, own]) => own.map(() => label))
const head = await trainHead(await embed(texts), labels)
const labelsOf = async (asked) => head.predict(await embed(asked)).map(({ label }) => label)

assert.deepEqual(await labelsOf(['is my parcel on its way', 'send the money back to me', 'reset the password']), Object.keys(EXAMPLES))
head.add(await embed(['do you sell garden chairs', 'which products do you have']), ['shop', 'shop'])
assert.deepEqual(await labelsOf(['do you have blue chairs']), ['shop'])
const bytes = head.bytes()
const again = await loadHead(bytes)
assert.equal(again.predict(await embed(['where is the package']))[0].label, 'delivery')
assert.match(await headToFunction(head), /export function predict\(vector\)/)
console.log(
  `${library}: ${texts.length} texts of ${head.width} numbers, held-out accuracy ${head.report.accuracy}, a file of ${bytes.length} bytes`,
)
