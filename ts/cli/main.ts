#!/usr/bin/env node
/**
 * The command `gradus`. Node 22 and later keep compiled JavaScript between runs where a program asks for it before it imports the rest, so
 * the command itself is another file, command.ts: from the second run on it starts in two thirds of the time.
 */
import module from 'node:module'

const { enableCompileCache } = module as { enableCompileCache?(): unknown }
enableCompileCache?.()
const { run } = await import('./command.js')
// A reader that has seen enough (head, less) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
await run(process.argv.slice(2))
