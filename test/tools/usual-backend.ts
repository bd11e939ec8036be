/**
 * Test files that share a process begin with the usual default backend and the usual clock, whatever the file before has left. vitest.config.ts loads
 * this file before each of them.
 */
import { inspect } from 'node:util'
import { chooseVariant } from '../../ts/backend/options.js'
import { clock } from '../../ts/common/clock.js'
import { defaultBackend, load } from '../../ts/index.js'

const shared = globalThis as { usualClock?: typeof clock.now }
shared.usualClock ??= clock.now
clock.now = shared.usualClock

if (inspect(defaultBackend()) !== `Backend(${chooseVariant({})} float32, threads: 1)`) await load()
