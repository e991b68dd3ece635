//! What a nested call inherits from the call that the thread is serving, and what it knows of the thread's servers.

use crate::deadline::Deadline;
use crate::due::Due;
use crate::entrypoint_id::EntrypointId;
use crate::server::insight::Insight;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The handler that a thread runs: mostly for a call.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    /// Its call chain.
    pub(crate) chain: u64,
    /// When its caller wants the answer.
    pub(crate) due: Due,
    /// The server that serves it.
    pub(crate) server: EntrypointId,
}

impl Context {
    /// Of a handler that nobody waits for.
    #[inline]
    pub(crate) fn unasked(server: EntrypointId) -> Context {
        Context { chain: UNDRAWN, due: Due::NEVER, server }
    }
}

/// The chain of a handler that nobody waits for, until it calls.
const UNDRAWN: u64 = 0;

/// What a call that starts now goes by.
pub(crate) struct Terms {
    pub(crate) chain: u64,
    pub(crate) deadline: Deadline,
    /// The server from within whose handler it is made.
    pub(crate) server: Option<EntrypointId>,
}

thread_local! {
    static SERVING: Cell<Option<Context>> = const { Cell::new(None) };
    static SERVERS: RefCell<Vec<Rc<Insight>>> = const { RefCell::new(Vec::new()) };
    static NEXT_CHAIN: Cell<u64> = const { Cell::new(0) };
}

/// Says what the thread serves from now on.
#[inline]
pub(crate) fn serve(context: Option<Context>) {
    // `with` and not `set`: the latter is not inlined.
    SERVING.with(|serving| serving.set(context));
}

/// What the thread serves now.
pub(crate) fn serving() -> Option<Context> {
    SERVING.with(Cell::get)
}

/// How long something may take that is no call: never more than the served call has left.
pub(crate) fn limit(deadline: Deadline) -> Deadline {
    serving().map_or(deadline, |context| deadline.min(context.due.left()))
}

/// The chain of a call that starts now, and what it may take: never more than the served call has left.
#[inline]
pub(crate) fn start_call(deadline: Deadline) -> Terms {
    match SERVING.with(Cell::get) {
        None => Terms { chain: fresh_chain(), deadline, server: None },
        Some(Context { mut chain, due, server }) => {
            if chain == UNDRAWN {
                chain = fresh_chain();
                serve(Some(Context { chain, due, server }));
            }
            Terms { chain, deadline: deadline.min(due.left()), server: Some(server) }
        }
    }
}

/// A server begins on this thread.
pub(crate) fn add_server(server: Rc<Insight>) {
    SERVERS.with_borrow_mut(|servers| servers.push(server));
}

/// A server of this thread ends.
pub(crate) fn remove_server(id: EntrypointId) {
    // A thread that ends drops its servers when this may be gone already.
    let _ = SERVERS.try_with(|servers| servers.borrow_mut().retain(|server| server.home.id() != id));
}

/// The server of that name, if it is one of this thread.
pub(crate) fn server(id: EntrypointId) -> Option<Rc<Insight>> {
    SERVERS.with_borrow(|servers| servers.iter().find(|server| server.home.id() == id).cloned())
}

/// Whether the server of that name is one of this thread.
pub(crate) fn is_here(id: EntrypointId) -> bool {
    server(id).is_some()
}

/// A chain that nobody else has: a random start, then steps through all of 64 bits in scrambled order.
#[inline]
fn fresh_chain() -> u64 {
    let mut chain = NEXT_CHAIN.with(Cell::get);
    if chain == 0 {
        chain = crate::random::word();
    }
    chain = chain.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    NEXT_CHAIN.with(|next| next.set(chain));
    chain
}
