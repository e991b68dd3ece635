//! What is known of one component: how it is to be, and how it is.

use super::event::Cause;
use crate::config::Component;
use crate::restart::Restarts;
use portcullis_component::Quota;
use portcullis_component::host::Exit;
use std::time::{Duration, Instant};

/// How a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Its process runs.
    Runs,
    /// Its process was killed on purpose, and has not ended yet.
    Stopping(Then),
    /// It is to be started: now, or when there is enough quota, which others that have ended have not back yet.
    Waits,
    /// It has ended by itself.
    Ended,
    /// It stays stopped.
    GivenUp,
}

/// What becomes of a component that is being stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It is started as it is to be now.
    Start,
    /// It is there no more.
    Gone,
    /// It stays stopped: the whole composition ends.
    Over,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) component: Component,
    pub(super) life: Life,
    pub(super) restarts: Restarts,
    /// How often its process was started.
    pub(super) starts: u64,
    /// When it is asked for a sign of life next.
    pub(super) beat: Option<Instant>,
    /// It was killed for want of one.
    silent: Option<Duration>,
    /// How often it was denied a session since it runs.
    pub(super) denials: u32,
    /// How it ended last.
    pub(super) exit: Option<Exit>,
    /// What it was given while it runs, of what its component is to have.
    pub(super) granted: Quota,
    /// Why it could not be started.
    pub(super) failure: Option<String>,
}

impl Member {
    pub(super) fn new(component: Component) -> Member {
        let restarts = Restarts::new(component.restart);
        Member {
            component,
            life: Life::Waits,
            restarts,
            starts: 0,
            beat: None,
            silent: None,
            denials: 0,
            exit: None,
            granted: Quota::NONE,
            failure: None,
        }
    }

    /// Its process has begun, with so much.
    pub(super) fn begins(&mut self, now: Instant, granted: Quota) {
        self.granted = granted;
        self.failure = None;
        self.life = Life::Runs;
        self.starts += 1;
        self.silent = None;
        self.denials = 0;
        self.exit = None;
        self.watch(now);
    }

    /// From now on it is asked for signs of life as its component says.
    pub(super) fn watch(&mut self, now: Instant) {
        self.beat = self.component.heartbeat.and_then(|period| now.checked_add(period));
    }

    /// It is about to be killed, since it gives no sign of life.
    pub(super) fn falls_silent(&mut self) {
        self.silent = self.component.heartbeat;
        self.beat = None;
    }

    /// Why it has crashed, if it has.
    pub(super) fn cause(&self, exit: Exit) -> Option<Cause> {
        match (self.silent, exit) {
            (Some(period), _) => Some(Cause::NoHeartbeat(period)),
            (None, Exit::Code(0)) => None,
            (None, exit) => Some(Cause::Ended(exit)),
        }
    }

    /// Whether it is to be given something: its start, or a greater budget.
    pub(super) fn wants(&self) -> bool {
        let wanted = Quota { ram: self.component.ram, caps: self.component.caps };
        let lacks = !self.granted.missing_for(wanted).is_none();
        self.life == Life::Waits || (self.life == Life::Runs && lacks)
    }

    /// Whether it does not run and is about to.
    pub(super) fn comes(&self) -> bool {
        matches!(self.life, Life::Waits | Life::Stopping(Then::Start))
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.life, Life::Stopping(_))
    }

    /// Whether it has a process, or is about to.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.life, Life::Runs | Life::Stopping(_) | Life::Waits)
    }
}
