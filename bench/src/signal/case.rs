//! The cases.

use super::Row;
use crate::alternation::{Block, Comparison, Plan, Side, compare};
use crate::component::interface::Component;
use crate::cores::Cores;
use crate::error::Error;
use crate::floor::{self, Client, Memory, Waiting};
use crate::meter::Length;
use crate::options::Options;
use crate::process::{PATIENCE, Process, SharedMemory};
use portcullis_entrypoint::SignalReceiver;
use portcullis_ipc::{Doorbell, Pd, PdOptions};
use portcullis_rpc::SignalCapability;
use std::time::{Duration, Instant};

/// Submits of one operation: a single one is shorter than a look at the clock.
const SUBMITS: u32 = 1_000;

/// One case of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Pending,
    ToHandler,
    Flood,
}

impl Case {
    pub(super) const ALL: [Case; 3] = [Case::Pending, Case::ToHandler, Case::Flood];

    pub(super) fn name(self) -> &'static str {
        match self {
            Case::Pending => "submit-pending",
            Case::ToHandler => "submit-to-handler",
            Case::Flood => "flood",
        }
    }

    /// Measures it.
    pub(super) fn run(self, options: &Options, cores: &Cores) -> Result<Row, Error> {
        let whole = Duration::from_millis(10);
        let block = Block::Time(Length { whole, unrecorded: Duration::from_micros(500) });
        let plan = Plan { pairs: if options.quick { 6 } else { 50 }, block };
        let shared = SharedMemory::new()?;
        let server = Process::start(&options.component, &shared, Doorbell::default())?;
        let (first, second) = cores.first_two();
        server.component().bind(second)?;
        let _bound = cores.bind_for_now(Some(first))?;
        let row = |floor, comparison: &Comparison| comparison.row("signal", self.name().into(), floor);
        match self {
            Case::Pending => {
                let mut ours = Pending::new(&server, &shared.memory)?;
                let mut floor = Atomic { server: &server, memory: &shared.memory, is_taken: false };
                Ok(row("atomic", &compare(plan, &[&server], &mut ours, &mut floor)?))
            }
            Case::ToHandler => {
                let mut ours = ToHandler::new(&server)?;
                let mut floor =
                    PingPong { client: Client::new(&shared.memory, Waiting::Spin, 0), server: &server };
                Ok(row(Waiting::Spin.name(), &compare(plan, &[&server], &mut ours, &mut floor)?))
            }
            Case::Flood => {
                let mut ours = Flood::new(&server)?;
                let mut floor = Atomic { server: &server, memory: &shared.memory, is_taken: true };
                let comparison = compare(plan, &[&server], &mut ours, &mut floor)?;
                let per_second = |count: u64| {
                    let microseconds = ours.time.as_micros().max(1);
                    (u128::from(count) * 1_000_000 / microseconds).try_into().ok()
                };
                Ok(Row {
                    signals_per_second: per_second(ours.submits),
                    runs_per_second: per_second(ours.runs),
                    ..row("taken-bit", &comparison)
                })
            }
        }
    }
}

#[inline]
fn submit(context: &SignalCapability) {
    (0..SUBMITS).for_each(|_| context.submit());
}

/// Submits to a context whose entrypoint is in the floor's ping-pong, and takes nothing.
struct Pending<'a> {
    context: SignalCapability,
    server: &'a Process,
    busy: Client<'a>,
}

impl<'a> Pending<'a> {
    fn new(server: &'a Process, memory: &'a Memory) -> Result<Self, Error> {
        let busy = Client::new(memory, Waiting::Futex, 0);
        Ok(Pending { context: server.component().bell(None)?, server, busy })
    }
}

impl Side for Pending<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.busy.reset();
        self.server.component().floor(Waiting::Futex, 0)?;
        // It has begun when it answers.
        self.busy.call()?;
        self.context.submit();
        Ok(())
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        submit(&self.context);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.busy.stop()
    }
}

/// The atomic operation alone, while somebody takes what it sets or while nobody does.
struct Atomic<'a> {
    server: &'a Process,
    memory: &'a Memory,
    is_taken: bool,
}

impl Side for Atomic<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        if self.is_taken {
            self.server.component().take_by_hand()?;
        }
        Ok(())
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        (0..SUBMITS).for_each(|_| floor::set_signal(self.memory));
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        if self.is_taken {
            floor::end_signals(self.memory);
        }
        Ok(())
    }
}

/// A signal there, and one back.
struct ToHandler {
    there: SignalCapability,
    receiver: SignalReceiver,
}

impl ToHandler {
    fn new(server: &Process) -> Result<ToHandler, Error> {
        let pd = Pd::with(PdOptions { deadline: PATIENCE, ..PdOptions::default() })?;
        let mut receiver = SignalReceiver::new(&pd)?;
        let (_, back) = receiver.manage()?;
        Ok(ToHandler { there: server.component().bell(Some(back))?, receiver })
    }
}

impl Side for ToHandler {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        self.there.submit();
        Ok(self.receiver.wait(PATIENCE).map(drop)?)
    }
}

/// The floor's ping-pong.
struct PingPong<'a> {
    client: Client<'a>,
    server: &'a Process,
}

impl Side for PingPong<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.client.reset();
        Ok(self.server.component().floor(Waiting::Spin, 0)?)
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        self.client.call()
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.client.stop()
    }
}

/// Submits to a handler that runs all the while, and what that comes to.
struct Flood<'a> {
    context: SignalCapability,
    server: &'a Process,
    submits: u64,
    runs: u64,
    time: Duration,
    began: (Instant, u64),
}

impl<'a> Flood<'a> {
    fn new(server: &'a Process) -> Result<Self, Error> {
        let context = server.component().bell(None)?;
        Ok(Flood { context, server, submits: 0, runs: 0, time: Duration::ZERO, began: (Instant::now(), 0) })
    }
}

impl Side for Flood<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        let runs = self.server.component().runs()?;
        self.began = (Instant::now(), runs);
        Ok(())
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        submit(&self.context);
        self.submits += u64::from(SUBMITS);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.time += self.began.0.elapsed();
        self.runs += self.server.component().runs()? - self.began.1;
        Ok(())
    }
}
