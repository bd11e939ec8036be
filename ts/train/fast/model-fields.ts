/**
 * The fields of a model: everything on which a forward method may depend besides its input and the values of parameters. As long as they are the
 * same, layers of this library compute the same.
 */
import { isLayer } from '../../nn/layer.js'
import type { Module } from '../../nn/module.js'
import { Sequential } from '../../nn/sequential.js'
import { Generator } from '../../random.js'

interface Field {
  owner: object
  name: string
  value: unknown
  /** Name of the module that has the field, for messages. */
  module: string
}

/** Depth to which plain objects and arrays in a field are inspected, and the largest number of entries. */
const DEEPEST = 3
const MAX_ENTRIES = 256

/** The fields of all modules of a model, and which functions are their forward methods, as they were when this was made. */
export class ModelFields {
  /** True if all modules are layers of this library with their original forward methods. */
  readonly isBuiltIn: boolean
  /** A module whose forward method is a field of its own, set in place of the class's method. */
  readonly patched: string | null
  private readonly fields: Field[] = []

  constructor(model: Module) {
    const modules = model.modules()
    this.isBuiltIn = modules.every(isLibraryLayer)
    const patched = modules.find((module) => Object.hasOwn(module, 'forward'))
    this.patched = patched === undefined ? null : nameOf(patched)
    for (const module of modules) {
      const name = nameOf(module)
      this.add(module, 'forward', module.forward, name)
      this.addEntries(module, name, 0)
    }
  }

  /** The first field that has changed, as 'field' of module; null if none has. */
  changed(): string | null {
    const { fields } = this
    for (let i = 0; i < fields.length; i++) {
      const { owner, name, value, module } = fields[i]
      if (!Object.is((owner as Record<string, unknown>)[name], value)) return `'${name}' of ${module}`
    }
    return null
  }

  /** Name of a module whose forward method has been replaced since; null if none has. */
  replacedForward(): string | null {
    const found = this.fields.find(({ owner, name, value }) => name === 'forward' && (owner as Module).forward !== value)
    return found?.module ?? null
  }

  private addEntries(owner: object, module: string, depth: number): void {
    const names = Object.keys(owner)
    if (names.length > MAX_ENTRIES) return
    if (Array.isArray(owner)) this.add(owner, 'length', owner.length, module)
    for (const name of names) {
      const value = (owner as Record<string, unknown>)[name]
      this.add(owner, name, value, module)
      if (depth < DEEPEST && isContainer(value)) this.addEntries(value, module, depth + 1)
    }
  }

  private add(owner: object, name: string, value: unknown, module: string): void {
    this.fields.push({ owner, name, value, module })
  }
}

function nameOf(module: Module): string {
  return module.path === '' ? module.constructor.name : `${module.constructor.name} '${module.path}'`
}

function isLibraryLayer(module: Module): boolean {
  return isLayer(module) || (Object.getPrototypeOf(module) === Sequential.prototype && !Object.hasOwn(module, 'forward'))
}

/** Plain objects and arrays, except a backend, which is a plain object too, and a generator, which counts separately. */
function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || value instanceof Generator) return false
  if (Array.isArray(value)) return typeof value[0] !== 'number'
  return Object.getPrototypeOf(value) === Object.prototype && !('kernels' in value && 'heap' in value)
}
