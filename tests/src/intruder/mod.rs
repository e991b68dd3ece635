//! A hostile component: it tries what it is told to try, and says what came of it.
//!
//! - [`attempt`]: what can be tried, and how.
//! - [`defiance`]: what it is that does not end.
//! - `raw`: by which system calls.
//! - [`cell`]: where the tests put it, and how they ask.

pub mod attempt;
pub mod cell;
pub mod defiance;
mod raw;
