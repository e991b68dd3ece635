//! What the tests across real processes share.
//!
//! - [`villain`]: a hostile peer that speaks the wire format by raw system calls.
//!
//! The processes that the tests start are the binaries of this package.

pub mod villain;
