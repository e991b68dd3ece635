//! Two ends that face each other, and the bytes on their way between them.

use super::Size;
use portcullis_component::{Budget, Error};
use portcullis_rpc::{Later, Reply, SignalCapability};
use portcullis_shm::{Buffer, RamAllocator, RamQuota, Reservation};
use std::collections::VecDeque;
use std::fmt;

/// The size of each buffer, and of what waits to be read, in bytes.
const BUFFER: usize = 4096;

/// How many bytes an answer is about, or why there are none.
pub(super) type Count = Result<u32, Error>;

/// Both directions; `ends[i]` is what end `i` reads.
pub(super) struct Link {
    ends: [End; 2],
    size: Size,
}

#[derive(Default)]
struct End {
    /// The session, which pays for what it reads from here.
    session: Option<Wired>,
    /// Whether whoever would type for it has gone since it was last read.
    is_left: bool,
    /// What waits to be read, and was not let go by its reader yet.
    bytes: VecDeque<u8>,
    /// How many of them lie in its input buffer.
    offered: usize,
    /// How many bytes were let go.
    gone: u64,
    reader: Option<Reply<Count>>,
    /// A writer of the other end's who waits for room here: how many bytes he has in his buffer.
    writer: Option<(usize, Reply<Count>)>,
}

/// What a session has.
pub(super) struct Wired {
    pub(super) input: Buffer,
    pub(super) output: Buffer,
    to_read: Option<SignalCapability>,
    resized: Option<SignalCapability>,
    _paid: Reservation,
}

impl Wired {
    /// On the client's donation: two buffers, the server's copy of what is written, and what lies in the other and waits behind that.
    pub(super) fn new(budget: &Budget) -> Result<Wired, Error> {
        let private = RamQuota::bytes(3 * BUFFER as u64);
        let buffer = RamAllocator::price(BUFFER)?.in_bytes();
        budget.require(RamQuota::bytes(private.in_bytes() + 2 * buffer))?;
        let paid = budget.reserve(private)?;
        let (input, output) = (budget.buffer(BUFFER)?, budget.buffer(BUFFER)?);
        Ok(Wired { input, output, to_read: None, resized: None, _paid: paid })
    }
}

impl Default for Link {
    fn default() -> Link {
        Link { ends: Default::default(), size: Size { columns: 80, lines: 25 } }
    }
}

impl Link {
    /// The first end without a session.
    pub(super) fn free_end(&self) -> Option<usize> {
        self.ends.iter().position(|end| end.session.is_none())
    }

    pub(super) fn open(&mut self, place: usize, session: Wired) {
        self.ends[place].session = Some(session);
        self.ends.iter_mut().for_each(|end| end.is_left = false);
        self.pump(place);
    }

    /// The session's end is over: what was not read there is gone, and who waits to write goes on waiting, for who comes next.
    pub(super) fn close(&mut self, here: usize) {
        let other = 1 - here;
        let writer = self.ends[here].writer.take();
        self.ends[here] = End { writer, ..End::default() };
        // What waits to be written over there is this session's own; and nobody types for the other one any more.
        self.ends[other].writer = None;
        self.ends[other].is_left = true;
        self.pump(other);
        self.ends[other].tell_reader();
    }

