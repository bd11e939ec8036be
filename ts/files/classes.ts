/** User-defined classes in model files, under names that no minifier changes. */

import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import { Module } from '../nn/module.js'

/** Functions that save the objects of a class and rebuild them. */
export interface ClassInFiles<T extends object, Config> {
  /**
   * Returns the value from which {@link load} rebuilds the object: numbers, texts, lists and plain objects of them, typed arrays, and layers and
   * models, which come back as layers and models. Weights are saved separately.
   */
  save(value: T): Config
  /** Rebuilds an object, before weights are loaded into it. It gets the result of {@link save}, perhaps from a stranger's file: check it. */
  load(config: Config): T
}

/** @internal a class that is known, with its name */
export interface KnownClass {
  readonly name: string
  readonly how: ClassInFiles<object, unknown> | undefined
}

const byClass = new Map<unknown, KnownClass>()
const byName = new Map<string, { Class: unknown; known: KnownClass }>()

/**
 * Lets {@link saveModel} and {@link loadModel} keep layers, models and optimizers of a class of your own, under a name that minifiers do not change.
 * The class then has this name in files, messages and states of optimizers. Call it once, next to the class, both in the program that saves and in
 * the program that loads.
 *
 * Files contain no code: they have the name and the result of `save`, from which the class registered here rebuilds the object.
 *
 * @param how functions that save and rebuild a layer or model. Not needed for a class whose constructor takes no arguments, and for optimizers, which
 * are saved as states
 * @example
 * class Residual extends Module {
 *   hidden: Dense
 *   constructor(readonly width: number) {
 *     super()
 *     this.hidden = new Dense(width, width, { activation: 'relu' })
 *   }
 *   forward(x: Tensor) {
 *     return add(x, this.hidden.forward(x))
 *   }
 * }
 * registerClass('Residual', Residual, { save: ({ width }) => ({ width }), load: ({ width }) => new Residual(width) })
 * const model = decodeModel(encodeModel(new Sequential([new Residual(8), new Dense(8, 2)])))
 * @throws TypeError if `Class` is not a class, or is a layer whose constructor takes arguments and `how` is missing
 */
export function registerClass<T extends object, Config>(
  name: string,
  Class: abstract new (...args: never[]) => T,
  how?: ClassInFiles<T, Config>,
): void {
  if (typeof name !== 'string' || name === '') throw typeError(`registerClass: wants a name, got ${show(name)}`)
  if (typeof Class !== 'function' || Class.prototype === undefined)
    throw typeError(`registerClass: '${name}' wants a class, got ${show(Class)}`)
  if (how !== undefined && !(typeof how?.save === 'function' && typeof how.load === 'function'))
    throw typeError(`registerClass: '${name}' wants { save, load }, two functions, got ${show(how)}`)
  const isLayer = Class.prototype instanceof Module
  if (isLayer && how === undefined && Class.length > 0)
    throw typeError(
      `registerClass: the constructor of '${name}' takes ${Class.length} argument${Class.length === 1 ? '' : 's'}; say how it is made again: { save: (layer) => …, load: (config) => new ${name}(…) }`,
    )
  const before = byName.get(name)
  if (before !== undefined && before.Class !== Class) {
    byClass.delete(before.Class)
    warnOnce(`registerClass: there is another class named '${name}' now; files that name it are read with the last one`)
  }
  // minifiers rename classes; the `name` of a class is not writable, but configurable
  Object.defineProperty(Class, 'name', { value: name, configurable: true })
  const withoutArguments = { save: () => ({}), load: () => new (Class as unknown as new () => T)() }
  const known: KnownClass = { name, how: (how ?? (isLayer ? withoutArguments : undefined)) as KnownClass['how'] }
  byClass.set(Class, known)
  byName.set(name, { Class, known })
}

/** @internal the registered class of an object */
export function registeredClass(value: object): KnownClass | undefined {
  return byClass.get(value.constructor)
}

/** @internal the registered class of that name. @throws RangeError if none is registered, or if it cannot be in files */
export function classNamed(name: unknown): KnownClass & { how: ClassInFiles<object, unknown> } {
  const known = typeof name === 'string' ? byName.get(name)?.known : undefined
  if (known?.how === undefined)
    throw rangeError(
      `the file holds a ${show(name)}, a class that this program does not know; import what defines it, or registerClass(${show(name)}, …) first`,
    )
  return known as KnownClass & { how: ClassInFiles<object, unknown> }
}
