/**
 * The JavaScript backend with every kernel call checked against the contract: each argument is an aligned address inside one allocated block of
 * memory, with as many elements behind it as the sizes say, and no output overlaps an input or another output unless the contract says "in place".
 * WebAssembly and typed arrays alone do not detect such mistakes: they read and write the neighboring memory.
 */
import { rangeError, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import type { Backend } from '../index.js'
import { type Kernels, kernelArguments, type MemoryRange, type Ptr, RangeMaker } from '../kernels.js'
import { createJsKernels } from './all.js'

/** Allocated ranges of memory, with their owners. */
class Blocks {
  /** Pieces from the step arena, by their addresses. */
  private readonly pieces = new Map<Ptr, number>()

  constructor(private readonly backend: Backend) {
    const { arena } = backend
    const allocate = arena.allocate.bind(arena)
    arena.allocate = (bytes) => {
      const at = allocate(bytes)
      // the previous content belonged to a finished step
      for (const [piece, size] of this.pieces) if (piece < at + bytes && piece + size > at) this.pieces.delete(piece)
      this.pieces.set(at, bytes)
      return at
    }
  }

  /** The piece of the arena, or else the block of the heap, that an address is in. */
  at(ptr: Ptr): { from: Ptr; bytes: number } | undefined {
    for (const [from, bytes] of this.pieces) if (from <= ptr && ptr < from + bytes) return { from, bytes }
    return this.backend.heap.blockAt(ptr)
  }
}

/**
 * Checks every kernel call of a backend in JavaScript from now on, and returns the backend: addresses inside an allocated block, aligned, and outputs
 * apart from inputs, as `backend/kernels.ts` says. Useful when you write kernels, operations with their own derivative, or other code with addresses;
 * a training takes several times as long. Programs that do not import it do not contain it.
 *
 * @example
 * const backend = checkKernels(createBackend({ backend: 'js' }))
 * const { kernels, heap } = backend
 * const x = heap.allocate(10 * heap.elementSize)
 * kernels.fill(x, 10, 1)
 * let message = ''
 * try {
 *   kernels.fill(x, 20, 1)
 * } catch (error) {
 *   message = (error as Error).message
 * }
 * message.startsWith('fill: y wants 20 elements') // true
 * @throws TypeError for a backend in WebAssembly; the kernels throw RangeError
 */
export function checkKernels(backend: Backend): Backend & { readonly kernels: Kernels } {
  if (backend?.name !== 'js')
    throw typeError(
      `checkKernels: backend wants one in JavaScript, createBackend({ backend: 'js' }), got ${show(backend?.variant ?? backend)}`,
    )
  const maker = new RangeMaker(backend.heap)
  const argumentsOf = kernelArguments()
  const blocks = new Blocks(backend)
  const checked = Object.entries(createJsKernels(backend.heap)).map(([name, kernel]) => {
    const rangesOf = argumentsOf[name as keyof Kernels]
    const checkedKernel = (...args: number[]) => {
      const ranges = rangesOf(maker, ...args)
      for (const range of ranges) checkRange(name, range, blocks)
      checkOverlap(name, ranges)
      return kernel(...args)
    }
    // the number of arguments of the kernel, on which recorded steps rely
    return [name, Object.defineProperty(checkedKernel, 'length', { value: kernel.length })]
  })
  const kernels: Kernels = Object.assign(backend.kernels, Object.fromEntries(checked))
  return Object.assign(backend, { kernels })
}

function checkRange(kernel: string, { argument, at, elements, bytes }: MemoryRange, blocks: Blocks): void {
  if (elements === 0) return
  const who = `${kernel}: ${argument}`
  if (!Number.isInteger(at) || at % bytes !== 0) throw rangeError(`${who} wants an address that is a multiple of ${bytes}, got ${at}`)
  const block = blocks.at(at)
  if (block === undefined) throw rangeError(`${who} wants an address inside an allocated block, got ${at}, which is in none`)
  const room = block.from + block.bytes - at
  if (elements * bytes > room)
    throw rangeError(
      `${who} wants ${elements} elements of ${bytes} bytes at ${at}, got room for ${Math.floor(room / bytes)}: ` +
        `the block from ${block.from} has ${block.bytes} bytes`,
    )
}

function checkOverlap(kernel: string, ranges: readonly MemoryRange[]): void {
  for (const output of ranges.filter((range) => range.isOutput && range.elements > 0))
    for (const other of ranges) {
      if (other === output || other.elements === 0) continue
      const [end, otherEnd] = [output, other].map(({ at, elements, bytes }) => at + elements * bytes)
      if (output.at >= otherEnd || other.at >= end) continue
      if (output.at === other.at && output.mayEqual.includes(other.argument)) continue
      throw rangeError(
        `${kernel}: ${output.argument} wants memory of its own, got ${output.at} to ${end}, which overlaps ${other.argument} at ` +
          `${other.at} to ${otherEnd}`,
      )
    }
}
