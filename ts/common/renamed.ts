/** Old names of options, which work for one more version. CONTRIBUTING.md lists the words that replaced them. */
import { rangeError } from './errors.js'
import { warnOnce } from './warn.js'

/** Old names, and the name of each today. */
export type Renames = Readonly<Record<string, string>>

/**
 * Options under their current names: an option with an old name is renamed, with a warning the first time. Anything else is returned unchanged, for
 * later checks.
 * @param warns false for options from a file, whose names no one can change
 * @throws RangeError for an option that was given under both names
 * @internal
 */
export function withNewNames<O>(owner: string, options: O, renames: Renames, warns = true): O {
  let renamed = options as Record<string, unknown>
  for (const old of Object.keys(Object(options)))
    if (Object.hasOwn(renames, old)) renamed = withNewName(owner, renamed, old, renames[old], warns)
  return renamed as O
}

/** @internal {@link withNewNames} for a single option that was given under its old name */
export function withNewName(owner: string, options: object, old: string, name: string, warns = true): Record<string, unknown> {
  const { [old]: value, ...others } = options as Record<string, unknown>
  if (name in others) throw rangeError(`${owner}: '${old}' is the old name of '${name}', and both are there; leave out '${old}'`)
  if (warns) warnOnce(`${owner}: the option '${old}' is called '${name}' now; its old name goes with the next version`)
  return { ...others, [name]: value }
}
