//! The sink component: makes receivers, and computes size and checksum of what comes.
//!
//! It owns the memory of all of them. What lies there is read by copies: a source may write it at any time.

use super::content::Content;
use super::interface::{BUFFER, Filled, Pieces, Receiver, Sink, Summary, geometry};
use crate::failure::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error, WeakEntrypoint};
use portcullis_ipc::{Deadline, Limits};
use portcullis_packet_stream::{Error as StreamError, HangUp, Sink as PacketSink};
use portcullis_rpc::{self as rpc, Capability, DataspaceCapability, Serves};
use portcullis_shm::{Buffer, Dataspace, RamAccount, RamAllocator, RamQuota, Window};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Receivers at one time.
pub const MOST_RECEIVERS: u32 = 16;

/// The memory of all receivers together.
const BUDGET: RamQuota = RamQuota::mib(16);

/// The parent holds the sink and all receivers; each source comes by a portal.
const LIMITS: Limits =
    Limits { rows: 1 + MOST_RECEIVERS, contexts: 0, channels: 32, portals: MOST_RECEIVERS };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
}

/// Has an entrypoint manage a sink.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Sink> {
    let memory = RamAllocator::new(&RamAccount::new(BUDGET));
    entrypoint.manage(Maker { entrypoint: entrypoint.downgrade(), memory, place: Place::default() })
}

/// What every receiver holds a share of: so they are counted.
type Place = Rc<()>;

struct Maker {
    entrypoint: WeakEntrypoint,
    memory: RamAllocator,
    place: Place,
}

impl Maker {
    /// Makes a receiver, which lives until it is finished or nobody holds it any more.
    fn receiver<I, W>(&self, way: W) -> Result<Capability<I>, Failure>
    where
        I: ?Sized + Serves<Receiving<W>>,
        W: Way,
    {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        let receiving = Receiving { way, entrypoint: self.entrypoint.clone(), _place: self.place.clone() };
        Ok(entrypoint.manage_counted(receiving, |_, entrypoint| {
            entrypoint.dissolve_current();
        }))
    }

    /// Whether there is room for one more.
    fn check_room(&self) -> Result<(), Failure> {
        // One share is the maker's own.
        let full = Rc::strong_count(&self.place) > MOST_RECEIVERS as usize;
        if full { Err(Failure::Exhausted) } else { Ok(()) }
    }
}

impl Sink for Maker {
    fn by_calls(&mut self) -> Result<Capability<dyn Pieces>, Failure> {
        self.check_room()?;
        self.receiver(Called(Content::default()))
    }

    fn by_buffer(&mut self) -> Result<(Capability<dyn Filled>, DataspaceCapability), Failure> {
        self.check_room()?;
        let buffer = Buffer::new(&self.memory, BUFFER).map_err(|_| Failure::Exhausted)?;
        let capability = buffer.capability().into();
        Ok((self.receiver(Buffered { content: Content::default(), buffer })?, capability))
    }

    fn by_stream(&mut self) -> Result<(Capability<dyn Receiver>, DataspaceCapability), Failure> {
        self.check_room()?;
        let streamed = Streamed::start(&self.memory).map_err(|_| Failure::Exhausted)?;
        let capability = streamed.dataspace.capability().into();
        Ok((self.receiver(streamed)?, capability))
    }
}

/// A receiver.
struct Receiving<W> {
    way: W,
    entrypoint: WeakEntrypoint,
    _place: Place,
}

/// How bytes come to a receiver.
trait Way: 'static {
    /// Looks at what has come.
    fn look<R>(&self, look: impl FnOnce(&Content) -> R) -> R;
}

impl<W: Way> Receiver for Receiving<W> {
    fn received(&mut self) -> Result<u64, Failure> {
        Ok(self.way.look(Content::bytes))
    }

    fn finish(&mut self) -> Result<Summary, Failure> {
        self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?.dissolve_current();
        Ok(self.way.look(Content::summary))
    }
}

/// By calls.
struct Called(Content);

impl Way for Called {
    fn look<R>(&self, look: impl FnOnce(&Content) -> R) -> R {
        look(&self.0)
    }
}

impl Pieces for Receiving<Called> {
    fn put(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.way.0.add(piece);
        Ok(())
    }
}

/// In a buffer.
struct Buffered {
    content: Content,
    buffer: Buffer,
}

impl Way for Buffered {
    fn look<R>(&self, look: impl FnOnce(&Content) -> R) -> R {
        look(&self.content)
    }
}

impl Filled for Receiving<Buffered> {
    fn take(&mut self, length: u32) -> Result<(), Failure> {
        let Buffered { content, buffer } = &mut self.way;
        buffer.for_each_block(length as usize, |block| content.add(block)).map_err(|_| Failure::Outside)
    }
}

/// By a packet stream, whose sink is a thread of its own.
struct Streamed {
    dataspace: Dataspace,
    content: Arc<Mutex<Content>>,
    hang_up: HangUp,
}

impl Streamed {
    fn start(memory: &RamAllocator) -> Result<Streamed, StreamError> {
        let geometry = geometry()?;
        let dataspace = memory.alloc(geometry.bytes::<()>())?;
        let mut sink = PacketSink::<()>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
        let content = Arc::new(Mutex::new(Content::default()));
        let (hang_up, shared) = (sink.hang_up(), content.clone());
        // It ends when the source has closed the stream, or breaks its rules, or nobody holds the receiver any more.
        std::thread::spawn(move || while take(&mut sink, &shared).is_ok() {});
        Ok(Streamed { dataspace, content, hang_up })
    }
}

impl Way for Streamed {
    fn look<R>(&self, look: impl FnOnce(&Content) -> R) -> R {
        look(&locked(&self.content))
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.hang_up.peer_is_gone();
    }
}

/// Takes a packet, and acknowledges it when its bytes have been added.
fn take(sink: &mut PacketSink<()>, content: &Mutex<Content>) -> Result<(), StreamError> {
    let packet = sink.get(Deadline::Never)?;
    sink.content(&packet)?.view().for_each_block(|_, block| locked(content).add(block))?;
    sink.acknowledge(packet, (), Deadline::Never)?;
    sink.wakeup()
}

fn locked(content: &Mutex<Content>) -> MutexGuard<'_, Content> {
    content.lock().unwrap_or_else(PoisonError::into_inner)
}
