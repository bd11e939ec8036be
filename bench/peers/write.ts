/**
 * Writes docs/benchmarks.md, docs/design/benchmarks.md, bench/results/peers.svg and the short table of README.md from bench/results/peers.json,
 * native.json and skinny.json.
 * `node --import tsx bench/peers/write.ts`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { crossoverPicture } from '../fleet/table.js'
import type { LimitResults } from '../native/native.js'
import { readResults } from '../results.js'
import type { SkinnyResults } from '../skinny.js'
import { draw } from './chart.js'
import { readPeers } from './results.js'
import { changedClaims, details, document, withSummary } from './table.js'

const peers = readPeers()
const inRoot = (name: string) => new URL(`../../${name}`, import.meta.url)
const before = readFileSync(inRoot('docs/design/benchmarks.md'), 'utf8')
const text = details(peers, readResults<LimitResults>('native'), readResults<SkinnyResults>('skinny'))
writeFileSync(inRoot('docs/design/benchmarks.md'), text)
writeFileSync(inRoot('docs/benchmarks.md'), document(peers))
const changed = changedClaims(before, text)
console.log(changed.length === 0 ? 'no claim has changed' : ['claims that have changed, as they are now:', ...changed].join('\n'))
writeFileSync(inRoot('bench/results/peers.svg'), await draw(peers))
writeFileSync(inRoot('docs/design/fleet-crossover.svg'), crossoverPicture())
writeFileSync(inRoot('README.md'), withSummary(readFileSync(inRoot('README.md'), 'utf8'), peers))
