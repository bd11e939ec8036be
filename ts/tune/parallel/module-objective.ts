/** Objectives in modules, which workers load. */

/** An objective in a module: its default export, or the result of a factory in it with some options. */
export interface ModuleObjective {
  /** Its URL, or the path of a file. */
  module: URL | string
  /** Name of an exported function that makes the objective. Default: the default export is the objective. */
  factory?: string
  /** Options for the factory: any JSON value. */
  options?: unknown
  /** Name of the module for workers of a queue, as in their `modules`. Default: the name of its file, such as `objective.js`. */
  name?: string
}

export function isModuleObjective(objective: unknown): objective is ModuleObjective {
  return typeof objective === 'object' && objective !== null && 'module' in objective
}

/** The URL of a module, which may be given as the path of a file. */
export function urlOf(module: URL | string, pathToFileURL: (path: string) => URL): string {
  if (module instanceof URL) return module.href
  return /^[a-z]+:/.test(module) ? module : pathToFileURL(module).href
}
