/**
 * What the package asks of who installs it: nothing. And whose work is inside it. The files of the tarball are listed in package.test.ts.
 * Needs the built dist/ (`make build`).
 */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { linkedCrates } from '../../ts/build/notices.js'

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
const manifest = json('package.json')

test('installing runs no script, and brings no other package', () => {
  const atInstall = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare', 'dependencies']
  expect(Object.keys(manifest.scripts).filter((name) => atInstall.includes(name))).toEqual([])
  // npm builds a package with this file by itself
  expect(existsSync('binding.gyp')).toBe(false)
  for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies', 'bundledDependencies'])
    expect(manifest[kind], kind).toBeUndefined()
})

test('says where to report a problem', () => {
  expect(manifest.bugs).toMatch(/^https:.*issues$/)
  expect(readFileSync('SECURITY.md', 'utf8')).toMatch(/## Reporting/)
  expect(readFileSync('README.md', 'utf8')).toMatch(/SECURITY\.md/)
})

test('has the licences of the libraries of the command and the crates of the WebAssembly, and of no others', () => {
  const notices = readFileSync('dist/THIRD-PARTY-NOTICES.md', 'utf8')
  const headings = [...notices.matchAll(/^## (\S+ \d+\.\d+\.\d+ \(.*\))$/gm)].map(([, heading]) => heading)
  // a library that comes, goes or changes its licence is looked at, then this list is edited
  expect(headings).toEqual(json('test/build/licences.json'))
  const crates = linkedCrates().map(({ name, version, license }) => `${name} ${version} (${license})`)
  expect(headings).toEqual(expect.arrayContaining(crates))
  for (const text of notices.split(/^## /m).slice(1)) expect(text).toMatch(/Permission|Copyright|COPYRIGHT/)
  expect(notices).toMatch(/UNICODE LICENSE V3/)
})
