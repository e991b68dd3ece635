//! Entrypoints: a thread, the objects that it manages, and the calls and signals that they serve, never two handlers at
//! once.
//!
//! # The life of an object
//! ```text
//!   manage ──> in the pool <──────────────────┐
//!                 │   a call, `apply`, a notice │ the handler returns (or panics)
//!                 └────────> checked out ───────┘
//!                                 │ `dissolve`, of itself too: every capability is dead now
//!   `dissolve` ──> waits ────────<┘ until no handler runs ──> dropped
//!   `take`, while it is in the pool ──> back to whoever managed it
//! ```
//! [`manage`](Entrypoint::manage) makes a distinct identity whose destination is the entrypoint, puts the object
//! into the pool under the badge that goes with it, and answers with the typed capability. Nobody has any authority
//! over the object before that is delegated, in an argument or a result.
//!
//! # The life of a call
//! The entrypoint wakes with a badge, the entrypoint's own name for the object, and a message. The pool knows the
//! object of that badge; if there is none, the client is told so. The object is checked out, its interface decodes
//! the arguments by opcode and runs the method. The result is sent, the object goes back, and the entrypoint is ready
//! for the next call. A method that answers [`Later`](portcullis_rpc::Later) leaves
//! its client waiting, and nobody else.
//!
//! # Handlers
//! A handler is a method that is called, the handler of a [signal](Entrypoint::handle_signal), the closure of an
//! [`apply`](Entrypoint::apply), a closure that was [posted](EntrypointHandle::post) by another thread, or the notice that
//! nobody [holds](Entrypoint::manage_counted) an object any more. They run one after the other; only `apply`, and signals
//! that a handler [waits](Entrypoint::wait_and_dispatch_one_io_signal) for, run inside of another. Between them, and never
//! inside one, dissolved objects are dropped; between them, and while one waits for signals, answers that were given later
//! are sent. What a handler may do:
//!
//! | from inside a method | what happens |
//! |---|---|
//! | `manage` | at once |
//! | `dissolve` of itself | the capabilities are dead now, the object is dropped when the method has returned and answered |
//! | `dissolve` of another | the same; nobody's drop runs inside of this method |
//! | `apply` on itself or `take` of itself, or of one further up the stack | [`Error::Busy`] |
//! | `apply` on another | runs at once |
//! | a call to an object elsewhere | waits, for as long as the caller of this method does at most; the entrypoint serves nobody meanwhile |
//! | a call to an object of the same entrypoint, by whatever way | [`CallCycle`](portcullis_rpc::Error::CallCycle), at once: use `apply` |
//! | a call to an object elsewhere that calls back, directly or through others, or two entrypoints that call each other at once | `CallCycle`, at once, at one of them: answer [`Later`](portcullis_rpc::Later) |
//! | `submit` of a signal, to a context of its own entrypoint, too | at once, without waiting; the handler runs when its turn comes |
//! | `wait_and_dispatch_one_io_signal(self)` | waits for one signal for I/O, and runs its handler, with this very object if it is bound to it |
//! | `dissolve_signal` of the context whose handler runs | no other run begins; this one goes on |
//! | `run`, `run_until`, `dispatch_ready` | [`Error::Nested`] |
//! | a panic | the client is told ([`ServerPanicked`](portcullis_rpc::Error::ServerPanicked)), the entrypoint lives on, the object stays in the pool as the panic left it |
//!
//! An object is not poisoned by a panic: what it left half done only its author can know. Who wants it gone catches
//! the panic and calls [`dissolve_current`](Entrypoint::dissolve_current). Programs that are built to abort on a
//! panic end with it.
//!
//! # Who waits for whom
//! - The thread that made an entrypoint serves it: by [`run`](Entrypoint::run), or from within a foreign event loop
//!   by [`dispatch_ready`](Entrypoint::dispatch_ready), or as a tokio task (feature `tokio`).
//! - Objects that are managed from the entrypoint's own thread need not be `Send`. Other threads have an
//!   [`EntrypointHandle`].
//! - An entrypoint never waits for its clients. It waits for those whom its methods call; not for those whom its
//!   [tasks](Entrypoint::spawn) call.
//!
//! # Signals
//! A signal says that something has happened, and nothing of what. `docs/signals.md` tells its life. Threads that are no
//! entrypoint have a [`SignalReceiver`].
//!
//! The modules: the parts of an entrypoint (`entrypoint`), its objects (`pool`, `object`), its signals (`signals`,
//! `handlers`; `receiver` and `stream` for others), whose turn it is (`turn`), the loop (`serving`), what it waits for meanwhile (`tasks`), and who refers to it (`weak`, `handle` with `promise`, `revocable`). With the feature
//! `trace`, a subscriber of `tracing` sees what is served (`trace`).
#![forbid(unsafe_code)]

mod entrypoint;
mod error;
mod handle;
mod handlers;
mod object;
mod pool;
mod promise;
mod receiver;
mod revocable;
mod serving;
mod signals;
#[cfg(feature = "tokio")]
mod stream;
mod tasks;
#[cfg(feature = "tokio")]
mod tokio;
mod trace;
mod turn;
mod weak;

pub use entrypoint::Entrypoint;
pub use error::Error;
pub use handle::EntrypointHandle;
pub use portcullis_ipc::SignalLevel;
pub use receiver::{SignalContext, SignalReceiver};
pub use revocable::Revocable;
#[cfg(feature = "tokio")]
pub use stream::SignalStream;
pub use weak::WeakEntrypoint;
