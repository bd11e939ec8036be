/** The objective of a table: what `gradus tune` runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createStudy, float, random, tableObjective } from '../../ts/tune/index.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-objective-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function best(file: string, target: string): Promise<{ value: number; accuracy: unknown }> {
  const study = await createStudy({ space: { learningRate: float(0.01, 0.01) }, sampler: random() })
  await study.optimize(await tableObjective({ file, target, epochs: 4 }), { trials: 1 })
  return { value: study.bestValue, accuracy: study.bestTrial?.attributes.accuracy }
}

test('a class, and a number with texts and gaps beside it', async () => {
  const species = await best('docs/guide/penguins.csv', 'species')
  expect(species.value).toBeCloseTo(0.0918, 3)
  expect(species.accuracy).toBeCloseTo(0.9855, 4)
  const mass = await best('docs/guide/penguins.csv', 'body_mass_g')
  expect(mass.value).toBeCloseTo(354.5, 0)
})

describe('what is no table', () => {
  const fileOf = (text: string) => {
    const file = path.join(folder, 'table.csv')
    writeFileSync(file, text)
    return file
  }
  const rows = Array.from({ length: 30 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'}`)

  test.each([
    ['', 'wants names in the first line and rows below, got an empty file'],
    ['x,y\n1,2\n3,4\n', 'table.csv: wants at least 20 rows with a y, got 2'],
    [`x,z\n${rows.join('\n')}\n`, "table.csv: there is no column 'y'; it has x, z"],
    [`x,y\n${rows.join('\n')}\n1\n`, 'table.csv: line 32 has 1 value, and there are 2 columns'],
    [`x,y\n${rows.join('\n')}\n1,"b\n`, 'table.csv: the quote that opens in line 32 is never closed'],
  ])('%j', async (text, message) => {
    await expect(tableObjective({ file: fileOf(text), target: 'y' })).rejects.toThrow(message)
  })

  test('a file that is not there', async () => {
    await expect(tableObjective({ file: '/no/such.csv', target: 'y' })).rejects.toThrow('cannot read /no/such.csv: there is no such file')
  })
})
