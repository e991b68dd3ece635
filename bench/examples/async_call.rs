//! What an asynchronous call costs beside a synchronous one, both to a server in another process: medians over blocks,
//! in nanoseconds a call. `async_call [BLOCKS]`; it starts itself as the server.

use portcullis_ipc::{Capability, Deadline, Error, MsgBuf, Pd, Server};
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

/// Calls in a block of each kind.
const CALLS: u32 = 2_000;
/// Makes them.
type Block = fn(&Capability) -> Result<(), Error>;

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    let ended = match argument.as_deref() {
        Some("serve") => serve(),
        blocks => measure(blocks.and_then(|blocks| blocks.parse().ok()).unwrap_or(50)),
    };
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Echoes until the parent ends.
fn serve() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    server.serve_parent(server.badge())?;
    let (mut message, mut caller) = (MsgBuf::new(), None);
    loop {
        match server.reply_and_wait(caller, &mut message, Deadline::Never) {
            Ok(request) => caller = Some(request.caller),
            Err(Error::ParentGone) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn measure(blocks: usize) -> Result<(), Error> {
    let program = std::env::current_exe().map_err(|_| Error::NotSpawned)?;
    let mut command = Command::new(program);
    command.arg("serve");
    let (_server, capability) = Pd::new()?.spawn(command)?;
    let kinds: [(&str, Block); 3] =
        [("call", one_by_one), ("call_async, one at a time", alone), ("call_async, 16 at once", together)];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..blocks {
        for ((_, run), times) in kinds.iter().zip(&mut times) {
            let start = Instant::now();
            run(&capability)?;
            times.push(start.elapsed() / CALLS);
        }
    }
    for ((name, _), times) in kinds.iter().zip(&mut times) {
        times.sort_unstable();
        let middle = times[times.len() / 2].as_nanos();
        // Whoever closed the output does not want to see more of it.
        let _ = writeln!(std::io::stdout(), "{name}: {middle} ns");
    }
    Ok(())
}

fn one_by_one(capability: &Capability) -> Result<(), Error> {
    let (send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    (0..CALLS).try_for_each(|_| capability.call(&send, &mut receive))
}

fn alone(capability: &Capability) -> Result<(), Error> {
    let mut message = Box::new(MsgBuf::new());
    for _ in 0..CALLS {
        message = block_on(capability.call_async(message))?;
    }
    Ok(())
}

fn together(capability: &Capability) -> Result<(), Error> {
    for _ in 0..CALLS / 16 {
        let mut calls: Vec<_> = (0..16).map(|_| Some(capability.call_async(Box::default()))).collect();
        let all: Result<(), Error> = block_on(std::future::poll_fn(|context| {
            for place in &mut calls {
                if let Some(call) = place
                    && let Poll::Ready(result) = Pin::new(call).poll(context)
                {
                    *place = None;
                    result?;
                }
            }
            if calls.iter().all(Option::is_none) { Poll::Ready(Ok(())) } else { Poll::Pending }
        }));
        all?;
    }
    Ok(())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
