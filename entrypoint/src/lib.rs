//! Entrypoints.
#![forbid(unsafe_code)]

mod entrypoint;
mod error;
mod handle;
mod object;
mod pool;
mod promise;
mod revocable;
mod serving;
#[cfg(feature = "tokio")]
mod tokio;
mod turn;
mod weak;

pub use entrypoint::Entrypoint;
pub use error::Error;
pub use handle::EntrypointHandle;
pub use revocable::Revocable;
pub use weak::WeakEntrypoint;
