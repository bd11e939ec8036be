/** RELIABILITY.md, which `make reliability` writes: every fault is in it, with tests that exist or the reason why there is none. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { faults, promises } from '../tools/reliability.js'

const page = readFileSync('RELIABILITY.md', 'utf8')
const rows = new Map([...page.matchAll(/^\| (\d+) \| .*$/gm)].map(([row, number]) => [Number(number), row]))
const REMEDY = 'run `make reliability`'

test('lists all faults and promises', () => {
  expect(rows.size).toBeGreaterThan(37)
  expect([...rows.keys()], REMEDY).toEqual(Object.keys(faults).map(Number))
  for (const name of Object.keys(promises)) expect(page, REMEDY).toContain(`| ${name} | ${promises[name].promise} |`)
})

test('lists the runs of mutants', () => {
  const runs: Record<string, { drawn: number; seed: number }[]> = JSON.parse(readFileSync('test/reliability/mutants.json', 'utf8'))
  const listed = [...page.matchAll(/^\| `(ts\/\w+)` \| (\d+) \|.* (\d+) \| [\d-]+ \|$/gm)].map(([, ...cells]) => cells.join())
  expect(listed, REMEDY).toEqual(
    Object.entries(runs).flatMap(([folder, all]) => all.map(({ drawn, seed }) => `${folder},${drawn},${seed}`)),
  )
})

describe.each([...rows])('fault %i', (number, row) => {
  const [, , , , how, result] = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
  const named = [...how.matchAll(/`(test\/[^`]+)`: ((?:(?!<br>).)+)/g)]

  test('has tests, or a reason', () => {
    expect(named.length > 0 || faults[number].reason !== undefined, `write a test named "fault ${number}: …"; ${REMEDY}`).toBe(true)
    if (named.length > 0) expect(result, REMEDY).toMatch(/^(\d+) of \1$/)
  })

  test('names tests that exist', () => {
    for (const [, file, name] of named) {
      expect(existsSync(file), `${file} is gone; ${REMEDY}`).toBe(true)
      // parts of a name that a table fills in are not in the text of the file
      const text = readFileSync(file, 'utf8').replaceAll("\\'", "'")
      const listed = faults[number].tests?.some((one) => one.file === file && one.name === name)
      expect(text.includes(listed ? name : `fault ${number}`), `${file} has no test of fault ${number}; ${REMEDY}`).toBe(true)
    }
  })
})
