/** Modules of Node, which Deno and Bun have as well. */

/** @internal a specifier that bundlers leave alone */
export function nodeModule<T>(name: string): Promise<T> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}
