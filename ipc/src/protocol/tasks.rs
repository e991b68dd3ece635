//! Tasks that wait for replies: who is woken when the server rings.
//!
//! ```text
//!             task                        server                          watcher
//!   leave my waker in the lane's place    store the reply's state         sleep until the socket is readable
//!   waiting |= lane's second bit          fence                           empty the socket
//!   fence                                 waiting has the bit?            fence
//!   the reply is there? done              ring: one byte, if it fits      wake those whose reply is there
//!   return to the executor
//! ```
//! The first two columns are those of `reply_wait`: if the server does not see the bit, the task sees the reply. If it
//! does, it rings. A byte that finds no room is not missed: whoever empties the socket has not begun, and looks at the
//! replies after that. Within a process the server does itself what the watcher does, and no socket stands between.

use super::reply_wait;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, fence};
use crate::wake::wake;
use crate::wire::layout::{LANES, LaneId};
use std::sync::PoisonError;
use std::task::Waker;

/// The tasks that wait for replies, a place for each lane. Wakers are the executor's code, which may come back here: they
/// are woken and dropped without the lock.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<[Option<Waker>; LANES]>);

impl Tasks {
    fn places(&self) -> MutexGuard<'_, [Option<Waker>; LANES]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Task: it is about to wait in its lane. It must look at the reply once more after this.
    pub(crate) fn wait(&self, lane: LaneId, waiting: &AtomicU64, waker: &Waker) {
        let waker = waker.clone();
        let old = self.places()[lane.index()].replace(waker);
        reply_wait::intend_to_sleep(waiting, lane.task_bit());
        drop(old);
    }

    /// Task: it waits no more. Before its lane is given back.
    pub(crate) fn leave(&self, lane: LaneId, waiting: &AtomicU64) {
        reply_wait::awake(waiting, lane.task_bit());
        let left = self.places()[lane.index()].take();
        drop(left);
    }

    /// Whoever emptied the socket: wakes those whose reply is there.
    pub(crate) fn wake_answered(&self, answered: impl Fn(LaneId) -> bool) {
        // The room in the socket before the look at the replies: pairs with the fence in `reply_wait::publish`, for a
        // server that found no room.
        fence(Ordering::SeqCst);
        let woken: [Option<Waker>; LANES] = {
            let mut places = self.places();
            let mut lanes = LaneId::all();
            std::array::from_fn(|index| {
                lanes.next().filter(|lane| places[index].is_some() && answered(*lane))?;
                places[index].take()
            })
        };
        woken.into_iter().flatten().for_each(wake);
    }
}
