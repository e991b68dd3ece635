//! Many clients of one server.

use crate::alternation::{Comparison, Tally, ratio};
use crate::component::orders::{Order, read_numbers};
use crate::error::Error;
use crate::floor::{gate_state, open_gate};
use crate::meter::{self, Times, nanoseconds};
use crate::process::{Process, Program, SharedMemory};
use portcullis_ipc::Doorbell;
use std::time::Duration;

/// What many clients came to.
pub(crate) struct Crowd {
    pub(crate) comparison: Comparison,
    pub(crate) calls_per_second: u64,
    /// The calls of the slowest client by the mean, all rounds together.
    pub(crate) slowest_to_mean: f64,
}

/// What one client came to.
struct Outcome {
    calls: u64,
    cpu_time: u64,
    times: Times,
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
            client.aim_at(server.first())?;
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
        calls.iter_mut().zip(outcomes).for_each(|(calls, outcome)| *calls += outcome.calls);
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
) -> Result<(Vec<Outcome>, u64), Error> {
    let run = [u64::from(gate_state(&shared.memory)), nanoseconds(duration)];
    for client in clients {
        client.order(Order::Run, &run)?;
    }
    let before = server.cpu_time()?;
    open_gate(&shared.memory)?;
    let outcomes = clients.iter().map(outcome).collect::<Result<Vec<Outcome>, Error>>()?;
    let server_time = server.cpu_time()? - before;
    let mut together = Tally::new();
    for outcome in &outcomes {
        together.add(&outcome.times, outcome.calls, outcome.cpu_time);
        tally.add(&outcome.times, outcome.calls, outcome.cpu_time);
    }
    tally.add(&meter::times(), 0, server_time);
    Ok((outcomes, together.quantile(0.5)))
}

/// Asks a client what it came to, once it is through.
fn outcome(client: &Process) -> Result<Outcome, Error> {
    let [calls, cpu_time, count] = read_numbers(&client.order(Order::Outcome, &[])?, "an outcome")?;
    let mut times = meter::times();
    let mut from = 0;
    while from < count {
        let answer = client.order(Order::Times, &[from])?;
        let (pairs, rest) = answer.data().as_chunks::<16>();
        if pairs.is_empty() || !rest.is_empty() {
            return Err(Error::Misunderstood("times"));
        }
        for pair in pairs {
            let [time, count] = [0, 8].map(|at| {
                let mut number = [0; 8];
                number.copy_from_slice(&pair[at..at + 8]);
                u64::from_le_bytes(number)
            });
            times.saturating_record_n(time, count);
        }
        from += pairs.len() as u64;
    }
    Ok(Outcome { calls, cpu_time, times })
}
