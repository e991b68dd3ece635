//! Calls of one client to one server.

use crate::alternation::{Comparison, Plan, Side, compare};
use crate::component::interface::{Component, Echo, Factory};
use crate::cores::{Bound, Cores};
use crate::error::Error;
use crate::floor::{self, Waiting};
use crate::process::{Process, Program, SharedMemory};
use portcullis_ipc::{self as ipc, Doorbell, MsgBuf};
use portcullis_rpc::{Capability, Client};

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
        server.component().bind(server_core)?;
        cores.bind_for_now(client_core)
    }
}

/// Calls that carry the same bytes there and back.
pub(crate) struct Calls {
    object: Client<dyn Echo>,
    bytes: Vec<u8>,
}

impl Calls {
    pub(crate) fn new(object: &Capability<dyn Echo>, bytes: usize) -> Calls {
        Calls { object: object.client(), bytes: vec![0x5a; bytes] }
    }
}

impl Side for Calls {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        let answer = self.object.echo(&self.bytes)?;
        same_length(&answer, &self.bytes)
    }
}

/// The same by the untyped layer alone, from a message that is ready.
struct UntypedCalls {
    object: ipc::Capability,
    send: MsgBuf,
    receive: MsgBuf,
}

impl UntypedCalls {
    fn new(object: &Capability<()>, bytes: usize) -> Result<UntypedCalls, Error> {
        let mut send = MsgBuf::new();
        send.write(&vec![0x5a; bytes])?;
        Ok(UntypedCalls { object: object.untyped().clone(), send, receive: MsgBuf::new() })
    }
}

impl Side for UntypedCalls {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        self.object.call(&self.send, &mut self.receive)?;
        same_length(self.receive.data(), self.send.data())
    }
}

/// Whether all came back.
#[inline]
fn same_length(answer: &[u8], bytes: &[u8]) -> Result<(), Error> {
    if answer.len() == bytes.len() { Ok(()) } else { Err(Error::Misunderstood("an echo")) }
}

/// Calls that each bring the capability to a new object, which is dropped here and now.
struct NewObjects(Client<dyn Factory>);

impl Side for NewObjects {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        Ok(self.0.short_lived().map(drop)?)
    }
}

/// The floor's ping-pong, which the server enters and leaves on demand.
struct PingPong<'a> {
    client: floor::Client<'a>,
    server: &'a Process,
    waiting: Waiting,
    bytes: usize,
}

impl Side for PingPong<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.client.reset();
        Ok(self.server.component().floor(self.waiting, self.bytes)?)
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
    let mut ours = Calls::new(&server.objects.echo, bytes);
    let client = floor::Client::new(&shared.memory, waiting, bytes);
    let mut floor = PingPong { client, server: &server, waiting, bytes };
    compare(plan, &[&server], &mut ours, &mut floor)
}

/// Calls that each bring the capability to a new object, beside calls that bring nothing.
pub(crate) fn new_object(program: &Program, cores: &Cores, plan: Plan) -> Result<Comparison, Error> {
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, Doorbell::default())?;
    let _bound = Placement::TwoCores.arrange(&server, cores)?;
    let mut ours = NewObjects(server.objects.factory.client());
    let mut floor = Calls::new(&server.objects.echo, 0);
    compare(plan, &[&server], &mut ours, &mut floor)
}

/// Typed calls that carry so many bytes both ways, beside untyped calls that do.
pub(crate) fn layer(program: &Program, cores: &Cores, plan: Plan, bytes: usize) -> Result<Comparison, Error> {
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, Doorbell::default())?;
    let _bound = Placement::TwoCores.arrange(&server, cores)?;
    let mut ours = Calls::new(&server.objects.echo, bytes);
    let mut floor = UntypedCalls::new(&server.component().untyped()?, bytes)?;
    compare(plan, &[&server], &mut ours, &mut floor)
}
