/**
 * The step arena: memory for everything that lives no longer than one training step, and the rule for the end of a step.
 *
 * A step opens with the first operation that is recorded for backpropagation. It ends when `optimizer.step()` has run, or when a `backward()` has
 * used up all recorded operations. Its tensors stay readable until the next step opens, which reuses the memory. There is no other memory management,
 * and nobody frees anything. An operation on a tensor of the step that just ended continues that step instead (two losses that share a forward pass,
 * adversarial pairs).
 *
 * A scope does the same for work that is not recorded (evaluation, plain arithmetic): a stack-like region that is released at its end, after the
 * result was copied to an ordinary array.
 */
import { OutOfMemoryError, plainError, rangeError } from '../common/errors.js'
import type { Heap } from './heap.js'
import type { Ptr } from './kernels.js'

/** Throws if the elements are invalid. */
export type ElementCheck = (elements: ArrayLike<number>) => void

interface Chunk {
  ptr: Ptr
  bytes: number
}

/** A position in the arena to return to, with the counts of the step at that point. */
export interface Mark {
  chunk: number
  top: number
  ended: boolean
  pending: number
  loose: number
}

const FIRST_CHUNK_BYTES = 1 << 16
/** Size of the first chunk of an arena that a training makes for itself. It is small, because thousands of small nets may make several arenas each. */
const FIRST_TEMPORARY_BYTES = 1 << 12
const ALIGN = 16
/** Bytes of the smallest gradient whose memory is used again. */
const LEAST_RECYCLED = 1 << 12
/**
 * If a step holds more than MAX_LOOSE_RESULTS recorded results that nothing used, and more than MAX_LOOSE_BYTES of memory, we assume that a loop
 * forgot noGrad(): an error says so before memory runs out. A long chain, or many terms that are added up, leave only one unused result.
 */
const MAX_LOOSE_RESULTS = 4096
const MAX_LOOSE_BYTES = 64 << 20

/** A block that an arena took from the heap. */
interface Taken {
  heap: Heap
  chunks: Chunk[]
}

function giveBack({ heap, chunks }: Taken): void {
  for (const { ptr } of chunks.splice(0)) heap.free(ptr)
}

const forgotten = new FinalizationRegistry<Taken>(giveBack)

/** Last number given to a step or scope. All arenas share the counter, so that a tensor of one arena is never taken for a tensor of another. */
let counter = 0

/**
 * Who gives the memory of an arena back: its heap; its owner, by `release`; or the collector, where nobody finishes the iterator that owns it. What
 * waits for the collector has to be seen by it ({@link Heap.weigh}), which takes as long as a short training.
 */
export type GivenBackBy = 'heap' | 'owner' | 'collector'

export class StepArena {
  /** The number of the current step; tensors remember theirs. Scopes draw from the same counter. */
  generation = ++counter
  private readonly scopes: number[] = []
  private ended = true
  /** Recorded nodes that no backward() has used yet. */
  private pending = 0
  /** Recorded results that neither another operation nor a backward() has used. */
  private loose = 0
  /** Positions of random sequences when the step began to draw from them. */
  private readonly drawn = new Map<{ counter: number }, number>()
  private backwards = 0
  /** True during a backward pass whose gradients between operations do not outlive it. */
  private recycles = false
  /** Gradients that wait for the one operation that reads them, and their bytes. */
  private readonly gradients = new Map<Ptr, number>()
  /** The memory of gradients that were read, and its bytes. */
  private readonly spent = new Map<Ptr, number>()

  /** Never replaced by another array, because the finalizer holds this one too. */
  private readonly chunks: Chunk[] = []
  private chunk = 0
  private top = 0

  constructor(
    private readonly heap: Heap,
    private readonly givenBackBy: GivenBackBy = 'heap',
  ) {
    if (givenBackBy === 'collector') forgotten.register(this, { heap, chunks: this.chunks })
  }

