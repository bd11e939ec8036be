import { tabState } from '../tab-state'

/** The benchmark has nothing to choose. */
export type BenchmarkState = Record<never, never>

export const benchmarkTab = tabState<BenchmarkState>('benchmark', {}, {})
