//! The chain: an origin that makes an object, and hops, processes that the capability to it passes through.
//!
//! `interface` has the interfaces and what travels through them, `origin` and `hop` the two components.

pub mod hop;
mod interface;
pub mod origin;

use crate::Failure;

pub use interface::{Answer, Called, Holdings, Hop, Origin, Target};

/// The name of the origin's program.
pub const ORIGIN: &str = "chain/origin";
/// The name of a hop's program.
pub const HOP: &str = "chain/hop";

/// How many descriptors this process has open.
fn descriptors() -> Result<u32, Failure> {
    let open = std::fs::read_dir("/proc/self/fd").map_err(|error| Failure::Uncounted(error.to_string()))?;
    // One of them is that of the folder itself.
    Ok(u32::try_from(open.count().saturating_sub(1)).unwrap_or(u32::MAX))
}
