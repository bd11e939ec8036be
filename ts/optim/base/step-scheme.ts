/**
 * What a step of an optimizer does besides its update, as programs of many steps need to know it (ts/train/fast/step-program.ts). An
 * optimizer that is no wrapper evaluates a batch and updates; wrappers around it describe theirs in `stepScheme()`.
 */
import type { Kernel, Ptr } from '../../backend/kernels.js'
import type { Parameter } from '../../parameter.js'

/** @internal A kernel, and what it is called with. */
export interface PlainCall {
  readonly name: string
  readonly kernel: Kernel
  readonly args: readonly number[]
}

/** @internal A second evaluation of the same batch between the first one and the update, and the calls around it (SAM). */
export interface SecondEvaluation {
  readonly before: readonly PlainCall[]
  /** A float that is not finite after `before` where there is no second evaluation: the update follows at once. */
  readonly isSkipped: Ptr
  /** Runs after the second evaluation, also where its loss is not finite. */
  readonly after: readonly PlainCall[]
  /** Called before steps run. */
  refresh(): void
}

/** @internal What a step of a wrapper consists of. */
export interface StepScheme {
  /** The optimizer that updates. */
  readonly optimizer: object
  /** Batches to an update, whose gradients are added up. */
  readonly batches: number
  /** What the update multiplies gradients by. */
  readonly gradientScale: number
  /** Whether no batch waits for others. */
  readonly isComplete: boolean
  /** @param parameters those that get a gradient. @throws OutOfMemoryError */
  secondEvaluation?(parameters: readonly Parameter[], allocate: (bytes: number) => Ptr): SecondEvaluation | null
}
