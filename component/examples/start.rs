//! From the start of a component to the answer to its first call: in a strict sandbox, beside a bare fork and exec of the
//! same program that is called the same way. In turns, ten of each, in one run.
//!
//! ```text
//! cargo run --release -p portcullis-component --example start -- [ROUNDS]
//! ```
//!
//! Beside the time by the clock it says how much time of processors both processes took, until the component was killed: on a
//! machine that has other things to do, the first is what these left over.

use portcullis_component::sandbox::{Mode, Program, Sandbox};
use portcullis_ipc::{Deadline, Error, MsgBuf, Pd, Server};
use std::error;
use std::io::Write;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

const BLOCK: usize = 10;

/// What one kind of start took.
struct Kind {
    name: &'static str,
    sandbox: Sandbox,
    times: Vec<Duration>,
    ticks: u64,
}

fn main() -> Result<()> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("serve") {
        return Ok(serve()?);
    }
    let rounds: usize = argument.map_or(Ok(300), |rounds| rounds.parse())?;
    let pd = Pd::new()?;
    let program = Program::new(std::env::current_exe()?).argument("serve");
    let kind = |name, mode| Kind {
        name,
        sandbox: Sandbox { mode, ..Sandbox::default() },
        times: Vec::new(),
        ticks: 0,
    };
    let mut kinds = [kind("bare fork/exec", Mode::Off), kind("strict", Mode::Strict)];
    for kind in &kinds {
        // The first finds cold caches.
        first_call(&pd, &kind.sandbox, &program)?;
    }
    for _ in 0..rounds.div_ceil(BLOCK) {
        for kind in &mut kinds {
            let before = ticks()?;
            for _ in 0..BLOCK {
                kind.times.push(first_call(&pd, &kind.sandbox, &program)?);
            }
            kind.ticks += ticks()? - before;
        }
    }
    let mut output = std::io::stdout().lock();
    for Kind { name, times, ticks, .. } in &mut kinds {
        times.sort();
        let [low, median, high] = [10, 50, 90].map(|percent| times[times.len() * percent / 100]);
        // The kernel counts in hundredths of a second, whatever its own clock does.
        let used = Duration::from_millis(*ticks * 10) / u32::try_from(times.len())?;
        writeln!(output, "{name:<16} median {median:?}, 10 % {low:?}, 90 % {high:?}; processors {used:?}")?;
    }
    let [bare, strict] = &kinds;
    let median = |kind: &Kind| kind.times[kind.times.len() / 2].as_secs_f64();
    let by_clock = median(strict) / median(bare);
    let by_processors = strict.ticks as f64 / bare.ticks as f64;
    writeln!(output, "{:<16} {by_clock:.2} by the clock, {by_processors:.2} of processors", "ratio")?;
    Ok(())
}

fn first_call(pd: &Pd, sandbox: &Sandbox, program: &Program) -> Result<Duration> {
    let begin = Instant::now();
    let (mut child, first) = sandbox.start(pd, program)?;
    first.call(&MsgBuf::new(), &mut MsgBuf::new())?;
    let time = begin.elapsed();
    child.kill()?;
    Ok(time)
}

/// What this process and those that it has reaped have used of processors, in hundredths of a second.
fn ticks() -> Result<u64> {
    let about = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = about.rsplit(')').next().unwrap_or_default();
    let used = behind_name.split_whitespace().skip(11).take(4).map(str::parse::<u64>);
    Ok(used.sum::<std::result::Result<u64, _>>()?)
}

/// A component that answers whatever it is asked.
fn serve() -> std::result::Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (first, _) = server.mint()?;
    server.serve_parent(first)?;
    let (mut message, mut caller) = (MsgBuf::new(), None);
    loop {
        match server.reply_and_wait(caller.take(), &mut message, Deadline::Never) {
            Err(Error::ParentGone) => return Ok(()),
            request => caller = Some(request?.caller),
        }
    }
}
