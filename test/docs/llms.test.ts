/** llms.txt equals the output of `make llms`: docs/guide/one-page.md, whose programs guides.test.ts runs, and a list of the guides. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FILE, full, short } from '../../ts/build/llms.js'

const text = readFileSync(FILE, 'utf8')

test('llms.txt is up to date: run make llms', () => {
  expect(text).toBe(short())
})

test('it is short, and names every guide', () => {
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(12_500)
  const guides = readdirSync('docs/guide').filter((file) => file.endsWith('.md') && !['README.md', 'one-page.md'].includes(file))
  expect(guides.filter((file) => !text.includes(`](${file})`))).toEqual([])
})

test('the long one has every guide whole', () => {
  const long = full()
  const guides = readdirSync('docs/guide').filter((file) => file.endsWith('.md') && file !== 'README.md')
  const missing = guides.filter((file) => !long.includes(readFileSync(`docs/guide/${file}`, 'utf8').split('\n').slice(1).join('\n').trim()))
  expect(missing).toEqual([])
})
