//! The server's side: reports onto a board.

use super::{Arguments, Report};
use crate::board::{Board, Naming};
use portcullis_component::{Error, Label, Opening, Sessions};
use portcullis_shm::{RamQuota, Reservation};
use std::fmt;

/// Takes reports, and puts them onto a board.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::Board;
/// use portcullis_sessions::report::{Arguments, Report, ReportComponent, ReportContent};
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
///         let mut report = env.connect::<dyn Report>("state", &Arguments { size: 4096 })?;
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

    fn create(&mut self, opening: Opening<Arguments>) -> Result<ReportSession, Error> {
        let name = (self.name)(&opening.label);
        let name = name.ok_or_else(|| Error::denied("report", "there is no name for this label"))?;
        // The buffer, and as much once more for what is read of it: paid before it is there.
        let needed = RamQuota::bytes(2 * u64::from(opening.arguments.size));
        let has = opening.budget.ram().available().in_bytes();
        let missing = RamQuota::bytes(needed.in_bytes().saturating_sub(has));
        let paid = opening.budget.ram().reserve(needed);
        let paid = paid.map_err(|_| Error::InsufficientRamQuota { missing })?;
        let size = usize::try_from(opening.arguments.size).map_err(|_| Error::NotGranted)?;
        self.board.begin_report(&name)?;
        Ok(ReportSession { name, board: self.board.clone(), buffer: vec![0; size], _paid: paid })
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
    buffer: Vec<u8>,
    _paid: Reservation,
}

impl Report for ReportSession {
    fn write(&mut self, offset: u32, part: &[u8]) -> Result<u32, Error> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let room = self.buffer.get_mut(start..).unwrap_or_default();
        let length = part.len().min(room.len());
        room[..length].copy_from_slice(&part[..length]);
        Ok(u32::try_from(length).unwrap_or(u32::MAX))
    }

    fn submit(&mut self, length: u32) -> Result<(), Error> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.buffer.len());
        self.board.put(&self.name, &self.buffer[..length]);
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
