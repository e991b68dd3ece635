//! A component as one of many clients.

use super::orders::{read_numbers, write_numbers};
use crate::error::Error;
use crate::floor::{Memory, wait_at_gate};
use crate::meter::{self, Length, Times};
use portcullis_ipc::{Capability, MsgBuf};
use std::time::Duration;

/// What the client calls, and what its last run came to.
#[derive(Debug, Default)]
pub(crate) struct CallerRole {
    target: Option<Capability>,
    calls: u64,
    cpu_time: u64,
    /// Nanoseconds, and how many calls took so long.
    times: Vec<[u64; 2]>,
}

/// A run to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The state that the gate leaves when it opens.
    gate: u32,
    duration: Duration,
}

/// Pairs of numbers in a message.
pub(crate) const PAIRS: usize = 64;

impl CallerRole {
    /// Takes a target and calls it for the first time, which connects us.
    pub(crate) fn aim(&mut self, message: &mut MsgBuf) -> Result<(), Error> {
        let target = message.take(0).ok_or(Error::Misunderstood("a target"))?;
        message.clear();
        target.call(&MsgBuf::new(), message)?;
        self.target = Some(target);
        Ok(())
    }

    /// Reads a run out of its order.
    pub(crate) fn read(message: &MsgBuf) -> Result<Run, Error> {
        let [gate, nanoseconds] = read_numbers(message, "a run")?;
        let gate = u32::try_from(gate).map_err(|_| Error::Misunderstood("a gate"))?;
        Ok(Run { gate, duration: Duration::from_nanos(nanoseconds) })
    }

    /// Waits at the gate and calls the target until the time is over, counted from the opening of the gate.
    pub(crate) fn run(
        &mut self,
        run: Run,
        memory: &Memory,
        go_on: impl FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let target = self.target.as_ref().ok_or(Error::Misunderstood("a run without a target"))?;
        let (send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        let mut times: Times = meter::times();
        let opened = wait_at_gate(memory, run.gate, go_on)?;
        let late = Duration::from_nanos(meter::system_time().saturating_sub(opened));
        let before = meter::cpu_time();
        let length = Length { whole: run.duration.saturating_sub(late), unrecorded: Duration::ZERO };
        self.calls = meter::measure(length, &mut times, || Ok(target.call(&send, &mut receive)?))?;
        self.cpu_time = meter::cpu_time() - before;
        self.times =
            times.iter_recorded().map(|time| [time.value_iterated_to(), time.count_at_value()]).collect();
        Ok(())
    }

    /// Answers with the calls of the last run, its CPU time, and how many times there are to ask for.
    pub(crate) fn outcome(&self, message: &mut MsgBuf) -> Result<(), Error> {
        message.clear();
        write_numbers(message, &[self.calls, self.cpu_time, self.times.len() as u64])
    }

    /// Answers with times from a place on.
    pub(crate) fn times(&self, message: &mut MsgBuf) -> Result<(), Error> {
        let [from] = read_numbers(message, "a place")?;
        message.clear();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        self.times.iter().skip(from).take(PAIRS).try_for_each(|pair| write_numbers(message, pair))
    }
}
