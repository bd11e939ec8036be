/**
 * Every state as a link: `#tab/…`, followed by the differences from the tab's defaults, as JSON in base64url. A link from an older page lacks newer
 * options, which then have their defaults.
 */

import type { Checks } from './checks'

/** Plain data: numbers, texts, booleans, lists and records of them. */
export type Plain = number | string | boolean | null | readonly Plain[] | { readonly [name: string]: Plain }

/** @returns the text after `#` */
export function encodeLink(tab: string, state: object, defaults: object): string {
  const changed = Object.entries(state).filter(([name, value]) => !same(value, (defaults as Record<string, unknown>)[name]))
  if (changed.length === 0) return tab
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(changed)))
  // a table may have more bytes than a call takes arguments
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return `${tab}/${text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`
}

/** @returns the tab and the differences of its state; empty for a text that is not such a link */
export function decodeLink(hash: string): { tab: string; changes: Record<string, unknown> } {
  const [tab, text = ''] = hash.replace(/^#/, '').split('/')
  if (text === '') return { tab, changes: {} }
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    const changes: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return { tab, changes: isRecord(changes) ? changes : {} }
  } catch {
    return { tab, changes: {} }
  }
}

/** The defaults with the changes of a link; a value that its check refuses is left out. */
export function withChanges<State extends object>(defaults: State, changes: Record<string, unknown>, checks: Checks<State>): State {
  const kept = Object.entries(defaults).map(([name, value]) => {
    const isGood = Object.hasOwn(changes, name) && checks[name as keyof State](changes[name])
    return [name, isGood ? changes[name] : value]
  })
  return Object.fromEntries(kept) as State
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
