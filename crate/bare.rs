//! Replacements for the standard library on WebAssembly. A panic ends in a trap, without the code that formats its message. Allocation always fails;
//! the crate never allocates. (wasm-bindgen asks for an allocator; its own exports, which would call it, are left out of the module by
//! ts/build/pack/finish.mjs.)
#![allow(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::unreachable;
use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    unreachable()
}

struct NoMemory;

// SAFETY: no block is ever given, so none is read, written or freed.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        unreachable()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        unreachable()
    }
}

#[global_allocator]
static NO_MEMORY: NoMemory = NoMemory;