  /** The generation that a tensor made now belongs to: the innermost scope's, else the step's. */
  get current(): number {
    return this.scopes.length > 0 ? this.scopes[this.scopes.length - 1] : this.generation
  }

  /** True inside a scope or a backward pass, where results of unrecorded operations stay in the arena. */
  get keepsResults(): boolean {
    return this.scopes.length > 0 || this.backwards > 0
  }

  isAlive(generation: number): boolean {
    return generation === this.generation || (this.scopes.length > 0 && this.scopes.includes(generation))
  }

  // Effects that a recorded list of kernel calls does not contain. Only a recording (train/fast/recording.ts) overrides these.

  /** Bytes of an ordinary array were copied to an address. */
  noteCopy(_ptr: Ptr, _bytes: number): void {}

  /** Elements in linear memory were read, or may be written, outside of kernels. */
  noteRead(): void {}

  /** Elements were checked. The check throws if they are invalid, and changes nothing. */
  noteCheck(_ptr: Ptr, _size: number, _check: ElementCheck): void {}

  /** Called before every recorded operation. `continues`: it uses a tensor of this step. */
  enter(continues: boolean): void {
    if (this.ended) {
      if (!continues && this.scopes.length === 0) this.reset()
      this.ended = false
    }
  }

  /** The step is over; the next recorded operation opens a new one. */
  end(): void {
    this.ended = true
  }

  /** The step is over, and its tensors are stale from now on. */
  discard(): void {
    if (this.scopes.length > 0) return
    this.reset()
    this.ended = true
  }

  /** The step ran out of memory: it is over, and a repetition draws the same random numbers. */
  fail(): void {
    this.ended = true
    for (const [sequence, counter] of this.drawn) sequence.counter = counter
    this.drawn.clear()
  }

  /** Called when an operation has used the next number of a sequence of random ones, before its counter moves on. */
  drew(sequence: { counter: number }): void {
    if (!this.drawn.has(sequence)) this.drawn.set(sequence, sequence.counter)
  }

  /** @param used number of inputs of the new node that were unused results before */
  nodeRecorded(used: number): void {
    this.pending++
    this.loose += 1 - used
    if (this.loose > MAX_LOOSE_RESULTS && this.usedBytes > MAX_LOOSE_BYTES) this.refuse()
  }

  /** A backward() has used `count` nodes. With `loose`, its root is a result that no operation had taken as an input. */
  nodesUsed(count: number, loose: boolean): void {
    this.pending -= count
    if (loose) this.loose--
    if (this.pending <= 0) this.end()
  }

  private refuse(): never {
    const { loose, usedBytes } = this
    this.loose = 0
    this.ended = true
    throw plainError(
      `${loose} results were recorded that no backward() and no other operation used, with ${Math.round(usedBytes / 2 ** 20)} MiB of ` +
        'memory: evaluate by model.predict(x) or in noGrad(() => …), and let numbers go on by loss.item(); where all are to be ' +
        'differentiated, add them up as they come, or run backward() on each',
    )
  }

  /**
   * Runs fn with the results of unrecorded operations kept in the arena (they belong to the step). With `recycles`, gradients between operations do not
   * outlive fn, so that later ones take their memory: a step needs less, and finds more of it in a cache.
   */
  duringBackward<T>(recycles: boolean, fn: () => T): T {
    const outer = this.recycles
    this.recycles = recycles && !outer
    this.backwards++
    try {
      return fn()
    } finally {
      this.backwards--
      this.recycles = outer
      if (!outer) {
        this.gradients.clear()
        this.spent.clear()
      }
    }
  }

  /**
   * Room for a gradient that a kernel writes and one operation reads: that of a spent one, or new. `over`: another that the kernel reads and may write
   * over, which it does if nothing else reads it. The first gradient of a place is its largest one: fleets make room for that.
   */
  gradientPlace(bytes: number, over: Ptr = 0): Ptr {
    if (!this.recycles || bytes < LEAST_RECYCLED) return this.allocate(bytes)
    const { gradients, spent } = this
    if (gradients.has(over)) return over
    const [ptr, size] = [...spent].find(([, size]) => size >= bytes) ?? [this.allocate(bytes), bytes]
    spent.delete(ptr)
    gradients.set(ptr, size)
    return ptr
  }

