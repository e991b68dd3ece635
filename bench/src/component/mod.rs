//! The other side of a benchmark: a process that echoes, makes objects, plays the floor's ping-pong, and calls
//! others, as it is told.
//!
//! It is started with a portal to the benchmark, as any component is, and with the floor's memory as its standard
//! input; it ends with the benchmark.

mod caller;
pub(crate) mod orders;
mod short_lived;

use crate::cores::Cores;
use crate::error::Error;
use crate::floor::{self, Memory, Waiting};
use crate::meter;
use crate::process::PATIENCE;
use caller::CallerRole;
use orders::{Order, read_numbers, write_numbers};
use portcullis_ipc::{Caller, Deadline, Limits, MsgBuf, Pd, PdOptions, Server};
use short_lived::ShortLived;
use std::process::ExitCode;

/// The objects that a component grants to each client at most: those of the largest case, and some.
const MOST_OBJECTS: u32 = 1_001_000;

/// What the process does that a benchmark has started: returns when the benchmark ends.
///
/// A program that calls [`call::run`](crate::call::run) must call this when it is started with the arguments that it
/// names in its [`Program`](crate::Program). A failure is told on the standard error.
#[must_use]
pub fn main() -> ExitCode {
    match Component::start().and_then(|mut component| component.serve()) {
        Ok(()) | Err(Error::Call(portcullis_ipc::Error::ParentGone)) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("a component of the benchmark failed: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Component {
    server: Server,
    cores: Cores,
    memory: Memory,
    short_lived: ShortLived,
    role: CallerRole,
}

/// What is to be done about a call.
enum Answer {
    /// The message is the reply.
    Now(Caller),
    /// It was given already.
    Given,
}

impl Component {
    fn start() -> Result<Component, Error> {
        let limits = Limits { rows: MOST_OBJECTS, ..Limits::default() };
        let pd = Pd::with(PdOptions { deadline: PATIENCE, ..PdOptions::default() })?;
        let mut server = Server::with(&pd, limits)?;
        server.serve_parent(server.badge())?;
        Ok(Component {
            server,
            cores: Cores::available()?,
            memory: Memory::map(&std::io::stdin())?,
            short_lived: ShortLived::default(),
            role: CallerRole::default(),
        })
    }

    fn serve(&mut self) -> Result<(), Error> {
        let mut message = MsgBuf::new();
        let mut last = None;
        loop {
            let request = self.server.reply_and_wait(last.take(), &mut message, Deadline::Never)?;
            last = match Order::decode(message.opcode()) {
                Some(Order::Echo) => Some(request.caller),
                Some(order) => match self.obey(order, request.caller, &mut message)? {
                    Answer::Now(caller) => Some(caller),
                    Answer::Given => None,
                },
                None => return Err(Error::Misunderstood("an order")),
            };
        }
    }

    /// Carries out an order; `message` becomes the reply.
    fn obey(&mut self, order: Order, caller: Caller, message: &mut MsgBuf) -> Result<Answer, Error> {
        match order {
            Order::Echo => {}
            Order::NewObject => {
                message.clear();
                message.push(self.short_lived.mint(&mut self.server)?)?;
            }
            Order::FourObjects => {
                message.clear();
                for _ in 0..portcullis_ipc::MAX_CAPABILITIES {
                    message.push(self.server.mint()?.1)?;
                }
            }
            Order::Bind => {
                let [core] = read_numbers(message, "a core")?;
                self.cores.bind(core.checked_sub(1).and_then(|core| usize::try_from(core).ok()))?;
                message.clear();
            }
            Order::CpuTime => {
                message.clear();
                write_numbers(message, &[meter::cpu_time()])?;
            }
            Order::Floor => {
                let [waiting, bytes] = read_numbers(message, "a floor")?;
                let waiting = if waiting == 0 { Waiting::Spin } else { Waiting::Futex };
                self.server.reply(caller, &MsgBuf::new())?;
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                floor::serve(&self.memory, waiting, bytes, parent_lives())?;
                return Ok(Answer::Given);
            }
            Order::Target => self.role.aim(message)?,
            Order::Run => {
                let run = CallerRole::read(message)?;
                self.server.reply(caller, &MsgBuf::new())?;
                self.role.run(run, &self.memory, parent_lives())?;
                return Ok(Answer::Given);
            }
            Order::Outcome => self.role.outcome(message)?,
            Order::Times => self.role.times(message)?,
        }
        Ok(Answer::Now(caller))
    }
}

/// Says, whenever it is asked, whether the parent is still that of now: who loops must not outlive it.
fn parent_lives() -> impl FnMut() -> Result<(), Error> {
    let parent = rustix::process::getppid();
    move || {
        if rustix::process::getppid() == parent {
            Ok(())
        } else {
            Err(portcullis_ipc::Error::ParentGone.into())
        }
    }
}
