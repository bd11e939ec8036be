/** Serves the built page and opens it: `make play`. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { serve } from '../test/serve.ts'

const { url } = await serve(fileURLToPath(new URL('../dist', import.meta.url)))
console.log(`the playground is at ${url} (Ctrl-C ends it)`)
const opener = { darwin: 'open', win32: 'start' }[process.platform] ?? 'xdg-open'
spawn(opener, [url], { stdio: 'ignore', detached: true, shell: process.platform === 'win32' }).on('error', () => {})
