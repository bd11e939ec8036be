/** Allowed values of optimizer options, and errors that name the option, the value and the allowed range. */

import { type Allowed, type AnySchema, anything, decay, finite, flag, nonNegative } from '../../common/options.js'

export { type Allowed, atLeast0, atLeast1, decay, nonNegative, positive, type Range } from '../../common/options.js'

/** Ranges by name of the option, for all optimizers; a class adds to them with `static allowed`. */
const RANGES: Readonly<Record<string, Allowed>> = {
  learningRate: nonNegative,
  weightDecay: nonNegative,
  momentum: nonNegative,
  epsilon: nonNegative,
  beta: decay,
  beta1: decay,
  beta2: decay,
  beta3: decay,
}

/** Declarations of a class of optimizers about its options. */
export interface Definition {
  readonly defaults: Readonly<Record<string, unknown>>
  readonly allowed: Readonly<Record<string, Allowed>>
}

const schemas = new WeakMap<Definition, AnySchema>()

/** The schema of the options of a class of optimizers. */
export function schemaOf(definition: Definition): AnySchema {
  let schema = schemas.get(definition)
  if (schema !== undefined) return schema
  const { defaults, allowed } = definition
  const optionOf = (name: string, usual: unknown) => ({
    is: allowed[name] ?? RANGES[name] ?? (typeof usual === 'number' ? finite : typeof usual === 'boolean' ? flag : anything),
    default: usual,
  })
  schema = Object.fromEntries(Object.entries(defaults).map(([name, usual]) => [name, optionOf(name, usual)]))
  schemas.set(definition, schema)
  return schema
}

/**
 * An object with the same values whose properties check assigned values and then call `changed`. `raw` keeps the values, so that hot code reads plain
 * properties.
 */
export function checked<O extends object>(raw: O, check: (name: string, value: unknown) => void, changed: (name: string) => void): O {
  const guarded = {}
  for (const name of Object.keys(raw) as (keyof O & string)[])
    Object.defineProperty(guarded, name, {
      enumerable: true,
      get: () => raw[name],
      set: (value) => {
        check(name, value)
        const before = raw[name]
        raw[name] = value
        try {
          changed(name)
        } catch (error) {
          raw[name] = before
          throw error
        }
      },
    })
  return Object.seal(guarded) as O
}

/** Saved options. JSON writes null for an infinite number, which is put back here. */
export function fromJson(saved: Readonly<Record<string, unknown>>, defaults: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const read = (name: string, value: unknown) => (value === null && typeof defaults[name] === 'number' ? Infinity : value)
  return Object.fromEntries(Object.entries(saved).map(([name, value]) => [name, read(name, value)]))
}
