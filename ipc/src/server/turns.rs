//! The server's loop: who is polled, who is served next, when it sleeps.

use super::caller::Caller;
use super::port::Port;
use super::until::Until;
use super::{BELL, Request, Server};
use crate::context::{self, Context};
use crate::error::Error;
use crate::message::MsgBuf;
use crate::sys::socket;
use crate::wire::head::{RowName, Status};
use rustix::event::epoll;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// Turns without a request between two looks at who rings.
const TURNS_BETWEEN_LOOKS: u32 = 256;
/// Turns of the innermost loop.
const TURNS_IN_A_MOMENT: u32 = 32;
/// Requests of polled clients, and other events, between two looks at who rings: at most so many, fewer if they take long.
const MOST_REQUESTS_BETWEEN_LOOKS: u32 = 32;
/// How long a client that is not polled should wait for a look.
const TIME_BETWEEN_LOOKS: Duration = Duration::from_micros(20);
/// Looks between two rounds in which idle clients stop being polled.
const LOOKS_BETWEEN_ROUNDS: u32 = 64;

/// How often a busy server looks beyond the clients that it polls: a look costs a system call.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the clock was last read.
    clock: Instant,
    requests: u32,
    requests_between_looks: u32,
    looks: u32,
    /// Turns without a request since the last one.
    idle_turns: u32,
    /// How many of them there are at the next look.
    next_look: u32,
    /// It slept since the last request.
    slept: bool,
}

impl Pace {
    pub(super) fn new() -> Pace {
        Pace {
            clock: Instant::now(),
            requests: 0,
            requests_between_looks: 1,
            looks: 0,
            idle_turns: 0,
            next_look: TURNS_BETWEEN_LOOKS,
            slept: false,
        }
    }

    /// Reads the clock after some requests, and sets how many there may be until the next look.
    fn look(&mut self) {
        let now = Instant::now();
        let each = (now - self.clock) / self.requests.max(1);
        let fit = TIME_BETWEEN_LOOKS.as_nanos() / each.as_nanos().max(1);
        let fit = u32::try_from(fit).unwrap_or(MOST_REQUESTS_BETWEEN_LOOKS);
        self.requests_between_looks = fit.clamp(1, MOST_REQUESTS_BETWEEN_LOOKS);
        (self.clock, self.requests) = (now, 0);
        self.looks = (self.looks + 1) % LOOKS_BETWEEN_ROUNDS;
    }
}

impl Server {
    /// Looks once at every polled port, from the one after that which was served last.
    #[inline]
    pub(super) fn poll(&mut self, message: &mut MsgBuf) -> Option<Request> {
        self.look_in_time();
        for _ in 0..self.hot.len() {
            if self.turn >= self.hot.len() {
                self.turn = 0;
            }
            let Some(&name) = self.hot.get(self.turn) else { break };
            self.turn += 1;
            if let Some(request) = self.poll_port(name, message) {
                return Some(request);
            }
        }
        None
    }

    /// While busy: looks around when that is due.
    #[inline]
    pub(super) fn look_in_time(&mut self) {
        if self.pace.requests >= self.pace.requests_between_looks {
            self.look_around();
        }
    }

    /// Something to do was found: it counts like a request.
    #[inline]
    pub(super) fn found(&mut self) {
        if !std::mem::take(&mut self.pace.slept) {
            self.patience.paid_off();
        }
        (self.pace.idle_turns, self.pace.next_look) = (0, TURNS_BETWEEN_LOOKS);
        self.pace.requests += 1;
    }

    /// While busy: what polling does not show.
    fn look_around(&mut self) {
        self.pace.look();
        if self.has_cold_ports() {
            self.ask_who_rings(Some(Duration::ZERO));
        }
        if self.pace.looks == 0 {
            self.take_releases();
            if self.hot.len() > 1 {
                self.cool_idle_ports();
            }
        }
    }

