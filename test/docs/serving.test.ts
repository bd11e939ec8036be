/** The server of docs/guide/serving.md under hostile requests: fault 19. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle, emptyProject, programsOf } from '../tools/snippets.js'

const folder = path.resolve('.cache/serving', process.versions.node)
let port: number
let stop: () => void
let printed = ''

beforeAll(async () => {
  const [{ code, language }] = programsOf(readFileSync('docs/guide/serving.md', 'utf8'))
  // the program of the guide, without the request that it sends to itself
  const [server] = code.split('const { port }')
  const file = path.join(folder, 'server.mjs')
  await bundle(file, `${server}\nconsole.log((server.address() as { port: number }).port)\n`, language)
  const child = spawn(process.execPath, ['--max-old-space-size=256', file], { cwd: emptyProject(folder) })
  stop = () => child.kill()
  child.stderr.on('data', (text) => (printed += text))
  const [line] = (await new Promise<string[]>((resolve, reject) => {
    const lines = createInterface(child.stdout)
    lines.once('line', (first) => resolve([first]))
    child.once('exit', () => reject(new Error(`the server ended: ${printed}`)))
  })) as [string]
  port = Number(line)
})
afterAll(() => stop?.())

const row = { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 }
const send = async (body: BodyInit) => {
  const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body })
  return { status: answer.status, text: await answer.text() }
}

test('fault 19: a good row is answered', async () => {
  expect(JSON.parse((await send(JSON.stringify([row]))).text)[0].class).toBe('virginica')
  expect((await send(JSON.stringify(row))).status).toBe(200)
  expect((await send('[]')).text).toBe('[]')
})

test.each<[string, string | Uint8Array]>([
  ['nothing', ''],
  ['half of JSON', '[{"sepal_length": 5.9'],
  ['deep brackets', '['.repeat(200_000)],
  ['bytes', Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919) % 256)],
  ['half of a letter', Uint8Array.of(0x22, 0xf0, 0x9f, 0x22)],
  ['null', 'null'],
  ['a number', '5'],
  ['a text', '"row"'],
  ['a row that is none', '[null]'],
  ['an empty row', '{}'],
  ['one column of four', '{"sepal_length": null}'],
  ['a row of gaps', '{"sepal_length":null,"sepal_width":"","petal_length":null,"petal_width":"NA"}'],
  ['a column more', JSON.stringify({ ...row, admin: true })],
  ['a prototype in the place of columns', '{"__proto__":{"sepal_length":5.9,"sepal_width":3,"petal_length":5.1,"petal_width":1.8}}'],
  ['a prototype beside them', `${JSON.stringify(row).slice(0, -1)},"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`],
  ['1e999', JSON.stringify(row).replace('5.9', '1e999')],
  ['an object as a number', JSON.stringify({ ...row, petal_width: { toString: 'x' } })],
  ['a number of a megabyte', JSON.stringify({ ...row, petal_width: '1'.repeat(900_000) })],
  ['100,000 empty rows', `[${'{},'.repeat(99_999)}{}]`],
])('fault 19: %s is an error in words, and the server goes on', async (_, body) => {
  const { status, text } = await send(body as BodyInit)
  expect(status).toBe(400)
  expect(text.length).toBeLessThan(2000)
  expect(text).not.toMatch(/\n\s+at |node_modules/)
  expect((await send(JSON.stringify([row]))).status).toBe(200)
})

test('fault 17: a body without an end is not read to it', async () => {
  const sent = await new Promise<number>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let bytes = 0
    const more = () => {
      while (!socket.destroyed && bytes < 64 << 20) {
        bytes += 1 << 16
        if (!socket.write('x'.repeat(1 << 16))) return
      }
      socket.end()
    }
    socket.on('drain', more)
    // the answer; the server would keep the connection open for some seconds
    socket.once('data', () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(bytes))
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${1 << 30}\r\n\r\n`)
    more()
  })
  expect(sent).toBeLessThan(64 << 20)
  expect((await send(JSON.stringify([row]))).status).toBe(200)
  expect(printed).toBe('')
})
