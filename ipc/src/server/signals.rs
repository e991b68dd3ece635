//! Signals: how contexts are made, and how a handler waits for one.

use super::Server;
use super::contexts::SignalLevel;
use super::event::Notice;
use super::port::Port;
use crate::badge::Badge;
use crate::capability::Capability;
use crate::context::{self, Context};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::wire::head::RowName;
use std::time::{Duration, Instant};

/// A signal that came while a handler waited. Until it is dropped, what the thread calls is on behalf of that signal,
/// and afterwards on behalf of the handler again.
#[must_use = "what the thread calls is on behalf of the signal until this is dropped"]
pub struct Nested {
    /// Its context.
    pub badge: Badge,
    outer: Option<Context>,
}

impl Drop for Nested {
    fn drop(&mut self) {
        context::serve(self.outer);
    }
}

impl std::fmt::Debug for Nested {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nested").field("badge", &self.badge).finish_non_exhaustive()
    }
}

impl Server {
    /// Makes a signal context: the badge under which its signals will arrive, and the capability to hand out, by which
    /// signals are [submitted](Capability::submit). A row is taken only when it is handed to another process.
    ///
    /// # Errors
    /// [`Error::BudgetExceeded`] after 2³¹-1 contexts at once.
    pub fn mint_context(&mut self, level: SignalLevel) -> Result<(Badge, Capability), Error> {
        let badge = self.ledger.mint_context(level)?;
        Ok((badge, self.ledger.capability(badge)))
    }

    /// Waits, from within a handler, for the next signal of level [`Io`](SignalLevel::Io) whose context `may_run`, until
    /// the deadline or for as long as the handler's own caller waits. Everything else stays where it is: calls, other
    /// signals, notices.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn next_io_signal(
        &mut self,
        deadline: Deadline,
        may_run: impl Fn(Badge) -> bool,
    ) -> Result<Nested, Error> {
        let outer = context::serving();
        let end = context::limit(deadline).instant();
        let mut turns = 0;
        self.look_in_time();
        loop {
            self.housekeep()?;
            self.take_signals();
            if let Some(badge) = self.ledger.contexts_mut().next_io(&may_run) {
                self.found();
                context::serve(Some(Context::unasked(self.home.id())));
                return Ok(Nested { badge, outer });
            }
            let now = Instant::now();
            let left = match end {
                Some(end) if end <= now => return Err(Error::DeadlineExceeded),
                end => end.map(|end| end - now),
            };
            if turns < self.patience.turns() {
                turns = turns.saturating_add(self.spin_for_signals());
                if self.has_cold_ports() {
                    self.ask_who_rings(Some(Duration::ZERO));
                }
            } else {
                self.sleep_for_signals(left);
            }
        }
    }

    /// The next signal whose handler runs between others.
    #[inline]
    pub(super) fn signal(&mut self) -> Option<Notice> {
        self.ledger.contexts_mut().next().map(Notice::Signal)
    }

    /// Takes what the clients of polled ports have announced, and none of their requests.
    fn take_signals(&mut self) {
        for index in 0..self.hot.len() {
            // Fewer by now, if one was closed.
            let Some(&name) = self.hot.get(index) else { return };
            let Some(port) = self.ports.get_mut(name) else { continue };
            match port.take_pending(&mut self.ledger) {
                Ok(false) => {}
                Ok(true) => self.read_socket(name),
                Err(error) => self.close(name, &error),
            }
        }
    }

    fn announces(&self) -> bool {
        let announces = |name: &RowName| self.ports.get(*name).is_some_and(Port::announces);
        self.home.wants_attention() || self.hot.iter().any(announces)
    }

    /// Looks for a moment whether something is announced. Answers how many turns it took.
    fn spin_for_signals(&self) -> u32 {
        const TURNS: u32 = 256;
        for turn in 1..TURNS {
            std::hint::spin_loop();
            if self.announces() {
                return turn;
            }
        }
        TURNS
    }

    /// Sleeps until somebody rings. Requests that have come stay in their lanes, which go on being polled.
    #[cold]
    fn sleep_for_signals(&mut self, left: Option<Duration>) {
        for name in &self.hot {
            if let Some(port) = self.ports.get_mut(*name) {
                port.unwatch();
            }
        }
        let stays = self.announces() || !self.unread.is_empty() || self.parent_gone;
        let left = if stays { Some(Duration::ZERO) } else { left };
        self.ask_who_rings(left);
        self.rewatch_all();
    }
}
