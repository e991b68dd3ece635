//! The composition file: from text to a checked [`Composition`].
//!
//! In four steps: TOML with places (`document`), tables into typed drafts (`reader`, `values`, `units`, `draft`), the drafts
//! against each other (`validate`, `shadow`, `cycle`, `budget`), the composition. A composition that a component is configured with
//! is read in its place, by the same steps (`nested`). Each step goes on after a problem as
//! far as what follows still makes sense, so that a file's problems are said at once. Only `binaries` looks at the file
//! system, when asked to.

mod binaries;
mod budget;
mod composition;
mod cycle;
mod document;
mod draft;
pub mod limits;
mod nested;
mod place;
mod problem;
mod reader;
mod reporter;
mod shadow;
mod similar;
mod units;
mod validate;
mod values;

pub use composition::{Component, Composition, Config, Given, Sandbox};
pub use place::Place;
pub use problem::{Problem, Problems, ProblemsInFile, Severity};
pub use units::{NoSize, ram, written};
