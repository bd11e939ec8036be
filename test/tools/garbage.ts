/** Garbage collection on demand, without a flag of the process. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects all garbage now. Finalizers run in a later turn of the event loop. */
export const collectGarbage: () => void = runInNewContext('gc')
