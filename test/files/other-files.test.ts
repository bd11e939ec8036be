/** A file that is given to the loader of another kind: the error names a loader that reads it. */
import { describe, expect, test } from 'vitest'
import { loadHead, loadMultiLabelHead, trainHead } from '../../ts/head/index.js'
import { loadImageModel, trainImages } from '../../ts/images/index.js'
import { Dense, encodeModel, encodeState, loadModel, loadState } from '../../ts/index.js'
import { forecast, loadSeriesModel } from '../../ts/series/index.js'
import { loadTableModel, loadTargetsModel, trainTable } from '../../ts/table/index.js'

const LOADERS: Readonly<Record<string, (file: Uint8Array) => Promise<unknown>>> = {
  ...{ loadModel, loadState, loadHead, loadMultiLabelHead, loadSeriesModel, loadImageModel, loadTableModel, loadTargetsModel },
}

async function made(): Promise<Record<string, Uint8Array>> {
  const vectors = [[0], [1], [0.1], [0.9]]
  const labels = ['a', 'b', 'a', 'b']
  const rows = Array.from({ length: 40 }, (_, i) => ({ t: i, y: i % 5, z: i % 2 === 0 ? 'u' : 'v' }))
  const images = Array.from({ length: 12 }, (_, i) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(i % 2 === 0 ? 20 : 220) }))
  const short = { epochs: 1, hidden: [2] }
  return {
    net: encodeModel(new Dense(1, 1)),
    state: encodeState({ losses: [1, 2], name: 'series' }),
    head: (await trainHead(vectors, labels)).bytes(),
    sets: (
      await trainHead(
        vectors,
        labels.map((label) => [label]),
      )
    ).bytes(),
    series: (await forecast(rows, { time: 't', value: 'y', horizon: 1 })).bytes(),
    images: (await trainImages({ images, labels: images.map((_, i) => labels[i % 2]) }, { epochs: 1 })).bytes(),
    table: (await trainTable(rows, { target: 'z', ...short })).model.bytes(),
    targets: (await trainTable(rows, { target: ['z', 'y'], ...short })).model.bytes(),
  }
}

describe('a file of another kind', () => {
  test('is refused by the name of a loader that reads it', async () => {
    const files = await made()
    const reads = async (loader: string, file: Uint8Array): Promise<string | null> =>
      LOADERS[loader](file).then(
        () => null,
        (error: Error) => error.message,
      )
    /** True if one of the loaders in a message reads the file, or names one that does. */
    const leads = async (message: string, file: Uint8Array, hops = 2): Promise<boolean> => {
      // decodeState is loadState of bytes
      for (const name of message.replaceAll('decodeState gives', 'loadState').match(/\bload[A-Z]\w*/g) ?? []) {
        const next = await reads(name, file)
        if (next === null || (hops > 1 && (await leads(next, file, hops - 1)))) return true
      }
      return false
    }
    let refused = 0
    for (const [kind, file] of Object.entries(files))
      for (const loader of Object.keys(LOADERS)) {
        const message = await reads(loader, file)
        if (message === null) continue
        refused++
        expect(message, `${loader} of ${kind}`).not.toMatch(/undefined|safetensors/i)
        expect(await leads(message, file), `${loader} of ${kind}: ${message}`).toBe(true)
      }
    expect(refused).toBe(50)
  })
})
