//! What is told of the results.

pub mod plot;
pub(crate) mod row;
pub mod table;
