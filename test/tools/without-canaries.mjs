/** Test files that canaries would disturb, as they count bytes of garbage or want blocks that lie end to end. test/run.mjs runs them in a suite of their own. */
export const WITHOUT_CANARIES = ['test/train/allocation.test.ts', 'test/backend/threads/kernels.test.ts']