    /// Takes one request of a port, if there is one that can be served.
    #[inline]
    fn poll_port(&mut self, name: RowName, message: &mut MsgBuf) -> Option<Request> {
        let port = self.ports.get_mut(name)?;
        match port.take_pending(&mut self.ledger) {
            Ok(false) => {}
            Ok(true) => {
                self.read_socket(name);
                return None;
            }
            Err(error) => {
                self.close(name, &error);
                return None;
            }
        }
        let taken = match port.take(message, &mut self.ledger) {
            Ok(taken) => taken,
            Err(error) => {
                self.close(name, &error);
                return None;
            }
        };
        let starves = port.starves;
        if !port.news.is_empty() {
            self.take_news(name);
        }
        if starves {
            self.starve(name);
        }
        let taken = taken?;
        self.found();
        self.patience.peer_on(taken.core);
        if taken.is_system {
            self.serve_system(taken.ticket, message);
            return None;
        }
        let Some(badge) = taken.badge else {
            message.clear();
            // Who withdraws a request waits for its answer only if it would have been a cycle.
            let status = if taken.is_withdrawn { Status::CallCycle } else { Status::InvalidCapability };
            let _ = self.finish(taken.ticket, status, None);
            return None;
        };
        if message.capabilities() != 0 {
            self.welcome(message);
        }
        self.serving = Some(taken.ticket);
        context::serve(Some(Context { chain: taken.chain, due: taken.due, server: self.home.id() }));
        Some(Request { badge, caller: Caller::new(taken.ticket, &self.dropped) })
    }

    /// Nothing there: looks on for a while, then sleeps.
    #[inline]
    pub(super) fn idle(&mut self, until: &mut Until) -> Result<(), Error> {
        let turns = self.patience.turns();
        if self.pace.idle_turns < turns {
            self.pace.idle_turns += self.spin_for_a_moment();
            if self.pace.idle_turns >= self.pace.next_look {
                self.pace.next_look = self.pace.idle_turns.saturating_add(TURNS_BETWEEN_LOOKS);
                if self.has_cold_ports() {
                    self.ask_who_rings(Some(Duration::ZERO));
                }
                if turns == u32::MAX {
                    (self.pace.idle_turns, self.pace.next_look) = (0, TURNS_BETWEEN_LOOKS);
                    self.take_releases();
                    self.left(until)?;
                }
            }
            return Ok(());
        }
        let left = self.left(until)?;
        self.sleep(left);
        Ok(())
    }

    /// Looks for what anybody may want, and for nothing else, so that it is seen soon. Answers how many turns it took.
    #[inline]
    fn spin_for_a_moment(&self) -> u32 {
        for turn in 1..TURNS_IN_A_MOMENT {
            std::hint::spin_loop();
            let wanted = |name: &RowName| self.ports.get(*name).is_some_and(Port::has_work);
            if self.hot.iter().any(wanted) || self.home.wants_attention() {
                return turn;
            }
        }
        TURNS_IN_A_MOMENT
    }

    /// Reads the clock: the time left until the deadline.
    fn left(&mut self, until: &mut Until) -> Result<Option<Duration>, Error> {
        self.pace.clock = Instant::now();
        self.pace.requests = 0;
        until.left(self.pace.clock)
    }

    /// Stops polling, and asks the system who rings. Answers whether nobody does: from now on all of them will.
    pub(super) fn settle(&mut self) -> bool {
        self.sleep(Some(Duration::ZERO));
        self.hot.is_empty() && !self.has_something()
    }

    /// Whether anything but a request is to be done or said. A step may find it after it has looked for such.
    fn has_something(&self) -> bool {
        self.home.wants_attention() || !self.unread.is_empty() || self.may_have_notice() || self.parent_gone
    }

