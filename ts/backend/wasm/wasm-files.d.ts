/** The type of an import of a .wasm file under the conditions `workerd` and `edge-light`. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}

/** Files that `make wasm` writes: texts of modules, and of the program of a worker. Types are checked without them. */
declare module './generated/*' {
  const text: string
  export default text
}
declare module '../wasm/generated/*' {
  const text: string
  export default text
}
