//! A component as one of many clients.

use super::afterwards::Afterwards;
use super::interface::{Echo, Outcome, TIMES, Worker};
use super::parent_lives;
use crate::error::Error;
use crate::floor::{Memory, wait_at_gate};
use crate::meter::{self, Length};
use crate::times::Times;
use portcullis_rpc::{self as rpc, Capability, Client};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What the client calls, and what its last run came to.
pub(crate) struct WorkerObject {
    memory: Rc<Memory>,
    afterwards: Afterwards,
    target: Option<Client<dyn Echo>>,
    last: Rc<RefCell<Run>>,
}

#[derive(Debug, Default)]
struct Run {
    calls: u64,
    cpu_time: u64,
    /// Nanoseconds, and how many calls took so long.
    times: Vec<(u64, u64)>,
}

impl WorkerObject {
    pub(crate) fn new(memory: Rc<Memory>, afterwards: Afterwards) -> WorkerObject {
        WorkerObject { memory, afterwards, target: None, last: Rc::default() }
    }
}

impl Worker for WorkerObject {
    fn aim(&mut self, target: Capability<dyn Echo>) -> Result<(), rpc::Error> {
        let mut target = target.client();
        target.echo(&[])?;
        self.target = Some(target);
        Ok(())
    }

    fn run(&mut self, gate: u32, duration: Duration) -> Result<(), rpc::Error> {
        let target = self.target.clone().ok_or(Error::Misunderstood("a run without a target"))?;
        let (memory, last) = (self.memory.clone(), self.last.clone());
        self.afterwards.put(move || {
            *last.borrow_mut() = run(target, &memory, gate, duration)?;
            Ok(())
        });
        Ok(())
    }

    fn outcome(&mut self) -> Result<Outcome, rpc::Error> {
        let Run { calls, cpu_time, times } = &*self.last.borrow();
        Ok(Outcome { calls: *calls, cpu_time: *cpu_time, times: times.len() })
    }

    fn times(&mut self, from: usize) -> Result<Vec<(u64, u64)>, rpc::Error> {
        Ok(self.last.borrow().times.iter().skip(from).take(TIMES).copied().collect())
    }
}

/// Waits at the gate and calls the target until the time is over, counted from the opening of the gate.
fn run(mut target: Client<dyn Echo>, memory: &Memory, gate: u32, duration: Duration) -> Result<Run, Error> {
    let mut times = Times::new();
    let opened = wait_at_gate(memory, gate, parent_lives())?;
    let late = Duration::from_nanos(meter::system_time().saturating_sub(opened));
    let before = meter::cpu_time();
    let length = Length { whole: duration.saturating_sub(late), unrecorded: Duration::ZERO };
    let calls = meter::measure(length, &mut times, || Ok(target.echo(&[]).map(drop)?))?;
    let cpu_time = meter::cpu_time() - before;
    let times = times.singles().collect();
    Ok(Run { calls, cpu_time, times })
}
