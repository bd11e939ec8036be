/** Replaces widen.ts in builds that cannot set a V8 flag: in bundles that are not made for Node, and in `gradus/js`. */
import type { Backend } from '../backend.js'
import type { Variant } from './variants.js'

export const enableWidening = (): boolean => false
export const engineOf = (variant: Variant): string => variant
export const checkWidened = (_backend: Backend): boolean => false
