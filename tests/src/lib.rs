//! What the tests across real processes share.
//!
//! - [`service`]: what a well-behaved peer does when it is asked; [`remote`]: how it is asked.
//! - [`host`]: where a peer runs: in a process of its own, or on a thread of this one.
//! - [`resources`]: what a process holds of descriptors, mappings, memory and wake-ups, as the system sees it.
//! - [`stopped`]: a process that is stopped, and goes on when that is over.
//! - [`watchdog`]: ends a test that hangs.
//! - [`cores`]: keeps two spinning threads apart.
//! - [`counting_allocator`]: how often and how much a thread allocated.
//! - [`executor`]: runs tasks, and polls each only when it was woken.
//! - [`bystander`]: an honest client who notes whether anybody disturbs it.
//! - [`confinement`]: a process that dies of locks whose owner the kernel is to know.
//! - [`place`]: where an entrypoint runs, a process or a thread; [`mod@suite`]: the same tests for both.
//! - [`workshop`]: an entrypoint with typed objects, where they may run.
//! - [`station`]: an entrypoint with signal contexts, where they may run.
//! - [`authority`]: who may invoke what: a reference model, and random operations that are compared with it.
//! - [`stream`]: the two sides of packet streams, in processes of their own; [`stall`]: how they are held up at random.
//! - [`vault`]: an owner of dataspaces, who attaches those of others, too.
//! - [`intruder`]: a hostile component, in a sandbox or without.
//! - [`composed`]: compositions that run, and what their components do.
//! - [`tree`]: components under a parent, and what they do.
//! - [`villain`]: a hostile peer that speaks the wire format by raw system calls.
//!
//! The processes that the tests start are the binaries of this package. `README.md` says which test stands for which
//! line of the checklist.

pub mod authority;
pub mod bystander;
pub mod composed;
pub mod confinement;
pub mod cores;
pub mod counting_allocator;
pub mod executor;
pub mod host;
pub mod intruder;
pub mod place;
pub mod remote;
pub mod resources;
pub mod service;
pub mod stall;
pub mod station;
pub mod stopped;
pub mod stream;
pub mod suite;
pub mod tree;
pub mod vault;
pub mod villain;
pub mod watchdog;
pub mod workshop;
