//! The server's side of two terminals that face each other: what is written to the one is read from the other.

use super::{MAX_BYTES, Size, Terminal};
use portcullis_component::{Error, Opening, Sessions};
use portcullis_rpc::{Later, Reply};
use portcullis_shm::{RamQuota, Reservation};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

/// The size of each buffer.
const BUFFER: usize = 4096;

/// Serves two sessions, linked crosswise. A third is denied until one of them is closed.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::terminal::{CrosslinkComponent, Terminal, TerminalBytes};
///
/// let read = with_server(
///     |env: Env| env.announce::<dyn Terminal, _>(CrosslinkComponent::default()),
///     |env| {
///         let mut left = env.connect::<dyn Terminal>("left", &())?;
///         let mut right = env.connect::<dyn Terminal>("right", &())?;
///         left.write_all(b"knock")?;
///         right.read().get()
///     },
/// );
/// assert_eq!(read?, b"knock");
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug, Default)]
pub struct CrosslinkComponent(Rc<RefCell<Link>>);

/// Both directions; `ends[i]` is what end `i` reads.
#[derive(Default)]
struct Link {
    ends: [End; 2],
}

#[derive(Default)]
struct End {
    /// Whether there is a session, which pays for what it reads from here.
    is_open: bool,
    /// Whether whoever would type for it has gone since it was last read.
    is_left: bool,
    bytes: VecDeque<u8>,
    reader: Option<Reply<Result<Vec<u8>, Error>>>,
    /// A writer of the other end's who waits for room here.
    writer: Option<Writer>,
}

/// What somebody would write, and how he is told how much of it was taken.
type Writer = (Vec<u8>, Reply<Result<u32, Error>>);

impl Link {
    /// Moves what can be moved into end `to`, and out of it.
    fn pump(&mut self, to: usize) {
        let is_open = self.ends[to].is_open;
        let end = &mut self.ends[to];
        if let Some((bytes, reply)) = end.writer.take() {
            let room = BUFFER.saturating_sub(end.bytes.len()).min(bytes.len());
            if room == 0 && !bytes.is_empty() && is_open {
                end.writer = Some((bytes, reply));
            } else {
                end.bytes.extend(&bytes[..room]);
                reply.answer(Ok(u32::try_from(room).unwrap_or(u32::MAX)));
            }
        }
        if (!end.bytes.is_empty() || end.is_left)
            && let Some(reader) = end.reader.take()
        {
            end.is_left &= !end.bytes.is_empty();
            let length = end.bytes.len().min(MAX_BYTES);
            reader.answer(Ok(end.bytes.drain(..length).collect()));
            // There is room now.
            if end.writer.is_some() {
                self.pump(to);
            }
        }
    }
}

impl Sessions<dyn Terminal> for CrosslinkComponent {
    type Session = CrosslinkSession;

    fn create(&mut self, opening: Opening<()>) -> Result<CrosslinkSession, Error> {
        let mut link = self.0.borrow_mut();
        let free = link.ends.iter().position(|end| !end.is_open);
        let place = free.ok_or_else(|| Error::denied("terminal", "both ends are taken"))?;
        // Its buffer, and what its writer may leave waiting.
        let needed = RamQuota::bytes((BUFFER + MAX_BYTES) as u64);
        let missing = needed.in_bytes().saturating_sub(opening.budget.ram().available().in_bytes());
        let paid = opening.budget.ram().reserve(needed);
        let paid = paid.map_err(|_| Error::InsufficientRamQuota { missing: RamQuota::bytes(missing) })?;
        link.ends[place].is_open = true;
        link.ends[place].is_left = false;
        link.ends[1 - place].is_left = false;
        link.pump(place);
        Ok(CrosslinkSession { place, link: self.0.clone(), _paid: paid })
    }

    fn close(&mut self, session: CrosslinkSession) {
        let mut link = self.0.borrow_mut();
        let (here, other) = (session.place, 1 - session.place);
        // What was not read here is gone, and who waits to write goes on waiting, for who comes next.
        let writer = link.ends[here].writer.take();
        link.ends[here] = End { writer, ..End::default() };
        // What waits to be written over there is this session's own; and nobody types for the other one any more.
        link.ends[other].writer = None;
        link.ends[other].is_left = true;
        link.pump(other);
    }
}

/// One end: what a [`CrosslinkComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::terminal::{CrosslinkComponent, CrosslinkSession, Terminal};
///
/// fn is_made<S: Sessions<dyn Terminal, Session = CrosslinkSession>>() {}
/// is_made::<CrosslinkComponent>();
/// ```
pub struct CrosslinkSession {
    place: usize,
    link: Rc<RefCell<Link>>,
    _paid: Reservation,
}

impl Terminal for CrosslinkSession {
    fn size(&mut self) -> Result<Size, Error> {
        Ok(Size { columns: 80, lines: 25 })
    }

    fn read(&mut self) -> Later<Result<Vec<u8>, Error>> {
        let mut link = self.link.borrow_mut();
        if link.ends[self.place].reader.is_some() {
            return Later::ready(Err(Error::SessionBusy));
        }
        let (later, reply) = Later::new();
        link.ends[self.place].reader = Some(reply);
        link.pump(self.place);
        later
    }

    fn write(&mut self, bytes: &[u8]) -> Later<Result<u32, Error>> {
        let mut link = self.link.borrow_mut();
        let other = 1 - self.place;
        if link.ends[other].writer.is_some() {
            return Later::ready(Err(Error::SessionBusy));
        }
        let (later, reply) = Later::new();
        link.ends[other].writer = Some((bytes.to_vec(), reply));
        if link.ends[other].is_open {
            link.pump(other);
        }
        later
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ends.iter().map(|end| (end.is_open, end.bytes.len()))).finish()
    }
}

impl fmt::Debug for CrosslinkSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrosslinkSession").field(&self.place).finish()
    }
}
