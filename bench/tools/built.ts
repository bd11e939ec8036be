/**
 * gradus as built by `make build`. Benchmarks that count steps use it: tsx adds a call for each function to keep its name, so with the sources small
 * nets would take half as many steps per second as users get. Types are those of the sources, so that they can be checked before there is a build.
 */
import type * as Debug from '../../ts/debug/index.js'
import type * as Gradus from '../../ts/index.js'

const builtAs = (name: string) => import(new URL(`../../dist/${name}.js`, import.meta.url).href)

export const gradus: typeof Gradus = await builtAs('node')
export const debug: typeof Debug = await builtAs('debug')
