//! The server's side: copies from a board.

use super::{Rom, Version};
use crate::board::{Board, Naming, Reader};
use portcullis_component::{Budget, Error, Label, Opening, Quota, Sessions};
use portcullis_rpc::{DataspaceCapability, Later, SignalCapability};
use portcullis_shm::{Attachment, Dataspace, Lingering, Window};
use std::fmt;
use std::rc::Rc;

/// What sizes are rounded up to, in bytes.
const PAGE: usize = 4096;

/// Serves the contents of a board.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::Board;
/// use portcullis_sessions::report::{Report, ReportComponent, ReportConnection};
/// use portcullis_sessions::rom::{Rom, RomComponent, RomConnection};
///
/// let read = with_server(
///     |env: Env| {
///         let board = Board::default();
///         let name = |label: &portcullis_component::Label| Some(label.last().to_owned());
///         env.announce::<dyn Report, _>(ReportComponent::new(&board, name))?;
///         env.announce::<dyn Rom, _>(RomComponent::new(&board, name))
///     },
///     |env| {
///         let mut report = ReportConnection::new(env, "state", 4096)?;
///         report.report(b"all is well")?;
///         RomConnection::new(env, "state")?.newest()
///     },
/// );
/// assert_eq!(read?, b"all is well");
/// # Ok::<_, Error>(())
/// ```
pub struct RomComponent {
    board: Board,
    name: Box<Naming>,
}

impl RomComponent {
    /// Serves each client the content that the closure names for its label, and denies whom it names none.
    #[must_use]
    pub fn new(board: &Board, name: impl Fn(&Label) -> Option<String> + 'static) -> RomComponent {
        RomComponent { board: board.clone(), name: Box::new(name) }
    }
}

impl Sessions<dyn Rom> for RomComponent {
    type Session = RomSession;

    /// Beside the object, its dataspace and the context that it signals.
    fn needs(&self, (): &()) -> Quota {
        Quota::new(1024, 3)
    }

    fn create(&mut self, opening: Opening<()>) -> Result<RomSession, Error> {
        let name = (self.name)(&opening.label);
        let name = name.ok_or_else(|| Error::denied("rom", "there is no content for this label"))?;
        let reader = Rc::<Reader>::default();
        self.board.add_reader(&name, &reader);
        Ok(RomSession {
            name,
            board: self.board.clone(),
            budget: opening.budget,
            version: Version::default(),
            place: None,
            left: Vec::new(),
            reader,
        })
    }

    fn close(&mut self, session: RomSession) {
        let RomSession { name, reader, .. } = session;
        drop(reader);
        self.board.tidy(&name);
    }
}

/// One client's copy: what a [`RomComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::rom::{Rom, RomComponent, RomSession};
///
/// fn is_made<S: Sessions<dyn Rom, Session = RomSession>>() {}
/// is_made::<RomComponent>();
/// ```
pub struct RomSession {
    name: String,
    board: Board,
    budget: Budget,
    version: Version,
    /// Where the copy lies, out of the client's donation.
    place: Option<Place>,
    /// What became too small, and stays on the donation: the client may have it still.
    left: Vec<Lingering>,
    reader: Rc<Reader>,
}

struct Place {
    dataspace: Dataspace,
    /// All of it, as its owner alone can write it.
    content: Attachment,
}

impl RomSession {
    /// A dataspace for so many bytes. The one that was before is given up only if there is another.
    fn make_room(&mut self, size: usize) -> Result<(), Error> {
        let before = self.place.as_ref().map_or(0, |place| place.dataspace.size());
        // Whole pages: they are paid for anyway.
        let wanted = size.max(before.saturating_mul(2)).next_multiple_of(PAGE);
        let dataspace = self.budget.alloc_published(wanted)?;
        let content = dataspace.attach(Window::WHOLE)?;
        let before = self.place.replace(Place { dataspace, content });
        self.left.extend(before.and_then(|before| before.dataspace.free()));
        self.version.dataspace += 1;
        Ok(())
    }

    /// Whether there is room for so many bytes.
    fn has_room(&self, size: usize) -> bool {
        size == 0 || self.place.as_ref().is_some_and(|place| place.dataspace.size() >= size)
    }
}

impl Rom for RomSession {
    fn update(&mut self) -> Result<Version, Error> {
        let board = self.board.clone();
        let size = board.look(&self.name, |_, content| content.len());
        if !self.has_room(size) {
            self.make_room(size)?;
        }
        board.look(&self.name, |number, content| {
            if let Some(place) = &self.place {
                place.content.copy_from(0, content)?;
            }
            self.version.number = number;
            self.version.size = u32::try_from(content.len()).unwrap_or(u32::MAX);
            Ok(self.version)
        })
    }

    fn dataspace(&mut self) -> Result<Option<DataspaceCapability>, Error> {
        Ok(self.place.as_ref().map(|place| place.dataspace.capability().into()))
    }

    fn changed(&mut self, number: u64) -> Later<Result<u64, Error>> {
        let now = self.board.version(&self.name);
        if now != number {
            return Later::ready(Ok(now));
        }
        let (later, reply) = Later::new();
        // In place of one that waits, whose caller may have given up.
        *self.reader.waiting.borrow_mut() = Some(reply);
        later
    }

    fn update_signal(&mut self, context: SignalCapability) -> Result<(), Error> {
        if self.board.version(&self.name) != self.version.number {
            context.submit();
        }
        *self.reader.listener.borrow_mut() = Some(context);
        Ok(())
    }
}

impl fmt::Debug for RomComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RomComponent").field(&self.board).finish()
    }
}

impl fmt::Debug for RomSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RomSession").field(&self.name).finish()
    }
}