    /// Sleeps until somebody rings, unless something came while the clients were told.
    #[cold]
    fn sleep(&mut self, left: Option<Duration>) {
        (self.pace.idle_turns, self.pace.next_look) = (0, TURNS_BETWEEN_LOOKS);
        self.pace.slept = true;
        self.patience.did_not_pay_off();
        for name in &self.hot {
            if let Some(port) = self.ports.get_mut(*name) {
                port.unwatch();
            }
        }
        let ready = |name: &RowName| self.ports.get(*name).is_some_and(Port::is_ready);
        if self.has_something() || self.hot.iter().any(ready) {
            self.rewatch_all();
            // Who keeps us awake by this, without a request that counts, must not keep us from those who ring.
            if self.has_cold_ports() {
                self.ask_who_rings(Some(Duration::ZERO));
            }
            return;
        }
        for name in self.hot.drain(..) {
            if let Some(port) = self.ports.get_mut(name) {
                port.cool();
            }
        }
        self.ask_who_rings(left);
        self.pace.clock = Instant::now();
    }

    /// Goes on polling all that are polled.
    pub(super) fn rewatch_all(&mut self) {
        for index in 0..self.hot.len() {
            // Fewer by now, if one was closed.
            if let Some(name) = self.hot.get(index) {
                self.rewatch(*name);
            }
        }
    }

    /// Goes on polling a port, and takes what is not announced to those who are polled.
    fn rewatch(&mut self, name: RowName) {
        if let Some(port) = self.ports.get_mut(name) {
            port.watch();
        }
        self.take_releases_of(name);
    }

    /// Takes what the polled clients have given back: they say so only when there is much of it. A server that sleeps
    /// looks before it does; one that does not sleep must look now and then, or rows would not come back, and the
    /// counts in the ring would come round.
    fn take_releases(&mut self) {
        for index in 0..self.hot.len() {
            // Fewer by now, if one was closed.
            if let Some(name) = self.hot.get(index) {
                self.take_releases_of(*name);
            }
        }
    }

    fn take_releases_of(&mut self, name: RowName) {
        let Some(port) = self.ports.get_mut(name) else { return };
        match port.take_releases(&mut self.ledger) {
            Ok(false) => {}
            Ok(true) => self.read_socket(name),
            Err(error) => self.close(name, &error),
        }
    }

    /// Stops polling the ports that had nothing since the last round: their clients ring from now on.
    #[cold]
    fn cool_idle_ports(&mut self) {
        let ports = &mut self.ports;
        self.hot.retain(|name| {
            let Some(port) = ports.get_mut(*name) else { return false };
            if !port.was_idle() {
                return true;
            }
            port.unwatch();
            if port.is_ready() {
                port.watch();
                return true;
            }
            port.cool();
            false
        });
    }

    pub(super) fn has_cold_ports(&self) -> bool {
        self.hot.len() < self.ports.len() as usize
    }

    /// Asks the system who rang or ended, and waits for it if asked to.
    pub(super) fn ask_who_rings(&mut self, left: Option<Duration>) {
        let mut space = [MaybeUninit::uninit(); 64];
        let left = left.map(|left| rustix::event::Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        // Interrupted, or nothing: the caller looks again.
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut space[..], left.as_ref()) else { return };
        for event in events.iter() {
            let (flags, data) = (event.flags, event.data.u64());
            if data == BELL {
                socket::reset(self.home.bell().counter());
                if let Some(local) = self.local {
                    self.heat(local);
                }
                continue;
            }
            let name = RowName::decode(data);
            let Some(port) = self.ports.get_mut(name) else { continue };
            let ended = epoll::EventFlags::HUP | epoll::EventFlags::RDHUP | epoll::EventFlags::ERR;
            if port.rang() || flags.intersects(ended) {
                self.read_socket(name);
            }
            self.heat(name);
        }
    }

    /// Polls a port from now on. One without memory has nothing that could be polled: only the system knows who has something
    /// to say there, and is asked for as long as a port is cold.
    pub(super) fn heat(&mut self, name: RowName) {
        if self.hot.contains(&name) {
            return;
        }
        if let Some(port) = self.ports.get_mut(name).filter(|port| port.has_memory()) {
            port.watch();
            self.hot.push(name);
        }
    }
}
