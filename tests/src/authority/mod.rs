//! Who may invoke what: a reference model, and random operations over real processes that are compared with it.
//!
//! - [`op`]: what can be done with authority, and what may come of it.
//! - [`model`]: the reference: which objects there are, who holds what, and so who may invoke what.
//! - [`generate`]: random operations from a seed.
//! - [`actor`]: an entrypoint that does what it is told with the capabilities it holds; [`orders`]: how it is told.
//! - [`fleet`]: the processes, each with several actors, and the operations carried out by them.
//! - [`run`]: both side by side, until they diverge.
//! - [`shrink`]: the few operations of a failed run that matter; [`simpler`]: what may stand for one of them.
//! - [`concurrent`]: several runs at once through the same actors, less strictly compared.
//!
//! One operation at a time, nothing is a matter of luck: whether a call succeeds, and which object answers, is the
//! model's to say. Two things it leaves open, since they depend on the way that a capability came: by which of two
//! errors a dead one is known, and whether a dissolved object is refused as an argument of its own entrypoint or
//! passed on to be found dead later.

pub mod actor;
pub mod concurrent;
pub mod fleet;
pub mod generate;
pub mod model;
pub mod op;
pub mod orders;
pub mod run;
pub mod shrink;
pub mod simpler;
