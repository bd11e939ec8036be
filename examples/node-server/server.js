// A model behind HTTP that learns: it predicts, takes examples, and is trained again in a worker while it goes on answering.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Worker } from 'node:worker_threads'
import { loadTableModel } from 'gradus/table'
import { EXAMPLES, MODEL, TABLE } from './files.js'

/** New examples after which the model is trained again, without being asked. */
const RETRAIN_AFTER = Number(process.env.RETRAIN_AFTER ?? 50)

/** Memory that objects of a training may take, such as rows; arrays of numbers are not counted. */
const MEGABYTES = Number(process.env.TRAIN_MEGABYTES ?? 2048)

let model
const health = { version: 0, trainedAt: null, accuracy: null, examples: 0, training: false, error: null }
if (existsSync(EXAMPLES)) health.examples = readFileSync(EXAMPLES, 'utf8').trim().split('\n').length
let examplesSeen = health.examples

/** Trains in a worker, then swaps the model: a request that has begun has its answer from the old one. */
function retrain() {
  if (health.training) return false
  Object.assign(health, { training: true, error: null })
  examplesSeen = health.examples
  const failed = (error) => (health.error ??= String(error?.message ?? error))
  // a worker that needs more memory dies, and the server goes on
  const worker = new Worker(new URL('./retrain.js', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MEGABYTES } })
  let result
  worker.once('message', (message) => (result = message))
  worker.once('error', failed)
  worker.once('exit', async (code) => {
    // without a word, whatever its code: it was ended in the midst
    if (result === undefined) failed(`the worker ended with code ${code}, before it had a model`)
    // a model that cannot be read leaves the old one in its place
    else await takeModel().then(() => Object.assign(health, result), failed)
    health.training = false
  })
  return true
}

async function takeModel() {
  model = await loadTableModel(MODEL)
  Object.assign(health, { version: health.version + 1, trainedAt: new Date().toISOString() })
}

/** A row and the answer to it: it has to be one that the model can read, with a kind that it knows. */
function addExamples(rows) {
  if (!Array.isArray(rows) || rows.length === 0) throw new Error('wants an array of rows')
  for (const [i, { species, ...row }] of rows.entries()) {
    if (!model.classNames.includes(species)) throw new Error(`row ${i}: species wants one of ${model.classNames.join(', ')}`)
    model.predict([row], { strict: true })
  }
  appendFileSync(EXAMPLES, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`)
  health.examples += rows.length
  return { added: rows.length, training: health.examples - examplesSeen >= RETRAIN_AFTER && retrain() }
}

const ROUTES = {
  'GET /': () => PAGE,
  'GET /health': () => health,
  // strict: a missing column or a new category is an error, not a gap
  'POST /predict': (rows) => model.predict(rows, { strict: true }),
  'POST /examples': addExamples,
  'POST /retrain': () => ({ training: retrain() }),
}

const server = createServer(async (request, response) => {
  const send = (status, type, body) => response.writeHead(status, { 'content-type': type }).end(body)
  const route = ROUTES[`${request.method} ${request.url}`]
  if (!route) return send(404, 'text/plain', `there is ${Object.keys(ROUTES).join(', ')}\n`)
  try {
    let body = ''
    for await (const part of request.setEncoding('utf8')) {
      body += part
      if (body.length > 1e6) throw new Error('wants a megabyte at most')
    }
    const answer = route(body === '' ? undefined : JSON.parse(body))
    if (typeof answer === 'string') send(200, 'text/html', answer)
    else send(200, 'application/json', JSON.stringify(answer))
  } catch (error) {
    send(400, 'text/plain', `${error.message}\n`)
  }
})

const ROW = {
  ...{ island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: 14.5 },
  ...{ flipper_length_mm: 218, body_mass_g: 5100, sex: 'female' },
}
const PAGE = `<!doctype html>
<title>Which penguin?</title>
<body style="font: 16px system-ui; max-width: 40em; margin: 2em auto">
<h1>Which penguin?</h1>
<textarea rows="9" cols="40">${JSON.stringify([ROW], null, 1)}</textarea>
<p><button>Ask</button></p>
<pre></pre>
<script>
  document.querySelector('button').onclick = async () => {
    const response = await fetch('/predict', { method: 'POST', body: document.querySelector('textarea').value })
    document.querySelector('pre').textContent = await response.text()
  }
</script>`

if (existsSync(MODEL)) await takeModel()
else {
  console.log(`training on ${TABLE}`)
  retrain()
  while (health.training) await new Promise((resolve) => setTimeout(resolve, 50))
  if (model === undefined) throw new Error(health.error)
}
// a client that was busy for more than Node's 5 seconds would otherwise send its next request into a socket that is being closed
server.keepAliveTimeout = 65_000
server.listen({ port: process.env.PORT ?? 3000, backlog: 4096 }, () => console.log(`http://localhost:${server.address().port}`))
