/** Decompression: the one module for data that contains fflate. */
export { gunzipSync, unzipSync } from 'fflate'
