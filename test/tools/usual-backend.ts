/**
 * Test files that share a process begin with the usual default backend, whichever the file before has loaded. vitest.config.ts loads this file before
 * each of them.
 */
import { inspect } from 'node:util'
import { chooseVariant } from '../../ts/backend/options.js'
import { defaultBackend, load } from '../../ts/index.js'

if (inspect(defaultBackend()) !== `Backend(${chooseVariant({})} float32, threads: 1)`) await load()
