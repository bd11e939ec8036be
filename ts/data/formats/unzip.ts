/** What unpacks: the one module for data that has fflate inside. */
export { gunzipSync, unzipSync } from 'fflate'
