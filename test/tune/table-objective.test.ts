/** The objective of a table: what `gradus tune` runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { crossEntropy, fit, mse, tensor } from '../../ts/index.js'
import { prepareTable, tableNet } from '../../ts/table/index.js'
import { createStudy, float, netSettings, random, tableObjective } from '../../ts/tune/index.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-objective-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function best(file: string, target: string): Promise<{ value: number; accuracy: unknown }> {
  const study = await createStudy({ space: { learningRate: float(0.01, 0.01) }, sampler: random() })
  await study.optimize(await tableObjective({ file, target, epochs: 4 }), { trials: 1 })
  return { value: study.bestValue, accuracy: study.bestTrial?.attributes.accuracy }
}

test('a class, and a number with texts and gaps beside it: the loss on the held rows of a net of tableNet that fit trains', async () => {
  for (const target of ['species', 'body_mass_g']) {
    const found = await best('docs/guide/penguins.csv', target)
    const prepared = await prepareTable('docs/guide/penguins.csv', { target })
    const { train, held, width, classes, scale } = prepared
    const rows = ({ inputs, targets, count }: typeof train) => ({
      inputs: tensor(inputs, [count, width]),
      targets: targets instanceof Int32Array ? targets : tensor(targets, [count, 1]),
    })
    const { model, ...how } = tableNet(prepared, { ...netSettings({ learningRate: 0.01 }, 4), seed: 0 })
    await fit(model, { ...rows(train), loss: classes > 0 ? crossEntropy : mse, ...how, seed: 0 })
    const prediction = model.predict(rows(held).inputs)
    if (classes > 0) {
      expect(found.value).toBeCloseTo(crossEntropy(prediction, held.targets).item(), 5)
      expect(found.accuracy).toBeGreaterThan(0.9)
    } else {
      const errors = Array.from(prediction.data(), (y, i) => (y - held.targets[i]) ** 2)
      expect(found.value).toBeCloseTo(scale.deviation * Math.sqrt(errors.reduce((sum, e) => sum + e, 0) / held.count), 1)
      expect(found.value).toBeLessThan(0.7 * scale.deviation)
    }
  }
})

test('categories of a column of very many are vectors, and texts among numbers gaps, as in trainTable', async () => {
  const file = path.join(folder, 'towns.csv')
  const lines = Array.from({ length: 1200 }, (_, i) => `t${(i * 7) % 120},${i === 40 ? 'unclear' : i % 11},${((i * 7) % 120) % 10}`)
  writeFileSync(file, `town,size,price\n${lines.join('\n')}\n`)
  const study = await createStudy({ space: { learningRate: float(0.02, 0.02) }, sampler: random() })
  await study.optimize(await tableObjective({ file, target: 'price', columns: { price: 'number' }, epochs: 12 }), { trials: 1 })
  expect(study.bestValue).toBeLessThan(0.7) // of a deviation of 2.9
})

test('what a trial trained as settings of trainTable', () => {
  expect(netSettings({ layers: 2, width: 16, learningRate: 0.01 }, 8)).toEqual({
    ...{ hidden: [16, 16], activation: 'relu', dropout: 0, learningRate: 0.01, weightDecay: 1e-4, batchSize: 32, epochs: 8 },
  })
  expect(() => netSettings({ speed: 1 })).toThrow("there is no parameter 'speed' of a table; it has")
})

describe('what is no table', () => {
  const fileOf = (text: string) => {
    const file = path.join(folder, 'table.csv')
    writeFileSync(file, text)
    return file
  }
  const rows = Array.from({ length: 30 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'}`)

  test.each([
    ['', 'there are no rows'],
    [`x,y\n${rows.slice(0, 20).join('\n')}\n`, 'table.csv: wants at least 20 rows with a y, besides those that are set aside, got 16'],
    [`x,z\n${rows.join('\n')}\n`, "table.csv: there is no column 'y', only 'x', 'z'"],
    [`x,y\n${rows.join('\n')}\n1\n`, 'table.csv: line 32 has 1 value, and there are 2 columns'],
    [`x,y\n${rows.join('\n')}\n1,"b\n`, 'table.csv: the quote that opens in line 32 is never closed'],
  ])('%j', async (text, message) => {
    await expect(tableObjective({ file: fileOf(text), target: 'y' })).rejects.toThrow(message)
  })

  test('a file that is not there', async () => {
    await expect(tableObjective({ file: '/no/such.csv', target: 'y' })).rejects.toThrow('there is no file /no/such.csv')
  })
})
