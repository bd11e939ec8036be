// A static server: the page needs no build step.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'

const TYPES = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' }

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost') // without '..'
  const file = pathname === '/' ? '/index.html' : pathname
  const bytes = await readFile(`.${file}`).catch(() => undefined)
  if (bytes) response.setHeader('content-type', TYPES[file.split('.').at(-1)] ?? 'application/octet-stream')
  response.writeHead(bytes ? 200 : 404).end(bytes)
})
server.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}`))
