//! What a component is kept from, and how it is started so.
//!
//! A [`Sandbox`] says what a component may not do; [`Sandbox::start`] runs a [`Program`] in it. The parent sets all of it up before
//! the program runs, and the program cannot leave it. [`harden`] is what the program itself adds when it has begun. [`Support`]
//! says which layers this kernel has.
//!
//! From policy to kernel: `policy`, `program` (what is wanted), `layer`, `support`, `parts` (what there is), `open`, `elf`, `libraries`, `view`,
//! `rules`, `calls`, `filter`, `owner`, `group`, `streams` (what each layer lets through), `start` (all of it put together), `birth`, `child`,
//! `step`, `delivery`, `nurse`, `one_program` (the way of a child into its sandbox, on both sides), `process`, and `sys`, where alone code may be unsafe.

mod birth;
mod calls;
mod child;
mod child_process;
mod delivery;
mod elf;
mod error;
mod filter;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod harden;
mod layer;
mod libraries;
mod nurse;
mod one_program;
mod open;
mod owner;
mod parts;
mod policy;
mod process;
mod program;
mod rules;
mod start;
mod step;
mod streams;
mod support;
mod sys;
mod view;

pub use child_process::Child;
pub use error::Error;
pub use harden::harden;
pub use layer::Layer;
pub use policy::{Bounds, MOST_DESCRIPTORS, Mode, PROGRAM, Sandbox, Streams, UnknownMode};
pub use program::Program;
pub use support::{Lack, Support};
