//! The source component: streams its standard input to the receiver that it is handed.

use super::interface::{Filled, PACKET, PIECE, Pieces, Receiver, Report, Source, geometry};
use crate::failure::Failure;
use crate::task::{self, Progress, Task, TaskFailure};
use portcullis_entrypoint::{Entrypoint, Error};
use portcullis_ipc::Limits;
use portcullis_packet_stream::{Error as StreamError, Source as PacketSource};
use portcullis_rpc::{Capability, Client, DataspaceCapability, Deadline, Derives, Interface, Later};
use portcullis_shm::{BufferClient, Window};
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

/// The parent alone.
const LIMITS: Limits = Limits { rows: 1, contexts: 0, channels: 4, portals: 2 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    task::serve(LIMITS, manage, |origin: &mut Origin| origin.0.look())
}

fn manage(entrypoint: &Entrypoint) -> Capability<dyn Source> {
    entrypoint.manage(Origin(Task::new(entrypoint)))
}

struct Origin(Task<Report>);

impl Source for Origin {
    fn by_calls(&mut self, receiver: Capability<dyn Pieces>) -> Result<(), Failure> {
        self.0.begin(move || by_calls(&receiver))
    }

    fn by_buffer(
        &mut self,
        receiver: Capability<dyn Filled>,
        buffer: DataspaceCapability,
    ) -> Result<(), Failure> {
        self.0.begin(move || by_buffer(&receiver, &buffer))
    }

    fn by_stream(
        &mut self,
        receiver: Capability<dyn Receiver>,
        dataspace: DataspaceCapability,
    ) -> Result<(), Failure> {
        self.0.begin(move || by_stream(&receiver, &dataspace))
    }

    fn wait(&mut self, time: Duration) -> Later<Result<Progress<Report>, Failure>> {
        self.0.wait(time)
    }
}

/// Streams in calls of up to [`PIECE`] bytes.
fn by_calls(receiver: &Capability<dyn Pieces>) -> Result<Report, TaskFailure> {
    let start = Instant::now();
    let mut receiver = greeted(receiver)?;
    read_all(64 * PIECE, |block| {
        block.chunks(PIECE).try_for_each(|piece| receiver.put(piece)).map_err(TaskFailure::receiver)
    })?;
    conclude(&mut receiver, start)
}

/// Streams in a buffer that each call hands over.
fn by_buffer(receiver: &Capability<dyn Filled>, buffer: &DataspaceCapability) -> Result<Report, TaskFailure> {
    let start = Instant::now();
    let mut receiver = greeted(receiver)?;
    let buffer = BufferClient::attach(buffer).map_err(TaskFailure::receiver)?;
    read_all(buffer.size(), |block| {
        let length = buffer.fill(block).map_err(TaskFailure::receiver)?;
        receiver.take(u32::try_from(length).unwrap_or(u32::MAX)).map_err(TaskFailure::receiver)
    })?;
    conclude(&mut receiver, start)
}

/// Streams as the source of a packet stream.
fn by_stream(
    receiver: &Capability<dyn Receiver>,
    dataspace: &DataspaceCapability,
) -> Result<Report, TaskFailure> {
    let start = Instant::now();
    let mut receiver = greeted(receiver)?;
    let attached = dataspace.attach(Window::WHOLE).map_err(TaskFailure::receiver)?;
    let geometry = geometry().map_err(TaskFailure::receiver)?;
    let mut source = PacketSource::<()>::new(attached, geometry).map_err(TaskFailure::receiver)?;
    read_all(PACKET, |block| submit(&mut source, block).map_err(TaskFailure::receiver))?;
    while source.outstanding() > 0 {
        take_back(&mut source).map_err(TaskFailure::receiver)?;
    }
    // All is acknowledged, so all was added.
    conclude(&mut receiver, start)
}

/// Submits a packet with this content, when there is room for it.
pub(crate) fn submit(source: &mut PacketSource<()>, block: &[u8]) -> Result<(), StreamError> {
    let packet = loop {
        match source.alloc(block.len()) {
            Err(StreamError::BufferFull) => take_back(source)?,
            packet => break packet?,
        }
    };
    source.content(&packet)?.copy_from(block)?;
    source.submit(packet, (), Deadline::Never)?;
    source.wakeup()
}

/// Makes the region of a packet free again that the sink is done with.
pub(crate) fn take_back(source: &mut PacketSource<()>) -> Result<(), StreamError> {
    let acknowledged = source.acknowledged(Deadline::Never)?;
    source.release(acknowledged.packet);
    Ok(())
}

/// A client of the receiver that waits for as long as it takes. The first call has a deadline: it fails if the way to the object was
/// cut before anybody greeted us.
fn greeted<I>(receiver: &Capability<I>) -> Result<Client<I>, TaskFailure>
where
    I: ?Sized + Interface + Derives<dyn Receiver>,
{
    receiver.client().received().map_err(TaskFailure::receiver)?;
    Ok(receiver.client().with_deadline(Deadline::Never))
}

/// Has the receiver say what has come.
fn conclude(receiver: &mut impl Receiver, start: Instant) -> Result<Report, TaskFailure> {
    let summary = receiver.finish().map_err(TaskFailure::receiver)?;
    Ok(Report { summary, time: start.elapsed() })
}

/// Reads the standard input to its end, in blocks of at most so many bytes.
fn read_all(most: usize, mut send: impl FnMut(&[u8]) -> Result<(), TaskFailure>) -> Result<(), TaskFailure> {
    let (mut input, mut block) = (std::io::stdin().lock(), vec![0; most]);
    loop {
        match input.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) => send(&block[..length])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(TaskFailure::input(&error)),
        }
    }
}
