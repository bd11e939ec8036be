/**
 * The package needs nothing at installation, and names the authors of the code inside it. The files of the tarball are listed in package.test.ts.
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
  // npm automatically builds a package with this file
  expect(existsSync('binding.gyp')).toBe(false)
  for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies', 'bundledDependencies'])
    expect(manifest[kind], kind).toBeUndefined()
})

test('says where to report a problem', () => {
  expect(manifest.bugs).toMatch(/^https:.*issues$/)
  expect(readFileSync('SECURITY.md', 'utf8')).toMatch(/## Reporting/)
  expect(readFileSync('README.md', 'utf8')).toMatch(/SECURITY\.md/)
})

test('docs/guide/data.md names each library that is inside or optional, with its version and licence', () => {
  const text = readFileSync('docs/guide/data.md', 'utf8')
  const rows = new Map(
    [...text.matchAll(/^\| ([a-z0-9-]+) \|([^|]*)\|([^|]*)\|([^|]*)\|/gm)].map(([, ...cells]) => [cells[0], cells.slice(1)]),
  )
  const { peerDependencies, devDependencies } = manifest
  const inside = (json('test/build/licences.json') as string[])
    .map((line) => line.split(' ')[0])
    .filter((name) => devDependencies[name] !== undefined)
  expect(inside.length).toBeGreaterThan(3)
  for (const name of [...inside, ...Object.keys(peerDependencies)]) {
    const { license } = json(`node_modules/${name}/package.json`)
    const [version = '', size = '', licence = ''] = rows.get(name) ?? []
    expect([name, licence.trim(), /\d/.test(size)]).toEqual([name, license, true])
    const own: string = devDependencies[name]
    expect(own.startsWith(version.replace(/[≥ ]/g, '').split('.')[0]) || version.includes('≥'), `${name} ${version} beside ${own}`).toBe(
      true,
    )
  }
})

test('has the licences of the libraries of the command and the crates of the WebAssembly, and of no others', () => {
  const notices = readFileSync('dist/THIRD-PARTY-NOTICES.md', 'utf8')
  const headings = [...notices.matchAll(/^## (\S+ \d+\.\d+\.\d+ \(.*\))$/gm)].map(([, heading]) => heading)
  // a library that is new, removed or has another license must be reviewed before this list is edited
  expect(headings).toEqual(json('test/build/licences.json'))
  const crates = linkedCrates().map(({ name, version, license }) => `${name} ${version} (${license})`)
  expect(headings).toEqual(expect.arrayContaining(crates))
  for (const text of notices.split(/^## /m).slice(1)) expect(text).toMatch(/Permission|Copyright|COPYRIGHT/)
  expect(notices).toMatch(/UNICODE LICENSE V3/)
})
