//! Calls that would go round in a circle: they fail at once, where they would wait for their deadlines.
//!
//! An entrypoint that calls, from within a handler, serves nobody until the answer is here. So it says to all its clients
//! in which chain of calls it waits, and for whom; and whoever calls it from within a handler looks at that:
//!
//! - *before* he says that he waits, whether it waits for his own entrypoint in another chain. So an entrypoint that has begun
//!   with a call, and answers it later, never seems to wait for who called: to him that would mean that it has not begun.
//! - *before* he publishes his request, whether it waits in the very chain that he serves. Then it waits for him,
//!   directly or through others. (Afterwards it may wait on his behalf.)
//! - *after* that, whether it waits for his own entrypoint in another chain: the two have called each other at once. One
//!   of them at least sees the other ([`waits`](crate::protocol::waits)).
//!
//! Who has been answered may still seem to wait, until he runs: so neither counts as waiting whose answer is there, which the
//! reply and the own ports tell.
//!
//! If only one of them knows the other, he looks once more after a while: the other may have called after he looked.
//!
//! Three that call each other at once, in three chains, are not found out: their deadlines end them.

use super::callee::Callee;
use super::channel::Channel;
use crate::context::{self, Terms};
use crate::deadline::Deadline;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::protocol::waits::{self, Seen, Wait};
use crate::server::insight::Insight;
use crate::wire::layout::LaneId;
use std::rc::Rc;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

/// When a caller looks once more whether the callee waits for him.
const SECOND_LOOK: Duration = Duration::from_micros(500);

/// This thread's entrypoint waits for the answer to a call, and says so until this is dropped.
pub(super) struct Waiting {
    caller: Rc<Insight>,
    chain: u64,
}

impl Waiting {
    /// If this thread runs a handler: it is about to wait for that entrypoint, otherwise than by a call.
    pub(super) fn within_handler(callee: Option<&Callee>) -> Result<Option<Waiting>, Error> {
        let Terms { chain, server, .. } = context::start_call(Deadline::Never);
        match server.and_then(context::server) {
            None => Ok(None),
            Some(server) => Waiting::enter(server, chain, callee).map(Some),
        }
    }

    /// Whether the entrypoint waits for us meanwhile; and after what time that should be asked again.
    pub(super) fn look_again(&self, callee: Option<&Callee>) -> Result<Duration, Error> {
        match awaits(callee, &self.caller, self.chain) {
            Some(_) => Err(Error::CallCycle),
            None => Ok(SECOND_LOOK),
        }
    }

    /// The entrypoint is about to call, from within a handler.
    pub(super) fn enter(caller: Rc<Insight>, chain: u64, callee: Option<&Callee>) -> Result<Waiting, Error> {
        let id = callee.map(Callee::id);
        // It would wait for itself, or for another one of its own thread.
        if id.is_some_and(context::is_here) {
            return Err(Error::CallCycle);
        }
        if awaits(callee, &caller, chain).is_some() {
            return Err(Error::CallCycle);
        }
        let wait = Wait { chain, callee: EntrypointId::encode(id) };
        waits::enter(|word| caller.home.word(word), wait);
        let waiting = Waiting { caller, chain };
        // What we say before we look: who looks at us later sees it, or we see him.
        fence(Ordering::SeqCst);
        match callee.map_or(Ok(None), Callee::wait)? {
            Some(seen) if seen.wait.chain == chain => Err(Error::CallCycle),
            _ => Ok(waiting),
        }
    }

    /// The request was published: waits until the reply is there, unless the callee waits for us meanwhile.
    pub(super) fn await_reply(
        &self,
        channel: &Channel,
        lane: LaneId,
        sequence: u32,
        deadline: Deadline,
    ) -> Result<u64, Error> {
        self.break_cycle(channel, lane, sequence)?;
        match channel.await_reply(lane, sequence, deadline.min(Deadline::After(SECOND_LOOK))) {
            Err(Error::DeadlineExceeded) => {}
            answered => return answered,
        }
        let rest = match deadline {
            Deadline::Never => Deadline::Never,
            Deadline::After(time) if time <= SECOND_LOOK => return Err(Error::DeadlineExceeded),
            Deadline::After(time) => Deadline::After(time - SECOND_LOOK),
        };
        self.break_cycle(channel, lane, sequence)?;
        channel.await_reply(lane, sequence, rest)
    }

    /// If the callee waits for us, and neither has answered the other, the request is withdrawn. That is an error unless the
    /// callee has stopped waiting meanwhile: then its answer will tell whether it had begun with the request before.
    fn break_cycle(&self, channel: &Channel, lane: LaneId, sequence: u32) -> Result<(), Error> {
        let Some((callee, seen)) = awaits(channel.known_callee(), &self.caller, self.chain) else {
            return Ok(());
        };
        // If he answered first and called then, we see the answer since we have seen the wait.
        if channel.is_answered(lane, sequence) {
            return Ok(());
        }
        channel.withdraw(lane);
        if callee.still_waits(seen) { Err(Error::CallCycle) } else { Ok(()) }
    }
}

/// The callee, if it waits, in another chain, for an answer that this entrypoint has not given.
fn awaits<'a>(callee: Option<&'a Callee>, own: &Insight, chain: u64) -> Option<(&'a Callee, Seen)> {
    let callee = callee?;
    let seen = callee.wait().ok().flatten()?;
    let is_ours = seen.wait.callee == EntrypointId::encode(Some(own.home.id()));
    (is_ours && seen.wait.chain != chain && own.owes(seen.wait.chain)).then_some((callee, seen))
}

impl Drop for Waiting {
    fn drop(&mut self) {
        waits::leave(|word| self.caller.home.word(word));
    }
}
