/** No test is skipped unnoticed: each condition in test/ and playground/test/ under which tests are skipped is listed in test/skips.json with a target that runs them. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const { conditions } = JSON.parse(readFileSync('test/skips.json', 'utf8')) as {
  conditions: [file: string, condition: string, target: string][]
}

const files = ['test', 'playground/test']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file.replaceAll('\\', '/')}`))
  .filter((file) => file.endsWith('.test.ts') && file !== 'test/build/skips.test.ts')
const CALL = /\b(?:test|describe|it)(?:\.\w+)*\.(skipIf|runIf)\(((?:[^()]|\([^()]*\))*(?:\((?:[^()]|\([^()]*\))*\))?)\)/g

test('each condition is listed, with the target that runs it', () => {
  const found = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(CALL)].map(
      ([, kind, condition]) => `${file}: ${kind === 'skipIf' ? '!' : ''}${condition.replaceAll('process.env.', '')}`,
    ),
  )
  expect([...new Set(found)].sort()).toEqual(conditions.map(([file, condition]) => `${file}: ${condition}`).sort())
})

test('the targets are there', () => {
  const makefile = readFileSync('Makefile', 'utf8')
  for (const [, , target] of conditions) expect(makefile, target).toMatch(new RegExp(`^${target}:`, 'm'))
})

test('nothing is left out for good, and no file runs one of its tests alone', () => {
  const wrong = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^\s*(?:test|describe|it)(?:\.\w+)*\.(?:skip|only|todo|fails)\b(?!If).*/gm)].map(
      ([line]) => `${file}: ${line}`,
    ),
  )
  expect(wrong).toEqual([])
})
