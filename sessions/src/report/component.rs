//! The server's side: reports onto a board.

use super::{Arguments, Report};
use crate::board::{Board, Naming};
use portcullis_component::{Error, Label, Opening, Quota, Sessions};
use portcullis_rpc::DataspaceCapability;
use portcullis_shm::{Buffer, RamAllocator, RamQuota, Reservation};
use std::fmt;

/// Takes reports, and puts them onto a board.
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
pub struct ReportComponent {
    board: Board,
    name: Box<Naming>,
}

impl ReportComponent {
    /// Has each client report under the name that the closure has for its label, and denies whom it names none.
    #[must_use]
    pub fn new(board: &Board, name: impl Fn(&Label) -> Option<String> + 'static) -> ReportComponent {
        ReportComponent { board: board.clone(), name: Box::new(name) }
    }
}

impl Sessions<dyn Report> for ReportComponent {
    type Session = ReportSession;

    /// Beside the object, its buffer.
    fn needs(&self, _: &Arguments) -> Quota {
        Quota::new(1024, 2)
    }

    fn create(&mut self, opening: Opening<Arguments>) -> Result<ReportSession, Error> {
        let name = (self.name)(&opening.label);
        let name = name.ok_or_else(|| Error::denied("report", "there is no name for this label"))?;
        // No dataspace is empty.
        let size = opening.arguments.size.max(1);
        // The copy of the buffer, and the content on the board: both paid before they are there.
        let copies = RamQuota::bytes(2 * u64::from(size));
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let buffer = RamAllocator::price(size)?;
        opening.budget.require(RamQuota::bytes(copies.in_bytes().saturating_add(buffer.in_bytes())))?;
        let paid = opening.budget.reserve(copies)?;
        let buffer = opening.budget.buffer(size)?;
        self.board.begin_report(&name)?;
        Ok(ReportSession { name, board: self.board.clone(), buffer, _paid: paid })
    }

    fn close(&mut self, session: ReportSession) {
        self.board.remove(&session.name);
    }
}

/// One client's report: what a [`ReportComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::report::{Report, ReportComponent, ReportSession};
///
/// fn is_made<S: Sessions<dyn Report, Session = ReportSession>>() {}
/// is_made::<ReportComponent>();
/// ```
pub struct ReportSession {
    name: String,
    board: Board,
    buffer: Buffer,
    _paid: Reservation,
}

impl Report for ReportSession {
    fn dataspace(&mut self) -> Result<DataspaceCapability, Error> {
        Ok(self.buffer.capability().into())
    }

    fn submit(&mut self, length: u32) -> Result<(), Error> {
        let content = self.buffer.copy(usize::try_from(length).unwrap_or(usize::MAX))?;
        self.board.put(&self.name, content);
        Ok(())
    }
}

impl fmt::Debug for ReportComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReportComponent").field(&self.board).finish()
    }
}

impl fmt::Debug for ReportSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReportSession").field(&self.name).finish()
    }
}
