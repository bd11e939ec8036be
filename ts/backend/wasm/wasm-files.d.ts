/** What an import of a .wasm file gives under the conditions `workerd` and `edge-light`. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
