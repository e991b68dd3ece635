//! x
mod bitmap;
mod error;
mod protocol;
mod sync;
pub use error::Violation;
