/** The second argument of a task in the worker; the first is its input. */
export interface Context<Update> {
  /** Sends the progress to the page. */
  update(update: Update): void
  /** Messages that the page has sent since the last call. */
  messages(): unknown[]
  /** True once the page wants it to end. */
  readonly isStopped: boolean
  /** Lets messages in; tasks that take long await it between pieces of a few milliseconds. */
  breathe(): Promise<void>
}

/** A message of the worker. */
export type Answer = { id: number } & ({ update: unknown } | { result: unknown } | { error: string })
