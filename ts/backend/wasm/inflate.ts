/**
 * Deflated bytes back to what they were. Modules are carried as text, deflated by the build; engines that inflate by themselves do so
 * asynchronously, and the first use of the library may be synchronous. The build puts fflate into this file (tsup.config.ts).
 */
export { inflateSync as inflate } from 'fflate'
