/** What a task in the worker is given beside its input. */
export interface Context<Update> {
  /** Shows the page how far it is. */
  update(update: Update): void
  /** Messages that the page has sent since the last call. */
  messages(): unknown[]
  /** True once the page wants it to end. */
  readonly isStopped: boolean
  /** Lets messages in; tasks that take long await it between pieces of a few milliseconds. */
  breathe(): Promise<void>
}

/** What the worker says. */
export type Answer = { id: number } & ({ update: unknown } | { result: unknown } | { error: string })
