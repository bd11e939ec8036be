/** Modules of Node, which Deno and Bun have as well, and optional packages; loaded when they are used, so that pages can bundle what names them. */

/** @internal by a specifier that bundlers leave alone */
export function nodeModule<T>(name: string): Promise<T> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}
