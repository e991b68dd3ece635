//! Many clients of one server.

use crate::alternation::{Comparison, Tally, ratio};
use crate::component::interface::{Component, Outcome, Worker};
use crate::error::Error;
use crate::floor::{gate_state, open_gate};
use crate::meter;
use crate::process::{Process, Program, SharedMemory};
use crate::times::Times;
use portcullis_ipc::Doorbell;
use std::time::Duration;

/// What many clients came to.
pub(crate) struct Crowd {
    pub(crate) comparison: Comparison,
    pub(crate) calls_per_second: u64,
    /// The calls of the slowest client by the mean, all rounds together.
    pub(crate) slowest_to_mean: f64,
}

/// How long the clients are at work at least.
const SHORTEST: Duration = Duration::from_millis(250);

/// Measures all clients at work beside one of them at work, in turns, so often. A round of all is longer by a turn for
/// each: the system gives every process some milliseconds on a core, and each must have had several of those.
pub(crate) fn measure(
    program: &Program,
    clients: usize,
    rounds: u32,
    turn: Duration,
) -> Result<Crowd, Error> {
    let duration = SHORTEST + turn * u32::try_from(clients).unwrap_or(u32::MAX);
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, Doorbell::default())?;
    let clients = (0..clients)
        .map(|_| {
            let client = Process::start(program, &shared, Doorbell::default())?;
            client.objects.worker.client().aim(server.objects.echo.clone())?;
            Ok(client)
        })
        .collect::<Result<Vec<Process>, Error>>()?;
    let mut comparison =
        Comparison { ours: Tally::new(), floor: Tally::new(), ratios: Vec::new(), clock: meter::cost()? };
    let mut calls = vec![0; clients.len()];
    for _ in 0..rounds {
        let (outcomes, ours) = round(&shared, &server, &clients, duration, &mut comparison.ours)?;
        let (_, floor) = round(&shared, &server, &clients[..1], SHORTEST, &mut comparison.floor)?;
        comparison.ratios.push(ratio(ours, floor));
        calls.iter_mut().zip(outcomes).for_each(|(calls, (outcome, _))| *calls += outcome.calls);
    }
    comparison.ratios.sort_by(f64::total_cmp);
    let (all, slowest): (u64, u64) = (calls.iter().sum(), calls.iter().copied().min().unwrap_or(0));
    let milliseconds = duration.as_millis() * u128::from(rounds);
    let calls_per_second = (u128::from(all) * 1000 / milliseconds.max(1)).try_into().unwrap_or(u64::MAX);
    let slowest_to_mean = slowest as f64 * clients.len() as f64 / all.max(1) as f64;
    Ok(Crowd { comparison, calls_per_second, slowest_to_mean })
}

/// Lets the clients call for a while; answers what each came to, and the median over all calls.
fn round(
    shared: &SharedMemory,
    server: &Process,
    clients: &[Process],
    duration: Duration,
    tally: &mut Tally,
) -> Result<(Vec<(Outcome, Times)>, u64), Error> {
    let gate = gate_state(&shared.memory);
    for client in clients {
        client.objects.worker.client().run(gate, duration)?;
    }
    let before = server.component().cpu_time()?;
    open_gate(&shared.memory)?;
    let outcomes = clients.iter().map(outcome).collect::<Result<Vec<_>, Error>>()?;
    let server_time = server.component().cpu_time()? - before;
    let mut together = Tally::new();
    for (outcome, times) in &outcomes {
        together.add(times, outcome.calls, outcome.cpu_time);
        tally.add(times, outcome.calls, outcome.cpu_time);
    }
    tally.add(&Times::new(), 0, server_time);
    Ok((outcomes, together.times.median()))
}

/// Asks a client what it came to, once it is through.
fn outcome(client: &Process) -> Result<(Outcome, Times), Error> {
    let mut worker = client.objects.worker.client();
    let outcome = worker.outcome()?;
    let mut times = Times::new();
    let mut from = 0;
    while from < outcome.times {
        let some = worker.times(from)?;
        if some.is_empty() {
            return Err(Error::Misunderstood("times"));
        }
        from += some.len();
        some.into_iter().for_each(|(time, count)| times.record_all(Duration::from_nanos(time), count));
    }
    Ok((outcome, times))
}
