/** Memory: new blocks are zero, whoever used them before, and an object that moves frees its previous place. */
import { describe, expect, test } from 'vitest'
import type { Heap } from '../../ts/backend/heap.js'
import { Adam, createBackend, Dense, Parameter, Sequential, SGD, sum } from '../../ts/index.js'

describe.each(['wasm', 'js'] as const)('%s', (name) => {
  const backend = createBackend({ backend: name })
  const { heap } = backend
  const isZero = (ptr: number, floats: number) => heap.view(ptr, floats).every((x) => x === 0)

  test.each(['zeros', 'fresh'] as const)('blocks of %s: new ones, used ones and those that begin used and end new', (contents) => {
    const a = heap.allocate(4000, contents)
    expect(isZero(a, 1000)).toBe(true)
    heap.view(a, 1000).fill(1)
    heap.free(a)
    const b = heap.allocate(8000, contents)
    expect(b).toBe(a)
    expect(isZero(b, 2000)).toBe(true)
    heap.view(b, 2000).fill(1)
    const c = heap.allocate(4000, contents)
    heap.free(b)
    const d = heap.allocate(2000, contents)
    expect([d, isZero(d, 500), isZero(c, 1000)]).toEqual([b, true, true])
    heap.free(c)
    heap.free(d)
  })

  test('parameters of an optimizer lie there alone, once they had no gradient', () => {
    const used = bytesOf(heap)
    const model = new Sequential([new Dense(64, 64), new Dense(64, 32)], { backend, seed: 1 })
    const parameters = model.parameters()
    const floats = parameters.reduce((total, p) => total + p.size, 0)
    const values = parameters.map((p) => p.view().slice())
    expect(used()).toBeGreaterThanOrEqual(8 * floats)
    const optimizer = new SGD(parameters)
    expect(parameters.map((p) => p.view().slice())).toEqual(values)
    const { h } = optimizer.groups[0]
    expect(used()).toBeLessThan(8 * floats + 1024)
    expect(h).toBeGreaterThan(0)
  })

  test('a gradient that somebody may look at stays where it is', () => {
    const w = new Parameter([1, 2, 3], { backend })
    sum(w).backward()
    const { grad } = w
    const optimizer = new Adam([w, new Parameter([4], { backend })])
    expect([...(grad?.data() ?? [])]).toEqual([1, 1, 1])
    optimizer.step()
    expect([...(grad?.data() ?? [])]).toEqual([1, 1, 1])
  })

  test('zeros are zeros, also where others were', () => {
    const first = Parameter.ofShape([50], { backend })
    first.view().fill(1)
    const optimizer = new SGD([first, Parameter.ofShape([1], { backend })])
    const second = Parameter.ofShape([50], { backend })
    expect(second.view().every((x) => x === 0)).toBe(true)
    expect([optimizer.groups.length, second.shape]).toEqual([1, [50]])
  })
})

function bytesOf(heap: Heap): () => number {
  const before = heap.usedBytes
  return () => heap.usedBytes - before
}
