/** Tiers of the test files (test/tiers.json). */
import { readdirSync, readFileSync } from 'node:fs'

const { unit, external } = JSON.parse(readFileSync(new URL('../tiers.json', import.meta.url), 'utf8'))

/** Names of files and folders: those of the tier 'unit', and what those of the tier 'external' need. */
export const UNIT = unit
export const EXTERNAL = external

const fits = (name, file) => (name.endsWith('/') ? file.startsWith(name) : file === name)

/** The tier of a test file, by its path from the top folder; undefined if it has none. */
export function tierOf(file) {
  if (Object.keys(external).some((name) => fits(name, file))) return 'external'
  return unit.some((name) => fits(name, file)) ? 'unit' : undefined
}

/** All test files of a folder such as 'test', by their paths from the top folder. */
export const testFilesIn = (folder) =>
  readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts'))

/** The files of a folder that a run of this tier leaves out. Without a tier all files run. */
export const leftOut = (folder, tier) => (tier === undefined ? [] : testFilesIn(folder).filter((file) => tierOf(file) !== tier))
