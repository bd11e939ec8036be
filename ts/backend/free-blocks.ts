/** The free blocks of a heap: finds nearly the smallest that fits, in a time that does not depend on their number. */
import type { Ptr } from './kernels.js'

/** Size classes have steps of this many bytes up to {@link SMALL}, and above that sixteen steps for each doubling. */
const UNIT = 64
const SMALL = 1024
/** Number of blocks of one class to try before a block of the next larger class, which always fits, is taken. */
const MAX_LOOKS = 32

export class FreeBlocks {
  private readonly sizes = new Map<Ptr, number>()
  /** Maps the end of each free block to its beginning. */
  private readonly starts = new Map<Ptr, Ptr>()
  /** The free blocks of each size class, in ascending order. */
  private readonly classes: (Set<Ptr> | undefined)[] = []

  /** Adds a block, joined with free neighbors. Sizes are multiples of 64. */
  add(ptr: Ptr, bytes: number): void {
    const { sizes, starts } = this
    let from = ptr
    let end = ptr + bytes
    const after = sizes.get(end)
    if (after !== undefined) {
      this.unlist(end, after)
      sizes.delete(end)
      end += after
    }
    const before = starts.get(ptr)
    if (before !== undefined) {
      starts.delete(ptr)
      from = before
    }
    // An entry that stays is not deleted and added again: each deletion leaves a hole in a map or set that later searches walk over.
    sizes.set(from, end - from)
    starts.set(end, from)
    const at = classOf(end - from)
    if (before !== undefined && classOf(ptr - before) === at) return
    if (before !== undefined) this.unlist(before, ptr - before)
    const blocks = (this.classes[at] ??= new Set())
    blocks.add(from)
  }

  /** Takes this many bytes from nearly the smallest free block that is large enough (a few are tried); undefined if there is none. */
  take(bytes: number): Ptr | undefined {
    const { sizes, starts } = this
    const ptr = this.find(bytes)
    if (ptr === undefined) return undefined
    const size = sizes.get(ptr) as number
    const rest = ptr + bytes
    this.unlist(ptr, size)
    sizes.delete(ptr)
    if (size === bytes) starts.delete(rest)
    else {
      sizes.set(rest, size - bytes)
      starts.set(ptr + size, rest)
      const blocks = (this.classes[classOf(size - bytes)] ??= new Set())
      blocks.add(rest)
    }
    return ptr
  }

  /** The beginning of the free block that ends at an address; undefined if there is none. */
  endingAt(end: Ptr): Ptr | undefined {
    return this.starts.get(end)
  }

  /** Takes the free block that ends at an address, of any size. */
  takeEndingAt(end: Ptr): void {
    const ptr = this.starts.get(end)
    if (ptr === undefined) return
    this.unlist(ptr, end - ptr)
    this.sizes.delete(ptr)
    this.starts.delete(end)
  }

  private find(bytes: number): Ptr | undefined {
    const { classes } = this
    const own = classOf(bytes)
    let best: Ptr | undefined
    let least = Number.POSITIVE_INFINITY
    let looks = MAX_LOOKS
    for (const ptr of classes[own] ?? []) {
      const size = this.sizes.get(ptr) as number
      if (size >= bytes && size < least) [best, least] = [ptr, size]
      if (least === bytes || --looks === 0) break
    }
    if (best !== undefined) return best
    for (let at = own + 1; at < classes.length; at++) for (const ptr of classes[at] ?? []) return ptr
    // tries all blocks of its own class before the memory has to grow
    for (const ptr of classes[own] ?? []) if ((this.sizes.get(ptr) as number) >= bytes) return ptr
    return undefined
  }

  private unlist(ptr: Ptr, bytes: number): void {
    this.classes[classOf(bytes)]?.delete(ptr)
  }
}

/** The class of a size: every block of a higher class is larger. */
function classOf(bytes: number): number {
  if (bytes < SMALL) return bytes / UNIT
  const doublings = 31 - Math.clz32(bytes / SMALL)
  const sixteenth = Math.floor(bytes / (UNIT * 2 ** doublings)) - SMALL / UNIT
  return SMALL / UNIT + 16 * doublings + sixteenth
}
