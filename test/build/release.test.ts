/** Conditions of a release that have to hold at any time; `make release-check` adds the rest. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (file: string) => readFileSync(file, 'utf8')
const manifest = JSON.parse(read('package.json'))

test('every file that must name the version names the same one', () => {
  const { version } = manifest
  const lock = JSON.parse(read('package-lock.json'))
  const crate = (file: string) => /name = "gradus"\nversion = "([^"]+)"/.exec(read(file))?.[1]
  expect([lock.version, lock.packages[''].version, crate('Cargo.toml'), crate('Cargo.lock')]).toEqual(Array(4).fill(version))
  const newest = /^## \[(?!Unreleased)([^\]]+)\]/m.exec(read('CHANGELOG.md'))
  expect(newest?.[1]).toBe(version)
})

test('the package runs nothing when it is installed and needs nothing', () => {
  const byItself = /^(pre|post)?(install|prepare|prepublish|prepublishOnly|pack|publish)$/
  expect(Object.keys(manifest.scripts).filter((name) => byItself.test(name))).toEqual([])
  expect(manifest.dependencies ?? {}).toEqual({})
  // two entries set the compiled modules of their runtime in the shared engine; rooms register their layers with model files; gradus/notebook
  // gives displays to tensors, models and histories
  expect(manifest.sideEffects).toEqual([
    './dist/attention.js',
    './dist/conv.js',
    './dist/modules/web/attention/files.js',
    './dist/modules/web/attention/index.js',
    './dist/modules/web/conv/files.js',
    './dist/modules/web/conv/index.js',
    './dist/modules/web/entries/edge.js',
    './dist/modules/web/entries/workerd.js',
    './dist/modules/web/notebook/displays.js',
    './dist/modules/web/notebook/index.js',
    './dist/modules/web/recurrent/files.js',
    './dist/modules/web/recurrent/index.js',
    './dist/notebook.js',
    './dist/recurrent.js',
    // what bundles ts/ reads this list, too
    './ts/*/files.ts',
    './ts/attention/index.ts',
    './ts/conv/index.ts',
    './ts/notebook/displays.ts',
    './ts/notebook/index.ts',
    './ts/recurrent/index.ts',
  ])
})

test('npm scripts are targets of the Makefile', () => {
  const targets = [...read('Makefile').matchAll(/^([a-z][a-z-]*):/gm)].map(([, name]) => name)
  for (const [name, command] of Object.entries<string>(manifest.scripts)) {
    expect(targets, `npm run ${name}`).toContain(/^make ([a-z-]+)$/.exec(command)?.[1])
  }
})

test('the workflow signs where the package comes from, with no stored token, after all checks', () => {
  const workflow = read('.github/workflows/release.yml')
  expect(workflow).toContain('id-token: write')
  expect(workflow).toMatch(/make release-check[\s\S]*npm publish --provenance/)
  expect(workflow).not.toMatch(/secrets\.|_authToken|registry-url/)
  // Provenance is refused unless the manifest names the repository that the workflow runs in.
  expect(manifest.repository.url).toMatch(/^git\+https:\/\/github\.com\/[\w-]+\/gradus\.git$/)
  expect(read('Cargo.toml')).toContain(manifest.repository.url.replace(/^git\+|\.git$/g, ''))
})
