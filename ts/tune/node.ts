/** Modules of Node and optional packages, loaded when they are used, so that pages can bundle this entry without them. */
import { plainError } from '../common/errors.js'
import { nodeModule } from '../common/node-module.js'

/** @internal an optional package; @throws Error that says how to install it */
export async function loadPackage<T>(name: string, what: string, instead = ''): Promise<T> {
  try {
    return await nodeModule<T>(name)
  } catch (error) {
    throw plainError(`${what} the package ${name}, which is not there: run npm install ${name}${instead}`, { cause: error })
  }
}

/** @internal */
export type Fs = typeof import('node:fs')
/** @internal */
export type Os = typeof import('node:os')

/** @internal true if there are files and processes */
export function isNode(): boolean {
  return typeof process !== 'undefined' && typeof process.versions?.node === 'string'
}
