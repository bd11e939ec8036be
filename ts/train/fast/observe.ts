/**
 * Observation of a written-out step: the kernels that it calls, and its other effects, which a list of calls would miss ({@link
 * RecordingArena.obstacle}).
 */
import { type ElementCheck, StepArena } from '../../backend/arena.js'
import type { Backend } from '../../backend/index.js'
import type { BasicKernels, Ptr } from '../../backend/kernels.js'
import { type Generator, hostDraws } from '../../random.js'
import type { KernelCall } from './program.js'

/** The arena of a recording, which notes effects outside of kernels. */
export class RecordingArena extends StepArena {
  obstacle: string | null = null
  constants: { ptr: Ptr; bytes: number }[] = []
  checks: { ptr: Ptr; size: number; check: ElementCheck }[] = []
  /** Generators that kernels drew from, with their counters before. */
  draws = new Map<Generator, number>()

  begin(): void {
    this.rewind({ chunk: 0, top: 0 })
    this.obstacle = null
    this.constants = []
    this.checks = []
    this.draws = new Map()
  }

  override noteCopy(ptr: Ptr, bytes: number): void {
    this.constants.push({ ptr, bytes })
  }

  override noteRead(): void {
    this.obstacle ??= 'it reads numbers of a tensor in JavaScript (item, data, toArray, view, or whole numbers taken for floats)'
  }

  override noteCheck(ptr: Ptr, size: number, check: ElementCheck): void {
    this.checks.push({ ptr, size, check })
  }

  override drew(generator: Generator): void {
    super.drew(generator)
    if (!this.draws.has(generator)) this.draws.set(generator, generator.counter)
  }

  protected override reset(merges = true): void {
    if (merges) this.obstacle ??= 'it opens a step of its own, such as a gradient within the loss'
    super.reset(false)
  }
}

/** Runs a step in an arena. @returns the kernels that it called */
export function observe(backend: Backend, arena: RecordingArena, step: () => void): KernelCall[] {
  const calls: KernelCall[] = []
  const open = backend as { arena: StepArena; kernels: BasicKernels }
  const { arena: usualArena, kernels } = backend
  const { random } = Math
  const draws = hostDraws.count
  let isRandom = false
  open.arena = arena
  open.kernels = recordedKernels(kernels, arena, calls)
  Math.random = () => {
    isRandom = true
    return random()
  }
  try {
    // results that are not recorded for a gradient stay in the arena, as in a backward pass: copying them out would be an effect that the list of
    // calls lacks
    arena.duringBackward(false, step)
  } finally {
    open.arena = usualArena
    open.kernels = kernels
    Math.random = random
  }
  if (isRandom || hostDraws.count !== draws) arena.obstacle ??= 'it draws random numbers in JavaScript'
  return calls
}

/** Kernels that also write down their arguments. */
function recordedKernels(kernels: BasicKernels, arena: RecordingArena, calls: KernelCall[]): BasicKernels {
  // The exports of a module are frozen, so the proxy stands before an empty object.
  return new Proxy({} as BasicKernels, {
    get(_, name: string) {
      const kernel = kernels[name as keyof BasicKernels] as ((...args: number[]) => number | undefined) | undefined
      if (kernel === undefined) return undefined
      return (...args: number[]) => {
        calls.push({ name, kernel, args, counter: null })
        const result = kernel(...args)
        // JavaScript may read what a kernel returns, which a list of calls does not record
        if (result !== undefined) arena.noteRead()
        return result
      }
    },
    set: (_, name, kernel) => Reflect.set(kernels, name, kernel),
  })
}
