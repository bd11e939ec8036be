/** The parameters that one update call covers. */
import type { FloatArray } from '../../backend/heap.js'
import type { Ptr } from '../../backend/kernels.js'

/** Numbers that an optimizer keeps besides its slots, one set per parameter, such as a running product or an estimate. */
export type Scalars = Record<string, number>

/** Typed arrays over the memory of a span. */
export interface SpanViews {
  p: FloatArray
  g: FloatArray
  slots: FloatArray[]
}

/** Neighboring parameters that one update call covers. */
export interface ParameterSpan {
  /** Indices of the first parameter and of the parameter after the last. */
  first: number
  end: number
  /** Values, gradients, and slot 0 of the state (slot j follows j·stride elements later). */
  p: Ptr
  g: Ptr
  s: Ptr
  /** Number of floats. */
  n: number
  /** Steps taken, including the current one. */
  t: number
  scalars: Scalars
  views: SpanViews | null
}
