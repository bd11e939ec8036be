/** A task of the worker that runs again whenever its input changes. */
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Engine, Input, Name, Output } from './client'

/**
 * It waits while the input is null. With `forgets`, results for an earlier input are no longer shown.
 * @returns its result so far, and its error
 */
export function useTask<N extends Name>(
  worker: () => Engine,
  task: N,
  input: Input<N> | null,
  { forgets = false } = {},
): { result: Output<N> | null; problem: string } {
  const result = useSignal<Output<N> | null>(null)
  const problem = useSignal('')
  // A table may have megabytes.
  const key = useMemo(() => JSON.stringify(input), [input])
  useEffect(() => {
    if (forgets) result.value = null
    if (input === null) return
    // Tasks that are shown while they run send partial results.
    let isCurrent = true
    const running = worker().run(task, input, (update) => {
      if (isCurrent) result.value = update as unknown as Output<N>
    })
    running.result.then(
      (whole) => {
        // A stopped task returns its result so far, which belongs to an older input.
        if (!isCurrent) return
        result.value = whole
        problem.value = ''
      },
      (error: Error) => {
        if (isCurrent) problem.value = error.message
      },
    )
    return () => {
      isCurrent = false
      running.stop()
    }
  }, [key])
  return { result: result.value, problem: problem.value }
}
