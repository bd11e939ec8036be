/**
 * The step arena: memory for everything that lives no longer than one training step, and the rule of when a step ends.
 *
 * A step opens with the first operation that is recorded for backpropagation. It ends when `optimizer.step()` has run,
 * or when a `backward()` has used up all that was recorded. Its tensors stay readable until the next step opens, which
 * reuses the memory: that is the whole of memory management, nobody frees anything. An operation that uses a tensor of
 * the step that just ended carries that step on instead (two losses that share a forward pass, adversarial pairs).
 *
 * A scope is the same for work that is not recorded (evaluation, plain arithmetic): a stack-like region that is given
 * back at its end, after the result was copied out to an ordinary array.
 */
import { OutOfMemoryError } from '../common/errors.js'
import { type Heap, weigh } from './heap.js'
import type { Ptr } from './kernels.js'

interface Chunk {
  ptr: Ptr
  bytes: number
}

/** A place in the arena to go back to, and what the step had counted there. */
export interface Mark {
  chunk: number
  top: number
  ended: boolean
  pending: number
  starts: number
}

const FIRST_CHUNK_BYTES = 1 << 16
const ALIGN = 16
/** Recorded operations that start from fresh data without a backward(): past this many somebody forgot noGrad(). */
const MAX_PENDING_STARTS = 4096

/** What an arena took from the heap. */
interface Taken {
  heap: Heap
  chunks: Chunk[]
}

function giveBack({ heap, chunks }: Taken): void {
  for (const { ptr } of chunks.splice(0)) heap.free(ptr)
}

const forgotten = new FinalizationRegistry<Taken>(giveBack)

/** Numbers of steps and scopes. One counter for all arenas, so that no tensor of one is taken for one of another. */
let counter = 0

export class StepArena {
  /** The number of the current step; tensors remember theirs. Scopes draw from the same counter. */
  epoch = ++counter
  private readonly scopes: number[] = []
  private ended = true
  /** Arrays that were copied in: what a recording of kernel calls does not see. */
  copies = 0
  /** Recorded nodes that no backward() has used yet. */
  private pending = 0
  private starts = 0
  private backwards = 0

  /** The same array for good: the finalizer has it too. */
  private readonly chunks: Chunk[] = []
  private chunk = 0
  private top = 0

  /** `isTemporary`: others live on its heap longer than it does. If it is forgotten, its memory goes back when it is collected. */
  constructor(
    private readonly heap: Heap,
    private readonly isTemporary = false,
  ) {
    if (isTemporary) forgotten.register(this, { heap, chunks: this.chunks })
  }

  /** The epoch that a tensor made now belongs to: the innermost scope's, else the step's. */
  get current(): number {
    return this.scopes.length > 0 ? this.scopes[this.scopes.length - 1] : this.epoch
  }

  /** True inside a scope or a backward pass, where results of unrecorded operations stay in the arena. */
  get keepsResults(): boolean {
    return this.scopes.length > 0 || this.backwards > 0
  }

  isAlive(epoch: number): boolean {
    return epoch === this.epoch || (this.scopes.length > 0 && this.scopes.includes(epoch))
  }

  /** Called before every recorded operation. `continues`: it uses a tensor of this step. */
  enter(continues: boolean): void {
    if (this.ended) {
      if (!continues && this.scopes.length === 0) this.reset()
      this.ended = false
    }
    if (!continues) this.startRecorded()
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

  nodeRecorded(): void {
    this.pending++
  }

  nodesUsed(count: number): void {
    this.pending -= count
    if (this.pending <= 0) this.end()
  }

  /** Counts recorded operations that start from data or parameters, to catch a forgotten noGrad() before memory runs out. */
  private startRecorded(): void {
    if (++this.starts <= MAX_PENDING_STARTS) return
    this.starts = 0
    this.ended = true
    throw new Error(
      `${MAX_PENDING_STARTS} computations were recorded without a backward(): evaluate by model.predict(x) or in noGrad(() => …), ` +
        'add up losses by loss.item(), train on many single rows as one batch',
    )
  }

  /** Runs fn with the results of unrecorded operations kept in the arena (they belong to the step). */
  duringBackward<T>(fn: () => T): T {
    this.backwards++
    try {
      return fn()
    } finally {
      this.backwards--
    }
  }

  /** Opens a scope; pass the mark to {@link closeScope}. */
  openScope(): Mark {
    this.scopes.push(++counter)
    const { chunk, top, ended, pending, starts } = this
    return { chunk, top, ended, pending, starts }
  }

  /** What was recorded inside is gone with the scope; the step around it goes on as it was. */
  closeScope(mark: Mark): void {
    this.scopes.pop()
    this.chunk = mark.chunk
    this.top = mark.top
    this.ended = mark.ended
    this.pending = mark.pending
    this.starts = mark.starts
  }

  /** Room for `bytes`, not zeroed. @throws OutOfMemoryError */
  allocate(bytes: number): Ptr {
    if (!(bytes >= 0)) throw new RangeError(`arena: wants a number of bytes ≥ 0, got ${bytes}`)
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

  /** Gives all memory back; for an arena that nobody uses any more. */
  release(): void {
    const { heap, chunks } = this
    giveBack({ heap, chunks })
  }

  private get totalBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
  }

  private addChunk(size: number): Chunk {
    const comfortable = Math.max(FIRST_CHUNK_BYTES, size, this.totalBytes)
    const chunk = this.tryChunk(comfortable) ?? { ptr: this.heap.allocate(size, 'any'), bytes: size }
    this.chunks.push(chunk)
    if (this.isTemporary) weigh(this, this.totalBytes)
    return chunk
  }

  /** Room to spare is a wish: no error when it is not there. */
  private tryChunk(bytes: number): Chunk | undefined {
    try {
      return { ptr: this.heap.allocate(bytes, 'any'), bytes }
    } catch (error) {
      if (error instanceof OutOfMemoryError) return undefined
      throw error
    }
  }

  private reset(): void {
    this.epoch = ++counter
    this.pending = 0
    this.starts = 0
    if (this.chunks.length > 1) this.merge()
    this.chunk = 0
    this.top = 0
  }

  /** One chunk as large as all of them, so that the next step like this one is a plain bump. */
  private merge(): void {
    const bytes = this.totalBytes
    this.release()
    const whole = this.tryChunk(bytes)
    if (whole) this.chunks.push(whole)
  }
}