    pub(super) fn session(&mut self, place: usize) -> Result<&mut Wired, Error> {
        self.ends[place].session.as_mut().ok_or(Error::Closed)
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Has another size from now on, and says that to both.
    pub(super) fn resize(&mut self, size: Size) {
        self.size = size;
        let sessions = self.ends.iter().filter_map(|end| end.session.as_ref());
        sessions.filter_map(|session| session.resized.as_ref()).for_each(SignalCapability::submit);
    }

    pub(super) fn available(&self, place: usize, position: u64) -> u32 {
        let end = &self.ends[place];
        u32::try_from(end.bytes.len() - end.taken(position)).unwrap_or(u32::MAX)
    }

    pub(super) fn signal_reads(&mut self, place: usize, context: SignalCapability) -> Result<(), Error> {
        self.session(place)?.to_read = Some(context);
        let end = &self.ends[place];
        if !end.bytes.is_empty() || end.is_left {
            end.tell_reader();
        }
        Ok(())
    }

    pub(super) fn signal_sizes(&mut self, place: usize, context: SignalCapability) -> Result<(), Error> {
        self.session(place)?.resized = Some(context);
        Ok(())
    }

    pub(super) fn read(&mut self, place: usize, position: u64) -> Later<Count> {
        let (later, reply) = Later::new();
        let end = &mut self.ends[place];
        end.let_go(position);
        // In place of one that waits, whose caller may have given up.
        end.reader = Some(reply);
        self.pump(place);
        later
    }

    pub(super) fn write(&mut self, place: usize, length: usize) -> Later<Count> {
        let other = 1 - place;
        // What the buffer has not is no matter of waiting.
        if let Err(error) = self.session(place).and_then(|session| session.holds(length)) {
            return Later::ready(Err(error));
        }
        let (later, reply) = Later::new();
        // In place of one that waits, of which nothing was taken.
        self.ends[other].writer = Some((length, reply));
        if self.ends[other].session.is_some() {
            self.pump(other);
        }
        later
    }

    /// Moves what can be moved into end `to`, and out of it.
    fn pump(&mut self, to: usize) {
        self.take_from_writer(to);
        self.give_to_reader(to);
        // What was given makes room.
        self.take_from_writer(to);
    }

    /// Copies what there is room for out of the writer's buffer: the copy is what travels on, whatever he writes there meanwhile.
    fn take_from_writer(&mut self, to: usize) {
        let [first, second] = &mut self.ends;
        let (end, other) = if to == 0 { (first, second) } else { (second, first) };
        let Some((length, reply)) = end.writer.take() else { return };
        let waiting = end.bytes.len() - end.offered;
        let room = BUFFER.saturating_sub(waiting).min(length);
        if room == 0 && length > 0 {
            end.writer = Some((length, reply));
            return;
        }
        let Some(writer) = &mut other.session else { return };
        let copied = writer.output.copy(room).map(|bytes| end.bytes.extend(bytes));
        reply.answer(copied.map_err(Error::from).map(|()| u32::try_from(room).unwrap_or(u32::MAX)));
        if room > 0 {
            end.tell_reader();
        }
    }

    fn give_to_reader(&mut self, to: usize) {
        let end = &mut self.ends[to];
        if end.bytes.is_empty() && !end.is_left {
            return;
        }
        let (Some(session), Some(reader)) = (&end.session, end.reader.take()) else { return };
        end.is_left &= !end.bytes.is_empty();
        let length = end.bytes.len().min(session.input.size());
        let copied = session.input.answer(&end.bytes.make_contiguous()[..length]);
        end.offered = length;
        reader.answer(copied.map_err(Error::from).map(|read| u32::try_from(read).unwrap_or(u32::MAX)));
    }
}

impl End {
    /// How many of the bytes that wait lie before that position of the reader's. What it may say else than it took is its own loss.
    fn taken(&self, position: u64) -> usize {
        usize::try_from(position.saturating_sub(self.gone)).unwrap_or(usize::MAX).min(self.bytes.len())
    }

    fn let_go(&mut self, position: u64) {
        let taken = self.taken(position);
        self.bytes.drain(..taken);
        self.gone += taken as u64;
        self.offered = self.offered.saturating_sub(taken);
    }

    fn tell_reader(&self) {
        let context = self.session.as_ref().and_then(|session| session.to_read.as_ref());
        context.into_iter().for_each(SignalCapability::submit);
    }
}

impl Wired {
    fn holds(&self, length: usize) -> Result<(), Error> {
        let size = self.output.size();
        let beyond = portcullis_shm::Error::OutOfBounds { offset: 0, len: length, size };
        if length > size { Err(beyond.into()) } else { Ok(()) }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ends.iter().map(|end| (end.session.is_some(), end.bytes.len()))).finish()
    }
}
