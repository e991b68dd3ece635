//! What makes a process a component.
//!
//! - [`sandbox`]: what a component is kept from, and how it is started so.

pub mod sandbox;
