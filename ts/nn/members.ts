/** Members of a module: its parameters, buffers, generators and child modules, which are found among its properties. */

import { Parameter } from '../parameter.js'
import { Generator } from '../random.js'
import { BufferTensor } from './buffer.js'

/** The value of a property, with its name. */
export type Named<T> = readonly [name: string, value: T]

/** The members of one object by kind, in the order of its properties. */
export interface Members<Child> {
  readonly parameters: readonly Named<Parameter>[]
  readonly buffers: readonly Named<BufferTensor>[]
  readonly generators: readonly Named<Generator>[]
  readonly modules: readonly Named<Child>[]
}

/** Containers of modules may be nested this deep. The limit also ends the search in an object that contains itself. */
const DEEPEST = 4

/**
 * Finds the members of one object and remembers them. A later call only compares the object's properties with the remembered ones, since every method
 * of a module, `predict` above all, needs the members.
 */
export class MemberFinder<Child extends object> {
  private found: Members<Child> | undefined
  /** Names and values of all properties when the members were found; null if members are in a container that may change. */
  private properties: unknown[] | null = null

  constructor(
    private readonly owner: object,
    private readonly isChild: (value: object) => value is Child,
  ) {}

  /** The members as they are now. */
  get members(): Members<Child> {
    if (this.found === undefined || !this.isUnchanged()) this.found = this.find()
    return this.found
  }

  private isUnchanged(): boolean {
    const { properties, owner } = this
    if (properties === null) return false
    let at = 0
    for (const name in owner) {
      if (properties[at] !== name || properties[at + 1] !== owner[name as never]) return false
      at += 2
    }
    return at === properties.length
  }

  private find(): Members<Child> {
    const { owner, isChild } = this
    const parameters: Named<Parameter>[] = []
    const buffers: Named<BufferTensor>[] = []
    const generators: Named<Generator>[] = []
    const modules: Named<Child>[] = []
    let isStable = true
    const visit = (value: unknown, path: string, depth: number): void => {
      if (typeof value !== 'object' || value === null) return
      if (value instanceof Parameter) parameters.push([path, value])
      else if (value instanceof BufferTensor) buffers.push([path, value])
      else if (value instanceof Generator) generators.push([path, value])
      else if (isChild(value)) modules.push([path, value])
      else {
        const entries = entriesOf(value)
        if (entries === null) return
        isStable &&= Object.isFrozen(value) && Array.isArray(value)
        if (depth < DEEPEST) for (const [key, entry] of entries) visit(entry, `${path}.${key}`, depth + 1)
      }
    }
    const properties: unknown[] = []
    for (const name of Object.keys(owner)) {
      const value: unknown = owner[name as never]
      properties.push(name, value)
      visit(value, name, 0)
    }
    this.properties = isStable ? properties : null
    return { parameters, buffers, generators, modules: Object.freeze(modules) }
  }
}

const NOTHING: readonly [unknown, unknown][] = []

/** The entries of an array, a set, a map or a plain object; null for every other object. */
function entriesOf(value: object): Iterable<[unknown, unknown]> | null {
  if (Array.isArray(value)) return typeof value[0] === 'number' ? NOTHING : value.entries()
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    // A backend is a plain object too, with hundreds of kernels and no modules.
    return 'kernels' in value && 'heap' in value ? null : Object.entries(value)
  }
  if (value instanceof Map) return value.entries()
  return value instanceof Set ? [...value].entries() : null
}
