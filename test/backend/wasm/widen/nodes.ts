/**
 * The Nodes on which widening is tested: the one of devDependencies, the Node 24 that `make test` installs, and those that `make runtimes` has
 * installed.
 */

import { existsSync, readFileSync } from 'node:fs'
import type { Variant } from '../../../../ts/backend/wasm/variants.js'

const installed = (name: string): string =>
  [name, 'runtimes', 'peers'].map((folder) => `.cache/${folder}/node_modules/${name}/bin/node`).find((file) => existsSync(file)) ?? ''

/** `variants`: what that V8 widens. Node 22 widens all but the fused multiply-add. */
export const NODES = [
  { title: 'Node 22', node: 'node_modules/node/bin/node', variants: ['simd'] as readonly Variant[] },
  { title: 'Node 24', node: installed('node-24'), variants: ['simd', 'relaxed'] as readonly Variant[] },
  { title: 'Node 26', node: installed('node-26'), variants: ['simd', 'relaxed'] as readonly Variant[] },
].filter(({ node }) => existsSync(node))

/** V8 widens on x86 with AVX2 alone. */
export const hasAvx2 = process.arch === 'x64' && (!existsSync('/proc/cpuinfo') || /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8')))
