// node write.js [beginning] [tokens]: goes on with a text
import { loadModelFile } from 'gradus'
import { generate } from 'gradus/attention'
import { readTokenizer } from 'gradus/text'

const [beginning = 'Call me', tokens = '120'] = process.argv.slice(2)
const { model, tokenizer: json } = await loadModelFile('gpt.safetensors')
const tokenizer = readTokenizer(json)
process.stdout.write(beginning)
const written = []
let shown = ''
generate(model, tokenizer.encode(beginning), {
  tokens: Number(tokens),
  temperature: 0.8,
  topP: 0.95,
  seed: 1,
  onProgress(token) {
    written.push(token)
    // a character may take several tokens: what is whole is shown
    const text = tokenizer.decode(written).replace(/\ufffd+$/, '')
    process.stdout.write(text.slice(shown.length))
    shown = text
  },
})
process.stdout.write('\n')
