/** The package as JSR takes it, file by file: what Deno would refuse when it checks it (`make jsr`, which needs Deno). Needs dist/. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { writeJsr } from '../../ts/build/jsr.js'

const FOLDER = '.cache/jsr'

test('each import, and each file of types that is named, is there; nothing is imported by a name of the package', () => {
  const files = writeJsr().filter((file) => /\.(js|d\.ts)$/.test(file))
  expect(files.length).toBeGreaterThan(60)
  const missing = files.flatMap((file) => {
    const text = readFileSync(path.join(FOLDER, file), 'utf8')
    const named = [
      ...text.matchAll(
        /^(?:import|(?:import|export)\b[^'";=]*\bfrom) *["']([^"'\n]+)["']|@ts-self-types="([^"]+)"|\bimport\(["']([^"'\n]+)["']\)/gm,
      ),
    ]
    const wanted = named.map(([, from, types, dynamic]) => from ?? types ?? dynamic)
    const isThere = (name: string) => existsSync(path.join(FOLDER, path.dirname(file), name))
    return wanted.filter((name) => /^gradus\b/.test(name) || (name.startsWith('.') && !isThere(name))).map((name) => `${file}: ${name}`)
  })
  expect(missing).toEqual([])
})

test('declarations name no type of a page that Deno lacks, and every entry names its types', () => {
  const { exports } = JSON.parse(readFileSync(path.join(FOLDER, 'jsr.json'), 'utf8')) as { exports: Record<string, string> }
  expect(Object.keys(exports).length).toBeGreaterThan(15)
  for (const file of Object.values(exports)) {
    expect(readFileSync(path.join(FOLDER, file), 'utf8').split('\n')[0]).toContain('@ts-self-types')
    const types = readFileSync(path.join(FOLDER, file.replace(/\.js$/, '.d.ts')), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    expect(types).not.toMatch(/\bHTML\w*Element\b/)
  }
})
