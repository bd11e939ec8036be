/** Canaries detect writes out of bounds. The suite runs with them on Node 22: test/tools/canaries.ts. */
import { expect, test } from 'vitest'
import { StepArena } from '../../ts/backend/arena.js'
import { ArrayBufferSource, Heap } from '../../ts/backend/heap.js'

const heapOf = () => new Heap(new ArrayBufferSource(), 0)
const writes = (heap: Heap, at: number) => {
  heap.ints[at / 4] = 7
}

test.runIf(process.env.GRADUS_CANARIES)('a word written before or behind a block, or behind a result of a step, is found', () => {
  const heap = heapOf()
  for (const [bytes, at, side] of [
    [20, -4, 'before'],
    [20, 20, 'behind'],
    [64, 64, 'behind'],
    [64, 120, 'behind'],
  ] as const) {
    const ptr = heap.allocate(bytes)
    const before = heap.ints[(ptr + at) / 4]
    writes(heap, ptr + at)
    expect(() => heap.free(ptr)).toThrow(`canary: something wrote ${side} a block of ${bytes} bytes, at byte ${at} of it`)
    heap.ints[(ptr + at) / 4] = before
    heap.free(ptr)
  }
  const arena = new StepArena(heap)
  const [first] = [arena.allocate(12), arena.allocate(12)]
  const before = heap.ints[first / 4 + 3]
  writes(heap, first + 12)
  expect(() => arena.end()).toThrow('canary: something wrote behind a result of a step of 12 bytes, at byte 12 of it')
  heap.ints[first / 4 + 3] = before
  arena.end()
})

test.runIf(process.env.GRADUS_CANARIES)('what is not cleared is NaN', () => {
  const heap = heapOf()
  expect(heap.view(heap.allocate(16, 'any'), 4)).toEqual(new Float32Array(4).fill(Number.NaN))
  expect(heap.view(new StepArena(heap).allocate(16), 4)).toEqual(new Float32Array(4).fill(Number.NaN))
  expect(heap.view(heap.allocate(16), 4)).toEqual(new Float32Array(4))
})
