/** Options of the command line: options of the library take their values, range and default from the library's schema. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { nearest } from '../../common/nearest.js'
import { type Allowed, describe, isAllowed } from '../../common/options.js'

/** An option of the library, as its schema declares it. */
interface Declared {
  is: Allowed
  default?: unknown
}

/** An option that takes the values of a schema, and has its default. @param read makes the value from text, if it is neither a number nor a name */
export function flag(flags: string, about: string, { is, default: usual }: Declared, read = readerOf(is)): Option {
  return new Option(flags, about).default(usual).argParser(read)
}

/** A reader for numbers of a range, or one of some names, upper or lower case, with dashes or without. */
export function readerOf(allowed: Allowed): (text: string) => unknown {
  if (isNames(allowed)) return oneOf(allowed)
  const { or = [] } = allowed as { or?: readonly unknown[] }
  return (text) => checked(or.includes(text) ? text : numberFrom(text), allowed)
}

/** @throws InvalidArgumentError for a value that is not allowed */
export function checked<T>(value: T, allowed: Allowed, wants = describe(allowed)): T {
  if (!isAllowed(value, allowed)) throw new InvalidArgumentError(`Wants ${wants}.`)
  return value
}

function isNames(allowed: Allowed): allowed is readonly string[] {
  return Array.isArray(allowed)
}

/** The number that a text has; NaN for blanks, which `Number` reads as 0. */
export function numberFrom(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

/** A reader for one of some names, upper or lower case, with dashes or without. */
export function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const letters = plain(text)
    // a sign, such as a blank between thousands, has none
    const found = names.find((name) => name === text) ?? names.find((name) => letters !== '' && plain(name) === letters)
    if (found !== undefined) return found
    const near = nearest(text, names)
    throw new InvalidArgumentError(
      near === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${near}? There are ${names.join(', ')}.`,
    )
  }
}

/** A reader for durations: `60`, `60s`, `5m`, `1.5h`, in seconds. */
export function seconds(text: string): number {
  const [, number, unit] = /^([\d.]+)\s*(s|sec|m|min|h)?$/i.exec(text.trim()) ?? []
  const value = Number(number) * ({ m: 60, h: 3600 }[(unit ?? 's')[0].toLowerCase()] ?? 1)
  return checked(value, { min: 1, max: 1e6 }, 'a duration of a second or more, such as 60s, 5m or 1h')
}

/** The first option of these attributes that the user gave, such as `--test-fraction`. */
export function givenFlag(command: Command, names: readonly string[]): string | undefined {
  const given = names.find((name) => command.getOptionValueSource(name) === 'cli')
  return command.options.find((option) => option.attributeName() === given)?.long ?? undefined
}

/** @throws Error for an option that pictures do not have. @param own attributes of the options that they have */
export function checkForPictures(command: Command, data: string, own: readonly string[], kind = 'a folder of pictures'): void {
  const others = command.options.map((option) => option.attributeName()).filter((name) => !own.includes(name))
  const wrong = givenFlag(command, others)
  if (wrong !== undefined) throw new Error(`${wrong} is not for ${kind}, which ${data} is`)
}

/** `missingValues` → `missing-values` */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

const plain = (name: string) => name.toLowerCase().replace(/[-_ ]/g, '')
