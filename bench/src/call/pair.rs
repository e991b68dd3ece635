//! Calls of one client to one server.

use crate::alternation::{Comparison, Plan, Side, compare};
use crate::component::orders::{Order, order};
use crate::cores::{Bound, Cores};
use crate::error::Error;
use crate::floor::{self, Waiting};
use crate::process::{Process, Program, SharedMemory};
use portcullis_ipc::{Capability, Doorbell, MsgBuf};

/// Where the two processes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// On a core each.
    TwoCores,
    /// Both on the same core.
    OneCore,
    /// Where the system puts them.
    Anywhere,
}

impl Placement {
    /// Puts the server and the calling thread there; the thread is free again when the answer is dropped.
    pub(crate) fn arrange<'a>(self, server: &Process, cores: &'a Cores) -> Result<Bound<'a>, Error> {
        let (first, second) = cores.first_two();
        let (client_core, server_core) = match self {
            Placement::TwoCores => (Some(first), second),
            Placement::OneCore => (Some(first), Some(first)),
            Placement::Anywhere => (None, None),
        };
        server.bind(server_core)?;
        cores.bind_for_now(client_core)
    }
}

/// Calls with one and the same message.
pub(crate) struct Calls<'a> {
    capability: &'a Capability,
    send: MsgBuf,
    receive: MsgBuf,
}

impl<'a> Calls<'a> {
    /// Calls that give an order without numbers and carry so many bytes.
    pub(crate) fn new(capability: &'a Capability, what: Order, bytes: usize) -> Result<Calls<'a>, Error> {
        let mut send = order(what, &[])?;
        send.write(&vec![0x5a; bytes])?;
        Ok(Calls { capability, send, receive: MsgBuf::new() })
    }
}

impl Side for Calls<'_> {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        self.capability.call(&self.send, &mut self.receive)?;
        // A capability that came with the answer is dropped here and now.
        self.receive.clear();
        Ok(())
    }
}

/// The floor's ping-pong, which the server enters and leaves on demand.
struct PingPong<'a> {
    client: floor::Client<'a>,
    server: &'a Process,
    order: [u64; 2],
}

impl Side for PingPong<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.client.reset();
        self.server.order(Order::Floor, &self.order).map(drop)
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        self.client.call()
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.client.stop()
    }
}

/// Calls that carry so many bytes both ways, beside a ping-pong that does.
pub(crate) fn echo(
    program: &Program,
    cores: &Cores,
    plan: Plan,
    placement: Placement,
    doorbell: Doorbell,
    waiting: Waiting,
    bytes: usize,
) -> Result<Comparison, Error> {
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, doorbell)?;
    let _bound = placement.arrange(&server, cores)?;
    let mut ours = Calls::new(server.first(), Order::Echo, bytes)?;
    let client = floor::Client::new(&shared.memory, waiting, bytes);
    let order = [u64::from(waiting == Waiting::Futex), bytes as u64];
    let mut floor = PingPong { client, server: &server, order };
    compare(plan, &server, &mut ours, &mut floor)
}

/// Calls that each bring the capability to a new object, beside calls that bring nothing.
pub(crate) fn new_object(program: &Program, cores: &Cores, plan: Plan) -> Result<Comparison, Error> {
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, Doorbell::default())?;
    let _bound = Placement::TwoCores.arrange(&server, cores)?;
    let mut ours = Calls::new(server.first(), Order::NewObject, 0)?;
    let mut floor = Calls::new(server.first(), Order::Echo, 0)?;
    compare(plan, &server, &mut ours, &mut floor)
}
