//! How often and how much a thread allocated.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with counts for each thread. A binary that wants to count makes it its
/// `#[global_allocator]`.
#[derive(Debug)]
pub struct CountingAllocator;

thread_local! {
    // Without a destructor and initialised at compile time, so that reaching it never allocates.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// How often the calling thread has allocated or reallocated. Always 0 if the binary does not use
/// [`CountingAllocator`].
#[must_use]
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// How many bytes the calling thread has asked for, whether it has given them back or not. Always 0 if the binary does
/// not use [`CountingAllocator`].
#[must_use]
pub fn allocated_bytes() -> u64 {
    BYTES.get()
}

fn count(size: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get().wrapping_add(size as u64));
}

// SAFETY:
// - every request goes to the system's allocator unchanged, and so do its answers: its contract is ours;
// - the counts neither allocate nor unwind (it would take 2⁶⁴ allocations to overflow).
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, and the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller keeps the contract, and the block came from `System`.
        unsafe { System.realloc(block, layout, size) }
    }
}
