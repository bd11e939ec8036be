/** The state of a tab: plain data that a link can hold, and the page follows. */
import { type Signal, signal } from '@preact/signals'
import { encodeLink, withChanges } from './link'

export interface TabState<State extends object> {
  readonly name: string
  readonly defaults: State
  readonly state: Signal<State>
  /** Changes some of it. */
  set(changes: Partial<State>): void
  /** The defaults, with what a link or a lesson changes. */
  restore(changes: Record<string, unknown>): void
  /** What goes after `#`. */
  link(): string
}

export function tabState<State extends object>(name: string, defaults: State): TabState<State> {
  const state = signal(defaults)
  return {
    ...{ name, defaults, state },
    set: (changes) => {
      state.value = { ...state.value, ...changes }
    },
    restore: (changes) => {
      state.value = withChanges(defaults, changes)
    },
    link: () => encodeLink(name, state.value, defaults),
  }
}
