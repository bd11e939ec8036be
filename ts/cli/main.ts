#!/usr/bin/env node
/**
 * The command `gradus`. Node caches compiled JavaScript between runs if a program requests it before it imports the rest. So the command itself is
 * another file, command.ts, and from the second run on it starts in two thirds of the time.
 */
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `gradus wants Node 22.13 or newer, got ${process.versions.node}; install it from nodejs.org, or beside gradus: npm install node@22`,
  )
  process.exit(1)
}
// Deno has no such cache
module.enableCompileCache?.()
const { run } = await import('./command.js')
// A reader that stops early (head, less) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
await run(process.argv.slice(2))
