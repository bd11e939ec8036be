// A model behind HTTP: it is trained when the server starts for the first time, kept in a file, and answers POST requests.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { loadTableModel, trainTable } from 'gradus/table'

const FILE = 'penguins.safetensors'
const TABLE = 'node_modules/gradus/docs/guide/penguins.csv'

if (!existsSync(FILE)) {
  const { model, report } = await trainTable(TABLE, { target: 'species' })
  await model.save(FILE)
  console.log(`trained: accuracy ${report.metrics[0].value.toFixed(3)} on rows that it had not seen`)
}
const model = await loadTableModel(FILE)

const server = createServer(async (request, response) => {
  if (request.method === 'GET') return response.setHeader('content-type', 'text/html').end(PAGE)
  try {
    let body = ''
    for await (const part of request.setEncoding('utf8')) {
      body += part
      if (body.length > 1e6) throw new Error('wants a megabyte at most')
    }
    // strict: a missing column or a new category is an error, not a gap
    response.end(JSON.stringify(model.predict(JSON.parse(body), { strict: true })))
  } catch (error) {
    response.writeHead(400).end(error.message)
  }
})
server.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}`))

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
    const response = await fetch('/', { method: 'POST', body: document.querySelector('textarea').value })
    document.querySelector('pre').textContent = await response.text()
  }
</script>`
