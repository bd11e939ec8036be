import type { Heap } from '../heap.js'

/** `ptr >>> shift` is the index into `heap.floats`; a shift keeps indices integers where a division would make doubles. */
export function floatShift(heap: Heap): 2 | 3 {
  return heap.elementSize === 8 ? 3 : 2
}
