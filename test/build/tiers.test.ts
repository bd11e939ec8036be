/** Each test file has a tier (test/tiers.json), which says what it needs, and each name of the list is still there. */
import { expect, test } from 'vitest'
import { EXTERNAL, leftOut, testFilesIn, tierOf, UNIT } from '../tools/tiers.mjs'

const files = [...testFilesIn('test'), ...testFilesIn('playground/test')]

test('each file has a tier', () => {
  expect(files.length).toBeGreaterThan(300)
  expect(
    files.filter((file) => tierOf(file) === undefined),
    'add its folder to test/tiers.json',
  ).toEqual([])
})

test('each name of the list is that of files', () => {
  const isThere = (name: string) => files.some((file) => (name.endsWith('/') ? file.startsWith(name) : file === name))
  expect([...UNIT, ...Object.keys(EXTERNAL)].filter((name) => !isThere(name))).toEqual([])
})

test('both tiers together are all files', () => {
  for (const folder of ['test', 'playground/test']) {
    const [withoutUnit, withoutExternal] = ['external', 'unit'].map((tier) => leftOut(folder, tier))
    expect([...withoutUnit, ...withoutExternal].sort()).toEqual(testFilesIn(folder).sort())
    expect(leftOut(folder, undefined)).toEqual([])
  }
})

test('no source folder is ignored by git', async () => {
  const { execFileSync } = await import('node:child_process')
  const sources = ['ts', 'crate', 'test', 'playground/src', 'playground/test', 'bench', 'docs', 'examples']
  const ignored = execFileSync('git', ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', ...sources], {
    encoding: 'utf8',
  })
  const built = /(^|\/)(generated|node_modules|__pycache__|dist|\.cache)\/|\.(tsbuildinfo|bin)$/
  expect(ignored.split('\n').filter((name) => name !== '' && !built.test(name))).toEqual([])
})
