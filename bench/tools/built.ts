/**
 * gradus as `make build` makes it. Benchmarks that count steps take this one: tsx keeps the names of functions by a call for each, so that a
 * loop over the sources makes half as many steps of small nets as users get. Types are those of the sources, so that they can be checked
 * before there is a build.
 */
import type * as Debug from '../../ts/debug/index.js'
import type * as Gradus from '../../ts/index.js'

const builtAs = (name: string) => import(new URL(`../../dist/${name}.js`, import.meta.url).href)

export const gradus: typeof Gradus = await builtAs('node')
export const debug: typeof Debug = await builtAs('debug')
