/**
 * Runs a task for the latest input alone: while one run is under way, a newer input waits in place of the one that waited before.
 *
 * @returns a function that asks for a run
 */
export function latest<Input>(run: (input: Input) => Promise<unknown>): (input: Input) => Promise<void> {
  let waiting: { input: Input } | null = null
  let isBusy = false
  return async (input) => {
    waiting = { input }
    if (isBusy) return
    isBusy = true
    while (waiting) {
      const { input }: { input: Input } = waiting
      waiting = null
      await run(input)
    }
    isBusy = false
  }
}