  /** A gradient was read. `isSpent`: nothing will read it again. */
  gradientRead(ptr: Ptr, isSpent: boolean): void {
    const bytes = this.gradients.get(ptr)
    if (!this.recycles || bytes === undefined) return
    this.gradients.delete(ptr)
    if (isSpent) this.spent.set(ptr, bytes)
  }

  /** Opens a scope; pass the mark to {@link closeScope}. */
  openScope(): Mark {
    this.scopes.push(++counter)
    const { chunk, top, ended, pending, loose } = this
    return { chunk, top, ended, pending, loose }
  }

  /** Recordings inside a scope are gone at its end; the surrounding step continues undisturbed. */
  closeScope(mark: Mark): void {
    this.scopes.pop()
    this.chunk = mark.chunk
    this.top = mark.top
    this.ended = mark.ended
    this.pending = mark.pending
    this.loose = mark.loose
  }

  /** Room for `bytes`, not zeroed. @throws OutOfMemoryError */
  allocate(bytes: number): Ptr {
    if (!(bytes >= 0)) throw rangeError(`arena: wants a number of bytes ≥ 0, got ${bytes}`)
    this.heap.check()
    const size = Math.ceil(bytes / ALIGN) * ALIGN
    let chunk = this.chunks[this.chunk]
    while (chunk === undefined || this.top + size > chunk.bytes) {
      if (chunk !== undefined) {
        this.chunk++
        this.top = 0
        chunk = this.chunks[this.chunk]
        if (chunk !== undefined) continue
      }
      chunk = this.addChunk(size)
    }
    const ptr = chunk.ptr + this.top
    this.top += size
    return ptr
  }

  /** Releases all memory; for an arena that is no longer used. */
  release(): void {
    const { heap, chunks } = this
    giveBack({ heap, chunks })
  }

  /** Bytes that the step and its scopes have taken. */
  private get usedBytes(): number {
    return this.chunks.slice(0, this.chunk).reduce((sum, chunk) => sum + chunk.bytes, this.top)
  }

  private get totalBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
  }

  private addChunk(size: number): Chunk {
    const comfortable = Math.max(this.givenBackBy === 'heap' ? FIRST_CHUNK_BYTES : FIRST_TEMPORARY_BYTES, size, this.totalBytes)
    const chunk = this.tryChunk(comfortable) ?? { ptr: this.heap.allocate(size, 'any'), bytes: size }
    this.chunks.push(chunk)
    if (this.givenBackBy === 'collector') this.heap.weigh(this, this.totalBytes)
    return chunk
  }

  /** Takes spare room if possible; without it there is no error. */
  private tryChunk(bytes: number): Chunk | undefined {
    try {
      return { ptr: this.heap.allocate(bytes, 'any'), bytes }
    } catch (error) {
      if (error instanceof OutOfMemoryError) return undefined
      throw error
    }
  }

  /** Forgets allocations since the mark, for a step that is repeated: it gets the same addresses. */
  protected rewind({ chunk, top }: Pick<Mark, 'chunk' | 'top'>): void {
    this.reset(false)
    this.chunk = chunk
    this.top = top
    this.ended = false
  }

  protected reset(merges = true): void {
    this.generation = ++counter
    this.pending = 0
    this.loose = 0
    this.drawn.clear()
    if (merges && this.chunks.length > 1) this.merge()
    this.chunk = 0
    this.top = 0
  }

  /** Replaces all chunks by a single one of their total size, so that an equal next step only moves a pointer. */
  private merge(): void {
    const bytes = this.totalBytes
    this.release()
    const whole = this.tryChunk(bytes)
    if (whole) this.chunks.push(whole)
  }
}
