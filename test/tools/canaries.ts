/**
 * Canaries: with GRADUS_CANARIES=1 every block of a heap and everything in a step arena has words before and behind it that nobody may write. They
 * are checked when a block is freed, when a step or a scope ends, and after each test. Memory that is handed out without being cleared is filled with
 * the same words, a NaN, so that a result that depends on it is NaN. vitest.config.ts loads this file before each test file; test/run.mjs sets the
 * variable for the run on Node 22.
 */
import { afterEach } from 'vitest'
import { type Mark, StepArena } from '../../ts/backend/arena.js'
import { type Contents, Heap } from '../../ts/backend/heap.js'

const WORD = 0x7fc0cafe
const HEAP_MARGIN = 64
const ARENA_MARGIN = 16

interface Guarded {
  /** The block of the patched allocator, and its length. */
  from: number
  total: number
  /** The caller's block. */
  ptr: number
  bytes: number
}

interface PatchedArena {
  heap: Heap
  chunk: number
  allocate(bytes: number): number
  reset(merges?: boolean): void
  closeScope(mark: Mark): void
  release(): void
  end(): void
}

const words = (heap: Heap, from: number, to: number) => heap.ints.subarray(from / 4, to / 4)
const behind = ({ ptr, bytes }: Guarded) => ptr + Math.ceil(bytes / 4) * 4

function look(heap: Heap, block: Guarded, what: string): void {
  const { ints } = heap
  const { from, total, ptr, bytes } = block
  let at = changed(ints, from, ptr)
  const side = at < ptr ? 'before' : 'behind'
  if (side === 'behind') at = changed(ints, behind(block), from + total)
  if (at < from + total) throw new Error(`canary: something wrote ${side} ${what} of ${bytes} bytes, at byte ${at - ptr} of it`)
}

/** The address of the first word that is not a canary, or the end. */
function changed(ints: Int32Array, from: number, end: number): number {
  for (let at = from; at < end; at += 4) if (ints[at / 4] !== WORD) return at
  return end
}

/** Blocks by owner. Owners are held weakly, so that unused heaps and arenas are collected as usual. */
class Owners<Owner extends object, Blocks> {
  private readonly blocks = new WeakMap<Owner, Blocks>()
  private owners: WeakRef<Owner>[] = []
  private listed = new WeakSet<Owner>()

  constructor(private readonly none: () => Blocks) {}

  get(owner: Owner): Blocks | undefined {
    return this.blocks.get(owner)
  }

  /** The blocks of an owner that allocates. */
  use(owner: Owner): Blocks {
    let blocks = this.blocks.get(owner)
    if (blocks === undefined) {
      blocks = this.none()
      this.blocks.set(owner, blocks)
    }
    if (!this.listed.has(owner)) {
      this.listed.add(owner)
      this.owners.push(new WeakRef(owner))
    }
    return blocks
  }

  /** Lists no owner until it allocates again. */
  forget(): void {
    this.owners = []
    this.listed = new WeakSet()
  }

  /** Owners that have allocated since {@link forget}. */
  *all(): Iterable<Owner> {
    this.owners = this.owners.filter((owner) => owner.deref() !== undefined)
    for (const owner of this.owners) {
      const held = owner.deref()
      if (held !== undefined) yield held
    }
  }
}

const heaps = new Owners<Heap, Map<number, Guarded>>(() => new Map())
const arenas = new Owners<StepArena, Guarded[]>(() => [])

/** Checks all allocated memory. */
function lookAtAll(): void {
  for (const heap of heaps.all()) for (const block of heaps.get(heap)?.values() ?? []) look(heap, block, 'a block')
  for (const arena of arenas.all()) lookAt(arena)
}

/** @param first the number of the first block to check, such as the first of a scope */
function lookAt(arena: StepArena, first = 0): void {
  const blocks = arenas.get(arena) ?? []
  for (let i = first; i < blocks.length; i++) look((arena as unknown as PatchedArena).heap, blocks[i], 'a result of a step')
}

function guardHeaps(): void {
  const of = Heap.prototype
  const { allocate, free } = of
  of.allocate = function (bytes: number, contents: Contents = 'zeros') {
    const from = allocate.call(this, bytes + 2 * HEAP_MARGIN, contents)
    const total = Math.ceil((bytes + 2 * HEAP_MARGIN) / 64) * 64
    const block = { from, total, ptr: from + HEAP_MARGIN, bytes }
    if (contents === 'any') words(this, from, from + total).fill(WORD)
    words(this, from, block.ptr).fill(WORD)
    words(this, behind(block), from + total).fill(WORD)
    heaps.use(this).set(block.ptr, block)
    return block.ptr
  }
  of.free = function (ptr: number) {
    const block = heaps.get(this)?.get(ptr)
    if (block === undefined) return free.call(this, ptr)
    look(this, block, 'a block')
    heaps.get(this)?.delete(ptr)
    free.call(this, block.from)
  }
  of.blockAt = function (at: number) {
    for (const { ptr, bytes } of heaps.get(this)?.values() ?? []) if (ptr <= at && at < ptr + bytes) return { from: ptr, bytes }
    return undefined
  }
}

function guardArenas(): void {
  const of = StepArena.prototype as unknown as PatchedArena
  const { allocate, reset, closeScope, release, end } = of
  of.allocate = function (this: PatchedArena, bytes: number) {
    const arena = this as unknown as StepArena
    const total = Math.ceil(bytes / ARENA_MARGIN) * ARENA_MARGIN + 2 * ARENA_MARGIN
    const from = allocate.call(this, bytes >= 0 ? total : bytes)
    const block = { from, total, ptr: from + ARENA_MARGIN, bytes }
    words(this.heap, from, from + total).fill(WORD)
    arenas.use(arena).push(block)
    return block.ptr
  }
  const forgetting = <A extends unknown[]>(method: (this: PatchedArena, ...args: A) => void) =>
    function (this: PatchedArena, ...args: A) {
      lookAt(this as unknown as StepArena)
      arenas.get(this as unknown as StepArena)?.splice(0)
      method.apply(this, args)
    }
  of.reset = forgetting(reset)
  of.release = forgetting(release)
  of.end = function () {
    lookAt(this as unknown as StepArena)
    end.call(this)
  }
  const opened = StepArena.prototype.openScope
  const counts = new WeakMap<Mark, number>()
  StepArena.prototype.openScope = function () {
    const mark = opened.call(this)
    counts.set(mark, arenas.get(this)?.length ?? 0)
    return mark
  }
  of.closeScope = function (mark: Mark) {
    const first = counts.get(mark) ?? 0
    lookAt(this as unknown as StepArena, first)
    arenas.get(this as unknown as StepArena)?.splice(first)
    closeScope.call(this, mark)
  }
}

/** Of the process: vitest runs this file before each test file, also where several of them share a process. */
const shared = globalThis as { canaries?: { look(): void; forget(): void } }

/** Guards all memory of the process from now on. */
function guard() {
  guardHeaps()
  guardArenas()
  const forget = () => {
    heaps.forget()
    arenas.forget()
  }
  return { look: lookAtAll, forget }
}

if (process.env.GRADUS_CANARIES) {
  shared.canaries ??= guard()
  // backends of a file before have no part in the tests of this one
  shared.canaries.forget()
  afterEach(shared.canaries.look)
}
