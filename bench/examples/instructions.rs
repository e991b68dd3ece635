//! Instructions of a call, typed and untyped, for machines that have too much else to do to measure times:
//!
//! ```text
//! RUSTFLAGS="--cfg rustix_use_libc" CARGO_TARGET_DIR=target/libc \
//!     cargo run --release -p portcullis-bench --example instructions
//! ```
//!
//! It starts itself under valgrind, once for each case and number of calls, as in
//! `valgrind --tool=callgrind --fair-sched=yes instructions typed 64 1000`: typed calls, 64 bytes there and back, 1,000
//! of them. The difference between two numbers of calls is what calls take: client and server together, in user space.
//! Both are threads of one process and sleep while they wait, so that no looking is counted. How often a thread finds
//! what it would have slept for differs from run to run: so the least of some runs counts, and even that differs by a
//! percent or two.
//!
//! The flag has `rustix` call the C library, since its own way reads memory of the kernel's that valgrind hides.

use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::{self as ipc, Deadline, MsgBuf, Pd, PdOptions, Server, WaitPolicy};
use portcullis_rpc::{self as rpc, Capability, rpc_interface};
use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

#[rpc_interface]
trait Echo {
    fn echo(&mut self, bytes: &[u8]) -> Result<Vec<u8>, rpc::Error>;
}

struct Mirror;

impl Echo for Mirror {
    fn echo(&mut self, bytes: &[u8]) -> Result<Vec<u8>, rpc::Error> {
        Ok(bytes.to_vec())
    }
}

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [side, bytes, calls] => call(side, bytes.parse()?, calls.parse()?),
        [] => count_all(),
        _ => Err("either no arguments, or: typed|untyped BYTES CALLS".into()),
    }
}

/// How often each number of calls is counted.
const RUNS: usize = 5;

/// Counts all cases.
fn count_all() -> Outcome {
    let mut output = std::io::stdout();
    writeln!(output, "bytes   typed  untyped    layer")?;
    for bytes in ["0", "64", "1000"] {
        let (typed, untyped) = (each("typed", bytes)?, each("untyped", bytes)?);
        writeln!(output, "{bytes:>5} {typed:>7} {untyped:>8} {:>8}", typed - untyped)?;
    }
    Ok(())
}

/// The instructions of one call.
fn each(side: &str, bytes: &str) -> Outcome<i64> {
    Ok((least(side, bytes, "11000")? - least(side, bytes, "1000")?) / 10_000)
}

/// The fewest instructions of some runs: what the scheduler has to do with them comes on top.
fn least(side: &str, bytes: &str, calls: &str) -> Outcome<i64> {
    (1..RUNS).try_fold(count(side, bytes, calls)?, |least, _| Ok(least.min(count(side, bytes, calls)?)))
}

/// The instructions of a process that makes so many calls.
fn count(side: &str, bytes: &str, calls: &str) -> Outcome<i64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes"])
        .arg(std::env::current_exe()?)
        .args([side, bytes, calls])
        .output()
        .map_err(|error| format!("valgrind cannot be started ({error}): install it"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.ok_or_else(|| format!("callgrind counted nothing: {said}"))?;
    Ok(collected.trim().parse()?)
}

/// Makes the calls.
fn call(side: &str, bytes: usize, calls: u64) -> Outcome {
    let bytes = vec![0x5a; bytes];
    match side {
        "typed" => {
            let mut client = start(serve_typed)?.client();
            for _ in 0..calls {
                client.echo(&bytes)?;
            }
        }
        _ => {
            let object = start(serve_untyped)?;
            let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
            send.write(&bytes)?;
            for _ in 0..calls {
                object.call(&send, &mut receive)?;
            }
        }
    }
    Ok(())
}

/// Starts a server on a thread of its own, which ends with the process.
fn start<C: Send + 'static>(serve: fn(&Pd, &Sender<C>) -> Outcome) -> Outcome<C> {
    let pd = Pd::with(PdOptions { wait: WaitPolicy::Block, ..PdOptions::default() })?;
    let (capability, from_server) = channel();
    std::thread::spawn(move || serve(&pd, &capability));
    Ok(from_server.recv()?)
}

fn serve_typed(pd: &Pd, capability: &Sender<Capability<dyn Echo>>) -> Outcome {
    let entrypoint = Entrypoint::new(pd)?;
    capability.send(entrypoint.manage(Mirror))?;
    Ok(entrypoint.run()?)
}

fn serve_untyped(pd: &Pd, capability: &Sender<ipc::Capability>) -> Outcome {
    let mut server = Server::new(pd)?;
    capability.send(server.capability())?;
    let (mut message, mut last) = (MsgBuf::new(), None);
    loop {
        let request = server.reply_and_wait(last.take(), &mut message, Deadline::Never)?;
        last = Some(request.caller);
    }
}
