/** `resume-main.mjs EPOCHS SAVE [FROM]`: resume.mjs on a disk. */
import * as gradus from 'gradus'
import { trainUntil } from './resume.mjs'

const [epochs, save, from] = (globalThis.Deno?.args ?? process.argv.slice(2)).map(String)
console.log(JSON.stringify(await trainUntil(gradus, Number(epochs), { save, ...(from && { from }) })))
