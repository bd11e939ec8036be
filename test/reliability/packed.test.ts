/** Compressed data files that unpack to excessive sizes (decompression bombs). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadMnist } from '../../ts/data/index.js'

describe('fault 22: a packed file', () => {
  let directory = ''
  beforeAll(async () => void (directory = await mkdtemp(path.join(os.tmpdir(), 'packed-'))))
  afterAll(() => rm(directory, { recursive: true }))
  const load = async (packed: Uint8Array) => {
    await writeFile(path.join(directory, 'train-images-idx3-ubyte.gz'), packed)
    return loadMnist({ directory })
  }

  test('that unpacks to a thousand times its size is refused before it fills the memory', async () => {
    const bomb = gzipSync(new Uint8Array(300 * 2 ** 20))
    expect(bomb.length).toBeLessThan(2 ** 20)
    const before = process.memoryUsage.rss()
    await expect(load(bomb)).rejects.toThrow(RangeError)
    await expect(load(bomb)).rejects.toThrow(/train-images-idx3-ubyte\.gz unpacks to more than \d+ bytes/)
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20)
  })

  test.each([
    ['truncated', gzipSync(new Uint8Array(1000)).subarray(0, 15)],
    [
      'with a wrong checksum',
      Buffer.from(gzipSync(Uint8Array.of(1, 2, 3))).map((byte, i, all) => (i >= all.length - 8 && i < all.length - 4 ? 0 : byte)),
    ],
    ['that is none', Uint8Array.of(1, 2, 3)],
    ['of another format inside', gzipSync(Uint8Array.of(1, 2, 3, 4))],
    ['packed twice', gzipSync(gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0)))],
  ])('%s is refused by its name', async (_, packed) => {
    await expect(load(packed)).rejects.toThrow(RangeError)
    await expect(load(packed)).rejects.toThrow(/train-images-idx3-ubyte/)
  })
})
