/** The state of a tab: plain data that a link can hold, and the page follows. */
import { type Signal, signal } from '@preact/signals'
import type { Checks } from './checks'
import { encodeLink, withChanges } from './link'

export interface TabState<State extends object> {
  readonly name: string
  readonly defaults: State
  /** Checks of the values that a link may change. */
  readonly checks: Checks<State>
  readonly state: Signal<State>
  /** Changes some of it. */
  set(changes: Partial<State>): void
  /** Sets the defaults, with the changes of a link or a lesson. */
  restore(changes: Record<string, unknown>): void
  /** A state without the parts that no link has. */
  linked(state: State): State
  /** The text after `#`. */
  link(): string
}

/**
 * @param agreed makes parts agree that a link may have set apart, such as the number of a run that there is not
 * @param unlinked parts that no link has, such as a file of the visitor
 */
export function tabState<State extends object>(
  name: string,
  defaults: State,
  checks: Checks<State>,
  agreed = (state: State): State => state,
  unlinked: readonly (keyof State)[] = [],
): TabState<State> {
  const linked = (state: State): State => ({ ...state, ...Object.fromEntries(unlinked.map((part) => [part, defaults[part]])) })
  const state = signal(defaults)
  return {
    ...{ name, defaults, checks, state },
    set: (changes) => {
      state.value = { ...state.value, ...changes }
    },
    restore: (changes) => {
      state.value = agreed(withChanges(defaults, changes, checks))
    },
    linked,
    link: () => encodeLink(name, linked(state.value), defaults),
  }
}
