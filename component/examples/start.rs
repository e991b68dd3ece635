//! From the start of a component to the answer to its first call: in a strict sandbox, beside a bare fork and exec of the
//! same program that is called the same way. One after the other, in turns, in one run.
//!
//! ```text
//! cargo run --release -p portcullis-component --example start -- [ROUNDS]
//! ```

use portcullis_component::sandbox::{Mode, Program, Sandbox};
use portcullis_ipc::{Deadline, Error, MsgBuf, Pd, Server};
use std::error;
use std::io::Write;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn error::Error>> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("serve") {
        return Ok(serve()?);
    }
    if argument.as_deref() == Some("end") {
        return Ok(());
    }
    let rounds = argument.map_or(Ok(300), |rounds| rounds.parse())?;
    let pd = Pd::new()?;
    let program = Program::new(std::env::current_exe()?).argument("serve");
    let sandbox = |mode| Sandbox { mode, ..Sandbox::default() };
    let kinds = [("bare fork/exec", sandbox(Mode::Off)), ("strict", sandbox(Mode::Strict))];
    let (mut ends, mut times) = (Vec::new(), [Vec::new(), Vec::new()]);
    for round in 0..=rounds {
        ends.push(start_and_end(&program)?);
        for ((_, sandbox), times) in kinds.iter().zip(&mut times) {
            let time = first_call(&pd, sandbox, &program)?;
            // The first round finds cold caches.
            if round > 0 {
                times.push(time);
            }
        }
    }
    let mut output = std::io::stdout().lock();
    times.iter_mut().chain([&mut ends]).for_each(|times| times.sort());
    for ((name, _), times) in kinds.iter().zip(&times) {
        let [low, median, high] = [10, 50, 90].map(|percent| times[times.len() * percent / 100]);
        writeln!(output, "{name:<16} median {median:?}, 10 % {low:?}, 90 % {high:?}")?;
    }
    let [bare, strict] = times.map(|times| times[times.len() / 2].as_secs_f64());
    writeln!(output, "{:<16} {:.2}", "ratio", strict / bare)?;
    let ends = ends[ends.len() / 2].as_secs_f64();
    writeln!(
        output,
        "{:<16} {:.2}, to a bare one that only starts and ends ({:.2} ms)",
        "",
        strict / ends,
        ends * 1e3
    )?;
    Ok(())
}

/// What a process costs that does nothing.
fn start_and_end(program: &Program) -> Result<Duration, Box<dyn error::Error>> {
    let begin = Instant::now();
    std::process::Command::new(program.path()).arg("end").status()?;
    Ok(begin.elapsed())
}

fn first_call(pd: &Pd, sandbox: &Sandbox, program: &Program) -> Result<Duration, Box<dyn error::Error>> {
    let begin = Instant::now();
    let (mut child, first) = sandbox.start(pd, program)?;
    first.call(&MsgBuf::new(), &mut MsgBuf::new())?;
    let time = begin.elapsed();
    child.kill()?;
    Ok(time)
}

/// A component that answers whatever it is asked.
fn serve() -> Result<(), Error> {
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
