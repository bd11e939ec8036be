/** The optimizers to choose from, with the properties that the page needs; the worker makes them by name. */
import { first, KNOWN, type Method, SCALED } from './known-methods'

export type { Method } from './known-methods'

/** Optimizers of the library that known-methods.ts does not name, from vite.config.ts: the default rate, and the update as a formula. */
declare const OTHER_METHODS: readonly [name: string, rate: number, update: string][]
/** Steps are few and short here, so that default rates, which are for long trainings, would hardly move. Adam's is 0.001, and 0.02 suits it. */
const FASTER = 20

export const METHODS: readonly Method[] = [
  ...KNOWN.filter(({ order }) => order === 1),
  ...OTHER_METHODS.map(([name, rate, update]) => first(name, name, FASTER * rate, FASTER * rate, `${update}.`)),
  ...KNOWN.filter(({ order }) => order === 2),
].map((method) => ({ ...method, isScaled: SCALED.has(method.id) }))

export const FIRST_ORDER = METHODS.filter(({ order }) => order === 1)
export const SECOND_ORDER = METHODS.filter(({ order }) => order === 2)

const BY_ID = new Map(METHODS.map((method) => [method.id, method]))

/** @throws Error for a name that there is not */
export function methodOf(id: string): Method {
  const method = BY_ID.get(id)
  if (!method) throw new Error(`there is no optimizer '${id}'`)
  return method
}
