//! Prefetching of memory pages.
#![allow(unsafe_code)]

/// Reads x\[at\], if it exists, so that the processor finds its page of memory: WebAssembly has no prefetch.
#[inline(always)]
pub fn touch<T>(x: &[T], at: usize) {
    if let Some(x) = x.get(at) {
        // SAFETY: a reference is valid for reads; volatile, or the compiler would drop it.
        unsafe { core::ptr::from_ref(x).cast::<u8>().read_volatile() };
    }
}
