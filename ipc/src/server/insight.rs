//! What the calls that a server's own thread makes know of the server.

use super::home::Home;
use crate::sys::memory::Words;
use crate::wire::head::{self, RowName};
use crate::wire::layout::{self, LaneId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A server as its own thread sees it, beside the server itself, which is in use while a handler runs.
#[derive(Debug)]
pub(crate) struct Insight {
    pub(crate) home: Arc<Home>,
    /// The memory of its ports.
    memory: RefCell<BTreeMap<RowName, Words>>,
}

impl Insight {
    pub(crate) fn new(home: Arc<Home>) -> Insight {
        Insight { home, memory: RefCell::default() }
    }

    /// A port has memory from now on.
    pub(crate) fn add(&self, port: RowName, words: Words) {
        self.memory.borrow_mut().insert(port, words);
    }

    /// A port is closed.
    pub(crate) fn remove(&self, port: RowName) {
        self.memory.borrow_mut().remove(&port);
    }

    /// Whether somebody who calls us in that chain waits for our answer, as far as our ports tell.
    ///
    /// He says so himself, in words that he forgets only when he runs again; but if his last request in that chain is
    /// answered, he is about to run. A request that has not come to us is behind a portal that we have not looked at.
    pub(crate) fn owes(&self, chain: u64) -> bool {
        let mut answered = false;
        for words in self.memory.borrow().values() {
            for lane in LaneId::all() {
                if words[lane.request() + layout::CHAIN].load(Ordering::Relaxed) != chain {
                    continue;
                }
                let asked = head::sequence(words[lane.request()].load(Ordering::Acquire));
                if head::sequence(words[lane.reply()].load(Ordering::Relaxed)) != asked {
                    return true;
                }
                answered = true;
            }
        }
        !answered
    }
}
